/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The command between the user's terminal and a process in a container, in the foreground: an event
 * loop over the library's descriptor and a signalfd. This is how any program with a loop drives
 * liblcx; it would only add its own descriptors to the same poll(2).
 */

#include <stdbool.h>
#include <stdint.h>

#include "app.h"

struct session {
	struct app *app;
	bool interactive; /* -i: standard input goes to the process */
	bool tty;         /* -t: the process has a terminal */
	/* What leaves it running; NULL: Docker's usual ones. Only with an attached input. */
	const char *detach_keys;
	int signal_fd;
};

/* What the user is connected to: a process of this program's, or a container by its monitor. */
struct session_link {
	struct lcx_process *process;
	struct lcx_attach *attach;
	struct lcx_container *container; /* of @attach */
	bool keep_signals;               /* they are not passed on */
};

#define SESSION_EMPTY                                                                              \
	{                                                                                          \
		.signal_fd = -1                                                                    \
	}

/*
 * Before the process is started, so that no signal is lost: from here on they wait to be passed on
 * to it. What cannot work is reported.
 */
bool session_begin(struct session *session);

/* What the process gets as standard input, output and error; the caller frees it. */
struct lcx_stdio *session_stdio(const struct session *session, const struct lcx_container *c,
				struct lcx_error **err);

/* Without a session: our own descriptors, if the log driver says so; else *@ret is NULL. */
int session_detached_stdio(const struct lcx_container *c, struct lcx_stdio **ret,
			   struct lcx_error **err);

/*
 * Until the process and its output have ended, or, with status 0, the user detached. @ret_status as
 * lcx_process_wait() has it.
 */
int session_run(struct session *session, const struct session_link *link, int32_t *ret_status,
		struct lcx_error **err);

/* Start a container with a monitor, and stay with it as above. What fails later is reported. */
int session_start_attached(struct session *session, struct lcx_container *c, int *ret_code,
			   struct lcx_error **err);

/* Stay with a container that is attached to; what fails is reported. Return: the exit code. */
int session_stay(struct session *session, const struct session_link *link);

void session_end(struct session *session);

/* The exit code for a status; an unknown one is reported. */
int session_exit_code(const struct app *app, int32_t status);
