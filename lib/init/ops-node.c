/* SPDX-License-Identifier: MIT */
#include "init/mount.h"

#include <asm/errno.h>
#include <linux/fcntl.h>
#include <linux/stat.h>

/* Devices and symbolic links in the container's tree. */

enum { ANY_MODE = 07777 };

static bool is_node(const struct statx *st, uint64_t mode, uint64_t device)
{
	/* new_decode_dev() in linux/kdev_t.h */
	uint64_t major = device >> 8 & 0xfff, minor = (device & 0xff) | (device >> 12 & 0xfff00);

	return (st->stx_mode & S_IFMT) == (mode & S_IFMT) && st->stx_rdev_major == major &&
	       st->stx_rdev_minor == minor;
}

/*
 * Without fchmodat2(2), Linux 6.6, only by the host's /proc: fchmod(2) takes no O_PATH, and to open
 * a device does something.
 */
static int set_mode(int fd, uint32_t mode)
{
	char path[40] = "/proc/self/fd/";
	int r = sys_fchmodat2(fd, "", mode, AT_EMPTY_PATH);

	if (r != -ENOSYS)
		return r;
	(void)text_append_number(path, sizeof(path), (uint64_t)fd);
	return (int)sys_call3(__NR_fchmodat, AT_FDCWD, path, mode);
}

/*
 * Give away what stands there and set its mode, be it new or there before as in a directory that is
 * used again: by its descriptor, for whoever shares the tree may put a file of another under the
 * name meanwhile.
 */
static int give_node(int dir, const char *name, const struct plan_op *op)
{
	struct statx st = {0};
	int fd = (int)sys_call4(__NR_openat, dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0);
	int r = fd < 0 ? fd : init_stat(fd, &st);

	if (r == 0 && !is_node(&st, op->num[0], op->num[1]))
		r = -EEXIST;
	if (r == 0 && (op->num[2] || op->num[3]))
		r = lcx__is_off(NODES) ? (int)sys_call5(__NR_fchownat, dir, name, op->num[2],
							op->num[3], AT_SYMLINK_NOFOLLOW)
				       : (int)sys_call5(__NR_fchownat, fd, "", op->num[2],
							op->num[3], AT_EMPTY_PATH);
	/* A file is but a place for the terminal, and may have another name where it counts. */
	if (r == 0 && (st.stx_mode & S_IFMT) != S_IFREG && (st.stx_mode ^ op->num[0]) & ANY_MODE)
		r = set_mode(fd, (uint32_t)op->num[0] & ANY_MODE);
	init_close(fd);
	return r;
}

/*
 * Without the privilege to make one, as in a user namespace, the host's node of that path is bound
 * instead, if it is just that device: what stands in a description is numbers, not a path.
 */
static int bind_instead(struct init *init, const struct plan_op *op)
{
	struct plan_op bind = {.code = PLAN_BIND, .flags = PLAN_F_MAKE_TARGET};
	struct statx st = {0};
	int r;

	bind.fd = init_clone_tree(AT_FDCWD, init_str(init, op, 2), false);
	if (bind.fd < 0)
		return bind.fd;
	r = init_stat(bind.fd, &st);
	if (r == 0 && !is_node(&st, op->num[0], op->num[1]))
		r = -ENODEV;
	if (r < 0) {
		init_close(bind.fd);
		return r;
	}
	bind.str[1] = op->str[2];
	return init_op_BIND(init, &bind);
}

/* str: directory, name, both together. num: mode with type, device, uid, gid. */
int init_op_MKNOD(struct init *init, const struct plan_op *op)
{
	const char *name = init_str(init, op, 1);
	int dir = init_open_target(init, init_path(init, op, 0), true, true), r;

	if (dir < 0)
		return dir;
	r = (int)sys_call4(__NR_mknodat, dir, name, op->num[0], op->num[1]);
	if (r == -EPERM) {
		init_close(dir);
		return bind_instead(init, op);
	}
	if (r == 0 || r == -EEXIST)
		r = give_node(dir, name, op);
	init_close(dir);
	return r;
}

int init_op_SYMLINK(struct init *init, const struct plan_op *op)
{
	int dir = init_open_target(init, init_path(init, op, 0), true, true), r;

	if (dir < 0)
		return dir;
	r = (int)sys_call3(__NR_symlinkat, init_str(init, op, 2), dir, init_str(init, op, 1));
	init_close(dir);
	return r == -EEXIST ? 0 : r;
}
