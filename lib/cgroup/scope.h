/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The cgroup of a container as systemd makes it: a transient scope, which systemd knows, shows and
 * leaves alone, for it is delegated. Limits go both to systemd, which would otherwise write its
 * own over them one day, and into the cgroup itself, which knows more of them.
 */

#include <stdbool.h>

#include "cgroup/cgroup.h"
#include "cgroup/unit-property.h"
#include "init/launch.h"

struct lcx__scope {
	char *unit;  /* "docker-0123.scope" */
	char *slice; /* "system.slice" */
};

#define LCX__SCOPE_NONE ((struct lcx__scope){0})
void lcx__scope_clear(struct lcx__scope *scope);

/*
 * What linux.cgroupsPath has for systemd, "SLICE:PREFIX:NAME"; NULL stands for ":lcx:@name". An
 * empty slice is the one for containers of this user.
 */
int lcx__scope_parse(const char *cgroups_path, const char *name, struct lcx__scope *ret,
		     struct lcx_error **err);

/*
 * Have the scope made. systemd makes none without a process: *@ret_holder is one that does
 * nothing, in the scope until lcx__child_abandon(), which comes when the first of the container's
 * is in there. *@ret is the cgroup, which may be in fewer hierarchies than systemd has.
 *
 * Return: 0; -EOPNOTSUPP in words if systemd does not run or libsystemd is not there; -EEXIST if
 * there is such a unit.
 */
int lcx__scope_start(const struct lcx__scope *scope, const char *description,
		     const struct lcx__resources *resources,
		     const struct lcx__unit_properties *more, struct lcx_cgroup **ret,
		     struct lcx__child *ret_holder, struct lcx_error **err);

/* Have systemd know of other limits. */
int lcx__scope_update(const char *unit, const struct lcx__resources *resources,
		      struct lcx_error **err);

/*
 * Fine if it is gone, as it is at once when its last process is. One with another description is
 * somebody else's, and stays.
 */
int lcx__scope_stop(const char *unit, const char *description, struct lcx_error **err);

/* 0 if systemd can be asked, else -EOPNOTSUPP in words. */
int lcx__scope_check(struct lcx_error **err);
