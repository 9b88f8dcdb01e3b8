/* SPDX-License-Identifier: MIT */
#ifndef LCX_LOG_H
#define LCX_LOG_H

#include <lcx/error.h>

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Logs of containers: what a process wrote to its stdout and stderr, kept line
 * by line with the time, in the files that other tools read as well. This
 * module needs no context and no privilege; a program may use it for any
 * output, and may read the logs that Docker or a Kubernetes runtime wrote.
 */

enum lcx_log_stream {
	LCX_LOG_STREAM_STDOUT = 1,
	LCX_LOG_STREAM_STDERR = 2,
};

/**
 * enum lcx_log_format - how a line stands in the file
 * @LCX_LOG_FORMAT_JSON_FILE: Docker's json-file: one object per line,
 *      {"log":"text\n","stream":"stdout","time":"2026-01-31T23:59:59.000000001Z"}.
 *      JSON holds text only: each byte that is not part of valid UTF-8 is stored as U+FFFD.
 * @LCX_LOG_FORMAT_CRI: what the kubelet reads: "TIME STREAM TAG bytes", with the
 *      tag P for a part of a line and F for its end. Keeps every byte.
 *
 * In both, a line longer than 16 KiB is stored in parts of 16 KiB (in json-file up
 * to three bytes less, so that no character is cut in two); and output that ends
 * without a newline ends without one in the log.
 */
enum lcx_log_format {
	LCX_LOG_FORMAT_JSON_FILE = 1,
	LCX_LOG_FORMAT_CRI = 2,
};

/**
 * lcx_log_fn - a log of the caller's own: called with each line, or part of one
 * @data:    as it was given
 * @time_ns: since 1970, UTC
 * @text:    @length bytes, without the newline, which is not a string; valid during the call
 * @partial: 1 if the line goes on in the stream's next call, or never had an end
 *
 * In the thread that calls lcx_dispatch(), lcx_process_dispatch() or whatever waits for the process
 * or writes to the log. It must not call these in turn for the same handle.
 */
typedef void (*lcx_log_fn)(void *data, enum lcx_log_stream stream, int64_t time_ns,
			   const char *text, size_t length, int32_t partial);

/**
 * struct lcx_log - a log that is written
 *
 * One writer per file: a second one would cut the first one's lines in two. One thread at a
 * time per handle. Nothing is written behind the caller's back: there is no
 * thread, and no flush by time.
 */
struct lcx_log;

/**
 * lcx_log_new() - a writer without a file yet: json-file, no rotation
 * @ret: the handle, owned by the caller; untouched on failure
 * @err: the failure in words, or NULL
 *
 * The handle is about 160 KiB large, and allocates nothing later.
 *
 * Return: 0 or -ENOMEM.
 */
int lcx_log_new(struct lcx_log **ret, struct lcx_error **err);

/** lcx_log_set_format() - before lcx_log_open(); -EINVAL for a format that is none, -EBUSY once
 * open */
int lcx_log_set_format(struct lcx_log *log, enum lcx_log_format format, struct lcx_error **err);

/**
 * lcx_log_set_rotation() - limit the size of a file, and the number of files
 * @max_size_bytes: a file is closed before the line that would make it larger; 0: no limit
 * @max_files:      how many files to keep, the current one included; at least 1
 *
 * When "NAME" is full it becomes "NAME.1", and what was "NAME.1" becomes
 * "NAME.2"; beyond @max_files the oldest is removed. A line is never divided
 * between files, and is never lost to a reader that follows.
 *
 * Return: 0; -EINVAL for @max_files of 0 or above 1000, -EBUSY once the log is open.
 */
int lcx_log_set_rotation(struct lcx_log *log, uint64_t max_size_bytes, uint32_t max_files,
			 struct lcx_error **err);

/**
 * lcx_log_set_max_age() - also begin a new file when the current one is @max_age_ms old; 0: never
 *
 * With the first line that comes then; an empty file has no age. Return: 0; -EINVAL for an age of
 * more than 292 years, -EBUSY once the log is open.
 */
int lcx_log_set_max_age(struct lcx_log *log, uint64_t max_age_ms, struct lcx_error **err);

/**
 * lcx_log_set_compression() - with 1, "NAME.1" becomes "NAME.1.gz" and so on, as gzip(1) does it
 *
 * By a program that the library carries along and starts for one file at a time: a child of this
 * process with the lowest priority and no more than the two files, which nobody waits for. It is
 * looked after when the log is flushed; a program that has nothing to write for long
 * flushes when lcx_log_fd() is readable. lcx_log_free() ends it. What was not compressed by then,
 * or for want of room on the disk, stays as it is, until the log is opened or rotated again. At
 * any moment each line can be read once.
 *
 * Return: 0; -EOPNOTSUPP of a library without zlib, which comes with the images; -EBUSY once the
 * log is open.
 */
