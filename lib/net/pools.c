/* SPDX-License-Identifier: MIT */

/*
 * The address pools of a network, one for each of its subnets. An address is sought in
 * the pools of its family, in the order of the subnets.
 */
#include <fcntl.h>
#include <string.h>

#include "net/driver.h"
#include "net/pools.h"
#include "util/fs.h"

/* The first one has the network's name, for the sake of messages. */
static void pool_name(const char *network, uint32_t position, char name[static NET_NAME_SIZE])
{
	if (position == 0)
		(void)snprintf(name, NET_NAME_SIZE, "%s", network);
	else
		(void)snprintf(name, NET_NAME_SIZE, "%.110s-%u", network, position);
}

/* The directory with a network's pools; -ENOENT, without words, when there is none. */
static int open_pools(struct lcx_ctx *ctx, const char *network, bool make, struct lcx_error **err)
{
	CLEANUP(closep) int dir_fd = lcx__net_pools_dir(ctx, err);
	int fd;

	if (dir_fd < 0)
		return dir_fd;
	fd = lcx__open_dir(dir_fd, network);
	if (fd == -ENOENT && make)
		fd = lcx__make_dirs(dir_fd, network, 0700);
	if (fd == -ENOENT)
		return fd;
	return fd < 0 ? lcx__fail_sys(err, -fd, "open directory '%s/ipam/%s'", ctx->root_dir,
				      network)
		      : fd;
}

int lcx__pool_open(int pools_fd, const char *network, uint32_t position, struct lcx_ipam_pool **ret,
		   struct lcx_error **err)
{
	char name[NET_NAME_SIZE];

	pool_name(network, position, name);
	return lcx_ipam_pool_open(pools_fd, name, ret, err);
}

void lcx__pool_discard(int pools_fd, const char *network, uint32_t position)
{
	char name[NET_NAME_SIZE];

	pool_name(network, position, name);
	(void)lcx_ipam_pool_discard(pools_fd, name, NULL);
}

static void discard_all(int pools_fd, const char *network)
{
	for (uint32_t i = 0; i < NET_SUBNETS_LIMIT; i++)
		lcx__pool_discard(pools_fd, network, i);
}

/* First and last address of a range, as text; NULLs for "the whole subnet". */
static void range_ends(const char *range, char first[static LCX__INET_SIZE],
		       char last[static LCX__INET_SIZE])
{
	struct lcx__inet inet;

	first[0] = last[0] = '\0';
	if (range[0] == '\0' || lcx__inet_parse(range, &inet) < 0)
		return;
	lcx__inet_format_address(&inet, first);
	/* More than a pool counts: its first part. */
	if (inet.family == AF_INET6 && inet.prefix < 104)
		inet.prefix = 104;
	for (unsigned int bit = inet.prefix; bit < lcx__inet_length(&inet) * 8; bit++)
		inet.bytes[bit / 8] |= (uint8_t)(0x80u >> (bit % 8));
	lcx__inet_format_address(&inet, last);
}

static int exclude(struct lcx_ipam_pool *pool, const struct lcx_network *network,
		   struct lcx_error **err)
{
	int r = 0;

	for (uint32_t i = 0; i < network->exclusion_count && r == 0; i++)
		if (lcx_ipam_subnet_contains(lcx_ipam_pool_subnet(pool), network->exclusions[i],
					     NULL) == 1)
			r = lcx_ipam_reserve(pool, NET_EXCLUDED, network->exclusions[i], err);
	return lcx__fail_prefix(err, r, "exclude an address");
}

/* Of an IPv6 subnet, if nothing else is said: enough for any bridge, and made at once. */
static void default_range(const struct net_subnet *subnet, char range[static LCX__INET_SIZE])
{
	enum { PREFIX = 112 };
	struct lcx__inet inet;

	(void)snprintf(range, LCX__INET_SIZE, "%s", subnet->range);
	if (range[0] != '\0' || lcx__inet_parse(subnet->subnet, &inet) < 0 ||
	    inet.family != AF_INET6 || inet.prefix >= PREFIX)
		return;
	inet.prefix = PREFIX;
	lcx__inet_format(&inet, range);
}

