/* SPDX-License-Identifier: MIT */
/*
 * Mounts need a mount namespace, and no thread of the host's may enter one. So an lcx-init does,
 * mounts, and then just waits: its namespace lives as long as it. A tree's descriptor leads to the
 * same mount everywhere, so that this process walks through it without being there.
 */
#include "process/view.h"

#include <errno.h>

#include "process/compile.h"

int lcx__view_open(const struct lcx_spec *spec, int tree_fd, const char *optional,
		   struct lcx__view *ret, struct lcx_error **err)
{
	CLEANUP(lcx__compiled_clear) struct lcx__compiled compiled = {0};
	CLEANUP(lcx__child_abandonp) struct lcx__child child = LCX__CHILD_NONE;
	struct lcx__launch launch = {.cgroup_fd = -1, .stdio = {-1, -1, -1}};
	int r = lcx__compile_view(spec, tree_fd, optional, &compiled, err);

	if (r < 0)
		return r;
	launch.plan = compiled.plan;
	launch.clone_flags = compiled.clone_flags;
	r = lcx__launch(&launch, &child, err);
	if (r == 0)
		r = lcx__child_receive(&child, NULL, err);
	if (r < 0)
		return r;
	if (r != PLAN_MESSAGE_READY)
		return lcx__fail(err, EPROTO, "lcx-init talks nonsense");
	child.plan = NULL; /* it says nothing more */
	ret->child = child;
	child = LCX__CHILD_NONE;
	return 0;
}

void lcx__view_clear(struct lcx__view *view)
{
	lcx__child_abandon(&view->child);
	*view = LCX__VIEW_NONE;
}
