/* SPDX-License-Identifier: MIT */
/* The confined process that unpacks: what it may still do, and what becomes of its caller. */
#include "unit.h"

#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "image/helper.h"
#include "image/helper/confine.h"
#include "image/limits.h"
#include "image/unpack.h"
#include "init/launch.h"
#include "lcx/layer.h"
#include "util/str.h"
#include "util/process.h"
#include "util/sys.h"

static struct unit_dir dir;
static int root_fd;

static void set_up(void)
{
	unit_dir_make(&dir);
	root_fd = lcx__make_dirs(dir.fd, "root", 0755);
	ck_assert_int_ge(root_fd, 0);
}

static void tear_down(void)
{
	closep(&root_fd);
	unit_dir_remove(&dir);
}

/* An archive with one file "x" of @size bytes. */
static int archive_fd(uint32_t size, struct lcx__digest *ret_diff_id, uint64_t *ret_size)
{
	uint64_t total = 512 + (size + 511) / 512 * 512 + 1024;
	CLEANUP(freep) unsigned char *tar = calloc(1, total);
	int fd = memfd_create("archive", MFD_CLOEXEC);
	unsigned sum = 0;

	ck_assert(tar && fd >= 0);
	memcpy(tar, "x", 1);
	memcpy(tar + 100, "0000644", 7);
	(void)snprintf((char *)tar + 124, 12, "%011o", size);
	tar[156] = '0';
	memcpy(tar + 257, "ustar\00000", 8);
	memset(tar + 148, ' ', 8);
	for (size_t i = 0; i < 512; i++)
		sum += tar[i];
	(void)snprintf((char *)tar + 148, 8, "%06o", sum);
	memset(tar + 512, 'x', size);
	ck_assert_ok(lcx__write_all(fd, tar, total));
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	ck_assert_ok(lcx__digest_of(NULL, tar, total, ret_diff_id, NULL));
	*ret_size = total;
	return fd;
}

struct running {
	struct lcx__helper *helper;
	struct lcx__unpack_progress progress;
	int input_fd, pid;
	uint64_t size;
};

static int wait_and_step(struct running *run, struct lcx_error **err)
{
	struct pollfd poller = {lcx__helper_fd(run->helper), POLLIN, 0};

	ck_assert_int_eq(poll(&poller, 1, 20000), 1);
	return lcx__helper_step(run->helper, &run->progress, err);
}

/* One that is confined, and waits for its input. */
static void start_waiting(struct running *run)
{
	struct lcx__engine_job job = {
		.root_fd = root_fd, .limits = lcx__extract_limits_default, .users_fd = -1};
	struct lcx_error *err = NULL;

	*run = (struct running){0};
	run->input_fd = archive_fd(3 << 20, &job.diff_id, &run->size);
	job.input_fd = run->input_fd;
	ck_assert_int_eq(lcx__helper_start(&job, true, &run->helper, &err), 0);
	ck_assert_int_eq(wait_and_step(run, &err), 1);
	run->pid = lcx__pidfd_pid(lcx__helper_pidfd(run->helper));
	ck_assert_int_gt(run->pid, 0);
}

static void end(struct running *run)
{
	run->helper = lcx__helper_free(run->helper);
	ck_assert_int_eq(kill(run->pid, 0), -1);
	closep(&run->input_fd);
}

/* Feed all of it and wait for the end. */
static int finish(struct running *run, struct lcx_error **err)
{
	int r = lcx__helper_feed(run->helper, run->size, true, err);

	while (r >= 0) {
		r = wait_and_step(run, err);
		if (r <= 0)
			break;
	}
	return r;
}

static void status_line(int pid, const char *name, char value[static 64])
{
	CLEANUP(freep) char *text = NULL;
	char path[64];
	const char *line;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", pid);
	ck_assert_ok(lcx__read_file(AT_FDCWD, path, 1 << 16, &text, NULL));
	line = strstr(text, name);
	ck_assert_ptr_nonnull(line);
	(void)snprintf(value, 64, "%.*s", (int)strcspn(line + strlen(name) + 2, "\n"),
		       line + strlen(name) + 2);
}

