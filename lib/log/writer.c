/* SPDX-License-Identifier: MIT */
#include "log/writer-internal.h"

#include <asm/errno.h>

#include "util/sys.h"

/*
 * The streams of a process become lines here, and parts of lines that are too long; what becomes
 * of a line is up to the log's driver: file.c, socket.c, or the caller's function.
 */

enum { CLOCK_REALTIME_ID = 0 };

void lcx__log_drop(struct lcx__log_writer *w, uint64_t lines, uint64_t bytes, int error)
{
	w->dropped_lines += lines;
	w->dropped_bytes += bytes;
	w->last_error = error;
}

/* ---- drivers ---------------------------------------------------------------- */

static bool is_socket(const struct lcx__log_writer *w)
{
	return w->config.driver == LCX__LOG_TO_JOURNALD || w->config.driver == LCX__LOG_TO_SYSLOG;
}

static int emit(struct lcx__log_writer *w, enum lcx_log_stream stream, const uint8_t *data,
		size_t length, bool ended)
{
	if (is_socket(w))
		return lcx__log_socket_emit(w, stream, data, length, ended);
	if (w->config.driver == LCX__LOG_TO_FILE)
		return lcx__log_file_emit(w, stream, data, length, ended);
	w->callback(w->callback_data, stream, w->now.tv_sec * 1000000000 + w->now.tv_nsec,
		    (const char *)data, length, !ended);
	return 0;
}

int lcx__log_pack_fd(const struct lcx__log_writer *w)
{
	return w->packing.result_fd;
}

int lcx__log_flush(struct lcx__log_writer *w)
{
	if (!w->is_open)
		return -EBADF;
	if (is_socket(w))
		return lcx__log_socket_flush(w);
	return w->config.driver == LCX__LOG_TO_FILE ? lcx__log_file_flush(w) : 0;
}

/* ---- lines -------------------------------------------------------------------- */

static void keep_pending(struct lcx__log_writer *w, size_t index, const uint8_t *data,
			 size_t length)
{
	__builtin_memcpy(w->pending[index].bytes + w->pending[index].length, data, length);
	w->pending[index].length += (uint32_t)length;
}

/* A line has ended after @length bytes of @data; what was pending is its beginning. */
static int end_line(struct lcx__log_writer *w, enum lcx_log_stream stream, const uint8_t *data,
		    size_t length)
{
	size_t index = stream - LCX_LOG_STREAM_STDOUT;

	if (w->pending[index].length == 0)
		return emit(w, stream, data, length, true);
	keep_pending(w, index, data, length);
	length = w->pending[index].length;
	w->pending[index].length = 0;
	return emit(w, stream, w->pending[index].bytes, length, true);
}

/* The pending bytes fill a part: store it, but let a character that it would cut begin the next
 * one. */
static int end_part(struct lcx__log_writer *w, enum lcx_log_stream stream)
{
	size_t index = stream - LCX_LOG_STREAM_STDOUT, length = w->pending[index].length;
	uint8_t *bytes = w->pending[index].bytes;
	/* CRI keeps all bytes anyhow. */
	bool is_cri =
		w->config.driver == LCX__LOG_TO_FILE && w->config.format == LCX_LOG_FORMAT_CRI;
	size_t rest = is_cri ? 0 : lcx__log_unfinished_utf8(bytes, length);
	int r = emit(w, stream, bytes, length - rest, false);

	for (size_t i = 0; i < rest; i++)
		bytes[i] = bytes[length - rest + i];
	w->pending[index].length = (uint32_t)rest;
	return r;
}

static bool is_stream(enum lcx_log_stream stream)
{
	return stream == LCX_LOG_STREAM_STDOUT || stream == LCX_LOG_STREAM_STDERR;
}

static void set_clock(struct lcx__log_writer *w)
{
	w->now = (struct sys_timespec){0, 0};
	(void)sys_clock_gettime(CLOCK_REALTIME_ID, &w->now);
	lcx__log_clock_set(&w->clock, w->now.tv_sec, (uint32_t)w->now.tv_nsec);
}

