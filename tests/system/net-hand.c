/* SPDX-License-Identifier: MIT */
#include "net-hand.h"

#include <net/if.h>

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { SIZE = 4096, ACKED = NLM_F_REQUEST | NLM_F_ACK, NEW = ACKED | NLM_F_CREATE | NLM_F_EXCL };

static void die(const char *what)
{
	fprintf(stderr, "by hand: %s: %s\n", what, strerror(errno));
	exit(99);
}

int hand_socket(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0)
		die("socket");
	return fd;
}

/* Messages one behind the other, to be sent at once. */
struct batch {
	char data[SIZE];
	size_t length;
	unsigned int count;
};

static struct nlmsghdr *begin(struct batch *batch, uint16_t type, uint16_t flags,
			      const void *header, size_t size)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(batch->data + batch->length);

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = flags;
	memcpy(mnl_nlmsg_put_extra_header(nlh, size), header, size);
	return nlh;
}

static void end(struct batch *batch, const struct nlmsghdr *nlh)
{
	batch->length += MNL_ALIGN(nlh->nlmsg_len);
	batch->count++;
}

/* Send, and read one confirmation for each; the index of a link that was asked for, or 0. */
static int talk(int fd, const struct batch *batch, const char *what)
{
	char answer[SIZE * 2];
	int index = 0;

	if (send(fd, batch->data, batch->length, 0) < 0)
		die(what);
	for (unsigned int i = 0; i < batch->count; i++) {
		ssize_t n = recv(fd, answer, sizeof(answer), MSG_DONTWAIT);
		const struct nlmsghdr *nlh = (const struct nlmsghdr *)answer;
		const struct nlmsgerr *e = mnl_nlmsg_get_payload(nlh);

		if (n < (ssize_t)sizeof(*nlh))
			die(what);
		errno = nlh->nlmsg_type == NLMSG_ERROR ? -e->error : 0;
		if (errno != 0)
			die(what);
		if (nlh->nlmsg_type == RTM_NEWLINK)
			index = ((const struct ifinfomsg *)mnl_nlmsg_get_payload(nlh))->ifi_index;
	}
	return index;
}

static int link_index(int fd, const char *name)
{
	struct batch batch = {.length = 0};
	struct ifinfomsg ifi = {0};
	struct nlmsghdr *nlh = begin(&batch, RTM_GETLINK, NLM_F_REQUEST, &ifi, sizeof(ifi));

	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	mnl_attr_put_u32(nlh, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	end(&batch, nlh);
	return talk(fd, &batch, "look up");
}

static void put_up(struct batch *batch, int index)
{
	struct ifinfomsg ifi = {.ifi_index = index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};

	end(batch, begin(batch, RTM_NEWLINK, ACKED, &ifi, sizeof(ifi)));
}

static void put_address(struct batch *batch, int index, uint32_t address)
{
	struct ifaddrmsg ifa = {
		.ifa_family = AF_INET, .ifa_prefixlen = 16, .ifa_index = (uint32_t)index};
	struct nlmsghdr *nlh = begin(batch, RTM_NEWADDR, NEW, &ifa, sizeof(ifa));

	mnl_attr_put_u32(nlh, IFA_LOCAL, htonl(address));
	mnl_attr_put_u32(nlh, IFA_ADDRESS, htonl(address));
	mnl_attr_put_u32(nlh, IFA_BROADCAST, htonl(address | 0xffff));
	end(batch, nlh);
}

static void put_route(struct batch *batch, int index, uint32_t gateway)
{
	struct rtmsg rt = {.rtm_family = AF_INET,
			   .rtm_table = RT_TABLE_MAIN,
			   .rtm_protocol = RTPROT_BOOT,
			   .rtm_scope = RT_SCOPE_UNIVERSE,
			   .rtm_type = RTN_UNICAST};
	struct nlmsghdr *nlh = begin(batch, RTM_NEWROUTE, NEW, &rt, sizeof(rt));

	mnl_attr_put_u32(nlh, RTA_GATEWAY, htonl(gateway));
	mnl_attr_put_u32(nlh, RTA_OIF, (uint32_t)index);
	end(batch, nlh);
}

int hand_bridge(int fd, const char *name, uint32_t address)
{
	struct batch make = {.length = 0}, set = {.length = 0};
	struct ifinfomsg ifi = {0};
	struct nlmsghdr *nlh = begin(&make, RTM_NEWLINK, NEW, &ifi, sizeof(ifi));
	/* Its own; else it takes the least of its ports', and compares them all at each that comes. */
	static const uint8_t mac[6] = {2, 0x42};
	struct nlattr *info, *data;
	int index;

	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	mnl_attr_put_u32(nlh, IFLA_MTU, 1500);
	mnl_attr_put(nlh, IFLA_ADDRESS, sizeof(mac), mac);
	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, "bridge");
	data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	mnl_attr_put_u8(nlh, IFLA_BR_MCAST_SNOOPING, 0);
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, info);
	end(&make, nlh);
	(void)talk(fd, &make, "make a bridge");
	index = link_index(fd, name);
	put_address(&set, index, address);
	put_up(&set, index);
	(void)talk(fd, &set, "set up the bridge");
	return index;
}

