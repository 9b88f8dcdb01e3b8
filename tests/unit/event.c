/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "container/container-internal.h"
#include "container/event.h"
#include "util/fs.h"

/* A run directory of the test's own; no container is needed to tell events of one. */
static char dir[64];
static struct lcx_ctx *ctx;
static struct lcx_container c;

static void set_up(void)
{
	strcpy(dir, "/tmp/unit-event-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(lcx__ctx_new(dir, NULL, &ctx, NULL), 0);
	c = (struct lcx_container){.ctx = ctx};
	c.d.id = (char *)(uintptr_t) "0123456789abcdef";
	c.d.name = (char *)(uintptr_t) "we\"b";
}

static void tear_down(void)
{
	ctx = lcx_ctx_free(ctx);
	ck_assert_int_eq(lcx__remove_tree(AT_FDCWD, dir), 0);
}

START_TEST(what_is_told_is_heard)
{
	const struct lcx_event *event;

	lcx__event_emit(&c, "before", NULL);
	ck_assert_int_eq(lcx_event_next(ctx, &event, NULL), 0);
	ck_assert_int_ge(lcx_ctx_fd(ctx, NULL), 0);
	ck_assert_int_eq(lcx_ctx_set_events_since(ctx, 5, NULL), -EBUSY);
	lcx__event_emit(&c, "renamed", "old");
	lcx__event_emit_exit(&c, 137);
	lcx__event_emit_exit(&c, LCX_EXIT_UNKNOWN);

	ck_assert_int_eq(lcx_dispatch(ctx, NULL), 0);
	ck_assert_int_eq(lcx_event_next(ctx, &event, NULL), 1);
	ck_assert_str_eq(lcx_event_type(event), "renamed");
	ck_assert_str_eq(lcx_event_container_id(event), c.d.id);
	ck_assert_str_eq(lcx_event_container_name(event), c.d.name);
	ck_assert_str_eq(lcx_event_detail(event), "old");
	ck_assert_str_eq(lcx_event_image(event), "");
	ck_assert_int_eq(lcx_event_exit_status(event), LCX_EXIT_UNKNOWN);
	ck_assert_int_eq(lcx_event_next(ctx, &event, NULL), 1);
	ck_assert_int_eq(lcx_event_exit_status(event), 137);
	ck_assert_int_eq(lcx_event_next(ctx, &event, NULL), 1);
	ck_assert_int_eq(lcx_event_exit_status(event), LCX_EXIT_UNKNOWN);
	ck_assert_int_eq(lcx_event_next(ctx, &event, NULL), 0);
}
END_TEST

START_TEST(what_was_before_is_heard_if_asked_for)
{
	const struct lcx_event *event;

	lcx__event_emit(&c, "created", NULL);
	ck_assert_int_eq(lcx_ctx_set_events_since(ctx, 0, NULL), 0);
	ck_assert_int_ge(lcx_ctx_fd(ctx, NULL), 0);
	ck_assert_int_eq(lcx_event_next(ctx, &event, NULL), 1);
	ck_assert_str_eq(lcx_event_type(event), "created");
}
END_TEST

/* Lines that nobody of ours wrote, or that a full disk cut. */
START_TEST(a_line_that_is_none_is_skipped)
{
	static const char *const lines[] = {
		"{\"type\":\"x\"}",
		"{\"id\":\"x\"}",
		"[]",
		"{\"type\":\"x\",\"id\":\"x\",\"exitCode\":256}",
		"{\"type\":\"x\",\"id\":7}",
		"{\"type\":\"x\",\"id\"",
	};
	const struct lcx_event *event;
	CLEANUP(closep) int fd = -1;

	ck_assert_int_ge(lcx_ctx_fd(ctx, NULL), 0);
	lcx__event_emit(&c, "one", NULL);
	fd = openat(ctx->run_fd, "events/log", O_WRONLY | O_APPEND | O_CLOEXEC);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		dprintf(fd, "2999-01-31T23:59:59.000000001Z stdout F %s\n", lines[i]);
	dprintf(fd, "garbage\n");
	lcx__event_emit(&c, "two", NULL);
	ck_assert_int_eq(lcx_event_next(ctx, &event, NULL), 1);
	ck_assert_str_eq(lcx_event_type(event), "one");
	ck_assert_int_eq(lcx_event_next(ctx, &event, NULL), 1);
	ck_assert_str_eq(lcx_event_type(event), "two");
	ck_assert_int_eq(lcx_event_next(ctx, &event, NULL), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("event");
	TCase *tc = tcase_create("event");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, what_is_told_is_heard);
	tcase_add_test(tc, what_was_before_is_heard_if_asked_for);
	tcase_add_test(tc, a_line_that_is_none_is_skipped);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
