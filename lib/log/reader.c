/* SPDX-License-Identifier: MIT */
#include "lcx/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log/gunzip.h"
#include "log/log-internal.h"
#include "util/cleanup.h"
#include "util/error.h"
#include "util/fs.h"

/*
 * The reader goes through the chain of files (see chain.c) with one of them open. At its
 * end it looks for a younger one. If there is one, the writer is done with this one, but may have
 * written to it after the end was seen; so it is read to its end once more before it is
 * left. When following, the inotify queue is emptied before the last read,
 * never after it: an event in between makes the descriptor readable again.
 */
struct lcx_log_reader {
	struct lcx__log_chain chain;
	struct lcx__log_file file; /* what is read */
	struct lcx__log_file
		younger; /* what is read next, once that is exhausted; fd -1 for none */
	int inotify_fd;
	struct lcx__gunzip *gz; /* of that file, once it is read and if it is compressed */
	bool started, has_tail;
	bool overlong; /* in the middle of a line that is too long to keep */
	int64_t since_ns, until_ns;
	uint64_t tail;
	uint64_t skipped, gaps;
	struct lcx__log_record entry;
	size_t start, end; /* what was read and is not parsed yet */
	char buffer[LCX__LOG_RECORD_MAX];
};

DEFINE_CLEANUP(struct lcx_log_reader *, lcx_log_reader_free)

