/* SPDX-License-Identifier: MIT */
#include "util/sigpipe.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "util/fs.h"

static void only_sigpipe(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGPIPE);
}

void lcx__sigpipe_hold(struct lcx__sigpipe *held)
{
	sigset_t set;

	sigpending(&set);
	held->was_pending = sigismember(&set, SIGPIPE) == 1;
	only_sigpipe(&set);
	(void)pthread_sigmask(SIG_BLOCK, &set, &held->before);
}

void lcx__sigpipe_release(const struct lcx__sigpipe *held, bool may_be_raised)
{
	const struct timespec now = {0};
	const int code = errno;
	sigset_t set;

	only_sigpipe(&set);
	if (may_be_raised && !held->was_pending)
		while (sigtimedwait(&set, NULL, &now) < 0 && errno == EINTR)
			;
	(void)pthread_sigmask(SIG_SETMASK, &held->before, NULL);
	errno = code;
}

int lcx__write_to_host(int fd, const void *data, size_t length)
{
	struct lcx__sigpipe held;
	int r;

	lcx__sigpipe_hold(&held);
	r = lcx__write_all(fd, data, length);
	lcx__sigpipe_release(&held, r == -EPIPE);
	return r;
}
