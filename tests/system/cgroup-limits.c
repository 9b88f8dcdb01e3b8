/* SPDX-License-Identifier: MIT */

/*
 * Cgroups with real processes in them: limits that bite, freeze, kill, events,
 * figures. Runs on version 1, hybrid and version 2 alike; a case says what the
 * kernel lacks when it cannot run. Everything is made below /lcx-test-PID.
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "cgroup/cgroup-internal.h"
#include "util/str.h"
#include "util/sys.h"

/* --- TAP --- */

struct test {
	const char *name;
	int failures;
	bool skipped;
	char root[64];
};

static void note(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	printf("# ");
	vprintf(format, args);
	printf("\n");
	va_end(args);
}

#define EXPECT(test, condition)                                                                    \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			(test)->failures++;                                                        \
			note("%s:%d: %s", __FILE__, __LINE__, #condition);                         \
		}                                                                                  \
	} while (0)

/* The call must succeed; its own words are shown if it does not. */
#define EXPECT_OK(test, call)                                                                      \
	do {                                                                                       \
		struct lcx_error *err = NULL;                                                      \
		int r_ = (call);                                                                   \
		if (r_ < 0) {                                                                      \
			(test)->failures++;                                                        \
			note("%s:%d: %s: %d %s", __FILE__, __LINE__, #call, r_,                    \
			     lcx_error_message(err));                                              \
		}                                                                                  \
		lcx_error_free(err);                                                               \
	} while (0)

#define EXPECT_FAILS(test, call, code, words)                                                      \
	do {                                                                                       \
		struct lcx_error *err = NULL;                                                      \
		int r_ = (call);                                                                   \
		if (r_ != -(code) || !strstr(lcx_error_message(err), words)) {                     \
			(test)->failures++;                                                        \
			note("%s:%d: %s: %d '%s'", __FILE__, __LINE__, #call, r_,                  \
			     lcx_error_message(err));                                              \
		}                                                                                  \
		lcx_error_free(err);                                                               \
	} while (0)

static void skip(struct test *test, const char *reason)
{
	printf("ok - %s # SKIP %s\n", test->name, reason);
	test->skipped = true;
}

/* --- processes to put into cgroups --- */

/* Memory shared with the children: counters, and the go-ahead. */
struct shared {
	volatile uint64_t counter, forks, refused;
	volatile int go, done;
};

static struct shared *shared_new(void)
{
	return mmap(NULL, sizeof(struct shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		    -1, 0);
}

static void nap_ms(long ms)
{
	struct timespec time = {ms / 1000, ms % 1000 * 1000000};

	nanosleep(&time, NULL);
}

/* A child that waits for the go-ahead and then runs @body. */
static pid_t start(struct shared *shared, int (*body)(struct shared *))
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (!shared->go)
		nap_ms(1);
	_exit(body(shared));
}

static void let_go(struct shared *shared)
{
	shared->go = 1;
}

static int status_of(pid_t pid)
{
	int status = -1;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

static int body_wait(struct shared *shared)
{
	while (!shared->done)
		nap_ms(2);
	return 0;
}

static int body_count(struct shared *shared)
{
	while (!shared->done) {
		shared->counter++;
		nap_ms(1);
	}
	return 0;
}

static int body_spin(struct shared *shared)
{
	while (!shared->done)
		shared->counter++;
	return 0;
}

static int body_eat_memory(struct shared *shared)
{
	for (size_t i = 0; i < 256; i++) {
		char *block = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (block == MAP_FAILED)
			return 1;
		memset(block, 1, 1 << 20);
		shared->counter++;
	}
	return 0;
}

static int body_fork_bomb(struct shared *shared)
{
	for (int i = 0; i < 200; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			body_wait(shared);
			_exit(0);
		}
		if (pid > 0)
			shared->forks++;
		else if (errno == EAGAIN)
			shared->refused++;
	}
	return 0;
}

/* A tree that forks for ever: each process makes one and ends. */
static int body_hydra(struct shared *shared)
{
	while (!shared->done) {
		pid_t pid = fork();

		if (pid < 0)
			nap_ms(1);
		else if (pid > 0)
			_exit(0);
		shared->forks++;
	}
	return 0;
}

static struct lcx_cgroup *make(struct test *test, const char *name)
{
	struct lcx_cgroup *cg = NULL;
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", test->root, name);
	EXPECT_OK(test, lcx_cgroup_create(path, &cg, &err));
	if (!cg)
		exit(2);
	return cg;
}

static void end(struct test *test, struct lcx_cgroup *cg)
{
	EXPECT_OK(test, lcx_cgroup_kill(cg, 5000, &err));
	EXPECT_OK(test, lcx_cgroup_destroy(cg, 5000, &err));
	lcx_cgroup_free(cg);
}

/* Wait for one kind of event, with a bound; the kinds seen on the way are set in *@seen. */
static bool wait_event(struct lcx_cgroup_watch *watch, enum lcx_cgroup_event wanted, uint32_t *seen)
{
	int64_t deadline = lcx__monotonic_ns() + 10 * INT64_C(1000000000);

	while (!(*seen & 1u << wanted)) {
		struct pollfd wait = {.fd = lcx_cgroup_watch_fd(watch), .events = POLLIN};
		int event = lcx_cgroup_watch_next(watch);

		if (event != LCX_CGROUP_EVENT_NONE)
			*seen |= 1u << event;
		else if (poll(&wait, 1, lcx__cgroup_remaining_ms(deadline)) == 0 ||
			 lcx__cgroup_remaining_ms(deadline) == 0)
			return false;
	}
	return true;
}

/* --- the cases --- */

