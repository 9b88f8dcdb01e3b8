/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Volumes: directories with names that containers mount. On disk one is
 *
 *	ROOT/volumes/NAME/
 *		volume.json	what it was made as (store.c)
 *		data		what containers see
 *		fresh		as long as no container was given it (use.c)
 *		filling		what of an image is being copied to become data
 *
 * Who has it stands in the containers' descriptions alone, so that there are no two records to
 * contradict each other. A creation holds the directory of containers locked, shared, from before
 * it looks for its volumes until it is a container; whoever removes a volume holds it exclusively
 * while it asks all of them. The directory of volumes is locked the same way, after that one, by
 * who makes a volume and by who removes what somebody died over.
 */

#include "container/container-internal.h"
#include "lcx/volume.h"

struct volume_record {
	char *name;
	char **labels;
	struct lcx__opt_bool anonymous;
	char *made_for; /* a container: removed with it, unless that says otherwise; or NULL */
	struct lcx__opt_i64 created_ns;
};

DEFINE_CLEANUP(struct lcx_volume *, lcx_volume_free)
DEFINE_CLEANUP(struct lcx_volume_list *, lcx_volume_list_free)

/* ---- store.c ---- */

/* -EEXIST without words, if there is one of that name. */
int lcx__volume_make(struct lcx_ctx *ctx, const struct volume_record *record,
		     struct lcx_error **err);
const struct volume_record *lcx__volume_record(const struct lcx_volume *volume);
/* It stays when the container that it was made for goes. */
int lcx__volume_keep(struct lcx_ctx *ctx, const char *name, struct lcx_error **err);
/* The directory of volumes, locked as long as it is open. -EWOULDBLOCK in silence with LOCK_NB. */
int lcx__volumes_lock(const struct lcx_ctx *ctx, int how, int *ret_fd, struct lcx_error **err);
/* All of them, and the same without one. */
int lcx__volume_list_add(struct lcx_volume_list *list, struct lcx_volume **volume);
struct lcx_volume_list *lcx__volume_list_new(void);

/* ---- use.c: of a container that is being made ---- */

/* What -v says if it names no directory of the host's; @name NULL: an anonymous one. */
int lcx__volume_wish(struct lcx_container *c, const char *name, const char *destination,
		     char *options, struct lcx_error **err);
/* Add what the image wants, make what is not there, fill it, and put all into the description. */
int lcx__container_add_volumes(struct lcx_container *c, const struct lcx_image *image,
			       struct lcx_error **err);

/* ---- remove.c ---- */

/* Before a container goes: its anonymous volumes stay. */
int lcx__container_keep_volumes(const struct lcx_container *c, struct lcx_error **err);
/* After it has gone, or was not made: they go, but for those that others have. */
int lcx__container_drop_volumes(const struct lcx_container *c, struct lcx_error **err);
/* What was half made, and those made for a container that is not there; the caller holds the
 * directory of containers exclusively. */
int lcx__volumes_sweep(struct lcx_ctx *ctx, uint32_t *count, struct lcx_error **err);

/* ---- idmap.c ---- */

/* The map of the option "idmap=TEXT", for the caller. */
int lcx__volume_idmap(const char *text, struct lcx_idmap **ret, struct lcx_error **err);
