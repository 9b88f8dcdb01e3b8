/* SPDX-License-Identifier: MIT */

/*
 * The subnets of a network, as they are said and as they are in the end. Gateways,
 * ranges and exclusions are said in any order and belong to the subnet that holds them.
 */
#include <string.h>

#include "net/net-internal.h"

/* Bits of a prefix that leave room for a gateway and a container. */
static const struct {
	uint8_t least, most;
	const char *whole;
} prefixes[NET_FAMILIES] = {
	[NET_V4] = {8, 30, "8 to 30"},
	[NET_V6] = {16, 126, "16 to 126"},
};

enum { LEAST_MTU_OF_IPV6 = 1280 };

enum net_family lcx__inet_net_family(const struct lcx__inet *inet)
{
	return inet->family == AF_INET6 ? NET_V6 : NET_V4;
}

enum net_family lcx__net_family_of(const char *text)
{
	return strchr(text, ':') ? NET_V6 : NET_V4;
}

net_families lcx__network_families(const struct lcx_network *network)
{
	net_families families = 0;

	for (uint32_t i = 0; i < network->subnet_count; i++)
		families |= 1u << lcx__net_family_of(network->subnets[i].subnet);
	return families;
}

static bool is_for_links_or_groups(const struct lcx__inet *inet)
{
	static const char *const reserved[] = {"224.0.0.0/3", "127.0.0.0/8", "169.254.0.0/16",
					       "fe80::/10",   "ff00::/8",    "::/8"};
	struct lcx__inet subnet;

	for (size_t i = 0; i < ARRAY_SIZE(reserved); i++)
		if (lcx__inet_parse(reserved[i], &subnet) == 0 && lcx__inet_overlap(&subnet, inet))
			return true;
	return false;
}

static int parse_subnet(const char *text, struct lcx__inet *ret, struct lcx_error **err)
{
	char meant[LCX__INET_SIZE];
	struct lcx__inet first;
	enum net_family family;

	if (lcx__inet_parse(text, ret) < 0)
		return lcx__fail(err, EINVAL,
				 "'%s' is not a subnet, as 10.89.0.0/24 or fd00:1::/64 is", text);
	first = lcx__inet_network(ret);
	if (!lcx__inet_same(&first, ret, (unsigned int)lcx__inet_length(ret) * 8)) {
		lcx__inet_format(&first, meant);
		return lcx__fail(err, EINVAL, "subnet '%s' has bits behind its prefix; write %s",
				 text, meant);
	}
	family = lcx__inet_net_family(ret);
	if (ret->prefix < prefixes[family].least || ret->prefix > prefixes[family].most)
		return lcx__fail(err, EINVAL, "subnet '%s': its prefix is not one of %s", text,
				 prefixes[family].whole);
	if (is_for_links_or_groups(ret))
		return lcx__fail(err, EINVAL, "subnet '%s' has addresses that cannot be routed",
				 text);
	return 0;
}

LCX_PUBLIC int lcx_network_add_subnet(struct lcx_network *network, const char *subnet,
				      struct lcx_error **err)
{
	struct lcx__inet inet, other;
	int r = parse_subnet(subnet, &inet, err);

	if (r < 0)
		return r;
	for (uint32_t i = 0; i < network->subnet_count; i++)
		if (lcx__inet_parse(network->subnets[i].subnet, &other) == 0 &&
		    lcx__inet_overlap(&inet, &other))
			return lcx__fail(err, EINVAL, "subnets %s and %s overlap",
					 network->subnets[i].subnet, subnet);
	if (network->subnet_count == NET_SUBNETS_LIMIT)
		return lcx__fail(err, E2BIG, "a network has at most %d subnets", NET_SUBNETS_LIMIT);
	network->subnets[network->subnet_count] = (struct net_subnet){0};
	lcx__inet_format(&inet, network->subnets[network->subnet_count++].subnet);
	return 0;
}

LCX_PUBLIC int lcx_network_set_subnet(struct lcx_network *network, const char *subnet,
				      struct lcx_error **err)
{
	struct lcx__inet inet;
	int r = parse_subnet(subnet, &inet, err);

	if (r < 0)
		return r;
	network->subnet_count = 0;
	return lcx_network_add_subnet(network, subnet, err);
}

LCX_PUBLIC int lcx_network_set_gateway(struct lcx_network *network, const char *gateway,
				       struct lcx_error **err)
{
	struct lcx__inet inet;

	if (lcx__inet_parse_address(gateway, &inet) < 0)
		return lcx__fail(err, EINVAL, "gateway '%s' is not an address", gateway);
	if (network->gateway_count == NET_SUBNETS_LIMIT)
		return lcx__fail(err, E2BIG, "more gateways than a network has subnets");
	lcx__inet_format_address(&inet, network->gateways[network->gateway_count++]);
	return 0;
}

