/* SPDX-License-Identifier: MIT */
/*
 * The image room of a library built without the `image` feature. What is public is made by
 * unsupported.py from the header.
 */
#include "image/unsupported.h"

#include <errno.h>

#include "util/str.h"

int lcx__image_unsupported(struct lcx_error **err)
{
	return lcx__fail(
		err, EOPNOTSUPP,
		"images: this liblcx was built without them; build it with -Dimage=enabled");
}

int lcx__image_hold(struct lcx_ctx *ctx, const struct lcx_image *image, const char *owner,
		    struct lcx_error **err)
{
	(void)ctx;
	(void)image;
	(void)owner;
	return lcx__image_unsupported(err);
}

/* Nothing is ever held: containers on a plain directory release as others do. */
int lcx__image_release(struct lcx_ctx *ctx, const char *owner, struct lcx_error **err)
{
	(void)ctx;
	(void)owner;
	(void)err;
	return 0;
}

int lcx__image_holders(struct lcx_ctx *ctx, char ***ret, struct lcx_error **err)
{
	(void)ctx;
	*ret = lcx__strv_copy(NULL);
	return *ret ? 0 : lcx__fail_nomem(err);
}
