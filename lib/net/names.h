/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a network's resolver knows, read from where it is written down: attachments, networks, and
 * the host's resolv.conf. Used by the monitor, which has no context but two directories, and by
 * a program that resolves in its own loop.
 */

#include <stddef.h>

struct lcx__names_source {
	const char *network;
	int run_fd;      /* RUN/net, with a directory for each network that has attachments */
	int networks_fd; /* ROOT/networks */
};

/* A table of lib/dns; *ret is the caller's to free. 0 or a negative errno. */
int lcx__names_read(const struct lcx__names_source *source, void **ret, size_t *ret_size);

/*
 * Have an inotify descriptor tell of whatever could change the table; to be called before each
 * reading, as there may be new directories. What can't be watched is left out but for the network's
 * own directory.
 */
int lcx__names_watch(const struct lcx__names_source *source, int inotify_fd);

/* Drain it: 1 if there were news, 0, or a negative errno. */
int lcx__names_news(int inotify_fd);
