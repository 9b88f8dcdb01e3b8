/* SPDX-License-Identifier: MIT */
/*
 * A tar stream from a stranger, read as what it is: blocks of 512 bytes. Understood are
 * the seventh edition's, ustar, pax and GNU's; what is not is refused by name. Every length is
 * checked before it is believed, and nothing is allocated beyond the limits below.
 *
 * Names are bytes, whatever the locale, and owners are numbers.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "tar/read-internal.h"

enum {
	BLOCK = LCX__TAR_BLOCK,
	EXTENDED_MAX = 8 << 20, /* bytes of an extended header */
	HEADERS_MAX = 64,       /* of extended ones before an entry */
};

struct lcx__tar_reader {
	struct lcx__source source;
	struct lcx__tar_entry entry;
	struct lcx__tar_extended extended, global;
	struct lcx__tar_map map;      /* of the content; a file without holes is one piece */
	size_t piece;                 /* that is read */
	uint64_t in_piece, flat;      /* read of it; of the whole, if it is read with its holes */
	uint64_t position, offset;    /* read so far; where the content begins */
	uint64_t left, padding;       /* of the content as it is stored */
	struct lcx__tar_input blocks; /* this reader, for maps */
	bool ended;
};

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

static int read_whole(struct lcx__tar_reader *t, void *buffer, size_t size, struct lcx_error **err)
{
	int r = size ? read_all(t, buffer, size, err) : 1;

	return r == 0 ? lcx__fail(err, EBADMSG, "the archive is cut off") : r < 0 ? r : 0;
}

static int read_block(void *data, void *buffer, size_t size, struct lcx_error **err)
{
	return read_whole(data, buffer, size, err);
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
		int r = read_whole(t, buffer, n, err);

		if (r < 0)
			return r;
		length -= n;
	}
	return 0;
}

/* Some writers (umoci insert) leave it out behind the last file. */
static int skip_padding(struct lcx__tar_reader *t, struct lcx_error **err)
{
	char buffer[BLOCK];

	while (t->padding > 0) {
		ssize_t n = t->source.read(t->source.data, buffer, (size_t)t->padding, err);

		if (n < 0)
			return (int)n;
		if (n == 0)
			t->ended = true;
		if (n == 0)
			return 0;
		t->padding -= (uint64_t)n;
		t->position += (uint64_t)n;
	}
	return 0;
}

int lcx__tar_reader_new(const struct lcx__source *source, struct lcx__tar_reader **ret,
			struct lcx_error **err)
{
	struct lcx__tar_reader *reader = calloc(1, sizeof(*reader));

	if (!reader)
		return lcx__fail_nomem(err);
	reader->source = *source;
	reader->blocks = (struct lcx__tar_input){read_block, reader};
	*ret = reader;
	return 0;
}

struct lcx__tar_reader *lcx__tar_reader_free(struct lcx__tar_reader *reader)
{
	if (reader) {
		lcx__tar_entry_clear(&reader->entry);
		lcx__tar_extended_clear(&reader->extended);
		lcx__tar_extended_clear(&reader->global);
		lcx__tar_map_clear(&reader->map);
		free(reader);
	}
	return NULL;
}

/* ---- content ---- */

uint64_t lcx__tar_room(struct lcx__tar_reader *t, uint64_t *ret_offset)
{
	const struct lcx__tar_segment *piece;

	while (t->piece < t->map.n && t->in_piece == t->map.items[t->piece].size) {
		t->piece++;
		t->in_piece = 0;
	}
	if (t->piece == t->map.n)
		return 0;
	piece = &t->map.items[t->piece];
	*ret_offset = piece->offset + t->in_piece;
	return piece->size - t->in_piece;
}

void lcx__tar_took(struct lcx__tar_reader *t, uint64_t length)
{
	t->in_piece += length;
	t->left -= length;
	t->position += length;
}

ssize_t lcx__tar_read(struct lcx__tar_reader *t, void *buffer, size_t size, uint64_t *ret_offset,
		      struct lcx_error **err)
{
	uint64_t offset = 0, room = lcx__tar_room(t, &offset);
	ssize_t n;

	if (size > room)
		size = (size_t)room;
	if (size == 0)
		return 0;
	n = t->source.read(t->source.data, buffer, size, err);
	if (n == 0)
		return lcx__fail(err, EBADMSG, "the archive is cut off");
	if (n < 0)
		return n;
	*ret_offset = offset;
	lcx__tar_took(t, (uint64_t)n);
	return n;
}

