/* SPDX-License-Identifier: MIT */
#pragma once

#include "net/net-internal.h"

enum { ANNOUNCE_SIZE = 96 };

/* The frame that says: @address is at @mac. Returns its length. */
size_t lcx__announce_make(const struct lcx__inet *address, const uint8_t mac[static 6],
			  uint8_t frame[static ANNOUNCE_SIZE]);

/*
 * Say so of all addresses, out of interface @index of the namespace of @packet_fd, an AF_PACKET
 * socket; and have that namespace itself forget what it knew, if @nl is given.
 */
int lcx__announce(int packet_fd, struct lcx_netlink *nl, uint32_t index,
		  const struct lcx_attachment *attachment);

/*
 * Whether neighbours could know another MAC address for one of its addresses. An IPv4 address has
 * the same one in every container, unless somebody chose another. To ask first is worth it: the
 * kernel waits for a grace period, ten milliseconds, when a packet socket is closed.
 */
bool lcx__announce_is_needed(const struct lcx_attachment *attachment);

/* An address that had a MAC address of somebody's choice goes back to the one it always has. */
void lcx__announce_heir(int packet_fd, struct lcx_netlink *nl, uint32_t index,
			const struct lcx_attachment *attachment);
