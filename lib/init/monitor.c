/* SPDX-License-Identifier: MIT */
#include "init/init.h"

#include <asm/errno.h>
#include <linux/fcntl.h>
#include <linux/poll.h>
#include <linux/signal.h>
#include <linux/wait.h>

#include "init/clients.h"
#include "init/packer.h"
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

enum { LOG_PAUSE_NS = 100000000 };

enum { OUT, ERR, PIDFD, LOG, PACKER, CLIENTS, N_SOURCES = CLIENTS + CLIENTS_SLOTS };

static const enum lcx_log_stream streams[] = {
	[OUT] = LCX_LOG_STREAM_STDOUT, [ERR] = LCX_LOG_STREAM_STDERR};

struct monitor {
	const struct plan_monitor *params;
	int fds[LOG]; /* of the two streams and the process; -1: ended */
	struct pollfd sources[N_SOURCES];
	struct clients clients;
	struct lcx__log_writer log;
	struct packer packer;
	bool logging;
	uint64_t lost; /* lines, as they were told */
	uint64_t rotations;
	int64_t rotation_told; /* when; in seconds */
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

/* One write, put in place by a rename so that it is whole or absent. */
static void put_file(int dir_fd, const char *name, const char *text)
{
	int fd = (int)sys_call4(__NR_openat, dir_fd, ".tmp-word",
				O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return;
	if (sys_call3(__NR_write, fd, text, strlen(text)) == (long)strlen(text))
		sys_call4(__NR_renameat, dir_fd, ".tmp-word", dir_fd, name);
	sys_call1(__NR_close, fd);
}

/* A log that lacks something: told when it begins, and at the end; how much stands in a file. */
static void tell_lost(struct monitor *m)
{
	const struct plan_monitor *params = m->params;
	char event[PLAN_EVENT_SIZE + 32] = "", text[80] = "";

	(void)text_append_number(text, sizeof(text), m->log.dropped_lines);
	(void)text_append(text, sizeof(text), " ");
	(void)text_append_number(text, sizeof(text), m->log.dropped_bytes);
	(void)text_append(text, sizeof(text), " ");
	(void)text_append_number(text, sizeof(text), (uint64_t)-m->log.last_error);
	(void)text_append(text, sizeof(text), "\n");
	put_file(params->state_dir_fd, "log-lost", text);

	m->lost = m->log.dropped_lines;
	if (params->log_lost[0] && text_append(event, sizeof(event), params->log_lost) &&
	    text_append_number(event, sizeof(event), m->lost) &&
	    text_append(event, sizeof(event), " lines\"}"))
		init_event(params->event_dir_fd, event);
}

/* Of files that are full in no time not each, lest they push all other events out. */
static void tell_rotation(struct monitor *m)
{
	const struct plan_monitor *params = m->params;
	char event[PLAN_EVENT_SIZE + 32] = "";
	struct sys_timespec now = {0, 0};

	(void)sys_clock_gettime(1 /* CLOCK_MONOTONIC */, &now);
	if (m->rotations > 0 && now.tv_sec == m->rotation_told)
		return;
	m->rotation_told = now.tv_sec;
	m->rotations = m->log.rotations;
	if (params->log_rotated[0] && text_append(event, sizeof(event), params->log_rotated) &&
	    text_append_number(event, sizeof(event), m->rotations) &&
	    text_append(event, sizeof(event), "\"}"))
		init_event(params->event_dir_fd, event);
}

/* What is still to be brought to the log's daemon. */
static bool log_is_pending(const struct monitor *m)
{
	return m->logging && lcx__log_is_pending(&m->log);
}

/* The buffer is one: it is filled again when everybody has got what is in it, and the log has room.
 */
static bool must_wait(struct monitor *m, struct sys_timespec *ret_wait)
{
	*ret_wait = (struct sys_timespec){0, LOG_PAUSE_NS};
	return clients_wait_for_somebody(&m->clients, ret_wait) ||
	       (m->logging && !lcx__log_wants_more(&m->log));
}

static int wait_for_news(struct monitor *m)
{
	struct sys_timespec wait, *timeout = NULL;
	bool full = must_wait(m, &wait);
	int log_fd = m->logging ? lcx__log_wait_fd(&m->log) : -1;

	/* A daemon that is not even connected can only be tried again. */
	if (full || (log_fd < 0 && log_is_pending(m)))
		timeout = &wait;
	for (int i = OUT; i < LOG; i++)
		m->sources[i] = (struct pollfd){full && i != PIDFD ? -1 : m->fds[i], POLLIN, 0};
	m->sources[LOG] = (struct pollfd){log_fd, POLLOUT, 0};
	m->sources[PACKER] =
		(struct pollfd){m->logging ? lcx__log_pack_fd(&m->log) : -1, POLLIN, 0};
	clients_watch(&m->clients, &m->sources[CLIENTS]);
	return (int)sys_call5(__NR_ppoll, m->sources, N_SOURCES, timeout, 0, 0);
}

static void read_streams(struct monitor *m)
{
	struct sys_timespec wait;

	for (int i = OUT; i <= ERR; i++)
		if (m->sources[i].fd >= 0 && m->sources[i].revents && !must_wait(m, &wait))
			drain(m, i);
	if (m->logging)
		(void)lcx__log_flush(&m->log);
}

/* Until the process and its output have ended, and the log has all of it. */
static void watch(struct monitor *m)
{
	while (m->fds[PIDFD] >= 0 || streams_are_open(m) || log_is_pending(m)) {
		int n = wait_for_news(m);

		if (n == -EINTR)
			continue;
		if (n < 0)
			return;
		/* Whoever has just attached gets what has just been written. */
		clients_serve(&m->clients, &m->sources[CLIENTS]);
		read_streams(m);
		if (m->logging && m->lost == 0 && m->log.dropped_lines > 0)
			tell_lost(m);
		if (m->logging && m->log.rotations != m->rotations)
			tell_rotation(m);
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

/* Over what is there: the disk may be full by then. */
static void put_exit(int dir_fd, const char *text)
{
	int fd = (int)sys_call4(__NR_openat, dir_fd, ".exit",
				O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return;
	if (sys_call3(__NR_write, fd, text, strlen(text)) == (long)strlen(text))
		sys_call4(__NR_renameat, dir_fd, ".exit", dir_fd, "exit");
	sys_call1(__NR_close, fd);
}

static void write_exit(const struct plan_monitor *params, int status)
{
	struct {
		int64_t seconds, ns;
	} now = {0, 0};
	char text[PLAN_EXIT_SIZE] = "";

	sys_call2(__NR_clock_gettime, 0 /* CLOCK_REALTIME */, &now);
	(void)text_append_number(text, sizeof(text), (uint64_t)status);
	(void)text_append(text, sizeof(text), " ");
	(void)text_append_number(text, sizeof(text),
				 (uint64_t)now.seconds * 1000000000 + (uint64_t)now.ns);
	(void)text_append(text, sizeof(text), " ");
	(void)text_append_number(text, sizeof(text), params->run);
	while (strlen(text) < sizeof(text) - 2)
		(void)text_append(text, sizeof(text), " ");
	(void)text_append(text, sizeof(text), "\n");
	/* First, for those who hold it open: the container may be removed as soon as the other is
	 * there. */
	sys_call3(__NR_write, params->owner_fd, text, strlen(text));
	put_exit(params->state_dir_fd, text);
}

static void tell_exit(const struct plan_monitor *params, int status)
{
	char text[PLAN_EVENT_SIZE + 32] = "";

	if (params->exited[0] && text_append(text, sizeof(text), params->exited) &&
	    text_append_number(text, sizeof(text), (uint64_t)status) &&
	    text_append(text, sizeof(text), "}"))
		init_event(params->event_dir_fd, text);
}

/* The kernel's word for a system that has powered itself off, which is no failure. */
static bool is_off(const struct plan_monitor *params, int status)
{
	return params->system && (status & 0x7f) == SIGINT;
}

static int reap(const struct plan_monitor *params, int pid)
{
	int status = 0, r;

	do
		r = (int)sys_call4(__NR_wait4, pid, &status, 0, 0);
	while (r == -EINTR);
	if (is_off(params, status))
		return 0;
	return status & 0x7f ? 128 + (status & 0x7f) : (status >> 8) & 0xff;
}

/* Whoever isn't has no status that could be asked for, which must not be taken for 0. */
static bool is_child(int pid)
{
	char info[128];

	return sys_call5(__NR_waitid, P_PID, pid, info, WEXITED | WNOHANG | WNOWAIT, 0) == 0;
}

/*
 * The program was one that makes another process, as a child of ours; that is the container's, with
 * its terminal, if it has one. No word about it means that the library has given up, or its host.
 */
static int adopt(const struct plan_monitor *params, int *pid, int *pidfd, int *terminal)
{
	struct plan_message message;
	int fd, r;

	while ((r = init_receive_from(params->adopt_fd, &message, &fd)) > 0 &&
	       message.type == PLAN_MESSAGE_TERMINAL)
		*terminal = fd;
	(void)reap(params, *pid);
	if (r <= 0 || message.type != PLAN_MESSAGE_ADOPT || fd < 0)
		return r < 0 ? r : -ECANCELED;
	sys_call1(__NR_close, *pidfd);
	sys_call1(__NR_close, params->adopt_fd);
	*pid = (int)message.op;
	*pidfd = fd;
	return is_child(*pid) ? 0 : -ECHILD;
}

_Noreturn void init_monitor(struct init *init, const struct plan_monitor *params,
			    const char *log_context, int pid, int pidfd, int child_fd)
{
	/* Too large for the stack of a careful program, and there is no allocator. */
	static struct monitor m;
	int terminal = -1, status;

	m.params = params;
	/* The container's output must reach the log, never the terminal of who started it. */
	for (int fd = 0; fd < 3; fd++)
		sys_call1(__NR_close, fd);
	/* What the program is to hand on to the process is in the plan behind all that is ours, and
	 * below what was opened since: a copy of a pipe's other end would keep it from ever ending.
	 */
	if (params->adopt_fd >= 0)
		sys_close_range((unsigned int)params->adopt_fd + 1,
				(unsigned int)(pidfd < child_fd ? pidfd : child_fd) - 1, 0);
	/* Whatever directory the caller stood in must not be kept busy for months. */
	sys_call1(__NR_chdir, "/");
	lcx__log_writer_init(&m.log);
	if (params->logging)
		m.logging = lcx__log_writer_open(&m.log, params->log_dir_fd, &params->log,
						 log_context) == 0;
	/* The host goes on when nobody has it any more, and whoever it tells may read the log. */
	sys_call1(__NR_close, init->control_fd);

	if (wait_for_exec(child_fd, &terminal) < 0) {
		(void)reap(params, pid);
		end();
	}
	sys_call1(__NR_close, child_fd);
	if (params->adopt_fd >= 0 && adopt(params, &pid, &pidfd, &terminal) < 0)
		end();
	init_event(params->event_dir_fd, params->started);

	m.fds[OUT] = params->terminal ? terminal : params->out_fd;
	m.fds[ERR] = params->err_fd;
	m.fds[PIDFD] = pidfd;
	/* Nobody else has this open file: no other program is surprised. */
	if (terminal >= 0)
		sys_call3(__NR_fcntl, terminal, F_SETFL, O_RDWR | O_NONBLOCK);
	clients_init(&m.clients, params->listen_fd, params->client_fd,
		     params->terminal ? terminal : params->in_fd, params->terminal != 0);
	packer_init(&m.packer, params->packer_fd);
	if (params->packer_fd >= 0)
		m.log.packing.packer = &m.packer.packer;
	watch(&m);
	if (m.logging) {
		lcx__log_writer_close(&m.log);
		if (m.log.dropped_lines > m.lost)
			tell_lost(&m);
	}
	status = reap(params, pid);
	write_exit(params, status);
	tell_exit(params, status);
	say_goodbye(&m);
	end();
}
