/* SPDX-License-Identifier: MIT */
#include "init/mount.h"

#include <asm/errno.h>
#include <linux/fcntl.h>
#include <linux/stat.h>

/* What of the kernel's interfaces is hidden, and what may only be read. */

/*
 * Directories are covered by one empty tmpfs, cloned each time; anything else by
 * the *host's* /dev/null, whose identity is checked: the image's could be a link.
 */
static int masking_tree(struct init *init, bool directory)
{
	if (directory && init->empty_fd < 0)
		init->empty_fd =
			init_new_file_system(init, "tmpfs", "tmpfs", "size=0,mode=755", true,
					     SYS_MOUNT_ATTR_RDONLY | SYS_MOUNT_ATTR_NOSUID |
						     SYS_MOUNT_ATTR_NODEV | SYS_MOUNT_ATTR_NOEXEC);
	if (!directory && lcx__is_off(MASKS))
		return init_open_target(init, "/dev/null", false, false);
	if (!directory && init->null_fd < 0) {
		struct statx st = {0};

		init->null_fd =
			(int)sys_call4(__NR_openat, AT_FDCWD, "/dev/null", O_PATH | O_CLOEXEC, 0);
		if (init->null_fd >= 0 && (init_stat(init->null_fd, &st) < 0 ||
					   st.stx_rdev_major != 1 || st.stx_rdev_minor != 3))
			return -ENODEV;
	}
	return directory ? init->empty_fd : init->null_fd;
}

int init_op_MASK(struct init *init, const struct plan_op *op)
{
	struct sys_mount_attr attr = {.attr_set = SYS_MOUNT_ATTR_RDONLY | SYS_MOUNT_ATTR_NOSUID |
						  SYS_MOUNT_ATTR_NOEXEC};
	int target = init_open_target(init, init_str(init, op, 0), false, false), from, tree, r;
	struct statx st = {0};
	bool directory;

	if (target == -ENOENT || target == -ENOTDIR)
		return 0;
	if (target < 0)
		return target;
	r = init_stat(target, &st);
	directory = (st.stx_mode & S_IFMT) == 0040000;
	from = r < 0 ? r : masking_tree(init, directory);
	/* A detached mount can be cloned since Linux 6.15; before, a new one is made each time. */
	tree = from < 0 ? from : init_clone_tree(from, "", false);
	if (tree == -EINVAL && directory) {
		tree = init->empty_fd;
		init->empty_fd = -1;
	}
	r = tree;
	if (tree >= 0 && !directory)
		r = sys_mount_setattr(tree, "", AT_EMPTY_PATH, &attr);
	if (r >= 0)
		r = init_attach(tree, target);
	init_close(tree);
	init_close(target);
	return r;
}

int init_op_READONLY(struct init *init, const struct plan_op *op)
{
	struct sys_mount_attr attr = {.attr_set = SYS_MOUNT_ATTR_RDONLY};
	int target = init_open_target(init, init_str(init, op, 0), false, false), tree, r;

	if (target == -ENOENT || target == -ENOTDIR || lcx__is_off(READONLY))
		return 0;
	if (target < 0)
		return target;
	tree = init_clone_tree(target, "", true);
	r = tree < 0 ? tree : sys_mount_setattr(tree, "", AT_EMPTY_PATH | SYS_AT_RECURSIVE, &attr);
	if (r == 0)
		r = init_attach(tree, target);
	init_close(tree);
	init_close(target);
	return r;
}
