/* SPDX-License-Identifier: MIT */
#include "netlink/tc.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_mirred.h>
#include <string.h>

enum {
	CREATE = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL,
	ROOT_HANDLE = 1 << 16,
	LEAST_BURST = 32 * 1024, /* bytes: several packets of an ordinary size */
	LEAST_QUEUE = 64 * 1024,
	BURSTS_PER_SECOND = 100, /* what may come at once: 10 ms' worth */
	QUEUES_PER_SECOND = 20,  /* what may wait: 50 ms' worth */
	MOST_BYTES = 1 << 28,    /* of either */
};

void lcx__link_put_ifb(struct lcx__nl_batch *batch, const char *name, uint32_t mtu_bytes)
{
	struct ifinfomsg ifi = {0};
	size_t info;

	lcx__nl_begin(batch, RTM_NEWLINK, CREATE, &ifi, sizeof(ifi));
	lcx__nl_put_str(batch, IFLA_IFNAME, name);
	lcx__nl_put_u32(batch, IFLA_MTU, mtu_bytes);
	info = lcx__nl_nest(batch, IFLA_LINKINFO);
	lcx__nl_put_str(batch, IFLA_INFO_KIND, "ifb");
	lcx__nl_nest_end(batch, info);
}

static uint32_t bytes_of(uint64_t rate, uint64_t per_second, uint32_t least)
{
	uint64_t bytes = rate / per_second;

	return bytes < least ? least : bytes > MOST_BYTES ? MOST_BYTES : (uint32_t)bytes;
}

void lcx__tc_put_bucket(struct lcx__nl_batch *batch, uint32_t index, uint64_t bits_per_second)
{
	uint64_t rate = bits_per_second / 8;
	uint32_t burst = bytes_of(rate, BURSTS_PER_SECOND, LEAST_BURST);
	struct tcmsg tc = {
		.tcm_family = AF_UNSPEC,
		.tcm_ifindex = (int)index,
		.tcm_handle = ROOT_HANDLE,
		.tcm_parent = TC_H_ROOT,
	};
	/* With the link layer said, the kernel needs no table of rates; bursts are in bytes. */
	struct tc_tbf_qopt options = {
		.rate = {.rate = rate < UINT32_MAX ? (uint32_t)rate : UINT32_MAX,
			 .linklayer = TC_LINKLAYER_ETHERNET},
		.limit = burst + bytes_of(rate, QUEUES_PER_SECOND, LEAST_QUEUE),
	};
	size_t nest;

	lcx__nl_begin(batch, RTM_NEWQDISC, CREATE, &tc, sizeof(tc));
	lcx__nl_put_str(batch, TCA_KIND, "tbf");
	nest = lcx__nl_nest(batch, TCA_OPTIONS);
	lcx__nl_put(batch, TCA_TBF_PARMS, &options, sizeof(options));
	if (rate >= UINT32_MAX)
		lcx__nl_put(batch, TCA_TBF_RATE64, &rate, sizeof(rate));
	lcx__nl_put_u32(batch, TCA_TBF_BURST, burst);
	lcx__nl_nest_end(batch, nest);
}

static void put_redirect(struct lcx__nl_batch *batch, uint32_t to_index)
{
	struct tc_mirred mirred = {
		.action = TC_ACT_STOLEN,
		.eaction = TCA_EGRESS_REDIR,
		.ifindex = to_index,
	};
	size_t actions = lcx__nl_nest(batch, TCA_U32_ACT), action = lcx__nl_nest(batch, 1), options;

	lcx__nl_put_str(batch, TCA_ACT_KIND, "mirred");
	options = lcx__nl_nest(batch, TCA_ACT_OPTIONS);
	lcx__nl_put(batch, TCA_MIRRED_PARMS, &mirred, sizeof(mirred));
	lcx__nl_nest_end(batch, options);
	lcx__nl_nest_end(batch, action);
	lcx__nl_nest_end(batch, actions);
}

void lcx__tc_put_detour(struct lcx__nl_batch *batch, uint32_t index, uint32_t to_index)
{
	struct tcmsg qdisc = {
		.tcm_family = AF_UNSPEC,
		.tcm_ifindex = (int)index,
		.tcm_handle = TC_H_MAKE(TC_H_INGRESS, 0),
		.tcm_parent = TC_H_INGRESS,
	};
	struct tcmsg filter = {
		.tcm_family = AF_UNSPEC,
		.tcm_ifindex = (int)index,
		.tcm_parent = TC_H_MAKE(TC_H_INGRESS, 0),
		.tcm_info = TC_H_MAKE(1 << 16, htons(ETH_P_ALL)),
	};
	/* One key, of zeroes, behind it: that fits everything. */
	struct tc_u32_sel head = {.flags = TC_U32_TERMINAL, .nkeys = 1};
	uint8_t selector[sizeof(head) + sizeof(struct tc_u32_key)] = {0};
	size_t options;

	lcx__nl_begin(batch, RTM_NEWQDISC, CREATE, &qdisc, sizeof(qdisc));
	lcx__nl_put_str(batch, TCA_KIND, "ingress");

	lcx__nl_begin(batch, RTM_NEWTFILTER, CREATE, &filter, sizeof(filter));
	lcx__nl_put_str(batch, TCA_KIND, "u32");
	options = lcx__nl_nest(batch, TCA_OPTIONS);
	memcpy(selector, &head, sizeof(head));
	lcx__nl_put(batch, TCA_U32_SEL, selector, sizeof(selector));
	put_redirect(batch, to_index);
	lcx__nl_nest_end(batch, options);
}
