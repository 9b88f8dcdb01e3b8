/* SPDX-License-Identifier: MIT */

/* Which subnets this host uses already: addresses, routes, and networks that are not up now. */
#include <string.h>
#include <sys/random.h>

#include "net/net-internal.h"

struct used {
	struct lcx__inet subnet;
	char by[160];
};

/* Only what overlaps the subnet of interest: a router's table may have a million other routes. */
struct used_list {
	struct used *list;
	size_t count, size;
	struct lcx__inet interest;
};

static void used_free(struct used_list *used)
{
	free(used->list);
}

/* A default route claims nothing. */
static bool matters(const struct used_list *used, const char *text)
{
	struct lcx__inet subnet;

	return lcx__inet_parse(text, &subnet) == 0 && subnet.prefix > 0 &&
	       lcx__inet_overlap(&subnet, &used->interest);
}

static int add(struct used_list *used, const char *text, const char *format, const char *by)
{
	struct lcx__inet subnet;

	if (!matters(used, text) || lcx__inet_parse(text, &subnet) < 0)
		return 0;
	if (used->count == used->size) {
		size_t size = used->size ? used->size * 2 : 32;
		struct used *list = reallocarray(used->list, size, sizeof(*list));

		if (!list)
			return -ENOMEM;
		used->list = list;
		used->size = size;
	}
	used->list[used->count].subnet = lcx__inet_network(&subnet);
	(void)snprintf(used->list[used->count].by, sizeof(used->list[0].by), "%s %s on %s", format,
		       text, by);
	used->count++;
	return 0;
}

static int add_host(struct lcx_netlink *nl, const char *own_bridge, struct used_list *used,
		    struct lcx_error **err)
{
	CLEANUP(lcx_address_list_freep) struct lcx_address_list *addresses = NULL;
	CLEANUP(lcx_route_list_freep) struct lcx_route_list *routes = NULL;
	char name[IFNAMSIZ];
	int r;

	r = lcx_address_list_open(nl, 0, &addresses, err);
	if (r == 0)
		r = lcx_route_list_open(nl, &routes, err);
	if (r < 0)
		return r;
	while (lcx_address_list_next(addresses)) {
		if (!matters(used, lcx_address_list_text(addresses)))
			continue;
		lcx__link_describe(nl, lcx_address_list_index(addresses), name);
		if (strcmp(name, own_bridge) != 0 &&
		    add(used, lcx_address_list_text(addresses), "address", name) < 0)
			return lcx__fail_nomem(err);
	}
	while (lcx_route_list_next(routes)) {
		if (!matters(used, lcx_route_list_destination(routes)))
			continue;
		lcx__link_describe(nl, lcx_route_list_index(routes), name);
		if (strcmp(name, own_bridge) != 0 &&
		    add(used, lcx_route_list_destination(routes), "route", name) < 0)
			return lcx__fail_nomem(err);
	}
	return 0;
}

static int add_networks(int networks_fd, const char *own_name, struct used_list *used,
			struct lcx_error **err)
{
	CLEANUP(lcx__strv_freep) char **names = NULL;
	int r = lcx__net_list_names(networks_fd, false, &names);

	if (r < 0)
		return lcx__fail_sys(err, -r, "list networks");
	for (size_t i = 0; names[i]; i++) {
		CLEANUP(lcx_network_freep) struct lcx_network *network = NULL;
		char by[160];

		if (strcmp(names[i], own_name) == 0)
			continue;
		r = lcx__network_read(networks_fd, names[i], &network, err);
		if (r == -ENOENT)
			continue;
		if (r < 0)
			return r;
		(void)snprintf(by, sizeof(by), "network '%s'", names[i]);
		for (uint32_t k = 0; k < network->subnet_count; k++)
			if (add(used, network->subnets[k].subnet, "subnet", by) < 0)
				return lcx__fail_nomem(err);
	}
	return 0;
}

static int list_used(int networks_fd, const struct lcx_network *network, struct used_list *used,
		     struct lcx_error **err)
{
	CLEANUP(lcx_netlink_freep) struct lcx_netlink *nl = NULL;
	int r;

