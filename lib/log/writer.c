/* SPDX-License-Identifier: MIT */
#include "log/writer.h"

#include <asm/errno.h>
#include <asm/fcntl.h>
#include <linux/fcntl.h>

#include "util/sys.h"

/*
 * Lines are spelled into one buffer and reach the file by as few write(2)s as can
 * be: when the buffer is full, and when the caller flushes because there is no more
 * input. The file is the only state that counts, and at every instruction it consists of
 * whole lines, except while write(2) is at work. If that stops half-way, the
 * half line is cut off again; if even that fails, the next write closes it with a
 * newline first, and readers skip it.
 *
 * Rotation is a chain of renames, from the oldest file to the current one. A
 * reader holds its file open, so it may finish it under any name; the order of the
 * renames lets it find the next file at any moment (see chain.c).
 */

enum {
	OPEN_FLAGS = O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
	FILE_MODE = 0600, /* a log holds what a container says, and that may be secret */
	FILE_TYPE_MASK = 0170000,
	FILE_TYPE_REGULAR = 0100000,
	CLOCK_REALTIME_ID = 0,
	SUFFIX_SIZE = 5, /* ".999" */
};

_Static_assert((int)LCX__LOG_BUFFER_SIZE >= (int)LCX__LOG_LINE_MAX, "the largest line must fit");

struct file_name {
	char text[LCX__LOG_NAME_SIZE + SUFFIX_SIZE];
};

/* "NAME" for 0, else "NAME.@index". */
static struct file_name name_of(const struct lcx__log_writer *w, uint32_t index)
{
	struct file_name name;
	size_t length = 0, digits = index >= 100 ? 3 : index >= 10 ? 2 : 1;

	for (; w->name[length] != '\0'; length++)
		name.text[length] = w->name[length];
	if (index > 0) {
		name.text[length++] = '.';
		for (size_t i = digits; i-- > 0; index /= 10)
			name.text[length + i] = (char)('0' + index % 10);
		length += digits;
	}
	name.text[length] = '\0';
	return name;
}

static bool is_full_disk(int error)
{
	return error == -ENOSPC || error == -EDQUOT || error == -EFBIG;
}

static void drop(struct lcx__log_writer *w, const char *lines, size_t length, int error)
{
	w->dropped_bytes += length;
	for (size_t i = 0; i < length; i++)
		w->dropped_lines += lines[i] == '\n';
	w->last_error = error;
}

static long write_some(int fd, const char *data, size_t length)
{
	long r;

	do
		r = sys_write(fd, data, length);
	while (r == -EINTR);
	return r;
}

/* A half line stands at the end of the file: make it a whole one, that readers can tell is damaged.
 */
static int close_torn_line(struct lcx__log_writer *w)
{
	long r = w->torn ? write_some(w->fd, "\n", 1) : 0;

	if (r < 0)
		return (int)r;
	w->size += (uint64_t)r;
	w->torn = false;
	return 0;
}

/* The end of the last whole line in @data, or 0. */
static size_t whole_lines(const char *data, size_t length)
{
	while (length > 0 && data[length - 1] != '\n')
		length--;
	return length;
}

/* Take the last @length bytes back. The file is asked for its size: others may have cut it, too. */
static void cut_off(struct lcx__log_writer *w, size_t length)
{
	struct sys_statx st = {0};
	int r = sys_statx(w->fd, "", AT_EMPTY_PATH, &st);

	if (r == 0 && st.size >= length)
		r = sys_ftruncate(w->fd, st.size - length);
	w->torn = r < 0;
	if (r == 0)
		w->size = st.size >= length ? st.size - length : st.size;
}

/* Write whole lines, or drop those that can't be stored, and leave no half one behind. */
static int write_lines(struct lcx__log_writer *w, const char *lines, size_t length)
{
	size_t done = 0, kept;
	long r = close_torn_line(w);

	while (r >= 0 && done < length) {
		r = write_some(w->fd, lines + done, length - done);
		if (r > 0)
			done += (size_t)r;
		else if (r == 0)
			r = -EIO;
	}
	kept = whole_lines(lines, done);
	w->size += done;
	if (kept < done)
		cut_off(w, done - kept);
	if (r >= 0)
		return 0;
	drop(w, lines + kept, length - kept, (int)r);
	return (int)r;
}

