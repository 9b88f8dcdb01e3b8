/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
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
					 {(char *)"user.a=b%25%3dc%", (char *)"=", 1},
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
	{.path = (char *)"attributes", .mode = S_IFREG | 0755, .xattrs = xattrs, .n_xattrs = 3},
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

/* ---- access control lists ---- */

static const struct acl_case {
	const char *text, *why; /* NULL: taken */
	const char *again;      /* how it is written, if otherwise */
} acl_cases[] = {
	{"user::rw-,group::r--,other::---", NULL, NULL},
	{"user::rwx,user:1000:r-x,user:2000:---,group::r-x,group:50:rw-,mask::rwx,other::r--", NULL,
	 NULL},
	/* In any order, by letters, with lines, remarks and the numbers behind. */
	{"o::r--\nu:joe:rw-:7\tremark\nm::rw-#effective\ng::r--\n\nu::rw-\n", NULL,
	 "user::rw-,user:7:rw-,group::r--,mask::rw-,other::r--"},
	{"user::rw-,group::r--,mask:r--,other:---", NULL,
	 "user::rw-,group::r--,mask::r--,other::---"},
	{"user::rw-,user:joe:r--,group::r--,mask::r--,other::---", "without its number", NULL},
	{"user::rw-,user:4294967295:r--,group::r--,mask::r--,other::---", "number", NULL},
	{"user::rw-,user:joe:r--:-1,group::r--,mask::r--,other::---", "id", NULL},
	{"user::rw-,user:7:r--,group::r--,other::---", "no mask", NULL},
	{"user::rw-,user:7:r--,user:7:rw-,group::r--,mask::r--,other::---", "twice", NULL},
	{"user::rw-,user::rw-,group::r--,other::---", "twice", NULL},
	{"user::rw-,group::r--", "nothing for", NULL},
	{"", "nothing for", NULL},
	{"user::rwz,group::r--,other::---", "permissions", NULL},
	{"user::rw,group::r--,other::---", "permissions", NULL},
	{"user::,group::r--,other::---", "permissions", NULL},
	{"user,group::r--,other::---", "no known kind", NULL},
	{"owner@:rw:allow", "no known kind", NULL},
	{"user::rw-,group::r--,other:7:---", "with a name", NULL},
	{"user::rw-:1:2,group::r--,other::---", "no known kind", NULL},
};

START_TEST(a_list_is_taken_or_refused_with_words)
{
	const struct acl_case *c = &acl_cases[_i];
	struct lcx__strbuf words = STRBUF_EMPTY;
	CLEANUP(freep) char *value = NULL;
	const char *why = NULL;
	size_t size = 0;
	int r = lcx__acl_parse(c->text, strlen(c->text), &value, &size, &why);

	ck_assert_int_eq(r, c->why ? -EBADMSG : 0);
	if (c->why) {
		ck_assert_msg(strstr(why, c->why) != NULL, "'%s': '%s'", c->text, why);
		return;
	}
	ck_assert(lcx__acl_format(value, size, &words));
	ck_assert_str_eq(words.text, c->again ? c->again : c->text);
	lcx__strbuf_free(&words);
}
END_TEST

START_TEST(ids_of_a_list_are_mapped_and_strangers_left_out)
{
	static const struct lcx__tar_ids ranges[] = {{0, 100000, 1000}};
	static const struct lcx__id_map map = {ranges, ranges, 1, 1};
	static const char text[] = "user::rw-,user:5:r--,group::r--,group:7:rw-,mask::r--,"
				   "other::---";
	struct lcx__strbuf words = STRBUF_EMPTY;
	CLEANUP(freep) char *value = NULL;
	const char *why = NULL;
	size_t size = 0;

	ck_assert_ok(lcx__acl_parse(text, strlen(text), &value, &size, &why));
	lcx__acl_outside(value, &size, &map);
	ck_assert(lcx__acl_format(value, size, &words));
	ck_assert_str_eq(words.text, "user::rw-,user:100005:r--,group::r--,group:100007:rw-,"
				     "mask::r--,other::---");
	lcx__strbuf_free(&words);
	lcx__acl_inside(value, &size, &map);
	ck_assert(lcx__acl_format(value, size, &words));
	ck_assert_str_eq(words.text, text);
	lcx__strbuf_free(&words);
	lcx__acl_inside(value, &size, &map); /* 5 and 7 are none of the outer ids */
	ck_assert(lcx__acl_format(value, size, &words));
	ck_assert_str_eq(words.text, "user::rw-,group::r--,mask::r--,other::---");
	lcx__strbuf_free(&words);
}
END_TEST