int lcx_log_set_compression(struct lcx_log *log, int32_t compress, struct lcx_error **err);

/**
 * lcx_log_open() - create the file, or go on with the one that is there
 * @dir_fd: the directory; duplicated, so the caller may close it. AT_FDCWD works too
 * @name:   a single path component of at most 127 bytes
 *
 * A symbolic link or anything but a regular file is refused. A half line at the end,
 * left by a crash, is closed with a newline; readers skip it.
 *
 * Return: 0; -EINVAL for a bad @name, -ELOOP for a symbolic link, -EBUSY when already
 * open, else what openat(2) reported.
 */
int lcx_log_open(struct lcx_log *log, int dir_fd, const char *name, struct lcx_error **err);

/**
 * lcx_log_open_callback() - have a function called with each line, instead of a file
 *
 * Format and rotation mean nothing then. Return: 0; -EINVAL without @fn, -EBUSY when already open.
 */
int lcx_log_open_callback(struct lcx_log *log, lcx_log_fn fn, void *data, struct lcx_error **err);

/**
 * lcx_log_write() - take some output of a stream, as it came
 * @data: any bytes, cut anywhere; copied
 *
 * Whole lines are buffered, and written when the buffer is full; call
 * lcx_log_flush() when there is no more input for now. A full disk does not fail the call:
 * whole lines are dropped and counted, so that the container goes on. (A program that limits its
 * file size, RLIMIT_FSIZE, must ignore SIGXFSZ for that.)
 *
 * Return: 0; -EINVAL for a stream that is none, -EBADF before lcx_log_open(), else
 * what write(2) reported: the lines that could not be stored are dropped and counted.
 */
int lcx_log_write(struct lcx_log *log, enum lcx_log_stream stream, const void *data, size_t length,
		  struct lcx_error **err);

/** lcx_log_flush() - bring the buffered lines into the file, with one write(2) if no rotation is
 * due */
int lcx_log_flush(struct lcx_log *log, struct lcx_error **err);

/**
 * lcx_log_fd() - borrow a descriptor to poll for POLLIN, upon which lcx_log_flush() is due
 *
 * Another one after each flush. Return: -1 when nothing is being compressed.
 */
int lcx_log_fd(const struct lcx_log *log);

/** lcx_log_end() - a stream has ended: store its unfinished last line, and flush */
int lcx_log_end(struct lcx_log *log, enum lcx_log_stream stream, struct lcx_error **err);

/**
 * lcx_log_reopen() - go on in a new file, after another program has renamed the current one
 *
 * As logrotate and the kubelet do. Return: 0, or what openat(2) reported; then the
 * renamed file is written further.
 */
int lcx_log_reopen(struct lcx_log *log, struct lcx_error **err);

/** lcx_log_dropped_lines() - how many lines (or parts of a long one) could not be stored so far */
uint64_t lcx_log_dropped_lines(const struct lcx_log *log);

/** lcx_log_dropped_bytes() - the same in bytes, as they would stand in the file */
uint64_t lcx_log_dropped_bytes(const struct lcx_log *log);

/** lcx_log_rotations() - how often the file was rotated by this handle */
uint64_t lcx_log_rotations(const struct lcx_log *log);

/** lcx_log_compressed() - how many rotated files this handle has compressed */
uint64_t lcx_log_compressed(const struct lcx_log *log);

/**
 * lcx_log_free() - end both streams, flush and close; NULL is accepted, NULL is returned
 *
 * A caller who must know whether the last bytes were stored calls lcx_log_end() before.
 */
struct lcx_log *lcx_log_free(struct lcx_log *log);

/**
 * struct lcx_log_reader - a log that is read, through all its files, oldest line first
 *
 * Reads both formats, whichever a line is in, in files as they were written or compressed by gzip.
 * One thread at a time per handle. Any number of readers, in any processes, may read a log while it
 * is written and rotated.
 */
struct lcx_log_reader;

/**
 * lcx_log_reader_open() - attach to the log "NAME" and its rotated files "NAME.1", "NAME.2.gz" ...
 * @dir_fd: the directory; duplicated. AT_FDCWD works too
 * @name:   a single path component
 * @ret:    the reader, owned by the caller; untouched on failure
 *
 * Return: 0; -ENOENT when no file of the log exists, -EINVAL for a bad @name, -ELOOP
 * for a symbolic link, else what openat(2) reported.
 */
