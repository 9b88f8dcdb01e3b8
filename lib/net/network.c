/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <string.h>

#include "net/driver.h"
#include "net/json.h"

#define DEFAULT_ROOT_DIR "/var/lib/lcx"

LCX_PUBLIC int lcx_network_new(const char *name, struct lcx_network **ret, struct lcx_error **err)
{
	struct lcx_network *network;

	if (!lcx__name_is_valid(name) || strcmp(name, "none") == 0 || strcmp(name, "host") == 0 ||
	    strcmp(name, "pasta") == 0)
		return lcx__fail(err, EINVAL,
				 "'%s' cannot name a network; use letters, digits, '_', '.', '-', "
				 "and neither none, host nor pasta",
				 name);
	network = calloc(1, sizeof(*network));
	if (!network)
		return lcx__fail_nomem(err);
	strcpy(network->name, name);
	strcpy(network->driver, "bridge");
	*ret = network;
	return 0;
}

LCX_PUBLIC int lcx_network_set_bridge(struct lcx_network *network, const char *bridge,
				      struct lcx_error **err)
{
	if (!lcx__link_name_is_valid(bridge))
		return lcx__fail(err, EINVAL, "'%s' cannot name a bridge", bridge);
	strcpy(network->bridge, bridge);
	return 0;
}

LCX_PUBLIC int lcx_network_set_mtu(struct lcx_network *network, uint32_t mtu_bytes,
				   struct lcx_error **err)
{
	if (mtu_bytes < 68 || mtu_bytes > 65535)
		return lcx__fail(err, EINVAL, "an MTU of %u bytes is not one of 68 to 65535",
				 mtu_bytes);
	network->mtu = mtu_bytes;
	return 0;
}

LCX_PUBLIC int lcx_network_set_internal(struct lcx_network *network, bool internal,
					struct lcx_error **err)
{
	(void)err;
	network->internal = internal;
	return 0;
}

/* An interface's name has 15 bytes: only the default root directory's default network gets a nice
 * one. */
static void choose_bridge(const struct lcx_ctx *ctx, struct lcx_network *network)
{
	char tag[LCX__CTX_TAG_SIZE];

	if (network->bridge[0] != '\0' || lcx__driver_of(network)->branch)
		return;
	lcx__ctx_tag(ctx, tag);
	if (strcmp(network->name, DEFAULT_NETWORK) != 0)
		(void)snprintf(network->bridge, IFNAMSIZ, "lcxn%08x",
			       lcx__net_hash(ctx, "network", network->name));
	else if (strcmp(ctx->root_dir, DEFAULT_ROOT_DIR) == 0)
		strcpy(network->bridge, "lcx0");
	else
		(void)snprintf(network->bridge, IFNAMSIZ, "lcx-%s", tag);
}

static int check_bridge(int networks_fd, const struct lcx_network *network, struct lcx_error **err)
{
	CLEANUP(lcx__strv_freep) char **names = NULL;
	int r = lcx__net_list_names(networks_fd, false, &names);

	if (r < 0)
		return lcx__fail_sys(err, -r, "list networks");
	for (size_t i = 0; names[i] && network->bridge[0] != '\0'; i++) {
		CLEANUP(lcx_network_freep) struct lcx_network *other = NULL;

		r = lcx__network_read(networks_fd, names[i], &other, err);
		if (r < 0)
			return r;
		if (strcmp(other->bridge, network->bridge) == 0)
			return lcx__fail(
				err, EEXIST,
				"network '%s': bridge '%s' is that of network '%s'; choose another "
				"name",
				network->name, network->bridge, other->name);
	}
	return 0;
}

/* With the lock held. */
static int create(struct lcx_ctx *ctx, int networks_fd, struct lcx_network *network,
		  struct lcx_error **err)
{
	int r;

