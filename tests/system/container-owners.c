/* SPDX-License-Identifier: MIT */
/*
 * usage: container-owners ROOT RUN ROOTFS TEST
 *
 * What one program, or several at once, may do to the same container. Each test is a
 * function; it returns 0 if all that must hold held, or says what did not.
 */
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <lcx/lcx.h>

static const char *root_dir, *run_dir, *rootfs;

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "line %d: %s\n", __LINE__, #condition);                    \
			return 1;                                                                  \
		}                                                                                  \
	} while (0)

/* 0, or a negative errno with its words said. */
static int told(int line, int r, struct lcx_error *err)
{
	if (r < 0)
		fprintf(stderr, "line %d: %s\n", line, err ? lcx_error_message(err) : strerror(-r));
	lcx_error_free(err);
	return r;
}

#define MUST(call)                                                                                 \
	do {                                                                                       \
		struct lcx_error *err = NULL;                                                      \
		int must_r = call;                                                                 \
		if (told(__LINE__, must_r, err) < 0)                                               \
			return 1;                                                                  \
	} while (0)

static struct lcx_ctx *open_ctx(void)
{
	struct lcx_error *err = NULL;
	struct lcx_ctx *ctx = NULL;

	int r = lcx_ctx_open(root_dir, run_dir, &ctx, &err);

	(void)told(__LINE__, r, err);
	return ctx;
}

static struct lcx_container *describe(struct lcx_ctx *ctx, const char *name, const char *script)
{
	const char *const argv[] = {"sh", "-c", script, NULL};
	struct lcx_container *c = NULL;

	if (!ctx || lcx_container_new(ctx, name, &c, NULL) < 0 ||
	    lcx_container_set_rootfs(c, rootfs, NULL) < 0 ||
	    lcx_container_set_network(c, "none", NULL) < 0 ||
	    lcx_container_set_command(c, argv, NULL) < 0)
		abort();
	return c;
}

/* Run @role in another process that shares nothing with this one. */
static pid_t in_other_process(int (*role)(void))
{
	pid_t pid = fork();

	if (pid == 0) {
		alarm(40);
		_exit(role());
	}
	return pid;
}

