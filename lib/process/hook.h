/* SPDX-License-Identifier: MIT */
#pragma once

/* Running hooks: those of the host at once, those of the container as a part of its plan. */

#include "init/launch.h"
#include "spec/spec.h"

/* Append to a plan: run @hook there. @state_fd is lcx-init's; -1: what CLOSE has kept. */
void lcx__plan_hook(struct lcx__plan *plan, enum lcx__hook_kind kind,
		    const struct lcx__spec_hook *hook, int state_fd);

/*
 * Run @hook in the caller's namespaces, with @state as its standard input, and wait for its end.
 * Return: 0, -ECANCELED if it failed, with its last words, -ETIMEDOUT, or what made it impossible.
 */
int lcx__hook_run(enum lcx__hook_kind kind, const struct lcx__spec_hook *hook, const char *state,
		  struct lcx_error **err);
