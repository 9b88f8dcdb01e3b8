/* SPDX-License-Identifier: MIT */
#include "log/writer-internal.h"

#include <asm/errno.h>
#include <asm/socket.h>
#include <linux/fcntl.h>
#include <linux/memfd.h>
#include <linux/mman.h>
#include <linux/uio.h>

#include "util/sys.h"

/*
 * A log that is sent to a daemon's unix socket, which may be slow, or away for a while. Lines wait
 * in a queue, and are spelled when they are sent. Nothing here waits: whoever writes asks
 * lcx__log_wants_more() before it reads more from the container, and polls lcx__log_wait_fd().
 *
 * A daemon that hung up is connected to once more for each line; a line that cannot be brought to
 * anybody is dropped and counted. One that is too large for a datagram goes to journald in a
 * sealed file, as its protocol has it.
 */

enum {
	FAMILY_UNIX = 1,
	TYPE_STREAM = 1,
	TYPE_DGRAM = 2,
	SOCKET_FLAGS = 02004000, /* SOCK_CLOEXEC | SOCK_NONBLOCK */
	SEND_FLAGS = 0x4040,     /* MSG_DONTWAIT | MSG_NOSIGNAL */
	LEVEL_SOCKET = 1,
	RIGHTS = 1,
	ADD_SEALS = 1033,
	ALL_SEALS = 0xf,
	PROTECTION = 3,    /* PROT_READ | PROT_WRITE */
	MAP_FLAGS = 0x22,  /* MAP_PRIVATE | MAP_ANONYMOUS */
	CHUNK = 64 * 1024, /* as much as is read from a container at once */
	SYSLOG_FRAME_END = 1,
};

struct address {
	uint16_t family;
	char path[LCX__LOG_ADDRESS_SIZE];
};

struct message {
	void *name;
	int name_length;
	struct iovec *iov;
	size_t iov_length;
	void *control;
	size_t control_length;
	int flags;
};

/* What a chunk of nothing but empty lines takes. */
static uint64_t room_for_chunk(void)
{
	return (uint64_t)CHUNK * (sizeof(struct lcx__log_queued) + 8);
}

/* ---- the connection --------------------------------------------------------- */

static int try_type(struct lcx__log_writer *w, int type)
{
	struct address address = {.family = FAMILY_UNIX};
	int fd = (int)sys_call3(__NR_socket, FAMILY_UNIX, type | SOCKET_FLAGS, 0);
	long r;

	if (fd < 0)
		return fd;
	__builtin_memcpy(address.path, w->config.address, sizeof(address.path));
	r = sys_call3(__NR_connect, fd, &address, sizeof(address));
	if (r < 0) {
		(void)sys_close(fd);
		return (int)r;
	}
	w->fd = fd;
	w->is_stream = type == TYPE_STREAM;
	return 0;
}

/* -EPROTOTYPE: something of another kind listens there. */
static int connect_socket(struct lcx__log_writer *w)
{
	int r = try_type(w, TYPE_DGRAM);

	if (r == -EPROTOTYPE && w->config.driver == LCX__LOG_TO_SYSLOG &&
	    !(w->config.flags & LCX__LOG_DATAGRAMS_ONLY))
		r = try_type(w, TYPE_STREAM);
	return r;
}

static void disconnect(struct lcx__log_writer *w)
{
	if (w->fd >= 0)
		(void)sys_close(w->fd);
	w->fd = -1;
	w->sent = 0; /* of a message that is half sent, all is sent to the next one */
}

/* ---- sending ------------------------------------------------------------------ */

/* The parts of the message that are still to be sent. */
static size_t fill_iov(struct lcx__log_writer *w, struct iovec iov[2])
{
	size_t n = 0;

	if (w->config.driver == LCX__LOG_TO_JOURNALD)
		iov[n++] = (struct iovec){(void *)(uintptr_t)w->context, w->config.context_length};
	iov[n++] = (struct iovec){w->buffer + w->start + w->sent, w->used - w->start - w->sent};
	return n;
}

