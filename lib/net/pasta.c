/* SPDX-License-Identifier: MIT */
#include "net/pasta.h"

#include <ctype.h>
#include <linux/nsfs.h>
#include <linux/sockios.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "init/launch.h"
#include "init/program.h"
#include "net/net-internal.h"
#include "net/pasta/embed.h"
#include "net/pasta/wire.h"
#include "util/process.h"
#include "util/program.h"
#include "util/sys.h"

/* It asks neither PATH nor any other variable. */
static const char *const places[] = {"/usr/bin/pasta", "/usr/local/bin/pasta"};

/* Addresses that nobody has: link-local ones, and a unique local one (RFC 4193). */
#define NAME_SERVER  "169.254.1.1"
#define NAME_SERVER6 "fd6c:6378:7061::53"

enum { REPLY_MS = 15000, END_MS = 5000, PASTA_FDS = 3 };

/*
 * What it never does, whatever its version: lead the container to services that listen on the
 * host's loopback addresses, by the gateway's address or by ports that it finds open there.
 */
static const char *const options[] = {
	"--foreground",  "--quiet",     "--config-net",  "--ns-ifname",
	"eth0",          "--no-map-gw", "--tcp-ns",      "none",
	"--udp-ns",      "none",        "--dns-forward", NAME_SERVER,
	"--dns-forward", NAME_SERVER6,  "--pid",         "/proc/self/fd/1",
};

static const char *find(struct lcx_error **err)
{
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (lcx__is_administrators_program(places[i]))
			return places[i];
	(void)lcx__fail(err, EOPNOTSUPP,
			"network 'pasta' needs the program pasta, which is not installed: neither "
			"'%s' nor '%s' is a program of root's; install the package passt, or "
			"choose the network \"none\" or \"host\"",
			places[0], places[1]);
	return NULL;
}

int lcx__pasta_plan(struct lcx_attachment *attachment, struct lcx_error **err)
{
	if (!find(err))
		return -EOPNOTSUPP;
	for (size_t i = 0; i < attachment->port_count; i++)
		if (attachment->ports[i].protocol == PORT_SCTP)
			return lcx__fail(err, EOPNOTSUPP,
					 "port %u/sctp: network 'pasta' publishes TCP and UDP only",
					 attachment->ports[i].container_port);
	return lcx__ports_claim(NULL, attachment, false, err);
}

const char *lcx__pasta_name_server(void)
{
	CLEANUP(freep) char *text = NULL;
	const char *server;

	/* As pasta reads it, with loopback addresses. Without any, either will do. */
	if (lcx_net_resolv_conf(NULL, NULL, NULL, NULL, true, &text, NULL) < 0)
		return NAME_SERVER;
	server = strstr(text, "nameserver ");
	server = server ? server + strlen("nameserver ") : "";
	return strcspn(server, ":") < strcspn(server, "\n") ? NAME_SERVER6 : NAME_SERVER;
}

/* ---- what it is told ---- */

static void add(struct pasta_order *order, const char *argument)
{
	size_t size = strlen(argument) + 1;

	/* Too many, which is seen at the end. */
	if (order->n_arguments == PASTA_ARGUMENTS_LIMIT ||
	    size > sizeof(order->text) - order->length) {
		order->n_arguments = PASTA_ARGUMENTS_LIMIT + 1;
		return;
	}
	memcpy(order->text + order->length, argument, size);
	order->length += (uint32_t)size;
	order->n_arguments++;
}

/* "192.0.2.1/8000:80" */
static void add_port(struct pasta_order *order, const struct lcx_port *port, unsigned int i)
{
	bool everywhere = lcx__port_is_anywhere(port) && port->families == (1u << NET_FAMILIES) - 1;
	char text[LCX__INET_SIZE + 64];

	(void)snprintf(text, sizeof(text), "%s%s%u:%u", everywhere ? "" : port->host_address,
		       everywhere ? "" : "/", port->host_port + i, port->container_port + i);
	add(order, port->protocol == PORT_UDP ? "-u" : "-t");
	add(order, text);
}

/*
 * Each by itself: of a range, or a list, pasta is content with one that it gets, and the others
 * may be another program's since they were tried.
 */
static void add_range(struct pasta_order *order, const struct lcx_port *port)
{
	for (unsigned int i = 0; i < port->count; i++)
		add_port(order, port, i);
}

/* Without ports of a kind it must be told so: it would lead on whatever is open inside. */
static void add_ports(struct pasta_order *order, const struct lcx_attachment *attachment)
{
	static const struct {
		enum port_protocol protocol;
		const char *option;
	} kinds[] = {{PORT_TCP, "--tcp-ports"}, {PORT_UDP, "--udp-ports"}};

	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		size_t count = 0;

		for (size_t i = 0; i < attachment->port_count; i++) {
			if (attachment->ports[i].protocol != kinds[k].protocol)
				continue;
			add_range(order, &attachment->ports[i]);
			count++;
		}
		if (count > 0)
			continue;
		add(order, kinds[k].option);
		add(order, "none");
	}
}

