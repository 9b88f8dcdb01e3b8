/* SPDX-License-Identifier: MIT */

/*
 * The path of a packet, as the kernel has it now: from the interface in the container by its routes
 * to the host's end, the bridge, the rules and what they have counted, and the host's routes.
 * Nothing of it but which networks there are comes out of our files.
 */
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>

#include "net/firewall-internal.h"
#include "net/json.h"
#include "util/fs.h"
#include "util/json.h"

struct trace {
	struct lcx_ctx *ctx;
	const char *owner;
	struct lcx_netlink *host, *inner; /* inner: NULL, if the namespace is not known */
	bool failed;                      /* out of memory */
};

static struct json_object *new_object(struct trace *trace)
{
	struct json_object *object = json_object_new_object();

	trace->failed |= !object;
	return object;
}

static void add(struct trace *trace, struct json_object *object, const char *key,
		struct json_object *value)
{
	lcx__net_json_add(object, key, value, &trace->failed);
}

static void add_text(struct trace *trace, struct json_object *object, const char *key,
		     const char *text)
{
	lcx__net_json_add_text(object, key, text, &trace->failed);
}

static void add_number(struct trace *trace, struct json_object *object, const char *key,
		       uint64_t number)
{
	add(trace, object, key, json_object_new_int64((int64_t)number));
}

static void add_bool(struct trace *trace, struct json_object *object, const char *key, bool value)
{
	add(trace, object, key, json_object_new_boolean(value));
}

/* ---- interfaces ---- */

static int add_addresses(struct trace *trace, struct lcx_netlink *nl, uint32_t index,
			 struct json_object *object, struct lcx_error **err)
{
	CLEANUP(lcx_address_list_freep) struct lcx_address_list *list = NULL;
	struct json_object *array = json_object_new_array();
	int r = lcx_address_list_open(nl, index, &list, err);

	while (r == 0 && lcx_address_list_next(list))
		lcx__net_json_append(&array, json_object_new_string(lcx_address_list_text(list)));
	add(trace, object, "addresses", array);
	return r;
}

static void add_master(struct trace *trace, struct lcx_netlink *nl, uint32_t index,
		       struct json_object *object)
{
	CLEANUP(lcx_link_freep) struct lcx_link *master = NULL;

	if (index != 0 && lcx_link_open_index(nl, index, &master, NULL) == 0)
		add_text(trace, object, "master", lcx_link_name(master));
}

/* One that is not there is told, too: it is where the path ends. */
static int add_link(struct trace *trace, struct lcx_netlink *nl, const char *name,
		    struct json_object *parent, const char *key, struct lcx_error **err)
{
	CLEANUP(lcx_link_freep) struct lcx_link *link = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *e = NULL;
	struct json_object *object = new_object(trace);
	int r = lcx_link_open(nl, name, &link, &e);

	add(trace, parent, key, object);
	add_text(trace, object, "name", name);
	add_bool(trace, object, "present", r == 0);
	if (r < 0)
		return r == -ENODEV ? 0 : lcx__fail(err, -r, "%s", lcx_error_message(e));
	add_number(trace, object, "index", lcx_link_index(link));
	add_text(trace, object, "kind", lcx_link_kind(link));
	add_bool(trace, object, "up", lcx_link_flags(link) & IFF_UP);
	add_bool(trace, object, "carrier", lcx_link_flags(link) & IFF_RUNNING);
	add_number(trace, object, "mtu", lcx_link_mtu(link));
	add_text(trace, object, "mac", lcx_link_mac(link));
	add_text(trace, object, "alias", lcx_link_alias(link));
	add_master(trace, nl, lcx_link_master(link), object);
	return add_addresses(trace, nl, lcx_link_index(link), object, err);
}

/* ---- routes ---- */

/* Of a namespace; an interface may go while they are read. */
static int add_routes(struct trace *trace, struct lcx_netlink *nl, struct json_object *parent,
		      struct lcx_error **err)
{
	CLEANUP(lcx_route_list_freep) struct lcx_route_list *list = NULL;
	struct json_object *array = json_object_new_array();
	int r = lcx_route_list_open(nl, &list, err);

