/* SPDX-License-Identifier: MIT */

/*
 * A container's branch of a parent interface. It has no end on the host's side: it is found by
 * the number that the host's kernel has for the container's namespace, and its index there. Both
 * stand in the record before it is made. The index is random: should the number come to mean
 * another namespace, there is nothing of that index in it.
 */
#include <linux/rtnetlink.h>
#include <string.h>

#include "net/driver.h"
#include "netlink/branch.h"
#include "netlink/remove.h"

bool lcx__branch_is(const struct lcx_attachment *attachment)
{
	return attachment->inner_index != 0;
}

int lcx__branch_plan(struct lcx_netlink *nl, struct lcx_attachment *attachment, int netns_fd,
		     struct lcx_error **err)
{
	int r = lcx__netns_number(nl, netns_fd, &attachment->netns_number, err);

	if (r < 0)
		return r;
	r = lcx__branch_choose_index(&attachment->inner_index);
	return r < 0 ? lcx__fail_sys(err, -r, "draw a random number") : 0;
}

static int fill_config(const struct lcx_network *network, const struct lcx_attachment *attachment,
		       const struct lcx__bridge *base, int netns_fd, struct lcx_link_config *config,
		       struct lcx_error **err)
{
	int r = lcx_link_config_set_mtu(config, base->mtu, err);

	if (r == 0 && lcx__driver_gives_mac(network))
		r = lcx_link_config_set_mac(config, attachment->mac, err);
	return r < 0 ? r : lcx_link_config_set_netns_fd(config, netns_fd, err);
}

int lcx__branch_connect(struct lcx_ctx *ctx, struct lcx_netlink *nl,
			const struct lcx_network *network, struct lcx_attachment *attachment,
			const struct lcx__bridge *base, int netns_fd, struct lcx_error **err)
{
	CLEANUP(lcx_link_config_freep) struct lcx_link_config *config = NULL;
	CLEANUP(lcx__nl_batch_free) struct lcx__nl_batch batch = NL_BATCH_EMPTY;
	const struct net_driver *driver = lcx__driver_of(network);
	struct lcx__branch branch = {
		.kind = driver->branch,
		.name = attachment->interface,
		.index = attachment->inner_index,
		.parent = base->index,
		.mode = lcx__driver_mode(network),
		.flags = lcx__driver_flags(network),
	};
	int r = lcx_link_config_new(&config, err);

	(void)ctx;
	if (r == 0)
		r = fill_config(network, attachment, base, netns_fd, config, err);
	if (r < 0)
		return r;
	branch.config = config;
	lcx__branch_put(&batch, &branch);
	r = lcx__nl_exchange(nl, &batch, NULL, NULL, NULL);
	if (r == -EOPNOTSUPP)
		return lcx__nl_fail(nl, err, EOPNOTSUPP,
				    "this kernel has no %s (%s); use driver 'bridge'", driver->name,
				    driver->missing);
	if (r == -EBUSY || (r == -EINVAL && strcmp(network->mode, "passthru") == 0))
		return lcx__nl_fail(nl, err, -r,
				    "parent '%s' is taken: by a bridge, by a driver of another "
				    "kind, or by the one interface of mode 'passthru'",
				    network->parent);
	return r < 0 ? lcx__nl_fail(nl, err, -r, "make '%s' on '%s'", attachment->interface,
				    network->parent)
		     : 0;
}

/* A number that is nobody's, or an index that is not there: it is gone. */
int lcx__branch_undo(struct lcx_netlink *nl, const struct lcx_attachment *record,
		     struct lcx_error **err)
{
	const struct lcx__link_place place = {record->netns_number, record->inner_index};
	CLEANUP(lcx_link_freep) struct lcx_link *link = NULL;
	int r = lcx__link_open_there(nl, place.netns_number, place.index, &link, err);

	if (r < 0)
		return r == -ENODEV ? 0 : r;
	return lcx__links_remove(nl, &place, 1, err);
}
