/* SPDX-License-Identifier: MIT */
/* What an image is called and what it says: references, digests, documents, challenges. */
#include "unit.h"

#include <errno.h>

#include "image/challenge.h"
#include "image/manifest.h"
#include "image/reference.h"
#include "image/registry-internal.h"
#include "util/str.h"

#define D64  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define A16  "aaaaaaaaaaaaaaaa"
#define A128 A16 A16 A16 A16 A16 A16 A16 A16

static const struct {
	const char *text;
	const char *full; /* NULL: refused */
} reference_cases[] = {
	{"debian", "docker.io/library/debian:latest"},
	{"debian:bookworm", "docker.io/library/debian:bookworm"},
	{"a/b", "docker.io/a/b:latest"},
	{"docker.io/debian", "docker.io/library/debian:latest"},
	{"index.docker.io/debian", "docker.io/library/debian:latest"},
	{"localhost/a", "localhost/a:latest"},
	{"localhost:5000/a/b:1.2-x_Y", "localhost:5000/a/b:1.2-x_Y"},
	{"127.0.0.1:5000/a", "127.0.0.1:5000/a:latest"},
	{"[::1]:5000/a", "[::1]:5000/a:latest"},
	{"UPPER/a", "UPPER/a:latest"},
	{"reg.example/a__b/c-d---e/f.g_h", "reg.example/a__b/c-d---e/f.g_h:latest"},
	{"a@sha256:" D64, "docker.io/library/a@sha256:" D64},
	{"a:tag@sha256:" D64, "docker.io/library/a@sha256:" D64},
	{"a@sha512:" A128, "docker.io/library/a@sha512:" A128},
	{"a:" A128, "docker.io/library/a:" A128},
	{"deadbeef", "docker.io/library/deadbeef:latest"},
	{"", NULL},
	{NULL, NULL},
	{"Debian", NULL},
	{"a:" A128 "a", NULL},
	{"a:", NULL},
	{"a:.x", NULL},
	{"a:-x", NULL},
	{"a:x y", NULL},
	{"a//b", NULL},
	{"/a", NULL},
	{"a/", NULL},
	{"../a", NULL},
	{"a/../b", NULL},
	{"a/./b", NULL},
	{"a..b", NULL},
	{"a___b", NULL},
	{"-a", NULL},
	{"a-", NULL},
	{"a\n", NULL},
	{"a?b", NULL},
	{"a#b", NULL},
	{"a%2fb", NULL},
	{"http://a/b", NULL},
	{"user@host.example/a", NULL},
	{"host.example:/a", NULL},
	{"host.example:0/a", NULL},
	{"host.example:65536/a", NULL},
	{"host.example:+1/a", NULL},
	{"-host.example/a", NULL},
	{"host-.example/a", NULL},
	{"host..example/a", NULL},
	{"[::1/a", NULL},
	{"a@sha256:" A16, NULL},
	{"a@sha256:" A16 A16 A16 "AAAAAAAAAAAAAAAA", NULL},
	{"a@sha256:../../../../etc/passwd", NULL},
	{"a@md5:" D64, NULL},
	{"a@sha256:" D64 "@sha256:" D64, NULL},
	{D64, NULL},
	{A128 "/" A128, NULL},
};

START_TEST(references_are_read_as_docker_reads_them)
{
	CLEANUP(lcx__reference_freep) struct lcx__reference *ref = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	CLEANUP(freep) char *full = NULL;
	int r = lcx__reference_parse(reference_cases[_i].text, &ref, &err);

	if (!reference_cases[_i].full) {
		ck_assert_int_eq(r, -EINVAL);
		ck_assert_ptr_nonnull(err);
		ck_assert_ptr_null(ref);
		return;
	}
	ck_assert_msg(r == 0, "%s: %s", reference_cases[_i].text, lcx_error_message(err));
	full = lcx__reference_format(ref);
	ck_assert_str_eq(full, reference_cases[_i].full);
}
END_TEST

