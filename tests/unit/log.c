/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "lcx/log.h"
#include "lcx/version.h"
#include "log/log-internal.h"
#include "util/str.h"

#define TIME_TEXT "2026-01-31T23:59:59.000000001Z"
#define TIME_NS   ((int64_t)1769903999 * 1000000000 + 1)

static struct unit_dir dir;

static void set_up(void)
{
	unit_dir_make(&dir);
}

static void tear_down(void)
{
	unit_dir_remove(&dir);
}

/* ---- how a line is spelled ---- */

/* What Docker's encoder makes of it: each row was checked against its rules, not against our code.
 */
static const struct {
	const char *bytes;
	size_t length;
	const char *json;
} escapes[] = {
	{"plain", 5, "plain"},
	{"", 0, ""},
	{"\"\\/", 3, "\\\"\\\\/"},
	{"a\rb\tc\bd\fe\0f\x1b[0m\x7f", 16, "a\\rb\\u0009c\\u0008d\\u000ce\\u0000f\\u001b[0m\x7f"},
	{"<a href=\"x\">&amp;", 17, "\\u003ca href=\\\"x\\\"\\u003e\\u0026amp;"},
	{"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xb3", 14,
	 "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xb3"},
	{"\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa", 9, "\\u2028\\u2029\xe2\x80\xaa"},
	{"\xff\xfe", 2, "\\ufffd\\ufffd"},
	{"\xc0\xaf", 2, "\\ufffd\\ufffd"},                       /* overlong */
	{"\xed\xa0\x80", 3, "\\ufffd\\ufffd\\ufffd"},            /* a surrogate */
	{"\xf4\x90\x80\x80", 4, "\\ufffd\\ufffd\\ufffd\\ufffd"}, /* above U+10FFFF */
	{"\xe2\x82", 2, "\\ufffd\\ufffd"},                       /* cut off */
	{"\xe2\x82x", 3, "\\ufffd\\ufffdx"},
	{"\xef\xbf\xbd", 3, "\xef\xbf\xbd"}, /* U+FFFD itself */
	{"01234567<abcdefg>hijklmn&opqrstu\"", 33,
	 "01234567\\u003cabcdefg\\u003ehijklmn\\u0026opqrstu\\\""},
};

START_TEST(json_is_spelled_as_docker_does)
{
	char out[512], expected[512];
	size_t length;

	length = lcx__log_format_json(out, (const uint8_t *)escapes[_i].bytes, escapes[_i].length,
				      true, LCX_LOG_STREAM_STDERR, TIME_TEXT, NULL, 0);
	(void)snprintf(expected, sizeof(expected),
		       "{\"log\":\"%s\\n\",\"stream\":\"stderr\",\"time\":\"" TIME_TEXT "\"}\n",
		       escapes[_i].json);
	ck_assert_uint_eq(length, strlen(expected));
	ck_assert(memcmp(out, expected, length) == 0);
}
END_TEST

static void check_byte_at(uint8_t byte, size_t place, size_t size)
{
	uint8_t line[48];
	char out[512];
	struct lcx__log_record record;
	size_t length;

	memset(line, 'x', sizeof(line));
	/* What stands behind the line must not count. */
	memset(line + size, '\n', sizeof(line) - size);
	line[place] = byte;
	ck_assert_uint_eq(lcx__log_find_newline(line, size), byte == '\n' ? place : size);
	length = lcx__log_format_json(out, line, size, true, LCX_LOG_STREAM_STDOUT, TIME_TEXT, NULL,
				      0);
	ck_assert_ok(lcx__log_parse(out, length, &record));
	if (byte < 0x80) {
		ck_assert_uint_eq(record.length, size + 1);
		ck_assert(memcmp(record.text, line, size) == 0);
		return;
	}
	ck_assert_uint_eq(record.length, size + 3);
	ck_assert(memcmp(record.text, line, place) == 0);
	ck_assert(memcmp(record.text + place, "\xef\xbf\xbd", 3) == 0);
	ck_assert(memcmp(record.text + place + 3, line + place + 1, size - place - 1) == 0);
}

START_TEST(every_byte_at_every_place_of_a_line_is_seen)
{
	for (size_t size = 1; size <= 42; size++)
		for (size_t place = 0; place < size; place++)
			for (unsigned int byte = 0; byte < 256; byte++)
				check_byte_at((uint8_t)byte, place, size);
}
END_TEST

START_TEST(cri_is_spelled_as_the_kubelet_reads)
{
	char out[128];
	size_t length;

	length = lcx__log_format_cri(out, (const uint8_t *)"a\xff<", 3, true, LCX_LOG_STREAM_STDOUT,
				     TIME_TEXT);
	ck_assert_uint_eq(length, strlen(TIME_TEXT " stdout F a\xff<\n"));
	ck_assert(memcmp(out, TIME_TEXT " stdout F a\xff<\n", length) == 0);
	length = lcx__log_format_cri(out, (const uint8_t *)"b", 1, false, LCX_LOG_STREAM_STDERR,
				     TIME_TEXT);
	ck_assert(memcmp(out, TIME_TEXT " stderr P b\n", length) == 0);
}
END_TEST

START_TEST(clock_shows_what_the_c_library_shows)
{
	static const int64_t seconds[] = {0,          -1,         1,          951782399,
					  951782400,  951868799,  951868800,  1769903999,
					  1769904000, 4107542399, 4107542400, 9223372035};
	struct lcx__log_clock clock;
	char expected[LCX__TIME_SIZE];

	lcx__log_clock_init(&clock);
	for (size_t i = 0; i < ARRAY_SIZE(seconds); i++) {
		int64_t ns = seconds[i] * 1000000000 + (seconds[i] < 0 ? 0 : 987654321 % (i + 1));

		lcx__log_clock_set(&clock, seconds[i], (uint32_t)(ns % 1000000000));
		lcx__format_time(ns, expected);
		if (seconds[i] >= 0)
			ck_assert_int_eq(strncmp(clock.text, expected, LCX__LOG_TIME_LENGTH), 0);
	}
	lcx__log_clock_set(&clock, -1, 5);
	ck_assert_int_eq(strncmp(clock.text, "1969-12-31T23:59:59.000000005Z", 30), 0);
}
END_TEST

