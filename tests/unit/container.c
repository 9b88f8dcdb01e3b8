/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <errno.h>
#include <stdint.h>

#include "util/process.h"
#include "container/container-internal.h"

static struct unit_dir dir;

static void set_up(void)
{
	unit_dir_make(&dir);
}

static void tear_down(void)
{
	unit_dir_remove(&dir);
}

START_TEST(the_journal_is_read_newest_first)
{
	CLEANUP(lcx__strv_freep) char **entries = NULL;

	ck_assert_ok(lcx__journal_add(dir.fd, "cgroup", "lcx/a b", NULL));
	ck_assert_ok(lcx__journal_add(dir.fd, "network", "bridge", NULL));
	ck_assert_ok(lcx__journal_read(dir.fd, &entries, NULL));
	ck_assert_str_eq(entries[0], "network bridge");
	ck_assert_str_eq(entries[1], "cgroup lcx/a b");
	ck_assert_ptr_null(entries[2]);
}
END_TEST

/* A program that is killed, or a full disk, may cut a line anywhere. */
START_TEST(a_torn_line_is_not_an_entry)
{
	CLEANUP(freep) char *whole = NULL;
	size_t length;

	ck_assert_ok(lcx__journal_add(dir.fd, "cgroup", "lcx/a", NULL));
	ck_assert_ok(lcx__journal_add(dir.fd, "network", "bridge", NULL));
	ck_assert_ok(lcx__read_file(dir.fd, "journal", 4096, &whole, &length));
	for (size_t cut = 0; cut < length; cut++) {
		CLEANUP(lcx__strv_freep) char **entries = NULL;
		size_t lines = 0;

		for (size_t i = 0; i < cut; i++)
			lines += whole[i] == '\n';
		ck_assert_ok(lcx__replace_file(dir.fd, "journal", whole, cut, 0600, false));
		ck_assert_ok(lcx__journal_read(dir.fd, &entries, NULL));
		/* A line that lacks only its newline is whole. */
		ck_assert_uint_ge(lcx__strv_length(entries), lines);
		ck_assert_uint_le(lcx__strv_length(entries), lines + 1);
		for (size_t i = 0; entries[i]; i++)
			ck_assert(strcmp(entries[i], "cgroup lcx/a") == 0 ||
				  strcmp(entries[i], "network bridge") == 0);
	}
}
END_TEST

START_TEST(no_journal_is_an_empty_one)
{
	CLEANUP(lcx__strv_freep) char **entries = NULL;

	ck_assert_ok(lcx__journal_read(dir.fd, &entries, NULL));
	ck_assert_ptr_null(entries[0]);
}
END_TEST

START_TEST(a_description_survives_the_disk)
{
	struct description d = {0}, again;

	d.id = strdup("0123");
	d.name = strdup("web");
	ck_assert_ok(lcx__strv_append(&d.ports, "8080:80"));
	d.created_ns = (struct lcx__opt_i64)LCX__OPT(INT64_MAX);
	ck_assert_ok(lcx__description_save(&d, dir.fd, NULL));
	ck_assert_ok(lcx__description_load(dir.fd, &again, NULL));
	ck_assert_str_eq(again.name, "web");
	ck_assert_str_eq(again.ports[0], "8080:80");
	ck_assert_int_eq(again.created_ns.value, INT64_MAX);
	ck_assert_ptr_null(again.image);
	lcx__description_clear(&d);
	lcx__description_clear(&again);
}
END_TEST

START_TEST(a_record_that_is_no_json_is_refused)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	struct description d;

	ck_assert_ok(lcx__replace_file(dir.fd, "container.json", "{\"id\": 7}", 9, 0600, false));
	ck_assert_int_lt(lcx__description_load(dir.fd, &d, &err), 0);
	ck_assert_ptr_nonnull(strstr(lcx_error_message(err), "container.json"));
	lcx__description_clear(&d);
}
END_TEST

START_TEST(a_process_is_known_by_its_start_time)
{
	int64_t start_time;
	int pidfd;

	ck_assert_ok(lcx__read_start_time(getpid(), &start_time));
	pidfd = lcx__open_process(getpid(), start_time);
	ck_assert_int_ge(pidfd, 0);
	closep(&pidfd);
	ck_assert_int_eq(lcx__open_process(getpid(), start_time + 2), -ESRCH);
	ck_assert_int_eq(lcx__open_process(0, 0), -ESRCH);
}
END_TEST

static const struct {
	const char *text;
	int result;
	uint64_t bytes;
} sizes[] = {
	{"10", 0, 10},      {"10k", 0, 10240},
	{"1M", 0, 1 << 20}, {"2g", 0, INT64_C(2) << 30},
	{"k", -EINVAL, 0},  {"", -EINVAL, 0},
	{"0", -EINVAL, 0},  {"-1", -EINVAL, 0},
	{"1t", -EINVAL, 0}, {"99999999999g", -EINVAL, 0},
};

START_TEST(sizes_have_dockers_units)
{
	uint64_t bytes = 0;

	ck_assert_int_eq(lcx__parse_size(sizes[_i].text, &bytes), sizes[_i].result);
	if (sizes[_i].result == 0)
		ck_assert_uint_eq(bytes, sizes[_i].bytes);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("container");
	TCase *tc = tcase_create("records");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, the_journal_is_read_newest_first);
	tcase_add_test(tc, a_torn_line_is_not_an_entry);
	tcase_add_test(tc, no_journal_is_an_empty_one);
	tcase_add_test(tc, a_description_survives_the_disk);
	tcase_add_test(tc, a_record_that_is_no_json_is_refused);
	tcase_add_test(tc, a_process_is_known_by_its_start_time);
	tcase_add_loop_test(tc, sizes_have_dockers_units, 0, ARRAY_SIZE(sizes));
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