int lcx__pool_make(int pools_fd, const struct lcx_network *network, uint32_t position,
		   struct lcx_error **err)
{
	const struct net_subnet *subnet = &network->subnets[position];
	char name[NET_NAME_SIZE], range[LCX__INET_SIZE], first[LCX__INET_SIZE],
		last[LCX__INET_SIZE];
	CLEANUP(lcx_ipam_pool_freep) struct lcx_ipam_pool *pool = NULL;
	int r;

	pool_name(network->name, position, name);
	default_range(subnet, range);
	range_ends(range, first, last);
	r = lcx_ipam_pool_create_range(pools_fd, name, subnet->subnet, subnet->gateway,
				       first[0] ? first : NULL, last[0] ? last : NULL, &pool, err);
	return r < 0 ? r : exclude(pool, network, err);
}

int lcx__pools_make(struct lcx_ctx *ctx, const struct lcx_network *network, struct lcx_error **err)
{
	CLEANUP(closep) int pools_fd = open_pools(ctx, network->name, true, err);
	int r = 0;

	if (pools_fd < 0)
		return pools_fd;
	discard_all(pools_fd, network->name);
	for (uint32_t i = 0; i < network->subnet_count && r == 0; i++)
		r = lcx__pool_make(pools_fd, network, i, err);
	if (r < 0)
		(void)lcx__pools_remove(ctx, network, NULL);
	return lcx__fail_prefix(err, r, "network '%s'", network->name);
}

/* Leases and reservations but for what is excluded; a damaged pool counts as used. */
static uint64_t count_used(int pools_fd, const struct lcx_network *network, uint32_t position)
{
	CLEANUP(lcx_ipam_pool_freep) struct lcx_ipam_pool *pool = NULL;
	uint64_t used = 0;
	int r = lcx__pool_open(pools_fd, network->name, position, &pool, NULL);

	if (r == -ENOENT)
		return 0;
	if (r < 0 || lcx_ipam_pool_used(pool, &used, NULL) < 0)
		return 1;
	for (uint32_t i = 0; i < network->exclusion_count; i++)
		used -= used > 0 && lcx_ipam_subnet_contains(lcx_ipam_pool_subnet(pool),
							     network->exclusions[i], NULL) == 1;
	return used;
}

bool lcx__pools_are_unused(struct lcx_ctx *ctx, const struct lcx_network *network)
{
	CLEANUP(closep) int pools_fd = open_pools(ctx, network->name, false, NULL);

	if (pools_fd < 0)
		return pools_fd == -ENOENT;
	for (uint32_t i = 0; i < network->subnet_count; i++)
		if (count_used(pools_fd, network, i) > 0)
			return false;
	return true;
}

int lcx__pools_remove(struct lcx_ctx *ctx, const struct lcx_network *network,
		      struct lcx_error **err)
{
	CLEANUP(closep) int pools_fd = open_pools(ctx, network->name, false, err), dir_fd = -1;
	char name[NET_NAME_SIZE];
	int r = 0;

