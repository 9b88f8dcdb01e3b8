/* SPDX-License-Identifier: MIT */
#include "host-calls.h"

static struct lcx_network *network;
static struct lcx_attachment *attachment;
static struct lcx_port *port;

static int create_network(struct world *w, struct lcx_error **err)
{
	MUST(lcx_network_new("guest", &network, err));
	MUST(lcx_network_set_driver(network, "bridge", err));
	MUST(lcx_network_set_subnet(network, "10.9.9.0/24", err));
	MUST(lcx_network_set_gateway(network, "10.9.9.1", err));
	MUST(lcx_network_set_bridge(network, "lcxhost9", err));
	MUST(lcx_network_set_mtu(network, 1400, err));
	MUST(lcx_network_set_internal(network, false, err));
	MUST(lcx_network_set_resolver(network, "program", err));
	REFUSED(lcx_network_set_resolver(network, "x", err));
	MUST(lcx_network_add_subnet(network, "fd00:9:9::/64", err));
	MUST(lcx_network_set_range(network, "10.9.9.0/25", err));
	MUST(lcx_network_add_exclusion(network, "10.9.9.9", err));
	MUST(lcx_network_set_ipv4(network, true, err));
	MUST(lcx_network_set_ipv6(network, true, err));
	REFUSED(lcx_network_add_subnet(network, "10.9.9.0/25", err));
	return lcx_network_create(w->ctx, network, err);
}

static int look_at_network(struct world *w, struct lcx_error **err)
{
	static const char *(*const texts[])(const struct lcx_network *) = {
		lcx_network_name,    lcx_network_driver, lcx_network_subnet,
		lcx_network_gateway, lcx_network_bridge, lcx_network_created,
		lcx_network_parent,  lcx_network_mode,   lcx_network_resolver};
	static const char *(*const nth[])(const struct lcx_network *, uint32_t) = {
		lcx_network_subnet_at, lcx_network_gateway_at, lcx_network_range_at,
		lcx_network_exclusion};
	struct lcx_network_list *list = NULL;
	char *text = NULL;

	ALL(texts, network);
	ALL(nth, network, 0);
	ALL(nth, network, 99);
	(void)lcx_network_subnet_count(network), (void)lcx_network_exclusion_count(network);
	(void)lcx_network_mtu(network), (void)lcx_network_internal(network);
	MUST(lcx_network_inspect(w->ctx, "guest", &text, err));
	lcx_string_free(text);
	MUST(lcx_network_list_open(w->ctx, &list, err));
	while (lcx_network_list_next(list))
		;
	lcx_network_list_free(list);
	network = lcx_network_free(network);
	return 0;
}

static int refuse_networks(struct world *w, struct lcx_error **err)
{
	struct lcx_network *other = NULL;
	char *text = NULL;

	MUST(lcx_network_new("guest", &other, err));
	REFUSED(lcx_network_set_subnet(other, "x", err));
	REFUSED(lcx_network_set_driver(other, "x", err));
	MUST(lcx_network_set_subnet(other, "10.9.3.0/24", err));
	MUST(lcx_network_set_driver(other, "macvlan", err));
	MUST(lcx_network_set_parent(other, "nosuch0", err));
	MUST(lcx_network_set_mode(other, "private", err));
	REFUSED(lcx_network_set_mode(other, "l3", err));
	MUST(lcx_network_set_option(other, "mtu", "1400", err));
	REFUSED(lcx_network_set_option(other, "colour", "red", err));
	REFUSED(lcx_network_set_option(other, "hairpin", "true", err));
	MUST(lcx_network_set_hairpin(other, false, err));
	MUST(lcx_network_set_promiscuous(other, false, err));
	(void)lcx_network_hairpin(other), (void)lcx_network_promiscuous(other);
	MUST(lcx_network_set_driver(other, "bridge", err));
	REFUSED(lcx_network_create(w->ctx, other, err));
	other = lcx_network_free(other);
	REFUSED(lcx_network_open(w->ctx, "none", &other, err));
	REFUSED(lcx_network_inspect(w->ctx, "none", &text, err));
	REFUSED(lcx_network_remove(w->ctx, "none", err));
	MUST(lcx_network_detach(w->ctx, "none", "nobody", err)); /* nothing to do */
	REFUSED(lcx_attachment_open(w->ctx, "guest", "nobody", &attachment, err));
	return 0;
}

