/* SPDX-License-Identifier: MIT */

/*
 * What the system tests of networks need beyond the shell: the library's calls
 * one at a time, each in a process of its own, and a server and a client that tell
 * the address they see. `net-tool ROOT VERB ...`.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "net/net.h"
#include "netlink/netlink.h"
#include "util/str.h"

/* Options of an attachment, as lcx_attachment_set_option() knows them. */
static const struct {
	const char *prefix, *key;
} attachment_options[] = {
	{"mac=", "mac-address"},         {"interface=", "interface-name"},
	{"egress=", "egress-rate"},      {"driver-opt=", "driver-opt"},
	{"ingress=", "ingress-rate"},    {"hairpin=", "hairpin"},
	{"promiscuous=", "promiscuous"},
};

/* 1 if it was one. */
static int set_attachment_option(struct lcx_attachment *attachment, const char *text,
				 struct lcx_error **err)
{
	if (strncmp(text, "address=", 8) == 0)
		return lcx_attachment_set_address(attachment, text + 8, err) < 0 ? -EINVAL : 1;
	for (size_t i = 0; i < ARRAY_SIZE(attachment_options); i++) {
		size_t length = strlen(attachment_options[i].prefix);
		int r;

		if (strncmp(text, attachment_options[i].prefix, length) != 0)
			continue;
		r = lcx_attachment_set_option(attachment, attachment_options[i].key, text + length,
					      err);
		return r < 0 ? r : 1;
	}
	return 0;
}

static int add_ports(struct lcx_attachment *attachment, char **texts, struct lcx_error **err)
{
	int r = 0;

	for (; *texts && r >= 0; texts++) {
		CLEANUP(lcx_port_freep) struct lcx_port *port = NULL;

		r = set_attachment_option(attachment, *texts, err);
		if (r == 0)
			r = lcx_port_parse(*texts, &port, err);
		if (r == 0)
			r = lcx_attachment_add_port(attachment, port, err);
	}
	return r < 0 ? r : 0;
}

/* As the container's room does it. */
static int plan_and_apply(struct lcx_ctx *ctx, struct lcx_network *network,
			  struct lcx_attachment *attachment, int netns_fd, int netlink_fd,
			  struct lcx_error **err)
{
	int r = lcx__network_plan(ctx, network, attachment, err);

	return r < 0 ? r : lcx__network_apply(ctx, network, attachment, netns_fd, netlink_fd, err);
}

/* attach NETWORK OWNER NETNS-FILE [PORT | address=ADDRESS | interface=NAME]... */
static int attach_by(int (*make)(struct lcx_ctx *, struct lcx_network *, struct lcx_attachment *,
				 int, int, struct lcx_error **),
		     struct lcx_ctx *ctx, char **args, struct lcx_error **err)
{
	CLEANUP(lcx_attachment_freep) struct lcx_attachment *attachment = NULL;
	CLEANUP(lcx_network_freep) struct lcx_network *network = NULL;
	CLEANUP(closep) int netns_fd = open(args[2], O_RDONLY | O_CLOEXEC);
	CLEANUP(lcx_netlink_freep) struct lcx_netlink *inner = NULL;
	int r = lcx_netlink_open_netns(netns_fd, &inner, err);

	if (r == 0)
		r = lcx_network_open(ctx, args[0], &network, err);
	if (r == 0)
		r = lcx_attachment_new(args[1], &attachment, err);
	if (r == 0)
		r = add_ports(attachment, args + 3, err);
	if (r == 0)
		r = make(ctx, network, attachment, netns_fd, lcx_netlink_fd(inner), err);
	if (r < 0)
		return r;
	printf("%s %s %s %s\n", lcx_attachment_address(attachment),
	       lcx_attachment_host_interface(attachment), lcx_attachment_bridge(attachment),
	       lcx_attachment_address6(attachment));
	for (uint32_t i = 0; i < lcx_attachment_port_count(attachment); i++)
		printf("%u\n", lcx_port_host_port(lcx_attachment_port(attachment, i)));
	return 0;
}

static int attach(struct lcx_ctx *ctx, char **args, struct lcx_error **err)
{
	return attach_by(plan_and_apply, ctx, args, err);
}

/* attach-alone: the same by the public function */
static int attach_alone(struct lcx_ctx *ctx, char **args, struct lcx_error **err)
{
	return attach_by(lcx_network_attach, ctx, args, err);
}

/* detach NETWORK OWNER */
static int detach(struct lcx_ctx *ctx, char **args, struct lcx_error **err)
{
	return lcx_network_detach(ctx, args[0], args[1], err);
}

