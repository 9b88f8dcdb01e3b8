/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The writing half of a log. It is shared by the library and by lcx-init, which
 * has no C library: line.c and writer.c use raw system calls only, no
 * heap and no floating point, and of a C library no more than memcpy() and memmove().
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lcx/log.h"

enum {
	LCX__LOG_PART_SIZE = 16 * 1024, /* a longer line is stored in parts, as Docker does */
	LCX__LOG_STREAMS = 2,
	LCX__LOG_NAME_SIZE = 128,
	LCX__LOG_TIME_LENGTH = 30, /* "2026-01-31T23:59:59.000000001Z" */
	LCX__LOG_MAX_FILES = 1000,

	/* A byte becomes at most "\u00XX"; around it stands
	   {"log":"\n","stream":"...","time":"..."}\n. */
	LCX__LOG_LINE_OVERHEAD = 96,
	LCX__LOG_LINE_MAX = 6 * LCX__LOG_PART_SIZE + LCX__LOG_LINE_OVERHEAD,
	LCX__LOG_BUFFER_SIZE = 128 * 1024,
};

/* Text of a time; formatted anew only as far as it changed. */
struct lcx__log_clock {
	int64_t second; /* the one that text shows; INT64_MIN for none */
	char text[LCX__LOG_TIME_LENGTH + 2];
};

void lcx__log_clock_init(struct lcx__log_clock *clock);
void lcx__log_clock_set(struct lcx__log_clock *clock, int64_t second, uint32_t nanosecond);

/*
 * Spell one line, or a part of one, into @out, which has room for
 * 6 * @length + LCX__LOG_LINE_OVERHEAD bytes. @ended tells that a newline
 * followed @data; it is not in @data. Return: the length of the record, newline included.
 */
size_t lcx__log_format_json(char *out, const uint8_t *data, size_t length, bool ended,
			    enum lcx_log_stream stream,
			    const char time[static LCX__LOG_TIME_LENGTH]);
size_t lcx__log_format_cri(char *out, const uint8_t *data, size_t length, bool ended,
			   enum lcx_log_stream stream,
			   const char time[static LCX__LOG_TIME_LENGTH]);

/* Where the first newline in @data is; @length if there is none. */
size_t lcx__log_find_newline(const uint8_t *data, size_t length);

/* How many bytes at the end of @data begin a UTF-8 character that is not complete yet: 0 to 3. */
size_t lcx__log_unfinished_utf8(const uint8_t *data, size_t length);

/* One log. About 160 KiB; of the two large arrays only what is used becomes resident. */
struct lcx__log_writer {
	int dir_fd; /* borrowed */
	int fd;     /* owned; -1 when closed */
	enum lcx_log_format format;
	uint32_t max_files;
	uint64_t max_size;  /* 0: no limit */
	uint64_t size;      /* of the current file */
	uint64_t rotate_at; /* don't try again below this size, after a rotation failed */
	uint64_t dropped_lines, dropped_bytes, rotations, failed_rotations;
	int last_error; /* the negative errno of the last drop or failed rotation */
	bool torn;      /* a half line stands at the end of the file */
	char name[LCX__LOG_NAME_SIZE];
	struct lcx__log_clock clock;
	struct {
		uint32_t length; /* of the line that has no newline yet */
		uint8_t bytes[LCX__LOG_PART_SIZE];
	} pending[LCX__LOG_STREAMS];
	uint32_t used;
	char buffer[LCX__LOG_BUFFER_SIZE];
};

/* Make @w a closed writer. The arrays are left alone. */
void lcx__log_writer_init(struct lcx__log_writer *w);

/*
 * Open or create @name in @dir_fd, which must stay open as long as @w.
 * Return: 0 or a negative errno: -EINVAL for a bad argument, -ELOOP for a symbolic
 * link, else as openat(2) and statx(2) report it.
 */
int lcx__log_writer_open(struct lcx__log_writer *w, int dir_fd, const char *name,
			 enum lcx_log_format format, uint64_t max_size, uint32_t max_files);

/*
 * The life of a log: write, write, flush when the input is drained, end at
 * end of file. They return 0, or the negative errno of write(2); then the lines concerned are
 * dropped and counted, and the writer can be used on. A full disk (-ENOSPC,
 * -EDQUOT, -EFBIG) returns 0: see the counters and last_error.
 */
int lcx__log_write(struct lcx__log_writer *w, enum lcx_log_stream stream, const void *data,
		   size_t length);
int lcx__log_flush(struct lcx__log_writer *w);
int lcx__log_end(struct lcx__log_writer *w, enum lcx_log_stream stream);

/* Flush, and open the name anew: somebody has renamed the file. The old one is kept if that fails.
 */
int lcx__log_reopen(struct lcx__log_writer *w);

/* End both streams, flush, close the file. */
int lcx__log_writer_close(struct lcx__log_writer *w);
