/* SPDX-License-Identifier: MIT */
/*
 * usage: crash [-a] [-n NUMBER] [-k KIND]... [-s SCENARIO]... [-e CALL] [-c DIR] ROOT RUN ROOTFS
 * [LAYOUT]
 *
 * Has each scenario die, or fail, at every place where that makes a difference, or
 * with -n at that many of them, evenly spread; opens the library anew after each; and sees
 * that nothing is left and nobody else was hit. Prints TAP.
 *
 * A place to die is each call that changes something. A place to fail is a chain of calls of
 * functions, known by its return addresses, with an error: a point that is passed again by the same
 * chain, as in a loop, runs through the same lines. Each is tried the first time that the program
 * comes by, with every error of the call, and the last time with one; with -a each time with every
 * error. The summary tells the points that were passed, the distinct chains (with their errors),
 * how many faults were tried, and how many of these came about: now and then a program takes
 * another way than when it was counted.
 *
 * With -c several such programs, each in namespaces of its own, share the work: who makes a
 * scenario's file in DIR first has it.
 */
#include <errno.h>
#include <fcntl.h>
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
#include "util/str.h"

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
	bool each;   /* place, and not only the first and last by each chain of calls */
	const char *claims;
	const char *call; /* only that one fails */
};

static const struct scenario *current;

