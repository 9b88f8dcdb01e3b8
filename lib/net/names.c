/* SPDX-License-Identifier: MIT */
#include "net/names.h"

#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <string.h>
#include <sys/inotify.h>

#include "dns/table.h"
#include "net/net-internal.h"
#include "util/fs.h"
#include "util/weaken.h"

#define RESOLV_CONF "/etc/resolv.conf"

enum { SHORT_ID = 12 };

struct reading {
	const struct lcx__names_source *source;
	struct lcx__dns_builder builder;
	struct lcx__inet gateways[NET_SUBNETS_LIMIT]; /* of the own network */
	uint32_t n_gateways;
};

/* ---- containers ---- */

static int open_records(const struct lcx__names_source *source, const char *network)
{
	return lcx__open_dir(source->run_fd, network);
}

/* The first of its names; a long identifier is not one. */
static void usual_name(const struct lcx_attachment *record, char name[static NET_NAME_SIZE])
{
	if (record->names && record->names[0])
		(void)snprintf(name, NET_NAME_SIZE, "%s", record->names[0]);
	else if (strlen(record->owner) == LCX__ID_SIZE - 1)
		(void)snprintf(name, NET_NAME_SIZE, "%.*s", SHORT_ID, record->owner);
	else
		(void)snprintf(name, NET_NAME_SIZE, "%s", record->owner);
}

static void add_names(struct lcx__dns_builder *b, uint32_t place, char *const *names)
{
	for (; names && *names; names++)
		lcx__dns_build_name(b, place, *names);
}

/* Its names, its aliases, its identifier, and the beginning of that. */
static void add_container(struct lcx__dns_builder *b, uint32_t network,
			  const struct lcx_attachment *record)
{
	struct lcx__inet addresses[NET_FAMILIES] = {{0}};
	char name[NET_NAME_SIZE], id[SHORT_ID + 1];
	uint32_t place;

	for (size_t i = 0; i < NET_FAMILIES; i++)
		if (lcx__inet_parse_address(record->addresses[i].address, &addresses[i]) < 0)
			addresses[i].family = 0;
	usual_name(record, name);
	place = lcx__dns_build_place(b, network, record->owner, name, addresses, NET_FAMILIES);
	add_names(b, place, record->names);
	add_names(b, place, record->aliases);
	lcx__dns_build_name(b, place, record->owner);
	if (strlen(record->owner) == LCX__ID_SIZE - 1) {
		(void)snprintf(id, sizeof(id), "%.*s", SHORT_ID, record->owner);
		lcx__dns_build_name(b, place, id);
	}
}

/* Those on ::1. */
static void add_ports(struct lcx__dns_builder *b, const struct lcx_attachment *record)
{
	for (size_t i = 0; i < record->port_count; i++) {
		const struct lcx_port *port = &record->ports[i];
		struct dns_port entry = {
			.host_port = port->host_port,
			.container_port = port->container_port,
			.count = port->count,
		};

		if (lcx__port_is_on_loopback6(port) &&
		    lcx__inet_parse_address(record->addresses[NET_V6].address, &entry.address) == 0)
			lcx__dns_build_port(b, &entry);
	}
}

/* A record that is being made, or damaged, is none: there is nobody to tell. */
static int add_network(struct reading *reading, const char *name, struct lcx_network **ret)
{
	CLEANUP(closep) int records_fd = open_records(reading->source, name);
	CLEANUP(lcx_network_freep) struct lcx_network *network = NULL;
	CLEANUP(lcx__strv_freep) char **owners = NULL;
	uint32_t number;
	int r = records_fd;

	if (r >= 0)
		r = lcx__network_read_addresses(reading->source->networks_fd, name, &network, NULL);
	if (r >= 0)
		r = lcx__net_list_names(records_fd, false, &owners);
	if (r < 0)
		return r;
	number = lcx__dns_build_network(&reading->builder, name, network->internal);
	for (uint32_t i = 0; i < network->subnet_count; i++) {
		struct lcx__inet subnet;

		if (lcx__inet_parse(network->subnets[i].subnet, &subnet) == 0)
			lcx__dns_build_subnet(&reading->builder, number, &subnet);
	}
	for (size_t i = 0; owners[i]; i++) {
		CLEANUP(lcx_attachment_freep) struct lcx_attachment *record = NULL;

		if (lcx__record_read(records_fd, owners[i], &record, NULL) < 0)
			continue;
		add_container(&reading->builder, number, record);
		if (number == 0)
			add_ports(&reading->builder, record);
	}
	*ret = TAKE_PTR(network);
	return 0;
}

