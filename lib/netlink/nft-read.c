/* SPDX-License-Identifier: MIT */

/* What is in the tables. */
#include <libmnl/libmnl.h>
#include <string.h>

#include "netlink/nft-internal.h"

static bool is_message(const struct nlmsghdr *nlh, uint16_t type)
{
	return nlh->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | type) &&
	       mnl_nlmsg_get_payload_len(nlh) >= sizeof(struct nfgenmsg);
}

int lcx__nft_elements_add(struct lcx__nft_elements *elements,
			  const struct lcx__nft_element *element)
{
	size_t size = elements->size ? elements->size * 2 : 16;
	struct lcx__nft_element *list;

	if (elements->count == elements->size) {
		list = reallocarray(elements->list, size, sizeof(*list));
		if (!list)
			return -ENOMEM;
		elements->list = list;
		elements->size = size;
	}
	elements->list[elements->count++] = *element;
	return 0;
}

/* NFTA_DATA_VALUE inside; bytes that do not fit belong to a set of somebody else's make. */
static void read_data(const struct nlattr *nest, uint8_t *data, size_t size, uint32_t *ret_length)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, nest)
	{
		uint16_t length = mnl_attr_get_payload_len(attr);

		if (mnl_attr_get_type(attr) != NFTA_DATA_VALUE || length > size)
			continue;
		memcpy(data, mnl_attr_get_payload(attr), length);
		*ret_length = length;
	}
}

void lcx__nft_read_comment(const struct nlattr *attr, char comment[static LCX__NFT_COMMENT_SIZE])
{
	const uint8_t *data = mnl_attr_get_payload(attr);
	size_t left = mnl_attr_get_payload_len(attr);

	while (left >= 2 && data[1] <= left - 2) {
		size_t length = data[1];

		if (data[0] == 0) {
			length = strnlen((const char *)data + 2, length);
			if (length >= LCX__NFT_COMMENT_SIZE)
				length = LCX__NFT_COMMENT_SIZE - 1;
			memcpy(comment, data + 2, length);
			comment[length] = '\0';
			return;
		}
		data += 2 + length;
		left -= 2 + length;
	}
}

static int read_element(const struct nlattr *nest, struct lcx__nft_elements *ret)
{
	struct lcx__nft_element element = {0};
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, nest)
	{
		switch (mnl_attr_get_type(attr)) {
		case NFTA_SET_ELEM_KEY:
			read_data(attr, element.key, sizeof(element.key), &element.key_length);
			break;
		case NFTA_SET_ELEM_DATA:
			read_data(attr, element.data, sizeof(element.data), &element.data_length);
			break;
		case NFTA_SET_ELEM_USERDATA:
			lcx__nft_read_comment(attr, element.comment);
			break;
		}
	}
	return element.key_length > 0 ? lcx__nft_elements_add(ret, &element) : 0;
}

