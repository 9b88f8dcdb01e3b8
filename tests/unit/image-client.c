/* SPDX-License-Identifier: MIT */
/* Whom the registry client talks to, and as whom: addresses, the registries file, credentials. */
#include "unit.h"

#include <errno.h>

#include "ctx/ctx.h"
#include "image/image.h"
#include "image/registries.h"
#include "image/registry-internal.h"
#include "util/str.h"

static struct unit_dir dir;

static void set_up(void)
{
	unit_dir_make(&dir);
}

static void tear_down(void)
{
	unit_dir_remove(&dir);
}

/* A file in the test's directory; the path is to be freed. */
static char *write_file(const char *name, const char *text)
{
	ck_assert_ok(lcx__replace_file(dir.fd, name, text, strlen(text), 0600, false));
	return lcx__format("%s/%s", dir.path, name);
}

static const struct {
	const char *base, *location, *url; /* NULL: refused */
} follow_cases[] = {
	{"https://a/v2/", "https://b/x?y=z", "https://b/x?y=z"},
	{"https://a/v2/", "/x", "https://a/x"},
	{"http://a/v2/", "https://b/", "https://b/"},
	{"http://a/v2/", "http://b/", "http://b/"},
	{"https://a/v2/", "http://a/", NULL},
	{"https://a/v2/", "file:///etc/passwd", NULL},
	{"https://a/v2/", "gopher://a/", NULL},
	{"http://a/v2/", "http://169.254.169.254/latest/meta-data", NULL},
	{"http://a/v2/", "http://[fe80::1]/", NULL},
	{"http://a/v2/", "http://[febf::1]/", NULL},
	{"http://a/v2/", "http://0xa9fea9fe/", NULL},
	{"http://a/v2/", "http://", NULL},
	{"https://a/v2/", "https://u:p@b/", "https://b/"},
};

START_TEST(strangers_send_us_only_where_it_is_safe)
{
	CLEANUP(freep) char *url = NULL;
	int r = lcx__url_follow(follow_cases[_i].base, follow_cases[_i].location, &url);

	if (follow_cases[_i].url) {
		ck_assert_ok(r);
		ck_assert_str_eq(url, follow_cases[_i].url);
	} else {
		ck_assert_int_lt(r, 0);
		ck_assert_ptr_null(url);
	}
}
END_TEST

START_TEST(queries_are_appended)
{
	CLEANUP(freep) char *url = NULL, *other = NULL;

	ck_assert_ok(lcx__url_append("https://a/up?state=1", "digest", "sha256:ab", &url));
	ck_assert_ptr_nonnull(strstr(url, "https://a/up?state=1&digest=sha256"));
	ck_assert_ok(lcx__url_append("https://a/up", "x", "a&b=c", &other));
	ck_assert_str_eq(other, "https://a/up?x=a%26b%3dc");
}
END_TEST

#define HOST(body) "{\"registries\":{\"reg.example:5000\":{" body "}}}"

static const char *const bad_registries[] = {
	"",
	"[]",
	"{\"default-registry\": 5}",
	"{\"default-registry\": \"http://reg.example\"}",
	"{\"default-registry\": \"a/b\"}",
	"{\"default-registry\": \"a\", \"default-registry\": \"b\"}",
	"{\"defaultregistry\": \"a.example\"}",
	"{\"registries\": []}",
	"{\"registries\": {\"a/b\": {}}}",
	"{\"registries\": {\"a\": {\"insecure\": true}}}",
	HOST("\"plain-http\": 1"),
	HOST("\"plain-http\": \"true\""),
	HOST("\"mirrors\": \"a\""),
	HOST("\"mirrors\": [\"https://a\"]"),
	HOST("\"mirrors\": [\"\"]"),
	HOST("\"mirrors\": [\"user@a\"]"),
	HOST("\"ca-file\": \"ca.pem\""),
	HOST("\"client-certificate\": \"/a.pem\""),
	HOST("\"client-key\": \"/a.pem\""),
	HOST("\"ca-file\": \"/a\\u0000b\""),
};

START_TEST(a_wrong_registries_file_is_refused)
{
	struct lcx__registries *conf = NULL;
	struct lcx_error *err = NULL;

	ck_assert_int_lt(
		lcx__registries_parse(bad_registries[_i], strlen(bad_registries[_i]), &conf, &err),
		0);
	ck_assert_ptr_null(conf);
	ck_assert_str_ne(lcx_error_message(err), "");
	(void)lcx_error_free(err);
}
END_TEST

static const char registries_text[] =
	"{ \"default-registry\": \"reg.example\", \"registries\": {"
	"  \"reg.example\": { \"mirrors\": [\"one.example:5000\", \"two.example\"],"
	"                     \"ca-file\": \"/ca.pem\" },"
	"  \"one.example:5000\": { \"plain-http\": true, \"client-certificate\": \"/c.pem\","
	"                          \"client-key\": \"/k.pem\" } } }";

