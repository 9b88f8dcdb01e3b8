/* SPDX-License-Identifier: MIT */
#include "netlink/reply.h"

#include <libmnl/libmnl.h>
#include <string.h>

/* Only what can be printed on one line goes into a message. */
static void keep_words(struct lcx__nl_reply *reply, const char *text, size_t length)
{
	size_t n = 0;

	while (n < length && n < LCX__NL_WORDS_SIZE - 1 && text[n] != '\0') {
		reply->words[n] = text[n] >= 0x20 && text[n] < 0x7f ? text[n] : '?';
		n++;
	}
	reply->words[n] = '\0';
}

/* The extended ACK behind an error, whose place depends on whether our message was sent back in it.
 */
static void read_extended(struct lcx__nl_reply *reply, const struct nlmsghdr *nlh, size_t offset)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(nlh);
	size_t payload = mnl_nlmsg_get_payload_len(nlh);
	const struct nlattr *attr;

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED) && e->error != 0 &&
	    e->msg.nlmsg_len > MNL_NLMSG_HDRLEN) {
		/* Compared before it is aligned: the length is not ours. */
		if (e->msg.nlmsg_len - MNL_NLMSG_HDRLEN > payload)
			return;
		offset += MNL_ALIGN(e->msg.nlmsg_len - MNL_NLMSG_HDRLEN);
	}
	if (offset > payload)
		return;

	attr = (const struct nlattr *)((const uint8_t *)e + offset);
	while (mnl_attr_ok(attr, (int)((const uint8_t *)e + payload - (const uint8_t *)attr))) {
		if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG)
			keep_words(reply, mnl_attr_get_payload(attr),
				   mnl_attr_get_payload_len(attr));
		attr = mnl_attr_next(attr);
	}
}

static void fail(struct lcx__nl_reply *reply, const struct nlmsghdr *nlh, int code)
{
	if (reply->result < 0)
		return;
	reply->result = code < 0 && code >= -4095 ? code : -EIO;
	reply->failed = nlh->nlmsg_seq - reply->first_seq;
}

static int read_error(struct lcx__nl_reply *reply, const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(nlh);

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*e))
		return -EBADMSG;
	if (e->error == 0) {
		reply->confirmed++;
		return 0;
	}
	if (reply->result == 0)
		read_extended(reply, nlh, sizeof(*e));
	fail(reply, nlh, e->error);
	return 0;
}

static int read_done(struct lcx__nl_reply *reply, const struct nlmsghdr *nlh)
{
	const int *code = mnl_nlmsg_get_payload(nlh);

	reply->confirmed++;
	if (mnl_nlmsg_get_payload_len(nlh) >= sizeof(*code) && *code < 0)
		fail(reply, nlh, *code);
	return 0;
}

static int read_message(struct lcx__nl_reply *reply, const struct nlmsghdr *nlh)
{
	if (nlh->nlmsg_pid != reply->portid || nlh->nlmsg_seq - reply->first_seq >= reply->messages)
		return 0;
	if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
		reply->interrupted = true;

	switch (nlh->nlmsg_type) {
	case NLMSG_NOOP:
		return 0;
	case NLMSG_ERROR:
		return read_error(reply, nlh);
	case NLMSG_DONE:
		return read_done(reply, nlh);
	case NLMSG_OVERRUN:
		return -ENOBUFS;
	default:
		/* What a dump says after it was interrupted is thrown away anyway. */
		return reply->answer && !reply->interrupted ? reply->answer(nlh, reply->data) : 0;
	}
}

/* libmnl's own check takes a length beyond 2 GiB for a negative one, and lets it pass. */
static bool is_whole(const struct nlmsghdr *nlh, size_t left)
{
	return left >= sizeof(*nlh) && nlh->nlmsg_len >= sizeof(*nlh) && nlh->nlmsg_len <= left;
}

int lcx__nl_reply_read(struct lcx__nl_reply *reply, const void *data, size_t length)
{
	size_t offset = 0;
	int r;

	while (offset < length) {
		const struct nlmsghdr *nlh =
			(const struct nlmsghdr *)((const uint8_t *)data + offset);

		if (!is_whole(nlh, length - offset))
			return -EBADMSG;
		r = read_message(reply, nlh);
		if (r < 0)
			return r;
		/* The padding of the last message may be missing: this steps beyond the end. */
		offset += MNL_ALIGN(nlh->nlmsg_len);
	}
	return 0;
}
