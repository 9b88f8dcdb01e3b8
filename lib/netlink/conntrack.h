/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Connections as the kernel tracks them, over ctnetlink. A flow keeps the translation it
 * began with: as long as datagrams come, a mapping that was removed lives on in it.
 */

#include <linux/netlink.h>

#include "netlink/inet.h"
#include "netlink/netlink.h"

/* One flow of a protocol; both ends in the host's view. */
struct lcx__flow {
	uint8_t protocol;              /* IPPROTO_ */
	struct lcx__inet answers_from; /* who answers: behind a translation, the container */
	const struct nlattr *original; /* the tuple that names it, inside the message */
};

/* 1 for a flow, 0 for a message that tells of none, -EBADMSG. */
int lcx__conntrack_parse(const struct nlmsghdr *nlh, struct lcx__flow *ret);

/*
 * Forget all flows of @protocol that @address answers. A kernel without ctnetlink
 * remembers nothing that could be forgotten by us: success.
 * @nl: a socket of NETLINK_NETFILTER
 */
int lcx__conntrack_forget(struct lcx_netlink *nl, const struct lcx__inet *address,
			  uint8_t protocol, struct lcx_error **err);