static size_t count_entries(int pid, const char *what)
{
	CLEANUP(closedirp) DIR *entries = NULL;
	char path[64];
	size_t n = 0;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, what);
	entries = opendir(path);
	if (!entries)
		return SIZE_MAX; /* not dumpable: only the superuser looks in */
	while (readdir(entries))
		n++;
	return n - 2;
}

START_TEST(the_helper_can_do_next_to_nothing)
{
	enum { SYS_ADMIN_ALONE = 21 };
	struct running run;
	char value[64];

	start_waiting(&run);
	status_line(run.pid, "\nSeccomp", value);
	ck_assert_str_eq(value, "2");
	status_line(run.pid, "\nNoNewPrivs", value);
	ck_assert_str_eq(value, "1");
	status_line(run.pid, "\nThreads", value);
	ck_assert_str_eq(value, "3"); /* one decompresses, one hashes, one extracts */
	status_line(run.pid, "\nCapInh", value);
	ck_assert_str_eq(value, "0000000000000000");
	status_line(run.pid, "\nCapEff", value);
	/* CHOWN, DAC_OVERRIDE, FOWNER, FSETID, SETFCAP; MKNOD and SYS_ADMIN for the superuser. */
	ck_assert_uint_eq(strtoull(value, NULL, 16) &
				  ~(UINT64_C(0x8800001b) | UINT64_C(1) << SYS_ADMIN_ALONE),
			  0);
	if (geteuid() == 0) {
		ck_assert_uint_eq(count_entries(run.pid, "fd"), 6);
		ck_assert_uint_eq(count_entries(run.pid, "root"), 0);
		ck_assert_uint_eq(count_entries(run.pid, "task"), 3);
	}
	ck_assert_int_eq(finish(&run, NULL), 0);
	end(&run);
}
END_TEST

START_TEST(an_input_may_grow_while_it_is_read)
{
	static const uint64_t steps[] = {1, 100, 511, 512, 100000, 100000, 2 << 20};
	struct running run;
	struct stat st;

	start_waiting(&run);
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		ck_assert_ok(lcx__helper_feed(run.helper, steps[i], false, NULL));
	/* More than the socket holds: what doesn't fit is sent later. */
	for (uint64_t at = 2 << 20; at < run.size; at += 512)
		ck_assert_ok(lcx__helper_feed(run.helper, at, false, NULL));
	ck_assert_int_eq(finish(&run, NULL), 0);
	ck_assert_uint_eq(run.progress.consumed_bytes, run.size);
	ck_assert_uint_eq(run.progress.produced_bytes, run.size);
	ck_assert_int_eq(fstatat(root_fd, "x", &st, 0), 0);
	ck_assert_uint_eq(st.st_size, 3 << 20);
	end(&run);
}
END_TEST

START_TEST(an_input_that_ends_early_is_cut)
{
	struct lcx_error *err = NULL;
	struct running run;

	start_waiting(&run);
	run.size = 1 << 20;
	ck_assert_fails(finish(&run, &err), EBADMSG, err, "entry 'x'");
	end(&run);
}
END_TEST

START_TEST(its_death_is_an_error_in_words)
{
	struct lcx_error *err = NULL;
	struct running run;
	int r = 1;

	start_waiting(&run);
	ck_assert_int_eq(kill(run.pid, SIGKILL), 0);
	while (r > 0)
		r = wait_and_step(&run, &err);
	ck_assert_fails(r, ENOMEM, err, "memory ran out");
	end(&run);
}
END_TEST

/* With feeds unread; what it says last must come through all the same. */
START_TEST(its_last_words_are_heard)
{
	struct lcx__engine_job job = {
		.root_fd = root_fd, .limits = lcx__extract_limits_default, .users_fd = -1};
	struct lcx_error *err = NULL;
	struct running run = {0};
	int r = 1;

	run.input_fd = archive_fd(100, &job.diff_id, &run.size);
	job.input_fd = run.input_fd;
	job.limits.free_bytes = INT64_MAX;
	ck_assert_int_eq(lcx__helper_start(&job, true, &run.helper, &err), 0);
	run.pid = lcx__pidfd_pid(lcx__helper_pidfd(run.helper));
	for (int i = 0; i < 20; i++)
		ck_assert_ok(lcx__helper_feed(run.helper, 1, false, NULL));
	while (poll(&(struct pollfd){lcx__helper_pidfd(run.helper), POLLIN, 0}, 1, 20000) != 1)
		continue;
	while (r > 0)
		r = wait_and_step(&run, &err);
	ck_assert_fails(r, ENOSPC, err, "left on the file system");
	end(&run);
}
END_TEST

