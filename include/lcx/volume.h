/* SPDX-License-Identifier: MIT */
#ifndef LCX_VOLUME_H
#define LCX_VOLUME_H

#include <stddef.h>
#include <stdint.h>

#include <lcx/ctx.h>
#include <lcx/error.h>
#include <lcx/version.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * struct lcx_volume - a directory with a name, which outlives the containers that mount it
 *
 * It is kept below the root directory, volumes/NAME/data, and given to containers by
 * lcx_container_add_volume(). A handle is what stood there when it was opened, and needs no context
 * afterwards. One without a name of the caller's is anonymous: it goes with the container that it
 * was made for, if that is asked for.
 *
 * One thread at a time per handle, any number of handles in any number of threads.
 */
struct lcx_volume;

/**
 * lcx_volume_create() - make one
 * @name:   [A-Za-z0-9][A-Za-z0-9_.-]{0,127}; NULL: one that is made up, and the volume is anonymous
 * @labels: "KEY=VALUE" or "KEY", NULL-terminated, or NULL; data of the caller's
 * @ret:    may be NULL
 *
 * It either is there, whole, or not, whenever the program dies. Return: 0, -EEXIST if there is one
 * of that name, -EINVAL.
 */
int lcx_volume_create(struct lcx_ctx *ctx, const char *name, const char *const *labels,
		      struct lcx_volume **ret, struct lcx_error **err);

/** lcx_volume_open() - Return: 0, -ENOENT, -EINVAL for what can't name one */
int lcx_volume_open(struct lcx_ctx *ctx, const char *name, struct lcx_volume **ret,
		    struct lcx_error **err);

/* Of the handle, as long as it is there. */
const char *lcx_volume_name(const struct lcx_volume *volume);
const char *lcx_volume_path(const struct lcx_volume *volume);          /* its directory */
const char *const *lcx_volume_labels(const struct lcx_volume *volume); /* "KEY=VALUE"s, NULL */
int64_t lcx_volume_created_ns(const struct lcx_volume *volume);   /* since 1970, CLOCK_REALTIME */
int32_t lcx_volume_is_anonymous(const struct lcx_volume *volume); /* 1 or 0 */

/** lcx_volume_free() - drop the handle only; NULL is accepted, NULL is returned */
struct lcx_volume *lcx_volume_free(struct lcx_volume *volume);

/**
 * lcx_volume_remove() - with all that is in it
 *
 * Not while any container has it, whether that runs or not. Waits for creations of containers that
 * are under way. Return: 0, -ENOENT, -EBUSY, whose words name a container that has it.
 */
int lcx_volume_remove(struct lcx_ctx *ctx, const char *name, struct lcx_error **err);

/** struct lcx_volume_list - volumes by name, as they were when the list was made */
struct lcx_volume_list;

/** lcx_volume_list_new() - all of them */
int lcx_volume_list_new(struct lcx_ctx *ctx, struct lcx_volume_list **ret, struct lcx_error **err);

/**
 * lcx_volume_prune() - remove those that no container has
 * @all: 0: only anonymous ones; 1: also those with a name
 * @ret: what was removed; may be NULL
 *
 * Goes on after a failure; then the first one is returned, with all in its words, and *@ret is set
 * all the same.
 */
int lcx_volume_prune(struct lcx_ctx *ctx, int32_t all, struct lcx_volume_list **ret,
		     struct lcx_error **err);

size_t lcx_volume_list_count(const struct lcx_volume_list *list);

/** lcx_volume_list_get() - borrow one, for as long as the list; NULL out of range */
const struct lcx_volume *lcx_volume_list_get(const struct lcx_volume_list *list, size_t index);

/** lcx_volume_list_free() - NULL is accepted, NULL is returned */
struct lcx_volume_list *lcx_volume_list_free(struct lcx_volume_list *list);

#ifdef __cplusplus
}
#endif

#endif /* LCX_VOLUME_H */
