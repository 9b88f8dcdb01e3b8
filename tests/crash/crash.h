/* SPDX-License-Identifier: MIT */
#ifndef LCX_TEST_CRASH_H
#define LCX_TEST_CRASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- what a call does (calls.c) ----------------------------------------- */

enum { CALL_ERRORS = 5 };

/** struct call - a system call by which something is made, changed or removed, or that can fail */
struct call {
	const char *name;
	long number;
	bool changes;            /* see call_changes() */
	int errors[CALL_ERRORS]; /* worth failing with; ends with 0 */
};

/** call_find() - NULL for a call that is of no interest; @args: its arguments */
const struct call *call_find(long number, const uint64_t args[6]);
/** call_changes() - whether it makes, changes or removes something: most opens only look */
bool call_changes(const struct call *call, const uint64_t args[6]);

/* ---- one run with one fault (trace.c) ------------------------------------ */

enum fault_kind {
	FAULT_KILL,   /* the host program dies at its n-th call that changes something */
	FAULT_HELPER, /* so does one of the processes that it has started */
	FAULT_ERROR,  /* a call of the host program fails: n counts calls and their errors */
	FAULT_ALLOC,  /* its n-th allocation fails */
};

/** struct outcome - how a run ended. Shared with the process that runs it. */
struct outcome {
	uint32_t points; /* places for a fault that were passed, up to the fault */
	bool hit;        /* there was an n-th */
	bool hung;
	int status; /* as of waitpid() */
	int error;
	char where[32];
};

/**
 * run_with_fault() - run @work in a process of its own, with a fault at its @n-th place
 * @n: 0: without any, to count the places
 */
void run_with_fault(enum fault_kind kind, uint32_t n, int (*work)(void), struct outcome *ret);

/* ---- what there is (left.c) ---------------------------------------------- */

/** world_take() - all that containers can leave, one thing a line, sorted; to be freed */
char *world_take(void);
/** world_compare() - print what is new (+) and what is gone (-); true if nothing is */
bool world_compare(const char *before, const char *after, bool tell);

/* ---- what is done (scenarios.c) ------------------------------------------ */

struct lcx_container;

struct scenario {
	const char *name;
	int (*before)(void);                 /* makes what it needs; may be NULL */
	int (*run)(void);                    /* what is done; or */
	int (*act)(struct lcx_container *c); /* what is done to the container "target" */
	bool keeps;                          /* that one must run afterwards as it did */
	bool image;                          /* needs the layout */
	bool rare;                           /* only when it goes to every place, or is chosen */
};

extern const struct scenario scenarios[];
extern const size_t n_scenarios;

int scenario_run(const struct scenario *scenario);

struct place {
	const char *root, *run, *rootfs, *layout;
	char tag[64]; /* what the names of its control groups begin with */
};
extern struct place place;

/** make_bystander() - a running container that nothing may touch, and the network and image */
int make_bystander(void);
/** clear_up() - open the library anew, and remove all but the bystander. @keeps: see above */
int clear_up(bool keeps);
int remove_bystander(bool keeps);

#endif /* LCX_TEST_CRASH_H */