LCX_PUBLIC int lcx_network_set_range(struct lcx_network *network, const char *range,
				     struct lcx_error **err)
{
	struct lcx__inet inet, first;

	if (lcx__inet_parse(range, &inet) < 0)
		return lcx__fail(err, EINVAL, "'%s' is not a range, as 10.89.0.128/25 is", range);
	first = lcx__inet_network(&inet);
	if (network->range_count == NET_SUBNETS_LIMIT)
		return lcx__fail(err, E2BIG, "more ranges than a network has subnets");
	lcx__inet_format(&first, network->ranges[network->range_count++]);
	return 0;
}

LCX_PUBLIC int lcx_network_add_exclusion(struct lcx_network *network, const char *address,
					 struct lcx_error **err)
{
	struct lcx__inet inet;

	if (lcx__inet_parse_address(address, &inet) < 0)
		return lcx__fail(err, EINVAL, "'%s' is not an address to exclude", address);
	if (network->exclusion_count == NET_EXCLUSIONS_LIMIT)
		return lcx__fail(err, E2BIG,
				 "more than %d addresses excluded; restrict the range instead",
				 NET_EXCLUSIONS_LIMIT);
	lcx__inet_format_address(&inet, network->exclusions[network->exclusion_count++]);
	return 0;
}

LCX_PUBLIC int lcx_network_set_ipv4(struct lcx_network *network, bool ipv4, struct lcx_error **err)
{
	(void)err;
	network->without[NET_V4] = !ipv4;
	return 0;
}

LCX_PUBLIC int lcx_network_set_ipv6(struct lcx_network *network, bool ipv6, struct lcx_error **err)
{
	(void)err;
	network->with_ipv6 = ipv6;
	network->without[NET_V6] = !ipv6;
	return 0;
}

void lcx__network_choose_gateway(struct net_subnet *subnet)
{
	struct lcx__inet inet;

	if (lcx__inet_parse(subnet->subnet, &inet) < 0)
		return;
	inet.bytes[lcx__inet_length(&inet) - 1]++;
	lcx__inet_format_address(&inet, subnet->gateway);
}

/* The subnet that an address, or a smaller subnet, is part of; NULL if there is none. */
static struct net_subnet *find_holder(struct lcx_network *network, const struct lcx__inet *inet)
{
	struct lcx__inet subnet;

	for (uint32_t i = 0; i < network->subnet_count; i++)
		if (lcx__inet_parse(network->subnets[i].subnet, &subnet) == 0 &&
		    inet->prefix >= subnet.prefix && lcx__inet_same(&subnet, inet, subnet.prefix))
			return &network->subnets[i];
	return NULL;
}

static int fail_homeless(const struct lcx_network *network, const char *what, const char *text,
			 struct lcx_error **err)
{
	return lcx__fail(err, EINVAL, "network '%s': %s %s is not part of its subnet %s%s",
			 network->name, what, text, network->subnets[0].subnet,
			 network->subnet_count > 1 ? ", nor of another" : "");
}

static int place_gateways(struct lcx_network *network, struct lcx_error **err)
{
	for (uint32_t i = 0; i < network->gateway_count; i++) {
		struct net_subnet *subnet;
		struct lcx__inet inet;

		(void)lcx__inet_parse_address(network->gateways[i], &inet);
		subnet = find_holder(network, &inet);
		if (!subnet)
			return fail_homeless(network, "gateway", network->gateways[i], err);
		if (subnet->gateway[0] != '\0')
			return lcx__fail(err, EINVAL, "network '%s': subnet %s has two gateways",
					 network->name, subnet->subnet);
		memcpy(subnet->gateway, network->gateways[i], sizeof(subnet->gateway));
	}
	for (uint32_t i = 0; i < network->subnet_count; i++)
		if (network->subnets[i].gateway[0] == '\0')
			lcx__network_choose_gateway(&network->subnets[i]);
	return 0;
}

static int place_ranges(struct lcx_network *network, struct lcx_error **err)
{
	for (uint32_t i = 0; i < network->range_count; i++) {
		struct net_subnet *subnet;
		struct lcx__inet inet;

		(void)lcx__inet_parse(network->ranges[i], &inet);
		subnet = find_holder(network, &inet);
		if (!subnet)
			return fail_homeless(network, "range", network->ranges[i], err);
		if (subnet->range[0] != '\0')
			return lcx__fail(err, EINVAL, "network '%s': subnet %s has two ranges",
					 network->name, subnet->subnet);
		memcpy(subnet->range, network->ranges[i], sizeof(subnet->range));
	}
	return 0;
}

