/* SPDX-License-Identifier: MIT */
#include "net/monitor/monitor.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dns/server.h"
#include "net/monitor/proxy.h"
#include "util/cleanup.h"

struct worker {
	int reader_fd, inotify_fd;
	struct lcx__dns_server *server;
	struct lcx__dns_table table;
	void *memory; /* of the table, mapped */
	size_t size;
	bool is_stale, is_told; /* the server knows of this table */
};

static int receive_table(int reader_fd, uint64_t *ret_size)
{
	struct monitor_table answer = {0};
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec iov = {&answer, sizeof(answer)};
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *header;
	ssize_t n;
	int fd;

	do
		n = recvmsg(reader_fd, &message, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	/* Without a reader there is nothing to go by, nor to work for. */
	if (n != sizeof(answer))
		_exit(1);
	header = CMSG_FIRSTHDR(&message);
	if (answer.size == 0 || !header || header->cmsg_type != SCM_RIGHTS)
		return -EAGAIN;
	memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	*ret_size = answer.size;
	return fd;
}

/* The former table goes when the server does not use it any more. */
static int map_table(struct worker *worker)
{
	uint64_t size = 0, former_size = worker->size;
	CLEANUP(closep) int fd = receive_table(worker->reader_fd, &size);
	void *memory, *former = worker->memory;
	struct lcx__dns_table table;

	if (fd < 0)
		return fd;
	memory = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (memory == MAP_FAILED)
		return -errno;
	if (lcx__dns_table_open(memory, size, &table) < 0) {
		(void)munmap(memory, size);
		return -EBADMSG;
	}
	worker->table = table;
	worker->memory = memory;
	worker->size = size;
	worker->is_stale = worker->is_told = false;
	lcx__dns_server_refresh(worker->server);
	if (former)
		(void)munmap(former, former_size);
	return 0;
}

static void look_for_news(struct worker *worker)
{
	/* News that can't be read are taken for some. */
	if (lcx__names_news(worker->inotify_fd) != 0)
		worker->is_stale = true;
	if (!worker->is_stale)
		return;
	if (send(worker->reader_fd, "", 1, MSG_NOSIGNAL) != 1)
		_exit(1);
	(void)map_table(worker);
}

/* Called by the server; and from map_table(), when there is nothing stale. */
static int refresh(void *data, struct lcx__dns_table *table)
{
	struct worker *worker = data;

	if (worker->is_told || worker->is_stale)
		look_for_news(worker);
	if (!worker->memory || worker->is_told)
		return 0;
	*table = worker->table;
	worker->is_told = true;
	return 1;
}

static const struct lcx__dns_table *look(void *data)
{
	struct worker *worker = data;

	look_for_news(worker);
	return worker->memory ? &worker->table : NULL;
}

/* All that was inherited but what it works with: neither the directories, nor the lock. */
static void close_others(const struct monitor *monitor, int reader_fd)
{
	enum { FIRST = 3, BEHIND_LAST = 256 };

	for (int fd = FIRST; fd < BEHIND_LAST; fd++) {
		bool kept =
			fd == reader_fd || fd == monitor->inotify_fd || fd == monitor->loopback_fd;

		for (size_t i = 0; i < monitor->n_sockets; i++)
			kept = kept || fd == monitor->sockets[i];
		if (!kept)
			(void)close(fd);
	}
}

static int prepare(const struct monitor *monitor, struct worker *worker, int reader_pid,
		   struct proxy **ret_proxy)
{
	int r = lcx__dns_server_new(monitor->sockets, monitor->n_sockets, refresh, worker,
				    &worker->server);

	if (r == 0 && monitor->loopback_fd >= 0)
		r = proxy_new(monitor->loopback_fd, ret_proxy);
	if (r == 0)
		r = monitor_confine_worker(reader_pid);
	if (r == 0 && send(worker->reader_fd, "", 1, MSG_NOSIGNAL) != 1)
		r = -errno;
	return r;
}

void monitor_work(const struct monitor *monitor, int reader_fd, int reader_pid)
{
	struct worker worker = {
		.reader_fd = reader_fd, .inotify_fd = monitor->inotify_fd, .is_stale = true};
	struct pollfd fds[3] = {
		{.fd = reader_fd}, {.events = POLLIN}, {.fd = -1, .events = POLLIN}};
	struct proxy *proxy = NULL;
	int r;

	close_others(monitor, reader_fd);
	r = prepare(monitor, &worker, reader_pid, &proxy);
	if (r == 0)
		fds[1].fd = lcx__dns_server_fd(worker.server);
	if (r == 0 && proxy)
		fds[2].fd = proxy_fd(proxy);
	while (r == 0) {
		if ((poll(fds, 3, -1) < 0 && errno != EINTR) || fds[0].revents)
			break;
		r = lcx__dns_server_dispatch(worker.server);
		if (r == 0 && proxy)
			r = proxy_dispatch(proxy, look, &worker);
	}
	_exit(r < 0 ? -r : 1);
}
