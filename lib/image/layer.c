/* SPDX-License-Identifier: MIT */
#include "image/layer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "image/limits.h"
#include "ns/users.h"
#include "util/fs.h"

enum {
	REHASH_STEP = 4 << 20,
	FEED_STEP = 256 << 10,
};

static const struct lcx__store *store_of(const struct lcx__layer *layer)
{
	return layer->pin->store;
}

int lcx__layer_init(struct lcx__layer *layer, struct lcx__pin *pin,
		    const struct lcx__digest *digest, uint64_t size_bytes,
		    const struct lcx__digest *diff_id, const struct lcx__digest *chain_id,
		    struct lcx_error **err)
{
	int r;

	*layer = (struct lcx__layer){
		.pin = pin,
		.digest = *digest,
		.diff_id = *diff_id,
		.chain_id = *chain_id,
		.size_bytes = size_bytes,
		.lock_fd = -1,
		.partial_fd = -1,
		.blob_fd = -1,
		.tree_fd = -1,
		.root_fd = -1,
	};
	r = lcx__pin_blob(pin, digest, err);
	return r < 0 ? r : lcx__pin_layer(pin, chain_id, err);
}

static void close_all(struct lcx__layer *layer)
{
	layer->hash = lcx__hash_free(layer->hash);
	layer->unpack = lcx__unpack_free(layer->unpack);
	lcx__strbuf_free(&layer->implied);
	closep(&layer->root_fd);
	closep(&layer->tree_fd);
	closep(&layer->blob_fd);
	closep(&layer->partial_fd);
	closep(&layer->lock_fd);
}

void lcx__layer_clear(struct lcx__layer *layer)
{
	if (layer->pin)
		close_all(layer);
}

static void partial_name(const struct lcx__layer *layer, char name[static LCX__STORE_NAME_SIZE])
{
	(void)snprintf(name, LCX__STORE_NAME_SIZE, "partial/%s", lcx__digest_hex(&layer->digest));
}

static int fail(const struct lcx__layer *layer, int result, struct lcx_error **err)
{
	return lcx__fail_prefix(err, result, "layer %.19s", layer->digest.text);
}

/*
 * 1 if we have the blob's lock now, 0 if somebody else has it. The sweep removes lock
 * files that nobody holds, under the store's lock: hence opened and locked within it.
 */
