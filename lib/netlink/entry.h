/* SPDX-License-Identifier: MIT */
#pragma once

/* What messages of the kernel's say, apart from the lists they are kept in. */

#include <linux/netlink.h>

#include "netlink/inet.h"

struct lcx__address_entry {
	uint32_t index;
	struct lcx__inet address;
};

struct lcx__route_entry {
	struct lcx__inet destination, gateway; /* gateway.family 0: none */
	uint32_t index, priority;
};

/* 1 for an entry, 0 for a message that does not matter, -EBADMSG for one that cannot be. */
int lcx__nl_parse_address(const struct nlmsghdr *nlh, struct lcx__address_entry *ret);
int lcx__nl_parse_route(const struct nlmsghdr *nlh, struct lcx__route_entry *ret);
