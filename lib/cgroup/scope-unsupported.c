/* SPDX-License-Identifier: MIT */
#include "cgroup/scope.h"

/* What scope.c does, in a build without systemd's header. */

static int refuse(struct lcx_error **err)
{
	return lcx__fail(err, EOPNOTSUPP,
			 "this liblcx was built without systemd; use the cgroup manager cgroupfs");
}

void lcx__scope_clear(struct lcx__scope *scope)
{
	*scope = LCX__SCOPE_NONE;
}

int lcx__scope_parse(const char *cgroups_path, const char *name, struct lcx__scope *ret,
		     struct lcx_error **err)
{
	(void)cgroups_path;
	(void)name;
	(void)ret;
	return refuse(err);
}

int lcx__scope_start(const struct lcx__scope *scope, const char *description,
		     const struct lcx__resources *resources,
		     const struct lcx__unit_properties *more, struct lcx_cgroup **ret,
		     struct lcx__child *ret_holder, struct lcx_error **err)
{
	(void)more;
	(void)scope;
	(void)description;
	(void)resources;
	(void)ret;
	(void)ret_holder;
	return refuse(err);
}

int lcx__scope_update(const char *unit, const struct lcx__resources *resources,
		      struct lcx_error **err)
{
	(void)unit;
	(void)resources;
	return refuse(err);
}

int lcx__scope_stop(const char *unit, const char *description, struct lcx_error **err)
{
	(void)unit;
	(void)description;
	return refuse(err);
}

int lcx__scope_check(struct lcx_error **err)
{
	return refuse(err);
}
