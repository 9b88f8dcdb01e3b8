/* SPDX-License-Identifier: MIT */

/*
 * Theory of operation. The kernel takes an interface out of everything in a millisecond, under its
 * lock: name, number, bridge, neighbours, the other end. Then, without that lock, it lets whoever
 * asked wait until nobody looks at its memory any more (netdev_run_todo() calls rcu_barrier()),
 * ten milliseconds and more; for each interface again, and to move it into a namespace that ends
 * takes as long (dev_change_net_namespace() does the same). That wait is of use to nobody but the
 * kernel.
 *
 * So a small program of ours asks, as nobody's child, and we look until the interface is gone,
 * which takes the kernel's lock and so comes after all of it was done. The program ends with the
 * system call: there is nothing that it could leave, and a kill only comes to pass when the kernel
 * is done. Where it can't be started, is not allowed what its starter is, or would be
 * given back to us as an orphan, we ask ourselves, and wait.
 */
#include "netlink/remove.h"

#include <linux/rtnetlink.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "init/launch.h"
#include "init/program.h"
#include "netlink/branch.h"
#include "netlink/remover/embed.h"
#include "netlink/remover/wire.h"
#include "util/process.h"
#include "util/str.h"
#include "util/sys.h"

enum {
	LONG_MS = 2000, /* for a process that somebody has stopped */
	HELD_S = 1,     /* for a socket to be held that nobody has to wait for */
};

/*
 * What it hears is a reason to look; by it the program speaks, too, and hears a refusal. Of other
 * namespaces it hears only if it may: else it hears the end of the program.
 */
static int open_events(const struct lcx__link_place *places, size_t count)
{
	const struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
	CLEANUP(closep) int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	int elsewhere = 0;

	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	for (size_t i = 0; i < count; i++)
		elsewhere = elsewhere || places[i].netns_number != LCX__NETNS_OWN;
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_LISTEN_ALL_NSID, &elsewhere, sizeof(elsewhere));
	return TAKE_FD(fd);
}

static void drain(int fd)
{
	char byte;

	while (recv(fd, &byte, sizeof(byte), MSG_DONTWAIT | MSG_TRUNC) >= 0 || errno == ENOBUFS ||
	       errno == EINTR)
		;
}

static void put_order(struct lcx__nl_batch *batch, const struct lcx__link_place *place)
{
	struct ifinfomsg ifi = {.ifi_index = (int)place->index};

	lcx__nl_begin(batch, RTM_DELLINK, NLM_F_REQUEST, &ifi, sizeof(ifi));
	if (place->netns_number != LCX__NETNS_OWN)
		lcx__nl_put_u32(batch, IFLA_TARGET_NETNSID, (uint32_t)place->netns_number);
}

