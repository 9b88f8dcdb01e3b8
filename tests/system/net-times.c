/* SPDX-License-Identifier: MIT */

/*
 * What attaching and detaching takes, beside the same made by hand (net-hand.h): what the kernel
 * takes of it, and what is ours. `net-times ROOT VERB NETWORK COUNT`.
 *
 *   many    COUNT containers with a published port each, all there at once, then five with 200
 * ports each; in microseconds of CPU time, as others on the machine do not count in it. Prints
 *           "WHOSE FIRST LAST", the means of the first and of the last tenth, "routers COUNT", of ours
 *           those who would believe a router, and "ports EACH". Whoever calls it takes down what is
 *           there.
 *   apart   the same, but the library's come all before those by hand
 *   cycle   one comes and goes COUNT times; its namespace lives on
 *   life    likewise, but it ends before, with its namespace, as a container does
 *           Both print "WHOSE ATTACH DETACH", medians in microseconds as they passed.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "init/enter.h"
#include "net-hand.h"
#include "net/net.h"
#include "util/str.h"

enum { MOST = 4096, PORTS = 200, WITH_PORTS = 5, BRIDGE_ADDRESS = 0x0a620001 }; /* 10.98.0.1 */

static int64_t now_ns(clockid_t clock)
{
	struct timespec time = {0};

	(void)clock_gettime(clock, &time);
	return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* A new namespace, and a socket of it. */
struct place {
	int netns_fd, netlink_fd;
};

static void place_close(struct place *place)
{
	closep(&place->netlink_fd);
	closep(&place->netns_fd);
}

static struct place place_make(void)
{
	CLEANUP(closep) int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	struct place place = {-1, -1};

	if (own < 0 || unshare(CLONE_NEWNET) < 0) {
		perror("make a namespace");
		exit(99);
	}
	place.netns_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	place.netlink_fd = hand_socket();
	if (place.netns_fd < 0 || setns(own, CLONE_NEWNET) < 0) {
		perror("enter a namespace");
		exit(99);
	}
	return place;
}

/* Who does it: the library, or this program by hand. */
struct way {
	const char *name;
	struct lcx_ctx *ctx;
	struct lcx_network *network; /* NULL: by hand */
	int hand_fd, bridge;
};

static int add_ports(struct lcx_attachment *attachment, int first, int count,
		     struct lcx_error **err)
{
	int r = 0;

	for (int i = 0; i < count && r == 0; i++) {
		CLEANUP(lcx_port_freep) struct lcx_port *port = NULL;
		char text[32];

		(void)snprintf(text, sizeof(text), "%d:80", first + i);
		r = lcx_port_parse(text, &port, err);
		if (r == 0)
			r = lcx_attachment_add_port(attachment, port, err);
	}
	return r;
}

static int attach(const struct way *way, int number, const struct place *place, int first_port,
		  int ports, struct lcx_error **err)
{
	CLEANUP(lcx_attachment_freep) struct lcx_attachment *attachment = NULL;
	char name[32];
	int r;

	(void)snprintf(name, sizeof(name), "many-%d", number);
	if (!way->network) {
		hand_attach(way->hand_fd, way->bridge, name, place->netns_fd, place->netlink_fd,
			    BRIDGE_ADDRESS + 1 + (uint32_t)number, BRIDGE_ADDRESS);
		return 0;
	}
	r = lcx_attachment_new(name, &attachment, err);
	if (r == 0)
		r = add_ports(attachment, first_port, ports, err);
	if (r == 0)
		r = lcx__network_plan(way->ctx, way->network, attachment, err);
	if (r == 0)
		r = lcx__network_apply(way->ctx, way->network, attachment, place->netns_fd,
				       place->netlink_fd, err);
	return r;
}

static int detach(const struct way *way, int number, bool has_ended, struct lcx_error **err)
{
	char name[32];

	(void)snprintf(name, sizeof(name), "many-%d", number);
	if (way->network)
		return lcx_network_detach(way->ctx, lcx_network_name(way->network), name, err);
	if (!has_ended)
		hand_detach(way->hand_fd, name);
	while (has_ended && if_nametoindex(name) != 0)
		(void)sched_yield();
	return 0;
}

/* ---- many ---- */

/* What the first and the last tenth took, in all. */
struct tenths {
	int64_t first_ns, last_ns;
};

static int timed_attach(const struct way *way, int i, int count, struct tenths *tenths,
			int *ret_netns_fd, struct lcx_error **err)
{
	struct place place = place_make(); /* open until this process ends: it is the container */
	int64_t taken_ns = -now_ns(CLOCK_PROCESS_CPUTIME_ID);
	int r = attach(way, i, &place, 20000 + i, 1, err);

	taken_ns += now_ns(CLOCK_PROCESS_CPUTIME_ID);
	/* That of the bridge is not counted. */
	if (i > 0 && i <= count / 10)
		tenths->first_ns += taken_ns;
	if (i >= count - count / 10)
		tenths->last_ns += taken_ns;
	*ret_netns_fd = place.netns_fd;
	return r;
}

static bool hears_routers(int netns_fd)
{
	CLEANUP(closep)
	int fd = lcx__open_in_namespace(netns_fd, "/proc/sys/net/ipv6/conf/eth0/accept_ra");
	char value = '0';

	return fd >= 0 && (read(fd, &value, 1) != 1 || value != '0');
}

static void print_tenths(const struct way *way, const struct tenths *tenths, int count)
{
	printf("%s %lld %lld\n", way->name, (long long)tenths->first_ns / (count / 10) / 1000,
	       (long long)tenths->last_ns / (count / 10) / 1000);
}

static int many_ports(const struct way *way, int count, struct lcx_error **err)
{
	int64_t all = 0;
	int r = 0;

	for (int i = 0; i < WITH_PORTS && r == 0; i++) {
		struct place place = place_make(); /* open until this process ends */
		int64_t start = now_ns(CLOCK_PROCESS_CPUTIME_ID);

		r = attach(way, count + i, &place, 30000 + i * PORTS, PORTS, err);
		all += now_ns(CLOCK_PROCESS_CPUTIME_ID) - start;
	}
	if (r == 0)
		printf("ports %lld\n", (long long)all / WITH_PORTS / 1000);
	return r;
}

/*
 * In turns, so that what else goes on here meets both; or one after the other, as each of a thousand
 * has the kernel read the others anew, and none is to find its own driven out of the caches.
 */
static int many(struct way *ours, struct way *hand, int count, bool in_turns,
		struct lcx_error **err)
{
	struct place host = place_make(); /* by hand: another host, whose end takes all with it */
	struct way *ways[] = {ours, hand};
	struct tenths tenths[2] = {{0}};
	static int netns_fds[2][MOST];
	int routers = 0;
	int r = count < 10 ? lcx__fail(err, EINVAL, "ten at least") : 0;

	hand->hand_fd = host.netlink_fd;
	hand->bridge = hand_bridge(hand->hand_fd, "hand", BRIDGE_ADDRESS);
	for (int n = 0; n < 2 * count && r == 0; n++) {
		int way = in_turns ? n % 2 : n / count, i = in_turns ? n / 2 : n % count;

		r = timed_attach(ways[way], i, count, &tenths[way], &netns_fds[way][i], err);
	}
	if (r < 0)
		return r;
	for (int i = 0; i < count; i++)
		routers += hears_routers(netns_fds[0][i]);
	printf("routers %d\n", routers);
	for (int way = 0; way < 2; way++)
		print_tenths(ways[way], &tenths[way], count);
	return many_ports(ours, count, err);
}

/* ---- one that comes and goes ---- */

static int compare_times(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static double median_us(int64_t *times, int count)
{
	qsort(times, (size_t)count, sizeof(*times), compare_times);
	return (double)times[count / 2] / 1000;
}

static int one_round(const struct way *way, struct place *place, bool ends, int64_t *attach_ns,
		     int64_t *detach_ns, struct lcx_error **err)
{
	int64_t start;
	int r;

	if (ends)
		*place = place_make();
	start = now_ns(CLOCK_MONOTONIC);
	r = attach(way, 0, place, 8094, 1, err);
	*attach_ns = now_ns(CLOCK_MONOTONIC) - start;
	if (ends)
		place_close(place);
	start = now_ns(CLOCK_MONOTONIC);
	if (r == 0)
		r = detach(way, 0, ends, err);
	*detach_ns = now_ns(CLOCK_MONOTONIC) - start;
	return r;
}

static int rounds(struct way *ours, struct way *hand, int count, bool ends, struct lcx_error **err)
{
	static int64_t attach_ns[2][MOST], detach_ns[2][MOST];
	struct place place = place_make(), own = place_make();
	struct way *ways[] = {ours, hand};
	int r;

	hand->hand_fd = hand_socket();
	hand->bridge = hand_bridge(hand->hand_fd, "hand", BRIDGE_ADDRESS);
	/* Somebody stays, and with him the bridge. */
	r = attach(ours, count, &own, 8093, 1, err);
	for (int i = 0; i < count; i++)
		for (size_t w = 0; w < 2 && r == 0; w++)
			r = one_round(ways[w], &place, ends, &attach_ns[w][i], &detach_ns[w][i],
				      err);
	for (size_t w = 0; w < 2 && r == 0; w++)
		printf("%s %.0f %.0f\n", ways[w]->name, median_us(attach_ns[w], count),
		       median_us(detach_ns[w], count));
	if (r == 0)
		r = detach(ours, count, false, err);
	hand_detach(hand->hand_fd, "hand");
	return r;
}

int main(int argc, char **argv)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	CLEANUP(lcx_network_freep) struct lcx_network *network = NULL;
	CLEANUP(lcx_ctx_freep) struct lcx_ctx *ctx = NULL;
	struct way ours = {.name = "lcx"}, hand = {.name = "hand", .hand_fd = -1};
	int count = argc == 5 ? atoi(argv[4]) : 0, r = -EINVAL;

	if (count > 0 && count <= MOST)
		r = lcx__ctx_new(argv[1], NULL, &ctx, &err);
	if (r == 0)
		r = lcx_network_open(ctx, argv[3], &network, &err);
	ours.ctx = ctx;
	ours.network = network;
	if (r == 0)
		r = strcmp(argv[2], "many") == 0 || strcmp(argv[2], "apart") == 0
			    ? many(&ours, &hand, count, argv[2][0] == 'm', &err)
			    : rounds(&ours, &hand, count, strcmp(argv[2], "life") == 0, &err);
	if (r < 0)
		fprintf(stderr, "%s\n", err ? lcx_error_message(err) : strerror(-r));
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