START_TEST(cancelling_leaves_no_process)
{
	struct running run;

	start_waiting(&run);
	ck_assert_ok(lcx__helper_feed(run.helper, 1 << 20, false, NULL));
	end(&run);
}
END_TEST

START_TEST(it_ends_with_its_caller)
{
	struct running run;
	int pidfd;

	start_waiting(&run);
	pidfd = fcntl(lcx__helper_pidfd(run.helper), F_DUPFD_CLOEXEC, 3);
	ck_assert_int_eq(shutdown(lcx__helper_fd(run.helper), SHUT_RDWR), 0);
	ck_assert_int_eq(poll(&(struct pollfd){pidfd, POLLIN, 0}, 1, 20000), 1);
	closep(&pidfd);
	end(&run);
}
END_TEST

/* Each in a process of its own, which must not survive it. */
static void call_socket(void)
{
	(void)socket(AF_UNIX, SOCK_STREAM, 0);
}

static void call_execve(void)
{
	char *const none[] = {NULL};

	(void)execve("/bin/true", none, none);
}

static void call_fork(void)
{
	(void)sys_call5(__NR_clone, SIGCHLD, 0, 0, 0, 0);
}

static void call_mmap_exec(void)
{
	(void)mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void call_mprotect_exec(void)
{
	void *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)mprotect(page, 4096, PROT_READ | PROT_EXEC);
}

static void call_mount(void)
{
	(void)sys_open_tree(AT_FDCWD, "/", 0);
}

static void call_ptrace(void)
{
	(void)sys_call4(__NR_ptrace, 0, 0, 0, 0);
}

#if defined(__x86_64__)
static void call_32_bit(void)
{
	long result;

	/* getpid() of the other architecture, whose number means something else here */
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(20) : "memory");
}

static void call_x32(void)
{
	(void)sys_call0(__NR_read | 0x40000000);
}
#endif

static void (*const forbidden[])(void) = {
	call_socket,        call_execve, call_fork,   call_mmap_exec,
	call_mprotect_exec, call_mount,  call_ptrace,
#if defined(__x86_64__)
	call_32_bit,        call_x32,
#endif
};

