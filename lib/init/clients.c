/* SPDX-License-Identifier: MIT */
#include "init/clients.h"

#include <asm/errno.h>
#include <asm/ioctls.h>
#include <asm/socket.h>
#include <asm/termios.h>
#include <linux/fcntl.h>
#include <linux/socket.h>
#include <linux/uio.h>

/*
 * Nothing here blocks, and nothing that anybody sends is trusted: a frame is received into a
 * buffer of its largest size, its length is checked, and whoever breaks a rule is hung up on.
 */

enum { PATIENCE_NS = 2000000000, LEVEL_SOCKET = 1, CLOCK_MONOTONIC_ID = 1 };

enum {
	FLAG_DONTWAIT = 0x40,
	FLAG_NOSIGNAL = 0x4000,
	FLAG_TRUNC = 0x20,
	ACCEPT_FLAGS = O_CLOEXEC | O_NONBLOCK
};

static int64_t now_ns(void)
{
	struct sys_timespec now = {0, 0};

	(void)sys_clock_gettime(CLOCK_MONOTONIC_ID, &now);
	return now.tv_sec * 1000000000 + now.tv_nsec;
}

static void hang_up(struct client *client)
{
	sys_close(client->fd);
	*client = (struct client){.fd = -1};
}

/* Return: 0 or a negative errno; a frame is sent whole or not at all. */
static int send_frame(int fd, const struct attach_head *head, const char *data, size_t length)
{
	struct iovec iov[] = {
		{(void *)(uintptr_t)head, sizeof(*head)},
		{(void *)(uintptr_t)data, length},
	};
	struct init_message message = {.iov = iov, .iov_length = length ? 2 : 1};
	long r;

	do
		r = sys_call3(__NR_sendmsg, fd, &message, FLAG_DONTWAIT | FLAG_NOSIGNAL);
	while (r == -EINTR);
	return r < 0 ? (int)r : 0;
}

static bool is_later(int r)
{
	return r == -EAGAIN || r == -ENOBUFS || r == -ENOMEM;
}

/* ---- output ------------------------------------------------------------- */

/* Return: 0, or what the one that could not be sent failed with. */
static int send_chunk(const struct clients *c, struct client *client)
{
	struct attach_head gap = {.type = ATTACH_GAP, .size = client->lost};
	struct attach_head head = {.type = ATTACH_OUTPUT, .a = c->chunk_stream};
	int r = client->lost ? send_frame(client->fd, &gap, NULL, 0) : 0;

	if (r == 0)
		client->lost = 0;
	while (r == 0 && client->sent < c->chunk_length) {
		uint32_t n = c->chunk_length - client->sent;

		n = n < ATTACH_DATA_MAX ? n : ATTACH_DATA_MAX;
		head.size = n;
		r = send_frame(client->fd, &head, c->chunk + client->sent, n);
		if (r == 0)
			client->sent += n;
	}
	return r;
}

static void give_to(const struct clients *c, struct client *client)
{
	int r = send_chunk(c, client);

	if (r == 0) {
		client->since = 0;
		client->is_behind = false;
		return;
	}
	if (!is_later(r)) {
		hang_up(client);
		return;
	}
	if (client->since == 0)
		client->since = now_ns();
	else if (now_ns() - client->since >= PATIENCE_NS)
		client->is_behind = true;
	if (client->is_behind) {
		client->lost += c->chunk_length - client->sent;
		client->sent = c->chunk_length;
	}
}

static bool wants_more(const struct clients *c, const struct client *client)
{
	return client->fd >= 0 && client->is_known && client->sent < c->chunk_length;
}

void clients_give(struct clients *c, uint32_t stream, const char *bytes, uint32_t length)
{
	c->chunk = bytes;
	c->chunk_length = length;
	c->chunk_stream = stream;
	for (int i = 0; i < ATTACH_MAX_CLIENTS; i++) {
		c->list[i].sent = 0;
		if (wants_more(c, &c->list[i]))
			give_to(c, &c->list[i]);
	}
}

bool clients_wait_for_somebody(struct clients *c, struct sys_timespec *ret_wait)
{
	int64_t first = INT64_MAX, left;

	for (int i = 0; i < ATTACH_MAX_CLIENTS; i++)
		if (wants_more(c, &c->list[i]) && c->list[i].since < first)
			first = c->list[i].since;
	if (first == INT64_MAX)
		return false;
	left = first + PATIENCE_NS - now_ns();
	left = left < 0 ? 0 : left + 1000000;
	*ret_wait = (struct sys_timespec){left / 1000000000, left % 1000000000};
	return true;
}

