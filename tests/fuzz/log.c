/* SPDX-License-Identifier: MIT */

/*
 * Four ways into the log with one input, whose first byte chooses: any bytes as a log file, read
 * whole and from its end, or as a compressed one; any bytes as output of a container, which must
 * come back as they were; and any bytes as one line.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log/log-internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A directory in memory, made at the first input and removed at exit. */
static char path[] = "/dev/shm/lcx-fuzz-XXXXXX";
static int dir_fd = -1;

static void remove_files(void)
{
	char name[16] = "fuzz";

	(void)unlinkat(dir_fd, "fuzz.1.gz", 0);
	for (int i = 1; unlinkat(dir_fd, name, 0) == 0 || i == 1; i++)
		(void)snprintf(name, sizeof(name), "fuzz.%d", i);
}

static void remove_directory(void)
{
	remove_files();
	(void)rmdir(path);
}

static void make_directory(void)
{
	if (dir_fd < 0 && mkdtemp(path)) {
		dir_fd = open(path, O_DIRECTORY | O_CLOEXEC);
		(void)atexit(remove_directory);
	}
}

static void put_file(const char *name, const uint8_t *data, size_t size)
{
	int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (write(fd, data, size) != (ssize_t)size)
		abort();
	close(fd);
}

/* Read all; every byte of the entries is touched. Return: how many entries there were. */
static uint64_t read_all(int64_t tail)
{
	struct lcx_log_reader *reader = NULL;
	uint64_t entries = 0;
	volatile char sink;

	if (lcx_log_reader_open(dir_fd, "fuzz", &reader, NULL) < 0)
		abort();
	if (tail >= 0)
		(void)lcx_log_reader_set_tail(reader, (uint64_t)tail, NULL);
	while (lcx_log_reader_next(reader, NULL) == 1) {
		const char *text = lcx_log_reader_text(reader);

		for (size_t i = 0; i < lcx_log_reader_length(reader); i++)
			sink = text[i];
		entries++;
	}
	(void)sink;
	lcx_log_reader_free(reader);
	return entries;
}

static void as_file(const uint8_t *data, size_t size)
{
	size_t half = size / 2;
	uint64_t all;

	remove_files();
	put_file("fuzz.1", data, half);
	put_file("fuzz", data + half, size - half);
	all = read_all(-1);
	for (int64_t tail = 0; tail < 3; tail++)
		if (read_all(tail) > all)
			abort();
}

/* Whatever stands in it, the file behind it is read. */
static void as_packed(const uint8_t *data, size_t size)
{
	static const char last[] = "2026-01-31T23:59:59.000000001Z stdout F last\n";
	uint64_t all;

	remove_files();
	put_file("fuzz.1.gz", data, size);
	put_file("fuzz", (const uint8_t *)last, sizeof(last) - 1);
	all = read_all(-1);
	if (all == 0)
		abort();
	for (int64_t tail = 0; tail < 3; tail++)
		if (read_all(tail) > all)
			abort();
}

static void as_output(const uint8_t *data, size_t size)
{
	struct lcx_log_reader *reader = NULL;
	struct lcx_log *log = NULL;
	size_t at = 0;

	remove_files();
	if (lcx_log_new(&log, NULL) < 0 || lcx_log_set_format(log, LCX_LOG_FORMAT_CRI, NULL) < 0 ||
	    lcx_log_set_rotation(log, size * 8 + 200, 30, NULL) < 0 ||
	    lcx_log_open(log, dir_fd, "fuzz", NULL) < 0 ||
	    lcx_log_reader_open(dir_fd, "fuzz", &reader, NULL) < 0 ||
	    lcx_log_reader_set_follow(reader, NULL) < 0)
		abort();
	for (size_t sent = 0, n; sent < size; sent += n) {
		n = (size_t)data[sent] * 100 + 1;
		n = n < size - sent ? n : size - sent;
		if (lcx_log_write(log, LCX_LOG_STREAM_STDERR, data + sent, n, NULL) < 0 ||
		    lcx_log_flush(log, NULL) < 0)
			abort();
		while (lcx_log_reader_next(reader, NULL) == 1) {
			size_t length = lcx_log_reader_length(reader);

			if (length > size - at ||
			    memcmp(data + at, lcx_log_reader_text(reader), length) != 0)
				abort();
			at += length;
		}
	}
	if (lcx_log_end(log, LCX_LOG_STREAM_STDERR, NULL) < 0)
		abort();
	while (lcx_log_reader_next(reader, NULL) == 1)
		at += lcx_log_reader_length(reader);
	if (at != size)
		abort();
	lcx_log_reader_free(reader);
	lcx_log_free(log);
}

/* As JSON, what comes back has the same characters: spelled again, it is the same line. */
static void as_line(const uint8_t *data, size_t size)
{
	static const char time[] = "2026-01-31T23:59:59.000000001Z";
	struct lcx__log_record record;
	char *line = malloc(size + 1), *first, *second;
	size_t length;

	memcpy(line, data, size);
	line[size] = '\n';
	(void)lcx__log_parse(line, size + 1, &record);
	free(line);

	size = size < LCX__LOG_PART_SIZE ? size : LCX__LOG_PART_SIZE;
	first = malloc(6 * size + LCX__LOG_LINE_OVERHEAD);
	length = lcx__log_format_json(first, data, size, false, LCX_LOG_STREAM_STDOUT, time, NULL,
				      0);
	line = malloc(length);
	memcpy(line, first, length);
	if (lcx__log_parse(line, length, &record) < 0)
		abort();
	second = malloc(6 * record.length + LCX__LOG_LINE_OVERHEAD);
	size = lcx__log_format_json(second, (const uint8_t *)record.text, record.length, false,
				    LCX_LOG_STREAM_STDOUT, time, NULL, 0);
	for (size_t i = 0, j = 0; i < length; i++, j++) {
		if (memcmp(first + i, "\\ufffd", 6) == 0 &&
		    memcmp(second + j, "\xef\xbf\xbd", 3) == 0) {
			i += 5; /* the one character that is spelled in two ways */
			j += 2;
		} else if (j >= size || first[i] != second[j]) {
			abort();
		}
	}
	free(first);
	free(second);
	free(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	make_directory();
	if (data[0] % 4 == 0)
		as_file(data + 1, size - 1);
	else if (data[0] % 4 == 1)
		as_output(data + 1, size - 1);
	else if (data[0] % 4 == 2)
		as_line(data + 1, size - 1);
	else
		as_packed(data + 1, size - 1);
	return 0;
}
