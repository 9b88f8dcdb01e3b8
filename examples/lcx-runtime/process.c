/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>

#include "runtime.h"

static int connect_to(const struct runtime *rt, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd;

	if (strlen(path) >= sizeof(address.sun_path)) {
		report(rt, "socket '%s': the path is too long", path);
		return -1;
	}
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		report(rt, "socket '%s': %s", path, strerror(errno));
		closep(&fd);
		return -1;
	}
	return fd;
}

int make_stdio(const struct runtime *rt, const struct process_options *o, bool terminal,
	       struct lcx_stdio **ret)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	CLEANUP(lcx_stdio_freep) struct lcx_stdio *stdio = NULL;

	if (terminal && !o->console_socket)
		return report(rt, "a terminal needs --console-socket: nobody would serve it");
	if (!terminal && o->console_socket)
		return report(rt, "--console-socket: the process has no terminal");
	if (lcx_stdio_new(&stdio, &err) < 0 ||
	    lcx_stdio_set_preserved(stdio, o->preserve_fds, &err) < 0)
		return report_error(rt, err);
	if (terminal) {
		/* Open until the command ends. */
		int fd = connect_to(rt, o->console_socket);

		if (fd < 0)
			return 1;
		lcx_stdio_set_console_socket(stdio, fd);
	} else {
		lcx_stdio_set_passthrough(stdio, 0, 1, 2);
	}
	*ret = stdio;
	stdio = NULL;
	return 0;
}

/* An engine looks for the file: it is whole from the first moment on. */
static int write_pid_file(const struct runtime *rt, const char *path, int32_t pid)
{
	CLEANUP(freep) char *temporary = NULL;
	FILE *file;

	if (asprintf(&temporary, "%s.%d", path, getpid()) < 0)
		return report(rt, "out of memory");
	file = fopen(temporary, "wxe");
	if (!file || fprintf(file, "%d", pid) < 0 || fclose(file) != 0 ||
	    rename(temporary, path) < 0) {
		int code = errno;

		(void)unlink(temporary);
		return report(rt, "--pid-file '%s': %s", path, strerror(code));
	}
	return 0;
}

static int send_pidfd(const struct runtime *rt, const char *path, int pidfd)
{
	CLEANUP(closep) int fd = connect_to(rt, path);
	char name[] = "pidfd";
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec iov = {name, sizeof(name) - 1};
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&message);

	if (fd < 0)
		return 1;
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &pidfd, sizeof(int));
	if (sendmsg(fd, &message, MSG_NOSIGNAL) < 0)
		return report(rt, "--pidfd-socket '%s': %s", path, strerror(errno));
	return 0;
}

int announce(const struct runtime *rt, const struct process_options *o, int32_t pid, int pidfd)
{
	if (o->pidfd_socket && send_pidfd(rt, o->pidfd_socket, pidfd) != 0)
		return 1;
	return o->pid_file ? write_pid_file(rt, o->pid_file, pid) : 0;
}

/* ---- in the foreground -------------------------------------------------- */

static struct termios before;

static bool set_raw(void)
{
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, &before) < 0)
		return false;
	raw = before;
	cfmakeraw(&raw);
	return tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
}

static void resize(struct lcx_process *process)
{
	struct winsize size;

	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
		(void)lcx_process_resize(process, size.ws_row, size.ws_col, NULL);
}

static int open_signals(void)
{
	static const int passed_on[] = {SIGINT,  SIGTERM, SIGHUP,   SIGQUIT,
					SIGUSR1, SIGUSR2, SIGWINCH, SIGCONT};
	sigset_t set;

	(void)sigemptyset(&set);
	for (size_t i = 0; i < sizeof(passed_on) / sizeof(*passed_on); i++)
		(void)sigaddset(&set, passed_on[i]);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void pass_on(int signal_fd, struct lcx_process *process, bool terminal)
{
	struct signalfd_siginfo info;

	while (read(signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		if (info.ssi_signo == SIGWINCH && terminal)
			resize(process);
		else
			(void)lcx_process_kill(process, (int)info.ssi_signo, NULL);
}

static int loop(int signal_fd, struct lcx_process *process, bool terminal, struct notify *notify,
		struct lcx_error **err)
{
	struct pollfd fds[] = {
		{.fd = signal_fd, .events = POLLIN},
		{.fd = lcx_process_fd(process), .events = POLLIN},
		{.fd = notify ? notify->fd : -1, .events = POLLIN},
	};
	int r = 1;

	while (r > 0) {
		if (poll(fds, 3, -1) < 0 && errno != EINTR)
			return -errno;
		if (fds[0].revents)
			pass_on(signal_fd, process, terminal);
		/* The service's main process is this one: it passes signals on. */
		if (fds[2].revents && notify_pass_on(fds[2].fd, getpid())) {
			notify_close(notify);
			fds[2].fd = -1;
		}
		if (fds[1].revents)
			r = lcx_process_dispatch(process, err);
	}
	return r;
}

int serve(const struct runtime *rt, struct lcx_process *process, bool terminal,
	  struct notify *notify)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	CLEANUP(closep) int signal_fd = open_signals();
	bool raw = terminal && set_raw();
	int32_t status = LCX_EXIT_UNKNOWN;
	int r;

	if (terminal)
		resize(process);
	r = loop(signal_fd, process, terminal, notify, &err);
	if (raw)
		(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
	if (r < 0 || lcx_process_wait(process, -1, &status, &err) < 0) {
		report_error(rt, err);
		return 255;
	}
	return status == LCX_EXIT_UNKNOWN ? 255 : status;
}
