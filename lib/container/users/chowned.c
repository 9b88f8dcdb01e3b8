/* SPDX-License-Identifier: MIT */
/*
 * Where a file system can't show files with other owners, a container with a user namespace may
 * have a copy of its image instead, whose files are its users': one tree, made with the container
 * and removed with it, since it serves nobody else. From then on it is the container's only layer,
 * and all that reads or writes its files from outside translates ids, as it does for an ordinary
 * user's containers.
 */
#include "container/users/users.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "container/tree/tree.h"
#include "container/users/ordinary.h"
#include "util/fs.h"
#include "util/str.h"

struct copy {
	struct lcx__container_ids ids;
	struct lcx__place *place;
	struct lcx__entry_sink sink;
};

static void copy_clear(struct copy *copy)
{
	(void)lcx__place_free(copy->place);
	lcx__container_ids_clear(&copy->ids);
}

/* What an image's file may do counts for the root of one user namespace, and names him. */
static int give_capabilities(const struct copy *copy, struct lcx__tar_xattr *x)
{
	struct vfs_ns_cap_data caps = {0};
	uint32_t magic;
	char *value;

	if (!copy->ids.uids || strcmp(x->name, "security.capability") != 0 ||
	    x->size != XATTR_CAPS_SZ_2)
		return 0;
	memcpy(&caps, x->value, XATTR_CAPS_SZ_2);
	magic = le32toh(caps.magic_etc);
	if ((magic & VFS_CAP_REVISION_MASK) != VFS_CAP_REVISION_2)
		return 0;
	caps.magic_etc = htole32((magic & ~(uint32_t)VFS_CAP_REVISION_MASK) | VFS_CAP_REVISION_3);
	caps.rootid = htole32(lcx__uid_outside(&copy->ids.map, 0));
	value = malloc(sizeof(caps));
	if (!value)
		return -ENOMEM;
	memcpy(value, &caps, sizeof(caps));
	free(x->value);
	x->value = value;
	x->size = sizeof(caps);
	return 0;
}

/* The attributes are the entry's own, which nobody reads again. */
static int add(void *data, const struct lcx__tar_entry *e, const struct lcx__source *content,
	       struct lcx_error **err)
{
	const struct copy *copy = data;

	for (size_t i = 0; i < e->n_xattrs; i++)
		if (give_capabilities(copy, &e->xattrs[i]) < 0)
			return lcx__fail_nomem(err);
	return copy->sink.add(copy->sink.data, e, content, err);
}

/* By its path: where a user has a mount namespace for the overlay, the descriptor is one of
 * another. */
static int add_empty(struct lcx_overlay *overlay, int empty_fd, struct lcx_error **err)
{
	char link[40], path[4096];
	ssize_t n;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", empty_fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n < 0)
		return lcx__fail_sys(err, errno, "find an empty directory");
	path[n] = '\0';
	return lcx_overlay_add_lower(overlay, path, err);
}

/* All layers together; a single one, too, may have marks that only an overlay reads: below it is an
 * empty one. */
static int open_layers(const struct lcx_container *c, int empty_fd, struct lcx_error **err)
{
	CLEANUP(lcx_overlay_freep) struct lcx_overlay *overlay = NULL;
	int r = lcx_overlay_new(&overlay, err);

	if (r == 0 && c->ctx->is_within)
		r = lcx_overlay_set_option(overlay, "userxattr", "on", err);
	for (size_t i = 0; r == 0 && c->d.layers[i]; i++)
		r = lcx_overlay_add_lower(overlay, c->d.layers[i], err);
	if (r == 0)
		r = lcx__is_ordinary_user() || c->ctx->is_within
			    ? add_empty(overlay, empty_fd, err)
			    : lcx_overlay_add_lower_fd(overlay, empty_fd, err);
	return r < 0 ? r : lcx_overlay_mount_fd(overlay, err);
}

int lcx__container_open_image(const struct lcx_container *c, int empty_fd, struct lcx_error **err)
{
	/* An ordinary user mounts nothing here. */
	const char *dir = c->d.rootfs                                  ? c->d.rootfs
			  : lcx__is_ordinary_user() && !c->d.layers[1] ? c->d.layers[0]
								       : NULL;
	int fd;

	if (!dir)
		return open_layers(c, empty_fd, err);
	fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? lcx__fail_sys(err, errno, "root file system '%s'", dir) : fd;
}

