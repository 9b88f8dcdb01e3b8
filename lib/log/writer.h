/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The writing half of a log. It is shared by the library and by lcx-init, which
 * has no C library: line.c, writer.c and the drivers, file.c with rotate.c and pack.c, socket.c and
 * message.c, use raw
 * system calls only, no heap and no floating point, and of a C library no more than memcpy() and
 * memmove().
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lcx/log.h"
#include "log/config.h"
#include "util/sys.h"

enum {
	LCX__LOG_PART_SIZE = 16 * 1024, /* a longer line is stored in parts, as Docker does */
	LCX__LOG_STREAMS = 2,
	LCX__LOG_TIME_LENGTH = 30, /* "2026-01-31T23:59:59.000000001Z" */
	LCX__LOG_MAX_FILES = 1000,

	/* A byte becomes at most "\u00XX"; around it stands
	   {"log":"\n","stream":"...","time":"..."}\n. */
	LCX__LOG_LINE_OVERHEAD = 96,
	LCX__LOG_LINE_MAX = 6 * LCX__LOG_PART_SIZE + LCX__LOG_LINE_OVERHEAD,
	LCX__LOG_BUFFER_SIZE = 128 * 1024,
	LCX__LOG_FRAME_MAX = 24, /* the length in front of a message on a stream */
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
 * 6 * @length + LCX__LOG_LINE_OVERHEAD + @context_length bytes. @ended tells that a newline
 * followed @data; it is not in @data. @context are Docker's attributes: "\"attrs\":{...},". Return:
 * the length of the record, newline included.
 */
size_t lcx__log_format_json(char *out, const uint8_t *data, size_t length, bool ended,
			    enum lcx_log_stream stream,
			    const char time[static LCX__LOG_TIME_LENGTH], const char *context,
			    size_t context_length);
size_t lcx__log_format_cri(char *out, const uint8_t *data, size_t length, bool ended,
			   enum lcx_log_stream stream,
			   const char time[static LCX__LOG_TIME_LENGTH]);

/* Where the first newline in @data is; @length if there is none. */
size_t lcx__log_find_newline(const uint8_t *data, size_t length);

/* How many bytes at the end of @data begin a UTF-8 character that is not complete yet: 0 to 3. */
size_t lcx__log_unfinished_utf8(const uint8_t *data, size_t length);

/*
 * How the owner of a writer starts the program that compresses, with these as its descriptors 0, 1
 * and 2, and how it ends it, which may still be at work. One at a time.
 */
struct lcx__log_packer {
	int (*start)(void *data, int old_fd, int new_fd, int result_fd);
	void (*end)(void *data);
	void *data;
};

/* What the program says when the new file is whole. */
enum { LCX__LOG_PACKED = 'k' };

/* One log. About 160 KiB; of the two large arrays only what is used becomes resident. */
struct lcx__log_writer {
	struct lcx__log_config config;
	const char *context; /* borrowed; config.context_length bytes */
	int dir_fd;          /* borrowed */
	int fd;              /* owned; of the file, or of the socket; -1 when closed */
	bool is_open;
	uint64_t dropped_lines, dropped_bytes, rotations, failed_rotations;
	int last_error; /* the negative errno of the last drop or failed rotation */
	struct sys_timespec now;
	struct lcx__log_clock clock;

	/* file.c */
	uint64_t size;      /* of the current file */
	uint64_t rotate_at; /* don't try again below this size, after a rotation failed */
	int64_t began_ns;   /* the current file */
	bool torn;          /* a half line stands at the end of the file */

	/* pack.c */
	struct {
		const struct lcx__log_packer *packer; /* borrowed; NULL: nothing is compressed */
		bool wanted;                          /* there may be something to compress */
		int result_fd;                        /* of the program at work; -1: none is */
		uint32_t dev_major, dev_minor;        /* what it works on */
		uint64_t ino, packed;                 /* how many files were compressed */
	} packing;

	/* socket.c */
	bool is_stream;
	char *queue; /* struct lcx__log_queued, each with its text behind it */
	uint64_t queue_size, head, tail;
	uint32_t start, sent; /* of the message under way, which is in the buffer */
	uint32_t piece;       /* of the line, that it holds */
	uint32_t sequence;

	lcx_log_fn callback;
	void *callback_data;

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
 * Open or create the file config->name in @dir_fd, which must stay open as long as @w; or connect
 * to config->address. @context is borrowed. Return: 0 or a negative errno: -EINVAL for a bad
 * argument, -ELOOP for a symbolic link, else as openat(2), statx(2) and connect(2) report it.
 */
int lcx__log_writer_open(struct lcx__log_writer *w, int dir_fd,
			 const struct lcx__log_config *config, const char *context);

/*
 * Of a socket: whether more should be written now, else what was read last waits for the daemon;
 * whether something is still to be sent, by lcx__log_flush(), and the descriptor to poll for
 * POLLOUT before, -1 if there is none. A file and a function take everything at once.
 */
bool lcx__log_wants_more(const struct lcx__log_writer *w);
bool lcx__log_is_pending(const struct lcx__log_writer *w);
int lcx__log_wait_fd(const struct lcx__log_writer *w);

/* The descriptor to poll for POLLIN: then lcx__log_flush() finishes a compressed file; -1: none. */
int lcx__log_pack_fd(const struct lcx__log_writer *w);

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
