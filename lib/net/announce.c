/* SPDX-License-Identifier: MIT */

/*
 * When an address comes to another container, with another MAC address, neighbours would go on
 * sending to the old one for as long as they remember it. Hence a gratuitous ARP request, and an
 * unsolicited neighbour advertisement, RFC 826, 4861; the host's own memory is told by netlink.
 *
 * They are sent before the container's end of the cable is up, which therefore does not hear them:
 * it would take its own address for somebody else's.
 */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>
#include <netinet/icmp6.h>
#include <netinet/if_ether.h>
#include <netinet/ip6.h>
#include <string.h>
#include <sys/socket.h>

#include "init/enter.h"
#include "net/announce.h"

enum { FRAME_SIZE = 96, ALL = (1u << NET_FAMILIES) - 1 };

struct arp_frame {
	struct ether_header ether;
	struct ether_arp arp;
} __attribute__((__packed__));

struct advertisement_frame {
	struct ether_header ether;
	struct ip6_hdr ip;
	struct nd_neighbor_advert advert;
	struct nd_opt_hdr option;
	uint8_t mac[ETH_ALEN];
} __attribute__((__packed__));

_Static_assert(sizeof(struct arp_frame) <= FRAME_SIZE &&
		       sizeof(struct advertisement_frame) <= FRAME_SIZE,
	       "FRAME_SIZE is too small");

static size_t make_arp(const struct lcx__inet *address, const uint8_t *mac, uint8_t *ret)
{
	struct arp_frame frame = {
		.ether = {.ether_type = htons(ETHERTYPE_ARP)},
		.arp = {.ea_hdr = {.ar_hrd = htons(ARPHRD_ETHER),
				   .ar_pro = htons(ETHERTYPE_IP),
				   .ar_hln = ETH_ALEN,
				   .ar_pln = 4,
				   .ar_op = htons(ARPOP_REQUEST)}},
	};

	memset(frame.ether.ether_dhost, 0xff, ETH_ALEN);
	memcpy(frame.ether.ether_shost, mac, ETH_ALEN);
	memcpy(frame.arp.arp_sha, mac, ETH_ALEN);
	memcpy(frame.arp.arp_spa, address->bytes, 4);
	memcpy(frame.arp.arp_tpa, address->bytes, 4);
	memcpy(ret, &frame, sizeof(frame));
	return sizeof(frame);
}

/* The Internet's sum of 16-bit words in network order, RFC 1071. */
static uint32_t sum(const void *data, size_t length, uint32_t sum_before)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < length; i += 2)
		sum_before += (uint32_t)bytes[i] << 8 | bytes[i + 1];
	return sum_before;
}

static uint16_t checksum(const struct advertisement_frame *frame, size_t length)
{
	uint32_t total = sum(&frame->ip.ip6_src, 32, (uint32_t)length + IPPROTO_ICMPV6);

	total = sum(&frame->advert, length, total);
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	return htons((uint16_t)~total);
}

static size_t make_advertisement(const struct lcx__inet *address, const uint8_t *mac, uint8_t *ret)
{
	static const uint8_t all_nodes[16] = {0xff, 2, [15] = 1};
	enum {
		LENGTH = sizeof(struct advertisement_frame) - sizeof(struct ether_header) -
			 sizeof(struct ip6_hdr)
	};
	struct advertisement_frame frame = {
		.ether = {.ether_dhost = {0x33, 0x33, 0, 0, 0, 1},
			  .ether_type = htons(ETHERTYPE_IPV6)},
		.option = {.nd_opt_type = ND_OPT_TARGET_LINKADDR, .nd_opt_len = 1},
	};

	memcpy(frame.ether.ether_shost, mac, ETH_ALEN);
	frame.ip.ip6_flow = htonl(6u << 28);
	frame.ip.ip6_plen = htons(LENGTH);
	frame.ip.ip6_nxt = IPPROTO_ICMPV6;
	frame.ip.ip6_hlim = 255;
	memcpy(&frame.ip.ip6_src, address->bytes, 16);
	memcpy(&frame.ip.ip6_dst, all_nodes, 16);
	frame.advert.nd_na_type = ND_NEIGHBOR_ADVERT;
	frame.advert.nd_na_flags_reserved = ND_NA_FLAG_OVERRIDE;
	memcpy(&frame.advert.nd_na_target, address->bytes, 16);
	memcpy(frame.mac, mac, ETH_ALEN);
	frame.advert.nd_na_cksum = checksum(&frame, LENGTH);
	memcpy(ret, &frame, sizeof(frame));
	return sizeof(frame);
}

