/* SPDX-License-Identifier: MIT */
#pragma once

#include "image/extract.h"

/*
 * Take from this process, which must have one thread, all that unpacking a layer below
 * @root_fd doesn't need. The descriptor's number stays; what it is may be replaced.
 * Return: 1 if no path leads out of that directory any more, 0 if only the system calls
 * and what they are given keep it there, <0 if even that can't be had.
 */
int lcx__confine(int root_fd, const struct lcx__extract_limits *limits, struct lcx_error **err);

/*
 * The last step, for all threads: only the system calls of the list in filter.c, or the end
 * by SIGSYS.
 */
int lcx__confine_system_calls(struct lcx_error **err);
