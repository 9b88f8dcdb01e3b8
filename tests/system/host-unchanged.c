/* SPDX-License-Identifier: MIT */

/*
 * A library is a guest: no call may change anything of its host but what the
 * call is for. This program makes the library's calls one after the other,
 * takes a snapshot of itself around each, and prints one TAP line for each.
 *
 * usage: host-unchanged DIR ROOTFS LAYOUT REGISTRY MODE
 *
 * The first four are what host-calls.h says. MODE is how the host lives: "plain", or "odd": SIGCHLD
 * ignored, half of the signals blocked, handlers in place, umask 077, a second thread, its own
 * working directory and locale.
 *
 * Two kinds of things are compared. The process's state must be the same after every call. What it
 * holds (descriptors, children) may grow while handles are open, by descriptors that are all
 * close-on-exec, and must be as before where a row says that everything was released.
 */

#include <fcntl.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host-calls.h"
#include "host-snapshot.h"

static const struct row *const tables[] = {
	rows_base,
	rows_spec,
	rows_security,
	rows_ipam,
	rows_log,
	rows_netlink,
	rows_ns,
	rows_overlay,
	rows_cgroup,
	rows_ctx_open,
	rows_image,
	rows_archive,
	rows_transfer,
	rows_login,
	rows_net,
	rows_container,
	rows_bundle,
	rows_container_stdio,
	rows_copy,
	rows_event,
	rows_share,
	rows_supervisor,
	rows_net_remove,
	rows_image_remove,
	rows_ctx_free,
};

/* ---- the host ----------------------------------------------------------- */

static int silence_fd;

/* The library must not print: its standard output and error are a file that must stay empty. */
static void silence(int saved[2])
{
	fflush(NULL);
	for (int fd = 1; fd <= 2; fd++) {
		saved[fd - 1] = fcntl(fd, F_DUPFD_CLOEXEC, 100);
		dup2(silence_fd, fd);
	}
}

static bool was_silent(int saved[2])
{
	struct stat st;
	bool silent = fstat(silence_fd, &st) == 0 && st.st_size == 0;

	for (int fd = 1; fd <= 2; fd++) {
		dup2(saved[fd - 1], fd);
		close(saved[fd - 1]);
	}
	if (!silent && ftruncate(silence_fd, 0) == 0)
		printf("# + output of %lld bytes\n", (long long)st.st_size);
	return silent;
}

static void handler(int number)
{
	(void)number;
}

static void *second_thread(void *arg)
{
	sigset_t set;

	sigfillset(&set);
	pthread_sigmask(SIG_SETMASK, &set, NULL);
	pthread_barrier_wait(arg);
	for (;;)
		pause();
	return NULL;
}

static void live_oddly(struct world *w)
{
	static pthread_barrier_t ready;
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
	pthread_t thread;
	sigset_t set;

	pthread_barrier_init(&ready, NULL, 2);
	pthread_create(&thread, NULL, second_thread, &ready);
	pthread_barrier_wait(&ready);

	sigemptyset(&set);
	for (int number = 1; number < 32; number += 2)
		sigaddset(&set, number);
	sigaddset(&set, SIGCHLD);
	pthread_sigmask(SIG_SETMASK, &set, NULL);
	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGALRM, &action, NULL);
	action.sa_handler = SIG_IGN;
	sigaction(SIGCHLD, &action, NULL);
	sigaction(SIGPIPE, &action, NULL);
	umask(077);
	setlocale(LC_ALL, "C.UTF-8");
	if (chdir(w->rootfs) < 0)
		perror(w->rootfs);
}

/* ---- comparing ---------------------------------------------------------- */

static bool is_unchanged(const struct snapshot *base, const struct snapshot *now, enum after after)
{
	bool same = strcmp(base->state, now->state) == 0;

	if (!same)
		snapshot_print_difference(base->state, now->state);
	if (after == HELD || after == BASE)
		return !snapshot_has_new_inheritable(base->holdings, now->holdings) && same;
	if (strcmp(base->holdings, now->holdings) != 0) {
		snapshot_print_difference(base->holdings, now->holdings);
		same = false;
	}
	return same;
}

static bool run_row(struct world *w, const struct row *row, const struct snapshot *base,
		    struct snapshot *now)
{
	struct lcx_error *err = NULL;
	bool silent, unchanged;
	int saved[2], r;

	w->step = row->name;
	silence(saved);
	r = row->call(w, &err);
	silent = was_silent(saved);
	if (r < 0)
		printf("# %s: %d, %s\n", w->step, r,
		       err ? lcx_error_message(err) : "it was not refused");
	lcx_error_free(err);

	snapshot_take(now);
	unchanged = is_unchanged(base, now, row->after);
	printf("%s - %s: does its work\n", r < 0 ? "not ok" : "ok", row->name);
	printf("%s - %s: leaves the host unchanged\n", silent && unchanged ? "ok" : "not ok",
	       row->name);
	return r >= 0 && silent && unchanged;
}

static void take_settled(struct snapshot *snapshot)
{
	/* Once before: the C library opens and keeps what it needs for the first one. */
	snapshot_take(snapshot);
	snapshot_free(snapshot);
	snapshot_take(snapshot);
}

/* What comparing goes on from. */
struct history {
	struct snapshot first, base;
};

static void swap(struct snapshot *a, struct snapshot *b)
{
	struct snapshot a_was = *a;

	*a = *b;
	*b = a_was;
}

/* A change is told once; what follows is compared with how it was left. */
static void take_state(struct snapshot *base, struct snapshot *now)
{
	char *holdings = base->holdings;

	swap(base, now);
	now->holdings = base->holdings;
	base->holdings = holdings;
}

static int run_table(struct world *w, const struct row *rows, struct history *history)
{
	int failures = 0;

	for (const struct row *row = rows; row->name; row++) {
		struct snapshot now = {0};

		failures += !run_row(
			w, row, row->after == ALL_GONE ? &history->first : &history->base, &now);
		if (row->after == BASE)
			swap(&history->base, &now);
		else if (strcmp(history->base.state, now.state) != 0)
			take_state(&history->base, &now);
		snapshot_free(&now);
	}
	return failures;
}

int main(int argc, char **argv)
{
	struct history history = {0};
	struct world w = {0};
	int failures = 0;

	if (argc != 6)
		return 2;
	w.dir = argv[1], w.rootfs = argv[2], w.layout = argv[3], w.registry = argv[4];
	snprintf(w.root_dir, sizeof(w.root_dir), "%s/root", w.dir);
	snprintf(w.run_dir, sizeof(w.run_dir), "%s/run", w.dir);
	w.dir_fd = open(w.dir, O_DIRECTORY | O_CLOEXEC);
	silence_fd = memfd_create("output", MFD_CLOEXEC);
	if (strcmp(argv[5], "odd") == 0)
		live_oddly(&w);

	setvbuf(stdout, NULL, _IOLBF, 0);
	take_settled(&history.first);
	take_settled(&history.base);
	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++)
		failures += run_table(&w, tables[i], &history);
	snapshot_free(&history.first);
	snapshot_free(&history.base);
	close(w.dir_fd);
	close(silence_fd);
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
