/* SPDX-License-Identifier: MIT */
#pragma once

/* Shared by the files of this room. kinds.c knows the kinds; create.c makes, pin.c keeps
 * namespaces. */

#include <stdbool.h>
#include <stdint.h>

#include "ns/ns.h"

enum {
	LCX__NS_KINDS = 8,
	LCX__IDMAP_MAX_RANGES =
		340, /* user_namespaces(7); as long as the text is less than a page */
};

/* Bit @index of the masks, from 0 on. */
static inline enum lcx_ns_kind lcx__ns_kind_at(int index)
{
	return (enum lcx_ns_kind)(1 << index);
}

/* One kind and not a mask; its index among them, or -1. */
int lcx__ns_index(uint32_t kind);

/* Open a link of /proc/PID/ns, where @proc_dir_fd is /proc/PID. Return: a descriptor, or a negative
 * errno. */
int lcx__ns_open_proc(int proc_dir_fd, enum lcx_ns_kind kind);

/* The kind behind a descriptor, without words: -EINVAL if it is no namespace. */
int lcx__ns_kind_of(int fd);

/* /proc/PID of a child of ours, opened so that it is no other's. */
int lcx__ns_open_child(int32_t pid, int pidfd, struct lcx_error **err);

/* lcx_idmap_set_programs() */
bool lcx__idmap_may_use_programs(const struct lcx_idmap *map);

/* Have newuidmap(1) or newgidmap(1) give the map to process @pid. */
int lcx__idmap_run_program(const struct lcx_idmap *map, enum lcx_id_kind kind, int32_t pid,
			   struct lcx_error **err);

/* A map as ROOT/subids has it, which lcx__users_map() reads; NULL without memory. To be freed. */
char *lcx__users_format(const struct lcx_idmap *map);

/* A file as subuid(5) has it, which is cut up. Return: how many of its lines were the user's. */
int lcx__idmap_add_subids_text(struct lcx_idmap *map, enum lcx_id_kind kind, const char *file,
			       char *text, const char *user, uint32_t uid, struct lcx_error **err);

/* Take back the ranges behind the first @n. */
void lcx__idmap_truncate(struct lcx_idmap *map, enum lcx_id_kind kind, size_t n);
