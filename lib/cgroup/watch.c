/* SPDX-License-Identifier: MIT */

/*
 * Events of one cgroup behind one epoll descriptor.
 *
 * Version 2: cgroup.events and memory.events become ready with EPOLLPRI and are
 * armed again by reading them. Version 1: an eventfd registered for
 * memory.oom_control tells that memory ran out, just before the kernel kills and
 * counts, so a timer looks again; a pidfd of one member stands for "populated".
 *
 * Changes are folded: whatever was ready, everything is read and compared, and what
 * differs is one bit for each kind. The order of the enum is the order of delivery,
 * except that memory comes first: a death by OOM is told before the emptiness.
 */

#include "cgroup/cgroup-internal.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>

#include "util/fs.h"
#include "util/process.h"
#include "util/str.h"

struct lcx_cgroup_watch {
	int epoll_fd;
	int events_fd; /* version 2: cgroup.events */
	int dir_fd;    /* version 1: the tracker's directory */
	int pidfd;     /* version 1: of one member, while there is one */
	int memory_fd; /* memory.events, or memory.oom_control */
	int oom_fd;    /* version 1: the eventfd */
	int timer_fd;  /* version 1: armed between "out of memory" and the kill */
	unsigned int ticks_left;
	bool populated, frozen;
	int64_t ooms, kills;
	uint32_t pending; /* a bit for each enum lcx_cgroup_event */
};

static void post(struct lcx_cgroup_watch *watch, enum lcx_cgroup_event event)
{
	watch->pending |= 1u << event;
}