static void life(struct test *test)
{
	struct lcx_cgroup *cg = make(test, "life"), *second = NULL;
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/life", test->root);
	EXPECT_FAILS(test, lcx_cgroup_create(path, &second, &err), EEXIST, "exists already");
	EXPECT(test, second == NULL);
	EXPECT_OK(test, lcx_cgroup_open(path, &second, &err));
	EXPECT(test, second && strcmp(lcx_cgroup_path(second), lcx_cgroup_path(cg)) == 0);
	EXPECT_OK(test, lcx_cgroup_is_populated(cg, &err));
	EXPECT_OK(test, lcx_cgroup_destroy(cg, 0, &err));
	EXPECT_OK(test, lcx_cgroup_destroy(cg, 0, &err));
	EXPECT_OK(test, lcx_cgroup_destroy(second, 0, &err));
	lcx_cgroup_free(cg);
	lcx_cgroup_free(second);
	second = NULL;
	EXPECT_FAILS(test, lcx_cgroup_open(path, &second, &err), ENOENT, "does not exist");
	EXPECT_FAILS(test, lcx_cgroup_create("a/../b", &second, &err), EINVAL,
		     "cannot be the path");
	EXPECT_FAILS(test, lcx_cgroup_create("/", &second, &err), EINVAL, "name of its own");
	EXPECT_FAILS(test,
		     lcx_cgroup_open("/", &second, &err) < 0 ? 0 : lcx_cgroup_kill(second, 0, &err),
		     EBUSY, "cannot be killed");
	lcx_cgroup_free(second);
}

