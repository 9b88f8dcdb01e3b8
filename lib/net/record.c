/* SPDX-License-Identifier: MIT */

/*
 * The record of an attachment: written before its first kernel object, removed
 * after its last one. It lives in the run directory and speaks of this boot only.
 */
#include <fcntl.h>
#include <string.h>

#include "net/json.h"
#include "net/net-internal.h"

static void file_name(const char *owner, char file[static NET_NAME_SIZE + 5])
{
	(void)snprintf(file, NET_NAME_SIZE + 5, "%s.json", owner);
}

static struct json_object *port_to_json(const struct lcx_port *port)
{
	struct json_object *object = json_object_new_object();
	bool failed = false;

	lcx__net_json_add_text(object, "host_address", port->host_address, &failed);
	lcx__net_json_add(object, "host_port", json_object_new_int(port->host_port), &failed);
	lcx__net_json_add(object, "container_port", json_object_new_int(port->container_port),
			  &failed);
	lcx__net_json_add(object, "count", json_object_new_int(port->count), &failed);
	lcx__net_json_add_text(object, "protocol", lcx__protocol_name(port->protocol), &failed);
	lcx__net_json_add(object, "ipv4", json_object_new_boolean(port->families >> NET_V4 & 1),
			  &failed);
	lcx__net_json_add(object, "ipv6", json_object_new_boolean(port->families >> NET_V6 & 1),
			  &failed);
	if (failed && object) {
		(void)json_object_put(object);
		return NULL;
	}
	return object;
}

static struct json_object *ports_to_json(const struct lcx_attachment *attachment)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; array && i < attachment->port_count; i++)
		lcx__net_json_append(&array, port_to_json(&attachment->ports[i]));
	return array;
}

static const struct address_keys {
	const char *address, *prefix, *gateway;
} address_keys[NET_FAMILIES] = {
	[NET_V4] = {"address", "prefix", "gateway"},
	[NET_V6] = {"address6", "prefix6", "gateway6"},
};

static void address_to_json(struct json_object *object, const struct address_keys *keys,
			    const struct net_address *address, bool *failed)
{
	lcx__net_json_add_text(object, keys->address, address->address, failed);
	lcx__net_json_add(object, keys->prefix, json_object_new_int((int)address->prefix), failed);
	lcx__net_json_add_text(object, keys->gateway, address->gateway, failed);
}

static struct json_object *texts_to_json(char *const *text)
{
	struct json_object *array = json_object_new_array();

	for (; array && text && *text; text++)
		lcx__net_json_append(&array, json_object_new_string(*text));
	return array;
}

struct json_object *lcx__record_to_json(const struct lcx_attachment *attachment)
{
	CLEANUP(net_json_putp) struct json_object *object = json_object_new_object();
	bool failed = !object;

	lcx__net_json_add_text(object, "owner", attachment->owner, &failed);
	lcx__net_json_add_text(object, "network", attachment->network, &failed);
	lcx__net_json_add_text(object, "interface", attachment->interface, &failed);
	for (size_t i = 0; i < NET_FAMILIES; i++)
		address_to_json(object, &address_keys[i], &attachment->addresses[i], &failed);
	lcx__net_json_add_text(object, "mac", attachment->mac, &failed);
	lcx__net_json_add_text(object, "host_interface", attachment->host_interface, &failed);
	lcx__net_json_add_text(object, "bridge", attachment->bridge, &failed);
	lcx__net_json_add(object, "ports", ports_to_json(attachment), &failed);
	lcx__net_json_add(object, "names", texts_to_json(attachment->names), &failed);
	lcx__net_json_add(object, "aliases", texts_to_json(attachment->aliases), &failed);
	lcx__net_json_add(object, "sysctls", texts_to_json(attachment->sysctls), &failed);
	lcx__net_json_add(object, "gateway_priority",
			  json_object_new_int(attachment->gateway_priority), &failed);
	lcx__net_json_add(object, "egress_bits", json_object_new_uint64(attachment->egress_bits),
			  &failed);
	lcx__net_json_add(object, "ingress_bits", json_object_new_uint64(attachment->ingress_bits),
			  &failed);
	lcx__net_json_add(object, "hairpin", json_object_new_boolean(attachment->hairpin), &failed);
	lcx__net_json_add(object, "promiscuous", json_object_new_boolean(attachment->promiscuous),
			  &failed);
	return failed ? NULL : TAKE_PTR(object);
}

