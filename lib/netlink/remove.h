/* SPDX-License-Identifier: MIT */
#pragma once

/* Removing interfaces without waiting for what the kernel waits for. */

#include "netlink/netlink.h"

enum { LCX__REMOVE_LIMIT = 4, LCX__NETNS_OWN = -1 };

/* An interface of the caller's namespace, or of one that has this number there. */
struct lcx__link_place {
	int32_t netns_number;
	uint32_t index;
};

/*
 * All of them at once; one that is not there is success. At the return they are gone: their names
 * and numbers, the other ends of cables, their places in bridges. What may live some milliseconds
 * longer is a process that is nobody's child, in its last system call.
 */
int lcx__links_remove(struct lcx_netlink *nl, const struct lcx__link_place *places, size_t count,
		      struct lcx_error **err);

/* Ask for it only: whoever removes them later on finds them gone, or on the way. */
void lcx__links_begin_removal(const struct lcx__link_place *places, size_t count);

/* As lcx_netlink_free(); if the kernel lets the closing of the socket wait, such a process does. */
void lcx__netlink_leave(struct lcx_netlink *nl);