/* ---- input -------------------------------------------------------------- */

static void end_input(struct clients *c)
{
	static const char end_of_file = 4; /* Ctrl-D, as a terminal's VEOF is by default */

	if (c->is_terminal)
		(void)sys_write(c->input_fd, &end_of_file, 1);
	else if (c->input_fd >= 0) {
		sys_close(c->input_fd);
		c->input_fd = -1;
	}
}

static void write_input(struct clients *c)
{
	while (c->input_length > 0 && c->input_fd >= 0) {
		long n = sys_write(c->input_fd, c->input.data + c->input_at, c->input_length);

		if (n == -EAGAIN || n == -EINTR)
			return;
		if (n < 0) {
			/* Nobody reads it any more; a terminal's end is told by its output. */
			if (!c->is_terminal)
				end_input(c);
			break;
		}
		c->input_at += (uint32_t)n;
		c->input_length -= (uint32_t)n;
	}
	c->input_length = 0;
}

static bool may_write(const struct client *client)
{
	return (client->may & ATTACH_F_INPUT) != 0;
}

static bool is_known_frame(const struct client *client, const struct attach_head *head,
			   size_t length)
{
	if (!client->is_known)
		return head->type == ATTACH_HELLO && length == 0;
	switch (head->type) {
	case ATTACH_INPUT:
		return may_write(client) && length > 0 && head->size == length;
	case ATTACH_INPUT_END:
		return may_write(client) && length == 0;
	case ATTACH_RESIZE:
		return (client->may & ATTACH_F_TERMINAL) && length == 0;
	default:
		return false;
	}
}

static void welcome(struct clients *c, struct client *client, const struct attach_head *hello)
{
	struct attach_head answer = {.type = ATTACH_WELCOME};

	answer.flags =
		(c->is_terminal ? ATTACH_F_TERMINAL : 0) | (c->input_fd >= 0 ? ATTACH_F_INPUT : 0);
	client->is_known = true;
	client->may = hello->flags;
	client->sent = c->chunk_length; /* what is under way now was before its time */
	if (send_frame(client->fd, &answer, NULL, 0) < 0)
		hang_up(client);
}

static void obey(struct clients *c, struct client *client, const struct attach_head *head,
		 size_t length)
{
	struct winsize size = {.ws_row = (unsigned short)head->a,
			       .ws_col = (unsigned short)head->b};

	switch (head->type) {
	case ATTACH_HELLO:
		welcome(c, client, head);
		break;
	case ATTACH_INPUT:
		c->input_at = 0;
		c->input_length = (uint32_t)length;
		write_input(c);
		break;
	case ATTACH_INPUT_END:
		end_input(c);
		break;
	case ATTACH_RESIZE:
		if (c->is_terminal)
			(void)sys_call3(__NR_ioctl, c->input_fd, TIOCSWINSZ, &size);
		break;
	default:
		break;
	}
}

/* Who may not write has nothing to say but a head: its bytes never meet the input that waits. */
static void receive(struct clients *c, struct client *client)
{
	struct attach_head word;
	struct attach_head *head = may_write(client) ? &c->input.head : &word;
	size_t size = may_write(client) ? sizeof(c->input) : sizeof(word), length;
	long n = sys_call6(__NR_recvfrom, client->fd, head, size, FLAG_DONTWAIT | FLAG_TRUNC, 0, 0);

	/* A reset tells that its end closed without fetching all; what it sent before is here. */
	if (n == -EINTR || n == -EAGAIN || n == -ECONNRESET)
		return;
	length = n < (long)sizeof(*head) ? 0 : (size_t)n - sizeof(*head);
	if (n < (long)sizeof(*head) || n > (long)size || !is_known_frame(client, head, length))
		hang_up(client);
	else
		obey(c, client, head, length);
}

/* ---- coming and going --------------------------------------------------- */

/* It has hung up while the container takes no input: what it sent before keeps its place. */
static void see_off(struct client *client)
{
	int left = 0;

	client->is_gone = true;
	if (sys_call3(__NR_ioctl, client->fd, FIONREAD, &left) < 0 || left == 0)
		hang_up(client);
}

