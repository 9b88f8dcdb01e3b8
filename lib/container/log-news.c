/* SPDX-License-Identifier: MIT */
#include "container/log.h"

#include <string.h>

#include "container/event.h"
#include "util/fs.h"

/* What a log is told about by events, for containers without a monitor, which does so itself. */

/* Of files that are full in no time not each, lest they push all other events out. */
static void note_rotation(struct lcx_container *c)
{
	CLEANUP(freep) char *detail = NULL;
	int64_t now = lcx__monotonic_ns();

	if (c->log->rotations == c->log_rotations_told ||
	    (c->log_rotations_told > 0 && now - c->log_rotation_told_ns < 1000000000))
		return;
	c->log_rotation_told_ns = now;
	c->log_rotations_told = c->log->rotations;
	detail = lcx__format("%llu", (unsigned long long)c->log->rotations);
	if (detail)
		lcx__event_emit(c, "log-rotated", detail);
}

/* Told when it begins and at the end; the numbers stand in a file. */
void lcx__container_note_log(struct lcx_container *c)
{
	const struct lcx__log_writer *log = c->log;
	CLEANUP(freep) char *text = NULL, *detail = NULL;
	bool is_over = c->process && !c->in_loop;

	if (log)
		note_rotation(c);
	if (!log || log->dropped_lines == c->log_lost_told)
		return;
	text = lcx__format("%llu %llu %d\n", (unsigned long long)log->dropped_lines,
			   (unsigned long long)log->dropped_bytes, -log->last_error);
	detail = lcx__format("%llu lines: %s", (unsigned long long)log->dropped_lines,
			     strerror(-log->last_error));
	if (text)
		(void)lcx__replace_file(c->dir_fd, "log-lost", text, strlen(text), 0600, false);
	if (detail && (c->log_lost_told == 0 || is_over))
		lcx__event_emit(c, "log-lost", detail);
	c->log_lost_told = log->dropped_lines;
}
