/* SPDX-License-Identifier: MIT */

/*
 * Attaching. The order of steps: the lease; the record; the bridge; the cable with
 * its far end in the container's namespace; the far end's address, up, route; the
 * published ports, which are open only when the container can answer. Up to the
 * bridge the network's lock is held. What fails is undone by the same function that
 * takes a finished attachment down.
 */
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/random.h>

#include "net/net-internal.h"

static void copy(char *to, size_t size, const char *from)
{
	(void)snprintf(to, size, "%s", from);
}

/*
 * Half of the name tells the attachment, the other half is random: the interface
 * of an owner's former life may still be dying.
 */
static int choose_host_interface(struct lcx_ctx *ctx, struct lcx_netlink *nl,
				 struct lcx_attachment *attachment, struct lcx_error **err)
{
	uint32_t hash = lcx__net_hash(ctx, attachment->network, attachment->owner);
	uint16_t random = 0;

	for (int tries = 0; tries < 100; tries++) {
		CLEANUP(lcx_link_freep) struct lcx_link *link = NULL;
		CLEANUP(lcx_error_freep) struct lcx_error *e = NULL;
		int r;

		if (getrandom(&random, sizeof(random), 0) != sizeof(random))
			return lcx__fail_sys(err, errno, "draw a random number");
		(void)snprintf(attachment->host_interface, IFNAMSIZ, "lcx%08x%04x", hash, random);
		r = lcx_link_open(nl, attachment->host_interface, &link, &e);
		if (r == -ENODEV)
			return 0;
		if (r < 0)
			return lcx__fail(err, -r, "%s", lcx_error_message(e));
	}
	return lcx__fail(err, EEXIST, "no free name for the host's interface of '%s' was found",
			 attachment->owner);
}

static int check_attachment(const struct lcx_network *network,
			    const struct lcx_attachment *attachment, struct lcx_error **err)
{
	if (network->created[0] == '\0')
		return lcx__fail(err, EINVAL, "network '%s' was described, but not created",
				 network->name);
	if (attachment->network[0] != '\0' && strcmp(attachment->network, network->name) != 0)
		return lcx__fail(err, EINVAL, "the attachment was used for network '%s' already",
				 attachment->network);
	if (network->internal && attachment->port_count > 0)
		return lcx__fail(err, EINVAL,
				 "network '%s' is internal: no port can be published from it",
				 network->name);
	return 0;
}

int lcx__network_plan(struct lcx_ctx *ctx, struct lcx_network *network,
		      struct lcx_attachment *attachment, struct lcx_error **err)
{
	CLEANUP(lcx_netlink_freep) struct lcx_netlink *nl = NULL;
	int r;

	r = check_attachment(network, attachment, err);
	if (r < 0)
		return r;
	copy(attachment->network, sizeof(attachment->network), network->name);
	copy(attachment->bridge, sizeof(attachment->bridge), network->bridge);
	r = lcx_netlink_open(&nl, err);
	if (r == 0)
		r = choose_host_interface(ctx, nl, attachment, err);
	if (r == 0)
		r = lcx__ports_claim(attachment, err);
	return lcx__fail_prefix(err, r, "network '%s'", network->name);
}

/* Nobody has an address of it. */
static bool pool_is_unused(struct lcx_ctx *ctx, const char *network)
{
	CLEANUP(lcx_ipam_pool_freep) struct lcx_ipam_pool *pool = NULL;
	CLEANUP(closep) int pools_fd = lcx__net_pools_dir(ctx, NULL);
	uint64_t used = 0;

	if (pools_fd < 0)
		return false;
	if (lcx_ipam_pool_open(pools_fd, network, &pool, NULL) < 0)
		return true;
	return lcx_ipam_pool_used(pool, &used, NULL) == 0 && used == 0;
}

static int move_subnet(struct lcx_ctx *ctx, int networks_fd, struct lcx_network *network,
		       struct lcx_error **err)
{
	struct lcx__inet subnet;
	int r = lcx__subnet_choose(networks_fd, network, network->subnet, err);

	if (r < 0 || lcx__inet_parse(network->subnet, &subnet) < 0)
		return r < 0 ? r : -EINVAL;
	subnet.bytes[3]++;
	lcx__inet_format_address(&subnet, network->gateway);
	r = lcx__network_write(networks_fd, network, err);
	return r < 0 ? r : lcx__network_make_pool(ctx, network, err);
}

/*
 * The subnet was free when the network was created; if it was our choice and
 * nobody has come since, it may be another one now. Choosing needs the lock on all
 * networks: -EAGAIN without it.
 */
