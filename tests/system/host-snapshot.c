/* SPDX-License-Identifier: MIT */
#include "host-snapshot.h"

#include <dirent.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

extern char **environ;

/* The kernel's own structure: libc's hides the two signals that it uses itself. */
struct kernel_sigaction {
	uintptr_t handler;
	unsigned long flags;
	uintptr_t restorer;
	uint64_t mask;
};

static const char *const status_keys[] = {
	"Umask:",
	"TracerPid:",
	"Uid:",
	"Gid:",
	"Groups:",
	"Threads:",
	"SigBlk:",
	"SigIgn:",
	"SigCgt:",
	"CapInh:",
	"CapPrm:",
	"CapEff:",
	"CapBnd:",
	"CapAmb:",
	"Seccomp",
	"NoNewPrivs:",
	"Cpus_allowed_list:",
};

static const char *const files[] = {
	"/proc/self/mountinfo",     "/proc/self/limits",      "/proc/self/cgroup",
	"/proc/self/oom_score_adj", "/proc/self/personality", "/proc/self/coredump_filter",
	"/proc/self/timerslack_ns", "/proc/self/comm",        "/proc/self/uid_map",
	"/proc/self/attr/current",  "/proc/self/attr/exec",   "/proc/self/loginuid",
};

static const char *const links[] = {
	"/proc/self/cwd",       "/proc/self/root",    "/proc/self/exe",
	"/proc/self/ns/cgroup", "/proc/self/ns/ipc",  "/proc/self/ns/mnt",
	"/proc/self/ns/net",    "/proc/self/ns/pid",  "/proc/self/ns/pid_for_children",
	"/proc/self/ns/time",   "/proc/self/ns/user", "/proc/self/ns/time_for_children",
	"/proc/self/ns/uts",
};

static const struct {
	const char *name;
	int option;
} prctls[] = {
	{"dumpable", PR_GET_DUMPABLE},         {"keepcaps", PR_GET_KEEPCAPS},
	{"securebits", PR_GET_SECUREBITS},     {"timerslack", PR_GET_TIMERSLACK},
	{"no_new_privs", PR_GET_NO_NEW_PRIVS}, {"thp_disable", PR_GET_THP_DISABLE},
	{"seccomp", PR_GET_SECCOMP},
};

static void put_lines(FILE *out, const char *path, const char *const *keys, size_t n_keys)
{
	FILE *in = fopen(path, "re");
	char line[8192];

	while (in && fgets(line, sizeof(line), in)) {
		bool wanted = n_keys == 0;

		for (size_t i = 0; i < n_keys && !wanted; i++)
			wanted = strncmp(line, keys[i], strlen(keys[i])) == 0;
		if (wanted)
			fprintf(out, "%s: %.*s\n", path, (int)strcspn(line, "\n"), line);
	}
	if (in)
		fclose(in);
}

static void put_link(FILE *out, const char *path)
{
	char target[4096];
	ssize_t length = readlink(path, target, sizeof(target) - 1);

	fprintf(out, "%s: %.*s\n", path, length < 0 ? 0 : (int)length, target);
}

static void put_signals(FILE *out)
{
	for (int number = 1; number <= 64; number++) {
		struct kernel_sigaction action = {0};

		if (syscall(SYS_rt_sigaction, number, NULL, &action, sizeof(action.mask)) == 0)
			fprintf(out, "signal %d: handler %#lx flags %#lx mask %#llx\n", number,
				(unsigned long)action.handler, action.flags,
				(unsigned long long)action.mask);
	}
}

static void put_prctls(FILE *out)
{
	int subreaper = -1, death_signal = -1;

	for (size_t i = 0; i < sizeof(prctls) / sizeof(*prctls); i++)
		fprintf(out, "prctl %s: %d\n", prctls[i].name, prctl(prctls[i].option, 0, 0, 0, 0));
	prctl(PR_GET_CHILD_SUBREAPER, &subreaper);
	prctl(PR_GET_PDEATHSIG, &death_signal);
	fprintf(out, "prctl subreaper: %d\nprctl pdeathsig: %d\n", subreaper, death_signal);
}

static void put_timers(FILE *out)
{
	static const int kinds[] = {ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct itimerval timer = {0};

		getitimer(kinds[i], &timer);
		fprintf(out, "timer %d: %s\n", kinds[i],
			timer.it_value.tv_sec || timer.it_value.tv_usec ? "runs" : "off");
	}
}