	if (pools_fd < 0)
		return pools_fd == -ENOENT ? 0 : pools_fd;
	/* Asked of the pool itself only when it is in use: for the owners' names. */
	for (uint32_t i = 0; i < network->subnet_count && r == 0; i++) {
		pool_name(network->name, i, name);
		if (count_used(pools_fd, network, i) > 0)
			r = lcx_ipam_pool_destroy(pools_fd, name, err);
	}
	if (r < 0)
		return lcx__fail_prefix(err, r, "network '%s'", network->name);
	discard_all(pools_fd, network->name);
	(void)lcx__remove_temporaries(pools_fd);
	dir_fd = lcx__net_pools_dir(ctx, err);
	if (dir_fd < 0)
		return dir_fd;
	if (unlinkat(dir_fd, network->name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return lcx__fail_sys(err, errno, "remove '%s/ipam/%s'", ctx->root_dir,
				     network->name);
	return 0;
}

static int allocate(int pools_fd, const struct lcx_network *network, uint32_t position,
		    const char *owner, const char *wanted, struct lcx_ipam_pool **ret_pool,
		    char address[static LCX_IPAM_ADDRESS_SIZE], struct lcx_error **err)
{
	int r = lcx__pool_open(pools_fd, network->name, position, ret_pool, err);

	return r < 0 ? r
		     : lcx_ipam_allocate(*ret_pool, owner, wanted, address, LCX_IPAM_ADDRESS_SIZE,
					 err);
}

/* From one pool: 1 when an address was leased, 0 when the pool is not for it, or full. */
static int lease_from(struct lcx_ctx *ctx, int pools_fd, const struct lcx_network *network,
		      uint32_t position, const char *owner, struct net_address *ret,
		      struct lcx_error **err)
{
	const struct net_subnet *subnet = &network->subnets[position];
	const char *wanted = ret->address[0] != '\0' ? ret->address : NULL;
	CLEANUP(lcx_ipam_pool_freep) struct lcx_ipam_pool *pool = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *e = NULL;
	char address[LCX_IPAM_ADDRESS_SIZE];
	int r;

	if (wanted && lcx_ipam_subnet_contains(subnet->subnet, wanted, NULL) != 1)
		return 0;
	r = allocate(pools_fd, network, position, owner, wanted, &pool, address, &e);
	if (r == -EUCLEAN) {
		e = lcx_error_free(e);
		pool = lcx_ipam_pool_free(pool);
		r = lcx__pool_mend(ctx, pools_fd, network, position, &e);
		if (r == 0)
			r = allocate(pools_fd, network, position, owner, wanted, &pool, address,
				     &e);
	}
	if (r < 0) {
		/* The words of the last full one are the ones that remain. */
		if (err)
			*err = lcx_error_free(*err);
		(void)lcx__fail(err, -r, "%s", lcx_error_message(e));
		return r == -ENOSPC ? 0 : r;
	}
	(void)snprintf(ret->address, sizeof(ret->address), "%s", address);
	ret->prefix = lcx_ipam_pool_prefix_length(pool);
	ret->is_new = lcx__ipam_gave_new(pool);
	if (!network->internal && !lcx__driver_routes(network))
		(void)snprintf(ret->gateway, sizeof(ret->gateway), "%s", subnet->gateway);
	return 1;
}

static int lease_family(struct lcx_ctx *ctx, int pools_fd, const struct lcx_network *network,
			enum net_family family, const char *owner, struct net_address *ret,
			struct lcx_error **err)
{
	struct lcx_error *e = NULL;
	int r = 0;

	for (uint32_t i = 0; i < network->subnet_count && r == 0; i++)
		if (lcx__net_family_of(network->subnets[i].subnet) == family)
			r = lease_from(ctx, pools_fd, network, i, owner, ret, &e);
	if (r > 0) {
		lcx_error_free(e);
		return 0;
	}
	if (!e)
		return lcx__fail(err, ERANGE, "%s is not part of a subnet of network '%s'",
				 ret->address, network->name);
	r = r < 0 ? r : -ENOSPC;
	r = lcx__fail(err, -r, "%s", lcx_error_message(e));
	lcx_error_free(e);
	return r;
}

int lcx__pools_lease(struct lcx_ctx *ctx, const struct lcx_network *network,
		     struct lcx_attachment *attachment, struct lcx_error **err)
{
	CLEANUP(closep) int pools_fd = open_pools(ctx, network->name, false, err);
	net_families families = lcx__network_families(network);
	int r = 0;

	if (pools_fd == -ENOENT)
		return lcx__fail(err, ENOENT, "network '%s' has no address pools; create it anew",
				 network->name);
	if (pools_fd < 0)
		return pools_fd;
	for (enum net_family family = 0; family < NET_FAMILIES && r == 0; family++) {
		struct net_address *address = &attachment->addresses[family];

		if (families & 1u << family)
			r = lease_family(ctx, pools_fd, network, family, attachment->owner, address,
					 err);
		else if (address->address[0] != '\0')
			r = lcx__fail(err, EAFNOSUPPORT,
				      "%s: network '%s' has no subnet of its kind",
				      address->address, network->name);
	}
	return r;
}

/* One that is damaged, by somebody who does not hold the network's lock. */
static int mend(struct lcx_ctx *ctx, int pools_fd, const char *name, uint32_t position,
		struct lcx_error **err)
{
	CLEANUP(closep) int networks_fd = lcx__net_networks_dir(ctx, err), records_fd = -1;
	CLEANUP(lcx_network_freep) struct lcx_network *network = NULL;
	int r;

	if (networks_fd < 0)
		return networks_fd;
	r = lcx__network_read(networks_fd, name, &network, err);
	if (r == -ENOENT)
		return lcx__fail(err, EUCLEAN,
				 "the address pool of network '%s', which is gone, is damaged",
				 name);
	if (r < 0)
		return r;
	records_fd = lcx__net_records_lock(ctx, name, err);
	return records_fd < 0 ? records_fd : lcx__pool_mend(ctx, pools_fd, network, position, err);
}

typedef int pool_visitor(struct lcx_ipam_pool *pool, void *data, struct lcx_error **err);

static int visit_one(int pools_fd, const char *network, uint32_t position, pool_visitor *visit,
		     void *data, struct lcx_error **err)
{
	CLEANUP(lcx_ipam_pool_freep) struct lcx_ipam_pool *pool = NULL;
	int r = lcx__pool_open(pools_fd, network, position, &pool, err);

	return r < 0 ? r : visit(pool, data, err);
}

/* Visit every pool of a network; a failure stops nobody. One without pools has none to visit. */
static int each_pool(struct lcx_ctx *ctx, const char *network, pool_visitor *visit, void *data,
		     struct lcx_error **err)
{
	CLEANUP(closep) int pools_fd = open_pools(ctx, network, false, err);
	struct lcx__troubles troubles = TROUBLES_NONE;

	if (pools_fd < 0)
		return pools_fd == -ENOENT ? 0 : pools_fd;
	for (uint32_t i = 0; i < NET_SUBNETS_LIMIT; i++) {
		struct lcx_error *e = NULL;
		int r = visit_one(pools_fd, network, i, visit, data, &e);

		if (r == -ENOENT) {
			lcx_error_free(e);
			break;
		}
		if (r == -EUCLEAN) {
			e = lcx_error_free(e);
			r = mend(ctx, pools_fd, network, i, &e);
			if (r == 0)
				r = visit_one(pools_fd, network, i, visit, data, &e);
		}
		lcx__troubles_add(&troubles, r, &e);
	}
	return lcx__troubles_end(&troubles, err);
}

static int release_in(struct lcx_ipam_pool *pool, void *data, struct lcx_error **err)
{
	return lcx_ipam_release_owner(pool, data, NULL, err);
}

int lcx__pools_release(struct lcx_ctx *ctx, const char *network, const char *owner,
		       struct lcx_error **err)
{
	return each_pool(ctx, network, release_in, (void *)(uintptr_t)owner, err);
}

struct lister {
	int (*visit)(const char *owner, void *data);
	void *data;
};

static int list_in(struct lcx_ipam_pool *pool, void *data, struct lcx_error **err)
{
	CLEANUP(lcx_ipam_cursor_freep) struct lcx_ipam_cursor *cursor = NULL;
	const struct lister *lister = data;
	int r = lcx_ipam_cursor_new(pool, &cursor, err);

	while (r >= 0 && (r = lcx_ipam_cursor_next(cursor, err)) > 0)
		if (lcx_ipam_cursor_kind(cursor) == LCX_IPAM_LEASE &&
		    lister->visit(lcx_ipam_cursor_owner(cursor), lister->data) < 0)
			return lcx__fail_nomem(err);
	return r;
}

int lcx__pools_list(struct lcx_ctx *ctx, const char *network,
		    int (*visit)(const char *owner, void *data), void *data, struct lcx_error **err)
{
	struct lister lister = {visit, data};

	return each_pool(ctx, network, list_in, &lister, err);
}
