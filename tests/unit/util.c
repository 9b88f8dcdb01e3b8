/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "util/error.h"
#include "util/process.h"
#include "util/program.h"
#include "util/str.h"

static struct unit_dir dir;

static void set_up(void)
{
	unit_dir_make(&dir);
}

static void tear_down(void)
{
	unit_dir_remove(&dir);
}

START_TEST(first_failure_is_kept)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;

	ck_assert_int_eq(lcx__fail(&err, ENOENT, "image '%s'", "x"), -ENOENT);
	ck_assert_int_eq(lcx__fail(&err, EIO, "later"), -EIO);
	ck_assert_int_eq(lcx__fail_prefix(&err, -ENOENT, "pull"), -ENOENT);
	ck_assert_int_eq(lcx__fail_stage(&err, -ENOENT, "image"), -ENOENT);
	ck_assert_str_eq(lcx_error_message(err), "pull: image 'x'");
	ck_assert_str_eq(lcx_error_stage(err), "image");
	ck_assert_int_eq(lcx_error_code(err), ENOENT);
}
END_TEST

START_TEST(system_failure_carries_the_systems_words)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;

	ck_assert_int_eq(lcx__fail_sys(&err, ENOENT, "open '%s'", "x"), -ENOENT);
	ck_assert_str_eq(lcx_error_message(err), "open 'x': No such file or directory");
}
END_TEST

START_TEST(no_error_wanted_is_fine)
{
	ck_assert_int_eq(lcx__fail(NULL, EPERM, "x"), -EPERM);
	ck_assert_int_eq(lcx__fail_prefix(NULL, -EPERM, "x"), -EPERM);
	ck_assert_str_eq(lcx_error_message(NULL), "");
	ck_assert_int_eq(lcx_error_code(NULL), 0);
	ck_assert_ptr_null(lcx_error_free(NULL));
}
END_TEST

START_TEST(a_program_that_others_can_replace_is_not_the_administrators)
{
	CLEANUP(freep) char *link = lcx__format("%s/sh", dir.path);

	ck_assert(lcx__is_administrators_program("/bin/sh"));
	ck_assert_int_eq(symlink("/bin/sh", link), 0);
	ck_assert(lcx__is_program(link));
	ck_assert(!lcx__is_administrators_program(link));
	ck_assert(!lcx__is_program(dir.path));
	ck_assert(!lcx__is_administrators_program("/usr/bin/no-such"));
}
END_TEST

static const struct {
	const char *name;
	bool valid;
} name_cases[] = {
	{"web", true},  {"0-_.x", true},     {"", false},    {".", false},
	{"..", false},  {"../x", false},     {"a/b", false}, {"-rm", false},
	{"a b", false}, {"\xc3\xa9", false}, {NULL, false},  {"a\n", false},
};

START_TEST(names_that_could_be_paths_are_refused)
{
	char long_name[130];

	ck_assert_int_eq(lcx__name_is_valid(name_cases[_i].name), name_cases[_i].valid);
	memset(long_name, 'a', 129);
	long_name[129] = '\0';
	ck_assert(!lcx__name_is_valid(long_name));
	long_name[128] = '\0';
	ck_assert(lcx__name_is_valid(long_name));
}
END_TEST

START_TEST(numbers_are_whole_strings)
{
	uint64_t value = 7;

	ck_assert_ok(lcx__parse_u64("4294967295", UINT32_MAX, &value));
	ck_assert_uint_eq(value, 4294967295u);
	ck_assert_int_eq(lcx__parse_u64("4294967296", UINT32_MAX, &value), -ERANGE);
	ck_assert_int_eq(lcx__parse_u64("99999999999999999999", UINT64_MAX, &value), -ERANGE);
	ck_assert_int_eq(lcx__parse_u64(" 0", 10, &value), -EINVAL);
	ck_assert_int_eq(lcx__parse_u64("-1", 10, &value), -EINVAL);
	ck_assert_int_eq(lcx__parse_u64("0x0", 10, &value), -EINVAL);
	ck_assert_int_eq(lcx__parse_u64("", 10, &value), -EINVAL);
	ck_assert_uint_eq(value, 4294967295u);
}
END_TEST

START_TEST(a_path_ends_before_its_slashes)
{
	static const struct {
		const char *path;
		size_t length;
	} paths[] = {{"", 0}, {"/", 0}, {"///", 0}, {"a", 1}, {"/a//", 2}, {"a/b/", 3}, {"/.", 2}};

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		ck_assert_uint_eq(lcx__path_length(paths[i].path), paths[i].length);
}
END_TEST

START_TEST(a_process_is_ended_if_it_is_the_one_that_is_meant)
{
	pid_t pid = fork();
	int64_t started;

	while (pid == 0)
		(void)pause();
	ck_assert_ok(lcx__read_start_time(pid, &started));
	ck_assert_ok(lcx__end_process(pid, started + 100, 10000));
	ck_assert_int_eq(kill(pid, 0), 0);
	ck_assert_int_eq(waitpid(pid, NULL, WNOHANG), 0);
	ck_assert_ok(lcx__end_process(pid, started, 10000));
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert_ok(lcx__end_process(pid, started, 10000));
}
END_TEST

