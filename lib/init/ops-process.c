/* SPDX-License-Identifier: MIT */
#include "init/init.h"

#include <asm/errno.h>
#include <asm/ioctls.h>
#include <asm/termios.h>
#include <linux/fcntl.h>
#include <linux/magic.h>
#include <linux/netlink.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/wait.h>

enum {
	INTERRUPT = 2 /* SIGINT */,
	TERMINATE = 15 /* SIGTERM */,
	CHILD_SIGNAL = 17 /* SIGCHLD */,
	SOCKET_SEQPACKET = 5,
	SOCKET_RAW = 3,
	FAMILY_UNIX = 1,
	FAMILY_NETLINK = 16,
	CLOSE_ON_EXEC = 02000000
};

/* /proc/PID of a process that is not dumpable belongs to root: ptrace(2), prctl(2). */
int init_op_NONDUMPABLE(struct init *init, const struct plan_op *op)
{
	(void)init;
	(void)op;
	return (int)sys_call5(__NR_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
}

int init_op_SESSION(struct init *init, const struct plan_op *op)
{
	int r = (int)sys_call0(__NR_setsid);

	(void)init;
	(void)op;
	/* EPERM: it leads a process group already, so that it has one of its own. */
	return r < 0 && r != -EPERM ? r : 0;
}

_Noreturn static void end(int status)
{
	for (;;)
		sys_call1(__NR_exit_group, status);
}

/*
 * Name a new process to the library and end; the new one goes on with the plan, but not before: what
 * it says itself must not come before the word about it.
 */
static int hand_on(struct init *init, uint64_t flags, int exit_signal)
{
	struct plan_message message = {.type = PLAN_MESSAGE_CHILD};
	int line[2], pidfd = -1, r = (int)sys_call2(__NR_pipe2, line, CLOSE_ON_EXEC);
	char go;

	if (r == 0)
		r = init_fork(flags, exit_signal, -1, &pidfd);
	if (r < 0)
		return r;
	if (r > 0) {
		(void)init_send(init, &message, pidfd);
		(void)sys_call3(__NR_write, line[1], "", 1);
		end(0);
	}
	sys_call1(__NR_close, line[1]);
	r = (int)sys_call3(__NR_read, line[0], &go, 1);
	sys_call1(__NR_close, line[0]);
	return r == 1 ? 0 : r < 0 ? r : -ECANCELED;
}

/* The caller reaps us; what goes on belongs to the host's init. */
int init_op_DETACH(struct init *init, const struct plan_op *op)
{
	(void)op;
	return hand_on(init, 0, CHILD_SIGNAL);
}

/* str 0: struct plan_monitor; 1: the context of its log. The child goes on with the plan; the parent watches it. */
int init_op_MONITOR(struct init *init, const struct plan_op *op)
{
	const struct plan_monitor *params = (const void *)init_str(init, op, 0);
	struct plan_message message = {.type = PLAN_MESSAGE_CHILD};
	int pair[2], pidfd = -1, r;

	r = (int)sys_call4(__NR_socketpair, FAMILY_UNIX, SOCKET_SEQPACKET | CLOSE_ON_EXEC, 0, pair);
	if (r < 0)
		return r;
	r = init_fork(params->clone_flags, CHILD_SIGNAL, params->cgroup_fd, &pidfd);
	if (r < 0)
		return r;
	if (r == 0) {
		char go;

		sys_call1(__NR_close, pair[0]);
		init->monitor_fd = pair[1];
		/* Nothing that we say may overtake the monitor's word about us. */
		r = (int)sys_call3(__NR_read, pair[1], &go, 1);
		return r == 1 ? 0 : r < 0 ? r : -ECANCELED;
	}
	sys_call1(__NR_close, pair[1]);
	(void)init_send(init, &message, pidfd);
	(void)sys_call3(__NR_write, pair[0], "", 1);
	init_monitor(init, params, init_str(init, op, 1), r, pidfd, pair[0]);
}

/*
 * setns() to a pid namespace counts from the next clone on. CLONE_PARENT makes
 * the new process the caller's child, as this one is.
 */
int init_op_ENTER(struct init *init, const struct plan_op *op)
{
	(void)op;
	return hand_on(init, CLONE_PARENT, 0);
}

/*
 * From here on it is a process of the container like any other, and exec joins by it. What stood in
 * the plan, names of the host's, and what hooks are given, whoever is root in there would read.
 */
static void settle_in(struct init *init)
{
	(void)sys_call2(__NR_munmap, init->base, ((const struct plan_header *)init->base)->size);
	sys_call5(__NR_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0);
}

/*
 * Stay as process 1: hand every signal on, reap every orphan, and end as the
 * program ends. The kernel delivers to process 1 only what it waits for:
 * pid_namespaces(7).
 */
int init_op_REAPER(struct init *init, const struct plan_op *op)
{
	uint64_t all = ~(uint64_t)0;
	int program, sig, status = 0, pid, own;

	(void)op;
	sys_call4(__NR_rt_sigprocmask, 0 /* SIG_BLOCK */, &all, 0, sizeof(all));
	program = init_fork(0, CHILD_SIGNAL, -1, NULL);
	if (program < 0)
		return program;
	if (program == 0) {
		/* What a terminal sends goes to the program only, and so comes once. */
		sys_call2(__NR_setpgid, 0, 0);
		own = (int)sys_call0(__NR_getpid);
		sys_call3(__NR_ioctl, 0, TIOCSPGRP, &own);
		return 0;
	}
	/* Only the program may speak to the library; this copy holds the line open until it can be
	 * joined. */
	settle_in(init);
	sys_close_range(0, ~0u, 0);
	for (;;) {
		sig = (int)sys_call4(__NR_rt_sigtimedwait, &all, 0, 0, sizeof(all));
		if (sig > 0 && sig != CHILD_SIGNAL)
			sys_call2(__NR_kill, program, sig);
		while ((pid = (int)sys_call4(__NR_wait4, -1, &status, WNOHANG, 0)) > 0)
			if (pid == program)
				end(status & 0x7f ? 128 + (status & 0x7f) : (status >> 8) & 0xff);
	}
}

/*
 * No program at all: the process is there so that namespaces are, and reaps what is left to it as
 * process 1. It ends when it is told to.
 */
int init_op_HOLD(struct init *init, const struct plan_op *op)
{
	uint64_t all = ~(uint64_t)0;
	int sig;

	(void)op;
	sys_call4(__NR_rt_sigprocmask, 0 /* SIG_BLOCK */, &all, 0, sizeof(all));
	settle_in(init);
	/* For the library that is the execution of a program: who joins may come at once. */
	sys_close_range(0, ~0u, 0);
	for (;;) {
		sig = (int)sys_call4(__NR_rt_sigtimedwait, &all, 0, 0, sizeof(all));
		if (sig == TERMINATE || sig == INTERRUPT)
			end(0);
		while (sys_call4(__NR_wait4, -1, 0, WNOHANG, 0) > 0)
			;
	}
}

int init_op_SYNC(struct init *init, const struct plan_op *op)
{
	struct plan_message message = {.type = (uint32_t)op->num[0]};
	char answer;
	int r = init_send(init, &message, -1);

	if (r < 0)
		return r;
	/* No answer means that the library, or its host, gave up. */
	r = (int)sys_call3(__NR_read, init->control_fd, &answer, 1);
	return r < 0 ? r : r == 1 ? 0 : -ECANCELED;
}

int init_op_SEND_NETLINK(struct init *init, const struct plan_op *op)
{
	struct plan_message message = {.type = PLAN_MESSAGE_NETLINK};
	int fd = (int)sys_call3(__NR_socket, FAMILY_NETLINK, SOCKET_RAW | CLOSE_ON_EXEC,
				NETLINK_ROUTE);
	int r = fd < 0 ? fd : init_send(init, &message, fd);

	(void)op;
	if (fd >= 0)
		sys_call1(__NR_close, fd);
	return r;
}

int init_op_SEND_ROOT(struct init *init, const struct plan_op *op)
{
	struct plan_message message = {.type = PLAN_MESSAGE_ROOT};

	(void)op;
	return init_send(init, &message, init->root_fd);
}

/* ---- terminal ----------------------------------------------------------- */

/* Make a pair in the container's devpts, which TIOCGPTPEER does without any path. */
static int open_pair(int ptmx, int *terminal)
{
	uint64_t stat[16] = {0};
	int unlock = 0, r;

	/* An image could put anything where devpts should be. */
	r = (int)sys_call2(__NR_fstatfs, ptmx, stat);
	if (r == 0 && stat[0] != DEVPTS_SUPER_MAGIC)
		r = -ENOTTY;
	if (r == 0)
		r = (int)sys_call3(__NR_ioctl, ptmx, TIOCSPTLCK, &unlock);
	if (r == 0)
		r = *terminal = (int)sys_call3(__NR_ioctl, ptmx, TIOCGPTPEER,
					       O_RDWR | O_NOCTTY | O_CLOEXEC);
	return r < 0 ? r : 0;
}

/* /dev/console is the terminal, by descriptor: its node cannot be swapped on the way. */
static int bind_console(struct init *init, int terminal)
{
	int target, tree, r;

	target = sys_openat2(init->root_fd, "dev/console", O_PATH | O_NOFOLLOW | O_CLOEXEC, 0,
			     SYS_RESOLVE_IN_ROOT | SYS_RESOLVE_NO_MAGICLINKS);
	if (target < 0)
		return target;
	tree = lcx__is_off(CONSOLE)
		       ? sys_open_tree(init->root_fd, "dev/pts/0", SYS_OPEN_TREE_CLONE | O_CLOEXEC)
		       : sys_open_tree(terminal, "",
				       SYS_OPEN_TREE_CLONE | O_CLOEXEC | AT_EMPTY_PATH);
	r = tree < 0 ? tree
		     : sys_move_mount(tree, "", target, "",
				      SYS_MOVE_MOUNT_F_EMPTY_PATH | SYS_MOVE_MOUNT_T_EMPTY_PATH);
	if (tree >= 0)
		sys_call1(__NR_close, tree);
	sys_call1(__NR_close, target);
	return r;
}

/* Standard input is the terminal already. */
int init_op_CONTROL(struct init *init, const struct plan_op *op)
{
	(void)init;
	(void)op;
	sys_call0(__NR_setsid);
	return (int)sys_call3(__NR_ioctl, 0, TIOCSCTTY, 0);
}

/* num: rows, columns, uid of the owner, 1 to bind /dev/console. */
int init_op_TERMINAL(struct init *init, const struct plan_op *op)
{
	struct plan_message message = {.type = PLAN_MESSAGE_TERMINAL};
	struct winsize size = {.ws_row = (unsigned short)op->num[0],
			       .ws_col = (unsigned short)op->num[1]};
	int root = init->root_fd >= 0 ? init->root_fd : AT_FDCWD;
	int ptmx, terminal = -1, r;

	ptmx = root == AT_FDCWD ? (int)sys_call4(__NR_openat, root, "/dev/pts/ptmx",
						 O_RDWR | O_NOCTTY | O_CLOEXEC, 0)
				: sys_openat2(root, "dev/pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC,
					      0, SYS_RESOLVE_IN_ROOT | SYS_RESOLVE_NO_MAGICLINKS);
	if (ptmx < 0)
		return ptmx;
	r = open_pair(ptmx, &terminal);
	if (r == 0 && op->num[0])
		r = (int)sys_call3(__NR_ioctl, ptmx, TIOCSWINSZ, &size);
	if (r == 0)
		r = (int)sys_call3(__NR_fchown, terminal, op->num[2], -1);
	if (r == 0 && op->num[3])
		r = bind_console(init, terminal);
	if (r == 0)
		r = init_send_to(init->monitor_fd >= 0 ? init->monitor_fd : init->control_fd,
				 &message, ptmx);
	sys_call1(__NR_close, ptmx);
	if (r < 0)
		return r;

	for (int fd = 0; r >= 0 && fd < 3; fd++)
		r = (int)sys_call3(__NR_dup3, terminal, fd, 0);
	if (r < 0)
		return r;
	return op->flags & PLAN_F_BUILDER ? 0 : init_op_CONTROL(init, op);
}