/* ---- what the reader believes ---- */

#define GOOD_TIME "\"time\":\"" TIME_TEXT "\""
static const struct {
	const char *line;
	const char *text; /* NULL: damaged */
	int64_t time_ns;
} lines[] = {
	{"{\"log\":\"a\\n\",\"stream\":\"stdout\"," GOOD_TIME "}\n", "a\n", TIME_NS},
	{"{\"log\":\"a\",\"stream\":\"stderr\"," GOOD_TIME "}\n", "a", TIME_NS},
	{"{\"stream\":\"stderr\"," GOOD_TIME "}\n", "", TIME_NS},
	{"{\"log\":\"\\ud83d\\udc33\\u00e9\\/\\b\\f\\t\\n\",\"stream\":\"stdout\"," GOOD_TIME "}\n",
	 "\xf0\x9f\x90\xb3\xc3\xa9/\b\f\t\n", TIME_NS},
	{"{\"log\":\"\\ud83d!\\udc33\",\"stream\":\"stdout\"," GOOD_TIME "}\n",
	 "\xef\xbf\xbd!\xef\xbf\xbd", TIME_NS},
	{"{\"log\":\"a\\n\",\"stream\":\"stdout\",\"attrs\":{\"k\":\"v\\\"\",\"l\":\"\"}," GOOD_TIME
	 "}\n",
	 "a\n", TIME_NS},
	{"{\"log\":\"a\\n\",\"stream\":\"stdout\",\"time\":\"2026-01-31T23:59:59Z\"}\n", "a\n",
	 TIME_NS - 1},
	{"{\"log\":\"a\\n\",\"stream\":\"stdout\",\"time\":\"2026-02-01T01:59:59.5+02:00\"}\n",
	 "a\n", TIME_NS - 1 + 500000000},
	{TIME_TEXT " stdout F a b\n", "a b\n", TIME_NS},
	{TIME_TEXT " stderr P a b\n", "a b", TIME_NS},
	{TIME_TEXT " stderr F \n", "\n", TIME_NS},

	{"\n", NULL, 0},
	{"{}\n", NULL, 0},
	{"{\"log\":\"a\\n\",\"stream\":\"stdout\"," GOOD_TIME "}", NULL, 0},
	{"{\"log\":\"a\\n\",\"stream\":\"stdout\"," GOOD_TIME "} \n", NULL, 0},
	{"{\"log\":\"a\\n\",\"stream\":\"stdout\"," GOOD_TIME "}{}\n", NULL, 0},
	{"{\"log\":\"a\\n\",\"stream\":\"stdin\"," GOOD_TIME "}\n", NULL, 0},
	{"{\"log\":\"a\\n\",\"stream\":\"stdout\"," GOOD_TIME ",}\n", NULL, 0},
	{"{\"log\":\"a\\n\",\"log\":\"b\\n\",\"stream\":\"stdout\"," GOOD_TIME "}\n", NULL, 0},
	{"{\"log\":\"a\\q\",\"stream\":\"stdout\"," GOOD_TIME "}\n", NULL, 0},
	{"{\"log\":\"a\\u12g4\",\"stream\":\"stdout\"," GOOD_TIME "}\n", NULL, 0},
	{"{\"log\":\"a\\u12\n", NULL, 0},
	{"{\"log\":\"a\\\n", NULL, 0},
	{"{\"log\":\"a\tb\",\"stream\":\"stdout\"," GOOD_TIME "}\n", NULL, 0},
	{"{\"log\":7,\"stream\":\"stdout\"," GOOD_TIME "}\n", NULL, 0},
	{"{\"log\":\"a\",\"stream\":\"stdout\",\"other\":\"\"," GOOD_TIME "}\n", NULL, 0},
	{"{\"log\":\"a\",\"stream\":\"stdout\",\"time\":\"2026-13-31T23:59:59Z\"}\n", NULL, 0},
	{"{\"log\":\"a\",\"stream\":\"stdout\",\"time\":\"2026-01-31T23:59:59.Z\"}\n", NULL, 0},
	{"{\"log\":\"a\",\"stream\":\"stdout\",\"time\":\"2026-01-31T23:59:59.0123456789Z\"}\n",
	 NULL, 0},
	{"{\"log\":\"a\",\"stream\":\"stdout\",\"time\":\"2026-01-31T23:59:59\"}\n", NULL, 0},
	{"{\"log\":\"a\",\"stream\":\"stdout\",\"time\":\"9999-01-31T23:59:59Z\"}\n", NULL, 0},
	{TIME_TEXT " stdout Q a\n", NULL, 0},
	{TIME_TEXT " stdout F\n", NULL, 0},
	{TIME_TEXT " stdout\n", NULL, 0},
	{TIME_TEXT "\n", NULL, 0},
	{"garbage\n", NULL, 0},
};

START_TEST(only_lines_of_the_formats_are_believed)
{
	CLEANUP(freep) char *line = strdup(lines[_i].line); /* exact size, for the sanitizer */
	struct lcx__log_record record;
	int r = lcx__log_parse(line, strlen(line), &record);

	if (!lines[_i].text) {
		ck_assert_msg(r == -EBADMSG, "accepted: %s", lines[_i].line);
		return;
	}
	ck_assert_msg(r == 0, "refused: %s", lines[_i].line);
	ck_assert_uint_eq(record.length, strlen(lines[_i].text));
	ck_assert(memcmp(record.text, lines[_i].text, record.length) == 0);
	ck_assert_int_eq(record.time_ns, lines[_i].time_ns);
}
END_TEST

/* ---- a log and its reader ---- */

struct options {
	enum lcx_log_format format;
	uint64_t max_size;
	uint32_t max_files;
};

static struct lcx_log *open_log(struct options options)
{
	struct lcx_log *log = NULL;

	ck_assert_ok(lcx_log_new(&log, NULL));
	if (options.format)
		ck_assert_ok(lcx_log_set_format(log, options.format, NULL));
	if (options.max_files)
		ck_assert_ok(lcx_log_set_rotation(log, options.max_size, options.max_files, NULL));
	ck_assert_ok(lcx_log_open(log, dir.fd, "log", NULL));
	return log;
}

