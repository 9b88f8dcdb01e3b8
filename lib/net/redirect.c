/* SPDX-License-Identifier: MIT */

/* Port 53 of a network's gateways leads to its resolver: entries of two maps, as published ports
 * are. */
#include <arpa/inet.h>
#include <linux/netlink.h>
#include <string.h>

#include "net/firewall-internal.h"

enum { DNS_PORT = 53 };

static const char *const names_sets[NET_FAMILIES] = {
	[NET_V4] = SET_NAMES,
	[NET_V6] = SET_NAMES6,
};

/* address . protocol . port : address . port */
static void fill_element(struct lcx__nft_element *element, const struct lcx__inet *address,
			 int protocol, uint16_t to)
{
	uint16_t from = htons(DNS_PORT), number = htons(to);
	size_t n = lcx__inet_length(address);

	*element = (struct lcx__nft_element){0};
	memcpy(element->key, address->bytes, n);
	element->key[n] = (uint8_t)protocol;
	memcpy(element->key + n + 4, &from, sizeof(from));
	element->key_length = (uint32_t)n + 8;
	memcpy(element->data, address->bytes, n);
	memcpy(element->data + n, &number, sizeof(number));
	element->data_length = (uint32_t)n + 4;
}

static int add_elements(const struct lcx_network *network, enum net_family family, uint16_t to,
			struct lcx__nft_elements *ret)
{
	static const int protocols[] = {IPPROTO_UDP, IPPROTO_TCP};
	int r = 0;

	for (uint32_t i = 0; i < network->subnet_count; i++) {
		struct lcx__inet address;

		if (lcx__inet_parse_address(network->subnets[i].gateway, &address) < 0)
			return -EINVAL;
		if (lcx__inet_net_family(&address) != family)
			continue;
		for (size_t k = 0; k < ARRAY_SIZE(protocols) && r == 0; k++) {
			struct lcx__nft_element element;

			fill_element(&element, &address, protocols[k], to);
			r = lcx__nft_elements_add(ret, &element);
		}
	}
	return r;
}

/* Those that are there go; with @comment new ones come, in the same instant. */
static int put_family(struct lcx_netlink *nl, struct lcx__nl_batch *batch,
		      const struct lcx_network *network, enum net_family family, uint16_t to,
		      const char *comment, size_t *n)
{
	CLEANUP(lcx__nft_elements_free) struct lcx__nft_elements elements = {0}, there = {0};
	const char *set = names_sets[family];
	int r = add_elements(network, family, to, &elements);

	if (r == 0)
		r = lcx__nft_find(nl, LCX_TABLE, set, elements.list, elements.count, &there);
	if (r < 0)
		return r;
	*n += there.count + (comment ? elements.count : 0);
	lcx__nft_put_elements(batch, NFT_MSG_DELSETELEM, NLM_F_ACK, LCX_TABLE, set, there.list,
			      there.count);
	if (!comment)
		return 0;
	for (size_t i = 0; i < elements.count; i++)
		(void)snprintf(elements.list[i].comment, sizeof(elements.list[i].comment), "%s",
			       comment);
	lcx__nft_put_elements(batch, NFT_MSG_NEWSETELEM, NLM_F_CREATE | NLM_F_ACK, LCX_TABLE, set,
			      elements.list, elements.count);
	return 0;
}

static int redirect(struct lcx_netlink *nl, const struct lcx_network *network, uint16_t to,
		    const char *comment)
{
	CLEANUP(lcx__nl_batch_free) struct lcx__nl_batch batch = NL_BATCH_EMPTY;
	size_t n = 0;
	int r = 0;

	lcx__nft_begin(&batch, 0);
	for (enum net_family family = 0; family < NET_FAMILIES && r == 0; family++)
		r = put_family(nl, &batch, network, family, to, comment, &n);
	return r < 0 || n == 0 ? r : lcx__firewall_commit(nl, &batch);
}

int lcx__firewall_add_names(const char *comment, const struct lcx_network *network, uint16_t port,
			    struct lcx_error **err)
{
	CLEANUP(lcx_netlink_freep) struct lcx_netlink *nl = NULL;
	int r = lcx__firewall_open(&nl, err);

	if (r < 0)
		return r;
	r = redirect(nl, network, port, comment);
	/* A table of a former build has no such map. */
	if (r == -ENOENT) {
		r = lcx__firewall_set_up(0, err);
		if (r < 0)
			return r;
		r = redirect(nl, network, port, comment);
	}
	return r < 0 ? lcx__firewall_fail(nl, err, r, "lead to the resolver") : 0;
}

int lcx__firewall_remove_names(struct lcx_netlink **nft, const struct lcx_network *network,
			       struct lcx_error **err)
{
	enum { TRIES = 5 };
	struct lcx_netlink *nl;
	int r = lcx__firewall_ensure_open(nft, err);

	if (r < 0)
		return r;
	nl = *nft;
	/* Without the table there is nothing; what another removes at the same time, undoes ours.
	 */
	if (lcx__nft_has_chain(nl, LCX_TABLE, "prerouting") == -ENOENT)
		return 0;
	r = -ENOENT;
	for (int i = 0; i < TRIES && r == -ENOENT; i++)
		r = redirect(nl, network, 0, NULL);
	return r < 0 && r != -ENOENT ? lcx__firewall_fail(nl, err, r, "forget the resolver") : 0;
}
