/* SPDX-License-Identifier: MIT */
#include "dns/server-internal.h"

#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/timerfd.h>

#include "dns/answer.h"
#include "util/cleanup.h"

enum { AT_ONCE = 256 }; /* events of one dispatch: the host has other things to do */

int lcx__dns_watch(struct lcx__dns_server *server, int fd, enum dns_kind kind, size_t number,
		   uint32_t events, bool is_new)
{
	struct epoll_event event = {
		.events = events,
		.data.u64 = (uint64_t)kind << 32 | (uint32_t)number,
	};

	return epoll_ctl(server->epoll_fd, is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event) < 0
		       ? -errno
		       : 0;
}

bool lcx__dns_inet_of(const union dns_sockaddr *from, struct lcx__inet *ret)
{
	*ret = (struct lcx__inet){.family = (uint8_t)from->any.sa_family};
	if (from->any.sa_family == AF_INET) {
		ret->prefix = 32;
		memcpy(ret->bytes, &from->v4.sin_addr, 4);
		return from->v4.sin_port != 0;
	}
	ret->prefix = 128;
	memcpy(ret->bytes, &from->v6.sin6_addr, 16);
	return from->any.sa_family == AF_INET6 && from->v6.sin6_port != 0;
}

/* ---- answering ---- */

void lcx__dns_deliver(struct lcx__dns_server *server, const struct dns_asker *asker, uint8_t *bytes,
		      size_t length)
{
	if (asker->stream)
		lcx__dns_stream_send(server, asker->stream, bytes, length);
	else
		(void)sendto(asker->socket, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL,
			     &asker->from.any, asker->from_length);
}

static void begin(struct lcx__dns_server *server, const struct dns_asker *asker,
		  const struct lcx__dns_query *query, struct lcx__dns_reply *reply)
{
	lcx__dns_reply_begin(reply, query, server->scratch + 2,
			     asker->stream ? DNS_MESSAGE_SIZE : query->udp_size);
}

static void end(struct lcx__dns_server *server, const struct dns_asker *asker,
		struct lcx__dns_reply *reply)
{
	lcx__dns_deliver(server, asker, reply->bytes, lcx__dns_reply_end(reply));
}

void lcx__dns_deliver_failure(struct lcx__dns_server *server, const struct dns_asker *asker,
			      const struct lcx__dns_query *query)
{
	struct lcx__dns_reply reply;

	begin(server, asker, query, &reply);
	reply.rcode = DNS_SERVFAIL;
	reply.can_recurse = true;
	end(server, asker, &reply);
}

static bool refresh(struct lcx__dns_server *server)
{
	int r = server->refresh(server->data, &server->table);

	server->has_table = server->has_table || r > 0;
	return server->has_table;
}

void lcx__dns_server_refresh(struct lcx__dns_server *server)
{
	(void)refresh(server);
}

void lcx__dns_take_query(struct lcx__dns_server *server, const struct dns_asker *asker,
			 const uint8_t *bytes, size_t length)
{
	struct lcx__dns_query query;
	struct lcx__dns_reply reply;
	int r = lcx__dns_read_query(bytes, length, &query);

	if (r < 0) {
		if (asker->stream)
			lcx__dns_stream_close(server, asker->stream);
		return;
	}
	begin(server, asker, &query, &reply);
	reply.rcode = (enum lcx__dns_rcode)r;
	if (r == 0 && !refresh(server))
		reply.rcode = DNS_SERVFAIL;
	else if (r == 0 &&
		 !lcx__dns_answer(&server->table, &asker->address, server->turn++, &reply)) {
		if (lcx__dns_forward(server, asker, &query))
			return;
		begin(server, asker, &query, &reply);
		reply.rcode = DNS_SERVFAIL;
		reply.can_recurse = true;
	}
	end(server, asker, &reply);
}

static void take_datagram(struct lcx__dns_server *server, int socket)
{
	uint8_t bytes[DNS_STREAM_QUERY];
	struct dns_asker asker = {.socket = socket, .from_length = sizeof(asker.from)};
	ssize_t n = recvfrom(socket, bytes, sizeof(bytes), MSG_DONTWAIT, &asker.from.any,
			     &asker.from_length);

	if (n >= 0 && lcx__dns_inet_of(&asker.from, &asker.address))
		lcx__dns_take_query(server, &asker, bytes, (size_t)n);
}

/* ---- time ---- */

static void note_deadline(int64_t deadline, int64_t *next)
{
	if (*next == 0 || deadline < *next)
		*next = deadline;
}

