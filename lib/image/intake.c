/* SPDX-License-Identifier: MIT */
/*
 * One image out of an archive, in bounded steps: its documents, then layer by layer the
 * same way as a pull's. Docker's archives don't say what their layers hash to, which the
 * manifest must: their layers are read once for that, before.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#include "image/decode.h"
#include "image/limits.h"
#include "image/offer.h"
#include "util/fs.h"
#include "util/str.h"

enum { CHUNK = 1 << 20, LOCK_POLL_MS = 50 };

/* The old form says of no layer what it unpacks to: that has to be found out, too. */
struct legacy {
	struct lcx__digest *diff_ids; /* NULL: it is not the old form */
	struct lcx__extract_limits limits;
	int fd; /* a copy of a layer that is compressed, for the decoder */
	struct lcx__decoder *decoder;
	uint64_t produced;
};

struct lcx__intake {
	const struct lcx__bundle *bundle;
	const struct lcx__offer *offer;
	struct lcx__install *install;
	char **layers; /* names in the bundle; NULL until the documents are in */
	size_t at;     /* the layer that is read */
	struct lcx__blob *blobs;
	size_t n_hashed;
	struct lcx__bundle_file file;
	uint64_t position;
	struct lcx__hash *hash;
	struct legacy legacy;
	uint64_t done_bytes, total_bytes;
	char buffer[CHUNK];
};

int lcx__intake_new(struct lcx_ctx *ctx, const struct lcx__bundle *bundle,
		    const struct lcx__offer *offer, struct lcx__intake **ret,
		    struct lcx_error **err)
{
	CLEANUP(lcx__intake_freep) struct lcx__intake *in = calloc(1, sizeof(*in));
	int r;

	if (!in)
		return lcx__fail_nomem(err);
	in->bundle = bundle;
	in->offer = offer;
	in->file.fd = in->file.owned_fd = -1;
	in->legacy.fd = -1;
	lcx__limits_of(ctx, &in->legacy.limits);
	r = lcx__install_new(ctx, &in->install, err);
	if (r < 0)
		return r;
	if (offer->layers) {
		in->blobs = calloc(lcx__strv_length(offer->layers) + 1, sizeof(*in->blobs));
		if (!in->blobs)
			return lcx__fail_nomem(err);
	}
	if (offer->steps) {
		in->legacy.diff_ids =
			calloc(lcx__strv_length(offer->layers) + 1, sizeof(*in->legacy.diff_ids));
		if (!in->legacy.diff_ids)
			return lcx__fail_nomem(err);
	}
	*ret = TAKE_PTR(in);
	return 0;
}

struct lcx__intake *lcx__intake_free(struct lcx__intake *in)
{
	if (!in)
		return NULL;
	lcx__bundle_close(&in->file);
	(void)lcx__hash_free(in->hash);
	(void)lcx__decoder_free(in->legacy.decoder);
	closep(&in->legacy.fd);
	free(in->legacy.diff_ids);
	(void)lcx__strv_free(in->layers);
	free(in->blobs);
	(void)lcx__install_free(in->install);
	free(in);
	return NULL;
}

/* ---- Docker's layers, hashed -------------------------------------------- */

static const char *media_type_of(const unsigned char *bytes, size_t length)
{
	static const unsigned char gzip[] = {0x1f, 0x8b}, zstd[] = {0x28, 0xb5, 0x2f, 0xfd};

	if (length >= sizeof(gzip) && memcmp(bytes, gzip, sizeof(gzip)) == 0)
		return "application/vnd.oci.image.layer.v1.tar+gzip";
	if (length >= sizeof(zstd) && memcmp(bytes, zstd, sizeof(zstd)) == 0)
		return "application/vnd.oci.image.layer.v1.tar+zstd";
	return "application/vnd.oci.image.layer.v1.tar";
}

static int begin_hash(struct lcx__intake *in, struct lcx_error **err)
{
	int r = lcx__bundle_open(in->bundle, in->offer->layers[in->n_hashed], &in->file, err);

	if (r < 0)
		return r;
	in->position = 0;
	in->blobs[in->n_hashed].size_bytes = in->file.size_bytes;
	return lcx__hash_new(NULL, &in->hash, err);
}

