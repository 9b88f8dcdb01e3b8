/* SPDX-License-Identifier: MIT */

/*
 * The kernel's answers, played by the fuzzer: a datagram of any content must be read
 * without a step beyond its end. The first byte says how many messages were sent.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "netlink/entry.h"
#include "netlink/link-internal.h"
#include "netlink/nft.h"
#include "netlink/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_anything(const struct nlmsghdr *nlh, void *data)
{
	struct lcx__nft_elements *elements = data;
	struct lcx__nft_rule_entry rule;
	struct lcx__address_entry address;
	struct lcx__route_entry route;
	struct lcx_link link;

	(void)lcx__link_parse(nlh, &link);
	(void)lcx__nl_parse_address(nlh, &address);
	(void)lcx__nl_parse_route(nlh, &route);
	(void)lcx__nft_is_table_deletion(nlh, "lcx");
	(void)lcx__nft_is_new_element(nlh, "lcx", "names");
	(void)lcx__nft_parse_rule(nlh, &rule);
	return lcx__nft_parse_elements(nlh, elements) == -ENOMEM ? -ENOMEM : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(lcx__nft_elements_free) struct lcx__nft_elements elements = {0};
	char words[LCX__NL_WORDS_SIZE] = "";
	struct lcx__nl_reply reply = {.first_seq = 1,
				      .portid = 1,
				      .answer = read_anything,
				      .data = &elements,
				      .words = words};
	uint8_t *copy;

	if (size < 2)
		return 0;
	reply.messages = data[0] + 1u;
	/* Aligned as a datagram is, and of exactly its length, for the sanitizer's sake. */
	copy = malloc(size - 1);
	if (!copy)
		return 0;
	memcpy(copy, data + 1, size - 1);
	(void)lcx__nl_reply_read(&reply, copy, size - 1);
	for (size_t i = 0; i < strlen(words); i++)
		if (words[i] < 0x20 || words[i] >= 0x7f)
			abort();
	free(copy);
	return 0;
}
