/* SPDX-License-Identifier: MIT */

/*
 * Populated, frozen, killed: what differs between the versions, as two tables.
 *
 * Version 2 tells of every change in cgroup.events, which wakes up poll(2) with
 * POLLPRI; reading at offset 0 arms it again. Version 1 tells nothing: there we hold
 * a pidfd of some member and look again when that one is gone.
 */

#include "cgroup/cgroup-internal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "util/fs.h"
#include "util/process.h"
#include "util/str.h"

/* --- version 2 --- */

/* One flag of an open cgroup.events; a cgroup that is gone has neither processes nor frozen ones.
 */
static int read_flag(int fd, const char *key, bool *ret)
{
	char text[256];
	int64_t value;
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	if (n < 0 && errno == ENODEV) {
		*ret = false;
		return 0;
	}
	if (n < 0)
		return -errno;
	text[n] = '\0';
	if (lcx__keyed_value(text, key, &value) < 0)
		return -EOPNOTSUPP;
	*ret = value != 0;
	return 0;
}

static int open_events(struct lcx_cgroup *cg)
{
	int fd = openat(lcx__cgroup_tracker_fd(cg), "cgroup.events", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int wait_flag(struct lcx_cgroup *cg, const char *key, bool wanted, int64_t deadline_ns)
{
	CLEANUP(closep) int fd = open_events(cg);

	if (fd == -ENOENT || fd == -ENODEV)
		return 0;
	if (fd < 0)
		return TAKE_FD(fd);
	for (;;) {
		struct pollfd wait = {.fd = fd, .events = POLLPRI};
		bool now;
		int r = read_flag(fd, key, &now);

		if (r < 0 || now == wanted)
			return r;
		r = poll(&wait, 1, lcx__cgroup_remaining_ms(deadline_ns));
		if (r < 0 && errno != EINTR)
			return -errno;
		if (r == 0) /* the notification may be late: the file is not */
			return read_flag(fd, key, &now) == 0 && now == wanted ? 0 : -ETIMEDOUT;
	}
}

static int v2_flag(struct lcx_cgroup *cg, const char *key)
{
	CLEANUP(closep) int fd = open_events(cg);
	bool now;
	int r;

	if (fd == -ENOENT || fd == -ENODEV)
		return 0;
	r = fd < 0 ? fd : read_flag(fd, key, &now);
	return r < 0 ? r : now;
}

static int v2_is_populated(struct lcx_cgroup *cg)
{
	/* The root has no such file: it is never empty. */
	return strcmp(cg->path, "/") == 0 ? 1 : v2_flag(cg, "populated");
}

static int v2_wait_empty(struct lcx_cgroup *cg, int64_t deadline_ns)
{
	return wait_flag(cg, "populated", false, deadline_ns);
}

static int v2_set_frozen(struct lcx_cgroup *cg, bool frozen, int64_t deadline_ns)
{
	int r = lcx__write_control(lcx__cgroup_tracker_fd(cg), "cgroup.freeze", frozen ? "1" : "0");

	if (r == -ENOENT)
		return -EOPNOTSUPP; /* before 5.2 */
	if (r < 0 || deadline_ns == 0)
		return r;
	return wait_flag(cg, "frozen", frozen, deadline_ns);
}

static int v2_is_frozen(struct lcx_cgroup *cg)
{
	return v2_flag(cg, "frozen");
}

static int v2_kill(struct lcx_cgroup *cg)
{
	int r = lcx__write_control(lcx__cgroup_tracker_fd(cg), "cgroup.kill", "1");

	return r == -ENOENT ? -EOPNOTSUPP : r;
}

/* --- version 1 --- */

static int v1_pids(struct lcx_cgroup *cg, struct lcx_cgroup_pids **ret)
{
	CLEANUP(lcx_cgroup_pids_freep) struct lcx_cgroup_pids *pids = calloc(1, sizeof(*pids));
	int r;

	if (!pids)
		return -ENOMEM;
	r = lcx__cgroup_list_pids(lcx__cgroup_tracker_fd(cg), pids);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(pids);
	return 0;
}

static int v1_is_populated(struct lcx_cgroup *cg)
{
	CLEANUP(lcx_cgroup_pids_freep) struct lcx_cgroup_pids *pids = NULL;
	int r = v1_pids(cg, &pids);

	return r < 0 ? r : pids->count > 0 || pids->foreign;
}

static int v1_wait_empty(struct lcx_cgroup *cg, int64_t deadline_ns)
{
	for (;;) {
		CLEANUP(lcx_cgroup_pids_freep) struct lcx_cgroup_pids *pids = NULL;
		CLEANUP(closep) int pidfd = -1;
		struct pollfd wait = {.fd = -1, .events = POLLIN};
		int left_ms, r = v1_pids(cg, &pids);

		if (r < 0 || (pids->count == 0 && !pids->foreign))
			return r;
		left_ms = lcx__cgroup_remaining_ms(deadline_ns);
		if (left_ms == 0)
			return -ETIMEDOUT;
		if (pids->count > 0)
			pidfd = lcx__pidfd_open(pids->pids[0]);
		if (pidfd < 0 && pidfd != -ESRCH && pids->count > 0)
			return TAKE_FD(pidfd);
		wait.fd = pidfd >= 0 ? pidfd : -1;
		/* Without a pidfd (other pid namespaces) there is nothing to be told by. */
		if (poll(&wait, 1, pidfd >= 0 || left_ms < 5 ? left_ms : 5) < 0 && errno != EINTR)
			return -errno;
	}
}

/* The freezer joins when it is first needed, bringing the processes that are there. */
static int freezer_fd(struct lcx_cgroup *cg)
{
	int index = lcx__cgroup_use(cg, CONTROLLER_FREEZER, NULL);

	if (index == -ENODEV || (index >= 0 && lcx__cgroup_is_v2(cg, index)))
		return -EOPNOTSUPP;
	return index < 0 ? index : cg->dir_fd[index];
}

static int v1_state(int dir_fd, const char *wanted)
{
	CLEANUP(freep) char *text = NULL;
	int r = lcx__read_file(dir_fd, "freezer.state", 64, &text, NULL);

	if (r < 0)
		return r;
	return strncmp(text, wanted, strlen(wanted)) == 0 && text[strlen(wanted)] == '\n';
}

static int v1_set_frozen(struct lcx_cgroup *cg, bool frozen, int64_t deadline_ns)
{
	const char *state = frozen ? "FROZEN" : "THAWED";
	int dir_fd = freezer_fd(cg);

	if (dir_fd < 0)
		return dir_fd;
	for (;;) {
		int r = lcx__write_control(dir_fd, "freezer.state", state);

		if (r < 0 || deadline_ns == 0)
			return r;
		r = v1_state(dir_fd, state);
		if (r != 0)
			return r < 0 ? r : 0;
		if (lcx__cgroup_remaining_ms(deadline_ns) == 0)
			return -ETIMEDOUT;
		/* Freezing goes on only while somebody reads or writes the state; none tells. */
		(void)poll(NULL, 0, 1);
	}
}

static int v1_is_frozen(struct lcx_cgroup *cg)
{
	int index = cg->layout->controller[CONTROLLER_FREEZER];

	if (index < 0 || cg->dir_fd[index] < 0 || lcx__cgroup_is_v2(cg, index))
		return 0;
	return v1_state(cg->dir_fd[index], "FROZEN");
}

static int v1_kill(struct lcx_cgroup *cg)
{
	(void)cg;
	return -EOPNOTSUPP;
}

static const struct lcx__track_ops track_ops[2] = {
	{v1_is_populated, v1_wait_empty, v1_set_frozen, v1_is_frozen, v1_kill},
	{v2_is_populated, v2_wait_empty, v2_set_frozen, v2_is_frozen, v2_kill},
};

const struct lcx__track_ops *lcx__cgroup_track(const struct lcx_cgroup *cg)
{
	return &track_ops[lcx__cgroup_is_v2(cg, cg->tracker)];
}

/* --- the public calls --- */

static int64_t deadline_after(uint32_t timeout_ms)
{
	return lcx__monotonic_ns() + (int64_t)timeout_ms * 1000000;
}

LCX_PUBLIC int lcx_cgroup_is_populated(struct lcx_cgroup *cg, struct lcx_error **err)
{
	int r = lcx__cgroup_track(cg)->is_populated(cg);

	if (r < 0)
		return lcx__fail_sys(err, -r, "look for processes in cgroup '%s'", cg->path);
	return r;
}

LCX_PUBLIC int lcx_cgroup_is_frozen(struct lcx_cgroup *cg, struct lcx_error **err)
{
	int r = lcx__cgroup_track(cg)->is_frozen(cg);

	if (r < 0)
		return lcx__fail_sys(err, -r, "read the freezer of cgroup '%s'", cg->path);
	return r;
}

static int fail_freezer(struct lcx_cgroup *cg, int r, const char *verb, struct lcx_error **err)
{
	if (r == -EOPNOTSUPP)
		return lcx__fail(err, EOPNOTSUPP,
				 "cgroup '%s' cannot be %s: no freezer hierarchy is mounted and "
				 "cgroup.freeze needs version 2 and Linux 5.2",
				 cg->path, verb);
	if (r == -ETIMEDOUT)
		return lcx__fail(err, ETIMEDOUT,
				 "not every process of cgroup '%s' could be %s in time; one may "
				 "be waiting in the kernel: try again, or kill it",
				 cg->path, verb);
	if (r < 0)
		return lcx__fail_sys(err, -r, "cgroup '%s' cannot be %s", cg->path, verb);
	return 0;
}

LCX_PUBLIC int lcx_cgroup_freeze(struct lcx_cgroup *cg, uint32_t timeout_ms, struct lcx_error **err)
{
	const struct lcx__track_ops *ops = lcx__cgroup_track(cg);
	int r = lcx__cgroup_refuse_self(cg, "frozen", err);

	if (r < 0)
		return r;
	r = ops->set_frozen(cg, true, timeout_ms ? deadline_after(timeout_ms) : 0);
	if (r < 0 && r != -EOPNOTSUPP)
		(void)ops->set_frozen(cg, false, 0);
	return fail_freezer(cg, r, "frozen", err);
}

LCX_PUBLIC int lcx_cgroup_thaw(struct lcx_cgroup *cg, uint32_t timeout_ms, struct lcx_error **err)
{
	int64_t deadline = timeout_ms ? deadline_after(timeout_ms) : 0;

	return fail_freezer(cg, lcx__cgroup_track(cg)->set_frozen(cg, false, deadline), "thawed",
			    err);
}

/*
 * Without cgroup.kill: who is frozen cannot fork, so a signal to each reaches all; it
 * is delivered at the thaw. Without a freezer, or if it will not freeze, repetition has to do.
 */
static int kill_by_signals(struct lcx_cgroup *cg, int64_t deadline_ns)
{
	enum { PATIENCE_NS = 100 * 1000 * 1000 };
	const struct lcx__track_ops *ops = lcx__cgroup_track(cg);
	int r;

	do {
		int64_t now = lcx__monotonic_ns();

		(void)ops->set_frozen(cg, true, now + PATIENCE_NS);
		r = lcx__cgroup_signal_all(cg, SIGKILL);
		(void)ops->set_frozen(cg, false, 0);
		if (r < 0)
			return r;
		r = ops->wait_empty(cg, now + PATIENCE_NS < deadline_ns ? now + PATIENCE_NS
									: deadline_ns);
	} while (r == -ETIMEDOUT && lcx__cgroup_remaining_ms(deadline_ns) > 0);
	return r;
}

LCX_PUBLIC int lcx_cgroup_kill(struct lcx_cgroup *cg, uint32_t timeout_ms, struct lcx_error **err)
{
	const struct lcx__track_ops *ops = lcx__cgroup_track(cg);
	int64_t deadline = deadline_after(timeout_ms);
	int r;

	/* As most are when they are taken down. The first cgroup that freezes has the kernel change
	 * its own code, for which it interrupts every processor. */
	if (!lcx__cgroup_is_v2(cg, cg->tracker) &&
	    lcx__cgroup_is_deserted(lcx__cgroup_tracker_fd(cg)))
		return 0;
	r = lcx__cgroup_refuse_self(cg, "killed", err);
	if (r < 0)
		return r;
	r = ops->kill(cg);
	if (r == 0 && timeout_ms)
		r = ops->wait_empty(cg, deadline);
	else if (r == -EOPNOTSUPP)
		r = kill_by_signals(cg, deadline);
	if (r == -ETIMEDOUT && !timeout_ms)
		return 0;
	if (r == -ETIMEDOUT)
		return lcx__fail(err, ETIMEDOUT,
				 "cgroup '%s' still has processes after they were killed; one is "
				 "waiting in the kernel (for a disk, say): try again later",
				 cg->path);
	if (r < 0)
		return lcx__fail_sys(err, -r, "kill the processes of cgroup '%s'", cg->path);
	return 0;
}