/* No link-local address of IPv6: on a bridge of a thousand its greetings alone would be a load. */
static void put_no_ipv6(struct nlmsghdr *nlh)
{
	struct nlattr *families = mnl_attr_nest_start(nlh, IFLA_AF_SPEC);
	struct nlattr *family = mnl_attr_nest_start(nlh, AF_INET6);

	mnl_attr_put_u8(nlh, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
	mnl_attr_nest_end(nlh, family);
	mnl_attr_nest_end(nlh, families);
}

static void put_veth(struct batch *batch, const char *name, int bridge, int netns_fd,
		     uint32_t address)
{
	struct ifinfomsg ifi = {0};
	struct nlmsghdr *nlh = begin(batch, RTM_NEWLINK, NEW, &ifi, sizeof(ifi));
	uint8_t mac[6] = {2, 0x43};
	struct nlattr *info, *data, *peer;

	address = htonl(address);
	memcpy(mac + 2, &address, sizeof(address));
	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	mnl_attr_put_u32(nlh, IFLA_MTU, 1500);
	mnl_attr_put_u32(nlh, IFLA_MASTER, (uint32_t)bridge);
	/* Unless it is told, a bridge takes it for one that works, and goes through its ports. */
	mnl_attr_put_u8(nlh, IFLA_OPERSTATE, 2 /* IF_OPER_DOWN */);
	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	peer = mnl_attr_nest_start(nlh, VETH_INFO_PEER);
	memcpy(mnl_nlmsg_put_extra_header(nlh, sizeof(ifi)), &ifi, sizeof(ifi));
	mnl_attr_put_strz(nlh, IFLA_IFNAME, "eth0");
	mnl_attr_put_u32(nlh, IFLA_MTU, 1500);
	mnl_attr_put(nlh, IFLA_ADDRESS, sizeof(mac), mac);
	mnl_attr_put_u32(nlh, IFLA_NET_NS_FD, (uint32_t)netns_fd);
	mnl_attr_nest_end(nlh, peer);
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, info);
	end(batch, nlh);
}

static void put_host_end(struct batch *batch, const char *name)
{
	struct ifinfomsg ifi = {0}, up = {.ifi_flags = IFF_UP, .ifi_change = IFF_UP};
	struct nlmsghdr *nlh = begin(batch, RTM_NEWLINK, ACKED, &ifi, sizeof(ifi));

	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	mnl_attr_put_strz(nlh, IFLA_IFALIAS, "by hand");
	put_no_ipv6(nlh);
	end(batch, nlh);
	nlh = begin(batch, RTM_NEWLINK, ACKED, &up, sizeof(up));
	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	end(batch, nlh);
}

static void put_inner_end(struct batch *batch)
{
	struct ifinfomsg ifi = {0};
	struct nlmsghdr *nlh = begin(batch, RTM_NEWLINK, ACKED, &ifi, sizeof(ifi));

	mnl_attr_put_strz(nlh, IFLA_IFNAME, "eth0");
	put_no_ipv6(nlh);
	end(batch, nlh);
}

void hand_attach(int fd, int bridge, const char *name, int netns_fd, int inside_fd,
		 uint32_t address, uint32_t gateway)
{
	struct batch cable = {.length = 0}, inside = {.length = 0};
	int index;

	put_veth(&cable, name, bridge, netns_fd, address);
	put_host_end(&cable, name);
	(void)talk(fd, &cable, "make a veth pair");
	index = link_index(inside_fd, "eth0");
	put_up(&inside, 1);
	put_inner_end(&inside);
	put_address(&inside, index, address);
	put_up(&inside, index);
	put_route(&inside, index, gateway);
	(void)talk(inside_fd, &inside, "set up inside");
}

void hand_detach(int fd, const char *name)
{
	struct batch batch = {.length = 0};
	struct ifinfomsg ifi = {0};
	struct nlmsghdr *nlh = begin(&batch, RTM_DELLINK, ACKED, &ifi, sizeof(ifi));

	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	end(&batch, nlh);
	(void)talk(fd, &batch, "remove a veth pair");
}
