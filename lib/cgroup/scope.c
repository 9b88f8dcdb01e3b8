/* SPDX-License-Identifier: MIT */
#include "cgroup/scope.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cgroup/bus.h"
#include "cgroup/scope-properties.h"
#include "util/str.h"

/* org.freedesktop.systemd1(5): StartTransientUnit(), and the JobRemoved that says how it went. */

enum { JOB_TIMEOUT_US = 30000000 };

static void bus_closep(struct lcx__bus *bus)
{
	lcx__bus_close(bus);
}

void lcx__scope_clear(struct lcx__scope *scope)
{
	free(scope->unit);
	free(scope->slice);
	*scope = LCX__SCOPE_NONE;
}

/* ---- names -------------------------------------------------------------- */

static bool is_unit_name(const char *name, const char *suffix)
{
	size_t length = strlen(name), tail = strlen(suffix);

	return length > tail && length < 256 && strcmp(name + length - tail, suffix) == 0 &&
	       name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				 ":_.\\-@")] == '\0';
}

static int check(const struct lcx__scope *scope, struct lcx_error **err)
{
	if (!scope->unit || !scope->slice)
		return lcx__fail_nomem(err);
	if (!is_unit_name(scope->slice, ".slice"))
		return lcx__fail(err, EINVAL, "linux.cgroupsPath: '%s' is not the name of a slice",
				 scope->slice);
	if (!is_unit_name(scope->unit, ".scope"))
		return lcx__fail(err, EINVAL, "linux.cgroupsPath: '%s' is not the name of a scope",
				 scope->unit);
	return 0;
}

int lcx__scope_parse(const char *cgroups_path, const char *name, struct lcx__scope *ret,
		     struct lcx_error **err)
{
	CLEANUP(freep)
	char *copy =
		cgroups_path && *cgroups_path ? strdup(cgroups_path) : lcx__format(":lcx:%s", name);
	char *rest = copy, *slice, *prefix;
	int r;

	if (!copy)
		return lcx__fail_nomem(err);
	slice = strsep(&rest, ":");
	prefix = strsep(&rest, ":");
	if (!rest || strchr(rest, ':') || !*rest)
		return lcx__fail(err, EINVAL,
				 "linux.cgroupsPath: '%s' is not SLICE:PREFIX:NAME, as the cgroup "
				 "manager systemd has it",
				 cgroups_path);
	*ret = (struct lcx__scope){
		.slice = strdup(*slice           ? slice
				: geteuid() == 0 ? "system.slice"
						 : "user.slice"),
		.unit = lcx__format("%s%s%s.scope", prefix, *prefix ? "-" : "", rest),
	};
	r = check(ret, err);
	if (r < 0)
		lcx__scope_clear(ret);
	return r;
}

/* ---- jobs --------------------------------------------------------------- */

struct job {
	struct lcx__bus *bus;
	const char *path; /* of the one that is waited for; NULL: not known yet */
	char *results;    /* "PATH RESULT\n" of those that ended before */
	bool failed;
};

static int on_job_removed(sd_bus_message *message, void *data, sd_bus_error *error)
{
	struct job *job = data;
	const char *path, *unit, *result;
	CLEANUP(freep) char *before = job->results;
	uint32_t id;

	(void)error;
	if (job->bus->sd_bus_message_read_basic(message, 'u', &id) <= 0 ||
	    job->bus->sd_bus_message_read_basic(message, 'o', &path) <= 0 ||
	    job->bus->sd_bus_message_read_basic(message, 's', &unit) <= 0 ||
	    job->bus->sd_bus_message_read_basic(message, 's', &result) <= 0) {
		before = NULL;
		return 0;
	}
	job->results = lcx__format("%s%s %s\n", before ? before : "", path, result);
	job->failed |= !job->results;
	return 0;
}

/* How it ended; NULL if it has not yet. The end may come before the number of the job is told. */
static const char *result_of(const struct job *job, const char *path)
{
	size_t length = strlen(path);

	for (const char *line = job->results; line && *line; line = strchr(line, '\n') + 1)
		if (strncmp(line, path, length) == 0 && line[length] == ' ')
			return line + length + 1;
	return NULL;
}

static int wait_a_while(struct lcx__bus *bus)
{
	int r = bus->sd_bus_wait(bus->bus, JOB_TIMEOUT_US);

	return r == 0 ? -ETIMEDOUT : r;
}

static int wait_for_job(struct job *job, const char *path, const char *what, struct lcx_error **err)
{
	const char *result;

	while (!(result = result_of(job, path))) {
		int r = job->failed ? -ENOMEM : job->bus->sd_bus_process(job->bus->bus, NULL);

		if (r == 0)
			r = wait_a_while(job->bus);
		if (r < 0)
			return lcx__fail_sys(err, -r, "%s: wait for systemd", what);
	}
	if (strncmp(result, "done\n", 5) == 0)
		return 0;
	return lcx__fail(err, ECANCELED, "%s: systemd says '%.*s'", what,
			 (int)strcspn(result, "\n"), result);
}

