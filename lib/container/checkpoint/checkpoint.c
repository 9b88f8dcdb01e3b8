/* SPDX-License-Identifier: MIT */
#include "container/checkpoint/checkpoint.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>

#include "container/event.h"
#include "container/life/life.h"
#include "container/supervisor/restart.h"
#include "util/fs.h"

/*
 * Theory of operation. criu writes the images while all processes stand still, and then asks
 * ("post-dump") whether to go on. Here the images are put in place; only then are the processes
 * let go, or killed. If whoever called is killed before, criu gets no answer, and has the
 * processes go on as if nothing had been.
 */

#define DUMP_LOG "dump.log"

struct dump {
	struct lcx_container *c;
	const struct lcx_checkpoint *o;
	struct lcx__checkpoint_place place;
	struct lcx__stream_names streams;
	struct lcx__strbuf options, request;
	bool committed;
	bool ready;     /* its memory can be fetched */
	int address_fd; /* what criu reads; -1: nothing */
};

static void dump_clear(struct dump *d)
{
	lcx__checkpoint_place_close(&d->place);
	lcx__stream_names_clear(&d->streams);
	lcx__strbuf_free(&d->options);
	lcx__strbuf_free(&d->request);
	closep(&d->address_fd);
}

static bool goes_on(const struct lcx_checkpoint *o)
{
	return o->leave_running || o->pre_dump;
}

/*
 * From here on it ends when its memory was fetched, whether the caller lives or not. Who fetches it
 * may have it go on elsewhere, whatever comes of it here: no policy starts it anew.
 */
static int note_ready(struct dump *d, struct lcx_error **err)
{
	int r;

	if (!d->o->lazy_pages || d->ready)
		return 0;
	r = lcx__checkpoint_settle(d->c, &d->place, err);
	if (r < 0)
		return r;
	d->ready = true;
	if (!goes_on(d->o))
		lcx__restart_note_stop(d->c);
	lcx__pages_note_ready(d->o);
	return 0;
}

static int on_notify(void *data, const char *script, int64_t pid, int fd, struct lcx_error **err)
{
	struct dump *d = data;
	int r;

	(void)pid, (void)fd;
	if (strcmp(script, "status-ready") == 0)
		return note_ready(d, err);
	if (strcmp(script, "post-dump") != 0 || d->o->pre_dump)
		return 0;
	r = lcx__checkpoint_commit(d->c, d->o, &d->place, err);
	d->committed = r == 0;
	return r;
}

/* On version 2 the cgroup stops all at once, and nobody who is in it is overlooked. */
static void put_freezer(struct lcx_container *c, struct lcx__strbuf *options)
{
	char path[64];
	int fd = lcx__container_open_cgroup(c, NULL) < 0 ? -1 : lcx__cgroup_into_fd(c->cgroup);

	if (fd < 0)
		return;
	(void)snprintf(path, sizeof(path), "/proc/%d/fd/%d", getpid(), fd);
	lcx__criu_put_text(options, LCX__CRIU_FREEZE_CGROUP, path);
}

static void put_streams(const struct lcx__stream_names *streams, struct lcx__strbuf *options)
{
	for (int i = 0; i < 3; i++)
		if (streams->names[i][0] && streams->names[i][0] != 'p')
			lcx__criu_put_text(options, LCX__CRIU_EXTERNAL,
					   lcx__stream_name(streams->names[i]));
}

static int put_options(struct dump *d, struct lcx_error **err)
{
	struct lcx__strbuf *options = &d->options;
	int r;

	lcx__criu_put_number(options, LCX__CRIU_IMAGES_DIR_FD, d->place.images_fd);
	lcx__criu_put_number(options, LCX__CRIU_WORK_DIR_FD, d->place.work_fd);
	lcx__criu_put_number(options, LCX__CRIU_PID, d->c->run.pid.value);
	lcx__criu_put_number(options, LCX__CRIU_LOG_LEVEL, 4);
	lcx__criu_put_text(options, LCX__CRIU_LOG_FILE, DUMP_LOG);
	lcx__criu_put_number(options, LCX__CRIU_NOTIFY_SCRIPTS, 1);
	lcx__criu_put_number(options, LCX__CRIU_ORPHAN_PTS_MASTER, 1);
	lcx__criu_put_number(options, LCX__CRIU_MANAGE_CGROUPS_MODE, LCX__CRIU_CGROUPS_IGNORE);
	lcx__checkpoint_put_options(d->o, LCX__CHECKPOINT_DUMP, options);
	put_freezer(d->c, options);
	put_streams(&d->streams, options);
	r = lcx__pages_put(d->o, options, &d->address_fd, err);
	return r == 0 ? lcx__checkpoint_put_outside(d->c, options, err) : r;
}

