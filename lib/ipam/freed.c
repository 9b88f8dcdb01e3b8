/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "ipam/ipam-internal.h"

/*
 * The queue of the freed: a slot enters at the tail when its address is released, and
 * leaves when it is given again, from the head or, if somebody asks for it by name, from
 * wherever it stands. Positions are a slot plus one; 0 is nobody.
 */

/* The cell and the index in it of where a page is. */
static uint32_t place_cell(const struct lcx__ipam_change *change, uint32_t page)
{
	return change->pool->layout.page_cell + page / LCX__CELL_LINKS;
}

/* The cell of the page of a slot; 0, and damage, if it was never made. */
static uint32_t page_cell(struct lcx__ipam_change *change, uint32_t slot)
{
	uint32_t page = slot / LCX__PAGE_SLOTS, link = 0, cell;
	const struct lcx__ipam_page *found;

	if (slot < change->pool->header.range_count)
		link = lcx__ipam_read(change, place_cell(change, page))
			       ->u.links[page % LCX__CELL_LINKS];
	if (link == 0 || link > lcx__ipam_state(change)->lease_top) {
		lcx__ipam_damage(change, LCX__STATE_CELL);
		return 0;
	}
	cell = change->pool->layout.lease_cell + link - 1;
	found = &lcx__ipam_read(change, cell)->u.page;
	if (found->kind == LCX__IPAM_PAGE && found->number == page)
		return cell;
	lcx__ipam_damage(change, cell);
	return 0;
}

static uint32_t next_of(struct lcx__ipam_change *change, uint32_t slot)
{
	uint32_t cell = page_cell(change, slot);

	return cell ? lcx__ipam_read(change, cell)->u.page.slots[slot % LCX__PAGE_SLOTS].next : 0;
}

static uint32_t prev_of(struct lcx__ipam_change *change, uint32_t slot)
{
	uint32_t cell = page_cell(change, slot);

	return cell ? lcx__ipam_read(change, cell)->u.page.slots[slot % LCX__PAGE_SLOTS].prev : 0;
}

static void set_next(struct lcx__ipam_change *change, uint32_t slot, uint32_t next)
{
	uint32_t cell = page_cell(change, slot);

	if (cell)
		lcx__ipam_write(change, cell)->u.page.slots[slot % LCX__PAGE_SLOTS].next = next;
}

static void set_prev(struct lcx__ipam_change *change, uint32_t slot, uint32_t prev)
{
	uint32_t cell = page_cell(change, slot);

	if (cell)
		lcx__ipam_write(change, cell)->u.page.slots[slot % LCX__PAGE_SLOTS].prev = prev;
}

int lcx__freed_announce(struct lcx__ipam_change *change, uint32_t slot, struct lcx_error **err)
{
	uint32_t page = slot / LCX__PAGE_SLOTS, place = place_cell(change, page), link;
	struct lcx__ipam_page *made;
	int r;

	if (lcx__ipam_read(change, place)->u.links[page % LCX__CELL_LINKS] != 0)
		return 0;
	r = lcx__lease_take_cell(change, &link, err);
	if (r < 0)
		return r;
	made = &lcx__ipam_fresh(change, change->pool->layout.lease_cell + link - 1)->u.page;
	made->kind = LCX__IPAM_PAGE;
	made->number = page;
	lcx__ipam_write(change, place)->u.links[page % LCX__CELL_LINKS] = link;
	lcx__ipam_state_write(change)->page_count++;
	return 0;
}

bool lcx__freed_first(struct lcx__ipam_change *change, uint32_t *ret_slot)
{
	uint32_t head = lcx__ipam_state(change)->freed_head;

	if (head == 0)
		return false;
	if (head > change->pool->header.range_count)
		lcx__ipam_damage(change, LCX__STATE_CELL);
	*ret_slot = head - 1;
	return true;
}

void lcx__freed_enter(struct lcx__ipam_change *change, uint32_t slot)
{
	struct lcx__ipam_state *state = lcx__ipam_state_write(change);

	if (next_of(change, slot) || prev_of(change, slot) || state->freed_head == slot + 1)
		lcx__ipam_damage(change, LCX__STATE_CELL);
	set_prev(change, slot, state->freed_tail);
	if (state->freed_tail)
		set_next(change, state->freed_tail - 1, slot + 1);
	else
		state->freed_head = slot + 1;
	state->freed_tail = slot + 1;
	state->freed_count++;
}

void lcx__freed_leave(struct lcx__ipam_change *change, uint32_t slot)
{
	struct lcx__ipam_state *state = lcx__ipam_state_write(change);
	uint32_t prev = prev_of(change, slot), next = next_of(change, slot);

	/* The neighbours must agree before they are led to each other. */
	if ((prev ? next_of(change, prev - 1) : state->freed_head) != slot + 1 ||
	    (next ? prev_of(change, next - 1) : state->freed_tail) != slot + 1 ||
	    state->freed_count == 0)
		lcx__ipam_damage(change, LCX__STATE_CELL);
	if (prev)
		set_next(change, prev - 1, next);
	else
		state->freed_head = next;
	if (next)
		set_prev(change, next - 1, prev);
	else
		state->freed_tail = prev;
	set_next(change, slot, 0);
	set_prev(change, slot, 0);
	state->freed_count--;
}

/* Each place leads to the page of its number. Return: how many slots in them have a neighbour. */
static uint64_t check_pages(struct lcx__ipam_change *change)
{
	const struct lcx__ipam_layout *layout = &change->pool->layout;
	uint64_t neighbours = 0;
	uint32_t pages = 0;

	for (uint32_t page = 0; page < layout->page_count && !change->damaged; page++) {
		const struct lcx__ipam_cell *place =
			lcx__ipam_read(change, place_cell(change, page));
		uint32_t cell;

		if (place->u.links[page % LCX__CELL_LINKS] == 0)
			continue;
		pages++;
		cell = page_cell(change, page * LCX__PAGE_SLOTS);
		for (uint32_t i = 0; cell && i < LCX__PAGE_SLOTS; i++) {
			const struct lcx__ipam_page *found = &lcx__ipam_read(change, cell)->u.page;

			neighbours += (found->slots[i].next != 0) + (found->slots[i].prev != 0);
		}
	}
	if (pages != lcx__ipam_state(change)->page_count)
		lcx__ipam_damage(change, LCX__STATE_CELL);
	return neighbours;
}

/* Each in the queue was given once and is nobody's now; the chain has its length, and ends. */
void lcx__freed_verify(struct lcx__ipam_change *change)
{
	uint64_t neighbours = check_pages(change);
	const struct lcx__ipam_state state = *lcx__ipam_state(change);
	uint32_t at = state.freed_head, before = 0, left = state.freed_count;

	for (; at && left > 0 && !change->damaged; left--) {
		uint32_t slot = at - 1;

		if (prev_of(change, slot) != before || !lcx__bitmap_test(change, slot) ||
		    lcx__lease_by_address(change, change->pool->range_first + slot))
			lcx__ipam_damage(change, LCX__STATE_CELL);
		before = at;
		at = next_of(change, slot);
	}
	/* Whoever has a neighbour is in the queue. */
	if (at || left > 0 || before != state.freed_tail ||
	    neighbours != (state.freed_count ? 2 * ((uint64_t)state.freed_count - 1) : 0))
		lcx__ipam_damage(change, LCX__STATE_CELL);
}