/* Send @message, which starts a job, and wait for its end. */
static int run_job(struct lcx__bus *bus, sd_bus_message *message, const char *what,
		   struct lcx_error **err)
{
	struct job job = {.bus = bus};
	sd_bus_message *answer = NULL;
	const char *path;
	int r;

	r = bus->sd_bus_match_signal(bus->bus, NULL, NULL, "/org/freedesktop/systemd1",
				     "org.freedesktop.systemd1.Manager", "JobRemoved",
				     on_job_removed, &job);
	if (r < 0)
		return lcx__fail_sys(err, -r, "%s: listen to systemd", what);
	r = lcx__bus_call(bus, message, what, &answer, err);
	if (r == 0 && bus->sd_bus_message_read_basic(answer, 'o', &path) <= 0)
		r = lcx__fail(err, EPROTO, "%s: systemd names no job", what);
	if (r == 0)
		r = wait_for_job(&job, path, what, err);
	(void)bus->sd_bus_message_unref(answer);
	/* Before the place that it writes to is gone. */
	lcx__bus_close(bus);
	free(job.results);
	return r;
}

/* ---- the process that holds it ------------------------------------------ */

/* It waits for an answer that never comes, and ends with the one who might give it. */
static int start_holder(struct lcx__child *ret, struct lcx_error **err)
{
	CLEANUP(lcx__plan_freep) struct lcx__plan *plan = NULL;
	struct lcx__launch launch = {.cgroup_fd = -1, .stdio = {-1, -1, -1}};
	int r = lcx__plan_new(&plan, err);

	if (r < 0)
		return r;
	(void)lcx__plan_add(plan, PLAN_NONDUMPABLE);
	lcx__plan_add(plan, PLAN_SYNC)->num[0] = PLAN_MESSAGE_READY;
	launch.plan = plan;
	r = lcx__launch(&launch, ret, err);
	if (r == 0)
		r = lcx__child_receive(ret, NULL, err);
	if (r < 0)
		lcx__child_abandon(ret);
	/* Nothing of it will be described any more. */
	ret->plan = NULL;
	return r < 0 ? r : 0;
}

/* ---- life --------------------------------------------------------------- */

/* What a unit is made of. */
struct making {
	const struct lcx__scope *scope;
	const char *description;
	const struct lcx__resources *resources;
	const struct lcx__unit_properties *more;
};

static int add_members(struct lcx__properties *p, const struct making *m, pid_t pid)
{
	uint32_t pids[] = {(uint32_t)pid};

	lcx__properties_add_string(p, "Description", m->description);
	lcx__properties_add_string(p, "Slice", m->scope->slice);
	lcx__properties_add_array(p, "PIDs", 'u', pids, sizeof(pids));
	lcx__properties_add_bool(p, "Delegate", true);
	lcx__properties_add_bool(p, "DefaultDependencies", false);
	/* Else one that has failed stays, and so does its name. */
	lcx__properties_add_string(p, "CollectMode", "inactive-or-failed");
	lcx__properties_add_bool(p, "MemoryAccounting", true);
	lcx__properties_add_bool(p, "CPUAccounting", true);
	lcx__properties_add_bool(p, "IOAccounting", true);
	lcx__properties_add_bool(p, "TasksAccounting", true);
	lcx__properties_add_resources(p, m->resources);
	/* The last word counts. */
	for (size_t i = 0; i < m->more->n; i++)
		lcx__properties_add_unit(p, &m->more->items[i]);
	return p->result;
}

static int start_unit(struct lcx__bus *bus, const struct making *m, pid_t pid, const char *what,
		      struct lcx_error **err)
{
	sd_bus_message *message = NULL;
	struct lcx__properties p = {.bus = bus};
	int r = lcx__bus_message(bus, "StartTransientUnit", &message, err);

	if (r < 0)
		return r;
	p.message = message;
	p.result = bus->sd_bus_message_append_basic(message, 's', m->scope->unit);
	if (p.result >= 0)
		p.result = bus->sd_bus_message_append_basic(message, 's', "fail");
	lcx__properties_begin(&p);
	(void)add_members(&p, m, pid);
	lcx__properties_end(&p);
	/* No other units along with it. */
	if (p.result >= 0)
		p.result = bus->sd_bus_message_open_container(message, 'a', "(sa(sv))");
	if (p.result >= 0)
		p.result = bus->sd_bus_message_close_container(message);
	r = p.result < 0 ? lcx__fail_sys(err, -p.result, "%s: describe it to systemd", what)
			 : run_job(bus, message, what, err);
	(void)bus->sd_bus_message_unref(message);
	return r;
}

/* A property of a unit that is there; -ENOENT if it is not. */
static int ask(const char *unit, const char *interface, const char *property, char **ret,
	       struct lcx_error **err)
{
	CLEANUP(bus_closep) struct lcx__bus bus;
	sd_bus_message *message = NULL, *answer = NULL;
	sd_bus_error error = SD_BUS_ERROR_NULL;
	const char *object;
	int r = lcx__bus_open(&bus, err);

