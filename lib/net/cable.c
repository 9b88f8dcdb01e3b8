/* SPDX-License-Identifier: MIT */

/* The cable between a bridge and a container: one end of a veth pair each. */
#include "net/net-internal.h"

int lcx__cable_connect(struct lcx_ctx *ctx, struct lcx_netlink *nl,
		       const struct lcx_network *network, struct lcx_attachment *attachment,
		       const struct lcx__bridge *bridge, int netns_fd, struct lcx_error **err)
{
	CLEANUP(lcx_link_config_freep) struct lcx_link_config *host = NULL, *inner = NULL;
	CLEANUP(lcx__nl_batch_free) struct lcx__nl_batch batch = NL_BATCH_EMPTY;
	char mark[NET_MARK_SIZE];
	struct lcx__link_change up = {.up = true};
	struct lcx__link_change change = {
		.alias = mark,
		.no_ipv6_address = lcx__ipv6_is_there(),
		/* For a container that connects to its own published port, with br_netfilter. */
		.hairpin = attachment->port_count > 0 || attachment->hairpin || network->hairpin,
	};
	int r;

	lcx__net_mark(ctx, attachment->owner, mark);
	r = lcx_link_config_new(&host, err);
	if (r == 0)
		r = lcx_link_config_new(&inner, err);
	if (r == 0)
		r = lcx_link_config_set_master(host, bridge->index, err);
	if (r == 0)
		r = lcx_link_config_set_mtu(host, bridge->mtu, err);
	if (r == 0)
		r = lcx_link_config_set_mtu(inner, bridge->mtu, err);
	if (r == 0)
		r = lcx_link_config_set_mac(inner, attachment->mac, err);
	if (r == 0)
		r = lcx_link_config_set_netns_fd(inner, netns_fd, err);
	if (r < 0)
		return r;

	/* All in one send: the name was free a moment ago, and half of it is random. */
	lcx__shape_put_device(&batch, attachment, bridge->mtu, mark);
	lcx__link_put_veth(&batch, attachment->host_interface, host, attachment->interface, inner);
	/*
	 * Up by a message of its own: a change of what is up is news, for which the kernel goes
	 * through all its routes of IPv6.
	 */
	lcx__link_put_change(&batch, attachment->host_interface, 0, &change);
	lcx__link_put_change(&batch, attachment->host_interface, 0, &up);
	r = lcx__nl_exchange(nl, &batch, NULL, NULL, NULL);
	if (r == -EXFULL)
		return lcx__fail(
			err, ENOSPC,
			"bridge '%s' is full: the kernel allows 1023 containers on it; use another "
			"network",
			attachment->bridge);
	return r < 0 ? lcx__nl_fail(nl, err, -r, "connect '%s' with bridge '%s'",
				    attachment->interface, attachment->bridge)
		     : 0;
}