START_TEST(a_full_reference_is_its_own_name)
{
	CLEANUP(lcx__reference_freep) struct lcx__reference *ref = NULL;
	CLEANUP(freep) char *full = NULL;

	if (!reference_cases[_i].full)
		return;
	ck_assert_ok(lcx__reference_parse(reference_cases[_i].full, &ref, NULL));
	full = lcx__reference_format(ref);
	ck_assert_str_eq(full, reference_cases[_i].full);
}
END_TEST

static const struct {
	const char *text;
	bool valid;
} digest_cases[] = {
	{"sha256:" D64, true},
	{"sha512:" A128, true},
	{"sha256:" D64 "0", false},
	{"sha512:" D64, false},
	{"sha256:", false},
	{"sha256:../../x", false},
	{"sha256:" D64 "/../x", false},
	{"SHA256:" D64, false},
	{"sha256:ABCDEF6789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", false},
	{"sha384:" D64, false},
	{D64, false},
	{"", false},
	{NULL, false},
};

START_TEST(only_strict_digests_are_digests)
{
	struct lcx__digest digest;

	ck_assert_int_eq(lcx__digest_parse(digest_cases[_i].text, &digest),
			 digest_cases[_i].valid ? 0 : -EINVAL);
	if (digest_cases[_i].valid)
		ck_assert_str_eq(digest.text, digest_cases[_i].text);
}
END_TEST

START_TEST(hashes_are_right)
{
	static const char empty[] =
		"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
	struct lcx__digest digest, like;

	ck_assert_ok(lcx__digest_of(NULL, "", 0, &digest, NULL));
	ck_assert_str_eq(digest.text, empty);
	ck_assert_ok(lcx__digest_parse("sha512:" A128, &like));
	ck_assert_ok(lcx__digest_of(&like, "x", 1, &digest, NULL));
	ck_assert_uint_eq(strlen(lcx__digest_hex(&digest)), 128);
}
END_TEST

/* Short things are hashed by libmd, all others and these here by libcrypto. */
START_TEST(a_hash_is_the_same_in_one_piece)
{
	static const size_t lengths[] = {
		1, 3, 55, 56, 63, 64, 65, 119, 120, 128, 1000, 256 << 10, (256 << 10) + 1};
	CLEANUP(freep) char *data = malloc((256 << 10) + 1);
	struct lcx__digest whole, sum;

	for (size_t i = 0; i < (256 << 10) + 1; i++)
		data[i] = (char)(i * 2654435761u >> 13);
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		CLEANUP(lcx__hash_freep) struct lcx__hash *hash = NULL;

		ck_assert_ok(lcx__hash_new(NULL, &hash, NULL));
		ck_assert_ok(lcx__hash_update(hash, data, lengths[i]));
		ck_assert_ok(lcx__hash_finish(hash, &sum));
		ck_assert_ok(lcx__digest_of(NULL, data, lengths[i], &whole, NULL));
		ck_assert_str_eq(whole.text, sum.text);
	}
}
END_TEST

#define OCI_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define OCI_INDEX    "application/vnd.oci.image.index.v1+json"
#define CONFIG(more)                                                                               \
	"\"config\":{\"mediaType\":\"application/vnd.oci.image.config.v1+json\",\"digest\":"       \
	"\"sha256:" D64 "\",\"size\":2" more "}"
#define LAYER(type, more)                                                                          \
	"{\"mediaType\":\"application/vnd.oci.image.layer." type "\",\"digest\":\"sha256:" D64     \
	"\",\"size\":7" more "}"
#define HEAD "{\"schemaVersion\":2,"

