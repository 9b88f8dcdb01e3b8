/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

#include "lcx/security.h"
#include "util/json.h"

/* All that the running kernel knows: bits 0 to lcx_capability_last(). */
uint64_t lcx__capability_all(void);

/* What a process that this one starts could have: its bounding set. */
uint64_t lcx__capability_grantable(void);

/* JSON lists of names <-> struct lcx__opt_u64. An unknown name is a warning, as the specification
 * wants it. */
extern const struct lcx__json_codec lcx__capabilities_codec;

/* The same, but an unknown name becomes a bit that no container has: "needs what does not exist".
 */
enum { LCX__CAP_UNKNOWN = 63 };
extern const struct lcx__json_codec lcx__capability_condition_codec;
