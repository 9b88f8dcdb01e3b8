/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>
#include <sys/mount.h>

#include "ns/ns.h"
#include "spec/check.h"
#include "spec/edit.h"
#include "spec/fields.h"
#include "spec/names.h"

/* Setters of the file system: root, mounts, paths, devices. */

LCX_PUBLIC int lcx_spec_set_root(struct lcx_spec *spec, const char *path, struct lcx_error **err)
{
	int r = lcx__check_not_empty(path, err);

	if (r < 0)
		return lcx__fail_prefix(err, r, "root file system");
	spec->root.set = true;
	return lcx__set_string(&spec->root.path, path, err);
}

LCX_PUBLIC int lcx_spec_set_root_readonly(struct lcx_spec *spec, int32_t on, struct lcx_error **err)
{
	int r = lcx__check_switch(on, "read-only root", err);

	if (r < 0)
		return r;
	/* A description can't be read again without a path: the one that bundles have by custom. */
	if (!spec->root.path)
		r = lcx__set_string(&spec->root.path, "rootfs", err);
	if (r < 0)
		return r;
	spec->root.set = true;
	spec->root.readonly = (struct lcx__opt_bool)LCX__OPT(on);
	return 0;
}

LCX_PUBLIC int lcx_spec_set_root_propagation(struct lcx_spec *spec, const char *kind,
					     struct lcx_error **err)
{
	uint64_t flags;

	if (!lcx__json_value_of(lcx__propagation_names, kind, &flags))
		return lcx__fail(
			err, EINVAL,
			"'%.32s' is no propagation: private, slave, shared or unbindable, or "
			"r and one of these",
			kind);
	spec->linux_.set = true;
	spec->linux_.rootfs_propagation = (struct lcx__opt_u64)LCX__OPT(flags);
	return 0;
}

static void release_mount(struct lcx__spec_mount *mount)
{
	free(mount->destination);
	free(mount->type);
	free(mount->source);
	(void)lcx__strv_free(mount->options);
	free(mount->parsed.data);
	free(mount->uid_mappings.items);
	free(mount->gid_mappings.items);
	*mount = (struct lcx__spec_mount){0};
}

/* The last one there: it is the one in sight. */
static struct lcx__spec_mount *find_mount(const struct lcx_spec *spec, const char *destination)
{
	for (size_t i = spec->mounts.n; i > 0; i--)
		if (strcmp(spec->mounts.items[i - 1].destination, destination) == 0)
			return &spec->mounts.items[i - 1];
	return NULL;
}

static bool has_option(char *const *options, const char *name)
{
	for (; options && *options; options++)
		if (strcmp(*options, name) == 0)
			return true;
	return false;
}

static int fill_mount(struct lcx__spec_mount *mount, const char *source, const char *destination,
		      const char *type, const char *const *options, struct lcx_error **err)
{
	int r = lcx__set_string(&mount->destination, destination, err);

	if (r == 0)
		r = lcx__set_string(&mount->source, source, err);
	if (r == 0)
		r = lcx__set_string(&mount->type, type ? type : "bind", err);
	if (r == 0)
		r = lcx__set_strings(&mount->options, options, err);
	if (r == 0 && !type && !has_option(mount->options, "bind") &&
	    !has_option(mount->options, "rbind"))
		r = lcx__add_string(&mount->options, "bind", false, err);
	if (r == 0)
		r = lcx__finish_mount(mount, err);
	if (r == 0 && mount->parsed.data && mount->parsed.flags & MS_BIND)
		r = lcx__fail(err, EINVAL, "'%.64s' is no option of a bind mount",
			      mount->parsed.data);
	return r;
}

LCX_PUBLIC int lcx_spec_add_mount(struct lcx_spec *spec, const char *source,
				  const char *destination, const char *type,
				  const char *const *options, struct lcx_error **err)
{
	CLEANUP(release_mount) struct lcx__spec_mount mount = {0};
	struct lcx__spec_mount *place, old;
	int r = lcx__check_absolute(destination, err);

	if (r == 0)
		r = fill_mount(&mount, source, destination, type, options, err);
	if (r == 0 && (mount.parsed.flags & MS_BIND) && (!source || !*source))
		r = lcx__fail(err, EINVAL, "a bind mount needs a source");
	if (r < 0)
		return lcx__fail_prefix(err, r, "mount '%.128s'", destination);

	place = find_mount(spec, destination);
	if (!place)
		place = lcx__add_item(&spec->mounts, sizeof(*place), err);
	if (!place)
		return -ENOMEM;
	/* What was there before leaves in our hands, and is released. */
	old = *place;
	*place = mount;
	mount = old;
	return 0;
}

