/* SPDX-License-Identifier: MIT */
#include "netlink/conntrack.h"

#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <string.h>

static void begin(struct lcx__nl_batch *batch, uint16_t type, uint16_t flags, uint8_t family)
{
	struct nfgenmsg header = {.nfgen_family = family, .version = NFNETLINK_V0};

	lcx__nl_begin(batch, (uint16_t)(NFNL_SUBSYS_CTNETLINK << 8 | type),
		      (uint16_t)(NLM_F_REQUEST | flags), &header, sizeof(header));
}

static int read_source(const struct nlattr *nest, struct lcx__inet *ret)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, nest)
	{
		uint16_t type = mnl_attr_get_type(attr);

		if (type != CTA_IP_V4_SRC && type != CTA_IP_V6_SRC)
			continue;
		ret->family = type == CTA_IP_V4_SRC ? AF_INET : AF_INET6;
		if (mnl_attr_get_payload_len(attr) != lcx__inet_length(ret))
			return -EBADMSG;
		memcpy(ret->bytes, mnl_attr_get_payload(attr), lcx__inet_length(ret));
	}
	return 0;
}

/* The answering direction: its source is who answers. */
static int read_reply(const struct nlattr *nest, struct lcx__flow *ret)
{
	const struct nlattr *attr, *proto;
	int r = 0;

	mnl_attr_for_each_nested(attr, nest)
	{
		if (mnl_attr_get_type(attr) == CTA_TUPLE_IP && r == 0)
			r = read_source(attr, &ret->answers_from);
		if (mnl_attr_get_type(attr) != CTA_TUPLE_PROTO)
			continue;
		mnl_attr_for_each_nested(proto,
					 attr) if (mnl_attr_get_type(proto) == CTA_PROTO_NUM &&
						   mnl_attr_get_payload_len(proto) == 1)
			ret->protocol = mnl_attr_get_u8(proto);
	}
	return r;
}

int lcx__conntrack_parse(const struct nlmsghdr *nlh, struct lcx__flow *ret)
{
	struct lcx__flow flow = {0};
	const struct nlattr *attr;
	int r = 0;

	if (nlh->nlmsg_type != (NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW) ||
	    mnl_nlmsg_get_payload_len(nlh) < sizeof(struct nfgenmsg))
		return -EBADMSG;
	mnl_attr_for_each (attr, nlh, sizeof(struct nfgenmsg)) {
		if (mnl_attr_get_type(attr) == CTA_TUPLE_ORIG)
			flow.original = attr;
		if (mnl_attr_get_type(attr) == CTA_TUPLE_REPLY && r == 0)
			r = read_reply(attr, &flow);
	}
	if (r < 0 || !flow.original || flow.answers_from.family == 0)
		return r;
	*ret = flow;
	return 1;
}

/* What a socket's queues hold, with the answers; the rest is found by looking again. */
enum { AT_ONCE = 256, ROUNDS = 4096 };

struct search {
	struct lcx__inet address;
	uint8_t protocol;
	struct lcx__nl_batch *removals;
};

/* Each removal is a message of its own: a flow that has ended meanwhile is no failure. */
static int answer(const struct nlmsghdr *nlh, void *data)
{
	struct search *search = data;
	struct lcx__flow flow;
	int r;

	if (!nlh) {
		lcx__nl_batch_free(search->removals);
		return 0;
	}
	r = lcx__conntrack_parse(nlh, &flow);
	if (r <= 0)
		return r;
	if (flow.protocol != search->protocol ||
	    !lcx__inet_same(&flow.answers_from, &search->address,
			    (unsigned int)lcx__inet_length(&search->address) * 8))
		return 0;
	if (search->removals->count == AT_ONCE)
		return 0;
	begin(search->removals, IPCTNL_MSG_CT_DELETE, NLM_F_ACK, search->address.family);
	lcx__nl_put(search->removals, CTA_TUPLE_ORIG | NLA_F_NESTED,
		    mnl_attr_get_payload(flow.original), mnl_attr_get_payload_len(flow.original));
	return 0;
}

/* 1 when there may be more, 0 when there are none left. */
static int forget_some(struct lcx_netlink *nl, const struct lcx__inet *address, uint8_t protocol)
{
	CLEANUP(lcx__nl_batch_free) struct lcx__nl_batch batch = NL_BATCH_EMPTY;
	CLEANUP(lcx__nl_batch_free) struct lcx__nl_batch removals = NL_BATCH_EMPTY;
	struct search search = {*address, protocol, &removals};
	unsigned int count;
	int r;

	begin(&batch, IPCTNL_MSG_CT_GET, NLM_F_DUMP, address->family);
	r = lcx__nl_exchange(nl, &batch, answer, &search, NULL);
	count = removals.count;
	if (r < 0 || count == 0)
		return r;
	r = lcx__nl_exchange(nl, &removals, NULL, NULL, NULL);
	/* One that has ended meanwhile. */
	return r < 0 && r != -ENOENT ? r : count == AT_ONCE;
}

int lcx__conntrack_forget(struct lcx_netlink *nl, const struct lcx__inet *address, uint8_t protocol,
			  struct lcx_error **err)
{
	int r = 1;

	for (int i = 0; i < ROUNDS && r > 0; i++)
		r = forget_some(nl, address, protocol);
	/* A kernel without ctnetlink. */
	if (r >= 0 || r == -EOPNOTSUPP || r == -EINVAL)
		return 0;
	return lcx__nl_fail(nl, err, -r, "forget the flows of a published port");
}
