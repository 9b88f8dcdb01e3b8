/* SPDX-License-Identifier: MIT */

/*
 * What the rules do, in the order a packet meets them:
 *
 * raw           127.0.0.0/8 must not come out of a container. The bridges have
 *               route_localnet, so that the host's own 127.0.0.1 reaches published
 *               ports; without this chain containers would reach services that
 *               listen on 127.0.0.1 only, or speak in their name.
 * prerouting    what a container asks at port 53 of its gateway goes to the network's resolver, be
 *               the port published or not.
 * prerouting,   a connection to an address of this host and a published port goes to
 * output        the container. An entry for the very address is looked up first. What is
 *               meant for ::1 goes to the network's monitor: the kernel has no route_localnet
 *               of IPv6. What comes by a cable for 127.0.0.0/8 is left alone, and then dropped by
 *               the kernel: a neighbour of the host's could else reach what is published there.
 * guard, guard6 see ruleset.h.
 * forward       between containers of one network: yes. Internal networks: nothing
 *               else. Answers, and connections to published ports: yes. Anything
 *               else into a container's network, from outside or from another
 *               network: no.
 * postrouting   a container that connects to a published port of its own network must
 *               see the answer come back the same way, and so must 127.0.0.1; what
 *               goes out to the world has the host's address. "Its own network" is
 *               told by the source address: with br_netfilter such a packet never
 *               leaves the bridge, and has no incoming interface here.
 */
#include "net/ruleset.h"

/* The headers of the C library and of the kernel define the same; that of the library goes first.
 */
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/rtnetlink.h>

/* 32-bit registers: 8 bytes of one concatenation are two of these in a row. */
enum {
	R1 = NFT_REG_1,
	R2 = NFT_REG_2,
	R1_SECOND = NFT_REG32_01,
	R1_THIRD = NFT_REG32_02,
	R1_FIFTH = NFT_REG32_04, /* behind an IPv6 address */
	R1_SIXTH = NFT_REG32_05,
	IPV4_SADDR = 12,
	IPV4_DADDR = 16,
	IPV6_SADDR = 8,
	IPV6_DADDR = 24,
	DESTINATION_PORT = 2,
};

/* clang-format off */
/* The vocabulary of the rules below: what it does to which register. */
#define META(k, r)          { .kind = LCX__NFT_META, .reg = (r), .key = (k) }
#define NETWORK(o, l, r)    { .kind = LCX__NFT_PAYLOAD, .reg = (r), .key = NFT_PAYLOAD_NETWORK_HEADER, \
			      .offset = (o), .length = (l) }
#define TRANSPORT(o, l, r)  { .kind = LCX__NFT_PAYLOAD, .reg = (r), .key = NFT_PAYLOAD_TRANSPORT_HEADER, \
			      .offset = (o), .length = (l) }
#define IS(l, v)            { .kind = LCX__NFT_IS, .reg = R1, .length = (l), .value = (v) }
#define HAS_BITS(v)         { .kind = LCX__NFT_HAS_BITS, .reg = R1, .value = (v) }
#define IN(s)               { .kind = LCX__NFT_IN, .reg = R1, .set = (s) }
#define NOT_IN(s)           { .kind = LCX__NFT_IN, .reg = R1, .set = (s), .invert = true }
#define ADDRESS_TYPE        { .kind = LCX__NFT_FIB_TYPE, .reg = R1 }
#define CT(k)               { .kind = LCX__NFT_CT, .reg = R1, .key = (k) }
#define COUNT               { .kind = LCX__NFT_COUNTER }
#define MASQUERADE          COUNT, { .kind = LCX__NFT_MASQUERADE }
#define ACCEPT              COUNT, { .kind = LCX__NFT_VERDICT, .value = NF_ACCEPT }
#define DROP                COUNT, { .kind = LCX__NFT_VERDICT, .value = NF_DROP }

