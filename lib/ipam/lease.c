/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "ipam/ipam-internal.h"
#include "util/str.h"

/*
 * A lease is in two chains: by address, singly linked and as long as a bucket is
 * full; by owner and kind, doubly linked, because one owner may have thousands.
 * A new one goes to the head. Links are the lease's index plus one.
 */

static uint32_t lease_cell(const struct lcx__ipam_change *change, uint32_t link)
{
	return change->pool->layout.lease_cell + link - 1;
}

static uint32_t address_bucket(const struct lcx__ipam_change *change, lcx__address address)
{
	uint8_t bytes[16];

	lcx__address_store(address, bytes);
	return (uint32_t)(lcx__mix(change->pool->header.salt, bytes, sizeof(bytes)) %
			  change->pool->header.bucket_count);
}

static uint32_t owner_bucket(const struct lcx__ipam_change *change, const char *owner,
			     size_t length, uint8_t kind)
{
	return (uint32_t)(lcx__mix(change->pool->header.salt ^ kind, owner, length) %
			  change->pool->header.bucket_count);
}

static uint32_t head(struct lcx__ipam_change *change, uint32_t first_cell, uint32_t bucket)
{
	return lcx__ipam_read(change, first_cell + bucket / LCX__CELL_LINKS)
		->u.links[bucket % LCX__CELL_LINKS];
}

static void set_head(struct lcx__ipam_change *change, uint32_t first_cell, uint32_t bucket,
		     uint32_t link)
{
	lcx__ipam_write(change, first_cell + bucket / LCX__CELL_LINKS)
		->u.links[bucket % LCX__CELL_LINKS] = link;
}

static bool link_is_valid(struct lcx__ipam_change *change, uint32_t link)
{
	if (link > 0 && link <= lcx__ipam_state(change)->lease_top)
		return true;
	lcx__ipam_damage(change, change->pool->layout.lease_cell + link);
	return false;
}

/*
 * What a link leads to; it must lead somewhere. A lease whose owner's length exceeds its
 * room is not handed out, so that nobody else has to ask.
 */
const struct lcx__ipam_lease *lcx__lease_read(struct lcx__ipam_change *change, uint32_t link)
{
	static const struct lcx__ipam_lease empty;
	const struct lcx__ipam_lease *lease;

	if (!link_is_valid(change, link))
		return &empty;
	lease = &lcx__ipam_read(change, lease_cell(change, link))->u.lease;
	if (lease->owner_length <= sizeof(lease->owner))
		return lease;
	lcx__ipam_damage(change, lease_cell(change, link));
	return &empty;
}

/* Not free, and no page either. */
bool lcx__lease_is_held(const struct lcx__ipam_lease *lease)
{
	return lease->kind == LCX_IPAM_LEASE || lease->kind == LCX_IPAM_RESERVATION;
}

struct lcx__ipam_lease *lcx__lease_write(struct lcx__ipam_change *change, uint32_t link)
{
	struct lcx__ipam_lease *lease;

	if (!link_is_valid(change, link))
		link = 1; /* any cell: a damaged change is not written */
	lease = &lcx__ipam_write(change, lease_cell(change, link))->u.lease;
	if (lease->owner_length > sizeof(lease->owner)) {
		lcx__ipam_damage(change, lease_cell(change, link));
		lease->owner_length = 0;
	}
	return lease;
}

bool lcx__lease_is_of(const struct lcx__ipam_lease *lease, const char *owner)
{
	size_t length = strlen(owner);

	return lease->owner_length == length && memcmp(lease->owner, owner, length) == 0;
}

lcx__address lcx__lease_address(const struct lcx__ipam_lease *lease)
{
	return lcx__address_load(lease->address);
}

/*
 * The link of the lease on @address, or 0. What stands in the chain must belong
 * into it, and a chain cannot be longer than there are leases.
 */
