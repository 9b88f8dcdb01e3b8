/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * An image on its way into the store, whoever brings its parts: first the manifest,
 * then the configuration, then the layers (layer.h) in any order, at last a name.
 */

#include "image/layer.h"
#include "image/manifest.h"

struct lcx__install {
	struct lcx__store *store;
	struct lcx__pin *pin;
	struct lcx__manifest *manifest;
	struct lcx__digest manifest_digest;
	struct lcx__layer *layers; /* NULL until the configuration is there */
	size_t n_layers;
};

int lcx__install_new(struct lcx_ctx *ctx, struct lcx__install **ret, struct lcx_error **err);
struct lcx__install *lcx__install_free(struct lcx__install *install);

DEFINE_CLEANUP(struct lcx__install *, lcx__install_free)

/* @manifest, parsed from @data, is taken over in any case; @digest was checked. */
int lcx__install_manifest(struct lcx__install *install, const struct lcx__digest *digest,
			  const char *data, size_t length, struct lcx__manifest *manifest,
			  struct lcx_error **err);

/* Checked here against the manifest. */
int lcx__install_config(struct lcx__install *install, const char *data, size_t length,
			struct lcx_error **err);

/* An image that is in the store already, to be looked at; @manifest is taken over in any case. */
int lcx__install_stored(struct lcx__install *install, const struct lcx__digest *digest,
			struct lcx__manifest *manifest, const struct lcx__config *config,
			struct lcx_error **err);

/* Let layer @index have the directories that it doesn't describe from the layers below it. */
int lcx__install_inherit(const struct lcx__install *install, size_t index, struct lcx_error **err);

/*
 * Commit the layers that are unpacked, after one syncfs(2) for all of them: it waits for
 * whatever else the file system has to write. Nothing happens while another layer is being
 * worked on, unless that waits for another's lock, which may be one of ours.
 *
 * Layers must be locked from the base up, none before all below it are locked or done: then
 * whoever holds a lock can finish what it has, and nobody waits in a circle.
 */
int lcx__install_settle(struct lcx__install *install, struct lcx_error **err);

bool lcx__install_complete(const struct lcx__install *install);

/* Give the complete image its name: from now on it is there. */
int lcx__install_commit(struct lcx__install *install, const char *name, struct lcx_error **err);

/* Size before hash, as the specification wants it: 0 or -EBADMSG. */
int lcx__check_document(const struct lcx__digest *digest, uint64_t size_bytes, const char *data,
			size_t length, struct lcx_error **err);
