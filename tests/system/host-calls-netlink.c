/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host-calls.h"

static struct lcx_netlink *nl;
static uint32_t bridge, veth;

static int open_netlink(struct world *w, struct lcx_error **err)
{
	(void)w;
	MUST(lcx_netlink_open(&nl, err));
	return lcx_netlink_fd(nl);
}

/* Its descriptor stays the caller's, whatever becomes of the handle. */
static int open_netlink_of_a_socket(struct world *w, struct lcx_error **err)
{
	struct lcx_netlink *of_fd = NULL;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0);

	(void)w;
	MUST(lcx_netlink_open_fd(fd, &of_fd, err));
	lcx_netlink_free(of_fd);
	of_fd = NULL;
	close(fd);
	REFUSED(lcx_netlink_open_fd(-1, &of_fd, err));
	return 0;
}

static int open_netlink_in_a_namespace(struct world *w, struct lcx_error **err)
{
	struct lcx_netlink *inside = NULL;
	struct lcx_ns_set *set = NULL;

	MUST(lcx_ns_create(LCX_NS_NET, NULL, &set, err));
	MUST(lcx_netlink_open_netns(lcx_ns_set_fd(set, LCX_NS_NET), &inside, err));
	lcx_netlink_free(inside);
	lcx_ns_set_free(set);
	inside = NULL;
	REFUSED(lcx_netlink_open_netns(w->dir_fd, &inside, err));
	REFUSED(lcx_netlink_open_netns(-1, &inside, err));
	return 0;
}

static int create_bridge(struct world *w, struct lcx_error **err)
{
	struct lcx_link_config *config = NULL;
	struct lcx_link *link = NULL;

	(void)w;
	MUST(lcx_link_config_new(&config, err));
	MUST(lcx_link_config_set_mtu(config, 1400, err));
	MUST(lcx_link_config_set_mac(config, "02:00:00:00:00:01", err));
	MUST(lcx_link_config_set_alias(config, "a bridge", err));
	MUST(lcx_link_config_set_up(config, true, err));
	MUST(lcx_bridge_create(nl, "lcxhost0", config, err));
	lcx_link_config_free(config);
	MUST(lcx_link_open(nl, "lcxhost0", &link, err));
	bridge = lcx_link_index(link);
	lcx_link_free(link);
	return 0;
}

static int create_veth(struct world *w, struct lcx_error **err)
{
	struct lcx_link_config *config = NULL;
	struct lcx_link *link = NULL;
	int own_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	(void)w;
	MUST(lcx_link_config_new(&config, err));
	MUST(lcx_link_config_set_master(config, bridge, err));
	MUST(lcx_link_config_set_netns_fd(config, own_fd, err));
	MUST(lcx_veth_create(nl, "lcxhost1", config, "lcxhost2", NULL, err));
	lcx_link_config_free(config);
	close(own_fd);
	MUST(lcx_link_open(nl, "lcxhost1", &link, err));
	veth = lcx_link_index(link);
	lcx_link_free(link);
	return 0;
}

static int refuse_links(struct world *w, struct lcx_error **err)
{
	struct lcx_link_config *config = NULL;
	struct lcx_link *link = NULL;

	(void)w;
	REFUSED(lcx_bridge_create(nl, "lcxhost0", NULL, err));
	REFUSED(lcx_bridge_create(nl, "a name that is too long", NULL, err));
	REFUSED(lcx_veth_create(nl, "lcxhost1", NULL, "lcxhost2", NULL, err));
	REFUSED(lcx_link_open(nl, "none", &link, err));
	REFUSED(lcx_link_open_index(nl, 99999, &link, err));
	REFUSED(lcx_link_destroy(nl, 99999, err));
	MUST(lcx_link_config_new(&config, err));
	REFUSED(lcx_link_config_set_mac(config, "x", err));
	lcx_link_config_free(config);
	return 0;
}