/* Is one of these attached there, too? */
static bool shares_owner(const struct lcx__names_source *source, const char *network,
			 char *const *owners)
{
	CLEANUP(closep) int records_fd = open_records(source, network);
	char file[NET_NAME_SIZE + 5];

	for (; records_fd >= 0 && *owners; owners++) {
		(void)snprintf(file, sizeof(file), "%s.json", *owners);
		if (faccessat(records_fd, file, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			return true;
	}
	return false;
}

static int add_other_networks(struct reading *reading)
{
	const struct lcx__names_source *source = reading->source;
	CLEANUP(closep) int records_fd = open_records(source, source->network);
	CLEANUP(lcx__strv_freep) char **owners = NULL, **networks = NULL;
	int r = records_fd < 0 ? records_fd : lcx__net_list_names(records_fd, false, &owners);

	if (r == 0)
		r = lcx__net_list_names(source->run_fd, true, &networks);
	for (size_t i = 0; r == 0 && networks[i]; i++) {
		CLEANUP(lcx_network_freep) struct lcx_network *network = NULL;

		if (strcmp(networks[i], source->network) != 0 &&
		    shares_owner(source, networks[i], owners))
			(void)add_network(reading, networks[i], &network);
	}
	return r;
}

/* ---- servers ---- */

/* To ask oneself would be a ring. */
static bool is_gateway(const struct reading *reading, const struct lcx__inet *address)
{
	for (uint32_t i = 0; i < reading->n_gateways; i++)
		if (lcx__inet_same(&reading->gateways[i], address, address->prefix))
			return true;
	return false;
}

/* "127.0.0.53", or "fe80::1%eth0". */
static void add_server(struct reading *reading, char *text)
{
	struct dns_server_address server = {.port = DNS_PORT};
	char *scope = strchr(text, '%');

	if (scope) {
		*scope++ = '\0';
		server.scope = if_nametoindex(scope);
	}
	if (lcx__inet_parse_address(text, &server.address) == 0 &&
	    !is_gateway(reading, &server.address))
		lcx__dns_build_server(&reading->builder, &server);
}

/* The host's, loopback or not: it is from the host that they are asked. */
static int add_servers(struct reading *reading)
{
	CLEANUP(freep) char *text = NULL;
	char *rest, *line;
	int r = lcx_net_resolv_conf(NULL, NULL, NULL, NULL, true, &text, NULL);

	for (rest = text; r == 0 && (line = strsep(&rest, "\n"));)
		if (strncmp(line, "nameserver ", 11) == 0)
			add_server(reading, line + 11);
	return r;
}

static void note_gateways(struct reading *reading, const struct lcx_network *network)
{
	for (uint32_t i = 0; i < network->subnet_count; i++)
		if (lcx__inet_parse_address(network->subnets[i].gateway,
					    &reading->gateways[reading->n_gateways]) == 0)
			reading->n_gateways++;
	reading->builder.head.internal = network->internal && !lcx__is_off(NAMES);
}

int lcx__names_read(const struct lcx__names_source *source, void **ret, size_t *ret_size)
{
	struct reading reading = {.source = source};
	CLEANUP(lcx_network_freep) struct lcx_network *network = NULL;
	int r = add_network(&reading, source->network, &network);

	if (r == 0) {
		note_gateways(&reading, network);
		r = add_other_networks(&reading);
	}
	if (r == 0 && (!network->internal || lcx__is_off(NAMES)))
		r = add_servers(&reading);
	if (r == 0)
		r = lcx__dns_build_end(&reading.builder, ret, ret_size);
	lcx__dns_builder_free(&reading.builder);
	return r;
}

/* ---- news ---- */

enum {
	RECORDS_EVENTS = IN_MOVED_TO | IN_DELETE | IN_ONLYDIR,
	NETWORKS_EVENTS = IN_CREATE | IN_MOVED_TO | IN_ONLYDIR,
	FILE_EVENTS = IN_CLOSE_WRITE | IN_CREATE | IN_MOVED_TO | IN_ONLYDIR,
};

static int watch_fd(int inotify_fd, int dir_fd, uint32_t events)
{
	char path[32];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d/.", dir_fd);
	return inotify_add_watch(inotify_fd, path, events) < 0 ? -errno : 0;
}

/* The file, its directory, and that of what it points to: it may be replaced in either. */
static void watch_resolv_conf(int inotify_fd)
{
	char path[PATH_MAX], *slash;

	(void)inotify_add_watch(inotify_fd, RESOLV_CONF, IN_CLOSE_WRITE);
	(void)inotify_add_watch(inotify_fd, "/etc", FILE_EVENTS);
	if (!realpath(RESOLV_CONF, path))
		return;
	slash = strrchr(path, '/');
	*slash = '\0';
	if (slash != path && strcmp(path, "/etc") != 0)
		(void)inotify_add_watch(inotify_fd, path, FILE_EVENTS);
}

int lcx__names_watch(const struct lcx__names_source *source, int inotify_fd)
{
	CLEANUP(lcx__strv_freep) char **networks = NULL;
	int r = watch_fd(inotify_fd, source->run_fd, NETWORKS_EVENTS), own = -ENOENT;

	if (r == 0)
		r = watch_fd(inotify_fd, source->networks_fd, IN_MOVED_TO | IN_ONLYDIR);
	if (r == 0)
		r = lcx__net_list_names(source->run_fd, true, &networks);
	for (size_t i = 0; r == 0 && networks[i]; i++) {
		CLEANUP(closep) int records_fd = open_records(source, networks[i]);
		int watched = records_fd < 0 ? records_fd
					     : watch_fd(inotify_fd, records_fd, RECORDS_EVENTS);

		if (strcmp(networks[i], source->network) == 0)
			own = watched;
	}
	watch_resolv_conf(inotify_fd);
	return r < 0 ? r : own;
}

int lcx__names_news(int inotify_fd)
{
	_Alignas(struct inotify_event) char events[16384];
	int news = 0;

	for (;;) {
		ssize_t n = read(inotify_fd, events, sizeof(events));

		if (n > 0)
			news = 1;
		else if (n == 0 || errno == EAGAIN)
			return news;
		else if (errno != EINTR)
			return -errno;
	}
}
