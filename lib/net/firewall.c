/* SPDX-License-Identifier: MIT */

/*
 * Networks in the table "lcx", and the table's own life. All contexts of a host
 * share it: it is made with the first bridge and goes with the last. The batch that
 * makes it may be repeated: what is there stays, and the rules are made anew.
 */
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <string.h>

#include "net/firewall-internal.h"

int lcx__firewall_open(struct lcx_netlink **ret, struct lcx_error **err)
{
	return lcx__netlink_open(NETLINK_NETFILTER, ret, err);
}

int lcx__firewall_ensure_open(struct lcx_netlink **nft, struct lcx_error **err)
{
	return *nft ? 0 : lcx__firewall_open(nft, err);
}

int lcx__firewall_commit(struct lcx_netlink *nl, struct lcx__nl_batch *batch)
{
	lcx__nft_end(batch);
	return lcx__nl_exchange(nl, batch, NULL, NULL, NULL);
}

int lcx__firewall_fail(const struct lcx_netlink *nl, struct lcx_error **err, int r,
		       const char *what)
{
	if (r == -EOPNOTSUPP || r == -EPROTONOSUPPORT)
		return lcx__nl_fail(nl, err, -r,
				    "firewall: %s: this kernel lacks nf_tables or a part of it; "
				    "load nf_tables, "
				    "nft_nat, nft_masq, nft_fib_inet, nft_ct",
				    what);
	return lcx__nl_fail(nl, err, -r, "firewall: %s", what);
}

/* An entry of one of the sets that know bridges. */
struct entry {
	const char *set;
	struct lcx__nft_element element;
};

struct entries {
	struct entry list[NET_SUBNETS_LIMIT + 3];
	size_t count;
};

static struct lcx__nft_element *add_entry(struct entries *entries, const char *set)
{
	struct entry *entry = &entries->list[entries->count++];

	*entry = (struct entry){.set = set};
	return &entry->element;
}

static void add_name(struct lcx__nft_element *element, const char *bridge)
{
	memcpy(element->key + element->key_length, bridge, strlen(bridge));
	element->key_length += IFNAMSIZ;
}

/* From the subnet's first to its last address, and from the name to the name. */
static void add_subnet(struct entries *entries, const char *text, const char *bridge)
{
	struct lcx__nft_element *element;
	struct lcx__inet subnet;

	if (lcx__inet_parse(text, &subnet) < 0)
		return;
	element = add_entry(entries, subnet.family == AF_INET ? SET_SUBNETS : SET_SUBNETS6);
	memcpy(element->key, subnet.bytes, lcx__inet_length(&subnet));
	element->key_length = (uint32_t)lcx__inet_length(&subnet);
	add_name(element, bridge);
	memcpy(element->key_end, element->key, sizeof(element->key_end));
	for (unsigned int bit = subnet.prefix; bit < lcx__inet_length(&subnet) * 8; bit++)
		element->key_end[bit / 8] |= (uint8_t)(0x80u >> (bit % 8));
	element->is_range = true;
}

/* All that a network has in the table. */
static void list_entries(const struct lcx_network *network, bool internal, struct entries *entries)
{
	struct lcx__nft_element *pair;

	entries->count = 0;
	add_name(add_entry(entries, SET_BRIDGES), network->bridge);
	pair = add_entry(entries, SET_SAME_BRIDGE);
	add_name(pair, network->bridge);
	add_name(pair, network->bridge);
	if (internal)
		add_name(add_entry(entries, SET_INTERNAL), network->bridge);
	for (uint32_t i = 0; i < network->subnet_count; i++)
		add_subnet(entries, network->subnets[i].subnet, network->bridge);
}

static void put_bridge(struct lcx__nl_batch *batch, const char *comment,
		       const struct lcx_network *network)
{
	struct entries entries;

	list_entries(network, network->internal, &entries);
	for (size_t i = 0; i < entries.count; i++) {
		struct lcx__nft_element *element = &entries.list[i].element;

		(void)snprintf(element->comment, sizeof(element->comment), "%s", comment);
		lcx__nft_put_elements(batch, NFT_MSG_NEWSETELEM, NLM_F_CREATE | NLM_F_ACK,
				      LCX_TABLE, entries.list[i].set, element, 1);
	}
}

/* The guard that is there stays: it remembers what forwarding was. */
static net_families wants_guard(struct lcx_netlink *nl, net_families guard)
{
	for (enum net_family family = 0; family < NET_FAMILIES; family++)
		if (lcx__nft_has_chain(nl, LCX_TABLE, lcx__ruleset_guard(family)) == 0)
			guard |= 1u << family;
	return guard;
}

int lcx__firewall_add_network(const char *comment, const struct lcx_network *network,
			      net_families guard, struct lcx_error **err)
{
	CLEANUP(lcx_netlink_freep) struct lcx_netlink *nl = NULL;
	CLEANUP(lcx__nl_batch_free) struct lcx__nl_batch batch = NL_BATCH_EMPTY;
	int r;

	r = lcx__firewall_open(&nl, err);
	if (r < 0)
		return r;
	/*
	 * The second network finds the table made. Asked first: a batch that fails for the want of
	 * it waits until nobody can be using what it had begun, some ten milliseconds.
	 */
	if (!guard && lcx__nft_has_chain(nl, LCX_TABLE, "forward") == 0) {
		lcx__nft_begin(&batch, 0);
		put_bridge(&batch, comment, network);
		r = lcx__firewall_commit(nl, &batch);
		if (r != -ENOENT)
			return r < 0 ? lcx__firewall_fail(nl, err, r, "add a bridge") : 0;
	}
	guard = wants_guard(nl, guard);
	lcx__nft_begin(&batch, 0);
	lcx__ruleset_put(&batch, guard);
	put_bridge(&batch, comment, network);
	r = lcx__firewall_commit(nl, &batch);
	return r < 0 ? lcx__firewall_fail(nl, err, r, "make the table \"" LCX_TABLE "\"") : 0;
}

