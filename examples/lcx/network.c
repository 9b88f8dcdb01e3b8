/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "app.h"
#include "attachment.h"
#include "document.h"
#include "memory.h"
#include "options.h"
#include "table.h"
#include "trace.h"

DEFINE_CLEANUP(struct lcx_network *, lcx_network_free)
DEFINE_CLEANUP(struct lcx_port *, lcx_port_free)
DEFINE_CLEANUP(struct lcx_network_list *, lcx_network_list_free)

/* ---- ls ------------------------------------------------------------------- */

static const struct grammar ls_grammar = {
	.about = "List networks.",
	.takes_template = true,
};

static const struct table_column columns[] = {
	{"NAME", "Name"},       {"DRIVER", "Driver"}, {"SUBNET", "Subnet"},
	{"GATEWAY", "Gateway"}, {"BRIDGE", "Bridge"}, {"PARENT", "Parent"},
	{NULL, "Mode"},         {NULL, "Internal"},   {NULL, "CreatedAt"},
};

static int add_row(struct app *app, struct table *table, const char *name, struct lcx_error **err)
{
	CLEANUP(lcx_network_freep) struct lcx_network *network = NULL;
	int r = lcx_network_open(app->ctx, name, &network, err);

	if (r < 0)
		return r;
	table_add(table, name);
	table_add(table, lcx_network_driver(network));
	table_add(table, lcx_network_subnet(network));
	table_add(table, lcx_network_gateway(network));
	table_add(table, lcx_network_bridge(network));
	table_add(table, lcx_network_parent(network));
	table_add(table, lcx_network_mode(network));
	table_add(table, lcx_network_internal(network) ? "true" : "false");
	table_add(table, lcx_network_created(network));
	return 0;
}

static int network_ls(struct app *app, int argc, char **argv)
{
	CLEANUP(lcx_network_list_freep) struct lcx_network_list *list = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	CLEANUP(table_freep) struct table *table = NULL;
	const char *name;
	int code;

	if (!app_begin(app, &ls_grammar, NULL, &argc, argv, &code))
		return code;
	if (lcx_network_list_open(app->ctx, &list, &err) < 0) {
		app_report(app, &err);
		return EXIT_COMMAND_FAILED;
	}
	code = EXIT_SUCCESS;
	table = table_new(columns, sizeof(columns) / sizeof(*columns));
	while ((name = lcx_network_list_next(list))) {
		if (app->quiet && !app_json(app)) {
			puts(name);
		} else if (add_row(app, table, name, &err) < 0) {
			app_report(app, &err);
			code = EXIT_COMMAND_FAILED;
		}
	}
	if ((!app->quiet || app_json(app)) && table_print(table, app) != EXIT_SUCCESS)
		code = EXIT_COMMAND_FAILED;
	return code;
}

/* ---- create --------------------------------------------------------------- */

struct create_options {
	const char *driver, *bridge, *resolver;
	struct list options, subnets, gateways, ranges, aux_addresses;
	bool internal, ipv4, ipv6;
};

static void create_options_free(struct create_options *o)
{
	list_free(&o->options);
	list_free(&o->subnets);
	list_free(&o->gateways);
	list_free(&o->ranges);
	list_free(&o->aux_addresses);
}

#define ROW(letter, name, type, member, argument, help)                                            \
	{                                                                                          \
		letter, name, type, offsetof(struct create_options, member), argument, help        \
	}

static const struct option_row create_rows[] = {
	ROW('d', "driver", OPTION_STRING, driver, "DRIVER", "bridge, macvlan or ipvlan"),
	ROW('o', "opt", OPTION_LIST, options, "KEY=VALUE",
	    "of the driver: parent=eth0, macvlan_mode=private, mtu=1400, hairpin=true"),
	ROW('\0', "subnet", OPTION_LIST, subnets, "SUBNET",
	    "10.89.0.0/24, fd00:1::/64; chosen if not given"),
	ROW('\0', "gateway", OPTION_LIST, gateways, "ADDRESS", "the host's address in a subnet"),
	ROW('\0', "ip-range", OPTION_LIST, ranges, "RANGE",
	    "what containers get of a subnet: 10.89.0.128/25"),
	ROW('\0', "aux-address", OPTION_LIST, aux_addresses, "NAME=ADDRESS",
	    "never given to a container"),
	ROW('\0', "ipv4", OPTION_FLAG, ipv4, NULL, "with IPv4 (the default)"),
	ROW('\0', "ipv6", OPTION_FLAG, ipv6, NULL, "with IPv6; its subnet is chosen if not given"),
	ROW('\0', "bridge", OPTION_STRING, bridge, "NAME", "of the host's interface"),
	ROW('\0', "resolver", OPTION_STRING, resolver, "WHO",
	    "tells containers each other's names: monitor (the default), program, none"),
	ROW('\0', "internal", OPTION_FLAG, internal, NULL, "no way out of it, none in"),
	{0},
};

