/* SPDX-License-Identifier: MIT */

/*
 * The kernel moves an interface by one message and empties it: addresses are gone, and it is
 * down. So what it was like is written down first, and given back to it on each side.
 *
 * Inside, it is known by its index, which a container cannot change; before that was written down,
 * by its name there. Giving back may be repeated from its beginning: what is there is replaced.
 */
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "net/json.h"
#include "net/lent.h"
#include "net/net-internal.h"
#include "ns/ns.h"
#include "util/fs.h"

#include "lcx/ns.h"

enum { ACKED = NLM_F_REQUEST | NLM_F_ACK, FILE_SIZE = IFNAMSIZ + 16 };

struct lent {
	char host_name[IFNAMSIZ], name[IFNAMSIZ], mac[NET_MAC_SIZE];
	uint32_t index, mtu; /* index: inside, 0 before it is there */
	bool up;
	char **addresses;
};

static void lent_free(struct lent *lent)
{
	(void)lcx__strv_free(lent->addresses);
}

static void file_name(const char *host_name, char file[static FILE_SIZE])
{
	(void)snprintf(file, FILE_SIZE, "lent-%s.json", host_name);
}

/* ---- the record ---- */

static int record_write(int dir_fd, const struct lent *lent, struct lcx_error **err)
{
	CLEANUP(net_json_putp) struct json_object *object = json_object_new_object();
	struct json_object *addresses = json_object_new_array();
	bool failed = !object;
	char file[FILE_SIZE];

	for (char **address = lent->addresses; addresses && address && *address; address++)
		lcx__net_json_append(&addresses, json_object_new_string(*address));
	lcx__net_json_add_text(object, "host_name", lent->host_name, &failed);
	lcx__net_json_add_text(object, "name", lent->name, &failed);
	lcx__net_json_add_text(object, "mac", lent->mac, &failed);
	lcx__net_json_add(object, "index", json_object_new_int64(lent->index), &failed);
	lcx__net_json_add(object, "mtu", json_object_new_int64(lent->mtu), &failed);
	lcx__net_json_add(object, "up", json_object_new_boolean(lent->up), &failed);
	lcx__net_json_add(object, "addresses", addresses, &failed);
	if (failed)
		return lcx__fail_nomem(err);
	file_name(lent->host_name, file);
	return lcx__net_json_write(dir_fd, file, object, false, err);
}

static bool from_json(struct json_object *object, struct lent *lent)
{
	struct json_object *addresses;

	if (!lcx__net_json_text(object, "host_name", lent->host_name, sizeof(lent->host_name)) ||
	    !lcx__net_json_text(object, "name", lent->name, sizeof(lent->name)) ||
	    !lcx__net_json_text(object, "mac", lent->mac, sizeof(lent->mac)) ||
	    !lcx__net_json_u32(object, "index", INT32_MAX, &lent->index) ||
	    !lcx__net_json_u32(object, "mtu", UINT32_MAX, &lent->mtu) ||
	    !lcx__net_json_bool(object, "up", &lent->up) ||
	    !json_object_object_get_ex(object, "addresses", &addresses) ||
	    !json_object_is_type(addresses, json_type_array))
		return false;
	for (size_t i = 0; i < json_object_array_length(addresses); i++) {
		struct json_object *item = json_object_array_get_idx(addresses, i);
		struct lcx__inet inet;

		if (!json_object_is_type(item, json_type_string) ||
		    lcx__inet_parse(json_object_get_string(item), &inet) < 0 ||
		    lcx__strv_append(&lent->addresses, json_object_get_string(item)) < 0)
			return false;
	}
	return lcx__link_name_is_valid(lent->host_name) && lcx__link_name_is_valid(lent->name);
}

static int record_read(int dir_fd, const char *host_name, struct lent *lent, struct lcx_error **err)
{
	CLEANUP(net_json_putp) struct json_object *object = NULL;
	char file[FILE_SIZE];
	int r;

	file_name(host_name, file);
	r = lcx__net_json_read(dir_fd, file, &object, err);
	if (r < 0)
		return r;
	if (!from_json(object, lent) || strcmp(lent->host_name, host_name) != 0)
		return lcx__fail(err, EUCLEAN, "the record of interface '%s' is damaged",
				 host_name);
	return 0;
}

/* ---- what it is like ---- */

/* What the kernel makes up by itself is made up again. */
static bool is_link_local(const char *address)
{
	struct lcx__inet own, inet;

	return lcx__inet_parse("fe80::/10", &own) == 0 && lcx__inet_parse(address, &inet) == 0 &&
	       lcx__inet_overlap(&own, &inet);
}

static int note_addresses(struct lcx_netlink *nl, uint32_t index, struct lent *lent,
			  struct lcx_error **err)
{
	CLEANUP(lcx_address_list_freep) struct lcx_address_list *list = NULL;
	int r = lcx_address_list_open(nl, index, &list, err);

	while (r == 0 && lcx_address_list_next(list))
		if (!is_link_local(lcx_address_list_text(list)) &&
		    lcx__strv_append(&lent->addresses, lcx_address_list_text(list)) < 0)
			return lcx__fail_nomem(err);
	return r;
}