/* What is of no interest to anybody who looks at a network. */
static void place_to_json(struct json_object *object, const struct lcx_attachment *attachment,
			  bool *failed)
{
	lcx__net_json_add(object, "netns_number", json_object_new_int(attachment->netns_number),
			  failed);
	lcx__net_json_add(object, "inner_index", json_object_new_int64(attachment->inner_index),
			  failed);
}

static bool place_from_json(struct json_object *object, struct lcx_attachment *attachment)
{
	int64_t number;

	if (!json_object_object_get_ex(object, "inner_index", NULL))
		return true;
	if (!lcx__net_json_i64(object, "netns_number", 0, INT32_MAX, &number) ||
	    !lcx__net_json_u32(object, "inner_index", INT32_MAX, &attachment->inner_index))
		return false;
	attachment->netns_number = (int32_t)number;
	return true;
}

int lcx__record_write(int dir_fd, const struct lcx_attachment *attachment, struct lcx_error **err)
{
	CLEANUP(net_json_putp) struct json_object *object = lcx__record_to_json(attachment);
	char file[NET_NAME_SIZE + 5], boot_id[LCX__BOOT_ID_SIZE];
	bool failed = !object;
	int r;

	r = lcx__boot_id(boot_id);
	if (r < 0)
		return lcx__fail_sys(err, -r, "read the boot id");
	lcx__net_json_add_text(object, "boot_id", boot_id, &failed);
	lcx__net_json_add(object, "standalone", json_object_new_boolean(attachment->standalone),
			  &failed);
	place_to_json(object, attachment, &failed);
	if (failed)
		return lcx__fail_nomem(err);
	file_name(attachment->owner, file);
	/* Not durable: after a crash of the machine its objects are gone, too. */
	return lcx__net_json_write(dir_fd, file, object, false, err);
}

static bool port_from_json(struct json_object *object, struct lcx_port *port)
{
	uint32_t host_port, container_port, count;
	bool ipv4, ipv6;
	char protocol[8];

	if (!json_object_is_type(object, json_type_object) ||
	    !lcx__net_json_text(object, "host_address", port->host_address,
				sizeof(port->host_address)) ||
	    !lcx__net_json_u32(object, "host_port", 65535, &host_port) ||
	    !lcx__net_json_u32(object, "container_port", 65535, &container_port) ||
	    !lcx__net_json_u32(object, "count", 65535, &count) || count == 0 ||
	    !lcx__net_json_text(object, "protocol", protocol, sizeof(protocol)) ||
	    lcx__protocol_parse(protocol, &port->protocol) < 0 ||
	    !lcx__net_json_bool(object, "ipv4", &ipv4) ||
	    !lcx__net_json_bool(object, "ipv6", &ipv6))
		return false;
	port->families = (ipv4 ? 1u << NET_V4 : 0) | (ipv6 ? 1u << NET_V6 : 0);
	port->host_port = (uint16_t)host_port;
	port->container_port = (uint16_t)container_port;
	port->count = (uint16_t)count;
	return lcx__port_check(port, NULL) == 0;
}

static int ports_from_json(struct json_object *object, struct lcx_attachment *attachment)
{
	struct json_object *array;
	struct lcx_port port;
	int r;

	if (!json_object_object_get_ex(object, "ports", &array) ||
	    !json_object_is_type(array, json_type_array))
		return -EUCLEAN;
	for (size_t i = 0; i < json_object_array_length(array); i++) {
		if (!port_from_json(json_object_array_get_idx(array, i), &port))
			return -EUCLEAN;
		r = lcx__attachment_copy_port(attachment, &port);
		if (r < 0)
			return r;
	}
	return 0;
}

