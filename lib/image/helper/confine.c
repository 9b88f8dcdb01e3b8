/* SPDX-License-Identifier: MIT */
/*
 * Theory of operation, in the order of the steps:
 *
 *  1. Limits: no core file, little memory, few descriptors, no file larger than the layer
 *     may be.
 *  2. A mount namespace of its own, whose root is an empty read-only tmpfs; everything else
 *     is detached. The layer's directory comes along as a clone of its mount, cut off at
 *     the directory: ".." of it is itself, so that no system call leads out of it.
 *     That takes CAP_SYS_ADMIN. An ordinary user gets it from a user namespace, which costs
 *     him nothing, as he can't change owners anyway. The superuser would lose what a layer
 *     needs there (devices, trusted.* attributes, capabilities of files): he stays.
 *  3. Capabilities: those which change files, and of them only what works here.
 *  4. seccomp: reading the archive and changing files by descriptor; no sockets, no
 *     processes, no new code.
 *
 * Namespaces are taken where they can be had: some hosts are confined themselves. Without, the
 * layer's directory becomes the root, where that is allowed. Steps 1, 3 and 4
 * need no privilege, and the extraction doesn't start without them.
 */
#include "image/helper/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "util/fs.h"
#include "util/sys.h"

enum {
	MEMORY_BYTES = 384 << 20, /* on top of zstd's window; some tens of MiB are used */
	DESCRIPTORS = 256,
};

#define CAP(name) (UINT64_C(1) << CAP_##name)

struct capabilities {
	uint64_t effective, permitted, inheritable;
};

static void get_capabilities(struct capabilities *ret)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2] = {{0}};

	(void)sys_call2(__NR_capget, &header, data);
	ret->effective = data[0].effective | (uint64_t)data[1].effective << 32;
	ret->permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
	ret->inheritable = 0;
}

static int set_capabilities(uint64_t kept)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2] = {
		{(uint32_t)kept, (uint32_t)kept, 0},
		{(uint32_t)(kept >> 32), (uint32_t)(kept >> 32), 0},
	};

	return (int)sys_call2(__NR_capset, &header, data);
}

/* ---- 1: limits ---- */

static int lower_limit(int resource, uint64_t value)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit) < 0)
		return -errno;
	if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < value)
		value = limit.rlim_max;
	limit.rlim_cur = limit.rlim_max = value;
	return setrlimit(resource, &limit) < 0 ? -errno : 0;
}

