/* SPDX-License-Identifier: MIT */
/* Layers, honest and hostile, extracted with the working directory at /etc. */
#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <zlib.h>
#include <zstd.h>

#include "image/compare.h"
#include "image/decode.h"
#include "image/extract.h"
#include "image/implied.h"
#include "image/tree.h"
#include "image/engine.h"
#include "util/str.h"

static struct unit_dir dir;
static int root_fd;
static struct lcx__extract_rights rights;

/* What stands around the root and must never change. */
static const char *const around[] = {"outside/file", "outside/dir/file", "passwd"};

static void set_up(void)
{
	unit_dir_make(&dir);
	for (size_t i = 0; i < ARRAY_SIZE(around); i++) {
		CLEANUP(freep) char *copy = strdup(around[i]);
		char *slash = strrchr(copy, '/');
		int fd;

		if (slash) {
			*slash = '\0';
			fd = lcx__make_dirs(dir.fd, copy, 0755);
			closep(&fd);
		}
		ck_assert_ok(lcx__replace_file(dir.fd, around[i], "kept", 4, 0600, false));
	}
	root_fd = lcx__make_dirs(dir.fd, "root", 0755);
	ck_assert_int_ge(root_fd, 0);
	ck_assert_ok(lcx__extract_rights_probe(root_fd, &rights, NULL));
	ck_assert_int_eq(chdir("/etc"), 0);
}

static void check_around(void)
{
	CLEANUP(closedirp) DIR *top = opendir(dir.path);
	struct dirent *entry;
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(around); i++) {
		CLEANUP(freep) char *text = NULL;
		struct stat st;

		ck_assert_ok(lcx__read_file(dir.fd, around[i], 100, &text, NULL));
		ck_assert_str_eq(text, "kept");
		ck_assert_int_eq(fstatat(dir.fd, around[i], &st, 0), 0);
		ck_assert_uint_eq(st.st_nlink, 1);
		ck_assert_uint_eq(st.st_mode & 07777, 0600);
	}
	while ((entry = readdir(top)))
		n++;
	ck_assert_uint_eq(n, 5); /* with "." and ".." */
}

static void tear_down(void)
{
	check_around();
	(void)fchmodat(root_fd, "d", 0700, 0); /* an ordinary user can't remove it otherwise */
	closep(&root_fd);
	ck_assert_int_eq(chdir("/"), 0);
	unit_dir_remove(&dir);
}

/* A tar writer that asks no questions. */

struct entry {
	const char *name;
	char type; /* as in the header; 0 is '0' */
	const char *link, *data;
	unsigned mode, uid, mtime, major, minor;
	const char *pax; /* records "key=value\n" put before it, lengths are added */
	uint64_t size;   /* that the header claims instead of the data's */
};

static void put_octal(char *field, size_t width, uint64_t value)
{
	field[--width] = '\0';
	while (width > 0) {
		field[--width] = (char)('0' + (value & 7));
		value >>= 3;
	}
}

static void put_header(struct lcx__strbuf *tar, const struct entry *e, const char *name, char type,
		       uint64_t size)
{
	char block[512] = {0};
	unsigned sum = 0;

	ck_assert_uint_le(strlen(name), 100);
	memcpy(block, name, strlen(name));
	put_octal(block + 100, 8, e->mode ? e->mode : type == '5' ? 0755 : 0644);
	put_octal(block + 108, 8, e->uid);
	put_octal(block + 116, 8, e->uid);
	put_octal(block + 124, 12, size);
	put_octal(block + 136, 12, e->mtime);
	block[156] = type;
	if (e->link && type != 'x' && type != 'L' && type != 'K')
		memcpy(block + 157, e->link, strnlen(e->link, 100));
	memcpy(block + 257, "ustar\00000", 8);
	put_octal(block + 329, 8, e->major);
	put_octal(block + 337, 8, e->minor);
	memset(block + 148, ' ', 8);
	for (size_t i = 0; i < sizeof(block); i++)
		sum += (unsigned char)block[i];
	put_octal(block + 148, 7, sum);
	lcx__strbuf_add(tar, block, sizeof(block));
}

static void put_data(struct lcx__strbuf *tar, const char *data, size_t length)
{
	static const char zeros[512];

	lcx__strbuf_add(tar, data, length);
	lcx__strbuf_add(tar, zeros, (512 - length % 512) % 512);
}

/* "12 path=name\n": the number counts itself. */
static void put_pax(struct lcx__strbuf *tar, const struct entry *e)
{
	struct lcx__strbuf records = STRBUF_EMPTY;

	for (const char *at = e->pax; *at; at = strchr(at, '\n') + 1) {
		size_t length = (size_t)(strchr(at, '\n') + 1 - at), digits = 1, total;

		for (;;) {
			char text[24];

			total = length + 1 + digits;
			(void)snprintf(text, sizeof(text), "%zu", total);
			if (strlen(text) == digits)
				break;
			digits = strlen(text);
		}
		lcx__strbuf_addf(&records, "%zu ", total);
		lcx__strbuf_add(&records, at, length);
	}
	put_header(tar, &(struct entry){0}, "PaxHeaders/x", 'x', records.length);
	put_data(tar, records.text, records.length);
	lcx__strbuf_free(&records);
}

