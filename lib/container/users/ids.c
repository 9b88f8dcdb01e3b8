/* SPDX-License-Identifier: MIT */
#include "container/users/users.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include "container/tree/tree.h"
#include "container/users/ordinary.h"
#include "util/fs.h"
#include "util/privilege.h"

/*
 * Whose ids the files of a container have. On the disk, layers have the image's: 0 is root. A
 * container with a user namespace made by root of the machine sees them as its own: the
 * mounts map them (lib/overlay/mapped.c), and its read-write layer, too, keeps the image's ids. So
 * a layer serves any number of containers, whatever their ranges, and what a container wrote is
 * read, committed and given another range without touching a file. Only if it asks for it, where no
 * mount can map ids, it has a copy with its own (chowned.c).
 *
 * An ordinary user can't have that. His layers have the ids that they were unpacked with in his
 * user namespace, and his container's process mounts them itself. If he has ranges, all that
 * reads or writes these files from outside does it in a user namespace with the same ids
 * (ns/users.h), and sees them as the container does.
 */

/* Root of a container that was left without CAP_SYS_ADMIN is nobody special. */
bool lcx__is_root_of_the_machine(void)
{
	return geteuid() == 0 && !lcx__is_ordinary_user() && lcx__is_in_first_users();
}

bool lcx__container_has_users(const struct lcx_container *c)
{
	const struct lcx__spec_namespace *ns = lcx__spec_namespace(c->spec, CLONE_NEWUSER);

	return ns && !ns->path;
}

bool lcx__container_joins_users(const struct lcx_container *c)
{
	const struct lcx__spec_namespace *ns = lcx__spec_namespace(c->spec, CLONE_NEWUSER);

	return ns && ns->path;
}

bool lcx__container_is_handed(const struct lcx_container *c)
{
	return lcx__container_has_users(c) && lcx__is_root_of_the_machine();
}

static bool is_identity(const struct lcx__spec_id_map *ranges, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (ranges[i].container_id.value != ranges[i].host_id.value)
			return false;
	return true;
}

/* Its ids are others than the image's. */
static bool is_shifted(const struct lcx_container *c)
{
	const struct lcx__spec_linux *linux_ = &c->spec->linux_;

	return c->d.layers && lcx__container_is_handed(c) &&
	       !(is_identity(linux_->uid_mappings.items, linux_->uid_mappings.n) &&
		 is_identity(linux_->gid_mappings.items, linux_->gid_mappings.n));
}

bool lcx__container_is_mapped(const struct lcx_container *c)
{
	return is_shifted(c) && !lcx__container_wants_chown(c);
}

bool lcx__container_is_chowned(const struct lcx_container *c)
{
	return is_shifted(c) && lcx__container_wants_chown(c);
}

static int add_range(struct lcx_idmap *map, enum lcx_id_kind kind,
		     const struct lcx__spec_id_map *range, struct lcx_error **err)
{
	return lcx_idmap_add(map, kind, range->container_id.value, range->host_id.value,
			     range->size.value, err);
}

int lcx__container_idmap(const struct lcx_container *c, struct lcx_idmap **ret,
			 struct lcx_error **err)
{
	const struct lcx__spec_linux *linux_ = &c->spec->linux_;
	CLEANUP(lcx_idmap_freep) struct lcx_idmap *map = NULL;
	int r = lcx_idmap_new(&map, err);

	for (size_t i = 0; r == 0 && i < linux_->uid_mappings.n; i++)
		r = add_range(map, LCX_ID_USER, &linux_->uid_mappings.items[i], err);
	for (size_t i = 0; r == 0 && i < linux_->gid_mappings.n; i++)
		r = add_range(map, LCX_ID_GROUP, &linux_->gid_mappings.items[i], err);
	if (r < 0)
		return r;
	lcx_idmap_set_programs(map, c->ctx->subids != NULL);
	*ret = TAKE_PTR(map);
	return 0;
}

/*
 * Without the rights of the machine's root, a container's directories are its owner's alone (0700),
 * and so is its process for as long as it sets them up: whoever makes it must be somebody in there.
 */
int lcx__container_check_users(const struct lcx_container *c, struct lcx_error **err)
{
	uint32_t self = geteuid();

	if (!lcx__container_has_users(c) || lcx__container_is_handed(c))
		return 0;
	for (size_t i = 0; i < c->spec->linux_.uid_mappings.n; i++) {
		const struct lcx__spec_id_map *map = &c->spec->linux_.uid_mappings.items[i];

		if (self - map->host_id.value < map->size.value)
			return 0;
	}
	return lcx__fail(
		err, EPERM,
		"linux.uidMappings: user %u, whose files the container's are, is not among "
		"the host's ids; only root, in the first user namespace, can have files "
		"shown with other owners",
		self);
}

/* ---- ids as they are met outside ------------------------------------------ */

static int copy_ranges(const struct lcx__spec_id_map *maps, size_t n, struct lcx__tar_ids **ret)
{
	struct lcx__tar_ids *ranges = calloc(n + 1, sizeof(*ranges));

	if (!ranges)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		ranges[i] = (struct lcx__tar_ids){maps[i].container_id.value, maps[i].host_id.value,
						  maps[i].size.value};
	*ret = ranges;
	return 0;
}

int lcx__container_ids(struct lcx_container *c, enum lcx__ids_of view,
		       struct lcx__container_ids *ret, struct lcx_error **err)
{
	const struct lcx__spec_linux *l;
	int r = lcx__container_load_spec(c, err);

	*ret = (struct lcx__container_ids){0};
	/* Where it takes root of the container's ids to reach them, there is nothing to translate.
	 */
	if (r < 0 || !lcx__container_has_users(c) || c->ctx->subids ||
	    (view == LCX__IDS_DISK && lcx__container_is_mapped(c)))
		return r;
	l = &c->spec->linux_;
	if (copy_ranges(l->uid_mappings.items, l->uid_mappings.n, &ret->uids) < 0 ||
	    copy_ranges(l->gid_mappings.items, l->gid_mappings.n, &ret->gids) < 0) {
		lcx__container_ids_clear(ret);
		return lcx__fail_nomem(err);
	}
	ret->map = (struct lcx__id_map){ret->uids, ret->gids, l->uid_mappings.n, l->gid_mappings.n};
	return 0;
}

void lcx__container_ids_clear(struct lcx__container_ids *ids)
{
	free(ids->uids);
	free(ids->gids);
	*ids = (struct lcx__container_ids){0};
}
