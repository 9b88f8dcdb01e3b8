/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What rooms below may know of an overlay: the launch plan's compiler hands the
 * same list to lcx-init, which mounts where this process cannot (in a container's
 * user and mount namespace).
 */

#include <stddef.h>

#include "lcx/overlay.h"
#include "util/error.h"

DEFINE_CLEANUP(struct lcx_overlay *, lcx_overlay_free)
DEFINE_CLEANUP(struct lcx_overlay_diff *, lcx_overlay_diff_free)

enum {
	LCX__OVERLAY_MAX_LOWERS = 500, /* fs/overlayfs: OVL_MAX_STACK */
	LCX__OVERLAY_MAX_OPTIONS = 8,
};

/* A directory by path (fd is -1) or by descriptor (path is NULL). */
struct lcx__overlay_dir {
	char *path;
	int fd;
};

/* An option as fsconfig(2) takes it; a flag has no value. */
struct lcx__overlay_option {
	const char *key, *value;
};

/* Are the directories there and do options go together? To be called before the others. */
int lcx__overlay_check(const struct lcx_overlay *overlay, struct lcx_error **err);

size_t lcx__overlay_lower_count(const struct lcx_overlay *overlay);

/* All options but the directories; strings live as long as the overlay's. Return: how many. */
size_t lcx__overlay_options(const struct lcx_overlay *overlay,
			    struct lcx__overlay_option options[static LCX__OVERLAY_MAX_OPTIONS]);

/* SYS_MOUNT_ATTR_* flags of the mount. */
unsigned int lcx__overlay_attributes(const struct lcx_overlay *overlay);

/* Open a directory of an overlay O_PATH; the caller closes. Return: a descriptor or a negative
 * errno. */
int lcx__overlay_open(const struct lcx__overlay_dir *dir);

/*
 * Leave out what only holds the place of a mount: empty files and directories of these paths
 * ("etc/hosts"), if they were added, and directories that are in the upper for their sake only.
 * @paths, NULL at the end, is taken.
 */
void lcx__overlay_diff_hide(struct lcx_overlay_diff *diff, char **paths);

/* Walk as whoever may read the files of @ctx, which is borrowed: ns/users.h. */
struct lcx_ctx;
void lcx__overlay_diff_set_ctx(struct lcx_overlay_diff *diff, struct lcx_ctx *ctx);

/* Open the present entry O_PATH, never through a link. Return: a descriptor or a negative errno. */
int lcx__overlay_diff_open(struct lcx_overlay_diff *diff);