static const struct {
	const char *text, *announced;
	const char *words; /* NULL: accepted */
} manifest_cases[] = {
	{HEAD CONFIG("") ",\"layers\":[" LAYER("v1.tar+gzip", "") "]}", OCI_MANIFEST, NULL},
	{HEAD CONFIG("") ",\"layers\":[" LAYER("v1.tar+zstd", ",\"urls\":[]") "]}", NULL, NULL},
	{HEAD CONFIG("") ",\"layers\":[]}", OCI_MANIFEST "; charset=utf-8", NULL},
	{HEAD CONFIG("") ",\"layers\":[],\"mediaType\":\"" OCI_MANIFEST "\"}", "text/plain", NULL},
	{HEAD "\"manifests\":[]}", OCI_INDEX, NULL},
	{HEAD "\"manifests\":[]}", OCI_MANIFEST, "announced as"},
	{HEAD CONFIG("") ",\"layers\":[]}", OCI_INDEX, "announced as"},
	{HEAD CONFIG("") ",\"layers\":[],\"mediaType\":\"" OCI_INDEX "\"}", NULL, "calls itself"},
	{HEAD CONFIG("") ",\"layers\":[],\"manifests\":[]}", OCI_MANIFEST, "neither clearly"},
	{HEAD "\"manifests\":[]," CONFIG("") "}", OCI_INDEX, "neither clearly"},
	{HEAD "\"layers\":[]}", NULL, "neither clearly"},
	{HEAD CONFIG("") ",\"layers\":[],\"fsLayers\":[]}", NULL, "neither clearly"},
	{"{\"schemaVersion\":1,\"layers\":[]," CONFIG("") "}", NULL, "schema version 1"},
	{HEAD CONFIG("") ",\"layers\":[" LAYER("v1.tar", ",\"urls\":[\"http://x\"]") "]}", NULL,
	 "foreign"},
	{HEAD CONFIG("") ",\"layers\":[" LAYER("nondistributable.v1.tar", "") "]}", NULL,
	 "foreign"},
	{HEAD CONFIG("") ",\"layers\":[" LAYER("v9.cpio", "") "]}", NULL, "unknown type"},
	{HEAD CONFIG("") ",\"layers\":{}}", NULL, "array"},
	{HEAD CONFIG("") ",\"layers\":[3]}", NULL, "not an object"},
	{HEAD CONFIG(",\"size\":3") ",\"layers\":[]}", NULL, "twice"},
	{HEAD "\"config\":{\"digest\":\"sha256:../../../x\",\"size\":2},\"layers\":[]}", NULL,
	 "not a digest"},
	{HEAD "\"config\":{\"mediaType\":\"application/vnd.oci.image.config.v1+json\",\"digest\":"
	      "\"sha256:" D64 "\",\"size\":-2},\"layers\":[]}",
	 NULL, "not a size"},
	{HEAD "\"config\":{\"mediaType\":\"application/vnd.oci.image.config.v1+json\",\"digest\":"
	      "\"sha256:" D64 "\",\"size\":99999999},\"layers\":[]}",
	 NULL, "too large"},
	{HEAD "\"config\":{\"mediaType\":\"application/vnd.cncf.helm.config.v1+json\",\"digest\":"
	      "\"sha256:" D64 "\",\"size\":2},\"layers\":[]}",
	 NULL, "artifact"},
	{HEAD "\"artifactType\":\"application/vnd.example\",\"config\":{\"mediaType\":"
	      "\"application/vnd.oci.empty.v1+json\",\"digest\":\"sha256:" D64
	      "\",\"size\":2},\"layers\":[]}",
	 OCI_MANIFEST, "artifact of type 'application/vnd.example'"},
	{HEAD "\"config\":{\"mediaType\":\"application/vnd.oci.empty.v1+json\",\"digest\":"
	      "\"sha256:" D64 "\",\"size\":2},\"layers\":[]}",
	 OCI_MANIFEST, "artifact of type 'application/vnd.oci.empty"},
	{HEAD CONFIG("") ",\"layers\":[{\"mediaType\":\"application/vnd.oci.empty.v1+json\","
			 "\"digest\":\"sha256:" D64 "\",\"size\":2}]}",
	 NULL, "empty descriptor"},
	{HEAD CONFIG("") ",\"layers\":[],\"subject\":{\"mediaType\":\"" OCI_MANIFEST
			 "\",\"digest\":\"sha256:" D64 "\",\"size\":2}}",
	 OCI_MANIFEST, NULL},
	{HEAD CONFIG("") ",\"layers\":[],\"Manifests\":[]}", OCI_MANIFEST, "could be taken for"},
	{HEAD CONFIG("") ",\"layers\":[],\"LAYERS\":[{}]}", OCI_MANIFEST, "could be taken for"},
	{HEAD CONFIG(",\"Digest\":\"sha256:x\"") ",\"layers\":[]}", NULL, "could be taken for"},
	{HEAD "\"config\":{\"mediaType\":\"application/vnd.oci.image.config.v1+json\",\"digest\":"
	      "\"sha256:" D64 "\"},\"layers\":[]}",
	 NULL, "lacks its \"size\""},
	{"{\"schemaVersion\":1,\"name\":\"x\",\"tag\":\"y\",\"fsLayers\":[],\"history\":[],"
	 "\"signatures\":[]}",
	 "application/vnd.docker.distribution.manifest.v1+prettyjws", "before 2016"},
	{HEAD CONFIG("") ",\"layers\":[]}",
	 "application/vnd.docker.distribution.manifest.v1+prettyjws", "announced as"},
	{"{\"layers\":[]," CONFIG("") "}", NULL, "schema version 0"},
	{"[]", NULL, "not a JSON object"},
	{"", NULL, "manifest"},
	{HEAD CONFIG("") ",\"layers\":[]}{}", NULL, "manifest"},
	{"<html>", NULL, "manifest"},
};

