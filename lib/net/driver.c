/* SPDX-License-Identifier: MIT */
#include "net/driver.h"

#include <linux/if_link.h>
#include <string.h>

#include "netlink/branch.h"

static const struct net_word macvlan_modes[] = {
	{"bridge", MACVLAN_MODE_BRIDGE},
	{"private", MACVLAN_MODE_PRIVATE},
	{"vepa", MACVLAN_MODE_VEPA},
	{"passthru", MACVLAN_MODE_PASSTHRU},
	{0},
};

static const struct net_word ipvlan_modes[] = {
	{"l2", IPVLAN_MODE_L2},
	{"l3", IPVLAN_MODE_L3},
	{"l3s", IPVLAN_MODE_L3S},
	{0},
};

static const struct net_word ipvlan_flags[] = {
	{"bridge", 0},
	{"private", IPVLAN_F_PRIVATE},
	{"vepa", IPVLAN_F_VEPA},
	{0},
};

static const struct net_driver drivers[] = {
	{"bridge", .ensure = lcx__bridge_ensure, .remove = lcx__bridge_remove,
	 .connect = lcx__cable_connect},
	{"macvlan", macvlan_modes, NULL, &lcx__macvlan, "CONFIG_MACVLAN", lcx__parent_ensure,
	 lcx__parent_remove, lcx__branch_connect},
	{"ipvlan", ipvlan_modes, ipvlan_flags, &lcx__ipvlan, "CONFIG_IPVLAN", lcx__parent_ensure,
	 lcx__parent_remove, lcx__branch_connect},
};

const struct net_driver *lcx__driver_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++)
		if (strcmp(drivers[i].name, name) == 0)
			return &drivers[i];
	return NULL;
}

const struct net_driver *lcx__driver_of(const struct lcx_network *network)
{
	return lcx__driver_find(network->driver);
}

static const struct net_word *find_word(const struct net_word *words, const char *text)
{
	for (; words && words->word; words++)
		if (strcmp(words->word, text) == 0)
			return words;
	return NULL;
}

uint32_t lcx__driver_mode(const struct lcx_network *network)
{
	const struct net_word *mode = find_word(lcx__driver_of(network)->modes, network->mode);

	return mode ? mode->value : 0;
}

uint16_t lcx__driver_flags(const struct lcx_network *network)
{
	const struct net_word *flag = find_word(lcx__driver_of(network)->flags, network->flag);

	return flag ? (uint16_t)flag->value : 0;
}

bool lcx__driver_gives_mac(const struct lcx_network *network)
{
	return strcmp(network->driver, "ipvlan") != 0 && strcmp(network->mode, "passthru") != 0;
}

bool lcx__driver_routes(const struct lcx_network *network)
{
	return network->mode[0] == 'l' && network->mode[1] == '3';
}

bool lcx__driver_knows(const struct lcx_network *network)
{
	const struct net_driver *driver = lcx__driver_of(network);

	if (!driver)
		return false;
	if (!driver->branch)
		return lcx__link_name_is_valid(network->bridge) && network->parent[0] == '\0';
	return lcx__link_name_is_valid(network->parent) && network->bridge[0] == '\0' &&
	       find_word(driver->modes, network->mode) &&
	       (network->flag[0] == '\0' || find_word(driver->flags, network->flag));
}

/* ---- what a network is described by ---- */

LCX_PUBLIC int lcx_network_set_driver(struct lcx_network *network, const char *driver,
				      struct lcx_error **err)
{
	if (!lcx__driver_find(driver))
		return lcx__fail(err, EOPNOTSUPP,
				 "network '%s': driver '%s' is unknown; there are bridge, macvlan "
				 "and ipvlan",
				 network->name, driver);
	(void)snprintf(network->driver, sizeof(network->driver), "%s", driver);
	network->mode[0] = network->flag[0] = '\0';
	return 0;
}

LCX_PUBLIC int lcx_network_set_parent(struct lcx_network *network, const char *parent,
				      struct lcx_error **err)
{
	if (!lcx__link_name_is_valid(parent) || strcmp(parent, "lo") == 0)
		return lcx__fail(err, EINVAL, "network '%s': '%s' cannot be a parent interface",
				 network->name, parent);
	strcpy(network->parent, parent);
	return 0;
}

