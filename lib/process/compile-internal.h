/* SPDX-License-Identifier: MIT */
#pragma once

#include "process/compile.h"

/* The stages of compile-*.c: each appends its operations. */
struct compiler {
	const struct lcx__compile *in;
	const struct lcx_spec *spec;
	struct lcx__compiled *out;
	struct lcx__plan *plan;
	uint64_t late_flags; /* CLONE_NEW..., made when the user namespace that owns them is joined */
	struct lcx_ns_set
		*users; /* has the container's map of ids, for mounts; made at first need */
};

typedef int compile_fn(struct compiler *c, struct lcx_error **err);

/* compile-namespaces.c */
compile_fn lcx__compile_clone_flags, lcx__compile_user_namespace, lcx__compile_joins,
	lcx__compile_join_pid, lcx__compile_time, lcx__compile_join_container;

/* compile-mounts.c */
compile_fn lcx__compile_root, lcx__compile_mounts, lcx__compile_devices, lcx__compile_masks,
	lcx__compile_sysctls, lcx__compile_restrict_root, lcx__compile_pivot;

/* compile-targets.c */
compile_fn lcx__compile_targets;

/* Only what is bound, but what is missing below @optional. */
int lcx__compile_binds(struct compiler *c, const char *optional, struct lcx_error **err);

/* Take @fd, to be closed after the launch. Return: what it is in lcx-init, or -1: the plan fails.
 */
int lcx__compile_own_fd(struct compiler *c, int fd);

/* compile-handed.c: a mount's source as a tree of its own, with its owners mapped if it says so. */
int lcx__compile_source(struct compiler *c, const struct lcx__spec_mount *m,
			struct lcx_error **err);

int lcx__compile_new_mount(struct compiler *c, const struct lcx__spec_mount *m,
			   struct lcx_error **err);

/* compile-cgroup-mount.c */
int lcx__compile_cgroup_mount(struct compiler *c, const struct lcx__spec_mount *m,
			      struct lcx_error **err);
/* Add what a mount of version 2 has to ask for, so that nothing changes on the host. */
int lcx__compile_cgroup2_options(struct compiler *c, char **options, struct lcx_error **err);

/* compile-scheduling.c */
compile_fn lcx__compile_host_settings, lcx__compile_scheduling, lcx__compile_affinity_before,
	lcx__compile_late_cgroup, lcx__compile_affinity_after;

/* compile-landlock.c: at one of two places among those of the identity */
compile_fn lcx__compile_landlock;

/* compile-identity.c */
compile_fn lcx__compile_key_label, lcx__compile_limits;
compile_fn lcx__compile_identity, lcx__compile_program;
void lcx__compile_labels(struct compiler *c);

/* compile-hooks.c: those that run in the container's namespaces, before and after it has its root
 */
compile_fn lcx__compile_create_hooks, lcx__compile_start_hooks;
void lcx__compile_keep_state(struct compiler *c, struct plan_op *close);

/* Whether the description asks for a namespace of its own or one to join. */
bool lcx__compile_is_private(const struct compiler *c, uint32_t clone_flag);
/* Whether the container's process stays in the host's mount namespace: init/ops-build.c. */
bool lcx__compile_shares_mount(const struct compiler *c);
/* What is mounted below a bind mount in the container is mounted below its source, too. */
bool lcx__compile_is_both_ways(const struct compiler *c, const struct lcx__spec_mount *m);
/* Whether its user namespace is there already, and is to own what is new. */
bool lcx__compile_joins_users(const struct lcx__compile *in);
/* Whether it asks for a new one. */
bool lcx__compile_is_new(const struct compiler *c, uint32_t clone_flag);

/* Have @fd closed after the launch. Return: its number in lcx-init. */
int lcx__compile_own_fd(struct compiler *c, int fd);
