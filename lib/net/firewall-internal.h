/* SPDX-License-Identifier: MIT */
#pragma once

/* Shared by the files about the firewall. */

#include "net/net-internal.h"
#include "net/ruleset.h"

int lcx__firewall_open(struct lcx_netlink **ret, struct lcx_error **err);
int lcx__firewall_commit(struct lcx_netlink *nl, struct lcx__nl_batch *batch);
int lcx__firewall_fail(const struct lcx_netlink *nl, struct lcx_error **err, int r,
		       const char *what);
