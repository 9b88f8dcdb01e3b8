/* SPDX-License-Identifier: MIT */
#include "container/checkpoint/checkpoint.h"

#include <linux/capability.h>
#include <sched.h>
#include <string.h>

#include "container/pod.h"
#include "container/start/start.h"
#include "spec/spec.h"
#include "util/privilege.h"

/*
 * What criu can't write down, or would not put back: a container that came back without one of its
 * limits would be worse than none. Each row is a property, in words.
 */

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

static bool is_system(const struct lcx_container *c)
{
	return c->d.system.value;
}

/* Executed from a file in memory that nobody can name. */
static bool has_lcx_init(const struct lcx_container *c)
{
	return c->d.init.value || lcx__container_is_holder(c);
}

static bool has_users(const struct lcx_container *c)
{
	return lcx__spec_namespace(c->spec, CLONE_NEWUSER) != NULL;
}

static bool has_landlock(const struct lcx_container *c)
{
	return c->spec->own.landlock && c->spec->own.landlock[0];
}

static bool has_resctrl(const struct lcx_container *c)
{
	return c->spec->linux_.intel_rdt.set;
}

static bool has_pasta(const struct lcx_container *c)
{
	return lcx__network_is_pasta(c->d.network);
}

static bool has_mapped_mounts(const struct lcx_container *c)
{
	for (size_t i = 0; i < c->spec->mounts.n; i++)
		if (c->spec->mounts.items[i].parsed.idmap != LCX__IDMAP_NONE)
			return true;
	return false;
}

/* But the network: that is made, or joined, before the processes are. */
static bool shares_namespaces(const struct lcx_container *c)
{
	static const uint32_t kinds[] = {CLONE_NEWPID, CLONE_NEWIPC,    CLONE_NEWUTS,
					 CLONE_NEWNS,  CLONE_NEWCGROUP, CLONE_NEWTIME};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const struct lcx__spec_namespace *ns = lcx__spec_namespace(c->spec, kinds[i]);

		if (ns && ns->path)
			return true;
	}
	return false;
}

static bool has_no_mounts(const struct lcx_container *c)
{
	return !lcx__spec_namespace(c->spec, CLONE_NEWNS);
}

static bool has_new_volumes(const struct lcx_container *c)
{
	return c->run.volumes && c->run.volumes[0];
}

int lcx__checkpoint_check_rights(struct lcx_error **err)
{
	return lcx__has_capability(CAP_SYS_ADMIN) && geteuid() == 0
		       ? 0
		       : lcx__fail(
				 err, EPERM,
				 "checkpoint and restore need root: an ordinary user may neither "
				 "look into all processes of a container nor choose their numbers");
}

static const struct {
	bool (*has)(const struct lcx_container *c);
	const char *what;
} impossible[] = {
	{is_system, "it is a whole system, with cgroups of its own making"},
	{has_lcx_init, "its process 1 is lcx-init, which has no file; run it without --init"},
	{has_users, "it has a user namespace"},
	{has_landlock, "its Landlock rules would not come back"},
	{has_resctrl, "linux.intelRdt would not come back"},
	{has_pasta, "network 'pasta' can't be made before its process is there"},
	{lcx__container_is_lent, "it was lent interfaces of the host's"},
	{has_mapped_mounts, "it has mounts with mapped owners, which would not come back"},
	{has_no_mounts, "it has no mount namespace of its own"},
	{shares_namespaces, "it shares other namespaces than the network's"},
	{lcx__checkpoint_has_new_networks,
	 "it was connected with a network while it ran; disconnect it first"},
	{has_new_volumes, "it was given a volume while it ran; take it away first"},
};

int lcx__checkpoint_check(struct lcx_container *c, struct lcx_error **err)
{
	for (size_t i = 0; i < ARRAY_SIZE(impossible); i++)
		if (impossible[i].has(c))
			return lcx__fail(err, EOPNOTSUPP,
					 "container '%s' can't be checkpointed and restored: %s",
					 lcx__container_display(c), impossible[i].what);
	return 0;
}
