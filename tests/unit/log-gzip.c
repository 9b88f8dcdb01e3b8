/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <zlib.h>

#include "lcx/log.h"
#include "log/log-internal.h"
#include "util/str.h"

/* Logs whose rotated files are compressed. */

static struct unit_dir dir;

static void set_up(void)
{
	unit_dir_make(&dir);
}

static void tear_down(void)
{
	unit_dir_remove(&dir);
}

static struct lcx_log *open_log(uint64_t max_size, uint32_t max_files, int compress)
{
	struct lcx_log *log = NULL;

	ck_assert_ok(lcx_log_new(&log, NULL));
	ck_assert_ok(lcx_log_set_rotation(log, max_size, max_files, NULL));
	ck_assert_ok(lcx_log_set_compression(log, compress, NULL));
	ck_assert_ok(lcx_log_open(log, dir.fd, "log", NULL));
	return log;
}

static void write_text(struct lcx_log *log, const char *text)
{
	ck_assert_ok(lcx_log_write(log, LCX_LOG_STREAM_STDOUT, text, strlen(text), NULL));
	ck_assert_ok(lcx_log_flush(log, NULL));
}

static void write_numbers(struct lcx_log *log, int from, int to)
{
	char line[32];

	for (int i = from; i < to; i++) {
		(void)snprintf(line, sizeof(line), "line %d\n", i);
		write_text(log, line);
	}
}

/* Until there is nothing left to compress. */
static void settle(struct lcx_log *log)
{
	ck_assert_ok(lcx_log_flush(log, NULL));
	while (lcx_log_fd(log) >= 0) {
		struct pollfd ready = {.fd = lcx_log_fd(log), .events = POLLIN};

		ck_assert_int_eq(poll(&ready, 1, 20000), 1);
		ck_assert_ok(lcx_log_flush(log, NULL));
	}
}

static struct lcx_log_reader *open_reader(void)
{
	struct lcx_log_reader *reader = NULL;

	ck_assert_ok(lcx_log_reader_open(dir.fd, "log", &reader, NULL));
	return reader;
}

static bool exists(const char *name)
{
	return faccessat(dir.fd, name, F_OK, 0) == 0;
}

static void expect_numbers(struct lcx_log_reader *reader, int from, int to)
{
	for (int i = from; i < to; i++) {
		ck_assert_int_eq(lcx_log_reader_next(reader, NULL), 1);
		ck_assert_int_eq(atoi(lcx_log_reader_text(reader) + 5), i);
	}
}

static void expect_whole(struct lcx_log_reader *reader, int from, int to)
{
	expect_numbers(reader, from, to);
	ck_assert_int_eq(lcx_log_reader_next(reader, NULL), 0);
	ck_assert_uint_eq(lcx_log_reader_skipped(reader), 0);
	ck_assert_uint_eq(lcx_log_reader_gaps(reader), 0);
	lcx_log_reader_free(reader);
}

static void run_gzip(const char *arguments)
{
	char command[PATH_MAX + 64];

	(void)snprintf(command, sizeof(command), "cd /proc/%d/fd/%d && gzip %s", (int)getpid(),
		       dir.fd, arguments);
	ck_assert_int_eq(system(command), 0);
}

START_TEST(all_but_the_current_file_are_compressed_and_gzip_reads_them)
{
	struct lcx_log *log = open_log(2000, 100, 1);
	struct stat st;

	write_numbers(log, 0, 300);
	settle(log);
	ck_assert_uint_ge(lcx_log_rotations(log), 10);
	ck_assert_uint_eq(lcx_log_compressed(log), lcx_log_rotations(log));
	for (uint64_t i = 1; i <= lcx_log_rotations(log); i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "log.%d.gz", (int)i);
		ck_assert(exists(name));
		ck_assert_ok(fstatat(dir.fd, name, &st, 0));
		ck_assert_int_eq(st.st_mode, S_IFREG | 0600);
		(void)snprintf(name, sizeof(name), "log.%d", (int)i);
		ck_assert(!exists(name));
	}
	ck_assert(exists("log") && !exists("log.gz") && !exists("log.gz.tmp"));
	run_gzip("-t log.*.gz");
	expect_whole(open_reader(), 0, 300);
	lcx_log_free(log);
}
END_TEST

