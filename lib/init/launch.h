/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The library's side of lcx-init: build a plan, launch it, talk to it. Every room
 * that needs a process, or just something that only a single-threaded process
 * may do (setns(), unshare()), comes here; nothing else in the library clones.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "init/plan.h"
#include "util/error.h"

struct lcx__plan;

/* A failed allocation is remembered and reported by lcx__launch(). */
int lcx__plan_new(struct lcx__plan **ret, struct lcx_error **err);
struct lcx__plan *lcx__plan_free(struct lcx__plan *plan);

/* Append an operation, zeroed but for its code and fd = -1; valid until the next append. */
struct plan_op *lcx__plan_add(struct lcx__plan *plan, enum plan_code code);

/* Put something into the blob. Return: its offset; 0 for NULL. */
uint32_t lcx__plan_string(struct lcx__plan *plan, const char *text);
uint32_t lcx__plan_format(struct lcx__plan *plan, const char *format, ...) LCX_PRINTF(2, 3);
uint32_t lcx__plan_data(struct lcx__plan *plan, const void *data, size_t length);
uint32_t lcx__plan_vector(struct lcx__plan *plan, const char *const *strings, uint32_t *ret_n);

/* Give lcx-init a descriptor, borrowed until the launch. Return: its number there; -1 for -1. */
int lcx__plan_fd(struct lcx__plan *plan, int fd);

/* The plan will not fit: there was no memory for one of its descriptors. Return: -1. */
int lcx__plan_fd_failed(struct lcx__plan *plan);

void lcx__plan_set_trace(struct lcx__plan *plan, bool trace);

/* Words for an operation: "mount proc on '/proc'"; written to @text. */
void lcx__plan_describe(const struct lcx__plan *plan, uint32_t op, char *text, size_t size);
const char *lcx__plan_stage(const struct lcx__plan *plan, uint32_t op);

/* What its failing so means, and the way out; NULL where the system's own words say it. */
const char *lcx__plan_advice(const struct lcx__plan *plan, uint32_t op, int error);
const char *lcx__clone_advice(int error, uint64_t flags); /* of clone(2) with CLONE_NEW* */

DEFINE_CLEANUP(struct lcx__plan *, lcx__plan_free)

struct lcx__launch {
	const struct lcx__plan *plan;
	uint64_t clone_flags; /* CLONE_NEW* */
	int cgroup_fd;        /* for CLONE_INTO_CGROUP, or -1 */
	int stdio[3];         /* -1: /dev/null */
};

/* A running lcx-init. */
struct lcx__child {
	pid_t pid;
	int pidfd;
	int control_fd; /* -1 once the program was executed */
	int next_fd;    /* borrowed: the process that goes on with the plan; -1: it is still the first */
	int patience_ms; /* for each word of it; -1: as long as it takes */
	const struct lcx__plan *plan;
	/* Called for each PLAN_MESSAGE_TRACE; may be NULL. */
	void (*on_trace)(void *data, uint32_t op, uint64_t ns);
	void *trace_data;
};

#define LCX__CHILD_NONE                                                                            \
	((struct lcx__child){                                                                      \
		.pid = -1, .pidfd = -1, .control_fd = -1, .next_fd = -1, .patience_ms = -1})

int lcx__launch(const struct lcx__launch *launch, struct lcx__child *ret, struct lcx_error **err);

/*
 * Wait until there is something to read on @line_fd from the lcx-init of @pidfd, or the line's end.
 * Whoever is root in a container can stop what joins it, and no program of it would have to be
 * waited for then, but lcx-init itself, for ever: -ECANCELED. Seen twice, lest somebody stops all
 * of us, and has let us go first. -ETIMEDOUT after @patience_ms, unless that is -1: what it waits
 * for in the container may be in the container's hands, too, a lease on the program (fcntl(2)),
 * a file system that a process in there serves, or a cgroup that is frozen.
 */
int lcx__wait_for_word(int line_fd, int pidfd, int patience_ms, struct lcx_error **err);

/*
 * Wait for one message other than a trace. Return: its type; 0 when the program
 * was executed or the plan came to its end; a negative errno with *@err set,
 * whether the child reported it or the line broke. @ret_fd may be NULL.
 */
int lcx__child_receive(struct lcx__child *child, int *ret_fd, struct lcx_error **err);

/*
 * A program of the administrator's, or a hook: run to its end, which is a failure with its last
 * words unless its status is 0.
 */
struct lcx__run {
	const char *name; /* for messages */
	const char *path;
	const char *const *args, *const *env;
	int input_fd;
	uint64_t timeout_ms; /* 0: none */
};

/* As one more operation of a plan; @run's descriptor is the plan's: lcx__plan_fd(). */
void lcx__plan_run(struct lcx__plan *plan, const struct lcx__run *run);
/* By itself; its descriptor is the caller's, or -1 for /dev/null. */
int lcx__run(const struct lcx__run *run, struct lcx_error **err);

/* Answer PLAN_MESSAGE_SYNC. */
int lcx__child_continue(struct lcx__child *child, struct lcx_error **err);

/* Kill it if it lives, reap it as lcx__pidfd_end() does, close all. Safe on LCX__CHILD_NONE. */
void lcx__child_abandon(struct lcx__child *child);

/* Wait for the end of a process that ends by itself, if it is a child of the caller's. */
void lcx__pidfd_reap(int pidfd);

/*
 * Kill it and reap it. Not even that ends who waits for a file system that answers nothing: the
 * caller is held up for seconds at most, and the zombie that it becomes is the host program's.
 */
void lcx__pidfd_end(int pidfd);

/* Reap an lcx-init that has ended or will at once; close everything. */
void lcx__child_reap(struct lcx__child *child);

static inline void lcx__child_abandonp(struct lcx__child *child)
{
	lcx__child_abandon(child);
}
