/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "init/launch.h"
#include "init/program.h"
#include "util/sys.h"

/* Launch @argv with @plan's operations before it; everything it writes goes to @output. */
static int run(struct lcx__plan *plan, const char *const *argv, char *output, size_t size,
	       int *status, struct lcx_error **err)
{
	static const char *const env[] = {"PATH=/usr/bin:/bin", "A=b", NULL};
	CLEANUP(lcx__child_abandonp) struct lcx__child child = LCX__CHILD_NONE;
	struct plan_op *op = lcx__plan_add(plan, PLAN_EXEC);
	siginfo_t info = {0};
	uint32_t n;
	int pipe_fds[2], r;

	op->str[0] = lcx__plan_string(plan, argv[0]);
	op->str[1] = lcx__plan_vector(plan, argv, &op->length);
	op->str[2] = lcx__plan_vector(plan, env, &n);
	op->num[0] = n;
	ck_assert_int_eq(pipe2(pipe_fds, O_CLOEXEC), 0);
	r = lcx__launch(&(struct lcx__launch){.plan = plan,
					      .cgroup_fd = -1,
					      .stdio = {-1, pipe_fds[1], pipe_fds[1]}},
			&child, err);
	ck_assert_ok(r);
	closep(&pipe_fds[1]);
	while ((r = lcx__child_receive(&child, NULL, err)) > 0)
		if (r == PLAN_MESSAGE_READY)
			ck_assert_ok(lcx__child_continue(&child, err));
	if (r == 0) {
		CLEANUP(freep) char *text = NULL;

		ck_assert_ok(lcx__read_fd(pipe_fds[0], size - 1, &text, NULL));
		strcpy(output, text);
		ck_assert_int_eq(waitid((idtype_t)P_PIDFD, (id_t)child.pidfd, &info, WEXITED), 0);
		*status = info.si_status;
	}
	closep(&pipe_fds[0]);
	return r;
}

static struct lcx__plan *plan;
static char output[4096];
static int status;

static void set_up(void)
{
	ck_assert_ok(lcx__plan_new(&plan, NULL));
}

static void tear_down(void)
{
	plan = lcx__plan_free(plan);
}

START_TEST(a_program_gets_its_arguments_and_environment)
{
	static const char *const argv[] = {"sh", "-c", "echo \"$1-$A\"; exit 7", "sh", "x y", NULL};
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;

	ck_assert_ok(run(plan, argv, output, sizeof(output), &status, &err));
	ck_assert_str_eq(output, "x y-b\n");
	ck_assert_int_eq(status, 7);
}
END_TEST

START_TEST(nothing_of_the_host_reaches_the_program)
{
	static const char *const argv[] = {
		"sh", "-c",
		"ls /proc/self/fd | tr '\\n' ' '; "
		"grep -E 'SigBlk|SigIgn' /proc/self/status | tr -d '\\n\\t'",
		NULL};
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	sigset_t set, before;
	int leaked = open("/", O_RDONLY); /* not O_CLOEXEC, as a careless host has it */

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	ck_assert_int_eq(sigprocmask(SIG_BLOCK, &set, NULL), 0);
	(void)signal(SIGHUP, SIG_IGN);
	ck_assert_ok(run(plan, argv, output, sizeof(output), &status, &err));
	/* 3 is the directory that ls itself reads. */
	ck_assert_str_eq(output, "0 1 2 3 SigBlk:0000000000000000SigIgn:0000000000000000");
	ck_assert_int_eq(sigprocmask(SIG_UNBLOCK, &set, &before), 0);
	ck_assert_int_eq(sigismember(&before, SIGTERM), 1);
	(void)signal(SIGHUP, SIG_DFL);
	closep(&leaked);
}
END_TEST

START_TEST(a_missing_program_is_named)
{
	static const char *const argv[] = {"no-such-program", NULL};
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;

	ck_assert_int_eq(run(plan, argv, output, sizeof(output), &status, &err), -ENOENT);
	ck_assert_str_eq(lcx_error_message(err),
			 "execute 'no-such-program': No such file or directory");
	ck_assert_str_eq(lcx_error_stage(err), "exec");
}
END_TEST

START_TEST(a_file_that_is_no_program_is_named)
{
	static const char *const argv[] = {"/etc/passwd", NULL};
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;

	ck_assert_int_eq(run(plan, argv, output, sizeof(output), &status, &err), -EACCES);
	ck_assert_str_eq(lcx_error_stage(err), "exec");
}
END_TEST

START_TEST(the_failing_operation_is_described)
{
	static const char *const argv[] = {"true", NULL};
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	struct plan_op *op = lcx__plan_add(plan, PLAN_CHDIR);

	op->str[0] = lcx__plan_string(plan, "/no/such/directory");
	ck_assert_fails(run(plan, argv, output, sizeof(output), &status, &err), ENOENT, err,
			"change to the working directory '/no/such/directory'");
}
END_TEST

START_TEST(the_program_waits_for_the_answer)
{
	static const char *const argv[] = {"echo", "on", NULL};
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;

	lcx__plan_add(plan, PLAN_SYNC)->num[0] = PLAN_MESSAGE_READY;
	ck_assert_ok(run(plan, argv, output, sizeof(output), &status, &err));
	ck_assert_str_eq(output, "on\n");
}
END_TEST

