/* SPDX-License-Identifier: MIT */
#include "init/init.h"

#include <asm/errno.h>
#include <linux/fcntl.h>
#include <linux/poll.h>
#include <linux/signal.h>

/*
 * A hook is a program of the administrator's that is run to its end while the container waits. It
 * gets the container's state as its standard input, and the environment that the description
 * names, nothing else. Whether it runs here or in the container is the plan's business: it runs
 * wherever lcx-init stands at that moment.
 *
 * It leads a session of its own, so that all of it can be killed when its time is over, or when
 * the program that waits for the container has died.
 */

enum { TAIL_SIZE = 128, FAILED_TO_EXECUTE = 127 };

struct hook {
	int pid, pidfd;
	int output_fd; /* what it says; -1 once it has said all */
	char tail[TAIL_SIZE];
	size_t length; /* of the tail */
};

static int64_t now_ms(void)
{
	struct sys_timespec now = {0, 0};

	sys_clock_gettime(1 /* CLOCK_MONOTONIC */, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- its start ---------------------------------------------------------- */

/* In the new process. Only a failure returns. */
static int become(struct init *init, const struct plan_op *op, int output_fd, int *status_fd)
{
	int state_fd = op->fd >= 0 ? op->fd : init->state_fd, r;
	char **argv = init_vector(init, op->str[2], op->length);
	char **env = init_vector(init, op->str[3], (uint32_t)op->num[0]);

	sys_call0(__NR_setsid);
	r = (int)sys_call3(__NR_lseek, state_fd, 0, 0 /* SEEK_SET */);
	if (r == 0)
		r = (int)sys_call3(__NR_dup3, state_fd, 0, 0);
	for (int fd = 1; r >= 0 && fd < 3; fd++)
		r = (int)sys_call3(__NR_dup3, output_fd, fd, 0);
	if (r >= 0)
		r = (int)sys_call3(__NR_dup3, *status_fd, 3, O_CLOEXEC);
	if (r >= 0) {
		*status_fd = 3;
		r = sys_close_range(4, ~0u, 0);
	}
	if (r < 0)
		return r;
	sys_call1(__NR_umask, init->umask);
	init_reset_signals();
	return (int)sys_call3(__NR_execve, init_str(init, op, 1), argv, env);
}

static int open_pipe(int fds[2])
{
	int r = (int)sys_call2(__NR_pipe2, fds, O_CLOEXEC);

	/* Above the places that the child fills. */
	for (int i = 0; r >= 0 && i < 2; i++) {
		int fd = (int)sys_call3(__NR_fcntl, fds[i], F_DUPFD_CLOEXEC, 5);

		sys_close(fds[i]);
		fds[i] = r = fd;
	}
	return r < 0 ? r : 0;
}

static int start(struct init *init, const struct plan_op *op, struct hook *hook)
{
	int output[2], status[2], error = 0, r = open_pipe(output);

	if (r == 0)
		r = open_pipe(status);
	if (r == 0)
		r = init_fork(0, SIGCHLD, -1, &hook->pidfd);
	if (r < 0)
		return r;
	if (r == 0) {
		error = become(init, op, output[1], &status[1]);
		(void)sys_write(status[1], &error, sizeof(error));
		for (;;)
			sys_call1(__NR_exit_group, FAILED_TO_EXECUTE);
	}
	hook->pid = r;
	hook->output_fd = output[0];
	sys_close(output[1]);
	sys_close(status[1]);
	/* Ends without a word when the program is executed. */
	r = (int)sys_read(status[0], &error, sizeof(error));
	sys_close(status[0]);
	return r == sizeof(error) ? error : 0;
}

/* ---- its end ------------------------------------------------------------ */

static void take_output(struct hook *hook)
{
	char more[TAIL_SIZE];
	int n = (int)sys_read(hook->output_fd, more, sizeof(more));
	size_t length = n > 0 ? (size_t)n : 0, kept = sizeof(hook->tail) - length;

	if (n <= 0) {
		sys_close(hook->output_fd);
		hook->output_fd = -1;
		return;
	}
	if (kept > hook->length)
		kept = hook->length;
	memmove(hook->tail, hook->tail + hook->length - kept, kept);
	memcpy(hook->tail + kept, more, length);
	hook->length = kept + length;
}

enum verdict { ENDED, LATE, DESERTED };

static enum verdict watch(struct init *init, struct hook *hook, int64_t timeout_ms)
{
	int64_t deadline = now_ms() + timeout_ms;

	for (;;) {
		struct pollfd fds[] = {
			{hook->output_fd, POLLIN, 0},
			{hook->pidfd, POLLIN, 0},
			{init->control_fd, 0, 0},
		};
		int64_t left = deadline - now_ms();
		struct sys_timespec wait = {left / 1000, left % 1000 * 1000000};

		if (timeout_ms && left <= 0)
			return LATE;
		sys_call5(__NR_ppoll, fds, 3, timeout_ms ? &wait : 0, 0, 0);
		if (fds[0].revents)
			take_output(hook);
		else if (fds[1].revents)
			return ENDED;
		else if (fds[2].revents)
			return DESERTED;
	}
}

/* Printable, in one line. */
static void describe(struct init *init, const struct hook *hook, int status)
{
	char words[TAIL_SIZE + 1];
	size_t n = 0;

	for (size_t i = 0; i < hook->length; i++) {
		char c = hook->tail[i];

		if (c > ' ' && c < 0x7f)
			words[n++] = c;
		else if (n > 0 && words[n - 1] != ' ')
			words[n++] = ' ';
	}
	while (n > 0 && words[n - 1] == ' ')
		n--;
	words[n] = '\0';
	init->detail[0] = '\0';
	(void)text_append(init->detail, sizeof(init->detail),
			  status & 0x7f ? "killed by signal " : "exit status ");
	(void)text_append_number(init->detail, sizeof(init->detail),
				 (uint64_t)(status & 0x7f ? status & 0x7f : status >> 8 & 0xff));
	if (n > 0) {
		(void)text_append(init->detail, sizeof(init->detail), ": ");
		(void)text_append(init->detail, sizeof(init->detail), words);
	}
}

static int describe_late(struct init *init, int64_t timeout_ms)
{
	init->detail[0] = '\0';
	(void)text_append(init->detail, sizeof(init->detail), "killed, for its timeout is ");
	(void)text_append_number(init->detail, sizeof(init->detail), (uint64_t)timeout_ms);
	(void)text_append(init->detail, sizeof(init->detail), " ms");
	return -ETIMEDOUT;
}

static int end(struct init *init, struct hook *hook, enum verdict verdict, int64_t timeout_ms)
{
	int status = 0;

	if (verdict != ENDED)
		sys_call2(__NR_kill, -hook->pid, SIGKILL);
	sys_call4(__NR_wait4, hook->pid, &status, 0, 0);
	sys_close(hook->pidfd);
	if (hook->output_fd >= 0)
		sys_close(hook->output_fd);
	if (verdict != ENDED)
		return verdict == LATE ? describe_late(init, timeout_ms) : -ECANCELED;
	if (status == 0)
		return 0;
	describe(init, hook, status);
	return -ECANCELED;
}

/*
 * str: what it is, path, argv (length members), environment (num 0 members); num 1: its time in
 * milliseconds, 0 for as long as it takes; fd: the state, or -1 for what CLOSE has kept.
 */
int init_op_HOOK(struct init *init, const struct plan_op *op)
{
	struct hook hook = {.pidfd = -1, .output_fd = -1};
	int r = start(init, op, &hook);

	if (hook.pid == 0)
		return r;
	if (r < 0) {
		(void)end(init, &hook, ENDED, 0);
		init->detail[0] = '\0';
		return r;
	}
	return end(init, &hook, watch(init, &hook, (int64_t)op->num[1]), (int64_t)op->num[1]);
}
