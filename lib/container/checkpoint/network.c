/* SPDX-License-Identifier: MIT */
#include "container/checkpoint/checkpoint.h"

#include <string.h>

#include "net/net.h"
#include "util/fs.h"
#include "util/json.h"

/*
 * criu does not write down the network: a start makes cable, bridge, ports and names anyway, and
 * only the addresses, which connections count on, must be those that the container had.
 */

#define FILE_NAME "lcx-networks.json"

static const struct lcx__json_field network_fields[] = {
	{"name", AS_STRING(struct network_wish, name), .required = true},
	{"address", AS_STRING(struct network_wish, address)},
	{"address6", AS_STRING(struct network_wish, address6)},
	{"mac", AS_STRING(struct network_wish, mac)},
	{0},
};

static const struct lcx__json_field fields[] = {
	{"networks", AS_LIST(struct lcx__kept_networks, networks), .fields = network_fields},
	{0},
};

void lcx__kept_networks_clear(struct lcx__kept_networks *kept)
{
	lcx__json_release(fields, kept);
	*kept = (struct lcx__kept_networks){0};
}

static bool is_described(const struct lcx_container *c, const char *network)
{
	for (size_t i = 0; i < lcx__container_network_count(c); i++)
		if (strcmp(lcx__container_network_at(c, i), network) == 0)
			return true;
	return false;
}

bool lcx__checkpoint_has_new_networks(const struct lcx_container *c)
{
	CLEANUP(lcx__strv_freep) char **names = NULL;

	if (lcx__network_list_of(c->ctx, c->d.id, &names) < 0)
		return false;
	for (char **name = names; name && *name; name++)
		if (!is_described(c, *name))
			return true;
	return false;
}

static char *copy(const char *text)
{
	return text[0] ? strdup(text) : NULL;
}

static int add(struct lcx_container *c, const char *network, struct lcx__kept_networks *kept,
	       struct lcx_error **err)
{
	CLEANUP(lcx_attachment_freep) struct lcx_attachment *attachment = NULL;
	struct network_wish *wish;
	const char *address;
	int r = lcx_attachment_open(c->ctx, network, c->d.id, &attachment, err);

	if (r < 0)
		return r;
	wish = lcx__list_grow(&kept->networks, sizeof(*wish));
	if (!wish || !(wish->name = strdup(network)))
		return lcx__fail_nomem(err);
	address = lcx_attachment_address(attachment);
	wish->address6 = copy(lcx_attachment_address6(attachment));
	/* Without one of IPv4 it is that of IPv6. */
	wish->address = strchr(address, ':') ? NULL : copy(address);
	wish->mac = copy(lcx_attachment_mac(attachment));
	return 0;
}

int lcx__checkpoint_save_networks(struct lcx_container *c, int dir_fd, struct lcx_error **err)
{
	CLEANUP(lcx__kept_networks_clear) struct lcx__kept_networks kept = {0};
	int r = 0;

	for (size_t i = 0; r == 0 && i < lcx__container_network_count(c); i++)
		r = add(c, lcx__container_network_at(c, i), &kept, err);
	if (r < 0)
		return r;
	/* It needs no disk: the images are worth nothing before they are whole. */
	return lcx__record_save(fields, &kept, dir_fd, FILE_NAME, lcx__replace_file, false, err);
}

/* Another runtime's checkpoint has none. */
int lcx__checkpoint_load_networks(int dir_fd, struct lcx__kept_networks *ret,
				  struct lcx_error **err)
{
	int r = lcx__record_load(fields, ret, dir_fd, FILE_NAME, err);

	return r == -ENOENT ? 0 : r;
}

static const struct {
	size_t offset;
	int (*set)(struct lcx_attachment *attachment, const char *text, struct lcx_error **err);
} texts[] = {
	{offsetof(struct network_wish, address), lcx_attachment_set_address},
	{offsetof(struct network_wish, address6), lcx_attachment_set_address},
	{offsetof(struct network_wish, mac), lcx_attachment_set_mac},
};

int lcx__kept_networks_apply(const struct lcx__kept_networks *kept, const char *network,
			     struct lcx_attachment *attachment, struct lcx_error **err)
{
	int r = 0;

	for (size_t i = 0; i < kept->networks.n; i++) {
		const struct network_wish *wish = &kept->networks.items[i];

		if (strcmp(wish->name, network) != 0)
			continue;
		for (size_t t = 0; r == 0 && t < ARRAY_SIZE(texts); t++) {
			const char *text = *(char *const *)((const char *)wish + texts[t].offset);

			if (text)
				r = texts[t].set(attachment, text, err);
		}
	}
	return r;
}
