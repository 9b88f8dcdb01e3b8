/* SPDX-License-Identifier: MIT */

/* Who resolves names for a network: what is asked for, and the resolver in a program's own loop. */
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "dns/server.h"
#include "net/monitor.h"
#include "net/names.h"
#include "util/fs.h"

static const char *const words[] = {
	[NET_RESOLVER_UNSET] = "",
	[NET_RESOLVER_NONE] = "none",
	[NET_RESOLVER_MONITOR] = "monitor",
	[NET_RESOLVER_PROGRAM] = "program",
};

LCX_PUBLIC int lcx_network_set_resolver(struct lcx_network *network, const char *resolver,
					struct lcx_error **err)
{
	for (size_t i = NET_RESOLVER_NONE; i < ARRAY_SIZE(words); i++)
		if (strcmp(words[i], resolver) == 0) {
			network->resolver = (enum net_resolver)i;
			return 0;
		}
	return lcx__fail(
		err, EINVAL,
		"network '%s': '%s' is no resolver; there are \"monitor\", \"program\" and "
		"\"none\"",
		network->name, resolver);
}

LCX_PUBLIC const char *lcx_network_resolver(const struct lcx_network *network)
{
	return words[network->resolver];
}

/* Docker's default network has none; and with macvlan and ipvlan this host is at no address of it.
 */
int lcx__resolver_settle(struct lcx_network *network, struct lcx_error **err)
{
	bool possible = strcmp(network->driver, "bridge") == 0;

	if (network->resolver == NET_RESOLVER_UNSET)
		network->resolver = possible && strcmp(network->name, DEFAULT_NETWORK) != 0
					    ? NET_RESOLVER_MONITOR
					    : NET_RESOLVER_NONE;
	if (network->resolver == NET_RESOLVER_NONE || possible)
		return 0;
	return lcx__fail(err, EOPNOTSUPP,
			 "network '%s': driver '%s' has no gateway on this host to ask names at; "
			 "its resolver can be \"none\" only",
			 network->name, network->driver);
}

/* That of the subnet which the container's address is of. */
const char *lcx__network_name_server(const struct lcx_network *network,
				     const struct lcx_attachment *attachment)
{
	struct lcx__inet address, subnet;

	if (network->resolver <= NET_RESOLVER_NONE ||
	    lcx__inet_parse_address(lcx_attachment_address(attachment), &address) < 0)
		return NULL;
	for (uint32_t i = 0; i < network->subnet_count; i++)
		if (lcx__inet_parse(network->subnets[i].subnet, &subnet) == 0 &&
		    lcx__inet_same(&subnet, &address, subnet.prefix))
			return network->subnets[i].gateway;
	return NULL;
}

/* ---- in a program's own loop ---- */

struct lcx_resolver {
	struct lcx_network *network;
	struct lcx__names_source source;
	int file_fd; /* locked; without a name, when the network's last attachment is gone */
	int inotify_fd, epoll_fd;
	struct lcx__dns_server *server;
	void *table;
	size_t size;
	bool has_news;
};

DEFINE_CLEANUP(struct lcx_resolver *, lcx_resolver_free)

static int refresh(void *data, struct lcx__dns_table *table)
{
	struct lcx_resolver *resolver = data;
	CLEANUP(freep) void *memory = NULL;
	size_t size = 0;
	int r;

	if (lcx__names_news(resolver->inotify_fd) != 0)
		resolver->has_news = true;
	if (!resolver->has_news)
		return 0;
	r = lcx__names_watch(&resolver->source, resolver->inotify_fd);
	if (r == 0)
		r = lcx__names_read(&resolver->source, &memory, &size);
	if (r == 0)
		r = lcx__dns_table_open(memory, size, table);
	if (r < 0)
		return r;
	free(resolver->table);
	resolver->table = TAKE_PTR(memory);
	resolver->size = size;
	resolver->has_news = false;
	return 1;
}

