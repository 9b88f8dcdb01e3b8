/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ns/ns.h"
#include "overlay/overlay-internal.h"
#include "util/str.h"
#include "util/sys.h"

/*
 * Theory of operation
 *
 * Overlay itself maps no ids, but takes layers that do (Linux 5.19). So each layer is cloned
 * as a mount of its own, attached nowhere, and gets the map; the overlay is made of these
 * clones and keeps them alive. Upper and work must be of one mount: the directory that both
 * are in is cloned, once.
 *
 * The kernel makes entries of the work directory, and copies files up, as whoever mounted. A
 * map without his id would refuse that (EOVERFLOW); so the map of the upper, and only that
 * one, has his id beside an id that is nobody's.
 *
 * Layers that are attached nowhere are taken since Linux 6.15. Before that they are attached
 * in a copy of the mounts, aside, under names so short that all of them fit into one page.
 */

/* ---- maps --------------------------------------------------------------- */

/* The mounter's id beside the last one that is free. */
static int add_mounter(struct lcx_idmap *map, enum lcx_id_kind kind, uint32_t self,
		       struct lcx_error **err)
{
	uint32_t last = UINT32_MAX - 1, id;

	if (lcx_idmap_from_host(map, kind, self, &id) == 0)
		return 0;
	while (lcx_idmap_to_host(map, kind, last, &id) == 0)
		last--;
	return lcx_idmap_add(map, kind, last, self, 1, err);
}

static int make_namespace(const struct lcx_overlay *overlay, bool with_mounter,
			  struct lcx_ns_set **ret, struct lcx_error **err)
{
	CLEANUP(lcx_idmap_freep) struct lcx_idmap *map = NULL;
	int r = lcx_idmap_dup(overlay->map, &map, err);

	if (r == 0 && with_mounter)
		r = add_mounter(map, LCX_ID_USER, geteuid(), err);
	if (r == 0 && with_mounter)
		r = add_mounter(map, LCX_ID_GROUP, getegid(), err);
	return r < 0 ? r : lcx_ns_create(LCX_NS_USER, map, ret, err);
}

/* ---- clones ------------------------------------------------------------- */

static int clone_mapped(int dir_fd, const char *what, const char *name,
			const struct lcx_ns_set *users, struct lcx_error **err)
{
	CLEANUP(closep)
	int fd = sys_open_tree(dir_fd, "", SYS_OPEN_TREE_CLONE | O_CLOEXEC | AT_EMPTY_PATH);
	CLEANUP(lcx_error_freep) struct lcx_error *why = NULL;
	int r;

	if (fd < 0)
		return lcx__fail_sys(err, -fd, "overlay's %s '%s': clone its mount", what, name);
	r = lcx_idmap_mount(fd, lcx_ns_set_fd(users, LCX_NS_USER), 0, &why);
	if (r == 0)
		return TAKE_FD(fd);
	if (r == -EINVAL)
		return lcx__fail(err, EOPNOTSUPP,
				 "overlay's %s '%s': its file system cannot show files with other "
				 "owners on this kernel; ext4, xfs and btrfs can since Linux 5.15, "
				 "tmpfs since 6.3, an overlay cannot",
				 what, name);
	return lcx__fail(err, -r, "overlay's %s '%s': %s", what, name, lcx_error_message(why));
}

static int add_lowers(const struct lcx_overlay *overlay, struct lcx_overlay *mapped,
		      struct lcx_error **err)
{
	CLEANUP(lcx_ns_set_freep) struct lcx_ns_set *users = NULL;
	int r = make_namespace(overlay, false, &users, err);

	for (size_t i = 0; r == 0 && i < overlay->lower_count; i++) {
		const struct lcx__overlay_dir *dir = &overlay->lowers[i];
		const char *name = dir->path ? dir->path : "given by descriptor";
		CLEANUP(closep) int fd = lcx__overlay_open(dir), tree_fd = -1;

		if (fd < 0)
			return lcx__fail_sys(err, -fd, "open overlay's lower directory '%s'", name);
		tree_fd = clone_mapped(fd, "lower directory", name, users, err);
		r = tree_fd < 0 ? tree_fd : lcx_overlay_add_lower_fd(mapped, tree_fd, err);
	}
	return r;
}

/* ---- upper and work ----------------------------------------------------- */

