/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A line per layer of an image on its way: bars that are drawn in place on a terminal, a plain line
 * per change of state elsewhere.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* In what order a layer goes through them: what comes later is further. */
struct progress_state {
	const char *name;
	bool moving; /* some of its bytes are done */
	bool ended;
};

/* A pull or a push, as the bars see it. */
struct progress_job {
	const void *data;
	const struct progress_state *states; /* the first one is that of a layer not begun */
	size_t n_states;
	size_t (*count)(const void *data);
	const char *(*digest)(const void *data, size_t layer);
	size_t (*state)(const void *data, size_t layer); /* what is not known counts as begun */
	uint64_t (*done)(const void *data, size_t layer);
	uint64_t (*total)(const void *data, size_t layer);
};

struct progress {
	FILE *out;
	bool in_place;
	struct progress_job job;
	size_t n_drawn;   /* lines that stand on the terminal now */
	int64_t drawn_ns; /* when */
	size_t *states;   /* last told, per layer */
	size_t n_states;
};

void progress_begin(struct progress *progress, const struct progress_job *job, FILE *out);
void progress_update(struct progress *progress);
void progress_end(struct progress *progress);
