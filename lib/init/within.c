/* SPDX-License-Identifier: MIT */
#include "init/within.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/rseq.h"
#include "util/sys.h"

/*
 * Theory of operation. CLONE_VM without CLONE_THREAD gives a process that is alone in its thread
 * group, so setns(2) takes it into a user namespace, while its memory is the host's. CLONE_VFORK
 * stops the thread that cloned it: the C library's data of that thread, errno and the allocator's
 * cache among them, are the child's for so long. Locks of the C library work between them as
 * between threads: they are futexes of one address space. The child leaves by exit(2) alone,
 * so that no handler of the host's runs.
 *
 * The user namespace is never a container's own but one of ours, with the same ids: a process in
 * the container, whatever it may do in there, has no rights over this one and its memory.
 */

enum { STACK_SIZE = 2 << 20, MARGIN = 16 << 10 };

static void *run(void *data)
{
	struct lcx__within *within = data;
	/* Below what the functions that wait need of it. */
	uintptr_t stack = ((uintptr_t)__builtin_frame_address(0) - MARGIN) & ~(uintptr_t)63;
	pid_t pid;

	/* The thread ends soon; it needs it no more. */
	(void)lcx__rseq_end();
	pid = clone(lcx__within_child, (void *)stack, CLONE_VM | CLONE_VFORK | CLONE_FILES, within);
	if (pid < 0)
		within->result = -errno;
	while (pid > 0 && waitpid(pid, NULL, __WCLONE) < 0 && errno == EINTR)
		;
	return NULL;
}

/*
 * With all signals blocked, from its first instruction on, but for those that the C library sends
 * to each thread for setuid(2) and its like: it waits for an answer, and a thread that ended
 * without one would wait for the question. The child gets none of them, it is not on its list.
 */
static int start_thread(pthread_t *thread, struct lcx__within *within)
{
	sigset_t all, before;
	pthread_attr_t attributes;
	int r = pthread_attr_init(&attributes);

	if (r != 0)
		return -r;
	r = pthread_attr_setstacksize(&attributes, STACK_SIZE);
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	if (r == 0)
		r = pthread_create(thread, &attributes, run, within);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	(void)pthread_attr_destroy(&attributes);
	return -r;
}

int lcx__within(int users_fd, bool mounts, int (*act)(void *data, struct lcx_error **err),
		void *data, struct lcx_error **err)
{
	struct lcx__within within = {
		.users_fd = users_fd,
		.mounts = mounts,
		.act = act,
		.data = data,
		.err = err,
		.host_pid = getpid(),
		.result = -ECANCELED,
	};
	pthread_t thread;
	int cancel, r;

	/* Whoever is cancelled while it waits would leave behind a thread that writes to its stack.
	 */
	(void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	r = start_thread(&thread, &within);
	if (r == 0)
		(void)pthread_join(thread, NULL);
	(void)pthread_setcancelstate(cancel, &cancel);
	if (r < 0)
		return lcx__fail_sys(err, -r, "start a thread");
	if (!within.has_entered)
		return lcx__fail_sys(err, -within.result, "enter a user namespace");
	if (!within.has_ended)
		return lcx__fail(err, ECANCELED, "the process in the user namespace was killed");
	return within.result;
}
