/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

/*
 * A socket belongs for ever to the network namespace it was made in. This makes one in
 * another namespace, and no thread of the host's is in that namespace for a moment: a
 * child that shares the host's memory and descriptors enters it, opens the socket and
 * ends. Return: the descriptor, O_CLOEXEC, or a negative errno.
 */
int lcx__socket_in_netns(int netns_fd, int domain, int type, int protocol);

/*
 * Write @text into a file of /proc/sys/net, which shows each process its own namespace: by such a
 * child, too. Return: 0, or a negative errno.
 */
int lcx__write_in_netns(int netns_fd, const char *path, const char *text);

/*
 * Open a file of /proc/sys for reading: it is of the network or ipc namespace @ns_fd, for whoever
 * reads it. Return: the descriptor, O_CLOEXEC, or a negative errno.
 */
int lcx__open_in_namespace(int ns_fd, const char *path);

struct lcx__enter {
	int ns_fd, domain, type, protocol;
	const char *path; /* a file, in the place of a socket */
	const char *text; /* what is written to it; NULL: it is opened for reading */
	uint64_t length;
	int result;
};

/* What the child does; compiled without sanitizers, as child.c is. */
int lcx__enter_child(void *data);
