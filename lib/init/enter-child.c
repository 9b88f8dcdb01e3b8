/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <linux/sched.h>
#include <stdint.h>

#include "init/enter.h"
#include "util/sys.h"

/* The descriptors are the host's, too: this one is closed again. */
static int write_file(const struct lcx__enter *enter)
{
	int fd = (int)sys_call4(__NR_openat, enter->proc_fd, enter->path,
				O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0);
	long n;

	if (fd < 0)
		return fd;
	n = sys_call3(__NR_write, fd, enter->text, enter->length);
	sys_call1(__NR_close, fd);
	return n < 0 ? (int)n : 0;
}

static int open_file(const struct lcx__enter *enter)
{
	return (int)sys_call4(__NR_openat, AT_FDCWD, enter->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW,
			      0);
}

/* Its root directory is the caller's, and the working directory, since setns(2). */
static int find_place(const struct lcx__enter *enter)
{
	return sys_openat2(AT_FDCWD, enter->path, O_PATH | O_CLOEXEC, 0,
			   SYS_RESOLVE_IN_ROOT | SYS_RESOLVE_NO_MAGICLINKS);
}

static int attach(const struct lcx__enter *enter)
{
	return sys_move_mount(enter->tree_fd, "", enter->place_fd, "",
			      SYS_MOVE_MOUNT_F_EMPTY_PATH | SYS_MOVE_MOUNT_T_EMPTY_PATH);
}

static int detach(const struct lcx__enter *enter)
{
	enum { DETACH = 2 }; /* MNT_DETACH: the C library's header and the kernel's differ */
	int r = (int)sys_call1(__NR_fchdir, enter->place_fd);

	return r < 0 ? r : (int)sys_call2(__NR_umount2, enter->path, DETACH);
}

static int with_mounts(const struct lcx__enter *enter)
{
	int r = (int)sys_call2(__NR_setns, enter->ns_fd, CLONE_NEWNS);

	if (r < 0)
		return r;
	return enter->what == LCX__ENTER_FIND	  ? find_place(enter)
	       : enter->what == LCX__ENTER_ATTACH ? attach(enter)
						  : detach(enter);
}

static int with_network(const struct lcx__enter *enter)
{
	int r = (int)sys_call2(__NR_setns, enter->ns_fd,
			       enter->path && !enter->text ? 0 : CLONE_NEWNET);

	if (r < 0)
		return r;
	if (enter->path)
		return enter->text ? write_file(enter) : open_file(enter);
	return (int)sys_call3(__NR_socket, enter->domain, enter->type, enter->protocol);
}

/* Raw calls only: the C library's would write the errno of the thread that waits. */
int lcx__enter_child(void *data)
{
	struct lcx__enter *enter = data;

	enter->result =
		enter->what == LCX__ENTER_NETWORK ? with_network(enter) : with_mounts(enter);
	for (;;)
		sys_call1(__NR_exit, 0);
}
