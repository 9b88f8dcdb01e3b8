/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A new image out of another one and a layer on top of it: open the layer, write a tar to
 * it, change the configuration, commit.
 */

#include <json-c/json.h>

#include "image/image.h"
#include "tar/tar.h"

struct lcx__build;

/* @compression: "gzip", "zstd" or "none". @base must outlive the build. */
int lcx__build_new(struct lcx_ctx *ctx, const struct lcx_image *base, const char *compression,
		   struct lcx__build **ret, struct lcx_error **err);

/* Where the layer's tar goes. */
const struct lcx__byte_sink *lcx__build_sink(const struct lcx__build *build);

/* The new configuration's "config" section, a copy of the base's; borrowed. */
struct json_object *lcx__build_config(struct lcx__build *build);

struct lcx__build_words {
	int64_t created_ns;
	const char *created_by, *author, *message; /* NULL: nothing */
};

/* The archive is complete: make an image of it, which gets @name. */
int lcx__build_commit(struct lcx__build *build, const struct lcx__build_words *words,
		      const char *name, struct lcx_error **err);

struct lcx__build *lcx__build_free(struct lcx__build *build);

DEFINE_CLEANUP(struct lcx__build *, lcx__build_free)
