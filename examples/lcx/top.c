/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "app.h"
#include "memory.h"
#include "options.h"
#include "table.h"
#include "text.h"

static const struct option_row rows[] = {{0}};

static const struct grammar grammar = {
	.operands = "CONTAINER",
	.about = "List the processes of a running container, by their numbers on the host.",
	.rows = rows,
	.min = 1,
	.max = 1,
	.takes_template = true,
};

static const struct table_column columns[] = {
	{"UID", "UID"}, {"PID", "PID"},   {"PPID", "PPID"},
	{"S", "State"}, {"TIME", "TIME"}, {"CMD", "CMD"},
};

static ssize_t read_file(int32_t pid, const char *name, char *to, size_t size)
{
	char path[64];
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%" PRId32 "/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = read(fd, to, size - 1);
	(void)close(fd);
	to[n < 0 ? 0 : n] = '\0';
	return n;
}

/* Arguments are separated by NUL; a process without any is shown by its name in brackets. */
static void command_of(int32_t pid, const char *name, char *to, size_t size)
{
	ssize_t n = read_file(pid, "cmdline", to, size);

	for (ssize_t i = 0; i < n; i++)
		if (to[i] == '\0')
			to[i] = i + 1 < n ? ' ' : '\0';
	if (n <= 0)
		(void)snprintf(to, size, "[%s]", name);
}

/* proc_pid_stat(5): the name may hold anything, hence from its last parenthesis on. */
static bool add_row(struct table *table, int32_t pid)
{
	char stat[1024], command[512], text[TEXT_SIZE], path[64];
	unsigned long user, system;
	struct stat st;
	char *name, *end, state;
	long seconds;
	int ppid;

	(void)snprintf(path, sizeof(path), "/proc/%" PRId32, pid);
	if (lstat(path, &st) < 0 || read_file(pid, "stat", stat, sizeof(stat)) <= 0)
		return false; /* it has ended */
	name = strchr(stat, '(');
	end = strrchr(stat, ')');
	if (!name || !end ||
	    sscanf(end + 1, " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &state, &ppid,
		   &user, &system) != 4)
		return false;
	*end = '\0';
	command_of(pid, name + 1, command, sizeof(command));
	seconds = (long)(user + system) / sysconf(_SC_CLK_TCK);
	(void)snprintf(text, sizeof(text), "%u", st.st_uid);
	table_add_number(table, text, st.st_uid);
	(void)snprintf(text, sizeof(text), "%" PRId32, pid);
	table_add_number(table, text, pid);
	(void)snprintf(text, sizeof(text), "%d", ppid);
	table_add_number(table, text, ppid);
	table_add(table, (char[]){state, '\0'});
	(void)snprintf(text, sizeof(text), "%02ld:%02ld:%02ld", seconds / 3600, seconds / 60 % 60,
		       seconds % 60);
	table_add(table, text);
	table_add(table, command);
	return true;
}

int cmd_top(struct app *app, int argc, char **argv)
{
	CLEANUP(lcx_container_freep) struct lcx_container *c = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	CLEANUP(table_freep) struct table *table = NULL;
	struct lcx_cgroup_pids *pids = NULL;
	char values[1] = {0}; /* there are no options */
	enum options_result result = options_parse(app, &grammar, values, &argc, argv);
	int32_t pid;
	int r;

	if (result != OPTIONS_OK)
		return options_exit(result);
	if (!app_open(app))
		return EXIT_COMMAND_FAILED;
	r = lcx_container_open(app->ctx, argv[0], &c, &err);
	if (r == 0)
		r = lcx_container_pids(c, &pids, &err);
	if (r < 0) {
		app_report(app, &err);
		return EXIT_COMMAND_FAILED;
	}
	table = table_new(columns, sizeof(columns) / sizeof(*columns));
	while ((pid = lcx_cgroup_pids_next(pids)))
		(void)add_row(table, pid);
	lcx_cgroup_pids_free(pids);
	return table_print(table, app);
}
