/* SPDX-License-Identifier: MIT */
#pragma once

/* Sets of digests, as pins and holds write them down and as the sweep needs them. */

#include "image/store.h"

struct lcx__rootset {
	struct lcx__digest *items;
	size_t n, size;
	bool sorted;
};

int lcx__rootset_add(struct lcx__rootset *set, const struct lcx__digest *digest);
bool lcx__rootset_has(struct lcx__rootset *set, const char *hex);
void lcx__rootset_clear(struct lcx__rootset *set);

/* What an image needs. */
struct lcx__roots {
	struct lcx__rootset blobs, layers;
};
void lcx__roots_clear(struct lcx__roots *roots);

/* Lines "blob DIGEST" and "layer DIGEST"; others are for others. */
int lcx__roots_parse(struct lcx__roots *roots, char *text);

/* Follow a manifest to its configuration, its layers and their chain ids. */
int lcx__roots_add_image(struct lcx__roots *roots, const struct lcx__store *store,
			 const struct lcx__digest *manifest, struct lcx_error **err);

/* hold.c: a callback per hold would be no simpler than a list. */
struct lcx__hold {
	char *owner;
	struct lcx__digest manifest;
	char *text; /* a root set */
};
struct lcx__holds {
	struct lcx__hold *items;
	size_t n;
};
int lcx__holds_read(const struct lcx__store *store, struct lcx__holds **ret,
		    struct lcx_error **err);
struct lcx__holds *lcx__holds_free(struct lcx__holds *holds);

DEFINE_CLEANUP(struct lcx__holds *, lcx__holds_free)
