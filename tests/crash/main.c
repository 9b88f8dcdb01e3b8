/* SPDX-License-Identifier: MIT */
/*
 * usage: crash [-n NUMBER] [-k KIND]... [-s SCENARIO]... ROOT RUN ROOTFS [LAYOUT]
 *
 * Has each scenario die, or fail, at every place where that makes a difference, or
 * with -n at that many of them, evenly spread; opens the library anew after each; and sees
 * that nothing is left and nobody else was hit. Prints TAP.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "crash.h"
#include "util/cleanup.h"

enum { SETTLE_TRIES = 300, FAILURES_SHOWN = 10 };

static const struct {
	const char *name, *verb;
} kinds[] = {
	[FAULT_KILL] = {"kill", "killed"},
	[FAULT_HELPER] = {"helper", "helper killed"},
	[FAULT_ERROR] = {"error", "calls fail"},
	[FAULT_ALLOC] = {"alloc", "allocations fail"},
};

struct options {
	uint32_t sample; /* 0: all */
	unsigned kinds;
	uint64_t scenarios;
	bool chosen; /* the scenarios, by name */
};

/* In a process of its own, as a program that was started anew. */
static int apart(int (*work)(bool keeps), bool keeps)
{
	int status;
	pid_t pid;

	(void)fflush(stdout);
	pid = fork();
	if (pid == 0) {
		(void)alarm(60);
		status = work(keeps) < 0;
		(void)fflush(stdout);
		_exit(status);
	}
	if (waitpid(pid, &status, 0) != pid)
		abort();
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

static const struct scenario *current;

static int prepare(bool keeps)
{
	(void)keeps;
	return current->before ? current->before() : 0;
}

static int run(void)
{
	return scenario_run(current);
}

/* The kernel takes its time with the network of the dead. */
static bool settles(const char *world)
{
	const struct timespec pause = {0, 20000000};

	for (int i = 0;; i++) {
		CLEANUP(freep) char *now = world_take();

		if (world_compare(world, now, i >= SETTLE_TRIES))
			return true;
		if (i >= SETTLE_TRIES)
			return false;
		(void)nanosleep(&pause, NULL);
	}
}

/* What waits in the place of who removed an interface ends by itself, and is nothing to come back. */
static char *world_at_rest(void)
{
	const struct timespec pause = {0, 20000000};

	for (int i = 0;; i++) {
		CLEANUP(freep) char *now = world_take();

		if (!strstr(now, " lcx-remover\n") || i >= SETTLE_TRIES)
			return TAKE_PTR(now);
		(void)nanosleep(&pause, NULL);
	}
}

static void tell(enum fault_kind kind, uint32_t n, const struct outcome *o, const char *what)
{
	printf("#   ^ %s, %s at %u (%s%s%s): %s\n", current->name, kinds[kind].verb, n, o->where,
	       o->error ? " " : "", o->error ? strerrorname_np(o->error) : "", what);
	(void)fflush(stdout);
}

/* One fault. Return: true if all held. */
static bool survives(enum fault_kind kind, uint32_t n, const char *world, struct outcome *o)
{
	const char *trouble = NULL;

	if (apart(prepare, false) < 0) {
		tell(kind, n, o, "what it needs could not be made");
		return false;
	}
	run_with_fault(kind, n, run, o);
	if (o->hung)
		trouble = "it hung";
	else if (WIFSIGNALED(o->status) && !(kind == FAULT_KILL && o->hit))
		trouble = strsignal(WTERMSIG(o->status));
	else if (n == 0 && (!WIFEXITED(o->status) || WEXITSTATUS(o->status) != 0))
		trouble = "it failed without any fault";
	if (apart(clear_up, current->keeps) < 0 && !trouble)
		trouble = "could not be cleared up";
	if (world && !settles(world) && !trouble)
		trouble = "something is left";
	if (trouble)
		tell(kind, n, o, trouble);
	return !trouble;
}

static bool sweep(enum fault_kind kind, const char *world, uint32_t sample)
{
	struct outcome o = {0};
	uint32_t failures = 0, hits = 0, total, n;
	struct timespec began, now;

	(void)clock_gettime(CLOCK_MONOTONIC, &began);
	failures += !survives(kind, 0, world, &o);
	total = o.points;
	if (sample == 0 || sample > total)
		sample = total;
	for (uint32_t i = 0; i < sample && failures < FAILURES_SHOWN; i++) {
		n = 1 + (uint32_t)((2 * (uint64_t)i + 1) * total / (2 * (uint64_t)sample));
		memset(&o, 0, sizeof(o));
		failures += !survives(kind, n, world, &o);
		hits += o.hit;
	}
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	printf("%s - %s: %s at %u of %u points in %ld s, and nothing is left\n",
	       failures ? "not ok" : "ok", current->name, kinds[kind].verb, hits, total,
	       (long)(now.tv_sec - began.tv_sec));
	(void)fflush(stdout);
	return failures == 0;
}

static int index_of(const char *name, size_t n, const char *(*name_at)(size_t i))
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(name_at(i), name) == 0)
			return (int)i;
	fprintf(stderr, "crash: there is no '%s'\n", name);
	exit(2);
}

static const char *kind_at(size_t i)
{
	return kinds[i].name;
}

static const char *scenario_at(size_t i)
{
	return scenarios[i].name;
}

static struct options read_options(int argc, char **argv)
{
	struct options o = {0};
	int option;

	while ((option = getopt(argc, argv, "n:k:s:")) != -1) {
		if (option == 'n')
			o.sample = (uint32_t)strtoul(optarg, NULL, 10);
		else if (option == 'k')
			o.kinds |= 1u << index_of(optarg, ARRAY_SIZE(kinds), kind_at);
		else if (option == 's')
			o.scenarios |= UINT64_C(1) << index_of(optarg, n_scenarios, scenario_at);
		else
			exit(2);
	}
	if (argc - optind < 3) {
		fprintf(stderr, "usage: crash [-n NUMBER] [-k KIND]... [-s SCENARIO]... ROOT RUN "
				"ROOTFS [LAYOUT]\n");
		exit(2);
	}
	place.root = argv[optind];
	place.run = argv[optind + 1];
	place.rootfs = argv[optind + 2];
	place.layout = argv[optind + 3];
	if (!o.kinds)
		o.kinds = (1u << ARRAY_SIZE(kinds)) - 1;
	o.chosen = o.scenarios != 0;
	if (!o.chosen)
		o.scenarios = (UINT64_C(1) << n_scenarios) - 1;
	return o;
}

int main(int argc, char **argv)
{
	struct options o = read_options(argc, argv);
	bool all = true;

	if (make_bystander() < 0) {
		printf("not ok - a bystander runs\n");
		return 1;
	}
	for (size_t i = 0; i < n_scenarios; i++) {
		struct outcome whole = {0};
		CLEANUP(freep) char *world = NULL;

		current = &scenarios[i];
		if (!(o.scenarios & (UINT64_C(1) << i)) || (current->image && !place.layout) ||
		    (current->rare && o.sample != 0 && !o.chosen))
			continue;
		/* What comes once and stays, as a bridge, is there from the first time on. */
		all &= survives(FAULT_KILL, 0, NULL, &whole);
		world = world_at_rest();
		for (enum fault_kind kind = 0; kind < ARRAY_SIZE(kinds); kind++)
			if (o.kinds & (1u << kind))
				all &= sweep(kind, world, o.sample);
	}
	return apart(remove_bystander, false) == 0 && all ? 0 : 1;
}