uint32_t lcx__lease_by_address(struct lcx__ipam_change *change, lcx__address address)
{
	uint32_t bucket = address_bucket(change, address);
	uint32_t link = head(change, change->pool->layout.address_cell, bucket);
	uint32_t steps = lcx__ipam_state(change)->used;

	while (link && !change->damaged) {
		const struct lcx__ipam_lease *lease = lcx__lease_read(change, link);

		if (steps-- == 0 || !lcx__lease_is_held(lease) ||
		    address_bucket(change, lcx__lease_address(lease)) != bucket)
			lcx__ipam_damage(change, lease_cell(change, link));
		else if (lcx__lease_address(lease) == address)
			return link;
		link = lease->address_next;
	}
	return 0;
}

/*
 * The link of the *@index-th entry of @owner and @kind, the latest first, or 0; then
 * those that there were are subtracted.
 */
uint32_t lcx__lease_by_owner(struct lcx__ipam_change *change, const char *owner, uint8_t kind,
			     uint32_t *index)
{
	uint32_t bucket = owner_bucket(change, owner, strlen(owner), kind);
	uint32_t link = head(change, change->pool->layout.owner_cell, bucket);
	uint32_t steps = lcx__ipam_state(change)->used;

	while (link && !change->damaged) {
		const struct lcx__ipam_lease *lease = lcx__lease_read(change, link);

		if (steps-- == 0 ||
		    owner_bucket(change, lease->owner, lease->owner_length, lease->kind) != bucket)
			lcx__ipam_damage(change, lease_cell(change, link));
		else if (lease->kind == kind && lcx__lease_is_of(lease, owner) && (*index)-- == 0)
			return link;
		link = lease->owner_next;
	}
	return 0;
}

static void enter_owner_chain(struct lcx__ipam_change *change, uint32_t link)
{
	struct lcx__ipam_lease *lease = lcx__lease_write(change, link);
	uint32_t first = change->pool->layout.owner_cell;
	uint32_t bucket = owner_bucket(change, lease->owner, lease->owner_length, lease->kind);

	lease->owner_prev = 0;
	lease->owner_next = head(change, first, bucket);
	if (lease->owner_next)
		lcx__lease_write(change, lease->owner_next)->owner_prev = link;
	set_head(change, first, bucket, link);
}

static void leave_owner_chain(struct lcx__ipam_change *change, uint32_t link)
{
	const struct lcx__ipam_lease lease = *lcx__lease_read(change, link);
	uint32_t first = change->pool->layout.owner_cell;
	uint32_t bucket = owner_bucket(change, lease.owner, lease.owner_length, lease.kind);

	/* The neighbours must agree before they are led to each other. */
	if (lease.owner_prev ? lcx__lease_read(change, lease.owner_prev)->owner_next != link
			     : head(change, first, bucket) != link)
		lcx__ipam_damage(change, lease_cell(change, link));
	if (lease.owner_prev)
		lcx__lease_write(change, lease.owner_prev)->owner_next = lease.owner_next;
	else
		set_head(change, first, bucket, lease.owner_next);
	if (lease.owner_next)
		lcx__lease_write(change, lease.owner_next)->owner_prev = lease.owner_prev;
}

static void leave_address_chain(struct lcx__ipam_change *change, uint32_t link)
{
	const struct lcx__ipam_lease *lease = lcx__lease_read(change, link);
	uint32_t first = change->pool->layout.address_cell, next = lease->address_next;
	uint32_t bucket = address_bucket(change, lcx__lease_address(lease));
	uint32_t at = head(change, first, bucket), steps = lcx__ipam_state(change)->used;

	if (at == link) {
		set_head(change, first, bucket, next);
		return;
	}
	while (at && steps-- > 0 && lcx__lease_read(change, at)->address_next != link)
		at = lcx__lease_read(change, at)->address_next;
	lcx__lease_write(change, at)->address_next = next;
}

int lcx__lease_take_cell(struct lcx__ipam_change *change, uint32_t *ret_link,
			 struct lcx_error **err)
{
	struct lcx__ipam_state *state = lcx__ipam_state_write(change);
	uint32_t link = state->free_head;
	int r;

