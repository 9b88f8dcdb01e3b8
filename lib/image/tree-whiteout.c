/* SPDX-License-Identifier: MIT */
/* Deletions, as overlayfs wants to read them. */
#include "image/tree-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "util/fs.h"

#define WHITEOUT                                                                                   \
	"."                                                                                        \
	"wh."
#define OPAQUE_MARK WHITEOUT WHITEOUT ".opq"

bool lcx__tree_is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

int lcx__tree_set_opaque(const struct lcx__tree *tree, int dir_fd, struct lcx_error **err)
{
	const char *name =
		tree->rights.userxattr ? "user.overlay.opaque" : "trusted.overlay.opaque";

	if (fsetxattr(dir_fd, name, "y", 1, 0) < 0)
		return lcx__fail_sys(err, errno, "mark the directory opaque (%s)", name);
	return 0;
}

bool lcx__tree_is_mark(const char *name)
{
	return strncmp(name, WHITEOUT, strlen(WHITEOUT)) == 0;
}

/* ".wh." in front of a directory's name would make files that no tool can delete again. */
int lcx__tree_check_names(const char *path, struct lcx_error **err)
{
	for (const char *slash = strchr(path, '/'); slash; slash = strchr(path, '/')) {
		if (lcx__tree_is_mark(path))
			return lcx__fail(err, EBADMSG,
					 "a directory name that begins with %s is refused",
					 WHITEOUT);
		path = slash + 1;
	}
	return 0;
}

static int add_opaque(struct lcx__tree *tree, const struct lcx__tree_place *at,
		      struct lcx_error **err)
{
	CLEANUP(closep) int fd = openat(at->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return lcx__fail_sys(err, errno, "open the opaque directory");
	return lcx__tree_set_opaque(tree, fd, err);
}

/* What this layer has under the deleted name wins; a directory must hide what is below. */
int lcx__tree_add_whiteout(struct lcx__tree *tree, const struct lcx__tree_place *at,
			   struct lcx_error **err)
{
	const char *name = at->name + strlen(WHITEOUT);
	CLEANUP(closep) int fd = -1;
	struct stat st;

	if (strcmp(at->name, OPAQUE_MARK) == 0)
		return add_opaque(tree, at, err);
	if (lcx__tree_is_mark(name))
		return 0; /* aufs kept its own files under such names */
	if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return lcx__fail(err, EBADMSG, "a deletion of '%s' is refused", name);

	if (fstatat(at->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		if (!S_ISDIR(st.st_mode))
			return 0;
		fd = lcx__open_dir(at->dir_fd, name);
		return fd < 0 ? lcx__fail_sys(err, -fd, "open the directory")
			      : lcx__tree_set_opaque(tree, fd, err);
	}
	if (errno != ENOENT)
		return lcx__fail_sys(err, errno, "stat");
	if (mknodat(at->dir_fd, name, S_IFCHR | 0000, makedev(0, 0)) < 0)
		return lcx__fail_sys(err, errno, "make the whiteout");
	return 0;
}
