/* SPDX-License-Identifier: MIT */
#include "process/process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>

#include "log/writer.h"
#include "process/flow.h"
#include "process/process-internal.h"
#include "util/str.h"
#include "util/sys.h"

LCX_PUBLIC int32_t lcx_process_pid(const struct lcx_process *process)
{
	return process->pid;
}

LCX_PUBLIC int lcx_process_pidfd(const struct lcx_process *process)
{
	return process->pidfd;
}

LCX_PUBLIC int lcx_process_fd(const struct lcx_process *process)
{
	return process->epoll_fd;
}

/* ---- the log ------------------------------------------------------------- */

/* What its daemon is too slow for stays in the pipe, and so stops the process. */
static void hold_output(struct lcx_process *process)
{
	bool hold = process->log && !lcx__log_wants_more(process->log);

	process->flows[FLOW_OUT].is_held = process->flows[FLOW_ERR].is_held = hold;
}

/* Every time anew: a connection that was made anew may have the same number. */
static void watch_log(struct lcx_process *process)
{
	int fd = lcx__log_wait_fd(process->log);
	struct epoll_event event = {.events = EPOLLOUT, .data.fd = fd};

	if (process->log_fd >= 0 && process->log_fd != fd)
		(void)epoll_ctl(process->epoll_fd, EPOLL_CTL_DEL, process->log_fd, NULL);
	process->log_fd = fd;
	if (fd >= 0)
		(void)epoll_ctl(process->epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

/* A pipe that was closed is in no set any more, whatever has its number now. */
static void watch_packer(struct lcx_process *process)
{
	int fd = lcx__log_pack_fd(process->log);
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	if (fd >= 0)
		(void)epoll_ctl(process->epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

static void flush_log(struct lcx_process *process)
{
	if (!process->log)
		return;
	(void)lcx__log_flush(process->log);
	watch_log(process);
	watch_packer(process);
	hold_output(process);
}

/* ---- making the handle -------------------------------------------------- */

static void tap(struct lcx_process *process, enum lcx_log_stream stream, const void *bytes,
		size_t length)
{
	/* A full disk ends the log and not the container: the writer counts what it drops. */
	if (bytes)
		(void)lcx__log_write(process->log, stream, bytes, length);
	else
		(void)lcx__log_end(process->log, stream);
	hold_output(process);
}

static void tap_out(void *data, const void *bytes, size_t length)
{
	tap(data, LCX_LOG_STREAM_STDOUT, bytes, length);
}

static void tap_err(void *data, const void *bytes, size_t length)
{
	tap(data, LCX_LOG_STREAM_STDERR, bytes, length);
}

int lcx__process_new(struct lcx_process **ret, struct lcx_error **err)
{
	struct lcx_process *process = calloc(1, sizeof(*process));

	if (!process)
		return lcx__fail_nomem(err);
	process->pid = -1;
	process->pidfd = process->terminal_fd = process->log_fd = -1;
	for (int i = 0; i < N_FLOWS; i++)
		process->flows[i] = LCX__FLOW_NONE;
	process->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (process->epoll_fd < 0) {
		int code = errno;

		free(process);
		return lcx__fail_sys(err, code, "make an epoll instance");
	}
	*ret = process;
	return 0;
}

/* With a terminal both directions go through its one descriptor, duplicated so that each flow has
 * its own. */
static int take_terminal(struct lcx_process *process, struct lcx__streams *streams,
			 struct lcx_error **err)
{
	if (process->terminal_fd < 0)
		return 0;
	if (fcntl(process->terminal_fd, F_SETFL, O_NONBLOCK) < 0)
		return lcx__fail_sys(err, errno, "terminal");
	for (int i = 0; i < 2; i++) {
		streams->host[i] = fcntl(process->terminal_fd, F_DUPFD_CLOEXEC, 3);
		if (streams->host[i] < 0)
			return lcx__fail_sys(err, errno, "terminal");
	}
	return 0;
}

/* A duplicate of a descriptor of the caller's, so that it may be closed, and watched, twice. */
static int duplicate(const struct lcx_stdio *stdio, int stream, int *ret, struct lcx_error **err)
{
	if (!stdio || stdio->mode != LCX__STDIO_CAPTURE || stdio->fds[stream] < 0)
		return 0;
	*ret = fcntl(stdio->fds[stream], F_DUPFD_CLOEXEC, 3);
	if (*ret < 0)
		return lcx__fail_sys(err, errno, "attach descriptor %d", stdio->fds[stream]);
	return 0;
}

int lcx__process_connect(struct lcx_process *process, const struct lcx_stdio *stdio,
			 struct lcx__streams *streams, struct lcx_error **err)
{
	struct epoll_event event = {.events = EPOLLIN};
	int r;

	if (epoll_ctl(process->epoll_fd, EPOLL_CTL_ADD, process->pidfd, &event) < 0)
		return lcx__fail_sys(err, errno, "watch the process");
	r = take_terminal(process, streams, err);
	for (int i = 0; r == 0 && i < N_FLOWS; i++) {
		struct lcx__flow *flow = &process->flows[i];
		int *inner = i == FLOW_IN ? &flow->to : &flow->from;
		int *outer = i == FLOW_IN ? &flow->from : &flow->to;

		flow->epoll_fd = process->epoll_fd;
		*inner = TAKE_FD(streams->host[i]);
		if (*inner >= 0)
			r = duplicate(stdio, i, outer, err);
		if (process->log && i != FLOW_IN)
			flow->tap = i == FLOW_OUT ? tap_out : tap_err;
		flow->tap_data = process;
	}
	/* The caller's input has ended, or its own terminal was hung up: Ctrl-D, as VEOF is by
	 * default. */
	if (process->terminal_fd >= 0)
		process->flows[FLOW_IN].farewell = 4;
	/* Input that nobody gives has no flow; a terminal is still written to by its echo only. */
	if (process->flows[FLOW_IN].from < 0)
		lcx__flow_close(&process->flows[FLOW_IN]);
	for (int i = 0; r == 0 && i < N_FLOWS; i++)
		if (lcx__flow_run(&process->flows[i]) < 0)
			r = lcx__fail_nomem(err);
	return r;
}

/* ---- living ------------------------------------------------------------- */

static bool output_is_done(const struct lcx_process *process)
{
	return lcx__flow_is_done(&process->flows[FLOW_OUT]) &&
	       lcx__flow_is_done(&process->flows[FLOW_ERR]);
}

/*
 * A process of an exec may leave children that keep its pipes open for ever. All
 * that it wrote itself is in the pipe when it has ended: once that is empty, it is done.
 */
static bool output_may_end(const struct lcx_process *process)
{
	for (int i = FLOW_OUT; i <= FLOW_ERR; i++) {
		const struct lcx__flow *flow = &process->flows[i];
		struct pollfd pfd = {.fd = flow->from, .events = POLLIN};

		if (flow->length > 0 || (flow->from >= 0 && poll(&pfd, 1, 0) > 0))
			return false;
	}
	return true;
}

LCX_PUBLIC int lcx_process_dispatch(struct lcx_process *process, struct lcx_error **err)
{
	if (process->done)
		return 0;
	/* In this order: what ended before we looked has nothing to say that we would miss. */
	if (!process->exited && lcx__process_poll_exit(process->pidfd, &process->status)) {
		process->exited = true;
		(void)epoll_ctl(process->epoll_fd, EPOLL_CTL_DEL, process->pidfd, NULL);
		lcx__flow_close(&process->flows[FLOW_IN]);
	}
	flush_log(process);
	for (int i = 0; i < N_FLOWS; i++)
		if (lcx__flow_run(&process->flows[i]) < 0)
			return lcx__fail_nomem(err);
	flush_log(process);

	if (process->log && lcx__log_is_pending(process->log))
		return 1;
	if (process->exited &&
	    (output_is_done(process) || (process->is_exec && output_may_end(process)))) {
		process->done = true;
		return 0;
	}
	return 1;
}

LCX_PUBLIC int lcx_process_wait(struct lcx_process *process, int32_t timeout_ms,
				int32_t *ret_status, struct lcx_error **err)
{
	int64_t deadline = lcx__monotonic_ns() + (int64_t)timeout_ms * 1000000;
	int r;

	while ((r = lcx_process_dispatch(process, err)) > 0) {
		struct pollfd pfd = {.fd = process->epoll_fd, .events = POLLIN};
		int64_t left_ms = (deadline - lcx__monotonic_ns() + 999999) / 1000000;

		if (timeout_ms >= 0 && left_ms <= 0)
			return lcx__fail(err, ETIMEDOUT, "process %d still runs after %d ms",
					 process->pid, timeout_ms);
		if (poll(&pfd, 1, timeout_ms < 0 ? -1 : (int)left_ms) < 0 && errno != EINTR)
			return lcx__fail_sys(err, errno, "wait for process %d", process->pid);
	}
	if (r < 0)
		return r;
	*ret_status = process->status;
	return 0;
}

LCX_PUBLIC int lcx_process_kill(struct lcx_process *process, int32_t signal, struct lcx_error **err)
{
	int r;

	if (process->exited)
		return lcx__fail(err, ESRCH, "process %d has ended", process->pid);
	r = sys_pidfd_send_signal(process->pidfd, signal);
	return r < 0 ? lcx__fail_sys(err, -r, "send signal %d to process %d", signal, process->pid)
		     : 0;
}

LCX_PUBLIC int lcx_process_resize(struct lcx_process *process, uint16_t rows, uint16_t columns,
				  struct lcx_error **err)
{
	struct winsize size = {.ws_row = rows, .ws_col = columns};

	if (process->terminal_fd < 0)
		return lcx__fail(err, ENOTTY, "process %d has no terminal of ours", process->pid);
	if (ioctl(process->terminal_fd, TIOCSWINSZ, &size) < 0)
		return lcx__fail_sys(err, errno, "resize the terminal of process %d", process->pid);
	return 0;
}

LCX_PUBLIC struct lcx_process *lcx_process_free(struct lcx_process *process)
{
	if (!process)
		return NULL;
	for (int i = 0; i < N_FLOWS; i++)
		lcx__flow_close(&process->flows[i]);
	closep(&process->epoll_fd);
	closep(&process->pidfd);
	closep(&process->terminal_fd);
	free(process);
	return NULL;
}
