/* SPDX-License-Identifier: MIT */
#include "init/init.h"

#include <asm/errno.h>
#include <linux/fcntl.h>
#include <linux/poll.h>
#include <linux/wait.h>

#include "log/writer.h"

/*
 * The monitor of a detached container: lcx-init without the container's
 * namespaces. It copies output into the log, waits for the process and writes
 * down how it ended. It holds the container's owner lock, a descriptor that it
 * inherited: as long as it lives, nobody takes the container for abandoned.
 *
 * Three descriptors can have news: the two output streams and the pidfd. The
 * process has ended when the pidfd is readable; the container has, when both
 * streams have also reached their end.
 */

enum { OUT, ERR, PIDFD, N_SOURCES };

static const enum lcx_log_stream streams[] = {
	[OUT] = LCX_LOG_STREAM_STDOUT, [ERR] = LCX_LOG_STREAM_STDERR};

struct monitor {
	const struct plan_monitor *params;
	struct pollfd sources[N_SOURCES];
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
	int n = (int)sys_call3(__NR_read, m->sources[source].fd, m->buffer, sizeof(m->buffer));

	if (n == -EINTR || n == -EAGAIN)
		return;
	if (n > 0) {
		if (m->logging)
			(void)lcx__log_write(&m->log, streams[source], m->buffer, (size_t)n);
		return;
	}
	/* The end; a terminal says EIO when its last user has closed it. */
	if (m->logging)
		(void)lcx__log_end(&m->log, streams[source]);
	sys_call1(__NR_close, m->sources[source].fd);
	m->sources[source].fd = -1;
}

static bool streams_are_open(const struct monitor *m)
{
	return m->sources[OUT].fd >= 0 || m->sources[ERR].fd >= 0;
}

static void watch(struct monitor *m)
{
	bool running = true;

	while (running || streams_are_open(m)) {
		int n = (int)sys_call5(__NR_ppoll, m->sources, N_SOURCES, 0, 0, 0);

		if (n < 0 && n != -EINTR)
			return;
		for (int i = OUT; n > 0 && i <= ERR; i++)
			if (m->sources[i].fd >= 0 && m->sources[i].revents)
				drain(m, i);
		if (m->logging)
			(void)lcx__log_flush(&m->log);
		if (n > 0 && m->sources[PIDFD].revents) {
			running = false;
			m->sources[PIDFD].fd = -1;
		}
	}
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
	int terminal = -1;

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

	m.sources[OUT] = (struct pollfd){params->terminal ? terminal : params->out_fd, POLLIN, 0};
	m.sources[ERR] = (struct pollfd){params->err_fd, POLLIN, 0};
	m.sources[PIDFD] = (struct pollfd){pidfd, POLLIN, 0};
	lcx__log_writer_init(&m.log);
	if (params->log_dir_fd >= 0)
		m.logging =
			lcx__log_writer_open(&m.log, params->log_dir_fd, params->log_name,
					     LCX_LOG_FORMAT_JSON_FILE, params->log_max_size_bytes,
					     params->log_max_files) == 0;
	watch(&m);
	if (m.logging)
		lcx__log_writer_close(&m.log);
	write_exit(params, reap(pid));
	end();
}
