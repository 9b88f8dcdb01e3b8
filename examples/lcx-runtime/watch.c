/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "runtime.h"

/* ps and events. */

struct ps_options {
	const char *format;
};

const struct option ps_options[] = {
	{'f', "format", OPTION_TEXT, offsetof(struct ps_options, format), "table or json"},
	{0},
};

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

static void print_command_line(int32_t pid)
{
	char path[64], text[4096];
	int fd;
	ssize_t n = 0;

	(void)snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		n = read(fd, text, sizeof(text) - 1);
	closep(&fd);
	for (ssize_t i = 0; i < n; i++)
		if (text[i] < ' ' || text[i] == 0x7f)
			text[i] = ' ';
	text[n > 0 ? n : 0] = '\0';
	printf("%-8d %s\n", pid, text);
}

int cmd_ps(struct runtime *rt, void *values, int argc, char **argv)
{
	CLEANUP(lcx_cgroup_pids_freep) struct lcx_cgroup_pids *pids = NULL;
	CLEANUP(lcx_container_freep) struct lcx_container *c = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	const struct ps_options *o = values;
	bool json = o->format && strcmp(o->format, "json") == 0;
	int32_t pid;
	int r, n = 0;

	(void)argc;
	if (o->format && !json && strcmp(o->format, "table") != 0)
		return report(rt, "--format: '%s' is neither table nor json", o->format);
	if (open_container(rt, argv[0], &c) != 0)
		return 1;
	r = lcx_container_pids(c, &pids, &err);
	if (r == -ESRCH)
		return report(rt, "container not running");
	if (r < 0)
		return report_error(rt, err);
	fputs(json ? "[" : "PID      COMMAND\n", stdout);
	for (; (pid = lcx_cgroup_pids_next(pids)) > 0; n++)
		if (json)
			printf("%s%d", n ? "," : "", pid);
		else
			print_command_line(pid);
	if (json)
		puts("]");
	return 0;
}

/* What is not counted here is left out. */
static void print_number(bool *first, const char *key, int64_t value)
{
	if (value < 0)
		return;
	printf("%s\"%s\":%" PRId64, *first ? "" : ",", key, value);
	*first = false;
}

typedef int64_t get_fn(const struct lcx_cgroup_stats *stats);

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
	{"\"memory\":{\"usage\":{", "usage", lcx_cgroup_stats_memory_usage_bytes, ""},
	{"", "max", lcx_cgroup_stats_memory_peak_bytes, ""},
	{"", "limit", lcx_cgroup_stats_memory_limit_bytes, "},"},
	{"\"swap\":{", "usage", lcx_cgroup_stats_swap_usage_bytes, ""},
	{"", "limit", lcx_cgroup_stats_swap_limit_bytes, "},"},
	{"\"raw\":{", "anon", lcx_cgroup_stats_memory_anon_bytes, ""},
	{"", "file", lcx_cgroup_stats_memory_file_bytes, ""},
	{"", "inactive_file", lcx_cgroup_stats_memory_inactive_file_bytes, ""},
	{"", "pgfault", lcx_cgroup_stats_memory_page_faults, ""},
	{"", "pgmajfault", lcx_cgroup_stats_memory_major_faults, ""},
	{"", "oom_kill", lcx_cgroup_stats_memory_oom_kills, "}},"},
	{"\"pids\":{", "current", lcx_cgroup_stats_pids_current, ""},
	{"", "limit", lcx_cgroup_stats_pids_limit, "}"},
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