START_TEST(what_one_writer_leaves_plain_the_next_one_compresses)
{
	struct lcx_log *log = open_log(2000, 100, 0);

	write_numbers(log, 0, 300);
	lcx_log_free(log);
	ck_assert(exists("log.10") && !exists("log.1.gz"));
	log = open_log(2000, 100, 1);
	settle(log);
	ck_assert(!exists("log.1") && !exists("log.10") && exists("log.10.gz"));
	lcx_log_free(log);
	/* And one who does not compress moves them on. */
	log = open_log(2000, 100, 0);
	write_numbers(log, 300, 350);
	ck_assert(exists("log.1") && exists("log.11.gz"));
	lcx_log_free(log);
	expect_whole(open_reader(), 0, 350);
}
END_TEST

START_TEST(no_more_files_are_kept_than_wanted)
{
	struct lcx_log *log = open_log(2000, 4, 1);
	struct lcx_log_reader *reader;
	int first;

	for (int i = 0; i < 600; i += 10) {
		write_numbers(log, i, i + 10);
		if (i % 50 == 0)
			settle(log);
		for (int index = 1; index < 8; index++) {
			char plain[32], packed[32];

			(void)snprintf(plain, sizeof(plain), "log.%d", index);
			(void)snprintf(packed, sizeof(packed), "log.%d.gz", index);
			ck_assert(!(exists(plain) && exists(packed)));
			ck_assert(index < 4 || (!exists(plain) && !exists(packed)));
		}
	}
	lcx_log_free(log);
	reader = open_reader();
	ck_assert_int_eq(lcx_log_reader_next(reader, NULL), 1);
	first = atoi(lcx_log_reader_text(reader) + 5);
	ck_assert_int_gt(first, 450);
	expect_whole(reader, first + 1, 600);
	/* A smaller limit removes both forms. */
	log = open_log(2000, 2, 1);
	settle(log);
	ck_assert(exists("log.1.gz") && !exists("log.2.gz") && !exists("log.3.gz"));
	lcx_log_free(log);
}
END_TEST

START_TEST(after_a_crash_the_plain_file_counts)
{
	struct lcx_log *log = open_log(2000, 100, 0);

	write_numbers(log, 0, 200);
	lcx_log_free(log);
	/* Killed between the two names, in two places, and while it wrote. */
	run_gzip("-k log.1 log.3");
	run_gzip("-c log.2 >log.gz.tmp");
	expect_whole(open_reader(), 0, 200);
	log = open_log(2000, 100, 0);
	write_numbers(log, 200, 300);
	expect_whole(open_reader(), 0, 300);
	lcx_log_free(log);
	log = open_log(2000, 100, 1);
	settle(log);
	ck_assert(!exists("log.gz.tmp") && !exists("log.1") && !exists("log.3"));
	expect_whole(open_reader(), 0, 300);
	lcx_log_free(log);
}
END_TEST

START_TEST(a_writer_that_is_freed_at_once_leaves_a_whole_log)
{
	for (int i = 0; i < 20; i++) {
		struct lcx_log *log = open_log(2000, 1000, 1);

		write_numbers(log, i * 40, i * 40 + 40);
		lcx_log_free(log);
		ck_assert(!exists("log.gz.tmp"));
	}
	expect_whole(open_reader(), 0, 800);
}
END_TEST

/* ---- readers that were there before ---- */

