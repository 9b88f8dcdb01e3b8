/* SPDX-License-Identifier: MIT */
/*
 * A push is a row of stages: the blobs, a few at a time, then the manifest, which a registry takes
 * only when it has all that is named in it.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "image/push-internal.h"

enum {
	UPLOADS_AT_ONCE = 3,
	MOUNT_SOURCES_MAX = 8,
};

/* Finding the image */

static int open_blob(const struct lcx_push *push, struct lcx__push_blob *blob,
		     struct lcx_error **err)
{
	char name[LCX__STORE_NAME_SIZE];
	struct stat st;

	lcx__blob_name(&blob->digest, name);
	blob->fd = openat(push->store->fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (blob->fd < 0)
		return errno == ENOENT ? 0 : lcx__fail_sys(err, errno, "image store: '%s'", name);
	if (fstat(blob->fd, &st) < 0 || (uint64_t)st.st_size != blob->total_bytes)
		return lcx__fail(err, EUCLEAN,
				 "'%s' is damaged in the image store; pull the image again",
				 blob->digest.text);
	return 0;
}

static int add_blob(struct lcx_push *push, const struct lcx__descriptor *d, struct lcx_error **err)
{
	struct lcx__push_blob *blob = &push->blobs[push->n_blobs];
	int r;

	blob->fd = -1;
	blob->digest = d->digest;
	blob->total_bytes = d->size;
	blob->same_as = push->n_blobs++;
	for (size_t i = 0; i < blob->same_as; i++)
		if (lcx__digest_equal(&push->blobs[i].digest, &d->digest)) {
			blob->same_as = i;
			return 0;
		}
	r = lcx__pin_blob(push->pin, &d->digest, err);
	return r < 0 ? r : open_blob(push, blob, err);
}

static int add_blobs(struct lcx_push *push, const struct lcx__manifest *m, struct lcx_error **err)
{
	int r = 0;

	push->blobs = calloc(m->n_items + 1, sizeof(*push->blobs));
	if (!push->blobs)
		return lcx__fail_nomem(err);
	for (size_t i = 0; r == 0 && i < m->n_items; i++)
		r = add_blob(push, &m->items[i], err);
	return r < 0 ? r : add_blob(push, &m->config, err);
}

static bool has_blob(const struct lcx__manifest *m, const struct lcx__digest *blob)
{
	for (size_t i = 0; i < m->n_items; i++)
		if (lcx__digest_equal(&m->items[i].digest, blob))
			return true;
	return lcx__digest_equal(&m->config.digest, blob);
}

static int mount_from(struct lcx_push *push, const struct lcx__manifest *m, const char *path,
		      struct lcx_error **err)
{
	for (size_t i = 0; i < push->n_blobs; i++) {
		struct lcx__push_blob *blob = &push->blobs[i];

		if (blob->mount_from || blob->same_as != i || !has_blob(m, &blob->digest))
			continue;
		blob->mount_from = strdup(path);
		if (!blob->mount_from)
			return lcx__fail_nomem(err);
	}
	return 0;
}

/* Another repository of the same registry, by a name that is known here. An image that is damaged
 * is no place to mount from; that is all. */
static int consider_source(struct lcx_push *push, const struct lcx__ref *known,
			   struct lcx_error **err)
{
	CLEANUP(lcx__reference_freep) struct lcx__reference *ref = NULL;
	CLEANUP(lcx__manifest_freep) struct lcx__manifest *m = NULL;
	CLEANUP(freep) char *json = NULL;
	size_t length;

	if (lcx__reference_parse(known->name, &ref, NULL) < 0 ||
	    strcmp(ref->registry, push->ref->registry) != 0 ||
	    strcmp(ref->path, push->ref->path) == 0)
		return 0;
	if (lcx__blob_read(push->store, &known->manifest, &json, &length, NULL) < 0 ||
	    lcx__manifest_parse(json, length, NULL, &m, NULL) < 0)
		return 0;
	return mount_from(push, m, ref->path, err);
}

int lcx__push_find(struct lcx_push *push, const char *image, bool *ret_by_name,
		   struct lcx_error **err)
{
	CLEANUP(lcx__manifest_freep) struct lcx__manifest *manifest = NULL;
	CLEANUP(lcx__refs_freep) struct lcx__refs *refs = NULL;
	const char *name;
	int r;