static void write_text(struct lcx_log *log, enum lcx_log_stream stream, const char *text)
{
	ck_assert_ok(lcx_log_write(log, stream, text, strlen(text), NULL));
}

static void write_numbers(struct lcx_log *log, int from, int to)
{
	char line[32];

	for (int i = from; i < to; i++) {
		(void)snprintf(line, sizeof(line), "line %d\n", i);
		write_text(log, LCX_LOG_STREAM_STDOUT, line);
		ck_assert_ok(lcx_log_flush(log, NULL));
	}
}

static struct lcx_log_reader *open_reader(void)
{
	struct lcx_log_reader *reader = NULL;

	ck_assert_ok(lcx_log_reader_open(dir.fd, "log", &reader, NULL));
	return reader;
}

static void expect_text(struct lcx_log_reader *reader, const char *text)
{
	int r = lcx_log_reader_next(reader, NULL);

	ck_assert_msg(r == 1, "'%s' is missing: %d", text, r);
	ck_assert_msg(lcx_log_reader_length(reader) == strlen(text) &&
			      memcmp(lcx_log_reader_text(reader), text, strlen(text)) == 0,
		      "'%.*s' instead of '%s'", (int)lcx_log_reader_length(reader),
		      lcx_log_reader_text(reader), text);
}

static void expect_end(struct lcx_log_reader *reader)
{
	int r = lcx_log_reader_next(reader, NULL);

	ck_assert_msg(r == 0, "'%.*s' instead of the end", (int)lcx_log_reader_length(reader),
		      lcx_log_reader_text(reader));
}

static void expect_numbers(struct lcx_log_reader *reader, int from, int to)
{
	char line[32];

	for (int i = from; i < to; i++) {
		(void)snprintf(line, sizeof(line), "line %d\n", i);
		expect_text(reader, line);
	}
}

static off_t size_of(const char *name)
{
	struct stat st;

	return fstatat(dir.fd, name, &st, 0) < 0 ? -1 : st.st_size;
}

static void append_file(const char *name, const void *data, size_t length)
{
	CLEANUP(closep)
	int fd = openat(dir.fd, name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_ok(lcx__write_all(fd, data, length));
}

START_TEST(both_streams_come_back_with_time)
{
	int64_t before = lcx__now_ns();
	struct lcx_log *log = open_log((struct options){_i + 1, 0, 0});
	struct lcx_log_reader *reader = open_reader();

	write_text(log, LCX_LOG_STREAM_STDOUT, "one\ntw");
	write_text(log, LCX_LOG_STREAM_STDERR, "err\n");
	write_text(log, LCX_LOG_STREAM_STDOUT, "o\nrest");
	ck_assert_int_eq(size_of("log"), 0); /* buffered until flushed */
	log = lcx_log_free(log);

	expect_text(reader, "one\n");
	ck_assert_int_eq(lcx_log_reader_stream(reader), LCX_LOG_STREAM_STDOUT);
	ck_assert_int_ge(lcx_log_reader_time_ns(reader), before);
	ck_assert_int_le(lcx_log_reader_time_ns(reader), lcx__now_ns());
	ck_assert_int_eq(lcx_log_reader_partial(reader), 0);
	expect_text(reader, "err\n");
	ck_assert_int_eq(lcx_log_reader_stream(reader), LCX_LOG_STREAM_STDERR);
	expect_text(reader, "two\n");
	expect_text(reader, "rest");
	ck_assert_int_eq(lcx_log_reader_partial(reader), 1);
	expect_end(reader);
	expect_end(reader);
	lcx_log_reader_free(reader);
}
END_TEST

START_TEST(long_line_is_cut_every_16_kib_as_docker_does)
{
	struct lcx_log *log = open_log((struct options){0});
	struct lcx_log_reader *reader = open_reader();
	static char line[40000];

	memset(line, 'x', sizeof(line));
	line[sizeof(line) - 1] = '\n';
	ck_assert_ok(lcx_log_write(log, LCX_LOG_STREAM_STDOUT, line, 5, NULL));
	ck_assert_ok(lcx_log_write(log, LCX_LOG_STREAM_STDOUT, line + 5, sizeof(line) - 5, NULL));
	/* A line of exactly one part: Docker writes the part before it sees the newline. */
	ck_assert_ok(lcx_log_write(log, LCX_LOG_STREAM_STDOUT, line + sizeof(line) - 16385, 16385,
				   NULL));
	log = lcx_log_free(log);
	static const size_t lengths[] = {16384, 16384, 40000 - 32768, 16384, 1};

	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		ck_assert_int_eq(lcx_log_reader_next(reader, NULL), 1);
		ck_assert_uint_eq(lcx_log_reader_length(reader), lengths[i]);
		ck_assert_int_eq(lcx_log_reader_partial(reader), lengths[i] == 16384);
	}
	expect_end(reader);
	lcx_log_reader_free(reader);
}
END_TEST

START_TEST(no_character_is_cut_in_two)
{
	struct lcx_log *log = open_log((struct options){0});
	struct lcx_log_reader *reader = open_reader();
	static char line[60001], back[60001];
	size_t length = 0;

	for (size_t i = 0; i + 4 <= 60000; i += 4)
		memcpy(line + i, "\xf0\x9f\x90\xb3", 4);
	line[60000] = '\n';
	memmove(line + _i, line, 60000 - 4); /* so that borders fall on every byte of a character */
	memset(line, 'x', (size_t)_i);
	memcpy(line + 60000 - 4 + _i, "1234", 4 - (size_t)_i);
	ck_assert_ok(lcx_log_write(log, LCX_LOG_STREAM_STDOUT, line, sizeof(line), NULL));
	log = lcx_log_free(log);
	while (lcx_log_reader_next(reader, NULL) == 1) {
		ck_assert_uint_le(length + lcx_log_reader_length(reader), sizeof(back));
		memcpy(back + length, lcx_log_reader_text(reader), lcx_log_reader_length(reader));
		length += lcx_log_reader_length(reader);
	}
	ck_assert_uint_eq(length, sizeof(line));
	ck_assert(memcmp(line, back, length) == 0);
	lcx_log_reader_free(reader);
}
END_TEST

/* A small generator of our own: the same bytes on every run. */
static uint32_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*state >> 33);
}