static int status_of(pid_t pid)
{
	int status = -1;

	(void)waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int try_exec(struct lcx_container *c, const char *program, int32_t *status)
{
	const char *const argv[] = {program, NULL};
	struct lcx_process *process = NULL;
	struct lcx_spec *spec = NULL;
	int r = lcx_container_exec_spec(c, &spec, NULL);

	if (r == 0)
		r = lcx_spec_set_args(spec, argv, NULL);
	if (r == 0)
		r = lcx_container_exec(c, spec, NULL, &process, NULL);
	if (r == 0)
		r = lcx_process_wait(process, 5000, status, NULL);
	lcx_process_free(process);
	lcx_spec_free(spec);
	return r;
}

static bool has_children(void)
{
	siginfo_t info;

	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

/* ---- one program -------------------------------------------------------- */

static int failures_leave_no_zombie(void)
{
	struct lcx_ctx *ctx = open_ctx();
	struct lcx_container *c = describe(ctx, "zombie", "sleep 100");
	int32_t status;

	MUST(lcx_container_start_detached(c, NULL, &err));
	for (int i = 0; i < 5; i++)
		CHECK(try_exec(c, "/no/such/program", &status) == -ENOENT);
	CHECK(!has_children());
	MUST(lcx_container_remove(c, 1, &err));
	lcx_container_free(c);

	c = describe(ctx, "zombie", "true");
	const char *const missing[] = {"/no/such/program", NULL};
	MUST(lcx_container_set_command(c, missing, &err));
	CHECK(lcx_container_start(c, NULL, NULL) == -ENOENT);
	CHECK(!has_children());
	MUST(lcx_container_remove(c, 1, &err));
	lcx_container_free(c);
	lcx_ctx_free(ctx);
	return 0;
}

static int host_ignores_its_children(void)
{
	struct lcx_ctx *ctx = open_ctx();
	struct lcx_container *c = describe(ctx, "ignored", "sleep 100"), *d;
	int32_t status = 77;

	signal(SIGCHLD, SIG_IGN);
	MUST(lcx_container_start(c, NULL, &err));
	for (int i = 0; i < 20; i++) {
		CHECK(try_exec(c, "true", &status) == 0);
		CHECK(status == 0 || status == LCX_EXIT_UNKNOWN);
		CHECK(try_exec(c, "false", &status) == 0);
		CHECK(status == 1 || status == LCX_EXIT_UNKNOWN);
	}
	MUST(lcx_container_remove(c, 1, &err));
	lcx_container_free(c);
	d = describe(ctx, NULL, "exit 3");
	MUST(lcx_container_start(d, NULL, &err));
	MUST(lcx_container_wait(d, 5000, &status, &err));
	CHECK(status == 3 || status == LCX_EXIT_UNKNOWN);
	MUST(lcx_container_remove(d, 0, &err));
	lcx_container_free(d);
	lcx_ctx_free(ctx);
	return 0;
}

/* lcx-init is executed before anybody has an id in there, and must keep its capabilities. */
static int user_namespace_is_made(void)
{
	struct lcx_ctx *ctx = open_ctx();
	struct lcx_container *c = describe(
		ctx, "user",
		"test $(id -u) = 0 && grep -q 65536 /proc/self/uid_map && echo >/dev/null");
	int32_t status = 77;

	MUST(lcx_spec_add_uid_map(lcx_container_spec(c), 0, 0, 65536, &err));
	MUST(lcx_spec_add_gid_map(lcx_container_spec(c), 0, 0, 65536, &err));
	MUST(lcx_container_start(c, NULL, &err));
	MUST(lcx_container_wait(c, 5000, &status, &err));
	CHECK(status == 0);
	MUST(lcx_container_remove(c, 0, &err));
	lcx_container_free(c);
	lcx_ctx_free(ctx);
	return 0;
}

/* A directory is taken as it is: for a range that its owner is not in, it is somebody else's. */
static int a_foreign_directory_keeps_its_owners(void)
{
	struct lcx_ctx *ctx = open_ctx();
	struct lcx_container *c = describe(
		ctx, "foreign",
		"test $(id -u) = 0 && test $(stat -c %u /) = 65534 && ! touch /x && ! rm /etc/passwd");
	int32_t status = 77;

	MUST(lcx_spec_add_uid_map(lcx_container_spec(c), 0, 100000, 65536, &err));
	MUST(lcx_spec_add_gid_map(lcx_container_spec(c), 0, 100000, 65536, &err));
	MUST(lcx_container_start(c, NULL, &err));
	MUST(lcx_container_wait(c, 5000, &status, &err));
	CHECK(status == 0);
	MUST(lcx_container_remove(c, 0, &err));
	lcx_container_free(c);
	lcx_ctx_free(ctx);
	return 0;
}

/* Two processes that ignore SIGTERM, in a cgroup that the caller chose, seen from a second handle.
 */
static int a_chosen_cgroup_serves_all(void)
{
	static const char path[] = "lcx-test-chosen/inner";
	const char *script = "trap '' TERM; sleep 1000 & while :; do wait; done";
	struct lcx_ctx *ctx = open_ctx();
	struct lcx_container *c = describe(ctx, "chosen", script), *other = NULL;
	struct lcx_cgroup_stats *stats = NULL;
	struct lcx_cgroup *cg = NULL;
	int32_t status = 77;

	MUST(lcx_spec_set_cgroups_path(lcx_container_spec(c), path, &err));
	MUST(lcx_container_start(c, NULL, &err));
	MUST(lcx_container_open(ctx, "chosen", &other, &err));
	MUST(lcx_cgroup_open(path, &cg, &err));
	CHECK(lcx_cgroup_is_populated(cg, NULL) == 1);
	MUST(lcx_container_pause(other, &err));
	CHECK(lcx_cgroup_is_frozen(cg, NULL) == 1);
	MUST(lcx_container_unpause(other, &err));
	CHECK(lcx_cgroup_is_frozen(cg, NULL) == 0);
	MUST(lcx_container_stats(other, &stats, &err));
	CHECK(lcx_cgroup_stats_pids_current(stats) >= 1);
	CHECK(try_exec(other, "true", &status) == 0 && status == 0);
	MUST(lcx_container_kill(other, SIGKILL, &err));
	MUST(lcx_container_wait(c, 5000, &status, &err));
	MUST(lcx_container_remove(other, 0, &err));
	lcx_cgroup_stats_free(stats);
	lcx_cgroup_free(cg);
	/* Its parent was made for it. */
	CHECK(lcx_cgroup_open("lcx-test-chosen", &cg, NULL) == -ENOENT);
	lcx_container_free(other);
	lcx_container_free(c);
	lcx_ctx_free(ctx);
	return 0;
}

static int role_idle(void)
{
	for (;;)
		pause();
	return 0;
}

/* A cgroup that was there before may have other processes: it is not taken, and nobody is hurt. */
static int a_foreign_cgroup_is_refused(void)
{
	static const char path[] = "lcx-test-foreign";
	struct lcx_ctx *ctx = open_ctx();
	struct lcx_container *c = describe(ctx, "foreign", "true");
	pid_t pid = in_other_process(role_idle);
	struct lcx_error *refusal = NULL;
	struct lcx_cgroup *cg = NULL;

	MUST(lcx_cgroup_create(path, &cg, &err));
	MUST(lcx_spec_set_cgroups_path(lcx_container_spec(c), path, &err));
	CHECK(lcx_container_start(c, NULL, &refusal) == -EEXIST);
	CHECK(strstr(lcx_error_message(refusal), path) != NULL);
	CHECK(lcx_cgroup_is_populated(cg, NULL) == 0);
	MUST(lcx_cgroup_add_pid(cg, pid, &err));
	CHECK(lcx_container_start(c, NULL, NULL) == -EEXIST);
	MUST(lcx_container_remove(c, 1, &err));
	CHECK(lcx_cgroup_is_populated(cg, NULL) == 1);
	CHECK(kill(pid, 0) == 0 && waitpid(pid, NULL, WNOHANG) == 0);
	kill(pid, SIGKILL);
	CHECK(status_of(pid) == 128 + SIGKILL);
	MUST(lcx_cgroup_destroy(cg, 1000, &err));
	lcx_error_free(refusal);
	lcx_cgroup_free(cg);
	lcx_container_free(c);
	lcx_ctx_free(ctx);
	return 0;
}

/* What a host is must be what it was: mask, umask, dumpable, descriptors. */
static int host_is_unchanged(void)
{
	struct lcx_ctx *ctx = open_ctx();
	struct lcx_container *c = describe(ctx, "host", "exit 5");
	sigset_t before, after;
	int32_t status;
	int first = dup(0), last;

	close(first);
	umask(031);
	sigemptyset(&before);
	sigaddset(&before, SIGUSR1);
	sigprocmask(SIG_SETMASK, &before, NULL);
	MUST(lcx_container_start(c, NULL, &err));
	MUST(lcx_container_wait(c, 5000, &status, &err));
	CHECK(status == 5);
	MUST(lcx_container_remove(c, 0, &err));
	lcx_container_free(c);
	sigprocmask(SIG_SETMASK, NULL, &after);
	for (int sig = 1; sig < 65; sig++)
		CHECK(sigismember(&after, sig) == (sig == SIGUSR1));
	CHECK(umask(022) == 031);
	CHECK(prctl(PR_GET_DUMPABLE) == 1);
	last = dup(0);
	CHECK(first == last);
	CHECK(!has_children());
	lcx_ctx_free(ctx);
	return 0;
}

/* A program that is out of descriptors must not take a living container for a dead one. */
static int shortage_is_no_death(void)
{
	struct lcx_ctx *ctx = open_ctx();
	struct lcx_container *c = describe(ctx, "alive", "sleep 100"), *other = NULL;
	struct rlimit before, limit;
	int lowest;

	MUST(lcx_container_start_detached(c, NULL, &err));
	MUST(lcx_container_open(ctx, "alive", &other, &err));
	getrlimit(RLIMIT_NOFILE, &before);
	lowest = dup(0);
	close(lowest);
	for (int spare = 0; spare < 12; spare++) {
		struct lcx_ctx *again = NULL;

		limit = (struct rlimit){(rlim_t)(lowest + spare), before.rlim_max};
		setrlimit(RLIMIT_NOFILE, &limit);
		if (lcx_ctx_open(root_dir, run_dir, &again, NULL) == 0)
			(void)lcx_gc(again, NULL, NULL);
		lcx_ctx_free(again);
		(void)lcx_container_remove(other, 0, NULL);
		setrlimit(RLIMIT_NOFILE, &before);
		MUST(lcx_container_refresh(c, &err));
		CHECK(lcx_container_state(c) == LCX_CONTAINER_RUNNING);
	}
	lcx_container_free(other);
	MUST(lcx_container_remove(c, 1, &err));
	lcx_container_free(c);
	lcx_ctx_free(ctx);
	return 0;
}

/* ---- several programs --------------------------------------------------- */

static int role_remove(void)
{
	struct lcx_ctx *ctx = open_ctx();
	struct lcx_container *c = NULL;

	MUST(lcx_container_open(ctx, "shared", &c, &err));
	MUST(lcx_container_remove(c, 1, &err));
	return 0;
}

static int owner_survives_a_removal(void)
{
	struct lcx_ctx *ctx = open_ctx();
	struct lcx_container *c = describe(ctx, "shared", "sleep 100");
	int32_t status = 0;
	pid_t remover;

	MUST(lcx_container_start(c, NULL, &err));
	remover = in_other_process(role_remove);
	MUST(lcx_container_wait(c, 20000, &status, &err));
	CHECK(status == 128 + SIGKILL);
	CHECK(status_of(remover) == 0);
	lcx_container_free(c);
	lcx_ctx_free(ctx);
	return 0;
}

static int idle_owner_does_not_block_a_removal(void)
{
	struct lcx_ctx *ctx = open_ctx();
	struct lcx_container *c = describe(ctx, "shared", "sleep 100");
	int32_t status = 0;

	MUST(lcx_container_start(c, NULL, &err));
	CHECK(status_of(in_other_process(role_remove)) == 0);
	MUST(lcx_container_wait(c, 1000, &status, &err));
	CHECK(status == 128 + SIGKILL);
	lcx_container_free(c);
	lcx_ctx_free(ctx);
	return 0;
}

static int role_wait(void)
{
	struct lcx_ctx *ctx = open_ctx();
	struct lcx_container *c = NULL;
	int32_t status = 0;

	MUST(lcx_container_open(ctx, "shared", &c, &err));
	MUST(lcx_container_wait(c, 30000, &status, &err));
	return status;
}

/* The owner lives on for other things: its end is not what waiters wait for. */
static int waiters_do_not_wait_for_the_owner(void)
{
	struct lcx_ctx *ctx = open_ctx();
	struct lcx_container *c = describe(ctx, "shared", "sleep 0.5; exit 9");
	pid_t waiters[4];
	int32_t status = 0;
	int64_t began;

	MUST(lcx_container_start(c, NULL, &err));
	for (int i = 0; i < 4; i++)
		waiters[i] = in_other_process(role_wait);
	/* They see the process end before its owner has done anything about it. */
	sleep(1);
	MUST(lcx_container_wait(c, 5000, &status, &err));
	CHECK(status == 9);
	began = now_ms();
	for (int i = 0; i < 4; i++)
		CHECK(status_of(waiters[i]) == 9);
	CHECK(now_ms() - began < 5000);
	MUST(lcx_container_remove(c, 0, &err));
	lcx_container_free(c);
	lcx_ctx_free(ctx);
	return 0;
}

static int role_restart(void)
{
	struct lcx_ctx *ctx = open_ctx();
	struct lcx_container *c = NULL;

	MUST(lcx_container_open(ctx, "shared", &c, &err));
	MUST(lcx_container_start_detached(c, NULL, &err));
	return 0;
}

/* Its owner, this process, has not taken its status: it has ended all the same. */
static bool process_ends(const struct lcx_container *c, int timeout_ms)
{
	struct pollfd pfd = {.events = POLLIN};
	int n;

	pfd.fd = (int)syscall(SYS_pidfd_open, lcx_container_pid(c), 0);
	n = pfd.fd < 0 ? -1 : poll(&pfd, 1, timeout_ms);
	close(pfd.fd);
	return n == 1;
}

/* Whoever waits for somebody else's container watches a directory. */
static bool is_watching(pid_t pid)
{
	char dir[64], target[64] = "";
	struct dirent *entry;
	bool found = false;
	DIR *fds;

	snprintf(dir, sizeof(dir), "/proc/%d/fd", pid);
	fds = opendir(dir);
	while (fds && !found && (entry = readdir(fds))) {
		ssize_t n = readlinkat(dirfd(fds), entry->d_name, target, sizeof(target) - 1);

		found = n > 0 && memcmp(target, "anon_inode:inotify", 18) == 0;
	}
	if (fds)
		closedir(fds);
	return found;
}

static bool comes_to_watch(pid_t pid, int64_t timeout_ms)
{
	int64_t until = now_ms() + timeout_ms;

	while (!is_watching(pid) && now_ms() < until)
		poll(NULL, 0, 5);
	return is_watching(pid);
}

/*
 * A second start, while the first one's owner has yet to finish it, waits for that. It comes when
 * the first process has ended, however long that took: before, it would be refused as running.
 */
static int restart_waits_for_the_owner(void)
{
	struct lcx_ctx *ctx = open_ctx();
	struct lcx_container *c = describe(ctx, "shared", "echo x"), *again = NULL;
	int32_t status = 0;
	pid_t starter;

	MUST(lcx_container_start(c, NULL, &err));
	CHECK(process_ends(c, 20000));
	starter = in_other_process(role_restart);
	CHECK(comes_to_watch(starter, 20000));
	MUST(lcx_container_wait(c, 5000, &status, &err));
	CHECK(status_of(starter) == 0);
	MUST(lcx_container_open(ctx, "shared", &again, &err));
	MUST(lcx_container_wait(again, 5000, &status, &err));
	CHECK(status == 0);
	MUST(lcx_container_remove(again, 0, &err));
	lcx_container_free(again);
	lcx_container_free(c);
	lcx_ctx_free(ctx);
	return 0;
}

static bool is_expected(int r)
{
	return r == 0 || r == -EALREADY || r == -ENOENT || r == -EBUSY || r == -ESRCH ||
	       r == -ETIMEDOUT || r == -ECANCELED;
}

/* Start, stop, kill, pause and remove without force in any order; only one of six removes by force.
 */
static int role_storm(void)
{
	struct lcx_ctx *ctx = open_ctx();
	unsigned int seed = (unsigned int)getpid();
	struct lcx_container *c = NULL;

	for (int i = 0; ctx && i < 25; i++) {
		struct lcx_error *err = NULL;
		int what = rand_r(&seed) % 6, r = lcx_container_open(ctx, "shared", &c, &err);

		if (r == 0 && what < 2)
			r = lcx_container_start_detached(c, NULL, &err);
		else if (r == 0 && what == 2)
			r = lcx_container_stop(c, 50, &err);
		else if (r == 0 && what == 3)
			r = lcx_container_kill(c, SIGKILL, &err);
		else if (r == 0 && what == 4)
			r = lcx_container_pause(c, &err);
		else if (r == 0)
			r = lcx_container_unpause(c, &err);
		if (!is_expected(r)) {
			(void)told(what, r, err);
			return 1;
		}
		lcx_error_free(err);
		c = lcx_container_free(c);
	}
	lcx_ctx_free(ctx);
	return 0;
}

static int many_at_once(void)
{
	struct lcx_ctx *ctx = open_ctx();
	struct lcx_container *c = describe(ctx, "shared", "sleep 100");
	pid_t others[4];
	int bad = 0;

	MUST(lcx_container_create(c, &err));
	for (int i = 0; i < 4; i++)
		others[i] = in_other_process(role_storm);
	for (int i = 0; i < 4; i++)
		bad |= status_of(others[i]);
	CHECK(bad == 0);
	MUST(lcx_container_remove(c, 1, &err));
	lcx_container_free(c);
	lcx_ctx_free(ctx);
	return 0;
}

static int role_remove_softly(void)
{
	struct lcx_ctx *ctx = open_ctx();
	struct lcx_container *c = NULL;
	int r = lcx_container_open(ctx, "shared", &c, NULL);

	if (r == 0)
		r = lcx_container_remove(c, 0, NULL);
	return r == -EBUSY || r == -ENOENT ? 2 : r == 0 ? 0 : 1;
}

/* Either the removal comes first, and there is nothing to start, or the start, and it runs. */
static int removal_and_start_exclude_each_other(void)
{
	for (int i = 0; i < 20; i++) {
		struct lcx_ctx *ctx = open_ctx();
		struct lcx_container *c = describe(ctx, "shared", "sleep 100");
		pid_t remover;
		int r, removed;

		MUST(lcx_container_create(c, &err));
		remover = in_other_process(role_remove_softly);
		poll(NULL, 0, i % 5);
		r = lcx_container_start_detached(c, NULL, NULL);
		removed = status_of(remover);
		CHECK(removed == 0 || removed == 2);
		CHECK((r == 0) == (removed == 2));
		if (r == 0) {
			MUST(lcx_container_refresh(c, &err));
			CHECK(lcx_container_state(c) == LCX_CONTAINER_RUNNING);
			MUST(lcx_container_remove(c, 1, &err));
		}
		lcx_container_free(c);
		lcx_ctx_free(ctx);
	}
	return 0;
}

static const struct {
	const char *name;
	int (*run)(void);
} tests[] = {
	{"failures-leave-no-zombie", failures_leave_no_zombie},
	{"host-ignores-its-children", host_ignores_its_children},
	{"host-is-unchanged", host_is_unchanged},
	{"user-namespace-is-made", user_namespace_is_made},
	{"a-foreign-directory-keeps-its-owners", a_foreign_directory_keeps_its_owners},
	{"a-chosen-cgroup-serves-all", a_chosen_cgroup_serves_all},
	{"a-foreign-cgroup-is-refused", a_foreign_cgroup_is_refused},
	{"shortage-is-no-death", shortage_is_no_death},
	{"owner-survives-a-removal", owner_survives_a_removal},
	{"idle-owner-does-not-block-a-removal", idle_owner_does_not_block_a_removal},
	{"waiters-do-not-wait-for-the-owner", waiters_do_not_wait_for_the_owner},
	{"restart-waits-for-the-owner", restart_waits_for_the_owner},
	{"many-at-once", many_at_once},
	{"removal-and-start-exclude-each-other", removal_and_start_exclude_each_other},
};

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "list") == 0) {
		for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++)
			puts(tests[i].name);
		return 0;
	}
	if (argc != 5)
		return 2;
	root_dir = argv[1];
	run_dir = argv[2];
	rootfs = argv[3];
	for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++)
		if (strcmp(argv[4], tests[i].name) == 0)
			return tests[i].run();
	return 2;
}
