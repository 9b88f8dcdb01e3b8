/* SPDX-License-Identifier: MIT */
#include "init/init.h"

#include <asm/errno.h>
#include <linux/fcntl.h>
#include <linux/poll.h>
#include <linux/wait.h>

#include "init/clients.h"
#include "log/writer.h"

/*
 * The monitor of a detached container: lcx-init without the container's
 * namespaces. It copies output into the log and to whoever is attached (clients.c), waits for the
 * process and writes down how it ended. It holds the container's owner lock, a descriptor that it
 * inherited: as long as it lives, nobody takes the container for abandoned.
 *
 * The process has ended when the pidfd is readable; the container has, when both
 * streams have also reached their end.
 */

enum { OUT, ERR, PIDFD, CLIENTS, N_SOURCES = CLIENTS + CLIENTS_SLOTS };

static const enum lcx_log_stream streams[] = {
	[OUT] = LCX_LOG_STREAM_STDOUT, [ERR] = LCX_LOG_STREAM_STDERR};

struct monitor {
	const struct plan_monitor *params;
	int fds[CLIENTS]; /* of the two streams and the process; -1: ended */
	struct pollfd sources[N_SOURCES];
	struct clients clients;
	struct lcx__log_writer log;
	bool logging;
	char buffer[65536];
};

_Noreturn static void end(void)
{
	for (;;)
		sys_call1(__NR_exit_group, 0);
}

/*
 * The child's line: a terminal, an error, or the end of the line when the
 * program was executed. Return: 0 then, else a negative errno.
 */
static int wait_for_exec(int child_fd, int *terminal)
{
	struct plan_message message;
	int fd, r;

	while ((r = init_receive_from(child_fd, &message, &fd)) > 0) {
		if (message.type != PLAN_MESSAGE_TERMINAL)
			return -ECANCELED;
		*terminal = fd;
	}
	return r;
}

static void drain(struct monitor *m, int source)
{
	int n = (int)sys_call3(__NR_read, m->fds[source], m->buffer, sizeof(m->buffer));

	if (n == -EINTR || n == -EAGAIN)
		return;
	if (n > 0) {
		if (m->logging)
			(void)lcx__log_write(&m->log, streams[source], m->buffer, (size_t)n);
		clients_give(&m->clients, streams[source], m->buffer, (uint32_t)n);
		return;
	}
	/* The end; a terminal says EIO when its last user has closed it. */
	if (m->logging)
		(void)lcx__log_end(&m->log, streams[source]);
	/* A terminal is still written to: it stays open, but is not read. */
	if (!m->params->terminal)
		sys_close(m->fds[source]);
	m->fds[source] = -1;
}

static bool streams_are_open(const struct monitor *m)
{
	return m->fds[OUT] >= 0 || m->fds[ERR] >= 0;
}

/* The buffer is one: it is filled again when everybody has got what is in it. */
static int wait_for_news(struct monitor *m)
{
	struct sys_timespec wait, *timeout = NULL;
	bool full = clients_wait_for_somebody(&m->clients, &wait);

	if (full)
		timeout = &wait;
	for (int i = OUT; i < CLIENTS; i++)
		m->sources[i] = (struct pollfd){full && i != PIDFD ? -1 : m->fds[i], POLLIN, 0};
	clients_watch(&m->clients, &m->sources[CLIENTS]);
	return (int)sys_call5(__NR_ppoll, m->sources, N_SOURCES, timeout, 0, 0);
}

static void read_streams(struct monitor *m)
{
	struct sys_timespec wait;

	for (int i = OUT; i <= ERR; i++)
		if (m->sources[i].fd >= 0 && m->sources[i].revents &&
		    !clients_wait_for_somebody(&m->clients, &wait))
			drain(m, i);
	if (m->logging)
		(void)lcx__log_flush(&m->log);
}

/* Until the process and its output have ended. */
static void watch(struct monitor *m)
{
	while (m->fds[PIDFD] >= 0 || streams_are_open(m)) {
		int n = wait_for_news(m);

		if (n == -EINTR)
			continue;
		if (n < 0)
			return;
		/* Whoever has just attached gets what has just been written. */
		clients_serve(&m->clients, &m->sources[CLIENTS]);
		read_streams(m);
		if (m->sources[PIDFD].fd >= 0 && m->sources[PIDFD].revents)
			m->fds[PIDFD] = -1;
	}
}

