/* SPDX-License-Identifier: MIT */
#include "net/monitor/proxy.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "util/cleanup.h"

/* Of linux/netfilter_ipv6/ip6_tables.h, which does not go together with the C library's headers. */
#define ORIGINAL_DESTINATION 80

enum {
	FLOWS = 256,
	BUFFER_SIZE = 16384,
	AT_ONCE = 256,
	LISTENER = 0xffff, /* among the numbers of flows' sides: 2 * flow + side */
};

/* What one side has sent, and the other has not got yet. */
struct way {
	uint8_t *buffer;
	size_t at, length;
	bool has_ended;  /* nothing more comes in */
	bool end_passed; /* the other side has been told */
};

enum side { CLIENT, CONTAINER, SIDES };

struct flow {
	int fds[SIDES]; /* -1: a free one */
	bool is_connected;
	bool is_watched[SIDES];
	struct way ways[SIDES]; /* from that side to the other */
};

struct proxy {
	int listen_fd, epoll_fd;
	bool is_listening; /* there is room for one more */
	size_t n_flows;
	struct flow flows[FLOWS];
};

int proxy_fd(const struct proxy *proxy)
{
	return proxy->epoll_fd;
}

static int watch(struct proxy *proxy, int operation, int fd, size_t number, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.u64 = number};

	return epoll_ctl(proxy->epoll_fd, operation, fd, &event) < 0 ? -errno : 0;
}

int proxy_new(int listen_fd, struct proxy **ret)
{
	struct proxy *proxy = calloc(1, sizeof(*proxy));
	int r;

	if (!proxy)
		return -ENOMEM;
	for (size_t i = 0; i < FLOWS; i++)
		proxy->flows[i].fds[CLIENT] = proxy->flows[i].fds[CONTAINER] = -1;
	proxy->listen_fd = listen_fd;
	proxy->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	r = proxy->epoll_fd < 0 ? -errno
				: watch(proxy, EPOLL_CTL_ADD, listen_fd, LISTENER, EPOLLIN);
	proxy->is_listening = true;
	if (r < 0) {
		closep(&proxy->epoll_fd);
		free(proxy);
		return r;
	}
	*ret = proxy;
	return 0;
}

static void listen_if_there_is_room(struct proxy *proxy, bool room)
{
	if (room != proxy->is_listening &&
	    watch(proxy, EPOLL_CTL_MOD, proxy->listen_fd, LISTENER, room ? EPOLLIN : 0) == 0)
		proxy->is_listening = room;
}

static void close_flow(struct proxy *proxy, struct flow *flow)
{
	for (size_t i = 0; i < SIDES; i++) {
		closep(&flow->fds[i]);
		free(flow->ways[i].buffer);
	}
	*flow = (struct flow){.fds = {-1, -1}};
	proxy->n_flows--;
	listen_if_there_is_room(proxy, true);
}

