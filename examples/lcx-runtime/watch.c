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

/* What is not counted here is left out. */
static void print_number(bool *first, const char *key, int64_t value)
{
	if (value < 0)
		return;
	printf("%s\"%s\":%" PRId64, *first ? "" : ",", key, value);
	*first = false;
}

typedef int64_t get_fn(const struct lcx_cgroup_stats *stats);

static int64_t sum(int64_t a, int64_t b)
{
	return a < 0 || b < 0 ? -1 : a > INT64_MAX - b ? INT64_MAX : a + b;
}

/* Swap and memory together, as version 1 counts them and engines expect it on both. */
static int64_t memory_and_swap(const struct lcx_cgroup_stats *stats)
{
	return sum(lcx_cgroup_stats_memory_usage_bytes(stats),
		   lcx_cgroup_stats_swap_usage_bytes(stats));
}

static int64_t memory_and_swap_limit(const struct lcx_cgroup_stats *stats)
{
	return sum(lcx_cgroup_stats_memory_limit_bytes(stats),
		   lcx_cgroup_stats_swap_limit_bytes(stats));
}

/* No limit is 0. */
static int64_t pids_limit(const struct lcx_cgroup_stats *stats)
{
	int64_t limit = lcx_cgroup_stats_pids_limit(stats);

	return limit == INT64_MAX ? 0 : limit;
}

/* The tree that engines know from runc: a row opens objects, prints a number, closes objects. */
static const struct {
	const char *open, *key;
	get_fn *get;
	const char *close;
} numbers[] = {
	{"\"cpu\":{\"usage\":{", "total", lcx_cgroup_stats_cpu_usage_ns, ""},
	{"", "kernel", lcx_cgroup_stats_cpu_system_ns, ""},
	{"", "user", lcx_cgroup_stats_cpu_user_ns, "},"},
	{"\"throttling\":{", "periods", lcx_cgroup_stats_cpu_periods, ""},
	{"", "throttledPeriods", lcx_cgroup_stats_cpu_throttled_periods, ""},
	{"", "throttledTime", lcx_cgroup_stats_cpu_throttled_ns, "}},"},
	{"\"memory\":{", "cache", lcx_cgroup_stats_memory_file_bytes, ","},
	{"\"usage\":{", "usage", lcx_cgroup_stats_memory_usage_bytes, ""},
	{"", "max", lcx_cgroup_stats_memory_peak_bytes, ""},
	{"", "limit", lcx_cgroup_stats_memory_limit_bytes, "},"},
	{"\"swap\":{", "usage", memory_and_swap, ""},
	{"", "limit", memory_and_swap_limit, "},"},
	{"\"kernel\":{", "usage", lcx_cgroup_stats_memory_kernel_bytes, "},"},
	{"\"raw\":{", "anon", lcx_cgroup_stats_memory_anon_bytes, ""},
	{"", "file", lcx_cgroup_stats_memory_file_bytes, ""},
	{"", "inactive_file", lcx_cgroup_stats_memory_inactive_file_bytes, ""},
	{"", "pgfault", lcx_cgroup_stats_memory_page_faults, ""},
	{"", "pgmajfault", lcx_cgroup_stats_memory_major_faults, ""},
	{"", "oom_kill", lcx_cgroup_stats_memory_oom_kills, "}},"},
	{"\"pids\":{", "current", lcx_cgroup_stats_pids_current, ""},
	{"", "limit", pids_limit, "}"},
};

static void print_stats(const char *id, const struct lcx_cgroup_stats *stats)
{
	bool first = true;

	printf("{\"type\":\"stats\",\"id\":\"%s\",\"data\":{", id);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		if (numbers[i].open[0])
			first = true;
		fputs(numbers[i].open, stdout);
		print_number(&first, numbers[i].key, numbers[i].get(stats));
		fputs(numbers[i].close, stdout);
	}
	puts("}}");
	(void)fflush(stdout);
}

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

int cmd_events(struct runtime *rt, void *values, int argc, char **argv)
{
	CLEANUP(lcx_container_freep) struct lcx_container *c = NULL;
	const struct events_options *o = values;
	int interval_ms = parse_interval(o->interval ? o->interval : "5s"), r;

	(void)argc;
	if (interval_ms == 0)
		return report(rt, "--interval: '%s' is no time such as 5s", o->interval);
	if (open_container(rt, argv[0], &c) != 0)
		return 1;
	for (;;) {
		CLEANUP(lcx_cgroup_stats_freep) struct lcx_cgroup_stats *stats = NULL;
		CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;

		r = lcx_container_stats(c, &stats, &err);
		if (r == -ESRCH)
			return o->stats ? report(rt, "container not running") : 0;
		if (r < 0)
			return report_error(rt, err);
		print_stats(argv[0], stats);
		/* Until it ends, without taking it down: that is the engine's to do. */
		if (o->stats)
			return 0;
		(void)poll(NULL, 0, interval_ms);
	}
}
