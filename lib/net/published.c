/* SPDX-License-Identifier: MIT */

/*
 * Published ports: entries of maps, one per port, none of them a rule. The
 * comment of each names its owner. One on ::1 is in two: that of addresses, or that of ports on all
 * of them, tells whose it is; another one leads it to the network's monitor.
 */
#include <arpa/inet.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <string.h>

#include "net/firewall-internal.h"

/* Who publishes on one address, and who on all; of either family; and on ::1, where all of it goes
 * to one place. */
static const struct port_set {
	const char *name;
	enum net_family family;
	bool anywhere, loopback;
} port_sets[] = {
	{SET_PORTS_OF_ADDRESS, NET_V4, false, false},  {SET_PORTS_ANYWHERE, NET_V4, true, false},
	{SET_PORTS_OF_ADDRESS6, NET_V6, false, false}, {SET_PORTS_ANYWHERE6, NET_V6, true, false},
	{SET_LOOPBACK6, NET_V6, true, true},
};

static const struct port_set *find_set(enum net_family family, bool anywhere)
{
	return &port_sets[2 * (size_t)family + anywhere];
}

static bool belongs(const struct port_set *set, const struct lcx_port *port)
{
	if (set->loopback)
		return lcx__port_is_on_loopback6(port);
	return port->families & 1u << set->family && lcx__port_is_anywhere(port) == set->anywhere;
}

/* The key of one port, in 4-byte fields: (address .) protocol . port. */
static void make_key(struct lcx__nft_element *element, const struct lcx__inet *address,
		     enum port_protocol protocol, uint16_t number)
{
	uint16_t port = htons(number);
	uint32_t n = 0;

	*element = (struct lcx__nft_element){0};
	if (address) {
		n = (uint32_t)lcx__inet_length(address);
		memcpy(element->key, address->bytes, n);
	}
	element->key[n] = (uint8_t)lcx__protocol_number(protocol);
	memcpy(element->key + n + 4, &port, sizeof(port));
	element->key_length = n + 8;
}

/* Keys of a port, or of a range of them, in one of the maps. */
static int add_range(struct lcx__nft_elements *elements, const struct port_set *set,
		     const struct lcx_port *port)
{
	struct lcx__nft_element element;
	struct lcx__inet address;
	int r = 0;

	if (!set->anywhere && lcx__inet_parse_address(port->host_address, &address) < 0)
		return -EINVAL;
	for (unsigned int i = 0; i < port->count && r == 0; i++) {
		make_key(&element, set->anywhere ? NULL : &address, port->protocol,
			 (uint16_t)(port->host_port + i));
		r = lcx__nft_elements_add(elements, &element);
	}
	return r;
}

/* Keys of the ports that belong into one of the maps. */
static int add_ports(struct lcx__nft_elements *elements, const struct port_set *set,
		     const struct lcx_port *ports, size_t count)
{
	int r = 0;

	for (size_t i = 0; i < count && r == 0; i++)
		if (belongs(set, &ports[i]))
			r = add_range(elements, set, &ports[i]);
	return r;
}

/* Where the connections go; the elements are in the order that add_ports() made them. */
static int fill_data(struct lcx__nft_elements *elements, const struct port_set *set,
		     const char *comment, const struct lcx_attachment *attachment,
		     uint16_t loopback_port)
{
	struct lcx__inet address;
	size_t n = 0, length;

	if (elements->count == 0)
		return 0;
	if (lcx__inet_parse_address(set->loopback ? "::1"
						  : attachment->addresses[set->family].address,
				    &address) < 0)
		return -EINVAL;
	length = lcx__inet_length(&address);
	for (size_t p = 0; p < attachment->port_count; p++) {
		const struct lcx_port *port = &attachment->ports[p];

		for (unsigned int i = 0; belongs(set, port) && i < port->count; i++) {
			struct lcx__nft_element *element = &elements->list[n++];
			uint16_t number =
				htons(set->loopback ? loopback_port
						    : (uint16_t)(port->container_port + i));

			memcpy(element->data, address.bytes, length);
			memcpy(element->data + length, &number, sizeof(number));
			element->data_length = (uint32_t)length + 4;
			(void)snprintf(element->comment, sizeof(element->comment), "%s", comment);
		}
	}
	return 0;
}

