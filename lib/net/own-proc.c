/* SPDX-License-Identifier: MIT */

/*
 * A procfs of a context's own, for the switches of containers' interfaces.
 *
 * The kernel keeps the name "ipv6" of /proc/sys/net once for each namespace it was looked up in,
 * all of them in one chain, as they are of one directory. With a thousand containers a look at it
 * takes a millisecond, for everybody on the machine. A procfs that is mounted anew, and attached
 * nowhere, has chains of its own, and what is looked up there makes those of the host's no longer.
 * It is given up before its own become long.
 *
 * The kernel lets the unmounting wait until it is out of use everywhere, half a millisecond: no
 * gain for a program that attaches one container and ends. Who may not mount goes on by /proc.
 */
#include <fcntl.h>
#include <sys/statvfs.h>

#include "net/net-internal.h"
#include "util/sys.h"

enum {
	BY_THE_HOSTS = 8, /* first */
	BY_ONE = 64,      /* then by each */
};

struct proc {
	int fd; /* -1: the host's */
	unsigned int left;
};

static void free_proc(void *data)
{
	struct proc *proc = data;

	closep(&proc->fd);
	free(proc);
}

static int mount_proc(void)
{
	CLEANUP(closep) int fs_fd = -1;
	struct statvfs host;
	int fd;

	/* What somebody has made read-only for us is no other way round. */
	if (statvfs("/proc/sys", &host) < 0 || host.f_flag & ST_RDONLY)
		return -1;
	fs_fd = sys_fsopen("proc", SYS_FSOPEN_CLOEXEC);
	if (fs_fd < 0 || sys_fsconfig(fs_fd, SYS_FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	fd = sys_fsmount(fs_fd, SYS_FSMOUNT_CLOEXEC,
			 SYS_MOUNT_ATTR_NOSUID | SYS_MOUNT_ATTR_NODEV | SYS_MOUNT_ATTR_NOEXEC);
	return fd < 0 ? -1 : fd;
}

int lcx__own_proc(struct lcx_ctx *ctx)
{
	struct proc *proc = ctx->proc;

	if (!proc) {
		proc = malloc(sizeof(*proc));
		if (!proc)
			return -1;
		*proc = (struct proc){.fd = -1, .left = BY_THE_HOSTS};
		ctx->proc = proc;
		ctx->free_proc = free_proc;
	}
	if (proc->left == 0) {
		closep(&proc->fd);
		*proc = (struct proc){.fd = mount_proc(), .left = BY_ONE};
	}
	proc->left--;
	return proc->fd;
}
