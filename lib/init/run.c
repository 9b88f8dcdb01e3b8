/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>

#include "init/launch.h"
#include "util/cleanup.h"
#include "util/error.h"

void lcx__plan_run(struct lcx__plan *plan, const struct lcx__run *run)
{
	uint32_t n_args, n_env, argv, env, name, path;
	struct plan_op *op;

	argv = lcx__plan_vector(plan, run->args, &n_args);
	env = lcx__plan_vector(plan, run->env, &n_env);
	name = lcx__plan_string(plan, run->name);
	path = lcx__plan_string(plan, run->path);
	op = lcx__plan_add(plan, PLAN_HOOK);
	op->fd = run->input_fd;
	op->str[0] = name;
	op->str[1] = path;
	op->str[2] = argv;
	op->str[3] = env;
	op->length = n_args;
	op->num[0] = n_env;
	op->num[1] = run->timeout_ms;
}

int lcx__run(const struct lcx__run *run, struct lcx_error **err)
{
	CLEANUP(lcx__child_abandonp) struct lcx__child child = LCX__CHILD_NONE;
	CLEANUP(lcx__plan_freep) struct lcx__plan *plan = NULL;
	CLEANUP(closep) int null_fd = -1;
	struct lcx__launch launch = {.cgroup_fd = -1, .stdio = {-1, -1, -1}};
	struct lcx__run inside = *run;
	int r = lcx__plan_new(&plan, err);

	if (r < 0)
		return r;
	if (run->input_fd < 0) {
		null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (null_fd < 0)
			return lcx__fail_sys(err, errno, "open '/dev/null'");
	}
	inside.input_fd = lcx__plan_fd(plan, null_fd >= 0 ? null_fd : run->input_fd);
	lcx__plan_run(plan, &inside);
	launch.plan = plan;
	r = lcx__launch(&launch, &child, err);
	return r < 0 ? r : lcx__child_receive(&child, NULL, err);
}
