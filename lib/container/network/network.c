/* SPDX-License-Identifier: MIT */

/* Networks of a container that runs. */
#include "container/network/network.h"

#include <string.h>

#include "lcx/ns.h"
#include "net/net.h"
#include "netlink/netlink.h"
#include "ns/ns.h"

/* The network namespace of a running container that has one of its own; else -ESRCH, -EINVAL. */
static int open_netns(struct lcx_container *c, struct lcx_error **err)
{
	CLEANUP(closep) int pidfd = lcx__container_open_running(c, err), netns_fd = -1, own_fd = -1;
	int r;

	if (pidfd < 0)
		return pidfd;
	netns_fd = lcx_ns_open_pidfd(pidfd, LCX_NS_NET, err);
	own_fd = netns_fd < 0 ? -1 : lcx_ns_open_pid(0, LCX_NS_NET, err);
	if (netns_fd < 0 || own_fd < 0)
		return netns_fd < 0 ? netns_fd : own_fd;
	if (lcx__network_is_shared(c->d.network))
		return lcx__fail(err, EINVAL,
				 "container '%s' shares %s network: it cannot be connected",
				 lcx__container_display(c),
				 strcmp(c->d.network, "host") == 0 ? "the host's" : "another's");
	r = lcx_ns_is_same(netns_fd, own_fd, err);
	if (r > 0)
		return lcx__fail(err, EINVAL,
				 "container '%s' shares the host's network: it cannot be connected",
				 lcx__container_display(c));
	return r < 0 ? r : TAKE_FD(netns_fd);
}

LCX_PUBLIC int lcx_container_trace(struct lcx_container *c, char **ret, struct lcx_error **err)
{
	CLEANUP(closep) int pidfd = lcx__container_open_running(c, err), netns_fd = -1;

	if (pidfd < 0)
		return pidfd;
	netns_fd = lcx_ns_open_pidfd(pidfd, LCX_NS_NET, err);
	return netns_fd < 0 ? netns_fd : lcx_net_trace(c->ctx, c->d.id, netns_fd, ret, err);
}

static int check_not_connected(struct lcx_container *c, const char *network, struct lcx_error **err)
{
	CLEANUP(lcx_attachment_freep) struct lcx_attachment *there = NULL;

	if (lcx_attachment_open(c->ctx, network, c->d.id, &there, NULL) == 0)
		return lcx__fail(err, EEXIST,
				 "container '%s' is connected with network '%s' already",
				 lcx__container_display(c), network);
	return 0;
}

static int connect_locked(struct lcx_container *c, struct lcx_network *network,
			  struct lcx_attachment *attachment, struct lcx_error **err)
{
	CLEANUP(lcx_netlink_freep) struct lcx_netlink *inner = NULL;
	CLEANUP(closep) int netns_fd = open_netns(c, err);
	int r;

	if (netns_fd < 0)
		return netns_fd;
	r = check_not_connected(c, lcx_network_name(network), err);
	if (r == 0)
		r = lcx_netlink_open_netns(netns_fd, &inner, err);
	if (r == 0)
		r = lcx__network_plan(c->ctx, network, attachment, err);
	/* The end of the container takes it down with all the rest. */
	if (r == 0)
		r = lcx__journal_add(c->run_fd, "network", lcx_network_name(network), err);
	if (r == 0)
		r = lcx__network_apply(c->ctx, network, attachment, netns_fd, lcx_netlink_fd(inner),
				       err);
	return r;
}

LCX_PUBLIC int lcx_container_connect(struct lcx_container *c, const char *network,
				     struct lcx_attachment *attachment, struct lcx_error **err)
{
	CLEANUP(lcx_attachment_freep) struct lcx_attachment *plain = NULL;
	CLEANUP(lcx_network_freep) struct lcx_network *opened = NULL;
	CLEANUP(closep) int lock_fd = -1;
	int r = lcx__container_check_created(c, err);

	if (r < 0)
		return r;
	if (attachment && strcmp(lcx_attachment_owner(attachment), c->d.id) != 0)
		return lcx__fail(err, EINVAL, "the attachment is of '%s', not of container '%s'",
				 lcx_attachment_owner(attachment), lcx__container_display(c));
	r = attachment ? 0 : lcx_attachment_new(c->d.id, &plain, err);
	if (r == 0)
		r = lcx__container_add_names(c, attachment ? attachment : plain, err);
	if (r == 0)
		r = lcx_network_open(c->ctx, network, &opened, err);
	if (r == 0)
		r = lcx__container_lock(c, &lock_fd, err);
	if (r == 0)
		r = connect_locked(c, opened, attachment ? attachment : plain, err);
	return r;
}

LCX_PUBLIC int lcx_container_disconnect(struct lcx_container *c, const char *network,
					struct lcx_error **err)
{
	CLEANUP(lcx_attachment_freep) struct lcx_attachment *there = NULL;
	CLEANUP(closep) int lock_fd = -1;
	int r = lcx__container_check_created(c, err);

	if (r == 0)
		r = lcx__container_lock(c, &lock_fd, err);
	if (r == 0)
		r = lcx_attachment_open(c->ctx, network, c->d.id, &there, err);
	return r < 0 ? r : lcx_network_detach(c->ctx, network, c->d.id, err);
}