static const struct grammar create_grammar = {
	.operands = "NAME",
	.about = "Create a network. Its interfaces exist while a container is attached.",
	.rows = create_rows,
	.min = 1,
	.max = 1,
};

static const struct {
	size_t offset;
	int (*set)(struct lcx_network *network, const char *value, struct lcx_error **err);
} setters[] = {
	{offsetof(struct create_options, driver), lcx_network_set_driver},
	{offsetof(struct create_options, bridge), lcx_network_set_bridge},
	{offsetof(struct create_options, resolver), lcx_network_set_resolver},
};

/* NAME=ADDRESS: the name is for the reader of the command line. */
static int add_aux_address(struct lcx_network *network, const char *text, struct lcx_error **err)
{
	const char *equals = strchr(text, '=');

	return lcx_network_add_exclusion(network, equals ? equals + 1 : text, err);
}

static int add_option(struct lcx_network *network, const char *text, struct lcx_error **err)
{
	const char *equals = strchr(text, '=');
	CLEANUP(freep)
	char *key = xprintf("%.*s", (int)(equals ? equals - text : (ptrdiff_t)strlen(text)), text);

	return lcx_network_set_option(network, key, equals ? equals + 1 : "", err);
}

static const struct {
	size_t offset;
	int (*add)(struct lcx_network *network, const char *value, struct lcx_error **err);
} adders[] = {
	{offsetof(struct create_options, options), add_option},
	{offsetof(struct create_options, subnets), lcx_network_add_subnet},
	{offsetof(struct create_options, gateways), lcx_network_set_gateway},
	{offsetof(struct create_options, ranges), lcx_network_set_range},
	{offsetof(struct create_options, aux_addresses), add_aux_address},
};

static int add_lists(struct lcx_network *network, const struct create_options *o,
		     struct lcx_error **err)
{
	int r = 0;

	for (size_t i = 0; i < sizeof(adders) / sizeof(*adders); i++) {
		const struct list *list = (const struct list *)((const char *)o + adders[i].offset);

		for (size_t n = 0; r == 0 && n < list->count; n++)
			r = adders[i].add(network, list->items[n], err);
	}
	return r;
}

static int create(struct app *app, const char *name, const struct create_options *o,
		  struct lcx_error **err)
{
	CLEANUP(lcx_network_freep) struct lcx_network *network = NULL;
	int r = lcx_network_new(name, &network, err);

	for (size_t i = 0; r == 0 && i < sizeof(setters) / sizeof(*setters); i++) {
		const char *value = *(const char *const *)((const char *)o + setters[i].offset);

		if (value)
			r = setters[i].set(network, value, err);
	}
	if (r == 0)
		r = add_lists(network, o, err);
	if (r == 0)
		r = lcx_network_set_ipv4(network, o->ipv4, err);
	if (r == 0 && o->ipv6)
		r = lcx_network_set_ipv6(network, true, err);
	if (r == 0 && o->internal)
		r = lcx_network_set_internal(network, true, err);
	return r == 0 ? lcx_network_create(app->ctx, network, err) : r;
}

static int network_create(struct app *app, int argc, char **argv)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	CLEANUP(create_options_free) struct create_options o = {.ipv4 = true};
	int code;

	if (!app_begin(app, &create_grammar, &o, &argc, argv, &code))
		return code;
	if (create(app, argv[0], &o, &err) < 0) {
		app_report(app, &err);
		return EXIT_COMMAND_FAILED;
	}
	puts(argv[0]);
	return EXIT_SUCCESS;
}

/* ---- inspect -------------------------------------------------------------- */

static const struct grammar inspect_grammar = {
	.operands = "NAME...",
	.about = "Print networks and who is attached to them, as a JSON array.",
	.min = 1,
	.max = -1,
	.takes_template = true,
};

