/* SPDX-License-Identifier: MIT */

/*
 * A socket of the firewall's that a context keeps from one call to the next.
 *
 * The kernel lets the closing of any such socket wait until what was removed from its tables is
 * out of use everywhere, some ten milliseconds: whoever has removed something would pay for it, and
 * so would he who attaches the next container. One that stays open closes with its context; and if
 * that is closed within that time, it is left to somebody else to close it.
 *
 * A socket is of the network namespace, and of the process, that made it. Its caller may be in
 * another one by now, which its namespace's number tells; kernels before 5.14 do not tell it, and
 * nothing is kept there.
 */
#include <sys/socket.h>

#include "net/firewall-internal.h"
#include "netlink/remove.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

struct kept {
	struct lcx_netlink *nl;
	uint64_t namespace;
	pid_t pid;
	int64_t removed_ns; /* when something was removed by it; 0: not lately */
};

static void free_kept(void *data)
{
	enum { LONG_MS = 200 };
	struct kept *kept = data;

	/* In a child of that process it is not the last one. */
	if (kept->nl && kept->pid == getpid() && kept->removed_ns != 0 &&
	    lcx__monotonic_ns() - kept->removed_ns < (int64_t)LONG_MS * 1000000)
		lcx__netlink_leave(kept->nl);
	else
		(void)lcx_netlink_free(kept->nl);
	free(kept);
}

/* 0: it is not told. */
static uint64_t namespace_of(int socket_fd)
{
	uint64_t cookie = 0;
	socklen_t length = sizeof(cookie);

	return getsockopt(socket_fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &length) < 0 ? 0
											: cookie;
}

static uint64_t own_namespace(void)
{
	CLEANUP(closep) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return fd < 0 ? 0 : namespace_of(fd);
}

struct lcx_netlink *lcx__firewall_take(struct lcx_ctx *ctx)
{
	struct kept *kept = ctx->firewall;
	struct lcx_netlink *nl;

	if (!kept)
		return NULL;
	ctx->firewall = NULL;
	ctx->free_firewall = NULL;
	if (kept->pid != getpid() || kept->namespace != own_namespace()) {
		free_kept(kept);
		return NULL;
	}
	nl = TAKE_PTR(kept->nl);
	free_kept(kept);
	return nl;
}

void lcx__firewall_keep(struct lcx_ctx *ctx, struct lcx_netlink **nft, bool has_removed)
{
	struct kept *kept;

	if (!*nft || ctx->firewall || namespace_of(lcx_netlink_fd(*nft)) == 0)
		return;
	kept = malloc(sizeof(*kept));
	if (!kept)
		return;
	*kept = (struct kept){
		.namespace = namespace_of(lcx_netlink_fd(*nft)),
		.pid = getpid(),
		.removed_ns = has_removed ? lcx__monotonic_ns() : 0,
	};
	kept->nl = TAKE_PTR(*nft);
	ctx->firewall = kept;
	ctx->free_firewall = free_kept;
}
