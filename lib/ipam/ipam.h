/* SPDX-License-Identifier: MIT */
#pragma once

/* What rooms below may know of address pools, beside lcx/ipam.h. */
#include <stdbool.h>

#include "lcx/ipam.h"

/* It was made again after damage, and doesn't know what it gave before. */
int lcx__ipam_note_mended(struct lcx_ipam_pool *pool, struct lcx_error **err);

/* The last address that this handle allocated is one that the pool had never given before. */
bool lcx__ipam_gave_new(const struct lcx_ipam_pool *pool);
