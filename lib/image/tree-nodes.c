/* SPDX-License-Identifier: MIT */
/* Devices and pipes, and what becomes of those that may not be made here. */
#include "image/tree-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

enum { SKIPPED_BYTES_MAX = 64 << 10 };

/* The specification lets who may not make them leave them out. */
int lcx__tree_skip_device(struct lcx__tree *tree, const struct lcx__tar_entry *e,
			  struct lcx_error **err)
{
	if (tree->skipped.length + strlen(e->path) >= SKIPPED_BYTES_MAX)
		return lcx__fail(err, EBADMSG, "too many devices");
	lcx__strbuf_add(&tree->skipped, e->path, strlen(e->path) + 1);
	return tree->skipped.failed ? lcx__fail_nomem(err) : 0;
}

bool lcx__tree_was_skipped(const struct lcx__tree *tree, const char *path)
{
	const char *skipped = tree->skipped.text;
	size_t at = 0;

	while (at < tree->skipped.length && strcmp(skipped + at, path) != 0)
		at += strlen(skipped + at) + 1;
	return at < tree->skipped.length;
}

/* A device or a pipe is never opened for more than its inode: it would answer. */
int lcx__tree_add_node(struct lcx__tree *tree, const struct lcx__tar_entry *e,
		       const struct lcx__tree_place *at, struct lcx_error **err)
{
	CLEANUP(closep) int fd = -1;
	const struct timespec times[2] = {e->mtime, e->mtime};
	int r;

	if (S_ISCHR(e->mode) && e->device == makedev(0, 0))
		return lcx__fail(err, EBADMSG,
				 "a device 0:0 is refused: overlayfs reads it as a deletion");
	if (!S_ISFIFO(e->mode) && !tree->rights.devices)
		return lcx__tree_skip_device(tree, e, err);
	if (mknodat(at->dir_fd, at->name, e->mode, e->device) < 0)
		return lcx__fail_sys(err, errno, "mknod");
	fd = openat(at->dir_fd, at->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return lcx__fail_sys(err, errno, "open the node");
	r = lcx__tree_change_owner(tree, e, fd, "", err);
	if (r == 0)
		r = lcx__tree_restore_mode(tree, at, fd, e->mode & 07777, err);
	if (r == 0)
		r = lcx__tree_set_xattrs(tree, e, at, -1, err);
	if (r < 0)
		return r;
	if (utimensat(at->dir_fd, at->name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return lcx__fail_sys(err, errno, "set the time");
	return 0;
}
