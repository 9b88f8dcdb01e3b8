/* SPDX-License-Identifier: MIT */

/*
 * Asking others. Every question has a socket of its own, so the system draws a port for it, and a
 * number of its own: who wants to answer in a server's place has to guess both. The
 * socket is connected: only the server's packets reach it, and a server that is not
 * there is known at once. Over TCP is asked what was asked over TCP.
 */
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>

#include "dns/server-internal.h"
#include "util/cleanup.h"

static size_t number_of(const struct lcx__dns_server *server, const struct dns_forward *forward)
{
	return (size_t)(forward - server->forwards);
}

void lcx__dns_forward_close(struct dns_forward *forward)
{
	free(forward->bytes);
	closep(&forward->fd);
	*forward = (struct dns_forward){.fd = -1};
}

static socklen_t fill_address(const struct dns_server_address *server, union dns_sockaddr *ret)
{
	*ret = (union dns_sockaddr){.any.sa_family = server->address.family};
	if (server->address.family == AF_INET) {
		ret->v4.sin_port = htons(server->port);
		memcpy(&ret->v4.sin_addr, server->address.bytes, 4);
		return sizeof(ret->v4);
	}
	ret->v6.sin6_port = htons(server->port);
	ret->v6.sin6_scope_id = server->scope;
	memcpy(&ret->v6.sin6_addr, server->address.bytes, 16);
	return sizeof(ret->v6);
}

/* The question, with its length in front. */
static int write_question(struct dns_forward *forward)
{
	free(forward->bytes);
	forward->bytes = malloc(2 + DNS_QUERY_SIZE);
	if (!forward->bytes)
		return -ENOMEM;
	if (getrandom(&forward->id, sizeof(forward->id), 0) != sizeof(forward->id))
		return -EIO;
	forward->length = lcx__dns_write_query(&forward->query, forward->id, forward->bytes + 2);
	forward->bytes[0] = (uint8_t)(forward->length >> 8);
	forward->bytes[1] = (uint8_t)forward->length;
	forward->length += 2;
	forward->at = 0;
	return 0;
}

