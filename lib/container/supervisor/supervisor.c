/* SPDX-License-Identifier: MIT */
#include "container/container-internal.h"

#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/timerfd.h>

#include "container/event.h"
#include "container/supervisor/health.h"
#include "container/supervisor/restart.h"
#include "init/attach.h"
#include "lcx/supervisor.h"
#include "util/fs.h"
#include "util/process.h"

DEFINE_CLEANUP(struct lcx_supervisor *, lcx_supervisor_free)

/*
 * Theory of operation. The stream of events tells which container to look at, and the end of a
 * monitor, by its pidfd, that one has ended, in whatever way: a monitor that was killed tells
 * nothing. To look is always the same: read from disk what is so now, finish what nobody finished,
 * and decide when to start it. What an event said is never relied on, so that one too many, too
 * late, or lost in a crash does no harm.
 */

enum { AGAIN_MS = 20, FOLLOWED_MAX = 64 };

struct entry {
	char id[LCX__ID_SIZE];
	int owner_fd;                 /* of the monitor, while it is watched; -1 */
	int64_t due_ns;               /* when to look again; 0: when something happens */
	bool to_start;                /* and start it then */
	uint32_t pause_ms;            /* the last one */
	int64_t last_run;             /* that was decided about */
	struct lcx__checker *checker; /* of its health, while it runs */
};

struct lcx_supervisor {
	struct lcx_ctx *ctx; /* borrowed */
	int lock_fd, epoll_fd, timer_fd;
	struct lcx_log_reader *reader;
	struct entry *entries;
	size_t n_entries;
};

/* ---- entries ------------------------------------------------------------ */

static struct entry *find(struct lcx_supervisor *s, const char *id)
{
	for (size_t i = 0; i < s->n_entries; i++)
		if (strcmp(s->entries[i].id, id) == 0)
			return &s->entries[i];
	return NULL;
}

static int add(struct lcx_supervisor *s, const char *id)
{
	struct entry *bigger;

	if (strlen(id) != LCX__ID_SIZE - 1 || find(s, id))
		return 0;
	bigger = realloc(s->entries, (s->n_entries + 1) * sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	s->entries = bigger;
	bigger[s->n_entries] = (struct entry){.owner_fd = -1, .due_ns = 1};
	memcpy(bigger[s->n_entries++].id, id, LCX__ID_SIZE);
	return 0;
}

static void unwatch(struct lcx_supervisor *s, struct entry *entry)
{
	if (entry->owner_fd >= 0)
		(void)epoll_ctl(s->epoll_fd, EPOLL_CTL_DEL, entry->owner_fd, NULL);
	closep(&entry->owner_fd);
}

static void drop(struct lcx_supervisor *s, struct entry *entry)
{
	unwatch(s, entry);
	entry->checker = lcx__checker_free(entry->checker);
	*entry = s->entries[--s->n_entries];
}

/* ---- looking at one ----------------------------------------------------- */

static int watch_owner(struct lcx_supervisor *s, struct entry *entry, const struct lcx_container *c)
{
	struct epoll_event event = {.events = EPOLLIN};

	unwatch(s, entry);
	entry->owner_fd = lcx__open_process(c->run.owner_pid.value, c->run.owner_start_time.value);
	if (entry->owner_fd < 0) {
		int r = entry->owner_fd;

		entry->owner_fd = -1;
		return r;
	}
	event.data.fd = entry->owner_fd;
	return epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, entry->owner_fd, &event) < 0 ? -errno : 0;
}

static void plan(struct entry *entry, uint32_t ms, bool to_start)
{
	entry->due_ns = lcx__monotonic_ns() + (int64_t)ms * 1000000;
	entry->to_start = to_start;
}

/* It has ended, and nobody is at it any more. */
static void decide(struct entry *entry, const struct lcx_container *c)
{
	/* A long run is an excuse once, and not for all the starts that fail after it. */
	bool is_new = c->last_run != entry->last_run;

	entry->last_run = c->last_run;
	entry->due_ns = 0;
	if (!lcx__restart_is_wanted(c))
		return;
	entry->pause_ms = lcx__restart_pause_ms(
		entry->pause_ms, is_new && c->finished_ns ? c->finished_ns - c->started_ns : 0);
	plan(entry, entry->pause_ms, true);
}

static bool is_looked_after(const struct lcx_container *c)
{
	return c->d.auto_remove.value || lcx_container_has_health_check(c) ||
	       lcx__restart_may_be_wanted(c);
}

/* The monitor tells of a start before its starter has written it down, which it does locked. */
static bool is_being_started(const struct lcx_container *c)
{
	CLEANUP(closep) int fd = lcx__container_lock_dir(c->dir_fd, LOCK_SH | LOCK_NB);

	return fd == -EWOULDBLOCK;
}

