/* SPDX-License-Identifier: MIT */

/*
 * Is a port of the host free? Asked of our own table and, by a trial bind(2), of
 * everybody who has a socket. A trial proves nothing for later, but the table's
 * entries are made exclusively, so that two containers never share a port.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "net/net-internal.h"

static socklen_t fill_address(const struct lcx_port *port, enum net_family family, uint16_t number,
			      struct sockaddr_storage *ret)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;
	struct lcx__inet address = {0};

	/* "All of them" is zero in both. */
	if (!lcx__port_is_anywhere(port))
		(void)lcx__inet_parse_address(port->host_address, &address);
	if (family == NET_V4) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(number);
		memcpy(&v4->sin_addr, address.bytes, sizeof(v4->sin_addr));
		return sizeof(*v4);
	}
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(number);
	memcpy(&v6->sin6_addr, address.bytes, sizeof(v6->sin6_addr));
	return sizeof(*v6);
}

/* Bind a socket of the host's, for a moment. */
static int try_bind(const struct lcx_port *port, enum net_family family, uint16_t number,
		    uint16_t *ret_number)
{
	int type = port->protocol == PORT_UDP ? SOCK_DGRAM : SOCK_STREAM, on = 1;
	int domain = family == NET_V4 ? AF_INET : AF_INET6;
	struct sockaddr_storage address = {0};
	socklen_t length = fill_address(port, family, number, &address);
	CLEANUP(closep)
	int fd = socket(domain, type | SOCK_CLOEXEC, lcx__protocol_number(port->protocol));

	if (fd < 0)
		return -errno;
	/* Connections that are winding down are no reason to refuse; UDP has none. */
	if (port->protocol != PORT_UDP)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (family == NET_V6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&address, length) < 0)
		return -errno;
	if (getsockname(fd, (struct sockaddr *)&address, &length) < 0)
		return -errno;
	if (ret_number)
		*ret_number =
			ntohs(family == NET_V4 ? ((struct sockaddr_in *)&address)->sin_port
					       : ((struct sockaddr_in6 *)&address)->sin6_port);
	return 0;
}

/*
 * The trial's result for one port. No SCTP in the kernel, no right to a low port: it tells nothing,
 * unless it will be a socket that publishes it.
 */
static int check_sockets(const struct lcx_port *port, enum net_family family, uint16_t number,
			 bool in_table, struct lcx_error **err)
{
	int r = try_bind(port, family, number, NULL);

	if (r == -EADDRNOTAVAIL)
		return lcx__fail(
			err, EADDRNOTAVAIL,
			"port %u/%s: %s is not an address of this host; publish on one that is, or "
			"on 0.0.0.0",
			number, lcx_port_protocol(port), port->host_address);
	if (r == -EACCES && !in_table)
		return lcx__fail(
			err, EACCES,
			"port %u/%s: an ordinary user has no right to a port below that of "
			"the sysctl net.ipv4.ip_unprivileged_port_start; choose a higher "
			"host port",
			number, lcx_port_protocol(port));
	if (r == -EADDRINUSE)
		return lcx__fail(
			err, EADDRINUSE,
			"port %u/%s of %s is in use by a program on the host; choose another host "
			"port",
			number, lcx_port_protocol(port), port->host_address);
	return 0;
}

/* Of one that is attached; NULL for none, or one without a name. */
static char *name_of(struct lcx_ctx *ctx, const char *owner)
{
	CLEANUP(lcx__strv_freep) char **networks = NULL;
	CLEANUP(lcx_attachment_freep) struct lcx_attachment *record = NULL;
	CLEANUP(closep) int records_fd = -1;

	if (!lcx__name_is_valid(owner) || lcx__network_list_of(ctx, owner, &networks) < 0 ||
	    !networks[0])
		return NULL;
	records_fd = lcx__net_records_dir(ctx, networks[0], NULL);
	if (records_fd < 0 || lcx__record_read(records_fd, owner, &record, NULL) < 0 ||
	    !record->names || !record->names[0] || strcmp(record->names[0], owner) == 0)
		return NULL;
	return strdup(record->names[0]);
}

char *lcx__net_describe_holder(struct lcx_ctx *ctx, const char *comment)
{
	const char *owner = strchr(comment, ':');
	CLEANUP(freep) char *name = NULL;
	char own[NET_MARK_SIZE];

	owner = owner ? owner + 1 : comment;
	lcx__net_comment(ctx, owner, own);
	if (strcmp(own, comment) != 0)
		return lcx__format("'%s' of another root directory", owner);
	name = name_of(ctx, owner);
	return name ? lcx__format("'%s' (%s)", name, owner) : lcx__format("'%s'", owner);
}

