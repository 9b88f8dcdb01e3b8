/* SPDX-License-Identifier: MIT */
#include "init/mount.h"

#include <asm/errno.h>
#include <linux/fcntl.h>
#include <linux/mount.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/signal.h>
#include <linux/wait.h>

/*
 * Theory of operation. A container without a mount namespace of its own stays in that of its
 * caller, where nothing of it may be mounted. So its tree is made by a builder, a child in a mount
 * namespace of its own, which performs the operations between BUILD and BUILT. BUILT clones the
 * finished tree, which gives one that is attached nowhere and in nobody's mount namespace; then the
 * builder ends, and its namespace with it. Descriptors are shared between the two, and so the
 * container's process has the clone, and makes it its root.
 *
 * That root lives for as long as a process has it. When the last descriptor of such a tree is
 * closed the kernel lets it go as umount2(MNT_DETACH) would, but with its mounts on top of each
 * other: dissolve_on_fput() and UMOUNT_CONNECTED in fs/namespace.c. From inside nothing can be
 * mounted on it or unmounted from it, for it is in no mount namespace; and as it has no parent,
 * ".." ends there.
 *
 * Without the child there would have to be a way back, by setns(2), which takes rights over the
 * host's mount namespace; the root of a new user namespace has none.
 */

enum {
	FAILED = 255,     /* what init_fail() ends with */
	GOES_ON = 0xffff, /* WIFCONTINUED() of wait(2) */
	A_WHILE_NS = 400 * 1000 * 1000,
};

/* It holds the line to the caller, and must not outlive the process that it works for. */
static int become_builder(int container_pid)
{
	int r = (int)sys_call5(__NR_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);

	if (r == 0 && (int)sys_call0(__NR_getppid) != container_pid)
		r = -ECANCELED;
	return r < 0 ? r : (int)sys_call1(__NR_unshare, CLONE_NEWNS);
}

static int wait_by(int pid, int how, int *status)
{
	int r;

	do
		r = (int)sys_call4(__NR_wait4, pid, status, how | __WALL, 0);
	while (r == -EINTR);
	return r;
}

static bool is_stopped(int status)
{
	return (status & 0xff) == 0x7f;
}

/* Somebody may have stopped all of us, and have let us go first. Return: 0 if it stays stopped. */
static int look_again(int pid, int *status)
{
	const struct sys_timespec pause = {0, A_WHILE_NS};

	(void)sys_call2(__NR_nanosleep, &pause, 0);
	return wait_by(pid, WCONTINUED | WNOHANG, status);
}

/* Whoever is root in a process namespace that is joined can stop it, and would hold us up. */
static int give_up(struct init *init, int pid)
{
	int status;

	(void)sys_call2(__NR_kill, pid, SIGKILL);
	(void)wait_by(pid, 0, &status);
	(void)text_append(init->detail, sizeof(init->detail),
			  "it was stopped by a signal, as one who shares its process namespace "
			  "can do");
	return -ECANCELED;
}

static int wait_for(struct init *init, int pid)
{
	int status = 0, r;

	do {
		r = wait_by(pid, WUNTRACED, &status);
		if (r > 0 && is_stopped(status))
			r = look_again(pid, &status);
	} while (r > 0 && status == GOES_ON);
	if (r <= 0)
		return r < 0 ? r : give_up(init, pid);
	/* It has said why. */
	while (status == FAILED << 8)
		sys_call1(__NR_exit_group, FAILED);
	return status == 0 ? 0 : -ECANCELED;
}

/* The builder goes on from here; for the container's process all is done when it has ended. */
int init_op_BUILD(struct init *init, const struct plan_op *op)
{
	int own = (int)sys_call0(__NR_getpid), pid, r;

	(void)op;
	/* A number that is taken, whatever it leads to until then. */
	init->tree_fd = (int)sys_call3(__NR_fcntl, PLAN_FD_PLAN, F_DUPFD_CLOEXEC, PLAN_FD_FIRST);
	if (init->tree_fd < 0)
		return init->tree_fd;
	pid = init_fork(CLONE_FILES, 0, -1, NULL);
	if (pid == -EAGAIN)
		(void)text_append(init->detail, sizeof(init->detail),
				  "a limit of processes must leave room for one more, or add a "
				  "mount namespace");
	if (pid < 0)
		return pid;
	if (pid == 0)
		return become_builder(own);
	r = wait_for(init, pid);
	while (r == 0 && init->op->code != PLAN_BUILT)
		init->op++;
	init->root_fd = init->tree_fd;
	return r;
}

/* Private first: a clone has no mount that is not to be bound elsewhere, and none can be, later. */
int init_op_BUILT(struct init *init, const struct plan_op *op)
{
	struct sys_mount_attr attr = {.propagation = MS_PRIVATE};
	int tree, r = sys_mount_setattr(init->root_fd, "", AT_EMPTY_PATH | SYS_AT_RECURSIVE, &attr);

	(void)op;
	tree = r < 0 ? r : init_clone_tree(init->root_fd, "", true);
	r = tree < 0 ? tree : (int)sys_call3(__NR_dup3, tree, init->tree_fd, O_CLOEXEC);
	init_close(tree);
	if (r < 0)
		return r;
	for (;;)
		sys_call1(__NR_exit_group, 0);
}
