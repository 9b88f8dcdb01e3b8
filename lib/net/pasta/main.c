/* SPDX-License-Identifier: MIT */

/*
 * The keeper of a pasta: a program that the library carries along. It executes passt's pasta as a
 * child and waits for two ends: when the container's process is gone, it kills pasta; when pasta is
 * gone, it is, too. It is nobody's child and outlives whoever has started it, so that a
 * container whose host was killed keeps its network as long as it lives, and no longer. Should
 * somebody kill the keeper, the kernel kills pasta: the parent-death signal is of a process here
 * that has one thread, and ends when the process does.
 *
 * No byte of a container's ever reaches it: what pasta says is thrown away, but for the reason why
 * it did not start.
 */
#include "net/pasta/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/sys.h"

enum { READY_MS = 10000 };

struct keeper {
	int ready_fd, words_fd; /* pasta's standard output and error */
	int pasta_fd;           /* its pidfd */
	pid_t pid;
	struct pasta_reply reply;
	size_t n_words;
};

/* What it says last is the reason; until it works, the end of it is kept. */
static void hear(struct keeper *k)
{
	char piece[PASTA_WORDS_SIZE / 2];
	ssize_t n = read(k->words_fd, piece, sizeof(piece));
	size_t room = sizeof(k->reply.words) - 1, over;

	if (n <= 0) {
		(void)close(k->words_fd);
		k->words_fd = -1; /* poll(2) passes over it */
		return;
	}
	over = k->n_words + (size_t)n > room ? k->n_words + (size_t)n - room : 0;
	memmove(k->reply.words, k->reply.words + over, k->n_words - over);
	k->n_words -= over;
	memcpy(k->reply.words + k->n_words, piece, (size_t)n);
	k->n_words += (size_t)n;
	k->reply.words[k->n_words] = '\0';
}

/*
 * The user namespace by a descriptor of the keeper's: the container's process shows nobody its own.
 * The other one is looked at from in there, where the keeper is out of reach, and what pasta has
 * inherited it may have closed, but for the standard descriptors: it is the standard input.
 */
static char **add_namespaces(char **argv, pid_t keeper)
{
	static char userns[64], userns_option[] = "--userns", netns_option[] = "--netns",
				netns[] = "/proc/self/fd/0";

	(void)snprintf(userns, sizeof(userns), "/proc/%d/fd/%d", keeper, PASTA_FD_USERNS);
	*argv++ = userns_option;
	*argv++ = userns;
	*argv++ = netns_option;
	*argv++ = netns;
	return argv;
}

static void split(struct pasta_order *order, char **argv, pid_t keeper)
{
	char *at = order->text, *end = order->text + order->length;
	uint32_t n = 0;

	for (; n < order->n_arguments && at < end; at += strlen(at) + 1, n++)
		*argv++ = at;
	argv = add_namespaces(argv, keeper);
	*argv = NULL;
}

/* Its number comes out at its standard output when all is set up: the option --pid. */
static void execute(struct pasta_order *order, int ready_fd, int words_fd, pid_t keeper)
{
	static char *argv[PASTA_ARGUMENTS_LIMIT + 5], *environment[] = {NULL};

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* It may have died before. */
	if (getppid() != keeper || dup2(PASTA_FD_NETNS, 0) < 0 || dup2(ready_fd, 1) < 0 ||
	    dup2(words_fd, 2) < 0)
		_exit(127);
	(void)sys_close_range(3, ~0u, 0);
	(void)signal(SIGPIPE, SIG_DFL);
	split(order, argv, keeper);
	(void)execve(argv[0], argv, environment);
	_exit(127);
}

static int start(struct keeper *k, struct pasta_order *order)
{
	int ready[2], words[2];
	pid_t keeper = getpid();

	if (pipe2(ready, O_CLOEXEC) < 0 || pipe2(words, O_CLOEXEC) < 0)
		return -errno;
	k->pid = fork();
	if (k->pid < 0)
		return -errno;
	if (k->pid == 0)
		execute(order, ready[1], words[1], keeper);
	(void)close(ready[1]);
	(void)close(words[1]);
	k->ready_fd = ready[0];
	k->words_fd = words[0];
	k->pasta_fd = sys_pidfd_open(k->pid, 0);
	return k->pasta_fd < 0 ? k->pasta_fd : 0;
}

static int wait_ready(struct keeper *k)
{
	enum { READY, WORDS, PROCESS, N };
	int r;

	for (;;) {
		struct pollfd fds[N] = {{.fd = k->ready_fd, .events = POLLIN},
					{.fd = k->words_fd, .events = POLLIN},
					{.fd = PASTA_FD_PROCESS, .events = POLLIN}};
		char number[32];

		r = poll(fds, N, READY_MS);
		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return r < 0 ? -errno : -ETIMEDOUT;
		if (fds[PROCESS].revents)
			return -ESRCH;
		if (fds[WORDS].revents)
			hear(k);
		else if (fds[READY].revents)
			return read(k->ready_fd, number, sizeof(number)) > 0 ? 0 : -EPROTO;
	}
}

static void keep(struct keeper *k)
{
	enum { PASTA, WORDS, PROCESS, N };

	for (;;) {
		struct pollfd fds[N] = {{.fd = k->pasta_fd, .events = POLLIN},
					{.fd = k->words_fd, .events = POLLIN},
					{.fd = PASTA_FD_PROCESS, .events = POLLIN}};

		if (poll(fds, N, -1) < 0 && errno != EINTR)
			return;
		if (fds[PASTA].revents || fds[PROCESS].revents)
			return;
		if (fds[WORDS].revents)
			hear(k);
	}
}

static int run(struct pasta_order *order)
{
	static struct keeper k = {.words_fd = -1};
	int r = start(&k, order);

	if (r == 0)
		r = wait_ready(&k);
	k.reply.error = -r;
	k.reply.pid = k.pid;
	(void)send(PASTA_FD_CONTROL, &k.reply, sizeof(k.reply), MSG_NOSIGNAL);
	(void)close(PASTA_FD_CONTROL);
	if (r == 0)
		keep(&k);
	if (k.pid > 0)
		(void)kill(k.pid, SIGKILL);
	(void)waitpid(k.pid, NULL, 0);
	return r < 0;
}

/*
 * As if a shell had started it. What the host ignores comes along through execve(2): without
 * SIGCHLD the kernel itself would reap pasta, and its number be another process's when it is
 * killed.
 */
static void reset_signals(void)
{
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		(void)signal(number, SIG_DFL);
	/* They were blocked when it was started. */
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
}

int main(void)
{
	static struct pasta_order order;
	pid_t pid;

	if (recv(PASTA_FD_CONTROL, &order, sizeof(order), 0) != sizeof(order) ||
	    order.n_arguments > PASTA_ARGUMENTS_LIMIT || order.length > sizeof(order.text))
		return 1;
	/* Else a list of processes shows the memfd's name. */
	(void)prctl(PR_SET_NAME, "lcx-pasta");
	reset_signals();
	/* Whoever started it is the parent of the first, which ends, and of no other. */
	pid = fork();
	if (pid != 0)
		return pid < 0;
	(void)setsid();
	return chdir("/") < 0 ? 1 : run(&order);
}
