/* SPDX-License-Identifier: MIT */
/* Hard links: the one kind of entry that names another. */
#include "image/tree-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/*
 * The target is found before the place is cleared: a link to itself is nothing to
 * do. The parents' descriptors differ, so the kept one is duplicated.
 */
int lcx__tree_add_hard_link(struct lcx__tree *tree, const struct lcx__tar_entry *e,
			    struct lcx_error **err)
{
	CLEANUP(closep) int target_dir = -1;
	const char *target_name;
	struct stat target, st;
	struct lcx__tree_place at = {-1, NULL, false};
	int fd, r;

	if (lcx__tree_was_skipped(tree, e->link))
		return lcx__tree_skip_device(tree, e, err);
	r = lcx__tree_open_parent(tree, e->link, false, &fd, &target_name, NULL);
	if (r < 0)
		return lcx__fail(err, EBADMSG, "hard link to '%.300s', which is not in this layer",
				 e->link);
	target_dir = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (target_dir < 0)
		return lcx__fail_sys(err, errno, "dup");
	if (e->link[0] == '\0' || lcx__tree_is_mark(target_name) ||
	    fstatat(target_dir, target_name, &target, AT_SYMLINK_NOFOLLOW) < 0 ||
	    S_ISDIR(target.st_mode) || lcx__tree_is_whiteout(&target))
		return lcx__fail(err, EBADMSG,
				 "hard link to '%.300s', which is not a file of this layer",
				 e->link);

	r = lcx__tree_open_parent(tree, e->path, true, &at.dir_fd, &at.name, err);
	if (r < 0)
		return r;
	if (fstatat(at.dir_fd, at.name, &st, AT_SYMLINK_NOFOLLOW) == 0 && same_file(&st, &target))
		return 0;
	r = lcx__tree_clear_place(&at, false, err);
	if (r < 0)
		return r;
	if (linkat(target_dir, target_name, at.dir_fd, at.name, 0) < 0)
		return lcx__fail_sys(err, errno == ENOENT ? EBADMSG : errno,
				     "hard link to '%.300s'", e->link);
	return 0;
}
