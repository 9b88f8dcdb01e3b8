/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "ipam/ipam-internal.h"
#include "util/str.h"

/* Giving addresses out and taking them back: each call is one change of the file. */

enum { RELEASED_AT_ONCE = 64 };

static int check_owner(const char *owner, struct lcx_error **err)
{
	if (owner && lcx__name_is_valid(owner))
		return 0;
	return lcx__fail(err, EINVAL,
			 "'%s' cannot own an address; use letters, digits, '_', '.' and '-', at "
			 "most 128",
			 owner ? owner : "(null)");
}

/* An address that somebody may have in this pool. */
static int parse_address(const struct lcx_ipam_pool *pool, const char *text, lcx__address *ret,
			 struct lcx_error **err)
{
	uint32_t bits;

	if (lcx__address_parse(text, &bits, ret) < 0)
		return lcx__fail(err, EINVAL, "'%s' is not an IP address", text ? text : "(null)");
	if (bits != pool->subnet.bits || !lcx__subnet_has(&pool->subnet, *ret))
		return lcx__fail(err, ERANGE, "%s is outside address pool '%s', which is %s", text,
				 pool->name, pool->subnet_text);
	return 0;
}

static int check_leasable(const struct lcx_ipam_pool *pool, const char *text, lcx__address address,
			  struct lcx_error **err)
{
	if (!lcx__ipam_is_special(pool, address))
		return 0;
	if (pool->header.has_gateway && address == pool->gateway)
		return lcx__fail(err, EADDRINUSE,
				 "%s is the gateway of address pool '%s'; choose another", text,
				 pool->name);
	return lcx__fail(err, EINVAL,
			 "%s is the network or the broadcast address of %s; choose another", text,
			 pool->subnet_text);
}

static int taken(struct lcx__ipam_change *change, const char *text, uint32_t link,
		 struct lcx_error **err)
{
	const struct lcx__ipam_lease *lease = lcx__lease_read(change, link);

	return lcx__fail(err, EADDRINUSE, "%s is %s '%.*s'; choose another, or release it", text,
			 lease->kind == LCX_IPAM_LEASE ? "leased to" : "reserved for",
			 (int)lease->owner_length, lease->owner);
}

/* Give @address to @owner as @kind. Its own reservation may turn into either; so may, if a
 * reservation is wanted, its own lease. */
static int give(struct lcx__ipam_change *change, const char *owner, const char *text,
		lcx__address address, uint8_t kind, struct lcx_error **err)
{
	uint32_t link = lcx__lease_by_address(change, address);
	const struct lcx__ipam_lease *lease;
	int r;

	r = lcx__ipam_whole(change, err);
	if (r < 0)
		return r;
	if (!link)
		return lcx__lease_add(change, address, owner, kind, err);
	lease = lcx__lease_read(change, link);
	if (lcx__tie_is_gone(change->pool, lease)) {
		lcx__lease_remove(change, link);
		return lcx__lease_add(change, address, owner, kind, err);
	}
	if (!lcx__lease_is_of(lease, owner) ||
	    (kind == LCX_IPAM_LEASE && lease->kind == LCX_IPAM_LEASE))
		return taken(change, text, link, err);
	if (lease->kind != kind)
		lcx__lease_turn(change, link, kind);
	return 0;
}

/* The lowest slot that was never given, else the one that was freed longest ago. */
static bool find_free(struct lcx__ipam_change *change, uint32_t *ret_slot)
{
	uint32_t fresh = lcx__ipam_state(change)->fresh;

	if (lcx__bitmap_find(change, fresh, ret_slot)) {
		lcx__ipam_state_write(change)->fresh = *ret_slot;
		return true;
	}
	/* So that the next search sees it at once. */
	if (fresh < change->pool->header.range_count)
		lcx__ipam_state_write(change)->fresh = change->pool->header.range_count;
	return lcx__freed_first(change, ret_slot);
}

/* The owner's latest reservation, else the next free address. */
static int choose(struct lcx__ipam_change *change, const char *owner, lcx__address *ret,
		  struct lcx_error **err)
{
	uint32_t link = lcx__lease_by_owner(change, owner, LCX_IPAM_RESERVATION, &(uint32_t){0}),
		 slot;
	const struct lcx_ipam_pool *pool = change->pool;
	bool found = false;
	int r;

	if (link) {
		*ret = lcx__lease_address(lcx__lease_read(change, link));
		return lcx__ipam_whole(change, err);
	}
	found = find_free(change, &slot);
	r = lcx__ipam_whole(change, err);
	if (r < 0)
		return r;
	if (!found)
		return lcx__fail(err, ENOSPC,
				 "address pool '%s' (%s) is full: all %ju addresses are in use; "
				 "remove containers, or use a larger subnet",
				 pool->name, pool->subnet_text,
				 (uintmax_t)lcx_ipam_pool_capacity(pool));
	*ret = pool->range_first + slot;
	/* What bitmap or queue call free must be so for everybody else, too. */
	if (lcx__ipam_is_special(pool, *ret) || lcx__lease_by_address(change, *ret))
		lcx__ipam_damage(change, pool->layout.level_cell[0] + slot / LCX__CELL_BITS);
	return lcx__ipam_whole(change, err);
}