static int add_event_fd(struct lcx_resolver *resolver, int fd)
{
	struct epoll_event event = {.events = EPOLLIN};

	return epoll_ctl(resolver->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static int open_descriptors(struct lcx_resolver *resolver)
{
	int r;

	resolver->inotify_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	resolver->epoll_fd = resolver->inotify_fd < 0 ? -1 : epoll_create1(EPOLL_CLOEXEC);
	if (resolver->epoll_fd < 0)
		return -errno;
	r = lcx__names_watch(&resolver->source, resolver->inotify_fd);
	if (r == 0)
		r = add_event_fd(resolver, resolver->inotify_fd);
	return r == 0 ? add_event_fd(resolver, lcx__dns_server_fd(resolver->server)) : r;
}

static int serve(struct lcx_resolver *resolver, uint16_t *ret_port, struct lcx_error **err)
{
	int fds[2 * NET_SUBNETS_LIMIT], r;
	size_t count = 0;

	r = lcx__resolver_listen(resolver->network, fds, &count, ret_port, err);
	if (r < 0)
		return r;
	resolver->has_news = true;
	r = lcx__dns_server_new(fds, count, refresh, resolver, &resolver->server);
	while (r < 0 && count > 0)
		closep(&fds[--count]);
	if (r == 0)
		r = open_descriptors(resolver);
	return r < 0 ? lcx__fail_sys(err, -r, "resolve names for network '%s'",
				     resolver->network->name)
		     : 0;
}

/* With the network's lock. */
static int begin(struct lcx_ctx *ctx, struct lcx_resolver *resolver, int records_fd,
		 struct lcx_error **err)
{
	struct lcx_network *network = resolver->network;
	char comment[NET_MARK_SIZE];
	uint16_t port = 0;
	int r;

	if (if_nametoindex(network->bridge) == 0)
		return lcx__fail(err, ENODEV, "network '%s' has no attachment yet", network->name);
	resolver->file_fd = lcx__resolver_claim(records_fd, err);
	if (resolver->file_fd < 0)
		return lcx__fail_prefix(err, resolver->file_fd, "network '%s'", network->name);
	r = serve(resolver, &port, err);
	if (r == 0)
		r = lcx__resolver_tell(resolver->file_fd, port, err);
	lcx__net_comment(ctx, network->name, comment);
	return r < 0 ? r : lcx__firewall_add_names(comment, network, port, err);
}

LCX_PUBLIC int lcx_resolver_open(struct lcx_ctx *ctx, const char *network,
				 struct lcx_resolver **ret, struct lcx_error **err)
{
	CLEANUP(lcx_resolver_freep) struct lcx_resolver *resolver = calloc(1, sizeof(*resolver));
	CLEANUP(closep) int records_fd = -1;
	int r;

	if (!resolver)
		return lcx__fail_nomem(err);
	resolver->file_fd = resolver->inotify_fd = resolver->epoll_fd = -1;
	resolver->source.run_fd = resolver->source.networks_fd = -1;
	r = lcx_network_open(ctx, network, &resolver->network, err);
	if (r < 0)
		return r;
	if (resolver->network->resolver != NET_RESOLVER_PROGRAM)
		return lcx__fail(err, EINVAL,
				 "network '%s' has the resolver \"%s\", not \"program\"", network,
				 lcx_network_resolver(resolver->network));
	records_fd = lcx__net_records_lock(ctx, network, err);
	if (records_fd < 0)
		return records_fd;
	resolver->source.network = resolver->network->name;
	resolver->source.run_fd = r = lcx__net_run_dir(ctx, err);
	if (r >= 0)
		resolver->source.networks_fd = r = lcx__net_networks_dir(ctx, err);
	if (r >= 0)
		r = begin(ctx, resolver, records_fd, err);
	if (r >= 0)
		*ret = TAKE_PTR(resolver);
	return r < 0 ? r : 0;
}

LCX_PUBLIC int lcx_resolver_fd(const struct lcx_resolver *resolver)
{
	return resolver->epoll_fd;
}

LCX_PUBLIC int lcx_resolver_dispatch(struct lcx_resolver *resolver, struct lcx_error **err)
{
	struct stat st;
	int r;

	if (lcx__names_news(resolver->inotify_fd) != 0)
		resolver->has_news = true;
	/* Whoever takes the bridge down, removes the file before. */
	if (fstat(resolver->file_fd, &st) == 0 && st.st_nlink == 0)
		return 0;
	r = lcx__dns_server_dispatch(resolver->server);
	return r < 0 ? lcx__fail_sys(err, -r, "resolve names for network '%s'",
				     resolver->network->name)
		     : 1;
}

/* The bridge's end takes the rest: until then, what is asked is refused. */
LCX_PUBLIC struct lcx_resolver *lcx_resolver_free(struct lcx_resolver *resolver)
{
	if (!resolver)
		return NULL;
	(void)lcx__dns_server_free(resolver->server);
	closep(&resolver->epoll_fd);
	closep(&resolver->inotify_fd);
	closep(&resolver->source.run_fd);
	closep(&resolver->source.networks_fd);
	closep(&resolver->file_fd);
	(void)lcx_network_free(resolver->network);
	free(resolver->table);
	free(resolver);
	return NULL;
}