START_TEST(manifests_are_of_one_kind_or_refused)
{
	CLEANUP(lcx__manifest_freep) struct lcx__manifest *m = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	const char *text = manifest_cases[_i].text;
	int r = lcx__manifest_parse(text, strlen(text), manifest_cases[_i].announced, &m, &err);

	if (!manifest_cases[_i].words) {
		ck_assert_msg(r == 0, "%s: %s", text, lcx_error_message(err));
		return;
	}
	ck_assert_int_eq(r, -EBADMSG);
	ck_assert_int_eq(lcx_error_code(err), EBADMSG);
	ck_assert_msg(strstr(lcx_error_message(err), manifest_cases[_i].words) != NULL,
		      "'%s' lacks '%s'", lcx_error_message(err), manifest_cases[_i].words);
}
END_TEST

#define ITEM(digit, platform)                                                                      \
	"{\"mediaType\":\"" OCI_MANIFEST "\",\"size\":1,\"digest\":\"sha256:" digit                \
	"123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\",\"platform\":{"         \
	"\"os\":\"linux\",\"architecture\":" platform "}}"

static char *repeat(const char *head, const char *item, size_t n, const char *tail)
{
	struct lcx__strbuf text = STRBUF_EMPTY;

	lcx__strbuf_adds(&text, head);
	for (size_t i = 0; i < n; i++)
		lcx__strbuf_addf(&text, "%s%s", i ? "," : "", item);
	lcx__strbuf_adds(&text, tail);
	return lcx__strbuf_take(&text);
}

#define ZEROS "0,0,0,0,0,0,0,0,0,0"
/* In a string they are no values. */
#define BRACKET "\",[{\\\",\""
#define BRACKETS                                                                                   \
	BRACKET "," BRACKET "," BRACKET "," BRACKET "," BRACKET "," BRACKET "," BRACKET            \
		"," BRACKET "," BRACKET "," BRACKET

