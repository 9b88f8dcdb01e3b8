/* SPDX-License-Identifier: MIT */
#include "tar/tar.h"

enum { OVERFLOW_ID = 65534 }; /* what the kernel shows for an id that has no mapping */

static uint32_t translate(const struct lcx__tar_ids *ranges, size_t n, uint32_t id, bool inward)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t from = inward ? ranges[i].outside : ranges[i].inside;
		uint32_t to = inward ? ranges[i].inside : ranges[i].outside;

		if (id >= from && id - from < ranges[i].size)
			return to + (id - from);
	}
	return n == 0 ? id : OVERFLOW_ID;
}

uid_t lcx__uid_inside(const struct lcx__id_map *map, uid_t uid)
{
	return map ? translate(map->uids, map->n_uids, uid, true) : uid;
}

gid_t lcx__gid_inside(const struct lcx__id_map *map, gid_t gid)
{
	return map ? translate(map->gids, map->n_gids, gid, true) : gid;
}

uid_t lcx__uid_outside(const struct lcx__id_map *map, uid_t uid)
{
	return map ? translate(map->uids, map->n_uids, uid, false) : uid;
}

gid_t lcx__gid_outside(const struct lcx__id_map *map, gid_t gid)
{
	return map ? translate(map->gids, map->n_gids, gid, false) : gid;
}
