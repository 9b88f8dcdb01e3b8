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
#include "util/walk.h"

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

/* as-user.c: for a caller without CAP_SYS_ADMIN. Return: a descriptor or a negative errno. */
bool lcx__overlay_needs_namespace(void);
int lcx__overlay_mount_as_user(const struct lcx_overlay *overlay, struct lcx_error **err);

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
