/* SPDX-License-Identifier: MIT */
#include "container/supervisor/loop.h"

#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>

#include "container/container-internal.h"
#include "container/event.h"
#include "container/supervisor/health.h"

/*
 * The loop of a host program: one epoll instance with the events' inotify descriptor, and with the
 * descriptor of each process that this context's handles own. It exists once the program asked
 * for its descriptor.
 */

struct loop {
	int epoll_fd;
	int timer_fd; /* for health checks; -1: none was needed yet */
	struct lcx_log_reader *reader;
	struct lcx_event event;
	struct lcx_container **containers; /* borrowed: their handles take themselves out */
	size_t n_containers;
};

static void loop_free(void *data)
{
	struct loop *loop = data;

	if (!loop)
		return;
	lcx_log_reader_free(loop->reader);
	lcx__event_clear(&loop->event);
	closep(&loop->timer_fd);
	closep(&loop->epoll_fd);
	free(loop->containers);
	free(loop);
}

DEFINE_CLEANUP(struct loop *, loop_free)

static int watch_events(struct lcx_ctx *ctx, struct loop *loop, struct lcx_error **err)
{
	struct epoll_event event = {.events = EPOLLIN};
	int r = lcx__event_reader(ctx, ctx->events_since_ns ? ctx->events_since_ns : INT64_MIN,
				  &loop->reader, err);

	if (r < 0)
		return r;
	return epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, lcx_log_reader_fd(loop->reader), &event) < 0
		       ? lcx__fail_sys(err, errno, "watch the events")
		       : 0;
}

LCX_PUBLIC int lcx_ctx_fd(struct lcx_ctx *ctx, struct lcx_error **err)
{
	CLEANUP(loop_freep) struct loop *loop = ctx->loop;
	int r;

	if (loop)
		return TAKE_PTR(loop)->epoll_fd;
	loop = calloc(1, sizeof(*loop));
	if (!loop)
		return lcx__fail_nomem(err);
	loop->timer_fd = -1;
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll_fd < 0)
		return lcx__fail_sys(err, errno, "make an epoll instance");
	r = watch_events(ctx, loop, err);
	if (r < 0)
		return r;
	r = loop->epoll_fd;
	ctx->loop = TAKE_PTR(loop);
	ctx->free_loop = loop_free;
	return r;
}

LCX_PUBLIC int lcx_ctx_set_events_since(struct lcx_ctx *ctx, int64_t time_ns,
					struct lcx_error **err)
{
	if (ctx->loop)
		return lcx__fail(err, EBUSY,
				 "the events are being read already: choose since when "
				 "before lcx_ctx_fd()");
	ctx->events_since_ns = time_ns > 0 ? time_ns : 1;
	return 0;
}

/* ---- health checks ------------------------------------------------------ */

static int need_timer(struct loop *loop)
{
	struct epoll_event event = {.events = EPOLLIN};

	if (loop->timer_fd >= 0)
		return 0;
	loop->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (loop->timer_fd < 0)
		return -errno;
	return epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, loop->timer_fd, &event) < 0 ? -errno : 0;
}

static void set_timer(const struct loop *loop)
{
	struct itimerspec next = {0};
	int64_t first = INT64_MAX;

	for (size_t i = 0; i < loop->n_containers; i++) {
		const struct lcx__checker *checker = loop->containers[i]->checker;

		if (checker && lcx__checker_due_ns(checker) < first)
			first = lcx__checker_due_ns(checker);
	}
	if (first != INT64_MAX)
		next.it_value = (struct timespec){first / 1000000000, first % 1000000000};
	if (loop->timer_fd >= 0)
		(void)timerfd_settime(loop->timer_fd, TFD_TIMER_ABSTIME, &next, NULL);
}

static int add_checker(struct loop *loop, struct lcx_container *c, struct lcx_error **err)
{
	int r;

	if (!lcx_container_has_health_check(c))
		return 0;
	r = need_timer(loop);
	if (r < 0)
		return lcx__fail_sys(err, -r, "make a timer");
	return lcx__checker_new(c->ctx, c->d.id, loop->epoll_fd, &c->checker, err);
}

