/* SPDX-License-Identifier: MIT */
#include "container/container-internal.h"

#include <string.h>
#include <unistd.h>

#include "cgroup/scope.h"
#include "container/cgroups/cgroups.h"
#include "container/event.h"
#include "container/users/ordinary.h"
#include "util/fs.h"

/*
 * Other limits for a container that is there, and another restart policy. The disk comes first:
 * what it refuses was never in force. If a limit is refused, those before are put into force and
 * written down again. A program that dies in between leaves what the next start has.
 */

static int save_spec(const struct lcx_spec *spec, int dir_fd, struct lcx_error **err)
{
	CLEANUP(freep) char *json = NULL;
	int r = lcx__spec_to_short_json(spec, &json, err);

	if (r < 0)
		return r;
	r = lcx__replace_file(dir_fd, "config.json", json, strlen(json), 0600, true);
	return r < 0 ? lcx__fail_sys(err, -r, "write 'config.json'") : 0;
}

/* A fresh description from the disk: nothing but the limits may change. */
static int load_anew(struct lcx_container *c, struct lcx_spec **ret, struct lcx_error **err)
{
	struct lcx_spec *kept = c->spec;
	int r;

	c->spec = NULL;
	r = lcx__container_load_spec(c, err);
	*ret = c->spec;
	c->spec = kept;
	return r;
}

static int apply(struct lcx_container *c, const struct lcx_spec *spec, struct lcx_error **err)
{
	struct lcx__resources resources;
	int r;

	if (!lcx__container_is_running(c))
		return 0;
	if (lcx__container_open_cgroup(c, err) < 0)
		return -ENODEV;
	resources = lcx__container_resources(spec);
	/* systemd first: what it writes into the cgroup is less exact than what comes after it. */
	r = c->run.scope ? lcx__scope_update(c->run.scope, &resources, err) : 0;
	return r == 0 ? lcx__cgroup_apply(c->cgroup, &resources, err) : r;
}

static int write_down(const struct lcx_container *c, const struct lcx_spec *spec,
		      const char *policy, struct lcx_error **err)
{
	struct description description = c->d;
	int r = save_spec(spec, c->dir_fd, err);

	description.restart = (char *)(uintptr_t)policy;
	return r < 0 ? r : lcx__description_save(&description, c->dir_fd, err);
}

/* A failed write may have come as far as the name: the former contents are written again. */
static int undo(struct lcx_container *c, const struct lcx_spec *before, const char *policy, int r,
		struct lcx_error **err)
{
	return write_down(c, before, policy, NULL) == 0
		       ? r
		       : lcx__fail_prefix(err, r,
					  "it was undone, but for what is on the disk and the next "
					  "start may have");
}

static int put_into_force(struct lcx_container *c, const struct lcx_spec *before,
			  const struct lcx_spec *after, const char *policy, struct lcx_error **err)
{
	int r = write_down(c, after, c->d.restart, err);

	if (r < 0)
		return undo(c, before, policy, r, err);
	r = apply(c, after, err);
	if (r == 0)
		r = lcx__container_update_resctrl(c, before, after, err);
	if (r == 0)
		return 0;
	(void)apply(c, before, NULL);
	return undo(c, before, policy, r, err);
}

/* @ret_policy: the one on the disk. */
static int reload_all_but_policy(struct lcx_container *c, char **ret_policy, struct lcx_error **err)
{
	char *policy = TAKE_PTR(c->d.restart);
	int r = lcx__container_reload(c, err);

	*ret_policy = c->d.restart;
	c->d.restart = policy;
	if (r == 0 && c->d.auto_remove.value && policy && strcmp(policy, "no") != 0)
		r = lcx__fail(err, EINVAL, "it is removed at its end: no restart policy '%s'",
			      policy);
	return r;
}

static bool is_same_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

static bool is_same_rule(const struct lcx__res_device_rule *a, const struct lcx__res_device_rule *b)
{
	return a->allow.value == b->allow.value && a->major.set == b->major.set &&
	       a->major.value == b->major.value && a->minor.set == b->minor.set &&
	       a->minor.value == b->minor.value && is_same_text(a->type, b->type) &&
	       is_same_text(a->access, b->access);
}

/*
 * An engine's list of device rules is without those that each container has, which a bundle gets
 * when it is read. One that updates all resources, whatever has changed, sends it again.
 */
static int complete_devices(const struct lcx_container *c, const struct lcx_spec *before,
			    struct lcx_spec *wanted, struct lcx_error **err)
{
	const struct lcx__resources *old = &before->linux_.resources;
	const struct lcx__resources *new = &wanted->linux_.resources;
	bool same = old->devices.n == new->devices.n;

	for (size_t i = 0; same && i < old->devices.n; i++)
		same = is_same_rule(&old->devices.items[i], &new->devices.items[i]);
	return same || !c->d.bundle || geteuid() != 0 ? 0
						      : lcx__spec_allow_default_devices(wanted, err);
}

#define SWAP(a, b)                                                                                 \
	do {                                                                                       \
		__typeof__(a) a_ = (a);                                                            \
		(a) = (b);                                                                         \
		(b) = a_;                                                                          \
	} while (0)

/* What may change; each side stays the owner of what it then has. */
static void take_limits(struct lcx_spec *after, struct lcx_spec *wanted)
{
	SWAP(after->linux_.resources, wanted->linux_.resources);
	SWAP(after->linux_.intel_rdt.l3_cache_schema, wanted->linux_.intel_rdt.l3_cache_schema);
	SWAP(after->linux_.intel_rdt.mem_bw_schema, wanted->linux_.intel_rdt.mem_bw_schema);
}

LCX_PUBLIC int lcx_container_update(struct lcx_container *c, struct lcx_error **err)
{
	CLEANUP(lcx_spec_freep) struct lcx_spec *wanted = NULL, *before = NULL, *after = NULL;
	CLEANUP(freep) char *policy = NULL;
	CLEANUP(closep) int lock_fd = -1;
	int r = lcx__container_check_created(c, err);

	if (r == 0)
		r = lcx__container_lock(c, &lock_fd, err);
	if (r == 0)
		r = lcx__container_load_spec(c, err);
	if (r == 0)
		r = reload_all_but_policy(c, &policy, err);
	if (r == 0)
		r = lcx_spec_dup(c->spec, &wanted, err);
	if (r == 0)
		r = load_anew(c, &before, err);
	if (r == 0)
		r = load_anew(c, &after, err);
	if (r == 0)
		r = complete_devices(c, before, wanted, err);
	if (r < 0)
		return r;
	take_limits(after, wanted);
	r = lcx__container_check_limits(c, after, err);
	if (r == 0)
		r = put_into_force(c, before, after, policy, err);
	if (r == 0)
		lcx__event_emit(c, "updated", NULL);
	return lcx__fail_prefix(err, r, "update container '%s'", lcx__container_display(c));
}
