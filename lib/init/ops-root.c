/* SPDX-License-Identifier: MIT */
#include "init/init.h"

#include <linux/fcntl.h>

/*
 * A root that the library has mounted and hands over by descriptor, for a container whose own
 * root is nobody on the host: the directories that lead to the place for it are closed to
 * him. So that place is opened while this process still has the caller's id, which it gives
 * up for one of its user namespace right after.
 */

int init_op_STAGING(struct init *init, const struct plan_op *op)
{
	int fd = sys_openat(AT_FDCWD, init_str(init, op, 0), O_PATH | O_DIRECTORY | O_CLOEXEC, 0);

	if (fd < 0)
		return fd;
	init->staging_fd = fd;
	return 0;
}

/* The tree's descriptor is its root directory, before and after it is attached. */
int init_op_ROOT_HANDED(struct init *init, const struct plan_op *op)
{
	int r = sys_move_mount(op->fd, "", init->staging_fd, "",
			       SYS_MOVE_MOUNT_F_EMPTY_PATH | SYS_MOVE_MOUNT_T_EMPTY_PATH);

	if (r < 0)
		return r;
	sys_close(init->staging_fd);
	init->staging_fd = -1;
	init->root_fd = op->fd;
	return 0;
}

/*
 * fd: the root to enter, or else the one that was mounted. In a mount namespace that others use
 * their root is not pivoted away under them: the container's is mounted on top of it, at "/", where
 * whoever was there before looks under it, and who joins later finds it.
 */
int init_op_ENTER_ROOT(struct init *init, const struct plan_op *op)
{
	int root = op->fd >= 0 ? op->fd : init->root_fd;
	int r = (int)sys_call1(__NR_fchdir, root);

	if (r == 0)
		r = (int)sys_call1(__NR_chroot, ".");
	if (op->fd < 0) {
		sys_close(init->root_fd);
		init->root_fd = -1;
	}
	return r;
}

/* num 0: which mount it is. Right after the join the root is what is on top of all others; if that
 * is another one, this one was never there. */
int init_op_UNMOUNT_ROOT(struct init *init, const struct plan_op *op)
{
	struct sys_statx st = {0};
	int r = sys_statx(AT_FDCWD, "/", 0, &st);

	(void)init;
	if (r < 0)
		return r;
	return st.mnt_id == op->num[0] ? (int)sys_call2(__NR_umount2, "/", 2 /* MNT_DETACH */) : 0;
}