/* The directory is its owner's alone; this is the second lock on the same door. */
static bool is_trusted(int fd)
{
	struct {
		int pid;
		unsigned int uid, gid;
	} peer = {0, ~0u, ~0u};
	int size = sizeof(peer);

	if (sys_call5(__NR_getsockopt, fd, LEVEL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return false;
	return peer.uid == 0 || peer.uid == (unsigned int)sys_call0(__NR_geteuid);
}

static void refuse(int fd, uint32_t code)
{
	struct attach_head head = {.type = ATTACH_REFUSED, .a = code};

	(void)send_frame(fd, &head, NULL, 0);
	sys_close(fd);
}

/* 0: it is of use; else the more, the sooner another may have its place. */
static int idleness(const struct client *client)
{
	if (!client->is_known)
		return now_ns() - client->came >= PATIENCE_NS ? 3 : 0;
	return client->is_gone ? 2 : client->is_behind ? 1 : 0;
}

/* Return: NULL if everybody needs its place. */
static struct client *find_place(struct clients *c)
{
	struct client *found = NULL;
	int most = 0;

	for (int i = 0; i < ATTACH_MAX_CLIENTS; i++) {
		struct client *client = &c->list[i];
		int idle = client->fd < 0 ? 4 : idleness(client);

		if (idle > most || (found && idle == most && client->came < found->came)) {
			most = idle;
			found = client;
		}
	}
	if (found && found->fd >= 0)
		hang_up(found);
	return found;
}

static void take_in(struct clients *c)
{
	struct client *place;
	int fd = (int)sys_call4(__NR_accept4, c->listen_fd, 0, 0, ACCEPT_FLAGS);

	if (fd < 0)
		return;
	if (!is_trusted(fd)) {
		refuse(fd, EPERM);
		return;
	}
	place = find_place(c);
	if (place)
		*place = (struct client){.fd = fd, .came = now_ns()};
	else
		refuse(fd, EUSERS);
}

void clients_init(struct clients *c, int listen_fd, int first, int input_fd, bool is_terminal)
{
	c->listen_fd = listen_fd;
	c->input_fd = input_fd;
	c->is_terminal = is_terminal;
	c->chunk_length = c->input_length = 0;
	for (int i = 0; i < ATTACH_MAX_CLIENTS; i++)
		c->list[i] = (struct client){.fd = i == 0 ? first : -1, .came = now_ns()};
}

static bool is_heard(const struct clients *c, const struct client *client)
{
	return c->input_length == 0 || !may_write(client);
}

static short wanted(const struct clients *c, const struct client *client)
{
	/* Nothing is received while input waits; that a writer has hung up is seen all the same. */
	short events = is_heard(c, client) ? POLLIN : 0;

	return wants_more(c, client) ? (short)(events | POLLOUT) : events;
}

void clients_watch(const struct clients *c, struct pollfd *slots)
{
	slots[CLIENTS_SLOT_LISTEN] = (struct pollfd){c->listen_fd, POLLIN, 0};
	slots[CLIENTS_SLOT_INPUT] =
		(struct pollfd){c->input_length > 0 ? c->input_fd : -1, POLLOUT, 0};
	for (int i = 0; i < ATTACH_MAX_CLIENTS; i++) {
		const struct client *client = &c->list[i];
		short events = client->fd < 0 ? 0 : wanted(c, client);

		slots[CLIENTS_SLOT_FIRST + i] =
			(struct pollfd){client->is_gone && !events ? -1 : client->fd, events, 0};
	}
}

void clients_serve(struct clients *c, const struct pollfd *slots)
{
	if (c->input_length > 0 && slots[CLIENTS_SLOT_INPUT].revents)
		write_input(c);
	for (int i = 0; i < ATTACH_MAX_CLIENTS; i++) {
		struct client *client = &c->list[i];
		const struct pollfd *slot = &slots[CLIENTS_SLOT_FIRST + i];

		if (wants_more(c, client) && client->fd == slot->fd)
			give_to(c, client);
		if (client->fd < 0 || client->fd != slot->fd || !(slot->revents & ~POLLOUT))
			continue;
		if (is_heard(c, client))
			receive(c, client);
		else
			see_off(client);
	}
	/* The last: nobody who comes now may be taken for one who was polled. */
	if (slots[CLIENTS_SLOT_LISTEN].revents)
		take_in(c);
}

bool clients_end(struct clients *c)
{
	struct attach_head head = {.type = ATTACH_END};
	bool somebody = false;

	c->chunk_length = 0;
	for (int i = 0; i < ATTACH_MAX_CLIENTS; i++) {
		struct client *client = &c->list[i];
		int r = -EPIPE;

		if (client->fd < 0)
			continue;
		client->sent = 0;
		if (client->is_known) {
			r = send_chunk(c, client);
			r = r < 0 ? r : send_frame(client->fd, &head, NULL, 0);
		}
		if (is_later(r))
			somebody = true;
		else
			hang_up(client);
	}
	return somebody;
}
