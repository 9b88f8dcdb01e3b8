/* SPDX-License-Identifier: MIT */
#pragma once

#include "net/net-internal.h"

/*
 * Tell neighbours on bridge @index, and the host itself, where the addresses of a new attachment
 * are, if they may know one of them by another MAC address: not one that its pool gives for the
 * first time; and an IPv4 address, or one of IPv6 that stands alone, has the same one in every
 * container unless somebody chose another. Not without need: each of a thousand neighbours hears
 * it, and the kernel waits for a grace period, ten milliseconds, when a packet socket is closed. A
 * neighbour that does not hear it finds out by itself, later.
 */
void lcx__announce(struct lcx_netlink *nl, uint32_t index, const struct lcx_attachment *attachment);

/* The same from inside, by the interface of that index: on a parent, whoever is there hears it. */
void lcx__announce_inside(struct lcx_netlink *inner, int netns_fd, uint32_t index,
			  const struct lcx_attachment *attachment);

/* An attachment has gone: if its MAC address was chosen, its addresses go back to their usual one.
 */
void lcx__announce_heir(struct lcx_netlink *nl, const struct lcx_attachment *attachment);
