/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "overlay/overlay-internal.h"
#include "cpus.h"
#include "unit.h"
#include "util/str.h"

static struct unit_dir dir;
static struct lcx_error *err;
static struct lcx_overlay *overlay;

static const char *in(const char *name)
{
	static char paths[4][128];
	static unsigned int next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", dir.path, name);
	return path;
}

/* Two lowers and an upper; marks are user.* ones, so that no privilege is needed. */
static void set_up(void)
{
	static const char *const names[] = {"top", "bottom", "upper", "work"};

	unit_dir_make(&dir);
	err = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		ck_assert_int_eq(mkdirat(dir.fd, names[i], 0755), 0);
	ck_assert_ok(lcx_overlay_new(&overlay, &err));
	ck_assert_ok(lcx_overlay_add_lower(overlay, in("top"), &err));
	ck_assert_ok(lcx_overlay_add_lower(overlay, in("bottom"), &err));
	ck_assert_ok(lcx_overlay_set_upper(overlay, in("upper"), in("work"), &err));
	ck_assert_ok(lcx_overlay_set_option(overlay, "userxattr", "on", &err));
}

static void tear_down(void)
{
	lcx_overlay_free(overlay);
	unit_dir_remove(&dir);
}

static void make_dir(const char *name)
{
	ck_assert_ok(close(lcx__make_dirs(dir.fd, name, 0755)));
}

static void make_file(const char *name)
{
	ck_assert_ok(lcx__replace_file(dir.fd, name, "text", 4, 0644, false));
}

static void make_whiteout(const char *name)
{
	ck_assert_int_eq(mknodat(dir.fd, name, S_IFCHR, makedev(0, 0)), 0);
}

static void mark(const char *name, const char *attribute, const char *value)
{
	ck_assert_int_eq(lsetxattr(in(name), attribute, value, strlen(value), 0), 0);
}

/* "A dir;C dir/file;D gone;" */
static char *diff_text(void)
{
	CLEANUP(lcx_overlay_diff_freep) struct lcx_overlay_diff *diff = NULL;
	struct lcx__strbuf text = STRBUF_EMPTY;
	int r;

	ck_assert_ok(lcx_overlay_diff_new(overlay, &diff, &err));
	ck_assert_str_eq(lcx_overlay_diff_path(diff), "");
	while ((r = lcx_overlay_diff_next(diff, &err)) > 0)
		lcx__strbuf_addf(&text, "%c%s %s;", "?ACD"[lcx_overlay_diff_kind(diff)],
				 lcx_overlay_diff_is_opaque(diff) ? "o" : "",
				 lcx_overlay_diff_path(diff));
	ck_assert_msg(r == 0, "%s", lcx_error_message(err));
	ck_assert_int_eq(lcx_overlay_diff_next(diff, &err), 0);
	lcx__strbuf_adds(&text, "");
	return lcx__strbuf_take(&text);
}

static void check_diff(const char *expected)
{
	CLEANUP(freep) char *text = diff_text();

	ck_assert_str_eq(text, expected);
}

START_TEST(additions_changes_and_deletions_are_told_apart)
{
	make_dir("bottom/etc");
	make_file("bottom/etc/passwd");
	make_file("top/motd");
	make_file("bottom/gone");
	make_dir("upper/etc/new");
	make_file("upper/etc/passwd");
	make_file("upper/etc/new/file");
	make_file("upper/motd");
	make_whiteout("upper/gone");
	make_whiteout("upper/never-was");
	ck_assert_int_eq(symlinkat("/etc/passwd", dir.fd, "upper/link"), 0);
	check_diff("C etc;A etc/new;A etc/new/file;C etc/passwd;D gone;A link;C motd;");
}
END_TEST

START_TEST(a_lower_hides_the_ones_below_it)
{
	make_file("bottom/a");
	make_whiteout("top/a");
	make_file("upper/a");

	make_dir("bottom/dir");
	make_file("bottom/dir/b");
	make_dir("top/dir");
	mark("top/dir", "user.overlay.opaque", "y");
	make_dir("upper/dir");
	make_file("upper/dir/b");

	make_dir("bottom/file-above/x");
	make_file("top/file-above");
	make_dir("upper/file-above/x");
	check_diff("A a;C dir;A dir/b;C file-above;A file-above/x;");
}
END_TEST