	r = lcx__store_open(push->ctx, &push->store, err);
	if (r == 0)
		r = lcx__pin_new(push->store, &push->pin, err);
	if (r == 0)
		r = lcx__refs_read(push->store, &refs, err);
	if (r == 0)
		r = lcx__image_find(push->store, refs, image, &push->manifest_digest, &name, err);
	if (r == 0)
		r = lcx__pin_blob(push->pin, &push->manifest_digest, err);
	if (r == 0)
		r = lcx__blob_read(push->store, &push->manifest_digest, &push->manifest_json,
				   &push->manifest_length, err);
	if (r == 0)
		r = lcx__manifest_parse(push->manifest_json, push->manifest_length, NULL, &manifest,
					err);
	if (r == 0)
		push->media_type = manifest->media_type;
	if (r == 0)
		r = add_blobs(push, manifest, err);
	*ret_by_name = r == 0 && name;
	return r;
}

/* Stages. Each returns 0 (look at the stage) or a negative errno. */

static int find_mount_sources(struct lcx_push *push, struct lcx_error **err)
{
	CLEANUP(lcx__refs_freep) struct lcx__refs *refs = NULL;
	int r = lcx__refs_read(push->store, &refs, err);

	for (size_t i = 0; r == 0 && i < refs->n; i++)
		r = consider_source(push, &refs->items[i], err);
	return r;
}

/* To mount is to read there: the token has to say so, for a handful of repositories at most. */
static int ask_for_mounts(struct lcx_push *push, struct lcx_error **err)
{
	const char *asked[MOUNT_SOURCES_MAX];
	size_t n = 0;

	for (size_t i = 0; i < push->n_blobs; i++) {
		const char *from = push->blobs[i].mount_from;
		size_t j = 0;

		while (from && j < n && strcmp(asked[j], from) != 0)
			j++;
		if (!from || j < n)
			continue;
		if (n == MOUNT_SOURCES_MAX) {
			free(TAKE_PTR(push->blobs[i].mount_from));
			continue;
		}
		asked[n++] = from;
		if (lcx__registry_also_pull(push->registry, from) < 0)
			return lcx__fail_nomem(err);
	}
	return 0;
}

static int begin_upload(struct lcx_push *push, struct lcx__push_blob *blob, struct lcx_error **err)
{
	const struct lcx__upload_job job = {
		.registry = push->registry,
		.digest = blob->digest,
		.size_bytes = blob->total_bytes,
		.fd = blob->fd,
		.mount_from = blob->mount_from,
		.chunk_bytes = push->chunk_bytes,
	};

	return lcx__upload_new(&job, &blob->upload, err);
}

static int move_blob(struct lcx_push *push, struct lcx__push_blob *blob, struct lcx_error **err)
{
	int r = blob->upload ? 0 : begin_upload(push, blob, err);

	if (r == 0)
		r = lcx__upload_step(blob->upload, err);
	if (r != 0)
		return r;
	blob->end = lcx__upload_end(blob->upload);
	blob->upload = lcx__upload_free(blob->upload);
	closep(&blob->fd);
	return 0;
}

static int begin_manifest(struct lcx_push *push, struct lcx_error **err)
{
	const struct lcx__payload payload = {
		.content_type = push->media_type,
		.data = push->manifest_json,
		.fd = -1,
		.to = push->manifest_length,
	};
	CLEANUP(freep)
	char *path = lcx__format("manifests/%s", lcx__reference_target(push->ref));

	push->stage = LCX__PUSH_MANIFEST;
	return path ? lcx__request_send(push->registry, LCX__PUT, path, &payload, &push->manifest,
					err)
		    : lcx__fail_nomem(err);
}

static int stage_blobs(struct lcx_push *push, struct lcx_error **err)
{
	size_t running = 0;

	for (size_t i = 0; i < push->n_blobs; i++) {
		struct lcx__push_blob *blob = &push->blobs[i];
		int r;

		if (blob->same_as != i || blob->end != LCX__UPLOAD_RUNS)
			continue;
		if (running == UPLOADS_AT_ONCE)
			return 0;
		r = move_blob(push, blob, err);
		if (r < 0)
			return r;
		running += r > 0;
	}
	return running > 0 ? 0 : begin_manifest(push, err);
}

static int stage_new(struct lcx_push *push, struct lcx_error **err)
{
	int r;

	if (lcx__registries_apply(push->conf, push->ref->registry, &push->settings) < 0)
		return lcx__fail_nomem(err);
	r = lcx__registry_new(push->loop.transport, push->ref->registry, push->ref->path,
			      "pull,push", &push->settings, &push->registry, err);
	if (r == 0)
		r = find_mount_sources(push, err);
	if (r == 0)
		r = ask_for_mounts(push, err);
	push->stage = LCX__PUSH_BLOBS;
	return r < 0 ? r : stage_blobs(push, err);
}

static int stage_manifest(struct lcx_push *push, struct lcx_error **err)
{
	int r = lcx__request_result(push->manifest, err);
	const char *digest;
	long status;

	if (r != 0)
		return r < 0 ? r : 0;
	status = lcx__request_status(push->manifest);
	if (status != 201 && status != 200)
		return lcx__request_refused(push->manifest, err);
	digest = lcx__request_digest(push->manifest);
	if (digest && strcmp(digest, push->manifest_digest.text) != 0)
		return lcx__fail(err, EPROTO, "the registry has stored '%.100s', not '%s'", digest,
				 push->manifest_digest.text);
	push->stage = LCX__PUSH_DONE;
	return 0;
}

static int (*const stages[])(struct lcx_push *push, struct lcx_error **err) = {
	[LCX__PUSH_NEW] = stage_new,
	[LCX__PUSH_BLOBS] = stage_blobs,
	[LCX__PUSH_MANIFEST] = stage_manifest,
};

int lcx__push_advance(struct lcx_push *push, struct lcx_error **err)
{
	return stages[push->stage](push, err);
}

int64_t lcx__push_deadline_ns(const struct lcx_push *push)
{
	int64_t first = lcx__registry_deadline_ns(push->registry);

	for (size_t i = 0; i < push->n_blobs; i++) {
		const struct lcx__upload *upload = push->blobs[i].upload;
		int64_t deadline = upload ? lcx__upload_deadline_ns(upload) : INT64_MAX;

		first = deadline < first ? deadline : first;
	}
	return first;
}

void lcx__push_let_go(struct lcx_push *push)
{
	for (size_t i = 0; i < push->n_blobs; i++) {
		struct lcx__push_blob *blob = &push->blobs[i];

		blob->upload = lcx__upload_free(blob->upload);
		free(TAKE_PTR(blob->mount_from));
		closep(&blob->fd);
	}
	push->manifest = lcx__request_free(push->manifest);
	push->registry = lcx__registry_free(push->registry);
	push->pin = lcx__pin_free(push->pin);
	push->store = lcx__store_free(push->store);
}
