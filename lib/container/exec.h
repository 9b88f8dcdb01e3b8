/* SPDX-License-Identifier: MIT */
#pragma once

#include "container/container-internal.h"

/*
 * The beginning of an lcx_container_exec() whose output goes to @log, borrowed, and that no event
 * tells of: lcx__spawn_go_on() has it executed. @c is borrowed until then.
 */
int lcx__container_exec_begin(struct lcx_container *c, const struct lcx_spec *spec,
			      struct lcx__log_writer *log, struct lcx__spawning **ret,
			      struct lcx_error **err);
