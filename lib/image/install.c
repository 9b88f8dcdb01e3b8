/* SPDX-License-Identifier: MIT */
#include "image/install.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "image/implied.h"
#include "ns/users.h"
#include "util/fs.h"

int lcx__install_new(struct lcx_ctx *ctx, struct lcx__install **ret, struct lcx_error **err)
{
	CLEANUP(lcx__install_freep) struct lcx__install *install = calloc(1, sizeof(*install));
	int r;

	if (!install)
		return lcx__fail_nomem(err);
	r = lcx__store_open(ctx, &install->store, err);
	if (r == 0)
		r = lcx__pin_new(install->store, &install->pin, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(install);
	return 0;
}

struct lcx__install *lcx__install_free(struct lcx__install *install)
{
	if (!install)
		return NULL;
	for (size_t i = 0; i < install->n_layers; i++)
		lcx__layer_clear(&install->layers[i]);
	free(install->layers);
	(void)lcx__manifest_free(install->manifest);
	(void)lcx__pin_free(install->pin);
	(void)lcx__store_free(install->store);
	free(install);
	return NULL;
}

int lcx__check_document(const struct lcx__digest *digest, uint64_t size_bytes, const char *data,
			size_t length, struct lcx_error **err)
{
	struct lcx__digest found;
	int r;

	if (length != size_bytes)
		return lcx__fail(err, EBADMSG, "'%.19s': %zu bytes, not %ju as announced",
				 digest->text, length, (uintmax_t)size_bytes);
	r = lcx__digest_of(digest, data, length, &found, err);
	if (r < 0)
		return r;
	if (!lcx__digest_equal(&found, digest))
		return lcx__fail(err, EBADMSG, "'%s': its content is %s", digest->text, found.text);
	return 0;
}

int lcx__install_manifest(struct lcx__install *install, const struct lcx__digest *digest,
			  const char *data, size_t length, struct lcx__manifest *manifest,
			  struct lcx_error **err)
{
	int r;

	(void)lcx__manifest_free(install->manifest);
	install->manifest = manifest;
	install->manifest_digest = *digest;
	r = lcx__pin_blob(install->pin, digest, err);
	return r < 0 ? r : lcx__blob_write(install->store, digest, data, length, err);
}

static int init_layers(struct lcx__install *install, const struct lcx__config *config,
		       struct lcx_error **err)
{
	const struct lcx__manifest *m = install->manifest;

	if (config->n_diff_ids != m->n_items)
		return lcx__fail(err, EBADMSG, "the manifest has %zu layers, the configuration %zu",
				 m->n_items, config->n_diff_ids);
	install->layers = calloc(m->n_items + 1, sizeof(*install->layers));
	if (!install->layers)
		return lcx__fail_nomem(err);
	for (size_t i = 0; i < m->n_items; i++) {
		int r = lcx__layer_init(&install->layers[i], install->pin, &m->items[i].digest,
					m->items[i].size, &config->diff_ids[i],
					&config->chain_ids[i], err);

		install->n_layers = i + 1;
		if (r < 0)
			return r;
	}
	return 0;
}

int lcx__install_stored(struct lcx__install *install, const struct lcx__digest *digest,
			struct lcx__manifest *manifest, const struct lcx__config *config,
			struct lcx_error **err)
{
	(void)lcx__manifest_free(install->manifest);
	install->manifest = manifest;
	install->manifest_digest = *digest;
	return init_layers(install, config, err);
}

int lcx__install_config(struct lcx__install *install, const char *data, size_t length,
			struct lcx_error **err)
{
	const struct lcx__descriptor *d = &install->manifest->config;
	CLEANUP(lcx__config_freep) struct lcx__config *config = NULL;
	int r;

	r = lcx__check_document(&d->digest, d->size, data, length, err);
	if (r == 0)
		r = lcx__config_parse(data, length, &config, err);
	if (r < 0)
		return r;
	if (config->os[0] != '\0' && strcmp(config->os, "linux") != 0)
		return lcx__fail(err, ENOENT, "an image for '%.31s', not for linux", config->os);
	r = lcx__pin_blob(install->pin, &d->digest, err);
	if (r == 0)
		r = lcx__blob_write(install->store, &d->digest, data, length, err);
	return r < 0 ? r : init_layers(install, config, err);
}

static void implied_clearp(struct lcx__implied *implied)
{
	lcx__implied_clear(implied);
}

struct inheritance {
	const struct lcx__install *install;
	size_t index;
};

static int inherit(void *data, struct lcx_error **err)
{
	const struct inheritance *inheritance = data;
	const struct lcx__install *install = inheritance->install;
	size_t index = inheritance->index;
	const struct lcx__layer *layer = &install->layers[index];
	CLEANUP(closep) int root_fd = lcx__layer_open_root(layer);
	CLEANUP(implied_clearp) struct lcx__implied implied = {.root_fd = -1};
	int r = 0;

	if (root_fd < 0)
		return lcx__fail_sys(err, -root_fd, "open layer %.19s", layer->digest.text);
	if (lcx__implied_new(root_fd, &layer->implied, &implied) < 0)
		return lcx__fail_nomem(err);
	while (r == 0 && implied.n > 0 && index-- > 0) {
		CLEANUP(closep) int fd = lcx__layer_open_root(&install->layers[index]);

		if (fd < 0)
			return lcx__fail_sys(err, -fd, "open layer %.19s",
					     install->layers[index].digest.text);
		r = lcx__implied_inherit(&implied, fd);
	}
	if (r == 0)
		r = lcx__implied_finish(&implied);
	return r < 0 ? lcx__fail_sys(err, -r,
				     "give the directories of layer %.19s what they have below it",
				     layer->digest.text)
		     : 0;
}

int lcx__install_inherit(const struct lcx__install *install, size_t index, struct lcx_error **err)
{
	struct inheritance inheritance = {install, index};

	return lcx__users_within(install->store->ctx, false, inherit, &inheritance, err);
}

static bool ready_to_settle(const struct lcx__install *install)
{
	bool any = false;

	for (size_t i = 0; i < install->n_layers; i++) {
		enum lcx__layer_stage stage = install->layers[i].stage;

		if (stage != LCX__LAYER_LOCK && stage != LCX__LAYER_SETTLE &&
		    stage != LCX__LAYER_DONE)
			return false;
		any |= stage == LCX__LAYER_SETTLE;
	}
	return any;
}

int lcx__install_settle(struct lcx__install *install, struct lcx_error **err)
{
	CLEANUP(closep) int dir_fd = -1;
	int r = 0;

	if (!ready_to_settle(install))
		return 0;
	for (size_t i = 0; r == 0 && i < install->n_layers; i++)
		if (install->layers[i].stage == LCX__LAYER_SETTLE)
			r = lcx__install_inherit(install, i, err);
	if (r < 0)
		return r;
	dir_fd = lcx__open_dir(install->store->fd, "layers");
	if (dir_fd < 0 || syncfs(dir_fd) < 0)
		return lcx__fail_sys(err, dir_fd < 0 ? -dir_fd : errno,
				     "write the layers to the disk");
	for (size_t i = 0; r == 0 && i < install->n_layers; i++)
		if (install->layers[i].stage == LCX__LAYER_SETTLE)
			r = lcx__layer_commit(&install->layers[i], err);
	if (r == 0 && fsync(dir_fd) < 0)
		r = lcx__fail_sys(err, errno, "write the layers' names to the disk");
	return r;
}

bool lcx__install_complete(const struct lcx__install *install)
{
	for (size_t i = 0; i < install->n_layers; i++)
		if (install->layers[i].stage != LCX__LAYER_DONE)
			return false;
	return install->layers != NULL;
}

int lcx__install_commit(struct lcx__install *install, const char *name, struct lcx_error **err)
{
	return lcx__refs_set(install->store, name, &install->manifest_digest, err);
}