enum { RANDOM_SIZE = 1024 * 1024 };

static void fill_random(uint8_t *data, size_t length, bool text, uint64_t *state)
{
	for (size_t i = 0; i < length; i++) {
		data[i] = (uint8_t)next_random(state);
		if (text)
			data[i] &= 0x7f;
	}
}

/*
 * One megabyte per stream through a log that rotates, written in random pieces, read while it is
 * written; every byte comes back, in order. Long stretches without a newline occur.
 */
START_TEST(random_bytes_survive)
{
	bool cri = _i == 1;
	static uint8_t sent[2][RANDOM_SIZE], back[2][RANDOM_SIZE];
	size_t at[2] = {0}, got[2] = {0};
	uint64_t state = 7;
	struct lcx_log *log = open_log((struct options){_i + 1, 200000, 100});
	struct lcx_log_reader *reader = open_reader();

	for (int s = 0; s < 2; s++) {
		fill_random(sent[s], RANDOM_SIZE, !cri, &state);
		for (size_t i = 300000; i < 700000; i++) /* a very long line */
			if (sent[s][i] == '\n')
				sent[s][i] = 'n';
	}
	while (at[0] < RANDOM_SIZE || at[1] < RANDOM_SIZE) {
		size_t s = next_random(&state) % 2, length = next_random(&state) % 70000;

		if (length > RANDOM_SIZE - at[s])
			length = RANDOM_SIZE - at[s];
		ck_assert_ok(lcx_log_write(log, s + 1, sent[s] + at[s], length, NULL));
		at[s] += length;
	}
	log = lcx_log_free(log);
	while (lcx_log_reader_next(reader, NULL) == 1) {
		size_t s = lcx_log_reader_stream(reader) - 1,
		       length = lcx_log_reader_length(reader);

		ck_assert_uint_le(got[s] + length, RANDOM_SIZE);
		memcpy(back[s] + got[s], lcx_log_reader_text(reader), length);
		got[s] += length;
	}
	for (int s = 0; s < 2; s++) {
		ck_assert_uint_eq(got[s], RANDOM_SIZE);
		ck_assert(memcmp(sent[s], back[s], RANDOM_SIZE) == 0);
	}
	ck_assert_uint_eq(lcx_log_reader_skipped(reader), 0);
	lcx_log_reader_free(reader);
}
END_TEST

START_TEST(rotation_keeps_sizes_and_numbers)
{
	struct lcx_log *log = open_log((struct options){0, 500, 3});
	struct lcx_log_reader *reader;

	write_numbers(log, 0, 100);
	ck_assert_uint_gt(lcx_log_rotations(log), 5);
	ck_assert_uint_eq(lcx_log_dropped_lines(log), 0);
	for (int i = 0; i < 3; i++) {
		char name[8];

		(void)snprintf(name, sizeof(name), i ? "log.%d" : "log", i);
		ck_assert_int_gt(size_of(name), 0);
		ck_assert_int_le(size_of(name), 500);
	}
	ck_assert_int_eq(size_of("log.3"), -1);
	lcx_log_free(log);
	reader = open_reader();
	ck_assert_int_eq(lcx_log_reader_next(reader, NULL), 1);
	int first = atoi(lcx_log_reader_text(reader) + 5);

	ck_assert_int_gt(first, 50);
	expect_numbers(reader, first + 1, 100);
	expect_end(reader);
	lcx_log_reader_free(reader);
}
END_TEST

START_TEST(one_batch_is_divided_between_files_at_line_borders)
{
	struct lcx_log *log = open_log((struct options){0, 1000, 50});
	struct lcx_log_reader *reader;
	char line[32];

	for (int i = 0; i < 200; i++) {
		(void)snprintf(line, sizeof(line), "line %d\n", i);
		write_text(log, LCX_LOG_STREAM_STDOUT, line);
	}
	lcx_log_free(log);
	ck_assert_int_gt(size_of("log.10"), 0);
	ck_assert_int_le(size_of("log.10"), 1000);
	reader = open_reader();
	expect_numbers(reader, 0, 200);
	expect_end(reader);
	ck_assert_uint_eq(lcx_log_reader_skipped(reader), 0);
	lcx_log_reader_free(reader);
}
END_TEST

START_TEST(line_larger_than_a_file_has_a_file_of_its_own)
{
	struct lcx_log *log = open_log((struct options){0, 100, 50});
	struct lcx_log_reader *reader;
	static char line[3001];

	memset(line, 'y', sizeof(line));
	line[3000] = '\n';
	write_text(log, LCX_LOG_STREAM_STDOUT, "a\n");
	ck_assert_ok(lcx_log_write(log, LCX_LOG_STREAM_STDOUT, line, sizeof(line), NULL));
	write_text(log, LCX_LOG_STREAM_STDOUT, "b\n");
	lcx_log_free(log);
	ck_assert_int_gt(size_of("log.1"), 3000);
	ck_assert_int_lt(size_of("log"), 100);
	reader = open_reader();
	expect_text(reader, "a\n");
	ck_assert_int_eq(lcx_log_reader_next(reader, NULL), 1);
	ck_assert_uint_eq(lcx_log_reader_length(reader), 3001);
	expect_text(reader, "b\n");
	expect_end(reader);
	lcx_log_reader_free(reader);
}
END_TEST

START_TEST(opening_again_goes_on_and_removes_what_a_smaller_limit_does_not_keep)
{
	struct lcx_log *log = open_log((struct options){0, 200, 5});
	struct lcx_log_reader *reader;

	write_numbers(log, 0, 20);
	lcx_log_free(log);
	ck_assert_int_gt(size_of("log.4"), 0);
	log = open_log((struct options){0, 200, 2});
	ck_assert_int_gt(size_of("log.1"), 0);
	ck_assert_int_eq(size_of("log.2"), -1);
	ck_assert_int_eq(size_of("log.4"), -1);
	write_numbers(log, 20, 21);
	lcx_log_free(log);
	reader = open_reader();
	ck_assert_ok(lcx_log_reader_set_tail(reader, 2, NULL));
	expect_numbers(reader, 19, 21);
	lcx_log_reader_free(reader);
}
END_TEST