static void put_long(struct lcx__strbuf *tar, char type, const char *text)
{
	put_header(tar, &(struct entry){0}, "././@LongLink", type, strlen(text) + 1);
	put_data(tar, text, strlen(text) + 1);
}

static void put_entry(struct lcx__strbuf *tar, const struct entry *e)
{
	size_t length = e->data ? strlen(e->data) : 0;
	const char *name = e->name;
	char type = e->type ? e->type : '0';

	if (e->pax)
		put_pax(tar, e);
	if (e->link && strlen(e->link) > 100)
		put_long(tar, 'K', e->link);
	if (strlen(name) > 100) {
		put_long(tar, 'L', name);
		name = "long";
	}
	put_header(tar, e, name, type, e->size ? e->size : length);
	if (length)
		put_data(tar, e->data, length);
}

static void put_end(struct lcx__strbuf *tar)
{
	static const char zeros[1024];

	lcx__strbuf_add(tar, zeros, sizeof(zeros));
}

/* A source of bytes that are here already. */

struct memory {
	const char *data;
	size_t left, at_once;
};

static ssize_t next_of_memory(void *data, const unsigned char **ret, struct lcx_error **err)
{
	struct memory *m = data;
	size_t n = m->at_once && m->left > m->at_once ? m->at_once : m->left;

	(void)err;
	*ret = (const unsigned char *)m->data;
	m->data += n;
	m->left -= n;
	return (ssize_t)n;
}

static int extract(const struct lcx__strbuf *tar, size_t at_once,
		   const struct lcx__extract_limits *limits, struct lcx_error **err)
{
	CLEANUP(lcx__extractor_freep) struct lcx__extractor *x = NULL;
	struct memory memory = {tar->text, tar->length, at_once};
	const struct lcx__extract_source source = {next_of_memory, &memory};
	int r = lcx__extractor_new(root_fd, &source, limits, &rights, &x, err);

	if (r < 0)
		return r;
	do
		r = lcx__extractor_step(x, 1, err);
	while (r == 1);
	return r;
}

static int run(const struct lcx__strbuf *tar, struct lcx_error **err)
{
	return extract(tar, 700, &lcx__extract_limits_default, err);
}

/*
 * What must be there afterwards, one word and a path each:
 *   "f PATH [content]"  "d PATH"  "l PATH target"  "h PATH other"  "w PATH" (whiteout)
 *   "o PATH" (opaque)   "n PATH" (not opaque)      "- PATH" (nothing)  "m PATH octal" (mode)
 *   "u PATH uid"        "p PATH" (pipe)            "c PATH major:minor" "t PATH seconds"
 */
static void check_opaque(const char *path, bool wanted)
{
	CLEANUP(closep) int fd = openat(root_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char value[4] = "";
	ssize_t n;

	ck_assert_msg(fd >= 0, "%s: no directory", path);
	n = fgetxattr(fd, rights.userxattr ? "user.overlay.opaque" : "trusted.overlay.opaque",
		      value, sizeof(value));
	ck_assert_msg((n == 1 && value[0] == 'y') == wanted, "%s: opaque or not", path);
}

static void check_one(const char *line)
{
	char copy[600], *path = copy + 2, *rest;
	struct stat st = {0}, other;
	int r;

	ck_assert_uint_lt(strlen(line), sizeof(copy));
	strcpy(copy, line);
	rest = strchr(path, '|');
	if (rest)
		*rest++ = '\0';
	r = fstatat(root_fd, path, &st, AT_SYMLINK_NOFOLLOW);
	if (copy[0] == 'c' && !rights.devices)
		return;
	if (copy[0] == '-') {
		ck_assert_msg(r < 0 && errno == ENOENT, "%s: is there", path);
		return;
	}
	ck_assert_msg(r == 0, "%s: %s", path, strerror(errno));
	switch (copy[0]) {
	case 'f': {
		CLEANUP(freep) char *text = NULL;

		ck_assert(S_ISREG(st.st_mode));
		ck_assert_ok(lcx__read_file(root_fd, path, 1 << 20, &text, NULL));
		ck_assert_str_eq(text, rest ? rest : "");
		break;
	}
	case 'd':
		ck_assert_msg(S_ISDIR(st.st_mode), "%s: no directory", path);
		break;
	case 'l': {
		char target[4096] = "";

		ck_assert(S_ISLNK(st.st_mode));
		ck_assert_int_gt(readlinkat(root_fd, path, target, sizeof(target) - 1), 0);
		ck_assert_str_eq(target, rest);
		break;
	}
	case 'h':
		ck_assert_int_eq(fstatat(root_fd, rest, &other, AT_SYMLINK_NOFOLLOW), 0);
		ck_assert_uint_eq(st.st_ino, other.st_ino);
		break;
	case 'w':
		ck_assert_msg(S_ISCHR(st.st_mode) && st.st_rdev == 0, "%s: no whiteout", path);
		break;
	case 'o':
	case 'n':
		check_opaque(path, copy[0] == 'o');
		break;
	case 'm':
		ck_assert_msg((st.st_mode & 07777) == strtoul(rest, NULL, 8), "%s: mode %o", path,
			      st.st_mode & 07777);
		break;
	case 'u':
		if (rights.chown)
			ck_assert_uint_eq(st.st_uid, strtoul(rest, NULL, 10));
		break;
	case 'p':
		ck_assert(S_ISFIFO(st.st_mode));
		break;
	case 'c':
		if (rights.devices)
			ck_assert(S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3));
		break;
	case 't':
		ck_assert_int_eq(st.st_mtim.tv_sec, atoll(rest));
		break;
	default:
		ck_abort_msg("test: %s", line);
	}
}