/* One attempt with one server. */
static int ask(struct lcx__dns_server *server, struct dns_forward *forward)
{
	const struct dns_server_address *address = &server->table.servers[forward->server];
	int type = forward->is_connection ? SOCK_STREAM : SOCK_DGRAM, r;
	union dns_sockaddr to;
	socklen_t length = fill_address(address, &to);
	CLEANUP(closep)
	int fd = socket(address->address.family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (connect(fd, &to.any, length) < 0 && errno != EINPROGRESS)
		return -errno;
	r = write_question(forward);
	if (r < 0)
		return r;
	if (!forward->is_connection &&
	    send(fd, forward->bytes + 2, forward->length - 2, MSG_NOSIGNAL) < 0)
		return -errno;
	r = lcx__dns_watch(server, fd, DNS_FORWARD, number_of(server, forward),
			   forward->is_connection ? EPOLLOUT : EPOLLIN, true);
	if (r < 0)
		return r;
	forward->is_sending = forward->is_connection;
	forward->foreign = 0;
	forward->fd = TAKE_FD(fd);
	forward->deadline_ns = lcx__monotonic_ns() + INT64_C(1000000) * DNS_ATTEMPT_MS;
	return 0;
}

/* With one server after the other, as long as there are attempts left. */
static bool ask_next(struct lcx__dns_server *server, struct dns_forward *forward)
{
	uint32_t n = server->has_table ? server->table.head->n_servers : 0;
	unsigned int most = n > DNS_ATTEMPTS ? n : DNS_ATTEMPTS;

	closep(&forward->fd);
	while (n > 0 && forward->attempts < most) {
		forward->server = (server->best + forward->attempts++) % n;
		if (ask(server, forward) == 0)
			return true;
	}
	return false;
}

static void give_up(struct lcx__dns_server *server, struct dns_forward *forward)
{
	struct dns_asker asker = forward->asker;
	struct lcx__dns_query query = forward->query;

	/* First: an answer may close a connection, and with it all that is asked for it. */
	lcx__dns_forward_close(forward);
	lcx__dns_deliver_failure(server, &asker, &query);
}

static void try_next(struct lcx__dns_server *server, struct dns_forward *forward)
{
	if (!ask_next(server, forward))
		give_up(server, forward);
}

void lcx__dns_forward_expire(struct lcx__dns_server *server, struct dns_forward *forward)
{
	try_next(server, forward);
}

/* Impatient askers ask again: once is enough. */
static bool is_asked(const struct dns_forward *forward, const struct dns_asker *asker,
		     const struct lcx__dns_query *query)
{
	return !asker->stream && !forward->asker.stream && forward->query.id == query->id &&
	       forward->asker.from_length == asker->from_length &&
	       memcmp(&forward->asker.from, &asker->from, asker->from_length) == 0 &&
	       forward->query.question_length == query->question_length &&
	       memcmp(forward->query.question, query->question, query->question_length) == 0;
}

bool lcx__dns_forward(struct lcx__dns_server *server, const struct dns_asker *asker,
		      const struct lcx__dns_query *query)
{
	struct dns_forward *forward = NULL;
	unsigned int of_one = 0;

	for (size_t i = 0; i < DNS_FORWARDS; i++) {
		struct dns_forward *other = &server->forwards[i];

		if (other->fd < 0) {
			forward = other;
			continue;
		}
		if (is_asked(other, asker, query))
			return true;
		of_one += lcx__inet_same(&other->asker.address, &asker->address,
					 asker->address.prefix);
	}
	if (!forward || of_one >= DNS_FORWARDS_OF_ONE)
		return false;
	forward->asker = *asker;
	forward->query = *query;
	forward->is_connection = asker->stream != NULL;
	if (ask_next(server, forward))
		return true;
	lcx__dns_forward_close(forward);
	return false;
}

/* A packet of the server's, or of somebody who plays it. @bytes has two bytes in front. */
static void take_answer(struct lcx__dns_server *server, struct dns_forward *forward, uint8_t *bytes,
			size_t length)
{
	int r = lcx__dns_check_answer(&forward->query, forward->id, bytes, length);
	struct dns_asker asker = forward->asker;
	struct lcx__dns_query query = forward->query;

	if (r < 0) {
		if (forward->is_connection || ++forward->foreign >= DNS_FOREIGN)
			try_next(server, forward);
		return;
	}
	/* A connection's answer lies in memory that the next attempt takes. */
	if (bytes != server->scratch + 2)
		memcpy(server->scratch + 2, bytes, length);
	/* It can't, or does not want to: another one may. Else its word is the last. */
	if ((r == DNS_SERVFAIL || r == DNS_REFUSED || r == DNS_NOTIMP || r == DNS_FORMERR) &&
	    forward->attempts < server->table.head->n_servers && ask_next(server, forward))
		return;
	if (r == DNS_NOERROR || r == DNS_NXDOMAIN)
		server->best = forward->server;
	lcx__dns_forward_close(forward);
	if (length == DNS_HEADER_SIZE) {
		lcx__dns_deliver_failure(server, &asker, &query);
		return;
	}
	lcx__dns_adopt_answer(&query, server->scratch + 2);
	lcx__dns_deliver(server, &asker, server->scratch + 2, length);
}

static void take_datagram(struct lcx__dns_server *server, struct dns_forward *forward)
{
	ssize_t n = recv(forward->fd, server->scratch + 2, DNS_MESSAGE_SIZE, MSG_DONTWAIT);

	if (n >= 0)
		take_answer(server, forward, server->scratch + 2, (size_t)n);
	else if (errno != EAGAIN && errno != EINTR)
		try_next(server, forward);
}

/* ---- over TCP ---- */

static void send_question(struct lcx__dns_server *server, struct dns_forward *forward)
{
	ssize_t n = send(forward->fd, forward->bytes + forward->at, forward->length - forward->at,
			 MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	forward->at += n > 0 ? (size_t)n : 0;
	if (n > 0 && forward->at < forward->length)
		return;
	free(forward->bytes);
	forward->bytes = malloc(2 + DNS_MESSAGE_SIZE);
	forward->at = 0;
	forward->length = 2;
	forward->is_sending = false;
	if (n <= 0 || !forward->bytes ||
	    lcx__dns_watch(server, forward->fd, DNS_FORWARD, number_of(server, forward), EPOLLIN,
			   false) < 0)
		try_next(server, forward);
}

/* First two bytes, which tell the length of the rest. */
static void read_answer(struct lcx__dns_server *server, struct dns_forward *forward)
{
	ssize_t n = recv(forward->fd, forward->bytes + forward->at, forward->length - forward->at,
			 MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		try_next(server, forward);
		return;
	}
	forward->at += (size_t)n;
	if (forward->at < forward->length)
		return;
	if (forward->length == 2)
		forward->length += (size_t)(forward->bytes[0] << 8 | forward->bytes[1]);
	if (forward->at == forward->length)
		take_answer(server, forward, forward->bytes + 2, forward->length - 2);
}

void lcx__dns_forward_event(struct lcx__dns_server *server, struct dns_forward *forward,
			    uint32_t events)
{
	(void)events; /* an error shows at the next call, too */
	if (forward->fd < 0)
		return;
	if (!forward->is_connection)
		take_datagram(server, forward);
	else if (forward->is_sending)
		send_question(server, forward);
	else
		read_answer(server, forward);
}
