/* SPDX-License-Identifier: MIT */
#pragma once

/* Shared by the files of lib/image only: what a handle is made of. */

#include "image/image.h"
#include "image/manifest.h"
#include "image/store.h"

struct lcx_image {
	struct lcx__digest id, manifest_digest;
	char *manifest_json, *config_json;
	struct lcx__manifest *manifest;
	struct lcx__config *config;
	char **references;
	char **layer_dirs;           /* base first */
	uint64_t *layer_sizes_bytes; /* base first, unpacked */
	uint64_t size_bytes;
	bool userxattr;
};

/* -EUCLEAN if a document or a layer is missing or damaged. */
int lcx__image_load(const struct lcx__store *store, const struct lcx__digest *manifest,
		    const struct lcx__refs *refs, struct lcx_image **ret, struct lcx_error **err);

/*
 * Every image that a name or a container knows, damaged ones left out, base for
 * lists and for look-ups by id.
 */
struct lcx_image_list {
	struct lcx_image **items;
	size_t n;
	char **damaged; /* names of what was left out */
};
int lcx__image_list_load(const struct lcx__store *store, const struct lcx__refs *refs,
			 struct lcx_image_list **ret, struct lcx_error **err);

/*
 * Find the manifest that @ref means. *@ret_ref is the name that was matched (borrowed
 * from @refs), or NULL if it was found by id.
 */
int lcx__image_find(const struct lcx__store *store, const struct lcx__refs *refs, const char *ref,
		    struct lcx__digest *ret, const char **ret_ref, struct lcx_error **err);

/* The store and its names, and the image that was looked for among them. */
struct lcx__lookup {
	struct lcx__store *store;
	struct lcx__refs *refs;
	struct lcx__digest manifest;
	const char *name; /* borrowed from @refs, or NULL */
};

int lcx__lookup_open(struct lcx_ctx *ctx, struct lcx__lookup *ret, struct lcx_error **err);
int lcx__image_look_up(struct lcx_ctx *ctx, const char *ref, struct lcx__lookup *ret,
		       struct lcx_error **err);
void lcx__lookup_clear(struct lcx__lookup *lookup);
