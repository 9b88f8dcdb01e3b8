/* SPDX-License-Identifier: MIT */

/*
 * Taking down, in the reverse order of attach.c, from any process and without the
 * container's namespace. The address is given back only when the host's end of the
 * cable is gone, so that no two containers ever answer for it; the record goes
 * after that, and so a step that failed is repeated by the next call.
 */
#include <linux/rtnetlink.h>
#include <string.h>

#include "net/announce.h"
#include "net/driver.h"
#include "net/firewall-internal.h"
#include "netlink/conntrack.h"
#include "netlink/remove.h"

/* The interface, if it is there and has this mark. 1, 0, or a negative errno. */
static int find_marked(struct lcx_netlink *nl, const char *name, const char *mark,
		       uint32_t *ret_index, struct lcx_error **err)
{
	CLEANUP(lcx_error_freep) struct lcx_error *e = NULL;
	CLEANUP(lcx_link_freep) struct lcx_link *link = NULL;
	int r = lcx_link_open(nl, name, &link, &e);

	if (r == -ENODEV)
		return 0;
	if (r < 0)
		return lcx__fail(err, -r, "%s", lcx_error_message(e));
	*ret_index = lcx_link_index(link);
	return strcmp(lcx_link_alias(link), mark) == 0;
}

/* Those of @names that are there and @owner's. Their number or a negative errno. */
static int find_named(struct lcx_ctx *ctx, struct lcx_netlink *nl, const char *const *names,
		      size_t count, const char *owner,
		      struct lcx__link_place places[static LCX__REMOVE_LIMIT],
		      struct lcx_error **err)
{
	char mark[NET_MARK_SIZE];
	int n = 0;

	lcx__net_mark(ctx, owner, mark);
	for (size_t i = 0; i < count && i < LCX__REMOVE_LIMIT; i++) {
		int r = find_marked(nl, names[i], mark, &places[n].index, err);

		if (r < 0)
			return r;
		places[n].netns_number = LCX__NETNS_OWN;
		n += r;
	}
	return n;
}

/*
 * It need not wait for a namespace that ends and takes its end of the cable along: the kernel takes
 * longer for that than for this, and somebody may hold the namespace.
 */
static int undo_named(struct lcx_ctx *ctx, struct lcx_netlink *nl, const char *const *names,
		      size_t count, const char *owner, struct lcx_error **err)
{
	struct lcx__link_place places[LCX__REMOVE_LIMIT];
	int n = find_named(ctx, nl, names, count, owner, places, err);

	return n > 0 ? lcx__links_remove(nl, places, (size_t)n, err) : n;
}

static int undo_link(struct lcx_ctx *ctx, struct lcx_netlink *nl, const char *name,
		     const char *owner, struct lcx_error **err)
{
	return undo_named(ctx, nl, &name, 1, owner, err);
}

int lcx__network_undo_link(struct lcx_ctx *ctx, const char *host_interface, const char *owner,
			   struct lcx_error **err)
{
	CLEANUP(lcx_netlink_freep) struct lcx_netlink *nl = NULL;
	int r = lcx_netlink_open(&nl, err);

	return r < 0 ? r : undo_link(ctx, nl, host_interface, owner, err);
}

/* Without a record: what has the owner's mark on this bridge. */
static int undo_marked_links(struct lcx_ctx *ctx, struct lcx_netlink *nl,
			     const struct lcx_network *network, const char *owner,
			     struct lcx_error **err)
{
	CLEANUP(lcx_link_list_freep) struct lcx_link_list *links = NULL;
	CLEANUP(lcx_link_freep) struct lcx_link *bridge = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *e = NULL;
	const struct lcx_link *link;
	char mark[NET_MARK_SIZE];
	int r = 0;

	lcx__net_mark(ctx, owner, mark);
	if (network->bridge[0] == '\0' || lcx_link_open(nl, network->bridge, &bridge, &e) < 0)
		return 0;
	r = lcx_link_list_open(nl, lcx_link_index(bridge), &links, err);
	while (r == 0 && (link = lcx_link_list_next(links)))
		if (strcmp(lcx_link_alias(link), mark) == 0)
			r = undo_link(ctx, nl, lcx_link_name(link), owner, err);
	return r;
}

static int undo_ports_of(struct lcx_ctx *ctx, struct lcx_netlink **nft, const char *owner,
			 struct lcx_error **err)
{
	char comment[NET_MARK_SIZE];