/* Copy a word that is one of them; else name them all. */
static int set_word(const struct lcx_network *network, const struct net_word *words,
		    const char *what, const char *text, char to[static 16], struct lcx_error **err)
{
	char all[80] = "";

	if (find_word(words, text)) {
		(void)snprintf(to, 16, "%s", text);
		return 0;
	}
	for (const struct net_word *word = words; word && word->word; word++)
		(void)snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s%s",
			       word == words ? "; there are " : ", ", word->word);
	return lcx__fail(err, EINVAL, "network '%s': driver '%s' has no %s '%s'%s", network->name,
			 network->driver, what, text, all);
}

LCX_PUBLIC int lcx_network_set_mode(struct lcx_network *network, const char *mode,
				    struct lcx_error **err)
{
	return set_word(network, lcx__driver_of(network)->modes, "mode", mode, network->mode, err);
}

static int set_flag(struct lcx_network *network, const char *flag, struct lcx_error **err)
{
	return set_word(network, lcx__driver_of(network)->flags, "flag", flag, network->flag, err);
}

static int set_mtu(struct lcx_network *network, const char *text, struct lcx_error **err)
{
	uint64_t mtu;

	if (lcx__parse_u64(text, 65535, &mtu) < 0)
		return lcx__fail(err, EINVAL, "'%s' is not an MTU of 68 to 65535 bytes", text);
	return lcx_network_set_mtu(network, (uint32_t)mtu, err);
}

static int set_hairpin(struct lcx_network *network, const char *text, struct lcx_error **err)
{
	return lcx__net_parse_switch(text, &network->hairpin, err);
}

static int set_promiscuous(struct lcx_network *network, const char *text, struct lcx_error **err)
{
	return lcx__net_parse_switch(text, &network->promiscuous, err);
}

static const struct {
	const char *key, *driver; /* NULL: of any */
	int (*set)(struct lcx_network *network, const char *value, struct lcx_error **err);
} options[] = {
	{"parent", NULL, lcx_network_set_parent},
	{"mode", NULL, lcx_network_set_mode},
	{"macvlan_mode", "macvlan", lcx_network_set_mode},
	{"ipvlan_mode", "ipvlan", lcx_network_set_mode},
	{"ipvlan_flag", "ipvlan", set_flag},
	{"mtu", NULL, set_mtu},
	{"com.docker.network.driver.mtu", NULL, set_mtu},
	{"com.docker.network.bridge.name", NULL, lcx_network_set_bridge},
	{"hairpin", "bridge", set_hairpin},
	{"promiscuous", "bridge", set_promiscuous},
};

LCX_PUBLIC int lcx_network_set_option(struct lcx_network *network, const char *key,
				      const char *value, struct lcx_error **err)
{
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		if (strcmp(options[i].key, key) != 0)
			continue;
		if (options[i].driver && strcmp(options[i].driver, network->driver) != 0)
			return lcx__fail(err, EINVAL,
					 "network '%s': option '%s' is of driver '%s', not of '%s'",
					 network->name, key, options[i].driver, network->driver);
		return options[i].set(network, value, err);
	}
	return lcx__fail(err, EINVAL,
			 "network '%s' has no option '%s'; there are parent, mode, macvlan_mode, "
			 "ipvlan_mode, ipvlan_flag, mtu, hairpin, promiscuous, "
			 "com.docker.network.driver.mtu and com.docker.network.bridge.name",
			 network->name, key);
}

LCX_PUBLIC const char *lcx_network_parent(const struct lcx_network *network)
{
	return network->parent;
}

LCX_PUBLIC const char *lcx_network_mode(const struct lcx_network *network)
{
	return network->mode;
}

/* ---- creation ---- */

static int choose_parent(struct lcx_network *network, struct lcx_error **err)
{
	CLEANUP(lcx_netlink_freep) struct lcx_netlink *nl = NULL;
	CLEANUP(lcx_link_freep) struct lcx_link *link = NULL;
	int r;

	if (network->parent[0] != '\0')
		return 0;
	r = lcx_netlink_open(&nl, err);
	if (r < 0)
		return r;
	if (lcx__default_route_link(nl, &link) < 0)
		return lcx__fail(err, EINVAL,
				 "network '%s': there is no default route to take the parent "
				 "interface from; say parent=INTERFACE",
				 network->name);
	strcpy(network->parent, lcx_link_name(link));
	return 0;
}

