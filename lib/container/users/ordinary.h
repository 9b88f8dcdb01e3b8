/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Containers of an ordinary user, who has no capability over the machine. He gets a user namespace
 * of his own, in which root is himself and nobody else exists unless he was given ranges of ids
 * (lcx_ctx_use_subids()), and goes without what only
 * the machine's administrator can give: bridges, device nodes, and cgroups unless some were
 * delegated to him.
 */

#include "lcx/container.h"
#include "spec/spec.h"

/* Whether the caller may do none of what makes a container without a user namespace. */
bool lcx__is_ordinary_user(void);

/* ids.c: root in the first user namespace. Root of another has its namespaces to himself, but no
 * device, no devices' rules, and only the cgroups that were delegated to him. */
bool lcx__is_root_of_the_machine(void);

/* At creation: describe the user namespace, and refuse what he can't have, each with the way out.
 */
int lcx__container_settle_ordinary(struct lcx_container *c, struct lcx_error **err);

/*
 * What is to be asked of cgroups: devices need no rules but where root of the machine makes the
 * container, for in a user namespace nobody can make a node, and those that are bound there are
 * subject to the rights of whoever is root there, outside.
 */
struct lcx__resources lcx__container_resources(const struct lcx_spec *spec);

/* Whether anything is asked. */
bool lcx__resources_ask(const struct lcx__resources *resources);
