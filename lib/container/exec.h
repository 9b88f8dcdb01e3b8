/* SPDX-License-Identifier: MIT */
#pragma once

#include "container/container-internal.h"

/* lcx_container_exec() whose output goes to @log, borrowed, and that no event tells of. */
int lcx__container_exec_logged(struct lcx_container *c, const struct lcx_spec *spec,
			       struct lcx__log_writer *log, struct lcx_process **ret,
			       struct lcx_error **err);