/* As if nobody had listened: the client gets no end of file, which could be an empty answer. */
static void refuse(int fd)
{
	const struct linger now = {.l_onoff = 1};

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

/* ---- copying ---- */

/* Return: false on an error, which is the end of the flow. */
static bool fill(int fd, struct way *way)
{
	ssize_t n;

	if (way->has_ended || way->at < way->length)
		return true;
	if (!way->buffer)
		way->buffer = malloc(BUFFER_SIZE);
	if (!way->buffer)
		return false;
	n = recv(fd, way->buffer, BUFFER_SIZE, MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	way->at = 0;
	way->length = (size_t)n;
	way->has_ended = n == 0;
	return true;
}

static bool empty(int fd, struct way *way)
{
	ssize_t n;

	if (way->at < way->length) {
		n = send(fd, way->buffer + way->at, way->length - way->at,
			 MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		way->at += (size_t)n;
	}
	if (way->at == way->length && way->has_ended && !way->end_passed) {
		way->end_passed = true;
		return shutdown(fd, SHUT_WR) == 0;
	}
	return true;
}

/* One that can tell nothing more must not be watched: it would tell its end again and again. */
static bool watch_side(struct proxy *proxy, struct flow *flow, size_t side)
{
	const struct way *in = &flow->ways[side], *out = &flow->ways[1 - side];
	size_t number = 2 * (size_t)(flow - proxy->flows) + side;
	bool reads = flow->is_connected && !in->has_ended && in->at == in->length;
	bool writes = out->at < out->length || (side == CONTAINER && !flow->is_connected);
	bool is_wanted = !in->has_ended || !out->end_passed;
	uint32_t events = (reads ? EPOLLIN : 0) | (writes ? EPOLLOUT : 0);
	int operation = !is_wanted               ? EPOLL_CTL_DEL
			: flow->is_watched[side] ? EPOLL_CTL_MOD
						 : EPOLL_CTL_ADD;

	if (!is_wanted && !flow->is_watched[side])
		return true;
	flow->is_watched[side] = is_wanted;
	return watch(proxy, operation, flow->fds[side], number, events) == 0;
}

/* Something has happened on a side: find out what, by trying all. */
static void work(struct proxy *proxy, struct flow *flow)
{
	bool good = true;

	for (size_t side = 0; side < SIDES && good && flow->is_connected; side++)
		good = fill(flow->fds[side], &flow->ways[side]) &&
		       empty(flow->fds[1 - side], &flow->ways[side]);
	for (size_t side = 0; side < SIDES && good; side++)
		good = watch_side(proxy, flow, side);
	if (!good)
		refuse(flow->fds[CLIENT]);
	if (!good || (flow->ways[CLIENT].end_passed && flow->ways[CONTAINER].end_passed))
		close_flow(proxy, flow);
}

static void work_on_side(struct proxy *proxy, struct flow *flow, size_t side, uint32_t events)
{
	if (flow->fds[CLIENT] < 0)
		return;
	/* A side that is broken, or could not be connected, breaks the other one. */
	if (events & EPOLLERR || (!flow->is_connected && events & EPOLLHUP)) {
		refuse(flow->fds[CLIENT]);
		close_flow(proxy, flow);
		return;
	}
	flow->is_connected = flow->is_connected || side == CONTAINER;
	work(proxy, flow);
}

/* ---- connections ---- */

/* Where the container listens that publishes what the client asked for. */
static bool find_target(const struct lcx__dns_table *table, int client_fd, struct sockaddr_in6 *ret)
{
	struct sockaddr_in6 original = {0};
	socklen_t length = sizeof(original);
	uint32_t port;

	if (getsockopt(client_fd, IPPROTO_IPV6, ORIGINAL_DESTINATION, &original, &length) < 0)
		return false;
	port = ntohs(original.sin6_port);
	for (uint32_t i = 0; i < table->head->n_ports; i++) {
		const struct dns_port *entry = &table->ports[i];

		if (port < entry->host_port || port >= entry->host_port + entry->count)
			continue;
		*ret = (struct sockaddr_in6){.sin6_family = AF_INET6};
		ret->sin6_port = htons((uint16_t)(entry->container_port + port - entry->host_port));
		memcpy(&ret->sin6_addr, entry->address.bytes, sizeof(ret->sin6_addr));
		return true;
	}
	return false;
}

static struct flow *find_free(struct proxy *proxy)
{
	for (size_t i = 0; i < FLOWS; i++)
		if (proxy->flows[i].fds[CLIENT] < 0)
			return &proxy->flows[i];
	return NULL;
}

static int connect_to(const struct sockaddr_in6 *target)
{
	CLEANUP(closep) int fd = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || (connect(fd, (const struct sockaddr *)target, sizeof(*target)) < 0 &&
		       errno != EINPROGRESS))
		return -errno;
	return TAKE_FD(fd);
}

static void lead_on(struct proxy *proxy, int client_fd, const struct lcx__dns_table *table)
{
	struct flow *flow = find_free(proxy);
	CLEANUP(closep) int fd = client_fd, container_fd = -1;
	struct sockaddr_in6 target;

	if (!flow || !table || !find_target(table, fd, &target)) {
		refuse(fd);
		return;
	}
	container_fd = connect_to(&target);
	if (container_fd < 0) {
		refuse(fd);
		return;
	}
	proxy->n_flows++;
	flow->fds[CLIENT] = TAKE_FD(fd);
	flow->fds[CONTAINER] = TAKE_FD(container_fd);
	work(proxy, flow);
	listen_if_there_is_room(proxy, proxy->n_flows < FLOWS);
}

static void accept_one(struct proxy *proxy, const struct lcx__dns_table *(*look)(void *data),
		       void *data)
{
	int fd = accept4(proxy->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd >= 0)
		lead_on(proxy, fd, look(data));
	else if (errno == EMFILE || errno == ENFILE)
		listen_if_there_is_room(proxy, false);
}

int proxy_dispatch(struct proxy *proxy, const struct lcx__dns_table *(*look)(void *data),
		   void *data)
{
	struct epoll_event event;
	int n = 1;

	/* One at a time: an event never speaks of what another one has closed. */
	for (int i = 0; i < AT_ONCE && n > 0; i++) {
		n = epoll_wait(proxy->epoll_fd, &event, 1, 0);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0 && event.data.u64 == LISTENER)
			accept_one(proxy, look, data);
		else if (n > 0)
			work_on_side(proxy, &proxy->flows[event.data.u64 / 2], event.data.u64 % 2,
				     event.events);
	}
	return 0;
}