static const struct {
	const char *head, *item, *tail;
	size_t good, bad; /* how many items */
	const char *words;
} limit_cases[] = {
	{HEAD CONFIG("") ",\"layers\":[", LAYER("v1.tar", ""), "]}", 500, 501, "more than 500"},
	{HEAD "\"manifests\":[", LAYER("v1.tar", ""), "]}", 4096, 4097, "more than 4096"},
	{HEAD CONFIG("") ",\"layers\":[],\"x\":[", ZEROS "," ZEROS, "]}", 4900, 5001,
	 "more than 100000"},
	{HEAD CONFIG("") ",\"layers\":[],\"x\":[", BRACKETS "," BRACKETS, "]}", 4900, 5001,
	 "more than 100000"},
	{HEAD CONFIG("") ",\"layers\":[],\"x\":\"",
	 "1234567890123456789012345678901234567890123456789012345678901234567890123456789", "\"}",
	 52000, 53000, "manifest"},
};

START_TEST(documents_have_limits)
{
	CLEANUP(lcx__manifest_freep) struct lcx__manifest *m = NULL, *none = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	CLEANUP(freep) char *good = NULL, *bad = NULL;
	int r;

	good = repeat(limit_cases[_i].head, limit_cases[_i].item, limit_cases[_i].good,
		      limit_cases[_i].tail);
	bad = repeat(limit_cases[_i].head, limit_cases[_i].item, limit_cases[_i].bad,
		     limit_cases[_i].tail);
	r = lcx__manifest_parse(good, strlen(good), NULL, &m, &err);
	ck_assert_msg(r == 0, "%s", lcx_error_message(err));
	ck_assert_fails(lcx__manifest_parse(bad, strlen(bad), NULL, &none, &err), EBADMSG, err,
			limit_cases[_i].words);
}
END_TEST

START_TEST(documents_are_not_deep)
{
	CLEANUP(lcx__manifest_freep) struct lcx__manifest *m = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	char text[400] = HEAD "\"x\":";

	memset(text + strlen(text), '[', 100);
	memset(text + strlen(text), ']', 100);
	strcat(text, "}");
	ck_assert_fails(lcx__manifest_parse(text, strlen(text), NULL, &m, &err), EBADMSG, err,
			"manifest");
}
END_TEST

static const char arms[] = HEAD "\"manifests\":[" ITEM("1", "\"amd64\"") "," ITEM(
	"2",
	"\"arm\",\"variant\":"
	"\"v5\"") "," ITEM("3",
			   "\"arm\",\"variant\":\"v7\"") "," ITEM("4",
								  "\"unknown\"") "," ITEM("5",
											  "\"amd64"
											  "\","
											  "\"varian"
											  "t\":"
											  "\"v3\"") "," ITEM("6",
													     "\"amd64\",\"variant\":\"v2\"") "," ITEM("7",
																		      "\"arm64\"") "," ITEM("8",
																					    "\"s390x\"") "]}";

static const struct {
	const char *platform;
	char digit; /* of the chosen one; 0: none */
} platform_cases[] = {
	{"linux/amd64", '1'},      {"linux/arm/v7", '3'},    {"linux/arm/v6", '2'},
	{"linux/arm/v8", '3'},     {"linux/arm64", '7'},     {"windows/amd64", 0},
	{"linux/arm/v4", 0},       {"linux/arm", '3'},       {"linux/amd64/v1", '1'},
	{"linux/amd64/v2", '6'},   {"linux/amd64/v4", '5'},  {"linux/arm64/v8", '7'},
	{"linux/arm64/v9.2", '7'}, {"linux/arm64/v7", 0},    {"linux/amd64/fancy", 0},
	{"linux/s390x", '8'},      {"linux/s390x/z13", '8'},
};

START_TEST(the_best_platform_is_chosen)
{
	CLEANUP(lcx__manifest_freep) struct lcx__manifest *m = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	const struct lcx__descriptor *d = NULL;
	struct lcx__platform platform;

	ck_assert_ok(lcx__manifest_parse(arms, strlen(arms), OCI_INDEX, &m, NULL));
	ck_assert_ok(lcx__platform_parse(platform_cases[_i].platform, &platform, NULL));
	if (!platform_cases[_i].digit) {
		ck_assert_fails(lcx__index_choose(m, &platform, NULL, &d, &err), ENOENT, err,
				"there are: linux/amd64");
		return;
	}
	ck_assert_ok(lcx__index_choose(m, &platform, NULL, &d, NULL));
	ck_assert_int_eq(lcx__digest_hex(&d->digest)[0], platform_cases[_i].digit);
}
END_TEST

