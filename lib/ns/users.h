/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * An ordinary user's files that belong to ids other than his own, those of his ranges
 * (lcx_ctx_use_subids()): nobody but root of a user namespace that has them may touch them. All
 * that walks, changes or removes a container's or a layer's files does it within one.
 */

#include <stdbool.h>

#include "ctx/ctx.h"
#include "ns/ns.h"

/* The map of all containers: himself as 0, his ranges from 1 on. To be freed. */
int lcx__users_map(const struct lcx_ctx *ctx, struct lcx_idmap **ret, struct lcx_error **err);

/* A user namespace with that map, which stays the context's; *@ret is -1 if there are no ranges. */
int lcx__users_fd(struct lcx_ctx *ctx, int *ret, struct lcx_error **err);

/*
 * Call @act as root of that namespace, lib/init/within.h, and with @mounts where it may mount; or
 * at once if there are no ranges, or if this is such a call already.
 */
int lcx__users_within(struct lcx_ctx *ctx, bool mounts,
		      int (*act)(void *data, struct lcx_error **err), void *data,
		      struct lcx_error **err);

/* lcx__remove_tree(): within, if it can't be done otherwise. */
int lcx__users_remove_tree(struct lcx_ctx *ctx, int dir_fd, const char *name);
