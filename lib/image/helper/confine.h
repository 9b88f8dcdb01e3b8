/* SPDX-License-Identifier: MIT */
#pragma once

#include "image/extract.h"

/*
 * Take from this process, which must have one thread, all that unpacking a layer below
 * @root_fd doesn't need. The descriptor's number stays; what it is may be replaced.
 */
int lcx__confine(int root_fd, const struct lcx__extract_limits *limits, struct lcx_error **err);

/* The last step: only the system calls of the list in filter.c, or the end by SIGSYS. */
int lcx__confine_system_calls(struct lcx_error **err);
