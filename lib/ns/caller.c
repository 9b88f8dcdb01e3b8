/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ns/ns.h"
#include "util/fs.h"

/* What the user namespace that the caller is in has, and forbids. */

static int read_ids(struct lcx_idmap *map, enum lcx_id_kind kind, const char *path,
		    struct lcx_error **err)
{
	CLEANUP(freep) char *text = NULL;
	int r = lcx__read_file(AT_FDCWD, path, 1 << 16, &text, NULL);
	char *line, *rest = text;

	if (r < 0)
		return lcx__fail_sys(err, -r, "read '%s'", path);
	while (r == 0 && (line = strsep(&rest, "\n")) && *line) {
		uint32_t inside, outside, count;

		if (sscanf(line, "%" SCNu32 " %" SCNu32 " %" SCNu32, &inside, &outside, &count) !=
		    3)
			return lcx__fail(err, EBADMSG, "'%s' says '%s'", path, line);
		r = lcx_idmap_add(map, kind, inside, outside, count, err);
	}
	return r;
}

int lcx__idmap_of_caller(struct lcx_idmap **ret, struct lcx_error **err)
{
	CLEANUP(lcx_idmap_freep) struct lcx_idmap *map = NULL;
	int r = lcx_idmap_new(&map, err);

	if (r == 0)
		r = read_ids(map, LCX_ID_USER, "/proc/self/uid_map", err);
	if (r == 0)
		r = read_ids(map, LCX_ID_GROUP, "/proc/self/gid_map", err);
	if (r == 0)
		*ret = TAKE_PTR(map);
	return r;
}

bool lcx__setgroups_is_denied(void)
{
	CLEANUP(freep) char *text = NULL;

	return lcx__read_file(AT_FDCWD, "/proc/self/setgroups", 64, &text, NULL) == 0 &&
	       strncmp(text, "deny", 4) == 0;
}