int lcx__nft_parse_elements(const struct nlmsghdr *nlh, struct lcx__nft_elements *ret)
{
	const struct nlattr *attr, *element;
	int r;

	if (!is_message(nlh, NFT_MSG_NEWSETELEM))
		return -EBADMSG;
	mnl_attr_for_each (attr, nlh, sizeof(struct nfgenmsg)) {
		if (mnl_attr_get_type(attr) != NFTA_SET_ELEM_LIST_ELEMENTS)
			continue;
		mnl_attr_for_each_nested(element, attr)
		{
			r = read_element(element, ret);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

/* An answer that begins anew drops what this exchange has added. */
struct reading {
	struct lcx__nft_elements *elements;
	size_t first;
};

static int answer_elements(const struct nlmsghdr *nlh, void *data)
{
	struct reading *reading = data;

	if (!nlh) {
		reading->elements->count = reading->first;
		return 0;
	}
	return lcx__nft_parse_elements(nlh, reading->elements);
}

int lcx__nft_list(struct lcx_netlink *nl, const char *table, const char *set,
		  struct lcx__nft_elements *ret)
{
	CLEANUP(lcx__nl_batch_free) struct lcx__nl_batch batch = NL_BATCH_EMPTY;
	struct reading reading = {ret, ret->count};

	lcx__nft_message(&batch, NFT_MSG_GETSETELEM, NLM_F_DUMP);
	lcx__nl_put_str(&batch, NFTA_SET_ELEM_LIST_TABLE, table);
	lcx__nl_put_str(&batch, NFTA_SET_ELEM_LIST_SET, set);
	return lcx__nl_exchange(nl, &batch, answer_elements, &reading, NULL);
}

int lcx__nft_find(struct lcx_netlink *nl, const char *table, const char *set,
		  const struct lcx__nft_element *keys, size_t count, struct lcx__nft_elements *ret)
{
	enum { AT_ONCE = 32 }; /* the answers must fit into the socket's queue */
	int r;

	for (size_t done = 0; done < count; done += AT_ONCE) {
		CLEANUP(lcx__nl_batch_free) struct lcx__nl_batch batch = NL_BATCH_EMPTY;
		struct reading reading = {ret, ret->count};

		for (size_t i = done; i < count && i < done + AT_ONCE; i++)
			lcx__nft_put_elements(&batch, NFT_MSG_GETSETELEM, 0, table, set, &keys[i],
					      1);
		r = lcx__nl_exchange(nl, &batch, answer_elements, &reading, NULL);
		if (r < 0 && r != -ENOENT)
			return r;
	}
	return 0;
}

static int answer_nothing(const struct nlmsghdr *nlh, void *data)
{
	(void)nlh;
	(void)data;
	return 0;
}

int lcx__nft_has_chain(struct lcx_netlink *nl, const char *table, const char *chain)
{
	CLEANUP(lcx__nl_batch_free) struct lcx__nl_batch batch = NL_BATCH_EMPTY;

	lcx__nft_message(&batch, NFT_MSG_GETCHAIN, 0);
	lcx__nl_put_str(&batch, NFTA_CHAIN_TABLE, table);
	lcx__nl_put_str(&batch, NFTA_CHAIN_NAME, chain);
	return lcx__nl_exchange(nl, &batch, answer_nothing, NULL, NULL);
}

static bool has_text(const struct nlmsghdr *nlh, uint16_t type, const char *text)
{
	const struct nlattr *attr;

	mnl_attr_for_each (attr, nlh, sizeof(struct nfgenmsg))
		if (mnl_attr_get_type(attr) == type &&
		    mnl_attr_get_payload_len(attr) == strlen(text) + 1 &&
		    memcmp(mnl_attr_get_payload(attr), text, strlen(text) + 1) == 0)
			return true;
	return false;
}

static bool is_of_inet(const struct nlmsghdr *nlh)
{
	return ((const struct nfgenmsg *)mnl_nlmsg_get_payload(nlh))->nfgen_family == NFPROTO_INET;
}

bool lcx__nft_is_table_deletion(const struct nlmsghdr *nlh, const char *table)
{
	return is_message(nlh, NFT_MSG_DELTABLE) && is_of_inet(nlh) &&
	       has_text(nlh, NFTA_TABLE_NAME, table);
}

bool lcx__nft_is_new_element(const struct nlmsghdr *nlh, const char *table, const char *set)
{
	return is_message(nlh, NFT_MSG_NEWSETELEM) && is_of_inet(nlh) &&
	       has_text(nlh, NFTA_SET_ELEM_LIST_TABLE, table) &&
	       has_text(nlh, NFTA_SET_ELEM_LIST_SET, set);
}

static int answer_generation(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *attr;

	if (!nlh)
		return 0;
	if (!is_message(nlh, NFT_MSG_NEWGEN))
		return -EBADMSG;
	mnl_attr_for_each (attr, nlh, sizeof(struct nfgenmsg))
		if (mnl_attr_get_type(attr) == NFTA_GEN_ID &&
		    mnl_attr_get_payload_len(attr) == sizeof(uint32_t))
			*(uint32_t *)data = ntohl(mnl_attr_get_u32(attr));
	return 0;
}

int lcx__nft_generation(struct lcx_netlink *nl, uint32_t *ret)
{
	CLEANUP(lcx__nl_batch_free) struct lcx__nl_batch batch = NL_BATCH_EMPTY;
	uint32_t generation = 0;
	int r;

	lcx__nft_message(&batch, NFT_MSG_GETGEN, 0);
	r = lcx__nl_exchange(nl, &batch, answer_generation, &generation, NULL);
	if (r == 0)
		*ret = generation;
	return r;
}
