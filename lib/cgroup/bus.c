/* SPDX-License-Identifier: MIT */
#include "cgroup/bus.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/str.h"

#define SONAME "libsystemd.so.0"

enum { CALL_TIMEOUT_US = 25000000 };

static int find(void *library, const char *name, void *ret, size_t size, struct lcx_error **err)
{
	void *found = dlsym(library, name);

	if (!found)
		return lcx__fail(err, EOPNOTSUPP, SONAME " is too old: it has no %s()", name);
	/* In C a function's address is not converted from an object's: POSIX has them be the same.
	 */
	memcpy(ret, &found, size);
	return 0;
}

static int load(struct lcx__bus *bus, struct lcx_error **err)
{
	void *library = dlopen(SONAME, RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE);
	int r = 0;

	if (!library)
		return lcx__fail(err, EOPNOTSUPP,
				 "systemd is asked by " SONAME ", which can't be loaded: %s",
				 dlerror());
#define FIND(name)                                                                                 \
	if (r == 0)                                                                                \
		r = find(library, #name, &bus->name, sizeof(bus->name), err);
	BUS_FUNCTIONS(FIND)
#undef FIND
	/* It stays: only the count of those who hold it goes down. */
	(void)dlclose(library);
	return r;
}

/* The system's for root, and for others the one that each of them has. */
static char *address(void)
{
	const char *runtime_dir = getenv("XDG_RUNTIME_DIR");

	return geteuid() == 0 ? strdup("unix:path=/run/systemd/private")
			      : lcx__format("unix:path=%s/systemd/private",
					    runtime_dir ? runtime_dir : "/nonexistent");
}

int lcx__bus_open(struct lcx__bus *bus, struct lcx_error **err)
{
	CLEANUP(freep) char *place = address();
	int r;

	*bus = (struct lcx__bus){0};
	if (!place)
		return lcx__fail_nomem(err);
	r = load(bus, err);
	if (r < 0)
		return r;
	r = bus->sd_bus_new(&bus->bus);
	if (r >= 0)
		r = bus->sd_bus_set_address(bus->bus, place);
	if (r >= 0)
		r = bus->sd_bus_start(bus->bus);
	if (r >= 0)
		r = bus->sd_bus_set_method_call_timeout(bus->bus, CALL_TIMEOUT_US);
	if (r >= 0)
		return 0;
	lcx__bus_close(bus);
	return lcx__fail(err, r == -ENOMEM ? ENOMEM : EOPNOTSUPP,
			 "systemd does not answer at '%s' (%s): it is not what runs this machine; "
			 "use the cgroup manager cgroupfs",
			 place + strlen("unix:path="), strerror(-r));
}

void lcx__bus_close(struct lcx__bus *bus)
{
	if (bus->bus)
		(void)bus->sd_bus_flush_close_unref(bus->bus);
	bus->bus = NULL;
}

int lcx__bus_message(struct lcx__bus *bus, const char *member, sd_bus_message **ret,
		     struct lcx_error **err)
{
	int r = bus->sd_bus_message_new_method_call(bus->bus, ret, "org.freedesktop.systemd1",
						    "/org/freedesktop/systemd1",
						    "org.freedesktop.systemd1.Manager", member);

	return r < 0 ? lcx__fail_sys(err, -r, "prepare a call of systemd's %s()", member) : 0;
}

int lcx__bus_call(struct lcx__bus *bus, sd_bus_message *message, const char *what,
		  sd_bus_message **ret, struct lcx_error **err)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	int r = bus->sd_bus_call(bus->bus, message, 0, &error, ret);

	if (r >= 0)
		return 0;
	if (error.name && strstr(error.name, "UnitExists"))
		r = -EEXIST;
	else if (error.name && strstr(error.name, "NoSuchUnit"))
		r = -ENOENT;
	r = lcx__fail(err, -r, "%s: systemd: %s", what,
		      error.message ? error.message : strerror(-r));
	bus->sd_bus_error_free(&error);
	return r;
}