int lcx__log_write(struct lcx__log_writer *w, enum lcx_log_stream stream, const void *data,
		   size_t length)
{
	const uint8_t *at = data, *end = at + length;
	size_t index = stream - LCX_LOG_STREAM_STDOUT;
	int first_error = 0;

	if (!is_stream(stream))
		return -EINVAL;
	if (!w->is_open)
		return -EBADF;
	set_clock(w);
	while (at < end) {
		size_t room = LCX__LOG_PART_SIZE - w->pending[index].length;
		size_t scan = (size_t)(end - at) < room ? (size_t)(end - at) : room;
		size_t found = lcx__log_find_newline(at, scan);
		int r = 0;

		if (found < scan) {
			r = end_line(w, stream, at, found);
			at += found + 1;
		} else {
			keep_pending(w, index, at, scan);
			at += scan;
			if (scan == room)
				r = end_part(w, stream);
		}
		if (r < 0 && first_error == 0)
			first_error = r;
	}
	return first_error;
}

int lcx__log_end(struct lcx__log_writer *w, enum lcx_log_stream stream)
{
	size_t index = stream - LCX_LOG_STREAM_STDOUT;
	int r = 0, flushed;

	if (!is_stream(stream))
		return -EINVAL;
	if (!w->is_open)
		return -EBADF;
	if (w->pending[index].length > 0) {
		set_clock(w);
		r = emit(w, stream, w->pending[index].bytes, w->pending[index].length, false);
		w->pending[index].length = 0;
	}
	flushed = lcx__log_flush(w);
	return r < 0 ? r : flushed;
}

/* ---- the handle ---------------------------------------------------------------- */

void lcx__log_writer_init(struct lcx__log_writer *w)
{
	/* All but the two arrays. */
	w->config = (struct lcx__log_config){.format = LCX_LOG_FORMAT_JSON_FILE, .max_files = 1};
	w->dir_fd = w->fd = -1;
	w->is_open = w->is_stream = w->torn = false;
	w->context = NULL;
	w->now = (struct sys_timespec){0, 0};
	w->callback = NULL;
	w->callback_data = NULL;
	w->size = w->rotate_at = 0;
	w->dropped_lines = w->dropped_bytes = w->rotations = w->failed_rotations = 0;
	w->last_error = 0;
	w->packing.packer = NULL;
	w->packing.wanted = false;
	w->packing.result_fd = -1;
	w->packing.packed = 0;
	w->queue = NULL;
	w->queue_size = w->head = w->tail = 0;
	w->start = w->sent = w->piece = w->sequence = 0;
	lcx__log_clock_init(&w->clock);
	for (size_t i = 0; i < LCX__LOG_STREAMS; i++)
		w->pending[i].length = 0;
	w->used = 0;
}

int lcx__log_writer_open(struct lcx__log_writer *w, int dir_fd,
			 const struct lcx__log_config *config, const char *context)
{
	int r = 0;

	if (w->is_open)
		return -EBUSY;
	w->config = *config;
	w->context = context;
	w->dir_fd = dir_fd;
	if (is_socket(w))
		r = lcx__log_socket_open(w);
	else if (config->driver == LCX__LOG_TO_FILE)
		r = lcx__log_file_open(w);
	w->is_open = r == 0;
	return r;
}

int lcx__log_reopen(struct lcx__log_writer *w)
{
	if (!w->is_open)
		return -EBADF;
	return w->config.driver == LCX__LOG_TO_FILE ? lcx__log_file_reopen(w) : lcx__log_flush(w);
}

int lcx__log_writer_close(struct lcx__log_writer *w)
{
	int out, err;

	if (!w->is_open)
		return 0;
	out = lcx__log_end(w, LCX_LOG_STREAM_STDOUT);
	err = lcx__log_end(w, LCX_LOG_STREAM_STDERR);
	if (is_socket(w))
		lcx__log_socket_close(w);
	else if (w->fd >= 0)
		(void)sys_close(w->fd);
	lcx__log_pack_abandon(w);
	w->fd = -1;
	w->is_open = false;
	return out < 0 ? out : err;
}