START_TEST(what_is_no_list_is_not_written_as_one)
{
	static const char strange[][20] = {
		"",
		"\2\0\0",
		"\1\0\0\0\1\0\6\0\377\377\377\377",
		"\2\0\0\0\100\0\6\0\377\377\377\377",
		"\2\0\0\0\1\0\6\0\377\377\377\377",
	};
	static const size_t sizes[] = {0, 3, 12, 12, 12};
	struct lcx__strbuf words = STRBUF_EMPTY;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		ck_assert(!lcx__acl_format(strange[i], sizes[i], &words));
	ck_assert_uint_eq(words.length, 0);
}
END_TEST

/* ---- extended headers, made by hand ---- */

static void put_header(struct memory *m, char type, const char *name, size_t size)
{
	char block[512] = {0};
	unsigned int sum = 8 * ' ';

	strcpy(block, name);
	strcpy(block + 100, "0000644");
	strcpy(block + 108, "0000001");
	strcpy(block + 116, "0000002");
	(void)snprintf(block + 124, 12, "%011zo", size);
	strcpy(block + 136, "00000000007");
	block[156] = type;
	memcpy(block + 257, "ustar\00000", 8);
	for (size_t i = 0; i < sizeof(block); i++)
		sum += (unsigned char)block[i];
	(void)snprintf(block + 148, 8, "%06o", sum);
	lcx__strbuf_add(&m->text, block, sizeof(block));
}

/* @records: "key=value\n" one after the other */
static void put_records(struct memory *m, char type, const char *records)
{
	struct lcx__strbuf text = STRBUF_EMPTY;
	static const char zeros[512];

	for (const char *at = records; *at; at = strchr(at, '\n') + 1) {
		size_t length = (size_t)(strchr(at, '\n') + 1 - at);

		/* Up to three digits: the number counts itself. */
		length += length + 2 < 10 ? 2 : length + 3 < 100 ? 3 : 4;
		lcx__strbuf_addf(&text, "%zu ", length);
		lcx__strbuf_add(&text, at, (size_t)(strchr(at, '\n') + 1 - at));
	}
	put_header(m, type, "pax", text.length);
	lcx__strbuf_add(&m->text, text.text, text.length);
	lcx__strbuf_add(&m->text, zeros, -text.length % 512);
	lcx__strbuf_free(&text);
}

static const struct {
	const char *record;
	int64_t seconds;
	long ns;
	bool refused;
} times[] = {
	{"mtime=1.5\n", 1, 500000000, false},
	{"mtime=-1.5\n", -2, 500000000, false},
	{"mtime=-1\n", -1, 0, false},
	{"mtime=-0.25\n", -1, 750000000, false},
	{"mtime=-0.000000001\n", -1, 999999999, false},
	{"mtime=-312753294.123456789\n", -312753295, 876543211, false},
	{"mtime=0.1234567891\n", 0, 123456789, false},
	{"mtime=9223372036854775807\n", INT64_MAX, 0, false},
	{"mtime=9223372036854775808\n", 0, 0, true},
	{"mtime=\n", 7, 0, false},
	{"mtime=-\n", 0, 0, true},
	{"mtime=1e3\n", 0, 0, true},
	{"mtime=nan\n", 0, 0, true},
};