	/* Containers on a parent are in the very subnet that the host has there. */
	if (network->parent[0] != '\0')
		return add_networks(networks_fd, network->name, used, err);
	r = lcx_netlink_open(&nl, err);
	if (r == 0)
		r = add_host(nl, network->bridge, used, err);
	if (r == 0)
		r = add_networks(networks_fd, network->name, used, err);
	return r;
}

static const struct used *find_overlap(const struct used_list *used, const struct lcx__inet *subnet)
{
	for (size_t i = 0; i < used->count; i++)
		if (lcx__inet_overlap(&used->list[i].subnet, subnet))
			return &used->list[i];
	return NULL;
}

int lcx__subnet_check(int networks_fd, const struct lcx_network *network, const char *text,
		      struct lcx_error **err)
{
	CLEANUP(used_free) struct used_list used = {0};
	const struct used *overlap;
	struct lcx__inet subnet;
	int r;

	if (lcx__inet_parse(text, &subnet) < 0)
		return lcx__fail(err, EINVAL, "'%s' is not a subnet", text);
	used.interest = subnet;
	r = list_used(networks_fd, network, &used, err);
	if (r < 0)
		return r;
	overlap = find_overlap(&used, &subnet);
	if (overlap)
		return lcx__fail(
			err, EADDRINUSE,
			"network '%s': subnet %s overlaps the %s; choose another subnet, or none "
			"to have a free one chosen",
			network->name, text, overlap->by);
	return 0;
}

/* Subnets of @prefix bits in 10.88.0.0 to 10.127.255.255, in order. */
static bool choose(const struct used_list *used, unsigned int prefix, struct lcx__inet *ret)
{
	uint32_t step = 1u << (32 - prefix);

	for (uint32_t n = 0x0a580000; n < 0x0a800000; n += step) {
		struct lcx__inet subnet = {
			.family = AF_INET,
			.prefix = (uint8_t)prefix,
			.bytes = {(uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8),
				  (uint8_t)n},
		};

		if (!find_overlap(used, &subnet)) {
			*ret = subnet;
			return true;
		}
	}
	return false;
}

static int choose_ipv4(int networks_fd, const struct lcx_network *network,
		       char subnet[static LCX__INET_SIZE], struct lcx_error **err)
{
	static const unsigned int prefixes[] = {16, 20, 24};
	CLEANUP(used_free) struct used_list used = {0};
	struct lcx__inet found;
	int r;

	(void)lcx__inet_parse("10.64.0.0/10", &used.interest);
	r = list_used(networks_fd, network, &used, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		if (choose(&used, prefixes[i], &found)) {
			lcx__inet_format(&found, subnet);
			return 0;
		}
	}
	return lcx__fail(
		err, ENOSPC,
		"network '%s': nothing is free between 10.88.0.0 and 10.127.255.255; give it a "
		"subnet",
		network->name);
}

/* RFC 4193: forty random bits make a clash with anybody's network unlikely, now and later. */
static int choose_ipv6(int networks_fd, const struct lcx_network *network,
		       char subnet[static LCX__INET_SIZE], struct lcx_error **err)
{
	enum { TRIES = 100, RANDOM_BYTES = 5 };
	CLEANUP(used_free) struct used_list used = {0};
	struct lcx__inet inet = {.family = AF_INET6, .prefix = 64, .bytes = {0xfd}};
	int r;

	(void)lcx__inet_parse("fd00::/8", &used.interest);
	r = list_used(networks_fd, network, &used, err);
	for (int i = 0; i < TRIES && r == 0; i++) {
		if (getrandom(inet.bytes + 1, RANDOM_BYTES, 0) != RANDOM_BYTES)
			return lcx__fail_sys(err, errno, "draw a random subnet");
		if (find_overlap(&used, &inet))
			continue;
		lcx__inet_format(&inet, subnet);
		return 0;
	}
	return r < 0 ? r
		     : lcx__fail(err, ENOSPC,
				 "network '%s': no free IPv6 subnet was found; give it one",
				 network->name);
}

int lcx__subnet_choose(int networks_fd, const struct lcx_network *network, enum net_family family,
		       char subnet[static LCX__INET_SIZE], struct lcx_error **err)
{
	return family == NET_V4 ? choose_ipv4(networks_fd, network, subnet, err)
				: choose_ipv6(networks_fd, network, subnet, err);
}
