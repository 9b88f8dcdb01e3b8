/* SPDX-License-Identifier: MIT */

/* Making, changing and removing interfaces. */
#include <string.h>

#include "netlink/link-internal.h"

#include <linux/if_bridge.h>
#include <linux/veth.h>

enum { CHANGE = NLM_F_REQUEST | NLM_F_ACK, CREATE = CHANGE | NLM_F_CREATE | NLM_F_EXCL };

bool lcx__link_name_is_valid(const char *name)
{
	size_t length = strlen(name);

	if (length == 0 || length >= IFNAMSIZ || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return false;
	/* '%' asks the kernel to make a name up; ':' separates ancient alias interfaces. */
	for (const char *c = name; *c; c++)
		if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7f || strchr("/:%", *c))
			return false;
	return true;
}

void lcx__link_put_config(struct lcx__nl_batch *batch, const struct lcx_link_config *config)
{
	if (!config)
		return;
	if (config->mtu != 0)
		lcx__nl_put_u32(batch, IFLA_MTU, config->mtu);
	if (config->has_mac)
		lcx__nl_put(batch, IFLA_ADDRESS, config->mac, sizeof(config->mac));
	if (config->master != 0)
		lcx__nl_put_u32(batch, IFLA_MASTER, config->master);
	if (config->netns_fd >= 0)
		lcx__nl_put_u32(batch, IFLA_NET_NS_FD, (uint32_t)config->netns_fd);
}

/* The kernel takes flags and alias only once the interface is there: a second message. */
static void put_finish(struct lcx__nl_batch *batch, const char *name,
		       const struct lcx_link_config *config)
{
	if (config && (config->alias || config->up))
		lcx__link_put_change(
			batch, name, 0,
			&(struct lcx__link_change){.alias = config->alias, .up = config->up});
}

/*
 * Whoever sends frames of ever new addresses would have the bridge remember each of them for five
 * minutes, in memory that is nobody's. Enough for sixteen behind each of its ports. Since Linux
 * 6.7, after the headers of many; older ones pass over it.
 */
enum { BR_FDB_MAX_LEARNED = 49, MOST_LEARNED = 16384 };

void lcx__link_put_bridge(struct lcx__nl_batch *batch, const char *name,
			  const struct lcx_link_config *config)
{
	struct ifinfomsg ifi = {0};
	size_t info, data;

	lcx__nl_begin(batch, RTM_NEWLINK, CREATE, &ifi, sizeof(ifi));
	lcx__nl_put_str(batch, IFLA_IFNAME, name);
	lcx__link_put_config(batch, config);
	info = lcx__nl_nest(batch, IFLA_LINKINFO);
	lcx__nl_put_str(batch, IFLA_INFO_KIND, "bridge");
	data = lcx__nl_nest(batch, IFLA_INFO_DATA);
	lcx__nl_put_u32(batch, IFLA_BR_STP_STATE, 0);
	lcx__nl_put_u8(batch, IFLA_BR_MCAST_SNOOPING, 0);
	lcx__nl_put_u32(batch, BR_FDB_MAX_LEARNED, MOST_LEARNED);
	lcx__nl_nest_end(batch, data);
	lcx__nl_nest_end(batch, info);
}

/* IF_OPER_DOWN of <linux/if.h>, which <net/if.h> does not always bear beside it. */
enum { OPER_DOWN = 2 };

void lcx__link_put_veth(struct lcx__nl_batch *batch, const char *name,
			const struct lcx_link_config *config, const char *peer_name,
			const struct lcx_link_config *peer_config)
{
	struct ifinfomsg ifi = {0};
	size_t info, data, peer;

	lcx__nl_begin(batch, RTM_NEWLINK, CREATE, &ifi, sizeof(ifi));
	lcx__nl_put_str(batch, IFLA_IFNAME, name);
	lcx__link_put_config(batch, config);
	/*
	 * As it is, while the other end is down. A bridge takes a port of unknown state for one
	 * that works, goes through all its ports for it, and again when it learns better.
	 */
	lcx__nl_put_u8(batch, IFLA_OPERSTATE, OPER_DOWN);
	info = lcx__nl_nest(batch, IFLA_LINKINFO);
	lcx__nl_put_str(batch, IFLA_INFO_KIND, "veth");
	data = lcx__nl_nest(batch, IFLA_INFO_DATA);
	peer = lcx__nl_nest(batch, VETH_INFO_PEER);
	lcx__nl_put_raw(batch, &ifi, sizeof(ifi));
	lcx__nl_put_str(batch, IFLA_IFNAME, peer_name);
	lcx__link_put_config(batch, peer_config);
	lcx__nl_nest_end(batch, peer);
	lcx__nl_nest_end(batch, data);
	lcx__nl_nest_end(batch, info);
}

