/* SPDX-License-Identifier: MIT */
#pragma once

/* Whose ids of the host a container's users are. */

#include "container/container-internal.h"

/* ---- ids.c: c->spec is read already ---- */

/* It has a user namespace made for it. */
bool lcx__container_has_users(const struct lcx_container *c);
/* It joins one that is there. */
bool lcx__container_joins_users(const struct lcx_container *c);

/* Such a one, with its root mounted by this process, which is root of the machine. */
bool lcx__container_is_handed(const struct lcx_container *c);

/* Its files are on the disk with the ids that it knows, and mounts show them with those of its
 * range. */
bool lcx__container_is_mapped(const struct lcx_container *c);

/* chowned.c: instead, its only layer is a copy of its image with the ids of its range, in its own
 * directory. */
#define LCX__CHOWNED_DIR "chowned"
bool lcx__container_is_chowned(const struct lcx_container *c);
/* When the container is made, in its directory: nothing unless it wants one. */
int lcx__container_chown_layers(struct lcx_container *c, int dir_fd, struct lcx_error **err);
/* A file that is bound into it becomes its root's. */
int lcx__container_own_file(struct lcx_container *c, int fd);

/* The map of its user namespace, for the caller. */
int lcx__container_idmap(const struct lcx_container *c, struct lcx_idmap **ret,
			 struct lcx_error **err);

/* Whether this process can make it. */
int lcx__container_check_users(const struct lcx_container *c, struct lcx_error **err);

/* ---- home.c ---- */

/*
 * Of a bundle's container: "HOME=...", if the environment of @process has none, by the user that
 * it is of; the caller's. Engines leave that to their runtime. Else *ret stays as it is.
 */
int lcx__container_home(const struct lcx_container *c, const struct lcx_spec *process, char **ret,
			struct lcx_error **err);

/* ---- userns.c, ranges.c ---- */

/*
 * At creation, of a container with a user namespace made for it: choose the range of one that
 * wants any, and write down whose it is. *ret_lock_fd, if it is set, stays open until the
 * container is there or, after a failure, has released its ids.
 */
int lcx__container_take_users(struct lcx_container *c, int *ret_lock_fd, struct lcx_error **err);

/* *ret_fd holds the record locked as long as it is open. */
int lcx__id_ranges_lock(const struct lcx_ctx *ctx, int *ret_fd, struct lcx_error **err);
/* The first of @count users, and of groups, of @pool that nobody has. -ENOSPC */
int lcx__id_ranges_choose(const struct lcx_ctx *ctx, int users_fd, const struct lcx_idmap *pool,
			  uint32_t count, uint32_t *ret_uid, uint32_t *ret_gid,
			  struct lcx_error **err);
/* Those of its description are the container's. */
int lcx__id_ranges_take(const struct lcx_container *c, int users_fd, struct lcx_error **err);
/* They are nobody's any more; not while this process has the record locked. */
int lcx__id_ranges_release(const struct lcx_ctx *ctx, const char *id, struct lcx_error **err);
/* The same for all containers that are not there; *count grows if there was one. */
int lcx__id_ranges_sweep(const struct lcx_ctx *ctx, uint32_t *count, struct lcx_error **err);