START_TEST(failed_rotation_loses_nothing)
{
	struct lcx_log *log = open_log((struct options){0, 200, 3});
	struct lcx_log_reader *reader;

	ck_assert_int_eq(mkdirat(dir.fd, "log.1", 0700), 0); /* in the way of the rename */
	write_numbers(log, 0, 20);
	ck_assert_uint_eq(lcx_log_dropped_lines(log), 0);
	ck_assert_int_eq(unlinkat(dir.fd, "log.1", AT_REMOVEDIR), -1); /* it moved on to log.2 */
	ck_assert_int_eq(unlinkat(dir.fd, "log.2", AT_REMOVEDIR), 0);
	lcx_log_free(log);
	reader = open_reader();
	expect_numbers(reader, 0, 20);
	expect_end(reader);
	lcx_log_reader_free(reader);
}
END_TEST

START_TEST(tail_begins_with_the_last_lines)
{
	/* One small file, many small files, and records larger than a block's remainder. */
	static const struct options options[] = {
		{0}, {0, 300, 900}, {LCX_LOG_FORMAT_CRI, 70000, 900}};
	static const int tails[] = {0, 1, 2, 3, 7, 50, 299, 300, 301, 100000};
	struct lcx_log *log = open_log(options[_i]);

	write_numbers(log, 0, 300);
	lcx_log_free(log);
	for (size_t i = 0; i < ARRAY_SIZE(tails); i++) {
		struct lcx_log_reader *reader = open_reader();

		ck_assert_ok(lcx_log_reader_set_tail(reader, (uint64_t)tails[i], NULL));
		expect_numbers(reader, tails[i] >= 300 ? 0 : 300 - tails[i], 300);
		expect_end(reader);
		lcx_log_reader_free(reader);
	}
}
END_TEST

START_TEST(tail_counts_a_long_line_once_and_an_unfinished_one_too)
{
	struct lcx_log *log = open_log((struct options){0, 20000, 900});
	struct lcx_log_reader *reader;
	static char line[100001];
	size_t length = 0;

	memset(line, 'z', sizeof(line));
	line[100000] = '\n';
	write_text(log, LCX_LOG_STREAM_STDOUT, "first\n");
	ck_assert_ok(lcx_log_write(log, LCX_LOG_STREAM_STDOUT, line, sizeof(line), NULL));
	write_text(log, LCX_LOG_STREAM_STDOUT, "rest");
	lcx_log_free(log);
	reader = open_reader();
	ck_assert_ok(lcx_log_reader_set_tail(reader, 1, NULL));
	expect_text(reader, "rest");
	expect_end(reader);
	lcx_log_reader_free(reader);
	reader = open_reader();
	ck_assert_ok(lcx_log_reader_set_tail(reader, 2, NULL));
	while (length < sizeof(line)) {
		ck_assert_int_eq(lcx_log_reader_next(reader, NULL), 1);
		ck_assert_int_eq(lcx_log_reader_text(reader)[0],
				 'z' - (length == 100000 ? 'z' - '\n' : 0));
		length += lcx_log_reader_length(reader);
	}
	ck_assert_uint_eq(length, sizeof(line));
	expect_text(reader, "rest");
	lcx_log_reader_free(reader);
}
END_TEST

START_TEST(tail_steps_over_what_is_damaged)
{
	static char junk[600000];
	struct lcx_log *log = open_log((struct options){0});
	struct lcx_log_reader *reader;

	write_numbers(log, 0, 2);
	memset(junk, 'j', sizeof(junk));
	append_file("log", junk, sizeof(junk));
	append_file("log", "\n", 1);
	write_numbers(log, 2, 4);
	append_file("log", junk, sizeof(junk)); /* and a half one at the end */
	reader = open_reader();
	ck_assert_ok(lcx_log_reader_set_tail(reader, 3, NULL));
	expect_numbers(reader, 1, 4);
	expect_end(reader);
	lcx_log_reader_free(reader);
	lcx_log_free(log);
}
END_TEST

START_TEST(since_and_until_are_inclusive)
{
	struct lcx_log_reader *reader;
	char line[128];

	for (int i = 0; i < 10; i++) {
		(void)snprintf(line, sizeof(line),
			       "2026-01-31T23:59:0%d.000000001Z stdout F line %d\n", i, i);
		append_file("log", line, strlen(line));
	}
	reader = open_reader();
	ck_assert_ok(lcx_log_reader_set_since(reader, TIME_NS - (int64_t)56 * 1000000000, NULL));
	ck_assert_ok(lcx_log_reader_set_until(reader, TIME_NS - (int64_t)53 * 1000000000, NULL));
	expect_numbers(reader, 3, 7);
	expect_end(reader);
	lcx_log_reader_free(reader);
}
END_TEST

START_TEST(damaged_lines_are_skipped_and_counted)
{
	static char junk[LCX__LOG_RECORD_MAX * 2];
	struct lcx_log *log = open_log((struct options){0});
	struct lcx_log_reader *reader;

	write_numbers(log, 0, 1);
	append_file("log", "half a li\n\n", 11);
	write_numbers(log, 1, 2);
	memset(junk, 'j', sizeof(junk));
	append_file("log", junk, sizeof(junk));
	append_file("log", "\n", 1);
	write_numbers(log, 2, 3);
	lcx_log_free(log);
	reader = open_reader();
	expect_numbers(reader, 0, 3);
	expect_end(reader);
	ck_assert_uint_eq(lcx_log_reader_skipped(reader), 3);
	lcx_log_reader_free(reader);
}
END_TEST

START_TEST(half_line_of_a_crash_does_not_spoil_the_next_line)
{
	struct lcx_log *log = open_log((struct options){0});
	struct lcx_log_reader *reader;

	write_numbers(log, 0, 1);
	lcx_log_free(log);
	append_file("log", "{\"log\":\"cut o", 13);
	log = open_log((struct options){0});
	write_numbers(log, 1, 2);
	lcx_log_free(log);
	reader = open_reader();
	expect_numbers(reader, 0, 2);
	expect_end(reader);
	ck_assert_uint_eq(lcx_log_reader_skipped(reader), 1);
	lcx_log_reader_free(reader);
}
END_TEST

