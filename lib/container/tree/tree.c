/* SPDX-License-Identifier: MIT */
#include "container/tree/tree.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>

#include "container/users/ordinary.h"
#include "container/users/users.h"
#include "ns/users.h"
#include "util/fs.h"
#include "util/privilege.h"
#include "util/process.h"
#include "util/sys.h"

static char *layer_path(const struct lcx_container *c, const char *name)
{
	return lcx__format("%s/containers/%s/%s", c->ctx->root_dir, c->d.id, name);
}

static int check_layers(struct lcx_container *c, struct lcx_error **err)
{
	if (c->state == LCX_CONTAINER_NEW)
		return lcx__fail(err, EINVAL, "container '%s' has not been created yet",
				 lcx__container_display(c));
	if (!c->d.layers)
		return lcx__fail(err, EOPNOTSUPP,
				 "container '%s' runs on a directory of the host, without a "
				 "read-write layer of its own",
				 lcx__container_display(c));
	return lcx__container_load_spec(c, err);
}

static int new_overlay(struct lcx_container *c, struct lcx_overlay **ret, struct lcx_error **err)
{
	CLEANUP(lcx_overlay_freep) struct lcx_overlay *overlay = NULL;
	int r = check_layers(c, err);

	if (r == 0)
		r = lcx_overlay_new(&overlay, err);
	/* The marks are where whoever mounts it could write them. */
	if (r == 0 && (!lcx__is_in_first_users() ||
		       (lcx__container_has_users(c) && !lcx__container_is_handed(c))))
		r = lcx_overlay_set_option(overlay, "userxattr", "on", err);
	if (r == 0)
		*ret = TAKE_PTR(overlay);
	return r;
}

static int add_layers(struct lcx_container *c, struct lcx_overlay *overlay, struct lcx_error **err)
{
	int r = 0;

	for (char **layer = c->d.layers; r == 0 && *layer; layer++)
		r = lcx_overlay_add_lower(overlay, *layer, err);
	return r;
}

int lcx__container_overlay(struct lcx_container *c, struct lcx_overlay **ret,
			   struct lcx_error **err)
{
	CLEANUP(lcx_overlay_freep) struct lcx_overlay *overlay = NULL;
	CLEANUP(freep) char *upper = layer_path(c, "upper"), *work = layer_path(c, "work");
	int r;

	if (!upper || !work)
		return lcx__fail_nomem(err);
	r = new_overlay(c, &overlay, err);
	if (r == 0)
		r = add_layers(c, overlay, err);
	if (r == 0)
		r = lcx_overlay_set_upper(overlay, upper, work, err);
	if (r == 0 && lcx__container_is_volatile(c))
		r = lcx_overlay_set_option(overlay, "volatile", "on", err);
	if (r == 0)
		*ret = TAKE_PTR(overlay);
	return r;
}

static char **mount_points(const struct lcx_container *c)
{
	CLEANUP(lcx__strv_freep) char **paths = lcx__strv_copy(NULL);

	for (size_t i = 0; paths && i < c->spec->mounts.n; i++) {
		CLEANUP(freep) char *path = strdup(c->spec->mounts.items[i].destination);

		if (!path)
			return NULL;
		/* One with ".." stays visible: where it leads, only the mount has known. */
		if (lcx__tar_path(path, NULL) == 0 && lcx__strv_append(&paths, path) < 0)
			return NULL;
	}
	return TAKE_PTR(paths);
}

struct begin {
	struct lcx_overlay **overlay;
	struct lcx_overlay_diff **ret;
};

static int begin_diff(void *data, struct lcx_error **err)
{
	const struct begin *begin = data;

	return lcx_overlay_diff_new(*begin->overlay, begin->ret, err);
}

int lcx__container_changes(struct lcx_container *c, struct lcx_overlay_diff **ret,
			   struct lcx_error **err)
{
	CLEANUP(lcx_overlay_diff_freep) struct lcx_overlay_diff *diff = NULL;
	CLEANUP(lcx_overlay_freep) struct lcx_overlay *overlay = NULL;
	struct begin begin = {&overlay, &diff};
	char **hidden;
	int r;

	r = lcx__container_overlay(c, &overlay, err);
	if (r == 0)
		r = lcx__users_within(c->ctx, false, begin_diff, &begin, err);
	if (r < 0)
		return r;
	hidden = mount_points(c);
	if (!hidden)
		return lcx__fail_nomem(err);
	lcx__overlay_diff_set_ctx(diff, c->ctx);
	lcx__overlay_diff_hide(diff, hidden);
	*ret = TAKE_PTR(diff);
	return 0;
}

