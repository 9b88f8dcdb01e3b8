/* SPDX-License-Identifier: MIT */
/*
 * Is everything in the store as it was put there? Documents and archives are hashed. An
 * unpacked layer has no digest of its own: its archive is unpacked once more, and the two
 * trees are compared in all that an archive says. That takes time when somebody asks, and
 * none when an image is pulled.
 *
 * What is damaged is set aside, so that the next pull of the image makes it anew: an archive
 * is removed, to be downloaded; a layer loses its description, to be unpacked.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "image/compare.h"
#include "image/image-internal.h"
#include "image/install.h"
#include "image/reference.h"
#include "image/rootset.h"
#include "ns/users.h"
#include "util/str.h"

struct verify {
	struct lcx_ctx *ctx;
	const struct lcx__store *store;
	struct lcx__rootset done; /* manifests */
	struct lcx_error *first;
	size_t n_damages;
};

static void verify_clear(struct verify *v)
{
	lcx__rootset_clear(&v->done);
	(void)lcx_error_free(v->first);
}

/* Take over the words of a damage. Return: 1. */
static int damaged(struct verify *v, struct lcx_error **words)
{
	if (v->n_damages++ == 0)
		v->first = TAKE_PTR(*words);
	return 1;
}

/* The functions below return 0, 1 if there is a damage, or a negative errno in words. */

static bool is_damage(int r)
{
	return r == -EUCLEAN || r == -EBADMSG || r == -ENOENT || r == -EIO;
}

static int judge(struct verify *v, int r, struct lcx_error **words, struct lcx_error **err)
{
	if (r >= 0)
		return 0;
	if (is_damage(r))
		return damaged(v, words);
	return lcx__fail(err, -r, "%s", *words ? lcx_error_message(*words) : "verify");
}

static int check_blob(struct verify *v, const struct lcx__digest *digest, struct lcx_error **err)
{
	CLEANUP(lcx_error_freep) struct lcx_error *words = NULL;

	return judge(v, lcx__blob_verify(v->store, digest, &words), &words, err);
}

struct documents {
	struct lcx__manifest *manifest;
	struct lcx__config *config;
};

static void documents_clear(struct documents *d)
{
	(void)lcx__manifest_free(d->manifest);
	(void)lcx__config_free(d->config);
}

static int read_manifest(const struct lcx__store *store, const struct lcx__digest *digest,
			 struct documents *d, struct lcx_error **err)
{
	CLEANUP(freep) char *text = NULL;
	size_t length;
	int r = lcx__blob_read(store, digest, &text, &length, err);

	return r < 0 ? r : lcx__manifest_parse(text, length, NULL, &d->manifest, err);
}

static int read_config(const struct lcx__store *store, struct documents *d, struct lcx_error **err)
{
	CLEANUP(freep) char *text = NULL;
	size_t length;
	int r = lcx__blob_read(store, &d->manifest->config.digest, &text, &length, err);

	return r < 0 ? r : lcx__config_parse(text, length, &d->config, err);
}

static int check_documents(struct verify *v, const struct lcx__digest *manifest,
			   struct documents *d, struct lcx_error **err)
{
	CLEANUP(lcx_error_freep) struct lcx_error *words = NULL;
	int r = check_blob(v, manifest, err);

	if (r == 0)
		r = judge(v, read_manifest(v->store, manifest, d, &words), &words, err);
	if (r == 0)
		r = check_blob(v, &d->manifest->config.digest, err);
	if (r == 0)
		r = judge(v, read_config(v->store, d, &words), &words, err);
	return r;
}

