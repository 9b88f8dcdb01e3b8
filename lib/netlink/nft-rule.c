/* SPDX-License-Identifier: MIT */

/*
 * Rules out of expressions. Each expression is a list element of a name and the
 * name's own attributes; numbers are in network order, data as the registers hold it.
 */
#include <string.h>

#include "netlink/nft-internal.h"

static void put_meta(struct lcx__nl_batch *batch, const struct lcx__nft_expr *e)
{
	lcx__nl_put_be32(batch, NFTA_META_KEY, e->key);
	lcx__nl_put_be32(batch, NFTA_META_DREG, e->reg);
}

static void put_ct(struct lcx__nl_batch *batch, const struct lcx__nft_expr *e)
{
	lcx__nl_put_be32(batch, NFTA_CT_KEY, e->key);
	lcx__nl_put_be32(batch, NFTA_CT_DREG, e->reg);
}

static void put_fib_type(struct lcx__nl_batch *batch, const struct lcx__nft_expr *e)
{
	lcx__nl_put_be32(batch, NFTA_FIB_FLAGS, NFTA_FIB_F_DADDR);
	lcx__nl_put_be32(batch, NFTA_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
	lcx__nl_put_be32(batch, NFTA_FIB_DREG, e->reg);
}

static void put_payload(struct lcx__nl_batch *batch, const struct lcx__nft_expr *e)
{
	lcx__nl_put_be32(batch, NFTA_PAYLOAD_DREG, e->reg);
	lcx__nl_put_be32(batch, NFTA_PAYLOAD_BASE, e->key);
	lcx__nl_put_be32(batch, NFTA_PAYLOAD_OFFSET, e->offset);
	lcx__nl_put_be32(batch, NFTA_PAYLOAD_LEN, e->length);
}

static void put_cmp(struct lcx__nl_batch *batch, const struct lcx__nft_expr *e)
{
	lcx__nl_put_be32(batch, NFTA_CMP_SREG, e->reg);
	lcx__nl_put_be32(batch, NFTA_CMP_OP, e->invert ? NFT_CMP_NEQ : NFT_CMP_EQ);
	/* One byte of a value below 256 is its first in little endian only; shorter ones are bytes.
	 */
	if (e->length == 1) {
		uint8_t byte = (uint8_t)e->value;

		lcx__nft_put_data(batch, NFTA_CMP_DATA, &byte, sizeof(byte));
	} else {
		lcx__nft_put_data(batch, NFTA_CMP_DATA, &e->value, sizeof(e->value));
	}
}

static void put_cmp_bytes(struct lcx__nl_batch *batch, const struct lcx__nft_expr *e)
{
	lcx__nl_put_be32(batch, NFTA_CMP_SREG, e->reg);
	lcx__nl_put_be32(batch, NFTA_CMP_OP, e->invert ? NFT_CMP_NEQ : NFT_CMP_EQ);
	lcx__nft_put_data(batch, NFTA_CMP_DATA, e->bytes, e->length);
}

static void put_mask(struct lcx__nl_batch *batch, const struct lcx__nft_expr *e)
{
	uint32_t zero = 0;

	lcx__nl_put_be32(batch, NFTA_BITWISE_SREG, e->reg);
	lcx__nl_put_be32(batch, NFTA_BITWISE_DREG, e->reg);
	lcx__nl_put_be32(batch, NFTA_BITWISE_LEN, sizeof(e->value));
	lcx__nft_put_data(batch, NFTA_BITWISE_MASK, &e->value, sizeof(e->value));
	lcx__nft_put_data(batch, NFTA_BITWISE_XOR, &zero, sizeof(zero));
}

static void put_lookup(struct lcx__nl_batch *batch, const struct lcx__nft_expr *e)
{
	lcx__nl_put_be32(batch, NFTA_LOOKUP_SREG, e->reg);
	if (e->kind == LCX__NFT_MAP)
		lcx__nl_put_be32(batch, NFTA_LOOKUP_DREG, e->dreg);
	lcx__nl_put_str(batch, NFTA_LOOKUP_SET, e->set);
	if (e->invert)
		lcx__nl_put_be32(batch, NFTA_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
}

static void put_dnat(struct lcx__nl_batch *batch, const struct lcx__nft_expr *e)
{
	lcx__nl_put_be32(batch, NFTA_NAT_TYPE, NFT_NAT_DNAT);
	lcx__nl_put_be32(batch, NFTA_NAT_FAMILY, e->key);
	lcx__nl_put_be32(batch, NFTA_NAT_REG_ADDR_MIN, e->reg);
	lcx__nl_put_be32(batch, NFTA_NAT_REG_PROTO_MIN, e->dreg);
}

static void put_nothing(struct lcx__nl_batch *batch, const struct lcx__nft_expr *e)
{
	(void)batch;
	(void)e;
}

static void put_verdict(struct lcx__nl_batch *batch, const struct lcx__nft_expr *e)
{
	size_t data, verdict;

	lcx__nl_put_be32(batch, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	data = lcx__nl_nest(batch, NFTA_IMMEDIATE_DATA);
	verdict = lcx__nl_nest(batch, NFTA_DATA_VERDICT);
	lcx__nl_put_be32(batch, NFTA_VERDICT_CODE, e->value);
	lcx__nl_nest_end(batch, verdict);
	lcx__nl_nest_end(batch, data);
}

static const struct {
	const char *name;
	void (*put)(struct lcx__nl_batch *batch, const struct lcx__nft_expr *e);
} kinds[] = {
	[LCX__NFT_META] = {"meta", put_meta},
	[LCX__NFT_CT] = {"ct", put_ct},
	[LCX__NFT_FIB_TYPE] = {"fib", put_fib_type},
	[LCX__NFT_PAYLOAD] = {"payload", put_payload},
	[LCX__NFT_IS] = {"cmp", put_cmp},
	[LCX__NFT_IS_BYTES] = {"cmp", put_cmp_bytes},
	[LCX__NFT_HAS_BITS] = {"bitwise", put_mask},
	[LCX__NFT_IN] = {"lookup", put_lookup},
	[LCX__NFT_MAP] = {"lookup", put_lookup},
	[LCX__NFT_DNAT] = {"nat", put_dnat},
	[LCX__NFT_MASQUERADE] = {"masq", put_nothing},
	[LCX__NFT_VERDICT] = {"immediate", put_verdict},
	[LCX__NFT_COUNTER] = {"counter", put_nothing},
};

static void put_expr(struct lcx__nl_batch *batch, const struct lcx__nft_expr *e)
{
	size_t element = lcx__nl_nest(batch, NFTA_LIST_ELEM), data;

	lcx__nl_put_str(batch, NFTA_EXPR_NAME, kinds[e->kind].name);
	data = lcx__nl_nest(batch, NFTA_EXPR_DATA);
	kinds[e->kind].put(batch, e);
	lcx__nl_nest_end(batch, data);
	lcx__nl_nest_end(batch, element);
}

void lcx__nft_put_rule(struct lcx__nl_batch *batch, const char *table,
		       const struct lcx__nft_rule *rule)
{
	size_t list;

	lcx__nft_message(batch, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND | NLM_F_ACK);
	lcx__nl_put_str(batch, NFTA_RULE_TABLE, table);
	lcx__nl_put_str(batch, NFTA_RULE_CHAIN, rule->chain);
	list = lcx__nl_nest(batch, NFTA_RULE_EXPRESSIONS);
	for (const struct lcx__nft_expr *e = rule->exprs; e->kind != LCX__NFT_END; e++) {
		put_expr(batch, e);
		/* A mask leaves the register for a comparison with nothing. */
		if (e->kind == LCX__NFT_HAS_BITS)
			put_expr(batch, &(struct lcx__nft_expr){.kind = LCX__NFT_IS,
								.reg = e->reg,
								.length = 4,
								.value = 0,
								.invert = true});
	}
	lcx__nl_nest_end(batch, list);
	if (rule->comment)
		lcx__nft_put_comment(batch, NFTA_RULE_USERDATA, rule->comment);
}