static int put_ports(struct lcx__nl_batch *batch, const char *comment,
		     const struct lcx_attachment *attachment, uint16_t loopback_port,
		     uint16_t flags)
{
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(port_sets) && r == 0; i++) {
		CLEANUP(lcx__nft_elements_free) struct lcx__nft_elements elements = {0};
		const struct port_set *set = &port_sets[i];

		if (set->loopback && loopback_port == 0)
			continue;
		r = add_ports(&elements, set, attachment->ports, attachment->port_count);
		if (r == 0)
			r = fill_data(&elements, set, comment, attachment, loopback_port);
		if (r == 0)
			lcx__nft_put_elements(batch, NFT_MSG_NEWSETELEM, flags, LCX_TABLE,
					      set->name, elements.list, elements.count);
	}
	return r;
}

/* Somebody was faster: say who. */
static int fail_taken(struct lcx_ctx *ctx, struct lcx_netlink **nft,
		      const struct lcx_attachment *attachment, struct lcx_error **err)
{
	char holder[NET_MARK_SIZE];
	uint16_t number;

	for (size_t i = 0; i < attachment->port_count; i++) {
		const struct lcx_port *port = &attachment->ports[i];
		CLEANUP(freep) char *who = NULL;

		if (lcx__firewall_find_port(nft, port, &number, holder, NULL) <= 0)
			continue;
		who = lcx__net_describe_holder(ctx, holder);
		return lcx__fail(err, EADDRINUSE,
				 "port %u/%s is already published by %s; choose another host port",
				 number, lcx_port_protocol(port), who ? who : holder);
	}
	return lcx__fail(err, EADDRINUSE, "a port is already published");
}

static int add_to_table(struct lcx_ctx *ctx, struct lcx_netlink **nft, const char *comment,
			const struct lcx_attachment *attachment, uint16_t loopback_port,
			bool exclusive, struct lcx_error **err)
{
	uint16_t flags = NLM_F_CREATE | NLM_F_ACK | (exclusive ? NLM_F_EXCL : 0);
	CLEANUP(lcx__nl_batch_free) struct lcx__nl_batch batch = NL_BATCH_EMPTY;
	int r = lcx__firewall_ensure_open(nft, err);

	if (r < 0)
		return r;
	lcx__nft_begin(&batch, 0);
	r = put_ports(&batch, comment, attachment, loopback_port, flags);
	if (r < 0)
		return lcx__fail_sys(err, -r, "publish ports of '%s'", attachment->owner);
	r = lcx__firewall_commit(*nft, &batch);
	if (r == -EEXIST)
		return fail_taken(ctx, nft, attachment, err);
	return r < 0 ? lcx__firewall_fail(*nft, err, r, "publish ports") : 0;
}

int lcx__firewall_add_ports(struct lcx_ctx *ctx, const char *comment,
			    const struct lcx_attachment *attachment, uint16_t loopback_port,
			    bool exclusive, struct lcx_error **err)
{
	CLEANUP(lcx_netlink_freep) struct lcx_netlink *nft = NULL;
	int r;

	if (attachment->port_count == 0)
		return 0;
	nft = lcx__firewall_take(ctx);
	r = add_to_table(ctx, &nft, comment, attachment, loopback_port, exclusive, err);
	lcx__firewall_keep(ctx, &nft, false);
	return r;
}