static int list_links(struct world *w, struct lcx_error **err)
{
	static uint32_t (*const numbers[])(const struct lcx_link *) = {
		lcx_link_index, lcx_link_mtu, lcx_link_master, lcx_link_flags};
	static const char *(*const texts[])(const struct lcx_link *) = {
		lcx_link_name, lcx_link_kind, lcx_link_alias, lcx_link_mac};
	struct lcx_link_list *links = NULL;
	const struct lcx_link *link;

	(void)w;
	MUST(lcx_link_list_open(nl, 0, &links, err));
	while ((link = lcx_link_list_next(links))) {
		ALL(numbers, link);
		ALL(texts, link);
	}
	lcx_link_list_free(links);
	return 0;
}

static int change_links(struct world *w, struct lcx_error **err)
{
	struct lcx_link *link = NULL;

	(void)w;
	MUST(lcx_link_set_master(nl, veth, 0, err));
	MUST(lcx_link_set_name(nl, veth, "lcxhost3", err));
	MUST(lcx_link_set_alias(nl, veth, "an end", err));
	MUST(lcx_link_set_mtu(nl, veth, 1300, err));
	MUST(lcx_link_set_up(nl, veth, true, err));
	MUST(lcx_link_open_index(nl, veth, &link, err));
	lcx_link_free(link);
	REFUSED(lcx_link_set_mtu(nl, veth, UINT32_MAX, err));
	REFUSED(lcx_link_set_name(nl, veth, "lcxhost0", err));
	REFUSED(lcx_link_set_up(nl, 99999, true, err));
	return 0;
}

static int change_addresses(struct world *w, struct lcx_error **err)
{
	struct lcx_address_list *list = NULL;

	(void)w;
	MUST(lcx_address_add(nl, veth, "10.9.7.1/24", err));
	MUST(lcx_address_add(nl, veth, "10.9.6.1/24", err));
	MUST(lcx_address_remove(nl, veth, "10.9.6.1/24", err));
	MUST(lcx_address_list_open(nl, veth, &list, err));
	while (lcx_address_list_next(list))
		(void)lcx_address_list_text(list), (void)lcx_address_list_index(list);
	lcx_address_list_free(list);
	REFUSED(lcx_address_add(nl, veth, "x", err));
	REFUSED(lcx_address_remove(nl, veth, "10.9.6.1/24", err));
	return 0;
}

static int change_routes(struct world *w, struct lcx_error **err)
{
	struct lcx_route_list *list = NULL;

	(void)w;
	MUST(lcx_link_set_up(nl, bridge, true, err));
	MUST(lcx_address_add(nl, bridge, "10.9.5.1/24", err));
	MUST(lcx_route_add(nl, "10.9.4.0/24", NULL, bridge, err));
	MUST(lcx_route_replace(nl, "10.9.4.0/24", "10.9.5.2", bridge, err));
	MUST(lcx_route_list_open(nl, &list, err));
	while (lcx_route_list_next(list)) {
		(void)lcx_route_list_destination(list), (void)lcx_route_list_gateway(list);
		(void)lcx_route_list_index(list);
	}
	lcx_route_list_free(list);
	MUST(lcx_route_remove(nl, "10.9.4.0/24", "10.9.5.2", bridge, err));
	REFUSED(lcx_route_remove(nl, "10.9.4.0/24", "10.9.5.2", bridge, err));
	REFUSED(lcx_route_add(nl, "x", NULL, bridge, err));
	return 0;
}

static int destroy_links(struct world *w, struct lcx_error **err)
{
	(void)w;
	MUST(lcx_link_destroy(nl, veth, err));
	return lcx_link_destroy(nl, bridge, err);
}

static int free_netlink(struct world *w, struct lcx_error **err)
{
	(void)w, (void)err;
	nl = lcx_netlink_free(nl);
	return 0;
}

const struct row rows_netlink[] = {
	ROW(open_netlink, HELD),
	ROW(open_netlink_of_a_socket, HELD),
	ROW(open_netlink_in_a_namespace, HELD),
	ROW(create_bridge, HELD),
	ROW(create_veth, HELD),
	ROW(refuse_links, HELD),
	ROW(list_links, HELD),
	ROW(change_links, HELD),
	ROW(change_addresses, HELD),
	ROW(change_routes, HELD),
	ROW(destroy_links, HELD),
	ROW(free_netlink, RELEASED),
	{0},
};
