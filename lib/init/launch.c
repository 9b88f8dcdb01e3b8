/* SPDX-License-Identifier: MIT */
#include "init/launch.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "init/child.h"
#include "init/embed.h"
#include "init/plan-internal.h"
#include "util/fs.h"
#include "util/sys.h"

/*
 * Theory of operation. The host may have gigabytes of memory and dozens of
 * threads, so it is never forked. The calling thread clones a child that shares
 * the memory (CLONE_VM | CLONE_VFORK) and that does a handful of raw system
 * calls: put descriptors in place, close the rest, execute lcx-init from a
 * memfd. The thread resumes as soon as that exec succeeded.
 *
 * Each launch has a memfd of its own: what a container could do to the page
 * cache of the program that started it ends with that container, and the seals
 * let nobody write to it (CVE-2019-5736).
 *
 * The thread's signals are blocked meanwhile, so that no handler of the host's
 * runs on the child's stack; its mask is put back right after. lcx-init gives the
 * program an empty mask.
 */

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U /* Linux 6.3; older kernels refuse the flag with EINVAL */
#endif

static int make_memfd(const char *name, const void *data, size_t size, unsigned int flags)
{
	CLEANUP(closep) int fd = -1;
	int r;

	fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | flags);
	if (fd < 0 && errno == EINVAL)
		fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	r = lcx__write_all(fd, data, size);
	if (r < 0)
		return r;
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		return -errno;
	return TAKE_FD(fd);
}

static int clone_with_signals_blocked(const struct lcx__launch *launch,
				      struct lcx__child_start *start, int *pidfd)
{
	CLEANUP(freep) void *stack = aligned_alloc(64, LCX__CHILD_STACK_SIZE);
	uint64_t all = ~(uint64_t)0, before;
	int pid;

	if (!stack)
		return -ENOMEM;
	/* Not pthread_sigmask(): it leaves out the two signals that the C library uses itself. */
	sys_call4(__NR_rt_sigprocmask, SIG_SETMASK, &all, &before, sizeof(all));
	pid = lcx__child_clone(launch->clone_flags, launch->cgroup_fd, stack, start, pidfd);
	sys_call4(__NR_rt_sigprocmask, SIG_SETMASK, &before, 0, sizeof(before));
	return pid;
}

struct descriptors {
	int init_fd, plan_fd, null_fd, socket_fd;
};

static void close_descriptors(struct descriptors *d)
{
	closep(&d->init_fd);
	closep(&d->plan_fd);
	closep(&d->null_fd);
	closep(&d->socket_fd);
}

static int prepare(const struct lcx__launch *launch, struct descriptors *d, int *control_fd,
		   struct lcx_error **err)
{
	CLEANUP(freep) char *blob = NULL;
	size_t size;
	int pair[2], r;

	r = lcx__plan_pack(launch->plan, &blob, &size, err);
	if (r < 0)
		return r;
	d->plan_fd = make_memfd("lcx-plan", blob, size, 0);
	if (d->plan_fd < 0)
		return lcx__fail_sys(err, -d->plan_fd, "make the launch plan");
	d->init_fd = make_memfd("lcx-init", lcx__init_program, lcx__init_program_size, MFD_EXEC);
	if (d->init_fd < 0)
		return lcx__fail_sys(err, -d->init_fd, "make lcx-init");
	d->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (d->null_fd < 0)
		return lcx__fail_sys(err, errno, "open '/dev/null'");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return lcx__fail_sys(err, errno, "make a control socket");
	*control_fd = pair[0];
	d->socket_fd = pair[1];
	return 0;
}

int lcx__launch(const struct lcx__launch *launch, struct lcx__child *ret, struct lcx_error **err)
{
	CLEANUP(close_descriptors) struct descriptors d = {-1, -1, -1, -1};
	CLEANUP(closep) int control_fd = -1, pidfd = -1;
	int sources[PLAN_FD_FIRST + LCX__PLAN_MAX_FDS], pid, r;
	struct lcx__child_start start = {.sources = sources};

	r = prepare(launch, &d, &control_fd, err);
	if (r < 0)
		return r;
	for (int i = 0; i < 3; i++)
		sources[i] = launch->stdio[i] >= 0 ? launch->stdio[i] : d.null_fd;
	sources[PLAN_FD_CONTROL] = d.socket_fd;
	sources[PLAN_FD_PLAN] = d.plan_fd;
	memcpy(sources + PLAN_FD_FIRST, launch->plan->fds,
	       (size_t)launch->plan->n_fds * sizeof(int));
	start.n_sources = PLAN_FD_FIRST + launch->plan->n_fds;
	start.program_fd = d.init_fd;
	start.new_user = (launch->clone_flags & CLONE_NEWUSER) != 0;

	pid = clone_with_signals_blocked(launch, &start, &pidfd);
	if (pid < 0)
		return lcx__fail_stage(err,
				       lcx__fail_sys(err, -pid, "clone the container's process"),
				       "namespace");
	*ret = (struct lcx__child){
		.pid = pid,
		.pidfd = TAKE_FD(pidfd),
		.control_fd = TAKE_FD(control_fd),
		.plan = launch->plan,
	};
	if (start.error < 0) {
		lcx__child_reap(ret);
		return lcx__fail_sys(err, -start.error, "execute lcx-init");
	}
	return 0;
}