/* A program that owns it, and serves nobody who attaches, checks its health in its own loop. */
static int watch_health(struct lcx_supervisor *s, struct entry *entry,
			const struct lcx_container *c, struct lcx_error **err)
{
	if (entry->checker || !lcx_container_has_health_check(c) ||
	    faccessat(c->run_fd, ATTACH_SOCKET, F_OK, 0) < 0)
		return 0;
	return lcx__checker_new(s->ctx, entry->id, s->epoll_fd, &entry->checker, err);
}

/* Return: 0 to keep the entry, 1 to drop it, a negative errno to keep it and report. */
static int look(struct lcx_supervisor *s, struct entry *entry, struct lcx_error **err)
{
	CLEANUP(lcx_container_freep) struct lcx_container *c = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *why = NULL;
	int r = lcx__container_open_id(s->ctx, entry->id, &c, &why);

	entry->due_ns = 0;
	if (r == -ENOENT || (r == 0 && !is_looked_after(c)))
		return 1;
	if (r < 0) {
		plan(entry, 1000, false);
		return lcx__fail(err, -r, "%s", lcx_error_message(why));
	}
	if (lcx__container_is_running(c)) {
		r = watch_owner(s, entry, c);
		if (r == 0)
			return watch_health(s, entry, c, err);
		if (r != -ESRCH) {
			plan(entry, 1000, false);
			return lcx__fail_sys(err, -r, "watch the owner of container '%s'",
					     lcx__container_display(c));
		}
	}
	if (c->state == LCX_CONTAINER_CREATED) {
		if (is_being_started(c))
			plan(entry, AGAIN_MS, false);
		return 0;
	}
	unwatch(s, entry);
	entry->checker = lcx__checker_free(entry->checker);
	r = lcx_container_wait(c, 0, NULL, &why);
	if (r == -ETIMEDOUT) { /* the monitor is about to end */
		plan(entry, AGAIN_MS, false);
		return 0;
	}
	if (r < 0 && r != -ENOENT) {
		plan(entry, 1000, false);
		return lcx__fail(err, -r, "%s", lcx_error_message(why));
	}
	if (r == -ENOENT || !lcx__may_exist(s->ctx->root_fd, "containers", entry->id))
		return 1; /* it was to be removed at its end */
	decide(entry, c);
	return 0;
}

static int start(struct lcx_supervisor *s, struct entry *entry, struct lcx_error **err)
{
	CLEANUP(lcx_container_freep) struct lcx_container *c = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *why = NULL;
	int r = lcx__container_open_id(s->ctx, entry->id, &c, &why);

	entry->to_start = false;
	if (r == 0)
		r = lcx__container_start_again(c, &why);
	/* Somebody else stopped it, started it, or is at it: what is so now tells the next look. */
	if (r == 0 || r == -ENOENT || r == -EALREADY || r == -ECANCELED || r == -EBUSY) {
		plan(entry, r == -EBUSY ? AGAIN_MS : 0, false);
		return 0;
	}
	if (c)
		decide(entry, c);
	else
		plan(entry, 1000, false);
	return lcx__fail(err, -r, "start container '%.12s' again: %s", entry->id,
			 lcx_error_message(why));
}

/* ---- what is due -------------------------------------------------------- */

static int read_events(struct lcx_supervisor *s, struct lcx_error **err)
{
	int r;

	while ((r = lcx_log_reader_next(s->reader, err)) > 0) {
		struct lcx_event event;

		if (lcx__event_parse(s->reader, &event) < 0)
			continue;
		if (add(s, event.id) == 0 && find(s, event.id) && !find(s, event.id)->to_start)
			find(s, event.id)->due_ns = 1;
		lcx__event_clear(&event);
	}
	return r;
}

static void read_timer(const struct lcx_supervisor *s)
{
	uint64_t times;

	(void)!read(s->timer_fd, &times, sizeof(times));
}

/* Monitors that have ended. */
static void take_ended(struct lcx_supervisor *s)
{
	struct epoll_event events[FOLLOWED_MAX];
	int n = epoll_wait(s->epoll_fd, events, FOLLOWED_MAX, 0);

	for (int i = 0; i < n; i++)
		for (size_t k = 0; k < s->n_entries; k++)
			if (s->entries[k].owner_fd >= 0 &&
			    s->entries[k].owner_fd == events[i].data.fd)
				s->entries[k].due_ns = 1;
}

static void check_health(struct lcx_supervisor *s)
{
	for (size_t i = 0; i < s->n_entries; i++) {
		struct entry *entry = &s->entries[i];

		if (entry->checker && lcx__checker_dispatch(entry->checker) == 0)
			entry->checker = lcx__checker_free(entry->checker);
	}
}

