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

/* ---- rotate.c ---- */

enum { LCX__LOG_SUFFIX_SIZE = 16 }; /* ".999.gz", ".gz.tmp" */

struct lcx__log_file_name {
	char text[LCX__LOG_NAME_SIZE + LCX__LOG_SUFFIX_SIZE];
};

/* "NAME" for 0, else "NAME.@index"; with @packed "NAME.@index.gz". */
struct lcx__log_file_name lcx__log_file_name(const struct lcx__log_writer *w, uint32_t index,
					     bool packed);
/* Of a compressed file that is not whole yet. */
struct lcx__log_file_name lcx__log_unfinished_name(const struct lcx__log_writer *w);

bool lcx__log_is_regular(const struct sys_statx *st);
bool lcx__log_exists(const struct lcx__log_writer *w, uint32_t index, bool packed);
int lcx__log_remove(const struct lcx__log_writer *w, uint32_t index, bool packed);

/* Make the name of the current file free. */
int lcx__log_shift_files(struct lcx__log_writer *w);
/* Remove files that an earlier, larger limit has left. */
void lcx__log_remove_surplus(struct lcx__log_writer *w);

/* ---- pack.c ---- */

/* Look after the program that compresses, and start it if there is something to do. */
void lcx__log_pack(struct lcx__log_writer *w);
void lcx__log_pack_abandon(struct lcx__log_writer *w);

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
