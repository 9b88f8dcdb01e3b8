/* SPDX-License-Identifier: MIT */
#pragma once

/* Shared by pull.c (the handle) and pull-stages.c (what is done, in which order). */

#include "image/image-internal.h"
#include "image/install.h"
#include "image/loop.h"
#include "image/sources.h"

enum lcx__pull_stage {
	LCX__PULL_NEW,
	LCX__PULL_MANIFEST,
	LCX__PULL_CONFIG,
	LCX__PULL_LAYERS,
	LCX__PULL_DONE,
	LCX__PULL_FAILED,
};

/* What is shown of a layer after its own state is gone. */
struct lcx__pull_layer {
	struct lcx__digest digest;
	uint64_t total_bytes;
	bool watched; /* the descriptor of its unpacking */
};

struct lcx_pull {
	struct lcx_ctx *ctx;
	struct lcx__reference *ref;
	char *full_name;
	struct lcx__registries *conf;
	struct lcx__settings settings;
	struct lcx__platform platform;
	struct lcx__loop loop;

	enum lcx__pull_stage stage;
	int result;
	struct lcx__sources *sources;
	struct lcx__install *install;
	struct lcx__get *document;
	struct lcx__digest digest; /* of the document; empty if a tag names it */
	uint64_t size_bytes;       /* of the document; 0 if unknown */
	char *media_type;          /* that the index announced; NULL if unknown */
	int depth;
	struct lcx__get **downloads; /* one per layer, NULL when none runs */
	int64_t lock_poll_ns;
	struct lcx__pull_layer *layers;
	size_t n_layers;
};

/* Do what the present stage can do without waiting. 0 (look at the stage), or a negative errno. */
int lcx__pull_advance(struct lcx_pull *pull, struct lcx_error **err);

/* Is there something to do that no descriptor tells of? And when, if not at once? */
bool lcx__pull_has_work(const struct lcx_pull *pull, int64_t *ret_deadline_ns);

/* Everything but the description and the handles that were promised to live as long as the pull. */
void lcx__pull_let_go(struct lcx_pull *pull);
