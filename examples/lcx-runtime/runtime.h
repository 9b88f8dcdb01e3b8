/* SPDX-License-Identifier: MIT */
#pragma once

/* What the commands of lcx-runtime share. */

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include <lcx/lcx.h>

#define CLEANUP(fn) __attribute__((__cleanup__(fn)))
#define DEFINE_CLEANUP(type, free_fn)                                                              \
	static inline void free_fn##p(type *p)                                                     \
	{                                                                                          \
		if (*p)                                                                            \
			free_fn(*p);                                                               \
	}

DEFINE_CLEANUP(char *, lcx_string_free)
DEFINE_CLEANUP(struct lcx_cgroup_pids *, lcx_cgroup_pids_free)
DEFINE_CLEANUP(struct lcx_cgroup_figures *, lcx_cgroup_figures_free)
DEFINE_CLEANUP(struct lcx_cgroup_watch *, lcx_cgroup_watch_free)
DEFINE_CLEANUP(struct lcx_checkpoint *, lcx_checkpoint_free)
DEFINE_CLEANUP(struct lcx_container *, lcx_container_free)
DEFINE_CLEANUP(struct lcx_container_list *, lcx_container_list_free)
DEFINE_CLEANUP(struct lcx_error *, lcx_error_free)
DEFINE_CLEANUP(struct lcx_process *, lcx_process_free)
DEFINE_CLEANUP(struct lcx_spec *, lcx_spec_free)
DEFINE_CLEANUP(struct lcx_stdio *, lcx_stdio_free)

static inline void freep(void *p)
{
	free(*(void **)p);
}

static inline void closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/* The options that stand before the command. */
struct runtime {
	const char *root, *log, *log_format, *cgroup_manager, *rootless, *criu;
	bool debug, systemd_cgroup, version, help, usage;
	struct lcx_ctx *ctx; /* of the root, once a command asked for it */
	char *root_path;     /* and where that is */
};

/* ---- options.c: "--name VALUE", "--name=VALUE", "-n VALUE"; "--" ends them ---- */

enum option_kind { OPTION_FLAG, OPTION_TEXT, OPTION_NUMBER, OPTION_TEXTS };

struct texts {
	const char **items; /* and NULL after the last; options_free() */
	size_t n;
};

struct option {
	char letter; /* '\0': none */
	const char *name;
	enum option_kind kind;
	size_t offset;    /* of a bool, const char *, int or struct texts */
	const char *help; /* NULL: accepted, and without effect here; "": another letter */
};

/*
 * Take the options out of @argv: those before the first other word, if @in_order, or wherever they
 * stand. Return: how many words are left, at its beginning, with NULL after them; or -1 when what
 * is wrong was reported.
 */
int options_parse(struct runtime *rt, const struct option *options, bool in_order, void *values,
		  int argc, char **argv);
/* What options_parse() has put together in @values. */
void options_free(const struct option *options, void *values);
void options_print(const struct option *options);
void options_print_usage(const char *command, const struct option *options, const char *operands);

/* ---- commands ---- */

struct command {
	const char *name;
	int (*run)(struct runtime *rt, void *values, int argc, char **argv);
	const struct option *options;
	const char *operands;
	int min, max; /* how many operands; -1: any number */
	const char *help;
};

extern const struct command commands[]; /* main.c; ended by a NULL name */

/* The largest structure of values that a command has. */
enum { VALUES_SIZE = 512 };

#define OPTIONS(name) extern const struct option name##_options[];
#define COMMAND(name) int cmd_##name(struct runtime *rt, void *values, int argc, char **argv);
COMMAND(create)
COMMAND(run)
COMMAND(start)
COMMAND(state)
COMMAND(list)
COMMAND(kill)
COMMAND(delete)
COMMAND(exec)
COMMAND(pause)
COMMAND(resume)
COMMAND(update)
COMMAND(ps)
COMMAND(events)
COMMAND(features)
COMMAND(spec)
COMMAND(checkpoint)
COMMAND(restore)
OPTIONS(create)
OPTIONS(run)
OPTIONS(list)
OPTIONS(kill)
OPTIONS(delete)
OPTIONS(exec)
OPTIONS(update)
OPTIONS(ps)
OPTIONS(events)
OPTIONS(spec)
OPTIONS(checkpoint)
OPTIONS(restore)

/* ---- each.c: all containers that a regular expression fits ---- */

typedef int each_fn(struct runtime *rt, const char *id, const void *data);
/* Return: 0, or 1 if it or one of the calls failed, which was reported. */
int for_each_matching(struct runtime *rt, const char *expression, each_fn *fn, const void *data);

/* ---- report.c: errors, to standard error and to the log that an engine reads ---- */

/* Return: 1, what a command that failed exits with. */
int report(const struct runtime *rt, const char *format, ...)
	__attribute__((__format__(__printf__, 2, 3)));
int report_error(const struct runtime *rt, const struct lcx_error *err);
void report_warnings(const struct runtime *rt, const struct lcx_spec *spec);

