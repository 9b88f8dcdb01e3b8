/* SPDX-License-Identifier: MIT */
#include "init/launch.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "init/embed.h"
#include "init/plan-internal.h"
#include "init/program.h"
#include "util/fs.h"
#include "util/process.h"
#include "util/sys.h"

struct descriptors {
	int plan_fd, null_fd, socket_fd;
};

static void close_descriptors(struct descriptors *d)
{
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
	d->plan_fd = lcx__sealed_memfd("lcx-plan", blob, size, false);
	if (d->plan_fd < 0)
		return lcx__fail_sys(err, -d->plan_fd, "make the launch plan");
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
	CLEANUP(close_descriptors) struct descriptors d = {-1, -1, -1};
	CLEANUP(closep) int control_fd = -1, pidfd = -1;
	int sources[PLAN_FD_FIRST + LCX__PLAN_MAX_FDS], pid, r;
	const struct lcx__program program = {"lcx-init", lcx__init_program, lcx__init_program_size};
	const struct lcx__program_start start = {
		.sources = sources,
		.n_sources = PLAN_FD_FIRST + launch->plan->n_fds,
		.clone_flags = launch->clone_flags,
		.cgroup_fd = launch->cgroup_fd,
		.users_fd = -1,
	};

	r = prepare(launch, &d, &control_fd, err);
	if (r < 0)
		return r;
	for (int i = 0; i < 3; i++)
		sources[i] = launch->stdio[i] >= 0 ? launch->stdio[i] : d.null_fd;
	sources[PLAN_FD_CONTROL] = d.socket_fd;
	sources[PLAN_FD_PLAN] = d.plan_fd;
	memcpy(sources + PLAN_FD_FIRST, launch->plan->fds,
	       (size_t)launch->plan->n_fds * sizeof(int));
	pid = lcx__program_start(&program, &start, &pidfd, err);
	if (pid < 0)
		return pid;
	*ret = (struct lcx__child){
		.pid = pid,
		.pidfd = TAKE_FD(pidfd),
		.control_fd = TAKE_FD(control_fd),
		.next_fd = -1,
		.patience_ms = -1,
		.plan = launch->plan,
	};
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
	const char *advice = lcx__plan_advice(child->plan, message->op, code);
	const char *said = message->text;

	message->text[sizeof(message->text) - 1] = '\0';
	message->text[strcspn(message->text, "\n")] = '\0';
	/* Messages of a file system's context begin with their kind: "e " for an error. */
	if (said[0] && strchr("ewi", said[0]) && said[1] == ' ')
		said += 2;
	lcx__plan_describe(child->plan, message->op, what, sizeof(what));
	lcx__fail_sys(err, code, "%s%s%s%s%s", what, *said ? ": " : "", said, advice ? ": " : "",
		      advice ? advice : "");
	return lcx__fail_stage(err, -code, lcx__plan_stage(child->plan, message->op));
}

int lcx__wait_for_word(int line_fd, int pidfd, int patience_ms, struct lcx_error **err)
{
	enum { LOOK_EVERY_MS = 200, ENOUGH = 2 };
	int64_t until = lcx__monotonic_ns() + (int64_t)patience_ms * 1000000;
	int seen = 0, n;

	while ((n = lcx__poll_in(line_fd, LOOK_EVERY_MS)) == 0) {
		if (patience_ms >= 0 && lcx__monotonic_ns() >= until)
			return lcx__fail(err, ETIMEDOUT,
					 "the program was not executed: lcx-init made no step for "
					 "%d s, as who holds a lease on the program, serves its "
					 "file system or freezes its cgroup can bring about",
					 patience_ms / 1000);
		seen = lcx__pidfd_is_stopped(pidfd) ? seen + 1 : 0;
		if (seen < ENOUGH)
			continue;
		return lcx__fail(err, ECANCELED,
				 "lcx-init was stopped by a signal before the program was "
				 "executed, as a process of the container can do");
	}
	return n < 0 ? lcx__fail_sys(err, -n, "listen to lcx-init") : 0;
}

static int wait_for_message(const struct lcx__child *child, struct lcx_error **err)
{
	int watched = child->next_fd >= 0 ? child->next_fd : child->pidfd;

	return child->control_fd < 0 ? 0 : lcx__wait_for_word(child->control_fd, watched,
								child->patience_ms, err);
}

int lcx__child_receive(struct lcx__child *child, int *ret_fd, struct lcx_error **err)
{
	bool reset = false;

	for (;;) {
		CLEANUP(closep) int fd = -1;
		struct plan_message message;
		int r = wait_for_message(child, err);
		ssize_t n;

		if (r < 0)
			return r;
		n = receive_packet(child->control_fd, &message, &fd);
		/*
		 * It ended with an answer of ours unread, which is told before its last words
		 * are: without any, somebody killed it, as one may do during a start.
		 */
		if (n == -ECONNRESET) {
			reset = true;
			continue;
		}
		if (n == 0 && !reset)
			return 0;
		if (n == 0)
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

void lcx__pidfd_end(int pidfd)
{
	enum { LONG_ENOUGH_MS = 5000 };

	(void)sys_pidfd_send_signal(pidfd, SIGKILL);
	if (lcx__pidfd_ends(pidfd, LONG_ENOUGH_MS) != 0)
		lcx__pidfd_reap(pidfd);
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
		lcx__pidfd_end(child->pidfd);
	closep(&child->pidfd);
	lcx__child_reap(child);
}
