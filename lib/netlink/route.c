/* SPDX-License-Identifier: MIT */
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "netlink/entry.h"
#include "netlink/inet.h"
#include "netlink/netlink.h"

void lcx__route_put(struct lcx__nl_batch *batch, uint16_t type, uint16_t flags,
		    const struct lcx__inet *destination, const struct lcx__inet *gateway,
		    uint32_t index, uint32_t metric)
{
	struct rtmsg rtm = {
		.rtm_family = destination->family,
		.rtm_dst_len = destination->prefix,
		.rtm_table = RT_TABLE_MAIN,
	};

	if (type == RTM_NEWROUTE) {
		rtm.rtm_protocol = RTPROT_STATIC;
		rtm.rtm_type = RTN_UNICAST;
		rtm.rtm_scope = gateway ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
	} else {
		rtm.rtm_scope = RT_SCOPE_NOWHERE;
	}
	lcx__nl_begin(batch, type, flags, &rtm, sizeof(rtm));
	if (destination->prefix > 0)
		lcx__nl_put(batch, RTA_DST, destination->bytes, lcx__inet_length(destination));
	if (gateway)
		lcx__nl_put(batch, RTA_GATEWAY, gateway->bytes, lcx__inet_length(gateway));
	if (index != 0)
		lcx__nl_put_u32(batch, RTA_OIF, index);
	if (metric != 0)
		lcx__nl_put_u32(batch, RTA_PRIORITY, metric);
}

static int parse_destination(const char *text, struct lcx__inet *ret)
{
	if (strcmp(text, "default") == 0)
		return lcx__inet_parse("0.0.0.0/0", ret);
	if (strcmp(text, "default6") == 0)
		return lcx__inet_parse("::/0", ret);
	return lcx__inet_parse(text, ret);
}

static int change_route(struct lcx_netlink *nl, uint16_t type, uint16_t flags,
			const char *destination_text, const char *gateway_text, uint32_t index,
			const char *what, struct lcx_error **err)
{
	CLEANUP(lcx__nl_batch_free) struct lcx__nl_batch batch = NL_BATCH_EMPTY;
	struct lcx__inet destination, gateway;
	int r;

	if (parse_destination(destination_text, &destination) < 0)
		return lcx__fail(err, EINVAL,
				 "'%s' is not a destination: give \"default\" or a subnet",
				 destination_text);
	if (gateway_text && (lcx__inet_parse_address(gateway_text, &gateway) < 0 ||
			     gateway.family != destination.family))
		return lcx__fail(err, EINVAL, "route to %s: '%s' cannot be its gateway",
				 destination_text, gateway_text);
	lcx__route_put(&batch, type, NLM_F_REQUEST | NLM_F_ACK | flags, &destination,
		       gateway_text ? &gateway : NULL, index, 0);
	r = lcx__nl_exchange(nl, &batch, NULL, NULL, NULL);
	if (r < 0)
		return lcx__nl_fail(nl, err, -r, "%s route to %s", what, destination_text);
	return 0;
}

LCX_PUBLIC int lcx_route_add(struct lcx_netlink *nl, const char *destination, const char *gateway,
			     uint32_t index, struct lcx_error **err)
{
	return change_route(nl, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, destination, gateway,
			    index, "add", err);
}

LCX_PUBLIC int lcx_route_replace(struct lcx_netlink *nl, const char *destination,
				 const char *gateway, uint32_t index, struct lcx_error **err)
{
	return change_route(nl, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, destination, gateway,
			    index, "replace", err);
}

LCX_PUBLIC int lcx_route_remove(struct lcx_netlink *nl, const char *destination,
				const char *gateway, uint32_t index, struct lcx_error **err)
{
	return change_route(nl, RTM_DELROUTE, 0, destination, gateway, index, "remove", err);
}

struct lcx_route_list {
	struct lcx__route_entry *entries;
	size_t count, size, next;
	char destination[LCX__INET_SIZE], gateway[LCX__INET_SIZE];
};

static bool read_bytes(const struct nlattr *attr, uint8_t family, struct lcx__inet *ret)
{
	ret->family = family;
	if (mnl_attr_get_payload_len(attr) != lcx__inet_length(ret))
		return false;
	memcpy(ret->bytes, mnl_attr_get_payload(attr), lcx__inet_length(ret));
	return true;
}

static uint32_t read_u32(const struct nlattr *attr)
{
	return mnl_attr_get_payload_len(attr) == sizeof(uint32_t) ? mnl_attr_get_u32(attr) : 0;
}