static int try_lock(struct lcx__layer *layer, struct lcx_error **err)
{
	CLEANUP(closep) int store_lock = lcx__store_lock(store_of(layer), LOCK_SH, err);
	CLEANUP(closep) int fd = -1;
	char name[LCX__STORE_NAME_SIZE];

	if (store_lock < 0)
		return store_lock;
	(void)snprintf(name, sizeof(name), "locks/%s", lcx__digest_hex(&layer->digest));
	fd = openat(store_of(layer)->fd, name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return lcx__fail_sys(err, errno, "image store: '%s'", name);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK || errno == EINTR
			       ? 0
			       : lcx__fail_sys(err, errno, "image store: '%s'", name);
	layer->lock_fd = TAKE_FD(fd);
	return 1;
}

static int open_partial(struct lcx__layer *layer, struct lcx_error **err)
{
	char name[LCX__STORE_NAME_SIZE];
	struct stat st;
	int r;

	partial_name(layer, name);
	layer->partial_fd = openat(store_of(layer)->fd, name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (layer->partial_fd < 0 || fstat(layer->partial_fd, &st) < 0)
		return lcx__fail_sys(err, errno, "image store: '%s'", name);
	r = lcx__hash_new(&layer->digest, &layer->hash, err);
	if (r < 0)
		return r;
	if ((uint64_t)st.st_size > layer->size_bytes)
		return lcx__layer_restart(layer, err);
	layer->have_bytes = (uint64_t)st.st_size;
	return 0;
}

static int open_blob(struct lcx__layer *layer, struct lcx_error **err)
{
	char name[LCX__STORE_NAME_SIZE];

	lcx__blob_name(&layer->digest, name);
	layer->blob_fd = openat(store_of(layer)->fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (layer->blob_fd < 0 && errno != ENOENT)
		return lcx__fail_sys(err, errno, "image store: '%s'", name);
	return layer->blob_fd >= 0;
}

/* The bytes are the right ones, but a manifest that gets their number wrong is refused all the
 * same. */
static int check_blob_size(const struct lcx__layer *layer, struct lcx_error **err)
{
	struct stat st;

	if (fstat(layer->blob_fd, &st) < 0)
		return lcx__fail_sys(err, errno, "stat the blob");
	if ((uint64_t)st.st_size != layer->size_bytes)
		return lcx__fail(err, EBADMSG, "%jd bytes, not %ju as its manifest says",
				 (intmax_t)st.st_size, (uintmax_t)layer->size_bytes);
	return 1;
}

/*
 * Scratch of this layer in the pin's directory: "HEX/" with "diff/" in it. Named after the chain:
 * an image may have one archive several times.
 */
static const char *scratch_name(const struct lcx__layer *layer)
{
	return lcx__digest_hex(&layer->chain_id);
}

static int make_scratch(struct lcx__layer *layer)
{
	layer->tree_fd = lcx__make_dirs(layer->pin->tmp_fd, scratch_name(layer), 0700);
	if (layer->tree_fd < 0)
		return layer->tree_fd;
	if (mkdirat(layer->tree_fd, "diff", 0755) < 0)
		return -errno;
	layer->root_fd = lcx__open_dir(layer->tree_fd, "diff");
	if (layer->root_fd < 0)
		return layer->root_fd;
	return fchmod(layer->root_fd, 0755) < 0 ? -errno : 0;
}

static int begin_unpack(struct lcx__layer *layer, int input_fd, bool grows, struct lcx_error **err)
{
	struct lcx__unpack_job job = {
		.input_fd = input_fd,
		.diff_id = layer->diff_id,
		.ctx = store_of(layer)->ctx,
		.in_process = store_of(layer)->ctx->layers_in_process,
		.grows = grows,
	};
	int r = make_scratch(layer);

	if (r < 0)
		return lcx__fail_sys(err, -r, "make the layer's directory");
	job.root_fd = layer->root_fd;
	lcx__limits_of(store_of(layer)->ctx, &job.limits);
	return lcx__unpack_new(&job, &layer->unpack, err);
}

/* While it is downloaded. The descriptor can't write: the helper meets a stranger's bytes. */
static int begin_overlapped(struct lcx__layer *layer, struct lcx_error **err)
{
	CLEANUP(closep) int fd = -1;
	char name[LCX__STORE_NAME_SIZE];

	if (store_of(layer)->ctx->layers_in_process)
		return 0;
	partial_name(layer, name);
	fd = openat(store_of(layer)->fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return lcx__fail_sys(err, errno, "image store: '%s'", name);
	layer->fed_bytes = 0;
	return begin_unpack(layer, fd, true, err);
}

static int feed(struct lcx__layer *layer, struct lcx_error **err)
{
	bool complete = layer->have_bytes == layer->size_bytes;

	if (!layer->unpack || (!complete && layer->have_bytes - layer->fed_bytes < FEED_STEP))
		return 0;
	layer->fed_bytes = layer->have_bytes;
	return lcx__unpack_feed(layer->unpack, layer->have_bytes, complete, err);
}

/* What was unpacked of bytes that turn out to be others. */
static void drop_unpacked(struct lcx__layer *layer)
{
	if (!layer->unpack)
		return;
	layer->unpack = lcx__unpack_free(layer->unpack);
	closep(&layer->root_fd);
	closep(&layer->tree_fd);
	(void)lcx__users_remove_tree(store_of(layer)->ctx, layer->pin->tmp_fd, scratch_name(layer));
}

int lcx__layer_restart(struct lcx__layer *layer, struct lcx_error **err)
{
	int r;

	drop_unpacked(layer);
	layer->have_bytes = layer->rehashed_bytes = 0;
	layer->hash = lcx__hash_free(layer->hash);
	r = lcx__hash_new(&layer->digest, &layer->hash, err);
	if (r < 0)
		return r;
	if (ftruncate(layer->partial_fd, 0) < 0)
		return lcx__fail_sys(err, errno, "empty the partial file");
	return 0;
}

static int commit_blob(struct lcx__layer *layer, struct lcx_error **err)
{
	char from[LCX__STORE_NAME_SIZE], to[LCX__STORE_NAME_SIZE];
	CLEANUP(closep) int dir_fd = -1;

	partial_name(layer, from);
	lcx__blob_name(&layer->digest, to);
	if (fsync(layer->partial_fd) < 0 ||
	    renameat(store_of(layer)->fd, from, store_of(layer)->fd, to) < 0)
		return lcx__fail_sys(err, errno, "commit to the image store");
	closep(&layer->partial_fd);
	*strrchr(to, '/') = '\0';
	dir_fd = lcx__open_dir(store_of(layer)->fd, to);
	if (dir_fd < 0 || fsync(dir_fd) < 0)
		return lcx__fail_sys(err, dir_fd < 0 ? -dir_fd : errno,
				     "commit to the image store");
	return open_blob(layer, err) == 1 ? 0 : lcx__fail(err, EIO, "the blob is gone again");
}

static void finish(struct lcx__layer *layer)
{
	layer->stage = LCX__LAYER_DONE;
	close_all(layer);
}

static int check_and_commit_blob(struct lcx__layer *layer, struct lcx_error **err)
{
	struct lcx__digest found;
	int r;

	if (layer->have_bytes != layer->size_bytes)
		return lcx__fail(err, EBADMSG, "%ju bytes, not %ju as its manifest says",
				 (uintmax_t)layer->have_bytes, (uintmax_t)layer->size_bytes);
	if (lcx__hash_finish(layer->hash, &found) < 0)
		return lcx__fail(err, EIO, "hash");
	if (!lcx__digest_equal(&found, &layer->digest)) {
		(void)lcx__layer_restart(layer, NULL);
		return lcx__fail(err, EBADMSG, "its content is %s", found.text);
	}
	r = commit_blob(layer, err);
	if (r < 0)
		return r;
	layer->hash = lcx__hash_free(layer->hash);
	layer->stage = LCX__LAYER_UNPACK;
	if (layer->is_unpacked)
		finish(layer);
	return 0;
}

int lcx__layer_fetched(struct lcx__layer *layer, struct lcx_error **err)
{
	int r = check_and_commit_blob(layer, err);

	return r < 0 ? fail(layer, r, err) : 0;
}

/*
 * Both the layer and its archive, by which it can be verified, pushed and saved. An archive of
 * another size is looked at more closely.
 */
static bool is_here(const struct lcx__layer *layer)
{
	uint64_t size;

	return lcx__layer_exists(store_of(layer), &layer->chain_id) &&
	       lcx__blob_size(store_of(layer), &layer->digest, &size) == 0 &&
	       size == layer->size_bytes;
}

/* Somebody may have finished the layer, or the blob, while we waited. */
static int step_lock(struct lcx__layer *layer, struct lcx_error **err)
{
	int r;

	if (!is_here(layer)) {
		r = try_lock(layer, err);
		if (r <= 0)
			return r;
	}
	if (is_here(layer)) {
		finish(layer);
		return 0;
	}
	r = open_blob(layer, err);
	if (r > 0)
		r = check_blob_size(layer, err);
	if (r < 0)
		return r;
	if (r > 0) {
		layer->have_bytes = layer->size_bytes;
		layer->stage = LCX__LAYER_UNPACK;
		return 0;
	}
	r = open_partial(layer, err);
	if (r == 0)
		layer->stage = LCX__LAYER_REHASH;
	layer->is_unpacked = lcx__layer_exists(store_of(layer), &layer->chain_id);
	return r;
}

static int step_rehash(struct lcx__layer *layer, struct lcx_error **err)
{
	CLEANUP(freep) char *buffer = malloc(REHASH_STEP);
	uint64_t left = layer->have_bytes - layer->rehashed_bytes;
	ssize_t n = 0;

	if (!buffer)
		return lcx__fail_nomem(err);
	if (left > 0) {
		n = pread(layer->partial_fd, buffer, left < REHASH_STEP ? left : REHASH_STEP,
			  (off_t)layer->rehashed_bytes);
		if (n < 0 && errno == EINTR)
			return 0;
		if (n <= 0)
			return lcx__fail_sys(err, n < 0 ? errno : EIO,
					     "read what was downloaded before");
		if (lcx__hash_update(layer->hash, buffer, (size_t)n) < 0)
			return lcx__fail(err, EIO, "hash");
		layer->rehashed_bytes += (uint64_t)n;
	}
	if (layer->rehashed_bytes == layer->have_bytes)
		layer->stage = LCX__LAYER_FETCH;
	/* A partial file may be complete: cut off between its last byte and its commit. */
	if (layer->stage == LCX__LAYER_FETCH && layer->have_bytes == layer->size_bytes)
		return check_and_commit_blob(layer, err);
	return 0;
}

int lcx__layer_expect(struct lcx__layer *layer, struct lcx_error **err)
{
	int r;

	if (layer->unpack || layer->is_unpacked)
		return 0;
	r = begin_overlapped(layer, err);
	/* What an earlier attempt has left is there already, and of nothing all is. */
	if (r == 0)
		r = feed(layer, err);
	return r < 0 ? fail(layer, r, err) : 0;
}

int lcx__layer_write(struct lcx__layer *layer, const void *data, size_t length,
		     struct lcx_error **err)
{
	const char *at = data;
	int r;

	if (length > layer->size_bytes - layer->have_bytes) {
		(void)lcx__layer_restart(layer, NULL);
		return fail(layer,
			    lcx__fail(err, EBADMSG,
				      "longer than the %ju bytes that its manifest says",
				      (uintmax_t)layer->size_bytes),
			    err);
	}
	if (lcx__hash_update(layer->hash, data, length) < 0)
		return lcx__fail(err, EIO, "hash");
	r = lcx__layer_expect(layer, err);
	if (r < 0)
		return r;
	while (length > 0) {
		ssize_t n = pwrite(layer->partial_fd, at, length, (off_t)layer->have_bytes);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(layer, lcx__fail_sys(err, errno, "write"), err);
		at += n;
		length -= (size_t)n;
		layer->have_bytes += (uint64_t)n;
	}
	r = feed(layer, err);
	return r < 0 ? fail(layer, r, err) : 0;
}

static int write_info(const struct lcx__layer *layer)
{
	const struct lcx__layer_info info = {
		.size_bytes = layer->progress.produced_bytes,
		.userxattr = layer->progress.userxattr,
	};

	return lcx__layer_info_write(layer->tree_fd, &info);
}

int lcx__layer_commit(struct lcx__layer *layer, struct lcx_error **err)
{
	int r = lcx__layer_place(store_of(layer), layer->pin->tmp_fd, scratch_name(layer),
				 &layer->chain_id, err);

	if (r < 0)
		return fail(layer, r, err);
	finish(layer);
	return 0;
}

/* Either the image is no good or our copy of its blob is: nobody needs it. */
static void drop_blob(const struct lcx__layer *layer)
{
	char name[LCX__STORE_NAME_SIZE];

	lcx__blob_name(&layer->digest, name);
	(void)unlinkat(store_of(layer)->fd, name, 0);
}

static int step_unpack(struct lcx__layer *layer, struct lcx_error **err)
{
	const struct lcx__strbuf *implied;
	int r = layer->unpack ? 0 : begin_unpack(layer, layer->blob_fd, false, err);

	if (r == 0)
		r = lcx__unpack_step(layer->unpack, &layer->progress, err);
	if (r > 0)
		return 0;
	if (r == -EBADMSG)
		drop_blob(layer);
	if (r < 0)
		return r;
	r = write_info(layer);
	if (r < 0)
		return lcx__fail_sys(err, -r, "describe the layer");
	implied = lcx__unpack_implied(layer->unpack);
	lcx__strbuf_add(&layer->implied, implied->text ? implied->text : "", implied->length);
	if (layer->implied.failed)
		return lcx__fail_nomem(err);
	layer->unpack = lcx__unpack_free(layer->unpack);
	layer->stage = LCX__LAYER_SETTLE;
	/* Of what may be five hundred layers each keeps its lock alone. */
	closep(&layer->root_fd);
	closep(&layer->tree_fd);
	closep(&layer->blob_fd);
	return 0;
}

int lcx__layer_open_root(const struct lcx__layer *layer)
{
	const bool is_scratch = layer->stage == LCX__LAYER_SETTLE;
	char name[LCX__STORE_NAME_SIZE], path[LCX__STORE_NAME_SIZE + 8];
	int fd;

	if (is_scratch)
		(void)snprintf(name, sizeof(name), "%s", scratch_name(layer));
	else
		lcx__layer_name(&layer->chain_id, name);
	(void)snprintf(path, sizeof(path), "%s/diff", name);
	fd = openat(is_scratch ? layer->pin->tmp_fd : store_of(layer)->fd, path,
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int lcx__layer_fd(const struct lcx__layer *layer)
{
	return layer->unpack ? lcx__unpack_fd(layer->unpack) : -1;
}

int lcx__layer_unpack_again(struct lcx__layer *layer, struct lcx_error **err)
{
	int r = open_blob(layer, err);

	if (r == 0)
		r = lcx__fail(err, ENOENT, "its archive is missing");
	if (r > 0)
		r = check_blob_size(layer, err);
	layer->stage = LCX__LAYER_UNPACK;
	while (r >= 0 && layer->stage == LCX__LAYER_UNPACK) {
		struct pollfd fd = {.fd = lcx__layer_fd(layer), .events = POLLIN};

		if (fd.fd >= 0)
			(void)poll(&fd, 1, -1);
		r = step_unpack(layer, err);
	}
	return r < 0 ? fail(layer, r, err) : 0;
}

void lcx__layer_discard(struct lcx__layer *layer)
{
	finish(layer);
	(void)lcx__users_remove_tree(store_of(layer)->ctx, layer->pin->tmp_fd, scratch_name(layer));
}

int lcx__layer_step(struct lcx__layer *layer, struct lcx_error **err)
{
	int r = 0;

	switch (layer->stage) {
	case LCX__LAYER_LOCK:
		r = step_lock(layer, err);
		break;
	case LCX__LAYER_REHASH:
		r = step_rehash(layer, err);
		break;
	case LCX__LAYER_UNPACK:
		r = step_unpack(layer, err);
		break;
	case LCX__LAYER_FETCH:
	case LCX__LAYER_SETTLE:
	case LCX__LAYER_DONE:
		break;
	}
	return r < 0 ? fail(layer, r, err) : 0;
}
