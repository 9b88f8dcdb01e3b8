/* SPDX-License-Identifier: MIT */
#include "container/start.h"

#include <string.h>

#include "container/attach.h"
#include "container/event.h"

/* What keeps a run: its log, and the monitor that serves those who attach and tells what happens.
 */

static const char *log_option(const struct lcx_container *c, const char *key)
{
	for (size_t i = 0; i < c->d.log_options.n; i++)
		if (strcmp(c->d.log_options.items[i].key, key) == 0)
			return c->d.log_options.items[i].value;
	return NULL;
}

int lcx__start_log(struct start *s, struct lcx_error **err)
{
	struct lcx_container *c = s->c;
	const char *size = log_option(c, "max-size"), *files = log_option(c, "max-file");
	uint64_t max_size = 0;
	uint32_t max_files = 1;
	int r;

	if (strcmp(c->d.log_driver, "none") == 0 ||
	    (s->stdio && s->stdio->mode == LCX__STDIO_PASSTHROUGH))
		return 0;
	if ((size && lcx__parse_size(size, &max_size) < 0) ||
	    (files && lcx__parse_count(files, &max_files) < 0))
		return lcx__fail(err, EINVAL, "the log options do not make sense");
	s->monitor.log_max_size_bytes = max_size;
	s->monitor.log_max_files = max_files;
	(void)snprintf(s->monitor.log_name, sizeof(s->monitor.log_name), "%s",
		       lcx__log_driver_file(c->d.log_driver));
	s->monitor.log_format = (uint32_t)lcx__log_driver_format(c->d.log_driver);
	if (s->detached) {
		s->monitor.log_dir_fd = c->dir_fd;
		return 0;
	}
	c->log = malloc(sizeof(*c->log));
	if (!c->log)
		return lcx__fail_nomem(err);
	lcx__log_writer_init(c->log);
	r = lcx__log_writer_open(c->log, c->dir_fd, s->monitor.log_name,
				 (enum lcx_log_format)s->monitor.log_format, max_size, max_files);
	return r < 0 ? lcx__fail_sys(err, -r, "open the log") : 0;
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
	CLEANUP(freep) char *started = NULL, *exited = NULL;

	if (!s->detached)
		return 0;
	started = lcx__event_text(s->c, "started", NULL);
	exited = lcx__event_exit_head(s->c);
	if (!started || !exited)
		return lcx__fail_nomem(err);
	if (strlen(started) >= PLAN_EVENT_SIZE || strlen(exited) >= PLAN_EVENT_SIZE)
		return 0;
	s->event_dir_fd = lcx__event_dir(s->c->ctx);
	if (s->event_dir_fd < 0)
		return lcx__fail_sys(err, -s->event_dir_fd, "open the events");
	s->monitor.event_dir_fd = s->event_dir_fd;
	memcpy(s->monitor.started, started, strlen(started) + 1);
	memcpy(s->monitor.exited, exited, strlen(exited) + 1);
	return 0;
}