START_TEST(an_artifact_is_never_chosen)
{
	static const char text[] = HEAD "\"manifests\":[{\"mediaType\":\"" OCI_MANIFEST
					"\",\"size\":1,\"digest\":\"sha256:" D64
					"\",\"artifactType\":\"application/spdx\"}]}";
	CLEANUP(lcx__manifest_freep) struct lcx__manifest *m = NULL;
	const struct lcx__descriptor *d = NULL;
	struct lcx__platform host;

	lcx__platform_host(&host);
	ck_assert_ok(lcx__manifest_parse(text, strlen(text), OCI_INDEX, &m, NULL));
	ck_assert_int_eq(lcx__index_choose(m, &host, NULL, &d, NULL), -ENOENT);
}
END_TEST

START_TEST(platforms_are_written_like_paths)
{
	static const char *const bad[] = {
		"", "linux", "linux/", "/amd64", "linux/a/b/c", "linux/../x/", "LINUX/amd64", NULL};
	struct lcx__platform platform;

	for (size_t i = 0; bad[i]; i++)
		ck_assert_int_eq(lcx__platform_parse(bad[i], &platform, NULL), -EINVAL);
	ck_assert_int_eq(lcx__platform_parse(NULL, &platform, NULL), -EINVAL);
}
END_TEST

static int parse_config(const char *text, struct lcx__config **ret, struct lcx_error **err)
{
	return lcx__config_parse(text, strlen(text), ret, err);
}

#define ROOTFS "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:" D64 "\"]}"

START_TEST(a_configuration_gives_what_run_needs)
{
	CLEANUP(lcx__config_freep) struct lcx__config *c = NULL;

	ck_assert_ok(parse_config(
		"{\"created\":\"2026-01-31T23:59:59Z\",\"os\":\"linux\",\"architecture\":"
		"\"amd64\"," ROOTFS ",\"config\":{\"User\":\"1:2\",\"Env\":[\"A=b\",\"C=\"],"
		"\"Cmd\":[\"sh\"],\"Entrypoint\":null,"
		"\"ExposedPorts\":{\"90/udp\":{},\"80/tcp\":{}},\"WorkingDir\":\"/"
		"w\",\"StopSignal\":\"SIGINT\","
		"\"Labels\":{\"z\":\"1\",\"User\":\"0\"},\"Volumes\":{\"/v\":{}},\"Unknown\":[1]}}",
		&c, NULL));
	ck_assert_int_eq(c->created_ns, 1769903999000000000);
	ck_assert_str_eq(c->user, "1:2");
	ck_assert_str_eq(c->env[1], "C=");
	ck_assert_str_eq(c->cmd[0], "sh");
	ck_assert_ptr_null(c->entrypoint[0]);
	ck_assert_str_eq(c->exposed_ports[0], "80/tcp");
	ck_assert_str_eq(c->exposed_ports[1], "90/udp");
	ck_assert_str_eq(c->volumes[0], "/v");
	ck_assert_str_eq(c->stop_signal, "SIGINT");
	ck_assert_uint_eq(c->n_labels, 2);
	ck_assert_str_eq(c->labels[0].name, "User");
	ck_assert_str_eq(c->labels[0].value, "0");
	ck_assert_uint_eq(c->n_diff_ids, 1);
}
END_TEST

