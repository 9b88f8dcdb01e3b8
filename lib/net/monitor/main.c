/* SPDX-License-Identifier: MIT */

/*
 * The monitor of a network: a program that the library carries along and starts with the
 * network's first attachment; the last one's end is its, too. It is nobody's child, and outlives
 * whoever has started it.
 *
 * It is two processes. The reader has the rights of who started it, as far as files go, and reads
 * what is written of attachments; no byte of a container's reaches it but by way of those files,
 * which the library writes. The worker answers containers; it has no right but to use the
 * sockets it was given, to ask servers, and to connect to containers (proxy.h). It gets what it has
 * to know as a table in memory, which it asks the reader for when the directories have news.
 */
#include "net/monitor/monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "util/fs.h"
#include "util/process.h"

/* To whoever waits for it; once. */
static int tell(const struct lcx_error *err)
{
	struct monitor_reply reply = {0};

	reply.error = err ? lcx_error_code(err) : 0;
	(void)snprintf(reply.text, sizeof(reply.text), "%s", err ? lcx_error_message(err) : "");
	(void)send(MONITOR_FD_CONTROL, &reply, sizeof(reply), MSG_NOSIGNAL);
	(void)close(MONITOR_FD_CONTROL);
	return err ? 1 : 0;
}

/*
 * The lock belongs to the open file: to one of our own, which nobody else has, so that it ends
 * with us, whatever becomes of copies of the one we were given.
 */
static int claim_file(const struct monitor_order *order, struct lcx_error **err)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	CLEANUP(closep) int fd = -1;
	char path[32], text[96];
	int64_t start_time;
	int r;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", MONITOR_FD_FILE);
	fd = open(path, O_RDWR | O_CLOEXEC);
	(void)close(MONITOR_FD_FILE);
	if (fd < 0 || fcntl(fd, F_OFD_SETLK, &lock) < 0)
		return lcx__fail_sys(err, errno, "lock the monitor's file");
	r = lcx__read_start_time(getpid(), &start_time);
	if (r < 0)
		return lcx__fail_sys(err, -r, "read the monitor's start time");
	(void)snprintf(text, sizeof(text), "%d %lld %u %u " LCX_VERSION "\n", getpid(),
		       (long long)start_time, order->port, order->loopback_port);
	if (ftruncate(fd, 0) < 0)
		return lcx__fail_sys(err, errno, "empty the monitor's file");
	r = lcx__write_all(fd, text, strlen(text));
	if (r < 0)
		return lcx__fail_sys(err, -r, "write the monitor's file");
	/* Kept open, that is locked, until the process ends. */
	(void)TAKE_FD(fd);
	return 0;
}

static int settle(struct monitor *monitor, const struct monitor_order *order,
		  struct lcx_error **err)
{
	int r = claim_file(order, err);

	if (r < 0)
		return r;
	(void)umask(077);
	if (chdir("/") < 0)
		return lcx__fail_sys(err, errno, "change to '/'");
	r = monitor_confine_reader();
	if (r < 0)
		return lcx__fail_sys(err, -r, "give up capabilities");
	monitor->inotify_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (monitor->inotify_fd < 0)
		return lcx__fail_sys(err, errno,
				     "watch attachments: inotify_init(); see the sysctl "
				     "fs.inotify.max_user_instances");
	r = lcx__names_watch(&monitor->source, monitor->inotify_fd);
	return r < 0 ? lcx__fail_sys(err, -r,
				     "watch attachments; see the sysctl "
				     "fs.inotify.max_user_watches")
		     : 0;
}

static int run(struct monitor *monitor, const struct monitor_order *order)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	int worker_fd = -1, pid = settle(monitor, order, &err);

	if (pid == 0) {
		pid = monitor_start_worker(monitor, &worker_fd);
		if (pid < 0)
			(void)lcx__fail_sys(&err, -pid, "start the monitor's worker");
	}
	(void)tell(err);
	if (pid < 0)
		return 1;
	monitor_read_for(monitor, worker_fd, pid);
	return 0;
}

int main(void)
{
	static struct monitor_order order;
	struct monitor monitor = {
		.source = {order.network, MONITOR_FD_RUN, MONITOR_FD_NETWORKS},
		.loopback_fd = -1,
		.inotify_fd = -1,
	};
	sigset_t none;
	pid_t pid;

	if (recv(MONITOR_FD_CONTROL, &order, sizeof(order), 0) != sizeof(order) ||
	    order.n_sockets > MONITOR_SOCKETS_LIMIT)
		return 1;
	order.network[sizeof(order.network) - 1] = '\0';
	monitor.n_sockets = order.n_sockets;
	for (size_t i = 0; i < monitor.n_sockets; i++)
		monitor.sockets[i] = MONITOR_FD_SOCKETS + (int)i;
	if (order.loopback_port != 0 && monitor.n_sockets > 0)
		monitor.loopback_fd = monitor.sockets[--monitor.n_sockets];
	/* They were blocked when it was started. */
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	/* Whoever started it is the parent of the first, which ends, and of no other. */
	pid = fork();
	if (pid != 0)
		return pid < 0;
	(void)setsid();
	return run(&monitor, &order);
}
