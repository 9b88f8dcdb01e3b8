/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Interfaces that stand on another one: macvlan, ipvlan, vlan. One that is born in another
 * namespace has no end in this one. It is known by that namespace's number here, and by an
 * index that we choose before it is made: random, so that it means nothing in another namespace
 * that may have the number later.
 */

#include "netlink/netlink.h"

/* What tells the flavours apart; a value without a type is not put. */
struct lcx__branch_kind {
	const char *kind;
	uint16_t mode_type, mode_length;
	uint16_t flags_type;
};

extern const struct lcx__branch_kind lcx__macvlan, lcx__ipvlan, lcx__vlan;

struct lcx__branch {
	const struct lcx__branch_kind *kind;
	const char *name;
	uint32_t index, parent;
	uint32_t mode; /* of vlan: its number */
	uint16_t flags;
	const struct lcx_link_config *config;
};

void lcx__branch_put(struct lcx__nl_batch *batch, const struct lcx__branch *branch);

/* Large enough that the kernel does not come to it by counting. */
int lcx__branch_choose_index(uint32_t *ret);

/* The number that a namespace has in that of @nl; given to it if it has none. */
int lcx__netns_number(struct lcx_netlink *nl, int netns_fd, int32_t *ret, struct lcx_error **err);

/*
 * Look at, or remove, an interface of the namespace of a number. -ENODEV, without words, when
 * the namespace or the interface is gone.
 */
int lcx__link_open_there(struct lcx_netlink *nl, int32_t netns_number, uint32_t index,
			 struct lcx_link **ret, struct lcx_error **err);
int lcx__link_destroy_there(struct lcx_netlink *nl, int32_t netns_number, uint32_t index,
			    struct lcx_error **err);
