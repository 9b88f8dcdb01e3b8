/* SPDX-License-Identifier: MIT */
#include "users.h"

DEFINE_CLEANUP(struct lcx_idmap *, lcx_idmap_free)

void user_options_free(struct user_options *o)
{
	list_free(&o->uid_map);
	list_free(&o->gid_map);
}

static int parse(struct lcx_idmap *map, enum lcx_id_kind kind, const struct list *texts,
		 struct lcx_error **err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < texts->count; i++)
		r = lcx_idmap_parse(map, kind, texts->items[i], err);
	return r;
}

static int add(const struct lcx_idmap *map, enum lcx_id_kind kind, struct lcx_spec *spec,
	       struct lcx_error **err)
{
	uint32_t container_id, host_id, count;
	int r = 0;

	for (size_t i = 0;
	     r == 0 && lcx_idmap_range(map, kind, i, &container_id, &host_id, &count) == 0; i++)
		r = kind == LCX_ID_USER
			    ? lcx_spec_add_uid_map(spec, container_id, host_id, count, err)
			    : lcx_spec_add_gid_map(spec, container_id, host_id, count, err);
	return r;
}

int describe_users(struct lcx_container *c, const struct user_options *o, struct lcx_error **err)
{
	/* As with podman, one of the two stands for both. */
	const struct list *uids = o->uid_map.count ? &o->uid_map : &o->gid_map;
	const struct list *gids = o->gid_map.count ? &o->gid_map : &o->uid_map;
	CLEANUP(lcx_idmap_freep) struct lcx_idmap *map = NULL;
	int r = lcx_idmap_new(&map, err);

	if (r == 0 && o->userns)
		r = lcx_container_set_userns(c, o->userns, err);
	if (r == 0)
		r = parse(map, LCX_ID_USER, uids, err);
	if (r == 0)
		r = parse(map, LCX_ID_GROUP, gids, err);
	if (r == 0)
		r = add(map, LCX_ID_USER, lcx_container_spec(c), err);
	return r < 0 ? r : add(map, LCX_ID_GROUP, lcx_container_spec(c), err);
}
