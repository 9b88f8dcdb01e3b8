/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "ipam/ipam-internal.h"

/*
 * A tree of bits: in a leaf, a set bit is a slot that was given at least once; above,
 * a set bit is a cell below that is full. A search or a change touches one cell per
 * level, however full the pool is. Bits beyond the end are set from the beginning, as
 * are those of addresses that are never given.
 */

static uint32_t cell_of(const struct lcx__ipam_change *change, uint32_t level, uint32_t bit)
{
	return change->pool->layout.level_cell[level] + bit / LCX__CELL_BITS;
}

static bool get(const struct lcx__ipam_cell *cell, uint32_t bit)
{
	return cell->u.words[bit / 64] >> (bit % 64) & 1;
}

bool lcx__bitmap_is_full(const struct lcx__ipam_cell *cell)
{
	for (uint32_t i = 0; i < LCX__CELL_WORDS; i++)
		if (cell->u.words[i] != UINT64_MAX)
			return false;
	return true;
}

/* An empty cell; @count bits of this level are there. */
void lcx__bitmap_format(const struct lcx__ipam_layout *layout, uint32_t level, uint32_t index,
			uint32_t count, struct lcx__ipam_cell *cell)
{
	uint32_t first = index * LCX__CELL_BITS;

	if (level > 0)
		count = layout->level_count[level - 1];
	memset(cell->u.words, 0, sizeof(cell->u.words));
	for (uint32_t bit = 0; bit < LCX__CELL_BITS; bit++)
		if (first + bit >= count)
			cell->u.words[bit / 64] |= UINT64_C(1) << (bit % 64);
}

/* The first clear bit of a cell from @from on, or LCX__CELL_BITS. */
static uint32_t first_clear(const struct lcx__ipam_cell *cell, uint32_t from)
{
	uint64_t word;

	for (uint32_t i = from / 64; i < LCX__CELL_WORDS; i++, from = i * 64) {
		word = ~cell->u.words[i] & UINT64_MAX << (from % 64);
		if (word)
			return i * 64 + (uint32_t)__builtin_ctzll(word);
	}
	return LCX__CELL_BITS;
}

/*
 * The next slot that was never given: up until a cell has a clear bit further on, then down along
 * the first clear ones.
 */
bool lcx__bitmap_find(struct lcx__ipam_change *change, uint32_t from, uint32_t *ret_slot)
{
	const struct lcx__ipam_layout *layout = &change->pool->layout;
	uint32_t level, at, found = LCX__CELL_BITS;

	for (level = 0, at = from; level < layout->levels; level++, at = at / LCX__CELL_BITS + 1) {
		if (at / LCX__CELL_BITS >= layout->level_count[level])
			continue;
		found = first_clear(lcx__ipam_read(change, cell_of(change, level, at)),
				    at % LCX__CELL_BITS);
		if (found < LCX__CELL_BITS)
			break;
	}
	if (found >= LCX__CELL_BITS)
		return false;

	at = at / LCX__CELL_BITS * LCX__CELL_BITS + found;
	while (level > 0) {
		level--;
		if (at >= layout->level_count[level])
			found = LCX__CELL_BITS;
		else
			found = first_clear(lcx__ipam_read(change, layout->level_cell[level] + at),
					    0);
		if (found >= LCX__CELL_BITS) {
			/* The level above promised a clear bit. */
			lcx__ipam_damage(change, layout->level_cell[level] + at);
			return false;
		}
		at = at * LCX__CELL_BITS + found;
	}
	if (at >= change->pool->header.range_count) {
		lcx__ipam_damage(change, cell_of(change, 0, at));
		return false;
	}
	*ret_slot = at;
	return true;
}

bool lcx__bitmap_test(struct lcx__ipam_change *change, uint32_t slot)
{
	return get(lcx__ipam_read(change, cell_of(change, 0, slot)), slot % LCX__CELL_BITS);
}

void lcx__bitmap_set(struct lcx__ipam_change *change, uint32_t slot)
{
	const struct lcx__ipam_layout *layout = &change->pool->layout;
	uint32_t bit = slot;

	for (uint32_t level = 0; level < layout->levels; level++, bit /= LCX__CELL_BITS) {
		struct lcx__ipam_cell *cell = lcx__ipam_write(change, cell_of(change, level, bit));
		uint32_t in_cell = bit % LCX__CELL_BITS;

		if (get(cell, in_cell))
			lcx__ipam_damage(change, cell_of(change, level, bit));
		cell->u.words[in_cell / 64] |= UINT64_C(1) << (in_cell % 64);
		if (!lcx__bitmap_is_full(cell))
			return;
	}
}
