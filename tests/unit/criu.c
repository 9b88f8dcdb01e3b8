/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <errno.h>
#include <string.h>

#include "criu/criu.h"

static int decode(const char *bytes, size_t length, struct lcx__criu_answer *ret)
{
	/* Of its own: a step beyond the end is seen. */
	CLEANUP(freep) char *copy = malloc(length ? length : 1);

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, bytes, length);
	return lcx__criu_decode(copy, length, ret);
}

#define DECODE(text, ret) decode(text, sizeof(text) - 1, ret)

START_TEST(a_request_is_what_the_protocol_wants)
{
	CLEANUP(lcx__strbuf_free) struct lcx__strbuf options = STRBUF_EMPTY, request = STRBUF_EMPTY;
	static const char wanted[] = "\x08\x01\x12\x1f"
				     "\x08\x05"                           /* images_dir_fd 5 */
				     "\x10\xac\x02"                       /* pid 300 */
				     "\x6a\x02/r"                         /* root */
				     "\xda\x01\x0a\x0a\x06pipe:1\x10\x04" /* inherit_fd */
				     "\xaa\x02\x03net"                    /* external */
				     "\x90\x02\x00";                      /* manage_cgroups_mode */

	lcx__criu_put_number(&options, LCX__CRIU_IMAGES_DIR_FD, 5);
	lcx__criu_put_number(&options, LCX__CRIU_PID, 300);
	lcx__criu_put_text(&options, LCX__CRIU_ROOT, "/r");
	lcx__criu_put_inherited(&options, 4, "pipe:1");
	lcx__criu_put_text(&options, LCX__CRIU_EXTERNAL, "net");
	lcx__criu_put_number(&options, LCX__CRIU_MANAGE_CGROUPS_MODE, LCX__CRIU_CGROUPS_IGNORE);
	lcx__criu_put_request(&request, LCX__CRIU_DUMP, &options);
	ck_assert(!request.failed);
	ck_assert_uint_eq(request.length, sizeof(wanted) - 1);
	ck_assert_mem_eq(request.text, wanted, sizeof(wanted) - 1);
}
END_TEST

START_TEST(a_page_server_has_an_address_or_none)
{
	CLEANUP(lcx__strbuf_free) struct lcx__strbuf options = STRBUF_EMPTY;
	static const char wanted[] = "\x5a\x09\x0a\x03::1\x10\xd0\x86\x03"
				     "\x5a\x02\x10\x05";

	lcx__criu_put_page_server(&options, "::1", 50000);
	lcx__criu_put_page_server(&options, NULL, 5);
	ck_assert(!options.failed);
	ck_assert_uint_eq(options.length, sizeof(wanted) - 1);
	ck_assert_mem_eq(options.text, wanted, sizeof(wanted) - 1);
}
END_TEST

START_TEST(a_notification_is_answered)
{
	CLEANUP(lcx__strbuf_free) struct lcx__strbuf message = STRBUF_EMPTY;

	lcx__criu_put_notified(&message, false);
	ck_assert_uint_eq(message.length, 4);
	ck_assert_mem_eq(message.text, "\x08\x06\x18\x00", 4);
}
END_TEST

START_TEST(answers_are_read_in_any_order_and_with_more_than_is_known)
{
	struct lcx__criu_answer answer;

	ck_assert_int_eq(DECODE("\x10\x01\x22\x03\x08\xb9\x60\x08\x02", &answer), 0);
	ck_assert_int_eq(answer.type, LCX__CRIU_RESTORE);
	ck_assert_int_eq(answer.success, 1);
	ck_assert_int_eq(answer.pid, 12345);
	/* A member of 8 bytes, one of 4 and a text that nobody knows. */
	ck_assert_int_eq(DECODE("\x08\x01\x10\x00\xf9\x07"
				"12345678"
				"\xfd\x07"
				"1234"
				"\xfa\x07\x02xx"
				"\x38\x11",
				&answer),
			 0);
	ck_assert_int_eq(answer.error, 17);
	ck_assert_int_eq(answer.success, 0);
	ck_assert_int_eq(DECODE("\x08\x06\x10\x01\x2a\x0d\x0a\x09post-dump\x10\x07", &answer), 0);
	ck_assert_str_eq(answer.script, "post-dump");
	ck_assert_int_eq(answer.notify_pid, 7);
	ck_assert_int_eq(DECODE("\x08\x0a\x10\x01\x52\x04\x08\x03\x10\x11", &answer), 0);
	ck_assert_int_eq(answer.major, 3);
	ck_assert_int_eq(answer.minor, 17);
}
END_TEST

START_TEST(words_are_cut_and_printable)
{
	struct lcx__criu_answer answer;
	char bytes[4 + 3 + 600] = "\x08\x01\x10\x00\x4a\xd8\x04";

	memset(bytes + 7, 'x', 600);
	bytes[7] = '\n';
	ck_assert_int_eq(decode(bytes, sizeof(bytes), &answer), 0);
	ck_assert_uint_eq(strlen(answer.words), sizeof(answer.words) - 1);
	ck_assert_int_eq(answer.words[0], ' ');
}
END_TEST

START_TEST(what_is_no_message_is_refused)
{
	static const struct {
		const char *bytes;
		size_t length;
	} bad[] = {
#define BAD(text) {text, sizeof(text) - 1}
		BAD(""),
		BAD("\x10\x01"),             /* no type */
		BAD("\x08"),                 /* cut */
		BAD("\x08\x01\x22\x05\x08"), /* longer than it is */
		BAD("\x08\x01\x22\x01\x08"), /* cut inside */
		BAD("\x08\x01\x4a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
		    "x"),                                            /* a huge length */
		BAD("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), /* a number without an end */
		BAD("\x08\x01\x03"),                                 /* a group */
		BAD("\x08\x01\xf9\x07"
		    "123"),      /* 8 bytes, cut */
		BAD("\x00\x01"), /* member 0 */
	};
	struct lcx__criu_answer answer = {.type = 42};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		ck_assert_int_eq(decode(bad[i].bytes, bad[i].length, &answer), -EBADMSG);
		ck_assert_int_eq(answer.type, 42);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("criu");
	TCase *tcase = tcase_create("wire");

	tcase_add_test(tcase, a_request_is_what_the_protocol_wants);
	tcase_add_test(tcase, a_page_server_has_an_address_or_none);
	tcase_add_test(tcase, a_notification_is_answered);
	tcase_add_test(tcase, answers_are_read_in_any_order_and_with_more_than_is_known);
	tcase_add_test(tcase, words_are_cut_and_printable);
	tcase_add_test(tcase, what_is_no_message_is_refused);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
