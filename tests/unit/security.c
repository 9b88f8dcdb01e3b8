/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "lcx/version.h"
#include "security/caps.h"
#include "security/rlimit.h"
#include "security/seccomp-arch.h"
#include "security/user.h"

static struct unit_dir dir;

static void set_up(void)
{
	unit_dir_make(&dir);
}

static void tear_down(void)
{
	unit_dir_remove(&dir);
}

/* ---- capabilities and limits --------------------------------------------------- */

static const struct {
	const char *name;
	int32_t number;
} capability_cases[] = {
	{"CAP_CHOWN", CAP_CHOWN},
	{"net_admin", CAP_NET_ADMIN},
	{"Cap_Net_Admin", CAP_NET_ADMIN},
	{"CAP_CHECKPOINT_RESTORE", CAP_CHECKPOINT_RESTORE},
	{"BPF", CAP_BPF},
	{"", -EINVAL},
	{"CAP_", -EINVAL},
	{"CAP_CAP_CHOWN", -EINVAL},
	{"CHOW", -EINVAL},
	{"CHOWN ", -EINVAL},
	{"0", -EINVAL},
};

START_TEST(capability_names_are_whole_words)
{
	ck_assert_int_eq(lcx_capability_number(capability_cases[_i].name),
			 capability_cases[_i].number);
}
END_TEST

START_TEST(capability_numbers_and_names_agree)
{
	int32_t number = 0;

	for (; lcx_capability_name(number); number++)
		ck_assert_int_eq(lcx_capability_number(lcx_capability_name(number)), number);
	ck_assert_int_gt(number, CAP_LAST_CAP);
	ck_assert_ptr_null(lcx_capability_name(-1));
	ck_assert_ptr_null(lcx_capability_name(64));
	ck_assert_int_ge(lcx_capability_last(), CAP_AUDIT_READ);
}
END_TEST

START_TEST(capability_lists_become_masks)
{
	struct lcx_error *err = NULL;
	uint64_t mask = 7;

	ck_assert_ok(lcx_capability_mask("", &mask, NULL));
	ck_assert_uint_eq(mask, 0);
	ck_assert_ok(lcx_capability_mask(" CAP_KILL,net_raw ", &mask, NULL));
	ck_assert_uint_eq(mask, UINT64_C(1) << CAP_KILL | UINT64_C(1) << CAP_NET_RAW);
	ck_assert_ok(lcx_capability_mask("all", &mask, NULL));
	for (int cap = 0; cap <= lcx_capability_last(); cap++)
		ck_assert_int_eq(mask >> cap & 1, prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 1);
	ck_assert_fails(lcx_capability_mask("kill,nothing", &mask, &err), EINVAL, err, "'nothing'");
	ck_assert_uint_ne(mask, 0);
}
END_TEST

