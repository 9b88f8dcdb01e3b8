/* SPDX-License-Identifier: MIT */
#include <sched.h>
#include <string.h>

#include "security/seccomp.h"
#include "spec/check.h"
#include "spec/edit.h"
#include "spec/fields.h"
#include "spec/names.h"

/* Setters of namespaces and what lives in them, of seccomp, and of notes. */

int lcx__namespace_flag(const char *type, uint32_t *ret, struct lcx_error **err)
{
	/* The kernel's own names, as in /proc/PID/ns. */
	static const struct lcx__json_name short_names[] = {
		{"mnt", CLONE_NEWNS},
		{"net", CLONE_NEWNET},
		{0},
	};
	uint64_t flag;

	if (!lcx__json_value_of(lcx__namespace_names, type, &flag) &&
	    !lcx__json_value_of(short_names, type, &flag))
		return lcx__fail(err, EINVAL,
				 "'%.32s' is no namespace: pid, network, mount, ipc, uts, user, "
				 "cgroup or time",
				 type);
	*ret = (uint32_t)flag;
	return 0;
}

/* The entry of one type, made if it isn't there. */
static struct lcx__spec_namespace *take_namespace(struct lcx_spec *spec, uint32_t flag,
						  struct lcx_error **err)
{
	struct lcx__spec_namespace *item = NULL;

	for (size_t i = 0; i < spec->linux_.namespaces.n; i++)
		if (spec->linux_.namespaces.items[i].type.value == flag)
			return &spec->linux_.namespaces.items[i];
	item = lcx__add_item(&spec->linux_.namespaces, sizeof(*item), err);
	if (item)
		item->type = (struct lcx__opt_u32)LCX__OPT(flag);
	spec->linux_.set = true;
	return item;
}

LCX_PUBLIC int lcx_spec_add_namespace(struct lcx_spec *spec, const char *type,
				      struct lcx_error **err)
{
	struct lcx__spec_namespace *item;
	uint32_t flag;
	int r = lcx__namespace_flag(type, &flag, err);

	if (r < 0)
		return r;
	item = take_namespace(spec, flag, err);
	return item ? lcx__set_string(&item->path, NULL, err) : -ENOMEM;
}

LCX_PUBLIC int lcx_spec_join_namespace(struct lcx_spec *spec, const char *type, const char *path,
				       struct lcx_error **err)
{
	CLEANUP(freep) char *copy = NULL;
	struct lcx__spec_namespace *item;
	uint32_t flag;
	int r = lcx__namespace_flag(type, &flag, err);

	if (r == 0)
		r = lcx__check_absolute(path, err);
	if (r == 0)
		r = lcx__set_string(&copy, path, err);
	if (r < 0)
		return lcx__fail_prefix(err, r, "join namespace");
	item = take_namespace(spec, flag, err);
	if (!item)
		return -ENOMEM;
	free(item->path);
	item->path = TAKE_PTR(copy);
	return 0;
}

LCX_PUBLIC int lcx_spec_remove_namespace(struct lcx_spec *spec, const char *type,
					 struct lcx_error **err)
{
	uint32_t flag;
	int r = lcx__namespace_flag(type, &flag, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < spec->linux_.namespaces.n; i++) {
		struct lcx__spec_namespace *item = &spec->linux_.namespaces.items[i];

		if (item->type.value != flag)
			continue;
		free(item->path);
		lcx__list_remove(&spec->linux_.namespaces, i, sizeof(*item));
		break;
	}
	return 0;
}

static int add_map(struct lcx_spec *spec, void *place, uint32_t container_id, uint32_t host_id,
		   uint32_t count, struct lcx_error **err)
{
	struct lcx__list *list = place;
	struct lcx__spec_id_map map = {
		.container_id = LCX__OPT(container_id),
		.host_id = LCX__OPT(host_id),
		.size = LCX__OPT(count),
	};
	struct lcx__spec_id_map *item;
	int r = lcx__finish_id_map(&map, err);

	if (r < 0)
		return r;
	item = lcx__add_item(list, sizeof(*item), err);
	if (!item)
		return -ENOMEM;
	*item = map;
	/* The rule for the whole list decides, and the list goes back if it is against it. */
	r = lcx__finish_id_maps(list, err);
	if (r == 0 && !take_namespace(spec, CLONE_NEWUSER, err))
		r = -ENOMEM;
	if (r < 0)
		list->n--;
	return r;
}

LCX_PUBLIC int lcx_spec_add_uid_map(struct lcx_spec *spec, uint32_t container_id, uint32_t host_id,
				    uint32_t count, struct lcx_error **err)
{
	int r = add_map(spec, &spec->linux_.uid_mappings, container_id, host_id, count, err);

	return lcx__fail_prefix(err, r, "uid map %u to %u", container_id, host_id);
}

