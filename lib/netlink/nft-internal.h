/* SPDX-License-Identifier: MIT */
#pragma once

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nf_tables.h>

#include "netlink/nft.h"

/* Begin a message about an object of the inet family. */
static inline void lcx__nft_message(struct lcx__nl_batch *batch, uint16_t type, uint16_t flags)
{
	struct nfgenmsg header = {.nfgen_family = NFPROTO_INET, .version = NFNETLINK_V0};

	lcx__nl_begin(batch, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type),
		      (uint16_t)(NLM_F_REQUEST | flags), &header, sizeof(header));
}

/* User data is a row of (type, length, bytes); type 0 is nft(8)'s comment, with its NUL. */
void lcx__nft_put_comment(struct lcx__nl_batch *batch, uint16_t attribute, const char *comment);
void lcx__nft_read_comment(const struct nlattr *attr, char comment[static LCX__NFT_COMMENT_SIZE]);

/* Bytes as nf_tables wraps them: NFTA_DATA_VALUE inside @type. */
static inline void lcx__nft_put_data(struct lcx__nl_batch *batch, uint16_t type, const void *data,
				     size_t length)
{
	size_t nest = lcx__nl_nest(batch, type);

	lcx__nl_put(batch, NFTA_DATA_VALUE, data, length);
	lcx__nl_nest_end(batch, nest);
}