void lcx__link_put_change(struct lcx__nl_batch *batch, const char *name, uint32_t index,
			  const struct lcx__link_change *change)
{
	unsigned int flags = (change->up ? IFF_UP : 0) | (change->promiscuous ? IFF_PROMISC : 0);
	struct ifinfomsg ifi = {
		.ifi_index = (int)index,
		.ifi_flags = flags,
		.ifi_change = flags,
	};
	size_t families, family, info, data;

	lcx__nl_begin(batch, RTM_NEWLINK, CHANGE, &ifi, sizeof(ifi));
	if (index == 0)
		lcx__nl_put_str(batch, IFLA_IFNAME, name);
	if (change->alias)
		lcx__nl_put_str(batch, IFLA_IFALIAS, change->alias);
	if (change->ipv6_address || change->no_ipv6_address) {
		families = lcx__nl_nest(batch, IFLA_AF_SPEC);
		family = lcx__nl_nest(batch, AF_INET6);
		lcx__nl_put_u8(batch, IFLA_INET6_ADDR_GEN_MODE,
			       change->ipv6_address ? IN6_ADDR_GEN_MODE_EUI64
						    : IN6_ADDR_GEN_MODE_NONE);
		lcx__nl_nest_end(batch, family);
		lcx__nl_nest_end(batch, families);
	}
	if (change->hairpin) {
		info = lcx__nl_nest(batch, IFLA_LINKINFO);
		lcx__nl_put_str(batch, IFLA_INFO_SLAVE_KIND, "bridge");
		data = lcx__nl_nest(batch, IFLA_INFO_SLAVE_DATA);
		lcx__nl_put_u8(batch, IFLA_BRPORT_MODE, 1);
		lcx__nl_nest_end(batch, data);
		lcx__nl_nest_end(batch, info);
	}
}

static int check_name(const char *name, struct lcx_error **err)
{
	if (!lcx__link_name_is_valid(name))
		return lcx__fail(err, EINVAL,
				 "'%s' cannot name an interface: 1 to 15 bytes without '/', ':', "
				 "'%%' and blanks",
				 name);
	return 0;
}

LCX_PUBLIC int lcx_bridge_create(struct lcx_netlink *nl, const char *name,
				 const struct lcx_link_config *config, struct lcx_error **err)
{
	CLEANUP(lcx__nl_batch_free) struct lcx__nl_batch batch = NL_BATCH_EMPTY;
	unsigned int failed = 0;
	int r;

	r = check_name(name, err);
	if (r < 0)
		return r;
	lcx__link_put_bridge(&batch, name, config);
	r = lcx__nl_exchange(nl, &batch, NULL, NULL, &failed);
	if (r < 0)
		return lcx__nl_fail(nl, err, -r, "create bridge '%s'", name);

	/* Apart from the first message, lest it changes another's interface when that one fails. */
	put_finish(&batch, name, config);
	r = batch.count > 0 ? lcx__nl_exchange(nl, &batch, NULL, NULL, NULL) : 0;
	if (r < 0) {
		(void)lcx__nl_fail(nl, err, -r, "bridge '%s': set up", name);
		(void)lcx__link_destroy_name(nl, name);
	}
	return r;
}

LCX_PUBLIC int lcx_veth_create(struct lcx_netlink *nl, const char *name,
			       const struct lcx_link_config *config, const char *peer_name,
			       const struct lcx_link_config *peer_config, struct lcx_error **err)
{
	CLEANUP(lcx__nl_batch_free) struct lcx__nl_batch batch = NL_BATCH_EMPTY;
	int r;

	r = check_name(name, err);
	if (r == 0)
		r = check_name(peer_name, err);
	if (r < 0)
		return r;
	if (peer_config && (peer_config->up || peer_config->alias || peer_config->master != 0))
		return lcx__fail(
			err, EINVAL,
			"veth '%s': the peer '%s' can be set up, given an alias or a bridge only "
			"after it was made",
			name, peer_name);

	lcx__link_put_veth(&batch, name, config, peer_name, peer_config);
	r = lcx__nl_exchange(nl, &batch, NULL, NULL, NULL);
	if (r < 0)
		return lcx__nl_fail(nl, err, -r, "create veth '%s' with peer '%s'", name,
				    peer_name);

	put_finish(&batch, name, config);
	r = batch.count > 0 ? lcx__nl_exchange(nl, &batch, NULL, NULL, NULL) : 0;
	if (r < 0) {
		(void)lcx__nl_fail(nl, err, -r, "veth '%s': set up", name);
		(void)lcx__link_destroy_name(nl, name);
	}
	return r;
}

