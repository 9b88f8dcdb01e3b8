/* SPDX-License-Identifier: MIT */

/* Batches, tables, chains, sets and their entries. */
#include <string.h>

#include "netlink/nft-internal.h"

static void put_bound(struct lcx__nl_batch *batch, uint16_t type)
{
	struct nfgenmsg header = {.version = NFNETLINK_V0, .res_id = htons(NFNL_SUBSYS_NFTABLES)};

	lcx__nl_begin(batch, type, NLM_F_REQUEST, &header, sizeof(header));
}

void lcx__nft_begin(struct lcx__nl_batch *batch, uint32_t generation)
{
	put_bound(batch, NFNL_MSG_BATCH_BEGIN);
	if (generation != 0)
		lcx__nl_put_be32(batch, NFNL_BATCH_GENID, generation);
}

void lcx__nft_end(struct lcx__nl_batch *batch)
{
	put_bound(batch, NFNL_MSG_BATCH_END);
}

void lcx__nft_put_table(struct lcx__nl_batch *batch, const char *table)
{
	lcx__nft_message(batch, NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_ACK);
	lcx__nl_put_str(batch, NFTA_TABLE_NAME, table);
	lcx__nl_put_be32(batch, NFTA_TABLE_FLAGS, 0);
}

void lcx__nft_put_delete_table(struct lcx__nl_batch *batch, const char *table)
{
	lcx__nft_message(batch, NFT_MSG_DELTABLE, NLM_F_ACK);
	lcx__nl_put_str(batch, NFTA_TABLE_NAME, table);
}

void lcx__nft_put_delete_rules(struct lcx__nl_batch *batch, const char *table)
{
	lcx__nft_message(batch, NFT_MSG_DELRULE, NLM_F_ACK);
	lcx__nl_put_str(batch, NFTA_RULE_TABLE, table);
}

void lcx__nft_put_chain(struct lcx__nl_batch *batch, const char *table,
			const struct lcx__nft_chain *chain)
{
	size_t hook;

	lcx__nft_message(batch, NFT_MSG_NEWCHAIN, NLM_F_CREATE | NLM_F_ACK);
	lcx__nl_put_str(batch, NFTA_CHAIN_TABLE, table);
	lcx__nl_put_str(batch, NFTA_CHAIN_NAME, chain->name);
	lcx__nl_put_str(batch, NFTA_CHAIN_TYPE, chain->type);
	lcx__nl_put_be32(batch, NFTA_CHAIN_POLICY, NF_ACCEPT);
	hook = lcx__nl_nest(batch, NFTA_CHAIN_HOOK);
	lcx__nl_put_be32(batch, NFTA_HOOK_HOOKNUM, chain->hook);
	lcx__nl_put_be32(batch, NFTA_HOOK_PRIORITY, (uint32_t)chain->priority);
	lcx__nl_nest_end(batch, hook);
}

static void put_fields(struct lcx__nl_batch *batch, const uint32_t *lengths)
{
	size_t description = lcx__nl_nest(batch, NFTA_SET_DESC);
	size_t concat = lcx__nl_nest(batch, NFTA_SET_DESC_CONCAT), field;

	for (; *lengths != 0; lengths++) {
		field = lcx__nl_nest(batch, NFTA_LIST_ELEM);
		lcx__nl_put_be32(batch, NFTA_SET_FIELD_LEN, *lengths);
		lcx__nl_nest_end(batch, field);
	}
	lcx__nl_nest_end(batch, concat);
	lcx__nl_nest_end(batch, description);
}

/* nft(8) lists names in the right order only when it is told that they are in the host's. */
static void put_byte_order(struct lcx__nl_batch *batch)
{
	enum { KEY_BYTE_ORDER = 0, HOST = 1 };
	uint8_t data[2 + sizeof(uint32_t)] = {KEY_BYTE_ORDER, sizeof(uint32_t)};
	uint32_t order = HOST;

	memcpy(data + 2, &order, sizeof(order));
	lcx__nl_put(batch, NFTA_SET_USERDATA, data, sizeof(data));
}

