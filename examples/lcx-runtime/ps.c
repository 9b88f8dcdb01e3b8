/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "runtime.h"

/*
 * ps: the host's ps(1), which knows all the options that one may give, and of what it prints the
 * lines with the container's processes. Nothing of the container's is executed.
 */

struct ps_options {
	const char *format;
};

const struct option ps_options[] = {
	{'f', "format", OPTION_TEXT, offsetof(struct ps_options, format), "table or json"},
	{0},
};

struct members {
	int32_t *pids;
	size_t n;
};

static void members_clear(struct members *members)
{
	free(members->pids);
}

static bool is_member(const struct members *members, long pid)
{
	for (size_t i = 0; i < members->n; i++)
		if (members->pids[i] == pid)
			return true;
	return false;
}

static int collect(const struct runtime *rt, struct lcx_container *c, struct members *members)
{
	CLEANUP(lcx_cgroup_pids_freep) struct lcx_cgroup_pids *pids = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	int32_t pid;
	int r = lcx_container_pids(c, &pids, &err);

	if (r == -ESRCH)
		return report(rt, "container not running");
	if (r < 0)
		return report_error(rt, err);
	while ((pid = lcx_cgroup_pids_next(pids)) > 0) {
		int32_t *bigger = realloc(members->pids, (members->n + 1) * sizeof(*members->pids));

		if (!bigger)
			return report(rt, "out of memory");
		members->pids = bigger;
		members->pids[members->n++] = pid;
	}
	return 0;
}

/* Its output, to be read. Return: its number, or -1 with errno. */
static pid_t start_ps(char **options, int n_options, FILE **ret)
{
	const char **argv = calloc((size_t)n_options + 3, sizeof(*argv));
	int fds[2];
	pid_t pid;

	if (!argv || pipe(fds) < 0)
		return free((void *)argv), -1;
	argv[0] = "ps";
	argv[1] = "-ef";
	for (int i = 0; i < n_options; i++)
		argv[i + 1] = options[i];
	(void)fflush(stdout);
	pid = fork();
	if (pid == 0) {
		dup2(fds[1], STDOUT_FILENO);
		close(fds[0]);
		close(fds[1]);
		execvp("ps", (char **)(uintptr_t)argv);
		fprintf(stderr, "lcx-runtime: execute 'ps': %s\n", strerror(errno));
		_exit(127);
	}
	free((void *)argv);
	close(fds[1]);
	*ret = pid < 0 ? NULL : fdopen(fds[0], "re");
	if (!*ret)
		close(fds[0]);
	return pid;
}

/* Which word of a line is the one that @name heads; -1: none. */
static int find_column(const char *header, const char *name)
{
	size_t length;
	int column = 0;

	for (const char *at = header;; at += length, column++) {
		at += strspn(at, " \t\n");
		length = strcspn(at, " \t\n");
		if (length == 0)
			return -1;
		if (length == strlen(name) && strncmp(at, name, length) == 0)
			return column;
	}
}

static long number_at(const char *line, int column)
{
	for (; column > 0; column--) {
		line += strspn(line, " \t");
		line += strcspn(line, " \t\n");
	}
	return strtol(line, NULL, 10);
}

static int filter(const struct runtime *rt, FILE *from, const struct members *members)
{
	CLEANUP(freep) char *line = NULL;
	size_t size = 0;
	int column;

	if (getline(&line, &size, from) < 0)
		return report(rt, "ps printed nothing");
	column = find_column(line, "PID");
	if (column < 0)
		return report(rt, "the output of ps has no column PID: choose other options");
	fputs(line, stdout);
	while (getline(&line, &size, from) >= 0)
		if (is_member(members, number_at(line, column)))
			fputs(line, stdout);
	return 0;
}

static int print_table(const struct runtime *rt, const struct members *members, char **options,
		       int n_options)
{
	FILE *from = NULL;
	pid_t pid = start_ps(options, n_options, &from);
	int status, r;

	if (pid < 0 || !from)
		return report(rt, "execute 'ps': %s", strerror(errno));
	r = filter(rt, from, members);
	(void)fclose(from);
	if (waitpid(pid, &status, 0) < 0 || status != 0)
		return r != 0 ? r : report(rt, "ps failed");
	return r;
}

int cmd_ps(struct runtime *rt, void *values, int argc, char **argv)
{
	CLEANUP(lcx_container_freep) struct lcx_container *c = NULL;
	CLEANUP(members_clear) struct members members = {0};
	const struct ps_options *o = values;
	bool json = o->format && strcmp(o->format, "json") == 0;

	if (o->format && !json && strcmp(o->format, "table") != 0)
		return report(rt, "--format: '%s' is neither table nor json", o->format);
	if (open_container(rt, argv[0], &c) != 0 || collect(rt, c, &members) != 0)
		return 1;
	if (!json)
		return print_table(rt, &members, argv + 1, argc - 1);
	for (size_t i = 0; i < members.n; i++)
		printf("%s%d", i ? "," : "[", members.pids[i]);
	puts(members.n ? "]" : "[]");
	return 0;
}
