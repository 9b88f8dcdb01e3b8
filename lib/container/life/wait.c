/* SPDX-License-Identifier: MIT */
#include "container/life/life.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "container/cgroups/cgroups.h"
#include "container/log.h"
#include "container/start/start.h"
#include "util/process.h"

/*
 * What happens to a container that exists, from any process. Who owns the
 * container's process (a program, or the monitor) also sees it end; everybody
 * else waits for the owner to write down how, or to die.
 */

/* A deadline on the monotonic clock; INT64_MAX: never. */
static int64_t deadline_after(int32_t timeout_ms)
{
	return timeout_ms < 0 ? INT64_MAX : lcx__monotonic_ns() + (int64_t)timeout_ms * 1000000;
}

static int left_ms(int64_t deadline)
{
	int64_t left = deadline - lcx__monotonic_ns();

	if (deadline == INT64_MAX)
		return -1;
	return left <= 0                       ? 0
	       : left > INT64_C(3600000000000) ? 3600000
					       : (int)((left + 999999) / 1000000);
}

/* Whoever takes a container down by force removes the owner's lock; what is there then is somebody
 * else's. */
static bool holds_run_directory(const struct lcx_container *c)
{
	struct stat st;

	return fstat(c->owner_fd, &st) == 0 && st.st_nlink > 0;
}

static int wait_own(struct lcx_container *c, int32_t timeout_ms, struct lcx_error **err)
{
	CLEANUP(closep) int lock_fd = -1;
	int32_t status;
	int r = lcx_process_wait(c->process, timeout_ms, &status, err);

	lcx__container_note_log(c);
	if (r < 0)
		return r;
	status = lcx__system_status(c, status);
	if (c->run.external.value)
		return lcx__container_finish_external(c, status, err);
	if (c->owner_fd < 0)
		return 0; /* was finished before */
	r = lcx__container_lock(c, &lock_fd, NULL);
	if (r < 0 && r != -ENOENT)
		return lcx__container_lock(c, &lock_fd, err);
	if (c->log)
		(void)lcx__log_flush(c->log);
	if (r == 0 && holds_run_directory(c))
		r = lcx__container_finish(c, status, err);
	else
		r = 0;
	closep(&c->owner_fd);
	c->exit_status = status;
	c->state = LCX_CONTAINER_STOPPED;
	return r;
}

static bool has_exit(const struct lcx_container *c)
{
	int64_t ns;
	int32_t status;

	return lcx__exit_read(c->dir_fd, c->last_run, &status, &ns);
}

/*
 * The process has ended, or its owner has. If nobody owns the container, finish it: what
 * nobody wrote down is unknown. Return: 1 if it is finished, 0 if its owner is still at it.
 */
static int finish_abandoned(struct lcx_container *c, struct lcx_error **err)
{
	CLEANUP(closep) int lock_fd = -1, owner_fd = -1;
	int r = lcx__container_lock(c, &lock_fd, err);

	if (r < 0)
		return r;
	r = lcx__container_load_state(c, err);
	if (r == 0 && c->run_fd < 0)
		r = lcx__passing_end(c, err);
	if (r < 0 || c->run_fd < 0)
		return r < 0 ? r : 1;
	r = lcx__container_is_owned(c, &owner_fd, err);
	if (r != 0)
		return r < 0 ? r : 0;
	r = lcx__container_finish(c, LCX_EXIT_UNKNOWN, err);
	return r < 0 ? r : 1;
}

static int watch(struct lcx_container *c, const char *path, uint32_t events, struct lcx_error **err)
{
	CLEANUP(closep) int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	if (fd < 0 || inotify_add_watch(fd, path, events) < 0)
		return lcx__fail_sys(err, errno, "watch container '%s'", lcx__container_display(c));
	return TAKE_FD(fd);
}

/* Until something happens in a watched directory, or the owner ends. */
static int wait_for_either(struct lcx_container *c, int inotify_fd, int owner, int64_t deadline,
			   const char *too_late, struct lcx_error **err)
{
	struct pollfd pfds[] = {
		{.fd = inotify_fd, .events = POLLIN},
		{.fd = owner, .events = POLLIN},
	};

	switch (poll(pfds, ARRAY_SIZE(pfds), left_ms(deadline))) {
	case 0:
		return lcx__fail(err, ETIMEDOUT, "container '%s' %s", lcx__container_display(c),
				 too_late);
	case -1:
		return errno == EINTR ? 0
				      : lcx__fail_sys(err, errno, "wait for container '%s'",
						      lcx__container_display(c));
	default:
		return 0;
	}
}

static int open_owner(const struct lcx_container *c)
{
	return lcx__open_process(c->run.owner_pid.value, c->run.owner_start_time.value);
}

/*
 * Someone else's container. News are: the owner writes "exit" (a rename in the
 * directory), or the owner ends (its pidfd).
 */
