/* SPDX-License-Identifier: MIT */
#include "process/compile-internal.h"
#include "process/hook.h"
#include "util/weaken.h"

static void compile_hooks(struct compiler *c, enum lcx__hook_kind kind, int state_fd)
{
	const struct lcx__spec_hook_list *list = &c->spec->hooks.kind[kind];

	for (size_t i = 0; i < list->hooks.n; i++) {
		struct lcx__spec_hook hook = list->hooks.items[i];

		if (lcx__is_off(HOOKS))
			hook.env = c->spec->process.env;
		lcx__plan_hook(c->plan, kind, &hook, state_fd);
	}
}

int lcx__compile_create_hooks(struct compiler *c, struct lcx_error **err)
{
	(void)err;
	if (c->spec->hooks.kind[LCX__HOOK_CREATE_CONTAINER].hooks.n > 0)
		compile_hooks(c, LCX__HOOK_CREATE_CONTAINER,
			      lcx__plan_fd(c->plan, c->in->creating_fd));
	return 0;
}

int lcx__compile_start_hooks(struct compiler *c, struct lcx_error **err)
{
	(void)err;
	compile_hooks(c, LCX__HOOK_START_CONTAINER, -1);
	return 0;
}

/* Only a start has such hooks: an exec's description is the container's, but it starts nothing. */
void lcx__compile_keep_state(struct compiler *c, struct plan_op *close)
{
	if (!c->in->container && c->spec->hooks.kind[LCX__HOOK_START_CONTAINER].hooks.n > 0)
		close->fd = lcx__plan_fd(c->plan, c->in->created_fd);
}
