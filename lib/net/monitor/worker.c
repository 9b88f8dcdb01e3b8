/* SPDX-License-Identifier: MIT */
#include "net/monitor/monitor.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dns/server.h"
#include "util/cleanup.h"

struct worker {
	int reader_fd, inotify_fd;
	void *table; /* mapped */
	size_t size;
	bool is_stale;
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

static int map_table(struct worker *worker, struct lcx__dns_table *table)
{
	uint64_t size = 0;
	CLEANUP(closep) int fd = receive_table(worker->reader_fd, &size);
	void *memory;

	if (fd < 0)
		return fd;
	memory = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (memory == MAP_FAILED)
		return -errno;
	if (lcx__dns_table_open(memory, size, table) < 0) {
		(void)munmap(memory, size);
		return -EBADMSG;
	}
	if (worker->table)
		(void)munmap(worker->table, worker->size);
	worker->table = memory;
	worker->size = size;
	return 0;
}

static int refresh(void *data, struct lcx__dns_table *table)
{
	struct worker *worker = data;

	/* News that can't be read are taken for some. */
	if (lcx__names_news(worker->inotify_fd) != 0)
		worker->is_stale = true;
	if (!worker->is_stale)
		return 0;
	if (send(worker->reader_fd, "", 1, MSG_NOSIGNAL) != 1)
		_exit(1);
	worker->is_stale = map_table(worker, table) < 0;
	return worker->is_stale ? 0 : 1;
}

/* All that was inherited but what it works with: neither the directories, nor the lock. */
static void close_others(const struct monitor *monitor, int reader_fd)
{
	enum { FIRST = 3, BEHIND_LAST = 256 };

	for (int fd = FIRST; fd < BEHIND_LAST; fd++) {
		bool kept = fd == reader_fd || fd == monitor->inotify_fd;

		for (size_t i = 0; i < monitor->n_sockets; i++)
			kept = kept || fd == monitor->sockets[i];
		if (!kept)
			(void)close(fd);
	}
}

void monitor_work(const struct monitor *monitor, int reader_fd, int reader_pid)
{
	struct worker worker = {
		.reader_fd = reader_fd, .inotify_fd = monitor->inotify_fd, .is_stale = true};
	struct lcx__dns_server *server = NULL;
	struct pollfd fds[2] = {{.events = POLLIN}, {.fd = reader_fd}};
	int r;

	close_others(monitor, reader_fd);
	r = lcx__dns_server_new(monitor->sockets, monitor->n_sockets, refresh, &worker, &server);
	if (r == 0)
		r = monitor_confine_worker(reader_pid);
	if (r == 0 && send(reader_fd, "", 1, MSG_NOSIGNAL) != 1)
		r = -errno;
	while (r == 0) {
		fds[0].fd = lcx__dns_server_fd(server);
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			break;
		if (fds[1].revents)
			break;
		r = lcx__dns_server_dispatch(server);
	}
	_exit(r < 0 ? -r : 1);
}
