/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <sys/stat.h>

#include "tar/tar.h"
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

/* An archive in memory, written and read. */
struct memory {
	struct lcx__strbuf text;
	size_t at;
};

static int write_memory(void *data, const void *bytes, size_t length, struct lcx_error **err)
{
	struct memory *m = data;

	(void)err;
	lcx__strbuf_add(&m->text, bytes, length);
	return 0;
}

/* In odd pieces, as a pipe would. */
static ssize_t read_memory(void *data, void *buffer, size_t size, struct lcx_error **err)
{
	struct memory *m = data;
	size_t left = m->text.length - m->at, n = size < 301 ? size : 301;

	(void)err;
	n = n < left ? n : left;
	memcpy(buffer, m->text.text + m->at, n);
	m->at += n;
	return (ssize_t)n;
}

static char long_name[600], long_link[300];
static struct lcx__tar_xattr xattrs[] = {{(char *)"security.capability", (char *)"\1\0\0\2", 4},
					 {(char *)"user.empty", (char *)"", 0}};

static const struct lcx__tar_entry entries[] = {
	{.path = (char *)"dir", .mode = S_IFDIR | 01755, .mtime = {.tv_sec = 1}},
	{.path = (char *)"dir/file",
	 .mode = S_IFREG | 04640,
	 .uid = 1000,
	 .gid = 50,
	 .size = 5,
	 .mtime = {981173106, 123456789}},
	{.path = (char *)"old", .mode = S_IFREG | 0644, .mtime = {-312753294, 500000000}},
	{.path = (char *)"older", .mode = S_IFREG | 0644, .mtime = {-312753294, 0}},
	{.path = (char *)"link", .link = (char *)"../a/./b", .mode = S_IFLNK | 0777},
	{.path = (char *)"hard", .link = (char *)"dir/file", .hard = true, .mode = S_IFREG | 0644},
	{.path = (char *)"pipe", .mode = S_IFIFO | 0600},
	{.path = (char *)"node", .mode = S_IFBLK | 0600, .device = 0x1234},
	{.path = (char *)"big-ids", .mode = S_IFREG | 0600, .uid = 4294967290, .gid = 2097152},
	{.path = (char *)"attributes", .mode = S_IFREG | 0755, .xattrs = xattrs, .n_xattrs = 2},
	{.path = (char *)"bytes \xff\n\xc3\xa9", .mode = S_IFREG | 0755},
	{.path = long_name, .mode = S_IFREG | 0600},
	{.path = (char *)"long", .link = long_link, .mode = S_IFLNK | 0777},
};

static void write_all(struct memory *m)
{
	const struct lcx__byte_sink sink = {write_memory, m};
	struct memory content = {{(char *)"hello", 5, 0, false}, 0};
	const struct lcx__source source = {read_memory, NULL, &content};

	memset(long_name, 'n', sizeof(long_name) - 1);
	long_name[300] = '/';
	memset(long_link, 'l', sizeof(long_link) - 1);
	for (size_t i = 0; i < ARRAY_SIZE(entries); i++)
		ck_assert_ok(
			lcx__tar_write(&sink, &entries[i], entries[i].size ? &source : NULL, NULL));
	ck_assert_ok(lcx__tar_write_end(&sink, NULL));
}

START_TEST(what_is_written_is_read)
{
	struct memory m = {STRBUF_EMPTY, 0};
	struct lcx__source source = {read_memory, NULL, &m}, content;
	struct lcx__tar_reader *reader = NULL;
	char text[8] = "";

	write_all(&m);
	ck_assert_ok(lcx__tar_reader_new(&source, &reader, NULL));
	for (size_t i = 0; i < ARRAY_SIZE(entries); i++) {
		const struct lcx__tar_entry *want = &entries[i], *e;

		ck_assert_int_eq(lcx__tar_next(reader, NULL), 1);
		e = lcx__tar_entry(reader);
		ck_assert_str_eq(e->path, want->path);
		ck_assert_str_eq(e->link ? e->link : "", want->link ? want->link : "");
		ck_assert_uint_eq(e->mode, want->mode);
		ck_assert_uint_eq(e->uid, want->uid);
		ck_assert_uint_eq(e->gid, want->gid);
		ck_assert_uint_eq(e->size, want->size);
		ck_assert_uint_eq(e->device, want->device);
		ck_assert_int_eq(e->hard, want->hard);
		ck_assert_int_eq(e->mtime.tv_sec, want->mtime.tv_sec);
		ck_assert_int_eq(e->mtime.tv_nsec, want->mtime.tv_nsec);
		ck_assert_uint_eq(e->n_xattrs, want->n_xattrs);
		for (size_t x = 0; x < e->n_xattrs; x++) {
			ck_assert_str_eq(e->xattrs[x].name, want->xattrs[x].name);
			ck_assert_uint_eq(e->xattrs[x].size, want->xattrs[x].size);
			ck_assert_mem_eq(e->xattrs[x].value, want->xattrs[x].value,
					 want->xattrs[x].size);
		}
		if (e->size) {
			content = lcx__tar_content(reader);
			ck_assert_int_eq(content.read(content.data, text, sizeof(text), NULL), 5);
			ck_assert_str_eq(text, "hello");
		}
	}
	ck_assert_int_eq(lcx__tar_next(reader, NULL), 0);
	(void)lcx__tar_reader_free(reader);
	lcx__strbuf_free(&m.text);
}
END_TEST

