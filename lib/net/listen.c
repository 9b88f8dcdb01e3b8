/* SPDX-License-Identifier: MIT */

/*
 * The resolver's sockets. Containers ask at port 53 of their gateway, but the resolver does not
 * sit there: a DNS server of the host's may, on all its addresses, or a container's that
 * publishes the port. It takes any free port, and the firewall leads what a container
 * asks at port 53 of the gateway there (redirect.c).
 */
#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

#include "net/monitor.h"

enum { BACKLOG = 64 };

static socklen_t fill_address(const struct lcx__inet *address, uint16_t port,
			      struct sockaddr_storage *ret)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;

	*ret = (struct sockaddr_storage){.ss_family = address->family};
	if (address->family == AF_INET) {
		v4->sin_port = htons(port);
		memcpy(&v4->sin_addr, address->bytes, sizeof(v4->sin_addr));
		return sizeof(*v4);
	}
	v6->sin6_port = htons(port);
	memcpy(&v6->sin6_addr, address->bytes, sizeof(v6->sin6_addr));
	return sizeof(*v6);
}

static int set_options(int fd, const struct lcx_network *network, int family)
{
	int on = 1, r;

	/* The address is there already; that of IPv6 may still be tentative. */
	r = family == AF_INET ? setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &on, sizeof(on))
			      : setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &on, sizeof(on));
	if (r == 0 && family == AF_INET6)
		r = setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	/* Nobody but containers: not the host's other networks, whatever they route here. */
	if (r == 0)
		r = setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, network->bridge,
			       (socklen_t)strlen(network->bridge));
	return r < 0 ? -errno : 0;
}

/* At @port, or with 0 at one that is chosen. */
static int listen_at(const struct lcx_network *network, const struct lcx__inet *address, int type,
		     uint16_t *port)
{
	struct sockaddr_storage place;
	socklen_t length = fill_address(address, *port, &place);
	CLEANUP(closep)
	int fd = socket(address->family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int r = fd < 0 ? -errno : set_options(fd, network, address->family);

	if (r < 0)
		return r;
	if (bind(fd, (struct sockaddr *)&place, length) < 0 ||
	    (type == SOCK_STREAM && listen(fd, BACKLOG) < 0) ||
	    getsockname(fd, (struct sockaddr *)&place, &length) < 0)
		return -errno;
	*port = ntohs(address->family == AF_INET ? ((struct sockaddr_in *)&place)->sin_port
						 : ((struct sockaddr_in6 *)&place)->sin6_port);
	return TAKE_FD(fd);
}

static int listen_at_all(const struct lcx_network *network, int *fds, size_t *count, uint16_t *port)
{
	static const int types[] = {SOCK_STREAM, SOCK_DGRAM};

	for (uint32_t i = 0; i < network->subnet_count; i++) {
		struct lcx__inet address;

		if (lcx__inet_parse_address(network->subnets[i].gateway, &address) < 0)
			return -EINVAL;
		for (size_t k = 0; k < ARRAY_SIZE(types); k++) {
			int fd = listen_at(network, &address, types[k], port);

			if (fd < 0)
				return fd;
			fds[(*count)++] = fd;
		}
	}
	return 0;
}

/* Its address is there where the kernel has IPv6, unless somebody has taken it away. */
int lcx__loopback_listen(int *ret_fd, uint16_t *ret_port, struct lcx_error **err)
{
	struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	socklen_t length = sizeof(address);
	CLEANUP(closep) int fd = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	*ret_port = 0;
	if (fd >= 0 && bind(fd, (struct sockaddr *)&address, length) < 0 && errno == EADDRNOTAVAIL)
		return 0;
	if (fd < 0 || listen(fd, BACKLOG) < 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &length) < 0)
		return lcx__fail_sys(err, errno, "make a socket on ::1");
	*ret_port = ntohs(address.sin6_port);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* A port that is free at one may be taken at another. */
int lcx__resolver_listen(const struct lcx_network *network, int *fds, size_t *ret_count,
			 uint16_t *ret_port, struct lcx_error **err)
{
	enum { TRIES = 32 };
	size_t count = 0;
	int r = -EADDRINUSE;

	for (int i = 0; i < TRIES && r == -EADDRINUSE; i++) {
		uint16_t port = 0;

		r = listen_at_all(network, fds, &count, &port);
		while (r < 0 && count > 0)
			closep(&fds[--count]);
		*ret_port = port;
	}
	*ret_count = count;
	return r < 0 ? lcx__fail_sys(err, -r, "make the sockets of the resolver of network '%s'",
				     network->name)
		     : 0;
}
