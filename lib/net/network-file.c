/* SPDX-License-Identifier: MIT */

/* A network on disk. */
#include <string.h>

#include "net/json.h"
#include "net/net-internal.h"

static void file_name(const char *name, char file[static NET_NAME_SIZE + 5])
{
	(void)snprintf(file, NET_NAME_SIZE + 5, "%s.json", name);
}

struct json_object *lcx__network_to_json(const struct lcx_network *network)
{
	CLEANUP(net_json_putp) struct json_object *object = json_object_new_object();
	bool failed = !object;

	lcx__net_json_add_text(object, "name", network->name, &failed);
	lcx__net_json_add_text(object, "driver", network->driver, &failed);
	lcx__net_json_add_text(object, "subnet", network->subnet, &failed);
	lcx__net_json_add_text(object, "gateway", network->gateway, &failed);
	lcx__net_json_add_text(object, "bridge", network->bridge, &failed);
	lcx__net_json_add(object, "mtu", json_object_new_int((int)network->mtu), &failed);
	lcx__net_json_add(object, "internal", json_object_new_boolean(network->internal), &failed);
	lcx__net_json_add(object, "subnet_chosen", json_object_new_boolean(network->subnet_chosen),
			  &failed);
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

static bool from_json(struct json_object *object, struct lcx_network *network)
{
	struct lcx__inet subnet, gateway;

	return lcx__net_json_text(object, "name", network->name, sizeof(network->name)) &&
	       lcx__net_json_text(object, "driver", network->driver, sizeof(network->driver)) &&
	       lcx__net_json_text(object, "subnet", network->subnet, sizeof(network->subnet)) &&
	       lcx__net_json_text(object, "gateway", network->gateway, sizeof(network->gateway)) &&
	       lcx__net_json_text(object, "bridge", network->bridge, sizeof(network->bridge)) &&
	       lcx__net_json_u32(object, "mtu", 65535, &network->mtu) &&
	       lcx__net_json_bool(object, "internal", &network->internal) &&
	       lcx__net_json_bool(object, "subnet_chosen", &network->subnet_chosen) &&
	       lcx__net_json_text(object, "created", network->created, sizeof(network->created)) &&
	       lcx__inet_parse(network->subnet, &subnet) == 0 &&
	       lcx__inet_parse_address(network->gateway, &gateway) == 0 &&
	       lcx__inet_same(&subnet, &gateway, subnet.prefix) &&
	       lcx__link_name_is_valid(network->bridge) && strcmp(network->driver, "bridge") == 0;
}

int lcx__network_read(int dir_fd, const char *name, struct lcx_network **ret,
		      struct lcx_error **err)
{
	CLEANUP(lcx_network_freep) struct lcx_network *network = NULL;
	CLEANUP(net_json_putp) struct json_object *object = NULL;
	char file[NET_NAME_SIZE + 5];
	int r;

	file_name(name, file);
	r = lcx__net_json_read(dir_fd, file, &object, err);
	if (r < 0)
		return r;
	r = lcx_network_new(name, &network, err);
	if (r < 0)
		return r;
	if (!from_json(object, network) || strcmp(network->name, name) != 0)
		return lcx__fail(err, EUCLEAN, "network '%s': its file is damaged", name);
	*ret = TAKE_PTR(network);
	return 0;
}