static long send_message(struct lcx__log_writer *w, struct iovec *iov, size_t n, int fd)
{
	struct {
		size_t length;
		int level, type, fd, pad;
	} control = {sizeof(size_t) + 3 * sizeof(int), LEVEL_SOCKET, RIGHTS, fd, 0};
	struct message message = {.iov = iov, .iov_length = n};
	long r;

	if (fd >= 0) {
		message.control = &control;
		message.control_length = sizeof(control);
	}
	do
		r = sys_call3(__NR_sendmsg, w->fd, &message, SEND_FLAGS);
	while (r == -EINTR);
	return r;
}

/* journald reads a descriptor's file instead, if nobody can change it any more. */
static long send_as_file(struct lcx__log_writer *w, struct iovec *iov, size_t n)
{
	int fd = (int)sys_call2(__NR_memfd_create, "lcx-log", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	uint64_t length = 0;
	long r = fd;

	for (size_t i = 0; i < n; i++)
		length += iov[i].iov_len;
	if (fd >= 0)
		r = sys_call3(__NR_writev, fd, iov, n);
	if (r >= 0 && (uint64_t)r != length)
		r = -EIO;
	if (r >= 0)
		r = sys_call3(__NR_fcntl, fd, ADD_SEALS, ALL_SEALS);
	if (r >= 0)
		r = send_message(w, NULL, 0, fd);
	if (fd >= 0)
		(void)sys_close(fd);
	return r;
}

/* Return: 0 when all of it is sent; -EAGAIN: later. */
static long send_once(struct lcx__log_writer *w)
{
	struct iovec iov[2];
	size_t n = fill_iov(w, iov);
	long r = send_message(w, iov, n, -1);

	if (r == -EMSGSIZE && w->config.driver == LCX__LOG_TO_JOURNALD)
		r = send_as_file(w, iov, n);
	else if (r >= 0 && w->is_stream && (uint64_t)r < w->used - w->start - w->sent) {
		w->sent += (uint32_t)r;
		return -EAGAIN;
	}
	/* A queue that is full, of somebody who is there; or the kernel itself held a page of what
	 * was to be sealed. */
	return r == -ENOBUFS || r == -EBUSY ? -EAGAIN : r < 0 ? r : 0;
}

static long send_or_reconnect(struct lcx__log_writer *w)
{
	long r = w->fd >= 0 ? send_once(w) : -ENOTCONN;

	if (r != -ENOTCONN && r != -EPIPE && r != -ECONNREFUSED && r != -ECONNRESET)
		return r;
	disconnect(w);
	r = connect_socket(w);
	return r < 0 ? r : send_once(w);
}

/* ---- the queue ---------------------------------------------------------------- */

static bool is_underway(const struct lcx__log_writer *w)
{
	return w->used > 0;
}

/* On a stream, messages are told apart by their length in front, or a newline behind: RFC 6587. */
static void frame(struct lcx__log_writer *w)
{
	uint32_t length = w->used - LCX__LOG_FRAME_MAX;

	w->start = LCX__LOG_FRAME_MAX;
	if (!w->is_stream)
		return;
	if (w->config.flags & LCX__LOG_NEWLINES) {
		w->buffer[w->used++] = '\n';
		return;
	}
	w->buffer[--w->start] = ' ';
	do {
		w->buffer[--w->start] = (char)('0' + length % 10);
		length /= 10;
	} while (length > 0);
}

static void spell(struct lcx__log_writer *w, struct lcx__log_queued *line)
{
	const uint8_t *text = (const uint8_t *)(line + 1);

	w->start = w->sent = 0;
	if (w->config.driver == LCX__LOG_TO_JOURNALD) {
		w->piece = lcx__log_spell_journald(w, line, text);
		return;
	}
	/* Whether it is a stream shows when it is connected. */
	if (w->fd < 0)
		(void)connect_socket(w);
	w->piece = lcx__log_spell_syslog(w, line, text);
	frame(w);
}

static size_t size_in_queue(const struct lcx__log_queued *line)
{
	return sizeof(*line) + (line->length + 7) / 8 * 8;
}

int lcx__log_socket_flush(struct lcx__log_writer *w)
{
	while (w->head < w->tail) {
		struct lcx__log_queued *line = (struct lcx__log_queued *)(w->queue + w->head);
		long r;

		if (!is_underway(w))
			spell(w, line);
		r = send_or_reconnect(w);
		if (r == -EAGAIN)
			return 0;
		if (r < 0)
			lcx__log_drop(w, 1, line->length, (int)r);
		line->sent += w->piece;
		w->used = 0;
		if (r < 0 || line->sent >= line->length)
			w->head += size_in_queue(line);
	}
	w->head = w->tail = 0;
	return 0;
}

static void make_room(struct lcx__log_writer *w)
{
	if (w->head == 0)
		return;
	__builtin_memmove(w->queue, w->queue + w->head, w->tail - w->head);
	w->tail -= w->head;
	w->head = 0;
}

int lcx__log_socket_emit(struct lcx__log_writer *w, enum lcx_log_stream stream, const uint8_t *data,
			 size_t length, bool ended)
{
	struct lcx__log_queued line = {
		.length = (uint32_t)length,
		.stream = (uint8_t)stream,
		.ended = ended,
		.second = w->now.tv_sec,
		.ns = (uint32_t)w->now.tv_nsec,
	};

	if (w->queue_size - w->tail < size_in_queue(&line)) {
		(void)lcx__log_socket_flush(w);
		make_room(w);
	}
	if (w->queue_size - w->tail < size_in_queue(&line)) {
		lcx__log_drop(w, 1, length, -ENOBUFS);
		return 0;
	}
	__builtin_memcpy(w->queue + w->tail, &line, sizeof(line));
	if (length > 0)
		__builtin_memcpy(w->queue + w->tail + sizeof(line), data, length);
	w->tail += size_in_queue(&line);
	return 0;
}

bool lcx__log_is_pending(const struct lcx__log_writer *w)
{
	return w->tail > w->head;
}

bool lcx__log_wants_more(const struct lcx__log_writer *w)
{
	return !w->queue || (w->config.flags & LCX__LOG_NON_BLOCKING) ||
	       w->queue_size - (w->tail - w->head) >= room_for_chunk();
}

int lcx__log_wait_fd(const struct lcx__log_writer *w)
{
	return lcx__log_is_pending(w) ? w->fd : -1;
}

/* A daemon that is not there, or another that would not be understood, is told at once. */
int lcx__log_socket_open(struct lcx__log_writer *w)
{
	uint64_t size = w->config.flags & LCX__LOG_NON_BLOCKING ? w->config.buffer_bytes
								: 2 * room_for_chunk();
	long memory;
	int r = connect_socket(w);

	if (r < 0)
		return r;
	memory = sys_call6(__NR_mmap, 0, size, PROTECTION, MAP_FLAGS, -1, 0);
	if (memory < 0 && memory > -4096) {
		disconnect(w);
		return (int)memory;
	}
	w->queue = (char *)memory;
	w->queue_size = size;
	return 0;
}

void lcx__log_socket_close(struct lcx__log_writer *w)
{
	while (w->head < w->tail) { /* nobody waits for it any more */
		const struct lcx__log_queued *line =
			(const struct lcx__log_queued *)(w->queue + w->head);

		lcx__log_drop(w, 1, line->length, -EAGAIN);
		w->head += size_in_queue(line);
	}
	if (w->queue)
		(void)sys_call2(__NR_munmap, w->queue, w->queue_size);
	w->queue = NULL;
	w->head = w->tail = 0;
	disconnect(w);
}