/* What is over is ended; the timer is set for what is over next. */
static int look_at_the_clock(struct lcx__dns_server *server)
{
	struct itimerspec timer = {0};
	int64_t now = lcx__monotonic_ns(), next = 0;

	for (size_t i = 0; i < DNS_FORWARDS; i++)
		if (server->forwards[i].fd >= 0 && server->forwards[i].deadline_ns <= now)
			lcx__dns_forward_expire(server, &server->forwards[i]);
	for (size_t i = 0; i < DNS_STREAMS; i++)
		if (server->streams[i].fd >= 0 && server->streams[i].deadline_ns <= now)
			lcx__dns_stream_close(server, &server->streams[i]);
	for (size_t i = 0; i < DNS_FORWARDS; i++)
		if (server->forwards[i].fd >= 0)
			note_deadline(server->forwards[i].deadline_ns, &next);
	for (size_t i = 0; i < DNS_STREAMS; i++)
		if (server->streams[i].fd >= 0)
			note_deadline(server->streams[i].deadline_ns, &next);
	if (next == server->armed_ns)
		return 0;
	timer.it_value.tv_sec = next / 1000000000;
	timer.it_value.tv_nsec = next % 1000000000;
	server->armed_ns = next;
	return timerfd_settime(server->timer_fd, TFD_TIMER_ABSTIME, &timer, NULL) < 0 ? -errno : 0;
}

/* ---- the server ---- */

static void take_event(struct lcx__dns_server *server, const struct epoll_event *event)
{
	uint32_t number = (uint32_t)event->data.u64;
	uint64_t ticks;

	switch ((enum dns_kind)(event->data.u64 >> 32)) {
	case DNS_TIMER:
		if (read(server->timer_fd, &ticks, sizeof(ticks)) > 0)
			server->armed_ns = 0;
		break;
	case DNS_UDP:
		take_datagram(server, server->sockets[number]);
		break;
	case DNS_TCP:
		lcx__dns_stream_accept(server, server->sockets[number]);
		break;
	case DNS_STREAM:
		lcx__dns_stream_event(server, &server->streams[number], event->events);
		break;
	case DNS_FORWARD:
		lcx__dns_forward_event(server, &server->forwards[number], event->events);
		break;
	}
}

/* One at a time: an event never speaks of what another one has closed. */
int lcx__dns_server_dispatch(struct lcx__dns_server *server)
{
	struct epoll_event event;
	int n = 1;

	for (int i = 0; i < AT_ONCE && n > 0; i++) {
		n = epoll_wait(server->epoll_fd, &event, 1, 0);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			take_event(server, &event);
	}
	return look_at_the_clock(server);
}

int lcx__dns_server_fd(const struct lcx__dns_server *server)
{
	return server->epoll_fd;
}

static int add_socket(struct lcx__dns_server *server, int fd)
{
	size_t number = server->n_sockets;
	socklen_t length = sizeof(int);
	int type;

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) < 0)
		return -errno;
	server->sockets[number] = fd;
	return lcx__dns_watch(server, fd, type == SOCK_DGRAM ? DNS_UDP : DNS_TCP, number, EPOLLIN,
			      true);
}

static int open_descriptors(struct lcx__dns_server *server)
{
	server->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (server->epoll_fd < 0)
		return -errno;
	server->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (server->timer_fd < 0)
		return -errno;
	if (getrandom(&server->turn, sizeof(server->turn), 0) != sizeof(server->turn))
		return -EIO;
	return lcx__dns_watch(server, server->timer_fd, DNS_TIMER, 0, EPOLLIN, true);
}

DEFINE_CLEANUP(struct lcx__dns_server *, lcx__dns_server_free)

int lcx__dns_server_new(const int *sockets, size_t count, lcx__dns_refresh refresh_table,
			void *data, struct lcx__dns_server **ret)
{
	CLEANUP(lcx__dns_server_freep) struct lcx__dns_server *server = NULL;
	int r;

	if (count > DNS_LISTENERS_LIMIT)
		return -E2BIG;
	server = calloc(1, sizeof(*server));
	if (!server)
		return -ENOMEM;
	server->timer_fd = -1;
	for (size_t i = 0; i < DNS_STREAMS; i++)
		server->streams[i].fd = -1;
	for (size_t i = 0; i < DNS_FORWARDS; i++)
		server->forwards[i].fd = -1;
	server->refresh = refresh_table;
	server->data = data;
	r = open_descriptors(server);
	for (size_t i = 0; i < count && r == 0; i++) {
		r = add_socket(server, sockets[i]);
		server->n_sockets += r == 0;
	}
	if (r < 0) {
		server->n_sockets = 0; /* still the caller's */
		return r;
	}
	*ret = TAKE_PTR(server);
	return 0;
}

struct lcx__dns_server *lcx__dns_server_free(struct lcx__dns_server *server)
{
	if (!server)
		return NULL;
	for (size_t i = 0; i < DNS_STREAMS; i++)
		if (server->streams[i].fd >= 0)
			lcx__dns_stream_close(server, &server->streams[i]);
	for (size_t i = 0; i < DNS_FORWARDS; i++)
		if (server->forwards[i].fd >= 0)
			lcx__dns_forward_close(&server->forwards[i]);
	for (size_t i = 0; i < server->n_sockets; i++)
		closep(&server->sockets[i]);
	closep(&server->timer_fd);
	closep(&server->epoll_fd);
	free(server);
	return NULL;
}
