/* SPDX-License-Identifier: MIT */
/*
 * Theory of operation. An archive is a list of orders from a stranger. Each is
 * carried out so that it can't reach out of the root, whatever came before it and
 * whatever another process does to the tree meanwhile:
 *
 *  - The parent directory is opened by openat2(2) below the root descriptor, with
 *    every symbolic link resolved as if the root were "/"; magic links are refused.
 *  - The last component is never followed: it is made by mkdirat, symlinkat, linkat,
 *    mknodat or open with O_EXCL in that parent. What stands there already is removed
 *    first, except a directory that meets a directory.
 *  - A hard link's target is looked up by the same two rules; it must be a file that
 *    this layer made.
 *  - Owner before extended attributes before mode: chown(2) clears setuid bits and
 *    capabilities, and until then a file is ours and 0600.
 *  - Directories stay 0700 to the end and get access control lists, mode and time last,
 *    deepest first: their lists would decide over what is made in them.
 *
 * Deletions come as files named ".wh.NAME" or ".wh..wh..opq" and become what
 * overlayfs reads: a character device 0:0, and an attribute. They concern lower
 * layers only, so they commute with the entries of this one: a file hides what lies
 * below by itself, a directory has to be opaque for it.
 */
#include "image/tree-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "util/fs.h"

int lcx__tree_new(int root_fd, const struct lcx__extract_rights *rights, struct lcx__tree **ret)
{
	struct lcx__tree *tree = calloc(1, sizeof(*tree));

	if (!tree)
		return -ENOMEM;
	tree->root_fd = root_fd;
	tree->rights = *rights;
	tree->parent_fd = -1;
	lcx__strbuf_add(&tree->implied, "", 1); /* the root, until an entry names it */
	if (tree->implied.failed) {
		free(tree);
		return -ENOMEM;
	}
	*ret = tree;
	return 0;
}

struct lcx__tree *lcx__tree_free(struct lcx__tree *tree)
{
	if (!tree)
		return NULL;
	lcx__tree_forget_parent(tree);
	lcx__tree_clear_dirs(tree);
	lcx__strbuf_free(&tree->skipped);
	free(tree);
	return NULL;
}

static int add_dir(struct lcx__tree *tree, const struct lcx__tar_entry *e,
		   const struct lcx__tree_place *at, struct lcx_error **err)
{
	CLEANUP(closep) int fd = -1;
	int r;

	fd = lcx__open_dir(at->dir_fd, at->name);
	if (fd == -ENOENT)
		fd = lcx__tree_make_dir(tree, at->dir_fd, at->name, 0700, at->deleted, err);
	if (fd < 0)
		return lcx__fail_sys(err, -fd, "open the directory");
	/* An implied directory is 0755 so far; entries to come need it writable. */
	if (fchmod(fd, 0700) < 0)
		return lcx__fail_sys(err, errno, "chmod");
	r = lcx__tree_change_owner(tree, e, fd, "", err);
	if (r == 0)
		r = lcx__tree_set_xattrs(tree, e, NULL, fd, err);
	return r < 0 ? r : lcx__tree_defer(tree, e, err);
}

static int add_root(struct lcx__tree *tree, const struct lcx__tar_entry *e, struct lcx_error **err)
{
	CLEANUP(closep) int fd = lcx__tree_open(tree, "", O_RDONLY | O_DIRECTORY);
	int r;

	if (fd < 0)
		return lcx__fail_sys(err, -fd, "open the root");
	if (!S_ISDIR(e->mode))
		return lcx__fail(err, EBADMSG, "the root must be a directory");
	r = lcx__tree_change_owner(tree, e, fd, "", err);
	if (r == 0)
		r = lcx__tree_set_xattrs(tree, e, NULL, fd, err);
	return r < 0 ? r : lcx__tree_defer(tree, e, err);
}

static int add_symlink(struct lcx__tree *tree, const struct lcx__tar_entry *e,
		       const struct lcx__tree_place *at, struct lcx_error **err)
{
	const struct timespec times[2] = {e->mtime, e->mtime};
	int r;

	if (symlinkat(e->link, at->dir_fd, at->name) < 0)
		return lcx__fail_sys(err, errno, "symlink");
	r = lcx__tree_change_owner(tree, e, at->dir_fd, at->name, err);
	if (r == 0)
		r = lcx__tree_set_xattrs(tree, e, at, -1, err);
	if (r < 0)
		return r;
	if (utimensat(at->dir_fd, at->name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return lcx__fail_sys(err, errno, "set the time");
	return 0;
}

/* Most names are new: what is in the way is looked at when there is something. */
static int add_file(struct lcx__tree_place *at, int *ret_fd, struct lcx_error **err)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(at->dir_fd, at->name, flags, 0600), r;

	if (fd < 0 && errno == EEXIST) {
		r = lcx__tree_clear_place(at, false, err);
		if (r < 0)
			return r;
		fd = openat(at->dir_fd, at->name, flags, 0600);
	}
	if (fd < 0)
		return lcx__fail_sys(err, errno, "create");
	*ret_fd = fd;
	return 0;
}

int lcx__tree_seal(struct lcx__tree *tree, const struct lcx__tar_entry *e, int fd,
		   struct lcx_error **err)
{
	const struct timespec times[2] = {e->mtime, e->mtime};
	int r;

	r = lcx__tree_change_owner(tree, e, fd, "", err);
	if (r == 0)
		r = lcx__tree_set_xattrs(tree, e, NULL, fd, err);
	if (r < 0)
		return r;
	if (fchmod(fd, e->mode & 07777) < 0)
		return lcx__fail_sys(err, errno, "chmod");
	if (futimens(fd, times) < 0)
		return lcx__fail_sys(err, errno, "set the time");
	return 0;
}

int lcx__tree_add(struct lcx__tree *tree, const struct lcx__tar_entry *e, int *ret_fd,
		  struct lcx_error **err)
{
	struct lcx__tree_place at = {-1, NULL, false};
	int r;

	*ret_fd = -1;
	r = lcx__tree_check_names(e->path, err);
	if (r < 0)
		return r;
	if (e->path[0] == '\0' && !e->hard)
		return add_root(tree, e, err);
	if (e->path[0] == '\0')
		return lcx__fail(err, EBADMSG, "the root must be a directory");
	r = lcx__tree_open_parent(tree, e->path, true, &at.dir_fd, &at.name, err);
	if (r < 0)
		return r;
	if (lcx__tree_is_mark(at.name))
		return lcx__tree_add_whiteout(tree, &at, err);
	if (e->hard)
		return lcx__tree_add_hard_link(tree, e, err);
	if (S_ISREG(e->mode))
		return add_file(&at, ret_fd, err);
	r = lcx__tree_clear_place(&at, S_ISDIR(e->mode), err);
	if (r < 0)
		return r;

	switch (e->mode & S_IFMT) {
	case S_IFDIR:
		return add_dir(tree, e, &at, err);
	case S_IFLNK:
		return add_symlink(tree, e, &at, err);
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
		return lcx__tree_add_node(tree, e, &at, err);
	default:
		return lcx__fail(err, EBADMSG, "an entry of type %o is refused", e->mode & S_IFMT);
	}
}
