/* SPDX-License-Identifier: MIT */
/*
 * A pull is a row of stages: the manifest (through an index, if there is one), the
 * configuration, the layers. Of the layers all that can is done at once; a name is given at the
 * end.
 */
#include <errno.h>
#include <string.h>

#include "image/pull-internal.h"

enum {
	FETCHES_AT_ONCE = 3,
	UNPACKS_AT_ONCE = 4,
	INDEX_DEPTH_MAX = 3,
	LOCK_POLL_MS = 100,
};

void lcx__pull_let_go(struct lcx_pull *pull)
{
	pull->document = lcx__get_free(pull->document);
	for (size_t i = 0; pull->downloads && i < pull->n_layers; i++)
		(void)lcx__get_free(pull->downloads[i]);
	free(TAKE_PTR(pull->downloads));
	free(TAKE_PTR(pull->media_type));
	pull->sources = lcx__sources_free(pull->sources);
	pull->install = lcx__install_free(pull->install);
}

/* Stages. Each returns 0 (look at the stage) or a negative errno. */

static int fetch_document(struct lcx_pull *pull, const char *kind, const char *target,
			  const char *accept, struct lcx_error **err)
{
	size_t limit = pull->size_bytes ? pull->size_bytes : LCX__DOCUMENT_MAX;
	CLEANUP(freep) char *path = lcx__format("%s/%s", kind, target);

	if (!path)
		return lcx__fail_nomem(err);
	if (limit > LCX__DOCUMENT_MAX)
		return lcx__fail(err, EBADMSG, "'%.19s': %zu bytes are too many", target, limit);
	pull->document = lcx__get_free(pull->document);
	return lcx__get_new(pull->sources, path, accept, NULL, limit, &pull->document, err);
}

static int stage_new(struct lcx_pull *pull, struct lcx_error **err)
{
	int r;

	r = lcx__install_new(pull->ctx, &pull->install, err);
	if (r == 0)
		r = lcx__sources_new(pull->loop.transport, pull->conf, pull->ref, &pull->settings,
				     &pull->sources, err);
	pull->digest = pull->ref->digest;
	if (r == 0)
		r = fetch_document(pull, "manifests", lcx__reference_target(pull->ref),
				   LCX__MANIFEST_ACCEPT, err);
	pull->stage = LCX__PULL_MANIFEST;
	return r;
}

static int check_manifest(struct lcx_pull *pull, const char *data, size_t length,
			  struct lcx_error **err)
{
	if (pull->digest.text[0] == '\0')
		return lcx__digest_of(NULL, data, length, &pull->digest, err);
	return lcx__check_document(&pull->digest, pull->size_bytes ? pull->size_bytes : length,
				   data, length, err);
}

static int follow_index(struct lcx_pull *pull, const struct lcx__manifest *index,
			struct lcx_error **err)
{
	const struct lcx__descriptor *d = NULL;
	int r;

	if (++pull->depth > INDEX_DEPTH_MAX)
		return lcx__fail(err, EBADMSG, "indexes nested too deeply");
	r = lcx__index_choose(index, &pull->platform, NULL, &d, err);
	if (r < 0)
		return r;
	pull->digest = d->digest;
	pull->size_bytes = d->size;
	free(pull->media_type);
	pull->media_type = strdup(d->media_type);
	if (!pull->media_type)
		return lcx__fail_nomem(err);
	return fetch_document(pull, "manifests", d->digest.text, LCX__MANIFEST_ACCEPT, err);
}

static int begin_config(struct lcx_pull *pull, struct lcx_error **err)
{
	const struct lcx__descriptor *d = &pull->install->manifest->config;

	pull->stage = LCX__PULL_CONFIG;
	pull->size_bytes = d->size;
	return fetch_document(pull, "blobs", d->digest.text, NULL, err);
}