/* What is still under way to those who are attached; nobody else waits for it. */
static void say_goodbye(struct monitor *m)
{
	struct sys_timespec wait, pause = {0, 50000000};

	while (clients_wait_for_somebody(&m->clients, &wait)) {
		if (wait_for_news(m) < 0)
			break;
		clients_serve(&m->clients, &m->sources[CLIENTS]);
	}
	/* Whoever is far behind is to hear at least that, and how far; within a second. */
	for (int i = 0; clients_end(&m->clients) && i < 20; i++)
		sys_call2(__NR_nanosleep, &pause, 0);
}

/* "STATUS FINISHED_NS\n", in one write, put in place by a link so that it is whole or absent. */
static void write_exit(const struct plan_monitor *params, int status)
{
	struct {
		int64_t seconds, ns;
	} now = {0, 0};
	char text[64] = "";
	int fd;

	sys_call2(__NR_clock_gettime, 0 /* CLOCK_REALTIME */, &now);
	(void)text_append_number(text, sizeof(text), (uint64_t)status);
	(void)text_append(text, sizeof(text), " ");
	(void)text_append_number(text, sizeof(text),
				 (uint64_t)now.seconds * 1000000000 + (uint64_t)now.ns);
	(void)text_append(text, sizeof(text), "\n");

	fd = (int)sys_call4(__NR_openat, params->state_dir_fd, ".tmp-exit",
			    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return;
	if (sys_call3(__NR_write, fd, text, strlen(text)) == (long)strlen(text))
		sys_call4(__NR_renameat, params->state_dir_fd, ".tmp-exit", params->state_dir_fd,
			  "exit");
	sys_call1(__NR_close, fd);
}

static void tell_exit(const struct plan_monitor *params, int status)
{
	char text[PLAN_EVENT_SIZE + 32] = "";

	if (params->exited[0] && text_append(text, sizeof(text), params->exited) &&
	    text_append_number(text, sizeof(text), (uint64_t)status) &&
	    text_append(text, sizeof(text), "}"))
		init_event(params->event_dir_fd, text);
}

static int reap(int pid)
{
	int status = 0, r;

	do
		r = (int)sys_call4(__NR_wait4, pid, &status, 0, 0);
	while (r == -EINTR);
	return status & 0x7f ? 128 + (status & 0x7f) : (status >> 8) & 0xff;
}

_Noreturn void init_monitor(struct init *init, const struct plan_monitor *params, int pid,
			    int pidfd, int child_fd)
{
	/* Too large for the stack of a careful program, and there is no allocator. */
	static struct monitor m;
	int terminal = -1, status;

	m.params = params;
	/* The container's output must reach the log, never the terminal of who started it. */
	for (int fd = 0; fd < 3; fd++)
		sys_call1(__NR_close, fd);
	sys_call1(__NR_close, init->control_fd);
	/* Whatever directory the caller stood in must not be kept busy for months. */
	sys_call1(__NR_chdir, "/");

	if (wait_for_exec(child_fd, &terminal) < 0) {
		(void)reap(pid);
		end();
	}
	sys_call1(__NR_close, child_fd);
	init_event(params->event_dir_fd, params->started);

	m.fds[OUT] = params->terminal ? terminal : params->out_fd;
	m.fds[ERR] = params->err_fd;
	m.fds[PIDFD] = pidfd;
	/* Nobody else has this open file: no other program is surprised. */
	if (terminal >= 0)
		sys_call3(__NR_fcntl, terminal, F_SETFL, O_RDWR | O_NONBLOCK);
	clients_init(&m.clients, params->listen_fd, params->client_fd,
		     params->terminal ? terminal : params->in_fd, params->terminal != 0);
	lcx__log_writer_init(&m.log);
	if (params->log_dir_fd >= 0)
		m.logging = lcx__log_writer_open(&m.log, params->log_dir_fd, params->log_name,
						 (enum lcx_log_format)params->log_format,
						 params->log_max_size_bytes,
						 params->log_max_files) == 0;
	watch(&m);
	if (m.logging)
		lcx__log_writer_close(&m.log);
	status = reap(pid);
	write_exit(params, status);
	tell_exit(params, status);
	say_goodbye(&m);
	end();
}