START_TEST(a_time_before_1970_counts_its_fraction_away_from_it)
{
	struct memory m = {STRBUF_EMPTY, 0};
	const struct lcx__source source = {read_memory, NULL, &m};
	CLEANUP(lcx__tar_reader_freep) struct lcx__tar_reader *reader = NULL;
	struct lcx_error *err = NULL;

	put_records(&m, 'x', times[_i].record);
	put_header(&m, '0', "x", 0);
	ck_assert_ok(lcx__tar_reader_new(&source, &reader, NULL));
	if (times[_i].refused) {
		ck_assert_fails(lcx__tar_next(reader, &err), EBADMSG, err, "entry 'x': mtime");
	} else {
		ck_assert_int_eq(lcx__tar_next(reader, NULL), 1);
		ck_assert_int_eq(lcx__tar_entry(reader)->mtime.tv_sec, times[_i].seconds);
		ck_assert_int_eq(lcx__tar_entry(reader)->mtime.tv_nsec, times[_i].ns);
	}
	lcx__strbuf_free(&m.text);
}
END_TEST

static const char *xattr_of(const struct lcx__tar_entry *e, const char *name)
{
	for (size_t i = 0; i < e->n_xattrs; i++)
		if (strcmp(e->xattrs[i].name, name) == 0)
			return e->xattrs[i].value;
	return NULL;
}

START_TEST(a_global_header_is_for_all_until_outdone)
{
	struct memory m = {STRBUF_EMPTY, 0};
	const struct lcx__source source = {read_memory, NULL, &m};
	CLEANUP(lcx__tar_reader_freep) struct lcx__tar_reader *reader = NULL;
	const struct lcx__tar_entry *e;

	put_records(&m, 'g', "uid=1000\nmtime=-3.5\nSCHILY.xattr.user.all=1\ncomment=hello\n");
	put_header(&m, '0', "a", 0);
	put_records(&m, 'x', "uid=7\ngid=8\nmtime=\nSCHILY.xattr.user.all=2\n");
	put_header(&m, '0', "b", 0);
	put_records(&m, 'g', "gid=9\n");
	put_records(&m, 'x', "uid=\n");
	put_header(&m, '0', "c", 0);
	ck_assert_ok(lcx__tar_reader_new(&source, &reader, NULL));
	e = lcx__tar_entry(reader);
	ck_assert_int_eq(lcx__tar_next(reader, NULL), 1);
	ck_assert(e->uid == 1000 && e->gid == 2 && e->mtime.tv_sec == -4);
	ck_assert_str_eq(xattr_of(e, "user.all"), "1");
	ck_assert_int_eq(lcx__tar_next(reader, NULL), 1);
	ck_assert(e->uid == 7 && e->gid == 8 && e->mtime.tv_sec == 7);
	ck_assert_uint_eq(e->n_xattrs, 1);
	ck_assert_str_eq(xattr_of(e, "user.all"), "2");
	ck_assert_int_eq(lcx__tar_next(reader, NULL), 1);
	ck_assert(e->uid == 1 && e->gid == 9 && e->mtime.tv_sec == -4);
	ck_assert_str_eq(xattr_of(e, "user.all"), "1");
	ck_assert_int_eq(lcx__tar_next(reader, NULL), 0);
	lcx__strbuf_free(&m.text);
}
END_TEST

static const struct {
	char type;
	const char *records, *words;
} refusals[] = {
	{'g', "path=everybody\n", "a global header is refused: path: "},
	{'g', "linkpath=/etc/passwd\n", "linkpath: "},
	{'g', "size=0\n", "size: "},
	{'g', "GNU.sparse.map=0,1\n", "GNU.sparse.map: "},
	{'g', "SCHILY.acl.access=user::r--\n", "SCHILY.acl.access: nothing for"},
	{'x', "SCHILY.acl.access=user::r--\npath=later\n", "entry 'later': SCHILY.acl.access: "},
	{'x', "SCHILY.acl.ace=owner@:rwx::allow\n", "entry 'x': SCHILY.acl.ace: "},
	{'x', "SCHILY.acl.default=user:joe:rwx\n", "entry 'x': SCHILY.acl.default: "},
	{'x', "uid=-1\n", "entry 'x': uid: "},
	{'x', "size=1x\n", "entry 'x': size: "},
	{'x', "SCHILY.realsize=5\n", "entry 'x': a sparse file of a form"},
	{'x', "GNU.sparse.major=2\nGNU.sparse.minor=0\n", "entry 'x': a sparse file of a form"},
	{'x', "GNU.sparse.size=5\nGNU.sparse.map=0,1\n", "entry 'x': the map of a sparse file"},
	{'x', "GNU.sparse.size=5\nGNU.sparse.offset=0\n", "entry 'x': a sparse file of a form"},
	{'x', "GNU.sparse.size=5\nGNU.sparse.map=4,0,2,0\n", "entry 'x': GNU.sparse.map: "},
	{'x', "GNU.sparse.size=5\nGNU.sparse.map=6,0\n", "entry 'x': the map of a sparse file"},
};