/* Up to where there is a hole: the next piece that has something, or the end. */
static uint64_t hole_end(const struct lcx__tar_reader *t, uint64_t *ret_data)
{
	uint64_t in_piece = t->in_piece;

	for (size_t i = t->piece; i < t->map.n; i++, in_piece = 0) {
		*ret_data = t->map.items[i].size - in_piece;
		if (*ret_data > 0)
			return t->map.items[i].offset + in_piece;
	}
	*ret_data = 0;
	return t->entry.size;
}

static ssize_t read_content(void *data, void *buffer, size_t size, struct lcx_error **err)
{
	struct lcx__tar_reader *t = data;
	uint64_t n_data, end = hole_end(t, &n_data), at = 0;
	ssize_t n;

	if (t->flat < end) {
		if (size > end - t->flat)
			size = (size_t)(end - t->flat);
		memset(buffer, 0, size);
		t->flat += size;
		return (ssize_t)size;
	}
	n = lcx__tar_read(t, buffer, size, &at, err);
	if (n > 0)
		t->flat += (uint64_t)n;
	return n;
}

static int find_extent(void *data, uint64_t *ret_hole, uint64_t *ret_data, struct lcx_error **err)
{
	struct lcx__tar_reader *t = data;
	uint64_t end = hole_end(t, ret_data);

	(void)err;
	*ret_hole = end - t->flat;
	t->flat = end;
	return 0;
}

struct lcx__source lcx__tar_content(struct lcx__tar_reader *t)
{
	return (struct lcx__source){read_content, NULL, t, find_extent};
}

/* ---- numbers ---- */

/* Base 256: two's complement without its top bit, which only says so. */
static int parse_binary(const unsigned char *at, size_t size, int64_t *ret)
{
	bool negative = at[0] & 0x40;
	uint64_t value = negative ? UINT64_MAX << 6 | (at[0] & 0x3f) : at[0] & 0x3f;

	for (size_t i = 1; i < size; i++) {
		/* The upper nine bits must be the sign's, or it is lost. */
		if (value >> 55 != (negative ? UINT64_MAX >> 55 : 0))
			return -EBADMSG;
		value = value << 8 | at[i];
	}
	*ret = (int64_t)value;
	return 0;
}

int lcx__tar_signed(const char *field, size_t size, int64_t *ret)
{
	const unsigned char *at = (const unsigned char *)field, *end = at + size;
	int64_t value = 0;

	if (*at & 0x80)
		return parse_binary(at, size, ret);
	while (at < end && *at == ' ')
		at++;
	for (; at < end && *at >= '0' && *at <= '7'; at++)
		value = value << 3 | (*at - '0'); /* 12 digits at most */
	if (at < end && *at != '\0' && *at != ' ')
		return -EBADMSG;
	*ret = value;
	return 0;
}

int lcx__tar_number(const char *field, size_t size, uint64_t *ret)
{
	int64_t value = 0;

	if (lcx__tar_signed(field, size, &value) < 0 || value < 0)
		return -EBADMSG;
	*ret = (uint64_t)value;
	return 0;
}

/* ---- extended headers ---- */

/* For all entries: nobody's name is known, or matters. */
static int take_global(struct lcx__tar_reader *t, char *text, size_t size, struct lcx_error **err)
{
	int r = lcx__tar_extended_parse(&t->global, text, size, true);

	if (r == 0 && t->global.trouble[0])
		return lcx__fail(err, EBADMSG, "a global header is refused: %s", t->global.trouble);
	return r;
}

static int take_extended(struct lcx__tar_reader *t, char type, char *text, size_t size,
			 struct lcx_error **err)
{
	switch (type) {
	case 'L':
		return lcx__tar_extended_path(&t->extended, text, size);
	case 'K':
		return lcx__tar_extended_link(&t->extended, text, size);
	case 'g':
		return take_global(t, text, size, err);
	default:
		return lcx__tar_extended_parse(&t->extended, text, size, false);
	}
}

static int read_extended(struct lcx__tar_reader *t, char type, uint64_t size,
			 struct lcx_error **err)
{
	CLEANUP(freep) char *text = NULL;
	int r;

	if (size > EXTENDED_MAX)
		return lcx__fail(err, EBADMSG, "an extended header of %ju bytes is refused",
				 (uintmax_t)size);
	text = malloc((size_t)size + 1);
	if (!text)
		return lcx__fail_nomem(err);
	r = read_whole(t, text, (size_t)size, err);
	if (r == 0)
		r = skip(t, -size % BLOCK, err);
	if (r < 0)
		return r;
	text[size] = '\0';
	r = take_extended(t, type, text, (size_t)size, err);
	if (r == -ENOMEM)
		return lcx__fail_nomem(err);
	return r < 0 && !(err && *err) ? lcx__fail(err, -r, "a damaged extended header") : r;
}

