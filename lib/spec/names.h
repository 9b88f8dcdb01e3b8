/* SPDX-License-Identifier: MIT */
#pragma once

/* The enumerations of the runtime specification, with the kernel's values. */

#include "util/json.h"

/* Younger than, or never in, the C library's headers. */
enum {
	LCX__CLONE_NEWTIME = 0x80,
	LCX__SCHED_DEADLINE = 6,
};

extern const struct lcx__json_name lcx__namespace_names[]; /* CLONE_NEWx */
extern const struct lcx__json_name lcx__scheduler_policies[];
extern const struct lcx__json_name lcx__scheduler_flags[];
extern const struct lcx__json_name lcx__io_classes[];
extern const struct lcx__json_name lcx__device_types[];
extern const struct lcx__json_name lcx__propagation_names[];
extern const struct lcx__json_name lcx__hook_names[];
extern const struct lcx__json_name lcx__personality_domains[];
extern const struct lcx__json_name lcx__memory_policy_modes[];
extern const struct lcx__json_name lcx__memory_policy_flags[];
