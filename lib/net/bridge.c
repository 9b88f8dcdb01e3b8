/* SPDX-License-Identifier: MIT */

/*
 * A network's bridge: there while a container is attached.
 *
 * It is made down; then it gets its mark, then the firewall knows it, then the
 * switches are set, then it gets its address, and it is set up last. So a bridge
 * that is up is complete, and one that is ours and not up is what a killed process
 * has left: the steps are repeated on it, and what is there already is fine.
 *
 * The kernel takes no alias for an interface in the making. Until the mark is there
 * the bridge is known by its MAC address, which is made of the network's gateway and
 * which RTM_NEWLINK does set.
 */
#include <linux/rtnetlink.h>
#include <string.h>

#include "net/monitor.h"
#include "net/net-internal.h"
#include "netlink/remove.h"
#include "util/weaken.h"

static int derive_mac(const struct lcx_network *network, char mac[static NET_MAC_SIZE])
{
	struct lcx__inet gateway;

	if (lcx__inet_parse_address(network->subnets[0].gateway, &gateway) < 0)
		return -EINVAL;
	lcx__attachment_derive_mac(&gateway, mac);
	return 0;
}

/* By its mark, or made by a process that was killed before it could set one. */
static bool is_ours(struct lcx_ctx *ctx, const struct lcx_network *network,
		    const struct lcx_link *link)
{
	char mark[NET_MARK_SIZE], mac[NET_MAC_SIZE];

	if (strcmp(lcx_link_kind(link), "bridge") != 0)
		return false;
	lcx__net_mark(ctx, network->name, mark);
	if (lcx_link_alias(link)[0] != '\0')
		return strcmp(lcx_link_alias(link), mark) == 0;
	return derive_mac(network, mac) == 0 && strcmp(lcx_link_mac(link), mac) == 0;
}

int lcx__bridge_find(struct lcx_ctx *ctx, struct lcx_netlink *nl, const struct lcx_network *network,
		     struct lcx_link **ret, struct lcx_error **err)
{
	CLEANUP(lcx_error_freep) struct lcx_error *ignored = NULL;
	CLEANUP(lcx_link_freep) struct lcx_link *link = NULL;
	int r;

	r = lcx_link_open(nl, network->bridge, &link, &ignored);
	if (r == -ENODEV)
		return 0;
	if (r < 0)
		return lcx__fail(err, -r, "%s", lcx_error_message(ignored));
	if (!is_ours(ctx, network, link))
		return lcx__fail(
			err, EEXIST,
			"network '%s': interface '%s' is there and is not ours (%s, alias \"%s\"); "
			"remove it, or create the network with another bridge name",
			network->name, network->bridge,
			lcx_link_kind(link)[0] ? lcx_link_kind(link) : "hardware",
			lcx_link_alias(link));
	*ret = TAKE_PTR(link);
	return 1;
}

int lcx__default_route_link(struct lcx_netlink *nl, struct lcx_link **ret)
{
	CLEANUP(lcx_route_list_freep) struct lcx_route_list *routes = NULL;
	int r = lcx_route_list_open(nl, &routes, NULL);

	while (r == 0 && lcx_route_list_next(routes))
		if ((strcmp(lcx_route_list_destination(routes), "0.0.0.0/0") == 0 ||
		     strcmp(lcx_route_list_destination(routes), "::/0") == 0) &&
		    lcx_route_list_index(routes) != 0)
			return lcx_link_open_index(nl, lcx_route_list_index(routes), ret, NULL);
	return r < 0 ? r : -ENOENT;
}

/* That of the way out: a larger one would lose packets, a smaller one time. */
static uint32_t default_mtu(struct lcx_netlink *nl)
{
	CLEANUP(lcx_link_freep) struct lcx_link *link = NULL;

	if (lcx__default_route_link(nl, &link) < 0 || lcx_link_mtu(link) < 68 ||
	    lcx_link_mtu(link) > 65535)
		return 0;
	return lcx_link_mtu(link);
}

static int make(struct lcx_ctx *ctx, struct lcx_netlink *nl, const struct lcx_network *network,
		struct lcx_error **err)
{
	CLEANUP(lcx_link_config_freep) struct lcx_link_config *config = NULL;
	uint32_t mtu = network->mtu != 0 ? network->mtu : default_mtu(nl);
	char mark[NET_MARK_SIZE], mac[NET_MAC_SIZE];
	int r;