/* Each message by itself: each is waited for by itself. */
static int write_orders(int fd, const struct lcx__link_place *places, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		CLEANUP(lcx__nl_batch_free) struct lcx__nl_batch batch = NL_BATCH_EMPTY;

		put_order(&batch, &places[i]);
		if (batch.failed < 0)
			return batch.failed;
		if (send(fd, batch.data, batch.length, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			return -errno;
	}
	return 0;
}

/* Who is given the orphans would have ours to reap, and knows nothing of them. */
static bool inherits_orphans(void)
{
	int is_subreaper = 0;

	return getpid() == 1 ||
	       (prctl(PR_GET_CHILD_SUBREAPER, &is_subreaper, 0, 0, 0) == 0 && is_subreaper);
}

/* It has left us children of its own, and ends itself. */
static void reap(int pidfd)
{
	if (lcx__pidfd_ends(pidfd, LONG_MS) != 1)
		(void)sys_pidfd_send_signal(pidfd, SIGKILL);
	lcx__pidfd_reap(pidfd);
}

/*
 * @netlink_fd: what the orders are sent by; without any it is held until we hang up
 * Return: a descriptor that hangs up when all of it is done, or a negative errno.
 */
static int start(const struct lcx__link_place *places, size_t count, int netlink_fd)
{
	const struct timeval patience = {.tv_sec = HELD_S};
	const struct lcx__program program = {"lcx-remover", lcx__remover_program,
					     lcx__remover_program_size};
	CLEANUP(closep) int ours = -1, theirs = -1, pidfd = -1;
	int pair[2], sources[REMOVER_FDS], r;
	const struct lcx__program_start how = {
		.sources = sources,
		.n_sources = REMOVER_FDS,
		.cgroup_fd = -1,
		.users_fd = -1,
	};

	if (inherits_orphans())
		return -ECHILD;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	ours = pair[0];
	theirs = pair[1];
	/* Another thread's child that executes nothing may have a copy of ours, and never hang up.
	 */
	if (setsockopt(theirs, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0)
		return -errno;
	r = write_orders(ours, places, count);
	if (r < 0)
		return r;
	sources[REMOVER_FD_CONTROL] = theirs;
	sources[REMOVER_FD_NETLINK] = netlink_fd;
	r = lcx__program_start(&program, &how, &pidfd, NULL);
	if (r < 0)
		return r;
	reap(pidfd);
	return TAKE_FD(ours);
}

static bool is_there(struct lcx_netlink *nl, const struct lcx__link_place *place)
{
	CLEANUP(lcx_link_freep) struct lcx_link *link = NULL;
	int r = place->netns_number == LCX__NETNS_OWN
			? lcx_link_open_index(nl, place->index, &link, NULL)
			: lcx__link_open_there(nl, place->netns_number, place->index, &link, NULL);

	return r != -ENODEV;
}

static int remove_one(struct lcx_netlink *nl, const struct lcx__link_place *place,
		      struct lcx_error **err)
{
	CLEANUP(lcx_error_freep) struct lcx_error *e = NULL;
	int r = place->netns_number == LCX__NETNS_OWN
			? lcx_link_destroy(nl, place->index, &e)
			: lcx__link_destroy_there(nl, place->netns_number, place->index, &e);

	return r < 0 && r != -ENODEV ? lcx__fail(err, -r, "%s", lcx_error_message(e)) : 0;
}

/* Until all are gone, or there is nobody left who removes them. Return: how many of them are. */
static size_t wait_for_end(struct lcx_netlink *nl, const struct lcx__link_place *places,
			   size_t count, int events_fd, int control_fd)
{
	int64_t end = lcx__monotonic_ns() + (int64_t)LONG_MS * 1000000;
	struct pollfd fds[] = {{.fd = events_fd, .events = POLLIN}, {.fd = control_fd}};
	size_t gone = 0;

	while (gone < count && fds[1].revents == 0 && lcx__monotonic_ns() < end) {
		(void)poll(fds, ARRAY_SIZE(fds), LONG_MS);
		drain(events_fd);
		while (gone < count && !is_there(nl, &places[gone]))
			gone++;
	}
	return gone;
}

void lcx__links_begin_removal(const struct lcx__link_place *places, size_t count)
{
	CLEANUP(closep) int events_fd = open_events(places, count), control_fd = -1;

	if (events_fd >= 0)
		control_fd = start(places, count, events_fd);
}

int lcx__links_remove(struct lcx_netlink *nl, const struct lcx__link_place *places, size_t count,
		      struct lcx_error **err)
{
	CLEANUP(closep) int events_fd = open_events(places, count), control_fd = -1;
	size_t gone = 0;
	int result = 0;

	if (events_fd >= 0)
		control_fd = start(places, count, events_fd);
	if (control_fd >= 0)
		gone = wait_for_end(nl, places, count, events_fd, control_fd);
	for (size_t i = gone; i < count; i++) {
		int r = remove_one(nl, &places[i], result == 0 ? err : NULL);

		result = result == 0 ? r : result;
	}
	return result;
}

void lcx__netlink_leave(struct lcx_netlink *nl)
{
	int control_fd = start(NULL, 0, lcx_netlink_fd(nl));

	/* Before we hang up: now it is not the last one. */
	(void)lcx_netlink_free(nl);
	closep(&control_fd);
}