/* Drop all entries but those with exactly this comment. */
static void keep_own(struct lcx__nft_elements *elements, const char *comment)
{
	size_t kept = 0;

	for (size_t i = 0; i < elements->count; i++)
		if (strcmp(elements->list[i].comment, comment) == 0)
			elements->list[kept++] = elements->list[i];
	elements->count = kept;
}

/* What the owner has in one of the maps. */
static int find_own(struct lcx_netlink *nl, const struct port_set *set, const char *comment,
		    const struct lcx_port *ports, size_t count, struct lcx__nft_elements *ret)
{
	CLEANUP(lcx__nft_elements_free) struct lcx__nft_elements keys = {0};
	int r;

	if (ports) {
		r = add_ports(&keys, set, ports, count);
		if (r == 0)
			r = lcx__nft_find(nl, LCX_TABLE, set->name, keys.list, keys.count, ret);
	} else {
		r = lcx__nft_list(nl, LCX_TABLE, set->name, ret);
		if (r == -ENOENT)
			r = 0;
	}
	keep_own(ret, comment);
	return r;
}

int lcx__firewall_remove_ports(struct lcx_netlink **nft, const char *comment,
			       const struct lcx_port *ports, size_t count, struct lcx_error **err)
{
	enum { TRIES = 5 };
	struct lcx_netlink *nl;
	int r;

	if (ports && count == 0)
		return 0;
	r = lcx__firewall_ensure_open(nft, err);
	if (r < 0)
		return r;
	nl = *nft;
	/* An entry that another removes between question and removal undoes the batch: ask again.
	 */
	for (int i = 0; i < TRIES; i++) {
		CLEANUP(lcx__nl_batch_free) struct lcx__nl_batch batch = NL_BATCH_EMPTY;
		size_t found = 0;

		lcx__nft_begin(&batch, 0);
		for (size_t k = 0; k < ARRAY_SIZE(port_sets); k++) {
			CLEANUP(lcx__nft_elements_free) struct lcx__nft_elements own = {0};
			const struct port_set *set = &port_sets[k];

			r = find_own(nl, set, comment, ports, count, &own);
			if (r < 0)
				return lcx__firewall_fail(nl, err, r, "look published ports up");
			lcx__nft_put_elements(&batch, NFT_MSG_DELSETELEM, NLM_F_ACK, LCX_TABLE,
					      set->name, own.list, own.count);
			found += own.count;
		}
		r = found > 0 ? lcx__firewall_commit(nl, &batch) : 0;
		if (r != -ENOENT)
			break;
	}
	return r < 0 ? lcx__firewall_fail(nl, err, r, "remove published ports") : 0;
}

static uint16_t number_of(const struct lcx__nft_element *element)
{
	uint16_t number;

	if (element->key_length < 8 || element->key_length > LCX__NFT_KEY_SIZE)
		return 0;
	memcpy(&number, element->key + element->key_length - 4, sizeof(number));
	return ntohs(number);
}

static enum port_protocol protocol_of(const struct lcx__nft_element *element)
{
	uint8_t number = element->key_length >= 8 ? element->key[element->key_length - 8] : 0;

	return number == IPPROTO_UDP ? PORT_UDP : number == IPPROTO_SCTP ? PORT_SCTP : PORT_TCP;
}

/*
 * Who publishes on one address is in the way of who wants them all. There are few of
 * those, as a rule; the map of the others, which may be large, is asked for certain keys only.
 */
static int find_on_any_address(struct lcx_netlink *nl, enum net_family family,
			       const struct lcx_port *port, struct lcx__nft_elements *ret)
{
	size_t kept = 0;
	int r = lcx__nft_list(nl, LCX_TABLE, find_set(family, false)->name, ret);

	for (size_t i = 0; i < ret->count; i++) {
		uint16_t number = number_of(&ret->list[i]);

		if (protocol_of(&ret->list[i]) == port->protocol && number >= port->host_port &&
		    number < port->host_port + port->count)
			ret->list[kept++] = ret->list[i];
	}
	ret->count = kept;
	return r == -ENOENT ? 0 : r;
}

