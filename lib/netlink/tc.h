/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Traffic control, as much of it as a limit needs: a token bucket for what leaves an
 * interface; and, for what comes in, where the kernel has no queue, the way by an
 * intermediate device (ifb) which it leaves. See tc(8).
 */

#include "netlink/netlink.h"

void lcx__link_put_ifb(struct lcx__nl_batch *batch, const char *name, uint32_t mtu_bytes);

/* What leaves interface @index: at most @bits_per_second. */
void lcx__tc_put_bucket(struct lcx__nl_batch *batch, uint32_t index, uint64_t bits_per_second);

/* All that comes in at @index leaves by @to_index, and then goes on as if nothing were. */
void lcx__tc_put_detour(struct lcx__nl_batch *batch, uint32_t index, uint32_t to_index);