/* _i: compressed by us, and by gzip(1). */
START_TEST(a_reader_goes_on_in_the_file_that_is_compressed_under_it)
{
	struct lcx_log *log = open_log(2000, 100, 0);
	struct lcx_log_reader *reader, *follower;

	write_numbers(log, 0, 1);
	follower = open_reader();
	ck_assert_ok(lcx_log_reader_set_follow(follower, NULL));
	expect_numbers(follower, 0, 1);
	write_numbers(log, 1, 50);
	reader = open_reader();
	write_numbers(log, 50, 200);
	expect_numbers(reader, 0, 5);
	lcx_log_free(log);
	if (_i == 1)
		run_gzip("log.*");
	log = open_log(2000, 100, _i == 0);
	settle(log);
	ck_assert(!exists("log.1") && exists("log.1.gz"));
	write_numbers(log, 200, 300);
	settle(log);
	expect_numbers(follower, 1, 300);
	ck_assert_uint_eq(lcx_log_reader_gaps(follower), 0);
	lcx_log_reader_free(follower);
	expect_numbers(reader, 5, 300);
	ck_assert_uint_eq(lcx_log_reader_gaps(reader), 0);
	lcx_log_reader_free(reader);
	lcx_log_free(log);
}
END_TEST

enum { RACE_LINES = 12000 };

static void *write_race(void *log)
{
	char line[64];

	for (int i = 0; i < RACE_LINES; i++) {
		(void)snprintf(line, sizeof(line), "line %d %0*d\n", i, i % 30 + 1, i);
		if (lcx_log_write(log, LCX_LOG_STREAM_STDOUT, line, strlen(line), NULL) < 0)
			return log;
		if (i % 7 == 0 && lcx_log_flush(log, NULL) < 0)
			return log;
	}
	return lcx_log_flush(log, NULL) < 0 ? log : NULL;
}

START_TEST(nothing_is_lost_or_doubled_while_files_are_renamed_and_compressed)
{
	struct lcx_log *log = open_log(10000, 1000, 1);
	struct lcx_log_reader *reader = open_reader();
	pthread_t thread;
	void *failed;

	ck_assert_ok(lcx_log_reader_set_follow(reader, NULL));
	ck_assert_int_eq(pthread_create(&thread, NULL, write_race, log), 0);
	for (int i = 0; i < RACE_LINES;) {
		int r = lcx_log_reader_next(reader, NULL);

		ck_assert_int_ge(r, 0);
		if (r == 0) {
			ck_assert_int_eq(lcx_log_reader_wait(reader, 20000, NULL), 1);
			continue;
		}
		ck_assert_int_eq(atoi(lcx_log_reader_text(reader) + 5), i);
		/* Late, as far as it goes. */
		if (i % 2000 == 1999)
			(void)poll(NULL, 0, 5);
		i++;
	}
	ck_assert_int_eq(pthread_join(thread, &failed), 0);
	ck_assert_ptr_null(failed);
	ck_assert_uint_eq(lcx_log_reader_skipped(reader), 0);
	ck_assert_uint_eq(lcx_log_reader_gaps(reader), 0);
	lcx_log_reader_free(reader);
	settle(log);
	ck_assert_uint_gt(lcx_log_compressed(log), 0);
	lcx_log_free(log);
	reader = open_reader();
	expect_whole(reader, 0, RACE_LINES);
}
END_TEST

START_TEST(a_reader_that_begins_meanwhile_sees_all)
{
	struct lcx_log *log = open_log(20000, 1000, 1);
	pthread_t thread;
	void *failed;
	int begun = 0;

	write_numbers(log, 0, 1);
	ck_assert_int_eq(pthread_create(&thread, NULL, write_race, log), 0);
	while (pthread_tryjoin_np(thread, &failed) != 0) {
		struct lcx_log_reader *reader = open_reader();
		int at = -1;

		while (lcx_log_reader_next(reader, NULL) == 1) {
			int number = atoi(lcx_log_reader_text(reader) + 5);

			ck_assert_int_eq(number, at == -1 || at == -2 ? 0 : at + 1);
			at = at == -1 ? -2 : number; /* line 0 stands there twice */
		}
		ck_assert_uint_eq(lcx_log_reader_gaps(reader), 0);
		lcx_log_reader_free(reader);
		begun++;
	}
	ck_assert_ptr_null(failed);
	ck_assert_int_gt(begun, 0);
	lcx_log_free(log);
}
END_TEST

