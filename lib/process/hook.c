/* SPDX-License-Identifier: MIT */
#include "process/hook.h"

#include <string.h>

#include "init/program.h"
#include "spec/names.h"

static int64_t timeout_ms(const struct lcx__spec_hook *hook)
{
	return hook->timeout_s.set ? (int64_t)hook->timeout_s.value * 1000 : 0;
}

void lcx__plan_hook(struct lcx__plan *plan, enum lcx__hook_kind kind,
		    const struct lcx__spec_hook *hook, int state_fd)
{
	const char *const only_path[] = {hook->path, NULL};
	const char *const *args = (const char *const *)hook->args;
	uint32_t n_args, n_env, argv, env;
	struct plan_op *op;

	argv = lcx__plan_vector(plan, args && args[0] ? args : only_path, &n_args);
	env = lcx__plan_vector(plan, (const char *const *)hook->env, &n_env);
	op = lcx__plan_add(plan, PLAN_HOOK);
	op->fd = state_fd;
	op->str[0] = lcx__plan_format(plan, "the %s hook", lcx__json_name_of(lcx__hook_names, kind));
	op->str[1] = lcx__plan_string(plan, hook->path);
	op->str[2] = argv;
	op->str[3] = env;
	op->length = n_args;
	op->num[0] = n_env;
	op->num[1] = (uint64_t)timeout_ms(hook);
}

int lcx__hook_run(enum lcx__hook_kind kind, const struct lcx__spec_hook *hook, const char *state,
		  struct lcx_error **err)
{
	CLEANUP(lcx__child_abandonp) struct lcx__child child = LCX__CHILD_NONE;
	CLEANUP(lcx__plan_freep) struct lcx__plan *plan = NULL;
	CLEANUP(closep) int state_fd = -1;
	struct lcx__launch launch = {.cgroup_fd = -1, .stdio = {-1, -1, -1}};
	int r = lcx__plan_new(&plan, err);

	if (r < 0)
		return r;
	state_fd = lcx__sealed_memfd("lcx-state", state, strlen(state), false);
	if (state_fd < 0)
		return lcx__fail_sys(err, -state_fd, "hand the state to a hook");
	lcx__plan_hook(plan, kind, hook, lcx__plan_fd(plan, state_fd));
	launch.plan = plan;
	r = lcx__launch(&launch, &child, err);
	return r < 0 ? r : lcx__child_receive(&child, NULL, err);
}
