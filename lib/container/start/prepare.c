/* SPDX-License-Identifier: MIT */
#include "container/start/start.h"

#include <signal.h>

#include "container/event.h"
#include "container/hooks.h"
#include "container/life/life.h"
#include "init/gate.h"
#include "util/process.h"

/*
 * Containers of engines, whose life is in two halves: a program prepares one and ends; another one
 * has its process go on, much later. The process is the child of neither for long, so nobody holds
 * the owner's lock; that it waits is known by the kernel, which knows who reads the gate.
 */

enum { FAILED_TIMEOUT_MS = 2000 };

bool lcx__container_is_at_gate(const struct lcx_container *c)
{
	return c->run.external.value && lcx__gate_is_closed(c->run_fd);
}

/* By the time of the start, for those who look; its creation was recorded before. */
static int record_start(struct lcx_container *c, struct lcx_error **err)
{
	c->run.started_ns = (struct lcx__opt_i64)LCX__OPT(lcx__now_ns());
	return lcx__start_record(c, true, err);
}

static int check_is_prepared(struct lcx_container *c, struct lcx_error **err)
{
	bool running = lcx__container_is_running(c);

	if (c->state == LCX_CONTAINER_PREPARED)
		return 0;
	/* A frozen lcx-init would not say how it went before somebody thaws it, which needs the
	 * lock that is held here. */
	if (c->state == LCX_CONTAINER_PAUSED)
		return lcx__fail(err, EBUSY, "container '%s' is paused; resume it first",
				 lcx__container_display(c));
	return lcx__fail(err, running ? EALREADY : ESRCH, "container '%s' %s",
			 lcx__container_display(c),
			 running                             ? "is already running"
			 : c->state == LCX_CONTAINER_STOPPED ? "has stopped, and cannot be started again"
							     : "is not prepared to run");
}

/* What was prepared without one stays as it is: runtime.md, "Start". */
static int check_has_program(const struct lcx_container *c, struct lcx_error **err)
{
	if (c->spec->process.args && c->spec->process.args[0])
		return 0;
	return lcx__fail(err, EINVAL,
			 "process: container '%s' was described without one, and cannot be started",
			 lcx__container_display(c));
}

static int open_gate(struct lcx_container *c, struct lcx_error **err)
{
	CLEANUP(closep) int pidfd = lcx__open_process(c->run.pid.value, c->run.start_time.value);
	int r;

	if (pidfd < 0)
		return lcx__fail_sys(err, -pidfd, "look for the process of container '%s'",
				     lcx__container_display(c));
	r = lcx__gate_open(c->run_fd, pidfd, c->spec->process.args[0], err);
	/* Who is told that it failed finds it stopped: it ends with that. */
	if (r < 0)
		(void)lcx__pidfd_ends(pidfd, FAILED_TIMEOUT_MS);
	return r;
}

/* A failed one ends the container: runtime.md, "Lifecycle". */
static int run_poststart_hooks(struct lcx_container *c, struct lcx_error **err)
{
	pid_t pid = (pid_t)c->run.pid.value;
	int r = lcx__container_run_hooks(c, LCX__HOOK_POSTSTART, pid, err);
	CLEANUP(closep) int pidfd = -1;

	if (r == 0)
		return 0;
	pidfd = lcx__open_process(pid, c->run.start_time.value);
	(void)lcx__container_signal(c, SIGKILL, NULL);
	if (pidfd >= 0)
		(void)lcx__pidfd_ends(pidfd, FAILED_TIMEOUT_MS);
	return r;
}

LCX_PUBLIC int lcx_container_proceed(struct lcx_container *c, struct lcx_error **err)
{
	CLEANUP(closep) int lock_fd = -1;
	int r = lcx__container_check_created(c, err);

	if (r == 0)
		r = lcx__container_lock(c, &lock_fd, err);
	if (r == 0)
		r = lcx__container_load_state(c, err);
	if (r == 0)
		r = check_is_prepared(c, err);
	if (r == 0)
		r = lcx__container_load_spec(c, err);
	if (r == 0)
		r = check_has_program(c, err);
	if (r == 0)
		r = record_start(c, err);
	if (r == 0)
		r = open_gate(c, err);
	if (r == 0)
		r = run_poststart_hooks(c, err);
	if (r < 0)
		return r;
	lcx__event_emit(c, "started", NULL);
	c->state = LCX_CONTAINER_RUNNING;
	c->started_ns = c->run.started_ns.value;
	return 0;
}

int lcx__container_finish_external(struct lcx_container *c, int32_t status, struct lcx_error **err)
{
	CLEANUP(closep) int lock_fd = -1;
	int64_t pid = c->run.pid.value;
	int r = lcx__container_lock(c, &lock_fd, err);

	if (r == -ENOENT) {
		c->exit_status = status;
		c->state = LCX_CONTAINER_STOPPED;
	}
	if (r < 0)
		return r;
	r = lcx__container_load_state(c, err);
	if (r == 0 && c->run_fd >= 0 && c->run.pid.value == pid)
		r = lcx__container_finish(c, status, err);
	c->exit_status = status;
	c->state = LCX_CONTAINER_STOPPED;
	return r;
}
