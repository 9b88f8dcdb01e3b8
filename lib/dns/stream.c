/* SPDX-License-Identifier: MIT */

/* Askers over TCP: one question at a time for each connection, in the order they come. */
#include <string.h>
#include <sys/epoll.h>

#include "dns/server-internal.h"
#include "util/cleanup.h"

static size_t number_of(const struct lcx__dns_server *server, const struct dns_stream *stream)
{
	return (size_t)(stream - server->streams);
}

static void postpone(struct dns_stream *stream)
{
	stream->deadline_ns = lcx__monotonic_ns() + INT64_C(1000000000) * DNS_STREAM_S;
}

void lcx__dns_stream_close(struct lcx__dns_server *server, struct dns_stream *stream)
{
	for (size_t i = 0; stream->is_waiting && i < DNS_FORWARDS; i++)
		if (server->forwards[i].fd >= 0 && server->forwards[i].asker.stream == stream)
			lcx__dns_forward_close(&server->forwards[i]);
	free(stream->out);
	closep(&stream->fd);
	*stream = (struct dns_stream){.fd = -1};
}

/* A free one; NULL when the asker, or all of them together, have too many. */
static struct dns_stream *find_free(struct lcx__dns_server *server, const struct lcx__inet *address)
{
	struct dns_stream *found = NULL;
	unsigned int of_one = 0;

	for (size_t i = 0; i < DNS_STREAMS; i++) {
		struct dns_stream *stream = &server->streams[i];

		if (stream->fd < 0)
			found = stream;
		else
			of_one += lcx__inet_same(&stream->address, address, address->prefix);
	}
	return of_one < DNS_STREAMS_OF_ONE ? found : NULL;
}

void lcx__dns_stream_accept(struct lcx__dns_server *server, int socket)
{
	union dns_sockaddr from = {0};
	socklen_t length = sizeof(from);
	CLEANUP(closep)
	int fd = accept4(socket, &from.any, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct dns_stream *stream;
	struct lcx__inet address;

	if (fd < 0 || !lcx__dns_inet_of(&from, &address))
		return;
	stream = find_free(server, &address);
	if (!stream ||
	    lcx__dns_watch(server, fd, DNS_STREAM, number_of(server, stream), EPOLLIN, true) < 0)
		return;
	stream->fd = TAKE_FD(fd);
	stream->address = address;
	postpone(stream);
}

/* What it is to be waited for. */
static void watch(struct lcx__dns_server *server, struct dns_stream *stream)
{
	uint32_t events = stream->out ? EPOLLOUT : stream->is_waiting ? 0 : EPOLLIN;

	if (lcx__dns_watch(server, stream->fd, DNS_STREAM, number_of(server, stream), events,
			   false) < 0)
		lcx__dns_stream_close(server, stream);
}

/* Return: false when the connection is over. */
static bool write_out(struct lcx__dns_server *server, struct dns_stream *stream)
{
	ssize_t n = send(stream->fd, stream->out + stream->out_at,
			 stream->out_length - stream->out_at, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		lcx__dns_stream_close(server, stream);
		return false;
	}
	stream->out_at += n > 0 ? (size_t)n : 0;
	if (stream->out_at == stream->out_length) {
		free(stream->out);
		stream->out = NULL;
		postpone(stream);
	}
	return true;
}

void lcx__dns_stream_send(struct lcx__dns_server *server, struct dns_stream *stream,
			  const uint8_t *bytes, size_t length)
{
	stream->is_waiting = false;
	stream->out = malloc(2 + length);
	if (!stream->out) {
		lcx__dns_stream_close(server, stream);
		return;
	}
	stream->out[0] = (uint8_t)(length >> 8);
	stream->out[1] = (uint8_t)length;
	memcpy(stream->out + 2, bytes, length);
	stream->out_length = 2 + length;
	stream->out_at = 0;
	if (write_out(server, stream))
		watch(server, stream);
}

/* The first question that is there as a whole. Return: false when there is none, or no end of it.
 */
static bool take_one(struct lcx__dns_server *server, struct dns_stream *stream)
{
	size_t length = stream->in_length < 2 ? 0 : (size_t)(stream->in[0] << 8 | stream->in[1]);
	struct dns_asker asker = {.address = stream->address, .socket = -1, .stream = stream};
	uint8_t query[DNS_STREAM_QUERY];

	if (length > DNS_STREAM_QUERY) {
		lcx__dns_stream_close(server, stream);
		return false;
	}
	if (stream->in_length < 2 || stream->in_length < 2 + length)
		return false;
	memcpy(query, stream->in + 2, length);
	stream->in_length -= 2 + length;
	memmove(stream->in, stream->in + 2 + length, stream->in_length);
	stream->is_waiting = true;
	lcx__dns_take_query(server, &asker, query, length);
	return stream->fd >= 0;
}

static void read_in(struct lcx__dns_server *server, struct dns_stream *stream)
{
	ssize_t n = recv(stream->fd, stream->in + stream->in_length,
			 sizeof(stream->in) - stream->in_length, MSG_DONTWAIT);

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		lcx__dns_stream_close(server, stream);
		return;
	}
	stream->in_length += n > 0 ? (size_t)n : 0;
}

void lcx__dns_stream_event(struct lcx__dns_server *server, struct dns_stream *stream,
			   uint32_t events)
{
	if (stream->fd < 0)
		return;
	if (events & (EPOLLERR | EPOLLHUP)) {
		lcx__dns_stream_close(server, stream);
		return;
	}
	if (stream->out && !write_out(server, stream))
		return;
	if (!stream->out && events & EPOLLIN)
		read_in(server, stream);
	while (stream->fd >= 0 && !stream->out && !stream->is_waiting && take_one(server, stream))
		;
	if (stream->fd >= 0)
		watch(server, stream);
}
