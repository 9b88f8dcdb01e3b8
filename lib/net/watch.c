/* SPDX-License-Identifier: MIT */

/*
 * Watching the firewall. Whoever loads a rule set of his own begins it with "flush ruleset", and
 * our table is gone with all others: the kernel then tells the deletion of each. A change of the
 * table's contents is the will of an administrator, and a table that is deleted because the last
 * bridge went is not put back, since there is no bridge. What else is listened for are entries that
 * lead to monitors (watch-monitors.c).
 */
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "net/firewall-internal.h"
#include "net/net-internal.h"
#include "net/watch.h"

enum {
	BUFFER_SIZE = 64 * 1024,
	AT_ONCE = 256, /* datagrams that one dispatch reads: the next one reads on */
};

struct lcx_net_watch {
	struct lcx_ctx *ctx;
	struct lcx_netlink *nl;
	struct lcx__watched_monitors monitors;
	int epoll_fd;
	_Alignas(struct nlmsghdr) uint8_t buffer[BUFFER_SIZE];
};

DEFINE_CLEANUP(struct lcx_net_watch *, lcx_net_watch_free)

static int listen_to_firewall(struct lcx_net_watch *watch, struct lcx_error **err)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = -1};
	int group = NFNLGRP_NFTABLES, fd;
	int r = lcx__firewall_open(&watch->nl, err);

	if (r < 0)
		return r;
	fd = lcx_netlink_fd(watch->nl);
	if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0 ||
	    epoll_ctl(watch->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
		return lcx__fail_sys(err, errno, "watch the firewall");
	return 0;
}

LCX_PUBLIC int lcx_net_watch_open(struct lcx_ctx *ctx, struct lcx_net_watch **ret,
				  struct lcx_error **err)
{
	CLEANUP(lcx_net_watch_freep) struct lcx_net_watch *watch = calloc(1, sizeof(*watch));
	int r;

	if (!watch)
		return lcx__fail_nomem(err);
	watch->ctx = ctx;
	watch->monitors.timer_fd = -1;
	watch->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (watch->epoll_fd < 0)
		return lcx__fail_sys(err, errno, "make an epoll descriptor");
	r = listen_to_firewall(watch, err);
	if (r == 0)
		r = lcx__watched_monitors_open(ctx, watch->epoll_fd, &watch->monitors, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(watch);
	return 0;
}

LCX_PUBLIC int lcx_net_watch_fd(const struct lcx_net_watch *watch)
{
	return watch->epoll_fd;
}

/* What an event is about. */
enum { NEWS_LOSS = 1, NEWS_MONITOR = 2, NEWS_ALL = 3 };

static int news_of(const struct nlmsghdr *nlh)
{
	static const char *const leading[] = {SET_NAMES, SET_NAMES6, SET_LOOPBACK6};

	if (lcx__nft_is_table_deletion(nlh, LCX_TABLE))
		return NEWS_LOSS;
	for (size_t i = 0; i < ARRAY_SIZE(leading); i++)
		if (lcx__nft_is_new_element(nlh, LCX_TABLE, leading[i]))
			return NEWS_MONITOR;
	return 0;
}

static int news_in(const uint8_t *data, size_t length)
{
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)data;
	int left = (int)length, news = 0;

	for (; mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left))
		news |= news_of(nlh);
	return news;
}

/* One datagram: what it may tell of; -EAGAIN after the last. */
static int read_one(struct lcx_net_watch *watch)
{
	struct sockaddr_nl from = {0};
	struct iovec iov = {.iov_base = watch->buffer, .iov_len = sizeof(watch->buffer)};
	struct msghdr msg = {
		.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n = recvmsg(lcx_netlink_fd(watch->nl), &msg, MSG_DONTWAIT);

	/* More happened than there was room for. */
	if (n < 0)
		return errno == ENOBUFS ? NEWS_ALL : errno == EINTR ? 0 : -errno;
	if (msg.msg_namelen != sizeof(from) || from.nl_pid != 0)
		return 0;
	return msg.msg_flags & MSG_TRUNC ? NEWS_ALL : news_in(watch->buffer, (size_t)n);
}

/* 1 when it was put back; 0 when it is there, or nothing needs it. */
static int put_back(struct lcx_net_watch *watch, struct lcx_error **err)
{
	CLEANUP(lcx_netlink_freep) struct lcx_netlink *nl = NULL;
	int r = lcx__firewall_open(&nl, err);

	if (r < 0)
		return r;
	if (lcx__nft_has_chain(nl, LCX_TABLE, "forward") == 0)
		return 0;
	r = lcx_net_reload(watch->ctx, err);
	return r < 0 ? r : lcx__nft_has_chain(nl, LCX_TABLE, "forward") == 0;
}

static int read_news(struct lcx_net_watch *watch)
{
	int news = 0, r = 0;

	for (int i = 0; i < AT_ONCE && r >= 0; i++) {
		r = read_one(watch);
		news |= r > 0 ? r : 0;
	}
	return r >= 0 || r == -EAGAIN || r == -EWOULDBLOCK ? news : r;
}

/* One has ended, or its pause has. */
static bool is_time_for_monitors(const struct lcx_net_watch *watch)
{
	enum { ENOUGH = 2 }; /* one of them is the firewall's */
	struct epoll_event events[ENOUGH];
	int n = epoll_wait(watch->epoll_fd, events, ENOUGH, 0);

	for (int i = 0; i < n; i++)
		if (events[i].data.fd >= 0)
			return true;
	return false;
}

LCX_PUBLIC int lcx_net_watch_dispatch(struct lcx_net_watch *watch, struct lcx_error **err)
{
	int news = read_news(watch), table = 0, monitors = 0;

	if (news < 0)
		return lcx__fail_sys(err, -news, "watch the firewall");
	if (news & NEWS_LOSS)
		table = put_back(watch, err);
	if (table < 0)
		return table;
	if (news != 0 || is_time_for_monitors(watch))
		monitors = lcx__watched_monitors_look(&watch->monitors, err);
	if (monitors < 0)
		return monitors;
	return (table ? LCX_NET_WATCH_TABLE : 0) | (monitors ? LCX_NET_WATCH_MONITOR : 0);
}

LCX_PUBLIC struct lcx_net_watch *lcx_net_watch_free(struct lcx_net_watch *watch)
{
	if (!watch)
		return NULL;
	lcx__watched_monitors_close(&watch->monitors);
	(void)lcx_netlink_free(watch->nl);
	closep(&watch->epoll_fd);
	free(watch);
	return NULL;
}