static void write_filler(struct lcx_log *log, off_t size)
{
	while (size_of("log") < size - 100) {
		write_text(log, LCX_LOG_STREAM_STDOUT, "filler\n");
		ck_assert_ok(lcx_log_flush(log, NULL));
	}
}

/*
 * A file size limit stands in for a full disk: write(2) stores a part, then fails. It is
 * large enough for the file in which Check keeps its messages.
 */
START_TEST(full_disk_drops_whole_lines_and_recovers)
{
	struct lcx_log *log = open_log((struct options){0});
	struct lcx_log_reader *reader;
	struct rlimit limit, old;
	char line[32];

	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
	limit = old;
	limit.rlim_cur = 1024 * 1024;
	write_filler(log, (off_t)limit.rlim_cur - 1000);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	for (int i = 0; i < 30; i++) {
		(void)snprintf(line, sizeof(line), "line %d\n", i);
		write_text(log, LCX_LOG_STREAM_STDOUT, line);
	}
	ck_assert_ok(lcx_log_flush(log, NULL));
	write_text(log, LCX_LOG_STREAM_STDOUT, "lost\n");
	ck_assert_ok(lcx_log_flush(log, NULL));
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
	int stored = 30 - (int)(lcx_log_dropped_lines(log) - 1);

	ck_assert_int_gt(stored, 5);
	ck_assert_int_lt(stored, 30);
	ck_assert_uint_gt(lcx_log_dropped_bytes(log), 30 * lcx_log_dropped_lines(log));
	write_text(log, LCX_LOG_STREAM_STDOUT, "again\n");
	lcx_log_free(log);
	reader = open_reader();
	ck_assert_ok(lcx_log_reader_set_tail(reader, (uint64_t)stored + 1, NULL));
	expect_numbers(reader, 0, stored);
	expect_text(reader, "again\n");
	expect_end(reader);
	ck_assert_uint_eq(lcx_log_reader_skipped(reader), 0);
	lcx_log_reader_free(reader);
}
END_TEST

START_TEST(reader_follows_and_is_woken)
{
	struct lcx_log *log = open_log((struct options){0, 300, 2});
	struct lcx_log_reader *reader = open_reader();

	ck_assert_int_eq(lcx_log_reader_fd(reader), -1);
	ck_assert_ok(lcx_log_reader_set_follow(reader, NULL));
	ck_assert_int_ge(lcx_log_reader_fd(reader), 0);
	expect_end(reader);
	ck_assert_int_eq(lcx_log_reader_wait(reader, 0, NULL), 0);
	for (int i = 0; i < 50; i++) { /* two files only: each is seen before it goes */
		write_numbers(log, i, i + 1);
		ck_assert_int_eq(lcx_log_reader_wait(reader, 1000, NULL), 1);
		expect_numbers(reader, i, i + 1);
		expect_end(reader);
		ck_assert_int_eq(lcx_log_reader_wait(reader, 0, NULL), 0);
	}
	ck_assert_uint_gt(lcx_log_rotations(log), 5);
	ck_assert_uint_eq(lcx_log_reader_gaps(reader), 0);
	lcx_log_free(log);
	lcx_log_reader_free(reader);
}
END_TEST

START_TEST(tail_of_none_and_follow_shows_only_what_is_new)
{
	struct lcx_log *log = open_log((struct options){0});
	struct lcx_log_reader *reader;

	write_numbers(log, 0, 5);
	reader = open_reader();
	ck_assert_ok(lcx_log_reader_set_follow(reader, NULL));
	ck_assert_ok(lcx_log_reader_set_tail(reader, 0, NULL));
	expect_end(reader);
	write_numbers(log, 5, 7);
	expect_numbers(reader, 5, 7);
	expect_end(reader);
	lcx_log_free(log);
	lcx_log_reader_free(reader);
}
END_TEST

enum { RACE_LINES = 6000 };

static void *write_race(void *log)
{
	char line[32];

	for (int i = 0; i < RACE_LINES; i++) {
		(void)snprintf(line, sizeof(line), "line %d\n", i);
		if (lcx_log_write(log, LCX_LOG_STREAM_STDOUT, line, strlen(line), NULL) < 0)
			return log;
		if (i % 7 == 0 && lcx_log_flush(log, NULL) < 0)
			return log;
	}
	return lcx_log_flush(log, NULL) < 0 ? log : NULL;
}

/* Rotations are as frequent as they can be; the files are enough for a reader that is late. */
START_TEST(nothing_is_lost_or_doubled_while_files_are_renamed)
{
	struct lcx_log *log = open_log((struct options){0, 5000, 1000});
	struct lcx_log_reader *reader = open_reader();
	pthread_t thread;
	void *failed;

	ck_assert_ok(lcx_log_reader_set_follow(reader, NULL));
	ck_assert_int_eq(pthread_create(&thread, NULL, write_race, log), 0);
	for (int i = 0; i < RACE_LINES;) {
		int r = lcx_log_reader_next(reader, NULL);

		ck_assert_int_ge(r, 0);
		if (r == 0) {
			ck_assert_int_eq(lcx_log_reader_wait(reader, 5000, NULL), 1);
			continue;
		}
		ck_assert_int_eq(atoi(lcx_log_reader_text(reader) + 5), i);
		i++;
	}
	expect_end(reader);
	ck_assert_int_eq(pthread_join(thread, &failed), 0);
	ck_assert_ptr_null(failed);
	ck_assert_uint_eq(lcx_log_reader_skipped(reader), 0);
	ck_assert_uint_eq(lcx_log_reader_gaps(reader), 0);
	lcx_log_free(log);
	lcx_log_reader_free(reader);
}
END_TEST

/* Whoever begins in the middle of a rotation begins with the first line all the same. */
START_TEST(a_reader_begins_with_the_oldest_file_while_files_are_renamed)
{
	struct lcx_log *log = open_log((struct options){0, 5000, 1000});
	pthread_t thread;
	void *failed;
	int begun = 0;

	write_numbers(log, 0, 1);
	(void)lcx_log_flush(log, NULL);
	ck_assert_int_eq(pthread_create(&thread, NULL, write_race, log), 0);
	while (pthread_tryjoin_np(thread, &failed) != 0) {
		struct lcx_log_reader *reader = open_reader();

		ck_assert_int_eq(lcx_log_reader_next(reader, NULL), 1);
		ck_assert_int_eq(atoi(lcx_log_reader_text(reader) + 5), 0);
		lcx_log_reader_free(reader);
		begun++;
	}
	ck_assert_ptr_null(failed);
	ck_assert_int_gt(begun, 0);
	lcx_log_free(log);
}
END_TEST