static int ask(struct dump *d, struct lcx_error **err)
{
	CLEANUP(lcx__child_abandonp) struct lcx__child child = LCX__CHILD_NONE;
	CLEANUP(lcx__plan_freep) struct lcx__plan *plan = NULL;
	CLEANUP(closep) int line = -1;
	const struct lcx__criu_hooks hooks = {d, d->place.work_fd, DUMP_LOG, on_notify};
	struct lcx__criu_answer answer;
	int r = lcx__plan_new(&plan, err);

	if (r < 0)
		return r;
	lcx__criu_put_request(&d->request, d->o->pre_dump ? LCX__CRIU_PRE_DUMP : LCX__CRIU_DUMP,
			      &d->options);
	/* What it writes is for nobody else. */
	lcx__plan_add(plan, PLAN_UMASK)->num[0] = 077;
	r = lcx__criu_start(d->o->criu, plan, d->place.images_fd, &child, &line, err);
	if (r == 0)
		r = lcx__criu_ask(line, child.pidfd, &d->request, &hooks, &answer, err);
	if (r < 0)
		return r;
	/* After a pre-dump it waits for the next one. */
	closep(&line);
	lcx__child_reap(&child);
	return 0;
}

static int dump(struct dump *d, struct lcx_error **err)
{
	struct lcx_container *c = d->c;
	int r = lcx__checkpoint_find_streams(c, &d->streams, err);

	if (r == 0)
		r = lcx__checkpoint_make_place(c, d->o, &d->place, err);
	if (r < 0)
		return r;
	r = lcx__checkpoint_save_streams(&d->streams, d->place.images_fd, err);
	if (r == 0)
		r = lcx__checkpoint_save_flags(c, d->place.images_fd, err);
	if (r == 0)
		r = lcx__checkpoint_save_networks(c, d->place.images_fd, err);
	if (r == 0)
		r = lcx__pages_save_mark(d->o, d->place.images_fd, err);
	if (r == 0)
		r = put_options(d, err);
	if (r == 0)
		r = ask(d, err);
	/* Images whose memory nobody can fetch are none. */
	if (r < 0 && (!d->committed || d->o->lazy_pages))
		lcx__checkpoint_discard(c, &d->place);
	else if (r == 0 && (d->o->pre_dump || (d->o->lazy_pages && !d->ready)))
		r = lcx__checkpoint_settle(c, &d->place, err);
	return r;
}

/* It runs, and nobody else is at it. */
static int check(struct lcx_container *c, struct lcx_error **err)
{
	CLEANUP(closep) int pidfd = lcx__container_open_running(c, err);
	int r;

	if (pidfd < 0)
		return pidfd;
	if (c->state == LCX_CONTAINER_PREPARED)
		return lcx__fail(err, EINVAL, "container '%s' has not been started yet",
				 lcx__container_display(c));
	r = lcx__container_load_spec(c, err);
	return r == 0 ? lcx__checkpoint_check(c, err) : r;
}

/*
 * They were killed. Nobody can start the container anew as long as it is locked: what tells this
 * run from the next one is held, and no supervisor may take it for one that failed.
 */
static int note_end(struct lcx_container *c, struct lcx_error **err)
{
	lcx__restart_note_stop(c);
	return c->process ? 0 : lcx__waited_note(c, err);
}

static int checkpoint_locked(struct lcx_container *c, const struct lcx_checkpoint *o,
			     struct lcx_error **err)
{
	CLEANUP(dump_clear)
	struct dump d = {.c = c, .o = o, .place = LCX__CHECKPOINT_NOWHERE, .address_fd = -1};
	CLEANUP(closep) int lock_fd = -1;
	int r = lcx__container_lock(c, &lock_fd, err);

	if (r == 0)
		r = check(c, err);
	if (r == 0)
		r = lcx__pages_check(o, LCX__CHECKPOINT_DUMP, err);
	if (r == 0)
		r = lcx__criu_check_version(o->criu, err);
	if (r == 0)
		r = dump(&d, err);
	if (r == 0)
		lcx__event_emit(c, "checkpointed", NULL);
	if (r == 0 && !goes_on(o))
		r = note_end(c, err);
	return r;
}

LCX_PUBLIC int lcx_container_checkpoint(struct lcx_container *c, const struct lcx_checkpoint *o,
					struct lcx_error **err)
{
	CLEANUP(lcx_checkpoint_freep) struct lcx_checkpoint *plain = NULL;
	int r = o ? 0 : lcx_checkpoint_new(&plain, err);

	if (r == 0)
		r = lcx__container_check_created(c, err);
	if (r < 0)
		return r;
	r = lcx__checkpoint_check_rights(err);
	if (r == 0)
		r = checkpoint_locked(c, o ? o : plain, err);
	if (r < 0)
		return lcx__fail_prefix(err, r, "checkpoint of container '%s'",
					lcx__container_display(c));
	if (goes_on(o ? o : plain) || c->process)
		return 0;
	/* What the container had is taken down. */
	return lcx_container_wait(c, LCX__KILL_WAIT_MS, NULL, err);
}

LCX_PUBLIC int lcx_checkpoint_check(struct lcx_error **err)
{
	int r = lcx__checkpoint_check_rights(err);

	return r == 0 ? lcx__criu_check(err) : r;
}
