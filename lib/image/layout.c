/* SPDX-License-Identifier: MIT */
/*
 * Import of an OCI image layout. The directory is a stranger's as much as a registry
 * is: files are opened below it without following anything out of it, must be regular,
 * and are believed as far as their digests go.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "image/image-internal.h"
#include "image/install.h"
#include "image/document.h"
#include "image/registries.h"
#include "util/fs.h"

enum {
	INDEX_DEPTH_MAX = 3,
	COPY_CHUNK = 1 << 20,
	LOCK_POLL_MS = 50,
};

struct layout {
	const char *path;
	int fd;
	struct lcx__install *install;
	char *buffer;
};

static int open_regular(const struct layout *l, const char *name, struct lcx_error **err)
{
	CLEANUP(closep) int fd = lcx__open_in_root(l->fd, name, O_RDONLY | O_NONBLOCK, 0);
	struct stat st;

	if (fd < 0)
		return lcx__fail_sys(err, -fd, "OCI layout '%s': open '%s'", l->path, name);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return lcx__fail(err, EBADMSG, "OCI layout '%s': '%s' is not a file", l->path,
				 name);
	return TAKE_FD(fd);
}

static int read_document(const struct layout *l, const char *name, char **ret, size_t *ret_length,
			 struct lcx_error **err)
{
	CLEANUP(closep) int fd = open_regular(l, name, err);
	int r;

	if (fd < 0)
		return fd;
	r = lcx__read_fd(fd, LCX__DOCUMENT_MAX, ret, ret_length);
	return r < 0 ? lcx__fail_sys(err, -r, "OCI layout '%s': read '%s'", l->path, name) : 0;
}

static int check_version(const struct layout *l, struct lcx_error **err)
{
	CLEANUP(lcx__doc_putp) struct json_object *object = NULL;
	CLEANUP(freep) char *text = NULL;
	const char *version = NULL;
	size_t length;
	int r;

	r = read_document(l, "oci-layout", &text, &length, err);
	if (r == 0)
		r = lcx__doc_parse(text, length, "oci-layout", &object, err);
	if (r == 0)
		r = lcx__doc_string(object, "imageLayoutVersion", &version, err);
	if (r == 0 && (!version || strncmp(version, "1.", 2) != 0))
		return lcx__fail(err, EBADMSG, "OCI layout '%s': version '%.30s' is not known",
				 l->path, version ? version : "");
	return r;
}

static int read_blob(const struct layout *l, const struct lcx__descriptor *d, char **ret,
		     size_t *ret_length, struct lcx_error **err)
{
	char name[LCX__STORE_NAME_SIZE];
	int r;

	lcx__blob_name(&d->digest, name);
	r = read_document(l, name, ret, ret_length, err);
	return r < 0 ? r : lcx__check_document(&d->digest, d->size, *ret, *ret_length, err);
}

static size_t count_candidates(const struct lcx__manifest *index, const char *ref_name)
{
	size_t n = 0;

	for (size_t i = 0; i < index->n_items; i++)
		if (!ref_name ||
		    (index->items[i].ref_name && strcmp(index->items[i].ref_name, ref_name) == 0))
			n++;
	return n;
}

/* A layout without names is fine if there's nothing to choose. */
static int check_unique(const struct layout *l, const struct lcx__manifest *index,
			const char *ref_name, struct lcx_error **err)
{
	bool named = false;

	for (size_t i = 0; i < index->n_items; i++)
		named |= index->items[i].ref_name != NULL;
	if (!ref_name && named && count_candidates(index, NULL) > 1)
		return lcx__fail(err, ENOTUNIQ,
				 "OCI layout '%s' has several images; name one of them", l->path);
	return 0;
}

/* From index.json down to the manifest for this machine, which is installed. */
static int find_manifest(const struct layout *l, const char *ref_name, struct lcx_error **err)
{
	CLEANUP(lcx__manifest_freep) struct lcx__manifest *m = NULL;
	CLEANUP(freep) char *text = NULL;
	struct lcx__digest digest = {""};
	struct lcx__platform host;
	size_t length;
	int r;

	lcx__platform_host(&host);
	r = read_document(l, "index.json", &text, &length, err);
	if (r == 0)
		r = lcx__manifest_parse(text, length, NULL, &m, err);
	if (r == 0 && !m->is_index)
		r = lcx__fail(err, EBADMSG, "OCI layout '%s': index.json is not an index", l->path);
	if (r == 0)
		r = check_unique(l, m, ref_name, err);
	for (int depth = 0; r == 0 && m->is_index; depth++) {
		CLEANUP(lcx__manifest_freep) struct lcx__manifest *next = NULL;
		const struct lcx__descriptor *d;

		if (depth == INDEX_DEPTH_MAX)
			return lcx__fail(err, EBADMSG, "OCI layout '%s': nested too deeply",
					 l->path);
		r = lcx__index_choose(m, &host, depth == 0 ? ref_name : NULL, &d, err);
		if (r < 0)
			return lcx__fail_prefix(err, r, "OCI layout '%s'", l->path);
		free(TAKE_PTR(text));
		r = read_blob(l, d, &text, &length, err);
		if (r == 0)
			r = lcx__manifest_parse(text, length, d->media_type, &next, err);
		digest = d->digest;
		if (r == 0) {
			(void)lcx__manifest_free(m);
			m = TAKE_PTR(next);
		}
	}
	return r < 0 ? r
		     : lcx__install_manifest(l->install, &digest, text, length, TAKE_PTR(m), err);
}