#define LONG20  "long-name-of-20-char"
#define LONG200 LONG20 LONG20 LONG20 LONG20 LONG20 LONG20 LONG20 LONG20 LONG20 LONG20

static const struct layer_case {
	struct entry entries[8];
	const char *words; /* of the refusal; NULL: accepted */
	const char *expect[8];
} layer_cases[] = {
	/* Paths */
	{{{"a/b", .data = "x"}}, NULL, {"f a/b|x", "d a", "m a|755"}},
	{{{"./a//b/./c", .data = "x"}}, NULL, {"f a/b/c|x"}},
	{{{"/abs/file", .data = "x"}}, NULL, {"f abs/file|x"}},
	{{{"../x", .data = "x"}}, "entry '../x': '..'", {"- x"}},
	{{{"a/../../x", .data = "x"}}, "'..'", {"- x"}},
	{{{"..", '5'}}, "'..'", {NULL}},
	{{{"../outside/file", .data = "x"}}, "'..'", {NULL}},
	{{{"...", .data = "x"}, {"..a", .data = "y"}}, NULL, {"f ...|x", "f ..a|y"}},
	{{{"./", '5', .mode = 0700, .uid = 7}}, NULL, {"m .|700", "u .|7"}},
	{{{".", .data = "x"}}, "root must be a directory", {NULL}},
	{{{"/", '2', "/etc"}}, "root must be a directory", {NULL}},
	{{{"/", '1', "/etc"}}, "root must be a directory", {NULL}},
	{{{LONG200 "/" LONG200, .data = "x"}}, NULL, {"f " LONG200 "/" LONG200 "|x"}},
	{{{LONG200 LONG200, .data = "x"}}, "File name too long", {NULL}},
	{{{"x", .pax = "path=../p\n"}}, "'..'", {NULL}},
	{{{"x", .pax = "path=n\xc3\xa4me\n", .data = "y"}}, NULL, {"f n\xc3\xa4me|y", "- x"}},
	{{{"x", .pax = "path=nfd-a\xcc\x88\n", .data = "y"}}, NULL, {"f nfd-a\xcc\x88|y"}},
	{{{"latin-\xe4", .data = "y"}}, NULL, {"f latin-\xe4|y"}},
	{{{"x", .pax = "path=bad-\xff\xfe\n", .data = "y"}}, NULL, {"f bad-\xff\xfe|y"}},
	/* Symbolic links as parents */
	{{{"a", '2', "/"}, {"a/x", .data = "x"}}, NULL, {"l a|/", "f x|x"}},
	{{{"a", '2', "../outside"}, {"a/file", .data = "x"}}, "entry 'a/file'", {NULL}},
	{{{"a", '2', "../../../.."}, {"a/passwd", .data = "x"}}, NULL, {"f passwd|x"}},
	{{{"etc", '5'}, {"a", '2', "/etc"}, {"a/passwd", .data = "x"}}, NULL, {"f etc/passwd|x"}},
	{{{"a", '2', "/proc/self/root/tmp"}, {"a/x", .data = "x"}}, "entry 'a/x'", {NULL}},
	{{{"a", '2', "a"}, {"a/x", .data = "x"}}, "entry 'a/x'", {NULL}},
	{{{"d", '5'}, {"d/x", .data = "1"}, {"d", '2', "../outside"}, {"d/file", .data = "2"}},
	 "entry 'd/file'",
	 {"l d|../outside"}},
	{{{"usr/lib", '5'}, {"lib", '2', "usr/lib"}, {"lib/y", .data = "y"}},
	 NULL,
	 {"f usr/lib/y|y"}},
	{{{"f", .data = "x"}, {"f/x", .data = "x"}}, "'f' is not a directory", {NULL}},
	/* Symbolic links as leaves are replaced, not followed */
	{{{"x", '2', "../passwd"}, {"x", .data = "new"}}, NULL, {"f x|new"}},
	{{{"x", '2', "/etc/passwd"}, {"x", '5'}}, NULL, {"d x"}},
	{{{"x", '2', "../passwd"}, {"x", '1', "x"}}, NULL, {"l x|../passwd"}},
	{{{"x", '2', "../passwd"}, {"y", '1', "x"}, {"y", .data = "new"}},
	 NULL,
	 {"l x|../passwd", "f y|new"}},
	{{
		 {"l", '2', LONG200},
	 },
	 NULL,
	 {"l l|" LONG200}},
	/* Hard links */
	{{{"a", .data = "x"}, {"b", '1', "a"}}, NULL, {"h b|a", "f b|x"}},
	{{{"a", .data = "x"}, {"d/b", '1', "/./a"}}, NULL, {"h d/b|a"}},
	{{{"b", '1', "passwd"}}, "hard link to 'passwd'", {"- b"}},
	{{{"b", '1', "/etc/passwd"}}, "hard link to 'etc/passwd'", {"- b"}},
	{{{"b", '1', "../passwd"}}, "'..'", {"- b"}},
	{{{"s", '2', ".."}, {"b", '1', "s/passwd"}}, "not a file of this layer", {"- b"}},
	{{{"s", '2', "/outside"}, {"b", '1', "s/file"}}, "hard link to 's/file'", {"- b"}},
	{{{"d", '5'}, {"b", '1', "d"}}, "not a file of this layer", {"- b"}},
	{{{"a", .data = "x"}, {"a", '1', "a"}}, NULL, {"f a|x"}},
	{{{"d/a", .data = "x"}, {"d", '1', "d/a"}}, "hard link to 'd/a'", {NULL}},
	{{{".wh.a"}, {"b", '1', ".wh.a"}}, "hard link to '.wh.a'", {"- b"}},
	{{{".wh.a"}, {"b", '1', "a"}}, "hard link to 'a'", {"- b"}},
	/* Deletions */
	{{{"d/.wh.gone"}}, NULL, {"w d/gone", "- d/.wh.gone"}},
	{{{".wh.x"}, {"x", .data = "new"}}, NULL, {"f x|new"}},
	{{{"x", .data = "new"}, {".wh.x"}}, NULL, {"f x|new"}},
	{{{".wh.d"}, {"d", '5'}}, NULL, {"d d", "o d"}},
	{{{".wh.d"}, {"d/x", .data = "1"}}, NULL, {"o d", "f d/x|1"}},
	{{{"d", '5'}, {"d/x", .data = "1"}, {".wh.d"}}, NULL, {"o d", "f d/x|1"}},
	{{{"d/.wh..wh..opq"}, {"d/x", .data = "1"}}, NULL, {"o d", "f d/x|1"}},
	{{{"d/x", .data = "1"}, {"d/.wh..wh..opq"}}, NULL, {"o d", "f d/x|1"}},
	{{{"d/x", .data = "1"}}, NULL, {"n d"}},
	{{{"x", .data = "1"}, {"x", '5'}}, NULL, {"d x", "o x"}},
	{{{".wh..wh..opq"}}, NULL, {"o ."}},
	{{{".wh."}}, "deletion of ''", {NULL}},
	{{{".wh..."}}, "deletion of '..'", {NULL}},
	{{{".wh.."}}, "deletion of '.'", {NULL}},
	{{{"d/.wh..wh.plnk", '5'}}, NULL, {"- d/.wh..wh.plnk"}},
	{{{".wh.d/x", .data = "1"}}, "begins with .wh.", {NULL}},
	{{{"s", '2', "../outside"}, {"s/.wh.file"}}, "entry 's/.wh.file'", {NULL}},
	{{{"s", '2', ".."}, {"s/.wh.passwd"}}, NULL, {"w passwd"}},
	{{{"c", '3'}}, "device 0:0 is refused", {"- c"}},
	{{{"x", .pax = "SCHILY.xattr.trusted.overlay.opaque=y\n", .type = '5'}},
	 "is refused",
	 {NULL}},
	{{{"x", .pax = "SCHILY.xattr.user.overlay.redirect=/etc\n", .type = '5'}},
	 "is refused",
	 {NULL}},
	/* Attributes */
	{{{"s", .mode = 04755, .uid = 1000, .data = "x"}}, NULL, {"m s|4755", "u s|1000"}},
	{{{"d", '5', .mode = 02555, .mtime = 1000}, {"d/x", .data = "1"}},
	 NULL,
	 {"m d|2555", "t d|1000", "f d/x|1"}},
	{{{"d/x", .data = "1"}, {"d", '5', .mode = 0500, .mtime = 5}}, NULL, {"m d|500", "t d|5"}},
	{{{"d", '5', .mode = 0700}, {"d", '5', .mode = 0711}}, NULL, {"m d|711"}},
	{{{"x", .data = "1", .mode = 0600}, {"x", .data = "22", .mode = 0640}},
	 NULL,
	 {"f x|22", "m x|640"}},
	{{{"x", .data = "1"}, {"y", '1', "x"}, {"x", .data = "2"}}, NULL, {"f x|2", "f y|1"}},
	{{{"p", '6', .mode = 0622}}, NULL, {"p p", "m p|622"}},
	{{{"c", '3', .major = 1, .minor = 3, .mode = 0666}}, NULL, {"c c"}},
	{{{"x", .pax = "mtime=123.456\n", .data = "1"}}, NULL, {"t x|123"}},
	{{{"x", .pax = "uid=4294967295\n"}}, "out of range", {NULL}},
	{{{"x", .pax = "gid=99999999999\n"}}, "out of range", {NULL}},
	{{{"x", .pax = "SCHILY.xattr.security.selinux=evil\n", .data = "1"}}, NULL, {"f x|1"}},
	/* Sizes */
	{{{"x", .pax = "size=9223372036854775807\n"}}, "entry 'x': an impossible size", {NULL}},
	{{{"x",
	   .pax = "GNU.sparse.major=1\nGNU.sparse.minor=0\nGNU.sparse.realsize="
		  "9223372036854775807\n",
	   .data = "1\n0\n0\n"}},
	 "",
	 {NULL}},
	{{{"x", .size = 2000, .data = "short"}}, "entry 'x': the archive is cut off", {NULL}},
	{{{"x", .pax = "size=99999999999999\n"}}, "bytes of files", {NULL}},
	{{{"s", 'S'}}, NULL, {"f s"}},
	{{{"v", 'V'}, {"x", .data = "1"}}, NULL, {"f x|1", "- v"}},
	{{{NULL}}, NULL, {"- x"}},
};

