/* SPDX-License-Identifier: MIT */
#pragma once

/* What rooms below may know of cgroups beyond the public header. */

#include <stdbool.h>
#include <stddef.h>

#include "lcx/cgroup.h"
#include "util/error.h"

struct lcx__resources; /* spec/spec.h: linux.resources of the OCI runtime specification */

DEFINE_CLEANUP(struct lcx_cgroup *, lcx_cgroup_free)
DEFINE_CLEANUP(struct lcx_cgroup_pids *, lcx_cgroup_pids_free)

/* A list for those who find processes otherwise; NULL, -ENOMEM without memory. */
struct lcx_cgroup_pids *lcx__cgroup_pids_new_empty(void);
int lcx__cgroup_pids_add(struct lcx_cgroup_pids *pids, int32_t pid);
DEFINE_CLEANUP(struct lcx_cgroup_watch *, lcx_cgroup_watch_free)
DEFINE_CLEANUP(struct lcx_cgroup_figures *, lcx_cgroup_figures_free)
DEFINE_CLEANUP(struct lcx_cgroup_stats *, lcx_cgroup_stats_free)

/* Whether @path, as a caller here would name it, is the one of @cg. */
bool lcx__cgroup_is_at(const struct lcx_cgroup *cg, const char *path);

/* Whether this handle has destroyed it. */
bool lcx__cgroup_is_gone(const struct lcx_cgroup *cg);

/*
 * Others may use it by now in hierarchies that this handle does not: from here on it does. Return:
 * 1, 0 if it is not there any more, or a negative errno.
 */
int lcx__cgroup_look_around(struct lcx_cgroup *cg, struct lcx_error **err);

/*
 * How a new process gets in without a grace period of the kernel. Both may
 * apply (hybrid); set all limits first, so that every hierarchy is in use.
 */

/* A directory for CLONE_INTO_CGROUP, borrowed from @cg; -1 if its processes are tracked by
 * version 1. */
int lcx__cgroup_into_fd(const struct lcx_cgroup *cg);

/* At most this many descriptors come out of lcx__cgroup_join_fds(). */
enum { LCX__CGROUP_JOIN_MAX = 16 };

/*
 * One write-only descriptor of `tasks` in each version 1 hierarchy in use, owned
 * by the caller. A single-threaded process writes "0" to each and is in: a
 * thread that moves itself needs none of the locks that stop a whole process.
 * Return: how many, or a negative errno (-E2BIG if more than @max; none is left open).
 */
int lcx__cgroup_join_fds(const struct lcx_cgroup *cg, int *fds, size_t max);

/*
 * Let @cg, a handle that serves for nothing else, stand for a cgroup below it: as
 * lcx_container_exec_in() has @places, or that of the process @pid.
 */
int lcx__cgroup_descend(struct lcx_cgroup *cg, const char *const *places, struct lcx_error **err);
int lcx__cgroup_descend_to(struct lcx_cgroup *cg, int32_t pid, struct lcx_error **err);

/* Whether it is one of version 2 that has controllers for those below it, and so takes no process.
 */
bool lcx__cgroup_passes_on(const struct lcx_cgroup *cg);

/* Version 2: what the cgroup of this directory has, those below it may have, too; what the kernel
 * refuses they go without. */
void lcx__cgroup_pass_on(int dir_fd);

/* Whether the kernel keeps any device from its processes. Return: 1, 0, or a negative errno. */
int lcx__cgroup_devices_limited(const struct lcx_cgroup *cg);

/*
 * Set everything that @resources names. What this kernel cannot do is an error that
 * names the property. After a failure some limits may be set: destroy, or apply the old ones again.
 */
int lcx__cgroup_apply(struct lcx_cgroup *cg, const struct lcx__resources *resources,
		      struct lcx_error **err);

/*
 * How many bytes of its path stay when it is destroyed: a handle that was opened by the
 * absolute path does not know, and is told by who remembers.
 */
size_t lcx__cgroup_keep(const struct lcx_cgroup *cg);
void lcx__cgroup_set_keep(struct lcx_cgroup *cg, size_t keep);

/*
 * Before a cgroup that somebody else has made is used in further hierarchies, where he makes none:
 * one line for each of them. lcx__cgroup_prune() takes such a line, and removes what is empty
 * above the cgroup. *@ret: lcx__strv_free().
 */
int lcx__cgroup_list_absent(const struct lcx_cgroup *cg, char ***ret, struct lcx_error **err);
int lcx__cgroup_prune(const char *line, struct lcx_error **err);

/*
 * The names of the cgroups directly below @path (as for lcx_cgroup_open()), from
 * every hierarchy, each once: what is left of containers whose records are lost.
 * *@ret is owned by the caller: lcx__strv_free(). A @path that is nowhere has none.
 */
int lcx__cgroup_list(const char *path, char ***ret, struct lcx_error **err);
