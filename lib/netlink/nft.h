/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * nf_tables over NETLINK_NETFILTER, as much of it as networks need: messages
 * between a batch's begin and end take effect together or not at all. Rules are
 * data: arrays of expressions. What is made here reads in `nft list ruleset` as if
 * nft(8) had made it.
 */

#include <linux/netfilter/nf_tables.h>

#include "netlink/netlink.h"

/* Names of nft(8)'s data types, for sets; those of a concatenation stand 6 bits apart. */
enum {
	NFT_TYPE_IPV4_ADDR = 7,
	NFT_TYPE_IPV6_ADDR = 8,
	NFT_TYPE_INET_PROTO = 12,
	NFT_TYPE_INET_SERVICE = 13,
	NFT_TYPE_IFNAME = 41,
	NFT_TYPE_BITS = 6,
};

struct lcx__nft_chain {
	const char *name;
	const char *type; /* "filter" or "nat" */
	uint32_t hook;
	int32_t priority;
};

struct lcx__nft_set {
	const char *name;
	uint32_t key_type, key_length;
	uint32_t data_type, data_length; /* of a map; 0 for a set */
	/* Entries are ranges of a concatenation of fields with these lengths; 0 ends the list. */
	uint32_t field_lengths[4];
};

enum lcx__nft_kind {
	LCX__NFT_END,
	LCX__NFT_META,     /* reg = meta(key) */
	LCX__NFT_CT,       /* reg = ct(key) */
	LCX__NFT_FIB_TYPE, /* reg = type of the destination address */
	LCX__NFT_PAYLOAD,  /* reg = length bytes at offset of header key */
	LCX__NFT_IS,       /* go on if reg begins with the length bytes of value, in host order */
	LCX__NFT_IS_BYTES, /* go on if reg begins with length bytes, or, with invert, if not */
	LCX__NFT_HAS_BITS, /* go on if reg & value */
	LCX__NFT_IN,       /* go on if reg is in set, or, with invert, if not */
	LCX__NFT_MAP,      /* dreg = set[reg], or leave the rule */
	LCX__NFT_DNAT,     /* destination = address (of NFPROTO key) in reg, port in dreg */
	LCX__NFT_MASQUERADE,
	LCX__NFT_VERDICT, /* value */
	LCX__NFT_COUNTER, /* of the packets that came as far as this */
};

struct lcx__nft_expr {
	enum lcx__nft_kind kind;
	uint32_t reg, dreg, key, offset, length, value;
	bool invert;
	const char *set;
	const uint8_t *bytes;
};

struct lcx__nft_rule {
	const char *chain;
	const char *comment;               /* why, for the reader of a listing */
	const struct lcx__nft_expr *exprs; /* up to LCX__NFT_END */
};

/* @generation 0: whatever it is; else the batch fails with -ERESTART unless it still is the one. */
void lcx__nft_begin(struct lcx__nl_batch *batch, uint32_t generation);
void lcx__nft_end(struct lcx__nl_batch *batch);

void lcx__nft_put_table(struct lcx__nl_batch *batch, const char *table);
void lcx__nft_put_delete_table(struct lcx__nl_batch *batch, const char *table);
void lcx__nft_put_delete_rules(struct lcx__nl_batch *batch, const char *table);
void lcx__nft_put_chain(struct lcx__nl_batch *batch, const char *table,
			const struct lcx__nft_chain *chain);
/* @id tells sets of one batch apart. */
void lcx__nft_put_set(struct lcx__nl_batch *batch, const char *table,
		      const struct lcx__nft_set *set, uint32_t id);
void lcx__nft_put_rule(struct lcx__nl_batch *batch, const char *table,
		       const struct lcx__nft_rule *rule);

/* An entry of a set; the comment is its owner's mark. */
enum { LCX__NFT_KEY_SIZE = 32, LCX__NFT_DATA_SIZE = 20, LCX__NFT_COMMENT_SIZE = 200 };

struct lcx__nft_element {
	uint8_t key[LCX__NFT_KEY_SIZE], data[LCX__NFT_DATA_SIZE];
	uint8_t key_end[LCX__NFT_KEY_SIZE]; /* of a range */
	uint32_t key_length, data_length;
	bool is_range;
	char comment[LCX__NFT_COMMENT_SIZE];
};

/* @type is NFT_MSG_NEWSETELEM (with NLM_F_CREATE, NLM_F_EXCL in @flags) or NFT_MSG_DELSETELEM. */
void lcx__nft_put_elements(struct lcx__nl_batch *batch, uint16_t type, uint16_t flags,
			   const char *table, const char *set,
			   const struct lcx__nft_element *elements, size_t count);

struct lcx__nft_elements {
	struct lcx__nft_element *list;
	size_t count, size;
};

int lcx__nft_elements_add(struct lcx__nft_elements *elements,
			  const struct lcx__nft_element *element);

static inline void lcx__nft_elements_free(struct lcx__nft_elements *elements)
{
	free(elements->list);
	*elements = (struct lcx__nft_elements){0};
}

/*
 * Questions. -ENOENT when the table (or set) is not there; failures are left to
 * lcx__nl_fail().
 */
int lcx__nft_has_chain(struct lcx_netlink *nl, const char *table, const char *chain);
int lcx__nft_generation(struct lcx_netlink *nl, uint32_t *ret);

/* All entries of a set, appended to @ret. */
int lcx__nft_list(struct lcx_netlink *nl, const char *table, const char *set,
		  struct lcx__nft_elements *ret);

/* Those of @keys that are there, appended to @ret; none is success. */
int lcx__nft_find(struct lcx_netlink *nl, const char *table, const char *set,
		  const struct lcx__nft_element *keys, size_t count, struct lcx__nft_elements *ret);

/* A rule as it stands there. */
struct lcx__nft_rule_entry {
	char chain[64], comment[LCX__NFT_COMMENT_SIZE];
	uint64_t handle, packets, bytes;
	bool is_counted;
};

/* Call @visit for each rule of the table, chain by chain, in the order in which they are met. */
int lcx__nft_list_rules(struct lcx_netlink *nl, const char *table,
			int (*visit)(const struct lcx__nft_rule_entry *rule, void *data),
			void *data);

/* Whether an event tells that a table of the inet family is gone. */
bool lcx__nft_is_table_deletion(const struct nlmsghdr *nlh, const char *table);

/* Whether an event tells of a new entry of a set of it. */
bool lcx__nft_is_new_element(const struct nlmsghdr *nlh, const char *table, const char *set);

/* Read an NFT_MSG_NEWSETELEM: for the tests and the fuzzer. */
int lcx__nft_parse_elements(const struct nlmsghdr *nlh, struct lcx__nft_elements *ret);
/* Likewise an NFT_MSG_NEWRULE. */
int lcx__nft_parse_rule(const struct nlmsghdr *nlh, struct lcx__nft_rule_entry *ret);