static int take_manifest(struct lcx_pull *pull, struct lcx_error **err)
{
	CLEANUP(lcx__manifest_freep) struct lcx__manifest *manifest = NULL;
	const char *data, *type = NULL;
	size_t length;
	int r;

	data = lcx__get_body(pull->document, &length, &type);
	r = check_manifest(pull, data, length, err);
	if (r == 0)
		r = lcx__manifest_parse(data, length, type, &manifest, err);
	/* What the index called it counts as well. */
	if (r == 0 && pull->media_type) {
		manifest = lcx__manifest_free(manifest);
		r = lcx__manifest_parse(data, length, pull->media_type, &manifest, err);
	}
	if (r < 0)
		return r;
	lcx__sources_prefer(pull->sources, pull->document);
	if (manifest->is_index)
		return follow_index(pull, manifest, err);
	r = lcx__install_manifest(pull->install, &pull->digest, data, length, TAKE_PTR(manifest),
				  err);
	return r < 0 ? r : begin_config(pull, err);
}

static int stage_manifest(struct lcx_pull *pull, struct lcx_error **err)
{
	struct lcx__digest digest = pull->digest;
	int r = lcx__get_result(pull->document, err);

	if (r != 0)
		return r < 0 ? r : 0;
	r = take_manifest(pull, err);
	if (r == -EBADMSG) {
		pull->digest = digest;
		r = lcx__get_reject(pull->document, r, err);
	}
	return r < 0 ? r : 0;
}

static int begin_layers(struct lcx_pull *pull, struct lcx_error **err)
{
	size_t n = pull->install->n_layers;

	pull->downloads = calloc(n + 1, sizeof(struct lcx__get *));
	pull->layers = calloc(n + 1, sizeof(*pull->layers));
	if (!pull->downloads || !pull->layers)
		return lcx__fail_nomem(err);
	pull->n_layers = n;
	for (size_t i = 0; i < n; i++) {
		pull->layers[i].digest = pull->install->layers[i].digest;
		pull->layers[i].total_bytes = pull->install->layers[i].size_bytes;
	}
	pull->stage = LCX__PULL_LAYERS;
	return 0;
}

static int stage_config(struct lcx_pull *pull, struct lcx_error **err)
{
	const char *data;
	size_t length;
	int r;

	r = lcx__get_result(pull->document, err);
	if (r != 0)
		return r < 0 ? r : 0;
	data = lcx__get_body(pull->document, &length, NULL);
	r = lcx__install_config(pull->install, data, length, err);
	if (r == -EBADMSG) {
		r = lcx__get_reject(pull->document, r, err);
		return r < 0 ? r : 0;
	}
	pull->document = lcx__get_free(pull->document);
	return r < 0 ? r : begin_layers(pull, err);
}

static uint64_t sink_offset(void *data)
{
	return ((struct lcx__layer *)data)->have_bytes;
}

static int sink_restart(void *data, struct lcx_error **err)
{
	return lcx__layer_restart(data, err);
}

static int sink_write(void *data, const void *bytes, size_t length, struct lcx_error **err)
{
	return lcx__layer_write(data, bytes, length, err);
}

static size_t count_fetches(const struct lcx_pull *pull)
{
	size_t n = 0;

	for (size_t i = 0; i < pull->n_layers; i++)
		n += pull->downloads[i] != NULL;
	return n;
}

static int fetch_layer(struct lcx_pull *pull, size_t i, struct lcx_error **err)
{
	struct lcx__layer *layer = &pull->install->layers[i];
	int r;

	if (!pull->downloads[i]) {
		const struct lcx__sink sink = {layer, layer->size_bytes, sink_offset, sink_restart,
					       sink_write};
		CLEANUP(freep) char *path = lcx__format("blobs/%s", layer->digest.text);

		if (count_fetches(pull) >= FETCHES_AT_ONCE)
			return 0;
		return path ? lcx__get_new(pull->sources, path, NULL, &sink, 0, &pull->downloads[i],
					   err)
			    : lcx__fail_nomem(err);
	}
	r = lcx__get_result(pull->downloads[i], err);
	/* It has been asked for: until the answer comes there is time. */
	if (r > 0)
		return lcx__layer_expect(layer, err);
	if (r < 0)
		return r;
	r = lcx__layer_fetched(layer, err);
	if (r == -EBADMSG) {
		r = lcx__get_reject(pull->downloads[i], r, err);
		return r < 0 ? r : 0;
	}
	pull->downloads[i] = lcx__get_free(pull->downloads[i]);
	return r;
}

