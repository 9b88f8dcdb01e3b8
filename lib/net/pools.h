/* SPDX-License-Identifier: MIT */
#pragma once

/* Shared by the files about address pools. */

#include "net/net-internal.h"

int lcx__pool_open(int pools_fd, const char *network, uint32_t position, struct lcx_ipam_pool **ret,
		   struct lcx_error **err);
int lcx__pool_make(int pools_fd, const struct lcx_network *network, uint32_t position,
		   struct lcx_error **err);
void lcx__pool_discard(int pools_fd, const char *network, uint32_t position);

/*
 * Make a damaged pool anew, and lease again what the network's attachments have, by their records.
 * The network's lock is held. -EUCLEAN, with its name, when a record cannot be read: an address
 * that nobody tells of must not be given twice.
 */
int lcx__pool_mend(struct lcx_ctx *ctx, int pools_fd, const struct lcx_network *network,
		   uint32_t position, struct lcx_error **err);