/* Sentences made of it. */
#define IIFNAME(r)          META(NFT_META_IIFNAME, r)
#define OIFNAME(r)          META(NFT_META_OIFNAME, r)
#define FROM(s)             IIFNAME(R1), IN(s)
#define TO(s)               OIFNAME(R1), IN(s)
#define NOT_FROM(s)         IIFNAME(R1), NOT_IN(s)
#define NOT_TO(s)           OIFNAME(R1), NOT_IN(s)
#define SAME_BRIDGE         IIFNAME(R1), OIFNAME(R2), IN(SET_SAME_BRIDGE)
#define IPV4                META(NFT_META_NFPROTO, R1), IS(1, NFPROTO_IPV4)
#define IPV6                META(NFT_META_NFPROTO, R1), IS(1, NFPROTO_IPV6)
#define LOOPBACK_AT(o)      IPV4, NETWORK(o, 1, R1), IS(1, 127)
#define FROM_ITS_SUBNET     IPV4, NETWORK(IPV4_SADDR, 4, R1), OIFNAME(R1_SECOND), IN(SET_SUBNETS)
#define FROM_ITS_SUBNET6    IPV6, NETWORK(IPV6_SADDR, 16, R1), OIFNAME(R2), IN(SET_SUBNETS6)
#define NOT_LOOPBACK6       NETWORK(IPV6_DADDR, 16, R1), \
			    { .kind = LCX__NFT_IS_BYTES, .reg = R1, .length = 16, .bytes = loopback6, .invert = true }
#define LOOPBACK6           NETWORK(IPV6_DADDR, 16, R1), \
			    { .kind = LCX__NFT_IS_BYTES, .reg = R1, .length = 16, .bytes = loopback6 }
#define NOT_LOOPBACK        NETWORK(IPV4_DADDR, 1, R1), \
			    { .kind = LCX__NFT_IS_BYTES, .reg = R1, .length = 1, .bytes = loopback, .invert = true }
#define TO_THIS_HOST        ADDRESS_TYPE, IS(4, RTN_LOCAL)
#define DNAT_BY(s)          { .kind = LCX__NFT_MAP, .reg = R1, .dreg = R1, .set = (s) }, COUNT, \
			    { .kind = LCX__NFT_DNAT, .reg = R1, .dreg = R1_SECOND, .key = NFPROTO_IPV4 }
#define DNAT6_BY(s)         { .kind = LCX__NFT_MAP, .reg = R1, .dreg = R1, .set = (s) }, COUNT, \
			    { .kind = LCX__NFT_DNAT, .reg = R1, .dreg = R1_FIFTH, .key = NFPROTO_IPV6 }
#define CT_STATE(bits)      CT(NFT_CT_STATE), HAS_BITS(bits)
#define WAS_DNAT            CT(NFT_CT_STATUS), HAS_BITS(IPS_DST_NAT)

#define RULE(c, why, ...)   { (c), (why), (const struct lcx__nft_expr[]){ __VA_ARGS__, { .kind = LCX__NFT_END } } }

static const uint8_t loopback[1] = { 127 }, loopback6[16] = { [15] = 1 };

/* Bits of `ct state`, as nft(8) numbers them: one for each kind, from established on. */
enum { ESTABLISHED = 1 << 1, RELATED = 1 << 2 };

/* Of IPv4, those that the further expressions let pass. */
#define PUBLISHED(chain, ...) \
	RULE(chain, "published on one address", TO_THIS_HOST, __VA_ARGS__, NETWORK(IPV4_DADDR, 4, R1), META(NFT_META_L4PROTO, R1_SECOND), \
	     TRANSPORT(DESTINATION_PORT, 2, R1_THIRD), DNAT_BY(SET_PORTS_OF_ADDRESS)), \
	RULE(chain, "published on all addresses", TO_THIS_HOST, __VA_ARGS__, META(NFT_META_L4PROTO, R1), \
	     TRANSPORT(DESTINATION_PORT, 2, R1_SECOND), DNAT_BY(SET_PORTS_ANYWHERE)), \
	RULE(chain, "published on one address", TO_THIS_HOST, IPV6, NOT_LOOPBACK6, NETWORK(IPV6_DADDR, 16, R1), META(NFT_META_L4PROTO, R1_FIFTH), \
	     TRANSPORT(DESTINATION_PORT, 2, R1_SIXTH), DNAT6_BY(SET_PORTS_OF_ADDRESS6)), \
	RULE(chain, "published on all addresses", TO_THIS_HOST, IPV6, NOT_LOOPBACK6, META(NFT_META_L4PROTO, R1), \
	     TRANSPORT(DESTINATION_PORT, 2, R1_SECOND), DNAT6_BY(SET_PORTS_ANYWHERE6))