int lcx__firewall_set_up(net_families guard, struct lcx_error **err)
{
	CLEANUP(lcx_netlink_freep) struct lcx_netlink *nl = NULL;
	CLEANUP(lcx__nl_batch_free) struct lcx__nl_batch batch = NL_BATCH_EMPTY;
	int r;

	r = lcx__firewall_open(&nl, err);
	if (r < 0)
		return r;
	guard = wants_guard(nl, guard);
	lcx__nft_begin(&batch, 0);
	lcx__ruleset_put(&batch, guard);
	r = lcx__firewall_commit(nl, &batch);
	return r < 0 ? lcx__firewall_fail(nl, err, r, "make the table \"" LCX_TABLE "\"") : 0;
}

/* What is not there must not be deleted: it would undo the whole batch. Hence the question, and
 * another try. */
int lcx__firewall_remove_network(struct lcx_netlink **nft, const struct lcx_network *network,
				 struct lcx_error **err)
{
	enum { TRIES = 5 };
	struct lcx_netlink *nl;
	struct entries entries;
	int r;

	r = lcx__firewall_ensure_open(nft, err);
	if (r < 0)
		return r;
	nl = *nft;
	list_entries(network, true, &entries);
	for (int i = 0; i < TRIES; i++) {
		CLEANUP(lcx__nl_batch_free) struct lcx__nl_batch batch = NL_BATCH_EMPTY;
		unsigned int found = 0;

		lcx__nft_begin(&batch, 0);
		for (size_t k = 0; k < entries.count; k++) {
			CLEANUP(lcx__nft_elements_free) struct lcx__nft_elements there = {0};
			const struct entry *entry = &entries.list[k];

			r = lcx__nft_find(nl, LCX_TABLE, entry->set, &entry->element, 1, &there);
			if (r < 0)
				return lcx__firewall_fail(nl, err, r, "look a bridge up");
			if (there.count == 0)
				continue;
			lcx__nft_put_elements(&batch, NFT_MSG_DELSETELEM, NLM_F_ACK, LCX_TABLE,
					      entry->set, &entry->element, 1);
			found++;
		}
		r = found > 0 ? lcx__firewall_commit(nl, &batch) : 0;
		if (r != -ENOENT)
			break;
	}
	return r < 0 ? lcx__firewall_fail(nl, err, r, "remove a bridge") : 0;
}

/* A bridge of any context: by its mark, since the table may have been flushed. */
int lcx__firewall_count_bridges(struct lcx_netlink *route, unsigned int *ret,
				struct lcx_error **err)
{
	CLEANUP(lcx_link_list_freep) struct lcx_link_list *links = NULL;
	const struct lcx_link *link;
	int r = lcx_link_list_open(route, 0, &links, err);

	if (r < 0)
		return r;
	*ret = 0;
	while ((link = lcx_link_list_next(links)))
		if (strcmp(lcx_link_kind(link), "bridge") == 0 &&
		    strncmp(lcx_link_alias(link), "lcx:", 4) == 0)
			(*ret)++;
	return 0;
}

static int switch_forwarding_off(net_families families, struct lcx_error **err)
{
	int r = 0;

	for (enum net_family family = 0; family < NET_FAMILIES && r == 0; family++)
		if (families & 1u << family)
			r = lcx__forwarding_switch(family, false, err);
	return r;
}

/*
 * The generation is asked for before the bridges are counted: a bridge that comes
 * after that makes an entry, hence another generation, and the removal fails.
 */
int lcx__firewall_remove_unused(struct lcx_netlink **nft, struct lcx_netlink *route,
				net_families was_off, bool *ret_unused, struct lcx_error **err)
{
	enum { TRIES = 20 };
	struct lcx_netlink *nl;
	uint32_t generation = 0;
	unsigned int bridges;
	int r;

	r = lcx__firewall_ensure_open(nft, err);
	if (r < 0)
		return r;
	nl = *nft;
	for (int i = 0; i < TRIES; i++) {
		CLEANUP(lcx__nl_batch_free) struct lcx__nl_batch batch = NL_BATCH_EMPTY;

		r = lcx__nft_generation(nl, &generation);
		if (r < 0)
			return lcx__firewall_fail(nl, err, r, "ask for the generation");
		r = lcx__firewall_count_bridges(route, &bridges, err);
		*ret_unused = r == 0 && bridges == 0;
		if (!*ret_unused)
			return r;
		r = switch_forwarding_off(wants_guard(nl, was_off), err);
		if (r < 0)
			return r;
		if (lcx__nft_has_chain(nl, LCX_TABLE, "forward") == -ENOENT)
			return 0;
		lcx__nft_begin(&batch, generation);
		lcx__nft_put_delete_table(&batch, LCX_TABLE);
		r = lcx__firewall_commit(nl, &batch);
		if (r == -ENOENT)
			return 0;
		if (r != -ERESTART)
			break;
	}
	return r < 0 ? lcx__firewall_fail(nl, err, r, "remove the table \"" LCX_TABLE "\"") : 0;
}
