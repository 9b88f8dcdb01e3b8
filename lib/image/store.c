/* SPDX-License-Identifier: MIT */
#include "image/store.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "util/fs.h"
#include "util/str.h"

static const char *const directories[] = {
	"blobs/sha256", "blobs/sha512", "layers",  "refs",  "holds",
	"pins",         "tmp",          "partial", "locks", "damaged",
};

static int make_directories(const struct lcx__store *store, struct lcx_error **err)
{
	for (size_t i = 0; i < ARRAY_SIZE(directories); i++) {
		CLEANUP(closep) int fd = -1;

		/* Each is asked for: a loss of power may keep one and lose another. */
		if (faccessat(store->fd, directories[i], F_OK, 0) == 0)
			continue;
		fd = lcx__make_dirs(store->fd, directories[i], 0700);
		if (fd < 0)
			return lcx__fail_sys(err, -fd, "image store '%s/%s'", store->path,
					     directories[i]);
	}
	return 0;
}

int lcx__store_open(struct lcx_ctx *ctx, struct lcx__store **ret, struct lcx_error **err)
{
	CLEANUP(lcx__store_freep) struct lcx__store *store = calloc(1, sizeof(*store));
	int r;

	if (!store)
		return lcx__fail_nomem(err);
	store->ctx = ctx;
	store->path = lcx__format("%s/images", ctx->root_dir);
	if (!store->path)
		return lcx__fail_nomem(err);
	store->fd = lcx__make_dirs(ctx->root_fd, "images", 0700);
	if (store->fd < 0)
		return lcx__fail_sys(err, -store->fd, "image store '%s'", store->path);
	r = make_directories(store, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(store);
	return 0;
}

struct lcx__store *lcx__store_free(struct lcx__store *store)
{
	if (store) {
		closep(&store->fd);
		free(store->path);
		free(store);
	}
	return NULL;
}

int lcx__store_lock(const struct lcx__store *store, int operation, struct lcx_error **err)
{
	CLEANUP(closep) int fd = openat(store->fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int r = fd < 0 ? -errno : lcx__lock(fd, operation);

	return r < 0 ? lcx__fail_sys(err, -r, "lock the image store '%s'", store->path)
		     : TAKE_FD(fd);
}

void lcx__blob_name(const struct lcx__digest *digest, char name[static LCX__STORE_NAME_SIZE])
{
	(void)snprintf(name, LCX__STORE_NAME_SIZE, "blobs/%s/%s", lcx__digest_algorithm(digest),
		       lcx__digest_hex(digest));
}

void lcx__layer_name(const struct lcx__digest *chain_id, char name[static LCX__STORE_NAME_SIZE])
{
	(void)snprintf(name, LCX__STORE_NAME_SIZE, "layers/%s", lcx__digest_hex(chain_id));
}

bool lcx__layer_exists(const struct lcx__store *store, const struct lcx__digest *chain_id)
{
	struct lcx__layer_info info;

	return lcx__layer_info_read(store, chain_id, &info) == 0;
}

/*
 * A container may run on the damaged layer, and files must not vanish under it: the layer is
 * kept until no container holds one of this chain id. Everything has a name at every moment, so
 * that a crash loses nothing.
 */
static int replace(const struct lcx__store *store, int from_fd, const char *from,
		   const struct lcx__digest *chain_id)
{
	char name[LCX__STORE_NAME_SIZE], aside[LCX__STORE_NAME_SIZE + 80], random[64];

	if (lcx__temporary_name(random) < 0)
		return -EIO;
	lcx__layer_name(chain_id, name);
	(void)snprintf(aside, sizeof(aside), "damaged/%s%s", lcx__digest_hex(chain_id), random);
	if (renameat(from_fd, from, store->fd, aside) < 0)
		return -errno;
	if (renameat2(store->fd, aside, store->fd, name, RENAME_EXCHANGE) < 0)
		return -errno;
	return 0;
}

int lcx__layer_place(const struct lcx__store *store, int from_fd, const char *from,
		     const struct lcx__digest *chain_id, struct lcx_error **err)
{
	/* Against a sweep, which takes what it finds between the two steps of a replacement. */
	CLEANUP(closep) int lock = lcx__store_lock(store, LOCK_SH, err);
	char name[LCX__STORE_NAME_SIZE];
	int r = 0;

	if (lock < 0)
		return lock;
	lcx__layer_name(chain_id, name);
	/* Another archive with the same content may have come first. */
	if (renameat(from_fd, from, store->fd, name) < 0)
		r = errno == EEXIST || errno == ENOTEMPTY
			    ? lcx__layer_exists(store, chain_id)
				      ? 0
				      : replace(store, from_fd, from, chain_id)
			    : -errno;
	return r < 0 ? lcx__fail_sys(err, -r, "commit to the image store") : 0;
}

void lcx__layer_set_aside(const struct lcx__store *store, const struct lcx__digest *chain_id)
{
	char name[LCX__STORE_NAME_SIZE], path[LCX__STORE_NAME_SIZE + 8];

	lcx__layer_name(chain_id, name);
	(void)snprintf(path, sizeof(path), "%s/info", name);
	(void)unlinkat(store->fd, path, 0);
}

int lcx__layer_info_write(int layer_fd, const struct lcx__layer_info *info)
{
	char text[64];
	int n = snprintf(text, sizeof(text), "size %ju\nuserxattr %d\n",
			 (uintmax_t)info->size_bytes, info->userxattr);

	return lcx__replace_file(layer_fd, "info", text, (size_t)n, 0600, false);
}

int lcx__layer_info_read(const struct lcx__store *store, const struct lcx__digest *chain_id,
			 struct lcx__layer_info *ret)
{
	CLEANUP(freep) char *text = NULL;
	char name[LCX__STORE_NAME_SIZE], path[LCX__STORE_NAME_SIZE + 8];
	uintmax_t size;
	int r, userxattr;

	lcx__layer_name(chain_id, name);
	(void)snprintf(path, sizeof(path), "%s/info", name);
	r = lcx__read_file(store->fd, path, 4096, &text, NULL);
	if (r < 0)
		return r;
	if (sscanf(text, "size %ju\nuserxattr %d\n", &size, &userxattr) != 2)
		return -EUCLEAN;
	ret->size_bytes = size;
	ret->userxattr = userxattr != 0;
	return 0;
}
