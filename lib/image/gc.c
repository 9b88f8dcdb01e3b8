/* SPDX-License-Identifier: MIT */
/*
 * Mark and sweep, under the store's exclusive lock, which everybody else takes for
 * moments only. Roots are the names of images, the holds of containers, and the pins
 * of what runs just now. Layers are only moved aside under the lock and removed after
 * it: that may take long. If a root can't be written down (out of memory), nothing is
 * swept; a damaged image roots what can still be read of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "image/image.h"
#include "image/rootset.h"
#include "util/fs.h"
#include "util/str.h"

#define PARTIAL_KEPT_NS (INT64_C(7) * 24 * 3600 * 1000000000)

struct sweep {
	const struct lcx__store *store;
	struct lcx__pin *pin;          /* its scratch directory takes what goes */
	struct lcx__roots roots, held; /* the second: by containers alone */
	uint64_t freed_bytes;
	unsigned n_trash;
};

static void sweep_clearp(struct sweep *sweep)
{
	lcx__roots_clear(&sweep->roots);
	lcx__roots_clear(&sweep->held);
}

static int mark_hold(struct sweep *sweep, const char *text, struct lcx_error **err)
{
	CLEANUP(freep) char *copy = strdup(text), *again = strdup(text);

	if (!copy || !again || lcx__roots_parse(&sweep->roots, copy) < 0 ||
	    lcx__roots_parse(&sweep->held, again) < 0)
		return lcx__fail_nomem(err);
	return 0;
}

static int mark_images(struct sweep *sweep, struct lcx_error **err)
{
	CLEANUP(lcx__refs_freep) struct lcx__refs *refs = NULL;
	CLEANUP(lcx__holds_freep) struct lcx__holds *holds = NULL;
	int r;

	r = lcx__refs_read(sweep->store, &refs, err);
	for (size_t i = 0; r == 0 && i < refs->n; i++) {
		r = lcx__roots_add_image(&sweep->roots, sweep->store, &refs->items[i].manifest,
					 NULL);
		r = r == -ENOMEM ? lcx__fail_nomem(err) : 0;
	}
	if (r == 0)
		r = lcx__holds_read(sweep->store, &holds, err);
	for (size_t i = 0; r == 0 && i < holds->n; i++)
		r = holds->items[i].manifest.text[0]
			    ? mark_hold(sweep, holds->items[i].text, err)
			    : lcx__fail(err, EUCLEAN,
					"the hold of container '%.12s' is damaged: which image it "
					"needs is not known; remove that container first",
					holds->items[i].owner);
	return r;
}

/* Living pins are roots; of dead ones the scratch directory is taken over. */
static int mark_pin(struct sweep *sweep, const char *name)
{
	CLEANUP(freep) char *text = NULL;
	CLEANUP(closep) int fd = -1;
	char path[300];
	int r;

	(void)snprintf(path, sizeof(path), "pins/%s", name);
	fd = openat(sweep->store->fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		r = lcx__read_fd(fd, 16 << 20, &text, NULL);
		return r < 0 ? r : lcx__roots_parse(&sweep->roots, text);
	}
	return unlinkat(sweep->store->fd, path, 0) < 0 ? -errno : 0;
}

static void trash(struct sweep *sweep, const char *path)
{
	char name[32];

	(void)snprintf(name, sizeof(name), "%u", sweep->n_trash++);
	(void)renameat(sweep->store->fd, path, sweep->pin->tmp_fd, name);
}

