/* SPDX-License-Identifier: MIT */
/*
 * A sparse file in an archive is a map and the bytes that are no hole, one piece behind the
 * other. The map is somewhere else in each of GNU tar's formats: in the header and blocks
 * behind it (old), in records (pax 0.0, 0.1), or in front of the content (pax 1.0). Pieces must
 * follow each other, lie in the file, and be just as much as is stored: else two
 * readers would see two files.
 */
#include <errno.h>
#include <string.h>

#include "tar/read-internal.h"

enum { PIECES_MAX = 1 << 20 };

int lcx__tar_map_add(struct lcx__tar_map *map, uint64_t offset, uint64_t size)
{
	struct lcx__tar_segment *last = map->n ? &map->items[map->n - 1] : NULL;

	if (offset > INT64_MAX || size > INT64_MAX - offset ||
	    (last && offset < last->offset + last->size))
		return -EBADMSG;
	if (map->n == PIECES_MAX)
		return -E2BIG;
	if (map->n == map->size) {
		size_t bigger = map->size ? map->size * 2 : 16;

		last = reallocarray(map->items, bigger, sizeof(*last));
		if (!last)
			return -ENOMEM;
		map->items = last;
		map->size = bigger;
	}
	map->items[map->n++] = (struct lcx__tar_segment){offset, size};
	return 0;
}

void lcx__tar_map_clear(struct lcx__tar_map *map)
{
	free(map->items);
	*map = (struct lcx__tar_map){0};
}

bool lcx__tar_map_fits(const struct lcx__tar_map *map, uint64_t real_size, uint64_t stored_size)
{
	const struct lcx__tar_segment *last = map->n ? &map->items[map->n - 1] : NULL;
	uint64_t sum = 0;

	for (size_t i = 0; i < map->n; i++)
		sum += map->items[i].size; /* they don't overlap: no more than INT64_MAX */
	return sum == stored_size && (!last || last->offset + last->size <= real_size);
}

/* A number and what must end it; the text behind it, or NULL. */
static const char *parse_decimal(const char *text, const char *ends, uint64_t *ret)
{
	const char *at = text;

	*ret = 0;
	for (; *at >= '0' && *at <= '9'; at++) {
		if (*ret > INT64_MAX / 20)
			return NULL;
		*ret = *ret * 10 + (uint64_t)(*at - '0');
	}
	if (at == text || !strchr(ends, *at))
		return NULL;
	return *at ? at + 1 : at;
}

int lcx__tar_map_parse(struct lcx__tar_map *map, const char *text)
{
	int r = 0;

	while (r == 0 && *text) {
		uint64_t offset, size;

		text = parse_decimal(text, ",", &offset);
		text = text && *text ? parse_decimal(text, ",", &size) : NULL;
		r = text ? lcx__tar_map_add(map, offset, size) : -EBADMSG;
	}
	return r;
}

/* ---- GNU's old format ---- */

struct gnu_piece {
	char offset[12], size[12];
};

struct gnu_header {
	char before[386];
	struct gnu_piece pieces[4];
	char extended, real_size[12], pad[17];
};

struct gnu_block {
	struct gnu_piece pieces[21];
	char extended, pad[7];
};
_Static_assert(sizeof(struct gnu_header) == LCX__TAR_BLOCK, "one block");
_Static_assert(sizeof(struct gnu_block) == LCX__TAR_BLOCK, "one block");

/* The first piece without a size ends the list. */
static int add_pieces(struct lcx__tar_map *map, const struct gnu_piece *pieces, size_t n)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n && pieces[i].size[0]; i++) {
		uint64_t offset, size;

		r = lcx__tar_number(pieces[i].offset, sizeof(pieces[i].offset), &offset);
		if (r == 0)
			r = lcx__tar_number(pieces[i].size, sizeof(pieces[i].size), &size);
		if (r == 0)
			r = lcx__tar_map_add(map, offset, size);
	}
	return r;
}

static int fail_map(int r, struct lcx_error **err)
{
	if (r == -ENOMEM)
		return lcx__fail_nomem(err);
	return r < 0 ? lcx__fail(err, EBADMSG, "a damaged map of a sparse file, or a too long one")
		     : 0;
}

int lcx__tar_map_read_gnu(struct lcx__tar_map *map, const struct lcx__tar_header *header,
			  const struct lcx__tar_input *input, uint64_t *ret_real_size,
			  struct lcx_error **err)
{
	struct gnu_header h;
	struct gnu_block block;
	size_t before = 0;
	char more;
	int r;

	memcpy(&h, header, sizeof(h));
	r = lcx__tar_number(h.real_size, sizeof(h.real_size), ret_real_size);
	if (r == 0)
		r = add_pieces(map, h.pieces, ARRAY_SIZE(h.pieces));
	for (more = h.extended; r == 0 && more; more = block.extended) {
		r = input->read(input->data, &block, sizeof(block), err);
		if (r < 0)
			return r;
		before = map->n;
		r = add_pieces(map, block.pieces, ARRAY_SIZE(block.pieces));
		if (r == 0 && map->n == before)
			r = -EBADMSG; /* or there could be blocks without an end */
	}
	return fail_map(r, err);
}

/* ---- pax 1.0 ---- */

struct blocks {
	const struct lcx__tar_input *input;
	uint64_t left;
	char text[LCX__TAR_BLOCK];
	size_t at;
};

/* A decimal number and its newline; numbers go on from block to block. */
static int next_number(struct blocks *b, uint64_t *ret, struct lcx_error **err)
{
	size_t digits = 0;

	*ret = 0;
	for (;;) {
		char c;

		if (b->at == sizeof(b->text)) {
			int r = b->left < sizeof(b->text) ? fail_map(-EBADMSG, err)
							  : b->input->read(b->input->data, b->text,
									   sizeof(b->text), err);

			if (r < 0)
				return r;
			b->left -= sizeof(b->text);
			b->at = 0;
		}
		c = b->text[b->at++];
		if (c == '\n' && digits > 0)
			return 0;
		if (c < '0' || c > '9' || ++digits > 19 || *ret > INT64_MAX / 20)
			return fail_map(-EBADMSG, err);
		*ret = *ret * 10 + (uint64_t)(c - '0');
	}
}

int lcx__tar_map_read_blocks(struct lcx__tar_map *map, const struct lcx__tar_input *input,
			     uint64_t *stored_size, struct lcx_error **err)
{
	struct blocks b = {.input = input, .left = *stored_size, .at = LCX__TAR_BLOCK};
	uint64_t n = 0;
	int r = next_number(&b, &n, err);

	if (r == 0 && n > PIECES_MAX)
		r = fail_map(-E2BIG, err);
	for (uint64_t i = 0; r == 0 && i < n; i++) {
		uint64_t offset, size;

		r = next_number(&b, &offset, err);
		if (r == 0)
			r = next_number(&b, &size, err);
		if (r == 0)
			r = fail_map(lcx__tar_map_add(map, offset, size), err);
	}
	*stored_size = b.left;
	return r;
}