START_TEST(history_is_read)
{
	CLEANUP(lcx__config_freep) struct lcx__config *c = NULL;

	ck_assert_ok(
		parse_config("{" ROOTFS ",\"author\":\"me\",\"history\":[{\"created\":"
			     "\"2026-01-31T23:59:59Z\",\"created_by\":\"ADD x\"},"
			     "{\"comment\":\"c\",\"empty_layer\":true,\"created\":\"never\"}]}",
			     &c, NULL));
	ck_assert_str_eq(c->author, "me");
	ck_assert_uint_eq(c->n_history, 2);
	ck_assert_str_eq(c->history[0].created_by, "ADD x");
	ck_assert_int_eq(c->history[0].created_ns, 1769903999000000000);
	ck_assert(!c->history[0].empty_layer);
	ck_assert_str_eq(c->history[1].comment, "c");
	ck_assert_int_eq(c->history[1].created_ns, 0);
	ck_assert(c->history[1].empty_layer);
}
END_TEST

static const char *const bad_configs[] = {
	"{" ROOTFS ",\"history\":{}}",
	"{" ROOTFS ",\"history\":[3]}",
	"{" ROOTFS ",\"history\":[{\"created_by\":[]}]}",
	"{" ROOTFS ",\"history\":[{\"empty_layer\":\"true\"}]}",
	"{" ROOTFS ",\"author\":1}",
	"{}",
	"{\"rootfs\":{}}",
	"{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"../../x\"]}}",
	"{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[1]}}",
	"{" ROOTFS ",\"config\":[]}",
	"{" ROOTFS ",\"config\":{\"User\":0}}",
	"{" ROOTFS ",\"config\":{\"Env\":\"A=b\"}}",
	"{" ROOTFS ",\"config\":{\"Env\":[\"A=b\",null]}}",
	"{" ROOTFS ",\"config\":{\"Env\":[\"A=\\u0000b\"]}}",
	"{" ROOTFS ",\"config\":{\"Cmd\":{\"0\":\"x\"}}}",
	"{" ROOTFS ",\"config\":{\"Labels\":{\"a\":1}}}",
	"{" ROOTFS "," ROOTFS "}",
};

START_TEST(configurations_of_wrong_types_are_refused)
{
	CLEANUP(lcx__config_freep) struct lcx__config *c = NULL;

	ck_assert_int_eq(parse_config(bad_configs[_i], &c, NULL), -EBADMSG);
	ck_assert_ptr_null(c);
}
END_TEST

static const struct {
	const char *value;
	int scheme;
	const char *realm, *service;
} challenge_cases[] = {
	{"Bearer realm=\"https://a/t\",service=\"reg\",scope=\"repository:x:pull\"",
	 LCX__CHALLENGE_BEARER, "https://a/t", "reg"},
	{"bearer  realm = \"https://a/t\" , service=reg", LCX__CHALLENGE_BEARER, "https://a/t",
	 "reg"},
	{"Basic realm=\"x, y\"", LCX__CHALLENGE_BASIC, "x, y", NULL},
	{"Basic realm=x, Bearer realm=\"https://a\"", LCX__CHALLENGE_BEARER, "https://a", NULL},
	{"Bearer realm=\"https://a\", Basic realm=x", LCX__CHALLENGE_BEARER, "https://a", NULL},
	{"Negotiate, Basic", LCX__CHALLENGE_BASIC, NULL, NULL},
	{"Bearer", LCX__CHALLENGE_NONE, NULL, NULL},
	{"Bearer service=\"x\"", LCX__CHALLENGE_NONE, NULL, NULL},
	{"Bearer realm=\"", LCX__CHALLENGE_NONE, NULL, NULL},
	{"Bearer realm=\"a\\\"b\"", LCX__CHALLENGE_BEARER, "a\"b", NULL},
	{"Bearer realm=\"a\\", LCX__CHALLENGE_NONE, NULL, NULL},
	{"Digest realm=\"x\"", LCX__CHALLENGE_NONE, NULL, NULL},
	{"realm=\"x\"", LCX__CHALLENGE_NONE, NULL, NULL},
	{"=,=,=", LCX__CHALLENGE_NONE, NULL, NULL},
	{",,, ,", LCX__CHALLENGE_NONE, NULL, NULL},
	{"", LCX__CHALLENGE_NONE, NULL, NULL},
	{"\"\"\"", LCX__CHALLENGE_NONE, NULL, NULL},
};

