/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "resctrl/resctrl.h"
#include "util/fs.h"
#include "util/str.h"

/* A directory in the place of the file system, whose files the test makes as the kernel would. */
static char top[] = "/tmp/lcx-resctrl-XXXXXX";
static int top_fd;

static void put(const char *name, const char *text)
{
	ck_assert_int_eq(lcx__replace_file(top_fd, name, text, strlen(text), 0600, false), 0);
}

static void make_class(const char *name, const char *schemata)
{
	char path[200];

	ck_assert_int_eq(mkdirat(top_fd, name, 0755), 0);
	(void)snprintf(path, sizeof(path), "%s/schemata", name);
	put(path, schemata);
	(void)snprintf(path, sizeof(path), "%s/tasks", name);
	put(path, "");
	(void)snprintf(path, sizeof(path), "%s/mon_groups", name);
	ck_assert_int_eq(mkdirat(top_fd, path, 0755), 0);
}

static char *text_of(const char *name)
{
	char *text = NULL;

	ck_assert_int_eq(lcx__read_file(top_fd, name, 4096, &text, NULL), 0);
	return text;
}

static void set_up(void)
{
	(void)strcpy(strrchr(top, '-') + 1, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(top));
	top_fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_eq(mkdirat(top_fd, "info", 0755), 0);
	ck_assert_int_eq(mkdirat(top_fd, "mon_groups", 0755), 0);
	put("info/last_cmd_status", "masks overlap\n");
	make_class("shared", "    MB:0= 100;1=  70\n    L3:0=7f0;1=1f\n");
}

static void tear_down(void)
{
	ck_assert_int_eq(lcx__remove_tree(AT_FDCWD, top), 0);
	(void)close(top_fd);
}

static int look(const struct lcx__resctrl_wish *wish, struct lcx__resctrl *groups,
		const char *words)
{
	struct lcx_error *err = NULL;
	int r = lcx__resctrl_look(top, wish, groups, &err);

	if (words)
		ck_assert_ptr_nonnull(strstr(lcx_error_message(err), words));
	lcx_error_free(err);
	return r;
}

static const struct {
	struct lcx__resctrl_wish wish;
	int result;
	const char *words;
} wishes[] = {
	{{.own = "c", .class_name = "shared"}, 0, NULL},
	{{.own = "c", .class_name = "/"}, 0, NULL},
	{{.own = "c"}, 0, NULL},
	{{.own = "c", .class_name = "new", .l3_schema = "L3:0=f"}, 0, NULL},
	/* As numbers, in any order, and not all of the domains. */
	{{.own = "c", .class_name = "shared", .l3_schema = "L3:1=1F;0=0x7f0"}, 0, NULL},
	{{.own = "c", .class_name = "shared", .l3_schema = "L3:0=7f0", .mb_schema = "MB:1=70"},
	 0,
	 NULL},
	{{.own = "c", .class_name = "shared", .l3_schema = "L3:0=7f"}, -EEXIST, "other lines"},
	{{.own = "c", .class_name = "shared", .l3_schema = "L3:2=1f"}, -EEXIST, "other lines"},
	{{.own = "c", .class_name = "shared", .mb_schema = "MB:0=70"}, -EEXIST, "other lines"},
	{{.own = "c", .class_name = "shared", .l3_schema = "L2:0=7f0"}, -EEXIST, "other lines"},
	{{.own = "c", .class_name = "shared", .l3_schema = "L"}, -EEXIST, "other lines"},
	{{.own = "c", .class_name = "none"}, -ENOENT, "no class of service 'none'"},
	{{.own = "shared"}, -EEXIST, "name already"},
	{{.own = "c", .class_name = "info", .l3_schema = "L3:0=f"}, -EINVAL, "'info'"},
	{{.own = "mon_groups"}, -EINVAL, "'mon_groups'"},
};

START_TEST(a_wish_is_looked_at_before_anything_is_made)
{
	struct lcx__resctrl groups = {0};

	ck_assert_int_eq(look(&wishes[_i].wish, &groups, wishes[_i].words), wishes[_i].result);
	lcx__resctrl_clear(&groups);
	ck_assert_int_ne(faccessat(top_fd, "new", F_OK, 0), 0);
}
END_TEST

/* The kernel makes the files of a new class; here they are there before it is made. */
START_TEST(lines_of_a_new_class_are_written_in_their_order)
{
	const struct lcx__resctrl_wish wish = {
		.own = "c", .class_name = "new", .l3_schema = "L3:0=f", .mb_schema = "MB:0=70"};
	struct lcx__resctrl groups = {0};
	CLEANUP(freep) char *text = NULL;

	ck_assert_int_eq(look(&wish, &groups, NULL), 0);
	ck_assert(!groups.is_there && !groups.is_ours);
	make_class("new", "");
	ck_assert_int_eq(lcx__resctrl_make(top, &groups, &wish, NULL), 0);
	text = text_of("new/schemata");
	ck_assert_str_eq(text, "L3:0=f\nMB:0=70\n");
	lcx__resctrl_clear(&groups);
}
END_TEST

