/* SPDX-License-Identifier: MIT */
#include "init/enter.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "util/cleanup.h"
#include "util/sys.h"

enum { STACK_SIZE = 16 * 1024 };

/*
 * Without an exit signal the child is nobody's business: the host gets no SIGCHLD, its
 * wait(2) does not see it, and one that ignores SIGCHLD does not reap it either.
 */
static int clone_and_wait(struct lcx__enter *enter)
{
	CLEANUP(freep) char *stack = aligned_alloc(64, STACK_SIZE);
	uint64_t all = ~(uint64_t)0, before;
	int pid;

	if (!stack)
		return -ENOMEM;
	sys_call4(__NR_rt_sigprocmask, SIG_SETMASK, &all, &before, sizeof(all));
	pid = clone(lcx__enter_child, stack + STACK_SIZE, CLONE_VM | CLONE_VFORK | CLONE_FILES,
		    enter);
	if (pid < 0)
		enter->result = -errno;
	sys_call4(__NR_rt_sigprocmask, SIG_SETMASK, &before, NULL, sizeof(before));
	while (pid > 0 && waitpid(pid, NULL, __WCLONE) < 0 && errno == EINTR)
		;
	return enter->result;
}

int lcx__write_in_netns(int netns_fd, int proc_fd, const char *path, const char *text)
{
	struct lcx__enter enter = {
		.ns_fd = netns_fd,
		.proc_fd = proc_fd,
		.path = path,
		.text = text,
		.length = strlen(text),
		.result = -EIO,
	};

	return clone_and_wait(&enter);
}

int lcx__socket_in_netns(int netns_fd, int domain, int type, int protocol)
{
	struct lcx__enter enter = {
		.ns_fd = netns_fd,
		.domain = domain,
		.type = type | SOCK_CLOEXEC,
		.protocol = protocol,
		.result = -EIO,
	};

	return clone_and_wait(&enter);
}

int lcx__find_in_mounts(int ns_fd, const char *path)
{
	struct lcx__enter enter = {
		.what = LCX__ENTER_FIND,
		.ns_fd = ns_fd,
		.path = path,
		.result = -EIO,
	};

	return clone_and_wait(&enter);
}

int lcx__attach_in_mounts(int ns_fd, int tree_fd, int place_fd)
{
	struct lcx__enter enter = {
		.what = LCX__ENTER_ATTACH,
		.ns_fd = ns_fd,
		.tree_fd = tree_fd,
		.place_fd = place_fd,
		.result = -EIO,
	};

	return clone_and_wait(&enter);
}

/* umount2(2) takes a path only; the one below /proc/self/fd is the descriptor itself, and the
 * directory is opened here, where no container has a hand in it. */
int lcx__detach_in_mounts(int ns_fd, int place_fd)
{
	CLEANUP(closep)
	int fds = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char name[16];
	struct lcx__enter enter = {
		.what = LCX__ENTER_DETACH,
		.ns_fd = ns_fd,
		.place_fd = fds,
		.path = name,
		.result = -EIO,
	};

	if (fds < 0)
		return -errno;
	(void)snprintf(name, sizeof(name), "%d", place_fd);
	return clone_and_wait(&enter);
}

int lcx__open_in_namespace(int ns_fd, const char *path)
{
	struct lcx__enter enter = {.ns_fd = ns_fd, .path = path, .result = -EIO};

	return clone_and_wait(&enter);
}
