/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <linux/dqblk_xfs.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/quota.h>
#include <sys/random.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "overlay/overlay-internal.h"
#include "util/str.h"

/*
 * Theory of operation
 *
 * A project quota counts what carries its number: the upper and the work directory are
 * given one, and whatever is made in them inherits it. (Files move from one to the other;
 * a rename between two projects would be refused.) The number is random and large, so that
 * it meets nobody else's, and is looked at before it is used: what the file system counts
 * for it must be nothing.
 *
 * Limits are of use only where they are enforced. That a file system can count is told by
 * its taking the number, that it does by quotactl_fd(2), Linux 5.14; ext4 takes limits
 * also where it was mounted without "prjquota", and doesn't care for them.
 */

#ifndef __NR_quotactl_fd
#define __NR_quotactl_fd 443
#endif

enum {
	PROJECT_QUOTA = 2, /* PRJQUOTA: the C library's header has none */
	PROJECT_FIRST = 1 << 20,
	PROJECT_TRIES = 100,
	BLOCK_BYTES = 1024, /* QIF_DQBLKSIZE */
};

static const struct {
	unsigned long magic;
	const char *name;
} file_systems[] = {
	{0xef53, "ext4"},      {0x58465342, "xfs"},      {0x01021994, "tmpfs"},
	{0x9123683e, "btrfs"}, {0x794c7630, "overlay"},  {0x01021997, "9p"},
	{0x6969, "nfs"},       {0x65735546, "fuse"},     {0xf2f52010, "f2fs"},
	{0x2fc12fc1, "zfs"},   {0xca451a4e, "bcachefs"},
};

static const char *file_system_name(int fd)
{
	struct statfs fs;

	for (size_t i = 0; fstatfs(fd, &fs) == 0 && i < ARRAY_SIZE(file_systems); i++)
		if ((unsigned long)fs.f_type == file_systems[i].magic)
			return file_systems[i].name;
	return "unknown";
}

static int refused(int fd, int r, struct lcx_error **err)
{
	if (r == -EPERM || r == -EACCES)
		return lcx__fail(err, -r,
				 "limit the size of the read-write layer: not permitted; "
				 "project quotas need CAP_SYS_ADMIN of the machine");
	if (r == -EDQUOT || r == -ENOMEM || r == -EIO || r == -ENOSPC)
		return lcx__fail_sys(err, -r, "limit the size of the read-write layer");
	return lcx__fail(
		err, EOPNOTSUPP,
		"limit the size of the read-write layer: this file system (%s) enforces no "
		"project quotas; use xfs, or ext4 with the feature 'project', and mount it "
		"with prjquota, or set no size",
		file_system_name(fd));
}

static int quota_call(int fd, int command, uint32_t project, void *data)
{
	return syscall(__NR_quotactl_fd, fd, QCMD((unsigned)command, PROJECT_QUOTA), project,
		       data) < 0
		       ? -errno
		       : 0;
}

static int check_enforced(int fd)
{
	struct fs_quota_statv state = {.qs_version = FS_QSTATV_VERSION1};
	int r = quota_call(fd, Q_XGETQSTATV, 0, &state);

	if (r < 0)
		return r;
	return state.qs_flags & FS_QUOTA_PDQ_ENFD ? 0 : -EOPNOTSUPP;
}

static int get_project(int fd, uint32_t *ret)
{
	struct fsxattr attributes;

	if (ioctl(fd, FS_IOC_FSGETXATTR, &attributes) < 0)
		return -errno;
	*ret = attributes.fsx_projid;
	return 0;
}

/* 0 if it has none of its own: what it has inherited is somebody else's. */
static int get_own_project(int fd, uint32_t *ret)
{
	CLEANUP(closep) int parent_fd = openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint32_t parent = 0;
	int r = get_project(fd, ret);

	if (r == 0 && parent_fd >= 0 && get_project(parent_fd, &parent) == 0 && parent == *ret)
		*ret = 0;
	return r;
}

static int set_project(int fd, uint32_t project)
{
	struct fsxattr attributes;

	if (ioctl(fd, FS_IOC_FSGETXATTR, &attributes) < 0)
		return -errno;
	attributes.fsx_projid = project;
	attributes.fsx_xflags |= FS_XFLAG_PROJINHERIT;
	return ioctl(fd, FS_IOC_FSSETXATTR, &attributes) < 0 ? -errno : 0;
}

static int get_quota(int fd, uint32_t project, struct dqblk *ret)
{
	int r;

	memset(ret, 0, sizeof(*ret));
	r = quota_call(fd, Q_GETQUOTA, project, ret);
	return r == -ENOENT ? 0 : r; /* xfs: nobody ever had it */
}