START_TEST(challenges_are_understood_or_skipped)
{
	struct lcx__challenge c = {0};

	ck_assert_ok(lcx__challenge_parse(challenge_cases[_i].value, &c));
	ck_assert_int_eq(c.scheme, challenge_cases[_i].scheme);
	if (challenge_cases[_i].realm)
		ck_assert_str_eq(c.realm, challenge_cases[_i].realm);
	if (challenge_cases[_i].service)
		ck_assert_str_eq(c.service, challenge_cases[_i].service);
	lcx__challenge_clear(&c);
}
END_TEST

static const struct {
	const char *url, *origin;
} origin_cases[] = {
	{"https://A.example/x", "https://a.example:443"},
	{"http://a:80/x?y", "http://a:80"},
	{"https://u:p@a:8443", "https://a:8443"},
	{"https://[::1]/x", "https://[::1]:443"},
	{"file:///etc/passwd", NULL},
	{"ftp://a/", NULL},
	{"/x", NULL},
};

START_TEST(origins_compare)
{
	CLEANUP(freep) char *origin = lcx__url_origin(origin_cases[_i].url);

	if (origin_cases[_i].origin)
		ck_assert_pstr_eq(origin, origin_cases[_i].origin);
	else
		ck_assert_ptr_null(origin);
}
END_TEST

START_TEST(redirects_resolve_without_credentials)
{
	CLEANUP(freep) char *url = NULL, *other = NULL, *token = NULL;
	char *const scopes[] = {(char *)"repository:c/d:pull", NULL};

	ck_assert_ok(lcx__url_resolve("https://a/v2/x?q=1", "../y", &url));
	ck_assert_str_eq(url, "https://a/y");
	ck_assert_ok(lcx__url_resolve("https://a/v2/x", "https://u:p@b/z", &other));
	ck_assert_str_eq(other, "https://b/z");
	ck_assert_ok(lcx__url_token("https://a/t?x=1", "a&b", scopes, &token));
	ck_assert_ptr_nonnull(strstr(token, "service=a%26b"));
	ck_assert_ptr_nonnull(strstr(token, "scope=repository%3"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("image");
	TCase *tc = tcase_create("image");

	tcase_add_loop_test(tc, references_are_read_as_docker_reads_them, 0,
			    ARRAY_SIZE(reference_cases));
	tcase_add_loop_test(tc, a_full_reference_is_its_own_name, 0, ARRAY_SIZE(reference_cases));
	tcase_add_loop_test(tc, only_strict_digests_are_digests, 0, ARRAY_SIZE(digest_cases));
	tcase_add_test(tc, hashes_are_right);
	tcase_add_test(tc, a_hash_is_the_same_in_one_piece);
	tcase_add_loop_test(tc, manifests_are_of_one_kind_or_refused, 0,
			    ARRAY_SIZE(manifest_cases));
	tcase_add_loop_test(tc, documents_have_limits, 0, ARRAY_SIZE(limit_cases));
	tcase_add_test(tc, documents_are_not_deep);
	tcase_add_test(tc, an_artifact_is_never_chosen);
	tcase_add_test(tc, history_is_read);
	tcase_add_loop_test(tc, the_best_platform_is_chosen, 0, ARRAY_SIZE(platform_cases));
	tcase_add_test(tc, platforms_are_written_like_paths);
	tcase_add_test(tc, a_configuration_gives_what_run_needs);
	tcase_add_loop_test(tc, configurations_of_wrong_types_are_refused, 0,
			    ARRAY_SIZE(bad_configs));
	tcase_add_loop_test(tc, challenges_are_understood_or_skipped, 0,
			    ARRAY_SIZE(challenge_cases));
	tcase_add_loop_test(tc, origins_compare, 0, ARRAY_SIZE(origin_cases));
	tcase_add_test(tc, redirects_resolve_without_credentials);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
