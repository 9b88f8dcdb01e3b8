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

#include "tar/read-internal.h"

enum {
	BLOCK = LCX__TAR_BLOCK,
	EXTENDED_MAX = 8 << 20, /* bytes of an extended header */
	HEADERS_MAX = 64,       /* of extended ones before an entry */
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
	r = lcx__tar_fill_names(t, &h, err);
	if (r < 0)
		return r;
	r = lcx__tar_fill(t, &h, err);
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
