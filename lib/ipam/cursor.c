/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "ipam/ipam-internal.h"

/* A walk over the lease cells; between two steps only the number of the cell is kept. */
struct lcx_ipam_cursor {
	struct lcx_ipam_pool *pool;
	uint32_t link;
	struct lcx__ipam_lease lease; /* the present entry; kind 0: none */
	char address[LCX_IPAM_ADDRESS_SIZE], owner[LCX_IPAM_OWNER_SIZE];
};

LCX_PUBLIC int lcx_ipam_cursor_new(struct lcx_ipam_pool *pool, struct lcx_ipam_cursor **ret,
				   struct lcx_error **err)
{
	struct lcx_ipam_cursor *cursor = calloc(1, sizeof(*cursor));

	if (!cursor)
		return lcx__fail_nomem(err);
	cursor->pool = pool;
	*ret = cursor;
	return 0;
}

static void clear(struct lcx_ipam_cursor *cursor)
{
	memset(&cursor->lease, 0, sizeof(cursor->lease));
	cursor->address[0] = '\0';
	memset(cursor->owner, 0, sizeof(cursor->owner));
}

LCX_PUBLIC int lcx_ipam_cursor_next(struct lcx_ipam_cursor *cursor, struct lcx_error **err)
{
	CLEANUP(lcx__ipam_end) struct lcx__ipam_change change;
	const struct lcx__ipam_lease *lease = NULL;
	uint32_t top;
	int r;

	clear(cursor);
	r = lcx__ipam_begin(cursor->pool, &change, err);
	if (r < 0)
		return r;
	top = lcx__ipam_state(&change)->lease_top;
	while (cursor->link < top && !change.damaged) {
		lease = lcx__lease_read(&change, ++cursor->link);
		if (lcx__lease_is_held(lease))
			break;
		lease = NULL;
	}
	r = lcx__ipam_whole(&change, err);
	if (r < 0 || !lease)
		return r;
	cursor->lease = *lease;
	lcx__address_format(cursor->pool->subnet.bits, lcx__lease_address(lease), cursor->address);
	memcpy(cursor->owner, lease->owner, lease->owner_length);
	return 1;
}

LCX_PUBLIC const char *lcx_ipam_cursor_address(const struct lcx_ipam_cursor *cursor)
{
	return cursor->address;
}

LCX_PUBLIC const char *lcx_ipam_cursor_owner(const struct lcx_ipam_cursor *cursor)
{
	return cursor->owner;
}

LCX_PUBLIC int64_t lcx_ipam_cursor_time_ns(const struct lcx_ipam_cursor *cursor)
{
	return cursor->lease.time_ns;
}

LCX_PUBLIC int32_t lcx_ipam_cursor_kind(const struct lcx_ipam_cursor *cursor)
{
	return cursor->lease.kind;
}

LCX_PUBLIC int32_t lcx_ipam_cursor_this_boot(const struct lcx_ipam_cursor *cursor)
{
	return cursor->lease.kind != 0 &&
	       memcmp(cursor->lease.boot, cursor->pool->boot, sizeof(cursor->lease.boot)) == 0;
}

LCX_PUBLIC int64_t lcx_ipam_cursor_pid(const struct lcx_ipam_cursor *cursor)
{
	return cursor->lease.tie_pid;
}

LCX_PUBLIC struct lcx_ipam_cursor *lcx_ipam_cursor_free(struct lcx_ipam_cursor *cursor)
{
	free(cursor);
	return NULL;
}