/* A plain layer unpacks to itself. */
static int begin_decode(struct lcx__intake *in, struct lcx_error **err)
{
	struct legacy *legacy = &in->legacy;
	const struct lcx__decode_options options = {.window_bytes = legacy->limits.window_bytes};
	int r;

	legacy->diff_ids[in->n_hashed] = in->blobs[in->n_hashed].digest;
	if (legacy->fd < 0) {
		in->n_hashed++;
		return 0;
	}
	if (lseek(legacy->fd, 0, SEEK_SET) < 0)
		return lcx__fail_sys(err, errno, "read a layer again");
	legacy->produced = 0;
	r = lcx__decoder_new(legacy->fd, &options, &legacy->decoder, err);
	return r == 0 ? lcx__hash_new(NULL, &in->hash, err) : r;
}

static int end_decode(struct lcx__intake *in, struct lcx_error **err)
{
	struct legacy *legacy = &in->legacy;
	int r = lcx__hash_finish(in->hash, &legacy->diff_ids[in->n_hashed]);

	in->hash = lcx__hash_free(in->hash);
	legacy->decoder = lcx__decoder_free(legacy->decoder);
	closep(&legacy->fd);
	in->n_hashed++;
	return r < 0 ? lcx__fail(err, EIO, "hash a layer") : 0;
}

static int step_decode(struct lcx__intake *in, struct lcx_error **err)
{
	struct legacy *legacy = &in->legacy;
	const struct lcx__extract_limits *limits = &legacy->limits;
	ssize_t n = lcx__decoder_read(legacy->decoder, in->buffer, CHUNK, err);

	if (n <= 0)
		return n < 0 ? (int)n : end_decode(in, err);
	legacy->produced += (uint64_t)n;
	if (legacy->produced > limits->total_bytes ||
	    (legacy->produced > limits->ratio_from_bytes &&
	     legacy->produced / limits->ratio > lcx__decoder_consumed(legacy->decoder)))
		return lcx__fail(err, EBADMSG, "'%s' looks like a decompression bomb",
				 in->offer->layers[in->n_hashed]);
	return lcx__hash_update(in->hash, in->buffer, (size_t)n) < 0 ? lcx__fail(err, EIO, "hash")
								     : 0;
}

