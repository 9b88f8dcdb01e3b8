/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The runtime specification's hooks, at the moments of a container's life. prestart and
 * createRuntime run when its namespaces and mounts are made; createContainer and startContainer
 * by its own process (lib/process); poststart when its program was executed. poststop runs when
 * all of it has been taken down, as the oldest entry of the journal: so it runs, too, when a start
 * fails half way or its owner dies, and perhaps twice if somebody dies while it does.
 */

#include "spec/spec.h"
#include "util/error.h"

struct lcx_container;

bool lcx__container_has_hooks(const struct lcx_container *c, enum lcx__hook_kind kind);

/* One after the other; the first failure ends it. @pid: the container's process, or 0. */
int lcx__container_run_hooks(struct lcx_container *c, enum lcx__hook_kind kind, pid_t pid,
			     struct lcx_error **err);

/* The state as a hook reads it, a JSON object; NULL without memory. */
char *lcx__container_oci_state(const struct lcx_container *c, const char *status, pid_t pid);

/* Of the journal. A poststop hook that fails is told as an event, and hinders nothing. */
int lcx__container_undo_hooks(struct lcx_container *c, const char *object, struct lcx_error **err);