static int open_file(struct lcx__log_writer *w)
{
	struct file_name name = name_of(w, 0);
	struct sys_statx st = {0};
	char last = '\n';
	int r, fd;

	fd = sys_openat(w->dir_fd, name.text, OPEN_FLAGS, FILE_MODE);
	if (fd < 0)
		return fd;
	r = sys_statx(fd, "", AT_EMPTY_PATH, &st);
	if (r == 0 && (st.mode & FILE_TYPE_MASK) != FILE_TYPE_REGULAR)
		r = -EINVAL;
	if (r < 0) {
		(void)sys_close(fd);
		return r;
	}
	if (st.size > 0)
		(void)sys_pread(fd, &last, 1, (int64_t)st.size - 1);
	if (w->fd >= 0)
		(void)sys_close(w->fd);
	w->fd = fd;
	w->size = st.size;
	w->rotate_at = w->max_size;
	w->torn = last != '\n';
	return 0;
}

static bool exists(const struct lcx__log_writer *w, uint32_t index)
{
	struct file_name name = name_of(w, index);
	struct sys_statx st;

	return sys_statx(w->dir_fd, name.text, AT_SYMLINK_NOFOLLOW, &st) != -ENOENT;
}

/*
 * Move the files up by one, as far as the next free index. If there is none, the last one is
 * overwritten, and so removed.
 */
static int shift_files(struct lcx__log_writer *w)
{
	uint32_t free_index = 0;
	int r = 0;

	while (free_index < w->max_files && exists(w, free_index))
		free_index++;
	if (free_index == w->max_files)
		free_index--;
	for (uint32_t i = free_index; i > 0 && r == 0; i--) {
		struct file_name from = name_of(w, i - 1), to = name_of(w, i);

		r = sys_renameat2(w->dir_fd, from.text, w->dir_fd, to.text, 0);
	}
	if (w->max_files == 1) {
		struct file_name name = name_of(w, 0);

		r = sys_unlinkat(w->dir_fd, name.text, 0);
	}
	return r == -ENOENT ? 0 : r;
}

/* A rotation that fails costs no line: the file only grows on, by once more its size until the next
 * attempt. */
static void rotate(struct lcx__log_writer *w)
{
	int r = shift_files(w);

	if (r == 0)
		r = open_file(w);
	if (r == 0) {
		w->rotations++;
		return;
	}
	w->failed_rotations++;
	w->last_error = r;
	w->rotate_at = w->size > UINT64_MAX - w->max_size ? UINT64_MAX : w->size + w->max_size;
}

/* How much of the buffer may go into the current file: all, or up to the border of the last line
 * that fits. */
static size_t fitting_lines(struct lcx__log_writer *w, const char *lines, size_t length)
{
	uint64_t room;
	size_t fit;

	if (w->max_size == 0)
		return length;
	for (int attempt = 0; attempt < 2; attempt++) {
		room = w->rotate_at > w->size ? w->rotate_at - w->size : 0;
		fit = length <= room ? length : whole_lines(lines, (size_t)room);
		if (fit > 0)
			return fit;
		if (w->size > 0 && attempt == 0)
			rotate(w);
	}
	return lcx__log_find_newline((const uint8_t *)lines, length) +
	       1; /* larger than a whole file */
}

int lcx__log_flush(struct lcx__log_writer *w)
{
	size_t at = 0;
	int r = 0;

	if (w->fd < 0)
		return -EBADF;
	while (at < w->used && r == 0) {
		size_t length = fitting_lines(w, w->buffer + at, w->used - at);

		r = write_lines(w, w->buffer + at, length);
		at += length;
	}
	if (at < w->used)
		drop(w, w->buffer + at, w->used - at, r);
	w->used = 0;
	return is_full_disk(r) ? 0 : r;
}