static int make_ports(struct world *w, struct lcx_error **err)
{
	struct lcx_port *other = NULL;

	(void)w;
	MUST(lcx_port_parse("127.0.0.1:18080:80/tcp", &other, err));
	(void)lcx_port_host_address(other), (void)lcx_port_host_port(other);
	(void)lcx_port_container_port(other), (void)lcx_port_protocol(other);
	(void)lcx_port_count(other);
	other = lcx_port_free(other);
	MUST(lcx_port_new(80, &port, err));
	MUST(lcx_port_set_host_address(port, "127.0.0.1", err));
	MUST(lcx_port_set_host_port(port, 18081, err));
	MUST(lcx_port_set_protocol(port, "tcp", err));
	MUST(lcx_port_set_count(port, 1, err));
	REFUSED(lcx_port_set_protocol(port, "x", err));
	REFUSED(lcx_port_parse("x", &other, err));
	return 0;
}

static int attach(struct world *w, int ns_fd, int netlink_fd, struct lcx_error **err)
{
	MUST(lcx_network_open(w->ctx, "guest", &network, err));
	MUST(lcx_attachment_new("somebody", &attachment, err));
	MUST(lcx_attachment_set_interface(attachment, "eth7", err));
	MUST(lcx_attachment_set_address(attachment, "10.9.9.7", err));
	MUST(lcx_attachment_set_mac(attachment, "02:00:00:00:00:07", err));
	MUST(lcx_attachment_add_alias(attachment, "db", err));
	MUST(lcx_attachment_set_option(attachment, "alias", "store", err));
	MUST(lcx_attachment_set_rates(attachment, 0, 0, err));
	MUST(lcx_attachment_set_hairpin(attachment, true, err));
	MUST(lcx_attachment_set_promiscuous(attachment, false, err));
	(void)lcx_attachment_hairpin(attachment), (void)lcx_attachment_promiscuous(attachment);
	MUST(lcx_attachment_add_sysctl(attachment, "net.ipv4.conf.IFNAME.log_martians", "1", err));
	REFUSED(lcx_attachment_add_sysctl(attachment, "net.ipv4.ip_forward", "1", err));
	(void)lcx_attachment_sysctl_count(attachment), (void)lcx_attachment_sysctl(attachment, 0);
	REFUSED(lcx_attachment_set_option(attachment, "nonsense", "", err));
	REFUSED(lcx_attachment_set_rates(attachment, 1, 0, err));
	MUST(lcx_attachment_add_port(attachment, port, err));
	REFUSED(lcx_attachment_set_mac(attachment, "x", err));
	REFUSED(lcx_network_attach(w->ctx, network, attachment, -1, -1, err));
	return lcx_network_attach(w->ctx, network, attachment, ns_fd, netlink_fd, err);
}

static int attach_to_network(struct world *w, struct lcx_error **err)
{
	struct lcx_netlink *nl = NULL;
	struct lcx_ns_set *set = NULL;
	char *text = NULL;
	int ns_fd;

	MUST(lcx_ns_create(LCX_NS_NET, NULL, &set, err));
	ns_fd = lcx_ns_set_fd(set, LCX_NS_NET);
	MUST(lcx_netlink_open_netns(ns_fd, &nl, err));
	MUST(attach(w, ns_fd, lcx_netlink_fd(nl), err));
	attachment = lcx_attachment_free(attachment);
	MUST(lcx_net_reload(w->ctx, err));
	MUST(lcx_net_trace(w->ctx, "somebody", ns_fd, &text, err));
	lcx_string_free(text);
	MUST(lcx_attachment_open(w->ctx, "guest", "somebody", &attachment, err));
	port = lcx_port_free(port);
	network = lcx_network_free(network);
	lcx_netlink_free(nl);
	lcx_ns_set_free(set);
	return 0;
}