	lcx__net_comment(ctx, owner, comment);
	return lcx__firewall_remove_ports(nft, comment, NULL, 0, err);
}

int lcx__network_undo_ports(struct lcx_ctx *ctx, const char *owner, struct lcx_error **err)
{
	CLEANUP(lcx_netlink_freep) struct lcx_netlink *nft = NULL;

	return undo_ports_of(ctx, &nft, owner, err);
}

int lcx__network_undo_lease(struct lcx_ctx *ctx, const char *network, const char *owner,
			    struct lcx_error **err)
{
	return lcx__pools_release(ctx, network, owner, err);
}

/* With the lock: no new attachment comes while we look whether this was the last. */
static int remove_last(struct lcx_ctx *ctx, struct lcx_netlink *nl, struct lcx_netlink **nft,
		       const struct lcx_network *network, struct lcx_error **err)
{
	CLEANUP(closep) int records_fd = lcx__net_records_lock(ctx, network->name, err);
	int r;

	if (records_fd < 0)
		return records_fd;
	r = lcx__net_has_names(records_fd);
	if (r < 0)
		return lcx__fail_sys(err, -r, "list attachments");
	return r > 0 ? 0 : lcx__driver_of(network)->remove(ctx, nl, nft, network, err);
}

/* The device of its rate does not end by itself. */
static int undo_cable(struct lcx_ctx *ctx, struct lcx_netlink *nl,
		      const struct lcx_attachment *record, const char *owner,
		      struct lcx_error **err)
{
	char device[IFNAMSIZ];
	const char *names[] = {record->host_interface, device};
	int r;

	lcx__shape_device(record, device);
	r = undo_named(ctx, nl, names, record->egress_bits != 0 ? 2 : 1, owner, err);
	if (r == 0)
		lcx__announce_heir(nl, record);
	return r;
}

static int undo_links(struct lcx_ctx *ctx, struct lcx_netlink *nl,
		      const struct lcx_network *network, const struct lcx_attachment *record,
		      const char *owner, struct lcx_error **err)
{
	if (record && lcx__branch_is(record))
		return lcx__branch_undo(nl, record, err);
	if (record)
		return undo_cable(ctx, nl, record, owner, err);
	return network ? undo_marked_links(ctx, nl, network, owner, err) : 0;
}

/*
 * Flows of UDP that were led to the container: they know no end, and would go on to
 * whoever has the address next. Those of TCP end with it.
 */
static int forget_flows(struct lcx_netlink **nft, const struct lcx_attachment *record,
			struct lcx_error **err)
{
	bool has_udp = false;
	int r = 0;

	for (size_t i = 0; i < record->port_count; i++)
		has_udp = has_udp || record->ports[i].protocol == PORT_UDP;
	if (has_udp)
		r = lcx__firewall_ensure_open(nft, err);
	for (size_t i = 0; has_udp && i < NET_FAMILIES && r == 0; i++) {
		struct lcx__inet address;

		if (lcx__inet_parse_address(record->addresses[i].address, &address) == 0)
			r = lcx__conntrack_forget(*nft, &address, IPPROTO_UDP, err);
	}
	return r;
}

/* The mark on a port does not tell by which network it is published. */
static bool is_attached_elsewhere(struct lcx_ctx *ctx, const char *network, const char *owner)
{
	CLEANUP(lcx__strv_freep) char **networks = NULL;
	bool found = false;

	if (lcx__network_list_of(ctx, owner, &networks) < 0)
		return false;
	for (size_t i = 0; networks[i] && !found; i++)
		found = strcmp(networks[i], network) != 0;
	return found;
}

static int undo_ports(struct lcx_ctx *ctx, struct lcx_netlink **nft,
		      const struct lcx_attachment *record, const char *network, const char *owner,
		      struct lcx_error **err)
{
	char comment[NET_MARK_SIZE];

	if (!record)
		return is_attached_elsewhere(ctx, network, owner)
			       ? 0
			       : undo_ports_of(ctx, nft, owner, err);
	lcx__net_comment(ctx, owner, comment);
	return record->port_count > 0 ? lcx__firewall_remove_ports(nft, comment, record->ports,
								   record->port_count, err)
				      : 0;
}

