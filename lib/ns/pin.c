/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "ns/ns-internal.h"
#include "util/sys.h"

/*
 * A pin is an empty file with the namespace mounted on it. The mount is made from one descriptor
 * onto another, so no path is walked twice. What has the file but no mount was left by a crash.
 */

#ifndef NSFS_MAGIC
#define NSFS_MAGIC 0x6e736673
#endif

static int attach(int ns_fd, int file_fd)
{
	CLEANUP(closep) int tree_fd = -1;

	tree_fd = sys_open_tree(ns_fd, "", SYS_OPEN_TREE_CLONE | AT_EMPTY_PATH | O_CLOEXEC);
	if (tree_fd < 0)
		return tree_fd;
	return sys_move_mount(tree_fd, "", file_fd, "",
			      SYS_MOVE_MOUNT_F_EMPTY_PATH | SYS_MOVE_MOUNT_T_EMPTY_PATH);
}

LCX_PUBLIC int lcx_ns_pin(int ns_fd, const char *path, struct lcx_error **err)
{
	CLEANUP(closep) int file_fd = -1;
	int kind = lcx_ns_kind_of(ns_fd, err), r;

	if (kind < 0)
		return kind;
	file_fd = open(path, O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0400);
	if (file_fd < 0)
		return lcx__fail_sys(err, errno, "make '%s' to pin a %s namespace", path,
				     lcx_ns_name(kind));
	r = attach(ns_fd, file_fd);
	if (r < 0) {
		(void)unlink(path);
		return lcx__fail_sys(err, -r, "pin a %s namespace on '%s'", lcx_ns_name(kind),
				     path);
	}
	return 0;
}

enum what { WHAT_PIN, WHAT_EMPTY_FILE, WHAT_OTHER };

static int look(const char *path, enum what *ret)
{
	CLEANUP(closep) int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct statfs fs;
	struct stat st;

	if (fd < 0 || fstatfs(fd, &fs) < 0 || fstat(fd, &st) < 0)
		return -errno;
	if ((uint32_t)fs.f_type == NSFS_MAGIC)
		*ret = WHAT_PIN;
	else if (S_ISREG(st.st_mode) && st.st_size == 0)
		*ret = WHAT_EMPTY_FILE;
	else
		*ret = WHAT_OTHER;
	return 0;
}

LCX_PUBLIC int lcx_ns_unpin(const char *path, struct lcx_error **err)
{
	enum what what;
	int r = look(path, &what);

	/* MNT_DETACH: a process that has the file open must not be able to hold the name. */
	while (r == 0 && what == WHAT_PIN) {
		if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) < 0)
			return lcx__fail_sys(err, errno, "unmount the namespace on '%s'", path);
		r = look(path, &what);
	}
	if (r < 0)
		return lcx__fail_sys(err, -r, "look at '%s'", path);
	if (what == WHAT_OTHER)
		return lcx__fail(err, EINVAL, "'%s' is no pinned namespace", path);
	if (unlink(path) < 0)
		return lcx__fail_sys(err, errno, "remove '%s'", path);
	return 0;
}