static int open_layer(const struct lcx__store *store, const struct lcx__layer *layer)
{
	char name[LCX__STORE_NAME_SIZE], path[LCX__STORE_NAME_SIZE + 8];
	int fd;

	lcx__layer_name(&layer->chain_id, name);
	(void)snprintf(path, sizeof(path), "%s/diff", name);
	fd = openat(store->fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

struct comparison {
	const struct lcx__store *store;
	const struct lcx__layer *layer;
};

static int compare(void *data, struct lcx_error **err)
{
	const struct comparison *comparison = data;
	const struct lcx__store *store = comparison->store;
	const struct lcx__layer *layer = comparison->layer;
	CLEANUP(closep)
	int want_fd = lcx__layer_open_root(layer), have_fd = open_layer(store, layer);
	CLEANUP(freep) char *difference = NULL;
	int r;

	if (have_fd == -ENOENT || have_fd == -ENOTDIR || have_fd == -ELOOP)
		return lcx__fail(err, EUCLEAN, "layer '%s' is damaged: its files are missing",
				 layer->digest.text);
	r = want_fd < 0   ? want_fd
	    : have_fd < 0 ? have_fd
			  : lcx__tree_compare(want_fd, have_fd, &difference);

	if (r < 0)
		return lcx__fail_sys(err, -r, "compare layer '%s'", layer->digest.text);
	return difference ? lcx__fail(err, EUCLEAN, "layer '%s' is damaged: %s", layer->digest.text,
				      difference)
			  : 0;
}

/* 0, -EUCLEAN in words, or another negative errno. */
static int compare_layer(const struct lcx__store *store, const struct lcx__layer *layer,
			 struct lcx_error **err)
{
	struct comparison comparison = {store, layer};

	return lcx__users_within(store->ctx, false, compare, &comparison, err);
}

/*
 * From the lowest layer up: directories that a layer only implies are as they are below it. So what
 * was unpacked here of a damaged one stays until the end, for those above to be compared with what
 * they should have inherited, not with what they did. Of a good one, what is in the store is as
 * good.
 */
static int check_layer(struct verify *v, struct lcx__install *install, size_t i,
		       struct lcx_error **err)
{
	CLEANUP(lcx_error_freep) struct lcx_error *words = NULL;
	struct lcx__layer *layer = &install->layers[i];
	bool is_there = lcx__layer_exists(v->store, &layer->chain_id);
	int r = lcx__layer_unpack_again(layer, &words);

	if (r == 0)
		r = lcx__install_inherit(install, i, &words);
	if (r == 0 && !is_there)
		r = lcx__fail(&words, EUCLEAN, "layer '%s' is not unpacked", layer->digest.text);
	else if (r == 0)
		r = compare_layer(v->store, layer, &words);
	if (r == -EUCLEAN)
		lcx__layer_set_aside(v->store, &layer->chain_id);
	else
		lcx__layer_discard(layer);
	return judge(v, r, &words, err);
}

/* A layer whose archive is damaged can't be told from a good one, until that is here again. */
static int check_layers(struct verify *v, const struct lcx__digest *manifest, struct documents *d,
			struct lcx_error **err)
{
	CLEANUP(lcx__install_freep) struct lcx__install *install = NULL;
	int r = lcx__install_new(v->ctx, &install, err);

	if (r == 0)
		r = lcx__install_stored(install, manifest, TAKE_PTR(d->manifest), d->config, err);
	for (size_t i = 0; r >= 0 && i < install->n_layers; i++) {
		r = check_blob(v, &install->layers[i].digest, err);
		if (r == 0)
			r = check_layer(v, install, i, err);
	}
	return r < 0 ? r : 0;
}

static int check_image(struct verify *v, const struct lcx__digest *manifest, struct lcx_error **err)
{
	CLEANUP(documents_clear) struct documents d = {0};
	int r;

	if (lcx__rootset_has(&v->done, lcx__digest_hex(manifest)))
		return 0;
	if (lcx__rootset_add(&v->done, manifest) < 0)
		return lcx__fail_nomem(err);
	r = check_documents(v, manifest, &d, err);
	if (r == 0)
		r = check_layers(v, manifest, &d, err);
	return r < 0 ? r : 0;
}

static int check_all(struct verify *v, const struct lcx__refs *refs, struct lcx_error **err)
{
	CLEANUP(lcx__holds_freep) struct lcx__holds *holds = NULL;
	int r = lcx__holds_read(v->store, &holds, err);

	for (size_t i = 0; r == 0 && i < refs->n; i++)
		r = check_image(v, &refs->items[i].manifest, err);
	for (size_t i = 0; r == 0 && i < holds->n; i++)
		if (holds->items[i].manifest.text[0])
			r = check_image(v, &holds->items[i].manifest, err);
	return r;
}

static int verdict(struct verify *v, struct lcx_error **err)
{
	const char *words = v->first ? lcx_error_message(v->first) : "out of memory";

	if (v->n_damages == 0)
		return 0;
	if (v->n_damages == 1)
		return lcx__fail(err, EUCLEAN, "%s; pull the image again", words);
	return lcx__fail(err, EUCLEAN, "%s (and %zu more); pull the image again", words,
			 v->n_damages - 1);
}

LCX_PUBLIC int lcx_image_verify(struct lcx_ctx *ctx, const char *ref, struct lcx_error **err)
{
	CLEANUP(lcx__lookup_clear) struct lcx__lookup found = {0};
	CLEANUP(verify_clear) struct verify v = {.ctx = ctx};
	int r = ref ? lcx__image_look_up(ctx, ref, &found, err)
		    : lcx__lookup_open(ctx, &found, err);

	v.store = found.store;
	if (r == 0)
		r = ref ? check_image(&v, &found.manifest, err) : check_all(&v, found.refs, err);
	return r < 0 ? r : verdict(&v, err);
}

LCX_PUBLIC int lcx_image_resolve(struct lcx_ctx *ctx, const char *ref, char **ret,
				 struct lcx_error **err)
{
	CLEANUP(lcx__reference_freep) struct lcx__reference *parsed = NULL;
	CLEANUP(lcx__lookup_clear) struct lcx__lookup found = {0};
	int r = lcx__image_look_up(ctx, ref, &found, err);

	for (size_t i = 0; r == 0 && !found.name && i < found.refs->n; i++)
		if (lcx__digest_equal(&found.refs->items[i].manifest, &found.manifest))
			found.name = found.refs->items[i].name;
	if (r == 0 && !found.name)
		return lcx__fail(err, ENOENT, "image '%s' has no name", ref);
	if (r == 0)
		r = lcx__reference_parse(found.name, &parsed, err);
	if (r < 0)
		return r;
	parsed->digest = found.manifest;
	*ret = lcx__reference_format(parsed);
	return *ret ? 0 : lcx__fail_nomem(err);
}
