/* SPDX-License-Identifier: MIT */
/*
 * Images into an archive: a tar of an OCI layout, with manifest.json beside it, by which
 * `docker load` and others find their way, and what Docker before 1.10 reads. Blobs go out as they
 * came in, so that digests stay what they are. The same images give the same bytes.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "image/image-internal.h"
#include "image/reference.h"
#include "image/save-legacy.h"
#include "tar/tar.h"
#include "util/str.h"

enum { CHUNK = 1 << 20 };

struct lcx_save {
	struct lcx_ctx *ctx;
	struct lcx__store *store;
	struct lcx__pin *pin;
	struct lcx__saved *images;
	size_t n_images;

	/* Once it has begun. */
	bool begun, done;
	int result; /* of the step that failed: after a hole nothing may follow */
	int fd;     /* the blob that is written; else -1 */
	struct lcx__digest *blobs;
	size_t n_blobs, at;
	uint64_t left_bytes, size_bytes, done_bytes, total_bytes;
	char *buffer;
};

DEFINE_CLEANUP(struct lcx_save *, lcx_save_free)

LCX_PUBLIC int lcx_save_new(struct lcx_ctx *ctx, struct lcx_save **ret, struct lcx_error **err)
{
	CLEANUP(lcx_save_freep) struct lcx_save *save = calloc(1, sizeof(*save));
	int r;

	if (!save)
		return lcx__fail_nomem(err);
	save->ctx = ctx;
	save->fd = -1;
	r = lcx__store_open(ctx, &save->store, err);
	if (r == 0)
		r = lcx__pin_new(save->store, &save->pin, err);
	if (r == 0)
		*ret = TAKE_PTR(save);
	return r;
}

LCX_PUBLIC struct lcx_save *lcx_save_free(struct lcx_save *save)
{
	if (!save)
		return NULL;
	for (size_t i = 0; i < save->n_images; i++) {
		(void)lcx_image_free(save->images[i].image);
		(void)lcx__strv_free(save->images[i].names);
	}
	free(save->images);
	free(save->blobs);
	free(save->buffer);
	closep(&save->fd);
	(void)lcx__pin_free(save->pin);
	(void)lcx__store_free(save->store);
	free(save);
	return NULL;
}

/* ---- what is wanted ----------------------------------------------------- */

/* First the pins, then a look whether all is there: from then on it stays. */
static int pin_image(struct lcx_save *save, const struct lcx_image *image, struct lcx_error **err)
{
	const struct lcx__manifest *m = image->manifest;
	uint64_t size;
	int r;

	r = lcx__pin_blob(save->pin, &image->manifest_digest, err);
	if (r == 0)
		r = lcx__pin_blob(save->pin, &image->id, err);
	for (size_t i = 0; r == 0 && i < m->n_items; i++)
		r = lcx__pin_blob(save->pin, &m->items[i].digest, err);
	if (r == 0 && (lcx__blob_size(save->store, &image->manifest_digest, &size) < 0 ||
		       lcx__blob_size(save->store, &image->id, &size) < 0))
		r = lcx__fail(err, ENOENT, "image '%s' has been removed", image->id.text);
	for (size_t i = 0; r == 0 && i < m->n_items; i++)
		if (lcx__blob_size(save->store, &m->items[i].digest, &size) < 0 ||
		    size != m->items[i].size)
			r = lcx__fail(
				err, EUCLEAN,
				"the archive of layer '%.19s' is not in the image store; pull "
				"the image again",
				m->items[i].digest.text);
	return r;
}

static int find_name(struct lcx_save *save, const char *ref, char **ret, struct lcx_error **err)
{
	CLEANUP(lcx__refs_freep) struct lcx__refs *refs = NULL;
	struct lcx__digest manifest;
	const char *name = NULL;
	int r = lcx__refs_read(save->store, &refs, err);

	if (r == 0)
		r = lcx__image_find(save->store, refs, ref, &manifest, &name, err);
	/* One with a digest is no tag, and no archive can give it. */
	if (r < 0 || !name || strchr(name, '@'))
		return r;
	*ret = strdup(name);
	return *ret ? 0 : lcx__fail_nomem(err);
}