static int look_at_attachment(struct world *w, struct lcx_error **err)
{
	static const char *(*const texts[])(const struct lcx_attachment *) = {
		lcx_attachment_owner,   lcx_attachment_network,        lcx_attachment_interface,
		lcx_attachment_address, lcx_attachment_gateway,        lcx_attachment_mac,
		lcx_attachment_bridge,  lcx_attachment_host_interface,
	};

	ALL(texts, attachment);
	(void)lcx_attachment_prefix(attachment), (void)lcx_attachment_prefix6(attachment);
	(void)lcx_attachment_address6(attachment), (void)lcx_attachment_gateway6(attachment);
	for (uint32_t i = 0; i < lcx_attachment_alias_count(attachment); i++)
		(void)lcx_attachment_alias(attachment, i);
	(void)lcx_attachment_gateway_priority(attachment);
	(void)lcx_attachment_egress_bits(attachment), (void)lcx_attachment_ingress_bits(attachment);
	for (uint32_t i = 0; i < lcx_attachment_port_count(attachment); i++)
		(void)lcx_port_host_port(lcx_attachment_port(attachment, i));
	attachment = lcx_attachment_free(attachment);
	return lcx_network_detach(w->ctx, "guest", "somebody", err);
}

static int watch_firewall(struct world *w, struct lcx_error **err)
{
	struct lcx_net_watch *watch = NULL;

	MUST(lcx_net_watch_open(w->ctx, &watch, err));
	(void)lcx_net_watch_fd(watch);
	MUST(lcx_net_watch_dispatch(watch, err));
	lcx_net_watch_free(watch);
	return 0;
}

static int resolve_names(struct world *w, struct lcx_error **err)
{
	struct lcx_resolver *resolver = NULL, *other = NULL;

	MUST(lcx_resolver_open(w->ctx, "guest", &resolver, err));
	REFUSED(lcx_resolver_open(w->ctx, "guest", &other, err));
	REFUSED(lcx_resolver_open(w->ctx, "bridge", &other, err));
	(void)lcx_resolver_fd(resolver);
	MUST(lcx_resolver_dispatch(resolver, err));
	lcx_resolver_free(resolver);
	return 0;
}

static int write_files(struct world *w, struct lcx_error **err)
{
	char *text = NULL;

	(void)w;
	MUST(lcx_net_hosts_file("guest", "10.9.9.7", &text, err));
	text = lcx_string_free(text);
	MUST(lcx_net_hostname_file("guest", &text, err));
	text = lcx_string_free(text);
	MUST(lcx_net_resolv_conf("nameserver 127.0.0.1\n", NULL, NULL, NULL, true, &text, err));
	text = lcx_string_free(text);
	REFUSED(lcx_net_hostname_file("not a name\n", &text, err));
	return 0;
}

static int remove_network(struct world *w, struct lcx_error **err)
{
	return lcx_network_remove(w->ctx, "guest", err);
}

/* From refuse_networks on, the context has a socket of the firewall's. */
const struct row rows_net[] = {
	ROW(create_network, HELD),         ROW(look_at_network, RELEASED),
	ROW(refuse_networks, BASE),        ROW(make_ports, RELEASED),
	ROW(attach_to_network, HELD),      ROW(resolve_names, HELD),
	ROW(look_at_attachment, RELEASED), ROW(watch_firewall, RELEASED),
	ROW(write_files, RELEASED),        {0},
};

const struct row rows_net_remove[] = {
	ROW(remove_network, RELEASED),
	{0},
};
