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

/* A bound socket of the host's, or a negative errno. */
static int try_bind(const struct lcx_port *port, uint16_t number, uint16_t *ret_number)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(number)};
	int type = port->protocol == PORT_UDP ? SOCK_DGRAM : SOCK_STREAM, on = 1;
	socklen_t length = sizeof(address);
	CLEANUP(closep)
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, lcx__protocol_number(port->protocol));

	if (fd < 0)
		return -errno;
	/* Connections that are winding down are no reason to refuse; UDP has none. */
	if (port->protocol != PORT_UDP)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (inet_pton(AF_INET, port->host_address, &address.sin_addr) != 1)
		return -EINVAL;
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	if (getsockname(fd, (struct sockaddr *)&address, &length) < 0)
		return -errno;
	if (ret_number)
		*ret_number = ntohs(address.sin_port);
	return 0;
}

/* The trial's result for one port. No SCTP in the kernel, no right to a low port: it tells nothing.
 */
static int check_sockets(const struct lcx_port *port, uint16_t number, struct lcx_error **err)
{
	int r = try_bind(port, number, NULL);

	if (r == -EADDRNOTAVAIL)
		return lcx__fail(
			err, EADDRNOTAVAIL,
			"port %u/%s: %s is not an address of this host; publish on one that is, or "
			"on 0.0.0.0",
			number, lcx_port_protocol(port), port->host_address);
	if (r == -EADDRINUSE)
		return lcx__fail(
			err, EADDRINUSE,
			"port %u/%s of %s is in use by a program on the host; choose another host "
			"port",
			number, lcx_port_protocol(port), port->host_address);
	return 0;
}

/* 0 when all of a range are free. */
static int check_all(const struct lcx_port *port, struct lcx_error **err)
{
	char holder[NET_MARK_SIZE];
	const char *owner;
	uint16_t number;
	int r;

	r = lcx__firewall_find_port(port, &number, holder, err);
	if (r < 0)
		return r;
	if (r > 0) {
		owner = strchr(holder, ':');
		return lcx__fail(
			err, EADDRINUSE,
			"port %u/%s is already published by '%s'; choose another host port", number,
			lcx_port_protocol(port), owner ? owner + 1 : holder);
	}
	for (unsigned int i = 0; i < port->count && r == 0; i++)
		r = check_sockets(port, (uint16_t)(port->host_port + i), err);
	return r;
}

static bool clashes(const struct lcx_port *a, const struct lcx_port *b)
{
	bool same_address = strcmp(a->host_address, b->host_address) == 0 ||
			    strcmp(a->host_address, "0.0.0.0") == 0 ||
			    strcmp(b->host_address, "0.0.0.0") == 0;

	return a->protocol == b->protocol && same_address &&
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

static int choose(struct lcx_attachment *attachment, size_t n, struct lcx_error **err)
{
	struct lcx_port *port = &attachment->ports[n];
	uint16_t number = 0;
	int r;

	for (int tries = 0; tries < 64; tries++) {
		r = try_bind(port, 0, &number);
		if (r < 0)
			return lcx__fail_sys(err, -r, "choose a host port on %s for port %u/%s",
					     port->host_address, port->container_port,
					     lcx_port_protocol(port));
		port->host_port = number;
		if (number + port->count <= 65536 && !clashes_with_another(attachment, n) &&
		    check_all(port, NULL) == 0)
			return 0;
	}
	port->host_port = 0;
	return lcx__fail(err, EADDRINUSE, "no %u free ports in a row were found on %s", port->count,
			 port->host_address);
}

int lcx__ports_claim(struct lcx_attachment *attachment, struct lcx_error **err)
{
	int r;

	/* Those that were asked for first, lest a chosen one takes their place. */
	for (size_t i = 0; i < attachment->port_count; i++) {
		struct lcx_port *port = &attachment->ports[i];

		if (port->host_port == 0)
			continue;
		if (clashes_with_another(attachment, i))
			return lcx__fail(err, EADDRINUSE, "port %u/%s is published twice",
					 port->host_port, lcx_port_protocol(port));
		r = check_all(port, err);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < attachment->port_count; i++) {
		r = attachment->ports[i].host_port == 0 ? choose(attachment, i, err) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}