int lcx_log_reader_open(int dir_fd, const char *name, struct lcx_log_reader **ret,
			struct lcx_error **err);

/**
 * lcx_log_reader_set_since() - skip what is older than @time_ns
 *
 * Nanoseconds since 1970, UTC, as lcx_log_reader_time_ns() returns them; inclusive. Like all
 * setters of a reader: before the first lcx_log_reader_next(), else -EBUSY.
 */
int lcx_log_reader_set_since(struct lcx_log_reader *reader, int64_t time_ns,
			     struct lcx_error **err);

/** lcx_log_reader_set_until() - skip what is newer than @time_ns; inclusive */
int lcx_log_reader_set_until(struct lcx_log_reader *reader, int64_t time_ns,
			     struct lcx_error **err);

/**
 * lcx_log_reader_set_tail() - begin with the last @lines lines that are there now
 *
 * They are looked for from the end; the rest of the log is not read, but of a compressed file all.
 * 0 means none: with following, only what is new. The times are applied afterwards, as `docker
 * logs` does.
 */
int lcx_log_reader_set_tail(struct lcx_log_reader *reader, uint64_t lines, struct lcx_error **err);

/**
 * lcx_log_reader_set_follow() - wait for more at the end
 *
 * Uses one inotify instance. Return: 0; -EMFILE when the user has no more
 * (fs.inotify.max_user_instances).
 */
int lcx_log_reader_set_follow(struct lcx_log_reader *reader, struct lcx_error **err);

/**
 * lcx_log_reader_next() - step to the next entry
 *
 * Never blocks. An entry is a line, or a part of a line (lcx_log_reader_partial()).
 * Lines that are damaged, or longer than 256 KiB in the file, are skipped and counted; so is, once,
 * what follows the place where a compressed file is damaged.
 *
 * Return: 1 for an entry, which the functions below then describe; 0 for no more: for
 * ever, or when following, until lcx_log_reader_fd() is readable; else a
 * negative errno as read(2) reported it.
 */
int lcx_log_reader_next(struct lcx_log_reader *reader, struct lcx_error **err);

/**
 * lcx_log_reader_wait() - block until lcx_log_reader_next() may find more
 * @timeout_ms: 0 to look only, -1 for ever
 *
 * Return: 1 when there may be more, 0 on timeout; -EINVAL when not following, -EINTR.
 */
int lcx_log_reader_wait(struct lcx_log_reader *reader, int32_t timeout_ms, struct lcx_error **err);

/** lcx_log_reader_fd() - borrow a descriptor to poll for POLLIN when following; -1 when not */
int lcx_log_reader_fd(const struct lcx_log_reader *reader);

/** lcx_log_reader_stream() - where the current entry came from; 0 before the first */
enum lcx_log_stream lcx_log_reader_stream(const struct lcx_log_reader *reader);

/** lcx_log_reader_time_ns() - when it was written, in nanoseconds since 1970, UTC */
int64_t lcx_log_reader_time_ns(const struct lcx_log_reader *reader);

/**
 * lcx_log_reader_text() - the bytes of the current entry, as the process wrote them
 *
 * With the final newline, unless lcx_log_reader_partial(): all entries of one stream, one
 * after the other, are that stream. Not a string: there is no NUL byte behind it, and may be
 * some in it. Valid until the next lcx_log_reader_next().
 */
const char *lcx_log_reader_text(const struct lcx_log_reader *reader);

/** lcx_log_reader_length() - the number of bytes of lcx_log_reader_text() */
size_t lcx_log_reader_length(const struct lcx_log_reader *reader);

/** lcx_log_reader_partial() - 1 if the line goes on in the stream's next entry, else 0 */
int lcx_log_reader_partial(const struct lcx_log_reader *reader);

/** lcx_log_reader_skipped() - how many damaged lines were skipped so far */
uint64_t lcx_log_reader_skipped(const struct lcx_log_reader *reader);

/**
 * lcx_log_reader_gaps() - how often rotation removed, or cut off, the file that was being read
 *
 * A file that is removed is read to its end, but others between it and the next one may be gone.
 * Happens to a reader that is slower than all rotations that the log's files last for.
 */
uint64_t lcx_log_reader_gaps(const struct lcx_log_reader *reader);

/** lcx_log_reader_free() - close; NULL is accepted, NULL is returned */
struct lcx_log_reader *lcx_log_reader_free(struct lcx_log_reader *reader);

#ifdef __cplusplus
}
#endif

#endif /* LCX_LOG_H */
