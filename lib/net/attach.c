/* SPDX-License-Identifier: MIT */

/*
 * Attaching. The order of steps: the lease; the record; the bridge or parent, and the network's
 * monitor; the cable with its far end in the container's namespace, or the branch there; its
 * address, up, route; the published ports, which are open only when the container can answer. Up to
 * the bridge the network's lock is held. What fails is undone by the same function that takes a
 * finished attachment down.
 */
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/random.h>

#include "net/announce.h"
#include "net/driver.h"
#include "net/monitor.h"

/* More than that many others don't come between by chance. */
enum { PORT_TRIES = 64 };

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
	return lcx__driver_check(network, attachment, err);
}

/* From here on a port speaks of the families that the network has. */
static int settle_ports(const struct lcx_network *network, struct lcx_attachment *attachment,
			struct lcx_error **err)
{
	net_families families = lcx__network_families(network);

	for (size_t i = 0; i < attachment->port_count; i++) {
		struct lcx_port *port = &attachment->ports[i];

		if (!(port->families & families))
			return lcx__fail(err, EAFNOSUPPORT,
					 "port %u cannot be published on %s: network '%s' has no "
					 "subnet of its kind",
					 port->container_port, port->host_address, network->name);
		port->families &= families;
		if (!(port->families & 1u << NET_V4) && lcx__port_is_anywhere(port))
			strcpy(port->host_address, "::");
	}
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
	if (r == 0 && !lcx__driver_of(network)->branch)
		r = choose_host_interface(ctx, nl, attachment, err);
	if (r == 0)
		r = settle_ports(network, attachment, err);
	if (r == 0)
		r = lcx__ports_claim(ctx, attachment, true, err);
	return lcx__fail_prefix(err, r, "network '%s'", network->name);
}

/* Choose another subnet in the place of those that were chosen by us and are not free now. */
static int move_subnets(struct lcx_ctx *ctx, int networks_fd, struct lcx_network *network,
			struct lcx_error **err)
{
	int r = 0;

	for (uint32_t i = 0; i < network->subnet_count && r == 0; i++) {
		struct net_subnet *subnet = &network->subnets[i];

		if (!subnet->chosen ||
		    lcx__subnet_check(networks_fd, network, subnet->subnet, NULL) != -EADDRINUSE)
			continue;
		r = lcx__subnet_choose(networks_fd, network, lcx__net_family_of(subnet->subnet),
				       subnet->subnet, err);
		if (r == 0)
			lcx__network_choose_gateway(subnet);
	}
	if (r == 0)
		r = lcx__network_write(networks_fd, network, err);
	return r < 0 ? r : lcx__pools_make(ctx, network, err);
}

static bool has_lost_a_subnet(int networks_fd, const struct lcx_network *network)
{
	for (uint32_t i = 0; i < network->subnet_count; i++)
		if (network->subnets[i].chosen &&
		    lcx__subnet_check(networks_fd, network, network->subnets[i].subnet, NULL) ==
			    -EADDRINUSE)
			return true;
	return false;
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
	/* The subnets of any other driver are not of our choice. */
	if (lcx__driver_of(network)->branch)
		return 0;
	r = lcx__bridge_find(ctx, nl, network, &link, err);
	if (r != 0)
		return r < 0 ? r : 0;
	if (!has_lost_a_subnet(networks_fd, network) || !lcx__pools_are_unused(ctx, network))
		return 0;
	return may_move ? move_subnets(ctx, networks_fd, network, err) : -EAGAIN;
}

static int lease(struct lcx_ctx *ctx, const struct lcx_network *network,
		 struct lcx_attachment *attachment, struct lcx_error **err)
{
	int r = lcx__pools_lease(ctx, network, attachment, err);

	if (r == 0 && attachment->mac[0] == '\0' && lcx__driver_gives_mac(network))
		lcx__attachment_usual_mac(attachment, attachment->mac);
	return r;
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

static int take_parents_mac(struct lcx_netlink *nl, int records_fd,
			    const struct lcx__bridge *parent, struct lcx_attachment *attachment,
			    struct lcx_error **err)
{
	CLEANUP(lcx_link_freep) struct lcx_link *link = NULL;
	int r = lcx_link_open_index(nl, parent->index, &link, err);

	if (r < 0)
		return r;
	copy(attachment->mac, sizeof(attachment->mac), lcx_link_mac(link));
	return lcx__record_write(records_fd, attachment, err);
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
		r = lcx__driver_of(network)->ensure(ctx, nl, network, bridge, err);
	if (r == 0 && !lcx__driver_gives_mac(network))
		r = take_parents_mac(nl, records_fd, bridge, attachment, err);
	if (r == 0)
		r = lcx__monitor_ensure(ctx, network, records_fd, attachment, err);
	return r;
}

static bool has_chosen_port(const struct lcx_attachment *attachment)
{
	for (size_t i = 0; i < attachment->port_count; i++)
		if (attachment->ports[i].chosen)
			return true;
	return false;
}

/*
 * Between the look at a port and its entry in the table others may enter it. Who asked for just
 * that one is told so; in the place of one that was chosen, another one is.
 */
static int add_ports(struct lcx_ctx *ctx, int records_fd, struct lcx_attachment *attachment,
		     struct lcx_error **err)
{
	uint16_t loopback_port = lcx__monitor_loopback_port(records_fd);
	char comment[NET_MARK_SIZE];

