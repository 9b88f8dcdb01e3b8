/* SPDX-License-Identifier: MIT */

/* Looking at interfaces. */
#include <libmnl/libmnl.h>
#include <string.h>

#include "netlink/link-internal.h"

#ifndef RTEXT_FILTER_SKIP_STATS
#define RTEXT_FILTER_SKIP_STATS (1 << 3)
#endif

/* Strings of the kernel's end with a NUL inside the attribute; that is not taken for granted. */
static void copy_text(const struct nlattr *attr, char *text, size_t size)
{
	size_t length = strnlen(mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr));

	if (length >= size)
		length = size - 1;
	memcpy(text, mnl_attr_get_payload(attr), length);
	text[length] = '\0';
}

static void copy_u32(const struct nlattr *attr, uint32_t *value)
{
	if (mnl_attr_get_payload_len(attr) == sizeof(*value))
		memcpy(value, mnl_attr_get_payload(attr), sizeof(*value));
}

static void copy_mac(const struct nlattr *attr, char *text, size_t size)
{
	const uint8_t *mac = mnl_attr_get_payload(attr);

	if (mnl_attr_get_payload_len(attr) == LINK_MAC_SIZE)
		(void)snprintf(text, size, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
			       mac[3], mac[4], mac[5]);
}

static void copy_kind(const struct nlattr *info, struct lcx_link *link)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, info) if (mnl_attr_get_type(attr) == IFLA_INFO_KIND)
		copy_text(attr, link->kind, sizeof(link->kind));
}

static void copy_attr(const struct nlattr *attr, struct lcx_link *link)
{
	switch (mnl_attr_get_type(attr)) {
	case IFLA_IFNAME:
		copy_text(attr, link->name, sizeof(link->name));
		break;
	case IFLA_IFALIAS:
		copy_text(attr, link->alias, sizeof(link->alias));
		break;
	case IFLA_MTU:
		copy_u32(attr, &link->mtu);
		break;
	case IFLA_MASTER:
		copy_u32(attr, &link->master);
		break;
	case IFLA_ADDRESS:
		copy_mac(attr, link->mac, sizeof(link->mac));
		break;
	case IFLA_LINKINFO:
		copy_kind(attr, link);
		break;
	}
}

int lcx__link_parse(const struct nlmsghdr *nlh, struct lcx_link *ret)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	struct lcx_link link = {0};
	const struct nlattr *attr;

	if (nlh->nlmsg_type != RTM_NEWLINK || mnl_nlmsg_get_payload_len(nlh) < sizeof(*ifi))
		return -EBADMSG;
	link.index = (uint32_t)ifi->ifi_index;
	link.flags = ifi->ifi_flags;
	mnl_attr_for_each (attr, nlh, sizeof(*ifi))
		copy_attr(attr, &link);
	if (link.index == 0 || link.name[0] == '\0')
		return -EBADMSG;
	*ret = link;
	return 0;
}

static int answer_one(const struct nlmsghdr *nlh, void *data)
{
	return nlh ? lcx__link_parse(nlh, data) : 0;
}