	if (r == 0)
		r = lcx__bus_message(&bus, "GetUnit", &message, err);
	if (r < 0)
		return r;
	r = bus.sd_bus_message_append_basic(message, 's', unit);
	if (r >= 0)
		r = lcx__bus_call(&bus, message, "look for the scope", &answer, err);
	(void)bus.sd_bus_message_unref(message);
	if (r < 0)
		return r;
	if (bus.sd_bus_message_read_basic(answer, 'o', &object) <= 0)
		r = lcx__fail(err, EPROTO, "systemd names no object for '%s'", unit);
	else if (bus.sd_bus_get_property_string(bus.bus, "org.freedesktop.systemd1", object,
						interface, property, &error, ret) < 0)
		r = lcx__fail(err, EPROTO, "systemd tells no %s of '%s': %s", property, unit,
			      error.message ? error.message : "no answer");
	bus.sd_bus_error_free(&error);
	(void)bus.sd_bus_message_unref(answer);
	return r < 0 ? r : 0;
}

/* Only systemd knows where its own root is. */
static int open_cgroup(const struct lcx__scope *scope, struct lcx_cgroup **ret,
		       struct lcx_error **err)
{
	CLEANUP(freep) char *path = NULL;
	int r = ask(scope->unit, "org.freedesktop.systemd1.Scope", "ControlGroup", &path, err);

	if (r == 0 && path[0] != '/')
		return lcx__fail(err, EPROTO, "systemd has no cgroup for '%s'", scope->unit);
	return r < 0 ? r : lcx_cgroup_open(path, ret, err);
}

int lcx__scope_start(const struct lcx__scope *scope, const char *description,
		     const struct lcx__resources *resources,
		     const struct lcx__unit_properties *more, struct lcx_cgroup **ret,
		     struct lcx__child *ret_holder, struct lcx_error **err)
{
	const struct making making = {scope, description, resources, more};
	CLEANUP(bus_closep) struct lcx__bus bus;
	CLEANUP(freep) char *what = lcx__format("start scope '%s'", scope->unit);
	struct lcx__child holder = LCX__CHILD_NONE;
	int r = lcx__bus_open(&bus, err);

	if (r < 0)
		return r;
	r = what ? start_holder(&holder, err) : lcx__fail_nomem(err);
	if (r == 0)
		r = start_unit(&bus, &making, holder.pid, what, err);
	if (r == 0)
		r = open_cgroup(scope, ret, err);
	if (r < 0)
		lcx__child_abandon(&holder);
	else
		*ret_holder = holder;
	return r;
}

int lcx__scope_update(const char *unit, const struct lcx__resources *resources,
		      struct lcx_error **err)
{
	CLEANUP(bus_closep) struct lcx__bus bus;
	sd_bus_message *message = NULL;
	struct lcx__properties p = {.bus = &bus};
	int for_now = 1, r = lcx__bus_open(&bus, err);

	if (r == 0)
		r = lcx__bus_message(&bus, "SetUnitProperties", &message, err);
	if (r < 0)
		return r;
	p.message = message;
	p.result = bus.sd_bus_message_append_basic(message, 's', unit);
	if (p.result >= 0)
		p.result = bus.sd_bus_message_append_basic(message, 'b', &for_now);
	lcx__properties_begin(&p);
	lcx__properties_add_resources(&p, resources);
	lcx__properties_end(&p);
	r = p.result < 0 ? lcx__fail_sys(err, -p.result, "describe the limits to systemd")
			 : lcx__bus_call(&bus, message, "change the scope", NULL, err);
	(void)bus.sd_bus_message_unref(message);
	return r;
}

static int stop(const char *unit, const char *what, struct lcx_error **err)
{
	CLEANUP(bus_closep) struct lcx__bus bus;
	sd_bus_message *message = NULL;
	int r = lcx__bus_open(&bus, err);

	if (r == 0)
		r = lcx__bus_message(&bus, "StopUnit", &message, err);
	if (r < 0)
		return r;
	r = bus.sd_bus_message_append_basic(message, 's', unit);
	if (r >= 0)
		r = bus.sd_bus_message_append_basic(message, 's', "replace");
	r = r < 0 ? lcx__fail_sys(err, -r, "%s", what) : run_job(&bus, message, what, err);
	(void)bus.sd_bus_message_unref(message);
	return r;
}

int lcx__scope_stop(const char *unit, const char *description, struct lcx_error **err)
{
	CLEANUP(lcx_error_freep) struct lcx_error *one = NULL;
	CLEANUP(freep) char *what = lcx__format("stop scope '%s'", unit), *found = NULL;
	int r;

	if (!what)
		return lcx__fail_nomem(err);
	r = ask(unit, "org.freedesktop.systemd1.Unit", "Description", &found, &one);
	if (r == 0 && strcmp(found, description) == 0)
		r = stop(unit, what, &one);
	return r == 0 || r == -ENOENT ? 0 : lcx__fail(err, -r, "%s", lcx_error_message(one));
}

int lcx__scope_check(struct lcx_error **err)
{
	CLEANUP(bus_closep) struct lcx__bus bus;

	return lcx__bus_open(&bus, err);
}