static void memory(struct test *test)
{
	struct lcx_cgroup *cg = make(test, "memory"), *beside = make(test, "beside");
	struct shared *shared = shared_new(), *calm = shared_new();
	struct lcx_cgroup_watch *watch = NULL;
	struct lcx_cgroup_stats *stats = NULL;
	pid_t eater, neighbour;
	uint32_t seen = 0;
	int status;

	EXPECT_OK(test, lcx_cgroup_set_limit(cg, LCX_CGROUP_MEMORY_MAX_BYTES, 16 << 20, &err));
	EXPECT_OK(test, lcx_cgroup_use(beside, "memory", &err));
	EXPECT_OK(test, lcx_cgroup_watch_new(cg, &watch, &err));
	eater = start(shared, body_eat_memory);
	neighbour = start(calm, body_wait);
	EXPECT_OK(test, lcx_cgroup_add_pid(cg, eater, &err));
	EXPECT_OK(test, lcx_cgroup_add_pid(beside, neighbour, &err));
	let_go(calm);
	let_go(shared);
	EXPECT(test, wait_event(watch, LCX_CGROUP_EVENT_OOM_KILL, &seen));
	status = status_of(eater);
	EXPECT(test, WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	EXPECT(test, shared->counter < 64);
	EXPECT(test, wait_event(watch, LCX_CGROUP_EVENT_EMPTY, &seen));
	EXPECT(test, seen & 1u << LCX_CGROUP_EVENT_OOM);
	EXPECT(test, lcx_cgroup_oom_kills(cg) == 1);
	EXPECT(test, lcx_cgroup_oom_kills(beside) == 0);
	EXPECT(test, waitpid(neighbour, NULL, WNOHANG) == 0);
	EXPECT_OK(test, lcx_cgroup_stats_new(cg, &stats, &err));
	EXPECT(test, lcx_cgroup_stats_memory_limit_bytes(stats) == 16 << 20);
	EXPECT(test, lcx_cgroup_stats_memory_oom_kills(stats) == 1);
	EXPECT(test, lcx_cgroup_stats_memory_usage_bytes(stats) >= 0);
	calm->done = 1;
	EXPECT(test, status_of(neighbour) == 0);

	EXPECT_OK(test, lcx_cgroup_set_limit(cg, LCX_CGROUP_MEMORY_MAX_BYTES, 64 << 20, &err));
	EXPECT_OK(test, lcx_cgroup_set_limit(cg, LCX_CGROUP_MEMORY_MAX_BYTES, INT64_MAX, &err));
	EXPECT_OK(test, lcx_cgroup_stats_read(stats, &err));
	EXPECT(test, lcx_cgroup_stats_memory_limit_bytes(stats) == INT64_MAX);
	end(test, cg);
	EXPECT(test, wait_event(watch, LCX_CGROUP_EVENT_REMOVED, &seen));
	EXPECT_FAILS(test, lcx_cgroup_stats_read(stats, &err), ENODEV, "gone");
	end(test, beside);
	lcx_cgroup_watch_free(watch);
	lcx_cgroup_stats_free(stats);
}

static void swap(struct test *test)
{
	struct lcx_cgroup *cg = make(test, "swap");
	struct lcx_cgroup_stats *stats = NULL;
	int r;

	EXPECT_OK(test, lcx_cgroup_set_limit(cg, LCX_CGROUP_MEMORY_MAX_BYTES, 32 << 20, &err));
	r = lcx_cgroup_set_limit(cg, LCX_CGROUP_SWAP_MAX_BYTES, 8 << 20, NULL);
	if (r == -EOPNOTSUPP) {
		skip(test, "this kernel does not account swap");
	} else {
		EXPECT(test, r == 0);
		EXPECT_OK(test, lcx_cgroup_stats_new(cg, &stats, &err));
		EXPECT(test, lcx_cgroup_stats_swap_limit_bytes(stats) == 8 << 20);
		/* More memory, then less, keeps the swap that was allowed. */
		EXPECT_OK(test,
			  lcx_cgroup_set_limit(cg, LCX_CGROUP_MEMORY_MAX_BYTES, 128 << 20, &err));
		EXPECT_OK(test, lcx_cgroup_stats_read(stats, &err));
		EXPECT(test, lcx_cgroup_stats_swap_limit_bytes(stats) == 8 << 20);
		EXPECT_OK(test,
			  lcx_cgroup_set_limit(cg, LCX_CGROUP_MEMORY_MAX_BYTES, 24 << 20, &err));
		EXPECT_OK(test, lcx_cgroup_stats_read(stats, &err));
		EXPECT(test, lcx_cgroup_stats_swap_limit_bytes(stats) == 8 << 20);
		EXPECT(test, lcx_cgroup_stats_memory_limit_bytes(stats) == 24 << 20);
	}
	lcx_cgroup_stats_free(stats);
	end(test, cg);
}

static void pids(struct test *test)
{
	struct lcx_cgroup *cg = make(test, "pids");
	struct shared *shared = shared_new();
	struct lcx_cgroup_stats *stats = NULL;
	struct lcx_cgroup_pids *list = NULL;
	pid_t bomb = start(shared, body_fork_bomb);
	int count = 0;

	EXPECT_OK(test, lcx_cgroup_set_limit(cg, LCX_CGROUP_PIDS_MAX, 20, &err));
	EXPECT_OK(test, lcx_cgroup_add_pid(cg, bomb, &err));
	let_go(shared);
	EXPECT(test, WIFEXITED(status_of(bomb)));
	EXPECT(test, shared->refused > 0);
	EXPECT(test, shared->forks <= 19);
	EXPECT_OK(test, lcx_cgroup_stats_new(cg, &stats, &err));
	EXPECT(test, lcx_cgroup_stats_pids_limit(stats) == 20);
	EXPECT(test, lcx_cgroup_stats_pids_current(stats) <= 20);
	EXPECT_OK(test, lcx_cgroup_pids_new(cg, &list, &err));
	while (lcx_cgroup_pids_next(list))
		count++;
	EXPECT(test, count <= 20);
	lcx_cgroup_pids_free(list);
	lcx_cgroup_stats_free(stats);
	end(test, cg);
}

/* A tenth of a CPU: on a busy machine a larger share might never be reached. In the sweep, where
 * nothing else runs, it is held to the twentieth part of itself. */
static void cpu(struct test *test)
{
	struct lcx_cgroup *cg = make(test, "cpu");
	struct shared *shared = shared_new();
	struct lcx_cgroup_stats *stats = NULL;
	pid_t spinner = start(shared, body_spin);
	bool precise = getenv("LCX_TEST_EVERY_CALL") != NULL;
	int64_t before, used, began, took;

	EXPECT_OK(test, lcx_cgroup_set_limit(cg, LCX_CGROUP_CPU_PERIOD_US, 50000, &err));
	EXPECT_OK(test, lcx_cgroup_set_limit(cg, LCX_CGROUP_CPU_QUOTA_US, 5000, &err));
	EXPECT_OK(test, lcx_cgroup_set_limit(cg, LCX_CGROUP_CPU_WEIGHT, 200, &err));
	EXPECT_OK(test, lcx_cgroup_add_pid(cg, spinner, &err));
	EXPECT_OK(test, lcx_cgroup_stats_new(cg, &stats, &err));
	before = lcx_cgroup_stats_cpu_usage_ns(stats);
	began = lcx__monotonic_ns();
	let_go(shared);
	do {
		nap_ms(100);
		EXPECT_OK(test, lcx_cgroup_stats_read(stats, &err));
		took = lcx__monotonic_ns() - began;
	} while (took < (precise ? 10 : 2) * INT64_C(1000000000) ||
		 (lcx_cgroup_stats_cpu_throttled_periods(stats) < 10 &&
		  took < 20 * INT64_C(1000000000)));
	used = lcx_cgroup_stats_cpu_usage_ns(stats) - before;
	note("a tenth of a CPU for %" PRId64 " ms: used %" PRId64 " ms, throttled in %" PRId64
	     " of %" PRId64 " periods, for %" PRId64 " ms",
	     took / 1000000, used / 1000000, lcx_cgroup_stats_cpu_throttled_periods(stats),
	     lcx_cgroup_stats_cpu_periods(stats),
	     lcx_cgroup_stats_cpu_throttled_ns(stats) / 1000000);
	EXPECT(test, used > 0 && used < took / 4);
	EXPECT(test, !precise || (used > took / 10 - took / 200 && used < took / 10 + took / 200));
	EXPECT(test, lcx_cgroup_stats_cpu_throttled_periods(stats) >= 10);
	EXPECT(test, lcx_cgroup_stats_cpu_throttled_ns(stats) > 100 * 1000000);
	EXPECT_OK(test, lcx_cgroup_set_limit(cg, LCX_CGROUP_CPU_QUOTA_US, INT64_MAX, &err));
	EXPECT_FAILS(test, lcx_cgroup_set_limit(cg, LCX_CGROUP_CPU_WEIGHT, 0, &err), ERANGE,
		     "must be 1 to 10000");
	end(test, cg);
	EXPECT(test, WIFSIGNALED(status_of(spinner)));
	lcx_cgroup_stats_free(stats);
}

static void freeze(struct test *test)
{
	struct lcx_cgroup *cg = make(test, "freeze");
	struct shared *shared = shared_new();
	pid_t counter = start(shared, body_count);
	uint64_t stopped_at;

	EXPECT_OK(test, lcx_cgroup_add_pid(cg, counter, &err));
	let_go(shared);
	nap_ms(50);
	EXPECT_OK(test, lcx_cgroup_freeze(cg, 5000, &err));
	EXPECT(test, lcx_cgroup_is_frozen(cg, NULL) == 1);
	stopped_at = shared->counter;
	nap_ms(200);
	EXPECT(test, shared->counter == stopped_at && stopped_at > 0);
	EXPECT_OK(test, lcx_cgroup_thaw(cg, 5000, &err));
	EXPECT(test, lcx_cgroup_is_frozen(cg, NULL) == 0);
	nap_ms(200);
	EXPECT(test, shared->counter > stopped_at);
	/* A frozen process can be killed. */
	EXPECT_OK(test, lcx_cgroup_freeze(cg, 5000, &err));
	end(test, cg);
	EXPECT(test, WIFSIGNALED(status_of(counter)));
}

static void kill_tree(struct test *test, bool by_signals)
{
	struct lcx_cgroup *cg = make(test, "kill");
	struct shared *shared = shared_new();
	pid_t hydra[4];
	uint64_t before;

	for (int i = 0; i < 4; i++) {
		hydra[i] = start(shared, body_hydra);
		EXPECT_OK(test, lcx_cgroup_add_pid(cg, hydra[i], &err));
	}
	if (by_signals) /* as on pure version 1: the freezer, and a signal to each */
		EXPECT_OK(test, lcx_cgroup_use(cg, "freezer", &err));
	let_go(shared);
	nap_ms(100);
	EXPECT_FAILS(test, lcx_cgroup_destroy(cg, 0, &err), EBUSY, "lcx_cgroup_kill");
	EXPECT_OK(test, lcx_cgroup_kill(cg, 10000, &err));
	EXPECT(test, lcx_cgroup_is_populated(cg, NULL) == 0);
	before = shared->forks;
	note("%" PRIu64 " forks before the end", before);
	nap_ms(50);
	EXPECT(test, shared->forks == before && before > 0);
	for (int i = 0; i < 4; i++)
		(void)status_of(hydra[i]);
	EXPECT_OK(test, lcx_cgroup_destroy(cg, 1000, &err));
	lcx_cgroup_free(cg);
}

static void kill_at_once(struct test *test)
{
	kill_tree(test, false);
}

/* What a machine with version 1 only would do: the tracker is the freezer. */
static void kill_v1(struct test *test)
{
	CLEANUP(lcx__cgroup_layout_freep) struct lcx__cgroup_layout *layout = NULL;
	CLEANUP(lcx_cgroup_freep) struct lcx_cgroup *cg = NULL;
	struct lcx_cgroup_watch *watch = NULL;
	struct shared *shared = shared_new();
	char path[128];
	pid_t hydra, counter;
	uint64_t before;
	uint32_t seen = 0;

	EXPECT_OK(test, lcx__cgroup_layout_read(&layout, &err));
	if (layout->controller[CONTROLLER_FREEZER] < 0 ||
	    layout->controller[CONTROLLER_FREEZER] == layout->unified) {
		skip(test, "there is no version 1 freezer here");
		return;
	}
	layout->tracker = layout->controller[CONTROLLER_FREEZER];
	(void)snprintf(path, sizeof(path), "%s/kill-v1", test->root);
	EXPECT_OK(test, lcx__cgroup_create_in(layout, path, &cg, &err));
	hydra = start(shared, body_hydra);
	counter = start(shared, body_count);
	EXPECT_OK(test, lcx_cgroup_add_pid(cg, hydra, &err));
	EXPECT_OK(test, lcx_cgroup_add_pid(cg, counter, &err));
	EXPECT_OK(test, lcx_cgroup_watch_new(cg, &watch, &err));
	let_go(shared);
	nap_ms(100);
	EXPECT_OK(test, lcx_cgroup_freeze(cg, 5000, &err));
	before = shared->counter;
	nap_ms(100);
	EXPECT(test, before == shared->counter && lcx_cgroup_is_frozen(cg, NULL) == 1);
	EXPECT_OK(test, lcx_cgroup_thaw(cg, 1000, &err));
	EXPECT_FAILS(test, lcx_cgroup_destroy(cg, 0, &err), EBUSY, "lcx_cgroup_kill");
	EXPECT_OK(test, lcx_cgroup_kill(cg, 10000, &err));
	before = shared->forks;
	nap_ms(50);
	EXPECT(test, shared->forks == before && before > 0);
	EXPECT(test, wait_event(watch, LCX_CGROUP_EVENT_EMPTY, &seen));
	(void)status_of(hydra);
	(void)status_of(counter);
	EXPECT_OK(test, lcx_cgroup_destroy(cg, 1000, &err));
	lcx_cgroup_watch_free(watch);
}

/* A limit that comes late takes the processes along that are there already. */
static void late_limit(struct test *test)
{
	struct lcx_cgroup *cg = make(test, "late");
	struct shared *shared = shared_new();
	struct lcx_cgroup_stats *stats = NULL;
	pid_t pid = start(shared, body_wait);

	EXPECT_OK(test, lcx_cgroup_add_pid(cg, pid, &err));
	EXPECT_OK(test, lcx_cgroup_set_limit(cg, LCX_CGROUP_PIDS_MAX, 10, &err));
	EXPECT_OK(test, lcx_cgroup_set_limit(cg, LCX_CGROUP_MEMORY_MAX_BYTES, 64 << 20, &err));
	EXPECT_OK(test, lcx_cgroup_stats_new(cg, &stats, &err));
	EXPECT(test, lcx_cgroup_stats_pids_current(stats) == 1);
	EXPECT(test, lcx_cgroup_stats_io_read_bytes(stats) == -1);
	lcx_cgroup_stats_free(stats);
	end(test, cg);
	(void)status_of(pid);
}

enum { HUGE_PAGE = 2 << 20 };

static int body_huge(struct shared *shared)
{
	char *pages = mmap(NULL, 2 * HUGE_PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_NORESERVE, -1, 0);

	/* A sanitizer would catch it and end in its own way. */
	(void)signal(SIGBUS, SIG_DFL);
	for (int i = 0; pages != MAP_FAILED && i < 2; i++) {
		pages[i * HUGE_PAGE] = 1;
		shared->counter++;
	}
	return 0;
}

/* The machine's huge pages, as a text; "" if it has none of this size. */
static void huge_pages(char text[static 32], const char *set)
{
	int fd = open("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages",
		      (set ? O_WRONLY : O_RDONLY) | O_CLOEXEC);
	ssize_t n = -1;

	if (fd >= 0)
		n = set ? write(fd, set, strlen(set)) : read(fd, text, 31);
	if (!set)
		text[n > 0 ? n : 0] = '\0';
	close(fd);
}

static void huge(struct test *test)
{
	struct lcx_cgroup *cg = make(test, "huge"), *beside = make(test, "beside");
	struct shared *shared = shared_new(), *free_one = shared_new();
	char before[32], now[32];
	pid_t pid, neighbour;
	int status;

	huge_pages(before, NULL);
	huge_pages(now, "8");
	huge_pages(now, NULL);
	if (lcx_cgroup_set_hugetlb(cg, "2MB", HUGE_PAGE, NULL) == -ENODEV) {
		skip(test, "this kernel has no controller of huge pages");
	} else if (atoi(now) < 4) {
		skip(test, "this machine has no four huge pages");
	} else {
		EXPECT_OK(test, lcx_cgroup_use(beside, "hugetlb", &err));
		pid = start(shared, body_huge);
		neighbour = start(free_one, body_huge);
		EXPECT_OK(test, lcx_cgroup_add_pid(cg, pid, &err));
		EXPECT_OK(test, lcx_cgroup_add_pid(beside, neighbour, &err));
		let_go(shared);
		status = status_of(pid);
		EXPECT(test, WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
		EXPECT(test, shared->counter == 1);
		let_go(free_one);
		EXPECT(test, status_of(neighbour) == 0 && free_one->counter == 2);
	}
	huge_pages(now, before);
	end(test, cg);
	end(test, beside);
}

static int try_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static int body_devices(struct shared *shared)
{
	shared->counter = (uint64_t)try_open("/dev/null", O_RDWR) << 16 |
			  (uint64_t)try_open("/dev/kmsg", O_WRONLY);
	shared->done = 1;
	shared->go = 0;
	while (!shared->go)
		nap_ms(1);
	return try_open("/dev/kmsg", O_WRONLY) == 0 && try_open("/dev/kmsg", O_RDWR) == EPERM ? 0
											      : 1;
}

static void devices(struct test *test)
{
	struct lcx_cgroup *cg = make(test, "devices");
	struct shared *shared = shared_new();
	pid_t pid = start(shared, body_devices);

	if (try_open("/dev/kmsg", O_WRONLY) != 0) {
		skip(test, "/dev/kmsg cannot be opened here at all");
		kill(pid, SIGKILL);
		(void)status_of(pid);
		end(test, cg);
		return;
	}
	EXPECT_OK(test, lcx_cgroup_device_defaults(cg, &err));
	EXPECT_OK(test, lcx_cgroup_apply_devices(cg, &err));
	EXPECT_OK(test, lcx_cgroup_add_pid(cg, pid, &err));
	let_go(shared);
	for (int i = 0; i < 1000 && !shared->done; i++)
		nap_ms(5);
	EXPECT(test, shared->counter == EPERM);
	/* Allowed while it runs, for writing alone; and applied twice. */
	EXPECT_OK(test, lcx_cgroup_device_rule(cg, 1, 'c', 1, 11, "rw", &err));
	EXPECT_OK(test, lcx_cgroup_device_rule(cg, 0, 'c', 1, 11, "r", &err));
	EXPECT_OK(test, lcx_cgroup_apply_devices(cg, &err));
	EXPECT_OK(test, lcx_cgroup_apply_devices(cg, &err));
	let_go(shared);
	EXPECT(test, status_of(pid) == 0);
	EXPECT_FAILS(test, lcx_cgroup_device_rule(cg, 1, 'x', 1, 11, "r", &err), EINVAL,
		     "type 'x'");
	EXPECT_FAILS(test, lcx_cgroup_device_rule(cg, 1, 'c', 1, 11, "", &err), EINVAL,
		     "access ''");
	end(test, cg);
}

static void nested(struct test *test)
{
	struct lcx_cgroup *cg = make(test, "nested"), *inner;
	char name[2000] = "nested";

	for (int i = 0; i < 300; i++)
		(void)strcat(name, i % 100 ? "" : "/deeper");
	inner = make(test, "nested/a");
	lcx_cgroup_free(inner);
	inner = make(test, "nested/b/c/d/e/f");
	lcx_cgroup_free(inner);
	EXPECT_OK(test, lcx_cgroup_destroy(cg, 0, &err));
	lcx_cgroup_free(cg);
	cg = NULL;
	EXPECT_FAILS(test, lcx_cgroup_open(test->root, &cg, &err), ENOENT, "does not exist");
}

static void cpuset(struct test *test)
{
	struct lcx_cgroup *cg = make(test, "cpuset");
	struct shared *shared = shared_new();
	pid_t pid = start(shared, body_wait);
	cpu_set_t set;

	EXPECT_OK(test, lcx_cgroup_set_cpus(cg, "0", &err));
	EXPECT_OK(test, lcx_cgroup_set_mems(cg, "0", &err));
	EXPECT_OK(test, lcx_cgroup_add_pid(cg, pid, &err));
	EXPECT(test, sched_getaffinity(pid, sizeof(set), &set) == 0 && CPU_COUNT(&set) == 1);
	EXPECT_FAILS(test, lcx_cgroup_set_cpus(cg, "0\n1", &err), EINVAL, "not a list");
	end(test, cg);
	(void)status_of(pid);
}

/* At the top, where the parent is a partition; below others none can be had. */
static void partition(struct test *test)
{
	struct lcx_cgroup *cg = make(test, "partition"), *top = NULL;
	struct lcx_error *words = NULL;
	char path[64], file[128], text[16] = "";
	int fd, r = lcx_cgroup_set_partition(cg, "root", &words);

	EXPECT_FAILS(test, lcx_cgroup_set_partition(cg, "mine", &err), EINVAL, "none of member");
	if (r == -EOPNOTSUPP) {
		EXPECT(test, strstr(lcx_error_message(words), "version 1") != NULL);
	} else {
		EXPECT(test, r == -EBUSY && strstr(lcx_error_message(words), "partition") != NULL);
		EXPECT_OK(test, lcx_cgroup_set_partition(cg, "member", &err));
		(void)snprintf(path, sizeof(path), "/lcx-partition-%d", getpid());
		EXPECT_OK(test, lcx_cgroup_create(path, &top, &err));
		EXPECT_OK(test, lcx_cgroup_set_cpus(top, "1", &err));
		EXPECT_OK(test, lcx_cgroup_set_partition(top, "isolated", &err));
		(void)snprintf(file, sizeof(file), "/sys/fs/cgroup%s/cpuset.cpus.partition", path);
		fd = open(file, O_RDONLY | O_CLOEXEC);
		EXPECT(test, read(fd, text, sizeof(text)) > 0 && strcmp(text, "isolated\n") == 0);
		(void)close(fd);
		EXPECT_OK(test, lcx_cgroup_set_partition(top, "member", &err));
		end(test, top);
	}
	lcx_error_free(words);
	end(test, cg);
}

static void files(struct test *test)
{
	struct lcx_cgroup *cg = make(test, "files");
	struct lcx_error *words = NULL;
	int r;

	EXPECT_FAILS(test, lcx_cgroup_set_file(cg, "../cgroup.procs", "1", &err), EINVAL,
		     "not a control file");
	EXPECT_FAILS(test, lcx_cgroup_set_file(cg, "cgroup.procs", "1", &err), EINVAL,
		     "not a control file");
	EXPECT_FAILS(test, lcx_cgroup_set_file(cg, "memory.high", "1\n2", &err), EINVAL,
		     "one line");
	r = lcx_cgroup_set_file(cg, "memory.high", "33554432", &words);
	EXPECT(test, r == 0 || (r == -ENODEV && strstr(lcx_error_message(words), "version")));
	EXPECT_FAILS(test, lcx_cgroup_set_limit(cg, 999, 1, &err), EINVAL, "not a cgroup limit");
	lcx_error_free(words);
	end(test, cg);
}

/* The whole disk that a path is on; a partition has no limits of its own. */
static bool find_disk(const char *path, unsigned int *major_number, unsigned int *minor_number)
{
	char link[64], target[256];
	struct stat st;

	if (stat(path, &st) < 0 || major(st.st_dev) == 0)
		return false;
	(void)snprintf(link, sizeof(link), "/sys/dev/block/%u:%u/partition", major(st.st_dev),
		       minor(st.st_dev));
	if (access(link, F_OK) == 0)
		return false;
	(void)snprintf(target, sizeof(target), "/sys/dev/block/%u:%u/queue", major(st.st_dev),
		       minor(st.st_dev));
	if (access(target, F_OK) < 0)
		return false;
	*major_number = major(st.st_dev);
	*minor_number = minor(st.st_dev);
	return true;
}

static int body_write_disk(struct shared *shared)
{
	int fd = open("lcx-test-io", O_WRONLY | O_CREAT | O_TRUNC | O_DIRECT | O_CLOEXEC, 0600);
	void *block = NULL;

	(void)unlink("lcx-test-io");
	if (fd < 0 || posix_memalign(&block, 4096, 65536) != 0)
		return 2;
	memset(block, 7, 65536);
	for (int i = 0; i < 48; i++) {
		if (write(fd, block, 65536) != 65536)
			return 3;
		shared->counter++;
	}
	return 0;
}

static void io(struct test *test)
{
	struct lcx_cgroup *cg;
	struct lcx_cgroup_stats *stats = NULL;
	struct shared *shared = shared_new();
	const char *scratch = getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp";
	unsigned int disk_major, disk_minor;
	int64_t began, took_ms;
	pid_t pid;

	if (chdir(scratch) < 0 || !find_disk(".", &disk_major, &disk_minor)) {
		skip(test, "the temporary directory is on no whole block device");
		return;
	}
	cg = make(test, "io");
	EXPECT_OK(test, lcx_cgroup_set_io_limit(cg, LCX_CGROUP_IO_WRITE_BYTES_PER_S, disk_major,
						disk_minor, 1 << 20, &err));
	pid = start(shared, body_write_disk);
	EXPECT_OK(test, lcx_cgroup_add_pid(cg, pid, &err));
	began = lcx__monotonic_ns();
	let_go(shared);
	EXPECT(test, status_of(pid) == 0);
	took_ms = (lcx__monotonic_ns() - began) / 1000000;
	note("3 MiB at 1 MiB/s took %" PRId64 " ms", took_ms);
	EXPECT(test, took_ms > 1500 && took_ms < 20000);
	EXPECT_OK(test, lcx_cgroup_stats_new(cg, &stats, &err));
	EXPECT(test, lcx_cgroup_stats_io_write_bytes(stats) >= 3 << 20);
	EXPECT(test, lcx_cgroup_stats_io_write_ops(stats) >= 48);
	EXPECT_OK(test, lcx_cgroup_set_io_limit(cg, LCX_CGROUP_IO_WRITE_BYTES_PER_S, disk_major,
						disk_minor, INT64_MAX, &err));
	lcx_cgroup_stats_free(stats);
	end(test, cg);
}

/* In a child that was put into a delegated cgroup: relative paths, "no internal process", a leaf.
 */
static int body_delegated(struct shared *shared)
{
	struct lcx_cgroup *cg = NULL;
	struct lcx_error *err = NULL;
	bool v2_memory;
	int r;

	r = lcx_cgroup_create("inner", &cg, &err);
	if (r < 0) {
		note("create: %s", lcx_error_message(err));
		return 1;
	}
	if (!strstr(lcx_cgroup_path(cg), "/delegated/inner"))
		return 2;
	v2_memory = cg->layout->controller[CONTROLLER_MEMORY] == cg->layout->unified;
	if (v2_memory) {
		r = lcx_cgroup_use(cg, "memory", &err);
		if (r != -EBUSY || !strstr(lcx_error_message(err), "lcx_cgroup_vacate"))
			return 3;
		err = lcx_error_free(err);
	}
	if (lcx_cgroup_vacate("self", &err) < 0) {
		note("vacate: %s", lcx_error_message(err));
		return 4;
	}
	if (v2_memory && lcx_cgroup_set_limit(cg, LCX_CGROUP_MEMORY_MAX_BYTES, 1 << 24, &err) < 0) {
		note("limit: %s", lcx_error_message(err));
		return 5;
	}
	shared->counter = 1;
	r = lcx_cgroup_destroy(cg, 1000, &err);
	lcx_cgroup_free(cg);
	return r < 0 ? 6 : 0;
}

static void delegated(struct test *test)
{
	struct lcx_cgroup *cg = make(test, "delegated");
	struct shared *shared = shared_new();
	pid_t pid = start(shared, body_delegated);
	int status;

	if (cg->layout->unified < 0 ||
	    fsetxattr(cg->dir_fd[cg->layout->unified], "trusted.delegate", "1", 1, 0) < 0) {
		skip(test, "there is no unified hierarchy that could be delegated");
		kill(pid, SIGKILL);
		(void)status_of(pid);
		end(test, cg);
		return;
	}
	if (cg->layout->controller[CONTROLLER_MEMORY] == cg->layout->unified)
		EXPECT_OK(test, lcx_cgroup_use(cg, "memory", &err));
	EXPECT_OK(test, lcx_cgroup_add_pid(cg, pid, &err));
	let_go(shared);
	status = status_of(pid);
	if (status != 0)
		note("the child ended with %d", WEXITSTATUS(status));
	EXPECT(test, status == 0);
	end(test, cg);
}

static void pressure(struct test *test)
{
	struct lcx_cgroup *cg = make(test, "pressure");
	struct lcx_error *words = NULL;
	int fd = lcx_cgroup_pressure_fd(cg, LCX_CGROUP_PRESSURE_CPU, 0, 100000, 2000000, &words);

	if (fd == -EOPNOTSUPP) {
		skip(test, "this kernel measures no pressure");
	} else {
		struct shared *shared = shared_new();
		struct pollfd wait = {.fd = fd, .events = POLLPRI};
		struct lcx_cgroup_stats *stats = NULL;
		pid_t pids[3];
		cpu_set_t one;

		EXPECT(test, fd >= 0);
		if (fd < 0)
			note("%s", lcx_error_message(words));
		CPU_ZERO(&one);
		CPU_SET(0, &one);
		for (int i = 0; i < 3; i++) {
			pids[i] = start(shared, body_spin);
			(void)sched_setaffinity(pids[i], sizeof(one), &one);
			EXPECT_OK(test, lcx_cgroup_add_pid(cg, pids[i], &err));
		}
		let_go(shared);
		EXPECT(test, poll(&wait, 1, 10000) == 1 && wait.revents & POLLPRI);
		EXPECT_OK(test, lcx_cgroup_stats_new(cg, &stats, &err));
		EXPECT(test, lcx_cgroup_stats_stalled_ns(stats, LCX_CGROUP_PRESSURE_CPU, 0) > 0);
		lcx_cgroup_stats_free(stats);
		EXPECT_OK(test, lcx_cgroup_kill(cg, 5000, &err));
		for (int i = 0; i < 3; i++)
			(void)status_of(pids[i]);
		close(fd);
	}
	lcx_error_free(words);
	end(test, cg);
}

/* A process born in its cgroup: clone into the unified one, "0" into tasks of the others. */
static void born(struct test *test)
{
	struct lcx_cgroup *cg = make(test, "born");
	struct sys_clone_args args = {.exit_signal = SIGCHLD};
	int fds[LCX__CGROUP_JOIN_MAX], count;
	struct shared *shared = shared_new();
	struct lcx_cgroup_stats *stats = NULL;
	long pid;

	EXPECT_OK(test, lcx_cgroup_set_limit(cg, LCX_CGROUP_PIDS_MAX, 5, &err));
	EXPECT_OK(test, lcx_cgroup_set_limit(cg, LCX_CGROUP_MEMORY_MAX_BYTES, 64 << 20, &err));
	count = lcx__cgroup_join_fds(cg, fds, LCX__CGROUP_JOIN_MAX);
	EXPECT(test, count >= 0);
	if (lcx__cgroup_into_fd(cg) >= 0) {
		args.flags = UINT64_C(0x200000000); /* CLONE_INTO_CGROUP */
		args.cgroup = (uint64_t)lcx__cgroup_into_fd(cg);
	}
	pid = sys_call2(__NR_clone3, &args, sizeof(args));
	if (pid == 0) {
		for (int i = 0; i < count; i++)
			if (write(fds[i], "0", 1) != 1)
				_exit(1);
		shared->done = 1;
		while (!shared->go)
			nap_ms(1);
		_exit(0);
	}
	EXPECT(test, pid > 0);
	for (int i = 0; i < 1000 && !shared->done; i++)
		nap_ms(5);
	EXPECT_OK(test, lcx_cgroup_stats_new(cg, &stats, &err));
	EXPECT(test, lcx_cgroup_stats_pids_current(stats) == 1);
	EXPECT(test, lcx_cgroup_is_populated(cg, NULL) == 1);
	let_go(shared);
	EXPECT(test, status_of((pid_t)pid) == 0);
	for (int i = 0; i < count; i++)
		close(fds[i]);
	EXPECT_FAILS(test, lcx__cgroup_join_fds(cg, fds, 0) == -E2BIG || count == 0 ? -ENOENT : 0,
		     ENOENT, "");
	lcx_cgroup_stats_free(stats);
	end(test, cg);
}

/* --- how to get in, measured --- */

enum { ROUNDS = 100 };

static int64_t measure_create(struct test *test, bool limits)
{
	int64_t total = 0;

	for (int i = 0; i < ROUNDS; i++) {
		int64_t began = lcx__monotonic_ns();
		struct lcx_cgroup *cg = make(test, "measured");

		if (limits) {
			EXPECT_OK(test, lcx_cgroup_set_limit(cg, LCX_CGROUP_PIDS_MAX, 50, &err));
			EXPECT_OK(test, lcx_cgroup_set_limit(cg, LCX_CGROUP_MEMORY_MAX_BYTES,
							     64 << 20, &err));
			EXPECT_OK(test,
				  lcx_cgroup_set_limit(cg, LCX_CGROUP_CPU_QUOTA_US, 50000, &err));
		}
		total += lcx__monotonic_ns() - began;
		EXPECT_OK(test, lcx_cgroup_destroy(cg, 1000, &err));
		lcx_cgroup_free(cg);
	}
	return total / ROUNDS / 1000;
}

/* Microseconds per process until it is in all hierarchies: by itself, or moved from outside. */
static int64_t measure_join(struct test *test, struct lcx_cgroup *cg, bool from_outside)
{
	int64_t total = 0;

	for (int i = 0; i < ROUNDS; i++) {
		struct shared *shared = shared_new();
		int fds[LCX__CGROUP_JOIN_MAX];
		int count = lcx__cgroup_join_fds(cg, fds, LCX__CGROUP_JOIN_MAX);
		pid_t pid = fork();
		int64_t began;

		if (pid == 0) {
			while (!shared->go)
				nap_ms(1);
			began = lcx__monotonic_ns();
			for (int f = 0; f < count; f++)
				if (write(fds[f], "0", 1) != 1)
					_exit(1);
			shared->counter = (uint64_t)(lcx__monotonic_ns() - began);
			_exit(0);
		}
		if (from_outside) {
			began = lcx__monotonic_ns();
			EXPECT_OK(test, lcx_cgroup_add_pid(cg, pid, &err));
			total += lcx__monotonic_ns() - began;
		}
		let_go(shared);
		EXPECT(test, status_of(pid) == 0);
		if (!from_outside)
			total += (int64_t)shared->counter;
		for (int f = 0; f < count; f++)
			close(fds[f]);
		munmap(shared, sizeof(*shared));
	}
	return total / ROUNDS / 1000;
}

static void measured(struct test *test)
{
	struct lcx_cgroup *cg;
	int64_t create_us = measure_create(test, false), limits_us = measure_create(test, true);

	cg = make(test, "measured");
	EXPECT_OK(test, lcx_cgroup_set_limit(cg, LCX_CGROUP_PIDS_MAX, 50, &err));
	EXPECT_OK(test, lcx_cgroup_set_limit(cg, LCX_CGROUP_MEMORY_MAX_BYTES, 64 << 20, &err));
	EXPECT_OK(test, lcx_cgroup_set_limit(cg, LCX_CGROUP_CPU_QUOTA_US, 50000, &err));
	note("create: %" PRId64 " us, with memory, cpu and pids limits: %" PRId64 " us", create_us,
	     limits_us);
	note("join: \"0\" to tasks by itself %" PRId64 " us, cgroup.procs from outside %" PRId64
	     " us",
	     measure_join(test, cg, false), measure_join(test, cg, true));
	EXPECT_OK(test, lcx_cgroup_destroy(cg, 1000, &err));
	lcx_cgroup_free(cg);
}

static const struct {
	const char *name;
	void (*run)(struct test *test);
} cases[] = {
	{"a cgroup is made once, found again, and removed", life},
	{"who exceeds the memory limit is killed and told of, its neighbour is not", memory},
	{"swap is limited apart from memory", swap},
	{"a fork bomb is held by the pids limit", pids},
	{"a loop is throttled, and the figures say so", cpu},
	{"a frozen process stands still until it is thawed", freeze},
	{"a tree that forks is killed", kill_at_once},
	{"a tree that forks is killed on version 1", kill_v1},
	{"a late limit holds for those who are there", late_limit},
	{"who exceeds the limit of huge pages is stopped, its neighbour is not", huge},
	{"a device is refused, and allowed by an update", devices},
	{"nested cgroups and empty parents go with theirs", nested},
	{"the CPU set is obeyed", cpuset},
	{"CPUs of a partition are its own, or it is none", partition},
	{"control files are checked against tricks", files},
	{"writing to a disk is slowed down", io},
	{"a delegated cgroup is found, and vacated for its children", delegated},
	{"pressure wakes up a poller", pressure},
	{"a process is born in all its hierarchies", born},
	{"entering is measured", measured},
};

int main(int argc, char **argv)
{
	static const char *const modes[] = {"none", "version 1", "hybrid", "version 2"};
	int mode = lcx_cgroup_mode(NULL), failures = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	note("cgroups: %s", mode < 0 ? "?" : modes[mode]);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct test test = {.name = cases[i].name};

		if (argc > 1 && !strstr(cases[i].name, argv[1]))
			continue;
		(void)snprintf(test.root, sizeof(test.root), "lcx-test-%d", (int)getpid());
		cases[i].run(&test);
		failures += test.failures;
		if (!test.skipped || test.failures)
			printf("%sok - %s\n", test.failures ? "not " : "", test.name);
	}
	return failures != 0;
}