/* More at once would only wait for processors, each with its own decoder in memory. */
static bool may_unpack(const struct lcx_pull *pull, const struct lcx__layer *layer)
{
	size_t n = 0;

	if (lcx__layer_fd(layer) >= 0)
		return true;
	for (size_t i = 0; i < pull->n_layers; i++)
		n += lcx__layer_fd(&pull->install->layers[i]) >= 0;
	return n < UNPACKS_AT_ONCE;
}

/* Where the work is done elsewhere, its descriptor tells of it. */
static int unpack_layer(struct lcx_pull *pull, size_t i, struct lcx_error **err)
{
	struct lcx__layer *layer = &pull->install->layers[i];
	int r = lcx__layer_step(layer, err);

	if (r < 0 || pull->layers[i].watched || lcx__layer_fd(layer) < 0)
		return r;
	pull->layers[i].watched = true;
	r = lcx__transport_watch(pull->loop.transport, lcx__layer_fd(layer));
	return r < 0 ? lcx__fail_sys(err, -r, "wait for the layer's helper") : 0;
}

/* Downloads all move on; of the work that takes our own time one piece is done, for one layer. */
static int stage_layers(struct lcx_pull *pull, struct lcx_error **err)
{
	bool may_poll = lcx__monotonic_ns() >= pull->lock_poll_ns;
	bool worked = false, waiting = false;
	int r = 0;

	for (size_t i = 0; r == 0 && i < pull->n_layers; i++) {
		struct lcx__layer *layer = &pull->install->layers[i];
		int fd = lcx__layer_fd(layer);

		switch (layer->stage) {
		case LCX__LAYER_LOCK:
			if (may_poll && !waiting)
				r = lcx__layer_step(layer, err);
			/* Those above it may not be locked before it. */
			waiting |= layer->stage == LCX__LAYER_LOCK;
			break;
		case LCX__LAYER_FETCH:
			r = fetch_layer(pull, i, err);
			break;
		case LCX__LAYER_REHASH:
			if (!worked)
				r = lcx__layer_step(layer, err);
			worked = true;
			break;
		case LCX__LAYER_UNPACK:
			if (may_unpack(pull, layer) && (fd >= 0 || !worked))
				r = unpack_layer(pull, i, err);
			worked |= fd < 0;
			break;
		case LCX__LAYER_SETTLE:
		case LCX__LAYER_DONE:
			break;
		}
	}
	if (r == 0)
		r = lcx__install_settle(pull->install, err);
	if (may_poll)
		pull->lock_poll_ns = lcx__monotonic_ns() + LOCK_POLL_MS * INT64_C(1000000);
	if (r < 0 || !lcx__install_complete(pull->install))
		return r;
	r = lcx__install_commit(pull->install, pull->full_name, err);
	pull->stage = r < 0 ? LCX__PULL_FAILED : LCX__PULL_DONE;
	return r;
}

static int (*const stages[])(struct lcx_pull *pull, struct lcx_error **err) = {
	[LCX__PULL_NEW] = stage_new,
	[LCX__PULL_MANIFEST] = stage_manifest,
	[LCX__PULL_CONFIG] = stage_config,
	[LCX__PULL_LAYERS] = stage_layers,
};

int lcx__pull_advance(struct lcx_pull *pull, struct lcx_error **err)
{
	return stages[pull->stage](pull, err);
}

bool lcx__pull_has_work(const struct lcx_pull *pull, int64_t *ret_deadline_ns)
{
	bool work = false;

	*ret_deadline_ns = lcx__sources_deadline_ns(pull->sources);
	for (size_t i = 0; pull->stage == LCX__PULL_LAYERS && i < pull->n_layers; i++) {
		enum lcx__layer_stage stage = pull->install->layers[i].stage;

		work |= stage == LCX__LAYER_REHASH ||
			(stage == LCX__LAYER_UNPACK && !pull->layers[i].watched &&
			 may_unpack(pull, &pull->install->layers[i])) ||
			(stage == LCX__LAYER_FETCH && !pull->downloads[i] &&
			 count_fetches(pull) < FETCHES_AT_ONCE);
		if (stage == LCX__LAYER_LOCK && pull->lock_poll_ns < *ret_deadline_ns)
			*ret_deadline_ns = pull->lock_poll_ns;
	}
	return work;
}
