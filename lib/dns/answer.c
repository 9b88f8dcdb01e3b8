/* SPDX-License-Identifier: MIT */
#include "dns/answer.h"

#include <ctype.h>
#include <string.h>

#include "util/cleanup.h"

enum { VIEW_LIMIT = 64 };

/* The networks that an asker may look into: the resolver's first. */
struct view {
	uint32_t networks[VIEW_LIMIT];
	size_t count;
};

static void open_view(const struct lcx__dns_table *table, const struct lcx__inet *asker,
		      struct view *view)
{
	const struct dns_place *own = lcx__dns_table_place(table, 0, asker), *place = own;

	view->networks[0] = 0;
	view->count = 1;
	while (place && view->count < VIEW_LIMIT) {
		place = &table->places[place->next_of_same];
		if (place == own)
			break;
		view->networks[view->count++] = place->network;
	}
}

static bool is_of_type(const struct lcx__inet *address, uint16_t type)
{
	return address->family != 0 &&
	       (type == DNS_TYPE_ANY ||
		type == (address->family == AF_INET ? DNS_TYPE_A : DNS_TYPE_AAAA));
}

/* Whose turn it is goes first: who has asked for one of several, takes the first. */
static bool answer_name(const struct lcx__dns_table *table, uint32_t network, const char *name,
			uint32_t turn, struct lcx__dns_reply *reply)
{
	uint32_t end, first = lcx__dns_table_find(table, network, name, &end), n = end - first;

	for (uint32_t i = 0; i < n; i++) {
		const struct dns_name *entry = &table->names[first + (turn % n + i) % n];
		const struct dns_place *place = &table->places[entry->place];

		for (size_t k = 0; k < DNS_PLACE_ADDRESSES; k++)
			if (is_of_type(&place->addresses[k], reply->query->type))
				lcx__dns_reply_add_address(reply, &place->addresses[k], DNS_TTL_S);
	}
	return n > 0;
}

/* "web.NETWORK" -> "web" */
static bool cut_network(const char *name, const char *network, char ret[static DNS_NAME_SIZE])
{
	size_t length = strlen(name), n = strlen(network);

	if (length < n + 2 || name[length - n - 1] != '.' ||
	    strcmp(name + length - n, network) != 0)
		return false;
	memcpy(ret, name, length - n - 1);
	ret[length - n - 1] = '\0';
	return true;
}

static bool answer_forward(const struct lcx__dns_table *table, const struct view *view,
			   uint32_t turn, struct lcx__dns_reply *reply)
{
	const char *name = reply->query->name;
	char rest[DNS_NAME_SIZE];
	bool is_nobody = false;

	for (size_t i = 0; i < view->count; i++)
		if (answer_name(table, view->networks[i], name, turn, reply))
			return true;
	for (size_t i = 0; i < view->count; i++) {
		const struct dns_network *network = &table->networks[view->networks[i]];

		if (!cut_network(name, table->text + network->name, rest))
			continue;
		if (answer_name(table, view->networks[i], rest, turn, reply))
			return true;
		is_nobody = is_nobody || network->internal;
	}
	/* One that was in an internal network, or never was: others are not asked for it. */
	if (is_nobody)
		reply->rcode = DNS_NXDOMAIN;
	return is_nobody;
}

static bool is_in_subnet(const struct lcx__dns_table *table, uint32_t network,
			 const struct lcx__inet *address)
{
	for (uint32_t i = 0; i < table->head->n_subnets; i++)
		if (table->subnets[i].network == network &&
		    lcx__inet_same(&table->subnets[i].subnet, address,
				   table->subnets[i].subnet.prefix))
			return true;
	return false;
}

static void answer_pointer(const struct lcx__dns_table *table, const struct dns_place *place,
			   struct lcx__dns_reply *reply)
{
	CLEANUP(freep)
	char *name = lcx__format("%s.%s", table->text + place->name,
				 table->text + table->networks[place->network].name);

	if (name && lcx__dns_name_is_valid(name))
		lcx__dns_reply_add_name(reply, name, DNS_TTL_S);
	else
		lcx__dns_reply_add_name(reply, table->text + place->name, DNS_TTL_S);
}

static bool answer_backward(const struct lcx__dns_table *table, const struct view *view,
			    struct lcx__dns_reply *reply)
{
	struct lcx__inet address;

	if (!lcx__dns_parse_reverse(reply->query->name, &address))
		return false;
	for (size_t i = 0; i < view->count; i++) {
		const struct dns_place *place;

		if (!is_in_subnet(table, view->networks[i], &address))
			continue;
		place = lcx__dns_table_place(table, view->networks[i], &address);
		if (!place)
			reply->rcode = DNS_NXDOMAIN;
		else if (reply->query->type == DNS_TYPE_PTR || reply->query->type == DNS_TYPE_ANY)
			answer_pointer(table, place, reply);
		return true;
	}
	return false;
}

static bool is_lone_name(const struct lcx__dns_query *query)
{
	return query->name[0] != '\0' && !strchr(query->name, '.') &&
	       (query->type == DNS_TYPE_A || query->type == DNS_TYPE_AAAA);
}

bool lcx__dns_answer(const struct lcx__dns_table *table, const struct lcx__inet *asker,
		     uint32_t turn, struct lcx__dns_reply *reply)
{
	const struct lcx__dns_query *query = reply->query;
	struct view view;

	reply->can_recurse = !table->head->internal;
	/* Of other classes, and of whole zones, nobody here knows anything. */
	if (query->class != DNS_CLASS_IN || query->type == DNS_TYPE_AXFR ||
	    query->type == DNS_TYPE_IXFR) {
		reply->rcode = DNS_REFUSED;
		return true;
	}
	open_view(table, asker, &view);
	reply->is_authoritative = true;
	if (query->is_plain &&
	    (answer_forward(table, &view, turn, reply) || answer_backward(table, &view, reply)))
		return true;
	reply->is_authoritative = false;
	reply->rcode = DNS_NXDOMAIN;
	return table->head->internal || is_lone_name(query);
}