/* By root only: in a mount namespace of its own, nothing is where /proc was. */
START_TEST(all_is_something_without_proc)
{
	uint64_t with, without;
	int32_t last;
	int r;

	if (geteuid() != 0)
		return;
	ck_assert_ok(lcx_capability_mask("ALL", &with, NULL));
	ck_assert_uint_ne(with, 0);
	ck_assert_int_eq(unshare(CLONE_NEWNS), 0);
	ck_assert_int_eq(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	ck_assert_int_eq(mount("none", "/proc", "tmpfs", 0, NULL), 0);
	last = lcx_capability_last();
	r = lcx_capability_mask("ALL", &without, NULL);
	/* Sanitizers look into it at the end. */
	ck_assert_int_eq(umount("/proc"), 0);
	ck_assert_int_lt(last, 0);
	ck_assert_ok(r);
	ck_assert_uint_eq(without, with);
}
END_TEST

START_TEST(fourteen_capabilities_are_the_default)
{
	uint64_t mask = lcx_capability_default_mask();

	ck_assert_int_eq(__builtin_popcountll(mask), 14);
	ck_assert(mask & UINT64_C(1) << CAP_CHOWN);
	ck_assert(!(mask & UINT64_C(1) << CAP_SYS_ADMIN));
	ck_assert(!(mask & UINT64_C(1) << CAP_SYS_PTRACE));
	ck_assert(!(mask & UINT64_C(1) << CAP_NET_ADMIN));
}
END_TEST

START_TEST(limit_names_and_numbers_agree)
{
	for (int32_t i = 0; i < (int32_t)RLIM_NLIMITS; i++)
		ck_assert_int_eq(lcx_rlimit_number(lcx_rlimit_name(i)), i);
	ck_assert_ptr_null(lcx_rlimit_name(RLIM_NLIMITS));
	ck_assert_ptr_null(lcx_rlimit_name(-1));
	ck_assert_int_eq(lcx_rlimit_number("nofile"), RLIMIT_NOFILE);
	ck_assert_int_eq(lcx_rlimit_number("RLIMIT_"), -EINVAL);
	ck_assert_int_eq(lcx_rlimit_number(""), -EINVAL);
}
END_TEST

START_TEST(default_paths_are_absolute_and_end)
{
	size_t n = 0;

	while (lcx_default_masked_path(n))
		ck_assert_int_eq(lcx_default_masked_path(n++)[0], '/');
	ck_assert_uint_ge(n, 12);
	for (n = 0; lcx_default_readonly_path(n); n++)
		ck_assert_int_eq(lcx_default_readonly_path(n)[0], '/');
	ck_assert_uint_eq(n, 5);
}
END_TEST

/* ---- users --------------------------------------------------------------------- */

static const char passwd[] = "# a comment\n"
			     "root:x:0:0:root:/root:/bin/sh\n"
			     "web:x:1000:100::/srv/web:/bin/sh\n"
			     "1001:x:0:0:a name like a number:/:/bin/sh\n"
			     "broken:x:-1:0::/:/bin/sh\n"
			     "wide:x:4294967296:0::/:/bin/sh\n"
			     "last:x:4294967295:0::/:/bin/sh\n"
			     "short:x:0\n"
			     "nohome:x:1002:1002::relative:/bin/sh\n"
			     "web:x:0:0:a second one:/:/bin/sh\n";
static const char group[] = "root:x:0:\n"
			    "users:x:100:web\n"
			    "wheel:x:10:root,web\n"
			    "video:x:44:nobody,web,root\n"
			    "bad:x:hello:evil\n"
			    "webby:x:666:webmaster,xweb\n";

static void write_file(const char *name, const char *text)
{
	ck_assert_ok(lcx__replace_file(dir.fd, name, text, strlen(text), 0644, false));
}

static void write_users(void)
{
	ck_assert_int_eq(mkdirat(dir.fd, "etc", 0755), 0);
	write_file("etc/passwd", passwd);
	write_file("etc/group", group);
}

static const struct {
	const char *user;
	uint32_t uid, gid;
	size_t n_groups;
	const char *home;
} user_cases[] = {
	{NULL, 0, 0, 2, "/root"},
	{"root", 0, 0, 2, "/root"},
	{"0", 0, 0, 2, "/root"},
	{"web", 1000, 100, 2, "/srv/web"},
	{"1000", 1000, 100, 2, "/srv/web"},
	{"web:wheel", 1000, 10, 0, "/srv/web"},
	{"web:7", 1000, 7, 0, "/srv/web"},
	{"1001", 1001, 0, 0, "/"}, /* a number, whatever the file calls so */
	{"0001000", 1000, 100, 2, "/srv/web"},
	{"4294967294", 4294967294u, 0, 0, "/"},
	{"5:6", 5, 6, 0, "/"},
	{"nohome", 1002, 1002, 0, "/"},
};

START_TEST(users_are_found)
{
	CLEANUP(lcx_user_freep) struct lcx_user *user = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;

	write_users();
	ck_assert_msg(lcx_user_lookup(dir.fd, user_cases[_i].user, &user, &err) == 0, "%s",
		      lcx_error_message(err));
	ck_assert_uint_eq(lcx_user_uid(user), user_cases[_i].uid);
	ck_assert_uint_eq(lcx_user_gid(user), user_cases[_i].gid);
	ck_assert_uint_eq(lcx_user_group_count(user), user_cases[_i].n_groups);
	ck_assert_str_eq(lcx_user_home(user), user_cases[_i].home);
	ck_assert_uint_eq(lcx_user_group(user, user_cases[_i].n_groups), UINT32_MAX);
}
END_TEST

static const struct {
	const char *user;
	int code;
} bad_user_cases[] = {
	{"", EINVAL},
	{":", EINVAL},
	{"1000:", EINVAL},
	{":100", EINVAL},
	{"4294967295", EINVAL},
	{"4294967296", EINVAL},
	{"18446744073709551616", EINVAL},
	{"-1", EINVAL},
	{"+1", EINVAL},
	{" 0", EINVAL},
	{"0 ", EINVAL},
	{"0x0", EINVAL},
	{"0\n", EINVAL},
	{"1000abc", EINVAL},
	{"1e3", EINVAL},
	{"web:0:0", EINVAL},
	{"web:-1", EINVAL},
	{"a/b", EINVAL},
	{"nobody", ENOENT},
	{"web:nogroup", ENOENT},
	{"broken", EBADMSG},
	{"wide", EBADMSG},
	{"last", EBADMSG},
	{"web:bad", EBADMSG},
	{"short", ENOENT},
	{"evil", ENOENT},
};

START_TEST(no_bad_user_becomes_root)
{
	struct lcx_user *user = NULL;
	struct lcx_error *err = NULL;

	write_users();
	ck_assert_fails(lcx_user_lookup(dir.fd, bad_user_cases[_i].user, &user, &err),
			bad_user_cases[_i].code, err, "");
	ck_assert_ptr_null(user);
}
END_TEST

START_TEST(numbers_need_no_files)
{
	CLEANUP(lcx_user_freep) struct lcx_user *user = NULL;
	struct lcx_user *none = NULL;
	struct lcx_error *err = NULL;

	ck_assert_ok(lcx_user_lookup(dir.fd, "12:34", &user, NULL));
	ck_assert_uint_eq(lcx_user_uid(user), 12);
	ck_assert_uint_eq(lcx_user_gid(user), 34);
	ck_assert_fails(lcx_user_lookup(dir.fd, "web", &none, &err), ENOENT, err, "'web'");
}
END_TEST

START_TEST(a_home_is_a_path_that_can_be)
{
	CLEANUP(lcx_user_freep) struct lcx_user *user = NULL, *other = NULL;
	char text[64 + PATH_MAX];

	write_users();
	/* The longest that there is, and one byte more. */
	(void)snprintf(text, sizeof(text), "web:x:0:0::/%0*d:/bin/sh\n", PATH_MAX - 2, 0);
	write_file("etc/passwd", text);
	ck_assert_ok(lcx_user_lookup(dir.fd, "0", &user, NULL));
	ck_assert_uint_eq(strlen(lcx_user_home(user)), PATH_MAX - 1);
	(void)snprintf(text, sizeof(text), "web:x:0:0::/%0*d:/bin/sh\n", PATH_MAX - 1, 0);
	write_file("etc/passwd", text);
	ck_assert_ok(lcx_user_lookup(dir.fd, "0", &other, NULL));
	ck_assert_str_eq(lcx_user_home(other), "/");
}
END_TEST

START_TEST(a_number_of_a_group_needs_no_file)
{
	CLEANUP(lcx_user_freep) struct lcx_user *user = NULL;
	struct lcx_user *none = NULL;
	struct lcx_error *err = NULL;

	write_users();
	ck_assert_int_eq(unlinkat(dir.fd, "etc/group", 0), 0);
	ck_assert_int_eq(mkfifoat(dir.fd, "etc/group", 0644), 0);
	ck_assert_ok(lcx_user_lookup(dir.fd, "web:7", &user, NULL));
	ck_assert_str_eq(lcx_user_home(user), "/srv/web");
	ck_assert_fails(lcx_user_lookup(dir.fd, "web", &none, &err), EBADMSG, err, "regular");
}
END_TEST

START_TEST(files_that_are_traps_are_not_read)
{
	CLEANUP(freep) char *big = calloc(1, (5 << 20) + 1);
	struct lcx_user *user = NULL;
	struct lcx_error *err = NULL;

	/* A fifo must neither hold us up nor be read. */
	ck_assert_int_eq(mkdirat(dir.fd, "etc", 0755), 0);
	ck_assert_int_eq(mkfifoat(dir.fd, "etc/passwd", 0644), 0);
	ck_assert_fails(lcx_user_lookup(dir.fd, "0", &user, &err), EBADMSG, err, "regular");

	/* A link to the host's file ends inside the root. */
	ck_assert_int_eq(unlinkat(dir.fd, "etc/passwd", 0), 0);
	ck_assert_int_eq(symlinkat("/etc/hostname", dir.fd, "etc/passwd"), 0);
	ck_assert_fails(lcx_user_lookup(dir.fd, "root", &user, &err), ENOENT, err, "root");
	ck_assert_int_eq(unlinkat(dir.fd, "etc/passwd", 0), 0);
	ck_assert_int_eq(symlinkat("../../../../../../etc/passwd", dir.fd, "etc/passwd"), 0);
	ck_assert_fails(lcx_user_lookup(dir.fd, "root", &user, &err), ELOOP, err, "passwd");

	ck_assert_int_eq(unlinkat(dir.fd, "etc/passwd", 0), 0);
	ck_assert_ptr_nonnull(big);
	memset(big, '#', 5 << 20);
	write_file("etc/passwd", big);
	ck_assert_fails(lcx_user_lookup(dir.fd, "0", &user, &err), EBADMSG, err, "4 MiB");
	ck_assert_int_eq(unlinkat(dir.fd, "etc/passwd", 0), 0);
	ck_assert_ok(lcx__replace_file(dir.fd, "etc/passwd", "web\0:x:0:0::/:", 14, 0644, false));
	ck_assert_fails(lcx_user_lookup(dir.fd, "web", &user, &err), EBADMSG, err, "NUL");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("security");
	TCase *tc = tcase_create("security");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, capability_names_are_whole_words, 0, ARRAY_SIZE(capability_cases));
	tcase_add_test(tc, capability_numbers_and_names_agree);
	tcase_add_test(tc, capability_lists_become_masks);
	tcase_add_test(tc, all_is_something_without_proc);
	tcase_add_test(tc, fourteen_capabilities_are_the_default);
	tcase_add_test(tc, limit_names_and_numbers_agree);
	tcase_add_test(tc, default_paths_are_absolute_and_end);
	tcase_add_loop_test(tc, users_are_found, 0, ARRAY_SIZE(user_cases));
	tcase_add_loop_test(tc, no_bad_user_becomes_root, 0, ARRAY_SIZE(bad_user_cases));
	tcase_add_test(tc, numbers_need_no_files);
	tcase_add_test(tc, a_home_is_a_path_that_can_be);
	tcase_add_test(tc, a_number_of_a_group_needs_no_file);
	tcase_add_test(tc, files_that_are_traps_are_not_read);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