LCX_PUBLIC int lcx_spec_add_bind(struct lcx_spec *spec, const char *source, const char *destination,
				 int32_t readonly, struct lcx_error **err)
{
	static const char *const read_write[] = {"rbind", "rprivate", NULL};
	static const char *const read_only[] = {"rbind", "rprivate", "ro", "rro", NULL};
	int r = lcx__check_switch(readonly, "read-only", err);

	if (r < 0)
		return r;
	return lcx_spec_add_mount(spec, source, destination, NULL,
				  readonly ? read_only : read_write, err);
}

LCX_PUBLIC int lcx_spec_add_tmpfs(struct lcx_spec *spec, const char *destination,
				  uint64_t size_bytes, struct lcx_error **err)
{
	char size[32];
	const char *options[] = {"nosuid", "nodev", "noexec", size_bytes ? size : NULL, NULL};

	(void)snprintf(size, sizeof(size), "size=%" PRIu64, size_bytes);
	return lcx_spec_add_mount(spec, "tmpfs", destination, "tmpfs", options, err);
}

/* The ranges of a map as a list of the description's, in the caller's hands. */
static int list_ranges(const struct lcx_idmap *map, enum lcx_id_kind kind,
		       struct lcx__spec_id_map **ret, struct lcx_error **err)
{
	struct lcx__spec_id_map *items = calloc(lcx_idmap_count(map, kind) + 1, sizeof(*items));
	uint32_t container_id, host_id, count;

	if (!items)
		return lcx__fail_nomem(err);
	for (size_t i = 0; lcx_idmap_range(map, kind, i, &container_id, &host_id, &count) == 0; i++)
		items[i] = (struct lcx__spec_id_map){LCX__OPT(container_id), LCX__OPT(host_id),
						     LCX__OPT(count)};
	*ret = items;
	return 0;
}

static int replace_maps(struct lcx__spec_mount *mount, const struct lcx_idmap *map,
			struct lcx_error **err)
{
	CLEANUP(freep) struct lcx__spec_id_map *uids = NULL, *gids = NULL;
	int r = list_ranges(map, LCX_ID_USER, &uids, err);

	if (r == 0)
		r = list_ranges(map, LCX_ID_GROUP, &gids, err);
	if (r < 0)
		return r;
	free(mount->uid_mappings.items);
	free(mount->gid_mappings.items);
	mount->uid_mappings.items = TAKE_PTR(uids);
	mount->gid_mappings.items = TAKE_PTR(gids);
	mount->uid_mappings.n = lcx_idmap_count(map, LCX_ID_USER);
	mount->gid_mappings.n = lcx_idmap_count(map, LCX_ID_GROUP);
	mount->uid_mappings.set = mount->gid_mappings.set = mount->uid_mappings.n > 0;
	return 0;
}

LCX_PUBLIC int lcx_spec_set_mount_idmap(struct lcx_spec *spec, const char *destination,
					const struct lcx_idmap *map, struct lcx_error **err)
{
	struct lcx__spec_mount *mount = find_mount(spec, destination);
	int r;

	if (!mount)
		return lcx__fail(err, ENOENT, "nothing is mounted at '%.128s'", destination);
	if (map &&
	    (lcx_idmap_count(map, LCX_ID_USER) == 0 || lcx_idmap_count(map, LCX_ID_GROUP) == 0))
		return lcx__fail(err, EINVAL, "the map must have users and groups");
	r = has_option(mount->options, "idmap") || has_option(mount->options, "ridmap")
		    ? 0
		    : lcx__add_string(&mount->options, "idmap", false, err);
	if (r < 0)
		return r;
	if (mount->parsed.idmap == LCX__IDMAP_NONE)
		mount->parsed.idmap = LCX__IDMAP_MOUNT;
	return map ? replace_maps(mount, map, err) : 0;
}

LCX_PUBLIC int lcx_spec_remove_mount(struct lcx_spec *spec, const char *destination,
				     struct lcx_error **err)
{
	struct lcx__spec_mount *mount = find_mount(spec, destination);

	if (!mount)
		return lcx__fail(err, ENOENT, "nothing is mounted at '%.128s'", destination);
	release_mount(mount);
	lcx__list_remove(&spec->mounts, (size_t)(mount - spec->mounts.items), sizeof(*mount));
	return 0;
}

static int add_path(char ***list, const char *path, const char *what, struct lcx_error **err)
{
	int r = lcx__check_absolute(path, err);

	if (r < 0)
		return lcx__fail_prefix(err, r, "%s path", what);
	return lcx__add_string(list, path, true, err);
}

LCX_PUBLIC int lcx_spec_add_masked_path(struct lcx_spec *spec, const char *path,
					struct lcx_error **err)
{
	spec->linux_.set = true;
	return add_path(&spec->linux_.masked_paths, path, "masked", err);
}

LCX_PUBLIC int lcx_spec_clear_masked_paths(struct lcx_spec *spec, struct lcx_error **err)
{
	(void)err;
	spec->linux_.masked_paths = lcx__strv_free(spec->linux_.masked_paths);
	return 0;
}