START_TEST(a_layer_is_extracted_or_refused_by_name)
{
	const struct layer_case *c = &layer_cases[_i];
	struct lcx__strbuf tar = STRBUF_EMPTY;
	struct lcx_error *err = NULL;
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(c->entries) && c->entries[i].name; i++)
		put_entry(&tar, &c->entries[i]);
	put_end(&tar);
	r = run(&tar, &err);
	if (c->words) {
		ck_assert_msg(r < 0, "case %d (%s): accepted", _i, c->entries[0].name);
		ck_assert_msg(strstr(lcx_error_message(err), c->words) != NULL,
			      "case %d: '%s' lacks '%s'", _i, lcx_error_message(err), c->words);
	} else {
		ck_assert_msg(r == 0, "case %d (%s): %s", _i, c->entries[0].name,
			      lcx_error_message(err));
	}
	for (size_t i = 0; i < ARRAY_SIZE(c->expect) && c->expect[i]; i++)
		check_one(c->expect[i]);
	lcx_error_free(err);
	lcx__strbuf_free(&tar);
}
END_TEST

START_TEST(a_name_cannot_drive_a_terminal)
{
	const struct entry e = {"../\033[31mred\n"};
	struct lcx__strbuf tar = STRBUF_EMPTY;
	struct lcx_error *err = NULL;

	put_entry(&tar, &e);
	put_end(&tar);
	ck_assert_fails(run(&tar, &err), EBADMSG, err, "\\x1b[31mred\\x0a");
	lcx__strbuf_free(&tar);
}
END_TEST

