/* SPDX-License-Identifier: MIT */
#pragma once

/* Shared by the files of the resolver on sockets: server.c, stream.c, forward.c. */

#include <netinet/in.h>
#include <sys/socket.h>

#include "dns/server.h"

/* Askers are containers: one of them must not use up what all the others need, nor the host. */
enum {
	DNS_FORWARDS = 256, /* questions asked outside at a time */
	DNS_FORWARDS_OF_ONE = 48,
	DNS_STREAMS = 64, /* connections of askers */
	DNS_STREAMS_OF_ONE = 8,
	DNS_STREAM_QUERY = 4096,
	DNS_STREAM_S = 10, /* until a silent connection is closed */
	DNS_ATTEMPT_MS = 1500,
	DNS_ATTEMPTS = 3, /* askers give up after 5 s */
	DNS_FOREIGN = 64, /* answers to nobody's question until an attempt is given up */
};

union dns_sockaddr {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* Where an answer goes. */
struct dns_asker {
	struct lcx__inet address;
	union dns_sockaddr from;
	socklen_t from_length;
	int socket;                /* of UDP; -1: a connection */
	struct dns_stream *stream; /* lives as long as questions of its are under way */
};

struct dns_stream {
	int fd; /* -1: free */
	struct lcx__inet address;
	int64_t deadline_ns;
	uint8_t in[2 + DNS_STREAM_QUERY];
	size_t in_length;
	uint8_t *out; /* with its length in front; NULL: nothing to send */
	size_t out_length, out_at;
	bool is_waiting; /* for an answer from outside */
};

struct dns_forward {
	int fd; /* -1: free */
	struct dns_asker asker;
	struct lcx__dns_query query;
	uint16_t id;
	unsigned int server, attempts, foreign;
	int64_t deadline_ns;
	/* Over TCP: first the question, then the answer, each with its length in front. */
	bool is_connection, is_sending;
	uint8_t *bytes;
	size_t at, length;
};

enum dns_kind { DNS_TIMER, DNS_UDP, DNS_TCP, DNS_STREAM, DNS_FORWARD };

struct lcx__dns_server {
	int epoll_fd, timer_fd;
	int sockets[DNS_LISTENERS_LIMIT];
	size_t n_sockets;
	lcx__dns_refresh refresh;
	void *data;
	struct lcx__dns_table table;
	bool has_table;
	uint32_t turn;
	unsigned int best; /* the server that answered last */
	int64_t armed_ns;
	struct dns_stream streams[DNS_STREAMS];
	struct dns_forward forwards[DNS_FORWARDS];
	uint8_t scratch[2 + DNS_MESSAGE_SIZE];
};

/* ---- server.c ---- */

int lcx__dns_watch(struct lcx__dns_server *server, int fd, enum dns_kind kind, size_t number,
		   uint32_t events, bool is_new);
/* Answer, or see to it that it will be answered. */
void lcx__dns_take_query(struct lcx__dns_server *server, const struct dns_asker *asker,
			 const uint8_t *bytes, size_t length);
/* @bytes has two bytes of room in front of it. */
void lcx__dns_deliver(struct lcx__dns_server *server, const struct dns_asker *asker, uint8_t *bytes,
		      size_t length);
/* Nobody knows. */
void lcx__dns_deliver_failure(struct lcx__dns_server *server, const struct dns_asker *asker,
			      const struct lcx__dns_query *query);
bool lcx__dns_inet_of(const union dns_sockaddr *from, struct lcx__inet *ret);

/* ---- stream.c ---- */

void lcx__dns_stream_accept(struct lcx__dns_server *server, int socket);
void lcx__dns_stream_event(struct lcx__dns_server *server, struct dns_stream *stream,
			   uint32_t events);
/* Takes a copy; two bytes in front of @bytes are the length. */
void lcx__dns_stream_send(struct lcx__dns_server *server, struct dns_stream *stream,
			  const uint8_t *bytes, size_t length);
void lcx__dns_stream_close(struct lcx__dns_server *server, struct dns_stream *stream);

/* ---- forward.c ---- */

/* Return: false when it can't be asked outside. */
bool lcx__dns_forward(struct lcx__dns_server *server, const struct dns_asker *asker,
		      const struct lcx__dns_query *query);
void lcx__dns_forward_event(struct lcx__dns_server *server, struct dns_forward *forward,
			    uint32_t events);
/* Its time is over. */
void lcx__dns_forward_expire(struct lcx__dns_server *server, struct dns_forward *forward);
void lcx__dns_forward_close(struct dns_forward *forward);
