/* SPDX-License-Identifier: MIT */

/*
 * What a container asks, and what anybody on the net may answer to it: any bytes must be read
 * without a step beyond their end, and answered with a message that can be read again. The first
 * byte is how large an answer may be.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dns/answer.h"
#include "util/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct lcx__inet inet(const char *text)
{
	struct lcx__inet inet = {0};

	if (lcx__inet_parse(text, &inet) < 0)
		abort();
	return inet;
}

static void *make_table(struct lcx__dns_table *table)
{
	struct lcx__inet addresses[2] = {inet("10.1.0.2/32"), inet("fd00:1::2/128")};
	struct lcx__inet subnets[2] = {inet("10.1.0.0/24"), inet("fd00:1::/64")};
	struct lcx__dns_builder b = {0};
	uint32_t network = lcx__dns_build_network(&b, "net", false);
	uint32_t place = lcx__dns_build_place(&b, network, "owner", "web", addresses, 2);
	void *memory;
	size_t size;

	lcx__dns_build_name(&b, place, "web");
	lcx__dns_build_name(&b, place, "a.b");
	for (size_t i = 0; i < 2; i++)
		lcx__dns_build_subnet(&b, network, &subnets[i]);
	if (lcx__dns_build_end(&b, &memory, &size) < 0 ||
	    lcx__dns_table_open(memory, size, table) < 0)
		abort();
	return memory;
}

/* What was written must be an answer to what was asked. */
static void answer(const struct lcx__dns_query *query, int rcode, size_t limit)
{
	CLEANUP(freep) uint8_t *bytes = malloc(limit);
	struct lcx__inet asker = inet("10.1.0.2/32");
	struct lcx__dns_table table;
	CLEANUP(freep) void *memory = make_table(&table);
	struct lcx__dns_reply reply;
	size_t length;

	if (!bytes || !memory)
		return;
	lcx__dns_reply_begin(&reply, query, bytes, limit);
	reply.rcode = (enum lcx__dns_rcode)rcode;
	if (rcode == 0 && !lcx__dns_answer(&table, &asker, 0, &reply))
		return;
	length = lcx__dns_reply_end(&reply);
	if (length > limit ||
	    (rcode == 0 && lcx__dns_check_answer(query, query->id, bytes, length) < 0))
		abort();
}

static void pass_on(const struct lcx__dns_query *query)
{
	uint8_t bytes[DNS_QUERY_SIZE];
	struct lcx__dns_query again;
	size_t length = lcx__dns_write_query(query, 1, bytes);

	if (length > sizeof(bytes) || lcx__dns_read_query(bytes, length, &again) != 0 ||
	    strcmp(again.name, query->name) != 0 || again.type != query->type)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lcx__dns_query query;
	CLEANUP(freep) uint8_t *copy = NULL;
	size_t limit;
	int r;

	if (size == 0)
		return 0;
	limit = DNS_UDP_LEAST + data[0];
	r = lcx__dns_read_query(data + 1, size - 1, &query);
	if (r >= 0)
		answer(&query, r, limit);
	if (r != 0)
		return 0;
	pass_on(&query);
	/* The same bytes as if they were the answer. */
	copy = malloc(size);
	if (!copy)
		return 0;
	memcpy(copy, data + 1, size - 1);
	copy[2] |= 0x80;
	if (lcx__dns_check_answer(&query, query.id, copy, size - 1) >= 0)
		lcx__dns_adopt_answer(&query, copy);
	return 0;
}
