/* SPDX-License-Identifier: MIT */
#include "container/users/ordinary.h"

#include <linux/capability.h>
#include <sched.h>
#include <string.h>

#include "container/container-internal.h"
#include "container/network/network.h"
#include "container/users/users.h"
#include "ns/ns.h"
#include "ns/users.h"
#include "spec/fields.h"
#include "util/json.h"
#include "util/privilege.h"

bool lcx__is_ordinary_user(void)
{
	return !lcx__has_capability(CAP_SYS_ADMIN);
}

static int map_oneself(struct lcx_spec *spec, struct lcx_error **err)
{
	int r = lcx_spec_add_namespace(spec, "user", err);

	if (r == 0)
		r = lcx_spec_add_uid_map(spec, 0, geteuid(), 1, err);
	return r == 0 ? lcx_spec_add_gid_map(spec, 0, getegid(), 1, err) : r;
}

static int map_ranges(struct lcx_container *c, const struct lcx_idmap *map, struct lcx_error **err)
{
	uint32_t inside, outside, count;
	int r = lcx_spec_add_namespace(c->spec, "user", err);

	for (size_t i = 0;
	     r == 0 && lcx_idmap_range(map, LCX_ID_USER, i, &inside, &outside, &count) == 0; i++)
		r = lcx_spec_add_uid_map(c->spec, inside, outside, count, err);
	for (size_t i = 0;
	     r == 0 && lcx_idmap_range(map, LCX_ID_GROUP, i, &inside, &outside, &count) == 0; i++)
		r = lcx_spec_add_gid_map(c->spec, inside, outside, count, err);
	return r;
}

static bool has_ranges(const struct lcx__spec_id_map *maps, size_t n, const struct lcx_idmap *map,
		       enum lcx_id_kind kind)
{
	bool same = n == lcx_idmap_count(map, kind);
	uint32_t inside, outside, count;

	for (size_t i = 0; same && i < n; i++)
		same = lcx_idmap_range(map, kind, i, &inside, &outside, &count) == 0 &&
		       maps[i].container_id.value == inside && maps[i].host_id.value == outside &&
		       maps[i].size.value == count;
	return same;
}

/* All of his containers have the same ids, since they share the files of images. */
static int check_ranges(const struct lcx_container *c, const struct lcx_idmap *map,
			struct lcx_error **err)
{
	const struct lcx__spec_linux *linux_ = &c->spec->linux_;

	if (has_ranges(linux_->uid_mappings.items, linux_->uid_mappings.n, map, LCX_ID_USER) &&
	    has_ranges(linux_->gid_mappings.items, linux_->gid_mappings.n, map, LCX_ID_GROUP))
		return 0;
	return lcx__fail(err, EINVAL,
			 "maps of ids: in root directory '%s' all containers of an ordinary user "
			 "have those of its file '" LCX__SUBIDS_FILE "'; leave them out",
			 c->ctx->root_dir);
}

static int map_users(struct lcx_container *c, bool has_own, struct lcx_error **err)
{
	CLEANUP(lcx_idmap_freep) struct lcx_idmap *map = NULL;
	int r;

	if (!c->ctx->subids)
		return has_own ? 0 : map_oneself(c->spec, err);
	r = lcx__users_map(c->ctx, &map, err);
	if (r < 0)
		return r;
	if (!has_own)
		return map_ranges(c, map, err);
	return lcx__container_has_users(c) ? check_ranges(c, map, err) : 0;
}

static bool has_id(const struct lcx_idmap *ids, enum lcx_id_kind kind, uint32_t id)
{
	uint32_t outside;

	return lcx_idmap_to_host(ids, kind, id, &outside) == 0;
}

/* Why there are no others, and the way out. */
static const char *why_nobody(const struct lcx_container *c)
{
	if (!lcx__spec_namespace(c->spec, CLONE_NEWUSER))
		return "the container around this one has no such id; choose another user, or give "
		       "that one a range of ids";
	return c->ctx->subids
		       ? "the ranges of /etc/subuid and /etc/subgid are too small for it"
		       : "an ordinary user has but one id of his own there, 0; choose another user, "
			 "use subordinate ids (subuid(5)), or let root run it";
}

static int check_groups(const struct lcx_container *c, const struct lcx_idmap *ids,
			struct lcx_error **err)
{
	for (size_t i = 0; i < c->spec->process.user.additional_gids.n; i++) {
		uint32_t gid = c->spec->process.user.additional_gids.items[i];

		if (!has_id(ids, LCX_ID_GROUP, gid))
			return lcx__fail(err, EINVAL, "group %u is nobody in this container: %s",
					 gid, why_nobody(c));
	}
	return 0;
}

static int check_user(const struct lcx_container *c, const struct lcx_idmap *ids,
		      struct lcx_error **err)
{
	const struct lcx__spec_user *user = &c->spec->process.user;

