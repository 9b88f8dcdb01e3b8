/* SPDX-License-Identifier: MIT */
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "netlink/entry.h"
#include "netlink/inet.h"
#include "netlink/netlink.h"

void lcx__address_put(struct lcx__nl_batch *batch, uint16_t type, uint16_t flags, uint32_t index,
		      const struct lcx__inet *address)
{
	struct ifaddrmsg ifa = {
		.ifa_family = address->family,
		.ifa_prefixlen = address->prefix,
		.ifa_index = index,
		.ifa_flags = address->family == AF_INET6 ? IFA_F_NODAD : 0,
	};
	struct lcx__inet broadcast = *address;

	lcx__nl_begin(batch, type, flags, &ifa, sizeof(ifa));
	lcx__nl_put(batch, IFA_LOCAL, address->bytes, lcx__inet_length(address));
	lcx__nl_put(batch, IFA_ADDRESS, address->bytes, lcx__inet_length(address));
	if (address->family == AF_INET && address->prefix < 31 && type == RTM_NEWADDR) {
		for (unsigned int bit = address->prefix; bit < 32; bit++)
			broadcast.bytes[bit / 8] |= (uint8_t)(0x80u >> (bit % 8));
		lcx__nl_put(batch, IFA_BROADCAST, broadcast.bytes, 4);
	}
}

static int change_address(struct lcx_netlink *nl, uint16_t type, uint16_t flags, uint32_t index,
			  const char *text, const char *what, struct lcx_error **err)
{
	CLEANUP(lcx__nl_batch_free) struct lcx__nl_batch batch = NL_BATCH_EMPTY;
	struct lcx__inet address;
	char name[16];
	int r;

	if (lcx__inet_parse(text, &address) < 0)
		return lcx__fail(
			err, EINVAL,
			"'%s' is not an address with its prefix length, as 10.88.0.1/16 is", text);
	lcx__address_put(&batch, type, NLM_F_REQUEST | NLM_F_ACK | flags, index, &address);
	r = lcx__nl_exchange(nl, &batch, NULL, NULL, NULL);
	if (r == 0)
		return 0;
	(void)lcx__nl_fail(nl, err, -r, "%s address %s", what, text);
	lcx__link_describe(nl, index, name);
	return lcx__fail_prefix(err, r, "interface %u ('%s')", index, name);
}

LCX_PUBLIC int lcx_address_add(struct lcx_netlink *nl, uint32_t index, const char *address,
			       struct lcx_error **err)
{
	return change_address(nl, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, index, address, "add",
			      err);
}

LCX_PUBLIC int lcx_address_remove(struct lcx_netlink *nl, uint32_t index, const char *address,
				  struct lcx_error **err)
{
	return change_address(nl, RTM_DELADDR, 0, index, address, "remove", err);
}

struct lcx_address_list {
	struct lcx__address_entry *entries;
	size_t count, size, next;
	uint32_t index; /* filter */
	char text[LCX__INET_SIZE];
};

/* IFA_LOCAL is the interface's own; IFA_ADDRESS is the peer's on a point-to-point one, and the only
 * one of IPv6. */
int lcx__nl_parse_address(const struct nlmsghdr *nlh, struct lcx__address_entry *ret)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	struct lcx__address_entry entry = {0};
	const struct nlattr *attr;
	bool found = false;

	if (nlh->nlmsg_type != RTM_NEWADDR || mnl_nlmsg_get_payload_len(nlh) < sizeof(*ifa))
		return -EBADMSG;
	if (ifa->ifa_family != AF_INET && ifa->ifa_family != AF_INET6)
		return 0;
	entry.index = ifa->ifa_index;
	entry.address.family = ifa->ifa_family;
	entry.address.prefix = ifa->ifa_prefixlen;
	if (ifa->ifa_prefixlen > lcx__inet_length(&entry.address) * 8)
		return -EBADMSG;

	mnl_attr_for_each (attr, nlh, sizeof(*ifa)) {
		uint16_t type = mnl_attr_get_type(attr);

		if (type != IFA_LOCAL && (type != IFA_ADDRESS || found))
			continue;
		if (mnl_attr_get_payload_len(attr) != lcx__inet_length(&entry.address))
			return -EBADMSG;
		memcpy(entry.address.bytes, mnl_attr_get_payload(attr),
		       mnl_attr_get_payload_len(attr));
		found = type == IFA_LOCAL;
	}
	*ret = entry;
	return 1;
}

static int answer(const struct nlmsghdr *nlh, void *data)
{
	struct lcx_address_list *list = data;
	struct lcx__address_entry entry;
	int r;

	if (!nlh) {
		list->count = 0;
		return 0;
	}
	r = lcx__nl_parse_address(nlh, &entry);
	if (r <= 0)
		return r;
	if (list->index != 0 && entry.index != list->index)
		return 0;
	if (list->count == list->size) {
		size_t size = list->size ? list->size * 2 : 16;
		struct lcx__address_entry *entries =
			reallocarray(list->entries, size, sizeof(*entries));

		if (!entries)
			return -ENOMEM;
		list->entries = entries;
		list->size = size;
	}
	list->entries[list->count++] = entry;
	return 0;
}

LCX_PUBLIC int lcx_address_list_open(struct lcx_netlink *nl, uint32_t index,
				     struct lcx_address_list **ret, struct lcx_error **err)
{
	CLEANUP(lcx_address_list_freep) struct lcx_address_list *list = calloc(1, sizeof(*list));
	CLEANUP(lcx__nl_batch_free) struct lcx__nl_batch batch = NL_BATCH_EMPTY;
	struct ifaddrmsg ifa = {.ifa_index = index};
	int r;

	if (!list)
		return lcx__fail_nomem(err);
	list->index = index;
	lcx__nl_begin(&batch, RTM_GETADDR, NLM_F_REQUEST | NLM_F_DUMP, &ifa, sizeof(ifa));
	r = lcx__nl_exchange(nl, &batch, answer, list, NULL);
	if (r < 0)
		return lcx__nl_fail(nl, err, -r, "list addresses");
	*ret = TAKE_PTR(list);
	return 0;
}

LCX_PUBLIC bool lcx_address_list_next(struct lcx_address_list *list)
{
	if (list->next >= list->count)
		return false;
	lcx__inet_format(&list->entries[list->next++].address, list->text);
	return true;
}

LCX_PUBLIC const char *lcx_address_list_text(const struct lcx_address_list *list)
{
	return list->text;
}

LCX_PUBLIC uint32_t lcx_address_list_index(const struct lcx_address_list *list)
{
	return list->next > 0 ? list->entries[list->next - 1].index : 0;
}

LCX_PUBLIC struct lcx_address_list *lcx_address_list_free(struct lcx_address_list *list)
{
	if (!list)
		return NULL;
	free(list->entries);
	free(list);
	return NULL;
}
