/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Shared by the files of lib/overlay and nobody else. options.c owns the
 * description of a mount, mount.c makes it, mapped.c does so with other owners, diff.c and size.c read the upper
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
	struct lcx_idmap *map; /* NULL: owners are as they stand */
};

/* ---- mount.c ---- */

/* By one "lowerdir+" a layer; -EOPNOTSUPP, without words, if the kernel has no such way. */
int lcx__overlay_mount_by_layer(const struct lcx_overlay *overlay, struct lcx_error **err);

/* For mount(2); the names stand in the text as they are. NULL without memory. */
char *lcx__overlay_data(const struct lcx_overlay *overlay, const char *lowers, const char *upper,
			const char *work);
unsigned long lcx__overlay_flags(const struct lcx_overlay *overlay);

/* A refusal, in words; @fs_fd, or -1, may have some of the kernel's. Return: @r. */
int lcx__overlay_refused(int fs_fd, int r, const char *step, struct lcx_error **err);

/* ---- aside.c ---- */

/* Have a thread run this in a copy of the mounts that nobody else sees. Return: what it returns. */
typedef int lcx__overlay_aside_fn(const void *data, struct lcx_error **err);
int lcx__overlay_aside(lcx__overlay_aside_fn *run, const void *data, struct lcx_error **err);

/* ---- mapped.c ---- */

/* lcx_overlay_mount_fd() with a map of owners. */
int lcx__overlay_mount_mapped(const struct lcx_overlay *overlay, struct lcx_error **err);

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
