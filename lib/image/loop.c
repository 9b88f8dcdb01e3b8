/* SPDX-License-Identifier: MIT */
#include "image/loop.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>

#include "util/str.h"

int lcx__loop_init(struct lcx__loop *loop, struct lcx_error **err)
{
	int r;

	loop->tick_fd = -1;
	/* Full from the start: the first dispatch begins the work. */
	loop->work_fd = eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC);
	atomic_init(&loop->cancelled, false);
	r = lcx__transport_new(&loop->transport, err);
	if (r < 0)
		return r;
	loop->tick_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	r = loop->work_fd < 0 || loop->tick_fd < 0
		    ? -errno
		    : lcx__transport_watch(loop->transport, loop->work_fd);
	if (r == 0)
		r = lcx__transport_watch(loop->transport, loop->tick_fd);
	return r < 0 ? lcx__fail_sys(err, -r, "event and timer") : 0;
}

void lcx__loop_clear(struct lcx__loop *loop)
{
	loop->transport = lcx__transport_free(loop->transport);
	closep(&loop->tick_fd);
	closep(&loop->work_fd);
}

int lcx__loop_fd(const struct lcx__loop *loop)
{
	return lcx__transport_fd(loop->transport);
}

void lcx__loop_wake(struct lcx__loop *loop)
{
	uint64_t count = 1;

	(void)!write(loop->work_fd, &count, sizeof(count));
}

/* First the flag, then the event: whoever has taken the event sees the flag. */
void lcx__loop_cancel(struct lcx__loop *loop)
{
	atomic_store(&loop->cancelled, true);
	lcx__loop_wake(loop);
}

int lcx__loop_begin(struct lcx__loop *loop, struct lcx_error **err)
{
	uint64_t count;
	int r;

	(void)!read(loop->work_fd, &count, sizeof(count));
	(void)!read(loop->tick_fd, &count, sizeof(count));
	if (atomic_load(&loop->cancelled))
		return lcx__fail(err, ECANCELED, "cancelled");
	r = lcx__transport_dispatch(loop->transport);
	return r < 0 ? lcx__fail_sys(err, -r, "network") : 0;
}

int lcx__loop_arm(struct lcx__loop *loop, bool work, int64_t deadline_ns, struct lcx_error **err)
{
	struct itimerspec at = {0};
	int flags = 0;

	if (work)
		lcx__loop_wake(loop);
	if (deadline_ns != INT64_MAX) {
		deadline_ns = deadline_ns > 0 ? deadline_ns : 1; /* 0 would stop the timer */
		at.it_value.tv_sec = deadline_ns / 1000000000;
		at.it_value.tv_nsec = deadline_ns % 1000000000;
		flags = TFD_TIMER_ABSTIME;
	}
	return timerfd_settime(loop->tick_fd, flags, &at, NULL) < 0
		       ? lcx__fail_sys(err, errno, "timer")
		       : 0;
}

static int wait_until(struct lcx__loop *loop, int64_t end_ns)
{
	struct pollfd poller = {.fd = lcx__loop_fd(loop), .events = POLLIN};
	int64_t left_ms = -1;

	if (end_ns != INT64_MAX) {
		left_ms = (end_ns - lcx__monotonic_ns() + 999999) / 1000000;
		if (left_ms <= 0)
			return -ETIMEDOUT;
	}
	if (poll(&poller, 1, left_ms > INT32_MAX ? INT32_MAX : (int)left_ms) < 0 && errno != EINTR)
		return -errno;
	return 0;
}

int lcx__loop_run(struct lcx__loop *loop, int32_t timeout_ms,
		  int (*dispatch)(void *data, struct lcx_error **err), void *data,
		  struct lcx_error **err)
{
	int64_t end_ns =
		timeout_ms < 0 ? INT64_MAX : lcx__monotonic_ns() + (int64_t)timeout_ms * 1000000;
	int r;

	while ((r = dispatch(data, err)) == 1) {
		r = wait_until(loop, end_ns);
		if (r < 0)
			return r;
	}
	return r;
}
