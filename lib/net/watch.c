/* SPDX-License-Identifier: MIT */

/*
 * Watching the firewall. Whoever loads a rule set of his own begins it with "flush ruleset", and
 * our table is gone with all others: the kernel then tells the deletion of each. Only that is
 * listened for. A change of the table's contents is the will of an administrator, and a table that
 * is deleted because the last bridge went is not put back, since there is no bridge.
 */
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

#include "net/firewall-internal.h"
#include "net/net-internal.h"

enum {
	BUFFER_SIZE = 64 * 1024,
	AT_ONCE = 256, /* datagrams that one dispatch reads: the next one reads on */
};

struct lcx_net_watch {
	struct lcx_ctx *ctx;
	struct lcx_netlink *nl;
	_Alignas(struct nlmsghdr) uint8_t buffer[BUFFER_SIZE];
};

DEFINE_CLEANUP(struct lcx_net_watch *, lcx_net_watch_free)

LCX_PUBLIC int lcx_net_watch_open(struct lcx_ctx *ctx, struct lcx_net_watch **ret,
				  struct lcx_error **err)
{
	CLEANUP(lcx_net_watch_freep) struct lcx_net_watch *watch = calloc(1, sizeof(*watch));
	int group = NFNLGRP_NFTABLES, r;

	if (!watch)
		return lcx__fail_nomem(err);
	watch->ctx = ctx;
	r = lcx__firewall_open(&watch->nl, err);
	if (r < 0)
		return r;
	if (setsockopt(lcx_netlink_fd(watch->nl), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group,
		       sizeof(group)) < 0)
		return lcx__fail_sys(err, errno, "watch the firewall");
	*ret = TAKE_PTR(watch);
	return 0;
}

LCX_PUBLIC int lcx_net_watch_fd(const struct lcx_net_watch *watch)
{
	return lcx_netlink_fd(watch->nl);
}

static bool tells_of_loss(const uint8_t *data, size_t length)
{
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)data;
	int left = (int)length;

	for (; mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left))
		if (lcx__nft_is_table_deletion(nlh, LCX_TABLE))
			return true;
	return false;
}

/* One datagram: 1 if it may tell of a loss, 0 if not, -EAGAIN after the last. */
static int read_one(struct lcx_net_watch *watch)
{
	struct sockaddr_nl from = {0};
	struct iovec iov = {.iov_base = watch->buffer, .iov_len = sizeof(watch->buffer)};
	struct msghdr msg = {
		.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n = recvmsg(lcx_netlink_fd(watch->nl), &msg, MSG_DONTWAIT);

	/* More happened than there was room for. */
	if (n < 0)
		return errno == ENOBUFS ? 1 : errno == EINTR ? 0 : -errno;
	if (msg.msg_namelen != sizeof(from) || from.nl_pid != 0)
		return 0;
	return msg.msg_flags & MSG_TRUNC || tells_of_loss(watch->buffer, (size_t)n);
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

LCX_PUBLIC int lcx_net_watch_dispatch(struct lcx_net_watch *watch, struct lcx_error **err)
{
	bool lost = false;
	int r = 0;

	for (int i = 0; i < AT_ONCE && r >= 0; i++) {
		r = read_one(watch);
		lost = lost || r == 1;
	}
	if (r < 0 && r != -EAGAIN && r != -EWOULDBLOCK)
		return lcx__fail_sys(err, -r, "watch the firewall");
	return lost ? put_back(watch, err) : 0;
}

LCX_PUBLIC struct lcx_net_watch *lcx_net_watch_free(struct lcx_net_watch *watch)
{
	if (!watch)
		return NULL;
	(void)lcx_netlink_free(watch->nl);
	free(watch);
	return NULL;
}