static int note(struct lcx_netlink *nl, const char *host_name, const char *name, struct lent *lent,
		uint32_t *ret_index, struct lcx_error **err)
{
	CLEANUP(lcx_link_freep) struct lcx_link *link = NULL;
	int r = lcx_link_open(nl, host_name, &link, err);

	if (r < 0)
		return r;
	if (lcx_link_flags(link) & IFF_LOOPBACK || lcx_link_master(link) != 0 ||
	    strncmp(lcx_link_alias(link), "lcx:", 4) == 0)
		return lcx__fail(err, EBUSY,
				 "interface '%s' is %s: it cannot be lent to a container",
				 host_name,
				 lcx_link_flags(link) & IFF_LOOPBACK ? "the loopback"
				 : lcx_link_master(link) != 0        ? "part of a bridge"
								     : "one of a network's");
	(void)snprintf(lent->host_name, IFNAMSIZ, "%s", host_name);
	(void)snprintf(lent->name, IFNAMSIZ, "%s", name);
	(void)snprintf(lent->mac, NET_MAC_SIZE, "%s", lcx_link_mac(link));
	lent->mtu = lcx_link_mtu(link);
	lent->up = lcx_link_flags(link) & IFF_UP;
	*ret_index = lcx_link_index(link);
	return note_addresses(nl, *ret_index, lent, err);
}

/* On this side: as it was; inside, up in any case. */
static int furnish(struct lcx_netlink *nl, uint32_t index, const struct lent *lent, bool up,
		   struct lcx_error **err)
{
	CLEANUP(lcx__nl_batch_free) struct lcx__nl_batch batch = NL_BATCH_EMPTY;
	struct ifinfomsg ifi = {.ifi_index = (int)index, .ifi_change = IFF_UP};
	int r;

	ifi.ifi_flags = up ? IFF_UP : 0;
	lcx__nl_begin(&batch, RTM_NEWLINK, ACKED, &ifi, sizeof(ifi));
	lcx__nl_put_u32(&batch, IFLA_MTU, lent->mtu);
	for (char **address = lent->addresses; address && *address; address++) {
		struct lcx__inet inet;

		if (lcx__inet_parse(*address, &inet) == 0)
			lcx__address_put(&batch, RTM_NEWADDR, ACKED | NLM_F_CREATE | NLM_F_REPLACE,
					 index, &inet);
	}
	r = lcx__nl_exchange(nl, &batch, NULL, NULL, NULL);
	return r < 0 ? lcx__nl_fail(nl, err, -r, "set up '%s' as it was", lent->host_name) : 0;
}

static int move(struct lcx_netlink *nl, uint32_t index, int netns_fd, const char *name,
		struct lcx_error **err)
{
	CLEANUP(lcx__nl_batch_free) struct lcx__nl_batch batch = NL_BATCH_EMPTY;
	struct ifinfomsg ifi = {.ifi_index = (int)index};
	int r;

	/* The first one takes it down, for kernels that rename no interface that is up. */
	ifi.ifi_change = IFF_UP;
	lcx__nl_begin(&batch, RTM_NEWLINK, ACKED, &ifi, sizeof(ifi));
	ifi.ifi_change = 0;
	lcx__nl_begin(&batch, RTM_NEWLINK, ACKED, &ifi, sizeof(ifi));
	lcx__nl_put_u32(&batch, IFLA_NET_NS_FD, (uint32_t)netns_fd);
	lcx__nl_put_str(&batch, IFLA_IFNAME, name);
	r = lcx__nl_exchange(nl, &batch, NULL, NULL, NULL);
	return r < 0 ? lcx__nl_fail(nl, err, -r, "move it as '%s'", name) : 0;
}

bool lcx__interface_is_out(int dir_fd)
{
	CLEANUP(closedirp) DIR *dir = NULL;
	struct dirent *entry;
	int r = lcx__read_dir(dir_fd, ".", &dir);

	while (r == 0 && (entry = lcx__next_entry(dir))) {
		size_t length = strlen(entry->d_name);

		if (strncmp(entry->d_name, "lent-", 5) == 0 && length > 10 &&
		    strcmp(entry->d_name + length - 5, ".json") == 0)
			return true;
	}
	return r < 0;
}

/* ---- there ---- */

static int settle_inside(int dir_fd, struct lcx_netlink *inner, struct lent *lent,
			 struct lcx_error **err)
{
	CLEANUP(lcx_link_freep) struct lcx_link *link = NULL;
	int r = lcx_link_open(inner, lent->name, &link, err);

	if (r < 0)
		return r;
	lent->index = lcx_link_index(link);
	r = record_write(dir_fd, lent, err);
	return r < 0 ? r : furnish(inner, lent->index, lent, true, err);
}

