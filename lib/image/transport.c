/* SPDX-License-Identifier: MIT */
#include "image/transport.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>

enum {
	EVENTS_AT_ONCE = 16,
	CONNECTIONS_MAX = 6,
};

struct lcx__transport {
	CURLM *multi;
	int epoll_fd, timer_fd;
};

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *data, void *socket_data)
{
	struct lcx__transport *t = data;
	struct epoll_event event = {.data.u64 = (uint64_t)fd};

	(void)easy;
	(void)socket_data;
	if (what == CURL_POLL_REMOVE) {
		(void)epoll_ctl(t->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
		return 0;
	}
	event.events =
		(what & CURL_POLL_IN ? EPOLLIN : 0u) | (what & CURL_POLL_OUT ? EPOLLOUT : 0u);
	/* curl's own notes on what it has told us are of no use once a number is used again. */
	if (epoll_ctl(t->epoll_fd, EPOLL_CTL_MOD, fd, &event) == 0)
		return 0;
	return epoll_ctl(t->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : -1;
}

/* -1 stops the timer; 0 means at once, which a timerfd takes for "stop". */
static int on_timer(CURLM *multi, long timeout_ms, void *data)
{
	struct lcx__transport *t = data;
	struct itimerspec at = {0};

	(void)multi;
	if (timeout_ms == 0) {
		at.it_value.tv_nsec = 1;
	} else if (timeout_ms > 0) {
		at.it_value.tv_sec = timeout_ms / 1000;
		at.it_value.tv_nsec = timeout_ms % 1000 * 1000000;
	}
	return timerfd_settime(t->timer_fd, 0, &at, NULL) == 0 ? 0 : -1;
}

static bool set_up_multi(struct lcx__transport *t)
{
	return curl_multi_setopt(t->multi, CURLMOPT_SOCKETFUNCTION, on_socket) == CURLM_OK &&
	       curl_multi_setopt(t->multi, CURLMOPT_SOCKETDATA, t) == CURLM_OK &&
	       curl_multi_setopt(t->multi, CURLMOPT_TIMERFUNCTION, on_timer) == CURLM_OK &&
	       curl_multi_setopt(t->multi, CURLMOPT_TIMERDATA, t) == CURLM_OK &&
	       curl_multi_setopt(t->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)CONNECTIONS_MAX) ==
		       CURLM_OK;
}

int lcx__transport_new(struct lcx__transport **ret, struct lcx_error **err)
{
	CLEANUP(lcx__transport_freep) struct lcx__transport *t = calloc(1, sizeof(*t));
	struct epoll_event event = {.events = EPOLLIN};

	if (!t)
		return lcx__fail_nomem(err);
	t->timer_fd = -1;
	t->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (t->epoll_fd >= 0)
		t->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (t->timer_fd < 0)
		return lcx__fail_sys(err, errno, "registry client: epoll and timer");
	event.data.u64 = (uint64_t)t->timer_fd;
	if (epoll_ctl(t->epoll_fd, EPOLL_CTL_ADD, t->timer_fd, &event) < 0)
		return lcx__fail_sys(err, errno, "registry client: epoll and timer");
	t->multi = curl_multi_init();
	if (!t->multi || !set_up_multi(t))
		return lcx__fail_nomem(err);
	*ret = TAKE_PTR(t);
	return 0;
}

struct lcx__transport *lcx__transport_free(struct lcx__transport *t)
{
	if (!t)
		return NULL;
	(void)curl_multi_cleanup(t->multi);
	closep(&t->timer_fd);
	closep(&t->epoll_fd);
	free(t);
	return NULL;
}

int lcx__transport_fd(const struct lcx__transport *t)
{
	return t->epoll_fd;
}

int lcx__transport_watch(struct lcx__transport *t, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = UINT64_MAX};

	return epoll_ctl(t->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

int lcx__transport_add(struct lcx__transport *t, CURL *easy)
{
	return curl_multi_add_handle(t->multi, easy) == CURLM_OK ? 0 : -ENOMEM;
}

void lcx__transport_remove(struct lcx__transport *t, CURL *easy)
{
	(void)curl_multi_remove_handle(t->multi, easy);
}

static int handle(struct lcx__transport *t, const struct epoll_event *event)
{
	int running, flags = 0;
	uint64_t expirations;
	CURLMcode code;

	if (event->data.u64 == UINT64_MAX)
		return 0; /* not ours */
	if (event->data.u64 == (uint64_t)t->timer_fd) {
		(void)!read(t->timer_fd, &expirations, sizeof(expirations));
		code = curl_multi_socket_action(t->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	} else {
		if (event->events & (EPOLLIN | EPOLLHUP | EPOLLRDHUP))
			flags |= CURL_CSELECT_IN;
		if (event->events & EPOLLOUT)
			flags |= CURL_CSELECT_OUT;
		if (event->events & EPOLLERR)
			flags |= CURL_CSELECT_ERR;
		code = curl_multi_socket_action(t->multi, (curl_socket_t)event->data.u64, flags,
						&running);
	}
	return code == CURLM_OK ? 0 : code == CURLM_OUT_OF_MEMORY ? -ENOMEM : -EIO;
}

int lcx__transport_dispatch(struct lcx__transport *t)
{
	struct epoll_event events[EVENTS_AT_ONCE];
	int n = epoll_wait(t->epoll_fd, events, EVENTS_AT_ONCE, 0), r = 0;

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	for (int i = 0; r == 0 && i < n; i++)
		r = handle(t, &events[i]);
	return r;
}

bool lcx__transport_next(struct lcx__transport *t, CURL **ret_easy, CURLcode *ret_code)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(t->multi, &left))) {
		if (message->msg != CURLMSG_DONE)
			continue;
		*ret_easy = message->easy_handle;
		*ret_code = message->data.result;
		return true;
	}
	return false;
}
