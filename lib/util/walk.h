/* SPDX-License-Identifier: MIT */
#pragma once

/* A walk over a hostile tree, by descriptors and without recursion: walk.c tells how. */

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

struct lcx__walk_dir {
	int fd;
	char **names; /* in byte order, NULL at the end; owned */
	size_t next, path_length;
	void *data; /* of the user, one block of malloc(3); owned */
};

struct lcx__walk {
	struct lcx__walk_dir *dirs; /* from the root to where we are */
	size_t depth, size;
	char *path; /* of the present entry, from the root; its last component is @name */
	size_t path_size;
	const char *name;
	struct stat st;
	bool cross; /* onto other mounts: off unless it is set before */
};

/* Enter a directory: @fd and @data are taken, also on failure. */
int lcx__walk_enter(struct lcx__walk *walk, int fd, void *data);
/* The next entry, once all those of directories entered since are done. Return: 1, 0 or a negative
 * errno. */
int lcx__walk_next(struct lcx__walk *walk);
/* The directory of the present entry. */
struct lcx__walk_dir *lcx__walk_here(struct lcx__walk *walk);
/* Open the present entry: flags as of openat2(2), never through a link, or onto another mount
 * unless that was asked for. */
int lcx__walk_open(struct lcx__walk *walk, int flags);
void lcx__walk_clear(struct lcx__walk *walk);
