/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A line per layer of an image on its way: bars that are drawn in place on a terminal, a plain line
 * per change of state elsewhere.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <lcx/image.h>

struct progress {
	FILE *out;
	bool in_place;
	size_t n_drawn;              /* lines that stand on the terminal now */
	int64_t drawn_ns;            /* when */
	enum lcx_pull_state *states; /* last told, per layer */
	size_t n_states;
};

void progress_begin(struct progress *progress, FILE *out);
void progress_update(struct progress *progress, const struct lcx_pull *pull);
void progress_end(struct progress *progress, const struct lcx_pull *pull);