static int find_keys(struct lcx_netlink *nl, const struct port_set *set,
		     const struct lcx_port *port, struct lcx__nft_elements *ret)
{
	CLEANUP(lcx__nft_elements_free) struct lcx__nft_elements keys = {0};
	int r = add_range(&keys, set, port);

	return r < 0 ? r : lcx__nft_find(nl, LCX_TABLE, set->name, keys.list, keys.count, ret);
}

/* Entries of one family that are in the way of @port. */
static int find_in_family(struct lcx_netlink *nl, enum net_family family,
			  const struct lcx_port *port, struct lcx__nft_elements *ret)
{
	int r = find_keys(nl, find_set(family, true), port, ret);

	if (r < 0 || ret->count > 0)
		return r;
	return lcx__port_is_anywhere(port) ? find_on_any_address(nl, family, port, ret)
					   : find_keys(nl, find_set(family, false), port, ret);
}

int lcx__firewall_find_port(struct lcx_netlink **nft, const struct lcx_port *port,
			    uint16_t *ret_number, char holder[static NET_MARK_SIZE],
			    struct lcx_error **err)
{
	CLEANUP(lcx__nft_elements_free) struct lcx__nft_elements found = {0};
	int r;

	r = lcx__firewall_ensure_open(nft, err);
	if (r < 0)
		return r;
	for (enum net_family family = 0; family < NET_FAMILIES; family++)
		if (r == 0 && found.count == 0 && port->families & 1u << family)
			r = find_in_family(*nft, family, port, &found);
	/* A kernel without nf_tables has no entries; publishing will say what is missing. */
	if (r < 0 && r != -EOPNOTSUPP && r != -EINVAL)
		return lcx__firewall_fail(*nft, err, r, "look a published port up");
	if (found.count == 0)
		return 0;
	*ret_number = number_of(&found.list[0]);
	(void)snprintf(holder, NET_MARK_SIZE, "%.*s", NET_MARK_SIZE - 1, found.list[0].comment);
	return 1;
}

static bool contains(char *const *strv, const char *text)
{
	for (size_t i = 0; strv[i]; i++)
		if (strcmp(strv[i], text) == 0)
			return true;
	return false;
}

int lcx__firewall_list_owners(const char *prefix, char ***ret, struct lcx_error **err)
{
	CLEANUP(lcx__strv_freep) char **owners = lcx__strv_copy(NULL);
	CLEANUP(lcx_netlink_freep) struct lcx_netlink *nl = NULL;
	int r;

	if (!owners)
		return lcx__fail_nomem(err);
	r = lcx__firewall_open(&nl, err);
	if (r < 0)
		return r;
	for (size_t k = 0; k < ARRAY_SIZE(port_sets); k++) {
		CLEANUP(lcx__nft_elements_free) struct lcx__nft_elements elements = {0};

		r = lcx__nft_list(nl, LCX_TABLE, port_sets[k].name, &elements);
		/* Who may not look has made none; nor has a kernel without nf_tables. */
		if (r < 0 && r != -ENOENT && r != -EPERM && r != -EOPNOTSUPP && r != -EINVAL)
			return lcx__firewall_fail(nl, err, r, "list published ports");
		for (size_t i = 0; i < elements.count; i++) {
			const char *comment = elements.list[i].comment;

			if (strncmp(comment, prefix, strlen(prefix)) == 0 &&
			    !contains(owners, comment + strlen(prefix)) &&
			    lcx__strv_append(&owners, comment + strlen(prefix)) < 0)
				return lcx__fail_nomem(err);
		}
	}
	*ret = TAKE_PTR(owners);
	return 0;
}