/* ---- entries ---- */

static bool is_zero(const struct lcx__tar_header *h)
{
	const char *at = (const char *)h;

	return at[0] == '\0' && memcmp(at, at + 1, sizeof(*h) - 1) == 0;
}

/* Some old writers added their bytes as signed ones. */
static int check_sum(const struct lcx__tar_header *h)
{
	const unsigned char *at = (const unsigned char *)h;
	size_t from = offsetof(struct lcx__tar_header, checksum);
	int64_t stated, sum = 0, signed_sum = 0;

	for (size_t i = 0; i < sizeof(*h); i++) {
		bool is_sum = i >= from && i < from + sizeof(h->checksum);

		sum += is_sum ? ' ' : at[i];
		signed_sum += is_sum ? ' ' : (signed char)at[i];
	}
	if (lcx__tar_signed(h->checksum, sizeof(h->checksum), &stated) < 0)
		return -EBADMSG;
	return stated == sum || stated == signed_sum ? 0 : -EBADMSG;
}

static mode_t kind_of(char type)
{
	switch (type) {
	case '\0':
	case '0':
	case '1':
	case '7':
	case 'S':
		return S_IFREG;
	case '2':
		return S_IFLNK;
	case '3':
		return S_IFCHR;
	case '4':
		return S_IFBLK;
	case '5':
	case 'D': /* GNU's, with a list of its files as content */
		return S_IFDIR;
	case '6':
		return S_IFIFO;
	default:
		return 0;
	}
}

/* The path of a plain header: ustar has a second field for its beginning. */
static char *plain_path(const struct lcx__tar_header *h)
{
	bool ustar = memcmp(h->magic, "ustar\0", 6) == 0;

	return ustar && h->prefix[0] ? lcx__format("%.155s/%.100s", h->prefix, h->name)
				     : strndup(h->name, sizeof(h->name));
}

static int fill_names(struct lcx__tar_reader *t, const struct lcx__tar_header *h,
		      struct lcx_error **err)
{
	struct lcx__tar_extended *x = &t->extended;
	struct lcx__tar_entry *e = &t->entry;
	bool has_link = h->type == '1' || h->type == '2';

	e->path = x->sparse_path ? TAKE_PTR(x->sparse_path)
		  : x->path      ? TAKE_PTR(x->path)
				 : plain_path(h);
	if (has_link)
		e->link = x->link ? TAKE_PTR(x->link) : strndup(h->link, sizeof(h->link));
	e->hard = h->type == '1';
	return e->path && (e->link || !has_link) ? 0 : lcx__fail_nomem(err);
}

/* What an extended header says, or one for all, or the plain one. */
static int choose(const char *field, size_t size, const struct lcx__tar_value *own,
		  const struct lcx__tar_value *all, uint64_t *ret)
{
	if (own->is == VALUE_SET || (own->is == VALUE_NONE && all->is == VALUE_SET)) {
		*ret = own->is == VALUE_SET ? own->number : all->number;
		return 0;
	}
	return lcx__tar_number(field, size, ret);
}

static const struct lcx__tar_value nothing;

static int fill_owner(struct lcx__tar_reader *t, const struct lcx__tar_header *h,
		      struct lcx_error **err)
{
	struct lcx__tar_entry *e = &t->entry;
	uint64_t uid, gid;

	if (choose(h->uid, sizeof(h->uid), &t->extended.uid, &t->global.uid, &uid) < 0 ||
	    choose(h->gid, sizeof(h->gid), &t->extended.gid, &t->global.gid, &gid) < 0)
		return lcx__fail(err, EBADMSG, "an owner that is no number");
	/* The largest id is (uid_t)-1, which means "leave as it is" to chown(2). */
	if (uid >= UINT32_MAX || gid >= UINT32_MAX)
		return lcx__fail(err, EBADMSG, "owner %ju:%ju is out of range", (uintmax_t)uid,
				 (uintmax_t)gid);
	e->uid = (uid_t)uid;
	e->gid = (gid_t)gid;
	return 0;
}

static int fill_time(struct lcx__tar_reader *t, const struct lcx__tar_header *h,
		     struct lcx_error **err)
{
	int64_t seconds = 0;

