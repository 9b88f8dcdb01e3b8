/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "ipam/ipam-internal.h"
#include "util/str.h"

/*
 * Every structure against every other. Cells are whole by their checksums;
 * this is about cells that are whole and of different times, which only a power failure
 * or a hand at the file can bring about. The first contradiction ends it.
 */

/* Each summary bit tells what the cell below is. Return: set bits of the leaves, in the range. */
static uint64_t check_bitmap(struct lcx__ipam_change *change)
{
	const struct lcx__ipam_layout *layout = &change->pool->layout;
	uint64_t taken = 0, beyond;

	for (uint32_t level = 0; level < layout->levels; level++) {
		for (uint32_t i = 0; i < layout->level_count[level] && !change->damaged; i++) {
			uint32_t number = layout->level_cell[level] + i, up;
			const struct lcx__ipam_cell *cell = lcx__ipam_read(change, number);

			for (uint32_t w = 0; level == 0 && w < LCX__CELL_WORDS; w++)
				taken += (uint64_t)__builtin_popcountll(cell->u.words[w]);
			if (level + 1 == layout->levels)
				continue;
			up = layout->level_cell[level + 1] + i / LCX__CELL_BITS;
			if ((lcx__ipam_read(change, up)->u.words[i % LCX__CELL_BITS / 64] >>
				     (i % 64) &
			     1) != lcx__bitmap_is_full(cell))
				lcx__ipam_damage(change, up);
		}
	}
	beyond = (uint64_t)layout->level_count[0] * LCX__CELL_BITS -
		 change->pool->header.range_count;
	if (taken < beyond)
		lcx__ipam_damage(change, layout->level_cell[0]);
	return taken - beyond;
}

static bool lease_can_be(const struct lcx_ipam_pool *pool, const struct lcx__ipam_lease *lease)
{
	char owner[LCX_IPAM_OWNER_SIZE] = "";

	memcpy(owner, lease->owner, lease->owner_length);
	return strlen(owner) == lease->owner_length && lcx__name_is_valid(owner) &&
	       lcx__lease_is_held(lease) &&
	       lcx__subnet_has(&pool->subnet, lcx__lease_address(lease)) &&
	       !lcx__ipam_is_special(pool, lcx__lease_address(lease));
}

/* One lease: found by its address (so there is no second), in its owner's chain, with its bit. */
static void check_lease(struct lcx__ipam_change *change, uint32_t link, uint32_t *used_range)
{
	const struct lcx__ipam_lease *lease = lcx__lease_read(change, link);
	uint32_t slot, number = change->pool->layout.lease_cell + link - 1;
	char owner[LCX_IPAM_OWNER_SIZE] = "";
	bool good;

	if (!lease_can_be(change->pool, lease)) {
		lcx__ipam_damage(change, number);
		return;
	}
	memcpy(owner, lease->owner, lease->owner_length);
	good = lcx__lease_by_address(change, lcx__lease_address(lease)) == link;
	/* The chain's head is checked by looking the owner up; the rest by the way back. */
	if (lease->owner_prev)
		good = good && lcx__lease_read(change, lease->owner_prev)->owner_next == link;
	else
		good = good &&
		       lcx__lease_by_owner(change, owner, lease->kind, &(uint32_t){0}) == link;
	if (lease->owner_next)
		good = good && lcx__lease_read(change, lease->owner_next)->owner_prev == link;
	if (lcx__ipam_slot(change->pool, lcx__lease_address(lease), &slot)) {
		good = good && lcx__bitmap_test(change, slot);
		(*used_range)++;
	}
	if (!good)
		lcx__ipam_damage(change, number);
}

/* The chain of free cells has as many as there are, and ends. */
static void check_free(struct lcx__ipam_change *change, uint32_t count)
{
	uint32_t link = lcx__ipam_state(change)->free_head;

	while (link && count > 0 && !change->damaged) {
		const struct lcx__ipam_lease *lease = lcx__lease_read(change, link);

		if (lease->kind != 0)
			lcx__ipam_damage(change, change->pool->layout.lease_cell + link - 1);
		link = lease->owner_next;
		count--;
	}
	if (link || count > 0)
		lcx__ipam_damage(change, LCX__STATE_CELL);
}

/* All buckets are whole; one that leads nowhere is found when its lease is not. */
static void check_buckets(struct lcx__ipam_change *change)
{
	const struct lcx__ipam_layout *layout = &change->pool->layout;

	for (uint32_t n = layout->address_cell; n < layout->lease_cell && !change->damaged; n++) {
		const struct lcx__ipam_cell *cell = lcx__ipam_read(change, n);

		for (uint32_t i = 0; i < LCX__CELL_LINKS; i++)
			if (cell->u.links[i] > lcx__ipam_state(change)->lease_top)
				lcx__ipam_damage(change, n);
	}
}

void lcx__ipam_verify(struct lcx__ipam_change *change)
{
	const struct lcx_ipam_pool *pool = change->pool;
	const struct lcx__ipam_state state = *lcx__ipam_state(change);
	uint32_t used = 0, used_range = 0, special[LCX__SPECIALS];
	uint64_t taken;

	if (state.lease_top > LCX__MAX_LEASES || state.used > state.lease_top ||
	    state.page_count > state.lease_top - state.used ||
	    state.fresh > pool->header.range_count || state.freed_count > pool->header.range_count)
		lcx__ipam_damage(change, LCX__STATE_CELL);
	if (change->damaged)
		return;
	taken = check_bitmap(change);
	check_buckets(change);
	for (uint32_t link = 1; link <= state.lease_top && !change->damaged; link++) {
		uint8_t kind = lcx__lease_read(change, link)->kind;

		if (kind == 0 || kind == LCX__IPAM_PAGE)
			continue;
		check_lease(change, link, &used_range);
		used++;
	}
	if (change->damaged)
		return;
	if (used != state.used || used_range != state.used_range ||
	    taken != (uint64_t)used_range + state.freed_count +
			     lcx__ipam_special_slots(pool, special))
		lcx__ipam_damage(change, LCX__STATE_CELL);
	if (change->damaged)
		return;
	check_free(change, state.lease_top - used - state.page_count);
	lcx__freed_verify(change);
}