static uint32_t set_flags(const struct lcx__nft_set *set)
{
	return (set->data_length > 0 ? NFT_SET_MAP : 0u) |
	       (set->field_lengths[0] != 0 ? NFT_SET_INTERVAL | NFT_SET_CONCAT : 0u);
}

void lcx__nft_put_set(struct lcx__nl_batch *batch, const char *table,
		      const struct lcx__nft_set *set, uint32_t id)
{
	lcx__nft_message(batch, NFT_MSG_NEWSET, NLM_F_CREATE | NLM_F_ACK);
	lcx__nl_put_str(batch, NFTA_SET_TABLE, table);
	lcx__nl_put_str(batch, NFTA_SET_NAME, set->name);
	lcx__nl_put_be32(batch, NFTA_SET_FLAGS, set_flags(set));
	lcx__nl_put_be32(batch, NFTA_SET_KEY_TYPE, set->key_type);
	lcx__nl_put_be32(batch, NFTA_SET_KEY_LEN, set->key_length);
	if (set->data_length > 0) {
		lcx__nl_put_be32(batch, NFTA_SET_DATA_TYPE, set->data_type);
		lcx__nl_put_be32(batch, NFTA_SET_DATA_LEN, set->data_length);
	}
	lcx__nl_put_be32(batch, NFTA_SET_ID, id);
	if (set->field_lengths[0] != 0)
		put_fields(batch, set->field_lengths);
	if (set->key_type == NFT_TYPE_IFNAME)
		put_byte_order(batch);
}

void lcx__nft_put_comment(struct lcx__nl_batch *batch, uint16_t attribute, const char *comment)
{
	uint8_t data[2 + LCX__NFT_COMMENT_SIZE];
	size_t length = strnlen(comment, LCX__NFT_COMMENT_SIZE - 1);

	data[0] = 0;
	data[1] = (uint8_t)(length + 1);
	memcpy(data + 2, comment, length);
	data[2 + length] = '\0';
	lcx__nl_put(batch, attribute, data, 2 + length + 1);
}

static void put_element(struct lcx__nl_batch *batch, const struct lcx__nft_element *element,
			bool key_only)
{
	size_t nest = lcx__nl_nest(batch, NFTA_LIST_ELEM);

	lcx__nft_put_data(batch, NFTA_SET_ELEM_KEY, element->key, element->key_length);
	if (element->is_range)
		lcx__nft_put_data(batch, NFTA_SET_ELEM_KEY_END, element->key_end,
				  element->key_length);
	if (!key_only && element->data_length > 0)
		lcx__nft_put_data(batch, NFTA_SET_ELEM_DATA, element->data, element->data_length);
	if (!key_only && element->comment[0] != '\0')
		lcx__nft_put_comment(batch, NFTA_SET_ELEM_USERDATA, element->comment);
	lcx__nl_nest_end(batch, nest);
}

void lcx__nft_put_elements(struct lcx__nl_batch *batch, uint16_t type, uint16_t flags,
			   const char *table, const char *set,
			   const struct lcx__nft_element *elements, size_t count)
{
	enum {
		PER_MESSAGE = 100
	}; /* at most 400 bytes each: the list's length is a 16-bit number */
	size_t done = 0, n, nest;

	while (done < count) {
		n = count - done < PER_MESSAGE ? count - done : PER_MESSAGE;
		lcx__nft_message(batch, type, flags);
		lcx__nl_put_str(batch, NFTA_SET_ELEM_LIST_TABLE, table);
		lcx__nl_put_str(batch, NFTA_SET_ELEM_LIST_SET, set);
		nest = lcx__nl_nest(batch, NFTA_SET_ELEM_LIST_ELEMENTS);
		for (size_t i = 0; i < n; i++)
			put_element(batch, &elements[done + i], type != NFT_MSG_NEWSETELEM);
		lcx__nl_nest_end(batch, nest);
		done += n;
	}
}
