/* SPDX-License-Identifier: MIT */
#pragma once

/* What the rooms below may know of namespaces, above all the compiler of launch plans. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lcx/ns.h"
#include "util/error.h"

DEFINE_CLEANUP(struct lcx_idmap *, lcx_idmap_free)
DEFINE_CLEANUP(struct lcx_ns_set *, lcx_ns_set_free)

/* One line of a uid_map or gid_map. */
struct lcx__id_range {
	uint32_t container_id, host_id, count;
};

/* The ranges, in the order they were added; valid until the map is changed or freed. */
const struct lcx__id_range *lcx__idmap_ranges(const struct lcx_idmap *map, enum lcx_id_kind kind,
					      size_t *ret_n);

/* A map in which the caller's own ids are root's, as an ordinary user may write it. */
int lcx__idmap_new_of_oneself(struct lcx_idmap **ret, struct lcx_error **err);

/* The ids that there are in the caller's user namespace. */
int lcx__idmap_of_caller(struct lcx_idmap **ret, struct lcx_error **err);

/* Whether setgroups(2) is forbidden in it: user_namespaces(7). */
bool lcx__setgroups_is_denied(void);

/* CLONE_NEW* for a mask of enum lcx_ns_kind. CLONE_NEWTIME is 0x80, a bit that clone(2) uses
 * otherwise. */
uint64_t lcx__ns_clone_flags(uint32_t kinds);

/*
 * The map of a child of ours that waits for it; see lcx_idmap_write(). The first form makes sure
 * that
 * @pid is the process behind @pidfd, and not one that got its number after a host reaped it.
 */
int lcx__idmap_write_child(const struct lcx_idmap *map, int32_t pid, int pidfd,
			   struct lcx_error **err);

/*
 * What timens_offsets reads: "monotonic 5 0\nboottime 5 0\n". The nanoseconds are added to
 * the seconds, so they are 0 to 999999999 also where those are negative.
 */
enum { LCX__TIME_OFFSETS_SIZE = 96 };
void lcx__time_offsets_format(int64_t monotonic_seconds, uint32_t monotonic_ns,
			      int64_t boottime_seconds, uint32_t boottime_ns,
			      char text[static LCX__TIME_OFFSETS_SIZE]);

/* lcx_idmap_add_subids() with the directory in which the two files are, instead of /etc. */
int lcx__idmap_add_subids(struct lcx_idmap *map, int etc_fd, const char *user, uint32_t uid,
			  struct lcx_error **err);