/* The host's end, by its record. */
static int host_end(struct lcx_ctx *ctx, char **args, char name[static IFNAMSIZ],
		    struct lcx_error **err)
{
	CLEANUP(lcx_attachment_freep) struct lcx_attachment *there = NULL;
	int r = lcx_attachment_open(ctx, args[0], args[1], &there, err);

	if (r == 0)
		(void)snprintf(name, IFNAMSIZ, "%s", lcx_attachment_host_interface(there));
	return r;
}

/* again NETWORK OWNER NETNS-FILE COUNT [OPTION]...: attach and detach; what goes is gone at once */
static int again(struct lcx_ctx *ctx, char **args, struct lcx_error **err)
{
	char *attachment[16] = {args[0], args[1], args[2]}, name[IFNAMSIZ] = "";
	int r = 0;

	for (size_t i = 4; args[i] && i < ARRAY_SIZE(attachment); i++)
		attachment[i - 1] = args[i];
	for (int i = 0; i < atoi(args[3]) && r == 0; i++) {
		r = attach(ctx, attachment, err);
		if (r == 0)
			r = host_end(ctx, args, name, err);
		if (r == 0)
			r = lcx_network_detach(ctx, args[0], args[1], err);
		if (r == 0 && if_nametoindex(name) != 0)
			r = lcx__fail(err, EEXIST, "'%s' is still there", name);
	}
	return r;
}

static int set_internal(struct lcx_network *network, const char *value, struct lcx_error **err)
{
	return lcx_network_set_internal(network, strcmp(value, "1") == 0, err);
}

static int set_ipv4(struct lcx_network *network, const char *value, struct lcx_error **err)
{
	return lcx_network_set_ipv4(network, strcmp(value, "1") == 0, err);
}

static int set_ipv6(struct lcx_network *network, const char *value, struct lcx_error **err)
{
	return lcx_network_set_ipv6(network, strcmp(value, "1") == 0, err);
}

static const struct {
	const char *prefix;
	int (*set)(struct lcx_network *network, const char *value, struct lcx_error **err);
} network_options[] = {
	{"internal=", set_internal},
	{"ipv4=", set_ipv4},
	{"ipv6=", set_ipv6},
	{"resolver=", lcx_network_set_resolver},
	{"gateway=", lcx_network_set_gateway},
	{"range=", lcx_network_set_range},
	{"exclude=", lcx_network_add_exclusion},
	{"subnet=", lcx_network_add_subnet},
	{"driver=", lcx_network_set_driver},
	{"parent=", lcx_network_set_parent},
	{"mode=", lcx_network_set_mode},
	{"bridge=", lcx_network_set_bridge},
};

static int set_option(struct lcx_network *network, const char *text, struct lcx_error **err)
{
	for (size_t i = 0; i < ARRAY_SIZE(network_options); i++) {
		size_t length = strlen(network_options[i].prefix);

		if (strncmp(text, network_options[i].prefix, length) == 0)
			return network_options[i].set(network, text + length, err);
	}
	return text[0] != '\0' ? lcx_network_set_subnet(network, text, err) : 0;
}

/* create NAME [SUBNET | OPTION=VALUE]... */
static int create(struct lcx_ctx *ctx, char **args, struct lcx_error **err)
{
	CLEANUP(lcx_network_freep) struct lcx_network *network = NULL;
	int r = lcx_network_new(args[0], &network, err);

	for (char **option = args + 1; r == 0 && *option; option++)
		r = set_option(network, *option, err);
	if (r == 0)
		r = lcx_network_create(ctx, network, err);
	if (r == 0)
		printf("%s %s %s\n", lcx_network_subnet(network), lcx_network_gateway(network),
		       lcx_network_bridge(network));
	return r;
}

static int remove_network(struct lcx_ctx *ctx, char **args, struct lcx_error **err)
{
	return lcx_network_remove(ctx, args[0], err);
}

static int inspect(struct lcx_ctx *ctx, char **args, struct lcx_error **err)
{
	CLEANUP(freep) char *text = NULL;
	int r = lcx_network_inspect(ctx, args[0], &text, err);

	if (r == 0)
		puts(text);
	return r;
}

static int reload(struct lcx_ctx *ctx, char **args, struct lcx_error **err)
{
	(void)args;
	return lcx_net_reload(ctx, err);
}

