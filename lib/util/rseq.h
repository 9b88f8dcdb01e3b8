/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

/*
 * rseq(2). The kernel keeps the number of the CPU in the thread's data, and restarts sequences of
 * its instructions that are interrupted: for the thread, not for a child that uses its data while
 * it waits (CLONE_VM with CLONE_VFORK). An allocator with a cache for each CPU would take another
 * CPU's. Ended, the data say that there is no such thing, which all who use it must reckon with.
 *
 * Only what the C library has begun, since glibc 2.35, is known here and can be ended.
 */

/* For the calling thread. Return: whether there is something to begin again. */
bool lcx__rseq_end(void);
void lcx__rseq_begin(void);
