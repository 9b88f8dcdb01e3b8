/* SPDX-License-Identifier: MIT */

/*
 * The parent of macvlan and ipvlan networks. One named "eth0.10" that is not there is made: number
 * 10 of the VLANs on eth0. It is marked and set up in the very send(2) that makes it, and known
 * there by an index of our choice: so a process that is killed leaves either none or one with a
 * mark, and another's interface that comes by that name is not touched.
 */
#include <linux/rtnetlink.h>
#include <string.h>

#include "net/driver.h"
#include "netlink/branch.h"

enum { VLAN_LIMIT = 4094 };

/* "eth0.10": false if it is not of that form. */
static bool split(const char *parent, char base[static IFNAMSIZ], uint32_t *ret_vlan)
{
	const char *dot = strrchr(parent, '.');
	uint64_t vlan;

	if (!dot || dot == parent || lcx__parse_u64(dot + 1, VLAN_LIMIT, &vlan) < 0 || vlan == 0)
		return false;
	(void)snprintf(base, IFNAMSIZ, "%.*s", (int)(dot - parent), parent);
	*ret_vlan = (uint32_t)vlan;
	return true;
}

/* As lcx_link_open(), but 0 when there is none, and 1 when there is. */
static int find(struct lcx_netlink *nl, const char *name, struct lcx_link **ret,
		struct lcx_error **err)
{
	CLEANUP(lcx_error_freep) struct lcx_error *e = NULL;
	int r = lcx_link_open(nl, name, ret, &e);

	if (r == -ENODEV)
		return 0;
	return r < 0 ? lcx__fail(err, -r, "%s", lcx_error_message(e)) : 1;
}

static int make_vlan(struct lcx_ctx *ctx, struct lcx_netlink *nl, const struct lcx_network *network,
		     const char *base, uint32_t vlan, struct lcx_error **err)
{
	CLEANUP(lcx__nl_batch_free) struct lcx__nl_batch batch = NL_BATCH_EMPTY;
	CLEANUP(lcx_link_freep) struct lcx_link *link = NULL;
	struct lcx__branch branch = {.kind = &lcx__vlan, .name = network->parent, .mode = vlan};
	char mark[NET_MARK_SIZE];
	struct lcx__link_change up = {
		.alias = mark, .up = true, .no_ipv6_address = lcx__ipv6_is_there()};
	int r = find(nl, base, &link, err);

	if (r <= 0)
		return r < 0 ? r
			     : lcx__fail(err, ENODEV,
					 "network '%s': there is no interface '%s' to make '%s' on",
					 network->name, base, network->parent);
	r = lcx__branch_choose_index(&branch.index);
	if (r < 0)
		return lcx__fail_sys(err, -r, "draw a random number");
	branch.parent = lcx_link_index(link);
	lcx__net_mark(ctx, network->name, mark);
	lcx__branch_put(&batch, &branch);
	lcx__link_put_change(&batch, NULL, branch.index, &up);
	r = lcx__nl_exchange(nl, &batch, NULL, NULL, NULL);
	if (r == -EOPNOTSUPP)
		return lcx__fail(err, EOPNOTSUPP,
				 "network '%s': this kernel has no VLANs (CONFIG_VLAN_8021Q)",
				 network->name);
	if (r < 0)
		(void)lcx__nl_fail(nl, err, -r, "network '%s': make '%s' on '%s'", network->name,
				   network->parent, base);
	/* By the index: what has the name may be another's. */
	if (r < 0)
		(void)lcx_link_destroy(nl, branch.index, NULL);
	return r;
}

/* Made by a network of another root directory, which will remove it. */
static bool is_of_another(struct lcx_ctx *ctx, const struct lcx_network *network,
			  const struct lcx_link *link)
{
	char mark[NET_MARK_SIZE];

	lcx__net_mark(ctx, network->name, mark);
	return strncmp(lcx_link_alias(link), "lcx:", 4) == 0 &&
	       strcmp(lcx_link_alias(link), mark) != 0;
}

static int check(struct lcx_ctx *ctx, const struct lcx_network *network,
		 const struct lcx_link *link, struct lcx_error **err)
{
	if (is_of_another(ctx, network, link))
		return lcx__fail(err, EBUSY,
				 "network '%s': parent '%s' was made by another network, and goes "
				 "with that; choose another",
				 network->name, network->parent);
	if (!(lcx_link_flags(link) & IFF_UP))
		return lcx__fail(err, ENETDOWN, "network '%s': parent '%s' is down; set it up",
				 network->name, network->parent);
	if (network->mtu > lcx_link_mtu(link))
		return lcx__fail(err, EINVAL,
				 "network '%s': its MTU of %u is larger than %u, that of parent "
				 "'%s'",
				 network->name, network->mtu, lcx_link_mtu(link), network->parent);
	return 0;
}

int lcx__parent_ensure(struct lcx_ctx *ctx, struct lcx_netlink *nl,
		       const struct lcx_network *network, struct lcx__bridge *ret,
		       struct lcx_error **err)
{
	CLEANUP(lcx_link_freep) struct lcx_link *link = NULL;
	char base[IFNAMSIZ];
	uint32_t vlan = 0;
	int r = find(nl, network->parent, &link, err);

	if (r == 0 && !split(network->parent, base, &vlan))
		return lcx__fail(err, ENODEV, "network '%s': there is no interface '%s'",
				 network->name, network->parent);
	if (r == 0) {
		r = make_vlan(ctx, nl, network, base, vlan, err);
		if (r == 0)
			r = lcx_link_open(nl, network->parent, &link, err);
	}
	if (r >= 0)
		r = check(ctx, network, link, err);
	if (r < 0)
		return r;
	ret->index = lcx_link_index(link);
	ret->mtu = network->mtu != 0 ? network->mtu : lcx_link_mtu(link);
	return 0;
}

int lcx__parent_remove(struct lcx_ctx *ctx, struct lcx_netlink *nl, struct lcx_netlink **nft,
		       const struct lcx_network *network, struct lcx_error **err)
{
	CLEANUP(lcx_error_freep) struct lcx_error *e = NULL;
	CLEANUP(lcx_link_freep) struct lcx_link *link = NULL;
	char mark[NET_MARK_SIZE];
	int r = find(nl, network->parent, &link, err);

	(void)nft;
	lcx__net_mark(ctx, network->name, mark);
	if (r <= 0 || strcmp(lcx_link_alias(link), mark) != 0)
		return r < 0 ? r : 0;
	r = lcx_link_destroy(nl, lcx_link_index(link), &e);
	return r < 0 && r != -ENODEV ? lcx__fail(err, -r, "%s", lcx_error_message(e)) : 0;
}
