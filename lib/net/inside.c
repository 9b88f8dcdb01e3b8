/* SPDX-License-Identifier: MIT */

/* The container's end: its name, its addresses, its way out. By a socket of its namespace. */
#include <linux/if_ether.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <string.h>

#include "net/announce.h"
#include "net/driver.h"

/* The first of "eth0", "eth1" ... that the namespace does not have. */
int lcx__inside_choose_name(struct lcx_netlink *inner, struct lcx_attachment *attachment,
			    struct lcx_error **err)
{
	enum { LIMIT = 1000 };

	for (unsigned int i = 0; attachment->interface_chosen && i < LIMIT; i++) {
		CLEANUP(lcx_link_freep) struct lcx_link *link = NULL;
		CLEANUP(lcx_error_freep) struct lcx_error *e = NULL;
		int r;

		(void)snprintf(attachment->interface, IFNAMSIZ, "eth%u", i);
		r = lcx_link_open(inner, attachment->interface, &link, &e);
		if (r == -ENODEV)
			return 0;
		if (r < 0)
			return lcx__fail(err, -r, "%s", lcx_error_message(e));
	}
	return attachment->interface_chosen
		       ? lcx__fail(err, EEXIST, "the container has %d interfaces already", LIMIT)
		       : 0;
}

enum { ACKED = NLM_F_REQUEST | NLM_F_ACK, NEW = ACKED | NLM_F_CREATE | NLM_F_EXCL };

/*
 * Each network gives its default route, with a metric of its own: the kernel takes the
 * lowest, and when that network is detached, the next one. Among equal ones the first
 * attached goes first.
 */
static int add_default_route(struct lcx_netlink *nl, const struct lcx__inet *all,
			     const struct lcx__inet *gateway, uint32_t index, int32_t priority)
{
	enum { BETWEEN = 64 }; /* metrics for each priority */
	uint32_t metric = (uint32_t)(NET_PRIORITY_LIMIT - priority + 1) * BETWEEN;
	int r = -EEXIST;

	for (uint32_t i = 0; i < BETWEEN && r == -EEXIST; i++) {
		CLEANUP(lcx__nl_batch_free) struct lcx__nl_batch batch = NL_BATCH_EMPTY;

		lcx__route_put(&batch, RTM_NEWROUTE, NEW, all, gateway, index, metric + i);
		r = lcx__nl_exchange(nl, &batch, NULL, NULL, NULL);
	}
	return r;
}

/* By the gateway; by the interface alone where the host's kernel routes. */
static int add_default_routes(struct lcx_netlink *nl, const struct lcx_network *network,
			      const struct lcx_attachment *attachment, uint32_t index,
			      struct lcx_error **err)
{
	bool by_interface = lcx__driver_routes(network);
	int r = 0;

	for (size_t i = 0; i < NET_FAMILIES && r == 0; i++) {
		const struct net_address *address = &attachment->addresses[i];
		struct lcx__inet gateway, all = {.family = i == NET_V4 ? AF_INET : AF_INET6};
		bool has_gateway = address->gateway[0] != '\0';

		if (address->address[0] == '\0' || !(has_gateway || by_interface))
			continue;
		if (has_gateway && lcx__inet_parse_address(address->gateway, &gateway) < 0)
			return lcx__fail(err, EINVAL, "'%s' is not an address", address->gateway);
		r = add_default_route(nl, &all, has_gateway ? &gateway : NULL, index,
				      attachment->gateway_priority);
		if (r < 0)
			return lcx__nl_fail(nl, err, -r, "default route to %s", address->gateway);
	}
	return 0;
}

/*
 * Of the MAC address, as the kernel makes it, but not asking the network first whether somebody
 * has it: our addresses are nobody else's, and the question would go to each of a thousand
 * containers.
 */
static bool link_local(const struct lcx_attachment *attachment, struct lcx__inet *ret)
{
	struct lcx__inet address = {
		.family = AF_INET6, .prefix = 64, .bytes = {0xfe, 0x80, [11] = 0xff, [12] = 0xfe}};
	uint8_t *b = address.bytes + 8;

	if (lcx__branch_is(attachment) || attachment->addresses[NET_V6].address[0] == '\0' ||
	    sscanf(attachment->mac, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx", &b[0], &b[1], &b[2],
		   &b[5], &b[6], &b[7]) != ETH_ALEN)
		return false;
	b[0] ^= 2;
	*ret = address;
	return true;
}

static int put_addresses(struct lcx__nl_batch *batch, const struct lcx_attachment *attachment,
			 uint32_t index, struct lcx_error **err)
{
	/* Replacing: the batch may be sent again. */
	enum { REPLACE = ACKED | NLM_F_CREATE | NLM_F_REPLACE };
	struct lcx__inet address;

	for (size_t i = 0; i < NET_FAMILIES; i++) {
		const struct net_address *given = &attachment->addresses[i];

		if (given->address[0] == '\0')
			continue;
		if (lcx__inet_parse_address(given->address, &address) < 0)
			return lcx__fail(err, EINVAL, "'%s' is not an address", given->address);
		address.prefix = (uint8_t)given->prefix;
		lcx__address_put(batch, RTM_NEWADDR, REPLACE, index, &address);
	}
	if (link_local(attachment, &address))
		lcx__address_put(batch, RTM_NEWADDR, REPLACE, index, &address);
	return 0;
}