	lcx__net_comment(ctx, attachment->owner, comment);
	for (int tries = 1;; tries++) {
		CLEANUP(lcx_error_freep) struct lcx_error *e = NULL;
		int r = lcx__firewall_add_ports(ctx, comment, attachment, loopback_port, true, &e);

		if (r != -EADDRINUSE || tries == PORT_TRIES || !has_chosen_port(attachment))
			return r < 0 ? lcx__fail(err, -r, "%s", lcx_error_message(e)) : 0;
		r = lcx__ports_claim_others(ctx, attachment, err);
		if (r == 0)
			r = lcx__record_write(records_fd, attachment, err);
		if (r < 0)
			return r;
	}
}

static int publish(struct lcx_ctx *ctx, struct lcx_attachment *attachment, struct lcx_error **err)
{
	CLEANUP(closep) int records_fd = lcx__net_records_dir(ctx, attachment->network, err);
	CLEANUP(lcx_error_freep) struct lcx_error *e = NULL;
	int r = records_fd < 0 ? records_fd : add_ports(ctx, records_fd, attachment, &e);

	/* Somebody flushed the rule set. Our record is written: this publishes its ports, too. */
	if (r == -ENOENT && e)
		return lcx__net_reload_table(ctx, err);
	return r < 0 && e ? lcx__fail(err, -r, "%s", lcx_error_message(e)) : r;
}

/* By a socket of this namespace, up to the interface in the other one. */
static int connect_it(struct lcx_ctx *ctx, struct lcx_network *network,
		      struct lcx_attachment *attachment, int netns_fd, bool *ret_begun,
		      struct lcx_error **err)
{
	CLEANUP(lcx_netlink_freep) struct lcx_netlink *host = NULL;
	struct lcx__bridge bridge;
	int r = lcx_netlink_open(&host, err);

	if (r == 0 && lcx__driver_of(network)->branch)
		r = lcx__branch_plan(host, attachment, netns_fd, err);
	if (r == 0)
		r = settle(ctx, host, false, network, attachment, &bridge, ret_begun, err);
	if (r == -EAGAIN && !*ret_begun)
		r = settle(ctx, host, true, network, attachment, &bridge, ret_begun, err);
	if (r == 0)
		r = lcx__driver_of(network)->connect(ctx, host, network, attachment, &bridge,
						     netns_fd, err);
	if (r == 0)
		r = lcx__shape(host, attachment, err);
	if (r == 0 && !lcx__branch_is(attachment))
		lcx__announce(host, bridge.index, attachment);
	return r;
}

static int finish_it(struct lcx_ctx *ctx, struct lcx_network *network,
		     struct lcx_attachment *attachment, int netns_fd, struct lcx_netlink *inner,
		     struct lcx_error **err)
{
	int r = lcx__inside_set_up(ctx, inner, network, attachment, netns_fd, err);

	return r < 0 ? r : publish(ctx, attachment, err);
}

static void restore(struct lcx_attachment *attachment, const struct lcx_attachment *before)
{
	*attachment = *before;
	for (size_t i = 0; i < attachment->port_count; i++)
		if (attachment->ports[i].chosen)
			attachment->ports[i].host_port = attachment->ports[i].chosen;
}

/* Of either half. */
static int settle_result(struct lcx_ctx *ctx, const struct lcx_network *network,
			 const struct lcx_attachment *attachment, bool begun, int r,
			 struct lcx_error **err)
{
	if (r < 0 && begun)
		(void)lcx_network_detach(ctx, network->name, attachment->owner, NULL);
	return lcx__fail_prefix(err, r, "network '%s'", network->name);
}

int lcx__network_connect(struct lcx_ctx *ctx, struct lcx_network *network,
			 struct lcx_attachment *attachment, int netns_fd, struct lcx_error **err)
{
	bool begun = false;
	int r;

	if (attachment->interface_chosen)
		copy(attachment->interface, sizeof(attachment->interface), "eth0");
	r = connect_it(ctx, network, attachment, netns_fd, &begun, err);
	return settle_result(ctx, network, attachment, begun, r, err);
}

int lcx__network_finish(struct lcx_ctx *ctx, struct lcx_network *network,
			struct lcx_attachment *attachment, int netns_fd, int netlink_fd,
			struct lcx_error **err)
{
	CLEANUP(lcx_netlink_freep) struct lcx_netlink *inner = NULL;
	int r = lcx__netlink_borrow(netlink_fd, &inner, err);

	if (r == 0)
		r = finish_it(ctx, network, attachment, netns_fd, inner, err);
	return settle_result(ctx, network, attachment, true, r, err);
}

int lcx__network_apply(struct lcx_ctx *ctx, struct lcx_network *network,
		       struct lcx_attachment *attachment, int netns_fd, int netlink_fd,
		       struct lcx_error **err)
{
	CLEANUP(lcx_netlink_freep) struct lcx_netlink *inner = NULL;
	struct lcx_attachment before = *attachment;
	bool begun = false;
	int r = lcx__netlink_borrow(netlink_fd, &inner, err);

	if (r == 0)
		r = lcx__inside_choose_name(inner, attachment, err);
	if (r == 0)
		r = connect_it(ctx, network, attachment, netns_fd, &begun, err);
	if (r == 0)
		r = finish_it(ctx, network, attachment, netns_fd, inner, err);
	r = settle_result(ctx, network, attachment, begun, r, err);
	if (r < 0)
		restore(attachment, &before);
	return r;
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