/* What has been read of a layer that is compressed is kept, to be read once more. */
static int keep(struct lcx__intake *in, size_t length, struct lcx_error **err)
{
	const char *type = in->blobs[in->n_hashed].media_type;
	struct legacy *legacy = &in->legacy;
	int r;

	if (!legacy->diff_ids || !strchr(type, '+'))
		return 0;
	if (legacy->fd < 0)
		legacy->fd =
			openat(in->install->pin->tmp_fd, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	r = legacy->fd < 0 ? -errno : lcx__write_all(legacy->fd, in->buffer, length);
	return r < 0 ? lcx__fail_sys(err, -r, "copy a layer into the store") : 0;
}

static int end_hash(struct lcx__intake *in, struct lcx_error **err)
{
	int r = lcx__hash_finish(in->hash, &in->blobs[in->n_hashed].digest);

	in->hash = lcx__hash_free(in->hash);
	lcx__bundle_close(&in->file);
	if (r < 0)
		return lcx__fail(err, EIO, "hash a layer");
	if (in->legacy.diff_ids)
		return begin_decode(in, err);
	in->n_hashed++;
	return 0;
}

static int step_hash(struct lcx__intake *in, struct lcx_error **err)
{
	struct lcx__blob *blob = &in->blobs[in->n_hashed];
	ssize_t n;
	int r;

	if (in->legacy.decoder)
		return step_decode(in, err);
	r = in->hash ? 0 : begin_hash(in, err);
	if (r < 0)
		return r;
	n = lcx__bundle_read(&in->file, in->position, in->buffer, CHUNK);
	if (n < 0)
		return lcx__fail_sys(err, (int)-n, "read '%s'", in->offer->layers[in->n_hashed]);
	if (in->position == 0)
		blob->media_type = media_type_of((unsigned char *)in->buffer, (size_t)n);
	if (n == 0 && in->position != blob->size_bytes)
		return lcx__fail(err, EBADMSG, "'%s' is cut off", in->offer->layers[in->n_hashed]);
	if (n == 0)
		return end_hash(in, err);
	in->position += (uint64_t)n;
	r = keep(in, (size_t)n, err);
	if (r < 0)
		return r;
	return lcx__hash_update(in->hash, in->buffer, (size_t)n) < 0 ? lcx__fail(err, EIO, "hash")
								     : 0;
}

/* ---- documents ---------------------------------------------------------- */

static int begin(struct lcx__intake *in, struct lcx_error **err)
{
	int r;

	if (in->offer->layers) {
		if (in->offer->layers[in->n_hashed])
			return step_hash(in, err);
		r = lcx__docker_begin(in->bundle, in->offer, in->install, in->blobs,
				      in->legacy.diff_ids, in->n_hashed, err);
		if (r == 0)
			in->layers = lcx__strv_copy((const char *const *)in->offer->layers);
	} else {
		r = lcx__layout_begin(in->bundle, in->offer, in->install, &in->layers, err);
	}
	if (r == 0 && !in->layers)
		r = lcx__fail_nomem(err);
	for (size_t i = 0; r == 0 && i < in->install->n_layers; i++)
		in->total_bytes += in->install->layers[i].size_bytes;
	return r;
}

/* ---- layers ------------------------------------------------------------- */

static int step_fetch(struct lcx__intake *in, struct lcx__layer *layer, struct lcx_error **err)
{
	const char *name = in->layers[in->at];
	ssize_t n;
	int r;

	if (in->file.fd < 0) {
		r = lcx__bundle_open(in->bundle, name, &in->file, err);
		if (r < 0)
			return r;
	}
	n = lcx__bundle_read(&in->file, layer->have_bytes, in->buffer, CHUNK);
	if (n < 0)
		return lcx__fail_sys(err, (int)-n, "'%s': read '%s'", lcx__bundle_what(in->bundle),
				     name);
	if (n > 0)
		return lcx__layer_write(layer, in->buffer, (size_t)n, err);
	lcx__bundle_close(&in->file);
	return lcx__layer_fetched(layer, err);
}

int lcx__install_advance(struct lcx__install *install, struct lcx__layer *layer,
			 struct lcx_error **err)
{
	const struct timespec pause = {0, LOCK_POLL_MS * 1000000};
	int r = lcx__layer_step(layer, err);

	if (r == 0 && layer->stage == LCX__LAYER_UNPACK)
		(void)poll(&(struct pollfd){lcx__layer_fd(layer), POLLIN, 0}, 1,
			   lcx__layer_fd(layer) >= 0 ? -1 : 0);
	if (r == 0 && layer->stage == LCX__LAYER_LOCK) {
		/* It may be us who hold the lock, or whom its holder waits for. */
		r = lcx__install_settle(install, err);
		(void)nanosleep(&pause, NULL);
	}
	return r;
}

static int step_layer(struct lcx__intake *in, struct lcx__layer *layer, struct lcx_error **err)
{
	return layer->stage == LCX__LAYER_FETCH ? step_fetch(in, layer, err)
						: lcx__install_advance(in->install, layer, err);
}

int lcx__intake_step(struct lcx__intake *in, struct lcx_error **err)
{
	struct lcx__layer *layer;
	int r;

	if (!in->layers) {
		r = begin(in, err);
		return r < 0 ? r : 1;
	}
	if (in->at == in->install->n_layers)
		return lcx__install_settle(in->install, err);
	layer = &in->install->layers[in->at];
	r = step_layer(in, layer, err);
	if (layer->stage == LCX__LAYER_SETTLE || layer->stage == LCX__LAYER_DONE) {
		lcx__bundle_close(&in->file);
		in->done_bytes += layer->size_bytes;
		in->at++;
	}
	return r < 0 ? r : 1;
}

void lcx__intake_progress(const struct lcx__intake *in, uint64_t *ret_done, uint64_t *ret_total)
{
	*ret_total = in->total_bytes;
	*ret_done = in->done_bytes;
	if (in->layers && in->at < in->install->n_layers)
		*ret_done += in->install->layers[in->at].progress.consumed_bytes;
}

int lcx__intake_commit(struct lcx__intake *in, const char *full_name, struct lcx_error **err)
{
	return lcx__install_commit(in->install, full_name, err);
}

const char *lcx__intake_id(const struct lcx__intake *in)
{
	return in->install->manifest->config.digest.text;
}