/* ---- log.c: --log ---- */

enum level { LEVEL_ERROR, LEVEL_WARNING };

/* Before a command begins. Return: 0, or 1 when the failure was reported. */
int check_log(const struct runtime *rt);
void write_log(const struct runtime *rt, enum level level, const char *message);

/* ---- figures.c: a line about what a container uses ---- */

void print_figures(const char *id, const struct lcx_cgroup_figures *figures);

/* ---- container.c: ways to a container ---- */

/* rt->ctx. Return: 0, or 1 when the failure was reported. */
int open_root(struct runtime *rt);
int open_container(struct runtime *rt, const char *id, struct lcx_container **ret);

/* All of a file, or of standard input for "-"; the caller frees it. */
int read_document(const struct runtime *rt, const char *path, char **ret, size_t *ret_length);

/* ---- process.c: what create, run and exec have in common ---- */

struct process_options {
	const char *pid_file, *console_socket, *pidfd_socket;
	int preserve_fds;
};

/* Streams for a process that is left alone, with a terminal or not; 1 when that failed. */
int make_stdio(const struct runtime *rt, const struct process_options *o, bool terminal,
	       struct lcx_stdio **ret);
/* Tell the engine about it. */
int announce(const struct runtime *rt, const struct process_options *o, int32_t pid, int pidfd);
struct notify;
/* Serve it, and what it says at @notify, if any, until it ends. Return: its exit status, or 255. */
int serve(const struct runtime *rt, struct lcx_process *process, bool terminal,
	  struct notify *notify);

/* ---- state.c ---- */

/* The specification's word for its state. */
const char *status_of(const struct lcx_container *c);

/* ---- notify.c: NOTIFY_SOCKET, sd_notify(3) ---- */

struct notify_place {
	int lock_fd; /* open until the container is there */
	bool made;   /* by this call: it is to be removed if the container can't be created */
};

/*
 * If the caller has one: a place for a socket in the container, where its program tells that it is
 * ready. Return: 0, or 1 when the failure was reported; ret->made counts then, too.
 */
int notify_prepare(struct runtime *rt, const char *id, struct lcx_spec *spec,
		   struct notify_place *ret);

/* Who listens there: one at a time. */
struct notify {
	int fd, lock_fd;
};
#define NOTIFY_NONE                                                                                \
	{                                                                                          \
		-1, -1                                                                             \
	}

/* The socket, before the program starts. *ret stays as it is if there is no place for one. */
int notify_open(struct runtime *rt, const char *id, struct notify *ret);
/* Who writes to it from then on is told that nobody reads, and is not kept waiting. */
void notify_close(struct notify *notify);
/* What arrived there: once it says so, the caller's is told, with @main_pid, and true returned. */
bool notify_pass_on(int fd, int32_t main_pid);
/* Until then, or until the process has ended. */
void notify_wait(int fd, int pidfd, int32_t main_pid);
void notify_remove(const struct runtime *rt, const char *id);

/* ---- create.c: what create, run and restore have in common ---- */

struct create_options {
	struct process_options process;
	const char *bundle, *config;
	bool no_pivot, no_new_keyring, detach, keep, no_subreaper;
	bool notifies; /* it has a program that may say that it is ready: NOTIFY_SOCKET */
};

/* Rows for a structure of options that has struct create_options at @base. */
#define CREATE_ROWS(base)                                                                          \
	{'b', "bundle", OPTION_TEXT, (base) + offsetof(struct create_options, bundle),             \
	 "the directory with config.json; default: the current one"},                              \
		{'\0', "pid-file", OPTION_TEXT,                                                    \
		 (base) + offsetof(struct create_options, process.pid_file),                       \
		 "write the process's number there"},                                              \
		{'\0', "console-socket", OPTION_TEXT,                                              \
		 (base) + offsetof(struct create_options, process.console_socket),                 \
		 "an AF_UNIX socket that gets the terminal"},                                      \
		{'\0', "pidfd-socket", OPTION_TEXT,                                                \
		 (base) + offsetof(struct create_options, process.pidfd_socket),                   \
		 "an AF_UNIX socket that gets a pidfd of the process"},                            \
		{'\0', "preserve-fds", OPTION_NUMBER,                                              \
		 (base) + offsetof(struct create_options, process.preserve_fds),                   \
		 "how many descriptors from 3 on the process gets"},                               \
		{'\0', "no-pivot", OPTION_FLAG,                                                    \
		 (base) + offsetof(struct create_options, no_pivot),                               \
		 "move the root's mount instead of pivot_root(2)"},                                \
	{                                                                                          \
		'\0', "no-new-keyring", OPTION_FLAG,                                               \
			(base) + offsetof(struct create_options, no_new_keyring),                  \
			"stay in the caller's session keyring"                                     \
	}

/* Make a container of a bundle, not prepared yet. Return: 0, or 1 when the failure was reported. */
int load_bundle(struct runtime *rt, const char *id, struct create_options *o,
		struct lcx_container **ret);