/* "lo" is number 1 in every namespace. */
static int set_up_once(struct lcx_netlink *nl, const struct lcx_attachment *attachment,
		       uint32_t index, struct lcx_error **err)
{
	CLEANUP(lcx__nl_batch_free) struct lcx__nl_batch batch = NL_BATCH_EMPTY;
	struct lcx__link_change up = {.up = true}, inner = up;
	struct lcx__inet ours;
	unsigned int failed = 0;
	int r;

	lcx__link_put_change(&batch, NULL, 1, &up);
	r = put_addresses(&batch, attachment, index, err);
	if (r < 0)
		return r;
	inner.promiscuous = attachment->promiscuous;
	/* Should the container take it down and up, the kernel makes the same one again. */
	inner.ipv6_address = link_local(attachment, &ours);
	lcx__link_put_change(&batch, NULL, index, &inner);
	r = lcx__nl_exchange(nl, &batch, NULL, NULL, &failed);
	return r < 0 ? lcx__nl_fail(nl, err, -r, "set up '%s' inside the container (step %u)%s",
				    attachment->interface, failed,
				    r == -EACCES ? ": IPv6 is switched off inside "
						   "(net.ipv6.conf.all.disable_ipv6)"
						 : "")
		     : 0;
}

/*
 * On a parent, two interfaces never have the same address: the kernel refuses the second. A
 * container that has just ended may still have one for some milliseconds, and nothing tells when
 * its namespace is gone: so it is asked for until it is given.
 */
static int set_up(struct lcx_netlink *nl, const struct lcx_attachment *attachment, uint32_t index,
		  struct lcx_error **err)
{
	enum { WAIT_MS = 3000, PAUSE_MS = 5 };
	int64_t end = lcx__monotonic_ns() + (int64_t)WAIT_MS * 1000000;

	for (;;) {
		struct lcx_error *e = NULL;
		int r = set_up_once(nl, attachment, index, &e);

		if (r == -EADDRINUSE && lcx__branch_is(attachment) && lcx__monotonic_ns() < end) {
			lcx_error_free(e);
			(void)poll(NULL, 0, PAUSE_MS);
			continue;
		}
		if (r < 0)
			(void)lcx__fail(err, -r, "%s", lcx_error_message(e));
		lcx_error_free(e);
		return r;
	}
}

/*
 * What a router advertises is neither an address of the pool nor the way out that was asked for. On
 * a parent there are routers of others; on a bridge, any neighbour may say that it is one, in a
 * network without IPv6, too, and read from then on what was meant for the outside. Who wants to
 * hear them says so by a switch.
 */
static int shut_to_routers(struct lcx_ctx *ctx, const struct lcx_attachment *attachment,
			   int netns_fd, struct lcx_error **err)
{
	static const char *const switches[] = {"net.ipv6.conf.IFNAME.accept_ra=0",
					       "net.ipv6.conf.IFNAME.autoconf=0"};
	size_t count = lcx__branch_is(attachment) ? ARRAY_SIZE(switches) : 1;
	int r = 0;

	if (!lcx__ipv6_is_there())
		return 0;
	for (size_t i = 0; r == 0 && i < count; i++)
		r = lcx__sysctl_inside(ctx, netns_fd, attachment->interface, switches[i], err);
	return r;
}

/*
 * No link-local address of the kernel's: where a network has no IPv6, nobody asked for that way
 * beside the rules; where it has, there is one of ours (link_local()). Before the switches, for
 * somebody may want it after all; and together with the question for its number, as each exchange
 * costs.
 */
static int open_inside(struct lcx_netlink *nl, const struct lcx_attachment *attachment,
		       struct lcx_link **ret, struct lcx_error **err)
{
	const struct lcx__link_change change = {.no_ipv6_address = true};

	if (lcx__branch_is(attachment) || !lcx__ipv6_is_there())
		return lcx_link_open(nl, attachment->interface, ret, err);
	return lcx__link_change_and_open(nl, attachment->interface, &change, ret, err);
}

int lcx__inside_set_up(struct lcx_ctx *ctx, struct lcx_netlink *nl,
		       const struct lcx_network *network, const struct lcx_attachment *attachment,
		       int netns_fd, struct lcx_error **err)
{
	CLEANUP(lcx_link_freep) struct lcx_link *link = NULL;
	int r = open_inside(nl, attachment, &link, err);

	if (r == 0)
		r = shut_to_routers(ctx, attachment, netns_fd, err);
	for (char **sysctl = attachment->sysctls; r == 0 && sysctl && *sysctl; sysctl++)
		r = lcx__sysctl_inside(ctx, netns_fd, attachment->interface, *sysctl, err);
	if (r == 0)
		r = set_up(nl, attachment, lcx_link_index(link), err);
	if (r < 0)
		return r;
	if (lcx__branch_is(attachment) && !lcx__driver_routes(network))
		lcx__announce_inside(nl, netns_fd, lcx_link_index(link), attachment);
	r = add_default_routes(nl, network, attachment, lcx_link_index(link), err);
	return lcx__fail_prefix(err, r, "'%s' inside the container", attachment->interface);
}