static int add(struct lcx_cgroup_watch *watch, int fd, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.fd = fd};

	return epoll_ctl(watch->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

/* The file is dead: stop waiting for it, or it would be ready for ever. */
static void drop(struct lcx_cgroup_watch *watch, int *fd)
{
	if (*fd >= 0)
		(void)epoll_ctl(watch->epoll_fd, EPOLL_CTL_DEL, *fd, NULL);
	closep(fd);
}

/* Read from the start; an empty text when the cgroup is gone. */
static void read_again(struct lcx_cgroup_watch *watch, int *fd, char *text, size_t size)
{
	ssize_t n = pread(*fd, text, size - 1, 0);

	if (n < 0 && errno == ENODEV) {
		drop(watch, fd);
		post(watch, LCX_CGROUP_EVENT_REMOVED);
	}
	text[n > 0 ? n : 0] = '\0';
}

/* --- memory --- */

static void look_at_memory(struct lcx_cgroup_watch *watch)
{
	int64_t ooms = watch->ooms, kills = watch->kills;
	char text[1024];

	if (watch->memory_fd < 0)
		return;
	read_again(watch, &watch->memory_fd, text, sizeof(text));
	(void)lcx__keyed_value(text, "oom", &ooms);
	(void)lcx__keyed_value(text, "oom_kill", &kills);
	if (ooms > watch->ooms)
		post(watch, LCX_CGROUP_EVENT_OOM);
	if (kills > watch->kills)
		post(watch, LCX_CGROUP_EVENT_OOM_KILL);
	watch->ooms = ooms;
	watch->kills = kills;
}

static void set_timer(struct lcx_cgroup_watch *watch, long ns)
{
	struct itimerspec spec = {.it_value.tv_nsec = ns, .it_interval.tv_nsec = ns};

	(void)timerfd_settime(watch->timer_fd, 0, &spec, NULL);
}

static void look_at_oom_notice(struct lcx_cgroup_watch *watch)
{
	enum { TICK_NS = 5 * 1000 * 1000, TICKS = 200 };
	int64_t kills = watch->kills;
	uint64_t count;

	if (watch->oom_fd < 0)
		return;
	if (read(watch->timer_fd, &count, sizeof(count)) == sizeof(count) && watch->ticks_left > 0)
		watch->ticks_left--;
	if (read(watch->oom_fd, &count, sizeof(count)) == sizeof(count)) {
		post(watch, LCX_CGROUP_EVENT_OOM);
		watch->ticks_left = TICKS;
		set_timer(watch, TICK_NS);
	}
	look_at_memory(watch);
	if (watch->kills > kills || watch->ticks_left == 0 || watch->memory_fd < 0)
		set_timer(watch, 0);
	if (watch->memory_fd < 0) {
		/* The notice was of the removal, not of memory. */
		watch->pending &= ~(1u << LCX_CGROUP_EVENT_OOM);
		drop(watch, &watch->oom_fd);
	}
}

static int watch_memory_v1(struct lcx_cgroup_watch *watch, int dir_fd)
{
	char text[32];
	int r;

	watch->oom_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	watch->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (watch->oom_fd < 0 || watch->timer_fd < 0)
		return -errno;
	(void)snprintf(text, sizeof(text), "%d %d", watch->oom_fd, watch->memory_fd);
	r = lcx__write_control(dir_fd, "cgroup.event_control", text);
	if (r == 0)
		r = add(watch, watch->oom_fd, EPOLLIN);
	return r < 0 ? r : add(watch, watch->timer_fd, EPOLLIN);
}

static int watch_memory(struct lcx_cgroup_watch *watch, struct lcx_cgroup *cg)
{
	int index = cg->layout->controller[CONTROLLER_MEMORY];
	bool v2;

	if (index < 0 || cg->dir_fd[index] < 0)
		return 0;
	v2 = lcx__cgroup_is_v2(cg, index);
	watch->memory_fd = openat(cg->dir_fd[index], v2 ? "memory.events" : "memory.oom_control",
				  O_RDONLY | O_CLOEXEC);
	if (watch->memory_fd < 0)
		return errno == ENOENT ? 0 : -errno; /* the controller is not enabled */
	look_at_memory(watch);
	return v2 ? add(watch, watch->memory_fd, EPOLLPRI)
		  : watch_memory_v1(watch, cg->dir_fd[index]);
}

/* --- processes --- */

static void set_populated(struct lcx_cgroup_watch *watch, bool populated)
{
	if (populated != watch->populated)
		post(watch, populated ? LCX_CGROUP_EVENT_POPULATED : LCX_CGROUP_EVENT_EMPTY);
	watch->populated = populated;
}

static void look_at_events(struct lcx_cgroup_watch *watch)
{
	int64_t populated = watch->populated, frozen = watch->frozen;
	char text[256];

	if (watch->events_fd < 0)
		return;
	read_again(watch, &watch->events_fd, text, sizeof(text));
	if (watch->events_fd < 0)
		populated = 0; /* only an empty one can be removed */
	(void)lcx__keyed_value(text, "populated", &populated);
	(void)lcx__keyed_value(text, "frozen", &frozen);
	set_populated(watch, populated != 0);
	if (watch->frozen != (frozen != 0))
		post(watch, frozen ? LCX_CGROUP_EVENT_FROZEN : LCX_CGROUP_EVENT_THAWED);
	watch->frozen = frozen != 0;
}

/* A zombie still takes signals, but its pidfd is readable. */
static bool is_alive(int pidfd)
{
	struct pollfd now = {.fd = pidfd, .events = POLLIN};

	return pidfd >= 0 && poll(&now, 1, 0) == 0;
}

/* Hold on to a member that lives; when it is gone, to another. */
static void look_at_members(struct lcx_cgroup_watch *watch)
{
	if (watch->dir_fd < 0)
		return;
	if (is_alive(watch->pidfd))
		return;
	drop(watch, &watch->pidfd);
	for (int tries = 0; tries < 16 && watch->pidfd < 0; tries++) {
		CLEANUP(lcx_cgroup_pids_freep) struct lcx_cgroup_pids *pids = NULL;

		pids = calloc(1, sizeof(*pids));
		if (!pids || lcx__cgroup_list_pids(watch->dir_fd, pids) < 0)
			return;
		set_populated(watch, pids->count > 0 || pids->foreign);
		if (pids->count == 0)
			return;
		watch->pidfd = lcx__pidfd_open(pids->pids[0]);
		if (watch->pidfd >= 0)
			(void)add(watch, watch->pidfd, EPOLLIN);
	}
}

static int watch_processes(struct lcx_cgroup_watch *watch, struct lcx_cgroup *cg)
{
	if (!lcx__cgroup_is_v2(cg, cg->tracker)) {
		watch->dir_fd = fcntl(lcx__cgroup_tracker_fd(cg), F_DUPFD_CLOEXEC, 3);
		if (watch->dir_fd < 0)
			return -errno;
		look_at_members(watch);
		return 0;
	}
	watch->events_fd =
		openat(lcx__cgroup_tracker_fd(cg), "cgroup.events", O_RDONLY | O_CLOEXEC);
	if (watch->events_fd < 0)
		return errno == ENOENT ? 0 : -errno; /* the root has none */
	look_at_events(watch);
	return add(watch, watch->events_fd, EPOLLPRI);
}

/* --- the public calls --- */

LCX_PUBLIC struct lcx_cgroup_watch *lcx_cgroup_watch_free(struct lcx_cgroup_watch *watch)
{
	if (!watch)
		return NULL;
	closep(&watch->events_fd);
	closep(&watch->dir_fd);
	closep(&watch->pidfd);
	closep(&watch->memory_fd);
	closep(&watch->oom_fd);
	closep(&watch->timer_fd);
	closep(&watch->epoll_fd);
	free(watch);
	return NULL;
}

LCX_PUBLIC int lcx_cgroup_watch_new(struct lcx_cgroup *cg, struct lcx_cgroup_watch **ret,
				    struct lcx_error **err)
{
	CLEANUP(lcx_cgroup_watch_freep) struct lcx_cgroup_watch *watch = NULL;
	int r;

	watch = malloc(sizeof(*watch));
	if (!watch)
		return lcx__fail_nomem(err);
	*watch = (struct lcx_cgroup_watch){.epoll_fd = epoll_create1(EPOLL_CLOEXEC),
					   .events_fd = -1,
					   .dir_fd = -1,
					   .pidfd = -1,
					   .memory_fd = -1,
					   .oom_fd = -1,
					   .timer_fd = -1};
	if (watch->epoll_fd < 0)
		return lcx__fail_sys(err, errno, "make an epoll descriptor");
	r = watch_processes(watch, cg);
	if (r == 0)
		r = watch_memory(watch, cg);
	if (r < 0)
		return lcx__fail_sys(err, -r, "watch cgroup '%s'", cg->path);
	watch->pending = 0; /* what was before is no event */
	*ret = TAKE_PTR(watch);
	return 0;
}

LCX_PUBLIC int lcx_cgroup_watch_fd(const struct lcx_cgroup_watch *watch)
{
	return watch->epoll_fd;
}

static enum lcx_cgroup_event take(struct lcx_cgroup_watch *watch)
{
	static const enum lcx_cgroup_event order[] = {
		LCX_CGROUP_EVENT_OOM,     LCX_CGROUP_EVENT_OOM_KILL,  LCX_CGROUP_EVENT_FROZEN,
		LCX_CGROUP_EVENT_THAWED,  LCX_CGROUP_EVENT_POPULATED, LCX_CGROUP_EVENT_EMPTY,
		LCX_CGROUP_EVENT_REMOVED,
	};

	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		if (!(watch->pending & 1u << order[i]))
			continue;
		watch->pending &= ~(1u << order[i]);
		return order[i];
	}
	return LCX_CGROUP_EVENT_NONE;
}

