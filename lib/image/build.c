/* SPDX-License-Identifier: MIT */
/*
 * The layer is written into an unnamed file of the store, compressed and hashed on the
 * way, and then taken in like one that was downloaded: what it unpacks to is checked
 * before the image has a name.
 */
#include "image/build.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "image/change.h"
#include "image/compress.h"
#include "image/document.h"
#include "image/image-internal.h"
#include "image/offer.h"
#include "image/registries.h"
#include "util/fs.h"
#include "util/str.h"

enum { CHUNK = 1 << 20 };

struct lcx__build {
	struct lcx_ctx *ctx;
	const struct lcx_image *base;
	struct lcx__install *install;
	struct json_object *document; /* the whole configuration */
	const struct lcx__compression *compression;
	void *compressor;
	struct lcx__hash *diff_hash, *blob_hash;
	int fd;
	uint64_t size_bytes; /* compressed */
	struct lcx__byte_sink sink, compressed;
};

static int write_compressed(void *data, const void *bytes, size_t length, struct lcx_error **err)
{
	struct lcx__build *b = data;
	int r = lcx__write_all(b->fd, bytes, length);

	if (r < 0)
		return lcx__fail_sys(err, -r, "write the layer");
	b->size_bytes += length;
	return lcx__hash_update(b->blob_hash, bytes, length) < 0 ? lcx__fail(err, EIO, "hash") : 0;
}

static int write_plain(void *data, const void *bytes, size_t length, struct lcx_error **err)
{
	struct lcx__build *b = data;

	if (lcx__hash_update(b->diff_hash, bytes, length) < 0)
		return lcx__fail(err, EIO, "hash");
	return b->compression->step(b->compressor, bytes, length, false, &b->compressed, err);
}

int lcx__build_new(struct lcx_ctx *ctx, const struct lcx_image *base, const char *compression,
		   struct lcx__build **ret, struct lcx_error **err)
{
	CLEANUP(lcx__build_freep) struct lcx__build *b = calloc(1, sizeof(*b));
	int r;

	if (!b)
		return lcx__fail_nomem(err);
	b->ctx = ctx;
	b->base = base;
	b->fd = -1;
	b->sink = (struct lcx__byte_sink){write_plain, b};
	b->compressed = (struct lcx__byte_sink){write_compressed, b};
	b->compression = lcx__compression_find(compression);
	if (!b->compression)
		return lcx__fail(err, EINVAL,
				 "compression '%s' is not known; there are gzip, zstd and none",
				 compression);
	r = lcx__doc_parse(base->config_json, strlen(base->config_json), "image configuration",
			   &b->document, err);
	if (r == 0)
		r = lcx__install_new(ctx, &b->install, err);
	if (r < 0)
		return r;
	b->fd = openat(b->install->pin->tmp_fd, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	if (b->fd < 0)
		return lcx__fail_sys(err, errno, "make a temporary file in the store");
	r = lcx__hash_new(NULL, &b->diff_hash, err);
	if (r == 0)
		r = lcx__hash_new(NULL, &b->blob_hash, err);
	if (r == 0)
		r = b->compression->begin(&b->compressor, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(b);
	return 0;
}

struct lcx__build *lcx__build_free(struct lcx__build *b)
{
	if (!b)
		return NULL;
	if (b->compressor)
		b->compression->end(b->compressor);
	(void)lcx__hash_free(b->diff_hash);
	(void)lcx__hash_free(b->blob_hash);
	closep(&b->fd);
	(void)json_object_put(b->document);
	(void)lcx__install_free(b->install);
	free(b);
	return NULL;
}

const struct lcx__byte_sink *lcx__build_sink(const struct lcx__build *b)
{
	return &b->sink;
}

struct json_object *lcx__build_config(struct lcx__build *b)
{
	return lcx__change_member(b->document, "config");
}

/* ---- the configuration -------------------------------------------------- */

static int append_object(struct json_object *array, struct json_object **ret)
{
	struct json_object *step = json_object_new_object();

	if (!step || json_object_array_add(array, step) < 0) {
		(void)json_object_put(step);
		return -ENOMEM;
	}
	*ret = step;
	return 0;
}

/* A history tells of each layer. A base that has none gets empty words for what it has. */
static struct json_object *get_history(struct lcx__build *b)
{
	struct json_object *history = NULL, *step;

	if (json_object_object_get_ex(b->document, "history", &history) &&
	    json_object_is_type(history, json_type_array))
		return history;
	history = json_object_new_array();
	if (!history || json_object_object_add(b->document, "history", history) < 0) {
		(void)json_object_put(history);
		return NULL;
	}
	for (size_t i = 0; i < b->base->config->n_diff_ids; i++)
		if (append_object(history, &step) < 0)
			return NULL;
	return history;
}

static int set_if(struct json_object *object, const char *key, const char *text)
{
	return text && text[0] ? lcx__change_set_text(object, key, text) : 0;
}

static int add_history(struct lcx__build *b, const struct lcx__build_words *words,
		       const char *created)
{
	struct json_object *history = get_history(b), *step;

	if (!history || append_object(history, &step) < 0 ||
	    lcx__change_set_text(step, "created", created) < 0 ||
	    set_if(step, "created_by", words->created_by) < 0 ||
	    set_if(step, "author", words->author) < 0 ||
	    set_if(step, "comment", words->message) < 0)
		return -ENOMEM;
	return 0;
}

static int add_diff_id(struct lcx__build *b, const struct lcx__digest *diff_id)
{
	struct json_object *rootfs = NULL, *ids = NULL, *id;

	/* Both were checked when the image was opened. */
	(void)json_object_object_get_ex(b->document, "rootfs", &rootfs);
	if (!json_object_object_get_ex(rootfs, "diff_ids", &ids)) {
		ids = json_object_new_array();
		if (!ids || json_object_object_add(rootfs, "diff_ids", ids) < 0)
			return -ENOMEM;
	}
	id = json_object_new_string(diff_id->text);
	if (id && json_object_array_add(ids, id) == 0)
		return 0;
	(void)json_object_put(id);
	return -ENOMEM;
}

static int finish_document(struct lcx__build *b, const struct lcx__build_words *words,
			   const struct lcx__digest *diff_id, struct lcx_error **err)
{
	/* Of the container that a base of Docker's came from, not of this one. */
	static const char *const dropped[] = {"container", "container_config", "docker_version",
					      "id",        "parent",           "parent_id"};
	char created[LCX__TIME_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(dropped); i++)
		json_object_object_del(b->document, dropped[i]);
	lcx__format_time(words->created_ns, created);
	if (lcx__change_set_text(b->document, "created", created) < 0 ||
	    set_if(b->document, "author", words->author) < 0 ||
	    add_history(b, words, created) < 0 || add_diff_id(b, diff_id) < 0)
		return lcx__fail_nomem(err);
	return 0;
}

/* ---- layers ------------------------------------------------------------- */

/* The base may have been Docker's, with its own names for the same things. */
static const char *oci_type(const char *media_type)
{
	static const char *const suffixes[][2] = {
		{"gzip", "application/vnd.oci.image.layer.v1.tar+gzip"},
		{"zstd", "application/vnd.oci.image.layer.v1.tar+zstd"},
	};
	size_t length = strlen(media_type);

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++)
		if (length >= 4 && strcmp(media_type + length - 4, suffixes[i][0]) == 0)
			return suffixes[i][1];
	return "application/vnd.oci.image.layer.v1.tar";
}

static int install_documents(struct lcx__build *b, const struct lcx__digest *blob,
			     struct lcx_error **err)
{
	const struct lcx__manifest *m = b->base->manifest;
	CLEANUP(freep) struct lcx__blob *blobs = calloc(m->n_items + 1, sizeof(*blobs));
	const char *text = json_object_to_json_string_ext(
		b->document, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);

