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
 *
 * @held_fd: a socket that this process keeps open, too, so that its closing, if the kernel lets
 *           that wait, is nobody's to wait for; or -1
 */
int lcx__links_remove(struct lcx_netlink *nl, const struct lcx__link_place *places, size_t count,
		      int held_fd, struct lcx_error **err);