	if (derive_mac(network, mac) < 0)
		return lcx__fail(err, EINVAL, "'%s' is not an address",
				 network->subnets[0].gateway);
	lcx__net_mark(ctx, network->name, mark);
	r = lcx_link_config_new(&config, err);
	if (r == 0 && mtu != 0)
		r = lcx_link_config_set_mtu(config, mtu, err);
	if (r == 0)
		r = lcx_link_config_set_mac(config, mac, err);
	if (r == 0)
		r = lcx_link_config_set_alias(config, mark, err);
	if (r == 0)
		r = lcx_bridge_create(nl, network->bridge, config, err);
	return r;
}

/* Of a bridge's IPv6, where the kernel has any. */
static const struct {
	const char *name, *value;
	bool with_subnet_only;
} ipv6_switches[] = {
	/* Router advertisements come from routers, not from containers (CVE-2020-10749). */
	{"accept_ra", "0", false},
	{"autoconf", "0", false},
	/* The host may have switched IPv6 off for interfaces in general. */
	{"disable_ipv6", "0", true},
	/* Nobody else has made up our addresses: to wait for a denial would take a second. */
	{"accept_dad", "0", true},
};

static int set_ipv6_switches(const struct lcx_network *network, struct lcx_error **err)
{
	bool has_subnet = lcx__network_families(network) & 1u << NET_V6;
	int r = 0;

	if (!lcx__ipv6_is_there())
		return has_subnet ? lcx__fail(err, EAFNOSUPPORT,
					      "this kernel has no IPv6; create the network "
					      "without an IPv6 subnet")
				  : 0;
	for (size_t i = 0; i < ARRAY_SIZE(ipv6_switches) && r == 0; i++)
		if ((has_subnet || !ipv6_switches[i].with_subnet_only) &&
		    !(lcx__is_off(ROUTERS) && !ipv6_switches[i].with_subnet_only))
			r = lcx__sysctl_interface("ipv6", network->bridge, ipv6_switches[i].name,
						  ipv6_switches[i].value, err);
	return r;
}

static int set_switches(struct lcx_ctx *ctx, const struct lcx_network *network,
			struct lcx_error **err)
{
	int r = set_ipv6_switches(network, err);

	if (r < 0 || network->internal)
		return r;
	/* 127.0.0.1 as the source of a connection to a published port; the firewall guards it. */
	r = lcx__sysctl_interface("ipv4", network->bridge, "route_localnet", "1", err);
	return r < 0 ? r : lcx__forwarding_ensure(ctx, lcx__network_families(network), err);
}

static int set_addresses_and_up(struct lcx_ctx *ctx, struct lcx_netlink *nl,
				const struct lcx_network *network, uint32_t index,
				struct lcx_error **err)
{
	CLEANUP(lcx__nl_batch_free) struct lcx__nl_batch batch = NL_BATCH_EMPTY;
	char mark[NET_MARK_SIZE];
	struct lcx__link_change up = {
		.alias = mark, .up = true, .promiscuous = network->promiscuous};
	unsigned int failed = 0;
	int r;

	lcx__net_mark(ctx, network->name, mark);
	for (uint32_t i = 0; i < network->subnet_count; i++) {
		struct lcx__inet address, subnet;

		if (lcx__inet_parse_address(network->subnets[i].gateway, &address) < 0 ||
		    lcx__inet_parse(network->subnets[i].subnet, &subnet) < 0)
			return lcx__fail(err, EINVAL, "'%s' is not an address",
					 network->subnets[i].gateway);
		address.prefix = subnet.prefix;
		/* Replacing: no failure when a killed process has come this far. */
		lcx__address_put(&batch, RTM_NEWADDR,
				 NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, index,
				 &address);
	}
	lcx__link_put_change(&batch, NULL, index, &up);
	r = lcx__nl_exchange(nl, &batch, NULL, NULL, &failed);
	if (r < 0)
		return lcx__nl_fail(
			nl, err, -r, "%s %s", failed < network->subnet_count ? "address" : "set up",
			failed < network->subnet_count ? network->subnets[failed].gateway : "");
	return 0;
}

/*
 * Forwarding is on, and no bridge but the one in the making is there: it is somebody
 * else who has switched it on, whatever we remember of former times.
 */
static void forget_former_times(struct lcx_ctx *ctx, struct lcx_netlink *nl)
{
	net_families was_off = lcx__forwarding_was_off(ctx);
	net_families on = was_off & ~lcx__forwarding_off(was_off);
	unsigned int bridges = 0;

	if (on != 0 && lcx__firewall_count_bridges(nl, &bridges, NULL) == 0 && bridges <= 1)
		lcx__forwarding_forget(ctx, on);
}