LCX_PUBLIC int lcx_spec_add_gid_map(struct lcx_spec *spec, uint32_t container_id, uint32_t host_id,
				    uint32_t count, struct lcx_error **err)
{
	int r = add_map(spec, &spec->linux_.gid_mappings, container_id, host_id, count, err);

	return lcx__fail_prefix(err, r, "gid map %u to %u", container_id, host_id);
}

LCX_PUBLIC int lcx_spec_clear_id_maps(struct lcx_spec *spec, struct lcx_error **err)
{
	(void)err;
	spec->linux_.uid_mappings.n = spec->linux_.gid_mappings.n = 0;
	spec->linux_.uid_mappings.set = spec->linux_.gid_mappings.set = false;
	return 0;
}

LCX_PUBLIC int lcx_spec_set_time_offset(struct lcx_spec *spec, const char *clock, int64_t seconds,
					uint32_t nanoseconds, struct lcx_error **err)
{
	struct lcx__spec_time_offsets *offsets = &spec->linux_.time_offsets;
	struct lcx__spec_time_offset *offset;

	if (strcmp(clock, "monotonic") == 0)
		offset = &offsets->monotonic;
	else if (strcmp(clock, "boottime") == 0)
		offset = &offsets->boottime;
	else
		return lcx__fail(err, EINVAL, "'%.32s' is no clock: monotonic or boottime", clock);
	if (nanoseconds > 999999999)
		return lcx__fail(err, EINVAL, "%u nanoseconds are more than a second", nanoseconds);
	if (!take_namespace(spec, LCX__CLONE_NEWTIME, err))
		return -ENOMEM;
	offsets->set = offset->set = true;
	offset->secs = (struct lcx__opt_i64)LCX__OPT(seconds);
	offset->nanosecs = (struct lcx__opt_u32)LCX__OPT(nanoseconds);
	return 0;
}

LCX_PUBLIC int lcx_spec_set_hostname(struct lcx_spec *spec, const char *name,
				     struct lcx_error **err)
{
	int r = name ? lcx__check_host_name(name, err) : 0;

	if (r < 0)
		return lcx__fail_prefix(err, r, "host name");
	return lcx__set_string(&spec->hostname, name, err);
}

LCX_PUBLIC int lcx_spec_set_domainname(struct lcx_spec *spec, const char *name,
				       struct lcx_error **err)
{
	int r = name ? lcx__check_host_name(name, err) : 0;

	if (r < 0)
		return lcx__fail_prefix(err, r, "domain name");
	return lcx__set_string(&spec->domainname, name, err);
}

LCX_PUBLIC int lcx_spec_add_net_device(struct lcx_spec *spec, const char *host_name,
				       const char *name, struct lcx_error **err)
{
	struct lcx__spec_net_device *device;
	int r = lcx__check_interface(host_name, err);

	if (r == 0 && name)
		r = lcx__check_interface(name, err);
	if (r < 0)
		return lcx__fail_prefix(err, r, "interface");
	for (size_t i = 0; i < spec->linux_.net_devices.n; i++)
		if (strcmp(spec->linux_.net_devices.items[i].host_name, host_name) == 0)
			return lcx__fail(err, EEXIST, "interface '%s' is lent twice", host_name);
	device = lcx__list_grow(&spec->linux_.net_devices, sizeof(*device));
	if (!device || !(device->host_name = strdup(host_name)) ||
	    (name && !(device->name = strdup(name))))
		return lcx__fail_nomem(err);
	spec->linux_.set = true;
	return 0;
}

LCX_PUBLIC int lcx_spec_set_sysctl(struct lcx_spec *spec, const char *name, const char *value,
				   struct lcx_error **err)
{
	int r = lcx__check_sysctl_name(name, err);

	if (r < 0)
		return lcx__fail_prefix(err, r, "sysctl");
	spec->linux_.set = true;
	return lcx__set_pair(&spec->linux_.sysctl, name, value, err);
}

LCX_PUBLIC int lcx_spec_set_annotation(struct lcx_spec *spec, const char *key, const char *value,
				       struct lcx_error **err)
{
	int r = lcx__check_not_empty(key, err);

	if (r < 0)
		return lcx__fail_prefix(err, r, "annotation");
	return lcx__set_pair(&spec->annotations, key, value, err);
}

LCX_PUBLIC int lcx_spec_set_seccomp(struct lcx_spec *spec, const struct lcx_seccomp *profile,
				    struct lcx_error **err)
{
	struct lcx_seccomp *copy = NULL;
	int r = profile ? lcx_seccomp_dup(profile, &copy, err) : 0;

	if (r < 0)
		return r;
	(void)lcx_seccomp_free(spec->linux_.seccomp);
	spec->linux_.seccomp = copy;
	spec->linux_.set = true;
	return 0;
}
