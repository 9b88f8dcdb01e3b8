/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "container/attach.h"
#include "init/attach.h"
#include "process/stdio.h"

/* The test is the monitor: it speaks on the other end of the pair. */
static struct lcx_attach *attach;
static struct lcx_stdio *stdio;
static int monitor_fd, input[2], output[2];
static struct {
	struct attach_head head;
	char data[ATTACH_DATA_MAX];
} frame;

static void begin(const char *keys)
{
	ck_assert_int_eq(pipe2(input, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(output, O_CLOEXEC), 0);
	ck_assert_int_eq(lcx_stdio_new(&stdio, NULL), 0);
	lcx_stdio_set_attach(stdio, input[0], output[1], -1);
	ck_assert_int_eq(lcx_stdio_set_detach_keys(stdio, keys, NULL), 0);
	ck_assert_int_eq(lcx__attach_prepare(stdio, "web", &attach, &monitor_fd, NULL), 0);
}

static void tear_down(void)
{
	attach = lcx_attach_free(attach);
	stdio = lcx_stdio_free(stdio);
	closep(&monitor_fd);
	for (int i = 0; i < 2; i++) {
		closep(&input[i]);
		closep(&output[i]);
	}
}

static void say(uint32_t type, uint32_t flags, uint32_t a, const char *text)
{
	frame.head = (struct attach_head){
		.type = type, .flags = flags, .a = a, .size = text ? strlen(text) : 0};
	memcpy(frame.data, text ? text : "", frame.head.size);
	ck_assert_int_gt(send(monitor_fd, &frame, sizeof(frame.head) + frame.head.size, 0), 0);
}

/* Return: how many bytes of data the next frame has; -1 for no frame. */
static int hear(uint32_t type)
{
	ssize_t n = recv(monitor_fd, &frame, sizeof(frame), MSG_DONTWAIT);

	if (n < 0)
		return -1;
	ck_assert_uint_eq(frame.head.type, type);
	return (int)(n - (ssize_t)sizeof(frame.head));
}

static void greet(void)
{
	ck_assert_int_eq(hear(ATTACH_HELLO), 0);
	ck_assert_uint_eq(frame.head.flags, ATTACH_F_INPUT | ATTACH_F_TERMINAL);
	say(ATTACH_WELCOME, ATTACH_F_INPUT | ATTACH_F_TERMINAL, 0, NULL);
	ck_assert_int_eq(lcx_attach_dispatch(attach, NULL), 1);
}

static void type_keys(const char *keys)
{
	ck_assert_int_eq(write(input[1], keys, strlen(keys)), (int)strlen(keys));
}

static void check_input(const char *expected)
{
	int n = hear(ATTACH_INPUT);

	ck_assert_int_eq(n, (int)strlen(expected));
	ck_assert_mem_eq(frame.data, expected, strlen(expected));
}

static const struct {
	const char *keys;
	int r;
	unsigned char first, last;
	uint32_t n;
} key_cases[] = {
	{"ctrl-p,ctrl-q", 0, 16, 17, 2},
	{"a", 0, 'a', 'a', 1},
	{"ctrl-A,d", 0, 1, 'd', 2},
	{"ctrl-@,ctrl-_", 0, 0, 31, 2},
	{"", 0, 0, 0, 0},
	{"ctrl-", -EINVAL, 0, 0, 0},
	{"ctrl-1", -EINVAL, 0, 0, 0},
	{"abc", -EINVAL, 0, 0, 0},
	{"alt-a", -EINVAL, 0, 0, 0},
	{"a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q", -EINVAL, 0, 0, 0},
};

START_TEST(detach_keys_are_spelled_as_docker_spells_them)
{
	ck_assert_int_eq(lcx_stdio_new(&stdio, NULL), 0);
	ck_assert_int_eq(lcx_stdio_set_detach_keys(stdio, key_cases[_i].keys, NULL),
			 key_cases[_i].r);
	ck_assert_uint_eq(stdio->n_detach_keys, key_cases[_i].n);
	if (key_cases[_i].n) {
		ck_assert_uint_eq(stdio->detach_keys[0], key_cases[_i].first);
		ck_assert_uint_eq(stdio->detach_keys[key_cases[_i].n - 1], key_cases[_i].last);
	}
	stdio = lcx_stdio_free(stdio);
}
END_TEST

START_TEST(nothing_is_read_before_the_welcome)
{
	begin("");
	type_keys("early");
	ck_assert_int_eq(lcx_attach_dispatch(attach, NULL), 1);
	greet();
	check_input("early");
	tear_down();
}
END_TEST

/* Typed at once, and key by key. */
static const struct {
	const char *keys, *typed, *arrives;
	bool detached;
} sequence_cases[] = {
	{"a,b", "xab", "x", true},         {"a,b", "xaab", "xa", true},
	{"a,b", "xayab", "xay", true},     {"a,a,b", "aaab", "a", true},
	{"a,b,a,c", "ababac", "ab", true}, {"a,b", "ba", "b", false},
	{"a", "xya", "xy", true},          {"", "ab", "ab", false},
};

START_TEST(keys_that_are_no_sequence_are_passed_on)
{
	const char *typed = sequence_cases[_i / 2].typed,
		   *expected = sequence_cases[_i / 2].arrives;
	char arrived[64] = "";
	int r = 1, n;

	begin(sequence_cases[_i / 2].keys);
	greet();
	while (*typed && r == 1) {
		size_t length = _i % 2 ? 1 : strlen(typed);

		ck_assert_int_eq(write(input[1], typed, length), (int)length);
		typed += length;
		r = lcx_attach_dispatch(attach, NULL);
	}
	while ((n = hear(ATTACH_INPUT)) > 0)
		strncat(arrived, frame.data, (size_t)n);
	ck_assert_str_eq(arrived, expected);
	ck_assert_int_eq(r, sequence_cases[_i / 2].detached ? 0 : 1);
	ck_assert_int_eq(lcx_attach_is_detached(attach), sequence_cases[_i / 2].detached);
	tear_down();
}
END_TEST

START_TEST(the_end_of_the_input_follows_what_was_held_back)
{
	begin("a,b");
	greet();
	type_keys("xa");
	ck_assert_int_eq(lcx_attach_dispatch(attach, NULL), 1);
	check_input("x");
	closep(&input[1]);
	ck_assert_int_eq(lcx_attach_dispatch(attach, NULL), 1);
	check_input("a");
	ck_assert_int_eq(hear(ATTACH_INPUT_END), 0);
	tear_down();
}
END_TEST

START_TEST(output_waits_for_a_slow_reader_and_the_end_for_the_output)
{
	char text[512];
	size_t total = 0;
	int r;

	begin("");
	greet();
	ck_assert_int_eq(fcntl(output[1], F_SETPIPE_SZ, 4096), 4096);
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (int i = 0; i < 100; i++)
		say(ATTACH_OUTPUT, 0, 1, text);
	say(ATTACH_GAP, 0, 0, NULL);
	say(ATTACH_END, 0, 0, NULL);
	while ((r = lcx_attach_dispatch(attach, NULL)) == 1)
		total += (size_t)read(output[0], text, sizeof(text));
	ck_assert_int_eq(r, 0);
	closep(&output[1]);
	attach = lcx_attach_free(attach);
	while ((r = (int)read(output[0], text, sizeof(text))) > 0)
		total += (size_t)r;
	ck_assert_uint_eq(total, 100 * 511);
	tear_down();
}
END_TEST

START_TEST(a_size_that_was_told_early_arrives)
{
	begin("");
	ck_assert_int_eq(lcx_attach_resize(attach, 40, 120, NULL), 0);
	greet();
	ck_assert_int_eq(hear(ATTACH_RESIZE), 0);
	ck_assert_uint_eq(frame.head.a, 40);
	ck_assert_uint_eq(frame.head.b, 120);
	tear_down();
}
END_TEST

static const struct {
	uint32_t type, a;
	int r;
} failures[] = {
	{0, 0, -ECONNRESET},
	{ATTACH_REFUSED, EUSERS, -EUSERS},
	{ATTACH_REFUSED, EPERM, -EPERM},
	{99, 0, -EPROTO},
};

START_TEST(a_monitor_that_fails_is_told_in_words)
{
	struct lcx_error *err = NULL;

	begin("");
	if (failures[_i].type)
		say(failures[_i].type, 0, failures[_i].a, NULL);
	else
		closep(&monitor_fd);
	ck_assert_int_eq(lcx_attach_dispatch(attach, &err), failures[_i].r);
	ck_assert_ptr_nonnull(strstr(lcx_error_message(err), "'web'"));
	lcx_error_free(err);
	tear_down();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("attach");
	TCase *tc = tcase_create("attach");

	tcase_add_loop_test(tc, detach_keys_are_spelled_as_docker_spells_them, 0,
			    ARRAY_SIZE(key_cases));
	tcase_add_test(tc, nothing_is_read_before_the_welcome);
	tcase_add_loop_test(tc, keys_that_are_no_sequence_are_passed_on, 0,
			    2 * ARRAY_SIZE(sequence_cases));
	tcase_add_test(tc, the_end_of_the_input_follows_what_was_held_back);
	tcase_add_test(tc, output_waits_for_a_slow_reader_and_the_end_for_the_output);
	tcase_add_test(tc, a_size_that_was_told_early_arrives);
	tcase_add_loop_test(tc, a_monitor_that_fails_is_told_in_words, 0, ARRAY_SIZE(failures));
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
