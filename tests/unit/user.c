/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <errno.h>
#include <stdint.h>
#include <sys/stat.h>

#include "lcx/security.h"
#include "util/error.h"

static struct unit_dir root;

static void put(const char *name, const char *text)
{
	ck_assert_ok(lcx__replace_file(root.fd, name, text, strlen(text), 0644, false));
}

static void set_up(void)
{
	unit_dir_make(&root);
	ck_assert_int_eq(mkdirat(root.fd, "etc", 0755), 0);
	put("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n"
			  "web:x:33:34:web:/srv/web:/bin/sh\n"
			  "4242:x:7:7:a name of digits:/:/bin/sh\n"
			  "broken\n"
			  "odd:x:notanumber:1::/:\n");
	put("etc/group", "root:x:0:\nwww:x:34:\nlog:x:50:web,root\nempty:x:51:\n");
}

static void tear_down(void)
{
	unit_dir_remove(&root);
}

static const struct {
	const char *text;
	int result;
	uint32_t uid, gid;
	size_t n_groups;
	const char *words; /* of the failure */
} cases[] = {
	{"root", 0, 0, 0, 1, NULL},
	{"web", 0, 33, 34, 1, NULL},
	{"33", 0, 33, 34, 1, NULL},
	{"web:log", 0, 33, 50, 0, NULL},
	{"1000", 0, 1000, 0, 0, NULL},
	{"1000:7", 0, 1000, 7, 0, NULL},
	/* Whoever is not there must never become root. */
	{"nobody", -ENOENT, 0, 0, 0, "no user 'nobody'"},
	{"nobody:0", -ENOENT, 0, 0, 0, "no user 'nobody'"},
	{"web:nogroup", -ENOENT, 0, 0, 0, "no group 'nogroup'"},
	{"", -EINVAL, 0, 0, 0, "empty"},
	{"1000:", -EINVAL, 0, 0, 0, "empty"},
	{":0", -EINVAL, 0, 0, 0, "empty"},
	{"4294967296", -EINVAL, 0, 0, 0, "beyond"},
	{"4294967295", -EINVAL, 0, 0, 0, "beyond"},
	{"-1", -EINVAL, 0, 0, 0, "neither a number nor a name"},
	{" 0", -EINVAL, 0, 0, 0, "neither a number nor a name"},
	{"0x0", -EINVAL, 0, 0, 0, "neither a number nor a name"},
	{"web\n", -EINVAL, 0, 0, 0, "neither"},
	{"../x", -EINVAL, 0, 0, 0, "neither"},
	{"odd", -EBADMSG, 0, 0, 0, "odd"},
};

START_TEST(a_user_is_found_or_refused)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	struct lcx_user *user = NULL;
	int r = lcx_user_lookup(root.fd, cases[_i].text, &user, &err);

	ck_assert_msg(r == cases[_i].result, "'%s': %d %s", cases[_i].text, r,
		      lcx_error_message(err));
	if (r == 0) {
		ck_assert_uint_eq(lcx_user_uid(user), cases[_i].uid);
		ck_assert_uint_eq(lcx_user_gid(user), cases[_i].gid);
		ck_assert_uint_eq(lcx_user_group_count(user), cases[_i].n_groups);
	} else {
		ck_assert_ptr_null(user);
		ck_assert_ptr_nonnull(strstr(lcx_error_message(err), cases[_i].words));
	}
	lcx_user_free(user);
}
END_TEST

START_TEST(the_files_are_the_roots_own)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	struct lcx_user *user = NULL;

	/* A link that would lead to the host's file leads into the root. */
	ck_assert_int_eq(unlinkat(root.fd, "etc/passwd", 0), 0);
	ck_assert_int_eq(symlinkat("/etc/shadow", root.fd, "etc/passwd"), 0);
	ck_assert_int_eq(lcx_user_lookup(root.fd, "daemon", &user, &err), -ENOENT);
	err = lcx_error_free(err);

	/* A FIFO would make the reader wait for ever. */
	ck_assert_int_eq(unlinkat(root.fd, "etc/passwd", 0), 0);
	ck_assert_int_eq(mkfifoat(root.fd, "etc/passwd", 0644), 0);
	ck_assert_int_lt(lcx_user_lookup(root.fd, "web", &user, &err), 0);
	ck_assert_ptr_null(user);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("user");
	TCase *tc = tcase_create("user");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, a_user_is_found_or_refused, 0, ARRAY_SIZE(cases));
	tcase_add_test(tc, the_files_are_the_roots_own);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
