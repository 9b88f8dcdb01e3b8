/* SPDX-License-Identifier: MIT */
#include "container/life/life.h"

static int end_by_force(struct lcx_container *c, struct lcx_error **err)
{
	struct run_identity run = lcx__run_identify(c);
	int r = lcx__waited_note(c, err);

	if (r == 0)
		r = lcx__run_kill_all(c, run, NULL);
	if (r < 0 && r != -ESRCH)
		return lcx__run_kill_all(c, run, err);
	r = lcx_container_wait(c, LCX__KILL_WAIT_MS, NULL, err);
	return r == -ESRCH ? 0 : r;
}

/* One look under the lock. Return: 1 with the lock, which is the caller's, if it can be removed;
 * else 0. */
static int try_lock_ended(struct lcx_container *c, bool owner_had_its_time, int *ret_lock_fd,
			  struct lcx_error **err)
{
	CLEANUP(closep) int lock_fd = -1, owner_fd = -1;
	int owned, r = lcx__container_lock(c, &lock_fd, err);

	if (r == 0)
		r = lcx__container_reload(c, err); /* its name may be another now */
	if (r < 0)
		return r;
	owned = lcx__container_is_owned(c, &owner_fd, err);
	if (owned < 0)
		return owned;
	/* Its owner still copies output, or records the end; another handle here may never do so.
	 */
	if (lcx__container_is_running(c) ||
	    (owned && !owner_had_its_time && c->run.owner_pid.value != getpid()))
		return 0;
	*ret_lock_fd = TAKE_FD(lock_fd);
	return 1;
}

/* As often as somebody starts it again meanwhile, within reason. */
static int lock_ended(struct lcx_container *c, bool force, int *ret_lock_fd, struct lcx_error **err)
{
	bool late = false;

	for (int tries = 0; tries < 8; tries++) {
		int r = try_lock_ended(c, late, ret_lock_fd, err);

		if (r != 0)
			return r < 0 ? r : 0;
		if (lcx__container_is_running(c) && !force)
			return lcx__fail(
				err, EBUSY,
				"container '%s' is running; stop it first, or force its removal",
				lcx__container_display(c));
		r = lcx__container_is_running(c)
			    ? end_by_force(c, NULL)
			    : lcx_container_wait(c, LCX__KILL_WAIT_MS, NULL, NULL);
		late = force && r == -ETIMEDOUT;
	}
	return lcx__fail(err, EBUSY, "container '%s' does not end, or its owner does not finish it",
			 lcx__container_display(c));
}

static int remove_it(struct lcx_container *c, struct removal how, struct lcx_error **err)
{
	CLEANUP(lcx_error_freep) struct lcx_error *why = NULL;
	CLEANUP(closep) int lock_fd = -1;
	int r, torn_down;

	if (c->state == LCX_CONTAINER_NEW)
		return 0;
	r = lock_ended(c, how.force, &lock_fd, &why);
	if (r == -ENOENT)
		return 0; /* it removed itself when it ended */
	if (r < 0)
		return lcx__fail(err, -r, "%s", lcx_error_message(why));
	torn_down = lcx__container_teardown(c, err);
	r = lcx__container_delete(c, how, err);
	return torn_down < 0 ? torn_down : r;
}

LCX_PUBLIC int lcx_container_remove(struct lcx_container *c, int32_t force, struct lcx_error **err)
{
	return remove_it(c, (struct removal){force != 0, false}, err);
}

LCX_PUBLIC int lcx_container_remove_with_volumes(struct lcx_container *c, int32_t force,
						 struct lcx_error **err)
{
	return remove_it(c, (struct removal){force != 0, true}, err);
}

LCX_PUBLIC struct lcx_process *lcx_container_process(struct lcx_container *c)
{
	return c->process;
}