static const struct {
	const char *key;
	size_t offset, size;
} texts[] = {
#define TEXT(key, member)                                                                          \
	{                                                                                          \
		key, offsetof(struct lcx_attachment, member),                                      \
			sizeof(((struct lcx_attachment *)0)->member)                               \
	}
	TEXT("owner", owner),
	TEXT("network", network),
	TEXT("interface", interface),
	TEXT("mac", mac),
	TEXT("host_interface", host_interface),
	TEXT("bridge", bridge),
	TEXT("boot_id", boot_id),
#undef TEXT
};

static bool address_from_json(struct json_object *object, const struct address_keys *keys,
			      struct net_address *address)
{
	return lcx__net_json_text(object, keys->address, address->address,
				  sizeof(address->address)) &&
	       lcx__net_json_u32(object, keys->prefix, 128, &address->prefix) &&
	       lcx__net_json_text(object, keys->gateway, address->gateway,
				  sizeof(address->gateway));
}

static bool texts_from_json(struct json_object *object, const char *key,
			    int (*add)(struct lcx_attachment *attachment, const char *text,
				       struct lcx_error **err),
			    struct lcx_attachment *attachment)
{
	struct json_object *array;

	if (!json_object_object_get_ex(object, key, &array) ||
	    !json_object_is_type(array, json_type_array))
		return false;
	for (size_t i = 0; i < json_object_array_length(array); i++) {
		struct json_object *text = json_object_array_get_idx(array, i);

		if (!json_object_is_type(text, json_type_string) ||
		    add(attachment, json_object_get_string(text), NULL) < 0)
			return false;
	}
	return true;
}

/* They were checked when they were said; of a record before there were such: none. */
static bool sysctls_from_json(struct json_object *object, struct lcx_attachment *attachment)
{
	struct json_object *array;

	if (!json_object_object_get_ex(object, "sysctls", &array))
		return true;
	if (!json_object_is_type(array, json_type_array))
		return false;
	for (size_t i = 0; i < json_object_array_length(array); i++) {
		struct json_object *item = json_object_array_get_idx(array, i);

		if (!json_object_is_type(item, json_type_string) ||
		    lcx__strv_append(&attachment->sysctls, json_object_get_string(item)) < 0)
			return false;
	}
	return true;
}

/* Those of a former build know no names. */
static bool names_from_json(struct json_object *object, struct lcx_attachment *attachment)
{
	return texts_from_json(object, "aliases", lcx_attachment_add_alias, attachment) &&
	       (!json_object_object_get_ex(object, "names", NULL) ||
		texts_from_json(object, "names", lcx__attachment_add_name, attachment));
}

static bool numbers_from_json(struct json_object *object, struct lcx_attachment *attachment)
{
	int64_t priority, egress, ingress;

	return lcx__net_json_i64(object, "gateway_priority", -NET_PRIORITY_LIMIT,
				 NET_PRIORITY_LIMIT, &priority) &&
	       lcx__net_json_i64(object, "egress_bits", 0, NET_MOST_RATE, &egress) &&
	       lcx__net_json_i64(object, "ingress_bits", 0, NET_MOST_RATE, &ingress) &&
	       lcx_attachment_set_gateway_priority(attachment, (int32_t)priority, NULL) == 0 &&
	       lcx_attachment_set_rates(attachment, (uint64_t)egress, (uint64_t)ingress, NULL) == 0;
}