static struct lcx__saved *find_saved(struct lcx_save *save, const struct lcx_image *image)
{
	for (size_t i = 0; i < save->n_images; i++)
		if (lcx__digest_equal(&save->images[i].image->manifest_digest,
				      &image->manifest_digest))
			return &save->images[i];
	return NULL;
}

static struct lcx__saved *add_image(struct lcx_save *save, struct lcx_image **image)
{
	struct lcx__saved *bigger = reallocarray(save->images, save->n_images + 1, sizeof(*bigger));

	if (!bigger)
		return NULL;
	save->images = bigger;
	bigger[save->n_images] = (struct lcx__saved){NULL, lcx__strv_copy(NULL)};
	if (!bigger[save->n_images].names)
		return NULL;
	bigger[save->n_images].image = TAKE_PTR(*image);
	return &bigger[save->n_images++];
}

static bool has_name(const struct lcx__saved *saved, const char *name)
{
	for (char **at = saved->names; *at; at++)
		if (strcmp(*at, name) == 0)
			return true;
	return false;
}

LCX_PUBLIC int lcx_save_add(struct lcx_save *save, const char *ref, struct lcx_error **err)
{
	CLEANUP(lcx_image_freep) struct lcx_image *image = NULL;
	CLEANUP(freep) char *name = NULL;
	struct lcx__saved *saved;
	int r;

	if (save->begun)
		return lcx__fail(err, EBUSY, "the archive is being written already");
	r = find_name(save, ref, &name, err);
	if (r == 0)
		r = lcx_image_open(save->ctx, ref, &image, err);
	if (r == 0)
		r = pin_image(save, image, err);
	if (r < 0)
		return lcx__fail_stage(err, r, "image");
	saved = find_saved(save, image);
	if (!saved)
		saved = add_image(save, &image);
	if (!saved || (name && !has_name(saved, name) && lcx__strv_append(&saved->names, name) < 0))
		return lcx__fail_nomem(err);
	return 0;
}

/* ---- documents ---------------------------------------------------------- */

/* Names have no character that JSON would want escaped. */
static void add_descriptor(struct lcx__strbuf *text, const struct lcx_image *image,
			   const char *name)
{
	lcx__strbuf_addf(text, "%s{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%zu",
			 text->text[text->length - 1] == '[' ? "" : ",", image->manifest->media_type,
			 image->manifest_digest.text, strlen(image->manifest_json));
	if (name)
		lcx__strbuf_addf(text,
				 ",\"annotations\":{\"io.containerd.image.name\":\"%s\","
				 "\"org.opencontainers.image.ref.name\":\"%s\"}",
				 name, strrchr(name, ':') + 1);
	lcx__strbuf_adds(text, "}");
}

static char *write_index(const struct lcx_save *save)
{
	struct lcx__strbuf text = STRBUF_EMPTY;

	lcx__strbuf_adds(&text, "{\"schemaVersion\":2,\"mediaType\":"
				"\"application/vnd.oci.image.index.v1+json\",\"manifests\":[");
	for (size_t i = 0; i < save->n_images && !text.failed; i++) {
		const struct lcx__saved *saved = &save->images[i];

		if (!saved->names[0])
			add_descriptor(&text, saved->image, NULL);
		for (char **name = saved->names; *name && !text.failed; name++)
			add_descriptor(&text, saved->image, *name);
	}
	lcx__strbuf_adds(&text, "]}");
	return lcx__strbuf_take(&text);
}

static void add_path(struct lcx__strbuf *text, const struct lcx__digest *digest)
{
	char name[LCX__STORE_NAME_SIZE];

	lcx__blob_name(digest, name);
	lcx__strbuf_addf(text, "\"%s\"", name);
}

