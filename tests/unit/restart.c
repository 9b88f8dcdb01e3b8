/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <errno.h>

#include "container/supervisor/restart.h"
#include "lcx/process.h"

static const struct {
	const char *text;
	int r;
	enum lcx__restart kind;
	uint32_t max;
} spellings[] = {
	{NULL, 0, LCX__RESTART_NO, 0},
	{"", 0, LCX__RESTART_NO, 0},
	{"no", 0, LCX__RESTART_NO, 0},
	{"always", 0, LCX__RESTART_ALWAYS, 0},
	{"unless-stopped", 0, LCX__RESTART_UNLESS_STOPPED, 0},
	{"on-failure", 0, LCX__RESTART_ON_FAILURE, 0},
	{"on-failure:3", 0, LCX__RESTART_ON_FAILURE, 3},
	{"on-failure:", -EINVAL, 0, 0},
	{"on-failure:-1", -EINVAL, 0, 0},
	{"on-failure:99999999", -EINVAL, 0, 0},
	{"always:3", -EINVAL, 0, 0},
	{"alway", -EINVAL, 0, 0},
	{"ALWAYS", -EINVAL, 0, 0},
};

START_TEST(policies_are_spelled_as_docker_spells_them)
{
	struct lcx__restart_policy policy;

	ck_assert_int_eq(lcx__restart_parse(spellings[_i].text, &policy), spellings[_i].r);
	if (spellings[_i].r < 0)
		return;
	ck_assert_int_eq(policy.kind, spellings[_i].kind);
	ck_assert_uint_eq(policy.max, spellings[_i].max);
}
END_TEST

static const struct {
	struct lcx__restart_policy policy;
	struct lcx__restart_past past; /* status, restarts, stopped, other boot, rebooted */
	bool wanted;
} decisions[] = {
	{{LCX__RESTART_NO, 0}, {1, 0, false, false}, false},
	{{LCX__RESTART_ALWAYS, 0}, {0, 99, false, false}, true},
	{{LCX__RESTART_ALWAYS, 0}, {0, 0, true, false}, false},
	{{LCX__RESTART_ALWAYS, 0}, {0, 0, true, true}, true},
	{{LCX__RESTART_UNLESS_STOPPED, 0}, {0, 0, false, true}, true},
	{{LCX__RESTART_UNLESS_STOPPED, 0}, {0, 0, true, true}, false},
	{{LCX__RESTART_ON_FAILURE, 0}, {0, 0, false, false}, false},
	{{LCX__RESTART_ON_FAILURE, 0}, {1, 99, false, false}, true},
	{{LCX__RESTART_ON_FAILURE, 3}, {137, 2, false, false}, true},
	{{LCX__RESTART_ON_FAILURE, 3}, {137, 3, false, false}, false},
	{{LCX__RESTART_ON_FAILURE, 3}, {LCX_EXIT_UNKNOWN, 0, false, true}, true},
	{{LCX__RESTART_ON_FAILURE, 3}, {1, 0, true, true}, false},
	{{LCX__RESTART_NO, 0}, {129, 0, false, false, true}, true},
	{{LCX__RESTART_ON_FAILURE, 3}, {129, 3, false, false, true}, true},
	{{LCX__RESTART_ALWAYS, 0}, {129, 0, true, false, true}, false},
};

START_TEST(the_past_decides)
{
	ck_assert_int_eq(lcx__restart_wanted(&decisions[_i].policy, &decisions[_i].past),
			 decisions[_i].wanted);
}
END_TEST

START_TEST(the_pause_doubles_up_to_a_minute_and_begins_anew)
{
	uint32_t pause = 0, before;

	pause = lcx__restart_pause_ms(pause, 0);
	ck_assert_uint_eq(pause, 100);
	for (int i = 0; i < 20; i++) {
		before = pause;
		pause = lcx__restart_pause_ms(pause, 9999999999);
		ck_assert_uint_eq(pause, before < 30000 ? 2 * before : 60000);
	}
	ck_assert_uint_eq(lcx__restart_pause_ms(pause, 10000000000), 100);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("restart");
	TCase *tc = tcase_create("restart");

	tcase_add_loop_test(tc, policies_are_spelled_as_docker_spells_them, 0,
			    ARRAY_SIZE(spellings));
	tcase_add_loop_test(tc, the_past_decides, 0, ARRAY_SIZE(decisions));
	tcase_add_test(tc, the_pause_doubles_up_to_a_minute_and_begins_anew);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
