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
 * @proc_fd: the root of a procfs, which a relative @path is of; any number for an absolute one
 */
int lcx__write_in_netns(int netns_fd, int proc_fd, const char *path, const char *text);

/*
 * Open a file of /proc/sys for reading: it is of the network or ipc namespace @ns_fd, for whoever
 * reads it. Return: the descriptor, O_CLOEXEC, or a negative errno.
 */
int lcx__open_in_namespace(int ns_fd, const char *path);

enum lcx__enter_for {
	LCX__ENTER_NETWORK, /* a socket, or a file of a network namespace's /proc/sys */
	LCX__ENTER_FIND,    /* a place in a mount namespace, as seen from its root */
	LCX__ENTER_ATTACH,
	LCX__ENTER_DETACH,
};

struct lcx__enter {
	enum lcx__enter_for what;
	int ns_fd, tree_fd, place_fd;
	int domain, type, protocol;
	int proc_fd;	  /* what a relative path to write to is of */
	const char *path; /* a file, in the place of a socket */
	const char *text; /* what is written to it; NULL: it is opened for reading */
	uint64_t length;
	int result;
};

/*
 * In a mount namespace, for who may enter it. A place is found in its root directory, whatever
 * links there are in there; the descriptor (O_PATH) is the caller's. What is detached is the mount
 * that @place_fd is the root of, and no other that somebody puts there meanwhile.
 */
int lcx__find_in_mounts(int ns_fd, const char *path);
int lcx__attach_in_mounts(int ns_fd, int tree_fd, int place_fd);
int lcx__detach_in_mounts(int ns_fd, int place_fd);

/* What the child does; compiled without sanitizers, as child.c is. */
int lcx__enter_child(void *data);