static int network_inspect(struct app *app, int argc, char **argv)
{
	struct documents documents = {app, 0};
	int code;

	if (!app_begin(app, &inspect_grammar, NULL, &argc, argv, &code))
		return code;
	code = EXIT_SUCCESS;
	documents_begin(&documents);
	for (int i = 0; i < argc; i++) {
		CLEANUP(lcx_string_freep) char *json = NULL;
		struct lcx_error *err = NULL;

		if (lcx_network_inspect(app->ctx, argv[i], &json, &err) < 0) {
			app_report(app, &err);
			code = EXIT_COMMAND_FAILED;
		} else if (!documents_add(&documents, json)) {
			code = EXIT_COMMAND_FAILED;
		}
	}
	documents_end(&documents);
	return code;
}

/* ---- rm ------------------------------------------------------------------- */

static const struct grammar rm_grammar = {
	.operands = "NAME...",
	.about = "Remove networks to which nothing is attached.",
	.min = 1,
	.max = -1,
};

static int remove_one(struct app *app, const char *name, void *data, struct lcx_error **err)
{
	(void)data;
	return lcx_network_remove(app->ctx, name, err);
}

static int network_rm(struct app *app, int argc, char **argv)
{
	int code;

	if (!app_begin(app, &rm_grammar, NULL, &argc, argv, &code))
		return code;
	return app_each(app, argc, argv, remove_one, NULL);
}

/* ---- reload --------------------------------------------------------------- */

static const struct grammar reload_grammar = {
	.about = "Put the rules and published ports back, after somebody flushed the firewall.",
};

static int network_reload(struct app *app, int argc, char **argv)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	int code;

	if (!app_begin(app, &reload_grammar, NULL, &argc, argv, &code))
		return code;
	if (lcx_net_reload(app->ctx, &err) < 0) {
		app_report(app, &err);
		return EXIT_COMMAND_FAILED;
	}
	return EXIT_SUCCESS;
}

/* ---- connect, disconnect --------------------------------------------------- */

struct connect_options {
	struct list ips, ip6s, mac_addresses, interfaces, gw_priorities, aliases, egress_rates,
		ingress_rates, driver_options, ports;
	bool hairpin, promiscuous;
};

/* How the attachment calls what stands there. */
static const struct {
	const char *key;
	size_t offset;
} attachment_options[] = {
	{"ip", offsetof(struct connect_options, ips)},
	{"ip6", offsetof(struct connect_options, ip6s)},
	{"mac-address", offsetof(struct connect_options, mac_addresses)},
	{"interface-name", offsetof(struct connect_options, interfaces)},
	{"gw-priority", offsetof(struct connect_options, gw_priorities)},
	{"alias", offsetof(struct connect_options, aliases)},
	{"egress-rate", offsetof(struct connect_options, egress_rates)},
	{"ingress-rate", offsetof(struct connect_options, ingress_rates)},
	{"driver-opt", offsetof(struct connect_options, driver_options)},
};

static struct list *list_of(struct connect_options *o, size_t i)
{
	return (struct list *)((char *)o + attachment_options[i].offset);
}

static void connect_options_free(struct connect_options *o)
{
	for (size_t i = 0; i < sizeof(attachment_options) / sizeof(*attachment_options); i++)
		list_free(list_of(o, i));
	list_free(&o->ports);
}

#define CONNECT(letter, name, member, argument, help)                                              \
	{                                                                                          \
		letter, name, OPTION_LIST, offsetof(struct connect_options, member), argument,     \
			help                                                                       \
	}

#define CONNECT_FLAG(name, member, help)                                                           \
	{                                                                                          \
		'\0', name, OPTION_FLAG, offsetof(struct connect_options, member), NULL, help      \
	}