static int copy_text(const char *text, char *to, size_t size, struct lcx_error **err)
{
	if (!to || strlen(text) >= size)
		return lcx__fail(err, ENOBUFS, "%zu bytes are too few for '%s'", size, text);
	strcpy(to, text);
	return 0;
}

/* Of an address outside of the range nobody remembers it, nor in a pool that was made again. */
static bool is_new(struct lcx__ipam_change *change, lcx__address address)
{
	uint32_t slot;

	return !lcx__ipam_state(change)->is_mended &&
	       lcx__ipam_slot(change->pool, address, &slot) && !lcx__bitmap_test(change, slot);
}

static int allocate(struct lcx_ipam_pool *pool, const char *owner, const char *wanted,
		    char *address, size_t size, struct lcx_error **err)
{
	CLEANUP(lcx__ipam_end) struct lcx__ipam_change change = {.locked = false};
	char text[LCX_IPAM_ADDRESS_SIZE];
	lcx__address number;
	bool gave_new;
	int r;

	r = check_owner(owner, err);
	if (r == 0 && wanted)
		r = parse_address(pool, wanted, &number, err);
	if (r == 0 && wanted)
		r = check_leasable(pool, wanted, number, err);
	if (r == 0)
		r = lcx__ipam_begin(pool, &change, err);
	if (r == 0 && !wanted)
		r = choose(&change, owner, &number, err);
	if (r < 0)
		return r;
	lcx__address_format(pool->subnet.bits, number, text);
	gave_new = is_new(&change, number);
	r = give(&change, owner, text, number, LCX_IPAM_LEASE, err);
	/* Before the commit: a lease that the caller doesn't learn of would be lost. */
	if (r == 0 && (!address || strlen(text) >= size))
		r = copy_text(text, NULL, size, err);
	if (r == 0)
		r = lcx__ipam_commit(&change, err);
	if (r == 0)
		pool->gave_new = gave_new;
	return r < 0 ? r : copy_text(text, address, size, err);
}

int lcx__ipam_note_mended(struct lcx_ipam_pool *pool, struct lcx_error **err)
{
	CLEANUP(lcx__ipam_end) struct lcx__ipam_change change = {.locked = false};
	int r = lcx__ipam_begin(pool, &change, err);

	if (r < 0)
		return r;
	lcx__ipam_state_write(&change)->is_mended = 1;
	return lcx__ipam_commit(&change, err);
}

bool lcx__ipam_gave_new(const struct lcx_ipam_pool *pool)
{
	return pool->gave_new;
}

/* A full pool gets back what dead processes have before it says so. */
LCX_PUBLIC int lcx_ipam_allocate(struct lcx_ipam_pool *pool, const char *owner, const char *wanted,
				 char *address, size_t size, struct lcx_error **err)
{
	struct lcx_error *e = NULL;
	uint32_t count = 0;
	int r = allocate(pool, owner, wanted, address, size, &e);

	if (r == -ENOSPC && !wanted && lcx_ipam_reclaim(pool, &count, NULL) == 0 && count > 0) {
		e = lcx_error_free(e);
		r = allocate(pool, owner, wanted, address, size, &e);
	}
	if (r < 0)
		(void)lcx__fail(err, -r, "%s", lcx_error_message(e));
	lcx_error_free(e);
	return r;
}

LCX_PUBLIC int lcx_ipam_reserve(struct lcx_ipam_pool *pool, const char *owner, const char *address,
				struct lcx_error **err)
{
	CLEANUP(lcx__ipam_end) struct lcx__ipam_change change = {.locked = false};
	lcx__address number;
	int r;

	r = check_owner(owner, err);
	if (r == 0)
		r = parse_address(pool, address, &number, err);
	if (r == 0)
		r = check_leasable(pool, address, number, err);
	if (r == 0)
		r = lcx__ipam_begin(pool, &change, err);
	if (r == 0)
		r = give(&change, owner, address, number, LCX_IPAM_RESERVATION, err);
	return r < 0 ? r : lcx__ipam_commit(&change, err);
}

/* The lease of an address that is in use; @change is begun, whatever comes of it. */
static int find_lease(struct lcx_ipam_pool *pool, const char *address,
		      struct lcx__ipam_change *change, uint32_t *ret, struct lcx_error **err)
{
	lcx__address number;
	int r = parse_address(pool, address, &number, err);

