/* SPDX-License-Identifier: MIT */
#pragma once

/* What rooms below may know of images: how a container keeps one from being removed. */

#include "lcx/image.h"
#include "util/error.h"

DEFINE_CLEANUP(struct lcx_image *, lcx_image_free)
DEFINE_CLEANUP(struct lcx_image_list *, lcx_image_list_free)
DEFINE_CLEANUP(struct lcx_pull *, lcx_pull_free)
DEFINE_CLEANUP(struct lcx_push *, lcx_push_free)

/*
 * Hold @image for @owner (the id of a container; one image per owner, a second
 * hold replaces the first). The hold is a file in the store, seen by every process,
 * and survives a reboot: whoever removes the container releases it. Fails with
 * -ENOENT if the image was removed since it was opened.
 */
int lcx__image_hold(struct lcx_ctx *ctx, const struct lcx_image *image, const char *owner,
		    struct lcx_error **err);

/* Release what @owner holds; nothing held is fine. */
int lcx__image_release(struct lcx_ctx *ctx, const char *owner, struct lcx_error **err);

/*
 * The owners of holds, for the garbage collector of containers: a hold whose
 * container is gone is released. NULL-terminated, freed by lcx__strv_free().
 */
int lcx__image_holders(struct lcx_ctx *ctx, char ***ret, struct lcx_error **err);
