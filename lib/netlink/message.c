/* SPDX-License-Identifier: MIT */
#include "netlink/message.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <string.h>

enum {
	FIRST_SIZE = 4096,
	BATCH_LIMIT = 16 << 20, /* far beyond what a socket takes; keeps the sums small */
	ATTR_LIMIT = UINT16_MAX - MNL_ATTR_HDRLEN,
};

static void fail(struct lcx__nl_batch *batch, int code)
{
	if (batch->failed == 0)
		batch->failed = -code;
}

/* Room for @more bytes; false when the batch has failed, now or before. */
static bool reserve(struct lcx__nl_batch *batch, size_t more)
{
	size_t size = batch->size ? batch->size : FIRST_SIZE;
	uint8_t *data;

	if (batch->failed < 0)
		return false;
	if (more > BATCH_LIMIT || batch->length + more > BATCH_LIMIT) {
		fail(batch, EMSGSIZE);
		return false;
	}
	while (size < batch->length + more)
		size *= 2;
	if (size == batch->size)
		return true;

	data = realloc(batch->data, size);
	if (!data) {
		fail(batch, ENOMEM);
		return false;
	}
	batch->data = data;
	batch->size = size;
	return true;
}

static struct nlmsghdr *current(const struct lcx__nl_batch *batch)
{
	return (struct nlmsghdr *)(batch->data + batch->message);
}

/* What is left of the buffer for the message under construction, as libmnl counts it. */
static size_t room(const struct lcx__nl_batch *batch)
{
	return batch->size - batch->message;
}

/* After libmnl has lengthened the message. */
static void advance(struct lcx__nl_batch *batch)
{
	batch->length = batch->message + MNL_ALIGN(current(batch)->nlmsg_len);
}

void lcx__nl_begin(struct lcx__nl_batch *batch, uint16_t type, uint16_t flags, const void *header,
		   size_t length)
{
	struct nlmsghdr *nlh;

	if (!reserve(batch, MNL_NLMSG_HDRLEN + MNL_ALIGN(length)))
		return;
	batch->message = batch->length;
	batch->count++;

	nlh = mnl_nlmsg_put_header(batch->data + batch->message);
	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = flags;
	memcpy(mnl_nlmsg_put_extra_header(nlh, length), header, length);
	advance(batch);
}

void lcx__nl_put(struct lcx__nl_batch *batch, uint16_t type, const void *data, size_t length)
{
	if (length > ATTR_LIMIT) {
		fail(batch, EMSGSIZE);
		return;
	}
	if (!reserve(batch, MNL_ATTR_HDRLEN + MNL_ALIGN(length)))
		return;
	if (!mnl_attr_put_check(current(batch), room(batch), type, length, data)) {
		fail(batch, EMSGSIZE);
		return;
	}
	advance(batch);
}

void lcx__nl_put_u8(struct lcx__nl_batch *batch, uint16_t type, uint8_t value)
{
	lcx__nl_put(batch, type, &value, sizeof(value));
}

void lcx__nl_put_u32(struct lcx__nl_batch *batch, uint16_t type, uint32_t value)
{
	lcx__nl_put(batch, type, &value, sizeof(value));
}

void lcx__nl_put_be32(struct lcx__nl_batch *batch, uint16_t type, uint32_t value)
{
	lcx__nl_put_u32(batch, type, htonl(value));
}

void lcx__nl_put_str(struct lcx__nl_batch *batch, uint16_t type, const char *text)
{
	lcx__nl_put(batch, type, text, strlen(text) + 1);
}

void lcx__nl_put_raw(struct lcx__nl_batch *batch, const void *data, size_t length)
{
	if (!reserve(batch, MNL_ALIGN(length)))
		return;
	memset(batch->data + batch->length, 0, MNL_ALIGN(length));
	memcpy(batch->data + batch->length, data, length);
	current(batch)->nlmsg_len += (uint32_t)MNL_ALIGN(length);
	advance(batch);
}

size_t lcx__nl_nest(struct lcx__nl_batch *batch, uint16_t type)
{
	size_t nest = batch->length;

	if (!reserve(batch, MNL_ATTR_HDRLEN))
		return 0;
	if (!mnl_attr_nest_start_check(current(batch), room(batch), type)) {
		fail(batch, EMSGSIZE);
		return 0;
	}
	advance(batch);
	return nest;
}

void lcx__nl_nest_end(struct lcx__nl_batch *batch, size_t nest)
{
	if (batch->failed < 0)
		return;
	if (batch->length - nest > UINT16_MAX) {
		fail(batch, EMSGSIZE);
		return;
	}
	mnl_attr_nest_end(current(batch), (struct nlattr *)(batch->data + nest));
}
