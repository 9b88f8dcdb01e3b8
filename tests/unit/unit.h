/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What every unit test shares: a temporary directory, assertions on results
 * with words, and the main program.
 */

#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lcx/error.h"
#include "util/cleanup.h"
#include "util/fs.h"

/* Assert success and print the library's own words when there is none. */
#define ck_assert_ok(expression)                                                                   \
	do {                                                                                       \
		int r_ = (expression);                                                             \
		ck_assert_msg(r_ >= 0, "%s: %d (%s)", #expression, r_, strerror(-r_));             \
	} while (0)

/* Assert a failure by its errno and by a part of its words, and release it. */
#define ck_assert_fails(expression, code, err, words)                                              \
	do {                                                                                       \
		ck_assert_int_eq((expression), -(code));                                           \
		ck_assert_ptr_nonnull(err);                                                        \
		ck_assert_msg(strstr(lcx_error_message(err), words) != NULL,                       \
			      "'%s' does not contain '%s'", lcx_error_message(err), words);        \
		(err) = lcx_error_free(err);                                                       \
	} while (0)

struct unit_dir {
	char path[32];
	int fd;
};

/*
 * All of them are below one, made and removed by main(): a test that fails, or is
 * ended by Check for its time, never comes to its tear-down.
 */
static char unit_base[] = "/tmp/lcx-unit-XXXXXX";

static inline void unit_dir_make(struct unit_dir *dir)
{
	strcpy(dir->path, unit_base);
	strcat(dir->path, "/aXXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir->path));
	dir->fd = open(dir->path, O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(dir->fd, 0);
}

static inline void unit_dir_remove(struct unit_dir *dir)
{
	ck_assert_ok(lcx__remove_tree(AT_FDCWD, dir->path));
	closep(&dir->fd);
}

/* main() of a unit test: run one suite, fail the process if a test failed. */
static inline int unit_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	if (!mkdtemp(unit_base))
		return EXIT_FAILURE;
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	if (lcx__remove_tree(AT_FDCWD, unit_base) < 0)
		return EXIT_FAILURE;
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