LCX_PUBLIC int lcx_spec_add_readonly_path(struct lcx_spec *spec, const char *path,
					  struct lcx_error **err)
{
	spec->linux_.set = true;
	return add_path(&spec->linux_.readonly_paths, path, "read-only", err);
}

LCX_PUBLIC int lcx_spec_clear_readonly_paths(struct lcx_spec *spec, struct lcx_error **err)
{
	(void)err;
	spec->linux_.readonly_paths = lcx__strv_free(spec->linux_.readonly_paths);
	return 0;
}

static int check_device_rule(const char *type, int64_t major, int64_t minor, const char *access,
			     struct lcx_error **err)
{
	int r = lcx__check_device_rule_type(type, err);

	if (r == 0)
		r = lcx__check_device_access(access, err);
	if (r == 0 && (major < -1 || major > UINT32_MAX || minor < -1 || minor > UINT32_MAX))
		r = lcx__fail(err, EINVAL, "%" PRId64 ":%" PRId64 " is no device number", major,
			      minor);
	return lcx__fail_prefix(err, r, "device rule");
}

/* All is the same as not set; the file says it shorter so. */
static struct lcx__opt_i64 number_or_all(int64_t number)
{
	return (struct lcx__opt_i64){.set = number >= 0, .value = number >= 0 ? number : 0};
}

LCX_PUBLIC int lcx_spec_add_device_rule(struct lcx_spec *spec, int32_t allow, const char *type,
					int64_t major, int64_t minor, const char *access,
					struct lcx_error **err)
{
	CLEANUP(freep) char *type_copy = NULL, *access_copy = NULL;
	struct lcx__res_device_rule *rule;
	int r = lcx__check_switch(allow, "device rule: allow", err);

	if (r == 0)
		r = check_device_rule(type, major, minor, access, err);
	if (r == 0)
		r = lcx__set_string(&type_copy, type, err);
	if (r == 0)
		r = lcx__set_string(&access_copy, access, err);
	if (r < 0)
		return r;
	rule = lcx__add_item(&spec->linux_.resources.devices, sizeof(*rule), err);
	if (!rule)
		return -ENOMEM;
	*rule = (struct lcx__res_device_rule){
		.allow = LCX__OPT(allow),
		.type = TAKE_PTR(type_copy),
		.major = number_or_all(major),
		.minor = number_or_all(minor),
		.access = TAKE_PTR(access_copy),
	};
	spec->linux_.set = spec->linux_.resources.set = true;
	return 0;
}

static int check_device(const char *path, const char *type, uint32_t major, uint32_t minor,
			uint32_t mode, uint64_t *ret_type, struct lcx_error **err)
{
	int r = lcx__check_absolute(path, err);

	if (r < 0)
		return r;
	if (!lcx__json_value_of(lcx__device_types, type, ret_type))
		return lcx__fail(err, EINVAL, "'%.16s' is no type of a device: c, b or p", type);
	if (major > 4095 || minor > 1048575)
		return lcx__fail(err, EINVAL, "%u:%u is no device number", major, minor);
	if (mode > 0777)
		return lcx__fail(err, EINVAL, "0%o are no permissions", mode);
	return 0;
}

LCX_PUBLIC int lcx_spec_add_device(struct lcx_spec *spec, const char *path, const char *type,
				   uint32_t major, uint32_t minor, uint32_t mode, uint32_t uid,
				   uint32_t gid, const char *access, struct lcx_error **err)
{
	CLEANUP(freep) char *path_copy = NULL;
	struct lcx__spec_device *device;
	uint64_t kind = 0;
	int r = check_device(path, type, major, minor, mode, &kind, err);

	if (r == 0 && (uid == UINT32_MAX || gid == UINT32_MAX))
		r = lcx__fail(err, EINVAL, "%u is no id", UINT32_MAX);
	if (r == 0)
		r = lcx__set_string(&path_copy, path, err);
	if (r == 0 && kind != 'p')
		r = lcx_spec_add_device_rule(spec, 1, type[0] == 'u' ? "c" : type, major, minor,
					     access, err);
	if (r < 0)
		return lcx__fail_prefix(err, r, "device '%.128s'", path);
	device = lcx__add_item(&spec->linux_.devices, sizeof(*device), err);
	if (!device)
		return -ENOMEM;
	*device = (struct lcx__spec_device){
		.path = TAKE_PTR(path_copy),
		.type = LCX__OPT((int)kind),
		.major = {.set = kind != 'p', .value = major},
		.minor = {.set = kind != 'p', .value = minor},
		.file_mode = LCX__OPT(mode),
		.uid = LCX__OPT(uid),
		.gid = LCX__OPT(gid),
	};
	spec->linux_.set = true;
	return 0;
}
