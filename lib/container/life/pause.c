/* SPDX-License-Identifier: MIT */
#include "container/container-internal.h"

#include "container/cgroups/cgroups.h"
#include "container/event.h"

enum { FREEZE_TIMEOUT_MS = 10000 };

static int set_frozen(struct lcx_container *c, bool frozen, struct lcx_error **err)
{
	CLEANUP(closep) int lock_fd = -1, pidfd = -1;
	int r;

	r = lcx__container_lock(c, &lock_fd, err);
	if (r < 0)
		return r;
	pidfd = lcx__container_open_running(c, err);
	if (pidfd < 0)
		return pidfd;
	r = lcx__container_open_cgroup(c, err);
	if (r == 0)
		r = frozen ? lcx_cgroup_freeze(c->cgroup, FREEZE_TIMEOUT_MS, err)
			   : lcx_cgroup_thaw(c->cgroup, FREEZE_TIMEOUT_MS, err);
	if (r < 0)
		return r;
	c->run.paused = (struct lcx__opt_bool)LCX__OPT(frozen);
	c->state = frozen ? LCX_CONTAINER_PAUSED : LCX_CONTAINER_RUNNING;
	r = lcx__run_state_save(&c->run, c->run_fd, err);
	if (r == 0)
		lcx__event_emit(c, frozen ? "paused" : "unpaused", NULL);
	return r;
}

LCX_PUBLIC int lcx_container_pause(struct lcx_container *c, struct lcx_error **err)
{
	return set_frozen(c, true, err);
}

LCX_PUBLIC int lcx_container_unpause(struct lcx_container *c, struct lcx_error **err)
{
	return set_frozen(c, false, err);
}
