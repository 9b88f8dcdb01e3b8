/* SPDX-License-Identifier: MIT */
#include "container/attach-internal.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "util/str.h"

/*
 * The other side of lib/init/clients.c. A frame of output is received when the one before it was
 * delivered, and input is read when what was read before has been sent: nothing grows,
 * and whoever is slow is so as far as the container.
 */

/* ---- words of the line -------------------------------------------------- */

int lcx__attach_watch(struct lcx_attach *a, int fd, uint32_t events, bool is_new)
{
	struct epoll_event event = {.events = events, .data.fd = fd};

	return epoll_ctl(a->epoll_fd, is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event) < 0
		       ? -errno
		       : 0;
}

int lcx__attach_say(struct lcx_attach *a, const struct attach_head *head, const void *data,
		    size_t length)
{
	struct iovec iov[] = {{(void *)(uintptr_t)head, sizeof(*head)},
			      {(void *)(uintptr_t)data, length}};
	struct msghdr message = {.msg_iov = iov, .msg_iovlen = length ? 2 : 1};

	return sendmsg(a->socket_fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* ---- output ------------------------------------------------------------- */

static bool is_delivered(const struct lcx_attach *a)
{
	return a->outputs[OUT].length == 0 && a->outputs[ERR].length == 0;
}

static int take_output(struct lcx_attach *a, uint32_t stream, size_t length)
{
	struct lcx__flow *flow = &a->outputs[stream == 2 ? ERR : OUT];

	return flow->to < 0 ? 0 : lcx__flow_feed(flow, a->frame.data, length);
}

/* Nobody will write to it: no descriptor of the caller's is read. */
static void drop_input(struct lcx_attach *a)
{
	if (a->in_waits)
		(void)epoll_ctl(a->epoll_fd, EPOLL_CTL_DEL, a->in_fd, NULL);
	a->in_waits = a->end_waits = false;
	a->in_length = 0;
	closep(&a->in_fd);
}

static int take_frame(struct lcx_attach *a, size_t length)
{
	const struct attach_head *head = &a->frame.head;

	switch (head->type) {
	case ATTACH_WELCOME:
		a->is_welcome = true;
		a->has_terminal = (head->flags & ATTACH_F_TERMINAL) != 0;
		a->has_input = (head->flags & ATTACH_F_INPUT) != 0;
		if (!a->has_input)
			drop_input(a);
		return 0;
	case ATTACH_OUTPUT:
		return take_output(a, head->a, length);
	case ATTACH_GAP:
		a->lost += head->size;
		return 0;
	case ATTACH_END:
		a->is_over = true;
		return 0;
	case ATTACH_REFUSED:
		a->error = -(int)head->a;
		return 0;
	default:
		a->error = -EPROTO;
		return 0;
	}
}

/* Return: 1 if a frame was taken, 0 for none now, a negative errno. */
static int receive(struct lcx_attach *a)
{
	ssize_t n;

	if (!is_delivered(a) || a->is_over || a->error)
		return 0;
	n = recv(a->socket_fd, &a->frame, sizeof(a->frame), MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	/* It closed while something of ours was on its way: what it said before is still here. */
	if (n < 0 && errno == ECONNRESET)
		return 1;
	if (n < (ssize_t)sizeof(a->frame.head)) {
		a->error = -ECONNRESET;
		return 0;
	}
	n = take_frame(a, (size_t)n - sizeof(a->frame.head));
	return n < 0 ? (int)n : 1;
}

static int run_outputs(struct lcx_attach *a)
{
	for (int i = 0; i < N_OUTPUTS; i++)
		if (lcx__flow_run(&a->outputs[i]) < 0)
			return -ENOMEM;
	return 0;
}

/* ---- input -------------------------------------------------------------- */

/* How many of the keys that were pressed begin the sequence anew, if the first was not meant so. */
static uint32_t still_pressed(const struct lcx_attach *a, const unsigned char *pressed, uint32_t n)
{
	for (uint32_t skip = 1; skip < n; skip++)
		if (memcmp(pressed + skip, a->keys, n - skip) == 0)
			return n - skip;
	return 0;
}

/* Copy @in to a->in without the keys; those that may begin the sequence are held back. */
static void filter_keys(struct lcx_attach *a, const char *in, size_t length)
{
	size_t out = 0;

	for (size_t i = 0; i < length && !a->is_detached; i++) {
		unsigned char pressed[LCX__DETACH_KEYS_MAX + 1];
		uint32_t n = a->n_pressed + 1, keep;

		memcpy(pressed, a->keys, a->n_pressed);
		pressed[n - 1] = (unsigned char)in[i];
		keep = a->n_keys && pressed[n - 1] == a->keys[n - 1] ? n
								     : still_pressed(a, pressed, n);
		for (uint32_t k = 0; k < n - keep; k++)
			a->in[out++] = (char)pressed[k];
		a->n_pressed = keep;
		a->is_detached = a->n_keys && keep == a->n_keys;
	}
	a->in_start = 0;
	a->in_length = out;
}

/* What was held back is no sequence any more. */
static void release_keys(struct lcx_attach *a)
{
	memcpy(a->in, a->keys, a->n_pressed);
	a->in_start = 0;
	a->in_length = a->n_pressed;
	a->n_pressed = 0;
}

/* Return: whether something is to be sent. */
static bool fetch_input(struct lcx_attach *a)
{
	struct pollfd pfd = {.fd = a->in_fd, .events = POLLIN};
	char in[sizeof(a->in) - LCX__DETACH_KEYS_MAX];
	ssize_t n;

	if (a->in_fd < 0 || !a->is_welcome || poll(&pfd, 1, 0) <= 0)
		return false;
	n = read(a->in_fd, in, sizeof(in));
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return false;
	if (n > 0) {
		filter_keys(a, in, (size_t)n);
		return a->in_length > 0;
	}
	drop_input(a);
	release_keys(a);
	a->end_waits = true;
	return true;
}

/* Return: 0 if all that waits was sent, -EAGAIN, or another negative errno. */
static int send_waiting(struct lcx_attach *a)
{
	struct attach_head head = {
		.type = ATTACH_RESIZE, .a = a->size_waits[0], .b = a->size_waits[1]};
	int r = 0;

	if (a->size_waits[0] && a->has_terminal && a->may_resize)
		r = lcx__attach_say(a, &head, NULL, 0);
	if (r < 0)
		return r;
	a->size_waits[0] = 0;
	if (a->in_length > 0) {
		head = (struct attach_head){.type = ATTACH_INPUT, .size = a->in_length};
		r = lcx__attach_say(a, &head, a->in + a->in_start, a->in_length);
	}
	if (r < 0)
		return r;
	a->in_length = 0;
	if (a->end_waits) {
		head = (struct attach_head){.type = ATTACH_INPUT_END};
		r = lcx__attach_say(a, &head, NULL, 0);
	}
	a->end_waits = a->end_waits && r < 0;
	return r;
}

static int run_input(struct lcx_attach *a)
{
	int r;

	if (!a->is_welcome || a->is_over || a->error)
		return 0;
	do
		r = send_waiting(a);
	while (r == 0 && !a->is_detached && fetch_input(a));
	/* What was typed before the keys is still the container's. */
	if (r == 0 && a->is_detached)
		r = send_waiting(a);
	return r == -EAGAIN ? 1 : r == -EPIPE || r == -ECONNRESET ? 0 : r;
}

/* While something waits to be sent, nothing is read; files, which epoll refuses, are always ready.
 */
static void wait_for_input(struct lcx_attach *a, bool is_full)
{
	bool read = !is_full && a->in_fd >= 0 && a->is_welcome;

	if (read != a->in_waits && a->in_fd >= 0) {
		struct epoll_event event = {.events = EPOLLIN, .data.fd = a->in_fd};

		(void)epoll_ctl(a->epoll_fd, read ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, a->in_fd,
				&event);
		a->in_waits = read;
	}
}

/* ---- both --------------------------------------------------------------- */

static int wait_for_socket(struct lcx_attach *a, bool is_full)
{
	uint32_t events = (is_delivered(a) && !a->is_over ? EPOLLIN : 0) | (is_full ? EPOLLOUT : 0);

	/* Its hang-up is always told, and would keep us awake until the caller fetches. */
	if (events == 0) {
		(void)epoll_ctl(a->epoll_fd, EPOLL_CTL_DEL, a->socket_fd, NULL);
		a->socket_waits = true;
		return 0;
	}
	if (a->socket_waits) {
		a->socket_waits = false;
		return lcx__attach_watch(a, a->socket_fd, events, true);
	}
	return lcx__attach_watch(a, a->socket_fd, events, false);
}

static int fail_over(const struct lcx_attach *a, struct lcx_error **err)
{
	if (a->error == -ECONNRESET)
		return lcx__fail(err, ECONNRESET,
				 "the monitor of container '%s' was killed, or others needed the "
				 "place of one that fetched nothing",
				 a->name);
	if (a->error == -EUSERS)
		return lcx__fail(err, EUSERS, "%d programs are attached to container '%s' already",
				 ATTACH_MAX_CLIENTS, a->name);
	return lcx__fail_sys(err, -a->error, "attach to container '%s'", a->name);
}

LCX_PUBLIC int lcx_attach_dispatch(struct lcx_attach *a, struct lcx_error **err)
{
	int r, full;

	do {
		r = run_outputs(a);
		if (r == 0)
			r = receive(a);
	} while (r > 0);
	full = r < 0 ? r : run_input(a);
	if (full < 0)
		return lcx__fail_sys(err, -full, "attach to container '%s'", a->name);
	if (a->error && is_delivered(a))
		return fail_over(a, err);
	if ((a->is_detached && a->in_length == 0) || (a->is_over && is_delivered(a)))
		return 0;
	wait_for_input(a, full != 0);
	r = wait_for_socket(a, full != 0);
	return r < 0 ? lcx__fail_sys(err, -r, "attach to container '%s'", a->name) : 1;
}

LCX_PUBLIC int lcx_attach_wait(struct lcx_attach *a, int32_t timeout_ms, struct lcx_error **err)
{
	int64_t deadline = lcx__monotonic_ns() + (int64_t)timeout_ms * 1000000;
	int r;

	while ((r = lcx_attach_dispatch(a, err)) > 0) {
		struct pollfd pfd = {.fd = a->epoll_fd, .events = POLLIN};
		int64_t left_ms = (deadline - lcx__monotonic_ns() + 999999) / 1000000;

		if (timeout_ms >= 0 && left_ms <= 0)
			return lcx__fail(err, ETIMEDOUT, "container '%s' still runs after %d ms",
					 a->name, timeout_ms);
		if (poll(&pfd, 1, timeout_ms < 0 ? -1 : (int)left_ms) < 0 && errno != EINTR)
			return lcx__fail_sys(err, errno, "wait for container '%s'", a->name);
	}
	return r;
}

LCX_PUBLIC int lcx_attach_fd(const struct lcx_attach *a)
{
	return a->epoll_fd;
}

LCX_PUBLIC int lcx_attach_resize(struct lcx_attach *a, uint16_t rows, uint16_t columns,
				 struct lcx_error **err)
{
	int r;

	if (a->is_welcome && !a->has_terminal)
		return lcx__fail(err, ENOTTY, "container '%s' has no terminal", a->name);
	if (!a->may_resize)
		return lcx__fail(err, EPERM,
				 "container '%s' was attached for reading only: neither input nor "
				 "a terminal was asked for",
				 a->name);
	a->size_waits[0] = rows;
	a->size_waits[1] = columns;
	/* If not now, it is sent when there is an answer, or room. */
	r = run_input(a);
	return r < 0 ? lcx__fail_sys(err, -r, "resize the terminal of container '%s'", a->name) : 0;
}

LCX_PUBLIC int32_t lcx_attach_is_detached(const struct lcx_attach *a)
{
	return a->is_detached;
}

LCX_PUBLIC int32_t lcx_attach_has_terminal(const struct lcx_attach *a)
{
	return a->has_terminal;
}

LCX_PUBLIC uint64_t lcx_attach_lost_bytes(const struct lcx_attach *a)
{
	return a->lost;
}

LCX_PUBLIC struct lcx_attach *lcx_attach_free(struct lcx_attach *a)
{
	if (!a)
		return NULL;
	for (int i = 0; i < N_OUTPUTS; i++)
		lcx__flow_close(&a->outputs[i]);
	closep(&a->in_fd);
	closep(&a->socket_fd);
	closep(&a->epoll_fd);
	free(a);
	return NULL;
}
