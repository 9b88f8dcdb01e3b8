/* SPDX-License-Identifier: MIT */
#include "init/mount.h"

#include <asm/errno.h>
#include <linux/fcntl.h>
#include <linux/mount.h>
#include <linux/stat.h>

/* What of the kernel's interfaces is hidden, and what may only be read. */

/*
 * Directories are covered by one empty tmpfs, anything else by the *host's* /dev/null, whose
 * identity is checked: the image's could be a link. The first of each is attached by itself, all
 * others are clones of it, and nobody's peers. One that only stood by would be unmounted when its
 * descriptor is closed, and for that the kernel waits until no processor can look at it any more.
 */
static int make_empty(struct init *init)
{
	return init_new_file_system(init, "tmpfs", "tmpfs", "size=0,mode=755", true,
				    SYS_MOUNT_ATTR_RDONLY | SYS_MOUNT_ATTR_NOSUID |
					    SYS_MOUNT_ATTR_NODEV | SYS_MOUNT_ATTR_NOEXEC);
}

static int open_null(struct init *init)
{
	struct statx st = {0};
	int fd, r;

	if (lcx__is_off(MASKS))
		return init_open_target(init, "dev/null", false, false);
	fd = (int)sys_call4(__NR_openat, AT_FDCWD, "/dev/null", O_PATH | O_CLOEXEC, 0);
	r = fd < 0 ? fd : init_stat(fd, &st);
	if (r == 0 && (st.stx_rdev_major != 1 || st.stx_rdev_minor != 3))
		r = -ENODEV;
	if (r < 0)
		init_close(fd);
	return r < 0 ? r : fd;
}

static int make_null(struct init *init)
{
	struct sys_mount_attr attr = {.attr_set = SYS_MOUNT_ATTR_RDONLY | SYS_MOUNT_ATTR_NOSUID |
						  SYS_MOUNT_ATTR_NOEXEC,
				      .propagation = MS_PRIVATE};
	int fd = open_null(init), tree, r;

	tree = r = fd < 0 ? fd : init_clone_tree(fd, "", false);
	init_close(fd);
	if (r >= 0)
		r = sys_mount_setattr(tree, "", AT_EMPTY_PATH, &attr);
	if (r < 0)
		init_close(tree);
	return r < 0 ? r : tree;
}

static int clone_alone(int fd)
{
	struct sys_mount_attr attr = {.propagation = MS_PRIVATE};
	int tree = init_clone_tree(fd, "", false), r;

	r = tree < 0 ? tree : sys_mount_setattr(tree, "", AT_EMPTY_PATH, &attr);
	if (r < 0)
		init_close(tree);
	return r < 0 ? r : tree;
}

int init_op_MASK(struct init *init, const struct plan_op *op)
{
	int target = init_open_target(init, init_path(init, op, 0), false, false), tree, r, *first;
	struct statx st = {0};
	bool directory;

	if (target == -ENOENT || target == -ENOTDIR)
		return 0;
	if (target < 0)
		return target;
	r = init_stat(target, &st);
	directory = (st.stx_mode & S_IFMT) == 0040000;
	first = directory ? &init->empty_fd : &init->null_fd;
	if (r < 0)
		tree = r;
	else if (*first >= 0)
		tree = clone_alone(*first);
	else
		tree = directory ? make_empty(init) : make_null(init);
	r = tree < 0 ? tree : init_attach(tree, target);
	if (r == 0 && *first < 0)
		*first = tree;
	else
		init_close(tree);
	init_close(target);
	return r;
}

int init_op_READONLY(struct init *init, const struct plan_op *op)
{
	struct sys_mount_attr attr = {.attr_set = SYS_MOUNT_ATTR_RDONLY};
	int target = init_open_target(init, init_path(init, op, 0), false, false), tree, r;

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
