/* SPDX-License-Identifier: MIT */
#pragma once

/* The files of a container that doesn't run, with its volumes, as its process would see them. */

#include "init/launch.h"
#include "spec/spec.h"

struct lcx__view {
	struct lcx__child child;
};

#define LCX__VIEW_NONE ((struct lcx__view){LCX__CHILD_NONE})

/*
 * Mount on the detached tree @tree_fd, borrowed, what @spec binds, until the view is cleared: as
 * lcx__compile_view() has it. Paths looked up from @tree_fd lead into it; nobody else sees it.
 */
int lcx__view_open(const struct lcx_spec *spec, int tree_fd, const char *optional,
		   struct lcx__view *ret, struct lcx_error **err);

/* The caller has closed @tree_fd: with this, all of it is unmounted. */
void lcx__view_clear(struct lcx__view *view);