START_TEST(an_opaque_upper_directory_hides_all)
{
	make_dir("bottom/dir");
	make_file("bottom/dir/a");
	make_dir("upper/dir");
	make_file("upper/dir/a");
	make_whiteout("upper/dir/b");
	mark("upper/dir", "user.overlay.opaque", "y");
	check_diff("Co dir;A dir/a;");
}
END_TEST

START_TEST(a_whiteout_may_be_an_attribute)
{
	make_dir("bottom/dir");
	make_file("bottom/dir/a");
	make_file("bottom/dir/b");
	make_dir("upper/dir");
	mark("upper/dir", "user.overlay.opaque", "x");
	ck_assert_ok(lcx__replace_file(dir.fd, "upper/dir/a", "", 0, 0644, false));
	mark("upper/dir/a", "user.overlay.whiteout", "y");
	make_file("upper/dir/b");
	mark("upper/dir/b", "user.overlay.whiteout", "y"); /* not empty: a file */
	check_diff("C dir;D dir/a;C dir/b;");
}
END_TEST

START_TEST(a_renamed_directory_is_compared_with_where_it_was)
{
	make_dir("bottom/old/sub");
	make_file("bottom/old/a");
	make_file("bottom/old/sub/b");
	make_dir("upper/new");
	make_file("upper/new/a");
	make_file("upper/new/c");
	mark("upper/new", "user.overlay.redirect", "/old");
	make_dir("upper/new/moved");
	make_file("upper/new/moved/b");
	mark("upper/new/moved", "user.overlay.redirect", "sub");
	make_whiteout("upper/old");
	check_diff("A new;C new/a;A new/c;A new/moved;C new/moved/b;D old;");
}
END_TEST

START_TEST(a_forged_redirect_leads_nowhere)
{
	make_file("outside");
	make_dir("upper/a");
	make_file("upper/a/outside");
	mark("upper/a", "user.overlay.redirect", "/../");
	make_dir("upper/b");
	make_file("upper/b/outside");
	mark("upper/b", "user.overlay.redirect", "..");
	check_diff("A a;A a/outside;A b;A b/outside;");
}
END_TEST

START_TEST(a_link_in_a_lower_is_not_followed)
{
	make_dir("secret");
	make_file("secret/key");
	ck_assert_int_eq(symlinkat("../secret", dir.fd, "bottom/dir"), 0);
	make_dir("upper/dir");
	make_file("upper/dir/key");
	check_diff("C dir;A dir/key;");
}
END_TEST

START_TEST(a_diff_tells_mode_and_metacopy)
{
	CLEANUP(lcx_overlay_diff_freep) struct lcx_overlay_diff *diff = NULL;

	make_file("bottom/a");
	make_file("upper/a");
	mark("upper/a", "user.overlay.metacopy", "");
	ck_assert_ok(lcx_overlay_diff_new(overlay, &diff, &err));
	ck_assert_int_eq(lcx_overlay_diff_next(diff, &err), 1);
	ck_assert_uint_eq(lcx_overlay_diff_mode(diff), S_IFREG | 0644);
	ck_assert_int_eq(lcx_overlay_diff_is_metacopy(diff), 1);
	ck_assert_str_eq(lcx_overlay_diff_redirect(diff), "");
	ck_assert_int_eq(lcx_overlay_diff_next(diff, &err), 0);
	ck_assert_str_eq(lcx_overlay_diff_path(diff), "");
}
END_TEST

