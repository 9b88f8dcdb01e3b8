/* SPDX-License-Identifier: MIT */

/* Published ports as their user describes them. */
#include <netinet/in.h>
#include <string.h>

#include "net/net-internal.h"

static const struct {
	const char *name;
	int number;
} protocols[] = {
	[PORT_TCP] = {"tcp", IPPROTO_TCP},
	[PORT_UDP] = {"udp", IPPROTO_UDP},
	[PORT_SCTP] = {"sctp", IPPROTO_SCTP},
};

const char *lcx__protocol_name(enum port_protocol protocol)
{
	return protocols[protocol].name;
}

int lcx__protocol_number(enum port_protocol protocol)
{
	return protocols[protocol].number;
}

int lcx__protocol_parse(const char *text, enum port_protocol *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		if (strcmp(text, protocols[i].name) == 0) {
			*ret = (enum port_protocol)i;
			return 0;
		}
	}
	return -EINVAL;
}

LCX_PUBLIC int lcx_port_new(uint16_t container_port, struct lcx_port **ret, struct lcx_error **err)
{
	struct lcx_port *port;

	if (container_port == 0)
		return lcx__fail(err, EINVAL, "port 0 of a container cannot be published");
	port = calloc(1, sizeof(*port));
	if (!port)
		return lcx__fail_nomem(err);
	strcpy(port->host_address, "0.0.0.0");
	port->families = (1u << NET_FAMILIES) - 1;
	port->container_port = container_port;
	port->count = 1;
	*ret = port;
	return 0;
}

LCX_PUBLIC int lcx_port_set_host_address(struct lcx_port *port, const char *address,
					 struct lcx_error **err)
{
	struct lcx__inet inet;

	if (lcx__inet_parse_address(address, &inet) < 0)
		return lcx__fail(err, EINVAL, "'%s' is not an address to publish a port on",
				 address);
	port->families = 1u << lcx__inet_net_family(&inet);
	lcx__inet_format_address(&inet, port->host_address);
	return 0;
}

LCX_PUBLIC int lcx_port_set_host_port(struct lcx_port *port, uint16_t host_port,
				      struct lcx_error **err)
{
	(void)err;
	port->host_port = host_port;
	return 0;
}

LCX_PUBLIC int lcx_port_set_protocol(struct lcx_port *port, const char *protocol,
				     struct lcx_error **err)
{
	if (lcx__protocol_parse(protocol, &port->protocol) < 0)
		return lcx__fail(err, EINVAL, "protocol '%s' of a port is not tcp, udp or sctp",
				 protocol);
	return 0;
}

LCX_PUBLIC int lcx_port_set_count(struct lcx_port *port, uint16_t count, struct lcx_error **err)
{
	if (count == 0)
		return lcx__fail(err, EINVAL, "a range of ports has at least one");
	port->count = count;
	return 0;
}

#define LOOPBACK6 "::1"

bool lcx__port_is_anywhere(const struct lcx_port *port)
{
	return strcmp(port->host_address, "0.0.0.0") == 0 || strcmp(port->host_address, "::") == 0;
}

bool lcx__port_is_on_loopback6(const struct lcx_port *port)
{
	return port->protocol == PORT_TCP && port->families & 1u << NET_V6 &&
	       (lcx__port_is_anywhere(port) || strcmp(port->host_address, LOOPBACK6) == 0);
}

int lcx__port_check(const struct lcx_port *port, struct lcx_error **err)
{
	if (port->container_port + port->count > 65536)
		return lcx__fail(err, EINVAL, "%u ports from %u on go beyond 65535", port->count,
				 port->container_port);
	if (port->host_port + port->count > 65536)
		return lcx__fail(err, EINVAL, "%u ports from %u on go beyond 65535", port->count,
				 port->host_port);
	if (port->protocol != PORT_TCP && strcmp(port->host_address, LOOPBACK6) == 0)
		return lcx__fail(
			err, EAFNOSUPPORT,
			"port %u/%s cannot be published on ::1: the kernel sends nothing from "
			"there to a container, and the monitor leads TCP on only; use 127.0.0.1",
			port->container_port, lcx_port_protocol(port));
	return 0;
}