/* What stands in @batch already goes before it, with the same send. */
static int get_link(struct lcx_netlink *nl, struct lcx__nl_batch *batch, const char *name,
		    uint32_t index, struct lcx_link *ret)
{
	struct ifinfomsg ifi = {.ifi_index = (int)index};
	struct lcx_link link = {0};
	int r;

	lcx__nl_begin(batch, RTM_GETLINK, NLM_F_REQUEST, &ifi, sizeof(ifi));
	if (name)
		lcx__nl_put_str(batch, IFLA_IFNAME, name);
	lcx__nl_put_u32(batch, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	r = lcx__nl_exchange(nl, batch, answer_one, &link, NULL);
	if (r < 0)
		return r;
	if (link.index == 0)
		return -EIO;
	*ret = link;
	return 0;
}

static int open_link(struct lcx_netlink *nl, struct lcx__nl_batch *batch, const char *name,
		     uint32_t index, struct lcx_link **ret)
{
	CLEANUP(lcx_link_freep) struct lcx_link *link = malloc(sizeof(*link));
	int r;

	if (!link)
		return -ENOMEM;
	r = get_link(nl, batch, name, index, link);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(link);
	return 0;
}

LCX_PUBLIC int lcx_link_open(struct lcx_netlink *nl, const char *name, struct lcx_link **ret,
			     struct lcx_error **err)
{
	CLEANUP(lcx__nl_batch_free) struct lcx__nl_batch batch = NL_BATCH_EMPTY;
	int r;

	if (!lcx__link_name_is_valid(name))
		return lcx__fail(err, EINVAL, "'%s' cannot name an interface", name);
	r = open_link(nl, &batch, name, 0, ret);
	return r < 0 ? lcx__nl_fail(nl, err, -r, "look up interface '%s'", name) : 0;
}

int lcx__link_change_and_open(struct lcx_netlink *nl, const char *name,
			      const struct lcx__link_change *change, struct lcx_link **ret,
			      struct lcx_error **err)
{
	CLEANUP(lcx__nl_batch_free) struct lcx__nl_batch batch = NL_BATCH_EMPTY;
	int r;

	lcx__link_put_change(&batch, name, 0, change);
	r = open_link(nl, &batch, name, 0, ret);
	return r < 0 ? lcx__nl_fail(nl, err, -r, "change and look up interface '%s'", name) : 0;
}

LCX_PUBLIC int lcx_link_open_index(struct lcx_netlink *nl, uint32_t index, struct lcx_link **ret,
				   struct lcx_error **err)
{
	CLEANUP(lcx__nl_batch_free) struct lcx__nl_batch batch = NL_BATCH_EMPTY;
	int r;

	if (index == 0 || index > INT32_MAX)
		return lcx__fail(err, EINVAL, "%u cannot be an interface's index", index);
	r = open_link(nl, &batch, NULL, index, ret);
	return r < 0 ? lcx__nl_fail(nl, err, -r, "look up interface %u", index) : 0;
}

void lcx__link_describe(struct lcx_netlink *nl, uint32_t index, char name[static 16])
{
	CLEANUP(lcx__nl_batch_free) struct lcx__nl_batch batch = NL_BATCH_EMPTY;
	struct lcx_link link;
	int r = get_link(nl, &batch, NULL, index, &link);

	(void)snprintf(name, 16, "%s", r == 0 ? link.name : "?");
}

LCX_PUBLIC uint32_t lcx_link_index(const struct lcx_link *link)
{
	return link->index;
}

LCX_PUBLIC const char *lcx_link_name(const struct lcx_link *link)
{
	return link->name;
}

LCX_PUBLIC const char *lcx_link_kind(const struct lcx_link *link)
{
	return link->kind;
}

LCX_PUBLIC const char *lcx_link_alias(const struct lcx_link *link)
{
	return link->alias;
}

LCX_PUBLIC const char *lcx_link_mac(const struct lcx_link *link)
{
	return link->mac;
}

LCX_PUBLIC uint32_t lcx_link_mtu(const struct lcx_link *link)
{
	return link->mtu;
}

LCX_PUBLIC uint32_t lcx_link_master(const struct lcx_link *link)
{
	return link->master;
}

LCX_PUBLIC uint32_t lcx_link_flags(const struct lcx_link *link)
{
	return link->flags;
}

LCX_PUBLIC struct lcx_link *lcx_link_free(struct lcx_link *link)
{
	free(link);
	return NULL;
}

struct lcx_link_list {
	struct lcx_link *links;
	size_t count, size, next;
	uint32_t master;
};

static int answer_list(const struct nlmsghdr *nlh, void *data)
{
	struct lcx_link_list *list = data;
	struct lcx_link link;
	int r;

	if (!nlh) {
		list->count = 0;
		return 0;
	}
	r = lcx__link_parse(nlh, &link);
	if (r < 0)
		return r;
	/* The kernel filters by master, too; older ones without strict checking may not. */
	if (list->master != 0 && link.master != list->master)
		return 0;
	if (list->count == list->size) {
		size_t size = list->size ? list->size * 2 : 16;
		struct lcx_link *links = reallocarray(list->links, size, sizeof(*links));

		if (!links)
			return -ENOMEM;
		list->links = links;
		list->size = size;
	}
	list->links[list->count++] = link;
	return 0;
}

LCX_PUBLIC int lcx_link_list_open(struct lcx_netlink *nl, uint32_t master,
				  struct lcx_link_list **ret, struct lcx_error **err)
{
	CLEANUP(lcx_link_list_freep) struct lcx_link_list *list = calloc(1, sizeof(*list));
	CLEANUP(lcx__nl_batch_free) struct lcx__nl_batch batch = NL_BATCH_EMPTY;
	struct ifinfomsg ifi = {0};
	int r;

	if (!list)
		return lcx__fail_nomem(err);
	list->master = master;
	lcx__nl_begin(&batch, RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, &ifi, sizeof(ifi));
	lcx__nl_put_u32(&batch, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	if (master != 0)
		lcx__nl_put_u32(&batch, IFLA_MASTER, master);
	r = lcx__nl_exchange(nl, &batch, answer_list, list, NULL);
	if (r < 0)
		return lcx__nl_fail(nl, err, -r, "list interfaces");
	*ret = TAKE_PTR(list);
	return 0;
}

LCX_PUBLIC const struct lcx_link *lcx_link_list_next(struct lcx_link_list *list)
{
	return list->next < list->count ? &list->links[list->next++] : NULL;
}

LCX_PUBLIC struct lcx_link_list *lcx_link_list_free(struct lcx_link_list *list)
{
	if (!list)
		return NULL;
	free(list->links);
	free(list);
	return NULL;
}
