/* SPDX-License-Identifier: MIT */
#include "init/init.h"

#include <asm/errno.h>
#include <linux/fcntl.h>
#include <linux/if.h>
#include <linux/sched.h>

/*
 * "0" to a v1 `tasks` file moves the calling thread. The kernel then skips the
 * lock over all thread groups, whose writer waits for an RCU grace period:
 * cgroup_procs_write_start() in kernel/cgroup/cgroup.c.
 */
int init_op_JOIN_CGROUP(struct init *init, const struct plan_op *op)
{
	int r = (int)sys_call3(__NR_write, op->fd, "0", 1);

	(void)init;
	return r < 0 ? r : 0;
}

/* resctrl takes "0" for who writes it, too. */
int init_op_JOIN_CLASS(struct init *init, const struct plan_op *op)
{
	return init_op_JOIN_CGROUP(init, op);
}

int init_op_SETNS(struct init *init, const struct plan_op *op)
{
	(void)init;
	return (int)sys_call2(__NR_setns, op->fd, op->num[0]);
}

/*
 * The directory that the root will be mounted on is one of the mount namespace that is left; the
 * working directory goes along, with no path that would have to be open to who has joined.
 */
static int unshare_mounts(struct init *init, uint64_t flags)
{
	int r = (int)sys_call1(__NR_fchdir, init->staging_fd);

	if (r == 0)
		r = (int)sys_call1(__NR_unshare, flags);
	if (r < 0)
		return r;
	sys_close(init->staging_fd);
	init->staging_fd = r = sys_openat(AT_FDCWD, ".", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	return r < 0 ? r : (int)sys_call1(__NR_chdir, "/");
}

int init_op_UNSHARE(struct init *init, const struct plan_op *op)
{
	return op->num[0] & CLONE_NEWNS && init->staging_fd >= 0
		       ? unshare_mounts(init, op->num[0])
		       : (int)sys_call1(__NR_unshare, op->num[0]);
}

/*
 * The offsets can only be written while the namespace has no process, that is
 * between unshare() and entering it; a single-threaded process may enter by
 * setns(): time_namespaces(7).
 */
int init_op_TIME_OFFSETS(struct init *init, const struct plan_op *op)
{
	int r = (int)sys_call1(__NR_unshare, CLONE_NEWTIME), fd;

	if (r == 0 && init_str(init, op, 0))
		r = init_write_proc("/proc/self/timens_offsets", init_str(init, op, 0));
	if (r < 0)
		return r;
	fd = (int)sys_call4(__NR_openat, AT_FDCWD, "/proc/self/ns/time_for_children",
			    O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	r = (int)sys_call2(__NR_setns, fd, CLONE_NEWTIME);
	sys_call1(__NR_close, fd);
	return r;
}

int init_op_HOSTNAME(struct init *init, const struct plan_op *op)
{
	const char *name = init_str(init, op, 0);

	return (int)sys_call2(__NR_sethostname, name, strlen(name));
}

int init_op_DOMAINNAME(struct init *init, const struct plan_op *op)
{
	const char *name = init_str(init, op, 0);

	return (int)sys_call2(__NR_setdomainname, name, strlen(name));
}

/* The one thing that every network namespace needs: netdevice(7). */
int init_op_LOOPBACK(struct init *init, const struct plan_op *op)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd = (int)sys_call3(__NR_socket, 2 /* AF_INET */, 2 /* SOCK_DGRAM */, 0), r;

	(void)init;
	(void)op;
	if (fd < 0)
		return fd;
	r = (int)sys_call3(__NR_ioctl, fd, 0x8914 /* SIOCSIFFLAGS */, &request);
	sys_call1(__NR_close, fd);
	return r;
}
