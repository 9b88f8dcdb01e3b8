/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "runtime.h"

/* kill, delete, pause, resume. */

struct kill_options {
	bool all, regex;
	int signal;
};

const struct option kill_options[] = {
	{'a', "all", OPTION_FLAG, offsetof(struct kill_options, all), "every process of it"},
	{'r', "regex", OPTION_FLAG, offsetof(struct kill_options, regex),
	 "every container whose name fits the regular expression"},
	{0},
};

struct delete_options {
	bool force, regex;
};

const struct option delete_options[] = {
	{'f', "force", OPTION_FLAG, offsetof(struct delete_options, force),
	 "kill it first if it runs; no error if it is not there"},
	{'r', "regex", OPTION_FLAG, offsetof(struct delete_options, regex),
	 "every container whose name fits the regular expression"},
	{0},
};

static int kill_one(struct runtime *rt, const char *id, const void *data)
{
	CLEANUP(lcx_container_freep) struct lcx_container *c = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	const struct kill_options *o = data;
	int r;

	if (open_container(rt, id, &c) != 0)
		return 1;
	r = o->all ? lcx_container_kill_all(c, o->signal, &err)
		   : lcx_container_kill(c, o->signal, &err);
	/* All of nothing was sent it: an engine makes sure so, at the end. */
	if (r == -ESRCH)
		return o->all ? 0 : report(rt, "container not running");
	return r < 0 ? report_error(rt, err) : 0;
}

int cmd_kill(struct runtime *rt, void *values, int argc, char **argv)
{
	struct kill_options *o = values;

	o->signal = argc > 1 ? lcx_signal_parse(argv[1]) : SIGTERM;
	if (o->signal < 0)
		return report(rt, "'%s' is not a signal", argv[1]);
	return o->regex ? for_each_matching(rt, argv[0], kill_one, o) : kill_one(rt, argv[0], o);
}

static int delete_one(struct runtime *rt, const char *id, const void *data)
{
	CLEANUP(lcx_container_freep) struct lcx_container *c = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	const struct delete_options *o = data;
	int r;

	if (open_root(rt) != 0)
		return 1;
	r = lcx_bundle_open(rt->ctx, id, &c, &err);
	if (r == -ENOENT && o->force)
		return 0;
	if (r < 0)
		return report_error(rt, err);
	if (lcx_container_remove(c, o->force, &err) < 0)
		return lcx_error_code(err) == EBUSY
			       ? report(rt, "cannot delete container %s that is not stopped: %s: %s",
					id, status_of(c), lcx_error_message(err))
			       : report_error(rt, err);
	notify_remove(rt, id);
	return 0;
}

int cmd_delete(struct runtime *rt, void *values, int argc, char **argv)
{
	const struct delete_options *o = values;

	(void)argc;
	return o->regex ? for_each_matching(rt, argv[0], delete_one, o)
			: delete_one(rt, argv[0], o);
}

/* What is frozen, or is not, is not so again: as runc has it. */
static int freeze(struct runtime *rt, const char *id, bool frozen,
		  int (*change)(struct lcx_container *c, struct lcx_error **err))
{
	CLEANUP(lcx_container_freep) struct lcx_container *c = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	int r;

	if (open_container(rt, id, &c) != 0)
		return 1;
	if ((lcx_container_state(c) == LCX_CONTAINER_PAUSED) != frozen)
		return report(rt, frozen ? "container not paused" : "container not running: %s",
			      status_of(c));
	r = change(c, &err);
	if (r == -ESRCH)
		return report(rt, "container not running");
	return r < 0 ? report_error(rt, err) : 0;
}

int cmd_pause(struct runtime *rt, void *values, int argc, char **argv)
{
	(void)values;
	(void)argc;
	return freeze(rt, argv[0], false, lcx_container_pause);
}

int cmd_resume(struct runtime *rt, void *values, int argc, char **argv)
{
	(void)values;
	(void)argc;
	return freeze(rt, argv[0], true, lcx_container_unpause);
}