int lcx__interface_lend(int dir_fd, const char *host_name, const char *name, int netns_fd,
			int netlink_fd, struct lcx_error **err)
{
	CLEANUP(lcx_netlink_freep) struct lcx_netlink *host = NULL, *inner = NULL;
	CLEANUP(lent_free) struct lent lent = {0};
	uint32_t index = 0;
	int r = lcx_netlink_open(&host, err);

	if (r == 0)
		r = lcx__netlink_borrow(netlink_fd, &inner, err);
	if (r == 0)
		r = note(host, host_name, name, &lent, &index, err);
	if (r == 0)
		r = record_write(dir_fd, &lent, err);
	if (r == 0)
		r = move(host, index, netns_fd, name, err);
	if (r == 0)
		r = settle_inside(dir_fd, inner, &lent, err);
	return lcx__fail_prefix(err, r, "interface '%s'", host_name);
}

/* ---- and back ---- */

/* The pinned namespace; -ENOENT, without words, when there is none: what is in no mount is a
 * crash's.
 */
static int open_pin(int dir_fd, struct lcx_error **err)
{
	CLEANUP(closep) int fd = openat(dir_fd, LCX__LENT_PIN, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? -ENOENT
				       : lcx__fail_sys(err, errno, "open the pinned namespace");
	return lcx_ns_kind_of(fd, NULL) == LCX_NS_NET ? TAKE_FD(fd) : -ENOENT;
}

static int find_inside(struct lcx_netlink *inner, const struct lent *lent, struct lcx_link **ret)
{
	return lent->index != 0 ? lcx_link_open_index(inner, lent->index, ret, NULL)
				: lcx_link_open(inner, lent->name, ret, NULL);
}

/* Its MAC address first, inside, where nobody else has it. */
static void restore_mac(struct lcx_netlink *nl, uint32_t index, const struct lent *lent)
{
	CLEANUP(lcx__nl_batch_free) struct lcx__nl_batch batch = NL_BATCH_EMPTY;
	struct ifinfomsg ifi = {.ifi_index = (int)index, .ifi_change = IFF_UP};
	uint8_t mac[6];

	if (sscanf(lent->mac, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx", &mac[0], &mac[1], &mac[2],
		   &mac[3], &mac[4], &mac[5]) != 6)
		return;
	lcx__nl_begin(&batch, RTM_NEWLINK, ACKED, &ifi, sizeof(ifi));
	lcx__nl_put(&batch, IFLA_ADDRESS, mac, sizeof(mac));
	(void)lcx__nl_exchange(nl, &batch, NULL, NULL, NULL);
}

static int fetch(int pin_fd, const struct lent *lent, struct lcx_error **err)
{
	CLEANUP(lcx_netlink_freep) struct lcx_netlink *inner = NULL;
	CLEANUP(lcx_link_freep) struct lcx_link *link = NULL;
	CLEANUP(closep) int own_fd = -1;
	int r = lcx_netlink_open_netns(pin_fd, &inner, err);

	if (r < 0)
		return r;
	r = find_inside(inner, lent, &link);
	if (r == -ENODEV)
		return 0;
	if (r < 0)
		return lcx__fail_sys(err, -r, "look for it inside");
	if (strcmp(lcx_link_mac(link), lent->mac) != 0)
		restore_mac(inner, lcx_link_index(link), lent);
	own_fd = lcx_ns_open_pid(0, LCX_NS_NET, err);
	if (own_fd < 0)
		return own_fd;
	r = move(inner, lcx_link_index(link), own_fd, lent->host_name, err);
	return r == -EEXIST ? lcx__fail_prefix(err, r, "the host has another one now; rename that")
			    : r;
}

static int settle_outside(const struct lent *lent, struct lcx_error **err)
{
	CLEANUP(lcx_netlink_freep) struct lcx_netlink *host = NULL;
	CLEANUP(lcx_link_freep) struct lcx_link *link = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *e = NULL;
	int r = lcx_netlink_open(&host, err);

	if (r < 0)
		return r;
	r = lcx_link_open(host, lent->host_name, &link, &e);
	/* The other end of it, or the container, has removed it. */
	if (r == -ENODEV)
		return 0;
	return r < 0 ? lcx__fail(err, -r, "%s", lcx_error_message(e))
		     : furnish(host, lcx_link_index(link), lent, lent->up, err);
}

int lcx__interface_take_back(int dir_fd, const char *host_name, struct lcx_error **err)
{
	CLEANUP(closep) int pin_fd = open_pin(dir_fd, err);
	CLEANUP(lent_free) struct lent lent = {0};
	char file[FILE_SIZE];
	int r;

	if (pin_fd == -ENOENT)
		return 0;
	if (pin_fd < 0)
		return pin_fd;
	r = record_read(dir_fd, host_name, &lent, err);
	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = fetch(pin_fd, &lent, err);
	if (r == 0)
		r = settle_outside(&lent, err);
	if (r < 0)
		return lcx__fail_prefix(err, r, "interface '%s'", host_name);
	file_name(host_name, file);
	return unlinkat(dir_fd, file, 0) < 0 && errno != ENOENT
		       ? lcx__fail_sys(err, errno, "remove the record of interface '%s'", host_name)
		       : 0;
}