static int check_name(const char *name, struct lcx_error **err)
{
	size_t length = strlen(name);

	if (length == 0 || length >= LCX__LOG_NAME_SIZE || strchr(name, '/') ||
	    strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return lcx__fail(err, EINVAL,
				 "'%s' cannot name a log: it must be one path component of at most "
				 "%d bytes",
				 name, LCX__LOG_NAME_SIZE - 1);
	return 0;
}

LCX_PUBLIC int lcx_log_reader_open(int dir_fd, const char *name, struct lcx_log_reader **ret,
				   struct lcx_error **err)
{
	CLEANUP(lcx_log_reader_freep) struct lcx_log_reader *reader = NULL;
	int r = check_name(name, err);

	if (r < 0)
		return r;
	reader = malloc(sizeof(*reader));
	if (!reader)
		return lcx__fail_nomem(err);
	memset(reader, 0, offsetof(struct lcx_log_reader, buffer));
	reader->file.fd = reader->younger.fd = reader->inotify_fd = reader->chain.dir_fd = -1;
	reader->since_ns = INT64_MIN;
	reader->until_ns = INT64_MAX;
	(void)snprintf(reader->chain.name, sizeof(reader->chain.name), "%s", name);
	reader->chain.dir_fd = lcx__open_dir(dir_fd, ".");
	if (reader->chain.dir_fd < 0)
		return lcx__fail_sys(err, -reader->chain.dir_fd, "open the directory of log '%s'",
				     name);
	r = lcx__log_chain_oldest(&reader->chain, &reader->file);
	if (r < 0)
		return lcx__fail_sys(err, -r, "open log '%s'", name);
	*ret = TAKE_PTR(reader);
	return 0;
}

static int check_not_started(const struct lcx_log_reader *reader, struct lcx_error **err)
{
	if (reader->started)
		return lcx__fail(err, EBUSY,
				 "log '%s' is being read already: choose what to read before",
				 reader->chain.name);
	return 0;
}

LCX_PUBLIC int lcx_log_reader_set_since(struct lcx_log_reader *reader, int64_t time_ns,
					struct lcx_error **err)
{
	int r = check_not_started(reader, err);

	if (r == 0)
		reader->since_ns = time_ns;
	return r;
}

LCX_PUBLIC int lcx_log_reader_set_until(struct lcx_log_reader *reader, int64_t time_ns,
					struct lcx_error **err)
{
	int r = check_not_started(reader, err);

	if (r == 0)
		reader->until_ns = time_ns;
	return r;
}

LCX_PUBLIC int lcx_log_reader_set_tail(struct lcx_log_reader *reader, uint64_t lines,
				       struct lcx_error **err)
{
	int r = check_not_started(reader, err);

	if (r == 0) {
		reader->has_tail = true;
		reader->tail = lines;
	}
	return r;
}

static int fail_read(const struct lcx_log_reader *reader, int r, struct lcx_error **err)
{
	return lcx__fail_sys(err, -r, "read log '%s'", reader->chain.name);
}

/* The directory is watched, not the file: that also tells of a new file after a rotation. */
LCX_PUBLIC int lcx_log_reader_set_follow(struct lcx_log_reader *reader, struct lcx_error **err)
{
	CLEANUP(closep) int fd = -1;
	char path[32];
	int r = check_not_started(reader, err);

	if (r < 0 || reader->inotify_fd >= 0)
		return r;
	fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (fd < 0 && errno == EMFILE)
		return lcx__fail(err, EMFILE,
				 "no inotify instance left to follow log '%s': raise "
				 "fs.inotify.max_user_instances, or the limit of open files",
				 reader->chain.name);
	if (fd < 0)
		return lcx__fail_sys(err, errno, "make an inotify instance");
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", reader->chain.dir_fd);
	if (inotify_add_watch(fd, path, IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0)
		return lcx__fail_sys(err, errno, "watch the directory of log '%s'",
				     reader->chain.name);
	reader->inotify_fd = TAKE_FD(fd);
	return 0;
}

/* What is held open is compressed: begin with it. */
static int need_gunzip(struct lcx_log_reader *reader, struct lcx_error **err)
{
	int r = reader->gz ? 0 : lcx__gunzip_new(reader->file.fd, &reader->gz, err);

	return lcx__fail_prefix(err, r, "read log '%s'", reader->chain.name);
}

/* The buffer is empty yet. */
static int skip_packed(struct lcx_log_reader *reader, int64_t length, struct lcx_error **err)
{
	int r = need_gunzip(reader, err);

	while (r == 0 && length > 0) {
		size_t wanted = length < (int64_t)sizeof(reader->buffer) ? (size_t)length
									 : sizeof(reader->buffer);
		ssize_t n = lcx__gunzip_read(reader->gz, reader->buffer, wanted);

		if (n < 0)
			return fail_read(reader, (int)n, err);
		if (n == 0)
			break;
		length -= n;
	}
	return r;
}

static int start(struct lcx_log_reader *reader, struct lcx_error **err)
{
	CLEANUP(lcx_error_freep) struct lcx_error *why = NULL;
	struct lcx__log_file file;
	int64_t offset = 0;
	int r;

	reader->started = true;
	if (!reader->has_tail)
		return 0;
	r = lcx__log_find_tail(&reader->chain, reader->tail, &file, &offset, &why);
	if (r == -ENOENT) /* all files have gone; go on with the one that is held open */
		return 0;
	if (r < 0 && why)
		return lcx__fail(err, -r, "read log '%s': %s", reader->chain.name,
				 lcx_error_message(why));
	if (r < 0)
		return lcx__fail_sys(err, -r, "look for the end of log '%s'", reader->chain.name);
	closep(&reader->file.fd);
	reader->file = file;
	if (file.packed)
		return skip_packed(reader, offset, err);
	if (lseek(file.fd, (off_t)offset, SEEK_SET) < 0)
		return lcx__fail_sys(err, errno, "go to the end of log '%s'", reader->chain.name);
	return 0;
}

/* Parse what is in the buffer. Return: 1 for an entry, 0 if the buffer holds no whole line. */
static int next_record(struct lcx_log_reader *reader)
{
	char *line, *newline;

	while ((newline = memchr(reader->buffer + reader->start, '\n',
				 reader->end - reader->start)) != NULL) {
		line = reader->buffer + reader->start;
		reader->start = (size_t)(newline + 1 - reader->buffer);
		if (reader->overlong) {
			reader->overlong = false;
			continue;
		}
		if (lcx__log_parse(line, (size_t)(newline + 1 - line), &reader->entry) < 0) {
			reader->skipped++;
			continue;
		}
		if (reader->entry.time_ns >= reader->since_ns &&
		    reader->entry.time_ns <= reader->until_ns)
			return 1;
	}
	return 0;
}

/* Make room behind the half line in the buffer; one that fills it alone is given up. */
static void make_room(struct lcx_log_reader *reader)
{
	size_t length = reader->end - reader->start;

	if (length == sizeof(reader->buffer) && !reader->overlong) {
		reader->overlong = true;
		reader->skipped++;
	}
	if (reader->overlong)
		length = 0;
	memmove(reader->buffer, reader->buffer + reader->start, length);
	reader->start = 0;
	reader->end = length;
}

static ssize_t read_packed(struct lcx_log_reader *reader, void *buffer, size_t size,
			   struct lcx_error **err)
{
	ssize_t r = need_gunzip(reader, err);

	if (r < 0)
		return r;
	r = lcx__gunzip_read(reader->gz, buffer, size);
	return r < 0 ? fail_read(reader, (int)r, err) : r;
}

static ssize_t read_plain(struct lcx_log_reader *reader, void *buffer, size_t size,
			  struct lcx_error **err)
{
	ssize_t r;

	do
		r = read(reader->file.fd, buffer, size);
	while (r < 0 && errno == EINTR);
	return r < 0 ? fail_read(reader, -errno, err) : r;
}

static ssize_t fill(struct lcx_log_reader *reader, struct lcx_error **err)
{
	size_t size;
	char *at;
	ssize_t r;

	make_room(reader);
	at = reader->buffer + reader->end;
	size = sizeof(reader->buffer) - reader->end;
	r = reader->file.packed ? read_packed(reader, at, size, err)
				: read_plain(reader, at, size, err);
	if (r > 0)
		reader->end += (size_t)r;
	return r;
}

static void drain_events(const struct lcx_log_reader *reader)
{
	char events[4096];

	while (reader->inotify_fd >= 0 && read(reader->inotify_fd, events, sizeof(events)) > 0)
		;
}

static void switch_file(struct lcx_log_reader *reader)
{
	if (reader->end > reader->start || (reader->gz && lcx__gunzip_is_damaged(reader->gz)))
		reader->skipped++; /* a half line that nobody will finish, or more */
	reader->gz = lcx__gunzip_free(reader->gz);
	reader->start = reader->end = 0;
	reader->overlong = false;
	closep(&reader->file.fd);
	reader->file = reader->younger;
	reader->younger.fd = -1;
}

/*
 * Some writers, Docker's with a single file among them, begin anew by cutting the file off. What
 * they wrote before and was not read yet is gone.
 */
static bool begin_anew(struct lcx_log_reader *reader)
{
	off_t position = lseek(reader->file.fd, 0, SEEK_CUR);
	struct stat st;

	if (reader->file.packed || fstat(reader->file.fd, &st) < 0 || st.st_size >= position ||
	    lseek(reader->file.fd, 0, SEEK_SET) < 0)
		return false;
	reader->start = reader->end = 0;
	reader->overlong = false;
	reader->gaps++;
	return true;
}

/*
 * At the end of the file: step on to a younger one, or find that there is one. Return: 1 if
 * reading must be tried again, 0 at the end of the log.
 */
static int advance(struct lcx_log_reader *reader)
{
	bool gap = false;
	int r;

	if (reader->younger.fd >= 0) {
		switch_file(reader);
		return 1;
	}
	r = lcx__log_chain_younger(&reader->chain, &reader->file, &reader->younger, &gap);
	if (r < 0)
		return r == -ENOENT || r == -EAGAIN ? begin_anew(reader) : r;
	reader->gaps += gap;
	return 1;
}

LCX_PUBLIC int lcx_log_reader_next(struct lcx_log_reader *reader, struct lcx_error **err)
{
	bool drained = reader->inotify_fd < 0;
	int r = 0;

	if (!reader->started)
		r = start(reader, err);
	if (r < 0)
		return r;
	while (next_record(reader) == 0) {
		ssize_t length = fill(reader, err);

		if (length < 0)
			return (int)length;
		if (length > 0)
			continue;
		if (!drained) {
			drain_events(reader);
			drained = true;
			continue;
		}
		r = advance(reader);
		if (r < 0)
			return lcx__fail_sys(err, -r, "open the next file of log '%s'",
					     reader->chain.name);
		if (r == 0)
			return 0;
	}
	return 1;
}

LCX_PUBLIC int lcx_log_reader_wait(struct lcx_log_reader *reader, int32_t timeout_ms,
				   struct lcx_error **err)
{
	struct pollfd pollfd = {.fd = reader->inotify_fd, .events = POLLIN};
	int r;

	if (reader->inotify_fd < 0)
		return lcx__fail(err, EINVAL,
				 "log '%s' is not followed: there is nothing to wait for",
				 reader->chain.name);
	r = poll(&pollfd, 1, timeout_ms);
	if (r < 0)
		return lcx__fail_sys(err, errno, "wait for log '%s'", reader->chain.name);
	return r > 0;
}

LCX_PUBLIC int lcx_log_reader_fd(const struct lcx_log_reader *reader)
{
	return reader->inotify_fd;
}

LCX_PUBLIC enum lcx_log_stream lcx_log_reader_stream(const struct lcx_log_reader *reader)
{
	return reader->entry.stream;
}

LCX_PUBLIC int64_t lcx_log_reader_time_ns(const struct lcx_log_reader *reader)
{
	return reader->entry.time_ns;
}

LCX_PUBLIC const char *lcx_log_reader_text(const struct lcx_log_reader *reader)
{
	return reader->entry.text ? reader->entry.text : "";
}

LCX_PUBLIC size_t lcx_log_reader_length(const struct lcx_log_reader *reader)
{
	return reader->entry.length;
}

LCX_PUBLIC int lcx_log_reader_partial(const struct lcx_log_reader *reader)
{
	return reader->entry.partial;
}

LCX_PUBLIC uint64_t lcx_log_reader_skipped(const struct lcx_log_reader *reader)
{
	return reader->skipped;
}

LCX_PUBLIC uint64_t lcx_log_reader_gaps(const struct lcx_log_reader *reader)
{
	return reader->gaps;
}

LCX_PUBLIC struct lcx_log_reader *lcx_log_reader_free(struct lcx_log_reader *reader)
{
	if (reader) {
		(void)lcx__gunzip_free(reader->gz);
		closep(&reader->file.fd);
		closep(&reader->younger.fd);
		closep(&reader->inotify_fd);
		closep(&reader->chain.dir_fd);
		free(reader);
	}
	return NULL;
}
