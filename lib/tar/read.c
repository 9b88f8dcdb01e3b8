/* SPDX-License-Identifier: MIT */
/*
 * A tar stream from a stranger, read as what it is: blocks of 512 bytes. Understood are
 * ustar, pax (path, linkpath, size, uid, gid, mtime, attributes) and GNU's long names and
 * base-256 numbers; sparse files and volumes are refused by name. Every length is
 * checked before it is believed, and nothing is allocated beyond the limits below.
 */
#include "tar/tar.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "util/str.h"

enum {
	BLOCK = 512,
	EXTENDED_MAX = 1 << 20, /* bytes of an extended header */
	XATTRS_MAX = 64,
	GLOBALS_MAX = 64,
};

struct header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100],
		magic[8], user[32], group[32], major[8], minor[8], prefix[155], pad[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a tar header is one block");

/* What extended headers say of the entry to come. */
struct extended {
	char *path, *link;
	bool has_size, has_uid, has_gid, has_mtime;
	uint64_t size, uid, gid;
	struct timespec mtime;
	struct lcx__tar_xattr *xattrs;
	size_t n_xattrs;
};

struct lcx__tar_reader {
	struct lcx__source source;
	struct lcx__tar_entry entry;
	struct extended extended;
	uint64_t position, offset; /* read so far; where the content begins */
	uint64_t left, padding;    /* of the content */
};

static void extended_clear(struct extended *x)
{
	struct lcx__tar_entry owned = {x->path, x->link, .xattrs = x->xattrs,
				       .n_xattrs = x->n_xattrs};

	lcx__tar_entry_clear(&owned);
	*x = (struct extended){0};
}

int lcx__tar_reader_new(const struct lcx__source *source, struct lcx__tar_reader **ret,
			struct lcx_error **err)
{
	struct lcx__tar_reader *reader = calloc(1, sizeof(*reader));

	if (!reader)
		return lcx__fail_nomem(err);
	reader->source = *source;
	*ret = reader;
	return 0;
}

struct lcx__tar_reader *lcx__tar_reader_free(struct lcx__tar_reader *reader)
{
	if (reader) {
		lcx__tar_entry_clear(&reader->entry);
		extended_clear(&reader->extended);
		free(reader);
	}
	return NULL;
}

/* ---- bytes ---- */

/* All of @size bytes: 1; 0 at the end before the first. */
static int read_all(struct lcx__tar_reader *t, void *buffer, size_t size, struct lcx_error **err)
{
	char *at = buffer;

	for (size_t done = 0; done < size;) {
		ssize_t n = t->source.read(t->source.data, at + done, size - done, err);

		if (n < 0)
			return (int)n;
		if (n == 0 && done == 0)
			return 0;
		if (n == 0)
			return lcx__fail(err, EBADMSG, "the archive is cut off");
		done += (size_t)n;
		t->position += (uint64_t)n;
	}
	return 1;
}

static int skip(struct lcx__tar_reader *t, uint64_t length, struct lcx_error **err)
{
	char buffer[16 << 10];

	if (t->source.skip && length > 0) {
		int r = t->source.skip(t->source.data, length, err);

		t->position += length;
		return r;
	}
	while (length > 0) {
		size_t n = length < sizeof(buffer) ? (size_t)length : sizeof(buffer);
		int r = read_all(t, buffer, n, err);

		if (r <= 0)
			return r < 0 ? r : lcx__fail(err, EBADMSG, "the archive is cut off");
		length -= n;
	}
	return 0;
}

static ssize_t read_content(void *data, void *buffer, size_t size, struct lcx_error **err)
{
	struct lcx__tar_reader *t = data;
	ssize_t n;

	if (t->left == 0 || size == 0)
		return 0;
	if (size > t->left)
		size = (size_t)t->left;
	n = t->source.read(t->source.data, buffer, size, err);
	if (n == 0)
		return lcx__fail(err, EBADMSG, "the archive is cut off");
	if (n > 0) {
		t->left -= (uint64_t)n;
		t->position += (uint64_t)n;
	}
	return n;
}

struct lcx__source lcx__tar_content(struct lcx__tar_reader *t)
{
	return (struct lcx__source){read_content, NULL, t};
}

/* ---- numbers ---- */

/* Octal digits between blanks and NULs, or GNU's base-256 with the top bit set. */
static int parse_number(const char *field, size_t size, uint64_t *ret)
{
	const unsigned char *at = (const unsigned char *)field, *end = at + size;
	uint64_t value = 0;

	if (*at & 0x80) {
		if (*at & 0x40)
			return -EBADMSG; /* negative */
		value = *at++ & 0x3f;
		for (; at < end; at++) {
			if (value > UINT64_MAX >> 8)
				return -EBADMSG;
			value = value << 8 | *at;
		}
		*ret = value;
		return value > INT64_MAX ? -EBADMSG : 0;
	}
	while (at < end && *at == ' ')
		at++;
	for (; at < end && *at >= '0' && *at <= '7'; at++)
		value = value << 3 | (uint64_t)(*at - '0'); /* 12 digits at most */
	if (at < end && *at != '\0' && *at != ' ')
		return -EBADMSG;
	*ret = value;
	return 0;
}

/* "[-]SECONDS[.FRACTION]" */
static int parse_time(const char *text, struct timespec *ret)
{
	bool negative = *text == '-';
	uint64_t seconds = 0;
	long ns = 0, unit = 100000000;

	text += negative;
	for (; *text >= '0' && *text <= '9'; text++) {
		if (seconds > INT64_MAX / 20)
			return -EBADMSG;
		seconds = seconds * 10 + (uint64_t)(*text - '0');
	}
	if (*text == '.')
		for (text++; *text >= '0' && *text <= '9'; text++, unit /= 10)
			ns += (*text - '0') * unit;
	if (*text)
		return -EBADMSG;
	ret->tv_sec = negative ? -(int64_t)seconds - (ns > 0) : (int64_t)seconds;
	ret->tv_nsec = negative && ns > 0 ? 1000000000 - ns : ns;
	return 0;
}

/* ---- extended headers ---- */

static int set_text(char **place, const char *value, size_t size)
{
	char *copy;

	if (size >= PATH_MAX || memchr(value, '\0', size))
		return -EBADMSG;
	copy = strndup(value, size);
	if (!copy)
		return -ENOMEM;
	free(*place);
	*place = copy;
	return 0;
}

static int set_xattr(struct extended *x, const char *name, const char *value, size_t size)
{
	struct lcx__tar_xattr *bigger;

	if (x->n_xattrs == XATTRS_MAX || !name[0])
		return -EBADMSG;
	bigger = realloc(x->xattrs, (x->n_xattrs + 1) * sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	x->xattrs = bigger;
	bigger[x->n_xattrs] = (struct lcx__tar_xattr){strdup(name), malloc(size + 1), size};
	x->n_xattrs++;
	if (!bigger[x->n_xattrs - 1].name || !bigger[x->n_xattrs - 1].value)
		return -ENOMEM;
	memcpy(bigger[x->n_xattrs - 1].value, value, size);
	return 0;
}

static int set_number(const char *value, bool *has, uint64_t *ret)
{
	*has = true;
	return lcx__parse_u64(value, INT64_MAX, ret) < 0 ? -EBADMSG : 0;
}

/* @value has a NUL behind it. Unknown keys are for others, as the format wants it. */
static int set_record(struct extended *x, const char *key, const char *value, size_t size)
{
	static const char xattr[] = "SCHILY.xattr.";

	if (strcmp(key, "path") == 0)
		return set_text(&x->path, value, size);
	if (strcmp(key, "linkpath") == 0)
		return set_text(&x->link, value, size);
	if (strcmp(key, "size") == 0)
		return set_number(value, &x->has_size, &x->size);
	if (strcmp(key, "uid") == 0)
		return set_number(value, &x->has_uid, &x->uid);
	if (strcmp(key, "gid") == 0)
		return set_number(value, &x->has_gid, &x->gid);
	if (strcmp(key, "mtime") == 0) {
		x->has_mtime = true;
		return parse_time(value, &x->mtime);
	}
	if (strncmp(key, xattr, strlen(xattr)) == 0)
		return set_xattr(x, key + strlen(xattr), value, size);
	return strncmp(key, "GNU.sparse.", 11) == 0 ? -EOPNOTSUPP : 0;
}

/* "LENGTH KEY=VALUE\n", one after the other. */
static int parse_records(struct extended *x, char *at, char *end)
{
	while (at < end) {
		char *digits = at, *record_end, *key, *value;
		uint64_t length = 0;
		int r;

		for (; at < end && *at >= '0' && *at <= '9' && length < EXTENDED_MAX; at++)
			length = length * 10 + (uint64_t)(*at - '0');
		if (at == digits || at == end || *at != ' ' || length > (uint64_t)(end - digits))
			return -EBADMSG;
		record_end = digits + length - 1;
		key = at + 1;
		if (record_end < key || *record_end != '\n')
			return -EBADMSG;
		value = memchr(key, '=', (size_t)(record_end - key));
		if (!value)
			return -EBADMSG;
		*value++ = '\0';
		*record_end = '\0';
		r = set_record(x, key, value, (size_t)(record_end - value));
		if (r < 0)
			return r;
		at = record_end + 1;
	}
	return 0;
}

static int read_extended(struct lcx__tar_reader *t, char type, uint64_t size,
			 struct lcx_error **err)
{
	CLEANUP(freep) char *text = NULL;
	struct extended ignored = {0};
	int r;

	if (size > EXTENDED_MAX)
		return lcx__fail(err, EBADMSG, "an extended header of %ju bytes is refused",
				 (uintmax_t)size);
	text = malloc((size_t)size + 1);
	if (!text)
		return lcx__fail_nomem(err);
	r = size ? read_all(t, text, (size_t)size, err) : 1;
	if (r == 0)
		return lcx__fail(err, EBADMSG, "the archive is cut off");
	if (r > 0)
		r = skip(t, -size % BLOCK, err);
	if (r < 0)
		return r;
	text[size] = '\0';
	if (type == 'L')
		r = set_text(&t->extended.path, text, strnlen(text, (size_t)size));
	else if (type == 'K')
		r = set_text(&t->extended.link, text, strnlen(text, (size_t)size));
	else
		r = parse_records(type == 'x' ? &t->extended : &ignored, text, text + size);
	/* Global ones hold the comments of git-archive(1); nothing that matters here. */
	extended_clear(&ignored);
	if (r == -EOPNOTSUPP)
		return lcx__fail(err, EOPNOTSUPP,
				 "a sparse file is not supported; archive it without holes");
	return r < 0 ? lcx__fail(err, -r, "a damaged extended header") : 0;
}

/* ---- entries ---- */

static bool is_zero(const struct header *h)
{
	const char *at = (const char *)h;

	return at[0] == '\0' && memcmp(at, at + 1, sizeof(*h) - 1) == 0;
}

static int check_sum(const struct header *h)
{
	const unsigned char *at = (const unsigned char *)h;
	size_t from = offsetof(struct header, checksum);
	uint64_t stated, sum = 0;

	for (size_t i = 0; i < sizeof(*h); i++)
		sum += i >= from && i < from + sizeof(h->checksum) ? ' ' : at[i];
	return parse_number(h->checksum, sizeof(h->checksum), &stated) == 0 && stated == sum
		       ? 0
		       : -EBADMSG;
}

static mode_t kind_of(char type)
{
	switch (type) {
	case '\0':
	case '0':
	case '1':
	case '7':
		return S_IFREG;
	case '2':
		return S_IFLNK;
	case '3':
		return S_IFCHR;
	case '4':
		return S_IFBLK;
	case '5':
		return S_IFDIR;
	case '6':
		return S_IFIFO;
	default:
		return 0;
	}
}

/* The path of a plain header: ustar has a second field for its beginning. */
static char *plain_path(const struct header *h)
{
	bool ustar = memcmp(h->magic, "ustar\0", 6) == 0;

	return ustar && h->prefix[0] ? lcx__format("%.155s/%.100s", h->prefix, h->name)
				     : strndup(h->name, sizeof(h->name));
}

static int parse_numbers(const struct header *h, const struct extended *x, struct lcx__tar_entry *e)
{
	uint64_t mode, uid, gid, size, mtime, high, low;

	if (parse_number(h->mode, sizeof(h->mode), &mode) < 0 ||
	    parse_number(h->uid, sizeof(h->uid), &uid) < 0 ||
	    parse_number(h->gid, sizeof(h->gid), &gid) < 0 ||
	    parse_number(h->size, sizeof(h->size), &size) < 0)
		return -EBADMSG;
	if (parse_number(h->mtime, sizeof(h->mtime), &mtime) < 0)
		mtime = 0; /* before 1970 */
	uid = x->has_uid ? x->uid : uid;
	gid = x->has_gid ? x->gid : gid;
	if (uid >= UINT32_MAX || gid >= UINT32_MAX)
		return -EBADMSG;
	e->mode = kind_of(h->type) | (mode & 07777);
	e->uid = (uid_t)uid;
	e->gid = (gid_t)gid;
	e->size = x->has_size ? x->size : size;
	e->mtime = x->has_mtime ? x->mtime : (struct timespec){.tv_sec = (time_t)mtime};
	if (S_ISCHR(e->mode) || S_ISBLK(e->mode)) {
		if (parse_number(h->major, sizeof(h->major), &high) < 0 ||
		    parse_number(h->minor, sizeof(h->minor), &low) < 0 || high > UINT32_MAX ||
		    low > UINT32_MAX)
			return -EBADMSG;
		e->device = makedev((unsigned int)high, (unsigned int)low);
	}
	return 0;
}

static int fill_entry(struct lcx__tar_reader *t, const struct header *h, struct lcx_error **err)
{
	struct lcx__tar_entry *e = &t->entry;
	struct extended *x = &t->extended;
	size_t length;
	int r;

	e->path = x->path ? TAKE_PTR(x->path) : plain_path(h);
	if (h->type == '1' || h->type == '2')
		e->link = x->link ? TAKE_PTR(x->link) : strndup(h->link, sizeof(h->link));
	if (!e->path || ((h->type == '1' || h->type == '2') && !e->link))
		return lcx__fail_nomem(err);
	e->hard = h->type == '1';
	e->xattrs = TAKE_PTR(x->xattrs);
	e->n_xattrs = x->n_xattrs;
	x->n_xattrs = 0;
	r = parse_numbers(h, x, e);
	if (r < 0)
		return lcx__fail(err, EBADMSG, "'%.200s': a damaged header", e->path);
	/* Before pax, a directory was a file whose name ends in a slash. */
	length = strlen(e->path);
	if (h->type == '\0' && length > 0 && e->path[length - 1] == '/')
		e->mode = S_IFDIR | (e->mode & 07777);
	r = lcx__tar_path(e->path, err);
	if (r == 0 && e->hard)
		r = lcx__tar_path(e->link, err);
	return r < 0 ? lcx__fail_prefix(err, r, "'%.200s'", e->path) : 0;
}

/* Headers up to one of an entry. Return: 1, 0 at the end. */
static int read_header(struct lcx__tar_reader *t, struct header *h, struct lcx_error **err)
{
	for (int n_extended = 0;; n_extended++) {
		int r = read_all(t, h, sizeof(*h), err);
		uint64_t size;

		if (r <= 0 || is_zero(h))
			return r < 0 ? r : 0;
		if (check_sum(h) < 0)
			return lcx__fail(err, EBADMSG, "not a tar archive, or a damaged one");
		if (!strchr("xgLK", h->type) || h->type == '\0')
			return 1;
		if (n_extended == GLOBALS_MAX)
			return lcx__fail(err, EBADMSG, "too many extended headers");
		if (parse_number(h->size, sizeof(h->size), &size) < 0)
			return lcx__fail(err, EBADMSG, "a damaged header");
		r = read_extended(t, h->type, size, err);
		if (r < 0)
			return r;
	}
}

int lcx__tar_next(struct lcx__tar_reader *t, struct lcx_error **err)
{
	struct header h;
	int r;

	lcx__tar_entry_clear(&t->entry);
	extended_clear(&t->extended);
	r = skip(t, t->left + t->padding, err);
	t->left = t->padding = 0;
	if (r == 0)
		r = read_header(t, &h, err);
	if (r <= 0)
		return r;
	r = fill_entry(t, &h, err);
	if (r < 0)
		return r;
	if (!kind_of(h.type))
		return lcx__fail(err, EBADMSG, "'%.200s': an entry of type '%c' is refused",
				 t->entry.path, h.type >= ' ' && h.type <= '~' ? h.type : '?');
	/* Links of some writers say their target's size, and have no content. */
	t->offset = t->position;
	if (!S_ISREG(t->entry.mode) || t->entry.hard)
		t->entry.size = 0;
	if (t->entry.size > INT64_MAX - BLOCK - t->position)
		return lcx__fail(err, EBADMSG, "'%.200s': an impossible size", t->entry.path);
	t->left = t->entry.size;
	t->padding = -t->entry.size % BLOCK;
	return 1;
}

const struct lcx__tar_entry *lcx__tar_entry(const struct lcx__tar_reader *t)
{
	return &t->entry;
}

uint64_t lcx__tar_offset(const struct lcx__tar_reader *t)
{
	return t->offset;
}