static bool is_same(int a_fd, int b_fd)
{
	struct stat a, b;

	return fstat(a_fd, &a) == 0 && fstat(b_fd, &b) == 0 && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

/* The directory that @dir is in, and in *@ret_name its name there; -EINVAL if it has none. */
static int open_parent(const struct lcx__overlay_dir *dir, char **ret_name)
{
	CLEANUP(closep) int fd = lcx__overlay_open(dir), parent_fd = -1, again_fd = -1;
	CLEANUP(freep) char *name = NULL;
	const char *slash;

	if (fd < 0 || !dir->path)
		return fd < 0 ? fd : -EINVAL;
	name = strdup(dir->path);
	if (!name)
		return -ENOMEM;
	name[lcx__path_length(name)] = '\0';
	slash = strrchr(name, '/');
	if (slash)
		memmove(name, slash + 1, strlen(slash + 1) + 1);
	parent_fd = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (parent_fd < 0)
		return -errno;
	/* A path that ends in a link or in dots has another name. */
	again_fd = openat(parent_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (again_fd < 0 || !is_same(fd, again_fd))
		return -EINVAL;
	*ret_name = TAKE_PTR(name);
	return TAKE_FD(parent_fd);
}

struct pair {
	int tree_fd; /* the clone of the directory that both are in; -1: there is no upper */
	char *upper, *work;
};

static void pair_clear(struct pair *pair)
{
	closep(&pair->tree_fd);
	free(pair->upper);
	free(pair->work);
}

static int clone_pair(const struct lcx_overlay *overlay, struct pair *pair, struct lcx_error **err)
{
	CLEANUP(lcx_ns_set_freep) struct lcx_ns_set *users = NULL;
	CLEANUP(closep) int upper_fd = open_parent(&overlay->upper, &pair->upper);
	CLEANUP(closep) int work_fd = open_parent(&overlay->work, &pair->work);
	int r = upper_fd < 0 ? upper_fd : work_fd;

	if (r >= 0 && !is_same(upper_fd, work_fd))
		r = -EINVAL;
	if (r == -EINVAL)
		return lcx__fail(err, EINVAL,
				 "with a map of ids, overlay's upper and work directories are "
				 "given by paths, as two directories of one");
	if (r < 0)
		return lcx__fail_sys(err, -r, "open overlay's %s directory '%s'",
				     upper_fd < 0 ? "upper" : "work",
				     upper_fd < 0 ? overlay->upper.path : overlay->work.path);
	r = make_namespace(overlay, true, &users, err);
	if (r < 0)
		return r;
	pair->tree_fd = clone_mapped(upper_fd, "upper directory", overlay->upper.path, users, err);
	return pair->tree_fd < 0 ? pair->tree_fd : 0;
}

static int set_upper(struct lcx_overlay *mapped, const struct pair *pair, struct lcx_error **err)
{
	CLEANUP(closep)
	int upper_fd = openat(pair->tree_fd, pair->upper, O_PATH | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(closep)
	int work_fd = openat(pair->tree_fd, pair->work, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (upper_fd < 0 || work_fd < 0)
		return lcx__fail_sys(err, errno, "open overlay's upper and work directories");
	return lcx_overlay_set_upper_fd(mapped, upper_fd, work_fd, err);
}

/* ---- aside -------------------------------------------------------------- */

/* Covered in the copy, and there anyway. */
#define COVERED "/proc"

enum { NAME_SIZE = 24 };

struct attached {
	const struct lcx_overlay *mapped;
	const struct pair *pair;
};

static int attach(int tree_fd, const char *name, struct lcx_error **err)
{
	int r = mkdirat(AT_FDCWD, name, 0700) < 0 ? -errno : 0;

	if (r == 0)
		r = sys_move_mount(tree_fd, "", AT_FDCWD, name, SYS_MOVE_MOUNT_F_EMPTY_PATH);
	return r < 0 ? lcx__fail_sys(err, -r, "attach an overlay's directory aside") : 0;
}

/* Names that mean something in a string of options are hidden behind links. */
static int attach_pair(const struct pair *pair, struct lcx_error **err)
{
	CLEANUP(freep) char *upper = NULL, *work = NULL;
	int r;

	if (pair->tree_fd < 0)
		return 0;
	upper = lcx__format("p/%s", pair->upper);
	work = lcx__format("p/%s", pair->work);
	if (!upper || !work)
		return lcx__fail_nomem(err);
	r = attach(pair->tree_fd, "p", err);
	if (r == 0 && (symlink(upper, "u") < 0 || symlink(work, "w") < 0))
		r = lcx__fail_sys(err, errno, "name overlay's upper directory aside");
	return r;
}

static int attach_all(const struct attached *a, struct lcx__strbuf *lowers, struct lcx_error **err)
{
	int r = attach_pair(a->pair, err);

	for (size_t i = 0; r == 0 && i < a->mapped->lower_count; i++) {
		char name[NAME_SIZE];

		(void)snprintf(name, sizeof(name), "%zu", i);
		lcx__strbuf_addf(lowers, "%s%s", i > 0 ? ":" : "", name);
		r = attach(a->mapped->lowers[i].fd, name, err);
	}
	if (r == 0 && lowers->failed)
		r = lcx__fail_nomem(err);
	return r;
}

static int mount_attached(const void *data, struct lcx_error **err)
{
	CLEANUP(lcx__strbuf_free) struct lcx__strbuf lowers = STRBUF_EMPTY;
	const struct attached *a = data;
	bool has_upper = a->pair->tree_fd >= 0;
	CLEANUP(freep) char *text = NULL;
	int r;

	/* The thread's current directory is its own, as its mounts are. */
	if (mount("lcx", COVERED, "tmpfs", 0, "mode=700") < 0 || chdir(COVERED) < 0 ||
	    mkdir("m", 0700) < 0)
		return lcx__overlay_refused(-1, -errno, "mount the overlay aside", err);
	r = attach_all(a, &lowers, err);
	if (r < 0)
		return r;
	text = lcx__overlay_data(a->mapped, lowers.text, has_upper ? "u" : "",
				 has_upper ? "w" : "");
	if (!text)
		return lcx__fail_nomem(err);
	if (mount("overlay", "m", "overlay", lcx__overlay_flags(a->mapped), text) < 0)
		return lcx__overlay_refused(-1, -errno, "mount the overlay", err);
	r = sys_open_tree(AT_FDCWD, "m", SYS_OPEN_TREE_CLONE | O_CLOEXEC);
	return r < 0 ? lcx__fail_sys(err, -r, "take the overlay out") : r;
}

/* ---- the mount ---------------------------------------------------------- */

/* Of two refusals the newer way's says more, unless it has none. */
static int mount_either_way(const struct lcx_overlay *mapped, const struct pair *pair,
			    struct lcx_error **err)
{
	CLEANUP(lcx_error_freep) struct lcx_error *newer = NULL, *older = NULL;
	const struct attached attached = {mapped, pair};
	int r = -EOPNOTSUPP;

	if (mapped->how == LCX__OVERLAY_AUTO)
		r = lcx__overlay_mount_by_layer(mapped, &newer);
	if (r >= 0)
		return r;
	if (r != -EINVAL && r != -EOPNOTSUPP)
		return lcx__fail(err, -r, "%s", lcx_error_message(newer));
	r = lcx__overlay_aside(mount_attached, &attached, &older);
	if (r >= 0)
		return r;
	return lcx__fail(err, -r, "%s%s", lcx_error_message(newer ? newer : older),
			 r == -EINVAL ? "; an overlay that shows other owners needs Linux 5.19"
				      : "");
}

int lcx__overlay_mount_mapped(const struct lcx_overlay *overlay, struct lcx_error **err)
{
	CLEANUP(lcx_overlay_freep) struct lcx_overlay *mapped = NULL;
	CLEANUP(pair_clear) struct pair pair = {.tree_fd = -1};
	int r = lcx_overlay_new(&mapped, err);

	if (r < 0)
		return r;
	memcpy(mapped->values, overlay->values, sizeof(mapped->values));
	mapped->attributes = overlay->attributes;
	mapped->how = overlay->how;
	r = add_lowers(overlay, mapped, err);
	if (r == 0 && lcx__overlay_has_upper(overlay))
		r = clone_pair(overlay, &pair, err);
	if (r == 0 && lcx__overlay_has_upper(overlay))
		r = set_upper(mapped, &pair, err);
	return r < 0 ? r : mount_either_way(mapped, &pair, err);
}
