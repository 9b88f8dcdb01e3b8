/* SPDX-License-Identifier: MIT */
#include "container/cgroups/cgroups.h"

#include <linux/capability.h>
#include <sched.h>
#include <string.h>

#include "cgroup/scope.h"
#include "container/users/ordinary.h"
#include "spec/fields.h"
#include "util/json.h"

/*
 * Who makes a container's cgroup: this library, systemd, or nobody. Without one, what needs one is
 * refused by name. Its device rules have nobody to enforce them then, so they must be true by
 * themselves: no device node may be in its reach but those that the runtime makes. Its root is
 * mounted nodev, it makes no nodes, and who may mount file systems that have some is refused.
 */

static bool is(const struct lcx_container *c, const char *manager)
{
	return c->d.cgroup_manager && strcmp(c->d.cgroup_manager, manager) == 0;
}

bool lcx__container_wants_scope(const struct lcx_container *c)
{
	return is(c, "systemd");
}

bool lcx__container_wants_no_cgroup(const struct lcx_container *c)
{
	return is(c, "disabled");
}

LCX_PUBLIC int lcx_container_set_cgroup_manager(struct lcx_container *c, const char *manager,
						struct lcx_error **err)
{
	bool own = strcmp(manager, "cgroupfs") == 0, systemd = strcmp(manager, "systemd") == 0;
	CLEANUP(freep) char *copy = NULL;
	int r;

	if (!own && !systemd && strcmp(manager, "disabled") != 0)
		return lcx__fail(err, EINVAL,
				 "cgroup manager '%s': is neither cgroupfs, systemd nor disabled",
				 manager);
	r = systemd ? lcx__scope_check(err) : 0;
	if (r < 0)
		return r;
	copy = own ? NULL : strdup(manager);
	if (!own && !copy)
		return lcx__fail_nomem(err);
	free(c->d.cgroup_manager);
	c->d.cgroup_manager = TAKE_PTR(copy);
	return 0;
}

/* ---- without one -------------------------------------------------------- */

static bool rules_deny(const struct lcx__resources *resources)
{
	for (size_t i = 0; i < resources->devices.n; i++)
		if (!resources->devices.items[i].allow.value)
			return true;
	return false;
}

bool lcx__container_hides_nodes(const struct lcx_container *c)
{
	const struct lcx__resources resources = lcx__container_resources(c->spec);

	return lcx__container_wants_no_cgroup(c) && rules_deny(&resources);
}

/* In a user namespace no capability opens a way to a device. */
static bool must_not_make_nodes(const struct lcx_container *c)
{
	return lcx__container_hides_nodes(c) && !lcx__spec_namespace(c->spec, CLONE_NEWUSER);
}

int lcx__container_withhold_nodes(const struct lcx_container *c, struct lcx_spec *process,
				  struct lcx_error **err)
{
	if (!must_not_make_nodes(c))
		return 0;
	if (process->process.capabilities.bounding.value & 1ULL << CAP_SYS_ADMIN)
		return lcx__fail(
			err, EOPNOTSUPP,
			"linux.resources.devices: without a cgroup nothing keeps a process "
			"with CAP_SYS_ADMIN from other devices; take it away, or allow all "
			"devices");
	return lcx__spec_withhold(process, 1ULL << CAP_MKNOD, err);
}

static int check_dev(const struct lcx_container *c, struct lcx_error **err)
{
	bool is_own = false;

	if (!lcx__container_hides_nodes(c))
		return 0;
	for (size_t i = 0; i < c->spec->mounts.n; i++) {
		const struct lcx__spec_mount *m = &c->spec->mounts.items[i];

		if (m->type && strcmp(m->type, "devtmpfs") == 0)
			return lcx__fail(err, EOPNOTSUPP,
					 "mount on '%s': without a cgroup nothing keeps a process "
					 "from the host's devices there",
					 m->destination);
		if (strcmp(m->destination, "/dev") == 0)
			is_own = m->type && strcmp(m->type, "tmpfs") == 0;
	}
	if (is_own)
		return 0;
	return lcx__fail(
		err, EOPNOTSUPP,
		"linux.resources.devices: without a cgroup the container's devices have to "
		"be on a mount of their own; mount a tmpfs on /dev, or allow all devices");
}

static int check_limits(const struct lcx_spec *spec, struct lcx_error **err)
{
	struct lcx__resources resources = lcx__container_resources(spec);
	CLEANUP(lcx__json_putp) struct json_object *json = NULL;
	struct json_object_iterator at;

	resources.devices.set = false;
	resources.devices.n = 0;
	json = lcx__json_write(lcx__resources_fields, &resources, err);
	if (!json)
		return -ENOMEM;
	if (json_object_object_length(json) == 0)
		return 0;
	at = json_object_iter_begin(json);
	return lcx__fail(err, EOPNOTSUPP,
			 "linux.resources.%s: needs a cgroup, and the container was asked to have "
			 "none (cgroup manager 'disabled')",
			 json_object_iter_peek_name(&at));
}

int lcx__container_check_limits(const struct lcx_container *c, const struct lcx_spec *spec,
				struct lcx_error **err)
{
	return lcx__container_wants_no_cgroup(c) ? check_limits(spec, err) : 0;
}

int lcx__container_check_cgroup(const struct lcx_container *c, struct lcx_error **err)
{
	int r;

	if (!lcx__container_wants_no_cgroup(c))
		return lcx__container_check_scope(c, err);
	if (c->spec->linux_.cgroups_path)
		return lcx__fail(err, EINVAL,
				 "linux.cgroupsPath: the container was asked to have no cgroup "
				 "(cgroup manager 'disabled')");
	if (c->d.system.value)
		return lcx__fail(err, EINVAL, "a whole system needs a cgroup of its own");
	r = check_limits(c->spec, err);
	if (r == 0)
		r = check_dev(c, err);
	return r == 0 ? lcx__container_withhold_nodes(c, c->spec, err) : r;
}
