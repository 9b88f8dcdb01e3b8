/* SPDX-License-Identifier: MIT */
#include "log/writer-internal.h"

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
 * When a file is full, or old, its name is made free by rotate.c.
 */

enum {
	OPEN_FLAGS = O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
	FILE_MODE = 0600, /* a log holds what a container says, and that may be secret */
};

_Static_assert((int)LCX__LOG_BUFFER_SIZE >= (int)LCX__LOG_LINE_MAX, "the largest line must fit");

static bool is_full_disk(int error)
{
	return error == -ENOSPC || error == -EDQUOT || error == -EFBIG;
}

static void drop_lines(struct lcx__log_writer *w, const char *lines, size_t length, int error)
{
	uint64_t n = 0;

	for (size_t i = 0; i < length; i++)
		n += lines[i] == '\n';
	lcx__log_drop(w, n, length, error);
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
	drop_lines(w, lines + kept, length - kept, (int)r);
	return (int)r;
}

static int64_t now_ns(const struct lcx__log_writer *w)
{
	struct sys_timespec now = w->now;

	if (now.tv_sec == 0)
		(void)sys_clock_gettime(0 /* CLOCK_REALTIME */, &now);
	return now.tv_sec * 1000000000 + now.tv_nsec;
}

static bool is_old(const struct lcx__log_writer *w)
{
	return w->config.max_age_ns > 0 && w->size > 0 &&
	       now_ns(w) - w->began_ns >= (int64_t)w->config.max_age_ns;
}

static int open_file(struct lcx__log_writer *w)
{
	struct lcx__log_file_name name = lcx__log_file_name(w, 0, false);
	struct sys_statx st = {0};
	char last = '\n';
	int r, fd;

	fd = sys_openat(w->dir_fd, name.text, OPEN_FLAGS, FILE_MODE);
	if (fd < 0)
		return fd;
	r = sys_statx(fd, "", AT_EMPTY_PATH, &st);
	if (r == 0 && !lcx__log_is_regular(&st))
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
	w->rotate_at = w->config.max_size_bytes;
	w->torn = last != '\n';
	w->began_ns = st.size > 0 && st.btime.sec > 0 ? st.btime.sec * 1000000000 + st.btime.nsec
						      : now_ns(w);
	return 0;
}

/* A rotation that fails costs no line: the file only grows on, by once more its size until the next
 * attempt. */
static void rotate(struct lcx__log_writer *w)
{
	int r = lcx__log_shift_files(w);

	if (r == 0)
		r = open_file(w);
	if (r == 0) {
		w->rotations++;
		w->packing.wanted = true;
		return;
	}
	w->failed_rotations++;
	w->last_error = r;
	w->began_ns = now_ns(w); /* and by age, after once more that time */
	w->rotate_at = w->size > UINT64_MAX - w->config.max_size_bytes
			       ? UINT64_MAX
			       : w->size + w->config.max_size_bytes;
}

/* How much of the buffer may go into the current file: all, or up to the border of the last line
 * that fits. */
static size_t fitting_lines(struct lcx__log_writer *w, const char *lines, size_t length)
{
	uint64_t room;
	size_t fit;

	if (w->config.max_size_bytes == 0)
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

int lcx__log_file_flush(struct lcx__log_writer *w)
{
	size_t at = 0;
	int r = 0;

	if (w->used > 0 && is_old(w))
		rotate(w);
	while (at < w->used && r == 0) {
		size_t length = fitting_lines(w, w->buffer + at, w->used - at);

		r = write_lines(w, w->buffer + at, length);
		at += length;
	}
	if (at < w->used)
		drop_lines(w, w->buffer + at, w->used - at, r);
	w->used = 0;
	lcx__log_pack(w);
	return is_full_disk(r) ? 0 : r;
}

/* Spell a line into the buffer, which is flushed before if the line might not fit. */
int lcx__log_file_emit(struct lcx__log_writer *w, enum lcx_log_stream stream, const uint8_t *data,
		       size_t length, bool ended)
{
	char *out;
	int r = 0;

	if (sizeof(w->buffer) - w->used <
	    6 * length + LCX__LOG_LINE_OVERHEAD + w->config.context_length)
		r = lcx__log_file_flush(w);
	out = w->buffer + w->used;
	w->used += (uint32_t)(w->config.format == LCX_LOG_FORMAT_CRI
				      ? lcx__log_format_cri(out, data, length, ended, stream,
							    w->clock.text)
				      : lcx__log_format_json(out, data, length, ended, stream,
							     w->clock.text, w->context,
							     w->config.context_length));
	return r;
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

int lcx__log_file_open(struct lcx__log_writer *w)
{
	size_t length;
	int r;

	if (!is_file_name(w->config.name, &length) || w->config.max_files < 1 ||
	    w->config.max_files > LCX__LOG_MAX_FILES ||
	    (w->config.format != LCX_LOG_FORMAT_JSON_FILE &&
	     w->config.format != LCX_LOG_FORMAT_CRI))
		return -EINVAL;
	r = open_file(w);
	if (r == 0 && (w->config.max_size_bytes > 0 || w->config.max_age_ns > 0))
		lcx__log_remove_surplus(w);
	/* What the writer before this one did not come to. */
	w->packing.wanted = r == 0;
	return r;
}

int lcx__log_file_reopen(struct lcx__log_writer *w)
{
	int flushed = lcx__log_file_flush(w), r = open_file(w);

	return r < 0 ? r : flushed;
}
