/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Shared by the files of lib/overlay and nobody else. options.c owns the
 * description of a mount, mount.c makes it, diff.c and size.c read the upper
 * directory, marks.c knows how overlayfs writes what it remembers.
 */

#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "overlay/overlay.h"

/* How to talk to the kernel; all but the first for tests of what older kernels need. */
enum lcx__overlay_how {
	LCX__OVERLAY_AUTO,
	LCX__OVERLAY_ONE_STRING, /* fsopen(2), all layers in one string */
	LCX__OVERLAY_MOUNT,      /* mount(2) */
};

enum { LCX__OVERLAY_RULES = 7 };

struct lcx_overlay {
	struct lcx__overlay_dir *lowers; /* top-most first */
	size_t lower_count;
	struct lcx__overlay_dir upper, work;    /* both, or none */
	const char *values[LCX__OVERLAY_RULES]; /* of the tables' words; NULL: default */
	unsigned int attributes;
	enum lcx__overlay_how how;
};

bool lcx__overlay_has_upper(const struct lcx_overlay *overlay);
void lcx__overlay_dir_clear(struct lcx__overlay_dir *dir);

/* Is this option of the overlay "on"? */
bool lcx__overlay_is_on(const struct lcx_overlay *overlay, const char *key);

/* marks.c: what overlayfs keeps in extended attributes. */

enum { LCX__REDIRECT_SIZE = 4096 };

struct lcx__overlay_marks {
	bool opaque;    /* directory: what is below is hidden */
	bool whiteouts; /* directory: an empty file in it may be a whiteout, by an attribute */
	bool metacopy;  /* file: its content is the lower's */
	char redirect[LCX__REDIRECT_SIZE]; /* where it was in the lowers, or "" */
};

/*
 * Read the marks of a directory or regular file by any descriptor, O_PATH included.
 * @user chooses user.* attributes. Return: 0 or a negative errno.
 */
int lcx__overlay_read_marks(int fd, bool user, struct lcx__overlay_marks *marks);

/* Is this open entry, which is like @st, a whiteout? @by_attribute: in a directory with such. */
bool lcx__overlay_is_whiteout(int fd, const struct stat *st, bool by_attribute, bool user);

/* walk.c: a walk over a hostile tree, by descriptors and without recursion. */

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
};

/* Enter a directory: @fd and @data are taken, also on failure. */
int lcx__walk_enter(struct lcx__walk *walk, int fd, void *data);
/* The next entry, once all those of directories entered since are done. Return: 1, 0 or a negative
 * errno. */
int lcx__walk_next(struct lcx__walk *walk);
/* The directory of the present entry. */
struct lcx__walk_dir *lcx__walk_here(struct lcx__walk *walk);
/* Open the present entry: flags as of openat2(2), never through a link or onto another mount. */
int lcx__walk_open(struct lcx__walk *walk, int flags);
void lcx__walk_clear(struct lcx__walk *walk);
