/* SPDX-License-Identifier: MIT */
#include "process/hook.h"

#include <string.h>

#include "init/program.h"
#include "spec/names.h"

static int64_t timeout_ms(const struct lcx__spec_hook *hook)
{
	return hook->timeout_s.set ? (int64_t)hook->timeout_s.value * 1000 : 0;
}

struct call {
	struct lcx__run run;
	char name[64];
	const char *only_path[2]; /* what it is called with if it is told nothing */
};

static const struct lcx__run *describe(struct call *call, enum lcx__hook_kind kind,
				       const struct lcx__spec_hook *hook, int state_fd)
{
	const char *const *args = (const char *const *)hook->args;

	(void)snprintf(call->name, sizeof(call->name), "the %s hook",
		       lcx__json_name_of(lcx__hook_names, kind));
	call->only_path[0] = hook->path;
	call->only_path[1] = NULL;
	call->run = (struct lcx__run){
		.name = call->name,
		.path = hook->path,
		.args = args && args[0] ? args : call->only_path,
		.env = (const char *const *)hook->env,
		.input_fd = state_fd,
		.timeout_ms = (uint64_t)timeout_ms(hook),
	};
	return &call->run;
}

void lcx__plan_hook(struct lcx__plan *plan, enum lcx__hook_kind kind,
		    const struct lcx__spec_hook *hook, int state_fd)
{
	struct call call;

	lcx__plan_run(plan, describe(&call, kind, hook, state_fd));
}

int lcx__hook_run(enum lcx__hook_kind kind, const struct lcx__spec_hook *hook, const char *state,
		  struct lcx_error **err)
{
	CLEANUP(closep) int state_fd = lcx__sealed_memfd("lcx-state", state, strlen(state), false);
	struct call call;

	if (state_fd < 0)
		return lcx__fail_sys(err, -state_fd, "hand the state to a hook");
	return lcx__run(describe(&call, kind, hook, state_fd), err);
}
