/* SPDX-License-Identifier: MIT */
#include "criu/criu.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>

enum {
	ANSWER_MAX = 64 << 10,
	NOTIFICATIONS_MAX = 64, /* of one request; there are a dozen kinds */
};

/* criu's answers are small and few; what isn't is somebody else's. */
struct packet {
	char data[ANSWER_MAX];
	ssize_t length;
	int fd; /* -1: none */
};

static int send_message(int line_fd, const struct lcx__strbuf *message, struct lcx_error **err)
{
	if (message->failed)
		return lcx__fail_nomem(err);
	if (send(line_fd, message->text, message->length, MSG_NOSIGNAL) >= 0)
		return 0;
	return errno == EPIPE || errno == ECONNRESET
		       ? lcx__fail(err, EPROTO, "criu ended without an answer")
		       : lcx__fail_sys(err, errno, "tell criu what to do");
}

/* The line may be held open by others than criu, whose end is what counts. */
static int wait_for_packet(int line_fd, int pidfd, struct lcx_error **err)
{
	struct pollfd fds[] = {{.fd = line_fd, .events = POLLIN}, {.fd = pidfd, .events = POLLIN}};

	while (poll(fds, ARRAY_SIZE(fds), -1) < 0)
		if (errno != EINTR)
			return lcx__fail_sys(err, errno, "wait for criu");
	return 0;
}

/* All descriptors that come are ours, and all but the first are closed. */
static int take_fds(struct msghdr *msg)
{
	int first = -1;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			if (first < 0)
				first = fd;
			else
				closep(&fd);
		}
	}
	return first;
}

static int receive(int line_fd, int pidfd, struct packet *packet, struct lcx_error **err)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(4 * sizeof(int))];
	} control = {0};
	struct iovec iov = {packet->data, sizeof(packet->data)};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = &control,
			     .msg_controllen = sizeof(control)};
	int r = wait_for_packet(line_fd, pidfd, err);

	if (r < 0)
		return r;
	packet->length = recvmsg(line_fd, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	if (packet->length <= 0)
		return lcx__fail(err, EPROTO, "criu ended without an answer");
	packet->fd = take_fds(&msg);
	return msg.msg_flags & MSG_TRUNC
		       ? lcx__fail(err, EBADMSG, "criu's answer is longer than %d bytes",
				   ANSWER_MAX)
		       : 0;
}

static int fail_in_its_words(const struct lcx__criu_answer *answer,
			     const struct lcx__criu_hooks *hooks, struct lcx_error **err)
{
	int code = answer->error > 0 && answer->error < 4096 ? (int)answer->error : EIO;
	char words[512] = "";

	if (!answer->words[0] && hooks && hooks->work_fd >= 0)
		lcx__criu_read_log(hooks->work_fd, hooks->log, words, sizeof(words));
	return lcx__fail(err, code, "criu: %s",
			 answer->words[0] ? answer->words
			 : words[0]       ? words
					  : "it failed, and gave no reason");
}

/* Return: 1 for a notification, which was answered; 0 for the last message. */
static int answer_one(int line_fd, int pidfd, struct packet *packet,
		      const struct lcx__criu_hooks *hooks, struct lcx__criu_answer *answer,
		      struct lcx_error **why, struct lcx_error **err)
{
	CLEANUP(lcx__strbuf_free) struct lcx__strbuf reply = STRBUF_EMPTY;
	int r, fd;

	packet->fd = -1;
	r = receive(line_fd, pidfd, packet, err);
	if (r == 0 && lcx__criu_decode(packet->data, (size_t)packet->length, answer) < 0)
		r = lcx__fail(err, EBADMSG, "criu's answer can't be understood");
	fd = packet->fd;
	if (r == 0 && answer->type == LCX__CRIU_NOTIFY) {
		int s = hooks ? hooks->on_notify(hooks->data, answer->script, answer->notify_pid,
						 fd, why)
			      : 0;

		lcx__criu_put_notified(&reply, s == 0);
		r = send_message(line_fd, &reply, err);
		r = r < 0 ? r : 1;
	}
	closep(&fd);
	return r;
}

int lcx__criu_ask(int line_fd, int pidfd, const struct lcx__strbuf *request,
		  const struct lcx__criu_hooks *hooks, struct lcx__criu_answer *ret,
		  struct lcx_error **err)
{
	CLEANUP(lcx_error_freep) struct lcx_error *why = NULL;
	CLEANUP(freep) struct packet *packet = malloc(sizeof(*packet));
	int r = packet ? send_message(line_fd, request, err) : lcx__fail_nomem(err), n = 0;

	if (r < 0)
		return r;
	do
		r = answer_one(line_fd, pidfd, packet, hooks, ret, &why, err);
	while (r == 1 && ++n < NOTIFICATIONS_MAX);
	if (r == 1)
		return lcx__fail(err, EBADMSG, "criu asks without an end");
	/* What failed here is the cause of its failure. */
	if (why)
		return lcx__fail(err, lcx_error_code(why), "%s", lcx_error_message(why));
	if (r < 0)
		return r;
	return ret->success == 1 ? 0 : fail_in_its_words(ret, hooks, err);
}