static const struct lcx__nft_rule rules[] = {
	RULE("raw", "no container speaks to 127.0.0.0/8", FROM(SET_BRIDGES), LOOPBACK_AT(IPV4_DADDR), DROP),
	RULE("raw", "no container speaks as 127.0.0.0/8", FROM(SET_BRIDGES), LOOPBACK_AT(IPV4_SADDR), DROP),

	RULE("prerouting", "port 53 of a gateway: the resolver", FROM(SET_BRIDGES), IPV4, NETWORK(IPV4_DADDR, 4, R1), META(NFT_META_L4PROTO, R1_SECOND), \
	     TRANSPORT(DESTINATION_PORT, 2, R1_THIRD), DNAT_BY(SET_NAMES)),
	RULE("prerouting", "port 53 of a gateway: the resolver", FROM(SET_BRIDGES), IPV6, NETWORK(IPV6_DADDR, 16, R1), META(NFT_META_L4PROTO, R1_FIFTH), \
	     TRANSPORT(DESTINATION_PORT, 2, R1_SIXTH), DNAT6_BY(SET_NAMES6)),
	PUBLISHED("prerouting", IPV4, NOT_LOOPBACK),
	RULE("output", "published on ::1: the monitor", IPV6, LOOPBACK6, META(NFT_META_L4PROTO, R1), TRANSPORT(DESTINATION_PORT, 2, R1_SECOND), \
	     DNAT6_BY(SET_LOOPBACK6)),
	PUBLISHED("output", IPV4),

	RULE("forward", "containers of one network", SAME_BRIDGE, ACCEPT),
	RULE("forward", "out of an internal network", FROM(SET_INTERNAL), DROP),
	RULE("forward", "into an internal network", TO(SET_INTERNAL), DROP),
	RULE("forward", "answers", CT_STATE(ESTABLISHED | RELATED), ACCEPT),
	RULE("forward", "to a published port", TO(SET_BRIDGES), WAS_DNAT, ACCEPT),
	RULE("forward", "into a network, unpublished", TO(SET_BRIDGES), DROP),

	RULE("postrouting", "a published port of its own network", FROM_ITS_SUBNET, WAS_DNAT, MASQUERADE),
	RULE("postrouting", "a published port of its own network", FROM_ITS_SUBNET6, WAS_DNAT, MASQUERADE),
	RULE("postrouting", "127.0.0.1 to a published port", TO(SET_BRIDGES), LOOPBACK_AT(IPV4_SADDR), MASQUERADE),
	RULE("postrouting", "out into the world", FROM(SET_BRIDGES), NOT_TO(SET_BRIDGES), MASQUERADE),
};

static const struct lcx__nft_rule guard_rules[NET_FAMILIES] = {
	[NET_V4] = RULE(CHAIN_GUARD, "forwarding is for containers only", IPV4, NOT_FROM(SET_BRIDGES), NOT_TO(SET_BRIDGES), DROP),
	[NET_V6] = RULE(CHAIN_GUARD6, "forwarding is for containers only", IPV6, NOT_FROM(SET_BRIDGES), NOT_TO(SET_BRIDGES), DROP),
};

static const struct lcx__nft_chain chains[] = {
	{ "raw", "filter", NF_INET_PRE_ROUTING, NF_IP_PRI_RAW },
	{ "prerouting", "nat", NF_INET_PRE_ROUTING, NF_IP_PRI_NAT_DST },
	{ "output", "nat", NF_INET_LOCAL_OUT, NF_IP_PRI_NAT_DST },
	{ "forward", "filter", NF_INET_FORWARD, NF_IP_PRI_FILTER },
	{ "postrouting", "nat", NF_INET_POST_ROUTING, NF_IP_PRI_NAT_SRC },
};

static const struct lcx__nft_chain guard_chains[NET_FAMILIES] = {
	[NET_V4] = { CHAIN_GUARD, "filter", NF_INET_FORWARD, NF_IP_PRI_FILTER - 1 },
	[NET_V6] = { CHAIN_GUARD6, "filter", NF_INET_FORWARD, NF_IP_PRI_FILTER - 1 },
};