static int refresh_subnet(struct lcx_ctx *ctx, struct lcx_netlink *nl, int networks_fd,
			  bool may_move, struct lcx_network *network, struct lcx_error **err)
{
	CLEANUP(lcx_network_freep) struct lcx_network *stored = NULL;
	CLEANUP(lcx_link_freep) struct lcx_link *link = NULL;
	int r;

	r = lcx__network_read(networks_fd, network->name, &stored, err);
	if (r == -ENOENT)
		return lcx__fail(err, ENOENT, "network '%s' was removed", network->name);
	if (r < 0)
		return r;
	*network = *stored;
	r = lcx__bridge_find(ctx, nl, network, &link, err);
	if (r != 0)
		return r < 0 ? r : 0;
	if (!network->subnet_chosen ||
	    lcx__subnet_check(networks_fd, network, NULL) != -EADDRINUSE ||
	    !pool_is_unused(ctx, network->name))
		return 0;
	return may_move ? move_subnet(ctx, networks_fd, network, err) : -EAGAIN;
}

static int lease(struct lcx_ctx *ctx, const struct lcx_network *network,
		 struct lcx_attachment *attachment, struct lcx_error **err)
{
	CLEANUP(lcx_ipam_pool_freep) struct lcx_ipam_pool *pool = NULL;
	CLEANUP(closep) int pools_fd = lcx__net_pools_dir(ctx, err);
	char address[LCX_IPAM_ADDRESS_SIZE];
	struct lcx__inet inet;
	int r;

	if (pools_fd < 0)
		return pools_fd;
	r = lcx_ipam_pool_open(pools_fd, network->name, &pool, err);
	if (r < 0)
		return r;
	r = lcx_ipam_allocate(pool, attachment->owner,
			      attachment->address[0] ? attachment->address : NULL, address,
			      sizeof(address), err);
	if (r < 0)
		return r;
	copy(attachment->address, sizeof(attachment->address), address);
	attachment->prefix = lcx_ipam_pool_prefix_length(pool);
	if (!network->internal)
		copy(attachment->gateway, sizeof(attachment->gateway), network->gateway);
	if (attachment->mac[0] == '\0' && lcx__inet_parse_address(address, &inet) == 0)
		lcx__attachment_derive_mac(&inet, attachment->mac);
	return 0;
}

/* A record of another boot speaks of nothing that is there. */
static int check_not_attached(int records_fd, const struct lcx_attachment *attachment,
			      struct lcx_error **err)
{
	CLEANUP(lcx_attachment_freep) struct lcx_attachment *other = NULL;
	char boot_id[LCX__BOOT_ID_SIZE];
	int r;

	r = lcx__record_read(records_fd, attachment->owner, &other, err);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	if (lcx__boot_id(boot_id) == 0 && strcmp(boot_id, other->boot_id) != 0)
		return 0;
	return lcx__fail(err, EEXIST, "'%s' is attached already; detach it first",
			 attachment->owner);
}

/*
 * Everything that needs the network's lock. Undone by the caller. The lock on all
 * networks comes before it, and most attachments do not need that one.
 */
static int settle(struct lcx_ctx *ctx, struct lcx_netlink *nl, bool may_move,
		  struct lcx_network *network, struct lcx_attachment *attachment,
		  struct lcx__bridge *bridge, bool *ret_begun, struct lcx_error **err)
{
	CLEANUP(closep)
	int networks_fd =
		may_move ? lcx__net_networks_lock(ctx, err) : lcx__net_networks_dir(ctx, err);
	CLEANUP(closep) int records_fd = -1;
	int r;

	if (networks_fd < 0)
		return networks_fd;
	records_fd = lcx__net_records_lock(ctx, network->name, err);
	if (records_fd < 0)
		return records_fd;
	r = check_not_attached(records_fd, attachment, err);
	if (r == 0)
		r = refresh_subnet(ctx, nl, networks_fd, may_move, network, err);
	if (r < 0)
		return r;
	*ret_begun = true;
	r = lease(ctx, network, attachment, err);
	if (r == 0)
		r = lcx__record_write(records_fd, attachment, err);
	if (r == 0)
		r = lcx__bridge_ensure(ctx, nl, network, bridge, err);
	return r;
}

