/* SPDX-License-Identifier: MIT */
#include "container/start/start.h"

#include <string.h>

#include "container/attach.h"
#include "container/event.h"
#include "container/log.h"

/* What keeps a run: its log, and the monitor that serves those who attach and tells what happens.
 */

static int open_own_log(struct lcx_container *c, const struct lcx__log_config *config,
			struct lcx_error **err)
{
	int r;

	if (config->driver == LCX__LOG_TO_CALLBACK && !c->log_callback)
		return lcx__fail(err, EINVAL,
				 "log driver 'callback': this handle was given no function");
	c->log = malloc(sizeof(*c->log));
	if (!c->log)
		return lcx__fail_nomem(err);
	lcx__log_writer_init(c->log);
	c->log->callback = c->log_callback;
	c->log->callback_data = c->log_callback_data;
	lcx__log_starter_init(&c->log_starter);
	c->log->packing.packer = &c->log_starter.packer;
	r = lcx__log_writer_open(c->log, c->dir_fd, config, c->log_context);
	return r < 0 ? lcx__log_open_failed(c, config, r, err) : 0;
}

/* A monitor has nobody to tell that the daemon is not there. */
static int try_log(const struct lcx_container *c, const struct lcx__log_config *config,
		   struct lcx_error **err)
{
	CLEANUP(freep) struct lcx__log_writer *log = NULL;
	int r;

	if (!config->address[0])
		return 0;
	log = malloc(sizeof(*log));
	if (!log)
		return lcx__fail_nomem(err);
	lcx__log_writer_init(log);
	r = lcx__log_writer_open(log, -1, config, c->log_context);
	(void)lcx__log_writer_close(log);
	return r < 0 ? lcx__log_open_failed(c, config, r, err) : 0;
}

static bool is_passthrough(const struct start *s)
{
	return s->stdio && s->stdio->mode == LCX__STDIO_PASSTHROUGH;
}

int lcx__start_log(struct start *s, struct lcx_error **err)
{
	struct lcx_container *c = s->c;
	int r;

	free(TAKE_PTR(c->log_context));
	(void)unlinkat(c->dir_fd, "log-lost", 0);
	c->log_lost_told = c->log_rotations_told = 0;
	if (strcmp(c->d.log_driver, "passthrough") == 0 && !is_passthrough(s))
		return lcx__fail(err, EINVAL,
				 "log driver 'passthrough': the starter must pass descriptors on");
	if (is_passthrough(s))
		return 0;
	r = lcx__container_log_config(c, &s->monitor.log, &c->log_context, err);
	if (r <= 0)
		return r;
	if (!s->detached)
		return open_own_log(c, &s->monitor.log, err);
	if (s->monitor.log.driver == LCX__LOG_TO_CALLBACK)
		return lcx__fail(err, EINVAL,
				 "log driver 'callback': a detached container has nobody to call");
	s->monitor.logging = 1;
	s->monitor.log_dir_fd = c->dir_fd;
	if (s->monitor.log.flags & LCX__LOG_COMPRESS) {
		s->monitor.packer_fd = lcx__log_packer_memfd();
		if (s->monitor.packer_fd < 0)
			return lcx__fail_sys(err, -s->monitor.packer_fd,
					     "make the program that compresses the log");
	}
	return try_log(c, &s->monitor.log, err);
}

int lcx__start_attach(struct start *s, struct lcx_error **err)
{
	int r = 0;

	if (!s->detached)
		return 0;
	s->listen_fd = lcx__attach_listen(s->c->run_fd, err);
	if (s->listen_fd < 0)
		return s->listen_fd;
	if (s->attached)
		r = lcx__attach_prepare(s->stdio, lcx__container_display(s->c), &s->attach,
					&s->client_fd, err);
	s->monitor.listen_fd = s->listen_fd;
	s->monitor.client_fd = s->client_fd;
	return r;
}

/* A monitor tells itself what happens, so that it does so in the right order. */
int lcx__start_events(struct start *s, struct lcx_error **err)
{
	CLEANUP(freep) char *started = NULL, *exited = NULL, *log_lost = NULL, *rotated = NULL;

	if (!s->detached)
		return 0;
	started = lcx__event_text(s->c, "started", NULL);
	exited = lcx__event_exit_head(s->c);
	log_lost = lcx__event_detail_head(s->c, "log-lost");
	rotated = lcx__event_detail_head(s->c, "log-rotated");
	if (!started || !exited || !log_lost || !rotated)
		return lcx__fail_nomem(err);
	if (strlen(started) >= PLAN_EVENT_SIZE || strlen(exited) >= PLAN_EVENT_SIZE ||
	    strlen(log_lost) >= PLAN_EVENT_SIZE || strlen(rotated) >= PLAN_EVENT_SIZE)
		return 0;
	s->event_dir_fd = lcx__event_dir(s->c->ctx);
	if (s->event_dir_fd < 0)
		return lcx__fail_sys(err, -s->event_dir_fd, "open the events");
	s->monitor.event_dir_fd = s->event_dir_fd;
	memcpy(s->monitor.started, started, strlen(started) + 1);
	memcpy(s->monitor.exited, exited, strlen(exited) + 1);
	memcpy(s->monitor.log_lost, log_lost, strlen(log_lost) + 1);
	memcpy(s->monitor.log_rotated, rotated, strlen(rotated) + 1);
	return 0;
}
