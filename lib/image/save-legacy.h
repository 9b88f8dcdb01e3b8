/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The form that Docker before 1.10 reads, beside the others in one archive: `repositories`, and
 * for each layer a directory whose `layer.tar` is a link to the blob.
 */

#include "image/image-internal.h"
#include "tar/tar.h"

/* An image and the names that it is saved under. */
struct lcx__saved {
	struct lcx_image *image;
	char **names; /* as asked for; empty for one that was asked for by its id */
};

/* -EBADMSG, -EIO, -ENOMEM, or what @sink has to say, with words */
int lcx__save_legacy(const struct lcx__byte_sink *sink, const struct lcx__saved *images,
		     size_t n_images, struct lcx_error **err);
