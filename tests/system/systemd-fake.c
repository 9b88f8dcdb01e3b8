/* SPDX-License-Identifier: MIT */

/*
 * systemd-fake SOCKET LOG - what liblcx asks of systemd, answered at a socket as systemd has one:
 * scopes with their cgroups, where version 1 or 2 has processes, and the end of each job told
 * by a signal. Each call is written to LOG. A unit "fail-*.scope" fails as jobs do.
 */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

enum { MOST = 16 };

static FILE *log_file;
static uint32_t next_job = 1;
static struct unit {
	char name[256], slice[256], description[512];
} units[MOST];

static const char *const tops[] = {"/sys/fs/cgroup/unified", "/sys/fs/cgroup/systemd",
				   "/sys/fs/cgroup"};

static struct unit *find(const char *name)
{
	for (int i = 0; i < MOST; i++)
		if (strcmp(units[i].name, name) == 0)
			return &units[i];
	return NULL;
}

static void each_directory(const struct unit *unit, int (*change)(const char *path))
{
	for (size_t i = 0; i < sizeof(tops) / sizeof(*tops); i++) {
		char path[1024];

		(void)snprintf(path, sizeof(path), "%s/cgroup.procs", tops[i]);
		if (access(path, W_OK) != 0)
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s/%s", tops[i], unit->slice, unit->name);
		(void)change(path);
	}
}

static int make(const char *path)
{
	char *parent = strdup(path);

	*strrchr(parent, '/') = '\0';
	(void)mkdir(parent, 0755);
	free(parent);
	return mkdir(path, 0755);
}

static int drop(const char *path)
{
	char *parent = strdup(path);
	int r = rmdir(path);

	*strrchr(parent, '/') = '\0';
	(void)rmdir(parent);
	free(parent);
	return r;
}

static uint32_t moved;

static int move(const char *path)
{
	char file[1100];
	FILE *procs;

	(void)snprintf(file, sizeof(file), "%s/cgroup.procs", path);
	procs = fopen(file, "we");
	if (!procs)
		return -1;
	fprintf(procs, "%u\n", moved);
	return fclose(procs);
}

/* One property: into the log, and where it matters here into the unit. */
static int read_property(sd_bus_message *m, struct unit *unit)
{
	const char *name, *type, *text;
	const void *items;
	size_t size;
	uint64_t number;
	int flag, r;

	r = sd_bus_message_enter_container(m, 'r', "sv");
	if (r <= 0)
		return r;
	sd_bus_message_read_basic(m, 's', &name);
	sd_bus_message_peek_type(m, NULL, &type);
	sd_bus_message_enter_container(m, 'v', type);
	fprintf(log_file, " %s=", name);
	if (strcmp(type, "s") == 0 && sd_bus_message_read_basic(m, 's', &text) > 0) {
		fprintf(log_file, "%s", text);
		if (strcmp(name, "Slice") == 0)
			(void)snprintf(unit->slice, sizeof(unit->slice), "%s", text);
		if (strcmp(name, "Description") == 0)
			(void)snprintf(unit->description, sizeof(unit->description), "%s", text);
	} else if (strcmp(type, "b") == 0 && sd_bus_message_read_basic(m, 'b', &flag) > 0) {
		fprintf(log_file, "%s", flag ? "yes" : "no");
	} else if (strcmp(type, "t") == 0 && sd_bus_message_read_basic(m, 't', &number) > 0) {
		fprintf(log_file, "%llu", (unsigned long long)number);
	} else if (strcmp(type, "i") == 0 && sd_bus_message_read_basic(m, 'i', &flag) > 0) {
		fprintf(log_file, "i:%d", flag);
	} else if (strcmp(type, "as") == 0) {
		sd_bus_message_enter_container(m, 'a', "s");
		while (sd_bus_message_read_basic(m, 's', &text) > 0)
			fprintf(log_file, "[%s]", text);
		sd_bus_message_exit_container(m);
	} else if (strcmp(type, "au") == 0 &&
		   sd_bus_message_read_array(m, 'u', &items, &size) > 0) {
		moved = *(const uint32_t *)items;
		fprintf(log_file, "one");
	} else if (strcmp(type, "ay") == 0 &&
		   sd_bus_message_read_array(m, 'y', &items, &size) > 0) {
		for (size_t i = 0; i < size; i++)
			fprintf(log_file, "%02x", ((const unsigned char *)items)[i]);
	} else {
		return -EINVAL;
	}
	sd_bus_message_exit_container(m);
	sd_bus_message_exit_container(m);
	return 1;
}

