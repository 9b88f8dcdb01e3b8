/* SPDX-License-Identifier: MIT */
#pragma once

/* A container's files as they are seen from outside: for export, copy, diff and commit. */

#include "container/container-internal.h"
#include "overlay/overlay.h"
#include "process/view.h"
#include "tar/tar.h"

/* Its layers, with the read-write one as the upper. -EOPNOTSUPP if it runs on a directory. */
int lcx__container_overlay(struct lcx_container *c, struct lcx_overlay **ret,
			   struct lcx_error **err);

/* What the read-write layer changes, without what only holds the place of a mount. */
int lcx__container_changes(struct lcx_container *c, struct lcx_overlay_diff **ret,
			   struct lcx_error **err);

/*
 * Its tree without what is mounted in it, to be read; whether it runs or not. Return: a
 * descriptor or a negative errno in words.
 */
int lcx__container_open_tree(struct lcx_container *c, struct lcx_error **err);

/* Its tree, to be read and written: as its process sees it, or, if there is none, its root and what
 * is bound into it. */
struct lcx__container_root {
	int fd;                /* O_PATH */
	struct lcx__view view; /* if it doesn't run: what is mounted there */
	int lock_fd;           /* -1 if it runs; else it can't be started meanwhile */
};
#define LCX__CONTAINER_ROOT_NONE ((struct lcx__container_root){-1, LCX__VIEW_NONE, -1})

int lcx__container_open_root(struct lcx_container *c, struct lcx__container_root *ret,
			     struct lcx_error **err);
void lcx__container_root_clear(struct lcx__container_root *root);

/*
 * Its root for a start, attached nowhere: layers as an overlay whose owners are mapped, or the
 * directory that it runs on. Return: a descriptor or a negative errno in words.
 */
int lcx__container_mount_root(struct lcx_container *c, struct lcx_error **err);

/*
 * What it is made from, to be read: its layers, or the directory that it runs on. @empty_fd is an
 * empty directory, for layers. Return: a descriptor or a negative errno in words.
 */
int lcx__container_open_image(const struct lcx_container *c, int empty_fd, struct lcx_error **err);
/* All of that, or of a directory in it, into an empty directory, with the ids that the container's
 * files have on the disk. */
int lcx__container_copy_tree(struct lcx_container *c, int from_fd, int to_fd,
			     struct lcx_error **err);

/* The ids of its user namespace, as files outside have them. */
enum lcx__ids_of {
	LCX__IDS_DISK,    /* its layers */
	LCX__IDS_PROCESS, /* what its process sees, or would see */
};
struct lcx__container_ids {
	struct lcx__id_map map;
	struct lcx__tar_ids *uids, *gids; /* owned */
};
int lcx__container_ids(struct lcx_container *c, enum lcx__ids_of view,
		       struct lcx__container_ids *ret, struct lcx_error **err);
void lcx__container_ids_clear(struct lcx__container_ids *ids);