/* Its addresses are those of a network that is there: none is ours to choose. */
static int settle_families(struct lcx_network *network, struct lcx_error **err)
{
	net_families families = lcx__network_families(network);

	if (families == 0 || (network->with_ipv6 && !(families & 1u << NET_V6)))
		return lcx__fail(err, EINVAL,
				 "network '%s': containers get addresses of the network on '%s'; "
				 "say its subnet and, as range, what of it is free",
				 network->name, network->parent);
	network->without[NET_V4] = network->without[NET_V4] || !(families & 1u << NET_V4);
	return 0;
}

/* An interface that we make and remove cannot be of two networks. */
static int check_parent(int networks_fd, const struct lcx_network *network, struct lcx_error **err)
{
	CLEANUP(lcx__strv_freep) char **names = NULL;
	int r = strchr(network->parent, '.') ? lcx__net_list_names(networks_fd, false, &names) : 0;

	if (r < 0)
		return lcx__fail_sys(err, -r, "list networks");
	for (size_t i = 0; names && names[i]; i++) {
		CLEANUP(lcx_network_freep) struct lcx_network *other = NULL;

		r = lcx__network_read(networks_fd, names[i], &other, err);
		if (r < 0)
			return r;
		if (strcmp(other->parent, network->parent) == 0)
			return lcx__fail(err, EEXIST,
					 "network '%s': parent '%s' is that of network '%s'",
					 network->name, network->parent, other->name);
	}
	return 0;
}

static int settle_branches(int networks_fd, const struct net_driver *driver,
			   struct lcx_network *network, struct lcx_error **err)
{
	int r;

	if (network->bridge[0] != '\0')
		return lcx__fail(err, EINVAL, "network '%s': driver '%s' has no bridge to name",
				 network->name, driver->name);
	if (network->internal)
		return lcx__fail(err, EINVAL,
				 "network '%s': driver '%s' cannot be internal, since its parent "
				 "leads outside; use driver 'bridge'",
				 network->name, driver->name);
	if (network->mode[0] == '\0')
		(void)snprintf(network->mode, sizeof(network->mode), "%s", driver->modes->word);
	if (lcx__driver_routes(network) && network->gateway_count > 0)
		return lcx__fail(err, EINVAL,
				 "network '%s': in mode '%s' this host routes; there is no gateway "
				 "to name",
				 network->name, network->mode);
	r = lcx__frames_settle(network, err);
	if (r == 0)
		r = choose_parent(network, err);
	if (r == 0)
		r = settle_families(network, err);
	return r < 0 ? r : check_parent(networks_fd, network, err);
}

int lcx__driver_settle(int networks_fd, struct lcx_network *network, struct lcx_error **err)
{
	const struct net_driver *driver = lcx__driver_of(network);

	if (driver->branch)
		return settle_branches(networks_fd, driver, network, err);
	if (network->parent[0] != '\0')
		return lcx__fail(err, EINVAL,
				 "network '%s': a bridge has no parent; drivers 'macvlan' and "
				 "'ipvlan' have",
				 network->name);
	return 0;
}

int lcx__driver_check(const struct lcx_network *network, const struct lcx_attachment *attachment,
		      struct lcx_error **err)
{
	if (!lcx__driver_of(network)->branch)
		return 0;
	if (attachment->port_count > 0)
		return lcx__fail(err, EINVAL,
				 "network '%s' has driver '%s': a container is reached at its own "
				 "address, and no port can be published",
				 network->name, network->driver);
	if (attachment->egress_bits != 0 || attachment->ingress_bits != 0)
		return lcx__fail(err, EINVAL,
				 "network '%s' has driver '%s': without a cable no rate can be "
				 "limited",
				 network->name, network->driver);
	if (attachment->mac[0] != '\0' && !lcx__driver_gives_mac(network))
		return lcx__fail(err, EINVAL,
				 "network '%s' has driver '%s' in mode '%s': its interfaces have "
				 "the MAC address of '%s'",
				 network->name, network->driver, network->mode, network->parent);
	return lcx__frames_check(network, attachment, err);
}
