/* SPDX-License-Identifier: MIT */
#pragma once

/* Bytes of a layer on their way into a compression: the same out for the same in. */

#include "tar/tar.h"

struct lcx__compression {
	const char *name; /* "none", "gzip", "zstd" */
	const char *media_type;
	int (*begin)(void **ret, struct lcx_error **err);
	/* Compress; with @end also all that is still inside. -ENOMEM, -EIO, or the sink's. */
	int (*step)(void *state, const void *bytes, size_t length, bool end,
		    const struct lcx__byte_sink *sink, struct lcx_error **err);
	void (*end)(void *state);
};

/* NULL for a name that isn't known. */
const struct lcx__compression *lcx__compression_find(const char *name);
