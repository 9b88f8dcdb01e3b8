/* SPDX-License-Identifier: MIT */
/*
 * The extraction helper: a static program that the library embeds and starts for each layer. It
 * sees a stranger's bytes so that the host program doesn't have to; confine.c takes from it
 * whatever it doesn't need. It ends with its caller: it notices on the next packet it sends or
 * waits for.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "image/helper/ahead.h"
#include "image/helper/confine.h"
#include "image/wire.h"
#include "util/str.h"

static ssize_t send_reply(struct wire_reply *reply, const char *text, size_t length, int flags)
{
	struct iovec iov[] = {{reply, sizeof(*reply)}, {(void *)(uintptr_t)text, length}};
	struct msghdr message = {.msg_iov = iov, .msg_iovlen = 2};
	ssize_t n;

	do
		n = sendmsg(WIRE_FD_CONTROL, &message, flags | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n;
}

static int give_up(const struct lcx_error *err)
{
	const char *text = lcx_error_message(err);
	size_t length = strlen(text);
	struct wire_reply reply = {.type = WIRE_ERROR, .error = lcx_error_code(err)};

	(void)send_reply(&reply, text, length < WIRE_TEXT_SIZE ? length : WIRE_TEXT_SIZE, 0);
	return 1;
}

/* What the library has told of the input so far. */
struct supply {
	uint64_t available_bytes;
	bool complete;
};

static int take_feed(struct supply *supply, int flags, struct lcx_error **err)
{
	struct wire_feed feed;
	ssize_t n;

	do
		n = recv(WIRE_FD_CONTROL, &feed, sizeof(feed), flags);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n != sizeof(feed))
		return lcx__fail(err, ECANCELED, "whoever wanted the layer has gone");
	supply->available_bytes = feed.available_bytes;
	supply->complete = feed.complete != 0;
	return 1;
}

/*
 * Before it waits with an empty socket it says so: the library may have had no room in the
 * socket for its last word.
 */
static int wait_for_feed(struct supply *supply, struct lcx_error **err)
{
	struct wire_reply hungry = {.type = WIRE_HUNGRY};
	int r = take_feed(supply, MSG_DONTWAIT, err);

	if (r != 0)
		return r;
	(void)send_reply(&hungry, NULL, 0, MSG_DONTWAIT);
	return take_feed(supply, 0, err);
}

static int wait_for_input(void *data, uint64_t offset, uint64_t *ret_available,
			  struct lcx_error **err)
{
	struct supply *supply = data;
	int r = 1;

	while (r > 0 && !supply->complete)
		r = supply->available_bytes > offset ? take_feed(supply, MSG_DONTWAIT, err)
						     : wait_for_feed(supply, err);
	*ret_available = supply->available_bytes > offset ? supply->available_bytes : offset;
	return r < 0 ? r : 0;
}

static int send_implied(const struct lcx__strbuf *implied)
{
	struct wire_reply reply = {.type = WIRE_IMPLIED};

	for (size_t at = 0; at < implied->length; at += WIRE_TEXT_SIZE) {
		size_t left = implied->length - at;

		if (send_reply(&reply, implied->text + at,
			       left < WIRE_TEXT_SIZE ? left : WIRE_TEXT_SIZE, 0) < 0)
			return -errno;
	}
	return 0;
}

/* The engine is not freed: the threads that decompress and hash have a part of it, and end as we do. */
static int work(const struct lcx__engine_job *job, struct lcx_error **err)
{
	struct lcx__engine *engine = NULL;
	struct wire_reply reply = {.type = WIRE_PROGRESS};
	struct lcx__unpack_progress progress = {0};
	int r = lcx__engine_new(job, &engine, err);

	while (r >= 0) {
		if (send_reply(&reply, NULL, 0, MSG_DONTWAIT) < 0 && errno != EAGAIN)
			return lcx__fail(err, ECANCELED, "whoever wanted the layer has gone");
		r = lcx__engine_step(engine, &progress, err);
		reply.consumed_bytes = progress.consumed_bytes;
		reply.produced_bytes = progress.produced_bytes;
		reply.userxattr = progress.userxattr;
		if (r <= 0)
			break;
	}
	if (r < 0)
		return r;
	reply.type = WIRE_DONE;
	return send_implied(lcx__engine_implied(engine)) < 0 || send_reply(&reply, NULL, 0, 0) < 0
		       ? lcx__fail(err, ECANCELED, "whoever wanted the layer has gone")
		       : 0;
}

int main(void)
{
	struct supply supply = {0};
	struct lcx__engine_job job = {.input_fd = WIRE_FD_INPUT, .root_fd = WIRE_FD_ROOT};
	struct lcx_error *err = NULL;
	struct wire_job order;
	int r;

	if (recv(WIRE_FD_CONTROL, &order, sizeof(order), 0) != sizeof(order))
		return 1;
	job.diff_id = order.diff_id;
	job.limits = order.limits;
	if (order.grows)
		job.gate = (struct lcx__gate){wait_for_input, &supply};
	r = lcx__confine(WIRE_FD_ROOT, &order.limits, &err);
	job.enclosed = r > 0;
	if (r >= 0)
		r = lcx__ahead_start(&job.ahead, &err);
	if (r >= 0)
		r = lcx__confine_system_calls(&err);
	if (r >= 0)
		r = work(&job, &err);
	return r < 0 ? give_up(err) : 0;
}