static int copy_layer(const struct layout *l, struct lcx__layer *layer, struct lcx_error **err)
{
	char name[LCX__STORE_NAME_SIZE];
	CLEANUP(closep) int fd = -1;
	int r = 0;

	lcx__blob_name(&layer->digest, name);
	fd = open_regular(l, name, err);
	if (fd < 0)
		return fd;
	if (lseek(fd, (off_t)layer->have_bytes, SEEK_SET) < 0)
		return lcx__fail_sys(err, errno, "OCI layout '%s': seek in '%s'", l->path, name);
	while (r == 0) {
		ssize_t n = read(fd, l->buffer, COPY_CHUNK);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return lcx__fail_sys(err, errno, "OCI layout '%s': read '%s'", l->path,
					     name);
		if (n == 0)
			return lcx__layer_fetched(layer, err);
		r = lcx__layer_write(layer, l->buffer, (size_t)n, err);
	}
	return r;
}

static bool is_in_progress(const struct lcx__layer *layer)
{
	return layer->stage != LCX__LAYER_SETTLE && layer->stage != LCX__LAYER_DONE;
}

static int install_layer(const struct layout *l, struct lcx__layer *layer, struct lcx_error **err)
{
	int r = 0;

	while (r == 0 && is_in_progress(layer)) {
		if (layer->stage == LCX__LAYER_FETCH) {
			r = copy_layer(l, layer, err);
			continue;
		}
		r = lcx__layer_step(layer, err);
		if (r == 0 && layer->stage == LCX__LAYER_UNPACK)
			(void)poll(&(struct pollfd){lcx__layer_fd(layer), POLLIN, 0}, 1,
				   lcx__layer_fd(layer) >= 0 ? -1 : 0);
		if (r == 0 && layer->stage == LCX__LAYER_LOCK) {
			const struct timespec pause = {0, LOCK_POLL_MS * 1000000};

			/* It may be us who hold the lock, or whom its holder waits for. */
			r = lcx__install_settle(l->install, err);
			(void)nanosleep(&pause, NULL);
		}
	}
	return r;
}

static int import(const struct layout *l, const char *ref_name, const char *full_name,
		  struct lcx_error **err)
{
	CLEANUP(freep) char *text = NULL;
	size_t length;
	int r;

	r = check_version(l, err);
	if (r == 0)
		r = find_manifest(l, ref_name, err);
	if (r == 0)
		r = read_blob(l, &l->install->manifest->config, &text, &length, err);
	if (r == 0)
		r = lcx__install_config(l->install, text, length, err);
	for (size_t i = 0; r == 0 && i < l->install->n_layers; i++)
		r = install_layer(l, &l->install->layers[i], err);
	if (r == 0)
		r = lcx__install_settle(l->install, err);
	return r < 0 ? r : lcx__install_commit(l->install, full_name, err);
}

LCX_PUBLIC int lcx_image_import(struct lcx_ctx *ctx, const char *path, const char *layout_ref,
				const char *new_name, struct lcx_image **ret,
				struct lcx_error **err)
{
	CLEANUP(lcx__reference_freep) struct lcx__reference *name = NULL;
	CLEANUP(lcx__install_freep) struct lcx__install *install = NULL;
	CLEANUP(freep) char *full_name = NULL, *buffer = NULL;
	CLEANUP(closep) int fd = -1;
	struct layout layout;
	int r;

	if (!path || (!new_name && !layout_ref))
		return lcx__fail(err, EINVAL, "the image needs a name");
	r = lcx__reference_read(ctx, new_name ? new_name : layout_ref, &name, err);
	if (r < 0)
		return r;
	if (name->digest.text[0])
		return lcx__fail(err, EINVAL, "'%s': a name with a digest can't be given",
				 new_name);
	full_name = lcx__reference_format(name);
	buffer = malloc(COPY_CHUNK);
	if (!full_name || !buffer)
		return lcx__fail_nomem(err);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return lcx__fail_sys(err, errno, "OCI layout '%s'", path);
	r = lcx__install_new(ctx, &install, err);
	if (r < 0)
		return r;
	layout = (struct layout){path, fd, install, buffer};
	r = import(&layout, layout_ref, full_name, err);
	if (r < 0)
		return lcx__fail_stage(err, lcx__fail_prefix(err, r, "import '%s'", full_name),
				       "image");
	return ret ? lcx_image_open(ctx, full_name, ret, err) : 0;
}