	if (link) {
		const struct lcx__ipam_lease *lease = lcx__lease_read(change, link);

		if (lease->kind != 0)
			lcx__ipam_damage(change, lease_cell(change, link));
		state->free_head = lease->owner_next;
	} else {
		if (state->lease_top >= LCX__MAX_LEASES)
			return lcx__fail(err, ENOSPC, "address pool '%s' holds no more leases",
					 change->pool->name);
		r = lcx__ipam_grow(change, state->lease_top + 1, err);
		if (r < 0)
			return r;
		link = ++state->lease_top;
	}
	*ret_link = link;
	return 0;
}

/* Its slot is taken, for the first time or out of the queue. */
static int take_slot(struct lcx__ipam_change *change, lcx__address address, struct lcx_error **err)
{
	uint32_t slot;
	int r;

	if (!lcx__ipam_slot(change->pool, address, &slot))
		return 0;
	lcx__ipam_state_write(change)->used_range++;
	if (lcx__bitmap_test(change, slot)) {
		lcx__freed_leave(change, slot);
		return 0;
	}
	r = lcx__freed_announce(change, slot, err);
	if (r == 0)
		lcx__bitmap_set(change, slot);
	return r;
}

/* What is reserved waits for its owner, whatever process he is next. */
static void tie(struct lcx__ipam_change *change, struct lcx__ipam_lease *lease)
{
	static const struct lcx__ipam_tie none;

	lcx__tie_lease(lease, lease->kind == LCX_IPAM_LEASE ? &change->pool->tie : &none);
}

int lcx__lease_add(struct lcx__ipam_change *change, lcx__address address, const char *owner,
		   uint8_t kind, struct lcx_error **err)
{
	uint32_t first = change->pool->layout.address_cell;
	uint32_t bucket = address_bucket(change, address), link = 0;
	struct lcx__ipam_lease *lease;
	int r;

	r = lcx__lease_take_cell(change, &link, err);
	if (r == 0)
		r = take_slot(change, address, err);
	if (r < 0)
		return r;
	lease = &lcx__ipam_fresh(change, lease_cell(change, link))->u.lease;
	lease->kind = kind;
	lease->owner_length = (uint8_t)strlen(owner);
	memcpy(lease->owner, owner, lease->owner_length);
	lcx__address_store(address, lease->address);
	lease->time_ns = lcx__now_ns();
	memcpy(lease->boot, change->pool->boot, sizeof(lease->boot));
	tie(change, lease);

	lease->address_next = head(change, first, bucket);
	set_head(change, first, bucket, link);
	enter_owner_chain(change, link);
	lcx__ipam_state_write(change)->used++;
	return 0;
}

void lcx__lease_remove(struct lcx__ipam_change *change, uint32_t link)
{
	lcx__address address = lcx__lease_address(lcx__lease_read(change, link));
	struct lcx__ipam_state *state = lcx__ipam_state_write(change);
	struct lcx__ipam_lease *lease;
	uint32_t slot;

	leave_address_chain(change, link);
	leave_owner_chain(change, link);
	lease = &lcx__ipam_fresh(change, lease_cell(change, link))->u.lease;
	lease->owner_next = state->free_head;
	state->free_head = link;
	if (state->used == 0)
		lcx__ipam_damage(change, LCX__STATE_CELL);
	state->used--;
	if (lcx__ipam_slot(change->pool, address, &slot)) {
		lcx__freed_enter(change, slot);
		state->used_range--;
	}
}

/* Make a lease a reservation, or the reverse. */
void lcx__lease_turn(struct lcx__ipam_change *change, uint32_t link, uint8_t kind)
{
	struct lcx__ipam_lease *lease;

	leave_owner_chain(change, link);
	lease = lcx__lease_write(change, link);
	lease->kind = kind;
	lease->time_ns = lcx__now_ns();
	memcpy(lease->boot, change->pool->boot, sizeof(lease->boot));
	tie(change, lease);
	enter_owner_chain(change, link);
}