static bool is_unused(const struct dqblk *quota)
{
	return quota->dqb_curspace == 0 && quota->dqb_curinodes == 0 &&
	       quota->dqb_bhardlimit == 0 && quota->dqb_ihardlimit == 0;
}

static int choose_project(int fd, uint32_t *ret)
{
	for (int i = 0; i < PROJECT_TRIES; i++) {
		struct dqblk quota;
		uint32_t project;
		int r;

		if (getrandom(&project, sizeof(project), 0) != sizeof(project))
			return -EIO;
		project = PROJECT_FIRST + project % (INT32_MAX - PROJECT_FIRST);
		r = get_quota(fd, project, &quota);
		if (r < 0)
			return r;
		if (is_unused(&quota)) {
			*ret = project;
			return 0;
		}
	}
	return -EDQUOT;
}

static int set_limit(int fd, uint32_t project, uint64_t size_bytes)
{
	struct dqblk quota = {.dqb_valid = QIF_BLIMITS};

	/* Rounded up, but never to 0, which is no limit. */
	quota.dqb_bhardlimit = size_bytes / BLOCK_BYTES + (size_bytes % BLOCK_BYTES != 0);
	return quota_call(fd, Q_SETQUOTA, project, &quota);
}

/* Both directories open to be changed; the same project, or none yet. */
struct pair {
	int upper_fd, work_fd;
};

static void pair_close(struct pair *pair)
{
	closep(&pair->upper_fd);
	closep(&pair->work_fd);
}

static int open_real(const struct lcx__overlay_dir *dir, const char *what, struct lcx_error **err)
{
	CLEANUP(closep) int path_fd = lcx__overlay_open(dir);
	int fd = path_fd < 0 ? -1 : openat(path_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? lcx__fail_sys(err, path_fd < 0 ? -path_fd : errno, "open overlay's %s",
				      what)
		      : fd;
}

static int open_pair(const struct lcx_overlay *overlay, struct pair *ret, struct lcx_error **err)
{
	if (!lcx__overlay_has_upper(overlay))
		return lcx__fail(err, EINVAL, "this overlay has no upper directory");
	ret->upper_fd = open_real(&overlay->upper, "upper directory", err);
	if (ret->upper_fd < 0)
		return ret->upper_fd;
	ret->work_fd = open_real(&overlay->work, "work directory", err);
	return ret->work_fd < 0 ? ret->work_fd : 0;
}

static int give_project(const struct pair *pair, uint32_t *ret)
{
	int r = get_own_project(pair->upper_fd, ret);

	if (r == 0)
		r = check_enforced(pair->upper_fd);
	if (r < 0 || *ret != 0)
		return r;
	r = choose_project(pair->upper_fd, ret);
	if (r == 0)
		r = set_project(pair->upper_fd, *ret);
	return r < 0 ? r : set_project(pair->work_fd, *ret);
}

LCX_PUBLIC int lcx_overlay_set_size_limit(const struct lcx_overlay *overlay, uint64_t size_bytes,
					  struct lcx_error **err)
{
	CLEANUP(pair_close) struct pair pair = {-1, -1};
	uint32_t project = 0;
	int r;

	r = open_pair(overlay, &pair, err);
	if (r < 0)
		return r;
	if (size_bytes > 0) {
		r = give_project(&pair, &project);
		if (r == 0)
			r = set_limit(pair.upper_fd, project, size_bytes);
		return r < 0 ? refused(pair.upper_fd, r, err) : 0;
	}
	/* Where there is no number there is no limit to be taken. */
	if (get_own_project(pair.upper_fd, &project) < 0 || project == 0)
		return 0;
	r = set_limit(pair.upper_fd, project, 0);
	return r < 0 ? refused(pair.upper_fd, r, err) : 0;
}

LCX_PUBLIC int lcx_overlay_get_size_limit(const struct lcx_overlay *overlay, uint64_t *ret_bytes,
					  struct lcx_error **err)
{
	CLEANUP(pair_close) struct pair pair = {-1, -1};
	struct dqblk quota = {0};
	uint32_t project = 0;
	int r;

	r = open_pair(overlay, &pair, err);
	if (r < 0)
		return r;
	if (get_own_project(pair.upper_fd, &project) == 0 && project != 0)
		r = get_quota(pair.upper_fd, project, &quota);
	if (r < 0)
		return refused(pair.upper_fd, r, err);
	*ret_bytes = quota.dqb_bhardlimit * BLOCK_BYTES;
	return 0;
}