	if (t->extended.has_mtime) {
		t->entry.mtime = t->extended.mtime;
	} else if (t->global.has_mtime && !t->extended.deleted_mtime) {
		t->entry.mtime = t->global.mtime;
	} else {
		if (lcx__tar_signed(h->mtime, sizeof(h->mtime), &seconds) < 0)
			return lcx__fail(err, EBADMSG, "a time that is no number");
		t->entry.mtime = (struct timespec){.tv_sec = (time_t)seconds};
	}
	return 0;
}

static int fill_device(struct lcx__tar_reader *t, const struct lcx__tar_header *h,
		       struct lcx_error **err)
{
	uint64_t high, low;

	if (choose(h->major, sizeof(h->major), &t->extended.dev_major, &nothing, &high) < 0 ||
	    choose(h->minor, sizeof(h->minor), &t->extended.dev_minor, &nothing, &low) < 0 ||
	    high > UINT32_MAX || low > UINT32_MAX)
		return lcx__fail(err, EBADMSG, "a device without a number");
	t->entry.device = makedev((unsigned int)high, (unsigned int)low);
	return 0;
}

static int fill_mode(struct lcx__tar_reader *t, const struct lcx__tar_header *h,
		     struct lcx_error **err)
{
	struct lcx__tar_entry *e = &t->entry;
	size_t length = strlen(e->path);
	uint64_t mode;

	if (!kind_of(h->type))
		return lcx__fail(err, EBADMSG, "an entry of type '%c' is refused",
				 h->type >= ' ' && h->type <= '~' ? h->type : '?');
	if (lcx__tar_number(h->mode, sizeof(h->mode), &mode) < 0)
		return lcx__fail(err, EBADMSG, "a mode that is no number");
	e->mode = kind_of(h->type) | (mode & 07777);
	/* Before pax, a directory was a file whose name ends in a slash. */
	if ((h->type == '\0' || h->type == '0') && length > 0 && e->path[length - 1] == '/')
		e->mode = S_IFDIR | (e->mode & 07777);
	return 0;
}

static int check_names(struct lcx__tar_entry *e, struct lcx_error **err)
{
	int r;

	if (!e->path[0] || (e->link && !e->link[0]))
		return lcx__fail(err, EBADMSG, "an empty name");
	r = lcx__tar_path(e->path, err);
	return r == 0 && e->hard ? lcx__tar_path(e->link, err) : r;
}

/* ---- the content's size and place ---- */

static bool has_pieces(const struct lcx__tar_header *h, const struct lcx__tar_extended *x)
{
	return h->type == 'S' || x->has_map || x->has_map_offset || x->real_size.is == VALUE_SET ||
	       x->sparse_major.is == VALUE_SET;
}

static int read_map(struct lcx__tar_reader *t, const struct lcx__tar_header *h, uint64_t *ret_real,
		    struct lcx_error **err)
{
	struct lcx__tar_extended *x = &t->extended;

	*ret_real = x->real_size.number;
	if (h->type == 'S')
		return lcx__tar_map_read_gnu(&t->map, h, &t->blocks, ret_real, err);
	if (x->sparse_major.number == 1 && x->sparse_minor.number == 0)
		return lcx__tar_map_read_blocks(&t->map, &t->blocks, &t->left, err);
	if (x->sparse_major.number > 0 || !x->has_map || x->has_map_offset)
		return lcx__fail(err, EOPNOTSUPP,
				 "a sparse file of a form that is not known; archive it without "
				 "holes");
	t->map = TAKE(x->map, (struct lcx__tar_map){0});
	return 0;
}

static int fill_content(struct lcx__tar_reader *t, const struct lcx__tar_header *h,
			struct lcx_error **err)
{
	struct lcx__tar_entry *e = &t->entry;
	uint64_t size = 0, stored;
	int r;

	if (choose(h->size, sizeof(h->size), &t->extended.size, &nothing, &stored) < 0)
		return lcx__fail(err, EBADMSG, "a size that is no number");
	/* Links of some writers say their target's size, and have no content. */
	if ((!S_ISREG(e->mode) || e->hard) && h->type != 'D')
		stored = 0;
	if (stored > INT64_MAX - BLOCK - t->position)
		return lcx__fail(err, EBADMSG, "an impossible size");
	t->left = size = stored;
	t->padding = -stored % BLOCK;
	e->sparse = S_ISREG(e->mode) && !e->hard && has_pieces(h, &t->extended);
	r = e->sparse ? read_map(t, h, &size, err) : 0;
	if (r == 0 && !e->sparse && S_ISREG(e->mode) && lcx__tar_map_add(&t->map, 0, size) < 0)
		return lcx__fail_nomem(err);
	if (r == 0 && e->sparse && !lcx__tar_map_fits(&t->map, size, t->left))
		return lcx__fail(err, EBADMSG, "the map of a sparse file doesn't fit its content");
	if (S_ISREG(e->mode) && !e->hard)
		e->size = size;
	t->offset = t->position;
	return r;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct lcx__tar_xattr *)a)->name,
		      ((const struct lcx__tar_xattr *)b)->name);
}

