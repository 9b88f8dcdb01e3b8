/* SPDX-License-Identifier: MIT */
#include "container/container-internal.h"

#include <errno.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "container/users/ordinary.h"
#include "ns/users.h"
#include "overlay/overlay.h"
#include "util/fs.h"

/* Where containers are, what a container's read-write layer may hold, and how much it is worth. */

/*
 * ext4 places a file near its directory, and asks of each number that was in use lately, by
 * whomever, whether it rests still, which takes it half a millisecond where much comes and goes.
 * Directories in one with this mark (chattr(1): T) it keeps apart from each other and from all
 * others, as suits those of images, which stay, and those of containers. Other file systems refuse
 * the mark.
 */
static void keep_apart(int root_fd)
{
	int flags;

	if (ioctl(root_fd, FS_IOC_GETFLAGS, &flags) < 0)
		return;
	flags |= FS_TOPDIR_FL;
	(void)ioctl(root_fd, FS_IOC_SETFLAGS, &flags);
}

int lcx__containers_dir(const struct lcx_ctx *ctx)
{
	if (faccessat(ctx->root_fd, "containers", F_OK, 0) < 0 && errno == ENOENT)
		keep_apart(ctx->root_fd);
	return lcx__make_dirs(ctx->root_fd, "containers", 0700);
}

static const char *option(const struct lcx_container *c, const char *key)
{
	for (size_t i = 0; i < c->d.storage_options.n; i++)
		if (strcmp(c->d.storage_options.items[i].key, key) == 0)
			return c->d.storage_options.items[i].value;
	return NULL;
}

int lcx__container_check_storage_option(const char *key, const char *value, struct lcx_error **err)
{
	uint64_t size_bytes;

	if (strcmp(key, "size") == 0)
		return lcx__parse_size(value, &size_bytes) == 0 && size_bytes > 0
			       ? 0
			       : lcx__fail(
					 err, EINVAL,
					 "storage option size='%s': must be a number with k, m or "
					 "g behind it",
					 value);
	if (strcmp(key, "volatile") == 0)
		return strcmp(value, "on") == 0 || strcmp(value, "off") == 0
			       ? 0
			       : lcx__fail(err, EINVAL,
					   "storage option volatile='%s': must be on or off",
					   value);
	if (strcmp(key, "chown") == 0)
		return strcmp(value, "copy") == 0
			       ? 0
			       : lcx__fail(err, EINVAL, "storage option chown='%s': must be copy",
					   value);
	return lcx__fail(err, EINVAL,
			 "no storage option '%s'; there are 'chown', 'size' and 'volatile'", key);
}

/* The read-write layer alone. */
static int open_layer(int dir_fd, struct lcx_overlay **ret, struct lcx_error **err)
{
	CLEANUP(lcx_overlay_freep) struct lcx_overlay *overlay = NULL;
	CLEANUP(closep) int upper_fd = lcx__open_dir(dir_fd, "upper");
	CLEANUP(closep) int work_fd = lcx__open_dir(dir_fd, "work");
	int r;

	if (upper_fd < 0 || work_fd < 0)
		return lcx__fail_sys(err, upper_fd < 0 ? -upper_fd : -work_fd,
				     "open the read-write layer");
	r = lcx_overlay_new(&overlay, err);
	if (r == 0)
		r = lcx_overlay_set_upper_fd(overlay, upper_fd, work_fd, err);
	if (r == 0)
		*ret = TAKE_PTR(overlay);
	return r;
}

int lcx__container_limit_storage(const struct lcx_container *c, int dir_fd, struct lcx_error **err)
{
	CLEANUP(lcx_overlay_freep) struct lcx_overlay *overlay = NULL;
	const char *size = option(c, "size");
	uint64_t size_bytes;
	int r;

	if (c->d.rootfs && c->d.storage_options.n > 0)
		return lcx__fail(err, EINVAL,
				 "storage option %s: a root file system of one's own has no "
				 "read-write layer",
				 c->d.storage_options.items[0].key);
	if (!size || lcx__parse_size(size, &size_bytes) < 0)
		return 0;
	r = open_layer(dir_fd, &overlay, err);
	return r < 0 ? r : lcx_overlay_set_size_limit(overlay, size_bytes, err);
}

bool lcx__container_wants_chown(const struct lcx_container *c)
{
	return option(c, "chown") != NULL;
}

/*
 * What is removed at its end survives no crash in any case: its end needn't wait for the disk,
 * which the kernel otherwise does at the unmount of an overlay. But an ordinary user can't remove
 * what it leaves in the work directory: directories in one that it has made unreadable for its
 * owner.
 */
bool lcx__container_is_volatile(const struct lcx_container *c)
{
	const char *value = option(c, "volatile");

	if (c->d.rootfs)
		return false;
	return value ? strcmp(value, "on") == 0
		     : c->d.auto_remove.value && !lcx__is_ordinary_user();
}

/* The boot of the first mount; what is removed at its end has that of its creation anyway. */
static int read_first_boot(const struct lcx_container *c, char **ret)
{
	if (!c->d.boot_id)
		return lcx__read_file(c->dir_fd, "volatile", LCX__BOOT_ID_SIZE, ret, NULL);
	*ret = strdup(c->d.boot_id);
	return *ret ? 0 : -ENOMEM;
}

/*
 * The kernel marks the work directory of a volatile mount and refuses it ever after: what was
 * written may be lost if the machine crashed since. If it is still the same boot, it didn't.
 */
int lcx__container_renew_volatile(const struct lcx_container *c, struct lcx_error **err)
{
	CLEANUP(freep) char *last = NULL;
	char boot_id[LCX__BOOT_ID_SIZE];
	int r;

	if (!lcx__container_is_volatile(c))
		return 0;
	r = lcx__boot_id(boot_id);
	if (r < 0)
		return lcx__fail_sys(err, -r, "read the boot id");
	r = read_first_boot(c, &last);
	if (r == 0 && strcmp(last, boot_id) != 0)
		return lcx__fail(
			err, EUCLEAN,
			"its read-write layer is volatile, and the machine has been started "
			"anew since: some of it may be lost; create a new container");
	if (r == 0)
		/* Not its "incompat" alone: no way leads through the directory, which has no rights. */
		r = lcx__users_remove_tree(c->ctx, c->dir_fd, "work/work");
	else if (r == -ENOENT)
		r = lcx__replace_file(c->dir_fd, "volatile", boot_id, strlen(boot_id), 0600, true);
	return r < 0 ? lcx__fail_sys(err, -r, "prepare the volatile read-write layer") : 0;
}

/* The file system would remember the limit, for whoever gets its number next. */
int lcx__container_remove_dir(struct lcx_ctx *ctx, int containers_fd, const char *name)
{
	CLEANUP(lcx_overlay_freep) struct lcx_overlay *overlay = NULL;
	CLEANUP(closep) int dir_fd = lcx__open_dir(containers_fd, name);

	if (dir_fd >= 0 && open_layer(dir_fd, &overlay, NULL) == 0)
		(void)lcx_overlay_set_size_limit(overlay, 0, NULL);
	return lcx__users_remove_tree(ctx, containers_fd, name);
}