static void put_process(FILE *out)
{
	stack_t stack = {0};

	sigaltstack(NULL, &stack);
	fprintf(out, "alternate stack: %p %#x\n", stack.ss_sp, (unsigned)stack.ss_flags);
	fprintf(out, "locale: %s\n", setlocale(LC_ALL, NULL));
	fprintf(out, "priority: %d\n", getpriority(PRIO_PROCESS, 0));
	fprintf(out, "group: %d session: %d\n", (int)getpgrp(), (int)getsid(0));
	for (char **variable = environ; *variable; variable++)
		fprintf(out, "environment: %s\n", *variable);
}

/* Every thread has a mask and a name of its own; two in one process show that no other is touched.
 */
static void put_threads(FILE *out)
{
	static const char *const keys[] = {"Name:", "Pid:", "SigBlk:", "CapEff:", "NoNewPrivs:"};
	DIR *tasks = opendir("/proc/self/task");
	struct dirent *entry;

	while (tasks && (entry = readdir(tasks))) {
		char path[64];

		snprintf(path, sizeof(path), "/proc/self/task/%.20s/status", entry->d_name);
		if (entry->d_name[0] != '.')
			put_lines(out, path, keys, sizeof(keys) / sizeof(*keys));
	}
	if (tasks)
		closedir(tasks);
}

static void put_children(FILE *out)
{
	DIR *tasks = opendir("/proc/self/task");
	struct dirent *entry;

	while (tasks && (entry = readdir(tasks))) {
		char path[64];

		snprintf(path, sizeof(path), "/proc/self/task/%.20s/children", entry->d_name);
		if (entry->d_name[0] != '.')
			put_lines(out, path, NULL, 0);
	}
	if (tasks)
		closedir(tasks);
}

/* By number, not by directory: so that the directory's own descriptor is not among them. */
static void put_descriptors(FILE *out)
{
	for (int fd = 0; fd < 1024; fd++) {
		int flags = fcntl(fd, F_GETFD), status = fcntl(fd, F_GETFL);
		char path[32], target[512] = "";

		if (flags < 0)
			continue;
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		if (readlink(path, target, sizeof(target) - 1) < 0)
			continue;
		fprintf(out, "fd %d: %s %s %#o\n", fd,
			flags & FD_CLOEXEC ? "cloexec" : "INHERITABLE", target, (unsigned)status);
	}
}

void snapshot_take(struct snapshot *snapshot)
{
	FILE *out = open_memstream(&snapshot->state, &snapshot->state_size);

	put_lines(out, "/proc/self/status", status_keys,
		  sizeof(status_keys) / sizeof(*status_keys));
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		put_lines(out, files[i], NULL, 0);
	for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++)
		put_link(out, links[i]);
	put_signals(out);
	put_prctls(out);
	put_timers(out);
	put_process(out);
	put_threads(out);
	fclose(out);

	out = open_memstream(&snapshot->holdings, &snapshot->holdings_size);
	put_descriptors(out);
	put_children(out);
	fclose(out);
}

void snapshot_free(struct snapshot *snapshot)
{
	free(snapshot->state);
	free(snapshot->holdings);
	*snapshot = (struct snapshot){0};
}

static bool has_line(const char *text, const char *line, size_t length)
{
	while (*text) {
		size_t n = strcspn(text, "\n");

		if (n == length && memcmp(text, line, n) == 0)
			return true;
		text += n + (text[n] == '\n');
	}
	return false;
}

static void print_missing(const char *from, const char *in, char sign)
{
	while (*from) {
		size_t n = strcspn(from, "\n");

		if (!has_line(in, from, n))
			printf("# %c %.*s\n", sign, (int)n, from);
		from += n + (from[n] == '\n');
	}
}

void snapshot_print_difference(const char *before, const char *after)
{
	print_missing(before, after, '-');
	print_missing(after, before, '+');
}

bool snapshot_has_new_inheritable(const char *before, const char *after)
{
	bool found = false;

	while (*after) {
		size_t n = strcspn(after, "\n");

		if (memmem(after, n, ": INHERITABLE ", 14) && !has_line(before, after, n)) {
			printf("# + %.*s\n", (int)n, after);
			found = true;
		}
		after += n + (after[n] == '\n');
	}
	return found;
}