static void check_health(struct loop *loop)
{
	uint64_t times;

	if (loop->timer_fd < 0)
		return;
	(void)!read(loop->timer_fd, &times, sizeof(times));
	for (size_t i = 0; i < loop->n_containers; i++) {
		struct lcx_container *c = loop->containers[i];

		if (c->checker && lcx__checker_dispatch(c->checker) == 0)
			c->checker = lcx__checker_free(c->checker);
	}
	set_timer(loop);
}

/* ---- own containers ----------------------------------------------------- */

int lcx__loop_add(struct lcx_container *c, struct lcx_error **err)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
	struct loop *loop = c->ctx->loop;
	struct lcx_container **bigger;
	int r;

	if (!loop || !c->process)
		return 0;
	bigger = realloc(loop->containers, (loop->n_containers + 1) * sizeof(*bigger));
	if (!bigger)
		return lcx__fail_nomem(err);
	loop->containers = bigger;
	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, lcx_process_fd(c->process), &event) < 0)
		return lcx__fail_sys(err, errno, "watch container '%s'", lcx__container_display(c));
	bigger[loop->n_containers++] = c;
	c->in_loop = true;
	r = add_checker(loop, c, err);
	set_timer(loop);
	return r;
}

void lcx__loop_remove(struct lcx_container *c)
{
	struct loop *loop = c->in_loop ? c->ctx->loop : NULL;

	for (size_t i = 0; loop && i < loop->n_containers; i++) {
		if (loop->containers[i] != c)
			continue;
		(void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, lcx_process_fd(c->process), NULL);
		loop->containers[i] = loop->containers[--loop->n_containers];
		break;
	}
	c->in_loop = false;
	c->checker = lcx__checker_free(c->checker);
}

static bool is_served(const struct loop *loop, const struct lcx_container *c)
{
	for (size_t i = 0; i < loop->n_containers; i++)
		if (loop->containers[i] == c)
			return true;
	return false;
}

LCX_PUBLIC int lcx_dispatch(struct lcx_ctx *ctx, struct lcx_error **err)
{
	struct loop *loop = ctx->loop;
	struct epoll_event events[64];
	int n = loop ? epoll_wait(loop->epoll_fd, events, (int)ARRAY_SIZE(events), 0) : 0;
	int first = 0;

	if (n < 0 && errno != EINTR)
		return lcx__fail_sys(err, errno, "wait for events");
	for (int i = 0; i < n; i++) {
		struct lcx_container *c = events[i].data.ptr;
		struct lcx_error *why = NULL;
		int r;

		/* Neither the events, the timer, nor what a check has to say. */
		if (!c || !is_served(loop, c))
			continue;
		r = lcx_container_wait(c, 0, NULL, &why);
		if (r != -ETIMEDOUT)
			lcx__loop_remove(c);
		if (r < 0 && r != -ETIMEDOUT && first == 0)
			first = lcx__fail(err, -r, "%s", lcx_error_message(why));
		lcx_error_free(why);
	}
	if (loop)
		check_health(loop);
	return first;
}

/* ---- events ------------------------------------------------------------- */

LCX_PUBLIC int lcx_event_next(struct lcx_ctx *ctx, const struct lcx_event **ret,
			      struct lcx_error **err)
{
	struct loop *loop = ctx->loop;
	int r;

	if (!loop)
		return 0;
	while ((r = lcx_log_reader_next(loop->reader, err)) > 0) {
		lcx__event_clear(&loop->event);
		r = lcx__event_parse(loop->reader, &loop->event);
		if (r == -ENOMEM)
			return lcx__fail_nomem(err);
		if (r == 0) {
			*ret = &loop->event;
			return 1;
		}
		/* A line that is none was written by nobody of ours. */
	}
	return r;
}