LCX_PUBLIC int lcx_cgroup_watch_next(struct lcx_cgroup_watch *watch)
{
	if (!watch->pending) {
		look_at_oom_notice(watch);
		look_at_memory(watch);
		look_at_events(watch);
		look_at_members(watch);
		/* The last process may have been killed between the two readings. */
		if (watch->pending & 1u << LCX_CGROUP_EVENT_EMPTY)
			look_at_memory(watch);
	}
	return (int)take(watch);
}

LCX_PUBLIC int64_t lcx_cgroup_oom_kills(struct lcx_cgroup *cg)
{
	int index = cg->layout->controller[CONTROLLER_MEMORY];
	CLEANUP(freep) char *text = NULL;
	int64_t kills;
	int r;

	if (index < 0 || cg->dir_fd[index] < 0)
		return -ENODATA;
	r = lcx__read_file(cg->dir_fd[index],
			   lcx__cgroup_is_v2(cg, index) ? "memory.events" : "memory.oom_control",
			   4096, &text, NULL);
	if (r == 0)
		r = lcx__keyed_value(text, "oom_kill", &kills);
	return r == -ENOENT ? -ENODATA : r < 0 ? r : kills;
}

LCX_PUBLIC int lcx_cgroup_pressure_fd(struct lcx_cgroup *cg, int32_t resource, int32_t full,
				      uint32_t stall_us, uint32_t window_us, struct lcx_error **err)
{
	static const char *const files[] = {
		[LCX_CGROUP_PRESSURE_CPU] = "cpu.pressure",
		[LCX_CGROUP_PRESSURE_MEMORY] = "memory.pressure",
		[LCX_CGROUP_PRESSURE_IO] = "io.pressure",
	};
	CLEANUP(closep) int fd = -1;
	char text[64];
	int r;

	if (resource < 0 || (size_t)resource >= ARRAY_SIZE(files))
		return lcx__fail(err, EINVAL, "%d is not a resource with pressure", resource);
	if (lcx__cgroup_into_fd(cg) < 0)
		return lcx__fail(err, EOPNOTSUPP, "pressure needs cgroup version 2 or hybrid");
	fd = openat(lcx__cgroup_into_fd(cg), files[resource], O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return lcx__fail(err, EOPNOTSUPP,
				 "this kernel measures no pressure; boot it with psi=1");
	if (fd < 0)
		return lcx__fail_sys(err, errno, "cgroup '%s': open %s", cg->path, files[resource]);
	(void)snprintf(text, sizeof(text), "%s %" PRIu32 " %" PRIu32, full ? "full" : "some",
		       stall_us, window_us);
	/* The kernel wants the final NUL, too. */
	r = write(fd, text, strlen(text) + 1) < 0 ? -errno : 0;
	if (r == -EINVAL)
		return lcx__fail(err, EINVAL,
				 "cgroup '%s': the trigger '%s' is refused: the window must be "
				 "500000 to 10000000 us and no shorter than the stall, and without "
				 "CAP_SYS_RESOURCE a multiple of 2000000",
				 cg->path, text);
	if (r < 0)
		return lcx__fail_sys(err, -r, "cgroup '%s': set the trigger '%s' in %s", cg->path,
				     text, files[resource]);
	return TAKE_FD(fd);
}