START_TEST(a_deep_tree_ends_in_results_or_an_error_not_in_a_crash)
{
	CLEANUP(closep) int fd = openat(dir.fd, "upper", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint64_t inodes = 0;

	for (int i = 0; i < 600; i++) {
		ck_assert_int_eq(mkdirat(fd, "d", 0755), 0);
		int next = openat(fd, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		ck_assert_int_ge(next, 0);
		close(fd);
		fd = next;
	}
	ck_assert_ok(lcx_overlay_size(overlay, NULL, &inodes, &err));
	ck_assert_uint_eq(inodes, 600);
}
END_TEST

START_TEST(a_file_with_two_names_counts_once)
{
	uint64_t bytes = 0, inodes = 0;

	ck_assert_ok(lcx_overlay_size(overlay, &bytes, &inodes, &err));
	ck_assert_uint_eq(bytes, 0);
	ck_assert_uint_eq(inodes, 0);
	make_dir("upper/dir");
	make_file("upper/a");
	for (int i = 0; i < 200; i++) {
		char name[32];

		snprintf(name, sizeof(name), "upper/dir/%d", i);
		ck_assert_int_eq(linkat(dir.fd, "upper/a", dir.fd, name, 0), 0);
	}
	ck_assert_ok(lcx_overlay_size(overlay, &bytes, &inodes, &err));
	ck_assert_uint_eq(inodes, 2);
	ck_assert_uint_gt(bytes, 0);
}
END_TEST

static const struct {
	const char *key, *value;
	bool good;
} option_cases[] = {
	{"volatile", "on", true},
	{"volatile", "yes", false},
	{"redirect_dir", "follow", true},
	{"redirect_dir", "off", false},
	{"xino", "auto", true},
	{"xino", NULL, true},
	{"lowerdir", "/", false},
	{NULL, NULL, false},
	{"metacopy", "on,upperdir=/", false},
};

START_TEST(unknown_options_are_refused)
{
	ck_assert_int_eq(
		lcx_overlay_set_option(overlay, option_cases[_i].key, option_cases[_i].value, NULL),
		option_cases[_i].good ? 0 : -EINVAL);
}
END_TEST

static char *options_text(void)
{
	struct lcx__overlay_option options[LCX__OVERLAY_MAX_OPTIONS];
	size_t count = lcx__overlay_options(overlay, options);
	struct lcx__strbuf text = STRBUF_EMPTY;

	for (size_t i = 0; i < count; i++)
		lcx__strbuf_addf(&text, "%s=%s;", options[i].key,
				 options[i].value ? options[i].value : "");
	return lcx__strbuf_take(&text);
}

START_TEST(defaults_are_told_to_the_kernel)
{
	CLEANUP(freep) char *first = options_text(), *second = NULL;

	ck_assert_str_eq(first, "userxattr=;redirect_dir=nofollow;metacopy=off;index=off;"
				"nfs_export=off;");
	ck_assert_ok(lcx_overlay_set_option(overlay, "userxattr", NULL, &err));
	ck_assert_ok(lcx_overlay_set_option(overlay, "metacopy", "on", &err));
	second = options_text();
	ck_assert_str_eq(second, "redirect_dir=on;metacopy=on;index=off;nfs_export=off;");
}
END_TEST

START_TEST(what_does_not_go_together_is_refused)
{
	struct lcx_overlay *other = NULL;

	ck_assert_ok(lcx_overlay_set_option(overlay, "metacopy", "on", &err));
	ck_assert_fails(lcx_overlay_mount_fd(overlay, &err), EINVAL, err, "userxattr excludes");
	ck_assert_ok(lcx_overlay_set_option(overlay, "userxattr", NULL, &err));
	ck_assert_ok(lcx_overlay_set_option(overlay, "redirect_dir", "nofollow", &err));
	ck_assert_fails(lcx_overlay_mount_fd(overlay, &err), EINVAL, err, "needs redirect_dir");

	ck_assert_ok(lcx_overlay_new(&other, &err));
	ck_assert_fails(lcx_overlay_mount_fd(other, &err), EINVAL, err, "needs a lower");
	ck_assert_ok(lcx_overlay_add_lower(other, in("top"), &err));
	ck_assert_fails(lcx_overlay_mount_fd(other, &err), EINVAL, err, "bind-mount");
	ck_assert_fails(lcx_overlay_set_upper(other, in("upper"), NULL, &err), EINVAL, err,
			"work directory is empty");
	ck_assert_fails(lcx_overlay_add_lower_fd(other, 999, &err), EBADF, err, "999");
	ck_assert_fails(lcx_overlay_size(other, NULL, NULL, &err), EINVAL, err, "no upper");
	ck_assert_fails(lcx_overlay_set_flag(other, "suid", 1, &err), EINVAL, err, "'suid'");
	lcx_overlay_free(other);
}
END_TEST

START_TEST(a_missing_directory_is_named)
{
	struct lcx_overlay_diff *diff = NULL;

	ck_assert_ok(lcx_overlay_set_upper(overlay, in("nowhere"), in("work"), &err));
	ck_assert_fails(lcx_overlay_size(overlay, NULL, NULL, &err), ENOENT, err, "upper");
	ck_assert_fails(lcx_overlay_diff_new(overlay, &diff, &err), ENOENT, err, "upper");
	ck_assert_fails(lcx_overlay_mount(overlay, in("nowhere"), &err), ENOENT, err, "nowhere");
	ck_assert_fails(lcx_overlay_unmount(in("top"), &err), EINVAL, err, "no overlay");
}
END_TEST

START_TEST(the_501st_layer_is_one_too_many)
{
	int r = 0;

	for (int i = 2; i < 500; i++)
		ck_assert_ok(lcx_overlay_add_lower(overlay, in("top"), &err));
	r = lcx_overlay_add_lower(overlay, in("top"), &err);
	ck_assert_fails(r, E2BIG, err, "500");
	ck_assert_uint_eq(lcx__overlay_lower_count(overlay), 500);
}
END_TEST

START_TEST(a_used_volatile_work_directory_is_explained)
{
	make_dir("work/work/incompat/volatile");
	ck_assert_fails(lcx_overlay_mount_fd(overlay, &err), EINVAL, err, "volatile");
}
END_TEST

extern const ptrdiff_t __rseq_offset __attribute__((weak));
extern const unsigned int __rseq_size __attribute__((weak));

/* Of the number that the kernel keeps in the thread's data: an allocator may ask there. */
static int32_t kept_cpu(void)
{
	if (!&__rseq_size || __rseq_size == 0)
		return -1;
	return *(volatile int32_t *)((char *)__builtin_thread_pointer() + __rseq_offset + 4);
}

/* On each of the CPUs: that number is the right one, or none. */
static bool is_right(int cpu)
{
	return kept_cpu() < 0 || kept_cpu() == cpu;
}

static int visit_all(const void *data, struct lcx_error **why)
{
	(void)data;
	(void)why;
	return visit_cpus(is_right);
}

START_TEST(number_of_the_cpu_is_the_right_one_aside)
{
	int32_t before = kept_cpu();

	ck_assert_int_eq(unshare(CLONE_NEWUSER), 0);
	ck_assert_ok(lcx__overlay_aside(visit_all, NULL, &err));
	/* And it is kept again for this thread. */
	ck_assert_int_eq(before >= 0, kept_cpu() >= 0);
	ck_assert_ok(visit_all(NULL, NULL));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("overlay");
	TCase *tc = tcase_create("overlay");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, additions_changes_and_deletions_are_told_apart);
	tcase_add_test(tc, a_lower_hides_the_ones_below_it);
	tcase_add_test(tc, an_opaque_upper_directory_hides_all);
	tcase_add_test(tc, a_whiteout_may_be_an_attribute);
	tcase_add_test(tc, a_renamed_directory_is_compared_with_where_it_was);
	tcase_add_test(tc, a_forged_redirect_leads_nowhere);
	tcase_add_test(tc, a_link_in_a_lower_is_not_followed);
	tcase_add_test(tc, a_diff_tells_mode_and_metacopy);
	tcase_add_test(tc, a_deep_tree_ends_in_results_or_an_error_not_in_a_crash);
	tcase_add_test(tc, a_file_with_two_names_counts_once);
	tcase_add_loop_test(tc, unknown_options_are_refused, 0, ARRAY_SIZE(option_cases));
	tcase_add_test(tc, defaults_are_told_to_the_kernel);
	tcase_add_test(tc, what_does_not_go_together_is_refused);
	tcase_add_test(tc, a_missing_directory_is_named);
	tcase_add_test(tc, the_501st_layer_is_one_too_many);
	tcase_add_test(tc, a_used_volatile_work_directory_is_explained);
	tcase_add_test(tc, number_of_the_cpu_is_the_right_one_aside);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
