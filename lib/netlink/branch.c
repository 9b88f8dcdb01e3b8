/* SPDX-License-Identifier: MIT */
#include "netlink/branch.h"

#include <libmnl/libmnl.h>
#include <string.h>
#include <sys/random.h>

#include "netlink/link-internal.h"

#include <linux/net_namespace.h>

enum { CHANGE = NLM_F_REQUEST | NLM_F_ACK, CREATE = CHANGE | NLM_F_CREATE | NLM_F_EXCL };

const struct lcx__branch_kind lcx__macvlan = {"macvlan", IFLA_MACVLAN_MODE, 4, 0};
const struct lcx__branch_kind lcx__ipvlan = {"ipvlan", IFLA_IPVLAN_MODE, 2, IFLA_IPVLAN_FLAGS};
const struct lcx__branch_kind lcx__vlan = {"vlan", IFLA_VLAN_ID, 2, 0};

static void put_value(struct lcx__nl_batch *batch, const struct lcx__branch *branch)
{
	uint16_t short_mode = (uint16_t)branch->mode;

	if (branch->kind->mode_length == sizeof(short_mode))
		lcx__nl_put(batch, branch->kind->mode_type, &short_mode, sizeof(short_mode));
	else
		lcx__nl_put_u32(batch, branch->kind->mode_type, branch->mode);
	if (branch->kind->flags_type != 0 && branch->flags != 0)
		lcx__nl_put(batch, branch->kind->flags_type, &branch->flags, sizeof(branch->flags));
}

void lcx__branch_put(struct lcx__nl_batch *batch, const struct lcx__branch *branch)
{
	struct ifinfomsg ifi = {.ifi_index = (int)branch->index};
	size_t info, data;

	lcx__nl_begin(batch, RTM_NEWLINK, CREATE, &ifi, sizeof(ifi));
	lcx__nl_put_str(batch, IFLA_IFNAME, branch->name);
	lcx__nl_put_u32(batch, IFLA_LINK, branch->parent);
	lcx__link_put_config(batch, branch->config);
	info = lcx__nl_nest(batch, IFLA_LINKINFO);
	lcx__nl_put_str(batch, IFLA_INFO_KIND, branch->kind->kind);
	data = lcx__nl_nest(batch, IFLA_INFO_DATA);
	put_value(batch, branch);
	lcx__nl_nest_end(batch, data);
	lcx__nl_nest_end(batch, info);
}

int lcx__branch_choose_index(uint32_t *ret)
{
	uint32_t random;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return -errno;
	*ret = (random & 0x3fffffff) | 0x40000000;
	return 0;
}

static int answer_number(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *attr;
	int32_t number;

	if (!nlh || nlh->nlmsg_type != RTM_NEWNSID ||
	    mnl_nlmsg_get_payload_len(nlh) < sizeof(struct rtgenmsg))
		return nlh ? -EBADMSG : 0;
	mnl_attr_for_each (attr, nlh, MNL_ALIGN(sizeof(struct rtgenmsg))) {
		if (mnl_attr_get_type(attr) != NETNSA_NSID ||
		    mnl_attr_get_payload_len(attr) != sizeof(number))
			continue;
		memcpy(&number, mnl_attr_get_payload(attr), sizeof(number));
		*(int32_t *)data = number;
	}
	return 0;
}

int lcx__netns_number(struct lcx_netlink *nl, int netns_fd, int32_t *ret, struct lcx_error **err)
{
	CLEANUP(lcx__nl_batch_free) struct lcx__nl_batch batch = NL_BATCH_EMPTY;
	/* The header's one byte, padded. */
	const uint8_t header[MNL_ALIGN(sizeof(struct rtgenmsg))] = {AF_UNSPEC};
	const int32_t any = -1;
	int32_t number = -1;
	int r;

	lcx__nl_begin(&batch, RTM_NEWNSID, CHANGE, header, sizeof(header));
	lcx__nl_put(&batch, NETNSA_NSID, &any, sizeof(any));
	lcx__nl_put_u32(&batch, NETNSA_FD, (uint32_t)netns_fd);
	r = lcx__nl_exchange(nl, &batch, NULL, NULL, NULL);
	if (r < 0 && r != -EEXIST)
		return lcx__nl_fail(nl, err, -r, "number a network namespace");
	lcx__nl_begin(&batch, RTM_GETNSID, NLM_F_REQUEST, header, sizeof(header));
	lcx__nl_put_u32(&batch, NETNSA_FD, (uint32_t)netns_fd);
	r = lcx__nl_exchange(nl, &batch, answer_number, &number, NULL);
	if (r == 0 && number < 0)
		r = -EIO;
	if (r < 0)
		return lcx__nl_fail(nl, err, -r, "ask for a network namespace's number");
	*ret = number;
	return 0;
}

static void begin_there(struct lcx__nl_batch *batch, uint16_t type, uint16_t flags,
			int32_t netns_number, uint32_t index)
{
	struct ifinfomsg ifi = {.ifi_index = (int)index};

	lcx__nl_begin(batch, type, flags, &ifi, sizeof(ifi));
	lcx__nl_put_u32(batch, IFLA_TARGET_NETNSID, (uint32_t)netns_number);
}

/* The kernel calls a number that nobody has an invalid argument. */
static int fail_there(const struct lcx_netlink *nl, struct lcx_error **err, int r, const char *what,
		      uint32_t index)
{
	if (r == -ENODEV || r == -EINVAL)
		return -ENODEV;
	return lcx__nl_fail(nl, err, -r, "%s interface %u of another namespace", what, index);
}

static int answer_link(const struct nlmsghdr *nlh, void *data)
{
	return nlh ? lcx__link_parse(nlh, data) : 0;
}

int lcx__link_open_there(struct lcx_netlink *nl, int32_t netns_number, uint32_t index,
			 struct lcx_link **ret, struct lcx_error **err)
{
	CLEANUP(lcx__nl_batch_free) struct lcx__nl_batch batch = NL_BATCH_EMPTY;
	CLEANUP(lcx_link_freep) struct lcx_link *link = calloc(1, sizeof(*link));
	int r;

	if (!link)
		return lcx__fail_nomem(err);
	begin_there(&batch, RTM_GETLINK, NLM_F_REQUEST, netns_number, index);
	r = lcx__nl_exchange(nl, &batch, answer_link, link, NULL);
	if (r == 0 && link->index == 0)
		r = -EIO;
	if (r < 0)
		return fail_there(nl, err, r, "look up", index);
	*ret = TAKE_PTR(link);
	return 0;
}

int lcx__link_destroy_there(struct lcx_netlink *nl, int32_t netns_number, uint32_t index,
			    struct lcx_error **err)
{
	CLEANUP(lcx__nl_batch_free) struct lcx__nl_batch batch = NL_BATCH_EMPTY;
	int r;

	begin_there(&batch, RTM_DELLINK, CHANGE, netns_number, index);
	r = lcx__nl_exchange(nl, &batch, NULL, NULL, NULL);
	return r < 0 ? fail_there(nl, err, r, "remove", index) : 0;
}
