/* SPDX-License-Identifier: MIT */
#include "net/monitor/monitor.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include "util/fs.h"

/* How it ended, if it told a reason. */
static int reap(int pid)
{
	int status, r;

	do
		r = waitpid(pid, &status, 0);
	while (r < 0 && errno == EINTR);
	return r == pid && WIFEXITED(status) && WEXITSTATUS(status) != 0 ? -WEXITSTATUS(status)
									 : -ECHILD;
}

/* It greets when it is confined. */
static int wait_for_worker(int worker_fd, int pid)
{
	char byte;
	ssize_t n;

	do
		n = recv(worker_fd, &byte, 1, 0);
	while (n < 0 && errno == EINTR);
	return n == 1 ? 0 : reap(pid);
}

int monitor_start_worker(const struct monitor *monitor, int *ret_fd)
{
	int pair[2], reader = getpid(), r;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	pid = fork();
	if (pid == 0) {
		(void)close(pair[0]);
		monitor_work(monitor, pair[1], reader);
	}
	r = pid < 0 ? -errno : 0;
	(void)close(pair[1]);
	if (r == 0)
		r = wait_for_worker(pair[0], pid);
	if (r < 0) {
		(void)close(pair[0]);
		return r;
	}
	*ret_fd = pair[0];
	return pid;
}

/* The table in a file of memory. */
static int write_table(const void *table, size_t size)
{
	CLEANUP(closep) int fd = memfd_create("lcx-names", MFD_CLOEXEC);
	int r = fd < 0 ? -errno : lcx__write_all(fd, table, size);

	return r < 0 ? r : TAKE_FD(fd);
}

static int send_table(int worker_fd, uint64_t size, int fd)
{
	struct monitor_table answer = {.size = size};
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec iov = {&answer, sizeof(answer)};
	struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};

	if (fd >= 0) {
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
		control.header = (struct cmsghdr){
			.cmsg_level = SOL_SOCKET,
			.cmsg_type = SCM_RIGHTS,
			.cmsg_len = CMSG_LEN(sizeof(int)),
		};
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	}
	return sendmsg(worker_fd, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* Watched before it is read: what comes in between is news. -ENOENT: the network is gone. */
static int answer(const struct monitor *monitor, int worker_fd)
{
	CLEANUP(freep) void *table = NULL;
	CLEANUP(closep) int fd = -1;
	size_t size = 0;
	int r = lcx__names_watch(&monitor->source, monitor->inotify_fd);

	if (r != -ENOENT)
		r = lcx__names_read(&monitor->source, &table, &size);
	if (r == 0)
		fd = r = write_table(table, size);
	if (r == -ENOENT)
		return r;
	return send_table(worker_fd, r < 0 ? 0 : size, fd);
}

/* It does not end but by a fault, or by whoever found one: not faster than once a second. */
static int restart_worker(const struct monitor *monitor, int *worker_fd, int pid)
{
	const struct timespec second = {.tv_sec = 1};

	(void)close(*worker_fd);
	(void)kill(pid, SIGKILL);
	(void)reap(pid);
	(void)nanosleep(&second, NULL);
	return monitor_start_worker(monitor, worker_fd);
}

void monitor_read_for(const struct monitor *monitor, int worker_fd, int worker_pid)
{
	while (worker_pid > 0) {
		char byte;
		ssize_t n = recv(worker_fd, &byte, 1, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n == 1 && answer(monitor, worker_fd) == -ENOENT)
			return;
		if (n <= 0)
			worker_pid = restart_worker(monitor, &worker_fd, worker_pid);
	}
}
