/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What networks of the several drivers do differently. A bridge's containers hang on it by
 * cables; those of macvlan and ipvlan have branches of one of the host's interfaces, the parent.
 */

#include "net/net-internal.h"

struct net_word {
	const char *word;
	uint32_t value;
};

struct net_driver {
	const char *name;
	const struct net_word *modes; /* the first is taken if none is said; NULL: there are none */
	const struct net_word *flags;
	const struct lcx__branch_kind *branch; /* NULL: a bridge */
	const char *missing;                   /* in a kernel that does not know it */

	/* Make what containers hang on what the network says; the network's lock is held. */
	int (*ensure)(struct lcx_ctx *ctx, struct lcx_netlink *nl,
		      const struct lcx_network *network, struct lcx__bridge *ret,
		      struct lcx_error **err);
	/* Take it down; the network's lock is held and it has no record. */
	int (*remove)(struct lcx_ctx *ctx, struct lcx_netlink *nl, struct lcx_netlink **nft,
		      const struct lcx_network *network, struct lcx_error **err);
	/* Give the namespace its interface. */
	int (*connect)(struct lcx_ctx *ctx, struct lcx_netlink *nl,
		       const struct lcx_network *network, struct lcx_attachment *attachment,
		       const struct lcx__bridge *base, int netns_fd, struct lcx_error **err);
};

/* NULL for a name that is none. */
const struct net_driver *lcx__driver_find(const char *name);
/* Of a network, which has a known one. */
const struct net_driver *lcx__driver_of(const struct lcx_network *network);

/* Choose what was not said of the parent and the mode, and see that all of it fits together. */
int lcx__driver_settle(int networks_fd, struct lcx_network *network, struct lcx_error **err);
/* What an attachment wants that its network's driver cannot give. */
int lcx__driver_check(const struct lcx_network *network, const struct lcx_attachment *attachment,
		      struct lcx_error **err);
/* True for words that stand in a network's file. */
bool lcx__driver_knows(const struct lcx_network *network);

uint32_t lcx__driver_mode(const struct lcx_network *network);
uint16_t lcx__driver_flags(const struct lcx_network *network);

/* The container's interface has a MAC address of its own. */
bool lcx__driver_gives_mac(const struct lcx_network *network);
/* The way out needs no router's address: the kernel of this host finds it. */
bool lcx__driver_routes(const struct lcx_network *network);

/* ---- the container's end (inside.c) ---- */

/* The first of "eth0", "eth1" ... that the namespace of @inner does not have. */
int lcx__inside_choose_name(struct lcx_netlink *inner, struct lcx_attachment *attachment,
			    struct lcx_error **err);
int lcx__inside_set_up(struct lcx_ctx *ctx, struct lcx_netlink *inner,
		       const struct lcx_network *network, const struct lcx_attachment *attachment,
		       int netns_fd, struct lcx_error **err);

/* ---- parents (parent.c) ---- */

int lcx__parent_ensure(struct lcx_ctx *ctx, struct lcx_netlink *nl,
		       const struct lcx_network *network, struct lcx__bridge *ret,
		       struct lcx_error **err);
int lcx__parent_remove(struct lcx_ctx *ctx, struct lcx_netlink *nl, struct lcx_netlink **nft,
		       const struct lcx_network *network, struct lcx_error **err);

/* ---- branches (branch.c) ---- */

int lcx__branch_connect(struct lcx_ctx *ctx, struct lcx_netlink *nl,
			const struct lcx_network *network, struct lcx_attachment *attachment,
			const struct lcx__bridge *base, int netns_fd, struct lcx_error **err);
/* Where it will be is chosen before its record is written. */
int lcx__branch_plan(struct lcx_netlink *nl, struct lcx_attachment *attachment, int netns_fd,
		     struct lcx_error **err);
bool lcx__branch_is(const struct lcx_attachment *attachment);
int lcx__branch_undo(struct lcx_netlink *nl, const struct lcx_attachment *record,
		     struct lcx_error **err);
