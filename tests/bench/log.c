/* SPDX-License-Identifier: MIT */

/*
 * How fast the log takes lines of 80 bytes, and gives them back, beside a plain write(2) of the
 * same bytes in the same run: read the ratios, not the rates.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <lcx/log.h>

enum { LINE = 80, BATCH = 64 * 1024 / LINE * LINE, TOTAL_MB = 300 };

static const uint64_t total = (uint64_t)TOTAL_MB * 1000 * 1000;
static char batch[BATCH];

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void report(const char *what, double seconds, double floor)
{
	printf("%-28s %7.0f MB/s  %5.2f of the floor\n", what, TOTAL_MB / seconds, floor / seconds);
}

static double measure_plain(int dir_fd)
{
	int fd = openat(dir_fd, "plain", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	double start = now();

	for (uint64_t done = 0; done < total; done += BATCH)
		if (write(fd, batch, BATCH) != BATCH ||
		    (done % (10 << 20) < BATCH && ftruncate(fd, 0) < 0))
			abort();
	close(fd);
	return now() - start;
}

static double measure_write(int dir_fd, const char *name, enum lcx_log_format format)
{
	struct lcx_log *log = NULL;
	double start = now();

	if (lcx_log_new(&log, NULL) < 0 || lcx_log_set_format(log, format, NULL) < 0 ||
	    lcx_log_set_rotation(log, 10 << 20, 3, NULL) < 0 ||
	    lcx_log_open(log, dir_fd, name, NULL) < 0)
		abort();
	for (uint64_t done = 0; done < total; done += BATCH)
		if (lcx_log_write(log, LCX_LOG_STREAM_STDOUT, batch, BATCH, NULL) < 0 ||
		    lcx_log_flush(log, NULL) < 0)
			abort();
	lcx_log_free(log);
	return now() - start;
}

/* Of what is left after rotation; scaled to the whole. */
static double measure_read(int dir_fd, const char *name)
{
	struct lcx_log_reader *reader = NULL;
	double start = now();
	uint64_t bytes = 0;

	if (lcx_log_reader_open(dir_fd, name, &reader, NULL) < 0)
		abort();
	while (lcx_log_reader_next(reader, NULL) == 1)
		bytes += lcx_log_reader_length(reader);
	lcx_log_reader_free(reader);
	return (now() - start) * (double)total / (double)bytes;
}

int main(void)
{
	static const char *const files[] = {"plain", "json",  "json.1", "json.2",
					    "cri",   "cri.1", "cri.2"};
	char path[] = "/dev/shm/lcx-bench-XXXXXX";
	int dir_fd = mkdtemp(path) ? open(path, O_DIRECTORY | O_CLOEXEC) : -1;
	double floor;

	if (dir_fd < 0)
		return EXIT_FAILURE;
	for (size_t i = 0; i < BATCH; i++)
		batch[i] = i % LINE == LINE - 1 ? '\n' : (char)('a' + i % 26);
	floor = measure_plain(dir_fd);
	report("write(2) alone", floor, floor);
	report("json-file, written", measure_write(dir_fd, "json", LCX_LOG_FORMAT_JSON_FILE),
	       floor);
	report("CRI, written", measure_write(dir_fd, "cri", LCX_LOG_FORMAT_CRI), floor);
	report("json-file, read", measure_read(dir_fd, "json"), floor);
	report("CRI, read", measure_read(dir_fd, "cri"), floor);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		(void)unlinkat(dir_fd, files[i], 0);
	(void)rmdir(path);
	return EXIT_SUCCESS;
}