START_TEST(time_survives_a_round_trip)
{
	char text[LCX__TIME_SIZE];
	int64_t ns;

	lcx__format_time(1769903999000000001, text);
	ck_assert_str_eq(text, "2026-01-31T23:59:59.000000001Z");
	ck_assert_ok(lcx__parse_time(text, &ns));
	ck_assert_int_eq(ns, 1769903999000000001);
	ck_assert_ok(lcx__parse_time("2026-02-01T01:59:59+02:00", &ns));
	ck_assert_int_eq(ns, 1769903999000000000);
	ck_assert_int_eq(lcx__parse_time("yesterday", &ns), -EINVAL);
	ck_assert_int_eq(lcx__parse_time("0001-01-01T00:00:00Z", &ns), -ERANGE);
	ck_assert_int_eq(lcx__parse_time("9999-12-31T23:59:59Z", &ns), -ERANGE);
}
END_TEST

START_TEST(a_file_is_replaced_whole)
{
	CLEANUP(freep) char *text = NULL;
	size_t length;
	struct stat st;

	ck_assert_ok(lcx__replace_file(dir.fd, "state", "old", 3, 0600, false));
	ck_assert_ok(lcx__replace_file(dir.fd, "state", "newer", 5, 0640, true));
	ck_assert_ok(lcx__read_file(dir.fd, "state", 100, &text, &length));
	ck_assert_str_eq(text, "newer");
	ck_assert_uint_eq(length, 5);
	ck_assert_int_eq(fstatat(dir.fd, "state", &st, 0), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0640);
	ck_assert_int_eq(lcx__read_file(dir.fd, "state", 4, &text, &length), -EFBIG);
}
END_TEST

START_TEST(removal_never_follows_a_link)
{
	struct stat st;

	ck_assert_ok(close(lcx__make_dirs(dir.fd, "victim/a", 0755)));
	ck_assert_ok(close(lcx__make_dirs(dir.fd, "tree/b/c", 0755)));
	ck_assert_int_eq(symlinkat("../victim", dir.fd, "tree/link"), 0);
	ck_assert_ok(lcx__remove_tree(dir.fd, "tree"));
	ck_assert_int_eq(fstatat(dir.fd, "victim/a", &st, 0), 0);
	ck_assert_int_eq(fstatat(dir.fd, "tree", &st, 0), -1);
	ck_assert_ok(lcx__remove_tree(dir.fd, "tree"));
}
END_TEST

static int make_without_rights(int fd)
{
	return mkdirat(fd, "tree", 0755) | mkdirat(fd, "tree/none", 0700) |
	       mkdirat(fd, "tree/none/inner", 0700) | mkdirat(fd, "tree/none/inner/empty", 0) |
	       mkdirat(fd, "tree/none/inner/full", 0700) |
	       mkdirat(fd, "tree/none/inner/full/x", 0700) |
	       fchmodat(fd, "tree/none/inner/full", 0400, 0) |
	       fchmodat(fd, "tree/none/inner", 0, 0) | fchmodat(fd, "tree/none", 0, 0) |
	       fchmodat(fd, "tree", 0100, 0);
}