START_TEST(a_plan_without_memory_is_refused)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	struct lcx__child child = LCX__CHILD_NONE;

	for (int i = 0; i < 300; i++)
		(void)lcx__plan_fd(plan, 0);
	ck_assert_int_lt(
		lcx__launch(
			&(struct lcx__launch){.plan = plan, .cgroup_fd = -1, .stdio = {-1, -1, -1}},
			&child, &err),
		0);
	ck_assert_ptr_nonnull(strstr(lcx_error_message(err), "launch plan does not fit"));
}
END_TEST

static bool refuses_to_change(int fd)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	for (int i = 0; i < 2; i++) {
		CLEANUP(closep) int anew = i == 0 ? dup(fd) : open(path, O_RDWR | O_CLOEXEC);
		void *view = mmap(NULL, 4096, PROT_READ, MAP_SHARED, anew, 0);

		if (pwrite(anew, "x", 1, 0) >= 0 || ftruncate(anew, 0) == 0 ||
		    ftruncate(anew, 8192) == 0 ||
		    fallocate(anew, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096) == 0 ||
		    mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, anew, 0) != MAP_FAILED ||
		    mprotect(view, 4096, PROT_READ | PROT_WRITE) == 0 ||
		    fcntl(anew, F_ADD_SEALS, F_SEAL_WRITE) == 0)
			return false;
		(void)munmap(view, 4096);
	}
	return true;
}

static void on_alarm(int sig)
{
	(void)sig;
}

/* A thread of a host that gets signals more often than we look sees it all the same. */
START_TEST(one_that_was_stopped_is_not_waited_for)
{
	const struct itimerval often = {{0, 20000}, {0, 20000}}, never = {{0, 0}, {0, 0}};
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	int pipe_fds[2], pidfd, r;
	pid_t pid;

	ck_assert_int_eq(pipe2(pipe_fds, O_CLOEXEC), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	while (pid == 0)
		(void)pause();
	pidfd = sys_pidfd_open(pid, 0);
	ck_assert_int_ge(pidfd, 0);
	ck_assert_int_eq(kill(pid, SIGSTOP), 0);
	(void)sigaction(SIGALRM, &(struct sigaction){.sa_handler = on_alarm}, NULL);
	ck_assert_int_eq(setitimer(ITIMER_REAL, &often, NULL), 0);
	r = lcx__wait_for_word(pipe_fds[0], pidfd, -1, &err);
	ck_assert_int_eq(setitimer(ITIMER_REAL, &never, NULL), 0);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert_fails(r, ECANCELED, err, "was stopped by a signal");
	closep(&pidfd);
	closep(&pipe_fds[0]);
	closep(&pipe_fds[1]);
}
END_TEST

START_TEST(one_that_makes_no_step_is_given_up)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	CLEANUP(closep) int pidfd = sys_pidfd_open(getpid(), 0);
	int pipe_fds[2];

	ck_assert_int_eq(pipe2(pipe_fds, O_CLOEXEC), 0);
	ck_assert_fails(lcx__wait_for_word(pipe_fds[0], pidfd, 250, &err), ETIMEDOUT, err,
			"holds a lease");
	ck_assert_int_eq(write(pipe_fds[1], "", 1), 1);
	ck_assert_ok(lcx__wait_for_word(pipe_fds[0], pidfd, 0, &err));
	closep(&pipe_fds[0]);
	closep(&pipe_fds[1]);
}
END_TEST

START_TEST(a_sealed_file_is_not_changed)
{
	static const char page[4096] = "#!";
	CLEANUP(closep) int fd = lcx__sealed_memfd("sealed", page, sizeof(page), true);

	ck_assert_int_ge(fd, 0);
	ck_assert(refuses_to_change(fd));
}
END_TEST

/* As the kernel itself does, to move it: here a pipe. */
START_TEST(a_file_is_sealed_while_somebody_holds_a_page)
{
	CLEANUP(closep) int fd = memfd_create("held", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct iovec held = {.iov_len = 4096};
	int pipe_fds[2];

	ck_assert_int_eq(ftruncate(fd, 4096), 0);
	ck_assert_int_eq(pwrite(fd, "x", 1, 0), 1);
	held.iov_base = mmap(NULL, held.iov_len, PROT_READ, MAP_SHARED, fd, 0);
	ck_assert_int_eq(pipe2(pipe_fds, O_CLOEXEC), 0);
	ck_assert_int_eq(vmsplice(pipe_fds[1], &held, 1, 0), 4096);
	ck_assert_ok(lcx__seal(fd));
	ck_assert(refuses_to_change(fd));
	(void)munmap(held.iov_base, held.iov_len);
	closep(&pipe_fds[0]);
	closep(&pipe_fds[1]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("init");
	TCase *tc = tcase_create("init");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, a_program_gets_its_arguments_and_environment);
	tcase_add_test(tc, nothing_of_the_host_reaches_the_program);
	tcase_add_test(tc, a_missing_program_is_named);
	tcase_add_test(tc, a_file_that_is_no_program_is_named);
	tcase_add_test(tc, the_failing_operation_is_described);
	tcase_add_test(tc, the_program_waits_for_the_answer);
	tcase_add_test(tc, a_plan_without_memory_is_refused);
	tcase_add_test(tc, one_that_was_stopped_is_not_waited_for);
	tcase_add_test(tc, one_that_makes_no_step_is_given_up);
	tcase_add_test(tc, a_sealed_file_is_not_changed);
	tcase_add_test(tc, a_file_is_sealed_while_somebody_holds_a_page);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
