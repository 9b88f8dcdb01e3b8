/* SPDX-License-Identifier: MIT */
#include "cgroup/bus.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/library.h"
#include "util/str.h"

enum { CALL_TIMEOUT_US = 25000000 };

static int load(struct lcx__bus *bus, struct lcx_error **err)
{
	static const struct lcx__library_function functions[] = {
#define ROW(name) {#name, offsetof(struct lcx__bus, name)},
		BUS_FUNCTIONS(ROW)
#undef ROW
	};
	static const struct lcx__library library = {
		.soname = "libsystemd.so.0",
		.use = "systemd is asked by",
		.functions = functions,
		.n = ARRAY_SIZE(functions),
	};

	return lcx__library_load(&library, bus, err);
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
