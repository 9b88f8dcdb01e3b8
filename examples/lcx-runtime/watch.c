/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "runtime.h"

/* events. */

struct events_options {
	const char *interval;
	bool stats;
};

const struct option events_options[] = {
	{'\0', "interval", OPTION_TEXT, offsetof(struct events_options, interval),
	 "seconds between two of them, such as 5s"},
	{'\0', "stats", OPTION_FLAG, offsetof(struct events_options, stats), "once, and end"},
	{0},
};

/* "5s", "500ms", "1m"; in milliseconds, 0 for what is none. */
static int parse_interval(const char *text)
{
	char *unit;
	long number = strtol(text, &unit, 10);

	if (number <= 0 || number > 1000000)
		return 0;
	if (strcmp(unit, "ms") == 0)
		return (int)number;
	if (strcmp(unit, "m") == 0)
		return (int)(number > 10000 ? 0 : number * 60000);
	return strcmp(unit, "s") == 0 || *unit == '\0' ? (int)number * 1000 : 0;
}

/* Whether somebody ran out of memory since the last reading; what was before the first is past. */
static void print_new_ooms(const char *id, const struct lcx_cgroup_figures *figures, int64_t *known)
{
	int64_t ooms = lcx_cgroup_figures_get(figures, "memory.oom_kills");

	if (*known >= 0 && ooms > *known)
		printf("{\"type\":\"oom\",\"id\":\"%s\"}\n", id);
	*known = ooms;
}

int cmd_events(struct runtime *rt, void *values, int argc, char **argv)
{
	CLEANUP(lcx_container_freep) struct lcx_container *c = NULL;
	const struct events_options *o = values;
	int interval_ms = parse_interval(o->interval ? o->interval : "5s"), r;
	int64_t ooms = -1;

	(void)argc;
	if (interval_ms == 0)
		return report(rt, "--interval: '%s' is no time such as 5s", o->interval);
	if (open_container(rt, argv[0], &c) != 0)
		return 1;
	for (;;) {
		CLEANUP(lcx_cgroup_figures_freep) struct lcx_cgroup_figures *figures = NULL;
		CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;

		r = lcx_container_figures(c, &figures, &err);
		if (r == -ESRCH)
			return o->stats ? report(rt, "container not running") : 0;
		if (r < 0)
			return report_error(rt, err);
		print_new_ooms(argv[0], figures, &ooms);
		print_figures(argv[0], figures);
		(void)fflush(stdout);
		/* Until it ends, without taking it down: that is the engine's to do. */
		if (o->stats)
			return 0;
		(void)poll(NULL, 0, interval_ms);
	}
}