static void set_timer(const struct lcx_supervisor *s)
{
	struct itimerspec next = {0};
	int64_t first = INT64_MAX;

	for (size_t i = 0; i < s->n_entries; i++) {
		const struct entry *entry = &s->entries[i];

		if (entry->due_ns && entry->due_ns < first)
			first = entry->due_ns;
		if (entry->checker && lcx__checker_due_ns(entry->checker) < first)
			first = lcx__checker_due_ns(entry->checker);
	}
	if (first != INT64_MAX)
		next.it_value = (struct timespec){first / 1000000000, first % 1000000000};
	(void)timerfd_settime(s->timer_fd, TFD_TIMER_ABSTIME, &next, NULL);
}

static int do_what_is_due(struct lcx_supervisor *s, struct lcx_error **err)
{
	int first = 0;

	for (size_t i = s->n_entries; i > 0; i--) { /* backwards: drop() moves the last one */
		CLEANUP(lcx_error_freep) struct lcx_error *why = NULL;
		struct entry *entry = &s->entries[i - 1];
		int r;

		if (!entry->due_ns || entry->due_ns > lcx__monotonic_ns())
			continue;
		r = entry->to_start ? start(s, entry, &why) : look(s, entry, &why);
		if (r == 1)
			drop(s, entry);
		if (r < 0 && first == 0)
			first = lcx__fail(err, -r, "%s", lcx_error_message(why));
	}
	return first;
}

LCX_PUBLIC int lcx_supervisor_dispatch(struct lcx_supervisor *s, struct lcx_error **err)
{
	int r, done;

	read_timer(s);
	take_ended(s);
	r = read_events(s, err);
	done = do_what_is_due(s, r < 0 ? NULL : err);
	check_health(s);
	set_timer(s);
	return r < 0 ? r : done;
}

/* ---- the handle --------------------------------------------------------- */

static int take_lock(struct lcx_supervisor *s, struct lcx_error **err)
{
	s->lock_fd = openat(s->ctx->run_fd, "supervisor", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
			    0600);
	if (s->lock_fd < 0)
		return lcx__fail_sys(err, errno, "open the supervisor's lock");
	if (flock(s->lock_fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno != EWOULDBLOCK)
		return lcx__fail_sys(err, errno, "take the supervisor's lock");
	return lcx__fail(err, EBUSY, "another process supervises the containers of '%s'",
			 s->ctx->root_dir);
}

static int open_fds(struct lcx_supervisor *s, struct lcx_error **err)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = -1};
	int r;

	s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	s->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (s->epoll_fd < 0 || s->timer_fd < 0)
		return lcx__fail_sys(err, errno, "make a timer");
	r = lcx__event_reader(s->ctx, INT64_MIN, &s->reader, err);
	if (r < 0)
		return r;
	if (epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, s->timer_fd, &event) < 0 ||
	    epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, lcx_log_reader_fd(s->reader), &event) < 0)
		return lcx__fail_sys(err, errno, "watch the events");
	return 0;
}

static int add_all(struct lcx_supervisor *s, struct lcx_error **err)
{
	CLEANUP(lcx_container_list_freep) struct lcx_container_list *list = NULL;
	int r = lcx_container_list_new(s->ctx, &list, err);

	for (uint32_t i = 0; r == 0 && i < lcx_container_list_count(list); i++)
		if (add(s, lcx_container_list_id(list, i)) < 0)
			r = lcx__fail_nomem(err);
	return r;
}

LCX_PUBLIC int lcx_supervisor_new(struct lcx_ctx *ctx, struct lcx_supervisor **ret,
				  struct lcx_error **err)
{
	CLEANUP(lcx_supervisor_freep) struct lcx_supervisor *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return lcx__fail_nomem(err);
	s->ctx = ctx;
	s->lock_fd = s->epoll_fd = s->timer_fd = -1;
	r = take_lock(s, err);
	if (r == 0)
		r = open_fds(s, err);
	if (r == 0)
		r = add_all(s, err);
	if (r < 0)
		return r;
	/* Now, so that the count is that of those it looks after. A failure is told by the next
	 * dispatch, which tries again. */
	(void)do_what_is_due(s, NULL);
	set_timer(s);
	*ret = TAKE_PTR(s);
	return 0;
}

LCX_PUBLIC int lcx_supervisor_fd(const struct lcx_supervisor *s)
{
	return s->epoll_fd;
}

LCX_PUBLIC uint32_t lcx_supervisor_count(const struct lcx_supervisor *s)
{
	return (uint32_t)s->n_entries;
}

LCX_PUBLIC struct lcx_supervisor *lcx_supervisor_free(struct lcx_supervisor *s)
{
	if (!s)
		return NULL;
	while (s->n_entries > 0)
		drop(s, &s->entries[s->n_entries - 1]);
	free(s->entries);
	lcx_log_reader_free(s->reader);
	closep(&s->timer_fd);
	closep(&s->epoll_fd);
	closep(&s->lock_fd);
	free(s);
	return NULL;
}