	if (has_id(ids, LCX_ID_USER, user->uid.value) && has_id(ids, LCX_ID_GROUP, user->gid.value))
		return 0;
	return lcx__fail(err, EINVAL, "user %u:%u is nobody in this container: %s", user->uid.value,
			 user->gid.value, why_nobody(c));
}

static int check_network(const struct lcx_container *c, struct lcx_error **err)
{
	if (lcx__network_is_mode(c->d.network))
		return 0;
	return lcx__fail(err, EPERM,
			 "network '%s': only root makes bridges; an ordinary user's container has "
			 "the network \"pasta\", which also publishes ports, \"none\", \"host\" or "
			 "another container's",
			 c->d.network);
}

/* Groups that have no id in there can't be kept where setgroups(2) is given up with the map. */
static int settle_identity(struct lcx_container *c, const struct lcx_idmap *ids,
			   struct lcx_error **err)
{
	int r = check_user(c, ids, err);

	if (r < 0)
		return r;
	if (lcx__setgroups_is_denied() || (lcx__is_ordinary_user() && !c->ctx->subids))
		return c->spec->process.user.additional_gids.n > 0
			       ? lcx_spec_clear_groups(c->spec, err)
			       : 0;
	return check_groups(c, ids, err);
}

static bool shares_network(const struct lcx_spec *spec, const struct lcx_idmap *ids)
{
	const struct lcx__spec_namespace *ns = lcx__spec_namespace(spec, CLONE_NEWNET);

	(void)ids;
	return !ns || ns->path;
}

static bool has_no_tty_group(const struct lcx_spec *spec, const struct lcx_idmap *ids)
{
	(void)spec;
	return !has_id(ids, LCX_ID_GROUP, 5);
}

/* What these file systems demand, and a user namespace may lack. */
static const struct {
	const char *type;
	bool (*is_needed)(const struct lcx_spec *spec, const struct lcx_idmap *ids);
	const char *source, *new_type;
	const char *options[7];
} replacements[] = {
	/* It shows the devices of its network namespace, and is mounted only by who owns that. */
	{"sysfs", shares_network, "/sys", NULL, {"rbind", "ro", "nosuid", "noexec", "nodev"}},
	{"devpts",
	 has_no_tty_group,
	 "devpts",
	 "devpts",
	 {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"}},
};

static const struct lcx__spec_mount *find_mount(const struct lcx_spec *spec, const char *type)
{
	for (size_t i = 0; i < spec->mounts.n; i++)
		if (spec->mounts.items[i].type && strcmp(spec->mounts.items[i].type, type) == 0)
			return &spec->mounts.items[i];
	return NULL;
}

static int replace_mounts(struct lcx_spec *spec, const struct lcx_idmap *ids,
			  struct lcx_error **err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(replacements); i++) {
		const struct lcx__spec_mount *old = find_mount(spec, replacements[i].type);
		CLEANUP(freep) char *destination = old ? strdup(old->destination) : NULL;

		if (!old || !replacements[i].is_needed(spec, ids))
			continue;
		r = !destination ? lcx__fail_nomem(err)
				 : lcx_spec_add_mount(spec, replacements[i].source, destination,
						      replacements[i].new_type,
						      replacements[i].options, err);
	}
	return r;
}

static int settle(struct lcx_container *c, bool has_own, struct lcx_error **err)
{
	CLEANUP(lcx_idmap_freep) struct lcx_idmap *ids = NULL;
	int r = lcx__spec_namespace(c->spec, CLONE_NEWUSER)
			? lcx__container_idmap(c, &ids, err)
			: lcx__idmap_of_caller(&ids, err);

	if (r == 0 && !has_own)
		r = settle_identity(c, ids, err);
	return r == 0 ? replace_mounts(c->spec, ids, err) : r;
}

int lcx__container_settle_ordinary(struct lcx_container *c, struct lcx_error **err)
{
	bool has_own = lcx__spec_namespace(c->spec, CLONE_NEWUSER) != NULL;
	int r = 0;

	/* Root of another user namespace shares its ids, and lacks what they lack. */
	if (!lcx__is_ordinary_user())
		return has_own || lcx__is_root_of_the_machine() ? 0 : settle(c, false, err);
	r = check_network(c, err);
	if (r == 0)
		r = map_users(c, has_own, err);
	return r == 0 ? settle(c, has_own, err) : r;
}

struct lcx__resources lcx__container_resources(const struct lcx_spec *spec)
{
	struct lcx__resources resources = spec->linux_.resources;

	if (!lcx__is_root_of_the_machine()) {
		resources.devices.set = false;
		resources.devices.n = 0;
	}
	return resources;
}

bool lcx__resources_ask(const struct lcx__resources *resources)
{
	CLEANUP(lcx__json_putp)
	struct json_object *json = lcx__json_write(lcx__resources_fields, resources, NULL);

	/* Without memory it is taken for the worse. */
	return !json || json_object_object_length(json) > 0;
}