/* watch: put the table back whenever it is lost, and say so, until killed */
static int watch(struct lcx_ctx *ctx, char **args, struct lcx_error **err)
{
	struct lcx_net_watch *w = NULL;
	int r = lcx_net_watch_open(ctx, &w, err);

	(void)args;
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (r == 0)
		puts("watching");
	while (r >= 0) {
		struct pollfd pfd = {.fd = lcx_net_watch_fd(w), .events = POLLIN};

		(void)poll(&pfd, 1, -1);
		r = lcx_net_watch_dispatch(w, err);
		if (r > 0 && r & LCX_NET_WATCH_TABLE)
			puts("put back");
		if (r > 0 && r & LCX_NET_WATCH_MONITOR)
			puts("monitor");
	}
	lcx_net_watch_free(w);
	return r;
}

static bool is_listed(const char *owner, void *data)
{
	for (char **living = data; *living; living++)
		if (strcmp(*living, owner) == 0)
			return true;
	return false;
}

/* sweep [LIVING-OWNER]... */
static int sweep(struct lcx_ctx *ctx, char **args, struct lcx_error **err)
{
	uint32_t count = 0;
	int r = lcx__network_sweep(ctx, is_listed, args, &count, err);

	if (r == 0)
		printf("%u\n", count);
	return r;
}

/* resolve NETWORK: names of a network whose resolver is "program", until its last container has
 * gone */
static int resolve(struct lcx_ctx *ctx, char **args, struct lcx_error **err)
{
	struct lcx_resolver *resolver = NULL;
	int r = lcx_resolver_open(ctx, args[0], &resolver, err);

	if (r == 0)
		puts("resolving");
	fflush(stdout);
	while (r >= 0) {
		struct pollfd pollfd = {.fd = lcx_resolver_fd(resolver), .events = POLLIN};

		(void)poll(&pollfd, 1, -1);
		r = lcx_resolver_dispatch(resolver, err);
		if (r == 0)
			break;
	}
	lcx_resolver_free(resolver);
	if (r == 0)
		puts("the last one has gone");
	return r;
}

/* ---- traffic; ROOT is not used ---- */

enum { PAYLOAD_SIZE = 1000 };

static const struct {
	const char *name;
	int type, number;
} protocols[] = {
	{"tcp", SOCK_STREAM, IPPROTO_TCP},
	{"udp", SOCK_DGRAM, IPPROTO_UDP},
	{"sctp", SOCK_STREAM, IPPROTO_SCTP},
};

static int make_socket(int family, const char *protocol)
{
	int fd = -1, off = 0, on = 1;

	for (size_t i = 0; i < ARRAY_SIZE(protocols) && fd < 0; i++)
		if (strcmp(protocol, protocols[i].name) == 0)
			fd = socket(family, protocols[i].type | SOCK_CLOEXEC, protocols[i].number);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	return fd;
}

/* An IPv4 client of an IPv6 socket reads as what it is. */
static void format_client(const struct sockaddr_in6 *from, char text[static INET6_ADDRSTRLEN])
{
	if (IN6_IS_ADDR_V4MAPPED(&from->sin6_addr))
		inet_ntop(AF_INET, from->sin6_addr.s6_addr + 12, text, INET6_ADDRSTRLEN);
	else
		inet_ntop(AF_INET6, &from->sin6_addr, text, INET6_ADDRSTRLEN);
}

/* The answer: the payload as it came, and behind it the address that it came from. */
static size_t make_answer(char *payload, size_t length, const struct sockaddr_in6 *from)
{
	format_client(from, payload + length);
	return length + strlen(payload + length) + 1;
}

static void serve_stream(int client, const struct sockaddr_in6 *from)
{
	char payload[PAYLOAD_SIZE + INET6_ADDRSTRLEN];

	if (recv(client, payload, PAYLOAD_SIZE, MSG_WAITALL) == PAYLOAD_SIZE)
		(void)send(client, payload, make_answer(payload, PAYLOAD_SIZE, from), MSG_NOSIGNAL);
	close(client);
}

/* serve PROTOCOL PORT: send back to each client what it sent, with its address, until killed */
static int serve(struct lcx_ctx *ctx, char **args, struct lcx_error **err)
{
	struct sockaddr_in6 address = {.sin6_family = AF_INET6,
				       .sin6_port = htons((uint16_t)atoi(args[1]))};
	int fd = make_socket(AF_INET6, args[0]);

	(void)ctx;
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return lcx__fail_sys(err, errno, "bind");
	if (strcmp(args[0], "udp") != 0 && listen(fd, 64) < 0)
		return lcx__fail_sys(err, errno, "listen");
	for (;;) {
		char payload[PAYLOAD_SIZE + INET6_ADDRSTRLEN];
		struct sockaddr_in6 from = {0};
		socklen_t length = sizeof(from);
		ssize_t n;

		if (strcmp(args[0], "udp") != 0) {
			int client = accept4(fd, (struct sockaddr *)&from, &length, SOCK_CLOEXEC);

			serve_stream(client, &from);
			continue;
		}
		n = recvfrom(fd, payload, PAYLOAD_SIZE, 0, (struct sockaddr *)&from, &length);
		if (n >= 0)
			(void)sendto(fd, payload, make_answer(payload, (size_t)n, &from), 0,
				     (struct sockaddr *)&from, length);
	}
}

