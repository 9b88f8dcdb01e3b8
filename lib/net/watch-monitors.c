/* SPDX-License-Identifier: MIT */

/*
 * Monitors that die. Each is watched by a pidfd; which ones there are is looked up anew whenever
 * one has ended, or the firewall says that something leads to one: whoever starts a monitor makes
 * such an entry after it. One that was ended with its network has no file any more; one that has a
 * file, and lives no longer, was killed.
 *
 * What kills one may kill the next as well: between two starts there is a pause.
 */
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>

#include "net/driver.h"
#include "net/monitor.h"
#include "net/watch.h"

enum { PAUSE_MS = 1000, FAILED_PAUSE_MS = 10000 };

static int add(int epoll_fd, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static void forget_all(struct lcx__watched_monitors *watched)
{
	while (watched->count > 0)
		closep(&watched->pidfds[--watched->count]);
	free(watched->pidfds);
	watched->pidfds = NULL;
}

static int remember(struct lcx__watched_monitors *watched, int *pidfd, struct lcx_error **err)
{
	int *more = reallocarray(watched->pidfds, watched->count + 1, sizeof(*more));
	int r;

	if (!more)
		return lcx__fail_nomem(err);
	watched->pidfds = more;
	r = add(watched->epoll_fd, *pidfd);
	if (r < 0)
		return lcx__fail_sys(err, -r, "watch a monitor");
	watched->pidfds[watched->count++] = TAKE_FD(*pidfd);
	return 0;
}

static void wake_in(const struct lcx__watched_monitors *watched, int64_t ns)
{
	struct itimerspec in = {
		.it_value = {.tv_sec = ns / 1000000000, .tv_nsec = ns > 0 ? ns % 1000000000 : 1}};

	(void)timerfd_settime(watched->timer_fd, 0, &in, NULL);
}

/* With the network's lock, so that nobody ends it, or the network, meanwhile. */
static int revive(struct lcx_ctx *ctx, const char *name, struct lcx_error **err)
{
	CLEANUP(closep) int networks_fd = lcx__net_networks_dir(ctx, err), records_fd = -1;
	CLEANUP(lcx_network_freep) struct lcx_network *network = NULL;
	CLEANUP(lcx_netlink_freep) struct lcx_netlink *nl = NULL;
	CLEANUP(lcx_link_freep) struct lcx_link *bridge = NULL;
	int r;

	if (networks_fd < 0)
		return networks_fd;
	r = lcx__network_read(networks_fd, name, &network, err);
	if (r < 0 || lcx__driver_of(network)->branch)
		return r == -ENOENT ? 0 : r;
	records_fd = lcx__net_records_lock(ctx, name, err);
	if (records_fd < 0)
		return records_fd;
	r = lcx_netlink_open(&nl, err);
	/* Without the bridge there is no place for it to be asked at. */
	if (r < 0 || lcx__bridge_find(ctx, nl, network, &bridge, NULL) <= 0)
		return r;
	return lcx__monitor_revive(ctx, network, records_fd, err);
}

/* 1 when it was started again; -EAGAIN, without words, when that is to be done later. */
static int look_at(struct lcx__watched_monitors *watched, const char *name, bool may_start,
		   struct lcx_error **err)
{
	CLEANUP(closep) int records_fd = lcx__net_records_dir(watched->ctx, name, err), pidfd = -1;
	int revived = 0, r;

	if (records_fd < 0)
		return records_fd == -ENOENT ? 0 : records_fd;
	pidfd = lcx__monitor_open(records_fd);
	if (pidfd == -ESRCH) {
		if (!may_start)
			return -EAGAIN;
		revived = revive(watched->ctx, name, err);
		if (revived <= 0)
			return revived;
		pidfd = lcx__monitor_open(records_fd);
	}
	/* None; or one that says in a moment which process it is, and makes an entry then. */
	if (pidfd == -ENOENT || pidfd == -EAGAIN || pidfd == -ESRCH)
		return revived;
	if (pidfd < 0)
		return lcx__fail_sys(err, -pidfd, "open the monitor of network '%s'", name);
	r = remember(watched, &pidfd, err);
	return r < 0 ? r : revived;
}

static int look_at_all(struct lcx__watched_monitors *watched, char *const *names,
		       struct lcx_error **err)
{
	struct lcx__troubles troubles = TROUBLES_NONE;
	int64_t now = lcx__monotonic_ns(), pause_ms = 0;
	bool may_start = now >= watched->next_ns, revived = false, later = false;
	int r;

	for (size_t i = 0; names[i]; i++) {
		struct lcx_error *e = NULL;

		r = look_at(watched, names[i], may_start, &e);
		revived = revived || r > 0;
		later = later || r == -EAGAIN;
		lcx__troubles_add(&troubles, r == -EAGAIN ? 0 : r, &e);
	}
	r = lcx__troubles_end(&troubles, err);
	pause_ms = r < 0 ? FAILED_PAUSE_MS : revived ? PAUSE_MS : 0;
	if (pause_ms > 0)
		watched->next_ns = now + pause_ms * 1000000;
	if (r < 0 || later)
		wake_in(watched, watched->next_ns - now);
	return r < 0 ? r : revived;
}

int lcx__watched_monitors_look(struct lcx__watched_monitors *watched, struct lcx_error **err)
{
	CLEANUP(lcx__strv_freep) char **names = NULL;
	CLEANUP(closep) int networks_fd = lcx__net_networks_dir(watched->ctx, err);
	uint64_t expirations;
	int r;

	if (networks_fd < 0)
		return networks_fd;
	r = lcx__net_list_names(networks_fd, false, &names);
	if (r < 0)
		return lcx__fail_sys(err, -r, "list networks");
	(void)!read(watched->timer_fd, &expirations, sizeof(expirations));
	forget_all(watched);
	return look_at_all(watched, names, err);
}

int lcx__watched_monitors_open(struct lcx_ctx *ctx, int epoll_fd, struct lcx__watched_monitors *ret,
			       struct lcx_error **err)
{
	int r;

	*ret = (struct lcx__watched_monitors){.ctx = ctx, .epoll_fd = epoll_fd};
	ret->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	r = ret->timer_fd < 0 ? -errno : add(epoll_fd, ret->timer_fd);
	if (r < 0)
		return lcx__fail_sys(err, -r, "make a timer");
	/* Those that died before are the first dispatch's. */
	wake_in(ret, 0);
	return 0;
}

void lcx__watched_monitors_close(struct lcx__watched_monitors *watched)
{
	forget_all(watched);
	closep(&watched->timer_fd);
}