/* "80" or "8000-8010". */
static int parse_range(char *text, uint16_t *ret_first, uint16_t *ret_count)
{
	char *dash = strchr(text, '-');
	uint64_t first, last;

	if (dash)
		*dash++ = '\0';
	if (lcx__parse_u64(text, 65535, &first) < 0 || first == 0)
		return -EINVAL;
	last = first;
	if (dash && lcx__parse_u64(dash, 65535, &last) < 0)
		return -EINVAL;
	if (last < first)
		return -EINVAL;
	*ret_first = (uint16_t)first;
	*ret_count = (uint16_t)(last - first + 1);
	return 0;
}

/* Cut @text at its last @separator; what is behind, or NULL. */
static char *cut(char *text, char separator)
{
	char *at = strrchr(text, separator);

	if (at)
		*at++ = '\0';
	return at;
}

/* An IPv6 address in brackets, which alone tell where it ends. */
static int parse_host_address(char *text, struct lcx_port *port, struct lcx_error **err)
{
	size_t length = strlen(text);

	if (text[0] == '[' && text[length - 1] == ']') {
		text[length - 1] = '\0';
		return lcx_port_set_host_address(port, text + 1, err);
	}
	if (strchr(text, ':'))
		return lcx__fail(err, EINVAL, "write the IPv6 address '%s' in brackets", text);
	return lcx_port_set_host_address(port, text, err);
}

static int parse(char *text, struct lcx_port *port, struct lcx_error **err)
{
	char *protocol = cut(text, '/'), *container = cut(text, ':'), *host = NULL, *address = NULL;
	uint16_t count;
	int r;

	if (protocol) {
		r = lcx_port_set_protocol(port, protocol, err);
		if (r < 0)
			return r;
	}
	if (container) {
		host = cut(text, ':');
		address = host ? text : NULL;
		host = host ? host : text;
	} else {
		container = text;
	}
	if (parse_range(container, &port->container_port, &port->count) < 0)
		return lcx__fail(err, EINVAL, "'%s' is not a port or a range of ports", container);
	if (host && host[0] != '\0') {
		if (parse_range(host, &port->host_port, &count) < 0)
			return lcx__fail(err, EINVAL, "'%s' is not a port or a range of ports",
					 host);
		if (count != port->count)
			return lcx__fail(
				err, EINVAL,
				"the host's range has %u ports, the container's %u: make them "
				"as long as each other",
				count, port->count);
	}
	return address && address[0] != '\0' ? parse_host_address(address, port, err) : 0;
}

LCX_PUBLIC int lcx_port_parse(const char *text, struct lcx_port **ret, struct lcx_error **err)
{
	CLEANUP(lcx_port_freep) struct lcx_port *port = NULL;
	char copy[128];
	int r;

	if (strlen(text) >= sizeof(copy))
		return lcx__fail(err, EINVAL, "published port: more than %zu characters",
				 sizeof(copy) - 1);
	strcpy(copy, text);
	r = lcx_port_new(1, &port, err);
	if (r < 0)
		return r;
	r = parse(copy, port, err);
	if (r == 0)
		r = lcx__port_check(port, err);
	if (r < 0)
		return lcx__fail_prefix(
			err, r,
			"published port '%s' ([[ADDRESS:]HOST_PORT:]CONTAINER_PORT[/PROTOCOL])",
			text);
	*ret = TAKE_PTR(port);
	return 0;
}

LCX_PUBLIC const char *lcx_port_host_address(const struct lcx_port *port)
{
	return port->host_address;
}

LCX_PUBLIC uint16_t lcx_port_host_port(const struct lcx_port *port)
{
	return port->host_port;
}

LCX_PUBLIC uint16_t lcx_port_container_port(const struct lcx_port *port)
{
	return port->container_port;
}

LCX_PUBLIC const char *lcx_port_protocol(const struct lcx_port *port)
{
	return lcx__protocol_name(port->protocol);
}

LCX_PUBLIC uint16_t lcx_port_count(const struct lcx_port *port)
{
	return port->count;
}

LCX_PUBLIC struct lcx_port *lcx_port_free(struct lcx_port *port)
{
	free(port);
	return NULL;
}
