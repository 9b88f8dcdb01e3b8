/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "init/launch.h"
#include "ns/ns-internal.h"
#include "util/process.h"
#include "util/sys.h"

/*
 * A descriptor of a namespace is an open file on the kernel's nsfs. It is believed only
 * after the file system said that it is one, and the file which kind it is: a path may lead
 * anywhere, and on another file system the same ioctl number means something else.
 */

#ifndef NSFS_MAGIC
#define NSFS_MAGIC 0x6e736673
#endif

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

/* One row per bit of enum lcx_ns_kind. */
static const struct kind_row {
	const char *name; /* in /proc/PID/ns */
	const char *oci_name;
	int clone_flag;
} kinds[] = {
	{"cgroup", "cgroup", CLONE_NEWCGROUP}, {"ipc", "ipc", CLONE_NEWIPC},
	{"mnt", "mount", CLONE_NEWNS},         {"net", "network", CLONE_NEWNET},
	{"pid", "pid", CLONE_NEWPID},          {"time", "time", CLONE_NEWTIME},
	{"user", "user", CLONE_NEWUSER},       {"uts", "uts", CLONE_NEWUTS},
};
_Static_assert(ARRAY_SIZE(kinds) == LCX__NS_KINDS && LCX_NS_UTS == 1 << (LCX__NS_KINDS - 1),
	       "kinds and enum lcx_ns_kind differ");

int lcx__ns_index(uint32_t kind)
{
	for (int i = 0; i < LCX__NS_KINDS; i++)
		if (kind == (uint32_t)lcx__ns_kind_at(i))
			return i;
	return -1;
}

uint64_t lcx__ns_clone_flags(uint32_t mask)
{
	uint64_t flags = 0;

	for (int i = 0; i < LCX__NS_KINDS; i++)
		if (mask & (uint32_t)lcx__ns_kind_at(i))
			flags |= (uint64_t)kinds[i].clone_flag;
	return flags;
}

LCX_PUBLIC const char *lcx_ns_name(enum lcx_ns_kind kind)
{
	int index = lcx__ns_index(kind);

	return index < 0 ? NULL : kinds[index].name;
}

LCX_PUBLIC int lcx_ns_parse(const char *name, enum lcx_ns_kind *ret)
{
	for (int i = 0; i < LCX__NS_KINDS; i++)
		if (strcmp(name, kinds[i].name) == 0 || strcmp(name, kinds[i].oci_name) == 0) {
			*ret = lcx__ns_kind_at(i);
			return 0;
		}
	return -EINVAL;
}

int lcx__ns_kind_of(int fd)
{
	struct statfs st;
	int flag;

	if (fstatfs(fd, &st) < 0)
		return -errno;
	if ((uint32_t)st.f_type != NSFS_MAGIC)
		return -EINVAL;
	flag = ioctl(fd, NS_GET_NSTYPE);
	if (flag < 0)
		return -errno;
	for (int i = 0; i < LCX__NS_KINDS; i++)
		if (flag == kinds[i].clone_flag)
			return (int)lcx__ns_kind_at(i);
	return -EINVAL;
}

static int fail_no_namespace(int r, int fd, struct lcx_error **err)
{
	if (r == -EINVAL)
		return lcx__fail(err, EINVAL, "descriptor %d is no namespace", fd);
	return lcx__fail_sys(err, -r, "ask descriptor %d which namespace it is", fd);
}

LCX_PUBLIC int lcx_ns_kind_of(int ns_fd, struct lcx_error **err)
{
	int r = lcx__ns_kind_of(ns_fd);

	return r < 0 ? fail_no_namespace(r, ns_fd, err) : r;
}

LCX_PUBLIC int lcx_ns_identity(int ns_fd, uint64_t *ret_device, uint64_t *ret_inode,
			       struct lcx_error **err)
{
	struct stat st;
	int r = lcx_ns_kind_of(ns_fd, err);

	if (r < 0)
		return r;
	if (fstat(ns_fd, &st) < 0)
		return lcx__fail_sys(err, errno, "identify a %s namespace", lcx_ns_name(r));
	*ret_device = st.st_dev;
	*ret_inode = st.st_ino;
	return 0;
}

LCX_PUBLIC int lcx_ns_is_same(int a_fd, int b_fd, struct lcx_error **err)
{
	uint64_t a_device, a_inode, b_device, b_inode;
	int r = lcx_ns_identity(a_fd, &a_device, &a_inode, err);

	if (r == 0)
		r = lcx_ns_identity(b_fd, &b_device, &b_inode, err);
	return r < 0 ? r : a_device == b_device && a_inode == b_inode;
}

LCX_PUBLIC int lcx_ns_open_owner(int ns_fd, struct lcx_error **err)
{
	int r = lcx_ns_kind_of(ns_fd, err), fd;

	if (r < 0)
		return r;
	fd = ioctl(ns_fd, NS_GET_USERNS); /* O_CLOEXEC from birth: ioctl_ns(2) */
	if (fd < 0 && errno == EPERM)
		return lcx__fail(
			err, EPERM,
			"the owner of this %s namespace is above the caller's user namespace",
			lcx_ns_name(r));
	if (fd < 0)
		return lcx__fail_sys(err, errno, "open the owner of a %s namespace",
				     lcx_ns_name(r));
	return fd;
}

