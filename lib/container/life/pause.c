/* SPDX-License-Identifier: MIT */
#include "container/life/life.h"

#include <sys/file.h>

#include "container/cgroups/cgroups.h"
#include "container/event.h"
#include "util/fs.h"

/*
 * A stop and a pause have an order: what is frozen between the signal and the end would not hear
 * the signal, and be killed when its time is over. Whoever stops shares the lock of the run
 * directory meanwhile, which keeps others from pausing; a pause that came before has ended then,
 * and is undone.
 */

enum { FREEZE_TIMEOUT_MS = 10000 };

static int lock_run(const struct lcx_container *c, int how)
{
	CLEANUP(closep) int fd = c->run_fd < 0 ? -ESRCH : lcx__open_dir(c->run_fd, ".");
	int r = fd < 0 ? fd : lcx__lock(fd, how);

	return r < 0 ? r : TAKE_FD(fd);
}

int lcx__keep_from_pausing(struct lcx_container *c)
{
	CLEANUP(closep) int fd = lock_run(c, LOCK_SH);

	if (fd >= 0 && lcx__container_load_state(c, NULL) == 0 && c->state == LCX_CONTAINER_PAUSED)
		(void)lcx_container_unpause(c, NULL);
	return TAKE_FD(fd);
}

static int keep_from_stopping(const struct lcx_container *c, struct lcx_error **err)
{
	int fd = lock_run(c, LOCK_EX | LOCK_NB);

	if (fd >= 0)
		return fd;
	return fd == -EWOULDBLOCK ? lcx__fail(err, EBUSY, "container '%s' is being stopped",
					      lcx__container_display(c))
				  : lcx__fail_sys(err, -fd, "lock the run directory of '%s'",
						  lcx__container_display(c));
}

static int set_frozen(struct lcx_container *c, bool frozen, struct lcx_error **err)
{
	CLEANUP(closep) int lock_fd = -1, pidfd = -1, run_lock_fd = -1;
	int r;

	r = lcx__container_lock(c, &lock_fd, err);
	if (r < 0)
		return r;
	pidfd = lcx__container_open_running(c, err);
	if (pidfd < 0)
		return pidfd;
	run_lock_fd = frozen ? keep_from_stopping(c, err) : -1;
	if (frozen && run_lock_fd < 0)
		return run_lock_fd;
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
