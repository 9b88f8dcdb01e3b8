/* SPDX-License-Identifier: MIT */
#pragma once

/* Shared by push.c (the handle) and push-stages.c (what is done, in which order). */

#include "image/image-internal.h"
#include "image/loop.h"
#include "image/registries.h"
#include "image/upload.h"

enum lcx__push_stage {
	LCX__PUSH_NEW,
	LCX__PUSH_BLOBS,
	LCX__PUSH_MANIFEST,
	LCX__PUSH_DONE,
	LCX__PUSH_FAILED,
};

/* A layer, or at last the configuration. */
struct lcx__push_blob {
	struct lcx__digest digest;
	uint64_t total_bytes;
	int fd;
	char *mount_from;
	size_t same_as; /* the first with this digest; its own index if that is itself */
	struct lcx__upload *upload;
	enum lcx__upload_end end;
};

struct lcx_push {
	struct lcx_ctx *ctx;
	struct lcx__registries *conf;
	struct lcx__reference *ref; /* where to */
	char *full_name;
	struct lcx__settings settings;
	uint64_t chunk_bytes;
	struct lcx__loop loop;

	/* The image. */
	struct lcx__store *store;
	struct lcx__pin *pin;
	struct lcx__digest manifest_digest;
	char *manifest_json;
	const char *media_type;
	size_t manifest_length;
	struct lcx__push_blob *blobs;
	size_t n_blobs; /* layers, base first, and one more */

	enum lcx__push_stage stage;
	int result;
	struct lcx__registry *registry;
	struct lcx__request *manifest;
};

/* Find the image by its name here, and keep it from being removed. */
int lcx__push_find(struct lcx_push *push, const char *image, bool *ret_by_name,
		   struct lcx_error **err);

int lcx__push_advance(struct lcx_push *push, struct lcx_error **err);
int64_t lcx__push_deadline_ns(const struct lcx_push *push);
void lcx__push_let_go(struct lcx_push *push);
