/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

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

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Print what has happened. */
static void print_events(const char *id, struct lcx_cgroup_watch *watch)
{
	int event;

	while ((event = lcx_cgroup_watch_next(watch)) != LCX_CGROUP_EVENT_NONE)
		if (event == LCX_CGROUP_EVENT_OOM_KILL)
			printf("{\"type\":\"oom\",\"id\":\"%s\"}\n", id);
	(void)fflush(stdout);
}

/*
 * Tell what happens as it happens, for so long or until its process ends. That leaves its cgroup a
 * moment before, or long before if somebody moves it: an empty cgroup is no end.
 */
static void wait_for_next(const char *id, struct lcx_cgroup_watch *watch, int pidfd,
			  int interval_ms)
{
	int64_t until = now_ms() + interval_ms, left;
	struct pollfd fds[] = {
		{.fd = lcx_cgroup_watch_fd(watch), .events = POLLIN},
		{.fd = pidfd, .events = POLLIN},
	};

	while (!fds[1].revents && (left = until - now_ms()) > 0 && poll(fds, 2, (int)left) >= 0)
		print_events(id, watch);
}

/* Return: 0; 1 when the failure was reported; -ESRCH. */
static int print_stats(struct runtime *rt, const char *id, struct lcx_container *c)
{
	CLEANUP(lcx_cgroup_figures_freep) struct lcx_cgroup_figures *figures = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	int r = lcx_container_figures(c, &figures, &err);

	if (r < 0)
		return r == -ESRCH ? r : report_error(rt, err);
	print_figures(id, figures);
	(void)fflush(stdout);
	return 0;
}

/* Until it ends, without taking it down: that is the engine's to do. */
static int follow(struct runtime *rt, const char *id, struct lcx_container *c, int interval_ms)
{
	CLEANUP(lcx_cgroup_watch_freep) struct lcx_cgroup_watch *watch = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	int pidfd, r = lcx_container_watch(c, &watch, &err);

	if (r < 0)
		return r == -ESRCH ? r : report_error(rt, err);
	/* Its own: the number is still the container's when the first figures are told. */
	pidfd = (int)syscall(SYS_pidfd_open, lcx_container_pid(c), 0);
	if (pidfd < 0 && errno != ESRCH)
		return report(rt, "watch the process of container %s: %s", id, strerror(errno));
	while ((r = print_stats(rt, id, c)) == 0)
		wait_for_next(id, watch, pidfd, interval_ms);
	if (pidfd >= 0)
		(void)close(pidfd);
	return r == -ESRCH ? 0 : r;
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
	r = o->stats ? print_stats(rt, argv[0], c) : follow(rt, argv[0], c, interval_ms);
	return r == -ESRCH ? report(rt, "container not running") : r;
}