const char *lcx__ruleset_guard(enum net_family family)
{
	return guard_chains[family].name;
}

#define CONCAT(a, b) ((a) << NFT_TYPE_BITS | (b))

/* Parts of a concatenation are padded to 4 bytes each. */
static const struct lcx__nft_set sets[] = {
	{ SET_PORTS_OF_ADDRESS,
	  CONCAT(CONCAT(NFT_TYPE_IPV4_ADDR, NFT_TYPE_INET_PROTO), NFT_TYPE_INET_SERVICE), 12,
	  CONCAT(NFT_TYPE_IPV4_ADDR, NFT_TYPE_INET_SERVICE), 8 },
	{ SET_PORTS_ANYWHERE, CONCAT(NFT_TYPE_INET_PROTO, NFT_TYPE_INET_SERVICE), 8,
	  CONCAT(NFT_TYPE_IPV4_ADDR, NFT_TYPE_INET_SERVICE), 8 },
	{ SET_PORTS_OF_ADDRESS6,
	  CONCAT(CONCAT(NFT_TYPE_IPV6_ADDR, NFT_TYPE_INET_PROTO), NFT_TYPE_INET_SERVICE), 24,
	  CONCAT(NFT_TYPE_IPV6_ADDR, NFT_TYPE_INET_SERVICE), 20 },
	{ SET_PORTS_ANYWHERE6, CONCAT(NFT_TYPE_INET_PROTO, NFT_TYPE_INET_SERVICE), 8,
	  CONCAT(NFT_TYPE_IPV6_ADDR, NFT_TYPE_INET_SERVICE), 20 },
	{ SET_NAMES,
	  CONCAT(CONCAT(NFT_TYPE_IPV4_ADDR, NFT_TYPE_INET_PROTO), NFT_TYPE_INET_SERVICE), 12,
	  CONCAT(NFT_TYPE_IPV4_ADDR, NFT_TYPE_INET_SERVICE), 8 },
	{ SET_NAMES6,
	  CONCAT(CONCAT(NFT_TYPE_IPV6_ADDR, NFT_TYPE_INET_PROTO), NFT_TYPE_INET_SERVICE), 24,
	  CONCAT(NFT_TYPE_IPV6_ADDR, NFT_TYPE_INET_SERVICE), 20 },
	{ SET_LOOPBACK6, CONCAT(NFT_TYPE_INET_PROTO, NFT_TYPE_INET_SERVICE), 8,
	  CONCAT(NFT_TYPE_IPV6_ADDR, NFT_TYPE_INET_SERVICE), 20 },
	{ SET_BRIDGES, NFT_TYPE_IFNAME, 16, 0, 0 },
	{ SET_INTERNAL, NFT_TYPE_IFNAME, 16, 0, 0 },
	{ SET_SAME_BRIDGE, CONCAT(NFT_TYPE_IFNAME, NFT_TYPE_IFNAME), 32, 0, 0 },
	{ SET_SUBNETS, CONCAT(NFT_TYPE_IPV4_ADDR, NFT_TYPE_IFNAME), 20, 0, 0, { 4, 16 } },
	{ SET_SUBNETS6, CONCAT(NFT_TYPE_IPV6_ADDR, NFT_TYPE_IFNAME), 32, 0, 0, { 16, 16 } },
};
/* clang-format on */

void lcx__ruleset_put(struct lcx__nl_batch *batch, net_families guard)
{
	lcx__nft_put_table(batch, LCX_TABLE);
	lcx__nft_put_delete_rules(batch, LCX_TABLE);
	for (size_t i = 0; i < ARRAY_SIZE(chains); i++)
		lcx__nft_put_chain(batch, LCX_TABLE, &chains[i]);
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++)
		lcx__nft_put_set(batch, LCX_TABLE, &sets[i], (uint32_t)i + 1);
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		lcx__nft_put_rule(batch, LCX_TABLE, &rules[i]);
	for (enum net_family family = 0; family < NET_FAMILIES; family++) {
		if (!(guard & 1u << family))
			continue;
		lcx__nft_put_chain(batch, LCX_TABLE, &guard_chains[family]);
		lcx__nft_put_rule(batch, LCX_TABLE, &guard_rules[family]);
	}
}
