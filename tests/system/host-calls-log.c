/* SPDX-License-Identifier: MIT */
#include "host-calls.h"

static struct lcx_log *log_file;
static struct lcx_log_reader *reader;

static int open_log(struct world *w, struct lcx_error **err)
{
	MUST(lcx_log_new(&log_file, err));
	MUST(lcx_log_set_format(log_file, LCX_LOG_FORMAT_JSON_FILE, err));
	MUST(lcx_log_set_rotation(log_file, 4096, 2, err));
	MUST(lcx_log_set_max_age(log_file, 3600000, err));
	EITHER(lcx_log_set_compression(log_file, 1, err));
	return lcx_log_open(log_file, w->dir_fd, "log", err);
}

static int write_log(struct world *w, struct lcx_error **err)
{
	(void)w;
	for (int i = 0; i < 200; i++)
		MUST(lcx_log_write(log_file, LCX_LOG_STREAM_STDOUT, "a line\n", 7, err));
	MUST(lcx_log_write(log_file, LCX_LOG_STREAM_STDERR, "half", 4, err));
	MUST(lcx_log_flush(log_file, err));
	MUST(lcx_log_end(log_file, LCX_LOG_STREAM_STDERR, err));
	MUST(lcx_log_reopen(log_file, err));
	(void)lcx_log_fd(log_file), (void)lcx_log_compressed(log_file);
	(void)lcx_log_dropped_lines(log_file), (void)lcx_log_dropped_bytes(log_file);
	return lcx_log_rotations(log_file) > 0 ? 0 : -EINVAL;
}

static void count_line(void *data, enum lcx_log_stream stream, int64_t time_ns, const char *text,
		       size_t length, int32_t partial)
{
	(void)stream, (void)time_ns, (void)text, (void)length, (void)partial;
	(*(int *)data)++;
}

static int call_log(struct world *w, struct lcx_error **err)
{
	struct lcx_log *other = NULL;
	int lines = 0;

	(void)w;
	MUST(lcx_log_new(&other, err));
	MUST(lcx_log_open_callback(other, count_line, &lines, err));
	MUST(lcx_log_write(other, LCX_LOG_STREAM_STDOUT, "one\ntwo\nthree", 13, err));
	lcx_log_free(other);
	return lines == 3 ? 0 : -EINVAL;
}

static int refuse_logs(struct world *w, struct lcx_error **err)
{
	struct lcx_log *other = NULL;
	struct lcx_log_reader *none = NULL;

	MUST(lcx_log_new(&other, err));
	REFUSED(lcx_log_set_format(other, (enum lcx_log_format)77, err));
	REFUSED(lcx_log_open(other, w->dir_fd, "no/such/log", err));
	REFUSED(lcx_log_open(other, -1, "log", err));
	REFUSED(lcx_log_write(other, LCX_LOG_STREAM_STDOUT, "x", 1, err));
	REFUSED(lcx_log_reader_open(w->dir_fd, "none", &none, err));
	lcx_log_free(other);
	return 0;
}

static int read_log(struct world *w, struct lcx_error **err)
{
	int r;

	MUST(lcx_log_reader_open(w->dir_fd, "log", &reader, err));
	MUST(lcx_log_reader_set_since(reader, 0, err));
	MUST(lcx_log_reader_set_tail(reader, 10, err));
	while ((r = lcx_log_reader_next(reader, err)) > 0) {
		(void)lcx_log_reader_stream(reader), (void)lcx_log_reader_time_ns(reader);
		(void)lcx_log_reader_text(reader), (void)lcx_log_reader_length(reader);
		(void)lcx_log_reader_partial(reader);
	}
	MUST(r);
	(void)lcx_log_reader_skipped(reader), (void)lcx_log_reader_gaps(reader);
	reader = lcx_log_reader_free(reader);
	return 0;
}

static int follow_log(struct world *w, struct lcx_error **err)
{
	MUST(lcx_log_reader_open(w->dir_fd, "log", &reader, err));
	MUST(lcx_log_reader_set_follow(reader, err));
	EITHER(lcx_log_reader_set_until(reader, INT64_MAX, err));
	while (lcx_log_reader_next(reader, err) > 0)
		;
	MUST(lcx_log_reader_fd(reader));
	return lcx_log_reader_wait(reader, 10, err);
}

static int free_log(struct world *w, struct lcx_error **err)
{
	(void)w, (void)err;
	reader = lcx_log_reader_free(reader);
	log_file = lcx_log_free(log_file);
	return 0;
}

const struct row rows_log[] = {
	ROW(open_log, HELD), ROW(write_log, HELD),  ROW(call_log, HELD),     ROW(refuse_logs, HELD),
	ROW(read_log, HELD), ROW(follow_log, HELD), ROW(free_log, RELEASED), {0},
};