static int from_json(struct json_object *object, struct lcx_attachment *attachment)
{
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (!lcx__net_json_text(object, texts[i].key, (char *)attachment + texts[i].offset,
					texts[i].size))
			return -EUCLEAN;
	for (size_t i = 0; i < NET_FAMILIES; i++)
		if (!address_from_json(object, &address_keys[i], &attachment->addresses[i]))
			return -EUCLEAN;
	if (!lcx__net_json_bool(object, "standalone", &attachment->standalone) ||
	    !lcx__net_json_switch(object, "hairpin", &attachment->hairpin) ||
	    !lcx__net_json_switch(object, "promiscuous", &attachment->promiscuous) ||
	    !names_from_json(object, attachment) || !sysctls_from_json(object, attachment) ||
	    !numbers_from_json(object, attachment) || !place_from_json(object, attachment))
		return -EUCLEAN;
	return ports_from_json(object, attachment);
}

int lcx__record_read(int dir_fd, const char *owner, struct lcx_attachment **ret,
		     struct lcx_error **err)
{
	CLEANUP(lcx_attachment_freep) struct lcx_attachment *attachment = NULL;
	CLEANUP(net_json_putp) struct json_object *object = NULL;
	char file[NET_NAME_SIZE + 5];
	int r;

	file_name(owner, file);
	r = lcx__net_json_read(dir_fd, file, &object, err);
	if (r < 0)
		return r;
	r = lcx_attachment_new(owner, &attachment, err);
	if (r < 0)
		return r;
	r = from_json(object, attachment);
	if (r == 0 && strcmp(attachment->owner, owner) != 0)
		r = -EUCLEAN;
	if (r < 0)
		return lcx__fail_sys(err, -r, "record of attachment '%s'", owner);
	*ret = TAKE_PTR(attachment);
	return 0;
}

int lcx__record_remove(int dir_fd, const char *owner, struct lcx_error **err)
{
	char file[NET_NAME_SIZE + 5];

	file_name(owner, file);
	if (unlinkat(dir_fd, file, 0) < 0 && errno != ENOENT)
		return lcx__fail_sys(err, errno, "remove the record of attachment '%s'", owner);
	return 0;
}

int lcx__network_list_of(struct lcx_ctx *ctx, const char *owner, char ***ret)
{
	CLEANUP(closep) int run_fd = lcx__net_run_dir(ctx, NULL);
	CLEANUP(lcx__strv_freep) char **all = NULL, **found = lcx__strv_copy(NULL);
	int r = 0;

	if (!found)
		return -ENOMEM;
	if (run_fd >= 0)
		r = lcx__net_list_names(run_fd, true, &all);
	for (size_t i = 0; r == 0 && all && all[i]; i++) {
		CLEANUP(lcx_attachment_freep) struct lcx_attachment *record = NULL;
		CLEANUP(closep) int records_fd = lcx__net_records_dir(ctx, all[i], NULL);

		if (records_fd >= 0 && lcx__record_read(records_fd, owner, &record, NULL) == 0)
			r = lcx__strv_append(&found, all[i]);
	}
	if (r == 0)
		*ret = TAKE_PTR(found);
	return r;
}

static void replace_name(struct lcx_attachment *record, const char *before, const char *after)
{
	for (char **name = record->names; name && *name; name++) {
		char *copy = strcmp(*name, before) == 0 ? strdup(after) : NULL;

		if (copy) {
			free(*name);
			*name = copy;
		}
	}
}

int lcx__network_rename(struct lcx_ctx *ctx, const char *owner, const char *before,
			const char *after)
{
	CLEANUP(lcx__strv_freep) char **networks = NULL;
	int r = lcx__network_list_of(ctx, owner, &networks);

	for (size_t i = 0; r == 0 && networks[i]; i++) {
		CLEANUP(lcx_attachment_freep) struct lcx_attachment *record = NULL;
		CLEANUP(closep) int records_fd = lcx__net_records_lock(ctx, networks[i], NULL);

		if (records_fd < 0 || lcx__record_read(records_fd, owner, &record, NULL) < 0)
			continue;
		replace_name(record, before, after);
		r = lcx__record_write(records_fd, record, NULL);
	}
	return r;
}
