/* SPDX-License-Identifier: MIT */
#include "container/life/life.h"

#include <signal.h>
#include <string.h>

#include "container/cgroups/cgroups.h"
#include "container/supervisor/restart.h"
#include "util/str.h"
#include "util/sys.h"

/* An image may say anything: then SIGTERM. */
static int stop_signal(const char *text)
{
	int32_t signal = text ? lcx_signal_parse(text) : SIGTERM;

	return signal > 0 ? signal : SIGTERM;
}

static bool is_to_end(const struct lcx_container *c, int32_t signal)
{
	return signal == SIGKILL || signal == stop_signal(c->d.stop_signal);
}

void lcx__container_note_signal(struct lcx_container *c, int32_t signal)
{
	if (is_to_end(c, signal))
		lcx__restart_note_stop(c);
}

int lcx__container_signal(struct lcx_container *c, int32_t signal, struct lcx_error **err)
{
	CLEANUP(closep) int pidfd = lcx__container_open_running(c, err);
	int r;

	if (pidfd < 0)
		return pidfd;
	lcx__container_note_signal(c, signal);
	r = sys_pidfd_send_signal(pidfd, signal);
	return r < 0 ? lcx__fail_sys(err, -r, "send signal %d to container '%s'", signal,
				     lcx__container_display(c))
		     : 0;
}

/* What is an engine's is thawed by the engine, unless it is killed: runtimes do no more. */
static bool is_to_thaw(const struct lcx_container *c, int32_t signal)
{
	return c->d.bundle ? signal == SIGKILL : is_to_end(c, signal);
}

void lcx__thaw_to_end(struct lcx_container *c, int32_t signal)
{
	if (c->state == LCX_CONTAINER_PAUSED && is_to_thaw(c, signal))
		(void)lcx_container_unpause(c, NULL);
}

LCX_PUBLIC int lcx_container_kill(struct lcx_container *c, int32_t signal, struct lcx_error **err)
{
	int r = lcx__container_signal(c, signal, err);

	if (r == 0)
		lcx__thaw_to_end(c, signal);
	return r;
}

struct run_identity lcx__run_identify(const struct lcx_container *c)
{
	return (struct run_identity){c->run.pid.value, c->run.start_time.value};
}

bool lcx__run_is(const struct lcx_container *c, struct run_identity run)
{
	return c->run.pid.value == run.pid && c->run.start_time.value == run.start_time;
}

int lcx__run_kill_all(struct lcx_container *c, struct run_identity run, struct lcx_error **err)
{
	CLEANUP(closep) int lock_fd = -1;
	int r = lcx__container_lock(c, &lock_fd, err);

	if (r == 0)
		r = lcx__container_load_state(c, err);
	if (r < 0)
		return r;
	if (c->run.pid.value != run.pid || c->run.start_time.value != run.start_time)
		return lcx__fail(err, ESRCH, "that run of container '%s' is over",
				 lcx__container_display(c));
	if (lcx__container_open_cgroup(c, NULL) == 0 &&
	    lcx_cgroup_kill(c->cgroup, LCX__KILL_WAIT_MS, NULL) == 0)
		return 0;
	return lcx__container_signal(c, SIGKILL, err);
}

LCX_PUBLIC int lcx_container_stop(struct lcx_container *c, int32_t grace_ms, struct lcx_error **err)
{
	CLEANUP(lcx_error_freep) struct lcx_error *why = NULL;
	CLEANUP(closep) int hold_fd = -1;
	struct run_identity run;
	int r;

	if (c->state == LCX_CONTAINER_NEW)
		return 0;
	r = lcx__container_reload(c, err);
	if (r < 0)
		return r;
	if (c->state == LCX_CONTAINER_CREATED)
		return 0;
	run = lcx__run_identify(c);
	r = lcx__waited_note(c, err);
	if (r < 0)
		return r;
	/* Before it ends, so that no supervisor is faster. */
	lcx__restart_note_stop(c);
	hold_fd = lcx__keep_from_pausing(c);
	r = lcx_container_kill(c, stop_signal(c->d.stop_signal), NULL);
	if (r < 0 && r != -ESRCH)
		return lcx_container_kill(c, SIGKILL, err);
	r = lcx_container_wait(c, grace_ms, NULL, NULL);
	if (r != -ETIMEDOUT)
		return r < 0 ? lcx_container_wait(c, 0, NULL, err) : 0;
	r = lcx__run_kill_all(c, run, &why);
	if (r < 0 && r != -ESRCH) /* it may have ended just now */
		return lcx__fail(err, -r, "%s", lcx_error_message(why));
	/* Somebody has started it again: what was to be stopped was stopped. */
	if (r == -ESRCH && lcx__container_is_running(c))
		return 0;
	return lcx_container_wait(c, LCX__KILL_WAIT_MS, NULL, err);
}

LCX_PUBLIC int lcx_container_restart(struct lcx_container *c, int32_t grace_ms,
				     struct lcx_error **err)
{
	CLEANUP(lcx_error_freep) struct lcx_error *why = NULL;
	int r = lcx__container_check_created(c, err);

	if (r == 0)
		r = lcx_container_stop(c, grace_ms, err);
	if (r < 0)
		return r;
	r = lcx_container_start_detached(c, NULL, &why);
	/* Somebody else was faster: it was stopped, and it runs. */
	return r == -EALREADY ? 0 : r < 0 ? lcx__fail(err, -r, "%s", lcx_error_message(why)) : 0;
}