START_TEST(removal_gives_its_own_directories_the_rights_that_they_lack)
{
	int status;
	pid_t pid;

	ck_assert_int_eq(fchmod(dir.fd, 0777), 0);
	pid = fork();
	if (pid == 0) {
		if (geteuid() == 0 && setresuid(65534, 65534, 65534) < 0)
			_exit(2);
		_exit(make_without_rights(dir.fd) != 0 ? 3 : lcx__remove_tree(dir.fd, "tree") != 0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(faccessat(dir.fd, "tree", F_OK, 0), -1);
}
END_TEST

/* Deeper than there are descriptors, than a path is long, and than a small stack could recurse. */
START_TEST(removal_does_not_depend_on_the_depth)
{
	enum { DEPTH = 1000, DESCRIPTORS = 32 };
	const struct rlimit few = {DESCRIPTORS, DESCRIPTORS};
	struct stat st;
	int at = dup(dir.fd);

	for (int i = 0; i < DEPTH; i++) {
		int next;

		ck_assert_int_eq(mkdirat(at, "deep", 0755), 0);
		if (i % 100 == 50) {
			ck_assert_int_eq(mkdirat(at, "wide", 0755), 0);
			ck_assert_int_eq(symlinkat("deep", at, "wide/link"), 0);
		}
		next = openat(at, "deep", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		ck_assert_int_ge(next, 0);
		close(at);
		at = next;
	}
	close(at);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	ck_assert_ok(lcx__remove_tree(dir.fd, "deep"));
	ck_assert_int_eq(fstatat(dir.fd, "deep", &st, 0), -1);
}
END_TEST

START_TEST(links_resolve_inside_the_root)
{
	CLEANUP(closep) int root = -1, made = -1;
	struct stat st;

	root = lcx__make_dirs(dir.fd, "root/etc", 0755);
	closep(&root);
	root = lcx__open_dir(dir.fd, "root");
	ck_assert_int_eq(symlinkat("/../../outside", root, "out"), 0);
	ck_assert_int_eq(mkdirat(root, "outside", 0755), 0);
	made = lcx__make_dirs_in_root(root, "out/deep/er", 0755);
	ck_assert_int_ge(made, 0);
	ck_assert_int_eq(fstatat(root, "outside/deep/er", &st, 0), 0);
	ck_assert_int_eq(fstatat(dir.fd, "outside", &st, 0), -1);
}
END_TEST

static int leased_fd;

static void give_back(int signal)
{
	(void)signal;
	(void)fcntl(leased_fd, F_SETLEASE, F_UNLCK);
}

/* In a process of its own: one's own lease holds up nobody. */
static pid_t lease(const char *name, void (*handler)(int))
{
	char done = 0;
	int fds[2];
	pid_t pid;

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		(void)sigaction(SIGIO, &(struct sigaction){.sa_handler = handler}, NULL);
		leased_fd = openat(dir.fd, name, O_RDONLY | O_CLOEXEC);
		if (fcntl(leased_fd, F_SETLEASE, F_WRLCK) == 0)
			(void)!write(fds[1], "", 1);
		for (;;)
			(void)pause();
	}
	closep(&fds[1]);
	ck_assert_int_eq(read(fds[0], &done, 1), 1);
	closep(&fds[0]);
	return pid;
}

START_TEST(a_lease_holds_up_for_a_moment_only)
{
	static void (*const handlers[])(int) = {SIG_IGN, give_back};
	CLEANUP(closep) int path_fd = -1;
	char path[64];

	ck_assert_ok(lcx__replace_file(dir.fd, "leased", "x", 1, 0600, false));
	path_fd = openat(dir.fd, "leased", O_PATH | O_CLOEXEC);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", path_fd);
	for (int i = 0; i < 2; i++) {
		pid_t pid = lease("leased", handlers[i]);
		CLEANUP(closep) int fd = lcx__open_leased(path, i == 0 ? 100 : 10000);

		ck_assert_int_eq(kill(pid, SIGKILL), 0);
		ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
		ck_assert_msg(i == 0 ? fd == -ETIME : fd >= 0, "%d: %d", i, fd);
	}
}
END_TEST

static void on_alarm(int signal)
{
	(void)signal;
}

/* The signals of the host program, which come all the time, neither end a process nor the wait for
 * it. */
START_TEST(a_process_ends_when_it_ends)
{
	const struct sigaction action = {.sa_handler = on_alarm};
	const struct itimerval often = {{0, 2000}, {0, 2000}};
	int64_t began = lcx__monotonic_ns();
	CLEANUP(closep) int pidfd = -1;
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			(void)pause();
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	ck_assert_int_ge(pidfd, 0);
	ck_assert_int_eq(sigaction(SIGALRM, &action, NULL), 0);
	ck_assert_int_eq(setitimer(ITIMER_REAL, &often, NULL), 0);
	ck_assert_int_eq(lcx__pidfd_ends(pidfd, 100), 0);
	ck_assert_int_ge(lcx__monotonic_ns() - began, INT64_C(100000000));
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(lcx__pidfd_ends(pidfd, 10000), 1);
	ck_assert_int_eq(lcx__pidfd_ends(pidfd, 0), 1);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}
END_TEST

static void *open_thread(void *ret)
{
	*(int *)ret = lcx__open_process(syscall(SYS_gettid), 0);
	return NULL;
}

/* "No such file" would be a container that is not there, and not one that does not run. */
START_TEST(a_number_that_a_thread_has_now_is_no_process)
{
	pthread_t thread;
	int r = 0;

	ck_assert_int_eq(pthread_create(&thread, NULL, open_thread, &r), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_int_eq(r, -ESRCH);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("util");
	TCase *tc = tcase_create("util");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, first_failure_is_kept);
	tcase_add_test(tc, system_failure_carries_the_systems_words);
	tcase_add_test(tc, no_error_wanted_is_fine);
	tcase_add_test(tc, a_program_that_others_can_replace_is_not_the_administrators);
	tcase_add_loop_test(tc, names_that_could_be_paths_are_refused, 0, ARRAY_SIZE(name_cases));
	tcase_add_test(tc, numbers_are_whole_strings);
	tcase_add_test(tc, a_path_ends_before_its_slashes);
	tcase_add_test(tc, a_process_is_ended_if_it_is_the_one_that_is_meant);
	tcase_add_test(tc, time_survives_a_round_trip);
	tcase_add_test(tc, a_file_is_replaced_whole);
	tcase_add_test(tc, removal_never_follows_a_link);
	tcase_add_test(tc, removal_gives_its_own_directories_the_rights_that_they_lack);
	tcase_add_test(tc, removal_does_not_depend_on_the_depth);
	tcase_add_test(tc, links_resolve_inside_the_root);
	tcase_add_test(tc, a_lease_holds_up_for_a_moment_only);
	tcase_add_test(tc, a_process_ends_when_it_ends);
	tcase_add_test(tc, a_number_that_a_thread_has_now_is_no_process);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
