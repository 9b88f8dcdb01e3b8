/* SPDX-License-Identifier: MIT */
#pragma once

/* The writer's files among themselves. No C library: see writer.h. */

#include "log/writer.h"

/* ---- file.c ---- */

int lcx__log_file_open(struct lcx__log_writer *w);
int lcx__log_file_reopen(struct lcx__log_writer *w);
int lcx__log_file_flush(struct lcx__log_writer *w);
/* Spell a line into the buffer, which is flushed before if the line might not fit. */
int lcx__log_file_emit(struct lcx__log_writer *w, enum lcx_log_stream stream, const uint8_t *data,
		       size_t length, bool ended);

/* ---- socket.c: journald and syslog ---- */

int lcx__log_socket_open(struct lcx__log_writer *w);
void lcx__log_socket_close(struct lcx__log_writer *w);
/* Into the queue; in mode non-blocking it is dropped if there is no room. */
int lcx__log_socket_emit(struct lcx__log_writer *w, enum lcx_log_stream stream, const uint8_t *data,
			 size_t length, bool ended);
/* Send what can be sent without waiting. */
int lcx__log_socket_flush(struct lcx__log_writer *w);

/* ---- message.c: how a line is spelled for them, into the writer's buffer ---- */

struct lcx__log_queued {
	uint32_t length; /* of the text behind it */
	uint8_t stream;
	bool ended;
	uint32_t sent; /* syslog: how much of the text went in messages of its own */
	uint32_t ns;
	int64_t second;
};

/* Return: how many bytes of @text the message in w->buffer, of w->used bytes, holds. */
uint32_t lcx__log_spell_journald(struct lcx__log_writer *w, const struct lcx__log_queued *line,
				 const uint8_t *text);
uint32_t lcx__log_spell_syslog(struct lcx__log_writer *w, const struct lcx__log_queued *line,
			       const uint8_t *text);

/* ---- writer.c ---- */

void lcx__log_drop(struct lcx__log_writer *w, uint64_t lines, uint64_t bytes, int error);
