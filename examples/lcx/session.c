/* SPDX-License-Identifier: MIT */
#include "session.h"

#include <errno.h>
#include <inttypes.h>
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

static bool is_passthrough(const struct lcx_container *c)
{
	return strcmp(lcx_container_log_driver(c), "passthrough") == 0;
}

int session_detached_stdio(const struct lcx_container *c, struct lcx_stdio **ret,
			   struct lcx_error **err)
{
	int r = is_passthrough(c) ? lcx_stdio_new(ret, err) : 0;

	if (r == 0 && *ret)
		lcx_stdio_set_passthrough(*ret, -1, STDOUT_FILENO, STDERR_FILENO);
	return r;
}

struct lcx_stdio *session_stdio(const struct session *session, const struct lcx_container *c,
				struct lcx_error **err)
{
	struct lcx_stdio *stdio = NULL;
	struct terminal_size size = terminal_size();

	if (lcx_stdio_new(&stdio, err) < 0)
		return NULL;
	if (session->tty)
		lcx_stdio_set_terminal(stdio, size.rows, size.columns);
	if (c && is_passthrough(c)) {
		lcx_stdio_set_passthrough(stdio, session->interactive ? STDIN_FILENO : -1,
					  STDOUT_FILENO, STDERR_FILENO);
		return stdio;
	}
	lcx_stdio_set_attach(stdio, session->interactive ? STDIN_FILENO : -1, STDOUT_FILENO,
			     session->tty ? -1 : STDERR_FILENO);
	/* Bytes of a pipe are data: only at a terminal are there keys. */
	if (session->interactive && (session->tty || session->detach_keys) &&
	    lcx_stdio_set_detach_keys(
		    stdio, session->detach_keys ? session->detach_keys : "ctrl-p,ctrl-q", err) < 0)
		return lcx_stdio_free(stdio);
	return stdio;
}

static void resize(const struct session_link *link)
{
	struct terminal_size size = terminal_size();

	if (link->process)
		(void)lcx_process_resize(link->process, size.rows, size.columns, NULL);
	else
		(void)lcx_attach_resize(link->attach, size.rows, size.columns, NULL);
}

/* It may have ended just now: then nobody misses the signal. */
static void send_signal(const struct session_link *link, int signal)
{
	if (link->process)
		(void)lcx_process_kill(link->process, signal, NULL);
	else
		(void)lcx_container_kill(link->container, signal, NULL);
}

static void pass_on(const struct session *session, const struct session_link *link, int signal)
{
	switch (signal) {
	case SIGPIPE: /* whoever read our output has gone; writing tells the library so */
	case SIGURG:
		return;
	case SIGWINCH:
		if (session->tty)
			resize(link);
		return;
	case SIGCONT: /* the shell has put its own settings in force while we were stopped */
		if (session->tty && session->interactive) {
			(void)terminal_set_raw();
			resize(link);
			return;
		}
		break;
	default:
		break;
	}
	send_signal(link, signal);
}

static void read_signals(const struct session *session, const struct session_link *link)
{
	struct signalfd_siginfo info;

	while (read(session->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		if (!link->keep_signals || info.ssi_signo == SIGWINCH || info.ssi_signo == SIGCONT)
			pass_on(session, link, (int)info.ssi_signo);
}

static int loop(const struct session *session, const struct session_link *link,
		struct lcx_error **err)
{
	struct pollfd fds[] = {
		{.fd = session->signal_fd, .events = POLLIN},
		{.fd = link->process ? lcx_process_fd(link->process) : lcx_attach_fd(link->attach),
		 .events = POLLIN},
	};
	int r = 1;

	while (r > 0) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return -errno;
		if (fds[0].revents)
			read_signals(session, link);
		if (fds[1].revents)
			r = link->process ? lcx_process_dispatch(link->process, err)
					  : lcx_attach_dispatch(link->attach, err);
	}
	return r;
}

int session_run(struct session *session, const struct session_link *link, int32_t *ret_status,
		struct lcx_error **err)
{
	int r;

	if (session->tty && session->interactive)
		(void)terminal_set_raw();
	if (session->tty)
		resize(link);
	r = loop(session, link, err);
	terminal_restore();
	if (r < 0)
		return r;
	if (link->process)
		return lcx_process_wait(link->process, -1, ret_status, err);
	if (lcx_attach_lost_bytes(link->attach) > 0)
		app_error(session->app, "%" PRIu64 " bytes of output were not fetched in time",
			  lcx_attach_lost_bytes(link->attach));
	*ret_status = 0;
	return lcx_attach_is_detached(link->attach)
		       ? 0
		       : lcx_container_wait(link->container, -1, ret_status, err);
}

int session_stay(struct session *session, const struct session_link *link)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	int32_t status = LCX_EXIT_UNKNOWN;

	if (session_run(session, link, &status, &err) == 0)
		return session_exit_code(session->app, status);
	app_report(session->app, &err);
	return EXIT_LIBRARY_FAILED;
}

int session_start_attached(struct session *session, struct lcx_container *c, int *ret_code,
			   struct lcx_error **err)
{
	CLEANUP(lcx_attach_freep) struct lcx_attach *attach = NULL;
	CLEANUP(lcx_stdio_freep) struct lcx_stdio *stdio = session_stdio(session, NULL, err);
	int r = stdio ? lcx_container_start_attached(c, stdio, &attach, err) : -ENOMEM;

	if (r == 0)
		*ret_code = session_stay(session,
					 &(struct session_link){.attach = attach, .container = c});
	return r;
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