START_TEST(the_hosts_umask_and_locale_change_nothing)
{
	const struct entry entries[] = {
		{"d", '5', .mode = 0777},
		{"d/f", .mode = 0666, .data = "x"},
		{"implied/f", .mode = 0777},
		{"p", '6', .mode = 0666},
	};
	struct lcx__strbuf tar = STRBUF_EMPTY;
	mode_t old = umask(0077);

	for (size_t i = 0; i < ARRAY_SIZE(entries); i++)
		put_entry(&tar, &entries[i]);
	put_end(&tar);
	ck_assert_ok(run(&tar, NULL));
	umask(old);
	check_one("m d|777");
	check_one("m d/f|666");
	check_one("m implied|755");
	check_one("m implied/f|777");
	check_one("m p|666");
	lcx__strbuf_free(&tar);
}
END_TEST

START_TEST(directories_without_an_entry_are_told)
{
	const struct entry entries[] = {
		{"a/b/c", .data = "x"},  {"a", '5'},  {".wh.gone"},
		{"gone/x", .data = "x"}, {"./", '5'},
	};
	static const char expected[] =
		"a/b"; /* "a" is named later, "gone" shows nothing from below */
	CLEANUP(lcx__tree_freep) struct lcx__tree *tree = NULL;
	const struct lcx__strbuf *implied;
	int fd = -1;

	ck_assert_ok(lcx__tree_new(root_fd, &rights, &tree));
	for (size_t i = 0; i < ARRAY_SIZE(entries); i++) {
		CLEANUP(freep) char *path = strdup(entries[i].name);
		const mode_t type = entries[i].type == '5' ? S_IFDIR : S_IFREG;
		const struct lcx__tar_entry e = {.path = path, .mode = type | 0755};

		ck_assert_ok(lcx__tar_path(path, NULL));
		ck_assert_ok(lcx__tree_add(tree, &e, &fd, NULL));
		closep(&fd);
	}
	ck_assert_ok(lcx__tree_finish(tree, NULL));
	implied = lcx__tree_implied(tree);
	ck_assert_uint_eq(implied->length, sizeof(expected));
	ck_assert_str_eq(implied->text, expected);
}
END_TEST