START_TEST(the_registries_file_fills_in_what_was_not_set)
{
	CLEANUP(lcx__registries_freep) struct lcx__registries *conf = NULL;
	CLEANUP(lcx__reference_freep) struct lcx__reference *ref = NULL, *full = NULL;
	struct lcx__settings one = {0}, own = {.ca_file = strdup("/own.pem")};
	char *const *mirrors;

	ck_assert_ok(lcx__registries_parse(registries_text, strlen(registries_text), &conf, NULL));
	ck_assert_ok(lcx__registries_read_name(conf, "tool", &ref, NULL));
	ck_assert_str_eq(ref->registry, "reg.example");
	ck_assert_str_eq(ref->path, "tool");
	ck_assert_ok(lcx__registries_read_name(conf, "docker.io/debian", &full, NULL));
	ck_assert_str_eq(full->path, "library/debian");

	mirrors = lcx__registries_mirrors(conf, "reg.example");
	ck_assert_uint_eq(lcx__strv_length(mirrors), 2);
	ck_assert_str_eq(mirrors[0], "one.example:5000");
	ck_assert_ptr_null(lcx__registries_mirrors(conf, "two.example"));

	ck_assert_ok(lcx__registries_apply(conf, "one.example:5000", &one));
	ck_assert(one.plain_http);
	ck_assert_str_eq(one.client_key_file, "/k.pem");
	ck_assert_ok(lcx__registries_apply(conf, "reg.example", &own));
	ck_assert_str_eq(own.ca_file, "/own.pem");
	lcx__settings_clear(&one);
	lcx__settings_clear(&own);
}
END_TEST

START_TEST(the_context_checks_its_registries_file_at_once)
{
	CLEANUP(lcx_ctx_freep) struct lcx_ctx *ctx = NULL;
	CLEANUP(freep) char *good = write_file("good", registries_text);
	CLEANUP(freep) char *bad = write_file("bad", "{}x");
	CLEANUP(freep) char *root = lcx__format("%s/root", dir.path);
	struct lcx_error *err = NULL;

	ck_assert_ok(lcx__ctx_new(root, NULL, &ctx, NULL));
	ck_assert_ok(lcx_image_set_registries_file(ctx, good, NULL));
	ck_assert_fails(lcx_image_set_registries_file(ctx, bad, &err), EINVAL, err, bad);
	ck_assert_fails(lcx_image_set_registries_file(ctx, "x", &err), EINVAL, err, "absolute");
	ck_assert_fails(lcx_image_set_registries_file(ctx, "/nonexistent", &err), ENOENT, err,
			"/nonexistent");
	/* A failure has changed nothing. */
	ck_assert_str_eq(ctx->registries_file, good);
	ck_assert_ok(lcx_image_set_registries_file(ctx, NULL, NULL));
}
END_TEST

/* base64 of "user:pa:ss", "hub:secret", "deep:secret" */
static const char auths[] =
	"{ \"HttpHeaders\": {\"x\": 1}, \"auths\": {"
	"  \"reg.example:5000\":            {\"auth\": \"dXNlcjpwYTpzcw==\"},"
	"  \"reg.example:5000/team/deep\":  {\"auth\": \"ZGVlcDpzZWNyZXQ=\"},"
	"  \"https://index.docker.io/v1/\": {\"auth\": \"aHViOnNlY3JldA==\", \"email\": 7},"
	"  \"http://old.example/v2/\":      {\"identitytoken\": \"abc\"},"
	"  \"empty.example\":               {},"
	"  \"broken.example\":              {\"auth\": \"dXNlcg==\"},"
	"  \"nul.example\":                 {\"auth\": \"dTpwAHg=\"},"
	"  \"wrong.example\":               \"x\" },"
	"  \"credHelpers\": { \"ask.example\": \"some\", \"https://ask2.example/\": \"other\" } }";

static const struct {
	const char *registry, *path, *user, *password, *token;
	int error;
} auth_cases[] = {
	{"reg.example:5000", "x", "user", "pa:ss", NULL, 0},
	{"reg.example:5000", "team/deep", "deep", "secret", NULL, 0},
	{"reg.example:5000", "team/deep/er", "deep", "secret", NULL, 0},
	{"reg.example:5000", "team/deeper", "user", "pa:ss", NULL, 0},
	{"docker.io", "library/debian", "hub", "secret", NULL, 0},
	{"index.docker.io.example", "x", NULL, NULL, NULL, 0},
	{"old.example", "x", NULL, NULL, "abc", 0},
	{"empty.example", "x", NULL, NULL, NULL, 0},
	{"reg.example", "x", NULL, NULL, NULL, 0},
	{"reg.example:500", "x", NULL, NULL, NULL, 0},
	{"example:5000", "x", NULL, NULL, NULL, 0},
	{"broken.example", "x", NULL, NULL, NULL, EBADMSG},
	{"nul.example", "x", NULL, NULL, NULL, EBADMSG},
	{"wrong.example", "x", NULL, NULL, NULL, EBADMSG},
};

