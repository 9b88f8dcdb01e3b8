/* SPDX-License-Identifier: MIT */
#include "init/program.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "init/child.h"
#include "init/launch.h"
#include "util/fs.h"
#include "util/sys.h"

/*
 * Theory of operation. The host may have gigabytes of memory and dozens of
 * threads, so it is never forked. The calling thread clones a child that shares
 * the memory (CLONE_VM | CLONE_VFORK) and that does a handful of raw system
 * calls: put descriptors in place, close the rest, execute the program from a
 * memfd. The thread resumes as soon as that exec succeeded.
 *
 * Each start has a memfd of its own: what a container could do to the page
 * cache of the program that started it ends with that container, and the seals
 * let nobody write to it (CVE-2019-5736).
 *
 * The thread's signals are blocked meanwhile, so that no handler of the host's
 * runs on the child's stack; its mask is put back right after; the program
 * starts with all of them blocked.
 */

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U /* Linux 6.3; older kernels refuse the flag with EINVAL */
#endif

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010 /* Linux 5.1 */
#endif

/*
 * For F_SEAL_WRITE the kernel looks whether anybody holds one of the pages, as he may who has a
 * writable mapping, and fails with EBUSY if it does so itself at that moment, to move one, say
 * (memfd_wait_for_pins() of mm/memfd.c). Such mappings were never made, and F_SEAL_FUTURE_WRITE
 * refuses new ones, write(2) and holes all the same.
 */
int lcx__seal(int fd)
{
	const int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE;

	return fcntl(fd, F_ADD_SEALS, seals) < 0 ? -errno : 0;
}

int lcx__sealed_memfd(const char *name, const void *data, size_t size, bool executable)
{
	CLEANUP(closep) int fd = -1;
	int r;

	fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | (executable ? MFD_EXEC : 0));
	if (fd < 0 && errno == EINVAL)
		fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	r = lcx__write_all(fd, data, size);
	if (r == 0 && !lcx__is_off(SEALS))
		r = lcx__seal(fd);
	return r < 0 ? r : TAKE_FD(fd);
}

static int clone_with_signals_blocked(const struct lcx__program_start *start,
				      struct lcx__child_start *child, int *pidfd)
{
	CLEANUP(freep) void *stack = aligned_alloc(64, LCX__CHILD_STACK_SIZE);
	uint64_t all = ~(uint64_t)0, before;
	int pid;

	if (!stack)
		return -ENOMEM;
	/* Not pthread_sigmask(): it leaves out the two signals that the C library uses itself. */
	sys_call4(__NR_rt_sigprocmask, SIG_SETMASK, &all, &before, sizeof(all));
	pid = lcx__child_clone(start->clone_flags, start->cgroup_fd, stack, child, pidfd);
	sys_call4(__NR_rt_sigprocmask, SIG_SETMASK, &before, 0, sizeof(before));
	return pid;
}

static int fail_clone(const struct lcx__program *program, const struct lcx__program_start *start,
		      int code, struct lcx_error **err)
{
	const char *why = lcx__clone_advice(code, start->clone_flags);

	return lcx__fail_sys(err, code, "clone a process for %s%s%s", program->name,
			     why ? " into new namespaces: " : "", why ? why : "");
}

int lcx__program_start(const struct lcx__program *program, const struct lcx__program_start *start,
		       int *ret_pidfd, struct lcx_error **err)
{
	CLEANUP(closep) int program_fd = -1, pidfd = -1;
	struct lcx__child_start child = {
		.name = program->name,
		.sources = start->sources,
		.n_sources = start->n_sources,
		.new_user = (start->clone_flags & CLONE_NEWUSER) != 0,
		.users_fd = start->users_fd,
	};
	int pid;

	program_fd = lcx__sealed_memfd(program->name, program->bytes, program->size, true);
	if (program_fd < 0)
		return lcx__fail_sys(err, -program_fd, "make %s", program->name);
	child.program_fd = program_fd;
	pid = clone_with_signals_blocked(start, &child, &pidfd);
	if (pid < 0)
		return lcx__fail_stage(err, fail_clone(program, start, -pid, err), "namespace");
	if (child.error < 0) {
		lcx__pidfd_reap(pidfd);
		return lcx__fail_sys(err, -child.error, "execute %s", program->name);
	}
	*ret_pidfd = TAKE_FD(pidfd);
	return pid;
}

int lcx__program_start_told(const struct lcx__program *program, const int *fds, size_t n_fds,
			    int users_fd, int *ret_control_fd, int *ret_pidfd,
			    struct lcx_error **err)
{
	enum { CONTROL = 3, FIRST };
	CLEANUP(closep)
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC), ours = -1, theirs = -1;
	CLEANUP(freep) int *sources = calloc(FIRST + n_fds, sizeof(*sources));
	const struct lcx__program_start start = {
		.sources = sources,
		.n_sources = FIRST + (int)n_fds,
		.cgroup_fd = -1,
		.users_fd = users_fd,
	};
	int pair[2], pid;

	if (!sources)
		return lcx__fail_nomem(err);
	if (null_fd < 0)
		return lcx__fail_sys(err, errno, "open '/dev/null'");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return lcx__fail_sys(err, errno, "make a control socket");
	ours = pair[0];
	theirs = pair[1];
	sources[0] = sources[1] = sources[2] = null_fd;
	sources[CONTROL] = theirs;
	memcpy(sources + FIRST, fds, n_fds * sizeof(*fds));
	pid = lcx__program_start(program, &start, ret_pidfd, err);
	if (pid >= 0)
		*ret_control_fd = TAKE_FD(ours);
	return pid;
}

int lcx__program_answer(int control_fd, int timeout_ms, void *reply, size_t size)
{
	struct pollfd ready = {.fd = control_fd, .events = POLLIN};
	int r;

	do
		r = poll(&ready, 1, timeout_ms);
	while (r < 0 && errno == EINTR);
	if (r <= 0)
		return -ETIMEDOUT;
	return recv(control_fd, reply, size, MSG_DONTWAIT) == (ssize_t)size ? 0 : -EPROTO;
}
