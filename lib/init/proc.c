/* SPDX-License-Identifier: MIT */
#include "init/init.h"

#include <asm/errno.h>
#include <linux/fcntl.h>
#include <linux/magic.h>
#include <linux/stat.h>

/*
 * Files of the host's /proc, before PIVOT: nothing in an image can stand in their place. And
 * nothing that somebody has mounted on the host either: that it is a procfs, at its root, is
 * asked of the kernel, and from there on no other mount is entered and nothing leads out
 * (CVE-2019-16884, CVE-2019-19921, CVE-2025-52881).
 */

enum {
	PROC_ROOT_INODE = 1, /* include/linux/proc_ns.h */
	ONLY_THERE = SYS_RESOLVE_BENEATH | SYS_RESOLVE_NO_XDEV | SYS_RESOLVE_NO_MAGICLINKS,
};

static int open_proc(void)
{
	int fd =
		(int)sys_call4(__NR_openat, AT_FDCWD, "/proc", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	uint64_t fs[16] = {0};
	struct statx st = {0};
	int r;

	if (fd < 0)
		return fd;
	r = (int)sys_call2(__NR_fstatfs, fd, fs);
	if (r == 0)
		r = (int)sys_call5(__NR_statx, fd, "", AT_EMPTY_PATH, STATX_INO, &st);
	if (r == 0 && (fs[0] != PROC_SUPER_MAGIC || st.stx_ino != PROC_ROOT_INODE))
		r = -EXDEV;
	if (r == 0)
		return fd;
	sys_call1(__NR_close, fd);
	return r;
}

int init_write_proc(const char *path, const char *text)
{
	int proc = open_proc(), fd, r;
	size_t length;

	if (proc < 0)
		return proc;
	fd = sys_openat2(proc, path + sizeof("/proc/") - 1, O_WRONLY | O_CLOEXEC, 0,
			 lcx__is_off(PROC) ? 0 : ONLY_THERE);
	sys_call1(__NR_close, proc);
	if (fd < 0)
		return fd;
	/* The kernel cuts off what is longer than a page, or more values than there are. */
	length = strlen(text);
	r = (int)sys_call3(__NR_write, fd, text, length);
	sys_call1(__NR_close, fd);
	return r < 0 ? r : (size_t)r == length ? 0 : -E2BIG;
}

int init_op_PROC_WRITE(struct init *init, const struct plan_op *op)
{
	return init_write_proc(init_str(init, op, 0), init_str(init, op, 1));
}

int init_op_SYSCTL(struct init *init, const struct plan_op *op)
{
	return init_write_proc(init_str(init, op, 0), init_str(init, op, 1));
}

/* str: what it is, the label for errors, the file of /proc, what is written to it. */
int init_op_LABEL(struct init *init, const struct plan_op *op)
{
	return init_write_proc(init_str(init, op, 2), init_str(init, op, 3));
}
