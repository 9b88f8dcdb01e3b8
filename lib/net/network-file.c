/* SPDX-License-Identifier: MIT */

/* A network on disk. */
#include <string.h>

#include "net/driver.h"
#include "net/json.h"

static void file_name(const char *name, char file[static NET_NAME_SIZE + 5])
{
	(void)snprintf(file, NET_NAME_SIZE + 5, "%s.json", name);
}

static struct json_object *subnet_to_json(const struct net_subnet *subnet)
{
	CLEANUP(net_json_putp) struct json_object *object = json_object_new_object();
	bool failed = !object;

	lcx__net_json_add_text(object, "subnet", subnet->subnet, &failed);
	lcx__net_json_add_text(object, "gateway", subnet->gateway, &failed);
	lcx__net_json_add_text(object, "range", subnet->range, &failed);
	lcx__net_json_add(object, "chosen", json_object_new_boolean(subnet->chosen), &failed);
	return failed ? NULL : TAKE_PTR(object);
}

static struct json_object *subnets_to_json(const struct lcx_network *network)
{
	struct json_object *array = json_object_new_array();

	for (uint32_t i = 0; i < network->subnet_count && array; i++)
		lcx__net_json_append(&array, subnet_to_json(&network->subnets[i]));
	return array;
}

static struct json_object *exclusions_to_json(const struct lcx_network *network)
{
	struct json_object *array = json_object_new_array();

	for (uint32_t i = 0; i < network->exclusion_count && array; i++)
		lcx__net_json_append(&array, json_object_new_string(network->exclusions[i]));
	return array;
}

/* The first subnet and its gateway stand by themselves, too: for whoever knows of one only. */
struct json_object *lcx__network_to_json(const struct lcx_network *network)
{
	CLEANUP(net_json_putp) struct json_object *object = json_object_new_object();
	bool failed = !object;

	lcx__net_json_add_text(object, "name", network->name, &failed);
	lcx__net_json_add_text(object, "driver", network->driver, &failed);
	lcx__net_json_add_text(object, "subnet", lcx_network_subnet(network), &failed);
	lcx__net_json_add_text(object, "gateway", lcx_network_gateway(network), &failed);
	lcx__net_json_add(object, "subnets", subnets_to_json(network), &failed);
	lcx__net_json_add(object, "exclusions", exclusions_to_json(network), &failed);
	lcx__net_json_add_text(object, "bridge", network->bridge, &failed);
	lcx__net_json_add_text(object, "parent", network->parent, &failed);
	lcx__net_json_add_text(object, "mode", network->mode, &failed);
	lcx__net_json_add_text(object, "flag", network->flag, &failed);
	lcx__net_json_add(object, "mtu", json_object_new_int((int)network->mtu), &failed);
	lcx__net_json_add(object, "internal", json_object_new_boolean(network->internal), &failed);
	lcx__net_json_add(object, "hairpin", json_object_new_boolean(network->hairpin), &failed);
	lcx__net_json_add(object, "promiscuous", json_object_new_boolean(network->promiscuous),
			  &failed);
	lcx__net_json_add_text(object, "resolver", lcx_network_resolver(network), &failed);
	lcx__net_json_add_text(object, "created", network->created, &failed);
	return failed ? NULL : TAKE_PTR(object);
}

int lcx__network_write(int dir_fd, const struct lcx_network *network, struct lcx_error **err)
{
	CLEANUP(net_json_putp) struct json_object *object = lcx__network_to_json(network);
	char file[NET_NAME_SIZE + 5];

	if (!object)
		return lcx__fail_nomem(err);
	file_name(network->name, file);
	return lcx__net_json_write(dir_fd, file, object, true, err);
}

static bool subnet_from_json(struct json_object *object, struct net_subnet *subnet)
{
	struct lcx__inet inet, gateway, range;

	return json_object_is_type(object, json_type_object) &&
	       lcx__net_json_text(object, "subnet", subnet->subnet, sizeof(subnet->subnet)) &&
	       lcx__net_json_text(object, "gateway", subnet->gateway, sizeof(subnet->gateway)) &&
	       lcx__net_json_text(object, "range", subnet->range, sizeof(subnet->range)) &&
	       lcx__net_json_bool(object, "chosen", &subnet->chosen) &&
	       lcx__inet_parse(subnet->subnet, &inet) == 0 &&
	       lcx__inet_parse_address(subnet->gateway, &gateway) == 0 &&
	       lcx__inet_same(&inet, &gateway, inet.prefix) &&
	       (subnet->range[0] == '\0' || lcx__inet_parse(subnet->range, &range) == 0);
}

