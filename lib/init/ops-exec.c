/* SPDX-License-Identifier: MIT */
#include "init/init.h"

#include <asm/errno.h>
#include <linux/fcntl.h>
#include <linux/stat.h>

#ifndef S_IFMT
#define S_IFMT 00170000
#endif

/* The end of a plan: what stays open, the wait for a start, and the program. */

/* ---- descriptors -------------------------------------------------------- */

/* Out of the way of those that must get their numbers. */
static int move_lines(int *const lines[], int n, int lowest)
{
	for (int i = 0; i < n; i++) {
		if (*lines[i] < 0)
			continue;
		*lines[i] = (int)sys_call3(__NR_fcntl, *lines[i], F_DUPFD_CLOEXEC, lowest);
		if (*lines[i] < 0)
			return *lines[i];
	}
	return 0;
}

/* Upwards: each goes below its own number, so that none takes the place of a later one. */
static int place_preserved(int first, int n)
{
	for (int i = 0; i < n; i++) {
		int r = (int)sys_call3(__NR_dup3, first + i, PLAN_FD_CONTROL + i, 0);

		if (r < 0)
			return r;
	}
	return 0;
}

/*
 * Only the lines to the outside, which are sockets and pipes, and the state for hooks, a file in
 * memory, may be open from here on: by any other descriptor a working directory or a program such
 * as "/proc/self/fd/5/../../bin/sh" would reach the host's files before the exec closes it
 * (CVE-2024-21626). What the caller hands to the program on purpose is the exception.
 *
 * num 0: how many descriptors these are, and num 1: the first of them here; num 2 and 3: the two
 * sides of the gate, or -1; fd: the state, or -1.
 */
int init_op_CLOSE(struct init *init, const struct plan_op *op)
{
	int *const lines[] = {&init->control_fd, &init->monitor_fd, &init->state_fd, &init->gate_fd,
			      &init->failure_fd};
	enum { N_LINES = sizeof(lines) / sizeof(*lines) };
	int n = (int)op->num[0], first = (int)op->num[1], next = PLAN_FD_CONTROL + n, r = 0;

	init->root_fd = init->null_fd = init->empty_fd = -1;
	init->n_places = 0;
	init->state_fd = op->fd;
	init->gate_fd = (int)op->num[2];
	init->failure_fd = (int)op->num[3];
	if (n > 0)
		r = move_lines(lines, N_LINES, first + n + N_LINES);
	if (r == 0)
		r = place_preserved(first, n);
	/* Side by side: one range is left to close. The plan's own place is free, it is mapped. */
	for (int i = 0; r >= 0 && i < N_LINES; i++) {
		if (*lines[i] < 0)
			continue;
		if (*lines[i] != next)
			r = *lines[i] = (int)sys_call3(__NR_dup3, *lines[i], next, O_CLOEXEC);
		next++;
	}
	return r < 0 || lcx__is_off(DESCRIPTORS) ? r : sys_close_range((unsigned int)next, ~0u, 0);
}

/* ---- the gate ----------------------------------------------------------- */

int init_op_WAIT(struct init *init, const struct plan_op *op)
{
	struct plan_message message = {.type = PLAN_MESSAGE_WAITING};
	char go;
	int r = init_send(init, &message, -1);

	(void)op;
	if (r < 0)
		return r;
	/* For the one who made us this is the end of the conversation. */
	sys_call1(__NR_close, init->control_fd);
	init->control_fd = -1;
	do
		r = (int)sys_call3(__NR_read, init->gate_fd, &go, 1);
	while (r == -EINTR);
	return r < 0 ? r : 0;
}

/* ---- the program -------------------------------------------------------- */

static const char *find_variable(char **env, uint32_t n, const char *name)
{
	size_t length = strlen(name);

	for (uint32_t i = 0; i < n; i++)
		if (memcmp(env[i], name, length) == 0)
			return env[i] + length;
	return NULL;
}

typedef int try_fn(const char *path, char **argv, char **env);

static int execute(const char *path, char **argv, char **env)
{
	return (int)sys_call3(__NR_execve, path, argv, env);
}

static int look(const char *path, char **argv, char **env)
{
	struct statx st = {0};
	int r = (int)sys_call3(__NR_faccessat, AT_FDCWD, path, 1 /* X_OK */);

	(void)argv;
	(void)env;
	if (r == 0)
		r = (int)sys_call5(__NR_statx, AT_FDCWD, path, 0, STATX_TYPE, &st);
	return r == 0 && (st.stx_mode & S_IFMT) == S_IFDIR ? -EACCES : r;
}

/* As execvp(3): a program that is there but not executable is remembered over one that is not
 * there. */
static int try_in_path(const char *path, char **argv, char **env, try_fn *try)
{
	char file[4096];
	int worst = -ENOENT;

	for (;;) {
		size_t n = 0, room = strlen(argv[0]) + 2;
		int r;

		while (path[n] && path[n] != ':')
			n++;
		if (n + room <= sizeof(file)) {
			memcpy(file, path, n);
			memcpy(file + n, n ? "/" : "./", n ? 2 : 3);
			(void)text_append(file, sizeof(file), argv[0]);
			r = try(file, argv, env);
			if (r != -ENOENT && r != -ENOTDIR && r != -EACCES)
				return r;
			if (r == -EACCES)
				worst = r;
		}
		if (path[n] == '\0')
			return worst;
		path += n + 1;
	}
}

static int try_program(char **argv, char **env, const char *path, try_fn *try)
{
	if (strchr(argv[0], '/'))
		return try(argv[0], argv, env);
	return try_in_path(path ? path
				: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
			   argv, env, try);
}

/* str: the program's name, and where it is looked for, if its environment says. */
int init_op_FIND(struct init *init, const struct plan_op *op)
{
	char *argv[] = {init->base + op->str[0], NULL};

	return try_program(argv, NULL, init_str(init, op, 1), look);
}

/* str: display name, argv (length members), environment (num 0 members). */
int init_op_EXEC(struct init *init, const struct plan_op *op)
{
	char **argv = init_vector(init, op->str[1], op->length);
	char **env = init_vector(init, op->str[2], (uint32_t)op->num[0]);

	init_reset_signals();
	return try_program(argv, env, find_variable(env, (uint32_t)op->num[0], "PATH="), execute);
}