/* Spell a line into the buffer, which is flushed before if the line might not fit. */
static int emit(struct lcx__log_writer *w, enum lcx_log_stream stream, const uint8_t *data,
		size_t length, bool ended)
{
	char *out;
	int r = 0;

	if (sizeof(w->buffer) - w->used < 6 * length + LCX__LOG_LINE_OVERHEAD)
		r = lcx__log_flush(w);
	out = w->buffer + w->used;
	w->used += (uint32_t)(w->format == LCX_LOG_FORMAT_CRI
				      ? lcx__log_format_cri(out, data, length, ended, stream,
							    w->clock.text)
				      : lcx__log_format_json(out, data, length, ended, stream,
							     w->clock.text));
	return r;
}

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
	size_t rest = w->format == LCX_LOG_FORMAT_CRI ? 0 : lcx__log_unfinished_utf8(bytes, length);
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
	struct sys_timespec now = {0};

	(void)sys_clock_gettime(CLOCK_REALTIME_ID, &now);
	lcx__log_clock_set(&w->clock, now.tv_sec, (uint32_t)now.tv_nsec);
}

int lcx__log_write(struct lcx__log_writer *w, enum lcx_log_stream stream, const void *data,
		   size_t length)
{
	const uint8_t *at = data, *end = at + length;
	size_t index = stream - LCX_LOG_STREAM_STDOUT;
	int first_error = 0;

	if (!is_stream(stream))
		return -EINVAL;
	if (w->fd < 0)
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
	if (w->fd < 0)
		return -EBADF;
	if (w->pending[index].length > 0) {
		set_clock(w);
		r = emit(w, stream, w->pending[index].bytes, w->pending[index].length, false);
		w->pending[index].length = 0;
	}
	flushed = lcx__log_flush(w);
	return r < 0 ? r : flushed;
}

/* Files that an earlier, larger limit has left. */
static void remove_surplus(struct lcx__log_writer *w)
{
	for (uint32_t i = w->max_files; i < LCX__LOG_MAX_FILES; i++) {
		struct file_name name = name_of(w, i);

		if (sys_unlinkat(w->dir_fd, name.text, 0) < 0)
			return;
	}
}

static bool is_file_name(const char *name, size_t *ret_length)
{
	size_t length = 0;

	for (; length < LCX__LOG_NAME_SIZE && name[length] != '\0'; length++)
		if (name[length] == '/')
			return false;
	*ret_length = length;
	return length > 0 && length < LCX__LOG_NAME_SIZE && !(length == 1 && name[0] == '.') &&
	       !(length == 2 && name[0] == '.' && name[1] == '.');
}

void lcx__log_writer_init(struct lcx__log_writer *w)
{
	w->dir_fd = w->fd = -1;
	w->format = LCX_LOG_FORMAT_JSON_FILE;
	w->max_files = 1;
	w->max_size = w->size = w->rotate_at = 0;
	w->dropped_lines = w->dropped_bytes = w->rotations = w->failed_rotations = 0;
	w->last_error = 0;
	w->torn = false;
	w->name[0] = '\0';
	lcx__log_clock_init(&w->clock);
	for (size_t i = 0; i < LCX__LOG_STREAMS; i++)
		w->pending[i].length = 0;
	w->used = 0;
}

int lcx__log_writer_open(struct lcx__log_writer *w, int dir_fd, const char *name,
			 enum lcx_log_format format, uint64_t max_size, uint32_t max_files)
{
	size_t length;
	int r;

	if (w->fd >= 0)
		return -EBUSY;
	if (!is_file_name(name, &length) || max_files < 1 || max_files > LCX__LOG_MAX_FILES ||
	    (format != LCX_LOG_FORMAT_JSON_FILE && format != LCX_LOG_FORMAT_CRI))
		return -EINVAL;
	__builtin_memcpy(w->name, name, length + 1);
	w->dir_fd = dir_fd;
	w->format = format;
	w->max_size = max_size;
	w->max_files = max_files;
	r = open_file(w);
	if (r == 0 && max_size > 0)
		remove_surplus(w);
	return r;
}

int lcx__log_reopen(struct lcx__log_writer *w)
{
	int flushed = lcx__log_flush(w), r = flushed == -EBADF ? flushed : open_file(w);

	return r < 0 ? r : flushed;
}

int lcx__log_writer_close(struct lcx__log_writer *w)
{
	int out, err;

	if (w->fd < 0)
		return 0;
	out = lcx__log_end(w, LCX_LOG_STREAM_STDOUT);
	err = lcx__log_end(w, LCX_LOG_STREAM_STDERR);
	(void)sys_close(w->fd);
	w->fd = -1;
	return out < 0 ? out : err;
}