static socklen_t read_address(char **args, struct sockaddr_storage *ret)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;
	uint16_t port = htons((uint16_t)atoi(args[1]));

	if (strchr(args[0], ':')) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = port;
		inet_pton(AF_INET6, args[0], &v6->sin6_addr);
		return sizeof(*v6);
	}
	v4->sin_family = AF_INET;
	v4->sin_port = port;
	inet_pton(AF_INET, args[0], &v4->sin_addr);
	return sizeof(*v4);
}

/* A client that speaks from the same port again is the same flow to the kernel. */
static void bind_source_port(int fd, sa_family_t family)
{
	const char *port = getenv("SOURCE_PORT");
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	struct sockaddr_in v4 = {.sin_family = AF_INET};

	if (!port)
		return;
	v6.sin6_port = v4.sin_port = htons((uint16_t)atoi(port));
	(void)bind(fd, family == AF_INET ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6,
		   family == AF_INET ? sizeof(v4) : sizeof(v6));
}

/* ask PROTOCOL ADDRESS PORT SECONDS: print the address that the server saw, if the payload came
 * back whole
 */
static int ask(struct lcx_ctx *ctx, char **args, struct lcx_error **err)
{
	char payload[PAYLOAD_SIZE], answer[PAYLOAD_SIZE + INET6_ADDRSTRLEN] = "";
	struct sockaddr_storage address = {0};
	socklen_t length = read_address(args + 1, &address);
	struct timeval timeout = {.tv_sec = atol(args[3])};
	int fd = make_socket(address.ss_family, args[0]);
	size_t received = 0;

	(void)ctx;
	for (size_t i = 0; i < sizeof(payload); i++)
		payload[i] = (char)('a' + (i * 7 + (size_t)getpid()) % 26);
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	bind_source_port(fd, address.ss_family);
	if (connect(fd, (struct sockaddr *)&address, length) < 0)
		return lcx__fail_sys(err, errno, "connect");
	if (send(fd, payload, sizeof(payload), MSG_NOSIGNAL) != sizeof(payload))
		return lcx__fail_sys(err, errno, "send");
	while (received <= PAYLOAD_SIZE || answer[received - 1] != '\0') {
		ssize_t n = recv(fd, answer + received, sizeof(answer) - received, 0);

		if (n <= 0)
			return lcx__fail(err, EIO, "no answer");
		received += (size_t)n;
	}
	if (memcmp(answer, payload, sizeof(payload)) != 0)
		return lcx__fail(err, EBADMSG, "the payload came back as another");
	puts(answer + PAYLOAD_SIZE);
	return 0;
}

static const struct {
	const char *name;
	int arguments;
	int (*run)(struct lcx_ctx *ctx, char **args, struct lcx_error **err);
} verbs[] = {
	{"attach", 3, attach},         {"detach", 2, detach},   {"create", 1, create},
	{"remove", 1, remove_network}, {"inspect", 1, inspect}, {"reload", 0, reload},
	{"watch", 0, watch},           {"resolve", 1, resolve}, {"sweep", 0, sweep},
	{"serve", 2, serve},           {"ask", 4, ask},         {"attach-alone", 3, attach_alone},
	{"again", 4, again},
};

int main(int argc, char **argv)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	CLEANUP(lcx_ctx_freep) struct lcx_ctx *ctx = NULL;
	int r = -EINVAL;

	for (size_t i = 0; argc > 2 && i < ARRAY_SIZE(verbs); i++) {
		if (strcmp(argv[2], verbs[i].name) != 0 || argc - 3 < verbs[i].arguments)
			continue;
		r = lcx__ctx_new(argv[1], NULL, &ctx, &err);
		if (r == 0)
			r = verbs[i].run(ctx, argv + 3, &err);
		break;
	}
	if (r < 0)
		fprintf(stderr, "%s\n", err ? lcx_error_message(err) : strerror(-r));
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