static int verify(int fd, enum lcx_ns_kind kind, const char *what, struct lcx_error **err)
{
	int r = lcx__ns_kind_of(fd);

	if (r == -EINVAL)
		return lcx__fail(err, EINVAL, "%s is no namespace", what);
	if (r < 0)
		return lcx__fail_sys(err, -r, "ask %s which namespace it is", what);
	if (r != (int)kind)
		return lcx__fail(err, EINVAL, "%s is a %s namespace, not a %s one", what,
				 lcx_ns_name(r), lcx_ns_name(kind));
	return 0;
}

int lcx__ns_open_proc(int proc_dir_fd, enum lcx_ns_kind kind)
{
	CLEANUP(closep) int fd = -1;
	char path[24];
	int r;

	(void)snprintf(path, sizeof(path), "ns/%s", lcx_ns_name(kind));
	fd = openat(proc_dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return -errno;
	r = lcx__ns_kind_of(fd);
	if (r < 0)
		return r;
	return r == (int)kind ? TAKE_FD(fd) : -EINVAL;
}

static int check_kind(enum lcx_ns_kind kind, struct lcx_error **err)
{
	if (lcx__ns_index(kind) < 0)
		return lcx__fail(err, EINVAL, "0x%x is not one kind of namespace",
				 (unsigned int)kind);
	return 0;
}

/* @proc_dir is opened: its files tell of that process only, or fail with ESRCH once it is gone. */
static int open_of_process(const char *proc_dir, const char *what, enum lcx_ns_kind kind,
			   struct lcx_error **err)
{
	CLEANUP(closep) int dir_fd = -1;
	int fd;

	dir_fd = open(proc_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0 && errno == ENOENT)
		return lcx__fail(err, ESRCH, "there is no %s", what);
	if (dir_fd < 0)
		return lcx__fail_sys(err, errno, "open '%s'", proc_dir);
	fd = lcx__ns_open_proc(dir_fd, kind);
	if (fd == -ENOENT && faccessat(dir_fd, "ns", F_OK, 0) == 0)
		return lcx__fail(err, EOPNOTSUPP, "the kernel has no %s namespaces",
				 lcx_ns_name(kind));
	if (fd == -ENOENT)
		fd = -ESRCH;
	if (fd < 0)
		return lcx__fail_sys(err, -fd, "open the %s namespace of %s", lcx_ns_name(kind),
				     what);
	return fd;
}

LCX_PUBLIC int lcx_ns_open_pid(int32_t pid, enum lcx_ns_kind kind, struct lcx_error **err)
{
	char path[32], what[32];
	int r = check_kind(kind, err);

	if (r < 0)
		return r;
	if (pid < 0)
		return lcx__fail(err, EINVAL, "%d is no process", pid);
	if (pid == 0)
		return open_of_process("/proc/thread-self", "calling thread", kind, err);
	(void)snprintf(path, sizeof(path), "/proc/%d", pid);
	(void)snprintf(what, sizeof(what), "process %d", pid);
	return open_of_process(path, what, kind, err);
}

/*
 * The process cannot have got another number; but the number may belong to another process by now,
 * if ours was reaped. So ask afterwards whether ours is still there: then it was all the time.
 */
LCX_PUBLIC int lcx_ns_open_pidfd(int pidfd, enum lcx_ns_kind kind, struct lcx_error **err)
{
	CLEANUP(closep) int fd = -1;
	int r = check_kind(kind, err);
	pid_t pid;

	if (r < 0)
		return r;
	pid = lcx__pidfd_pid(pidfd);
	if (pid <= 0)
		return lcx__fail(
			err, ESRCH,
			"descriptor %d is no process that runs in the caller's pid namespace",
			pidfd);
	fd = lcx_ns_open_pid(pid, kind, err);
	if (fd < 0)
		return fd;
	r = sys_pidfd_send_signal(pidfd, 0);
	if (r < 0 && r != -EPERM)
		return lcx__fail_sys(err, -r, "open the %s namespace of process %d",
				     lcx_ns_name(kind), (int)pid);
	return TAKE_FD(fd);
}

LCX_PUBLIC int lcx_ns_open_path(const char *path, enum lcx_ns_kind kind, struct lcx_error **err)
{
	CLEANUP(closep) int fd = -1;
	char what[300];
	int r = check_kind(kind, err);

	if (r < 0)
		return r;
	/* O_NONBLOCK: whatever else is there, opening it must not wait. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return lcx__fail_sys(err, errno, "open the %s namespace '%s'", lcx_ns_name(kind),
				     path);
	(void)snprintf(what, sizeof(what), "'%s'", path);
	r = verify(fd, kind, what, err);
	return r < 0 ? r : TAKE_FD(fd);
}
