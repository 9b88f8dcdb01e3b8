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
/** call_errors() - how many errors it is worth failing with; 1 without a call, which fails in one
 * way */
uint32_t call_errors(const struct call *call);

/* ---- by which way (chain.c) ----------------------------------------------- */

enum { CHAINS = 8192, DEPTH = 64 };

/** struct chain - a chain of calls by which the host program came to a place, once or more often */
struct chain {
	_Atomic uint64_t hash;   /* of the return addresses; 0: none */
	const struct call *call; /* where it leads; NULL for an allocation, and for a death */
	_Atomic uint32_t times;
	uint32_t rank; /* how many came before it */
};

/** struct passed - a table by hash; shared by processes */
struct passed {
	struct chain chains[CHAINS];
	_Atomic uint32_t n;
};

/** struct way - return addresses; where @top comes all is said */
struct way {
	uint64_t top;
	uint32_t n;
	uint64_t addresses[DEPTH];
};

/** chain_here() - what has led here; @way has its top */
uint64_t chain_here(struct way *way);
/** chain_of() - what has led a traced thread, which stands still, to a call */
uint64_t chain_of(int pid, const struct call *call, struct way *way);
/** chain_tell() - print it for addr2line(1) */
void chain_tell(const struct way *way);
/** chain_pass() - somebody comes by. Threads and processes may at once. Return: the how manieth
 * time */
uint32_t chain_pass(struct passed *passed, uint64_t hash, const struct call *call);

/* ---- one run with one fault (trace.c) ------------------------------------ */

enum fault_kind {
	FAULT_KILL,   /* the host program dies at a call that changes something */
	FAULT_HELPER, /* so does one of the processes that it has started */
	FAULT_ERROR,  /* a call of the host program fails */
	FAULT_ALLOC,  /* an allocation of it fails */
};

/** FAULT_ANYWHERE - the only chain where deaths are counted: each call leaves another world to the
 * next program */
#define FAULT_ANYWHERE UINT64_C(1)

/** struct fault - at the @nth time that the host program comes by @chain */
struct fault {
	enum fault_kind kind;
	uint64_t chain;
	uint32_t nth; /* 0: none, to count the places */
	const struct call *call;
	int error;
};

/** struct outcome - how a run ended. Shared with the process that runs it. */
struct outcome {
	struct passed passed; /* up to the fault */
	bool hit;             /* there was an nth time */
	bool hung;
	int status; /* as of waitpid() */
	char where[32];
	struct way way; /* that led there */
};

/** run_with_fault() - run @work in a process of its own. Return: valid until the next run */
const struct outcome *run_with_fault(const struct fault *fault, int (*work)(void));

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
	bool networks, volumes;              /* makes or removes some */
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
/** clear_up() - open the library anew, and remove all but the bystander */
int clear_up(const struct scenario *scenario);
/** clear_all() - likewise, and see that all else can be made and removed, whatever was done */
int clear_all(const struct scenario *scenario);
int remove_bystander(const struct scenario *scenario);

#endif /* LCX_TEST_CRASH_H */