	while (r == 0 && lcx_route_list_next(list)) {
		CLEANUP(lcx_link_freep) struct lcx_link *link = NULL;
		struct json_object *route = new_object(trace);
		uint32_t index = lcx_route_list_index(list);

		if (index != 0)
			(void)lcx_link_open_index(nl, index, &link, NULL);
		add_text(trace, route, "destination", lcx_route_list_destination(list));
		add_text(trace, route, "gateway", lcx_route_list_gateway(list));
		add_text(trace, route, "interface", link ? lcx_link_name(link) : "");
		lcx__net_json_append(&array, route);
	}
	add(trace, parent, "routes", array);
	return r;
}

static bool is_forwarding(const char *path)
{
	CLEANUP(freep) char *text = NULL;

	return lcx__read_file(AT_FDCWD, path, 16, &text, NULL) == 0 && text[0] != '0';
}

static int add_host(struct trace *trace, struct json_object *parent, struct lcx_error **err)
{
	struct json_object *object = new_object(trace);

	add(trace, parent, "host", object);
	add_bool(trace, object, "forwarding4", is_forwarding("/proc/sys/net/ipv4/ip_forward"));
	add_bool(trace, object, "forwarding6",
		 is_forwarding("/proc/sys/net/ipv6/conf/all/forwarding"));
	return add_routes(trace, trace->host, object, err);
}

/* ---- networks ---- */

/* With an end of the cable there is a bridge; else what is its parent is called the same. */
static int add_outside(struct trace *trace, const struct lcx_attachment *attachment,
		       struct json_object *object, struct lcx_error **err)
{
	bool has_cable = attachment->host_interface[0] != '\0';
	int r = 0;

	if (has_cable)
		r = add_link(trace, trace->host, attachment->host_interface, object,
			     "hostInterface", err);
	if (r == 0 && attachment->bridge[0] != '\0')
		r = add_link(trace, trace->host, attachment->bridge, object,
			     has_cable ? "bridge" : "parent", err);
	return r;
}

static int add_network(struct trace *trace, const char *name, struct json_object **array,
		       struct lcx_error **err)
{
	CLEANUP(lcx_attachment_freep) struct lcx_attachment *attachment = NULL;
	CLEANUP(lcx_network_freep) struct lcx_network *network = NULL;
	struct json_object *object;
	int r = lcx_network_open(trace->ctx, name, &network, err);

	if (r == 0)
		r = lcx_attachment_open(trace->ctx, name, trace->owner, &attachment, err);
	if (r < 0)
		return r;
	object = new_object(trace);
	add_text(trace, object, "network", name);
	add_text(trace, object, "driver", network->driver);
	add_bool(trace, object, "internal", network->internal);
	if (trace->inner)
		r = add_link(trace, trace->inner, attachment->interface, object, "interface", err);
	if (r == 0)
		r = add_outside(trace, attachment, object, err);
	lcx__net_json_append(array, object);
	return r;
}

static int add_networks(struct trace *trace, struct json_object *parent, struct lcx_error **err)
{
	CLEANUP(lcx__strv_freep) char **networks = NULL;
	struct json_object *array = json_object_new_array();
	int r = lcx__network_list_of(trace->ctx, trace->owner, &networks);

	if (r < 0)
		(void)lcx__fail_sys(err, -r, "list the networks of '%s'", trace->owner);
	for (size_t i = 0; r == 0 && networks[i]; i++) {
		CLEANUP(lcx_error_freep) struct lcx_error *e = NULL;

		r = add_network(trace, networks[i], &array, &e);
		/* It has been detached meanwhile. */
		if (r < 0)
			r = r == -ENOENT ? 0 : lcx__fail(err, -r, "%s", lcx_error_message(e));
	}
	add(trace, parent, "networks", array);
	return r;
}

/* ---- the table ---- */

/* In the order in which a packet that comes in meets them; then what the host itself sends. */
static const char *const order[] = {"raw",     "prerouting",  CHAIN_GUARD, CHAIN_GUARD6,
				    "forward", "postrouting", "output"};

struct rules {
	struct trace *trace;
	struct json_object *chains[ARRAY_SIZE(order)];
};

