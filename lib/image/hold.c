/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "image/image-internal.h"
#include "image/rootset.h"
#include "util/fs.h"
#include "util/str.h"

enum { HOLD_FILE_MAX = 1 << 20 };

/*
 * The archives of the layers, too: they can't be made again out of what they unpacked to, and
 * without them the image could neither be saved or pushed, nor committed on.
 */
static char *describe(const struct lcx_image *image)
{
	struct lcx__strbuf text = STRBUF_EMPTY;

	lcx__strbuf_addf(&text, "image %s\nblob %s\nblob %s\n", image->manifest_digest.text,
			 image->manifest_digest.text, image->id.text);
	for (size_t i = 0; i < image->manifest->n_items; i++)
		lcx__strbuf_addf(&text, "blob %s\n", image->manifest->items[i].digest.text);
	for (size_t i = 0; i < image->config->n_diff_ids; i++)
		lcx__strbuf_addf(&text, "layer %s\n", image->config->chain_ids[i].text);
	return lcx__strbuf_take(&text);
}

/* Return: whether @owner now names a file as long as it must be: damage is not handed on. */
static bool link_whole(int dir_fd, const char *shared, const char *owner, size_t length)
{
	struct stat st;

	if (linkat(dir_fd, shared, dir_fd, owner, 0) < 0)
		return false;
	if (fstatat(dir_fd, owner, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_size == (off_t)length)
		return true;
	(void)unlinkat(dir_fd, owner, 0);
	return false;
}

/*
 * All holds of an image say the same, and are names of one file, ".DIGEST" of its manifest: a file
 * of its own for each container would be made and removed with it. It goes with the image.
 */
static int link_hold(int dir_fd, const struct lcx_image *image, const char *owner)
{
	CLEANUP(freep) char *shared = lcx__format(".%s", image->manifest_digest.text);
	CLEANUP(freep) char *text = describe(image);
	size_t length;
	int r;

	if (!shared || !text)
		return -ENOMEM;
	length = strlen(text);
	if (link_whole(dir_fd, shared, owner, length))
		return 0;
	/* Others rely on it as long as it is there, also after a loss of power. */
	r = lcx__replace_file(dir_fd, shared, text, length, 0600, true);
	if (r < 0 || link_whole(dir_fd, shared, owner, length))
		return r;
	/* It holds one already; or the file system takes no more names of a file, or none. */
	return lcx__replace_file(dir_fd, owner, text, length, 0600, false);
}

/* The image was opened a while ago, and nothing kept it since. */
static int check_layers(const struct lcx__store *store, const struct lcx_image *image,
			struct lcx_error **err)
{
	uint64_t size;

	if (lcx__blob_size(store, &image->manifest_digest, &size) < 0 ||
	    lcx__blob_size(store, &image->id, &size) < 0)
		return lcx__fail(err, ENOENT, "image '%s' has been removed", image->id.text);
	for (size_t i = 0; i < image->config->n_diff_ids; i++)
		if (!lcx__layer_exists(store, &image->config->chain_ids[i]))
			return lcx__fail(err, ENOENT, "image '%s' has been removed",
					 image->id.text);
	return 0;
}

int lcx__image_hold(struct lcx_ctx *ctx, const struct lcx_image *image, const char *owner,
		    struct lcx_error **err)
{
	CLEANUP(lcx__store_freep) struct lcx__store *store = NULL;
	CLEANUP(closep) int lock = -1, dir_fd = -1;
	int r;

	if (!lcx__name_is_valid(owner))
		return lcx__fail(err, EINVAL, "'%s' can't hold an image: not a valid name", owner);
	r = lcx__store_open(ctx, &store, err);
	if (r < 0)
		return r;
	lock = lcx__store_lock(store, LOCK_SH, err);
	if (lock < 0)
		return lock;
	r = check_layers(store, image, err);
	if (r < 0)
		return r;
	dir_fd = lcx__open_dir(store->fd, "holds");
	r = dir_fd < 0 ? dir_fd : link_hold(dir_fd, image, owner);
	return r < 0 ? lcx__fail_sys(err, -r, "hold image '%s' for '%s'", image->id.text, owner)
		     : 0;
}

int lcx__image_release(struct lcx_ctx *ctx, const char *owner, struct lcx_error **err)
{
	CLEANUP(closep) int dir_fd = -1;

	if (!lcx__name_is_valid(owner))
		return lcx__fail(err, EINVAL, "'%s' can't hold an image: not a valid name", owner);
	dir_fd = openat(ctx->root_fd, "images/holds", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0 && errno == ENOENT)
		return 0;
	if (dir_fd < 0 || (unlinkat(dir_fd, owner, 0) < 0 && errno != ENOENT))
		return lcx__fail_sys(err, errno, "release the image that '%s' holds", owner);
	return 0;
}

static int append(struct lcx__holds *holds, int dir_fd, const char *owner)
{
	CLEANUP(freep) char *text = NULL, *copy = NULL;
	struct lcx__hold *bigger, *hold;
	size_t first;
	int r;

	if (!lcx__name_is_valid(owner))
		return 0;
	r = lcx__read_file(dir_fd, owner, HOLD_FILE_MAX, &text, NULL);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	bigger = realloc(holds->items, (holds->n + 1) * sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	holds->items = bigger;
	hold = &holds->items[holds->n];
	*hold = (struct lcx__hold){0};

	first = strcspn(text, "\n");
	copy = strndup(text, first);
	hold->owner = strdup(owner);
	if (!copy || !hold->owner) {
		free(hold->owner);
		return -ENOMEM;
	}
	if (strncmp(copy, "image ", 6) == 0)
		(void)lcx__digest_parse(copy + 6, &hold->manifest);
	hold->text = TAKE_PTR(text);
	holds->n++;
	return 0;
}

int lcx__holds_read(const struct lcx__store *store, struct lcx__holds **ret, struct lcx_error **err)
{
	CLEANUP(lcx__holds_freep) struct lcx__holds *holds = calloc(1, sizeof(*holds));
	CLEANUP(closedirp) DIR *dir = NULL;
	struct dirent *entry;
	int r;

	if (!holds)
		return lcx__fail_nomem(err);
	r = lcx__read_dir(store->fd, "holds", &dir);
	while (r == 0 && (entry = lcx__next_entry(dir)))
		r = append(holds, dirfd(dir), entry->d_name);
	if (r == 0)
		r = -errno;
	if (r < 0)
		return lcx__fail_sys(err, -r, "read the holds of containers");
	*ret = TAKE_PTR(holds);
	return 0;
}

struct lcx__holds *lcx__holds_free(struct lcx__holds *holds)
{
	if (!holds)
		return NULL;
	for (size_t i = 0; i < holds->n; i++) {
		free(holds->items[i].owner);
		free(holds->items[i].text);
	}
	free(holds->items);
	free(holds);
	return NULL;
}

int lcx__image_holders(struct lcx_ctx *ctx, char ***ret, struct lcx_error **err)
{
	CLEANUP(lcx__store_freep) struct lcx__store *store = NULL;
	CLEANUP(lcx__holds_freep) struct lcx__holds *holds = NULL;
	CLEANUP(lcx__strv_freep) char **owners = lcx__strv_copy(NULL);
	int r;

	if (!owners)
		return lcx__fail_nomem(err);
	r = lcx__store_open(ctx, &store, err);
	if (r == 0)
		r = lcx__holds_read(store, &holds, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < holds->n; i++)
		if (lcx__strv_append(&owners, holds->items[i].owner) < 0)
			return lcx__fail_nomem(err);
	*ret = TAKE_PTR(owners);
	return 0;
}