START_TEST(the_longest_name_that_fits_has_the_credentials)
{
	CLEANUP(lcx__authfile_freep) struct lcx__authfile *file = NULL;
	CLEANUP(freep) char *path = write_file("config.json", auths);
	struct lcx__credentials c = {0};
	struct lcx_error *err = NULL;

	ck_assert_ok(lcx__authfile_load(path, &file, NULL));
	ck_assert_int_eq(
		lcx__authfile_find(file, auth_cases[_i].registry, auth_cases[_i].path, &c, &err),
		-auth_cases[_i].error);
	if (auth_cases[_i].error == 0) {
		ck_assert_pstr_eq(c.user, auth_cases[_i].user);
		ck_assert_pstr_eq(c.password, auth_cases[_i].password);
		ck_assert_pstr_eq(c.identity_token, auth_cases[_i].token);
	} else {
		/* Nothing of the secret may stand in the words. */
		ck_assert_ptr_null(strstr(lcx_error_message(err), "dXNl"));
	}
	lcx__credentials_clear(&c);
	(void)lcx_error_free(err);
}
END_TEST

START_TEST(helpers_are_found_by_the_same_names)
{
	CLEANUP(lcx__authfile_freep) struct lcx__authfile *file = NULL, *store = NULL;
	CLEANUP(freep) char *path = write_file("config.json", auths);
	CLEANUP(freep) char *other = write_file("store.json", "{\"credsStore\": \"all\"}");

	ck_assert_ok(lcx__authfile_load(path, &file, NULL));
	ck_assert_str_eq(lcx__authfile_helper(file, "ask.example"), "some");
	ck_assert_str_eq(lcx__authfile_helper(file, "ask2.example"), "other");
	ck_assert_ptr_null(lcx__authfile_helper(file, "ask3.example"));
	ck_assert_ok(lcx__authfile_load(other, &store, NULL));
	ck_assert_str_eq(lcx__authfile_helper(store, "any.example"), "all");
}
END_TEST

START_TEST(a_damaged_credentials_file_is_an_error)
{
	static const char *const texts[] = {"", "[]", "{\"auths\": 1}", "{\"credsStore\": {}}"};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		CLEANUP(freep) char *path = write_file("config.json", texts[i]);
		struct lcx__authfile *file = NULL;
		struct lcx_error *err = NULL;

		ck_assert_fails(lcx__authfile_load(path, &file, &err), EBADMSG, err, path);
	}
}
END_TEST

START_TEST(a_helper_is_no_path)
{
	static const char *const names[] = {"", "../x", "a/b", "-x", ".x", "a b"};
	struct lcx__credhelper *helper = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct lcx_error *err = NULL;

		ck_assert_fails(lcx__credhelper_start(names[i], "x", &helper, &err), EINVAL, err,
				"credential helper");
	}
}
END_TEST

START_TEST(settings_are_checked)
{
	struct lcx__settings s;
	struct lcx_error *err = NULL;

	lcx__settings_init(&s);
	ck_assert_fails(lcx__settings_client_cert(&s, "/a", NULL, &err), EINVAL, err, "together");
	ck_assert_fails(lcx__settings_credentials(&s, "a:b", "c", &err), EINVAL, err, "colon");
	ck_assert_fails(lcx__settings_credentials(&s, "a", NULL, &err), EINVAL, err, "password");
	ck_assert_fails(lcx__settings_stall_timeout(&s, 0, &err), EINVAL, err, "none");
	ck_assert_ok(lcx__settings_credentials(&s, "a", "b", NULL));
	ck_assert_ok(lcx__settings_credentials(&s, NULL, NULL, NULL));
	ck_assert(!lcx__credentials_any(&s.credentials));
	lcx__settings_clear(&s);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("image-client");
	TCase *tc = tcase_create("image-client");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, strangers_send_us_only_where_it_is_safe, 0,
			    ARRAY_SIZE(follow_cases));
	tcase_add_test(tc, queries_are_appended);
	tcase_add_loop_test(tc, a_wrong_registries_file_is_refused, 0, ARRAY_SIZE(bad_registries));
	tcase_add_test(tc, the_registries_file_fills_in_what_was_not_set);
	tcase_add_test(tc, the_context_checks_its_registries_file_at_once);
	tcase_add_loop_test(tc, the_longest_name_that_fits_has_the_credentials, 0,
			    ARRAY_SIZE(auth_cases));
	tcase_add_test(tc, helpers_are_found_by_the_same_names);
	tcase_add_test(tc, a_damaged_credentials_file_is_an_error);
	tcase_add_test(tc, a_helper_is_no_path);
	tcase_add_test(tc, settings_are_checked);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
