/* SPDX-License-Identifier: MIT */
#include "dns/table.h"

#include <ctype.h>
#include <string.h>

#include "util/cleanup.h"

/* ---- making one ---- */

static uint32_t add_text(struct lcx__dns_builder *b, const char *text)
{
	uint32_t at = (uint32_t)b->text.length;

	lcx__strbuf_add(&b->text, text, strlen(text) + 1);
	return at;
}

uint32_t lcx__dns_build_network(struct lcx__dns_builder *b, const char *name, bool internal)
{
	const struct dns_network network = {add_text(b, name), internal};

	for (char *c = b->text.failed ? NULL : b->text.text + network.name; c && *c; c++)
		*c = (char)tolower((unsigned char)*c);
	lcx__strbuf_add(&b->networks, &network, sizeof(network));
	return b->head.n_networks++;
}

static void add_address(struct lcx__dns_builder *b, uint32_t network, uint32_t place,
			const struct lcx__inet *address)
{
	struct dns_address entry = {.address = *address, .network = network, .place = place};

	lcx__strbuf_add(&b->addresses, &entry, sizeof(entry));
	b->head.n_addresses++;
}

uint32_t lcx__dns_build_place(struct lcx__dns_builder *b, uint32_t network, const char *owner,
			      const char *name, const struct lcx__inet *addresses, size_t count)
{
	struct dns_place place;
	uint32_t number = b->head.n_places++;

	memset(&place, 0, sizeof(place));
	place.network = network;
	place.owner = add_text(b, owner);
	place.name = add_text(b, name);
	place.next_of_same = number;
	for (size_t i = 0; i < count && i < DNS_PLACE_ADDRESSES; i++) {
		place.addresses[i] = addresses[i];
		if (addresses[i].family != 0)
			add_address(b, network, number, &addresses[i]);
	}
	lcx__strbuf_add(&b->places, &place, sizeof(place));
	return number;
}

void lcx__dns_build_name(struct lcx__dns_builder *b, uint32_t place, const char *name)
{
	struct dns_name entry = {.place = place};

	if (!lcx__dns_name_is_valid(name) || b->places.failed)
		return;
	entry.network = ((const struct dns_place *)(void *)b->places.text)[place].network;
	entry.text = add_text(b, name);
	for (char *c = b->text.failed ? NULL : b->text.text + entry.text; c && *c; c++)
		*c = (char)tolower((unsigned char)*c);
	lcx__strbuf_add(&b->names, &entry, sizeof(entry));
	b->head.n_names++;
}

void lcx__dns_build_subnet(struct lcx__dns_builder *b, uint32_t network,
			   const struct lcx__inet *subnet)
{
	struct dns_subnet entry = {.subnet = *subnet, .network = network};

	lcx__strbuf_add(&b->subnets, &entry, sizeof(entry));
	b->head.n_subnets++;
}

void lcx__dns_build_server(struct lcx__dns_builder *b, const struct dns_server_address *server)
{
	if (b->head.n_servers >= DNS_SERVERS_LIMIT)
		return;
	lcx__strbuf_add(&b->servers, server, sizeof(*server));
	b->head.n_servers++;
}

void lcx__dns_build_port(struct lcx__dns_builder *b, const struct dns_port *port)
{
	lcx__strbuf_add(&b->ports, port, sizeof(*port));
	b->head.n_ports++;
}

static int compare_numbers(uint32_t a, uint32_t b)
{
	return a < b ? -1 : a > b;
}

/* The same name of the same container would be two answers: they come out side by side. */
static int compare_names(const void *a, const void *b, void *data)
{
	const struct dns_name *one = a, *other = b;
	const char *text = data;
	int r = compare_numbers(one->network, other->network);

	if (r == 0)
		r = strcmp(text + one->text, text + other->text);
	return r != 0 ? r : compare_numbers(one->place, other->place);
}

static int compare_inets(const struct lcx__inet *a, const struct lcx__inet *b)
{
	return a->family != b->family ? compare_numbers(a->family, b->family)
				      : memcmp(a->bytes, b->bytes, lcx__inet_length(a));
}