static int check_table(struct lcx_ctx *ctx, struct lcx_netlink **nft, const struct lcx_port *port,
		       struct lcx_error **err)
{
	CLEANUP(freep) char *who = NULL;
	char holder[NET_MARK_SIZE];
	uint16_t number;
	int r = lcx__firewall_find_port(nft, port, &number, holder, err);

	if (r <= 0)
		return r;
	who = lcx__net_describe_holder(ctx, holder);
	return lcx__fail(err, EADDRINUSE,
			 "port %u/%s is already published by %s; choose another host port", number,
			 lcx_port_protocol(port), who ? who : holder);
}

/* 0 when all of a range are free. @nft is NULL where no table is asked. */
static int check_all(struct lcx_ctx *ctx, struct lcx_netlink **nft, const struct lcx_port *port,
		     struct lcx_error **err)
{
	int r = nft ? check_table(ctx, nft, port, err) : 0;

	for (enum net_family family = 0; family < NET_FAMILIES; family++)
		for (unsigned int i = 0; port->families & 1u << family && i < port->count && r == 0;
		     i++)
			r = check_sockets(port, family, (uint16_t)(port->host_port + i),
					  nft != NULL, err);
	return r;
}

static bool clashes(const struct lcx_port *a, const struct lcx_port *b)
{
	bool same_address = strcmp(a->host_address, b->host_address) == 0 ||
			    lcx__port_is_anywhere(a) || lcx__port_is_anywhere(b);

	return a->protocol == b->protocol && a->families & b->families && same_address &&
	       a->host_port < b->host_port + b->count && b->host_port < a->host_port + a->count;
}

/* Another port of the same attachment that has its host port already. */
static bool clashes_with_another(const struct lcx_attachment *attachment, size_t n)
{
	for (size_t i = 0; i < attachment->port_count; i++)
		if (i != n && attachment->ports[i].host_port != 0 &&
		    clashes(&attachment->ports[i], &attachment->ports[n]))
			return true;
	return false;
}

static int choose(struct lcx_ctx *ctx, struct lcx_netlink **nft, struct lcx_attachment *attachment,
		  size_t n, struct lcx_error **err)
{
	struct lcx_port *port = &attachment->ports[n];
	uint16_t number = 0;
	int r;

	for (int tries = 0; tries < 64; tries++) {
		r = try_bind(port, port->families & 1u << NET_V4 ? NET_V4 : NET_V6, 0, &number);
		if (r < 0)
			return lcx__fail_sys(err, -r, "choose a host port on %s for port %u/%s",
					     port->host_address, port->container_port,
					     lcx_port_protocol(port));
		port->host_port = number;
		if (number + port->count <= 65536 && !clashes_with_another(attachment, n) &&
		    check_all(ctx, nft, port, NULL) == 0) {
			port->chosen = port->chosen ? port->chosen : number;
			return 0;
		}
	}
	port->host_port = 0;
	return lcx__fail(err, EADDRINUSE, "no %u free ports in a row were found on %s", port->count,
			 port->host_address);
}

static int claim_all(struct lcx_ctx *ctx, struct lcx_netlink **nft,
		     struct lcx_attachment *attachment, struct lcx_error **err)
{
	int r = 0;

	/* Those that were asked for first, lest a chosen one takes their place. */
	for (size_t i = 0; i < attachment->port_count && r == 0; i++) {
		struct lcx_port *port = &attachment->ports[i];

		if (port->host_port == 0)
			continue;
		if (clashes_with_another(attachment, i))
			return lcx__fail(err, EADDRINUSE, "port %u/%s is published twice",
					 port->host_port, lcx_port_protocol(port));
		r = check_all(ctx, nft, port, err);
	}
	for (size_t i = 0; i < attachment->port_count && r == 0; i++)
		r = attachment->ports[i].host_port == 0 ? choose(ctx, nft, attachment, i, err) : 0;
	return r;
}

int lcx__ports_claim(struct lcx_ctx *ctx, struct lcx_attachment *attachment, bool in_table,
		     struct lcx_error **err)
{
	CLEANUP(lcx_netlink_freep)
	struct lcx_netlink *nft = in_table ? lcx__firewall_take(ctx) : NULL;
	int r = claim_all(ctx, in_table ? &nft : NULL, attachment, err);

	if (in_table)
		lcx__firewall_keep(ctx, &nft, false);
	return r;
}

int lcx__ports_claim_others(struct lcx_ctx *ctx, struct lcx_attachment *attachment,
			    struct lcx_error **err)
{
	for (size_t i = 0; i < attachment->port_count; i++)
		if (attachment->ports[i].chosen)
			attachment->ports[i].host_port = 0;
	return lcx__ports_claim(ctx, attachment, true, err);
}
