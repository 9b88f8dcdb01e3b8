/* SPDX-License-Identifier: MIT */
/*
 * Where something goes: the directory that a path names, looked up from the root and made if it
 * is missing, and room in it.
 */
#include "image/tree-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "util/fs.h"

void lcx__tree_forget_parent(struct lcx__tree *tree)
{
	free(TAKE_PTR(tree->parent_path));
	closep(&tree->parent_fd);
}

/* Below the root, as a process in it would see it; "" is the root. */
int lcx__tree_open(const struct lcx__tree *tree, const char *path, int flags)
{
	return lcx__open_in_root(tree->root_fd, path[0] ? path : ".", flags, 0);
}

/*
 * Make one directory that must be new, and return it open. Where this layer has
 * deleted the name before, what lies below must stay hidden.
 */
int lcx__tree_make_dir(const struct lcx__tree *tree, int parent_fd, const char *name, mode_t mode,
		       bool opaque, struct lcx_error **err)
{
	CLEANUP(closep) int fd = -1;
	int r;

	if (mkdirat(parent_fd, name, 0700) < 0)
		return lcx__fail_sys(err, errno, "mkdir");
	fd = lcx__open_dir(parent_fd, name);
	if (fd < 0)
		return lcx__fail_sys(err, -fd, "open the new directory");
	if (fchmod(fd, mode) < 0)
		return lcx__fail_sys(err, errno, "chmod");
	r = opaque ? lcx__tree_set_opaque(tree, fd, err) : 0;
	return r < 0 ? r : TAKE_FD(fd);
}

/*
 * One missing component of a parent path: the archive doesn't have to name them all.
 * Return: 1 if a directory of a lower layer may show through, 0 if not.
 */
static int make_component(const struct lcx__tree *tree, int parent_fd, const char *name,
			  struct lcx_error **err)
{
	CLEANUP(closep) int fd = -1;
	struct stat st;
	bool deleted;

	if (fstatat(parent_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno != ENOENT)
			return lcx__fail_sys(err, errno, "stat '%.255s'", name);
		deleted = false;
	} else {
		deleted = lcx__tree_is_whiteout(&st);
		if (!deleted)
			return lcx__fail(err, EBADMSG, "'%.255s' is not a directory", name);
		if (unlinkat(parent_fd, name, 0) < 0)
			return lcx__fail_sys(err, errno, "replace the whiteout '%.255s'", name);
	}
	fd = lcx__tree_make_dir(tree, parent_fd, name, 0755, deleted, err);
	return fd < 0 ? fd : !deleted;
}

/* Enter @path component by component, always from the root, and make what is missing. */
static int make_parents(struct lcx__tree *tree, char *path, struct lcx_error **err)
{
	char *end = path, *name = path;

	for (;;) {
		CLEANUP(closep) int parent = -1, there = -1;
		char cut;
		int r;

		end += strcspn(end, "/");
		cut = *end;
		*end = '\0';
		there = lcx__tree_open(tree, path, O_PATH | O_DIRECTORY);
		if (there == -ENOENT || there == -ENOTDIR) {
			if (name > path)
				name[-1] = '\0';
			parent =
				lcx__tree_open(tree, name > path ? path : "", O_PATH | O_DIRECTORY);
			if (name > path)
				name[-1] = '/';
			if (parent < 0)
				return lcx__fail_sys(err, -parent, "open its directory");
			r = make_component(tree, parent, name, err);
			if (r > 0)
				r = lcx__tree_note_implied(tree, path, err);
			if (r < 0)
				return r;
		} else if (there < 0) {
			return lcx__fail_sys(err, -there, "open its directory");
		}
		*end = cut;
		if (cut == '\0')
			return 0;
		name = ++end;
	}
}

/*
 * The directory of @path and, in *@ret_name, what is to be made in it. The last
 * directory is kept open: archives come in order.
 */
int lcx__tree_open_parent(struct lcx__tree *tree, const char *path, bool make, int *ret_fd,
			  const char **ret_name, struct lcx_error **err)
{
	const char *slash = strrchr(path, '/');
	CLEANUP(freep) char *dir = strndup(path, slash ? (size_t)(slash - path) : 0);
	int fd, r;

	if (!dir)
		return lcx__fail_nomem(err);
	*ret_name = slash ? slash + 1 : path;
	if (tree->parent_path && strcmp(tree->parent_path, dir) == 0) {
		*ret_fd = tree->parent_fd;
		return 0;
	}
	lcx__tree_forget_parent(tree);
	fd = lcx__tree_open(tree, dir, O_PATH | O_DIRECTORY);
	if ((fd == -ENOENT || fd == -ENOTDIR) && make) {
		r = make_parents(tree, dir, err);
		if (r < 0)
			return r;
		fd = lcx__tree_open(tree, dir, O_PATH | O_DIRECTORY);
	}
	if (fd < 0)
		return lcx__fail_sys(err, fd == -ELOOP ? EBADMSG : -fd,
				     "open the directory of '%.300s'", path);
	tree->parent_path = TAKE_PTR(dir);
	tree->parent_fd = *ret_fd = fd;
	return 0;
}

/* Make room for a new @name. A directory stays if a directory comes. */
int lcx__tree_clear_place(struct lcx__tree_place *at, bool dir_comes, struct lcx_error **err)
{
	struct stat st;
	int r;

	if (fstatat(at->dir_fd, at->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : lcx__fail_sys(err, errno, "stat");
	if (dir_comes && S_ISDIR(st.st_mode))
		return 0;
	at->deleted = true; /* as a file or by a whiteout, what was below it is gone */
	r = lcx__remove_tree(at->dir_fd, at->name);
	if (r < 0)
		return lcx__fail_sys(err, -r, "replace what is there");
	return 0;
}