START_TEST(a_forbidden_call_is_the_end)
{
	int status = 0, pid = fork();

	if (pid == 0) {
		struct lcx_error *err = NULL;

		(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
		if (lcx__confine_system_calls(&err) == 0)
			forbidden[_i]();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(WTERMSIG(status), SIGSYS);
}
END_TEST

/* Confined or not, the rights are the caller's: trusted.* for the superuser, and devices. */
START_TEST(both_ways_give_the_same)
{
	struct lcx__unpack_job job = {
		.root_fd = root_fd, .limits = lcx__extract_limits_default, .in_process = _i == 1};
	CLEANUP(lcx__unpack_freep) struct lcx__unpack *unpack = NULL;
	struct lcx__unpack_progress progress;
	struct lcx__extract_rights rights;
	CLEANUP(closep) int fd = -1;
	struct lcx_error *err = NULL;
	struct stat st;
	uint64_t size;
	int r = 1;

	ck_assert_ok(lcx__extract_rights_probe(root_fd, &rights, NULL));
	/* In the way of the file that comes. */
	ck_assert_ok(close(lcx__make_dirs(root_fd, "x/a/b/c", 0755)));
	fd = archive_fd(100000, &job.diff_id, &size);
	job.input_fd = fd;
	ck_assert_int_eq(lcx__unpack_new(&job, &unpack, &err), 0);
	ck_assert_int_eq(lcx__unpack_fd(unpack) >= 0, _i == 0);
	while (r > 0) {
		struct pollfd poller = {lcx__unpack_fd(unpack), POLLIN, 0};

		(void)poll(&poller, 1, poller.fd < 0 ? 0 : 20000);
		r = lcx__unpack_step(unpack, &progress, &err);
	}
	ck_assert_int_eq(r, 0);
	ck_assert_uint_eq(progress.produced_bytes, size);
	ck_assert_int_eq(progress.userxattr, rights.userxattr);
	/* The root itself is described by no entry. */
	ck_assert_uint_eq(lcx__unpack_implied(unpack)->length, 1);
	ck_assert_int_eq(fstatat(root_fd, "x", &st, AT_SYMLINK_NOFOLLOW), 0);
	ck_assert(S_ISREG(st.st_mode));
}
END_TEST

static const struct {
	int limit;
	uint64_t value;
	int r;
} limit_cases[] = {
	{LCX_LAYER_LIMIT_ENTRIES, 1, 0},
	{LCX_LAYER_LIMIT_ENTRIES, 0, -ERANGE},
	{LCX_LAYER_LIMIT_TOTAL_BYTES, 5, 0},
	{LCX_LAYER_LIMIT_TOTAL_BYTES, UINT64_MAX, -ERANGE},
	{LCX_LAYER_LIMIT_RATIO, 2, 0},
	{LCX_LAYER_LIMIT_RATIO, UINT64_C(1) << 32, -ERANGE},
	{LCX_LAYER_LIMIT_PATH_BYTES, 4095, 0},
	{LCX_LAYER_LIMIT_PATH_BYTES, 4096, -ERANGE},
	{LCX_LAYER_LIMIT_XATTR_BYTES, 65536, 0},
	{LCX_LAYER_LIMIT_XATTR_BYTES, 65537, -ERANGE},
	{LCX_LAYER_LIMIT_XATTRS, 3, 0},
	{LCX_LAYER_LIMIT_WINDOW_BYTES, 1 << 20, 0},
	{LCX_LAYER_LIMIT_WINDOW_BYTES, 1, -ERANGE},
	{LCX_LAYER_LIMIT_FREE_BYTES, 0, 0},
	{LCX_LAYER_LIMIT_FREE_BYTES + 1, 1, -EINVAL},
	{-1, 1, -EINVAL},
};

START_TEST(limits_are_set_one_by_one)
{
	enum lcx_layer_limit limit = (enum lcx_layer_limit)limit_cases[_i].limit;
	CLEANUP(lcx_ctx_freep) struct lcx_ctx *ctx = NULL;
	struct lcx__extract_limits limits;
	struct lcx_error *err = NULL;
	uint64_t before;
	int r;

	ck_assert_ok(lcx__ctx_new(dir.path, NULL, &ctx, NULL));
	before = lcx_layer_limit(ctx, limit);
	lcx__limits_of(ctx, &limits);
	ck_assert_mem_eq(&limits, &lcx__extract_limits_default, sizeof(limits));
	r = lcx_layer_set_limit(ctx, limit, limit_cases[_i].value, &err);
	ck_assert_int_eq(r, limit_cases[_i].r);
	ck_assert_uint_eq(lcx_layer_limit(ctx, limit), r < 0 ? before : limit_cases[_i].value);
	lcx__limits_of(ctx, &limits);
	ck_assert_int_eq(memcmp(&limits, &lcx__extract_limits_default, sizeof(limits)) == 0,
			 r < 0 || before == limit_cases[_i].value);
	ck_assert(!lcx_layer_in_process(ctx));
	lcx_layer_set_in_process(ctx, true);
	ck_assert(lcx_layer_in_process(ctx));
	lcx_error_free(err);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("image-helper");
	TCase *tc = tcase_create("helper");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, the_helper_can_do_next_to_nothing);
	tcase_add_test(tc, an_input_may_grow_while_it_is_read);
	tcase_add_test(tc, an_input_that_ends_early_is_cut);
	tcase_add_test(tc, its_death_is_an_error_in_words);
	tcase_add_test(tc, its_last_words_are_heard);
	tcase_add_test(tc, cancelling_leaves_no_process);
	tcase_add_test(tc, it_ends_with_its_caller);
	tcase_add_loop_test(tc, a_forbidden_call_is_the_end, 0, ARRAY_SIZE(forbidden));
	tcase_add_loop_test(tc, both_ways_give_the_same, 0, 2);
	tcase_add_loop_test(tc, limits_are_set_one_by_one, 0, ARRAY_SIZE(limit_cases));
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
