/* SPDX-License-Identifier: MIT */
#include "process/flow.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/sigpipe.h"

/* Files that epoll refuses (EPERM) are always ready and need no watching. */
static void watch(const struct lcx__flow *flow, int fd, uint32_t *watched, uint32_t wanted)
{
	struct epoll_event event = {.events = wanted, .data.fd = fd};

	if (fd < 0 || *watched == wanted)
		return;
	if (wanted == 0)
		(void)epoll_ctl(flow->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
	else if (epoll_ctl(flow->epoll_fd, *watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) <
			 0 &&
		 errno == EEXIST)
		(void)epoll_ctl(flow->epoll_fd, EPOLL_CTL_MOD, fd, &event);
	*watched = wanted;
}

/* Duplicates keep a description in the set after close(): it is taken out first, epoll(7). */
static void close_from(struct lcx__flow *flow)
{
	watch(flow, flow->from, &flow->watched_from, 0);
	closep(&flow->from);
}

static void close_to(struct lcx__flow *flow)
{
	watch(flow, flow->to, &flow->watched_to, 0);
	closep(&flow->to);
}

static bool is_ready(int fd, short events)
{
	struct pollfd pfd = {.fd = fd, .events = events};

	return poll(&pfd, 1, 0) > 0;
}

static ssize_t write_without_signal(int fd, const void *data, size_t length)
{
	struct lcx__sigpipe held;
	ssize_t n;

	lcx__sigpipe_hold(&held);
	n = write(fd, data, length);
	lcx__sigpipe_release(&held, n < 0 && errno == EPIPE);
	return n;
}

/* A writable pipe takes PIPE_BUF bytes without blocking, whatever its flags are: pipe(7). */
static void deliver(struct lcx__flow *flow)
{
	while (flow->length > 0 && flow->to >= 0 && is_ready(flow->to, POLLOUT)) {
		size_t n = flow->length < PIPE_BUF ? flow->length : PIPE_BUF;
		ssize_t written = write_without_signal(flow->to, flow->buffer + flow->start, n);

		if (written < 0 && (errno == EINTR || errno == EAGAIN))
			return;
		if (written < 0) {
			close_to(flow); /* nobody listens: go on for the log's sake */
			break;
		}
		flow->start += (size_t)written;
		flow->length -= (size_t)written;
	}
	if (flow->to < 0)
		flow->length = 0;
}

static void end(struct lcx__flow *flow)
{
	if (flow->tap)
		flow->tap(flow->tap_data, NULL, 0);
	if (flow->farewell) {
		flow->buffer[0] = flow->farewell;
		flow->start = 0;
		flow->length = 1;
	}
	close_from(flow);
}

/* Return: whether something arrived. */
static bool fetch(struct lcx__flow *flow)
{
	ssize_t n;

	if (flow->from < 0 || flow->length > 0 || flow->is_held || !is_ready(flow->from, POLLIN))
		return false;
	n = read(flow->from, flow->buffer, LCX__FLOW_SIZE);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return false;
	if (n <= 0) {
		end(flow); /* a terminal without users answers EIO */
		return false;
	}
	if (flow->tap)
		flow->tap(flow->tap_data, flow->buffer, (size_t)n);
	flow->start = 0;
	flow->length = (size_t)n;
	return true;
}

static int need_buffer(struct lcx__flow *flow)
{
	if (!flow->buffer)
		flow->buffer = malloc(LCX__FLOW_SIZE);
	return flow->buffer ? 0 : -ENOMEM;
}

int lcx__flow_feed(struct lcx__flow *flow, const void *data, size_t length)
{
	if (flow->length > 0)
		return -EAGAIN;
	if (need_buffer(flow) < 0)
		return -ENOMEM;
	memcpy(flow->buffer, data, length);
	flow->start = 0;
	flow->length = length;
	return lcx__flow_run(flow);
}

int lcx__flow_run(struct lcx__flow *flow)
{
	if (flow->from < 0 && flow->length == 0 && flow->to < 0)
		return 0;
	if (need_buffer(flow) < 0)
		return -ENOMEM;
	do
		deliver(flow);
	while (fetch(flow));
	/*
	 * Only for the farewell. Otherwise what waits must go on waiting: a source that epoll
	 * cannot watch, as a file, is fetched from only when the destination becomes writable.
	 */
	if (flow->from < 0)
		deliver(flow);
	if (lcx__flow_is_done(flow))
		close_to(flow);
	watch(flow, flow->from, &flow->watched_from,
	      flow->length == 0 && !flow->is_held ? EPOLLIN : 0);
	watch(flow, flow->to, &flow->watched_to, flow->length > 0 ? EPOLLOUT : 0);
	return 0;
}

bool lcx__flow_is_done(const struct lcx__flow *flow)
{
	return flow->from < 0 && flow->length == 0 && !flow->is_fed;
}

void lcx__flow_close(struct lcx__flow *flow)
{
	close_from(flow);
	close_to(flow);
	free(flow->buffer);
	*flow = LCX__FLOW_NONE;
}