	if (!blobs || !text)
		return lcx__fail_nomem(err);
	for (size_t i = 0; i < m->n_items; i++)
		blobs[i] = (struct lcx__blob){m->items[i].digest, m->items[i].size,
					      oci_type(m->items[i].media_type)};
	blobs[m->n_items] = (struct lcx__blob){*blob, b->size_bytes, b->compression->media_type};
	return lcx__install_parts(b->install, text, strlen(text), blobs, m->n_items + 1, err);
}

/* They are pinned by now. An image with holes could be run, but neither saved nor pushed. */
static int check_base(const struct lcx__build *b, struct lcx_error **err)
{
	const struct lcx__manifest *m = b->base->manifest;

	for (size_t i = 0; i < m->n_items; i++) {
		uint64_t size = 0;

		if (lcx__blob_size(b->install->store, &m->items[i].digest, &size) < 0 ||
		    size != m->items[i].size)
			return lcx__fail(err, ENOENT,
					 "the archive of layer '%.19s' of the base is not in the "
					 "image store any more; pull its image again",
					 m->items[i].digest.text);
	}
	return 0;
}

static int feed(struct lcx__build *b, struct lcx__layer *layer, char *buffer,
		struct lcx_error **err)
{
	ssize_t n;

	do
		n = pread(b->fd, buffer, CHUNK, (off_t)layer->have_bytes);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return lcx__fail_sys(err, errno, "read the new layer");
	return n > 0 ? lcx__layer_write(layer, buffer, (size_t)n, err)
		     : lcx__layer_fetched(layer, err);
}

static int install_layers(struct lcx__build *b, struct lcx_error **err)
{
	CLEANUP(freep) char *buffer = malloc(CHUNK);
	int r = 0;

	if (!buffer)
		return lcx__fail_nomem(err);
	for (size_t i = 0; i < b->install->n_layers; i++) {
		struct lcx__layer *layer = &b->install->layers[i];

		while (r == 0 && layer->stage != LCX__LAYER_SETTLE &&
		       layer->stage != LCX__LAYER_DONE)
			/* Only the last one can lack its blob: check_base() */
			r = layer->stage == LCX__LAYER_FETCH
				    ? feed(b, layer, buffer, err)
				    : lcx__install_advance(b->install, layer, err);
		if (r < 0)
			return r;
	}
	return lcx__install_settle(b->install, err);
}

int lcx__build_commit(struct lcx__build *b, const struct lcx__build_words *words, const char *name,
		      struct lcx_error **err)
{
	CLEANUP(lcx__reference_freep) struct lcx__reference *ref = NULL;
	CLEANUP(freep) char *full_name = NULL;
	struct lcx__digest diff_id, blob;
	int r = lcx__reference_read(b->ctx, name, &ref, err);

	if (r == 0 && ref->digest.text[0])
		r = lcx__fail(err, EINVAL, "'%s': a name with a digest can't be given", name);
	if (r < 0)
		return r;
	full_name = lcx__reference_format(ref);
	if (!full_name)
		return lcx__fail_nomem(err);
	r = b->compression->step(b->compressor, "", 0, true, &b->compressed, err);
	if (r < 0)
		return r;
	if (lcx__hash_finish(b->diff_hash, &diff_id) < 0 ||
	    lcx__hash_finish(b->blob_hash, &blob) < 0)
		return lcx__fail(err, EIO, "hash the layer");
	r = finish_document(b, words, &diff_id, err);
	if (r == 0)
		r = install_documents(b, &blob, err);
	if (r == 0)
		r = check_base(b, err);
	if (r == 0)
		r = install_layers(b, err);
	return r < 0 ? r : lcx__install_commit(b->install, full_name, err);
}