static int fill_order(struct pasta_order *order, const struct lcx_attachment *attachment,
		      struct lcx_error **err)
{
	const char *path = find(err);

	if (!path)
		return -EOPNOTSUPP;
	add(order, path);
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		add(order, options[i]);
	add_ports(order, attachment);
	return order->n_arguments <= PASTA_ARGUMENTS_LIMIT
		       ? 0
		       : lcx__fail(err, E2BIG,
				   "network 'pasta' publishes no more than %d ports, or fewer on "
				   "addresses that are long",
				   (PASTA_ARGUMENTS_LIMIT - (int)ARRAY_SIZE(options)) / 2 - 2);
}

/* ---- its start ---- */

/* Its last line, but for its trouble with a log of the system's. */
static const char *reason(char *words)
{
	const char *found = "it gave no reason";
	char *rest = words, *line;

	while ((line = strsep(&rest, "\n"))) {
		if (line[0] == '\0' || strncmp(line, "Failed to send", 14) == 0)
			continue;
		for (char *c = line; *c; c++)
			if (!isprint((unsigned char)*c))
				*c = '?';
		found = line;
	}
	return found;
}

static int receive_reply(int control_fd, struct lcx_error **err)
{
	struct pasta_reply reply;
	int r = lcx__program_answer(control_fd, REPLY_MS, &reply, sizeof(reply));

	if (r < 0)
		return lcx__fail(err, -r,
				 r == -ETIMEDOUT ? "its keeper does not answer"
						 : "its keeper ended without a word");
	reply.words[sizeof(reply.words) - 1] = '\0';
	if (reply.error == 0)
		return reply.pid;
	if (reply.error == ESRCH)
		return lcx__fail(err, ECANCELED, "the container's process was killed");
	return lcx__fail(err, reply.error, "%s", reason(reply.words));
}

/* Whoever made a user namespace may ask for it, and for what it owns; its process may hide both. */
static int open_namespaces(int netlink_fd, int *userns_fd, int *netns_fd, struct lcx_error **err)
{
	*netns_fd = ioctl(netlink_fd, SIOCGSKNS);
	if (*netns_fd < 0)
		return lcx__fail_sys(err, errno, "open the network namespace");
	*userns_fd = ioctl(*netns_fd, NS_GET_USERNS);
	return *userns_fd < 0 ? lcx__fail_sys(err, errno, "open the user namespace") : 0;
}

/* @fds: what it gets behind the control socket. */
static int launch(const struct pasta_order *order, const int fds[static PASTA_FDS],
		  struct lcx_error **err)
{
	const struct lcx__program program = {
		.name = "lcx-pasta",
		.bytes = lcx__pasta_program,
		.size = lcx__pasta_program_size,
	};
	CLEANUP(closep) int control_fd = -1, keeper_fd = -1;
	int r = lcx__program_start_told(&program, fds, PASTA_FDS, -1, &control_fd, &keeper_fd, err);

	if (r < 0)
		return r;
	r = send(control_fd, order, sizeof(*order), MSG_NOSIGNAL) < 0 ? -errno : 0;
	r = r < 0 ? lcx__fail_sys(err, -r, "tell its keeper what to do")
		  : receive_reply(control_fd, err);
	/* It has left us a child of its own, and ends itself. */
	lcx__pidfd_reap(keeper_fd);
	return r;
}

int lcx__pasta_start(const struct lcx_attachment *attachment, int netlink_fd, int pidfd,
		     struct lcx_error **err)
{
	CLEANUP(freep) struct pasta_order *order = calloc(1, sizeof(*order));
	CLEANUP(closep) int userns_fd = -1, netns_fd = -1;
	int r;

	if (!order)
		return lcx__fail_nomem(err);
	r = fill_order(order, attachment, err);
	if (r == 0)
		r = open_namespaces(netlink_fd, &userns_fd, &netns_fd, err);
	if (r == 0)
		r = launch(order, (const int[PASTA_FDS]){pidfd, userns_fd, netns_fd}, err);
	return r < 0 ? lcx__fail_prefix(err, r, "start pasta") : r;
}

int lcx__pasta_end(int64_t pid, int64_t start_time, struct lcx_error **err)
{
	int r = lcx__end_process(pid, start_time, END_MS);

	return r < 0 ? lcx__fail_sys(err, -r, "end pasta, process %jd", (intmax_t)pid) : 0;
}