static int sweep_tmp(struct sweep *sweep, const char *name)
{
	char path[300];
	struct stat st;

	(void)snprintf(path, sizeof(path), "pins/%s", name);
	if (fstatat(sweep->store->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	(void)snprintf(path, sizeof(path), "tmp/%s", name);
	trash(sweep, path);
	return 0;
}

static void remove_file(struct sweep *sweep, const char *path)
{
	struct stat st;

	if (fstatat(sweep->store->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    unlinkat(sweep->store->fd, path, 0) == 0)
		sweep->freed_bytes += (uint64_t)st.st_size;
}

static int sweep_blob256(struct sweep *sweep, const char *name)
{
	char path[300];

	(void)snprintf(path, sizeof(path), "blobs/sha256/%s", name);
	if (!lcx__rootset_has(&sweep->roots.blobs, name))
		remove_file(sweep, path);
	return 0;
}

static int sweep_blob512(struct sweep *sweep, const char *name)
{
	char path[300];

	(void)snprintf(path, sizeof(path), "blobs/sha512/%s", name);
	if (!lcx__rootset_has(&sweep->roots.blobs, name))
		remove_file(sweep, path);
	return 0;
}

static int sweep_layer(struct sweep *sweep, const char *name)
{
	struct lcx__layer_info info = {0};
	struct lcx__digest digest;
	char path[300];

	if (lcx__rootset_has(&sweep->roots.layers, name))
		return 0;
	(void)snprintf(digest.text, sizeof(digest.text), "sha256:%.128s", name);
	(void)lcx__layer_info_read(sweep->store, &digest, &info);
	sweep->freed_bytes += info.size_bytes;
	(void)snprintf(path, sizeof(path), "layers/%s", name);
	trash(sweep, path);
	return 0;
}

static int sweep_damaged(struct sweep *sweep, const char *name)
{
	CLEANUP(freep) char *hex = strndup(name, strcspn(name, "."));
	char path[300];

	if (!hex)
		return -ENOMEM;
	(void)snprintf(path, sizeof(path), "damaged/%s", name);
	if (!lcx__rootset_has(&sweep->held.layers, hex))
		trash(sweep, path);
	return 0;
}

/* A download that was cut off is worth something, for a while; a complete one's rest is not. */
static int sweep_partial(struct sweep *sweep, const char *name)
{
	char path[300];
	struct stat st;

	(void)snprintf(path, sizeof(path), "partial/%s", name);
	if (fstatat(sweep->store->fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    lcx__rootset_has(&sweep->roots.blobs, name))
		return 0;
	if (lcx__now_ns() - (int64_t)st.st_mtim.tv_sec * 1000000000 > PARTIAL_KEPT_NS ||
	    st.st_size == 0)
		remove_file(sweep, path);
	return 0;
}

static int sweep_lock(struct sweep *sweep, const char *name)
{
	CLEANUP(closep) int fd = -1;
	char path[300];

	(void)snprintf(path, sizeof(path), "locks/%s", name);
	fd = openat(sweep->store->fd, path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
		(void)unlinkat(sweep->store->fd, path, 0);
	return 0;
}

/* Temporary names are used under the lock only: whoever used this one is dead. */
static int sweep_temporary(struct sweep *sweep, const char *directory, const char *name)
{
	char path[300];

	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	if (lcx__is_temporary_name(name))
		remove_file(sweep, path);
	return 0;
}

static int sweep_ref(struct sweep *sweep, const char *name)
{
	return sweep_temporary(sweep, "refs", name);
}

/* What all holds of an image are names of goes with the image. */
static int sweep_hold(struct sweep *sweep, const char *name)
{
	const char *hex = name[0] == '.' ? strchr(name, ':') : NULL;
	char path[300];

	if (!hex || lcx__rootset_has(&sweep->roots.blobs, hex + 1))
		return sweep_temporary(sweep, "holds", name);
	(void)snprintf(path, sizeof(path), "holds/%s", name);
	remove_file(sweep, path);
	return 0;
}

/* In this order: all roots are known before the first blob goes. */
static const struct pass {
	const char *directory;
	int (*visit)(struct sweep *sweep, const char *name);
} passes[] = {
	{"pins", mark_pin},
	{"tmp", sweep_tmp},
	{"blobs/sha256", sweep_blob256},
	{"blobs/sha512", sweep_blob512},
	{"layers", sweep_layer},
	{"damaged", sweep_damaged},
	{"partial", sweep_partial},
	{"locks", sweep_lock},
	{"refs", sweep_ref},
	{"holds", sweep_hold},
};

static int run_pass(struct sweep *sweep, const struct pass *pass, struct lcx_error **err)
{
	CLEANUP(closedirp) DIR *dir = NULL;
	struct dirent *entry;
	int r = lcx__read_dir(sweep->store->fd, pass->directory, &dir);

	while (r == 0 && (entry = lcx__next_entry(dir)))
		r = pass->visit(sweep, entry->d_name);
	if (r == 0)
		r = -errno;
	return r < 0 ? lcx__fail_sys(err, -r, "image store: sweep %s", pass->directory) : 0;
}

int lcx__store_sweep(const struct lcx__store *store, uint64_t *ret_freed_bytes,
		     struct lcx_error **err)
{
	CLEANUP(sweep_clearp) struct sweep sweep = {.store = store};
	CLEANUP(lcx__pin_freep) struct lcx__pin *pin = NULL;
	CLEANUP(closep) int lock = -1;
	int r;

	r = lcx__pin_new(store, &pin, err);
	if (r < 0)
		return r;
	sweep.pin = pin;
	lock = lcx__store_lock(store, LOCK_EX, err);
	r = lock < 0 ? lock : mark_images(&sweep, err);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(passes); i++)
		r = run_pass(&sweep, &passes[i], err);
	/* The lock is released before the pin: what was moved aside is removed in peace. */
	if (r == 0 && ret_freed_bytes)
		*ret_freed_bytes = sweep.freed_bytes;
	return r;
}

LCX_PUBLIC int lcx_image_gc(struct lcx_ctx *ctx, uint64_t *ret_freed_bytes, struct lcx_error **err)
{
	CLEANUP(lcx__store_freep) struct lcx__store *store = NULL;
	int r = lcx__store_open(ctx, &store, err);

	return r < 0 ? r : lcx__store_sweep(store, ret_freed_bytes, err);
}
