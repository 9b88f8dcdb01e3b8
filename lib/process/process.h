/* SPDX-License-Identifier: MIT */
#pragma once

#include "init/launch.h"
#include "lcx/process.h"
#include "process/compile.h"
#include "process/stdio.h"
#include "util/error.h"

DEFINE_CLEANUP(struct lcx_process *, lcx_process_free)

struct lcx__log_writer;
struct lcx_ctx;

/*
 * What the caller does while the process is being made. Each may be NULL; a
 * negative result, with *err set, ends the process and is handed on.
 */
struct lcx__spawn_hooks {
	void *data;
	/* The process exists, with all its namespaces; so far it has executed nothing. */
	int (*on_child)(void *data, pid_t pid, int pidfd, struct lcx_error **err);
	/* Its user namespace waits for its id maps. */
	int (*on_maps)(void *data, pid_t pid, int pidfd, struct lcx_error **err);
	/* A netlink socket inside; meanwhile the process makes its file system. */
	int (*on_netlink)(void *data, int netlink_fd, struct lcx_error **err);
	/* It waits for the word to go on to the end. */
	int (*on_ready)(void *data, struct lcx_error **err);
	/* The filter stops system calls until somebody answers by @listener_fd, which is borrowed.
	 */
	int (*on_listener)(void *data, pid_t pid, int listener_fd, struct lcx_error **err);
	/* An operation of the plan took @ns; only if the compilation asked for a trace. */
	void (*on_trace)(void *data, const char *what, uint64_t ns);
};

/* A program that makes the container's process, as a child of who has started it, and ends. */
struct lcx__restoration {
	void *data;
	/* Append its execution. @streams: the standard streams of the process; -1: none. */
	int (*add_program)(void *data, struct lcx__plan *plan, const int streams[3],
			   struct lcx_error **err);
	/* It was executed, and is @pidfd. What it made, with its terminal's other side. */
	int (*talk)(void *data, int pidfd, pid_t *ret_pid, int *ret_terminal_fd,
		    struct lcx_error **err);
};

struct lcx__spawn {
	const struct lcx__compile *compile;
	const struct lcx_stdio *stdio; /* not of a detached one */
	bool open_input;               /* of a detached one: its standard input is a pipe */
	struct lcx__log_writer
		*log; /* borrowed until the process is freed; NULL: nothing is logged */
	const struct lcx__spawn_hooks *hooks;
	const struct lcx__restoration *restoration; /* NULL: a new process */
	struct lcx_ctx *ctx; /* whose ids the program may have: ns/users.h; NULL: this process's */
	bool patient; /* of an exec: it may take as long as it takes */
};

/* How long lcx-init may take for a step in which nothing has to be waited for. */
enum { LCX__LAUNCH_PATIENCE_MS = 20000 };

/* Make the process and return once its program was executed; -ETIMEDOUT if that is held up. */
int lcx__spawn(const struct lcx__spawn *spawn, struct lcx_process **ret, struct lcx_error **err);

/*
 * The same without waiting. @spawn's streams, log and the hooks' data are borrowed until it was
 * executed, all else up to the return only.
 */
struct lcx__spawning;
int lcx__spawn_begin(const struct lcx__spawn *spawn, struct lcx__spawning **ret,
		     struct lcx_error **err);
/* A descriptor that is readable when there is something to do. */
int lcx__spawning_fd(const struct lcx__spawning *spawning);
/* Never blocks. Return: 0 with the process; 1: not yet; a negative errno with *@err. */
int lcx__spawn_go_on(struct lcx__spawning *spawning, struct lcx_process **ret,
		     struct lcx_error **err);
/* Have it fail soon. */
void lcx__spawning_kill(struct lcx__spawning *spawning);
/* End what was not executed yet; after that, only free. NULL is accepted, NULL is returned. */
struct lcx__spawning *lcx__spawning_free(struct lcx__spawning *spawning);

/* The same with a monitor that owns the process. @monitor's fds are the caller's. */
int lcx__spawn_detached(const struct lcx__spawn *spawn, struct plan_monitor *monitor,
			pid_t *ret_monitor, struct lcx_error **err);

/* Kill, reap and free what nobody will wait for; NULL is accepted, NULL is returned. */
struct lcx_process *lcx__process_abandon(struct lcx_process *process);

/*
 * How a process ended, by its pidfd, without waiting. Return: 1 with the status (perhaps
 * LCX_EXIT_UNKNOWN), or 0 while it runs.
 */
int lcx__process_poll_exit(int pidfd, int32_t *ret_status);