/* In one instant: an entry cannot be changed, but taken out and put in again. */
int lcx__firewall_move_loopback(uint16_t from, uint16_t to, struct lcx_error **err)
{
	CLEANUP(lcx__nft_elements_free) struct lcx__nft_elements all = {0}, moved = {0};
	CLEANUP(lcx__nl_batch_free) struct lcx__nl_batch batch = NL_BATCH_EMPTY;
	CLEANUP(lcx_netlink_freep) struct lcx_netlink *nl = NULL;
	const uint16_t old = htons(from), new = htons(to);
	int r = lcx__firewall_open(&nl, err);

	if (r < 0)
		return r;
	r = lcx__nft_list(nl, LCX_TABLE, SET_LOOPBACK6, &all);
	for (size_t i = 0; i < all.count && r == 0; i++)
		if (memcmp(all.list[i].data + 16, &old, sizeof(old)) == 0)
			r = lcx__nft_elements_add(&moved, &all.list[i]);
	if (r == -ENOENT || (r == 0 && moved.count == 0))
		return 0;
	lcx__nft_begin(&batch, 0);
	lcx__nft_put_elements(&batch, NFT_MSG_DELSETELEM, NLM_F_ACK, LCX_TABLE, SET_LOOPBACK6,
			      moved.list, moved.count);
	for (size_t i = 0; i < moved.count; i++)
		memcpy(moved.list[i].data + 16, &new, sizeof(new));
	lcx__nft_put_elements(&batch, NFT_MSG_NEWSETELEM, NLM_F_CREATE | NLM_F_ACK, LCX_TABLE,
			      SET_LOOPBACK6, moved.list, moved.count);
	if (r == 0)
		r = lcx__firewall_commit(nl, &batch);
	return r < 0 ? lcx__firewall_fail(nl, err, r, "move what is published on ::1") : 0;
}

/* ---- what is there, for its reader ---- */

static void read_address(enum net_family family, const uint8_t *bytes,
			 char text[static LCX__INET_SIZE])
{
	struct lcx__inet address = {.family = family == NET_V4 ? AF_INET : AF_INET6};

	memcpy(address.bytes, bytes, lcx__inet_length(&address));
	lcx__inet_format_address(&address, text);
}

static uint16_t read_port(const uint8_t *bytes)
{
	uint16_t port;

	memcpy(&port, bytes, sizeof(port));
	return ntohs(port);
}

/* The layout is that of make_key() and fill_data(). */
static void read_entry(const struct port_set *set, const struct lcx__nft_element *element,
		       struct lcx__published *ret)
{
	const char *anywhere = set->family == NET_V4 ? "0.0.0.0" : "::";
	size_t length = set->family == NET_V4 ? 4 : 16, n = set->anywhere ? 0 : length;

	*ret = (struct lcx__published){.map = set->name};
	if (set->anywhere)
		strcpy(ret->host_address, set->loopback ? "::1" : anywhere);
	else
		read_address(set->family, element->key, ret->host_address);
	ret->protocol = element->key[n];
	ret->host_port = read_port(element->key + n + 4);
	read_address(set->family, element->data, ret->address);
	ret->port = read_port(element->data + length);
}

int lcx__firewall_list_ports(const char *comment,
			     int (*visit)(const struct lcx__published *entry, void *data),
			     void *data, struct lcx_error **err)
{
	CLEANUP(lcx_netlink_freep) struct lcx_netlink *nl = NULL;
	int r = lcx__firewall_open(&nl, err);

	for (size_t k = 0; k < ARRAY_SIZE(port_sets) && r == 0; k++) {
		CLEANUP(lcx__nft_elements_free) struct lcx__nft_elements own = {0};

		r = find_own(nl, &port_sets[k], comment, NULL, 0, &own);
		if (r < 0)
			return lcx__firewall_fail(nl, err, r, "list published ports");
		for (size_t i = 0; i < own.count && r == 0; i++) {
			struct lcx__published entry;

			read_entry(&port_sets[k], &own.list[i], &entry);
			r = visit(&entry, data);
		}
	}
	return r;
}
