/* SPDX-License-Identifier: MIT */
#include "session.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "memory.h"
#include "terminal.h"

/* These act on the command itself: it may crash, be stopped by the shell, and has no children. */
static const int own_signals[] = {SIGABRT, SIGBUS,  SIGCHLD, SIGFPE,  SIGILL, SIGSEGV,
				  SIGSYS,  SIGTRAP, SIGTSTP, SIGTTIN, SIGTTOU};

static int open_signals(void)
{
	sigset_t set;

	(void)sigfillset(&set);
	for (size_t i = 0; i < sizeof(own_signals) / sizeof(*own_signals); i++)
		(void)sigdelset(&set, own_signals[i]);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -1;
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

bool session_begin(struct session *session)
{
	if (session->tty && session->interactive && !isatty(STDIN_FILENO)) {
		app_error(session->app, "the input device is not a terminal; leave out -t, or -i");
		return false;
	}
	session->signal_fd = open_signals();
	if (session->signal_fd < 0)
		app_error(session->app, "signalfd: %s", strerror(errno));
	return session->signal_fd >= 0;
}

struct lcx_stdio *session_stdio(const struct session *session, struct lcx_error **err)
{
	struct lcx_stdio *stdio = NULL;
	struct terminal_size size = terminal_size();

	if (lcx_stdio_new(&stdio, err) < 0)
		return NULL;
	if (session->tty)
		lcx_stdio_set_terminal(stdio, size.rows, size.columns);
	lcx_stdio_set_attach(stdio, session->interactive ? STDIN_FILENO : -1, STDOUT_FILENO,
			     session->tty ? -1 : STDERR_FILENO);
	return stdio;
}

static void resize(struct lcx_process *process)
{
	struct terminal_size size = terminal_size();

	(void)lcx_process_resize(process, size.rows, size.columns, NULL);
}

static void pass_on(const struct session *session, struct lcx_process *process, int signal)
{
	switch (signal) {
	case SIGPIPE: /* whoever read our output has gone; writing tells the library so */
	case SIGURG:
		return;
	case SIGWINCH:
		if (session->tty)
			resize(process);
		return;
	case SIGCONT: /* the shell has put its own settings in force while we were stopped */
		if (session->tty && session->interactive) {
			(void)terminal_set_raw();
			resize(process);
			return;
		}
		break;
	default:
		break;
	}
	/* It may have ended just now: then nobody misses the signal. */
	(void)lcx_process_kill(process, signal, NULL);
}

static void read_signals(const struct session *session, struct lcx_process *process)
{
	struct signalfd_siginfo info;

	while (read(session->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		pass_on(session, process, (int)info.ssi_signo);
}

static int loop(const struct session *session, struct lcx_process *process, struct lcx_error **err)
{
	struct pollfd fds[] = {
		{.fd = session->signal_fd, .events = POLLIN},
		{.fd = lcx_process_fd(process), .events = POLLIN},
	};
	int r = 1;

	while (r > 0) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return -errno;
		if (fds[0].revents)
			read_signals(session, process);
		if (fds[1].revents)
			r = lcx_process_dispatch(process, err);
	}
	return r;
}

int session_run(struct session *session, struct lcx_process *process, int32_t *ret_status,
		struct lcx_error **err)
{
	int r;

	if (session->tty && session->interactive)
		(void)terminal_set_raw();
	if (session->tty)
		resize(process);
	r = loop(session, process, err);
	terminal_restore();
	return r < 0 ? r : lcx_process_wait(process, -1, ret_status, err);
}

void session_end(struct session *session)
{
	terminal_restore();
	closep(&session->signal_fd);
	session->signal_fd = -1;
}

int session_exit_code(const struct app *app, int32_t status)
{
	if (status != LCX_EXIT_UNKNOWN)
		return status;
	app_error(app, "nobody can tell how the program ended");
	return EXIT_STATUS_UNKNOWN;
}