START_TEST(schemata_are_written_to_a_class_that_is_there)
{
	static const char *const lines[] = {"L3:0=ff;1=1f", "L2:0=f", "MB:0=10;1=20;2=30;3=40;4=5",
					    NULL};
	const struct lcx__resctrl_wish wish = {
		.own = "c", .class_name = "shared", .schemata = lines};
	struct lcx__resctrl groups = {0};
	CLEANUP(freep) char *text = NULL;

	ck_assert_int_eq(look(&wish, &groups, NULL), 0);
	ck_assert_int_eq(lcx__resctrl_make(top, &groups, &wish, NULL), 0);
	text = text_of("shared/schemata");
	ck_assert_str_eq(text, "L3:0=ff;1=1f\nL2:0=f\nMB:0=10;1=20;2=30;3=40;4=5\n");
	lcx__resctrl_clear(&groups);
}
END_TEST

START_TEST(a_class_gets_other_lines)
{
	CLEANUP(freep) char *text = NULL, *dir = NULL;

	put("shared/schemata", "L3:0=f\nMB:0=70\n");
	ck_assert_int_eq(lcx__resctrl_rewrite(top, "/nowhere", "L3:0=1\n", NULL), -ENOENT);
	dir = lcx__format("%s/shared", top);
	ck_assert_int_eq(lcx__resctrl_rewrite(top, dir, "L3:0=3\n", NULL), 0);
	text = text_of("shared/schemata");
	ck_assert_str_eq(text, "L3:0=3\nMB:0=70\n");
}
END_TEST

START_TEST(a_class_whose_lines_are_refused_is_removed_with_the_kernels_reason)
{
	const struct lcx__resctrl_wish wish = {.own = "c", .l3_schema = "L3:0=f"};
	struct lcx__resctrl groups = {0};
	struct lcx_error *err = NULL;

	ck_assert_int_eq(look(&wish, &groups, NULL), 0);
	ck_assert(groups.is_ours);
	/* There is no file to write to. */
	ck_assert_int_eq(lcx__resctrl_make(top, &groups, &wish, &err), -ENOENT);
	ck_assert_ptr_nonnull(strstr(lcx_error_message(err), "write 'L3:0=f'"));
	ck_assert_ptr_nonnull(strstr(lcx_error_message(err), "masks overlap"));
	ck_assert_int_ne(faccessat(top_fd, "c", F_OK, 0), 0);
	lcx_error_free(err);
	lcx__resctrl_clear(&groups);
}
END_TEST

START_TEST(a_group_to_measure_is_made_below_the_class_and_removed)
{
	const struct lcx__resctrl_wish wish = {.own = "c", .class_name = "shared", .monitor = true};
	struct lcx__resctrl groups = {0}, again = {0};

	ck_assert_int_eq(look(&wish, &groups, NULL), 0);
	ck_assert_int_eq(lcx__resctrl_make(top, &groups, &wish, NULL), 0);
	ck_assert_int_eq(faccessat(top_fd, "shared/mon_groups/c", F_OK, 0), 0);
	ck_assert_int_eq(look(&wish, &again, "is there already"), -EEXIST);
	ck_assert_int_eq(lcx__resctrl_remove(groups.monitor_dir, NULL), 0);
	ck_assert_int_eq(lcx__resctrl_remove(groups.monitor_dir, NULL), 0);
	ck_assert_int_ne(faccessat(top_fd, "shared/mon_groups/c", F_OK, 0), 0);
	lcx__resctrl_clear(&groups);
}
END_TEST

START_TEST(no_link_stands_for_a_class)
{
	const struct lcx__resctrl_wish wish = {.own = "c", .class_name = "link"};
	struct lcx__resctrl groups = {0};

	ck_assert_int_eq(symlinkat("shared", top_fd, "link"), 0);
	ck_assert_int_eq(look(&wish, &groups, "no class of service 'link'"), -ENOENT);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("resctrl");
	TCase *tree = tcase_create("tree");

	tcase_add_checked_fixture(tree, set_up, tear_down);
	tcase_add_loop_test(tree, a_wish_is_looked_at_before_anything_is_made, 0,
			    ARRAY_SIZE(wishes));
	tcase_add_test(tree, lines_of_a_new_class_are_written_in_their_order);
	tcase_add_test(tree, schemata_are_written_to_a_class_that_is_there);
	tcase_add_test(tree, a_class_gets_other_lines);
	tcase_add_test(tree, a_class_whose_lines_are_refused_is_removed_with_the_kernels_reason);
	tcase_add_test(tree, a_group_to_measure_is_made_below_the_class_and_removed);
	tcase_add_test(tree, no_link_stands_for_a_class);
	suite_add_tcase(suite, tree);
	return unit_run(suite);
}