int lcx__link_destroy_name(struct lcx_netlink *nl, const char *name)
{
	CLEANUP(lcx__nl_batch_free) struct lcx__nl_batch batch = NL_BATCH_EMPTY;
	struct ifinfomsg ifi = {0};

	lcx__nl_begin(&batch, RTM_DELLINK, CHANGE, &ifi, sizeof(ifi));
	lcx__nl_put_str(&batch, IFLA_IFNAME, name);
	return lcx__nl_exchange(nl, &batch, NULL, NULL, NULL);
}

/* One RTM_NEWLINK (or RTM_DELLINK) on an interface that is there. */
static int change_link(struct lcx_netlink *nl, uint16_t type, const struct ifinfomsg *ifi,
		       uint16_t attr, const void *data, size_t length, const char *what,
		       struct lcx_error **err)
{
	CLEANUP(lcx__nl_batch_free) struct lcx__nl_batch batch = NL_BATCH_EMPTY;
	char name[IFNAMSIZ];
	int r;

	if (ifi->ifi_index <= 0)
		return lcx__fail(err, EINVAL, "%s: %d cannot be an interface's index", what,
				 ifi->ifi_index);
	lcx__nl_begin(&batch, type, CHANGE, ifi, sizeof(*ifi));
	if (data)
		lcx__nl_put(&batch, attr, data, length);
	r = lcx__nl_exchange(nl, &batch, NULL, NULL, NULL);
	if (r == 0)
		return 0;
	(void)lcx__nl_fail(nl, err, -r, "%s", what);
	lcx__link_describe(nl, (uint32_t)ifi->ifi_index, name);
	return lcx__fail_prefix(err, r, "interface %d ('%s')", ifi->ifi_index, name);
}

LCX_PUBLIC int lcx_link_set_up(struct lcx_netlink *nl, uint32_t index, bool up,
			       struct lcx_error **err)
{
	struct ifinfomsg ifi = {
		.ifi_index = (int)index, .ifi_flags = up ? IFF_UP : 0, .ifi_change = IFF_UP};

	return change_link(nl, RTM_NEWLINK, &ifi, 0, NULL, 0, up ? "set up" : "set down", err);
}

LCX_PUBLIC int lcx_link_set_master(struct lcx_netlink *nl, uint32_t index, uint32_t master,
				   struct lcx_error **err)
{
	struct ifinfomsg ifi = {.ifi_index = (int)index};

	return change_link(nl, RTM_NEWLINK, &ifi, IFLA_MASTER, &master, sizeof(master),
			   master != 0 ? "join a bridge" : "leave the bridge", err);
}

LCX_PUBLIC int lcx_link_set_mtu(struct lcx_netlink *nl, uint32_t index, uint32_t mtu_bytes,
				struct lcx_error **err)
{
	struct ifinfomsg ifi = {.ifi_index = (int)index};

	return change_link(nl, RTM_NEWLINK, &ifi, IFLA_MTU, &mtu_bytes, sizeof(mtu_bytes),
			   "set the MTU", err);
}

LCX_PUBLIC int lcx_link_set_alias(struct lcx_netlink *nl, uint32_t index, const char *alias,
				  struct lcx_error **err)
{
	struct ifinfomsg ifi = {.ifi_index = (int)index};

	if (strlen(alias) >= LINK_ALIAS_SIZE)
		return lcx__fail(err, EINVAL, "an alias has at most %d bytes", LINK_ALIAS_SIZE - 1);
	return change_link(nl, RTM_NEWLINK, &ifi, IFLA_IFALIAS, alias, strlen(alias) + 1,
			   "set the alias", err);
}

LCX_PUBLIC int lcx_link_set_name(struct lcx_netlink *nl, uint32_t index, const char *name,
				 struct lcx_error **err)
{
	struct ifinfomsg ifi = {.ifi_index = (int)index};
	int r = check_name(name, err);

	if (r < 0)
		return r;
	return change_link(nl, RTM_NEWLINK, &ifi, IFLA_IFNAME, name, strlen(name) + 1, "rename",
			   err);
}

LCX_PUBLIC int lcx_link_destroy(struct lcx_netlink *nl, uint32_t index, struct lcx_error **err)
{
	struct ifinfomsg ifi = {.ifi_index = (int)index};

	return change_link(nl, RTM_DELLINK, &ifi, 0, NULL, 0, "remove", err);
}