START_TEST(they_are_taken_from_below)
{
	CLEANUP(closep) int base = lcx__make_dirs(dir.fd, "root/base", 0755);
	CLEANUP(closep) int middle = lcx__make_dirs(dir.fd, "root/middle", 0755);
	CLEANUP(closep) int top = lcx__make_dirs(dir.fd, "root/top", 0755);
	const struct timespec times[2] = {{5, 0}, {5, 0}};
	struct lcx__strbuf paths = STRBUF_EMPTY;
	struct lcx__implied implied;
	struct stat st;

	ck_assert_int_eq(mkdirat(base, "tmp", 0755), 0);
	ck_assert_int_eq(fchmodat(base, "tmp", 01777, 0), 0);
	ck_assert_int_eq(utimensat(base, "tmp", times, 0), 0);
	ck_assert_int_eq(mkdirat(base, "hidden", 0700), 0);
	ck_assert_int_eq(mkdirat(base, "link", 0700), 0);
	ck_assert_int_eq(mknodat(middle, "hidden", S_IFCHR, makedev(0, 0)), 0);
	ck_assert_int_eq(mkdirat(top, "tmp", 0755), 0);
	ck_assert_int_eq(mkdirat(top, "hidden", 0755), 0);
	ck_assert_int_eq(symlinkat("../base/hidden", top, "link"), 0);
	lcx__strbuf_add(&paths, "tmp\0hidden\0link", 16);
	ck_assert_ok(lcx__implied_new(top, &paths, &implied));
	ck_assert_uint_eq(implied.n, 3);
	ck_assert_int_eq(lcx__implied_inherit(&implied, middle), 0);
	ck_assert_int_eq(lcx__implied_inherit(&implied, base), 0);
	lcx__implied_clear(&implied);
	check_one("m top/tmp|1777");
	check_one("t top/tmp|5");
	check_one("m top/hidden|755");
	ck_assert_int_eq(fstatat(base, "hidden", &st, 0), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	lcx__strbuf_free(&paths);
}
END_TEST

START_TEST(limits_bite)
{
	struct lcx__extract_limits few = lcx__extract_limits_default, small = few, shorter = few;
	const struct entry big = {"big", .data = "0123456789"}, one = {"one"};
	struct lcx__strbuf tar = STRBUF_EMPTY;
	struct lcx_error *err = NULL;

	few.entries = 1;
	small.total_bytes = 9;
	shorter.path_bytes = 2;
	put_entry(&tar, &one);
	put_entry(&tar, &big);
	put_end(&tar);
	ck_assert_fails(extract(&tar, 0, &few, &err), EBADMSG, err, "more than 1 entries");
	ck_assert_fails(extract(&tar, 0, &small, &err), EBADMSG, err, "entry 'big'");
	ck_assert_fails(extract(&tar, 0, &shorter, &err), EBADMSG, err, "too long");
	lcx__strbuf_free(&tar);
}
END_TEST

START_TEST(any_cut_is_noticed_or_harmless)
{
	const struct entry entries[] = {
		{"d", '5'},
		{"d/file", .data = "content"},
		{"link", '2', "d"},
	};
	struct lcx__strbuf tar = STRBUF_EMPTY;

	for (size_t i = 0; i < ARRAY_SIZE(entries); i++)
		put_entry(&tar, &entries[i]);
	put_end(&tar);
	for (size_t cut = 0; cut < tar.length; cut += 37) {
		struct lcx__strbuf part = {tar.text, cut, 0, false};

		(void)run(&part, NULL);
	}
	check_around();
	lcx__strbuf_free(&tar);
}
END_TEST

/* Another process that may write to the tree can spoil the layer, and nothing else. */
static void *swap_directories(void *stop)
{
	while (!__atomic_load_n((bool *)stop, __ATOMIC_RELAXED)) {
		(void)renameat(root_fd, "d", root_fd, "d.aside");
		(void)symlinkat("../outside/dir", root_fd, "d");
		(void)unlinkat(root_fd, "d", 0);
		(void)symlinkat("/../outside", root_fd, "d");
		(void)unlinkat(root_fd, "d", 0);
		(void)renameat(root_fd, "d.aside", root_fd, "d");
	}
	return NULL;
}

START_TEST(a_swapper_gets_nothing_out)
{
	struct lcx__strbuf tar = STRBUF_EMPTY;
	bool stop = false;
	pthread_t thread;

	for (int i = 0; i < 300; i++) {
		const struct entry entries[] = {
			{"d", '5'},
			{"d/dir", '5'},
			{"d/file", .data = "hostile", .mode = 0666},
			{"d/.wh.file2"},
			{"d/dir/file", .data = "hostile", .mode = 0666},
			{"e/x"},
		};

		put_entry(&tar, &entries[i % (int)ARRAY_SIZE(entries)]);
	}
	put_end(&tar);
	ck_assert_int_eq(pthread_create(&thread, NULL, swap_directories, &stop), 0);
	for (int i = 0; i < 60; i++)
		(void)run(&tar, NULL);
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	lcx__strbuf_free(&tar);
}
END_TEST

START_TEST(capabilities_survive_the_owner)
{
	/* cap_net_raw+ep, revision 2, as setcap(8) writes it */
	static const char raw[] = {1, 0, 0, 2, 0, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
	struct lcx__strbuf tar = STRBUF_EMPTY, record = STRBUF_EMPTY;
	CLEANUP(closep) int fd = -1;
	char found[32];

	if (!rights.devices)
		return;
	lcx__strbuf_addf(&record, "%d SCHILY.xattr.security.capability=", 36 + 20 + 1);
	ck_assert_uint_eq(record.length, 36);
	lcx__strbuf_add(&record, raw, sizeof(raw));
	lcx__strbuf_add(&record, "\n", 1);
	put_header(&tar, &(struct entry){0}, "PaxHeaders/x", 'x', record.length);
	put_data(&tar, record.text, record.length);
	put_entry(&tar, &(struct entry){"ping", .uid = 1000, .mode = 0755, .data = "x"});
	put_end(&tar);
	ck_assert_ok(run(&tar, NULL));
	fd = openat(root_fd, "ping", O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(fgetxattr(fd, "security.capability", found, sizeof(found)), sizeof(raw));
	ck_assert_int_eq(memcmp(found, raw, sizeof(raw)), 0);
	check_one("u ping|1000");
	lcx__strbuf_free(&record);
	lcx__strbuf_free(&tar);
}
END_TEST

/* Decoding */

static int bytes_fd(const void *data, size_t length)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_ok(lcx__write_all(fd, data, length));
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static int decode(const struct lcx__strbuf *in, struct lcx__strbuf *out, struct lcx_error **err)
{
	CLEANUP(closep) int fd = bytes_fd(in->text, in->length);
	CLEANUP(lcx__decoder_freep) struct lcx__decoder *dec = NULL;
	char buffer[1000];
	ssize_t n;

	ck_assert_ok(lcx__decoder_new(
		fd, &(const struct lcx__decode_options){.window_bytes = 1 << 27}, &dec, NULL));
	while ((n = lcx__decoder_read(dec, buffer, sizeof(buffer), err)) > 0)
		lcx__strbuf_add(out, buffer, (size_t)n);
	return (int)n;
}

static void add_gzip(struct lcx__strbuf *to, const char *data, size_t length)
{
	unsigned char buffer[4096];
	z_stream z = {.next_in = (unsigned char *)(uintptr_t)data,
		      .avail_in = (uInt)length,
		      .next_out = buffer,
		      .avail_out = sizeof(buffer)};

	ck_assert_int_eq(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	lcx__strbuf_add(to, buffer, z.total_out);
	(void)deflateEnd(&z);
}

static void add_zstd(struct lcx__strbuf *to, const char *data, size_t length)
{
	char buffer[4096];
	size_t n = ZSTD_compress(buffer, sizeof(buffer), data, length, 3);

	ck_assert(!ZSTD_isError(n));
	lcx__strbuf_add(to, buffer, n);
}

static void (*const compressors[])(struct lcx__strbuf *, const char *, size_t) = {add_gzip,
										  add_zstd};

START_TEST(several_members_are_one_stream)
{
	struct lcx__strbuf in = STRBUF_EMPTY, out = STRBUF_EMPTY;

	compressors[_i](&in, "hello ", 6);
	compressors[_i](&in, "", 0);
	compressors[_i](&in, "world", 5);
	ck_assert_ok(decode(&in, &out, NULL));
	ck_assert_str_eq(out.text, "hello world");
	lcx__strbuf_free(&in);
	lcx__strbuf_free(&out);
}
END_TEST

START_TEST(cut_and_damaged_streams_are_noticed)
{
	struct lcx__strbuf in = STRBUF_EMPTY, out = STRBUF_EMPTY;
	struct lcx_error *err = NULL;

	compressors[_i](&in, "hello world hello world", 23);
	in.length -= 3;
	ck_assert_fails(decode(&in, &out, &err), EBADMSG, err, "cut off");
	in.length += 3;
	lcx__strbuf_add(&in, "rubbish behind it", 17);
	ck_assert_fails(decode(&in, &out, &err), EBADMSG, err, "damaged");
	in.text[12] = (char)~in.text[12];
	in.text[14] = (char)~in.text[14];
	ck_assert_int_lt(decode(&in, &out, NULL), 0);
	lcx__strbuf_free(&in);
	lcx__strbuf_free(&out);
}
END_TEST

START_TEST(plain_and_empty_streams_pass)
{
	struct lcx__strbuf in = STRBUF_EMPTY, out = STRBUF_EMPTY;

	lcx__strbuf_adds(&in, "");
	ck_assert_ok(decode(&in, &out, NULL));
	ck_assert_uint_eq(out.length, 0);
	lcx__strbuf_adds(&in, "pl");
	ck_assert_ok(decode(&in, &out, NULL));
	ck_assert_str_eq(out.text, "pl");
	lcx__strbuf_free(&in);
	lcx__strbuf_free(&out);
}
END_TEST

/* 64 MiB of zeros in some KiB, and a window that would take a GiB. */
START_TEST(bombs_do_not_go_off)
{
	enum { SIZE = 64 << 20 };
	CLEANUP(freep) char *zeros = calloc(1, SIZE);
	CLEANUP(freep) char *packed = malloc(1 << 20);
	CLEANUP(lcx__engine_freep) struct lcx__engine *unpack = NULL;
	CLEANUP(closep) int fd = -1;
	struct lcx__unpack_progress progress;
	struct lcx__engine_job job = {.root_fd = root_fd, .limits = lcx__extract_limits_default};
	struct lcx_error *err = NULL;
	size_t n;
	int r = 1;

	ck_assert(zeros && packed);
	n = ZSTD_compress(packed, 1 << 20, zeros, SIZE, 19);
	ck_assert(!ZSTD_isError(n));
	fd = bytes_fd(packed, n);
	job.input_fd = fd;
	job.limits.ratio_from_bytes = 1 << 20;
	ck_assert_ok(lcx__digest_of(NULL, "", 0, &job.diff_id, NULL));
	ck_assert_ok(lcx__engine_new(&job, &unpack, NULL));
	while (r > 0)
		r = lcx__engine_step(unpack, &progress, &err);
	ck_assert_fails(r, EBADMSG, err, "bomb");
}
END_TEST

START_TEST(a_window_of_a_gibibyte_is_refused)
{
	/* magic; a frame header without content size; window descriptor 2^30 */
	static const char frame[] = {0x28, (char)0xb5, 0x2f, (char)0xfd, 0x00, (char)0xa0, 1, 0, 0};
	struct lcx__strbuf in = STRBUF_EMPTY, out = STRBUF_EMPTY;

	lcx__strbuf_add(&in, frame, sizeof(frame));
	ck_assert_int_eq(decode(&in, &out, NULL), -EBADMSG);
	lcx__strbuf_free(&in);
	lcx__strbuf_free(&out);
}
END_TEST

START_TEST(a_wrong_diff_id_is_noticed_at_the_end)
{
	CLEANUP(lcx__engine_freep) struct lcx__engine *unpack = NULL;
	struct lcx__engine_job job = {.root_fd = root_fd, .limits = lcx__extract_limits_default};
	struct lcx__unpack_progress progress;
	struct lcx__strbuf tar = STRBUF_EMPTY;
	CLEANUP(closep) int fd = -1;
	struct lcx_error *err = NULL;
	int r = 1;

	put_entry(&tar, &(struct entry){"x", .data = "1"});
	put_end(&tar);
	lcx__strbuf_adds(&tar, "behind the end");
	fd = bytes_fd(tar.text, tar.length);
	job.input_fd = fd;
	ck_assert_ok(lcx__digest_of(NULL, tar.text, tar.length, &job.diff_id, NULL));
	ck_assert_ok(lcx__engine_new(&job, &unpack, NULL));
	while (r > 0)
		r = lcx__engine_step(unpack, &progress, NULL);
	ck_assert_int_eq(r, 0);
	ck_assert_uint_eq(progress.produced_bytes, tar.length);

	unpack = lcx__engine_free(unpack);
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	ck_assert_ok(lcx__digest_of(NULL, tar.text, tar.length - 1, &job.diff_id, NULL));
	ck_assert_ok(lcx__engine_new(&job, &unpack, NULL));
	r = 1;
	while (r > 0)
		r = lcx__engine_step(unpack, &progress, &err);
	ck_assert_fails(r, EBADMSG, err, "as the image says");
	lcx__strbuf_free(&tar);
}
END_TEST

/* 60 directories with names of 200 bytes: three times as long as a path may be. */
static int make_deep_tree(const char *name, const char *content)
{
	int top_fd = lcx__make_dirs(dir.fd, name, 0755), fd = dup(top_fd);
	const struct timespec then[2] = {{1, 0}, {1, 0}};
	char deeper[201];

	memset(deeper, 'n', 200);
	deeper[200] = '\0';
	for (int i = 0; i < 60; i++) {
		int next;

		ck_assert_int_eq(mkdirat(fd, deeper, 0755), 0);
		next = openat(fd, deeper, O_RDONLY | O_DIRECTORY);
		ck_assert_int_ge(next, 0);
		ck_assert_int_eq(futimens(fd, then), 0);
		(void)close(fd);
		fd = next;
	}
	ck_assert_ok(lcx__replace_file(fd, "file", content, strlen(content), 0600, false));
	ck_assert_int_eq(utimensat(fd, "file", then, 0), 0);
	ck_assert_int_eq(futimens(fd, then), 0);
	(void)close(fd);
	return top_fd;
}

START_TEST(trees_deeper_than_a_path_is_long_are_compared)
{
	CLEANUP(closep)
	int one = make_deep_tree("one", "same"), same = make_deep_tree("same", "same");
	CLEANUP(closep) int other = make_deep_tree("other", "diff");
	CLEANUP(freep) char *difference = NULL;

	ck_assert_ok(lcx__tree_compare(one, same, &difference));
	ck_assert_ptr_null(difference);
	ck_assert_ok(lcx__tree_compare(one, other, &difference));
	ck_assert_ptr_nonnull(strstr(difference, "file"));
	ck_assert_ok(lcx__remove_tree(dir.fd, "one"));
	ck_assert_ok(lcx__remove_tree(dir.fd, "same"));
	ck_assert_ok(lcx__remove_tree(dir.fd, "other"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("image-layer");
	TCase *tc = tcase_create("layer");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, a_layer_is_extracted_or_refused_by_name, 0,
			    ARRAY_SIZE(layer_cases));
	tcase_add_test(tc, a_name_cannot_drive_a_terminal);
	tcase_add_test(tc, the_hosts_umask_and_locale_change_nothing);
	tcase_add_test(tc, directories_without_an_entry_are_told);
	tcase_add_test(tc, they_are_taken_from_below);
	tcase_add_test(tc, limits_bite);
	tcase_add_test(tc, any_cut_is_noticed_or_harmless);
	tcase_add_test(tc, a_swapper_gets_nothing_out);
	tcase_add_test(tc, capabilities_survive_the_owner);
	tcase_add_loop_test(tc, several_members_are_one_stream, 0, ARRAY_SIZE(compressors));
	tcase_add_loop_test(tc, cut_and_damaged_streams_are_noticed, 0, ARRAY_SIZE(compressors));
	tcase_add_test(tc, plain_and_empty_streams_pass);
	tcase_add_test(tc, bombs_do_not_go_off);
	tcase_add_test(tc, a_window_of_a_gibibyte_is_refused);
	tcase_add_test(tc, a_wrong_diff_id_is_noticed_at_the_end);
	tcase_add_test(tc, trees_deeper_than_a_path_is_long_are_compared);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
