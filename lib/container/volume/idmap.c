/* SPDX-License-Identifier: MIT */
#include "container/volume/volume.h"

#include <string.h>

/*
 * "idmap=uids=0-1000-10#10-5000-1;gids=0-1000-10", as podman writes it in a volume's options:
 * FIRST-HOST-COUNT, of which the first is what stands on the disk.
 */

static int add_triple(struct lcx_idmap *map, enum lcx_id_kind kind, char *text,
		      struct lcx_error **err)
{
	const char *first = strsep(&text, "-"), *host = strsep(&text, "-"), *count = text;
	uint64_t from, to, n;

	if (!host || !count || lcx__parse_u64(first, UINT32_MAX, &from) < 0 ||
	    lcx__parse_u64(host, UINT32_MAX, &to) < 0 || lcx__parse_u64(count, UINT32_MAX, &n) < 0)
		return lcx__fail(err, EINVAL,
				 "a range of an idmap is FIRST-HOST-COUNT, three numbers");
	return lcx_idmap_add(map, kind, (uint32_t)from, (uint32_t)to, (uint32_t)n, err);
}

static int add_list(struct lcx_idmap *map, char *text, struct lcx_error **err)
{
	static const struct {
		const char *name;
		enum lcx_id_kind kind;
	} lists[] = {{"uids=", LCX_ID_USER}, {"gids=", LCX_ID_GROUP}};
	char *triple;
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		size_t length = strlen(lists[i].name);

		if (strncmp(text, lists[i].name, length) != 0)
			continue;
		text += length;
		while (r == 0 && (triple = strsep(&text, "#")))
			r = add_triple(map, lists[i].kind, triple, err);
		return r;
	}
	return lcx__fail(err, EINVAL, "idmap=%s: must be uids=FIRST-HOST-COUNT;gids=...", text);
}

int lcx__volume_idmap(const char *text, struct lcx_idmap **ret, struct lcx_error **err)
{
	CLEANUP(lcx_idmap_freep) struct lcx_idmap *map = NULL;
	CLEANUP(freep) char *copy = strdup(text);
	char *rest = copy, *list;
	int r = copy ? lcx_idmap_new(&map, err) : lcx__fail_nomem(err);

	while (r == 0 && (list = strsep(&rest, ";")))
		r = add_list(map, list, err);
	if (r == 0)
		*ret = TAKE_PTR(map);
	return r;
}