static int complete(struct lcx_ctx *ctx, struct lcx_netlink *nl, const struct lcx_network *network,
		    uint32_t index, struct lcx_error **err)
{
	net_families guard =
		network->internal ? 0 : lcx__forwarding_off(lcx__network_families(network));
	char comment[NET_MARK_SIZE];
	int r;

	forget_former_times(ctx, nl);
	lcx__net_comment(ctx, network->name, comment);
	r = lcx__firewall_add_network(comment, network, guard | lcx__forwarding_was_off(ctx), err);
	if (r == 0)
		r = set_switches(ctx, network, err);
	if (r >= 0)
		r = set_addresses_and_up(ctx, nl, network, index, err);
	return r < 0 ? r : 0;
}

static int check_subnets(struct lcx_ctx *ctx, const struct lcx_network *network,
			 struct lcx_error **err)
{
	CLEANUP(closep) int networks_fd = lcx__net_networks_dir(ctx, err);
	int r = networks_fd < 0 ? networks_fd : 0;

	for (uint32_t i = 0; i < network->subnet_count && r == 0; i++)
		r = lcx__subnet_check(networks_fd, network, network->subnets[i].subnet, err);
	return r;
}

int lcx__bridge_ensure(struct lcx_ctx *ctx, struct lcx_netlink *nl,
		       const struct lcx_network *network, struct lcx__bridge *ret,
		       struct lcx_error **err)
{
	CLEANUP(lcx_netlink_freep) struct lcx_netlink *nft = NULL;
	CLEANUP(lcx_link_freep) struct lcx_link *link = NULL;
	int r = lcx__bridge_find(ctx, nl, network, &link, err);

	if (r < 0)
		return r;
	if (r == 0) {
		r = check_subnets(ctx, network, err);
		if (r == 0)
			r = make(ctx, nl, network, err);
		if (r == 0)
			r = lcx_link_open(nl, network->bridge, &link, err);
		if (r < 0)
			return r;
	}
	if (!(lcx_link_flags(link) & IFF_UP)) {
		r = complete(ctx, nl, network, lcx_link_index(link), err);
		if (r < 0) {
			(void)lcx__fail_prefix(err, r, "bridge '%s'", network->bridge);
			(void)lcx__bridge_remove(ctx, nl, &nft, network, NULL);
			return r;
		}
	}
	ret->index = lcx_link_index(link);
	ret->mtu = lcx_link_mtu(link);
	return 0;
}

static int destroy(struct lcx_netlink *nl, const struct lcx_link *link, struct lcx_error **err)
{
	const struct lcx__link_place place = {LCX__NETNS_OWN, lcx_link_index(link)};

	return lcx__links_remove(nl, &place, 1, err);
}

/* The bridge first: as long as it is there, the firewall must know it. */
int lcx__bridge_remove(struct lcx_ctx *ctx, struct lcx_netlink *nl, struct lcx_netlink **nft,
		       const struct lcx_network *network, struct lcx_error **err)
{
	CLEANUP(lcx_error_freep) struct lcx_error *e = NULL;
	CLEANUP(lcx_link_freep) struct lcx_link *link = NULL;
	struct lcx__troubles troubles = TROUBLES_NONE;
	net_families was_off;
	bool unused = false;
	int r;

	r = lcx__monitor_end(ctx, nft, network, &e);
	lcx__troubles_add(&troubles, r, &e);
	/* Another's bridge of that name is none of our business. */
	r = lcx__bridge_find(ctx, nl, network, &link, &e);
	if (r == -EEXIST)
		r = 0;
	else if (r > 0)
		r = destroy(nl, link, &e);
	lcx__troubles_add(&troubles, r, &e);
	if (!link)
		e = lcx_error_free(e);

	r = lcx__firewall_remove_network(nft, network, &e);
	lcx__troubles_add(&troubles, r, &e);
	/*
	 * Without a bridge, what our file remembers may be history: forwarding was switched
	 * back then, and may have been switched on by somebody else since.
	 */
	was_off = link ? lcx__forwarding_was_off(ctx) : 0;
	r = lcx__firewall_remove_unused(nft, nl, was_off, &unused, &e);
	lcx__troubles_add(&troubles, r, &e);
	if (r == 0 && unused)
		lcx__forwarding_forget(ctx, (1u << NET_FAMILIES) - 1);
	return lcx__troubles_end(&troubles, err);
}