static int wait_for_news(struct lcx_container *c, int64_t deadline, struct lcx_error **err)
{
	CLEANUP(closep) int inotify_fd = -1, owner = -1;
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", c->dir_fd);
	inotify_fd = watch(c, path, IN_MOVED_TO | IN_MOVE_SELF | IN_DELETE_SELF, err);
	if (inotify_fd < 0)
		return inotify_fd;
	owner = open_owner(c);
	/* What happened before the watch was set is seen now. */
	if (has_exit(c))
		return 0;
	if (owner < 0 && owner != -ESRCH)
		return lcx__fail_sys(err, -owner, "look for the owner of container '%s'",
				     lcx__container_display(c));
	if (owner < 0) {
		int r = finish_abandoned(c, err);

		if (r != 0)
			return r == 1 || r == -ENOENT ? 0 : r;
	}
	return wait_for_either(c, inotify_fd, owner, deadline, "still runs", err);
}

/*
 * It has ended; its owner is about to finish, which ends with the owner, or with the run
 * directory: an owner may live on for other things. Return: 1 if that is up to this program.
 */
static int wait_for_owner(struct lcx_container *c, int64_t deadline, struct lcx_error **err)
{
	CLEANUP(closep) int inotify_fd = -1, owner = open_owner(c);
	char path[128];

	if (owner < 0 && owner != -ESRCH)
		return lcx__fail_sys(err, -owner, "look for the owner of container '%s'",
				     lcx__container_display(c));
	if (owner < 0)
		return 0;
	if (c->run.owner_pid.value == getpid())
		return 1; /* another handle of this program is at it */
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d/containers", c->ctx->run_fd);
	inotify_fd = watch(c, path, IN_DELETE, err);
	if (inotify_fd < 0)
		return inotify_fd;
	(void)snprintf(path, sizeof(path), "containers/%s", c->d.id);
	if (faccessat(c->ctx->run_fd, path, F_OK, 0) < 0)
		return 0;
	return wait_for_either(c, inotify_fd, owner, deadline,
			       "has ended, but its owner does not finish it", err);
}

/* It has ended. An owner that wrote the exit also takes down; a monitor only ends. Return: 1 if
 * there is nothing left to wait for. */
static int wait_for_finish(struct lcx_container *c, int64_t deadline, struct lcx_error **err)
{
	CLEANUP(lcx_error_freep) struct lcx_error *why = NULL;
	int r = finish_abandoned(c, &why);

	if (r == -ENOENT || r == 1)
		return 1;
	if (r < 0)
		return lcx__fail(err, -r, "%s", lcx_error_message(why));
	/* Somebody may have started it again: that owner is none to wait for. */
	return c->state == LCX_CONTAINER_STOPPED ? wait_for_owner(c, deadline, err) : 0;
}

static int fail_created(const struct lcx_container *c, struct lcx_error **err)
{
	if (!lcx__may_exist(c->ctx->root_fd, "containers", c->d.id))
		return lcx__fail(err, ENOENT, "container '%s' was removed",
				 lcx__container_display(c));
	return lcx__fail(err, ESRCH, "container '%s' was never started", lcx__container_display(c));
}

/*
 * The run that goes on at the beginning, or is just being started, is waited for, and no other: it
 * may be followed by the next one, or by the removal of the container, before we look.
 */
static int wait_foreign(struct lcx_container *c, int32_t timeout_ms, int32_t *ret_status,
			struct lcx_error **err)
{
	int64_t deadline = deadline_after(timeout_ms);
	int r = lcx__container_load_state(c, err);
	bool began = lcx__container_is_running(c) || c->waited.fd >= 0;

	if (r == 0 && c->waited.fd < 0)
		r = lcx__waited_note(c, err);
	while (r == 0) {
		if (c->state == LCX_CONTAINER_STOPPED) {
			*ret_status = c->exit_status;
			began = true;
			r = wait_for_finish(c, deadline, err);
			/* Only now may its owner, or we, have written it down. */
			if (c->state == LCX_CONTAINER_STOPPED)
				*ret_status = c->exit_status;
		} else if (c->state == LCX_CONTAINER_CREATED && !began) {
			r = fail_created(c, err);
		} else if (c->state == LCX_CONTAINER_CREATED ||
			   (c->waited.fd >= 0 && !lcx__run_is(c, c->waited.run))) {
			r = 1;
		} else {
			began = true;
			r = c->waited.fd < 0 ? lcx__waited_note(c, err) : 0;
			if (r == 0)
				r = wait_for_news(c, deadline, err);
		}
		if (r == 0)
			r = lcx__container_load_state(c, err);
	}
	if (r < 0)
		return r;
	(void)lcx__waited_read(c, ret_status);
	closep(&c->waited.fd);
	if (c->state == LCX_CONTAINER_CREATED) /* it was removed, and knows nothing any more */
		c->state = LCX_CONTAINER_STOPPED;
	if (c->state == LCX_CONTAINER_STOPPED)
		c->exit_status = *ret_status;
	return 0;
}

LCX_PUBLIC int lcx_container_wait(struct lcx_container *c, int32_t timeout_ms, int32_t *ret_status,
				  struct lcx_error **err)
{
	int32_t status = LCX_EXIT_UNKNOWN;
	int r = lcx__container_check_created(c, err);

	if (r < 0)
		return r;
	if (c->process) {
		r = wait_own(c, timeout_ms, err);
		status = c->exit_status;
	} else {
		r = wait_foreign(c, timeout_ms, &status, err);
	}
	if (r == 0 && ret_status)
		*ret_status = status;
	return r;
}