/* In a process of its own, as a program that was started anew. */
static int apart(int (*work)(const struct scenario *scenario))
{
	int status;
	pid_t pid;

	(void)fflush(stdout);
	pid = fork();
	if (pid == 0) {
		(void)alarm(60);
		status = work(current) < 0;
		(void)fflush(stdout);
		_exit(status);
	}
	if (waitpid(pid, &status, 0) != pid)
		abort();
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

static int prepare(const struct scenario *scenario)
{
	return scenario->before ? scenario->before() : 0;
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

/* What waits in the place of who removed an interface ends by itself, and does not come back. */
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

static void tell(const struct fault *fault, const struct outcome *o, const char *what)
{
	printf("#   ^ %s, %s, time %u (%s%s%s): %s\n", current->name, kinds[fault->kind].verb,
	       fault->nth, o ? o->where : "", fault->error ? " " : "",
	       fault->error ? strerrorname_np(fault->error) : "", what);
	if (o && o->hit)
		chain_tell(&o->way);
	(void)fflush(stdout);
}

/* One fault. @after: clears up. Return: how it went if all held, else NULL */
static const struct outcome *survives(const struct fault *fault, const char *world,
				      int (*after)(const struct scenario *scenario))
{
	const struct outcome *o = NULL;
	const char *trouble = NULL;

	if (apart(prepare) < 0) {
		tell(fault, NULL, "what it needs could not be made");
		return NULL;
	}
	o = run_with_fault(fault, run);
	if (o->hung)
		trouble = "it hung";
	else if (WIFSIGNALED(o->status) && !(fault->kind == FAULT_KILL && o->hit))
		trouble = strsignal(WTERMSIG(o->status));
	else if (fault->nth == 0 && (!WIFEXITED(o->status) || WEXITSTATUS(o->status) != 0))
		trouble = "it failed without any fault";
	if (apart(after) < 0 && !trouble)
		trouble = "could not be cleared up";
	if (world && !settles(world) && !trouble)
		trouble = "something is left";
	if (trouble)
		tell(fault, o, trouble);
	return trouble ? NULL : o;
}

/* ---- which places --------------------------------------------------------- */

struct plan {
	struct fault *faults;
	uint32_t n, points, chains;
};

static int by_rank(const void *a, const void *b)
{
	const struct chain *x = a, *y = b;

	return x->rank < y->rank ? -1 : x->rank > y->rank;
}

static void add_fault(struct plan *plan, enum fault_kind kind, const struct chain *chain,
		      uint32_t nth, uint32_t error)
{
	struct fault fault = {.kind = kind, .chain = chain->hash, .nth = nth, .call = chain->call};

	if (chain->call)
		fault.error = chain->call->errors[error];
	plan->faults = realloc(plan->faults, (plan->n + 1) * sizeof(fault));
	plan->faults[plan->n++] = fault;
}

/*
 * Of each chain of calls every error the first time; one of them the last time, another one with
 * another chain; or every error each time.
 */
static void plan_chain(struct plan *plan, enum fault_kind kind, const struct chain *chain,
		       bool each)
{
	uint32_t errors = call_errors(chain->call), times = chain->times;

	plan->points += errors * times;
	plan->chains += errors;
	for (uint32_t nth = 1; nth <= times; nth++)
		for (uint32_t error = 0; error < errors; error++)
			if (each || nth == 1 || (nth == times && error == chain->rank % errors))
				add_fault(plan, kind, chain, nth, error);
}

static struct plan make_plan(enum fault_kind kind, const struct outcome *o,
			     const struct options *options)
{
	struct chain chains[CHAINS];
	struct plan plan = {0};

	memcpy(chains, o->passed.chains, sizeof(chains));
	qsort(chains, CHAINS, sizeof(chains[0]), by_rank);
	for (uint32_t i = 0; i < CHAINS; i++)
		if (chains[i].hash != 0 && (!options->call || !chains[i].call ||
					    strcmp(options->call, chains[i].call->name) == 0))
			plan_chain(&plan, kind, &chains[i],
				   options->each || chains[i].hash == FAULT_ANYWHERE);
	return plan;
}

static bool sweep(enum fault_kind kind, const char *world, const struct options *options)
{
	const struct fault none = {.kind = kind};
	const struct outcome *o;
	uint32_t failures = 0, hits = 0, sample = options->sample;
	struct timespec began, now;
	struct plan plan = {0};

	(void)clock_gettime(CLOCK_MONOTONIC, &began);
	o = survives(&none, world, clear_all);
	if (o)
		plan = make_plan(kind, o, options);
	failures += !o;
	if (sample == 0 || sample > plan.n)
		sample = plan.n;
	for (uint32_t i = 0; i < sample && failures < FAILURES_SHOWN; i++) {
		uint64_t at = (2 * (uint64_t)i + 1) * plan.n / (2 * (uint64_t)sample);

		o = survives(&plan.faults[at], world, i + 1 < sample ? clear_up : clear_all);
		failures += !o;
		hits += o && o->hit;
	}
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	printf("%s - %s: %s: %u points, ", failures ? "not ok" : "ok", current->name,
	       kinds[kind].verb, plan.points);
	if (kind == FAULT_ERROR || kind == FAULT_ALLOC)
		printf("%u distinct call chains, ", plan.chains);
	printf("%u of %u tried, %u came about, in %ld s, and nothing is left\n", sample, plan.n,
	       hits, (long)(now.tv_sec - began.tv_sec));
	(void)fflush(stdout);
	free(plan.faults);
	return failures == 0;
}

/* ---- what is asked for ---------------------------------------------------- */

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

	while ((option = getopt(argc, argv, "an:k:s:c:e:")) != -1) {
		if (option == 'n')
			o.sample = (uint32_t)strtoul(optarg, NULL, 10);
		else if (option == 'a')
			o.each = true;
		else if (option == 'e')
			o.call = optarg;
		else if (option == 'c')
			o.claims = optarg;
		else if (option == 'k')
			o.kinds |= 1u << index_of(optarg, ARRAY_SIZE(kinds), kind_at);
		else if (option == 's')
			o.scenarios |= UINT64_C(1) << index_of(optarg, n_scenarios, scenario_at);
		else
			exit(2);
	}
	if (argc - optind < 3) {
		fprintf(stderr, "usage: crash [-a] [-n NUMBER] [-k KIND]... [-s SCENARIO]... [-e "
				"CALL] [-c DIR] "
				"ROOT RUN ROOTFS [LAYOUT]\n");
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

/* Of several programs that share the work each scenario's kind of fault is one's. */
static bool claim(const struct options *options, enum fault_kind kind)
{
	CLEANUP(freep) char *path = NULL;
	CLEANUP(closep) int fd = -1;

	if (!options->claims)
		return true;
	path = lcx__format("%s/%s of %s", options->claims, kinds[kind].name, current->name);
	fd = path ? open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;
	return fd >= 0;
}

static bool is_asked_for(const struct options *options, size_t i)
{
	return (options->scenarios & (UINT64_C(1) << i)) && (!scenarios[i].image || place.layout) &&
	       (!scenarios[i].rare || options->sample == 0 || options->chosen);
}

static bool sweep_scenario(const struct options *options)
{
	const struct fault none = {.kind = FAULT_KILL};
	CLEANUP(freep) char *world = NULL;
	bool all = true;

	for (enum fault_kind kind = 0; kind < ARRAY_SIZE(kinds); kind++) {
		if (!(options->kinds & (1u << kind)) || !claim(options, kind))
			continue;
		/* What comes once and stays, as a bridge, is there from the first time on. */
		if (!world) {
			all &= survives(&none, NULL, clear_all) != NULL;
			world = world_at_rest();
		}
		all &= sweep(kind, world, options);
	}
	return all;
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
		current = &scenarios[i];
		if (is_asked_for(&o, i))
			all &= sweep_scenario(&o);
	}
	return apart(remove_bystander) == 0 && all ? 0 : 1;
}