START_TEST(reader_that_is_too_late_knows_it)
{
	struct lcx_log *log = open_log((struct options){0, 300, 2});
	struct lcx_log_reader *reader = open_reader();

	write_numbers(log, 0, 1);
	ck_assert_ok(lcx_log_reader_set_follow(reader, NULL));
	expect_numbers(reader, 0, 1);
	write_numbers(log, 1, 50);
	while (lcx_log_reader_next(reader, NULL) == 1)
		;
	ck_assert_uint_eq(lcx_log_reader_gaps(reader), 1);
	write_numbers(log, 50, 51);
	expect_numbers(reader, 50, 51);
	lcx_log_free(log);
	lcx_log_reader_free(reader);
}
END_TEST

START_TEST(indices_left_out_by_a_crash_are_stepped_over)
{
	struct lcx_log *log = open_log((struct options){0, 300, 8});
	struct lcx_log_reader *reader;

	write_numbers(log, 0, 9);
	ck_assert_int_eq(renameat(dir.fd, "log.2", dir.fd, "log.7"), 0);
	ck_assert_int_eq(renameat(dir.fd, "log.1", dir.fd, "log.4"), 0);
	reader = open_reader();
	expect_numbers(reader, 0, 9);
	expect_end(reader);
	lcx_log_reader_free(reader);
	reader = open_reader();
	ck_assert_ok(lcx_log_reader_set_tail(reader, 8, NULL));
	expect_numbers(reader, 1, 9);
	lcx_log_reader_free(reader);
	lcx_log_free(log);
}
END_TEST

START_TEST(file_renamed_by_others_is_left_after_reopen)
{
	struct lcx_log *log = open_log((struct options){0});
	struct lcx_log_reader *reader = open_reader();

	ck_assert_ok(lcx_log_reader_set_follow(reader, NULL));
	write_numbers(log, 0, 2);
	expect_numbers(reader, 0, 2);
	ck_assert_int_eq(renameat(dir.fd, "log", dir.fd, "log.20260131"), 0);
	write_numbers(log, 2, 3);
	expect_numbers(reader, 2, 3);
	expect_end(reader);
	ck_assert_ok(lcx_log_reopen(log, NULL));
	write_numbers(log, 3, 4);
	expect_numbers(reader, 3, 4);
	expect_end(reader);
	ck_assert_uint_eq(lcx_log_reader_gaps(reader), 0);
	lcx_log_free(log);
	lcx_log_reader_free(reader);
}
END_TEST

START_TEST(file_that_is_cut_off_is_read_from_its_new_beginning)
{
	struct lcx_log *log = open_log((struct options){0});
	struct lcx_log_reader *reader = open_reader();
	char path[64];

	ck_assert_ok(lcx_log_reader_set_follow(reader, NULL));
	write_numbers(log, 0, 5);
	expect_numbers(reader, 0, 5);
	(void)snprintf(path, sizeof(path), "%s/log", dir.path);
	ck_assert_int_eq(truncate(path, 0), 0);
	write_numbers(log, 5, 7);
	expect_numbers(reader, 5, 7);
	expect_end(reader);
	ck_assert_uint_eq(lcx_log_reader_gaps(reader), 1);
	ck_assert_uint_eq(lcx_log_reader_skipped(reader), 0);
	lcx_log_free(log);
	lcx_log_reader_free(reader);
}
END_TEST

/* ---- what is refused ---- */

START_TEST(links_and_other_kinds_of_files_are_refused)
{
	struct lcx_log_reader *reader = NULL;
	struct lcx_log *log = NULL;
	struct lcx_error *err = NULL;

	ck_assert_ok(lcx_log_new(&log, NULL));
	append_file("victim", "x", 1);
	ck_assert_int_eq(symlinkat("victim", dir.fd, "link"), 0);
	ck_assert_int_eq(mkfifoat(dir.fd, "fifo", 0600), 0);
	ck_assert_fails(lcx_log_open(log, dir.fd, "link", &err), ELOOP, err, "link");
	ck_assert_fails(lcx_log_open(log, dir.fd, "fifo", &err), EINVAL, err, "regular file");
	ck_assert_fails(lcx_log_open(log, dir.fd, "a/b", &err), EINVAL, err, "a/b");
	ck_assert_fails(lcx_log_open(log, dir.fd, "..", &err), EINVAL, err, "..");
	ck_assert_fails(lcx_log_open(log, dir.fd, "", &err), EINVAL, err, "name");
	ck_assert_fails(lcx_log_reader_open(dir.fd, "link", &reader, &err), ELOOP, err, "link");
	ck_assert_fails(lcx_log_reader_open(dir.fd, "fifo", &reader, &err), EINVAL, err, "fifo");
	ck_assert_fails(lcx_log_reader_open(dir.fd, "none", &reader, &err), ENOENT, err, "none");
	ck_assert_fails(lcx_log_reader_open(dir.fd, "../x", &reader, &err), EINVAL, err, "../x");
	ck_assert_ptr_null(reader);
	ck_assert_int_eq(size_of("victim"), 1);
	ck_assert_int_eq(size_of("none"), -1);
	lcx_log_free(log);
}
END_TEST