	choose_bridge(ctx, network);
	r = lcx__driver_settle(networks_fd, network, err);
	if (r == 0)
		r = lcx__resolver_settle(network, err);
	if (r == 0)
		r = check_bridge(networks_fd, network, err);
	if (r == 0)
		r = lcx__network_settle_subnets(networks_fd, network, err);
	if (r == 0)
		r = lcx__pools_make(ctx, network, err);
	if (r < 0)
		return r;

	lcx__format_time(lcx__now_ns(), network->created);
	r = lcx__network_write(networks_fd, network, err);
	if (r < 0)
		(void)lcx__pools_remove(ctx, network, NULL);
	return r;
}

LCX_PUBLIC int lcx_network_create(struct lcx_ctx *ctx, struct lcx_network *network,
				  struct lcx_error **err)
{
	CLEANUP(lcx_network_freep) struct lcx_network *other = NULL;
	CLEANUP(closep) int networks_fd = lcx__net_networks_lock(ctx, err);
	struct lcx_network before = *network;
	int r;

	if (networks_fd < 0)
		return networks_fd;
	r = lcx__network_read(networks_fd, network->name, &other, err);
	if (r == 0)
		return lcx__fail(err, EEXIST, "network '%s' exists", network->name);
	if (r != -ENOENT)
		return r;
	r = create(ctx, networks_fd, network, err);
	if (r < 0)
		*network = before;
	return r;
}

LCX_PUBLIC int lcx_network_open(struct lcx_ctx *ctx, const char *name, struct lcx_network **ret,
				struct lcx_error **err)
{
	CLEANUP(lcx_network_freep) struct lcx_network *network = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *ignored = NULL;
	CLEANUP(closep) int networks_fd = -1;
	int r;

	if (!lcx__name_is_valid(name))
		return lcx__fail(err, EINVAL, "'%s' cannot name a network", name);
	networks_fd = lcx__net_networks_dir(ctx, err);
	if (networks_fd < 0)
		return networks_fd;
	r = lcx__network_read(networks_fd, name, ret, err);
	if (r != -ENOENT)
		return r;
	if (strcmp(name, DEFAULT_NETWORK) != 0)
		return lcx__fail(err, ENOENT, "there is no network '%s'; create it first", name);

	r = lcx_network_new(name, &network, err);
	if (r < 0)
		return r;
	r = lcx_network_create(ctx, network, &ignored);
	if (r == -EEXIST) {
		/* Another was faster; or the bridge's name is taken, and then it is still not
		 * there. */
		r = lcx__network_read(networks_fd, name, ret, err);
		if (r != -ENOENT)
			return r;
		r = -EEXIST;
	}
	if (r < 0)
		return lcx__fail(err, -r, "%s", lcx_error_message(ignored));
	*ret = TAKE_PTR(network);
	return 0;
}

static int check_unused(struct lcx_ctx *ctx, int records_fd, const char *name,
			struct lcx_error **err)
{
	CLEANUP(lcx__strv_freep) char **owners = NULL;
	int r = lcx__net_list_names(records_fd, false, &owners);

	(void)ctx;
	if (r < 0)
		return lcx__fail_sys(err, -r, "network '%s': list attachments", name);
	if (owners[0])
		return lcx__fail(err, EBUSY,
				 "network '%s' is in use by '%s'%s; remove the container first",
				 name, owners[0], owners[1] ? " and others" : "");
	return 0;
}

