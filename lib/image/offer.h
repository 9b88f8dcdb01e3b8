/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What images an archive has for this machine, and one of them on its way into the
 * store. layout.c reads OCI layouts, docker-archive.c what `docker save` writes, and
 * docker-legacy.c what it wrote before version 1.10.
 */

#include "image/bundle.h"
#include "image/install.h"

struct lcx__offer {
	char **names;   /* full references; may be empty */
	char *ref_name; /* of an OCI layout, as written there; NULL if absent */

	/* An OCI layout's: where to begin. */
	char *media_type;
	struct lcx__digest digest;
	uint64_t size_bytes;

	/* Docker's: the configuration, and layers without a manifest, base first. */
	char *config, **layers;

	/* Of the form before Docker 1.10 there is no configuration, but a file for each layer. */
	char **steps;
};

struct lcx__offers {
	struct lcx__offer *items;
	size_t n;
};

/* An empty one at the end; NULL: out of memory. */
struct lcx__offer *lcx__offers_add(struct lcx__offers *offers);
void lcx__offers_clear(struct lcx__offers *offers);

/* Append a reference in its full form; -EBADMSG for what is none. */
int lcx__offer_add_name(struct lcx__offer *offer, const char *name, struct lcx_error **err);

/* -ENOENT if the layout has nothing for this machine. */
int lcx__layout_offers(const struct lcx__bundle *bundle, struct lcx__offers *ret,
		       struct lcx_error **err);
int lcx__docker_offers(const struct lcx__bundle *bundle, struct lcx__offers *ret,
		       struct lcx_error **err);

int lcx__legacy_offers(const struct lcx__bundle *bundle, struct lcx__offers *ret,
		       struct lcx_error **err);

/* The configuration of an offer of the old form, whose layers unpack to @diff_ids; to be freed. */
int lcx__legacy_config(const struct lcx__bundle *bundle, const struct lcx__offer *offer,
		       const struct lcx__digest *diff_ids, char **ret, struct lcx_error **err);

/* Whichever it is; the newest, if it is several. */
int lcx__archive_offers(const struct lcx__bundle *bundle, struct lcx__offers *ret,
			struct lcx_error **err);

/*
 * Follow an offer of a layout down to its manifest, which is installed, and its
 * configuration; *@ret_layers: the names of its layers, base first.
 */
int lcx__layout_begin(const struct lcx__bundle *bundle, const struct lcx__offer *offer,
		      struct lcx__install *install, char ***ret_layers, struct lcx_error **err);

struct lcx__blob {
	struct lcx__digest digest;
	uint64_t size_bytes;
	const char *media_type;
};

/* Manifest and configuration of an image that is made here of layers, base first. */
int lcx__install_parts(struct lcx__install *install, const char *config, size_t config_size,
		       const struct lcx__blob *layers, size_t n_layers, struct lcx_error **err);

/* Do what is to be done for a layer that is not at its stage FETCH, and wait a moment if it is
 * another's turn. */
int lcx__install_advance(struct lcx__install *install, struct lcx__layer *layer,
			 struct lcx_error **err);

/*
 * As lcx__install_parts(), with the configuration of an offer of Docker's. @diff_ids: only for
 * one of the old form.
 */
int lcx__docker_begin(const struct lcx__bundle *bundle, const struct lcx__offer *offer,
		      struct lcx__install *install, const struct lcx__blob *layers,
		      const struct lcx__digest *diff_ids, size_t n_layers, struct lcx_error **err);

/* ---- intake.c ---- */

struct lcx__intake;

/* @bundle and @offer are borrowed. */
int lcx__intake_new(struct lcx_ctx *ctx, const struct lcx__bundle *bundle,
		    const struct lcx__offer *offer, struct lcx__intake **ret,
		    struct lcx_error **err);

/* A bounded piece of work. 1: there is more; 0: all but the name is in the store. */
int lcx__intake_step(struct lcx__intake *intake, struct lcx_error **err);

/* Bytes of layers; the total is 0 as long as it isn't known. */
void lcx__intake_progress(const struct lcx__intake *intake, uint64_t *ret_done,
			  uint64_t *ret_total);

/* When all is there. */
int lcx__intake_commit(struct lcx__intake *intake, const char *full_name, struct lcx_error **err);
const char *lcx__intake_id(const struct lcx__intake *intake);

struct lcx__intake *lcx__intake_free(struct lcx__intake *intake);

DEFINE_CLEANUP(struct lcx__intake *, lcx__intake_free)