START_TEST(wrong_order_and_wrong_values_are_refused)
{
	struct lcx_log *log = NULL;
	struct lcx_log_reader *reader;
	struct lcx_error *err = NULL;

	ck_assert_ok(lcx_log_new(&log, NULL));
	ck_assert_fails(lcx_log_write(log, LCX_LOG_STREAM_STDOUT, "x", 1, &err), EBADF, err,
			"not open");
	ck_assert_fails(lcx_log_set_format(log, 7, &err), EINVAL, err, "7");
	ck_assert_fails(lcx_log_set_rotation(log, 1, 0, &err), EINVAL, err, "1000");
	ck_assert_fails(lcx_log_set_rotation(log, 1, 1001, &err), EINVAL, err, "1000");
	ck_assert_ok(lcx_log_open(log, dir.fd, "log", NULL));
	ck_assert_fails(lcx_log_open(log, dir.fd, "log", &err), EBUSY, err, "already");
	ck_assert_fails(lcx_log_set_format(log, LCX_LOG_FORMAT_CRI, &err), EBUSY, err, "before");
	ck_assert_fails(lcx_log_write(log, 0, "x", 1, &err), EINVAL, err, "stream 0");
	ck_assert_fails(lcx_log_write(log, 3, "x", 1, &err), EINVAL, err, "stream 3");
	ck_assert_ok(lcx_log_write(log, LCX_LOG_STREAM_STDOUT, NULL, 0, NULL));
	reader = open_reader();
	ck_assert_fails(lcx_log_reader_wait(reader, 0, &err), EINVAL, err, "not followed");
	expect_end(reader);
	ck_assert_fails(lcx_log_reader_set_tail(reader, 1, &err), EBUSY, err, "before");
	lcx_log_reader_free(reader);
	lcx_log_free(log);
	ck_assert_ptr_null(lcx_log_free(NULL));
	ck_assert_ptr_null(lcx_log_reader_free(NULL));
}
END_TEST

/* ---- compressed files where zlib is missing: the rest is in log-gzip.c, which brings it along ---- */

/* What the program becomes there. Return: whether the library is named, by all and by the last. */
static int read_compressed(const char *path)
{
	CLEANUP(closep) int fd = open(path, O_DIRECTORY | O_CLOEXEC);
	int good = 0;

	for (int tail = 0; tail < 2; tail++) {
		struct lcx_log_reader *reader = NULL;
		struct lcx_error *err = NULL;
		int r = lcx_log_reader_open(fd, "log", &reader, &err);

		if (r == 0 && tail)
			r = lcx_log_reader_set_tail(reader, 1, &err);
		if (r == 0)
			r = lcx_log_reader_next(reader, &err);
		good += r == -EOPNOTSUPP &&
			strncmp(lcx_error_message(err), "read log 'log': ", 16) == 0 &&
			strstr(lcx_error_message(err), "compressed") != NULL &&
			(!lcx_has_feature("image") || strstr(lcx_error_message(err), "libz.so.1"));
		if (good <= tail)
			(void)fprintf(stderr, "%d: %s\n", r, err ? lcx_error_message(err) : "");
		lcx_error_free(err);
		lcx_log_reader_free(reader);
	}
	return good == 2 ? 0 : 1;
}

START_TEST(zlib_is_named_where_it_is_missing)
{
	static const char *const files[] = {"libz.so.1", "log", "log.1.gz"};
	int status;
	pid_t pid;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		closep(&(int){openat(dir.fd, files[i], O_CREAT | O_WRONLY | O_CLOEXEC, 0600)});
	pid = fork();
	if (pid == 0) {
		(void)setenv("LD_LIBRARY_PATH", dir.path, 1);
		execl("/proc/self/exe", "log", dir.path, NULL);
		_exit(127);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("log");
	TCase *pure = tcase_create("lines"), *files = tcase_create("files");

	tcase_add_loop_test(pure, json_is_spelled_as_docker_does, 0, ARRAY_SIZE(escapes));
	tcase_add_test(pure, every_byte_at_every_place_of_a_line_is_seen);
	tcase_add_test(pure, cri_is_spelled_as_the_kubelet_reads);
	tcase_add_test(pure, clock_shows_what_the_c_library_shows);
	tcase_add_loop_test(pure, only_lines_of_the_formats_are_believed, 0, ARRAY_SIZE(lines));
	suite_add_tcase(s, pure);

	tcase_add_checked_fixture(files, set_up, tear_down);
	tcase_set_timeout(files, 120);
	tcase_add_loop_test(files, both_streams_come_back_with_time, 0, 2);
	tcase_add_test(files, long_line_is_cut_every_16_kib_as_docker_does);
	tcase_add_loop_test(files, no_character_is_cut_in_two, 0, 4);
	tcase_add_loop_test(files, random_bytes_survive, 0, 2);
	tcase_add_test(files, rotation_keeps_sizes_and_numbers);
	tcase_add_test(files, one_batch_is_divided_between_files_at_line_borders);
	tcase_add_test(files, line_larger_than_a_file_has_a_file_of_its_own);
	tcase_add_test(files, opening_again_goes_on_and_removes_what_a_smaller_limit_does_not_keep);
	tcase_add_test(files, failed_rotation_loses_nothing);
	tcase_add_loop_test(files, tail_begins_with_the_last_lines, 0, 3);
	tcase_add_test(files, tail_counts_a_long_line_once_and_an_unfinished_one_too);
	tcase_add_test(files, tail_steps_over_what_is_damaged);
	tcase_add_test(files, since_and_until_are_inclusive);
	tcase_add_test(files, damaged_lines_are_skipped_and_counted);
	tcase_add_test(files, half_line_of_a_crash_does_not_spoil_the_next_line);
	tcase_add_test(files, full_disk_drops_whole_lines_and_recovers);
	tcase_add_test(files, reader_follows_and_is_woken);
	tcase_add_test(files, tail_of_none_and_follow_shows_only_what_is_new);
	tcase_add_test(files, nothing_is_lost_or_doubled_while_files_are_renamed);
	tcase_add_test(files, a_reader_begins_with_the_oldest_file_while_files_are_renamed);
	tcase_add_test(files, reader_that_is_too_late_knows_it);
	tcase_add_test(files, indices_left_out_by_a_crash_are_stepped_over);
	tcase_add_test(files, file_renamed_by_others_is_left_after_reopen);
	tcase_add_test(files, file_that_is_cut_off_is_read_from_its_new_beginning);
	tcase_add_test(files, links_and_other_kinds_of_files_are_refused);
	tcase_add_test(files, wrong_order_and_wrong_values_are_refused);
	tcase_add_test(files, zlib_is_named_where_it_is_missing);
	suite_add_tcase(s, files);
	return s;
}

int main(int argc, char **argv)
{
	return argc > 1 ? read_compressed(argv[1]) : unit_run(suite());
}