/* With full names: a short one is docker.io's to Docker and the local host's to Podman. */
static char *write_docker_manifest(const struct lcx_save *save)
{
	struct lcx__strbuf text = STRBUF_EMPTY;

	lcx__strbuf_adds(&text, "[");
	for (size_t i = 0; i < save->n_images; i++) {
		const struct lcx__saved *saved = &save->images[i];
		const struct lcx__manifest *m = saved->image->manifest;

		lcx__strbuf_adds(&text, i ? ",{\"Config\":" : "{\"Config\":");
		add_path(&text, &saved->image->id);
		lcx__strbuf_adds(&text, ",\"RepoTags\":[");
		for (char **name = saved->names; *name; name++)
			lcx__strbuf_addf(&text, "%s\"%s\"", name == saved->names ? "" : ",", *name);
		lcx__strbuf_adds(&text, "],\"Layers\":[");
		for (size_t l = 0; l < m->n_items; l++) {
			lcx__strbuf_adds(&text, l ? "," : "");
			add_path(&text, &m->items[l].digest);
		}
		lcx__strbuf_adds(&text, "]}");
	}
	lcx__strbuf_adds(&text, "]");
	return lcx__strbuf_take(&text);
}

/* ---- the archive -------------------------------------------------------- */

static int put_header(int fd, const char *path, mode_t mode, uint64_t size, struct lcx_error **err)
{
	const struct lcx__tar_entry e = {
		.path = (char *)(uintptr_t)path, .mode = mode, .size = size};
	const struct lcx__byte_sink sink = lcx__byte_sink_fd(&fd);

	return lcx__tar_write_header(&sink, &e, err);
}

static int put_text(int fd, const char *path, const char *text, struct lcx_error **err)
{
	const struct lcx__byte_sink sink = lcx__byte_sink_fd(&fd);
	int r;

	if (!text)
		return lcx__fail_nomem(err);
	r = put_header(fd, path, S_IFREG | 0644, strlen(text), err);
	if (r == 0)
		r = sink.write(sink.data, text, strlen(text), err);
	return r < 0 ? r : lcx__tar_write_padding(&sink, strlen(text), err);
}

static int compare_digests(const void *a, const void *b)
{
	return strcmp(((const struct lcx__digest *)a)->text, ((const struct lcx__digest *)b)->text);
}

/* All blobs of all images, each once, in order. */
static int list_blobs(struct lcx_save *save, struct lcx_error **err)
{
	size_t n = 0, kept = 0;

	for (size_t i = 0; i < save->n_images; i++)
		n += save->images[i].image->manifest->n_items + 2;
	save->blobs = calloc(n + 1, sizeof(*save->blobs));
	save->buffer = malloc(CHUNK);
	if (!save->blobs || !save->buffer)
		return lcx__fail_nomem(err);
	n = 0;
	for (size_t i = 0; i < save->n_images; i++) {
		const struct lcx_image *image = save->images[i].image;

		save->blobs[n++] = image->manifest_digest;
		save->blobs[n++] = image->id;
		for (size_t l = 0; l < image->manifest->n_items; l++)
			save->blobs[n++] = image->manifest->items[l].digest;
	}
	qsort(save->blobs, n, sizeof(*save->blobs), compare_digests);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || !lcx__digest_equal(&save->blobs[i], &save->blobs[kept - 1]))
			save->blobs[kept++] = save->blobs[i];
	save->n_blobs = kept;
	for (size_t i = 0; i < kept; i++) {
		uint64_t size = 0;

		(void)lcx__blob_size(save->store, &save->blobs[i], &size);
		save->total_bytes += size;
	}
	return 0;
}