	if (r == 0)
		r = lcx__ipam_begin(pool, change, err);
	if (r < 0)
		return r;
	*ret = lcx__lease_by_address(change, number);
	r = lcx__ipam_whole(change, err);
	if (r < 0)
		return r;
	return *ret ? 0
		    : lcx__fail(err, ENOENT, "%s of address pool '%s' is not in use", address,
				pool->name);
}

LCX_PUBLIC int lcx_ipam_release(struct lcx_ipam_pool *pool, const char *address, const char *owner,
				struct lcx_error **err)
{
	CLEANUP(lcx__ipam_end) struct lcx__ipam_change change = {.locked = false};
	const struct lcx__ipam_lease *lease;
	uint32_t link = 0;
	int r;

	r = owner ? check_owner(owner, err) : 0;
	if (r == 0)
		r = find_lease(pool, address, &change, &link, err);
	if (r < 0)
		return r;
	lease = lcx__lease_read(&change, link);
	if (owner && !lcx__lease_is_of(lease, owner))
		return lcx__fail(err, EPERM, "%s belongs to '%.*s', not to '%s'", address,
				 (int)lease->owner_length, lease->owner, owner);
	lcx__lease_remove(&change, link);
	return lcx__ipam_commit(&change, err);
}

/* The latest entry of an owner, whatever its kind, or 0. */
static uint32_t any_of(struct lcx__ipam_change *change, const char *owner)
{
	uint32_t link = lcx__lease_by_owner(change, owner, LCX_IPAM_LEASE, &(uint32_t){0});

	return link ? link
		    : lcx__lease_by_owner(change, owner, LCX_IPAM_RESERVATION, &(uint32_t){0});
}

/*
 * Remove entries of @owner, each by a change of its own, under one lock; not
 * all at once, since others wait, nor beyond one that is not in its place yet. Return: how many, or
 * a negative errno.
 */
static int release_some(struct lcx_ipam_pool *pool, const char *owner, struct lcx_error **err)
{
	CLEANUP(lcx__ipam_end) struct lcx__ipam_change change;
	uint32_t link = 0;
	int r, count;

	r = lcx__ipam_begin(pool, &change, err);
	for (count = 0; r == 0 && count < RELEASED_AT_ONCE && !change.unapplied; count++) {
		link = any_of(&change, owner);
		r = lcx__ipam_whole(&change, err);
		if (r < 0 || !link)
			break;
		lcx__lease_remove(&change, link);
		r = lcx__ipam_commit(&change, err);
	}
	return r < 0 ? r : count;
}

LCX_PUBLIC int lcx_ipam_release_owner(struct lcx_ipam_pool *pool, const char *owner,
				      uint32_t *ret_count, struct lcx_error **err)
{
	uint32_t count = 0;
	int r;

	r = check_owner(owner, err);
	if (r < 0)
		return r;
	while ((r = release_some(pool, owner, err)) > 0)
		count += (uint32_t)r;
	if (r == 0 && ret_count)
		*ret_count = count;
	return r;
}

LCX_PUBLIC int lcx_ipam_lookup(struct lcx_ipam_pool *pool, const char *address, char *owner,
			       size_t size, struct lcx_error **err)
{
	CLEANUP(lcx__ipam_end) struct lcx__ipam_change change = {.locked = false};
	const struct lcx__ipam_lease *lease;
	char text[LCX_IPAM_OWNER_SIZE] = "";
	uint32_t link = 0;
	int r = find_lease(pool, address, &change, &link, err);

	if (r < 0)
		return r;
	lease = lcx__lease_read(&change, link);
	memcpy(text, lease->owner, lease->owner_length);
	r = copy_text(text, owner, size, err);
	return r < 0 ? r : lease->kind;
}

LCX_PUBLIC int lcx_ipam_lookup_owner(struct lcx_ipam_pool *pool, const char *owner, uint32_t index,
				     char *address, size_t size, struct lcx_error **err)
{
	static const uint8_t kinds[] = {LCX_IPAM_LEASE, LCX_IPAM_RESERVATION};
	CLEANUP(lcx__ipam_end) struct lcx__ipam_change change = {.locked = false};
	const struct lcx__ipam_lease *lease;
	char text[LCX_IPAM_ADDRESS_SIZE];
	uint32_t link = 0;
	int r;

	r = check_owner(owner, err);
	if (r == 0)
		r = lcx__ipam_begin(pool, &change, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(kinds) && !link; i++)
		link = lcx__lease_by_owner(&change, owner, kinds[i], &index);
	r = lcx__ipam_whole(&change, err);
	if (r < 0)
		return r;
	if (!link)
		return lcx__fail(err, ENOENT, "'%s' has no (further) address in pool '%s'", owner,
				 pool->name);
	lease = lcx__lease_read(&change, link);
	lcx__address_format(pool->subnet.bits, lcx__lease_address(lease), text);
	r = copy_text(text, address, size, err);
	return r < 0 ? r : lease->kind;
}