static int compare_addresses(const void *a, const void *b)
{
	const struct dns_address *one = a, *other = b;
	int r = compare_numbers(one->network, other->network);

	return r != 0 ? r : compare_inets(&one->address, &other->address);
}

struct by_owner {
	const char *text;
	const struct dns_place *places;
};

static int compare_owners(const void *a, const void *b, void *data)
{
	const struct by_owner *by = data;
	uint32_t one = *(const uint32_t *)a, other = *(const uint32_t *)b;
	int r = strcmp(by->text + by->places[one].owner, by->text + by->places[other].owner);

	return r != 0 ? r : compare_numbers(one, other);
}

/* Tie the places of each owner to a ring. */
static int link_owners(struct lcx__dns_builder *b)
{
	struct dns_place *places = (void *)b->places.text;
	struct by_owner by = {b->text.text, places};
	CLEANUP(freep) uint32_t *order = calloc(b->head.n_places + 1, sizeof(*order));

	if (!order)
		return -ENOMEM;
	for (uint32_t i = 0; i < b->head.n_places; i++)
		order[i] = i;
	if (b->head.n_places > 1)
		qsort_r(order, b->head.n_places, sizeof(*order), compare_owners, &by);
	for (uint32_t i = 0, first = 0; i < b->head.n_places; i++) {
		bool last = i + 1 == b->head.n_places ||
			    strcmp(by.text + places[order[i]].owner,
				   by.text + places[order[i + 1]].owner) != 0;

		places[order[i]].next_of_same = order[last ? first : i + 1];
		if (last)
			first = i + 1;
	}
	return 0;
}

static void drop_doubles(struct lcx__dns_builder *b)
{
	struct dns_name *names = (void *)b->names.text;
	uint32_t kept = 0;

	for (uint32_t i = 0; i < b->head.n_names; i++)
		if (kept == 0 || compare_names(&names[kept - 1], &names[i], b->text.text) != 0)
			names[kept++] = names[i];
	b->head.n_names = kept;
	b->names.length = kept * sizeof(*names);
}

static int put_in_order(struct lcx__dns_builder *b)
{
	if (b->networks.failed || b->places.failed || b->names.failed || b->addresses.failed ||
	    b->subnets.failed || b->servers.failed || b->ports.failed || b->text.failed)
		return -ENOMEM;
	if (b->head.n_names > 1)
		qsort_r(b->names.text, b->head.n_names, sizeof(struct dns_name), compare_names,
			b->text.text);
	drop_doubles(b);
	if (b->head.n_addresses > 1)
		qsort(b->addresses.text, b->head.n_addresses, sizeof(struct dns_address),
		      compare_addresses);
	return link_owners(b);
}

int lcx__dns_build_end(struct lcx__dns_builder *b, void **ret, size_t *ret_size)
{
	CLEANUP(lcx__strbuf_free) struct lcx__strbuf all = STRBUF_EMPTY;
	const struct lcx__strbuf *parts[] = {&b->networks, &b->places,  &b->names, &b->addresses,
					     &b->subnets,  &b->servers, &b->ports, &b->text};
	int r;

	(void)add_text(b, ""); /* so that the text has an end, even with nothing in it */
	r = put_in_order(b);
	if (r < 0)
		return r;
	b->head.text_size = (uint32_t)b->text.length;
	lcx__strbuf_add(&all, &b->head, sizeof(b->head));
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		lcx__strbuf_add(&all, parts[i]->text, parts[i]->length);
	*ret_size = all.length;
	lcx__dns_builder_free(b);
	*ret = lcx__strbuf_take(&all);
	return *ret ? 0 : -ENOMEM;
}

void lcx__dns_builder_free(struct lcx__dns_builder *b)
{
	lcx__strbuf_free(&b->networks);
	lcx__strbuf_free(&b->places);
	lcx__strbuf_free(&b->names);
	lcx__strbuf_free(&b->addresses);
	lcx__strbuf_free(&b->subnets);
	lcx__strbuf_free(&b->servers);
	lcx__strbuf_free(&b->ports);
	lcx__strbuf_free(&b->text);
	*b = (struct lcx__dns_builder){0};
}

/* ---- using it ---- */