static int open_rootfs(const struct lcx_container *c, struct lcx_error **err)
{
	int fd = open(c->d.rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? lcx__fail_sys(err, errno, "root file system '%s'", c->d.rootfs) : fd;
}

/* All layers as lower ones: nothing is written, and a container that runs goes on with its own. */
int lcx__container_open_tree(struct lcx_container *c, struct lcx_error **err)
{
	CLEANUP(lcx_overlay_freep) struct lcx_overlay *overlay = NULL;
	CLEANUP(freep) char *upper = layer_path(c, "upper");
	int r;

	if (!upper)
		return lcx__fail_nomem(err);
	if (c->d.rootfs)
		return open_rootfs(c, err);
	r = new_overlay(c, &overlay, err);
	if (r == 0)
		r = lcx_overlay_add_lower(overlay, upper, err);
	if (r == 0)
		r = add_layers(c, overlay, err);
	return r < 0 ? r : lcx_overlay_mount_fd(overlay, err);
}

/* Its process's own view. The process is known by its descriptor, not by its number. */
static int open_root_of_process(struct lcx_container *c, struct lcx__container_root *ret,
				struct lcx_error **err)
{
	CLEANUP(closep)
	int pidfd = lcx__open_process(c->run.pid.value, c->run.start_time.value), fd = -1;
	char path[40];
	int r;

	if (pidfd < 0)
		return lcx__fail_sys(err, -pidfd, "open the process of container '%s'",
				     lcx__container_display(c));
	(void)snprintf(path, sizeof(path), "/proc/%lld/root", (long long)c->run.pid.value);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return lcx__fail_sys(err, errno, "open the root of container '%s'",
				     lcx__container_display(c));
	r = lcx__pidfd_ends(pidfd, 0);
	if (r < 0)
		return lcx__fail_sys(err, -r, "look for the process of container '%s'",
				     lcx__container_display(c));
	if (r == 1)
		return lcx__fail(err, ESRCH, "container '%s' has ended meanwhile",
				 lcx__container_display(c));
	ret->fd = TAKE_FD(fd);
	return 0;
}

static bool is_bound(const struct lcx__spec_mount *mount)
{
	return mount->parsed.flags & MS_BIND || (mount->type && strcmp(mount->type, "bind") == 0);
}

/* Whether a process would see more, or may do less, than the tree itself shows. */
static bool has_mounts(const struct lcx_spec *spec)
{
	bool bound = spec->root.readonly.value;

	for (size_t i = 0; i < spec->mounts.n; i++)
		bound |= is_bound(&spec->mounts.items[i]);
	return bound;
}

/*
 * An ordinary user's tree can take no mounts of another namespace of his. What is not his volume
 * (the container's own files below @own, and the host's sysfs) is not worth a refusal.
 */
static int refuse_volumes(const struct lcx_container *c, const char *own, struct lcx_error **err)
{
	for (size_t i = 0; i < c->spec->mounts.n; i++) {
		const struct lcx__spec_mount *mount = &c->spec->mounts.items[i];

		if (is_bound(mount) && mount->source && strcmp(mount->source, "/sys") != 0 &&
		    strncmp(mount->source, own, strlen(own)) != 0)
			return lcx__fail(err, EPERM,
					 "container '%s' does not run, and its volume on '%s' can "
					 "only be reached by root then; start it first",
					 lcx__container_display(c), mount->destination);
	}
	return 0;
}

static int open_view(struct lcx_container *c, int tree_fd, const char *own, struct lcx__view *ret,
		     struct lcx_error **err)
{
	if (!has_mounts(c->spec))
		return 0;
	return lcx__is_ordinary_user() || c->ctx->is_within
		       ? refuse_volumes(c, own, err)
		       : lcx__view_open(c->spec, tree_fd, own, ret, err);
}

/* A mount of its own, which others can be put on. */
static int clone_rootfs(const struct lcx_container *c, struct lcx_error **err)
{
	int fd = sys_open_tree(AT_FDCWD, c->d.rootfs,
			       SYS_OPEN_TREE_CLONE | O_CLOEXEC | SYS_AT_RECURSIVE);

	return fd < 0 ? lcx__fail_sys(err, -fd, "root file system '%s'", c->d.rootfs) : fd;
}

static int mount_tree(struct lcx_container *c, struct lcx_error **err)
{
	int r;

	if (c->d.rootfs)
		return has_mounts(c->spec) && !lcx__is_ordinary_user() && !c->ctx->is_within
			       ? clone_rootfs(c, err)
			       : open_rootfs(c, err);
	r = check_layers(c, err);
	if (r == 0)
		r = lcx__container_renew_volatile(c, err);
	return r < 0 ? r : lcx__container_mount_root(c, err);
}

struct rest {
	struct lcx_container *c;
	struct lcx__container_root *ret;
};

static int open_root_within(void *data, struct lcx_error **err)
{
	const struct rest *rest = data;
	struct lcx_container *c = rest->c;
	struct lcx__container_root *ret = rest->ret;
	CLEANUP(freep) char *own = lcx__format("%s/containers", c->ctx->root_dir);
	CLEANUP(closep) int fd = -1;
	int r;

	if (!own)
		return lcx__fail_nomem(err);
	r = lcx__container_load_spec(c, err);
	if (r == 0)
		r = fd = mount_tree(c, err);
	if (r >= 0)
		r = open_view(c, fd, own, &ret->view, err);
	if (r < 0)
		return r;
	ret->fd = TAKE_FD(fd);
	return 0;
}

/* As it would be mounted for its process. What is its own is filled by the first start. */
static int open_root_at_rest(struct lcx_container *c, struct lcx__container_root *ret,
			     struct lcx_error **err)
{
	struct rest rest = {c, ret};

	return lcx__users_within(c->ctx, true, open_root_within, &rest, err);
}

int lcx__container_open_root(struct lcx_container *c, struct lcx__container_root *ret,
			     struct lcx_error **err)
{
	CLEANUP(closep) int lock_fd = -1, owner_fd = -1;
	int r;

	*ret = LCX__CONTAINER_ROOT_NONE;
	if (c->state == LCX_CONTAINER_NEW)
		return lcx__fail(err, EINVAL, "container '%s' has not been created yet",
				 lcx__container_display(c));
	r = lcx__container_lock(c, &lock_fd, err);
	if (r == 0)
		r = lcx__container_load_state(c, err);
	if (r < 0)
		return r;
	if (lcx__container_is_running(c))
		return open_root_of_process(c, ret, err);
	/* Starting, or being taken down: its layer is mounted, or will be. */
	r = lcx__container_is_owned(c, &owner_fd, err);
	if (r > 0)
		return lcx__fail(err, EBUSY, "container '%s' is being started or stopped",
				 lcx__container_display(c));
	if (r == 0)
		r = open_root_at_rest(c, ret, err);
	if (r == 0)
		ret->lock_fd = TAKE_FD(lock_fd);
	return r;
}

void lcx__container_root_clear(struct lcx__container_root *root)
{
	/* All of it is unmounted before it may be mounted again. */
	closep(&root->fd);
	lcx__view_clear(&root->view);
	closep(&root->lock_fd);
}

/* ---- the root of a start -------------------------------------------------- */

/* What is mounted in it by the host comes along, what is mounted in the container does not go
 * back. */
static int clone_for_start(const struct lcx_container *c, struct lcx_error **err)
{
	const struct sys_mount_attr attr = {.propagation = MS_SLAVE};
	CLEANUP(closep) int fd = clone_rootfs(c, err);
	int r;

	if (fd < 0)
		return fd;
	r = sys_mount_setattr(fd, "", AT_EMPTY_PATH | SYS_AT_RECURSIVE, &attr);
	return r < 0 ? lcx__fail_sys(err, -r, "root file system '%s'", c->d.rootfs) : TAKE_FD(fd);
}

/* It takes a container's creation to have it: that is for the caller to decide. */
static int tell_way_out(struct lcx_error **err)
{
	CLEANUP(lcx_error_freep) struct lcx_error *inner = err ? TAKE_PTR(*err) : NULL;

	return lcx__fail(err, EOPNOTSUPP,
			 "%s; a container with the storage option 'chown=copy' has a copy instead",
			 lcx_error_message(inner));
}

int lcx__container_mount_root(struct lcx_container *c, struct lcx_error **err)
{
	CLEANUP(lcx_overlay_freep) struct lcx_overlay *overlay = NULL;
	CLEANUP(lcx_idmap_freep) struct lcx_idmap *map = NULL;
	int r;

	if (!c->d.layers)
		return clone_for_start(c, err);
	r = lcx__container_overlay(c, &overlay, err);
	/* As the kernel has it for all that is mounted in a user namespace. */
	if (r == 0 && (lcx__container_has_users(c) || lcx__container_joins_users(c)))
		r = lcx_overlay_set_flag(overlay, "nodev", 1, err);
	if (r == 0 && lcx__container_is_mapped(c))
		r = lcx__container_idmap(c, &map, err);
	if (r == 0)
		r = lcx_overlay_set_idmap(overlay, map, err);
	if (r == 0)
		r = lcx_overlay_mount_fd(overlay, err);
	if (r == -EOPNOTSUPP && map)
		return tell_way_out(err);
	return r;
}
