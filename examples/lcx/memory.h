/* SPDX-License-Identifier: MIT */
#pragma once

/* Cleanup of what the commands hold, and allocation that ends the program when there is no memory.
 */

#include <stdlib.h>
#include <unistd.h>

#include <lcx/lcx.h>

#define CLEANUP(fn) __attribute__((__cleanup__(fn)))
#define DEFINE_CLEANUP(type, free_fn)                                                              \
	static inline void free_fn##p(type *p)                                                     \
	{                                                                                          \
		if (*p)                                                                            \
			free_fn(*p);                                                               \
	}

DEFINE_CLEANUP(struct lcx_attach *, lcx_attach_free)
DEFINE_CLEANUP(char *, lcx_string_free)
DEFINE_CLEANUP(struct lcx_cgroup_figures *, lcx_cgroup_figures_free)
DEFINE_CLEANUP(struct lcx_cgroup_stats *, lcx_cgroup_stats_free)
DEFINE_CLEANUP(struct lcx_commit *, lcx_commit_free)
DEFINE_CLEANUP(struct lcx_checkpoint *, lcx_checkpoint_free)
DEFINE_CLEANUP(struct lcx_container *, lcx_container_free)
DEFINE_CLEANUP(struct lcx_container_list *, lcx_container_list_free)
DEFINE_CLEANUP(struct lcx_error *, lcx_error_free)
DEFINE_CLEANUP(struct lcx_image *, lcx_image_free)
DEFINE_CLEANUP(struct lcx_image_list *, lcx_image_list_free)
DEFINE_CLEANUP(struct lcx_load *, lcx_load_free)
DEFINE_CLEANUP(struct lcx_login *, lcx_login_free)
DEFINE_CLEANUP(struct lcx_log_reader *, lcx_log_reader_free)
DEFINE_CLEANUP(struct lcx_overlay_diff *, lcx_overlay_diff_free)
DEFINE_CLEANUP(struct lcx_process *, lcx_process_free)
DEFINE_CLEANUP(struct lcx_pull *, lcx_pull_free)
DEFINE_CLEANUP(struct lcx_push *, lcx_push_free)
DEFINE_CLEANUP(struct lcx_save *, lcx_save_free)
DEFINE_CLEANUP(struct lcx_spec *, lcx_spec_free)
DEFINE_CLEANUP(struct lcx_stdio *, lcx_stdio_free)
DEFINE_CLEANUP(struct lcx_supervisor *, lcx_supervisor_free)

static inline void freep(void *p)
{
	free(*(void **)p);
}

static inline void closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/* realloc(3) for @count things of @size bytes; does not return without memory. */
void *xrealloc(void *old, size_t count, size_t size);

/* A formatted string that the caller frees; does not return without memory. */
char *xprintf(const char *format, ...) __attribute__((__format__(__printf__, 1, 2)));

/* Strings that belong to somebody else, in order, with a NULL behind the last. */
struct list {
	const char **items;
	size_t count;
};

void list_add(struct list *list, const char *item);
void list_free(struct list *list);

/* The items, or an empty array: never NULL. */
const char *const *list_items(const struct list *list);