_Static_assert(_Alignof(struct dns_place) == 4 && _Alignof(struct dns_name) == 4 &&
		       _Alignof(struct dns_address) == 4 && _Alignof(struct dns_subnet) == 4 &&
		       _Alignof(struct dns_server_address) == 4 &&
		       sizeof(struct dns_head) % 4 == 0 && sizeof(struct dns_port) % 4 == 0,
	       "the arrays stand behind each other without gaps");

static const void *take(const char **at, size_t *left, size_t count, size_t size)
{
	const char *taken = *at;

	if (!taken || count > *left / size) {
		*at = NULL;
		return NULL;
	}
	*at += count * size;
	*left -= count * size;
	return taken;
}

static bool text_is_inside(const struct lcx__dns_table *table, uint32_t at)
{
	return at < table->head->text_size;
}

/* Every number in it must lead to something. */
static bool is_whole(const struct lcx__dns_table *table)
{
	const struct dns_head *head = table->head;
	bool whole = head->n_networks > 0 && head->text_size > 0 &&
		     table->text[head->text_size - 1] == '\0';

	for (uint32_t i = 0; whole && i < head->n_networks; i++)
		whole = text_is_inside(table, table->networks[i].name);
	for (uint32_t i = 0; whole && i < head->n_places; i++)
		whole = table->places[i].network < head->n_networks &&
			text_is_inside(table, table->places[i].name) &&
			text_is_inside(table, table->places[i].owner) &&
			table->places[i].next_of_same < head->n_places;
	for (uint32_t i = 0; whole && i < head->n_names; i++)
		whole = table->names[i].place < head->n_places &&
			text_is_inside(table, table->names[i].text);
	for (uint32_t i = 0; whole && i < head->n_addresses; i++)
		whole = table->addresses[i].place < head->n_places;
	return whole;
}

int lcx__dns_table_open(const void *memory, size_t size, struct lcx__dns_table *ret)
{
	struct lcx__dns_table table;
	const char *at = memory;
	size_t left = size;

	table.head = take(&at, &left, 1, sizeof(*table.head));
	if (!table.head)
		return -EBADMSG;
	table.networks = take(&at, &left, table.head->n_networks, sizeof(*table.networks));
	table.places = take(&at, &left, table.head->n_places, sizeof(*table.places));
	table.names = take(&at, &left, table.head->n_names, sizeof(*table.names));
	table.addresses = take(&at, &left, table.head->n_addresses, sizeof(*table.addresses));
	table.subnets = take(&at, &left, table.head->n_subnets, sizeof(*table.subnets));
	table.servers = take(&at, &left, table.head->n_servers, sizeof(*table.servers));
	table.ports = take(&at, &left, table.head->n_ports, sizeof(*table.ports));
	table.text = take(&at, &left, table.head->text_size, 1);
	if (!table.text || !is_whole(&table))
		return -EBADMSG;
	*ret = table;
	return 0;
}

static int compare_key(const struct lcx__dns_table *table, const struct dns_name *entry,
		       uint32_t network, const char *name)
{
	int r = compare_numbers(entry->network, network);

	return r != 0 ? r : strcmp(table->text + entry->text, name);
}

/* The first that is not before the key; or, with @after, the first behind it. */
static uint32_t bound(const struct lcx__dns_table *table, uint32_t network, const char *name,
		      bool after)
{
	uint32_t low = 0, high = table->head->n_names;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int r = compare_key(table, &table->names[middle], network, name);

		if (r < 0 || (after && r == 0))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint32_t lcx__dns_table_find(const struct lcx__dns_table *table, uint32_t network, const char *name,
			     uint32_t *ret_end)
{
	*ret_end = bound(table, network, name, true);
	return bound(table, network, name, false);
}

const struct dns_place *lcx__dns_table_place(const struct lcx__dns_table *table, uint32_t network,
					     const struct lcx__inet *address)
{
	const struct dns_address key = {.address = *address, .network = network}, *found = NULL;

	if (table->head->n_addresses > 0)
		found = bsearch(&key, table->addresses, table->head->n_addresses, sizeof(key),
				compare_addresses);
	return found ? &table->places[found->place] : NULL;
}
