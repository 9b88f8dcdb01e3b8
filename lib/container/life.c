/* SPDX-License-Identifier: MIT */
#include "container/container-internal.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "container/event.h"
#include "container/restart.h"
#include "util/fs.h"
#include "util/sys.h"

/*
 * What happens to a container that exists, from any process. Who owns the
 * container's process (a program, or the monitor) also sees it end; everybody
 * else waits for the owner to write down how, or to die.
 */

enum { FREEZE_TIMEOUT_MS = 10000, KILL_WAIT_MS = 10000 };

/* ---- locks and state ---------------------------------------------------- */

int lcx__container_lock(struct lcx_container *c, int *ret_fd, struct lcx_error **err)
{
	CLEANUP(closep) int fd = -1;
	struct stat st;

	/* Made by creation: whoever made it here could do so in a directory that is being removed.
	 */
	fd = openat(c->dir_fd, "lock", O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno == ENOENT)
		return lcx__fail(err, ENOENT, "container '%s' was removed",
				 lcx__container_display(c));
	if (fd < 0)
		return lcx__fail_sys(err, errno, "lock container '%s'", lcx__container_display(c));
	while (flock(fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return lcx__fail_sys(err, errno, "lock container '%s'",
					     lcx__container_display(c));
	/* Whoever held it before may have removed the container. */
	if (fstat(fd, &st) < 0 || st.st_nlink == 0)
		return lcx__fail(err, ENOENT, "container '%s' was removed",
				 lcx__container_display(c));
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int lcx__container_is_owned(struct lcx_container *c, int *ret_owner_fd, struct lcx_error **err)
{
	CLEANUP(closep) int fd = -1;

	if (c->run_fd < 0)
		return 0;
	fd = openat(c->run_fd, "owner", O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? 0
				       : lcx__fail_sys(err, errno, "look for the owner of '%s'",
						       lcx__container_display(c));
	if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
		*ret_owner_fd = TAKE_FD(fd);
		return 0;
	}
	return errno == EWOULDBLOCK ? 1
				    : lcx__fail_sys(err, errno, "look for the owner of '%s'",
						    lcx__container_display(c));
}

static void load_times(struct lcx_container *c)
{
	CLEANUP(freep) char *started = NULL, *ended = NULL;
	long long ns;
	int status;

	c->started_ns = c->finished_ns = 0;
	c->exit_status = LCX_EXIT_UNKNOWN;
	if (lcx__read_file(c->dir_fd, "started", 256, &started, NULL) == 0 &&
	    sscanf(started, "%lld", &ns) == 1)
		c->started_ns = ns;
	if (lcx__read_file(c->dir_fd, "exit", 256, &ended, NULL) == 0 &&
	    sscanf(ended, "%d %lld", &status, &ns) == 2) {
		c->exit_status = status;
		c->finished_ns = ns;
	}
	c->oom_killed = faccessat(c->dir_fd, "oom", F_OK, 0) == 0;
}

/*
 * "Not running" would be a licence to take it down, so that only what was really found out counts:
 * no record, or one that makes no sense; and no such process. All else, as a shortage of the
 * machine's or a disk that failed to answer, says nothing about the container.
 */
static bool is_no_record(int r)
{
	return r == -ENOENT || r == -EINVAL || r == -EBADMSG || r == -EUCLEAN;
}

/* Return: 0, also if it is not there. */
static int open_run_directory(struct lcx_container *c)
{
	CLEANUP(closep) int runs_fd = lcx__open_dir(c->ctx->run_fd, "containers");
	int fd = runs_fd < 0 ? runs_fd : lcx__open_dir(runs_fd, c->d.id);

	closep(&c->run_fd);
	c->run_fd = fd < 0 ? -1 : fd;
	return fd < 0 && fd != -ENOENT ? fd : 0;
}

/* Running is: a process that still is the one that was started, and no word that it ended. */
int lcx__container_load_state(struct lcx_container *c, struct lcx_error **err)
{
	CLEANUP(closep) int pidfd = -ESRCH;
	int64_t pid = c->run.pid.value;
	int r;

	load_times(c);
	lcx__run_state_clear(&c->run);
	r = open_run_directory(c);
	if (r == 0 && c->run_fd >= 0) {
		r = lcx__run_state_load(c->run_fd, &c->run, NULL);
		if (r < 0)
			lcx__run_state_clear(&c->run);
		r = is_no_record(r) ? 0 : r;
	}
	if (r == 0)
		pidfd = lcx__open_process(c->run.pid.value, c->run.start_time.value);
	if (r < 0 || (pidfd < 0 && pidfd != -ESRCH))
		return lcx__fail_sys(err, r < 0 ? -r : -pidfd, "read the state of container '%s'",
				     lcx__container_display(c));
	if (c->run.pid.value != pid) /* another run, perhaps by another process: another cgroup */
		c->cgroup = lcx_cgroup_free(c->cgroup);
	if (pidfd >= 0 && c->finished_ns == 0)
		c->state = c->run.paused.value ? LCX_CONTAINER_PAUSED : LCX_CONTAINER_RUNNING;
	else
		c->state = c->started_ns ? LCX_CONTAINER_STOPPED : LCX_CONTAINER_CREATED;
	return 0;
}

int lcx__container_reload(struct lcx_container *c, struct lcx_error **err)
{
	struct description d;
	int r = lcx__description_load(c->dir_fd, &d, err);

	if (r == 0 && (!d.id || strcmp(d.id, c->d.id) != 0))
		r = lcx__fail(err, EUCLEAN, "container '%.12s' is described as another one",
			      c->d.id);
	if (r < 0) {
		lcx__description_clear(&d);
		return r;
	}
	lcx__description_clear(&c->d);
	c->d = d;
	free(TAKE_PTR(c->command_text));
	return lcx__container_load_state(c, err);
}

LCX_PUBLIC int lcx_container_refresh(struct lcx_container *c, struct lcx_error **err)
{
	if (c->state == LCX_CONTAINER_NEW)
		return 0;
	return lcx__container_reload(c, err);
}

/* ---- waiting ------------------------------------------------------------ */

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

	if (r < 0)
		return r;
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
	return faccessat(c->dir_fd, "exit", F_OK, 0) == 0;
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
	if (owner < 0 || has_exit(c))
		return 0;
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

static int wait_foreign(struct lcx_container *c, int32_t timeout_ms, struct lcx_error **err)
{
	int64_t deadline = deadline_after(timeout_ms);
	int r = lcx__container_load_state(c, err);

	while (r == 0) {
		/* An owner that wrote the exit also takes down; a monitor only ends. */
		if (c->state == LCX_CONTAINER_CREATED)
			return lcx__fail(err, ESRCH, "container '%s' was never started",
					 lcx__container_display(c));
		if (c->state == LCX_CONTAINER_STOPPED) {
			CLEANUP(lcx_error_freep) struct lcx_error *why = NULL;

			r = finish_abandoned(c, &why);
			if (r == -ENOENT || r == 1)
				return 0;
			if (r < 0)
				return lcx__fail(err, -r, "%s", lcx_error_message(why));
			r = wait_for_owner(c, deadline, err);
			if (r != 0)
				return r < 0 ? r : 0;
		} else {
			r = wait_for_news(c, deadline, err);
		}
		if (r == 0)
			r = lcx__container_load_state(c, err);
	}
	return r;
}

LCX_PUBLIC int lcx_container_wait(struct lcx_container *c, int32_t timeout_ms, int32_t *ret_status,
				  struct lcx_error **err)
{
	int r;

	if (c->state == LCX_CONTAINER_NEW)
		return lcx__fail(err, ESRCH, "container '%s' was never created",
				 lcx__container_display(c));
	r = c->process ? wait_own(c, timeout_ms, err) : wait_foreign(c, timeout_ms, err);
	if (r == 0 && ret_status)
		*ret_status = c->exit_status;
	return r;
}

/* ---- signals ------------------------------------------------------------ */

int lcx__container_open_running(struct lcx_container *c, struct lcx_error **err)
{
	int pidfd, r = c->state == LCX_CONTAINER_NEW ? 0 : lcx__container_load_state(c, err);

	if (r < 0)
		return r;
	pidfd = lcx__open_process(c->run.pid.value, c->run.start_time.value);
	if (pidfd < 0 && pidfd != -ESRCH)
		return lcx__fail_sys(err, -pidfd, "look for the process of container '%s'",
				     lcx__container_display(c));
	if (pidfd < 0 || c->finished_ns) {
		closep(&pidfd);
		return lcx__fail(err, ESRCH, "container '%s' is not running",
				 lcx__container_display(c));
	}
	return pidfd;
}

static int stop_signal(const char *text);

LCX_PUBLIC int lcx_container_kill(struct lcx_container *c, int32_t signal, struct lcx_error **err)
{
	CLEANUP(closep) int pidfd = lcx__container_open_running(c, err);
	int r;

	if (pidfd < 0)
		return pidfd;
	if (signal == SIGKILL || signal == stop_signal(c->d.stop_signal))
		lcx__restart_note_stop(c);
	r = sys_pidfd_send_signal(pidfd, signal);
	return r < 0 ? lcx__fail_sys(err, -r, "send signal %d to container '%s'", signal,
				     lcx__container_display(c))
		     : 0;
}

static const struct {
	const char *name;
	int number;
} signals[] = {
	{"HUP", SIGHUP},   {"INT", SIGINT},     {"QUIT", SIGQUIT}, {"KILL", SIGKILL},
	{"USR1", SIGUSR1}, {"USR2", SIGUSR2},   {"TERM", SIGTERM}, {"CONT", SIGCONT},
	{"STOP", SIGSTOP}, {"WINCH", SIGWINCH}, {"PWR", SIGPWR},   {"ABRT", SIGABRT},
	{"ALRM", SIGALRM}, {"PIPE", SIGPIPE},   {"TSTP", SIGTSTP}, {"TTIN", SIGTTIN},
	{"TTOU", SIGTTOU}, {"CHLD", SIGCHLD},
};

/* "SIGQUIT", "QUIT", "3", "SIGRTMIN+3"; an image may say anything: then SIGTERM. */
static int stop_signal(const char *text)
{
	uint64_t number;

	if (!text || !text[0])
		return SIGTERM;
	if (lcx__parse_u64(text, 64, &number) == 0)
		return number ? (int)number : SIGTERM;
	if (strncmp(text, "SIG", 3) == 0)
		text += 3;
	if (strncmp(text, "RTMIN+", 6) == 0 && lcx__parse_u64(text + 6, 30, &number) == 0)
		return SIGRTMIN + (int)number;
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		if (strcmp(signals[i].name, text) == 0)
			return signals[i].number;
	return SIGTERM;
}

/* One run of a container among others. */
struct run_identity {
	int64_t pid, start_time;
};

static struct run_identity identify(const struct lcx_container *c)
{
	return (struct run_identity){c->run.pid.value, c->run.start_time.value};
}

/*
 * All processes of this run, and of no later one, whose cgroup has the same name: whoever
 * starts it again holds the lock meanwhile. -ESRCH if the run is over.
 */
static int kill_all(struct lcx_container *c, struct run_identity run, struct lcx_error **err)
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
	    lcx_cgroup_kill(c->cgroup, KILL_WAIT_MS, NULL) == 0)
		return 0;
	return lcx_container_kill(c, SIGKILL, err);
}

LCX_PUBLIC int lcx_container_stop(struct lcx_container *c, int32_t grace_ms, struct lcx_error **err)
{
	CLEANUP(lcx_error_freep) struct lcx_error *why = NULL;
	struct run_identity run;
	int r;

	if (c->state == LCX_CONTAINER_NEW)
		return 0;
	r = lcx__container_reload(c, err);
	if (r < 0)
		return r;
	if (c->state == LCX_CONTAINER_CREATED)
		return 0;
	run = identify(c);
	/* Before it ends, so that no supervisor is faster. */
	lcx__restart_note_stop(c);
	if (c->state == LCX_CONTAINER_PAUSED)
		(void)lcx_container_unpause(c, NULL);
	r = lcx_container_kill(c, stop_signal(c->d.stop_signal), NULL);
	if (r < 0 && r != -ESRCH)
		return lcx_container_kill(c, SIGKILL, err);
	r = lcx_container_wait(c, grace_ms, NULL, NULL);
	if (r != -ETIMEDOUT)
		return r < 0 ? lcx_container_wait(c, 0, NULL, err) : 0;
	r = kill_all(c, run, &why);
	if (r < 0 && r != -ESRCH) /* it may have ended just now */
		return lcx__fail(err, -r, "%s", lcx_error_message(why));
	/* Somebody has started it again: what was to be stopped was stopped. */
	if (r == -ESRCH && lcx__container_is_running(c))
		return 0;
	return lcx_container_wait(c, KILL_WAIT_MS, NULL, err);
}

LCX_PUBLIC int lcx_container_restart(struct lcx_container *c, int32_t grace_ms,
				     struct lcx_error **err)
{
	CLEANUP(lcx_error_freep) struct lcx_error *why = NULL;
	int r;

	if (c->state == LCX_CONTAINER_NEW)
		return lcx__fail(err, ESRCH, "container '%s' was never created",
				 lcx__container_display(c));
	r = lcx_container_stop(c, grace_ms, err);
	if (r < 0)
		return r;
	r = lcx_container_start_detached(c, NULL, &why);
	/* Somebody else was faster: it was stopped, and it runs. */
	return r == -EALREADY ? 0 : r < 0 ? lcx__fail(err, -r, "%s", lcx_error_message(why)) : 0;
}

/* ---- freezing ----------------------------------------------------------- */

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

/* ---- the end ------------------------------------------------------------ */

static int end_by_force(struct lcx_container *c, struct lcx_error **err)
{
	struct run_identity run = identify(c);
	int r = kill_all(c, run, NULL);

	if (r < 0 && r != -ESRCH)
		return kill_all(c, run, err);
	r = lcx_container_wait(c, KILL_WAIT_MS, NULL, err);
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
		r = lcx__container_is_running(c) ? end_by_force(c, NULL)
						 : lcx_container_wait(c, KILL_WAIT_MS, NULL, NULL);
		late = force && r == -ETIMEDOUT;
	}
	return lcx__fail(err, EBUSY, "container '%s' does not end, or its owner does not finish it",
			 lcx__container_display(c));
}

LCX_PUBLIC int lcx_container_remove(struct lcx_container *c, int32_t force, struct lcx_error **err)
{
	CLEANUP(lcx_error_freep) struct lcx_error *why = NULL;
	CLEANUP(closep) int lock_fd = -1;
	int r, torn_down;

	if (c->state == LCX_CONTAINER_NEW)
		return 0;
	r = lock_ended(c, force != 0, &lock_fd, &why);
	if (r == -ENOENT)
		return 0; /* it removed itself when it ended */
	if (r < 0)
		return lcx__fail(err, -r, "%s", lcx_error_message(why));
	torn_down = lcx__container_teardown(c, err);
	r = lcx__container_delete(c, err);
	return torn_down < 0 ? torn_down : r;
}

LCX_PUBLIC struct lcx_process *lcx_container_process(struct lcx_container *c)
{
	return c->process;
}