/* The kernel's answer to some that are none is that the file system has no lists. */
static int check_acls(const struct lcx__tar_entry *e, struct lcx_error **err)
{
	for (size_t i = 0; i < e->n_xattrs; i++) {
		const struct lcx__tar_xattr *x = &e->xattrs[i];
		struct lcx__strbuf words = STRBUF_EMPTY;
		bool good = !lcx__acl_is(x->name) || lcx__acl_format(x->value, x->size, &words);

		lcx__strbuf_free(&words);
		if (!good)
			return lcx__fail(err, EBADMSG,
					 "the attribute '%s' is no access control list", x->name);
	}
	return 0;
}

static int fill_entry(struct lcx__tar_reader *t, const struct lcx__tar_header *h,
		      struct lcx_error **err)
{
	struct lcx__tar_extended *x = &t->extended;
	int r;

	if (x->trouble[0])
		return lcx__fail(err, EBADMSG, "%s", x->trouble);
	if (lcx__tar_extended_inherit(x, &t->global) < 0)
		return lcx__fail_nomem(err);
	t->entry.xattrs = TAKE_PTR(x->xattrs);
	t->entry.n_xattrs = x->n_xattrs;
	x->n_xattrs = 0;
	if (t->entry.n_xattrs > 1)
		qsort(t->entry.xattrs, t->entry.n_xattrs, sizeof(*t->entry.xattrs), by_name);
	r = check_acls(&t->entry, err);
	if (r == 0)
		r = fill_mode(t, h, err);
	if (r == 0)
		r = fill_owner(t, h, err);
	if (r == 0)
		r = fill_time(t, h, err);
	if (r == 0 && (h->type == '3' || h->type == '4'))
		r = fill_device(t, h, err);
	if (r == 0)
		r = fill_content(t, h, err);
	return r < 0 ? r : check_names(&t->entry, err);
}

/* Headers up to one of an entry. Return: 1, 0 at the end. */
static int read_header(struct lcx__tar_reader *t, struct lcx__tar_header *h, struct lcx_error **err)
{
	for (int n_extended = 0;; n_extended++) {
		int r = read_all(t, h, sizeof(*h), err);
		uint64_t size;

		if (r <= 0 || is_zero(h))
			return r < 0 ? r : 0;
		if (check_sum(h) < 0)
			return lcx__fail(err, EBADMSG, "not a tar archive, or a damaged one");
		/* Solaris has an X of its own for pax's, and V is a volume's label. */
		if (!strchr("xXgLKV", h->type) || h->type == '\0')
			return 1;
		if (n_extended == HEADERS_MAX)
			return lcx__fail(err, EBADMSG, "too many extended headers");
		if (lcx__tar_number(h->size, sizeof(h->size), &size) < 0)
			return lcx__fail(err, EBADMSG, "a damaged header");
		r = h->type == 'V' ? skip(t, size + -size % BLOCK, err)
				   : read_extended(t, h->type, size, err);
		if (r < 0)
			return r;
	}
}

static void forget_entry(struct lcx__tar_reader *t)
{
	lcx__tar_entry_clear(&t->entry);
	lcx__tar_extended_clear(&t->extended);
	lcx__tar_map_clear(&t->map);
	t->left = t->padding = t->in_piece = t->flat = 0;
	t->piece = 0;
}

int lcx__tar_next(struct lcx__tar_reader *t, struct lcx_error **err)
{
	char shown[LCX__TAR_SHOWN];
	struct lcx__tar_header h;
	int r;

	r = skip(t, t->left, err);
	if (r == 0)
		r = skip_padding(t, err);
	forget_entry(t);
	if (r == 0 && !t->ended)
		r = read_header(t, &h, err);
	if (r <= 0)
		return r;
	r = fill_names(t, &h, err);
	if (r < 0)
		return r;
	r = fill_entry(t, &h, err);
	lcx__tar_show(t->entry.path, shown);
	return r < 0 ? lcx__fail_prefix(err, r, "entry '%s'", shown) : 1;
}

const struct lcx__tar_entry *lcx__tar_entry(const struct lcx__tar_reader *t)
{
	return &t->entry;
}

uint64_t lcx__tar_offset(const struct lcx__tar_reader *t)
{
	return t->offset;
}
