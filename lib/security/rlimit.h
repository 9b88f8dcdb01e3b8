/* SPDX-License-Identifier: MIT */
#pragma once

#include "util/json.h"

/* "RLIMIT_NOFILE" and so on; below 64, so that a set of them fits into a mask. */
extern const struct lcx__json_name lcx__rlimit_names[];