/* Of the routes of the main table, those that claim addresses for others than this host itself. */
int lcx__nl_parse_route(const struct nlmsghdr *nlh, struct lcx__route_entry *ret)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	struct lcx__route_entry entry = {0};
	const struct nlattr *attr;
	uint32_t table;

	if (nlh->nlmsg_type != RTM_NEWROUTE || mnl_nlmsg_get_payload_len(nlh) < sizeof(*rtm))
		return -EBADMSG;
	if ((rtm->rtm_family != AF_INET && rtm->rtm_family != AF_INET6) ||
	    (rtm->rtm_flags & RTM_F_CLONED))
		return 0;
	table = rtm->rtm_table;
	entry.destination.family = rtm->rtm_family;
	entry.destination.prefix = rtm->rtm_dst_len;
	if (rtm->rtm_dst_len > lcx__inet_length(&entry.destination) * 8)
		return -EBADMSG;

	mnl_attr_for_each (attr, nlh, sizeof(*rtm)) {
		switch (mnl_attr_get_type(attr)) {
		case RTA_DST:
			if (!read_bytes(attr, rtm->rtm_family, &entry.destination))
				return -EBADMSG;
			break;
		case RTA_GATEWAY:
			if (!read_bytes(attr, rtm->rtm_family, &entry.gateway))
				return -EBADMSG;
			break;
		case RTA_OIF:
			entry.index = read_u32(attr);
			break;
		case RTA_PRIORITY:
			entry.priority = read_u32(attr);
			break;
		case RTA_TABLE:
			table = read_u32(attr);
			break;
		}
	}
	*ret = entry;
	return table == RT_TABLE_MAIN;
}

static int answer(const struct nlmsghdr *nlh, void *data)
{
	struct lcx_route_list *list = data;
	struct lcx__route_entry entry;
	int r;

	if (!nlh) {
		list->count = 0;
		return 0;
	}
	r = lcx__nl_parse_route(nlh, &entry);
	if (r <= 0)
		return r;
	if (list->count == list->size) {
		size_t size = list->size ? list->size * 2 : 16;
		struct lcx__route_entry *entries =
			reallocarray(list->entries, size, sizeof(*entries));

		if (!entries)
			return -ENOMEM;
		list->entries = entries;
		list->size = size;
	}
	list->entries[list->count++] = entry;
	return 0;
}

/* The preferred one of several default routes comes first. */
static int compare(const void *a, const void *b)
{
	const struct lcx__route_entry *x = a, *y = b;

	return (x->priority > y->priority) - (x->priority < y->priority);
}

LCX_PUBLIC int lcx_route_list_open(struct lcx_netlink *nl, struct lcx_route_list **ret,
				   struct lcx_error **err)
{
	CLEANUP(lcx_route_list_freep) struct lcx_route_list *list = calloc(1, sizeof(*list));
	CLEANUP(lcx__nl_batch_free) struct lcx__nl_batch batch = NL_BATCH_EMPTY;
	struct rtmsg rtm = {0};
	int r;

	if (!list)
		return lcx__fail_nomem(err);
	lcx__nl_begin(&batch, RTM_GETROUTE, NLM_F_REQUEST | NLM_F_DUMP, &rtm, sizeof(rtm));
	r = lcx__nl_exchange(nl, &batch, answer, list, NULL);
	if (r < 0)
		return lcx__nl_fail(nl, err, -r, "list routes");
	if (list->count > 1)
		qsort(list->entries, list->count, sizeof(*list->entries), compare);
	*ret = TAKE_PTR(list);
	return 0;
}

LCX_PUBLIC bool lcx_route_list_next(struct lcx_route_list *list)
{
	const struct lcx__route_entry *entry;

	if (list->next >= list->count)
		return false;
	entry = &list->entries[list->next++];
	lcx__inet_format(&entry->destination, list->destination);
	list->gateway[0] = '\0';
	if (entry->gateway.family != 0)
		lcx__inet_format_address(&entry->gateway, list->gateway);
	return true;
}

LCX_PUBLIC const char *lcx_route_list_destination(const struct lcx_route_list *list)
{
	return list->destination;
}

LCX_PUBLIC const char *lcx_route_list_gateway(const struct lcx_route_list *list)
{
	return list->gateway;
}

LCX_PUBLIC uint32_t lcx_route_list_index(const struct lcx_route_list *list)
{
	return list->next > 0 ? list->entries[list->next - 1].index : 0;
}

LCX_PUBLIC struct lcx_route_list *lcx_route_list_free(struct lcx_route_list *list)
{
	if (!list)
		return NULL;
	free(list->entries);
	free(list);
	return NULL;
}