static int add_rule(const struct lcx__nft_rule_entry *rule, void *data)
{
	struct rules *rules = data;
	struct trace *trace = rules->trace;
	struct json_object *object;
	size_t i = 0;

	while (i < ARRAY_SIZE(order) && strcmp(order[i], rule->chain) != 0)
		i++;
	if (i == ARRAY_SIZE(order))
		return 0; /* somebody else's, in our table */
	object = new_object(trace);
	add_number(trace, object, "handle", rule->handle);
	add_text(trace, object, "comment", rule->comment);
	add_number(trace, object, "packets", rule->packets);
	add_number(trace, object, "bytes", rule->bytes);
	if (!rules->chains[i])
		rules->chains[i] = json_object_new_array();
	lcx__net_json_append(&rules->chains[i], object);
	return 0;
}

static int add_chains(struct trace *trace, struct json_object *parent, struct lcx_error **err)
{
	CLEANUP(lcx_netlink_freep) struct lcx_netlink *nl = NULL;
	struct json_object *array = json_object_new_array();
	struct rules rules = {.trace = trace};
	int r = lcx__firewall_open(&nl, err);

	if (r == 0)
		r = lcx__nft_list_rules(nl, LCX_TABLE, add_rule, &rules);
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		struct json_object *chain;

		if (!rules.chains[i])
			continue;
		chain = new_object(trace);
		add_text(trace, chain, "name", order[i]);
		add(trace, chain, "rules", rules.chains[i]);
		lcx__net_json_append(&array, chain);
	}
	add(trace, parent, "chains", array);
	/* No table, no chains: somebody flushed it, or no network needs one. */
	if (r == -ENOENT || (!nl && r < 0))
		return r == -ENOENT ? 0 : r;
	return r < 0 ? lcx__firewall_fail(nl, err, r, "list the rules") : 0;
}

struct published {
	struct trace *trace;
	struct json_object *array;
};

static const char *protocol_name(int number)
{
	for (enum port_protocol i = PORT_TCP; i <= PORT_SCTP; i++)
		if (lcx__protocol_number(i) == number)
			return lcx__protocol_name(i);
	return "";
}

static int add_port(const struct lcx__published *entry, void *data)
{
	struct published *published = data;
	struct trace *trace = published->trace;
	struct json_object *object = new_object(trace);

	add_text(trace, object, "map", entry->map);
	add_text(trace, object, "protocol", protocol_name(entry->protocol));
	add_text(trace, object, "hostAddress", entry->host_address);
	add_number(trace, object, "hostPort", entry->host_port);
	add_text(trace, object, "address", entry->address);
	add_number(trace, object, "port", entry->port);
	lcx__net_json_append(&published->array, object);
	return 0;
}

static int add_ports(struct trace *trace, struct json_object *parent, struct lcx_error **err)
{
	struct published published = {trace, json_object_new_array()};
	char comment[NET_MARK_SIZE];
	int r;

	lcx__net_comment(trace->ctx, trace->owner, comment);
	r = lcx__firewall_list_ports(comment, add_port, &published, err);
	add(trace, parent, "published", published.array);
	return r;
}

/* ---- all of it ---- */

static int trace_all(struct trace *trace, struct json_object *object, struct lcx_error **err)
{
	int r;

	add_text(trace, object, "owner", trace->owner);
	r = add_networks(trace, object, err);
	if (r == 0 && trace->inner)
		r = add_routes(trace, trace->inner, object, err);
	if (r == 0)
		r = add_ports(trace, object, err);
	if (r == 0)
		r = add_chains(trace, object, err);
	return r == 0 ? add_host(trace, object, err) : r;
}

LCX_PUBLIC int lcx_net_trace(struct lcx_ctx *ctx, const char *owner, int netns_fd, char **ret,
			     struct lcx_error **err)
{
	CLEANUP(lcx_netlink_freep) struct lcx_netlink *host = NULL, *inner = NULL;
	CLEANUP(net_json_putp) struct json_object *object = NULL;
	struct trace trace = {.ctx = ctx, .owner = owner};
	char *text;
	int r;

	if (!lcx__name_is_valid(owner))
		return lcx__fail(err, EINVAL, "'%s' cannot be the owner of an attachment", owner);
	object = new_object(&trace);
	r = lcx_netlink_open(&host, err);
	if (r == 0 && netns_fd >= 0)
		r = lcx_netlink_open_netns(netns_fd, &inner, err);
	trace.host = host;
	trace.inner = inner;
	if (r == 0 && object)
		r = trace_all(&trace, object, err);
	if (r < 0)
		return r;
	text = trace.failed ? NULL : lcx__json_print(object);
	if (!text)
		return lcx__fail_nomem(err);
	*ret = text;
	return 0;
}