static int connect_cable(struct lcx_ctx *ctx, struct lcx_netlink *nl,
			 const struct lcx_attachment *attachment, const struct lcx__bridge *bridge,
			 int netns_fd, struct lcx_error **err)
{
	CLEANUP(lcx_link_config_freep) struct lcx_link_config *host = NULL, *inner = NULL;
	CLEANUP(lcx__nl_batch_free) struct lcx__nl_batch batch = NL_BATCH_EMPTY;
	char mark[NET_MARK_SIZE];
	struct lcx__link_change change = {
		.alias = mark,
		.up = true,
		.no_ipv6_address = lcx__ipv6_is_there(),
		/* For a container that connects to its own published port, with br_netfilter. */
		.hairpin = attachment->port_count > 0,
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

	/* Both in one send: the name was free a moment ago, and half of it is random. */
	lcx__link_put_veth(&batch, attachment->host_interface, host, attachment->interface, inner);
	lcx__link_put_change(&batch, attachment->host_interface, 0, &change);
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

/* "lo" is number 1 in every namespace. */
static int set_up_inside(struct lcx_netlink *nl, const struct lcx_attachment *attachment,
			 struct lcx_error **err)
{
	CLEANUP(lcx__nl_batch_free) struct lcx__nl_batch batch = NL_BATCH_EMPTY;
	CLEANUP(lcx_link_freep) struct lcx_link *link = NULL;
	struct lcx__inet address, gateway, all = {.family = AF_INET};
	struct lcx__link_change up = {.up = true};
	enum { FLAGS = NLM_F_REQUEST | NLM_F_ACK, NEW = FLAGS | NLM_F_CREATE | NLM_F_EXCL };
	unsigned int failed = 0;
	int r;

	if (lcx__inet_parse_address(attachment->address, &address) < 0)
		return lcx__fail(err, EINVAL, "'%s' is not an address", attachment->address);
	address.prefix = (uint8_t)attachment->prefix;
	r = lcx_link_open(nl, attachment->interface, &link, err);
	if (r < 0)
		return r;
	lcx__link_put_change(&batch, NULL, 1, &up);
	lcx__address_put(&batch, RTM_NEWADDR, NEW, lcx_link_index(link), &address);
	lcx__link_put_change(&batch, NULL, lcx_link_index(link), &up);
	if (attachment->gateway[0] != '\0' &&
	    lcx__inet_parse_address(attachment->gateway, &gateway) == 0)
		lcx__route_put(&batch, RTM_NEWROUTE, NEW, &all, &gateway, lcx_link_index(link));
	r = lcx__nl_exchange(nl, &batch, NULL, NULL, &failed);
	/* The fourth message: another network has given the default route already. */
	if (r == -EEXIST && failed == 3)
		r = 0;
	return r < 0 ? lcx__nl_fail(nl, err, -r, "set up '%s' inside the container (step %u)",
				    attachment->interface, failed)
		     : 0;
}

static int publish(struct lcx_ctx *ctx, const struct lcx_attachment *attachment,
		   struct lcx_error **err)
{
	CLEANUP(lcx_error_freep) struct lcx_error *e = NULL;
	char comment[NET_MARK_SIZE];
	int r;

	lcx__net_comment(ctx, attachment->owner, comment);
	r = lcx__firewall_add_ports(comment, attachment, true, &e);
	if (r == -ENOENT) {
		/* Somebody flushed the rule set. Our record is written: this publishes its ports,
		 * too. */
		return lcx_net_reload(ctx, err);
	}
	return r < 0 ? lcx__fail(err, -r, "%s", lcx_error_message(e)) : 0;
}

static int make(struct lcx_ctx *ctx, struct lcx_network *network, struct lcx_attachment *attachment,
		int netns_fd, int netlink_fd, bool *ret_begun, struct lcx_error **err)
{
	CLEANUP(lcx_netlink_freep) struct lcx_netlink *host = NULL, *inner = NULL;
	struct lcx__bridge bridge;
	int r;

	r = lcx__netlink_borrow(netlink_fd, &inner, err);
	if (r == 0)
		r = lcx_netlink_open(&host, err);
	if (r == 0)
		r = settle(ctx, host, false, network, attachment, &bridge, ret_begun, err);
	if (r == -EAGAIN && !*ret_begun)
		r = settle(ctx, host, true, network, attachment, &bridge, ret_begun, err);
	if (r == 0)
		r = connect_cable(ctx, host, attachment, &bridge, netns_fd, err);
	if (r == 0)
		r = set_up_inside(inner, attachment, err);
	if (r == 0)
		r = publish(ctx, attachment, err);
	return r;
}

int lcx__network_apply(struct lcx_ctx *ctx, struct lcx_network *network,
		       struct lcx_attachment *attachment, int netns_fd, int netlink_fd,
		       struct lcx_error **err)
{
	struct lcx_attachment before = *attachment;
	bool begun = false;
	int r;

	r = make(ctx, network, attachment, netns_fd, netlink_fd, &begun, err);
	if (r < 0 && begun)
		(void)lcx_network_detach(ctx, network->name, attachment->owner, 0, NULL);
	if (r < 0)
		*attachment = before;
	return lcx__fail_prefix(err, r, "network '%s'", network->name);
}

LCX_PUBLIC int lcx_network_attach(struct lcx_ctx *ctx, struct lcx_network *network,
				  struct lcx_attachment *attachment, int netns_fd, int netlink_fd,
				  struct lcx_error **err)
{
	int r;

	attachment->standalone = true;
	r = lcx__network_plan(ctx, network, attachment, err);
	return r < 0 ? r : lcx__network_apply(ctx, network, attachment, netns_fd, netlink_fd, err);
}