/* ---- from the end ---- */

static size_t read_tail(uint64_t lines, char *text, size_t size)
{
	struct lcx_log_reader *reader = open_reader();
	size_t length = 0;

	ck_assert_ok(lcx_log_reader_set_tail(reader, lines, NULL));
	while (lcx_log_reader_next(reader, NULL) == 1) {
		ck_assert_uint_le(length + lcx_log_reader_length(reader), size);
		memcpy(text + length, lcx_log_reader_text(reader), lcx_log_reader_length(reader));
		length += lcx_log_reader_length(reader);
	}
	lcx_log_reader_free(reader);
	return length;
}

/* Long lines are stored in parts, here and there across two files; the last has no end. */
START_TEST(the_tail_of_compressed_files_is_that_of_plain_ones)
{
	enum { SIZE = 1 << 20, TAILS = 60 };
	static char plain[TAILS][SIZE], packed[SIZE];
	static size_t lengths[TAILS];
	static char line[50001];
	struct lcx_log *log = open_log(60000, 100, 0);

	for (int i = 0; i < 40; i++) {
		size_t length = i % 7 == 0 ? sizeof(line) - 2 : (size_t)(i * 37 % 900);

		memset(line, 'a' + i % 26, length);
		(void)snprintf(line + length, 2, "%s", i == 39 ? "" : "\n");
		write_text(log, line);
	}
	lcx_log_free(log);
	for (int i = 0; i < TAILS; i++)
		lengths[i] = read_tail((uint64_t)i, plain[i], SIZE);
	/* The current one, too, as if it had just been rotated. */
	if (_i == 1) {
		for (int i = 20; i >= 0; i--) {
			char from[32], to[32];

			(void)snprintf(from, sizeof(from), i ? "log.%d" : "log", i);
			(void)snprintf(to, sizeof(to), "log.%d", i + 1);
			(void)renameat(dir.fd, from, dir.fd, to);
		}
	}
	run_gzip("log.*");
	for (int i = 0; i < TAILS; i++) {
		ck_assert_uint_eq(read_tail((uint64_t)i, packed, SIZE), lengths[i]);
		ck_assert(memcmp(plain[i], packed, lengths[i]) == 0);
	}
}
END_TEST

/* ---- hostile files ---- */