static int copy_top(const struct copy *copy, int from_fd, int to_fd, struct lcx_error **err)
{
	struct timespec times[2];
	struct stat st;

	if (fstat(from_fd, &st) < 0 ||
	    fchown(to_fd, lcx__uid_outside(&copy->ids.map, st.st_uid),
		   lcx__gid_outside(&copy->ids.map, st.st_gid)) < 0 ||
	    fchmod(to_fd, st.st_mode & 07777) < 0)
		return lcx__fail_sys(err, errno, "copy the root directory");
	times[0] = times[1] = st.st_mtim;
	return futimens(to_fd, times) < 0 ? lcx__fail_sys(err, errno, "copy the root directory")
					  : 0;
}

int lcx__container_copy_tree(struct lcx_container *c, int from_fd, int to_fd,
			     struct lcx_error **err)
{
	CLEANUP(copy_clear) struct copy copy = {0};
	const struct lcx__pack_options as_it_is = {0};
	const struct lcx__entry_sink sink = {add, &copy};
	struct lcx__place_options options = {.devices = true};
	int r = lcx__container_is_chowned(c) ? lcx__container_ids(c, LCX__IDS_DISK, &copy.ids, err)
					     : 0;

	options.map = &copy.ids.map;
	if (r == 0)
		r = lcx__place_new(to_fd, &options, &copy.place, err);
	if (r < 0)
		return r;
	copy.sink = lcx__place_sink(copy.place);
	r = lcx__pack(from_fd, "", "", &as_it_is, &sink, err);
	if (r == 0)
		r = lcx__place_finish(copy.place, err);
	return r < 0 ? r : copy_top(&copy, from_fd, to_fd, err);
}

int lcx__container_own_file(struct lcx_container *c, int fd)
{
	CLEANUP(lcx__container_ids_clear) struct lcx__container_ids ids = {0};
	int r;

	if (!lcx__container_is_handed(c))
		return 0;
	r = lcx__container_ids(c, LCX__IDS_PROCESS, &ids, NULL);
	if (r == 0 && fchown(fd, lcx__uid_outside(&ids.map, 0), lcx__gid_outside(&ids.map, 0)) < 0)
		r = -errno;
	return r;
}

static int take_as_layer(struct lcx_container *c, struct lcx_error **err)
{
	CLEANUP(freep)
	char *path =
		lcx__format("%s/containers/%s/%s", c->ctx->root_dir, c->d.id, LCX__CHOWNED_DIR);

	c->d.layers = lcx__strv_free(c->d.layers);
	if (!path || lcx__strv_append(&c->d.layers, path) < 0)
		return lcx__fail_nomem(err);
	return 0;
}

int lcx__container_chown_layers(struct lcx_container *c, int dir_fd, struct lcx_error **err)
{
	CLEANUP(closep) int empty_fd = lcx__open_dir(dir_fd, "work"), from_fd = -1, to_fd = -1;
	int r;

	if (lcx__container_wants_chown(c) && !lcx__container_is_handed(c))
		return lcx__fail(
			err, EINVAL,
			"storage option chown: it is for a container with a user namespace "
			"that root of the machine makes");
	if (!lcx__container_is_chowned(c))
		return 0;
	if (mkdirat(dir_fd, LCX__CHOWNED_DIR, 0700) < 0)
		return lcx__fail_sys(err, errno, "make '%s'", LCX__CHOWNED_DIR);
	to_fd = lcx__open_dir(dir_fd, LCX__CHOWNED_DIR);
	if (empty_fd < 0 || to_fd < 0)
		return lcx__fail_sys(err, empty_fd < 0 ? -empty_fd : -to_fd,
				     "open its directories");
	r = from_fd = open_layers(c, empty_fd, err);
	if (r >= 0)
		r = lcx__container_copy_tree(c, from_fd, to_fd, err);
	if (r == 0)
		r = take_as_layer(c, err);
	return r < 0 ? lcx__fail_prefix(err, r, "copy the image with other owners") : 0;
}
