/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>

#include "init/launch.h"
#include "overlay/overlay-internal.h"
#include "util/rseq.h"
#include "util/sys.h"

/*
 * What older kernels can only attach is attached where nobody else sees it: by a child with a copy
 * of the mounts, and a current directory of its own with it. It shares memory and descriptors
 * with this thread, which waits as for vfork(2): so it may call what this thread may, and what it
 * takes out of its mounts stays when they go with it. A thread of the C library's would
 * leave a signal handler behind. The kernel's restartable sequences are this thread's, not
 * the child's, so there are none for so long. Its end is told to nobody, and no signal comes to it.
 */
struct aside {
	lcx__overlay_aside_fn *run;
	const void *data;
	struct lcx_error **err;
	int result;
};

enum { STACK_SIZE = 256 << 10 };

static int run_aside(void *data)
{
	struct aside *aside = data;

	if (mount("none", "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		aside->result =
			lcx__overlay_refused(-1, -errno, "mount the overlay aside", aside->err);
	else
		aside->result = aside->run(aside->data, aside->err);
	return 0;
}

int lcx__overlay_aside(lcx__overlay_aside_fn *run, const void *data, struct lcx_error **err)
{
	const int flags = CLONE_VM | CLONE_VFORK | CLONE_FILES | CLONE_NEWNS | CLONE_PIDFD;
	CLEANUP(freep) char *stack = aligned_alloc(64, STACK_SIZE);
	struct aside aside = {run, data, err, -EIO};
	CLEANUP(closep) int pidfd = -1;
	uint64_t all = ~(uint64_t)0, before;
	bool has_rseq;
	int pid, code;

	if (!stack)
		return lcx__fail_nomem(err);
	/* Not pthread_sigmask(): it leaves out the two signals that the C library uses itself, and
	 * one of them would cancel this thread between the two calls for rseq. */
	sys_call4(__NR_rt_sigprocmask, SIG_SETMASK, &all, &before, sizeof(all));
	has_rseq = lcx__rseq_end();
	pid = clone(run_aside, stack + STACK_SIZE, flags, &aside, &pidfd);
	code = errno;
	if (has_rseq)
		lcx__rseq_begin();
	sys_call4(__NR_rt_sigprocmask, SIG_SETMASK, &before, 0, sizeof(before));
	if (pid < 0)
		return lcx__overlay_refused(-1, -code, "mount the overlay aside", err);
	lcx__pidfd_reap(pidfd);
	return aside.result;
}
