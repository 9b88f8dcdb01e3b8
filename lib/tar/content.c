/* SPDX-License-Identifier: MIT */
/* The content of the reader's present entry: its stored bytes, and where in the file they belong.
 */
#include <errno.h>
#include <string.h>

#include "tar/read-internal.h"

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