static const struct option_row connect_rows[] = {
	CONNECT('\0', "ip", ips, "ADDRESS", "a certain IPv4 address"),
	CONNECT('\0', "ip6", ip6s, "ADDRESS", "a certain IPv6 address"),
	CONNECT('\0', "mac-address", mac_addresses, "MAC", "of the interface"),
	CONNECT('\0', "interface", interfaces, "NAME", "in the container: eth1"),
	CONNECT('\0', "gw-priority", gw_priorities, "NUMBER",
		"the highest gives the default route; 0"),
	CONNECT('\0', "alias", aliases, "NAME", "one more name in the network"),
	CONNECT('\0', "egress-rate", egress_rates, "RATE", "what it sends: 10m bits per second"),
	CONNECT('\0', "ingress-rate", ingress_rates, "RATE", "what it receives"),
	CONNECT_FLAG("hairpin", hairpin, "what it sends may come back to it"),
	CONNECT_FLAG("promiscuous", promiscuous, "it takes frames for other MAC addresses"),
	CONNECT('\0', "driver-opt", driver_options, "KEY=VALUE",
		"com.docker.network.endpoint.sysctls=net.ipv4.conf.IFNAME.NAME=VALUE"),
	CONNECT('p', "publish", ports, "PORT", "as of run"),
	{0},
};

static const struct grammar connect_grammar = {
	.operands = "NETWORK CONTAINER",
	.about = "Attach a container that runs to one more network, until it stops.",
	.rows = connect_rows,
	.min = 2,
	.max = 2,
};

static int add_ports(struct lcx_attachment *attachment, const struct list *ports,
		     struct lcx_error **err)
{
	int r = 0;

	for (size_t i = 0; i < ports->count && r == 0; i++) {
		CLEANUP(lcx_port_freep) struct lcx_port *port = NULL;

		r = lcx_port_parse(ports->items[i], &port, err);
		if (r == 0)
			r = lcx_attachment_add_port(attachment, port, err);
	}
	return r;
}

static int connect_container(struct app *app, const char *network, const char *name,
			     struct connect_options *o, struct lcx_error **err)
{
	CLEANUP(lcx_container_freep) struct lcx_container *container = NULL;
	CLEANUP(lcx_attachment_freep) struct lcx_attachment *attachment = NULL;
	int r = lcx_container_open(app->ctx, name, &container, err);

	if (r == 0)
		r = lcx_attachment_new(lcx_container_id(container), &attachment, err);
	for (size_t i = 0; r == 0 && i < sizeof(attachment_options) / sizeof(*attachment_options);
	     i++)
		r = attachment_add_options(attachment, attachment_options[i].key, list_of(o, i),
					   err);
	if (r == 0)
		r = lcx_attachment_set_hairpin(attachment, o->hairpin, err);
	if (r == 0)
		r = lcx_attachment_set_promiscuous(attachment, o->promiscuous, err);
	if (r == 0)
		r = add_ports(attachment, &o->ports, err);
	return r == 0 ? lcx_container_connect(container, network, attachment, err) : r;
}

static int network_connect(struct app *app, int argc, char **argv)
{
	CLEANUP(connect_options_free) struct connect_options o = {0};
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	int code;

	if (!app_begin(app, &connect_grammar, &o, &argc, argv, &code))
		return code;
	if (connect_container(app, argv[0], argv[1], &o, &err) < 0) {
		app_report(app, &err);
		return EXIT_COMMAND_FAILED;
	}
	return EXIT_SUCCESS;
}

static const struct grammar disconnect_grammar = {
	.operands = "NETWORK CONTAINER",
	.about = "Take a container off a network.",
	.min = 2,
	.max = 2,
};

static int network_disconnect(struct app *app, int argc, char **argv)
{
	CLEANUP(lcx_container_freep) struct lcx_container *container = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	int code;

	if (!app_begin(app, &disconnect_grammar, NULL, &argc, argv, &code))
		return code;
	if (lcx_container_open(app->ctx, argv[1], &container, &err) < 0 ||
	    lcx_container_disconnect(container, argv[0], &err) < 0) {
		app_report(app, &err);
		return EXIT_COMMAND_FAILED;
	}
	return EXIT_SUCCESS;
}

/* ---- the group ------------------------------------------------------------- */

static const struct command commands[] = {
	{"ls", network_ls, "list networks"},
	{"create", network_create, "create a network"},
	{"inspect", network_inspect, "print networks and who is attached"},
	{"rm", network_rm, "remove networks"},
	{"connect", network_connect, "attach a running container"},
	{"disconnect", network_disconnect, "take a container off a network"},
	{"trace", network_trace, "show the path of a container's packets"},
	{"reload", network_reload, "put the firewall's rules back"},
	{0},
};

static const struct command_group group = {"network", commands,
					   "no command: ls, create, inspect, rm, connect, "
					   "disconnect, trace or reload"};

int cmd_network(struct app *app, int argc, char **argv)
{
	return app_group(app, &group, argc, argv);
}
