/* SPDX-License-Identifier: MIT */
#include "image/helper.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "image/tree.h"
#include "image/wire.h"
#include "init/program.h"
#include "util/process.h"
#include "util/sys.h"

enum {
	END_MS = 1000,
	PACKETS_AT_ONCE = 256, /* one that never falls silent must not hold the caller */
};

struct lcx__helper {
	int pidfd, socket_fd;
	struct wire_feed feed;
	bool feed_pending; /* the socket was full */
	struct lcx__unpack_progress progress;
	struct lcx__strbuf implied;
	struct {
		struct wire_reply reply;
		char text[WIRE_TEXT_SIZE + 1];
	} packet;
};

static int send_job(int socket_fd, const struct lcx__engine_job *job, bool grows)
{
	struct wire_job order;

	memset(&order, 0, sizeof(order)); /* gaps, too: nothing of the host's memory goes along */
	order.diff_id = job->diff_id;
	order.limits = job->limits;
	order.grows = grows;
	return send(socket_fd, &order, sizeof(order), MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int start_program(struct lcx__helper *helper, const struct lcx__engine_job *job,
			 struct lcx_error **err)
{
	const struct lcx__program program = {
		.name = "lcx-extract",
		.bytes = lcx__extract_program,
		.size = lcx__extract_program_size,
	};
	const int fds[] = {job->input_fd, job->root_fd};
	int pid = lcx__program_start_told(&program, fds, ARRAY_SIZE(fds), job->users_fd,
					  &helper->socket_fd, &helper->pidfd, err);

	return pid < 0 ? pid : 0;
}

int lcx__helper_start(const struct lcx__engine_job *job, bool grows, struct lcx__helper **ret,
		      struct lcx_error **err)
{
	CLEANUP(lcx__helper_freep) struct lcx__helper *helper = calloc(1, sizeof(*helper));
	int r;

	if (!helper)
		return lcx__fail_nomem(err);
	helper->pidfd = helper->socket_fd = -1;
	r = start_program(helper, job, err);
	if (r < 0)
		return lcx__fail_prefix(err, r, "start the extraction helper");
	r = send_job(helper->socket_fd, job, grows);
	if (r < 0)
		return lcx__fail_sys(err, -r, "tell the extraction helper its job");
	*ret = TAKE_PTR(helper);
	return 0;
}

/* How it ended, in a wait status; -1 if nobody can tell. */
static int reap(struct lcx__helper *helper)
{
	int status = -1;

	if (helper->pidfd >= 0)
		(void)lcx__pidfd_wait(helper->pidfd, 0, &status);
	closep(&helper->pidfd);
	return status;
}

struct lcx__helper *lcx__helper_free(struct lcx__helper *helper)
{
	if (!helper)
		return NULL;
	if (helper->pidfd >= 0)
		(void)sys_pidfd_send_signal(helper->pidfd, SIGKILL);
	(void)reap(helper);
	closep(&helper->socket_fd);
	lcx__strbuf_free(&helper->implied);
	free(helper);
	return NULL;
}

int lcx__helper_fd(const struct lcx__helper *helper)
{
	return helper->socket_fd;
}

int lcx__helper_pidfd(const struct lcx__helper *helper)
{
	return helper->pidfd;
}

const struct lcx__strbuf *lcx__helper_implied(const struct lcx__helper *helper)
{
	return &helper->implied;
}

/*
 * Its end without a word. What it has left behind is the caller's to remove, as ever. One that
 * only pretends, and lives on without its socket, must not have the caller wait for ever.
 */
static int tell_end(struct lcx__helper *helper, struct lcx_error **err)
{
	int status, sig;

	if (helper->pidfd >= 0 && lcx__pidfd_ends(helper->pidfd, END_MS) != 1)
		(void)sys_pidfd_send_signal(helper->pidfd, SIGKILL);
	status = reap(helper);
	sig = status >= 0 && WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	switch (sig) {
	case 0:
		return lcx__fail(err, EIO, "the extraction helper ended without a result");
	case SIGSYS:
		return lcx__fail(err, EBADMSG,
				 "the extraction helper was killed for a forbidden system call: "
				 "the layer is hostile, or this system's libraries need more");
	case SIGKILL:
		return lcx__fail(err, ENOMEM,
				 "the extraction helper was killed (signal 9): by hand, or because "
				 "memory ran out");
	case SIGXFSZ:
		return lcx__fail(err, EBADMSG, "a file of the layer is larger than allowed");
	default:
		return lcx__fail(err, EIO, "the extraction helper was killed by signal %d", sig);
	}
}

static int send_feed(struct lcx__helper *helper, struct lcx_error **err)
{
	ssize_t n = send(helper->socket_fd, &helper->feed, sizeof(helper->feed),
			 MSG_DONTWAIT | MSG_NOSIGNAL);

	helper->feed_pending = n < 0 && errno == EAGAIN;
	/* It may have found fault with the layer: the next step brings its words. */
	if (n < 0 && errno != EAGAIN && errno != EPIPE && errno != ECONNRESET)
		return lcx__fail_sys(err, errno, "feed the extraction helper");
	return 0;
}

int lcx__helper_feed(struct lcx__helper *helper, uint64_t available_bytes, bool complete,
		     struct lcx_error **err)
{
	helper->feed = (struct wire_feed){
		.available_bytes = available_bytes,
		.complete = complete,
	};
	return send_feed(helper, err);
}

static int take_implied(struct lcx__helper *helper, size_t length, struct lcx_error **err)
{
	if (helper->implied.length + length > LCX__TREE_IMPLIED_BYTES)
		return lcx__fail(err, EPROTO, "the extraction helper says too much");
	lcx__strbuf_add(&helper->implied, helper->packet.text, length);
	return helper->implied.failed ? lcx__fail_nomem(err) : 0;
}

/* Words that went through a process which met a stranger's bytes: one printable line. */
static int take_error(struct lcx__helper *helper, size_t length, struct lcx_error **err)
{
	char *text = helper->packet.text;
	int code = helper->packet.reply.error;

	text[length] = '\0';
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	return lcx__fail(err, code > 0 && code < 4096 ? code : EPROTO, "%s", text);
}

/* An end in the middle of a path would be one in the middle of memory for who reads it. */
static int check_implied(const struct lcx__helper *helper, struct lcx_error **err)
{
	const struct lcx__strbuf *implied = &helper->implied;

	return implied->length == 0 || implied->text[implied->length - 1] == '\0'
		       ? 0
		       : lcx__fail(err, EPROTO, "the extraction helper says half a path");
}

static void take_progress(struct lcx__helper *helper)
{
	const struct wire_reply *reply = &helper->packet.reply;

	helper->progress.consumed_bytes = reply->consumed_bytes;
	helper->progress.produced_bytes = reply->produced_bytes;
	helper->progress.userxattr = reply->userxattr != 0;
}

static int take_packet(struct lcx__helper *helper, size_t size, struct lcx_error **err)
{
	const struct wire_reply *reply = &helper->packet.reply;
	size_t length = size - sizeof(*reply);
	int r;

	switch (reply->type) {
	case WIRE_PROGRESS:
		take_progress(helper);
		return 1;
	case WIRE_HUNGRY:
		return 1;
	case WIRE_IMPLIED:
		r = take_implied(helper, length, err);
		return r < 0 ? r : 1;
	case WIRE_DONE:
		take_progress(helper);
		return check_implied(helper, err);
	case WIRE_ERROR:
		return take_error(helper, length, err);
	default:
		return lcx__fail(err, EPROTO, "the extraction helper talks nonsense");
	}
}

int lcx__helper_step(struct lcx__helper *helper, struct lcx__unpack_progress *progress,
		     struct lcx_error **err)
{
	int r = 1, left = PACKETS_AT_ONCE;

	do {
		ssize_t n = recv(helper->socket_fd, &helper->packet,
				 sizeof(helper->packet.reply) + WIRE_TEXT_SIZE, MSG_DONTWAIT);

		/* It has left feeds unread: that is told before, but once, what it has said. */
		if (n < 0 && (errno == EINTR || errno == ECONNRESET))
			continue;
		if (n < 0 && errno == EAGAIN)
			r = 2;
		else if (n == 0)
			r = tell_end(helper, err);
		else if (n < (ssize_t)sizeof(helper->packet.reply))
			r = lcx__fail_sys(err, n < 0 ? errno : EPROTO,
					  "listen to the extraction helper");
		else
			r = take_packet(helper, (size_t)n, err);
	} while (r == 1 && --left > 0);
	*progress = helper->progress;
	if (r != 2)
		return r;
	/* After all it has said: should the socket still be full, it will yet be hungry. */
	r = helper->feed_pending ? send_feed(helper, err) : 0;
	return r < 0 ? r : 1;
}