START_TEST(what_cannot_be_taken_is_refused_by_name)
{
	struct memory m = {STRBUF_EMPTY, 0};
	const struct lcx__source source = {read_memory, NULL, &m};
	CLEANUP(lcx__tar_reader_freep) struct lcx__tar_reader *reader = NULL;
	struct lcx_error *err = NULL;
	int r;

	put_records(&m, refusals[_i].type, refusals[_i].records);
	put_header(&m, '0', "x", 0);
	ck_assert_ok(lcx__tar_reader_new(&source, &reader, NULL));
	r = lcx__tar_next(reader, &err);
	ck_assert_msg(r < 0, "%s: taken", refusals[_i].records);
	ck_assert_msg(strstr(lcx_error_message(err), refusals[_i].words) != NULL, "'%s'",
		      lcx_error_message(err));
	lcx_error_free(err);
	lcx__strbuf_free(&m.text);
}
END_TEST

START_TEST(holes_of_an_archive_are_holes_in_a_tree)
{
	const struct lcx__place_options options = {0};
	struct memory m = {STRBUF_EMPTY, 0};
	const struct lcx__source source = {read_memory, NULL, &m, NULL};
	CLEANUP(lcx__tar_reader_freep) struct lcx__tar_reader *reader = NULL;
	CLEANUP(lcx__place_freep) struct lcx__place *place = NULL;
	struct lcx__source content;
	struct lcx__entry_sink sink;
	static const char zeros[508];
	char tail[8] = "";
	struct stat st;

	put_records(&m, 'x', "GNU.sparse.size=1048576\nGNU.sparse.map=1048570,4\n");
	put_header(&m, '0', "sparse", 4);
	lcx__strbuf_adds(&m.text, "tail");
	lcx__strbuf_add(&m.text, zeros, sizeof(zeros));
	ck_assert_ok(lcx__tar_reader_new(&source, &reader, NULL));
	ck_assert_int_eq(lcx__tar_next(reader, NULL), 1);
	ck_assert_ok(lcx__place_new(dir.fd, &options, &place, NULL));
	sink = lcx__place_sink(place);
	content = lcx__tar_content(reader);
	ck_assert_ok(sink.add(sink.data, lcx__tar_entry(reader), &content, NULL));
	ck_assert_int_eq(lcx__tar_next(reader, NULL), 0);
	CLEANUP(closep) int fd = openat(dir.fd, "sparse", O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_int_eq(st.st_size, 1048576);
	ck_assert_int_lt(st.st_blocks, 1048576 / 512 / 4);
	ck_assert_int_eq(pread(fd, tail, 6, 1048570), 6);
	ck_assert_str_eq(tail, "tail");
	lcx__strbuf_free(&m.text);
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
	tcase_add_loop_test(tc, a_list_is_taken_or_refused_with_words, 0, ARRAY_SIZE(acl_cases));
	tcase_add_test(tc, ids_of_a_list_are_mapped_and_strangers_left_out);
	tcase_add_test(tc, what_is_no_list_is_not_written_as_one);
	tcase_add_loop_test(tc, a_time_before_1970_counts_its_fraction_away_from_it, 0,
			    ARRAY_SIZE(times));
	tcase_add_test(tc, a_global_header_is_for_all_until_outdone);
	tcase_add_loop_test(tc, what_cannot_be_taken_is_refused_by_name, 0, ARRAY_SIZE(refusals));
	tcase_add_test(tc, holes_of_an_archive_are_holes_in_a_tree);
	tcase_add_test(tc, links_are_never_written_through);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
