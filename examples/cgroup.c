/* SPDX-License-Identifier: MIT */

/*
 * lib/cgroup on its own: run a command within limits, and tell what it used.
 *
 *     cgroup [-m MIB] [-p PIDS] [-c PERCENT] [-t SECONDS] PATH COMMAND [ARGUMENT...]
 *
 * PATH is a new cgroup, as for lcx_cgroup_create(). The exit code is the
 * command's; 137 if the kernel or the time limit (-t) killed it.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <lcx/cgroup.h>

struct options {
	int64_t memory_mib, pids, cpu_percent, seconds;
};

static int set_limits(struct lcx_cgroup *cg, const struct options *options, struct lcx_error **err)
{
	/* Accounts for memory even without a limit: the figures below want it. */
	int r = lcx_cgroup_use(cg, "memory", err);

	if (r == 0 && options->memory_mib)
		r = lcx_cgroup_set_limit(cg, LCX_CGROUP_MEMORY_MAX_BYTES, options->memory_mib << 20,
					 err);
	if (r == 0 && options->pids)
		r = lcx_cgroup_set_limit(cg, LCX_CGROUP_PIDS_MAX, options->pids, err);
	if (r == 0 && options->cpu_percent)
		r = lcx_cgroup_set_limit(cg, LCX_CGROUP_CPU_QUOTA_US, options->cpu_percent * 1000,
					 err);
	return r;
}

/* A child that becomes the command when the pipe is closed: by then it is in its cgroup. */
static pid_t start(char **command, int *ret_gate)
{
	int gate[2];
	pid_t pid;

	if (pipe(gate) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		char byte;

		(void)close(gate[1]);
		if (read(gate[0], &byte, 1) == 0)
			(void)execvp(command[0], command);
		perror(command[0]);
		_exit(127);
	}
	(void)close(gate[0]);
	*ret_gate = gate[1];
	return pid;
}

/* Tell of memory trouble until the last process is gone; 0 after the time limit. */
static int wait_empty(struct lcx_cgroup_watch *watch, int64_t seconds)
{
	time_t end = time(NULL) + (time_t)seconds;

	for (;;) {
		struct pollfd wait = {.fd = lcx_cgroup_watch_fd(watch), .events = POLLIN};
		int event = lcx_cgroup_watch_next(watch);

		if (event == LCX_CGROUP_EVENT_EMPTY)
			return 1;
		if (event == LCX_CGROUP_EVENT_OOM_KILL)
			fprintf(stderr, "cgroup: out of memory: the kernel killed a process\n");
		if (event == LCX_CGROUP_EVENT_NONE)
			(void)poll(&wait, 1, seconds ? 1000 : -1);
		if (seconds && time(NULL) >= end)
			return 0;
	}
}

static void report(struct lcx_cgroup_stats *stats)
{
	fprintf(stderr,
		"cgroup: %.3f s of CPU, throttled for %.3f s, at most %" PRId64
		" KiB of memory, %" PRId64 " killed for lack of it\n",
		(double)lcx_cgroup_stats_cpu_usage_ns(stats) / 1e9,
		(double)lcx_cgroup_stats_cpu_throttled_ns(stats) / 1e9,
		lcx_cgroup_stats_memory_peak_bytes(stats) / 1024,
		lcx_cgroup_stats_memory_oom_kills(stats));
}

static int run(struct lcx_cgroup *cg, const struct options *options, char **command,
	       int *ret_status, struct lcx_error **err)
{
	struct lcx_cgroup_watch *watch = NULL;
	struct lcx_cgroup_stats *stats = NULL;
	int gate = -1, r;
	pid_t pid;

	pid = start(command, &gate);
	if (pid < 0) {
		perror("cgroup: start a process");
		return -EAGAIN;
	}
	r = lcx_cgroup_add_pid(cg, pid, err);
	if (r == 0)
		r = lcx_cgroup_watch_new(cg, &watch, err);
	if (r < 0) {
		(void)kill(pid, SIGKILL);
	} else {
		(void)close(gate);
		if (!wait_empty(watch, options->seconds))
			r = lcx_cgroup_kill(cg, 10000, err);
	}
	(void)waitpid(pid, ret_status, 0);
	if (r == 0)
		r = lcx_cgroup_stats_new(cg, &stats, err);
	if (r == 0)
		report(stats);
	lcx_cgroup_stats_free(stats);
	lcx_cgroup_watch_free(watch);
	return r;
}

int main(int argc, char **argv)
{
	struct options options = {0};
	struct lcx_cgroup *cg = NULL;
	struct lcx_error *err = NULL;
	int option, r, status = 0;

	while ((option = getopt(argc, argv, "+m:p:c:t:")) >= 0) {
		int64_t *value = option == 'm'   ? &options.memory_mib
				 : option == 'p' ? &options.pids
				 : option == 'c' ? &options.cpu_percent
				 : option == 't' ? &options.seconds
						 : NULL;

		if (!value || (*value = atoll(optarg)) <= 0 || *value > INT32_MAX)
			break;
	}
	if (option >= 0 || argc - optind < 2) {
		fprintf(stderr, "usage: cgroup [-m MIB] [-p PIDS] [-c PERCENT] [-t SECONDS] PATH "
				"COMMAND [ARGUMENT...]\n");
		return 2;
	}
	r = lcx_cgroup_create(argv[optind], &cg, &err);
	if (r == 0) {
		r = set_limits(cg, &options, &err);
		if (r == 0)
			r = run(cg, &options, argv + optind + 1, &status, &err);
		if (lcx_cgroup_destroy(cg, 1000, &err) < 0)
			r = -1;
	}
	if (r < 0)
		fprintf(stderr, "cgroup: %s\n", err ? lcx_error_message(err) : "failed");
	lcx_error_free(err);
	lcx_cgroup_free(cg);
	return r < 0 ? 125 : WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