LCX_PUBLIC int lcx_network_remove(struct lcx_ctx *ctx, const char *name, struct lcx_error **err)
{
	CLEANUP(lcx_network_freep) struct lcx_network *network = NULL;
	CLEANUP(lcx_netlink_freep) struct lcx_netlink *nl = NULL, *nft = NULL;
	CLEANUP(closep) int networks_fd = -1, records_fd = -1, run_fd = -1;
	char file[NET_NAME_SIZE + 5];
	int r;

	if (!lcx__name_is_valid(name))
		return lcx__fail(err, EINVAL, "'%s' cannot name a network", name);
	networks_fd = lcx__net_networks_lock(ctx, err);
	if (networks_fd < 0)
		return networks_fd;
	r = lcx__network_read(networks_fd, name, &network, err);
	if (r == -ENOENT)
		return lcx__fail(err, ENOENT, "there is no network '%s'", name);
	if (r < 0)
		return r;

	records_fd = lcx__net_records_lock(ctx, name, err);
	if (records_fd < 0)
		return records_fd;
	r = check_unused(ctx, records_fd, name, err);
	if (r == 0)
		r = lcx_netlink_open(&nl, err);
	if (r == 0)
		r = lcx__driver_of(network)->remove(ctx, nl, &nft, network, err);
	if (r < 0)
		return r;
	r = lcx__pools_remove(ctx, network, err);
	if (r < 0)
		return r;

	(void)snprintf(file, sizeof(file), "%s.json", name);
	if (unlinkat(networks_fd, file, 0) < 0)
		return lcx__fail_sys(err, errno, "remove '%s/networks/%s'", ctx->root_dir, file);
	run_fd = lcx__net_run_dir(ctx, NULL);
	if (run_fd >= 0)
		(void)unlinkat(run_fd, name, AT_REMOVEDIR);
	return 0;
}

static int add_containers(struct lcx_ctx *ctx, const char *name, struct json_object *object,
			  struct lcx_error **err)
{
	CLEANUP(net_json_putp) struct json_object *array = json_object_new_array();
	CLEANUP(lcx__strv_freep) char **owners = NULL;
	CLEANUP(closep) int records_fd = lcx__net_records_dir(ctx, name, err);
	bool failed = false;
	int r = 0;

	if (records_fd < 0 && records_fd != -ENOENT)
		return records_fd;
	if (records_fd >= 0)
		r = lcx__net_list_names(records_fd, false, &owners);
	if (r < 0)
		return lcx__fail_sys(err, -r, "network '%s': list attachments", name);
	for (size_t i = 0; owners && owners[i] && array; i++) {
		CLEANUP(lcx_attachment_freep) struct lcx_attachment *attachment = NULL;

		r = lcx__record_read(records_fd, owners[i], &attachment, err);
		if (r == -ENOENT)
			continue;
		if (r < 0)
			return r;
		lcx__net_json_append(&array, lcx__record_to_json(attachment));
	}
	lcx__net_json_add(object, "containers", TAKE_PTR(array), &failed);
	return failed ? lcx__fail_nomem(err) : 0;
}

LCX_PUBLIC int lcx_network_inspect(struct lcx_ctx *ctx, const char *name, char **ret,
				   struct lcx_error **err)
{
	CLEANUP(lcx_network_freep) struct lcx_network *network = NULL;
	CLEANUP(net_json_putp) struct json_object *object = NULL;
	const char *text;
	int r;

	r = lcx_network_open(ctx, name, &network, err);
	if (r < 0)
		return r;
	object = lcx__network_to_json(network);
	if (!object)
		return lcx__fail_nomem(err);
	r = add_containers(ctx, name, object, err);
	if (r < 0)
		return r;
	text = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PRETTY);
	*ret = text ? strdup(text) : NULL;
	return *ret ? 0 : lcx__fail_nomem(err);
}

LCX_PUBLIC const char *lcx_network_name(const struct lcx_network *network)
{
	return network->name;
}

LCX_PUBLIC const char *lcx_network_driver(const struct lcx_network *network)
{
	return network->driver;
}

LCX_PUBLIC const char *lcx_network_bridge(const struct lcx_network *network)
{
	return network->bridge;
}

LCX_PUBLIC uint32_t lcx_network_mtu(const struct lcx_network *network)
{
	return network->mtu;
}

LCX_PUBLIC bool lcx_network_internal(const struct lcx_network *network)
{
	return network->internal;
}

LCX_PUBLIC const char *lcx_network_created(const struct lcx_network *network)
{
	return network->created;
}

LCX_PUBLIC struct lcx_network *lcx_network_free(struct lcx_network *network)
{
	free(network);
	return NULL;
}
