/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * lcx-init: the tiny static program that becomes the container's process. It is
 * freestanding: no C library, no allocation, no global state. Everything it
 * knows is the plan; everything it does is a system call.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "init/plan.h"
#include "util/sys.h"

/* A proc or sysfs of the container's that lcx-init has mounted; mount.h. */
struct init_place {
	const char *path;
	int fd; /* the root of it */
};

enum { INIT_MAX_PLACES = 64 };

struct init {
	char *base;               /* the plan, mapped */
	const struct plan_op *op; /* the one in progress */
	int control_fd;           /* to the library; -1 once the program is on its own */
	int monitor_fd;           /* to the monitor; -1 without one */
	int gate_fd, failure_fd;  /* the gate of gate.h; -1 without one */
	int root_fd;              /* the container's root directory, before PIVOT */
	int tree_fd;              /* what BUILT leaves the finished tree in */
	int staging_fd;           /* where a root that is handed over is mounted, till then */
	int null_fd;              /* what masks the first file, the host's /dev/null */
	int empty_fd;             /* what masks the first directory, an empty tmpfs */
	int state_fd;             /* what a hook reads that runs after CLOSE; -1: none does */
	int umask;                /* as it was before ours */
	int landlock_fd;          /* the rule set that is being made */
	struct init_place places[INIT_MAX_PLACES];
	size_t n_places;
	char detail[200];         /* the kernel's own words about the failure, or "" */
};

/* What sendmsg(2) and recvmsg(2) take, in the kernel's layout: C libraries have their own spelling.
 */
struct init_message {
	void *name;
	int name_length;
	struct iovec *iov;
	size_t iov_length;
	void *control;
	size_t control_length;
	unsigned int flags;
};

/* Operations return 0 or a negative errno. */
typedef int init_op_fn(struct init *init, const struct plan_op *op);
#define X(name, stage, text) init_op_fn init_op_##name;
PLAN_OPS(X)
#undef X

static inline const char *init_str(const struct init *init, const struct plan_op *op, int index)
{
	return op->str[index] ? init->base + op->str[index] : NULL;
}

/* A vector is an array of offsets, ended by 0, that is turned into pointers in place. */
char **init_vector(struct init *init, uint32_t offset, uint32_t n);

int init_send(struct init *init, const struct plan_message *message, int fd);
int init_send_to(int socket_fd, const struct plan_message *message, int fd);

/* Return: 1 with a message and, or else -1, a descriptor; 0 at the end of the line; a negative
 * errno. */
int init_receive_from(int socket_fd, struct plan_message *message, int *fd);

/* ops-landlock.c: to be called by who ends after it. What was not permitted may have been
 * forbidden by Landlock, which says so nowhere. */
void init_explain_domain(struct init *init);

/* Report the failure of the operation in progress and end. */
_Noreturn void init_fail(struct init *init, int error);

/* Clone like fork(); @pidfd may be NULL. Return: 0 in the child, its number in the parent. */
int init_fork(uint64_t flags, int exit_signal, int cgroup_fd, int *pidfd);

/* All signals to their default, none blocked: what a program expects to start with. */
void init_reset_signals(void);

/* The monitor's whole life; see monitor.c. */
_Noreturn void init_monitor(struct init *init, const struct plan_monitor *params,
			    const char *log_context, int pid, int pidfd, int child_fd);

/* proc.c: write to a file whose path begins with "/proc/", of the host's. */
int init_write_proc(const char *path, const char *text);

/* Append a line to the stream of events; event.c. @text is shorter than PLAN_EVENT_SIZE + 32. */
void init_event(int dir_fd, const char *text);

/* text.c: what a C library would provide. */
void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
char *strchr(const char *s, int c);

/* Append to a bounded string; false if it did not fit. */
bool text_append(char *to, size_t size, const char *from);
bool text_append_number(char *to, size_t size, uint64_t number);