/* The array that is a member of @object, with at most @limit items. */
static bool find_array(struct json_object *object, const char *key, size_t limit,
		       struct json_object **ret)
{
	return json_object_object_get_ex(object, key, ret) &&
	       json_object_is_type(*ret, json_type_array) &&
	       json_object_array_length(*ret) <= limit;
}

static bool subnets_from_json(struct json_object *object, struct lcx_network *network)
{
	struct json_object *array;

	if (!find_array(object, "subnets", NET_SUBNETS_LIMIT, &array))
		return false;
	network->subnet_count = (uint32_t)json_object_array_length(array);
	for (uint32_t i = 0; i < network->subnet_count; i++)
		if (!subnet_from_json(json_object_array_get_idx(array, i), &network->subnets[i]))
			return false;
	return network->subnet_count > 0;
}

static bool exclusions_from_json(struct json_object *object, struct lcx_network *network)
{
	struct json_object *array;

	if (!find_array(object, "exclusions", NET_EXCLUSIONS_LIMIT, &array))
		return false;
	for (size_t i = 0; i < json_object_array_length(array); i++) {
		struct json_object *item = json_object_array_get_idx(array, i);

		if (!json_object_is_type(item, json_type_string) ||
		    lcx_network_add_exclusion(network, json_object_get_string(item), NULL) < 0)
			return false;
	}
	return true;
}

/* Of a file that was written before there were such: "". */
static bool driver_from_json(struct json_object *object, struct lcx_network *network)
{
	return !json_object_object_get_ex(object, "parent", NULL) ||
	       (lcx__net_json_text(object, "parent", network->parent, sizeof(network->parent)) &&
		lcx__net_json_text(object, "mode", network->mode, sizeof(network->mode)) &&
		lcx__net_json_text(object, "flag", network->flag, sizeof(network->flag)));
}

/* That of a former build has none. */
static bool resolver_from_json(struct json_object *object, struct lcx_network *network)
{
	char resolver[16] = "none";

	return (!json_object_object_get_ex(object, "resolver", NULL) ||
		lcx__net_json_text(object, "resolver", resolver, sizeof(resolver))) &&
	       (resolver[0] == '\0' || lcx_network_set_resolver(network, resolver, NULL) == 0);
}

static bool from_json(struct json_object *object, struct lcx_network *network)
{
	return lcx__net_json_text(object, "name", network->name, sizeof(network->name)) &&
	       lcx__net_json_text(object, "driver", network->driver, sizeof(network->driver)) &&
	       lcx__net_json_text(object, "bridge", network->bridge, sizeof(network->bridge)) &&
	       lcx__net_json_u32(object, "mtu", 65535, &network->mtu) &&
	       lcx__net_json_bool(object, "internal", &network->internal) &&
	       lcx__net_json_switch(object, "hairpin", &network->hairpin) &&
	       lcx__net_json_switch(object, "promiscuous", &network->promiscuous) &&
	       lcx__net_json_text(object, "created", network->created, sizeof(network->created)) &&
	       resolver_from_json(object, network) && subnets_from_json(object, network) &&
	       exclusions_from_json(object, network) && driver_from_json(object, network) &&
	       lcx__driver_knows(network);
}

/* By @take, which reads as much of it as is wanted. */
static int read_by(bool (*take)(struct json_object *object, struct lcx_network *network),
		   int dir_fd, const char *name, struct lcx_network **ret, struct lcx_error **err)
{
	CLEANUP(lcx_network_freep) struct lcx_network *network = NULL;
	CLEANUP(net_json_putp) struct json_object *object = NULL;
	char file[NET_NAME_SIZE + 5];
	int r;

	file_name(name, file);
	r = lcx__net_json_read(dir_fd, file, &object, err);
	if (r == 0)
		r = lcx_network_new(name, &network, err);
	if (r < 0)
		return r;
	if (!take(object, network) || strcmp(network->name, name) != 0)
		return lcx__fail(err, EUCLEAN, "network '%s': its file is damaged", name);
	*ret = TAKE_PTR(network);
	return 0;
}

int lcx__network_read(int dir_fd, const char *name, struct lcx_network **ret,
		      struct lcx_error **err)
{
	return read_by(from_json, dir_fd, name, ret, err);
}

static bool addresses_from_json(struct json_object *object, struct lcx_network *network)
{
	return lcx__net_json_bool(object, "internal", &network->internal) &&
	       subnets_from_json(object, network);
}

int lcx__network_read_addresses(int dir_fd, const char *name, struct lcx_network **ret,
				struct lcx_error **err)
{
	return read_by(addresses_from_json, dir_fd, name, ret, err);
}
