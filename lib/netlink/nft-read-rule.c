/* SPDX-License-Identifier: MIT */

/* Rules as they stand in a table, with what their counters have seen. */
#include <endian.h>
#include <libmnl/libmnl.h>
#include <string.h>

#include "netlink/nft-internal.h"

static uint64_t read_be64(const struct nlattr *attr)
{
	uint64_t value = 0;

	if (mnl_attr_get_payload_len(attr) == sizeof(value))
		memcpy(&value, mnl_attr_get_payload(attr), sizeof(value));
	return be64toh(value);
}

static bool is_text(const struct nlattr *attr, const char *text)
{
	size_t size = strlen(text) + 1;

	return mnl_attr_get_payload_len(attr) == size &&
	       memcmp(mnl_attr_get_payload(attr), text, size) == 0;
}

static void read_counter(const struct nlattr *nest, struct lcx__nft_rule_entry *rule)
{
	const struct nlattr *attr;

	rule->is_counted = true;
	mnl_attr_for_each_nested(attr, nest)
	{
		if (mnl_attr_get_type(attr) == NFTA_COUNTER_PACKETS)
			rule->packets = read_be64(attr);
		else if (mnl_attr_get_type(attr) == NFTA_COUNTER_BYTES)
			rule->bytes = read_be64(attr);
	}
}

/* The name comes before the data that it says how to read. */
static void read_expression(const struct nlattr *nest, struct lcx__nft_rule_entry *rule)
{
	const struct nlattr *attr;
	bool is_counter = false;

	mnl_attr_for_each_nested(attr, nest)
	{
		if (mnl_attr_get_type(attr) == NFTA_EXPR_NAME)
			is_counter = is_text(attr, "counter");
		else if (mnl_attr_get_type(attr) == NFTA_EXPR_DATA && is_counter)
			read_counter(attr, rule);
	}
}

static void read_chain(const struct nlattr *attr, struct lcx__nft_rule_entry *rule)
{
	size_t length = strnlen(mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr));

	if (length >= sizeof(rule->chain))
		length = sizeof(rule->chain) - 1;
	memcpy(rule->chain, mnl_attr_get_payload(attr), length);
	rule->chain[length] = '\0';
}

int lcx__nft_parse_rule(const struct nlmsghdr *nlh, struct lcx__nft_rule_entry *ret)
{
	const struct nlattr *attr, *element;

	*ret = (struct lcx__nft_rule_entry){0};
	if (nlh->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE) ||
	    mnl_nlmsg_get_payload_len(nlh) < sizeof(struct nfgenmsg))
		return -EBADMSG;
	mnl_attr_for_each (attr, nlh, sizeof(struct nfgenmsg)) {
		switch (mnl_attr_get_type(attr)) {
		case NFTA_RULE_CHAIN:
			read_chain(attr, ret);
			break;
		case NFTA_RULE_HANDLE:
			ret->handle = read_be64(attr);
			break;
		case NFTA_RULE_USERDATA:
			lcx__nft_read_comment(attr, ret->comment);
			break;
		case NFTA_RULE_EXPRESSIONS:
			mnl_attr_for_each_nested(element, attr) read_expression(element, ret);
			break;
		}
	}
	return 0;
}

struct reading {
	struct lcx__nft_rule_entry *list;
	size_t count, size;
};

static void reading_free(struct reading *reading)
{
	free(reading->list);
}

/* An answer that begins anew drops what there was. */
static int answer_rule(const struct nlmsghdr *nlh, void *data)
{
	struct reading *reading = data;
	size_t size = reading->size ? reading->size * 2 : 32;
	struct lcx__nft_rule_entry *list;

	if (!nlh) {
		reading->count = 0;
		return 0;
	}
	if (reading->count == reading->size) {
		list = reallocarray(reading->list, size, sizeof(*list));
		if (!list)
			return -ENOMEM;
		reading->list = list;
		reading->size = size;
	}
	return lcx__nft_parse_rule(nlh, &reading->list[reading->count++]);
}

int lcx__nft_list_rules(struct lcx_netlink *nl, const char *table,
			int (*visit)(const struct lcx__nft_rule_entry *rule, void *data),
			void *data)
{
	CLEANUP(lcx__nl_batch_free) struct lcx__nl_batch batch = NL_BATCH_EMPTY;
	CLEANUP(reading_free) struct reading reading = {0};
	int r;

	lcx__nft_message(&batch, NFT_MSG_GETRULE, NLM_F_DUMP);
	lcx__nl_put_str(&batch, NFTA_RULE_TABLE, table);
	r = lcx__nl_exchange(nl, &batch, answer_rule, &reading, NULL);
	for (size_t i = 0; i < reading.count && r == 0; i++)
		r = visit(&reading.list[i], data);
	return r;
}