static int check_exclusions(struct lcx_network *network, struct lcx_error **err)
{
	for (uint32_t i = 0; i < network->exclusion_count; i++) {
		struct lcx__inet inet;

		(void)lcx__inet_parse_address(network->exclusions[i], &inet);
		if (!find_holder(network, &inet))
			return fail_homeless(network, "excluded address", network->exclusions[i],
					     err);
	}
	return 0;
}

/* IPv4 before IPv6, in the order they were said: the first is the one that is shown. */
static void sort_subnets(struct lcx_network *network)
{
	struct net_subnet sorted[NET_SUBNETS_LIMIT] = {0};
	uint32_t n = 0;

	for (enum net_family family = 0; family < NET_FAMILIES; family++)
		for (uint32_t i = 0; i < network->subnet_count; i++)
			if (lcx__net_family_of(network->subnets[i].subnet) == family)
				sorted[n++] = network->subnets[i];
	memcpy(network->subnets, sorted, sizeof(sorted));
}

static int choose_missing(int networks_fd, struct lcx_network *network, enum net_family family,
			  struct lcx_error **err)
{
	char subnet[LCX__INET_SIZE];
	int r;

	if (lcx__network_families(network) & 1u << family)
		return network->without[family]
			       ? lcx__fail(err, EINVAL,
					   "network '%s': a subnet of IPv%d, and no IPv%d",
					   network->name, family == NET_V4 ? 4 : 6,
					   family == NET_V4 ? 4 : 6)
			       : 0;
	if (family == NET_V4 ? network->without[NET_V4] : !network->with_ipv6)
		return 0;
	r = lcx__subnet_choose(networks_fd, network, family, subnet, err);
	if (r == 0)
		r = lcx_network_add_subnet(network, subnet, err);
	if (r == 0)
		network->subnets[network->subnet_count - 1].chosen = true;
	return r;
}

int lcx__network_settle_subnets(int networks_fd, struct lcx_network *network,
				struct lcx_error **err)
{
	uint32_t given = network->subnet_count;
	int r = 0;

	for (uint32_t i = 0; i < given && r == 0; i++)
		r = lcx__subnet_check(networks_fd, network, network->subnets[i].subnet, err);
	for (enum net_family family = 0; family < NET_FAMILIES && r == 0; family++)
		r = choose_missing(networks_fd, network, family, err);
	if (r < 0)
		return r;
	if (network->subnet_count == 0)
		return lcx__fail(err, EINVAL, "network '%s' has neither IPv4 nor IPv6",
				 network->name);
	if (network->mtu != 0 && network->mtu < LEAST_MTU_OF_IPV6 &&
	    lcx__network_families(network) & 1u << NET_V6)
		return lcx__fail(err, EINVAL, "network '%s': IPv6 needs an MTU of %d bytes or more",
				 network->name, LEAST_MTU_OF_IPV6);
	sort_subnets(network);
	r = place_gateways(network, err);
	if (r == 0)
		r = place_ranges(network, err);
	return r < 0 ? r : check_exclusions(network, err);
}

LCX_PUBLIC uint32_t lcx_network_subnet_count(const struct lcx_network *network)
{
	return network->subnet_count;
}

LCX_PUBLIC const char *lcx_network_subnet_at(const struct lcx_network *network, uint32_t position)
{
	return position < network->subnet_count ? network->subnets[position].subnet : NULL;
}

LCX_PUBLIC const char *lcx_network_gateway_at(const struct lcx_network *network, uint32_t position)
{
	return position < network->subnet_count ? network->subnets[position].gateway : NULL;
}

LCX_PUBLIC const char *lcx_network_range_at(const struct lcx_network *network, uint32_t position)
{
	return position < network->subnet_count ? network->subnets[position].range : NULL;
}

/* Before the creation there may be none yet. */
LCX_PUBLIC const char *lcx_network_subnet(const struct lcx_network *network)
{
	return network->subnet_count > 0 ? network->subnets[0].subnet : "";
}

LCX_PUBLIC const char *lcx_network_gateway(const struct lcx_network *network)
{
	return network->subnet_count > 0 ? network->subnets[0].gateway : "";
}

LCX_PUBLIC uint32_t lcx_network_exclusion_count(const struct lcx_network *network)
{
	return network->exclusion_count;
}

LCX_PUBLIC const char *lcx_network_exclusion(const struct lcx_network *network, uint32_t position)
{
	return position < network->exclusion_count ? network->exclusions[position] : NULL;
}