/* @network is NULL when it is gone from the disk; the record then names the bridge. */
static void take_down(struct lcx_ctx *ctx, struct lcx_netlink *nl,
		      const struct lcx_network *network, const char *name, const char *owner,
		      int records_fd, const struct lcx_attachment *record,
		      struct lcx__troubles *troubles)
{
	CLEANUP(lcx_netlink_freep) struct lcx_netlink *nft = lcx__firewall_take(ctx);
	struct lcx_error *e = NULL;
	int r;

	r = undo_ports(ctx, &nft, record, name, owner, &e);
	lcx__troubles_add(troubles, r, &e);
	r = record ? forget_flows(&nft, record, &e) : 0;
	lcx__troubles_add(troubles, r, &e);

	r = undo_links(ctx, nl, network, record, owner, &e);
	lcx__troubles_add(troubles, r, &e);
	if (r == 0) {
		r = lcx__network_undo_lease(ctx, name, owner, &e);
		lcx__troubles_add(troubles, r, &e);
	}
	if (troubles->result == 0 && records_fd >= 0) {
		r = lcx__record_remove(records_fd, owner, &e);
		lcx__troubles_add(troubles, r, &e);
	}
	if (network) {
		r = remove_last(ctx, nl, &nft, network, &e);
		lcx__troubles_add(troubles, r, &e);
	}
	lcx__firewall_keep(ctx, &nft, true);
}

/* What the disk says of a network and an attachment; both may be missing. */
static int read_both(struct lcx_ctx *ctx, const char *name, const char *owner, int *ret_records_fd,
		     struct lcx_network **ret_network, struct lcx_attachment **ret_record,
		     struct lcx_error **err)
{
	CLEANUP(closep) int networks_fd = lcx__net_networks_dir(ctx, err), records_fd = -1;
	int r;

	if (networks_fd < 0)
		return networks_fd;
	r = lcx__network_read(networks_fd, name, ret_network, err);
	if (r < 0 && r != -ENOENT)
		return r;
	records_fd = lcx__net_records_dir(ctx, name, err);
	if (records_fd < 0)
		return records_fd == -ENOENT ? 0 : records_fd;
	/* A damaged record is as good as none: there are the marks. */
	(void)lcx__record_read(records_fd, owner, ret_record, NULL);
	*ret_records_fd = TAKE_FD(records_fd);
	return 0;
}

void lcx__network_begin_detach(struct lcx_ctx *ctx, const char *network, const char *owner)
{
	CLEANUP(lcx_attachment_freep) struct lcx_attachment *record = NULL;
	CLEANUP(lcx_network_freep) struct lcx_network *stored = NULL;
	CLEANUP(lcx_netlink_freep) struct lcx_netlink *nl = NULL;
	struct lcx__link_place places[LCX__REMOVE_LIMIT];
	CLEANUP(closep) int records_fd = -1;
	const char *name;
	int n;

	if (!lcx__name_is_valid(network) || !lcx__name_is_valid(owner) ||
	    read_both(ctx, network, owner, &records_fd, &stored, &record, NULL) < 0 || !record ||
	    lcx__branch_is(record) || lcx_netlink_open(&nl, NULL) < 0)
		return;
	name = record->host_interface;
	n = find_named(ctx, nl, &name, 1, owner, places, NULL);
	if (n > 0)
		lcx__links_begin_removal(places, (size_t)n);
}

LCX_PUBLIC int lcx_network_detach(struct lcx_ctx *ctx, const char *network, const char *owner,
				  struct lcx_error **err)
{
	CLEANUP(lcx_network_freep) struct lcx_network *stored = NULL;
	CLEANUP(lcx_attachment_freep) struct lcx_attachment *record = NULL;
	CLEANUP(lcx_netlink_freep) struct lcx_netlink *nl = NULL;
	struct lcx__troubles troubles = TROUBLES_NONE;
	CLEANUP(closep) int records_fd = -1;
	int r;

	if (!lcx__name_is_valid(network) || !lcx__name_is_valid(owner))
		return lcx__fail(err, EINVAL, "'%s' in '%s' cannot name an attachment", owner,
				 network);
	r = read_both(ctx, network, owner, &records_fd, &stored, &record, err);
	if (r == 0)
		r = lcx_netlink_open(&nl, err);
	if (r < 0)
		return r;
	take_down(ctx, nl, stored, network, owner, records_fd, record, &troubles);
	r = lcx__troubles_end(&troubles, err);
	return lcx__fail_prefix(err, r, "detach '%s' from network '%s'", owner, network);
}
