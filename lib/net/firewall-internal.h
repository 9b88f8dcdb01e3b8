/* SPDX-License-Identifier: MIT */
#pragma once

/* Shared by the files about the firewall. */

#include "net/net-internal.h"
#include "net/ruleset.h"

int lcx__firewall_open(struct lcx_netlink **ret, struct lcx_error **err);
int lcx__firewall_ensure_open(struct lcx_netlink **nft, struct lcx_error **err);
int lcx__firewall_commit(struct lcx_netlink *nl, struct lcx__nl_batch *batch);

/* An entry of a published port. */
struct lcx__published {
	const char *map;
	char host_address[LCX__INET_SIZE], address[LCX__INET_SIZE];
	int protocol;
	uint16_t host_port, port;
};

/* Call @visit for each that has this comment. No table: there are none. */
int lcx__firewall_list_ports(const char *comment,
			     int (*visit)(const struct lcx__published *entry, void *data),
			     void *data, struct lcx_error **err);

int lcx__firewall_fail(const struct lcx_netlink *nl, struct lcx_error **err, int r,
		       const char *what);