static size_t make_frame(const struct lcx__inet *address, const uint8_t mac[static ETH_ALEN],
			 uint8_t frame[static FRAME_SIZE])
{
	return address->family == AF_INET ? make_arp(address, mac, frame)
					  : make_advertisement(address, mac, frame);
}

static void forget_neighbour(struct lcx_netlink *nl, uint32_t index,
			     const struct lcx__inet *address)
{
	CLEANUP(lcx__nl_batch_free) struct lcx__nl_batch batch = NL_BATCH_EMPTY;
	struct ndmsg nd = {.ndm_family = address->family, .ndm_ifindex = (int)index};

	lcx__nl_begin(&batch, RTM_DELNEIGH, NLM_F_REQUEST | NLM_F_ACK, &nd, sizeof(nd));
	lcx__nl_put(&batch, NDA_DST, address->bytes, lcx__inet_length(address));
	/* Nothing to forget is the usual case. */
	(void)lcx__nl_exchange(nl, &batch, NULL, NULL, NULL);
}

static bool has_chosen_mac(const struct lcx_attachment *attachment)
{
	char mac[NET_MAC_SIZE];

	lcx__attachment_usual_mac(attachment, mac);
	return strcmp(mac, attachment->mac) != 0;
}

/* On a bridge of ours: nobody had it, or everybody has it with that MAC address. */
static bool is_news(const struct lcx_attachment *attachment, enum net_family family)
{
	const struct net_address *given = &attachment->addresses[family];
	struct lcx__inet address;
	char mac[NET_MAC_SIZE];

	if (given->is_new || lcx__inet_parse_address(given->address, &address) < 0)
		return false;
	lcx__attachment_derive_mac(&address, mac);
	return strcmp(mac, attachment->mac) != 0;
}

static void send_by(int fd, struct lcx_netlink *nl, uint32_t index,
		    const struct lcx_attachment *attachment, net_families families)
{
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET, .sll_ifindex = (int)index, .sll_halen = ETH_ALEN};
	uint8_t mac[ETH_ALEN], frame[FRAME_SIZE];

	if (fd < 0 || sscanf(attachment->mac, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx", &mac[0],
			     &mac[1], &mac[2], &mac[3], &mac[4], &mac[5]) != ETH_ALEN)
		return;
	for (size_t i = 0; i < NET_FAMILIES; i++) {
		struct lcx__inet address;
		size_t length;

		if (!(families & 1u << i) ||
		    lcx__inet_parse_address(attachment->addresses[i].address, &address) < 0)
			continue;
		forget_neighbour(nl, index, &address);
		length = make_frame(&address, mac, frame);
		to.sll_protocol = htons(i == NET_V4 ? ETH_P_ARP : ETH_P_IPV6);
		(void)sendto(fd, frame, length, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&to,
			     sizeof(to));
	}
}

static void send_from_here(struct lcx_netlink *nl, uint32_t index, const struct lcx_attachment *attachment,
		 net_families families)
{
	CLEANUP(closep) int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	send_by(fd, nl, index, attachment, families);
}

void lcx__announce_inside(struct lcx_netlink *inner, int netns_fd, uint32_t index,
			  const struct lcx_attachment *attachment)
{
	CLEANUP(closep) int fd = -1;

	if (!attachment->addresses[NET_V6].address[0] && !has_chosen_mac(attachment))
		return;
	fd = lcx__socket_in_netns(netns_fd, AF_PACKET, SOCK_RAW, 0);
	send_by(fd, inner, index, attachment, ALL);
}

void lcx__announce(struct lcx_netlink *nl, uint32_t index, const struct lcx_attachment *attachment)
{
	net_families news = 0;

	for (enum net_family family = 0; family < NET_FAMILIES; family++)
		if (is_news(attachment, family))
			news |= 1u << family;
	if (news)
		send_from_here(nl, index, attachment, news);
}

void lcx__announce_heir(struct lcx_netlink *nl, const struct lcx_attachment *attachment)
{
	CLEANUP(lcx_link_freep) struct lcx_link *bridge = NULL;
	struct lcx_attachment heir = *attachment;

	if (!has_chosen_mac(attachment) || lcx_link_open(nl, attachment->bridge, &bridge, NULL) < 0)
		return;
	lcx__attachment_usual_mac(attachment, heir.mac);
	send_from_here(nl, lcx_link_index(bridge), &heir, ALL);
}
