/* SPDX-License-Identifier: MIT */
#pragma once

/* Shared by the files about links. */

#include <net/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "netlink/netlink.h"

/* The headers of the C library and of the kernel both define the flags; <net/if.h> goes first. */

enum { LINK_ALIAS_SIZE = 256, LINK_MAC_SIZE = 6 };

struct lcx_link {
	uint32_t index, mtu, master, flags;
	char name[IFNAMSIZ], kind[16], alias[LINK_ALIAS_SIZE], mac[LINK_MAC_SIZE * 3];
};

struct lcx_link_config {
	uint32_t mtu, master;
	bool has_mac, up;
	uint8_t mac[LINK_MAC_SIZE];
	char *alias;
	int netns_fd; /* borrowed; -1 if none */
};

/* Read an RTM_NEWLINK of the kernel's; -EBADMSG for anything else. */
int lcx__link_parse(const struct nlmsghdr *nlh, struct lcx_link *ret);

/* What a config says, into the message that makes the interface; NULL says nothing. */
void lcx__link_put_config(struct lcx__nl_batch *batch, const struct lcx_link_config *config);