/* Documents first: whoever reads a stream knows early what comes. */
static int begin(struct lcx_save *save, int fd, struct lcx_error **err)
{
	const struct lcx__byte_sink sink = lcx__byte_sink_fd(&fd);
	CLEANUP(freep) char *index = NULL, *docker = NULL;
	int r;

	if (save->n_images == 0)
		return lcx__fail(err, EINVAL, "no image to be saved was named");
	index = write_index(save);
	docker = write_docker_manifest(save);
	r = list_blobs(save, err);
	if (r == 0)
		r = put_text(fd, "oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}", err);
	if (r == 0)
		r = put_text(fd, "index.json", index, err);
	if (r == 0)
		r = put_text(fd, "manifest.json", docker, err);
	if (r == 0)
		r = put_header(fd, "blobs", S_IFDIR | 0755, 0, err);
	if (r == 0)
		r = put_header(fd, "blobs/sha256", S_IFDIR | 0755, 0, err);
	if (r == 0)
		r = lcx__save_legacy(&sink, save->images, save->n_images, err);
	save->begun = true;
	return r;
}

static int begin_blob(struct lcx_save *save, int fd, struct lcx_error **err)
{
	char name[LCX__STORE_NAME_SIZE];
	struct stat st;

	lcx__blob_name(&save->blobs[save->at], name);
	save->fd = openat(save->store->fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (save->fd < 0 || fstat(save->fd, &st) < 0)
		return lcx__fail_sys(err, errno, "open '%s'", name);
	save->size_bytes = save->left_bytes = (uint64_t)st.st_size;
	return put_header(fd, name, S_IFREG | 0644, save->size_bytes, err);
}

static int step_blob(struct lcx_save *save, int fd, struct lcx_error **err)
{
	const struct lcx__byte_sink sink = lcx__byte_sink_fd(&fd);
	size_t wanted = save->left_bytes < CHUNK ? (size_t)save->left_bytes : CHUNK;
	ssize_t n = 0;
	int r;

	while (wanted > 0 && (n = read(save->fd, save->buffer, wanted)) < 0 && errno == EINTR)
		;
	if (n < 0 || (n == 0 && wanted > 0))
		return lcx__fail_sys(err, n < 0 ? errno : EUCLEAN, "read '%s'",
				     save->blobs[save->at].text);
	r = sink.write(sink.data, save->buffer, (size_t)n, err);
	save->left_bytes -= (uint64_t)n;
	save->done_bytes += (uint64_t)n;
	if (r < 0 || save->left_bytes > 0)
		return r;
	closep(&save->fd);
	save->at++;
	return lcx__tar_write_padding(&sink, save->size_bytes, err);
}

static int step(struct lcx_save *save, int fd, struct lcx_error **err)
{
	const struct lcx__byte_sink sink = lcx__byte_sink_fd(&fd);
	int r = 0;

	if (!save->begun)
		r = begin(save, fd, err);
	else if (save->at == save->n_blobs)
		return lcx__tar_write_end(&sink, err);
	else if (save->fd < 0)
		r = begin_blob(save, fd, err);
	else
		r = step_blob(save, fd, err);
	return r < 0 ? r : 1;
}

LCX_PUBLIC int lcx_save_step(struct lcx_save *save, int fd, struct lcx_error **err)
{
	int r;

	if (save->done)
		return 0;
	r = save->result < 0 ? lcx__fail(err, -save->result, "it has failed before")
			     : step(save, fd, err);
	if (r < 0 && save->begun)
		save->result = r;
	save->done = r == 0;
	return lcx__fail_stage(err, lcx__fail_prefix(err, r, "save"), "image");
}

LCX_PUBLIC int lcx_save_run(struct lcx_save *save, int fd, struct lcx_error **err)
{
	int r;

	while ((r = lcx_save_step(save, fd, err)) > 0)
		;
	return r;
}

LCX_PUBLIC uint64_t lcx_save_done_bytes(const struct lcx_save *save)
{
	return save->done_bytes;
}

LCX_PUBLIC uint64_t lcx_save_total_bytes(const struct lcx_save *save)
{
	return save->total_bytes;
}