static int set_limits(const struct lcx__extract_limits *limits)
{
	const struct {
		int resource;
		uint64_t value;
	} rows[] = {
		{RLIMIT_CORE, 0},
		{RLIMIT_AS, MEMORY_BYTES + limits->window_bytes},
		{RLIMIT_NOFILE, DESCRIPTORS},
		{RLIMIT_FSIZE, limits->total_bytes},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int r = lower_limit(rows[i].resource, rows[i].value);

		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- 2: namespaces ---- */

static int map_oneself(int proc_fd, uid_t uid, gid_t gid)
{
	char text[32];
	int r;

	/* Before Linux 3.19 there was no such file, and no need for it. */
	r = lcx__write_control(proc_fd, "setgroups", "deny");
	if (r < 0 && r != -ENOENT)
		return r;
	(void)snprintf(text, sizeof(text), "%u %u 1\n", uid, uid);
	r = lcx__write_control(proc_fd, "uid_map", text);
	(void)snprintf(text, sizeof(text), "%u %u 1\n", gid, gid);
	return r < 0 ? r : lcx__write_control(proc_fd, "gid_map", text);
}

/* 1 with a mount namespace, 0 if there is none to be had. Only a half-made one is an error. */
static int make_namespaces(void)
{
	CLEANUP(closep) int proc_fd = -1;
	struct capabilities caps;
	uid_t uid = geteuid();
	gid_t gid = getegid();
	int r;

	get_capabilities(&caps);
	if (caps.effective & CAP(SYS_ADMIN))
		return unshare(CLONE_NEWNS) == 0;
	if (caps.effective & CAP(CHOWN))
		return 0; /* in a user namespace of one id it would be worth nothing */
	proc_fd = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (proc_fd < 0 || unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return 0;
	r = map_oneself(proc_fd, uid, gid);
	return r < 0 ? r : 1;
}

/* The working directory goes along into a new mount namespace: from there it can be cloned. */
static int clone_root(void)
{
	const struct sys_mount_attr safe = {
		.attr_set = SYS_MOUNT_ATTR_NOSUID | SYS_MOUNT_ATTR_NODEV | SYS_MOUNT_ATTR_NOEXEC,
	};
	CLEANUP(closep)
	int fd = sys_open_tree(AT_FDCWD, "", SYS_OPEN_TREE_CLONE | O_CLOEXEC | AT_EMPTY_PATH);

	if (fd >= 0)
		(void)sys_mount_setattr(fd, "", AT_EMPTY_PATH, &safe); /* Linux 5.12 */
	return TAKE_FD(fd);
}

static int make_empty_mount(void)
{
	CLEANUP(closep) int fs_fd = sys_fsopen("tmpfs", SYS_FSOPEN_CLOEXEC);
	int r = fs_fd;

	if (r >= 0)
		r = sys_fsconfig(fs_fd, SYS_FSCONFIG_SET_STRING, "mode", "0555", 0);
	if (r >= 0)
		r = sys_fsconfig(fs_fd, SYS_FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	return r < 0 ? r
		     : sys_fsmount(fs_fd, SYS_FSMOUNT_CLOEXEC,
				   SYS_MOUNT_ATTR_RDONLY | SYS_MOUNT_ATTR_NOSUID |
					   SYS_MOUNT_ATTR_NODEV | SYS_MOUNT_ATTR_NOEXEC);
}

static int change_root(int empty_fd)
{
	int r = sys_move_mount(empty_fd, "", AT_FDCWD, "/", SYS_MOVE_MOUNT_F_EMPTY_PATH);

	if (r < 0)
		return r;
	if (fchdir(empty_fd) < 0)
		return -errno;
	/* The initial root file system can't be moved away: then it stays, below what is seen. */
	r = (int)sys_call2(__NR_pivot_root, ".", ".");
	if (r == -EINVAL)
		return chroot(".") < 0 ? -errno : 0;
	if (r < 0)
		return r;
	return umount2(".", MNT_DETACH) < 0 ? -errno : 0;
}

/* In a mount namespace: leave all of it but the layer's directory. */
static int leave_mounts(int root_fd)
{
	CLEANUP(closep) int clone_fd = -1, empty_fd = -1, dir_fd = -1;
	int r;

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -errno;
	clone_fd = clone_root();
	if (clone_fd < 0)
		return clone_fd;
	empty_fd = make_empty_mount();
	if (empty_fd < 0)
		return empty_fd;
	r = change_root(empty_fd);
	if (r < 0)
		return r;
	/* Opened: what clones a mount is O_PATH, which takes no attributes. */
	dir_fd = openat(clone_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir_fd < 0 || dup3(dir_fd, root_fd, O_CLOEXEC) < 0 ? -errno : 1;
}

/* A kernel without the calls, or a policy (AppArmor's, a container's) against mounts. */
static bool is_refusal(int r)
{
	return r == -EPERM || r == -EACCES || r == -ENOSYS;
}

/* 1 if that was possible. */
static int leave_the_host(int root_fd)
{
	int r = make_namespaces();

	if (r > 0) {
		r = leave_mounts(root_fd);
		r = is_refusal(r) ? 0 : r;
	}
	/* Second best: ".." of the root is itself, too. That takes CAP_SYS_CHROOT. */
	if (r == 0)
		return fchdir(root_fd) == 0 && chroot(".") == 0;
	return r;
}

/* ---- 3: capabilities ---- */

static int drop_capabilities(const struct lcx__extract_rights *rights)
{
	uint64_t kept = CAP(CHOWN) | CAP(DAC_OVERRIDE) | CAP(FOWNER) | CAP(FSETID) | CAP(SETFCAP);
	struct capabilities caps;

	if (rights->devices)
		kept |= CAP(MKNOD);
	if (!rights->userxattr)
		kept |= CAP(SYS_ADMIN); /* what trusted.* takes; seccomp leaves it nothing else */
	get_capabilities(&caps);
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return set_capabilities(caps.permitted & kept);
}

int lcx__confine(int root_fd, const struct lcx__extract_limits *limits, struct lcx_error **err)
{
	struct lcx__extract_rights rights;
	int enclosed, r;

	(void)prctl(PR_SET_NAME, "lcx-extract", 0, 0, 0);
	(void)umask(0);
	if (fchdir(root_fd) < 0)
		return lcx__fail_sys(err, errno, "confine the extraction: enter the directory");
	r = set_limits(limits);
	if (r < 0)
		return lcx__fail_sys(err, -r, "confine the extraction: limits");
	enclosed = leave_the_host(root_fd);
	if (enclosed < 0)
		return lcx__fail_sys(err, -enclosed, "confine the extraction: namespaces");
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	r = lcx__extract_rights_probe(root_fd, &rights, err);
	if (r < 0)
		return r;
	r = drop_capabilities(&rights);
	if (r < 0)
		return lcx__fail_sys(err, -r, "confine the extraction: capabilities");
	return enclosed;
}
