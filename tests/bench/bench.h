/* SPDX-License-Identifier: MIT */
#pragma once

/* What benchmarks of the library have in common. */

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <lcx/error.h>

static inline int64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static inline void must(int r, struct lcx_error *err)
{
	if (r >= 0)
		return;
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, lcx_error_stage(err),
		lcx_error_message(err));
	exit(1);
}