/* ---- talking ------------------------------------------------------------ */

static ssize_t receive_packet(int socket_fd, struct plan_message *message, int *ret_fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec iov = {message, sizeof(*message)};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg;
	ssize_t n;

	do
		n = recvmsg(socket_fd, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	cmsg = CMSG_FIRSTHDR(&msg);
	*ret_fd = -1;
	if (n > 0 && cmsg && cmsg->cmsg_level == SOL_SOCKET && cmsg->cmsg_type == SCM_RIGHTS)
		memcpy(ret_fd, CMSG_DATA(cmsg), sizeof(int));
	return n < 0 ? -errno : n;
}

static int report_failure(const struct lcx__child *child, struct plan_message *message,
			  struct lcx_error **err)
{
	char what[600];
	int code = message->error > 0 ? message->error : EPROTO;

	message->text[sizeof(message->text) - 1] = '\0';
	message->text[strcspn(message->text, "\n")] = '\0';
	lcx__plan_describe(child->plan, message->op, what, sizeof(what));
	if (message->text[0])
		lcx__fail_sys(err, code, "%s: %s", what, message->text);
	else
		lcx__fail_sys(err, code, "%s", what);
	return lcx__fail_stage(err, -code, lcx__plan_stage(child->plan, message->op));
}

int lcx__child_receive(struct lcx__child *child, int *ret_fd, struct lcx_error **err)
{
	for (;;) {
		CLEANUP(closep) int fd = -1;
		struct plan_message message;
		ssize_t n = receive_packet(child->control_fd, &message, &fd);

		if (n == 0)
			return 0;
		/* It ended with an answer of ours unread: whoever kills a container may do so
		 * during its start. */
		if (n == -ECONNRESET)
			return lcx__fail(err, ECANCELED,
					 "lcx-init was killed before the program was executed");
		if (n != sizeof(message))
			return lcx__fail_sys(err, n < 0 ? (int)-n : EPROTO, "listen to lcx-init");
		if (message.type == PLAN_MESSAGE_ERROR)
			return report_failure(child, &message, err);
		if (message.type == PLAN_MESSAGE_TRACE) {
			if (child->on_trace)
				child->on_trace(child->trace_data, message.op, message.ns);
			continue;
		}
		if (ret_fd)
			*ret_fd = TAKE_FD(fd);
		return (int)message.type;
	}
}

int lcx__child_continue(struct lcx__child *child, struct lcx_error **err)
{
	if (send(child->control_fd, "", 1, MSG_NOSIGNAL) < 0)
		return lcx__fail_sys(err, errno, "answer lcx-init");
	return 0;
}

void lcx__pidfd_reap(int pidfd)
{
	siginfo_t info;

	/* ECHILD: the host reaps by itself, or ignores SIGCHLD; or it is the monitor's. */
	while (waitid((idtype_t)P_PIDFD, (id_t)pidfd, &info, WEXITED | __WALL) < 0 &&
	       errno == EINTR)
		;
}

void lcx__child_reap(struct lcx__child *child)
{
	closep(&child->control_fd);
	if (child->pidfd >= 0)
		lcx__pidfd_reap(child->pidfd);
	closep(&child->pidfd);
	child->pid = -1;
}

void lcx__child_abandon(struct lcx__child *child)
{
	if (child->pidfd >= 0)
		(void)sys_pidfd_send_signal(child->pidfd, SIGKILL);
	lcx__child_reap(child);
}

/* "Pid:" in the descriptor's information: pidfd_open(2). */
pid_t lcx__pidfd_pid(int pidfd)
{
	CLEANUP(freep) char *text = NULL;
	char path[64];
	const char *line;
	long number;
	int r;

	(void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
	r = lcx__read_file(AT_FDCWD, path, 4096, &text, NULL);
	if (r < 0)
		return r;
	line = strstr(text, "\nPid:");
	number = line ? strtol(line + 5, NULL, 10) : 0;
	/* -1: it has ended and was reaped. */
	return number > 0 ? (pid_t)number : -ESRCH;
}