START_TEST(the_same_entries_give_the_same_bytes)
{
	struct memory a = {STRBUF_EMPTY, 0}, b = {STRBUF_EMPTY, 0};

	write_all(&a);
	write_all(&b);
	ck_assert_uint_eq(a.text.length, b.text.length);
	ck_assert_mem_eq(a.text.text, b.text.text, a.text.length);
	ck_assert_uint_eq(a.text.length % 512, 0);
	lcx__strbuf_free(&a.text);
	lcx__strbuf_free(&b.text);
}
END_TEST

/* Read to the end or to an error; content included. */
static void read_through(struct memory *m)
{
	struct lcx__source source = {read_memory, NULL, m};
	struct lcx__tar_reader *reader = NULL;
	char buffer[1000];

	ck_assert_ok(lcx__tar_reader_new(&source, &reader, NULL));
	while (lcx__tar_next(reader, NULL) > 0) {
		const struct lcx__source content = lcx__tar_content(reader);

		ck_assert_ptr_null(strstr(lcx__tar_entry(reader)->path, "//"));
		while (content.read(content.data, buffer, sizeof(buffer), NULL) > 0)
			;
	}
	(void)lcx__tar_reader_free(reader);
}

START_TEST(no_damage_harms_the_reader)
{
	struct memory m = {STRBUF_EMPTY, 0};
	unsigned int seed = 1;

	write_all(&m);
	for (size_t length = 0; length < m.text.length; length += 97) {
		struct memory cut = {{m.text.text, length, 0, false}, 0};

		read_through(&cut);
	}
	for (int i = 0; i < 20000; i++) {
		size_t at = (size_t)rand_r(&seed) % m.text.length;
		char was = m.text.text[at];

		m.text.text[at] = (char)rand_r(&seed);
		m.at = 0;
		read_through(&m);
		if (i % 3)
			m.text.text[at] = was;
	}
	lcx__strbuf_free(&m.text);
}
END_TEST

static const struct {
	const char *path, *want; /* NULL: refused */
} paths[] = {
	{"a/b", "a/b"},   {"/a//b/", "a/b"}, {"./a/./b", "a/b"}, {"", ""},       {"/", ""},
	{"a/../b", NULL}, {"..", NULL},      {"../a", NULL},     {"a..", "a.."},
};

START_TEST(a_path_is_brought_into_one_form)
{
	char path[32];
	int r;

	strcpy(path, paths[_i].path);
	r = lcx__tar_path(path, NULL);
	ck_assert_int_eq(r, paths[_i].want ? 0 : -EBADMSG);
	if (paths[_i].want)
		ck_assert_str_eq(path, paths[_i].want);
}
END_TEST

START_TEST(links_are_never_written_through)
{
	const struct lcx__place_options options = {0};
	const struct lcx__tar_entry below = {.path = (char *)"l/file", .mode = S_IFREG | 0644};
	const struct lcx__tar_entry over = {.path = (char *)"l", .mode = S_IFREG | 0644};
	struct memory content = {{(char *)"", 0, 0, false}, 0};
	const struct lcx__source source = {read_memory, NULL, &content};
	struct lcx__place *place = NULL;
	struct lcx__entry_sink sink;
	struct stat st;

	ck_assert_ok(mkdirat(dir.fd, "out", 0755));
	ck_assert_ok(mkdirat(dir.fd, "in", 0755));
	ck_assert_ok(symlinkat("../out", dir.fd, "in/l"));
	CLEANUP(closep) int fd = lcx__open_dir(dir.fd, "in");
	ck_assert_ok(lcx__place_new(fd, &options, &place, NULL));
	sink = lcx__place_sink(place);
	ck_assert_int_eq(sink.add(sink.data, &below, &source, NULL), -ENOTDIR);
	ck_assert_int_lt(fstatat(dir.fd, "out/file", &st, 0), 0);
	/* A file replaces the link itself. */
	ck_assert_ok(sink.add(sink.data, &over, &source, NULL));
	ck_assert_ok(fstatat(dir.fd, "in/l", &st, AT_SYMLINK_NOFOLLOW));
	ck_assert(S_ISREG(st.st_mode));
	ck_assert_ok(lcx__place_finish(place, NULL));
	(void)lcx__place_free(place);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tar");
	TCase *tc = tcase_create("tar");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, what_is_written_is_read);
	tcase_add_test(tc, the_same_entries_give_the_same_bytes);
	tcase_add_test(tc, no_damage_harms_the_reader);
	tcase_add_loop_test(tc, a_path_is_brought_into_one_form, 0, ARRAY_SIZE(paths));
	tcase_add_test(tc, links_are_never_written_through);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
