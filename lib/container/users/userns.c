/* SPDX-License-Identifier: MIT */
#include "container/users/users.h"

#include <sched.h>
#include <string.h>
#include <unistd.h>

/* Whose users a container's are: lcx_container_set_userns(). */

enum {
	USUAL_SIZE = 65536,
	/* What systemd's UIDS-GIDS leaves free below 2^31; useradd(8) stays far below. */
	POOL_FIRST = 1879048192,
	POOL_COUNT = 268304384,
};

/* ---- words ---------------------------------------------------------------- */

static int parse_size(const char *text, uint32_t *ret)
{
	uint64_t size;

	if (strncmp(text, "size=", 5) != 0 || lcx__parse_u64(text + 5, UINT32_MAX, &size) < 0 ||
	    size == 0)
		return -EINVAL;
	*ret = (uint32_t)size;
	return 0;
}

/* Return: whether it is "auto", with the size of its range. */
static bool is_auto(const char *userns, uint32_t *ret_size)
{
	*ret_size = USUAL_SIZE;
	if (!userns || strncmp(userns, "auto", 4) != 0)
		return false;
	return userns[4] == '\0' || (userns[4] == ':' && parse_size(userns + 5, ret_size) == 0);
}

static int leave_namespace(struct lcx_container *c, struct lcx_error **err)
{
	int r = lcx_spec_clear_id_maps(c->spec, err);

	return r < 0 ? r : lcx_spec_remove_namespace(c->spec, "user", err);
}

static int apply(struct lcx_container *c, const char *userns, struct lcx_error **err)
{
	uint32_t size;
	int r;

	if (strcmp(userns, "host") == 0)
		return leave_namespace(c, err);
	if (strcmp(userns, "private") == 0)
		return lcx_spec_add_namespace(c->spec, "user", err);
	if (strncmp(userns, "ns:/", 4) == 0) {
		r = lcx_spec_clear_id_maps(c->spec, err);
		return r < 0 ? r : lcx_spec_join_namespace(c->spec, "user", userns + 3, err);
	}
	if (is_auto(userns, &size))
		return lcx_spec_add_namespace(c->spec, "user", err);
	return lcx__fail(err, EINVAL,
			 "user namespace '%s': must be host, private, auto, auto:size=COUNT or "
			 "ns:/PATH",
			 userns);
}

LCX_PUBLIC int lcx_container_set_userns(struct lcx_container *c, const char *userns,
					struct lcx_error **err)
{
	CLEANUP(freep) char *copy = NULL;
	int r;

	if (c->state != LCX_CONTAINER_NEW)
		return lcx__fail(err, EEXIST, "container '%s' was created before",
				 lcx__container_display(c));
	copy = strdup(userns);
	if (!copy)
		return lcx__fail_nomem(err);
	r = apply(c, userns, err);
	if (r < 0)
		return r;
	free(c->d.userns);
	c->d.userns = TAKE_PTR(copy);
	return 0;
}

/* ---- the range ------------------------------------------------------------ */

/* Root's own by the administrator's word, or else one that nobody else uses. */
static int find_pool(struct lcx_idmap **ret, struct lcx_error **err)
{
	CLEANUP(lcx_idmap_freep) struct lcx_idmap *pool = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *why = NULL;
	int r = lcx_idmap_new(&pool, err);

	if (r < 0)
		return r;
	r = lcx_idmap_add_subids(pool, "root", 0, &why);
	if (r < 0 && r != -ENOENT)
		return lcx__fail(err, -r, "%s", lcx_error_message(why));
	if (r == -ENOENT)
		r = lcx_idmap_add(pool, LCX_ID_USER, 0, POOL_FIRST, POOL_COUNT, err);
	if (r == 0 && lcx_idmap_count(pool, LCX_ID_GROUP) == 0)
		r = lcx_idmap_add(pool, LCX_ID_GROUP, 0, POOL_FIRST, POOL_COUNT, err);
	if (r == 0)
		*ret = TAKE_PTR(pool);
	return r;
}

static int choose_range(struct lcx_container *c, int users_fd, uint32_t size,
			struct lcx_error **err)
{
	CLEANUP(lcx_idmap_freep) struct lcx_idmap *pool = NULL;
	uint32_t uid = 0, gid = 0;
	int r;

	if (!lcx__container_is_handed(c))
		return lcx__fail(err, EPERM,
				 "user namespace '%s': only root, in the first user namespace, has "
				 "ranges to give to containers",
				 c->d.userns);
	r = find_pool(&pool, err);
	if (r == 0)
		r = lcx__id_ranges_choose(c->ctx, users_fd, pool, size, &uid, &gid, err);
	/* Of a creation that failed later on. */
	if (r == 0)
		r = lcx_spec_clear_id_maps(c->spec, err);
	if (r == 0)
		r = lcx_spec_add_uid_map(c->spec, 0, uid, size, err);
	return r < 0 ? r : lcx_spec_add_gid_map(c->spec, 0, gid, size, err);
}

int lcx__container_take_users(struct lcx_container *c, int *ret_lock_fd, struct lcx_error **err)
{
	const struct lcx__spec_linux *l = &c->spec->linux_;
	uint32_t size;
	int r;

	if (!lcx__container_has_users(c))
		return 0;
	if (is_auto(c->d.userns, &size) && !c->has_chosen_users &&
	    (l->uid_mappings.n > 0 || l->gid_mappings.n > 0))
		return lcx__fail(err, EINVAL,
				 "user namespace '%s' and maps of ids exclude each other",
				 c->d.userns);
	r = lcx__id_ranges_lock(c->ctx, ret_lock_fd, err);
	if (r == 0 && is_auto(c->d.userns, &size)) {
		c->has_chosen_users = true;
		r = choose_range(c, *ret_lock_fd, size, err);
	}
	return r < 0 ? r : lcx__id_ranges_take(c, *ret_lock_fd, err);
}
