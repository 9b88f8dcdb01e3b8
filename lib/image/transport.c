/* SPDX-License-Identifier: MIT */
#include "image/transport.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include "image/crypto.h"
#include "util/sigpipe.h"

enum {
	EVENTS_AT_ONCE = 16,
	CONNECTIONS_MAX = 6,
};

struct lcx__transport {
	CURLM *multi;
	struct lcx__curl_moves moves;
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

/* The numbers that the next two descriptors will have, if no other thread is faster. */
static void find_free_numbers(int fd, int ret[2])
{
	CLEANUP(closep) int first = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	CLEANUP(closep) int second = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	ret[0] = first;
	ret[1] = second;
}

static bool is_inheritable_socket(int fd)
{
	int domain, flags = fcntl(fd, F_GETFD);
	socklen_t size = sizeof(domain);

	return flags >= 0 && !(flags & FD_CLOEXEC) &&
	       getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == AF_UNIX;
}

/*
 * libcurl 7.88 makes a pair of sockets, for curl_multi_wakeup(), that every program which the host
 * executes would inherit, and tells nobody their numbers. They are likely the lowest that were
 * free; that they are curl's, and no other thread's, shows the wake-up.
 */
static void keep_pair_from_programs(CURLM *multi, const int pair[2])
{
	char byte;

	if (!is_inheritable_socket(pair[0]) || !is_inheritable_socket(pair[1]) ||
	    recv(pair[0], &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 ||
	    curl_multi_wakeup(multi) != CURLM_OK ||
	    recv(pair[0], &byte, 1, MSG_PEEK | MSG_DONTWAIT) != 1)
		return;
	(void)!recv(pair[0], &byte, 1, MSG_DONTWAIT);
	(void)fcntl(pair[0], F_SETFD, FD_CLOEXEC);
	(void)fcntl(pair[1], F_SETFD, FD_CLOEXEC);
}

CURL *lcx__transport_easy(void)
{
	CURL *easy = curl_easy_init();

	if (!easy || curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK)
		return easy;
	curl_easy_cleanup(easy);
	return NULL;
}

/*
 * What curl_multi_cleanup() itself does, it does with the options of the handle that was added
 * last, and if there was none it sets SIGPIPE's handler, of the whole process, for a moment. So
 * there always was one.
 */
static bool keep_signals_alone(CURLM *multi)
{
	CURL *easy = lcx__transport_easy();
	bool done = easy && curl_multi_add_handle(multi, easy) == CURLM_OK &&
		    curl_multi_remove_handle(multi, easy) == CURLM_OK;

	curl_easy_cleanup(easy);
	return done;
}

static CURLM *new_multi(int any_fd)
{
	CURLM *multi;
	int pair[2];

	find_free_numbers(any_fd, pair);
	multi = curl_multi_init();
	if (multi)
		keep_pair_from_programs(multi, pair);
	return multi;
}

int lcx__transport_new(struct lcx__transport **ret, struct lcx_error **err)
{
	CLEANUP(lcx__transport_freep) struct lcx__transport *t = calloc(1, sizeof(*t));
	struct epoll_event event = {.events = EPOLLIN};
	struct lcx__crypto crypto;
	int r;

	if (!t)
		return lcx__fail_nomem(err);
	t->timer_fd = t->epoll_fd = -1;
	/* For passwords and digests later: that it isn't there is said before anything is asked. */
	r = lcx__crypto_load(&crypto, err);
	if (r == 0)
		r = lcx__curl_load(err);
	if (r == 0)
		r = lcx__curl_find_moves(&t->moves, err);
	if (r < 0)
		return r;
	t->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (t->epoll_fd >= 0)
		t->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (t->timer_fd < 0)
		return lcx__fail_sys(err, errno, "registry client: epoll and timer");
	event.data.u64 = (uint64_t)t->timer_fd;
	if (epoll_ctl(t->epoll_fd, EPOLL_CTL_ADD, t->timer_fd, &event) < 0)
		return lcx__fail_sys(err, errno, "registry client: epoll and timer");
	t->multi = new_multi(t->epoll_fd);
	if (!t->multi || !keep_signals_alone(t->multi) || !set_up_multi(t))
		return lcx__fail_nomem(err);
	*ret = TAKE_PTR(t);
	return 0;
}

/* Whatever is under TLS may write by itself to a connection that the registry has closed. */

struct lcx__transport *lcx__transport_free(struct lcx__transport *t)
{
	struct lcx__sigpipe held;

	if (!t)
		return NULL;
	lcx__sigpipe_hold(&held);
	(void)curl_multi_cleanup(t->multi);
	lcx__sigpipe_release(&held, true);
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
	struct lcx__sigpipe held;

	lcx__sigpipe_hold(&held);
	(void)curl_multi_remove_handle(t->multi, easy);
	lcx__sigpipe_release(&held, true);
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
		code = t->moves.socket_action(t->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	} else {
		if (event->events & (EPOLLIN | EPOLLHUP | EPOLLRDHUP))
			flags |= CURL_CSELECT_IN;
		if (event->events & EPOLLOUT)
			flags |= CURL_CSELECT_OUT;
		if (event->events & EPOLLERR)
			flags |= CURL_CSELECT_ERR;
		code = t->moves.socket_action(t->multi, (curl_socket_t)event->data.u64, flags,
					      &running);
	}
	return code == CURLM_OK ? 0 : code == CURLM_OUT_OF_MEMORY ? -ENOMEM : -EIO;
}

int lcx__transport_dispatch(struct lcx__transport *t)
{
	struct epoll_event events[EVENTS_AT_ONCE];
	int n = epoll_wait(t->epoll_fd, events, EVENTS_AT_ONCE, 0), r = 0;
	struct lcx__sigpipe held;

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	lcx__sigpipe_hold(&held);
	for (int i = 0; r == 0 && i < n; i++)
		r = handle(t, &events[i]);
	lcx__sigpipe_release(&held, true);
	return r;
}

bool lcx__transport_next(struct lcx__transport *t, CURL **ret_easy, CURLcode *ret_code)
{
	CURLMsg *message;
	int left;

	while ((message = t->moves.info_read(t->multi, &left))) {
		if (message->msg != CURLMSG_DONE)
			continue;
		*ret_easy = message->easy_handle;
		*ret_code = message->data.result;
		return true;
	}
	return false;
}