static void put_file(const char *name, const void *data, size_t length)
{
	CLEANUP(closep)
	int fd = openat(dir.fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_ok(lcx__write_all(fd, data, length));
}

static size_t get_file(const char *name, char *data, size_t size)
{
	CLEANUP(closep) int fd = openat(dir.fd, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, data, size);

	ck_assert_int_gt(n, 0);
	return (size_t)n;
}

/* Cut off, or with any byte changed: what stands before is read, what comes after, too. */
START_TEST(a_damaged_file_costs_no_more_than_itself)
{
	struct lcx_log *log = open_log(2000, 100, 1);
	char good[4096], bad[4096];
	size_t length;

	write_numbers(log, 0, 120);
	settle(log);
	lcx_log_free(log);
	length = get_file("log.2.gz", good, sizeof(good));
	for (size_t i = 0; i < 2 * length; i++) {
		struct lcx_log_reader *reader;
		int seen = 0, last = -1;

		memcpy(bad, good, length);
		bad[i / 2] ^= (char)(i * 89 % 255 + 1);
		put_file("log.2.gz", bad, i % 2 ? length : i / 2);
		reader = open_reader();
		while (lcx_log_reader_next(reader, NULL) == 1) {
			last = atoi(lcx_log_reader_text(reader) + 5);
			seen++;
		}
		ck_assert_int_eq(last, 119);
		ck_assert_int_ge(seen, 70);
		lcx_log_reader_free(reader);
		(void)read_tail(i % 130, (char[1 << 14]){0}, 1 << 14);
	}
}
END_TEST

/* 64 MiB without a newline that are 64 KiB in the file: they pass through, and are no entry. */
START_TEST(a_bomb_passes_by)
{
	static char zeros[1 << 20];
	static unsigned char out[1 << 20];
	z_stream z = {0};
	struct lcx_log *log = open_log(2000, 100, 1);
	struct lcx_log_reader *reader;

	write_numbers(log, 0, 10);
	lcx_log_free(log);
	ck_assert_int_eq(deflateInit2(&z, 9, Z_DEFLATED, 31, 8, 0), Z_OK);
	z.next_out = out;
	z.avail_out = sizeof(out);
	for (int i = 0; i < 64; i++) {
		z.next_in = (unsigned char *)zeros;
		z.avail_in = sizeof(zeros);
		ck_assert_int_ge(deflate(&z, i == 63 ? Z_FINISH : Z_NO_FLUSH), 0);
	}
	put_file("log.1.gz", out, sizeof(out) - z.avail_out);
	(void)deflateEnd(&z);
	reader = open_reader();
	expect_numbers(reader, 0, 10);
	ck_assert_uint_eq(lcx_log_reader_skipped(reader), 1);
	lcx_log_reader_free(reader);
	ck_assert_uint_gt(read_tail(20, zeros, sizeof(zeros)), 60);
}
END_TEST

START_TEST(links_are_refused_in_this_form_too)
{
	struct lcx_log *log = open_log(2000, 100, 1);
	struct lcx_log_reader *reader = NULL;

	write_numbers(log, 0, 10);
	lcx_log_free(log);
	ck_assert_ok(symlinkat("log", dir.fd, "log.1.gz"));
	ck_assert_int_eq(lcx_log_reader_open(dir.fd, "log", &reader, NULL), -ELOOP);
}
END_TEST

START_TEST(a_file_becomes_full_by_its_age_as_well)
{
	struct lcx_log *log = NULL;

	ck_assert_ok(lcx_log_new(&log, NULL));
	ck_assert_ok(lcx_log_set_rotation(log, 0, 5, NULL));
	ck_assert_int_eq(lcx_log_set_max_age(log, UINT64_MAX, NULL), -EINVAL);
	ck_assert_ok(lcx_log_set_max_age(log, 1, NULL));
	ck_assert_ok(lcx_log_open(log, dir.fd, "log", NULL));
	ck_assert_int_eq(lcx_log_set_max_age(log, 1, NULL), -EBUSY);
	ck_assert_int_eq(lcx_log_set_compression(log, 1, NULL), -EBUSY);
	for (int i = 0; i < 3; i++) {
		write_numbers(log, i, i + 1);
		(void)poll(NULL, 0, 3);
	}
	ck_assert_uint_eq(lcx_log_rotations(log), 2);
	lcx_log_free(log);
	expect_whole(open_reader(), 0, 3);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("log-gzip");
	TCase *files = tcase_create("compressed files");

	tcase_add_checked_fixture(files, set_up, tear_down);
	tcase_set_timeout(files, 120);
	tcase_add_test(files, all_but_the_current_file_are_compressed_and_gzip_reads_them);
	tcase_add_test(files, what_one_writer_leaves_plain_the_next_one_compresses);
	tcase_add_test(files, no_more_files_are_kept_than_wanted);
	tcase_add_test(files, after_a_crash_the_plain_file_counts);
	tcase_add_test(files, a_writer_that_is_freed_at_once_leaves_a_whole_log);
	tcase_add_loop_test(files, a_reader_goes_on_in_the_file_that_is_compressed_under_it, 0, 2);
	tcase_add_test(files, nothing_is_lost_or_doubled_while_files_are_renamed_and_compressed);
	tcase_add_test(files, a_reader_that_begins_meanwhile_sees_all);
	tcase_add_loop_test(files, the_tail_of_compressed_files_is_that_of_plain_ones, 0, 2);
	tcase_add_test(files, a_damaged_file_costs_no_more_than_itself);
	tcase_add_test(files, a_bomb_passes_by);
	tcase_add_test(files, links_are_refused_in_this_form_too);
	tcase_add_test(files, a_file_becomes_full_by_its_age_as_well);
	suite_add_tcase(suite, files);
	return unit_run(suite);
}