static int read_properties(sd_bus_message *m, struct unit *unit)
{
	int r = sd_bus_message_enter_container(m, 'a', "(sv)");

	while (r > 0)
		r = read_property(m, unit);
	fprintf(log_file, "\n");
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int finish_job(sd_bus_message *m, const char *unit)
{
	sd_bus *bus = sd_bus_message_get_bus(m);
	char path[64];
	uint32_t job = next_job++;

	(void)snprintf(path, sizeof(path), "/org/freedesktop/systemd1/job/%u", job);
	/* Before its number is told, as may happen. */
	(void)sd_bus_emit_signal(bus, "/org/freedesktop/systemd1",
				 "org.freedesktop.systemd1.Manager", "JobRemoved", "uoss", job,
				 path, unit, strncmp(unit, "fail-", 5) == 0 ? "failed" : "done");
	return sd_bus_reply_method_return(m, "o", path);
}

static int start_transient_unit(sd_bus_message *m, void *data, sd_bus_error *error)
{
	struct unit *unit = find("");
	const char *name, *mode;

	(void)data;
	sd_bus_message_read(m, "ss", &name, &mode);
	if (find(name))
		return sd_bus_error_setf(error, "org.freedesktop.systemd1.UnitExists",
					 "Unit %s already exists.", name);
	fprintf(log_file, "StartTransientUnit %s %s", name, mode);
	if (read_properties(m, unit) < 0)
		return -EINVAL;
	if (strncmp(name, "fail-", 5) != 0) {
		(void)snprintf(unit->name, sizeof(unit->name), "%s", name);
		each_directory(unit, make);
		each_directory(unit, move);
	}
	return finish_job(m, name);
}

static int set_unit_properties(sd_bus_message *m, void *data, sd_bus_error *error)
{
	const char *name;
	int for_now;

	(void)data;
	(void)error;
	sd_bus_message_read(m, "sb", &name, &for_now);
	fprintf(log_file, "SetUnitProperties %s %s", name, for_now ? "runtime" : "persistent");
	if (!find(name) || read_properties(m, find(name)) < 0)
		return -EINVAL;
	return sd_bus_reply_method_return(m, "");
}

static int stop_unit(sd_bus_message *m, void *data, sd_bus_error *error)
{
	const char *name, *mode;
	struct unit *unit;

	(void)data;
	sd_bus_message_read(m, "ss", &name, &mode);
	unit = find(name);
	if (!unit)
		return sd_bus_error_setf(error, "org.freedesktop.systemd1.NoSuchUnit",
					 "Unit %s not loaded.", name);
	fprintf(log_file, "StopUnit %s %s\n", name, mode);
	each_directory(unit, drop);
	unit->name[0] = '\0';
	return finish_job(m, name);
}

static int get_unit(sd_bus_message *m, void *data, sd_bus_error *error)
{
	char path[64];
	const char *name;

	(void)data;
	sd_bus_message_read(m, "s", &name);
	if (!find(name))
		return sd_bus_error_setf(error, "org.freedesktop.systemd1.NoSuchUnit",
					 "Unit %s not loaded.", name);
	(void)snprintf(path, sizeof(path), "/org/freedesktop/systemd1/unit/u%d",
		       (int)(find(name) - units));
	return sd_bus_reply_method_return(m, "o", path);
}

static int get_property(sd_bus *bus, const char *path, const char *interface, const char *property,
			sd_bus_message *reply, void *data, sd_bus_error *error)
{
	const struct unit *unit = &units[atoi(strrchr(path, '/') + 2) % MOST];
	char text[600];

	(void)bus;
	(void)interface;
	(void)data;
	(void)error;
	if (strcmp(property, "Description") == 0)
		return sd_bus_message_append(reply, "s", unit->description);
	(void)snprintf(text, sizeof(text), "/%s/%s", unit->slice, unit->name);
	return sd_bus_message_append(reply, "s", text);
}

static int find_unit_object(sd_bus *bus, const char *path, const char *interface, void *data,
			    void **ret, sd_bus_error *error)
{
	(void)bus;
	(void)path;
	(void)interface;
	(void)data;
	(void)error;
	*ret = units;
	return 1;
}

static const sd_bus_vtable manager[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("StartTransientUnit", "ssa(sv)a(sa(sv))", "o", start_transient_unit,
		      SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("SetUnitProperties", "sba(sv)", "", set_unit_properties,
		      SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("StopUnit", "ss", "o", stop_unit, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("GetUnit", "s", "o", get_unit, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_SIGNAL("JobRemoved", "uoss", 0),
	SD_BUS_VTABLE_END,
};

static const sd_bus_vtable unit_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("Description", "s", get_property, 0, 0),
	SD_BUS_VTABLE_END,
};

static const sd_bus_vtable scope_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("ControlGroup", "s", get_property, 0, 0),
	SD_BUS_VTABLE_END,
};

/* One caller after the other: each asks something, and hangs up. */
static void serve(int fd)
{
	sd_bus *bus = NULL;
	sd_id128_t id = {.bytes = {1}};
	int r;

	if (sd_bus_new(&bus) < 0 || sd_bus_set_fd(bus, fd, fd) < 0 ||
	    sd_bus_set_server(bus, 1, id) < 0 || sd_bus_start(bus) < 0)
		exit(1);
	sd_bus_add_object_vtable(bus, NULL, "/org/freedesktop/systemd1",
				 "org.freedesktop.systemd1.Manager", manager, NULL);
	sd_bus_add_fallback_vtable(bus, NULL, "/org/freedesktop/systemd1/unit",
				   "org.freedesktop.systemd1.Unit", unit_vtable, find_unit_object,
				   NULL);
	sd_bus_add_fallback_vtable(bus, NULL, "/org/freedesktop/systemd1/unit",
				   "org.freedesktop.systemd1.Scope", scope_vtable, find_unit_object,
				   NULL);
	do {
		r = sd_bus_process(bus, NULL);
		if (r == 0)
			r = sd_bus_wait(bus, UINT64_MAX);
	} while (r >= 0);
	sd_bus_close_unref(bus);
	fflush(log_file);
}

int main(int argc, char **argv)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (argc != 3 || strlen(argv[1]) >= sizeof(address.sun_path))
		return 2;
	strcpy(address.sun_path, argv[1]);
	log_file = fopen(argv[2], "we");
	if (!log_file || bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(listener, 16) < 0) {
		perror(argv[1]);
		return 1;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd >= 0)
			serve(fd);
	}
}
