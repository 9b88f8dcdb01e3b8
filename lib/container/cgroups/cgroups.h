/* SPDX-License-Identifier: MIT */
#pragma once

/* The cgroup of a container: its own, a scope of systemd's, or with one below for a whole system.
 */

#include "container/container-internal.h"

/* The cgroup of a container that names none: "lcx/TAG.ID", below the starter's own place. */
char *lcx__container_cgroup_path(const struct lcx_ctx *ctx, const char *id);
#define CGROUP_PARENT "lcx"

/* c->cgroup, with its limits, and c->run.cgroup; neither where there are no cgroups. */
int lcx__container_make_cgroup(struct lcx_container *c, struct lcx__child *ret_holder,
			       struct lcx_error **err);

/* The same, for a container that runs: else -ESRCH in words. */
int lcx__container_running_cgroup(struct lcx_container *c, struct lcx_error **err);

/* ---- manager.c: who makes it, if anybody does ---- */

bool lcx__container_wants_scope(const struct lcx_container *c);
bool lcx__container_wants_no_cgroup(const struct lcx_container *c);
/* At creation: refuse what whoever makes it, or the lack of it, does not allow. */
int lcx__container_check_cgroup(const struct lcx_container *c, struct lcx_error **err);
/* The limits of @spec, which may be those of an update. */
int lcx__container_check_limits(const struct lcx_container *c, const struct lcx_spec *spec,
				struct lcx_error **err);
/* Nothing but the lack of device nodes keeps it from devices. */
bool lcx__container_hides_nodes(const struct lcx_container *c);
/* Then a process of it must not be able to make some: @process is left without that capability. */
int lcx__container_withhold_nodes(const struct lcx_container *c, struct lcx_spec *process,
				  struct lcx_error **err);

/* ---- scope.c: the same as a scope of systemd's ---- */

int lcx__container_make_scope(struct lcx_container *c, const struct lcx__resources *resources,
			      struct lcx__child *ret_holder, struct lcx_error **err);
/* At creation: refuse annotations for systemd that it can't be told. */
int lcx__container_check_scope(const struct lcx_container *c, struct lcx_error **err);
int lcx__container_undo_scope(struct lcx_container *c, const char *unit, struct lcx_error **err);
int lcx__container_undo_slice(struct lcx_container *c, const char *line, struct lcx_error **err);

/* Have c->cgroup open, while the container runs. -ENODEV in words if it has none. */
int lcx__container_open_cgroup(struct lcx_container *c, struct lcx_error **err);

/* How a process of a container gets into its cgroup; without one, nothing is to be done. */
struct lcx__entrance {
	int join_fds[LCX__CGROUP_JOIN_MAX];
	size_t n_join_fds;
	int class_fds[2]; /* of its class of service, and of where it is measured */
	size_t n_class_fds;
	int into_fd;      /* borrowed from c->cgroup, or: */
	int below_fd;     /* of a whole system: system.c; -1 */
	const char *name; /* likewise */
};

int lcx__container_enter_cgroup(struct lcx_container *c, struct lcx__entrance *ret,
				struct lcx_error **err);
/* By any handle, which must live as long. */
int lcx__entrance_open(const struct lcx_cgroup *cg, struct lcx__entrance *ret,
		       struct lcx_error **err);
void lcx__entrance_clear(struct lcx__entrance *entrance);

int lcx__container_undo_cgroup_intent(struct lcx_container *c, const char *path,
				      struct lcx_error **err);
int lcx__container_undo_cgroup(struct lcx_container *c, const char *object, struct lcx_error **err);

/* ---- resctrl.c: its class of service, for cache and memory bandwidth ---- */

/* At creation: refuse a wish for one where there are none. */
int lcx__container_check_resctrl(const struct lcx_container *c, struct lcx_error **err);
/* c->run.resctrl, if it wishes for one. */
int lcx__container_make_resctrl(struct lcx_container *c, struct lcx_error **err);
int lcx__container_enter_resctrl(const struct lcx_container *c, struct lcx__entrance *entrance,
				 struct lcx_error **err);
/* What differs into the class of one that runs: all of it, or nothing. */
int lcx__container_update_resctrl(const struct lcx_container *c, const struct lcx_spec *before,
				  const struct lcx_spec *after, struct lcx_error **err);
int lcx__container_undo_resctrl(struct lcx_container *c, const char *path, struct lcx_error **err);

/* ---- system.c ---- */

/* What the init of a whole system needs; before and after the image is merged. */
int lcx__system_prepare(struct lcx_container *c, struct lcx_error **err);
int lcx__system_settle(struct lcx_container *c, struct lcx_error **err);
/* @status as its owner tells it: one that is off has ended well. */
int32_t lcx__system_status(const struct lcx_container *c, int32_t status);
/* It has ended in order to be started again. */
bool lcx__system_wants_restart(const struct lcx_container *c);
/* The cgroup that its first process gets into is one below the container's. */
int lcx__system_enter(const struct lcx_container *c, struct lcx__entrance *entrance,
		      struct lcx_error **err);
