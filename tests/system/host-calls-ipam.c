/* SPDX-License-Identifier: MIT */
#include <sys/syscall.h>
#include <unistd.h>

#include "host-calls.h"

static struct lcx_ipam_pool *pool;

static int create_pool(struct world *w, struct lcx_error **err)
{
	return lcx_ipam_pool_create(w->dir_fd, "pool", "10.9.8.0/29", NULL, &pool, err);
}

static int refuse_pools(struct world *w, struct lcx_error **err)
{
	struct lcx_ipam_pool *other = NULL;

	REFUSED(lcx_ipam_pool_create(w->dir_fd, "pool", "10.9.8.0/29", NULL, &other, err));
	REFUSED(lcx_ipam_pool_create(-1, "pool", "10.9.8.0/29", NULL, &other, err));
	REFUSED(lcx_ipam_pool_create_range(w->dir_fd, "range", "10.9.7.0/24", NULL, "10.9.8.1",
					   "10.9.8.9", &other, err));
	REFUSED(lcx_ipam_pool_open(w->dir_fd, "none", &other, err));
	REFUSED(lcx_ipam_pool_destroy(w->dir_fd, "none", err));
	REFUSED(lcx_ipam_pool_discard(w->dir_fd, "none", err));
	return 0;
}

static int lease_addresses(struct world *w, struct lcx_error **err)
{
	char address[64], owner[64];
	uint32_t count;

	(void)w;
	MUST(lcx_ipam_allocate(pool, "one", NULL, address, sizeof(address), err));
	MUST(lcx_ipam_lookup(pool, address, owner, sizeof(owner), err));
	MUST(lcx_ipam_lookup_owner(pool, "one", 0, address, sizeof(address), err));
	MUST(lcx_ipam_release(pool, address, "one", err));
	MUST(lcx_ipam_reserve(pool, "two", "10.9.8.4", err));
	REFUSED(lcx_ipam_reserve(pool, "one", "10.9.8.4", err));
	REFUSED(lcx_ipam_reserve(pool, "one", "10.9.9.4", err));
	return lcx_ipam_release_owner(pool, "two", &count, err);
}

static int tie_leases_to_a_process(struct world *w, struct lcx_error **err)
{
	int pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	char address[64];
	uint32_t count;

	(void)w;
	MUST(pidfd);
	MUST(lcx_ipam_pool_tie(pool, pidfd, err));
	MUST(lcx_ipam_allocate(pool, "three", NULL, address, sizeof(address), err));
	MUST(lcx_ipam_tie(pool, "three", -1, err));
	MUST(lcx_ipam_tie(pool, "three", pidfd, err));
	REFUSED(lcx_ipam_tie(pool, "nobody", pidfd, err));
	MUST(lcx_ipam_reclaim(pool, &count, err));
	MUST(lcx_ipam_pool_tie(pool, -1, err));
	close(pidfd);
	return lcx_ipam_release_owner(pool, "three", &count, err);
}

static int allocate_until_the_pool_is_full(struct world *w, struct lcx_error **err)
{
	char address[64];
	int r = 0;

	(void)w;
	while (r == 0)
		r = lcx_ipam_allocate(pool, "owner", NULL, address, sizeof(address), err);
	return r == -EINVAL ? r : 0;
}

static int look_at_pool(struct world *w, struct lcx_error **err)
{
	static const char *(*const texts[])(const struct lcx_ipam_pool *) = {
		lcx_ipam_pool_name, lcx_ipam_pool_subnet, lcx_ipam_pool_gateway};
	struct lcx_ipam_cursor *cursor = NULL;
	uint64_t used;
	int r;

	(void)w;
	ALL(texts, pool);
	(void)lcx_ipam_pool_prefix_length(pool), (void)lcx_ipam_pool_ip_version(pool);
	(void)lcx_ipam_pool_capacity(pool);
	MUST(lcx_ipam_pool_used(pool, &used, err));
	MUST(lcx_ipam_cursor_new(pool, &cursor, err));
	while ((r = lcx_ipam_cursor_next(cursor, err)) > 0) {
		(void)lcx_ipam_cursor_address(cursor), (void)lcx_ipam_cursor_owner(cursor);
		(void)lcx_ipam_cursor_time_ns(cursor), (void)lcx_ipam_cursor_kind(cursor);
		(void)lcx_ipam_cursor_this_boot(cursor), (void)lcx_ipam_cursor_pid(cursor);
	}
	lcx_ipam_cursor_free(cursor);
	return r;
}

static int free_pool(struct world *w, struct lcx_error **err)
{
	(void)w, (void)err;
	pool = lcx_ipam_pool_free(pool);
	return 0;
}

static int open_and_destroy_pools(struct world *w, struct lcx_error **err)
{
	MUST(lcx_ipam_pool_open(w->dir_fd, "pool", &pool, err));
	REFUSED(lcx_ipam_pool_destroy(w->dir_fd, "pool", err));
	pool = lcx_ipam_pool_free(pool);
	MUST(lcx_ipam_pool_discard(w->dir_fd, "pool", err));
	MUST(lcx_ipam_pool_create_range(w->dir_fd, "range", "10.9.8.0/24", NULL, "10.9.8.10",
					"10.9.8.20", &pool, err));
	pool = lcx_ipam_pool_free(pool);
	return lcx_ipam_pool_destroy(w->dir_fd, "range", err);
}

static int compare_subnets(struct world *w, struct lcx_error **err)
{
	(void)w;
	MUST(lcx_ipam_subnet_overlaps("10.9.8.0/24", "10.9.0.0/16", err));
	MUST(lcx_ipam_subnet_contains("10.9.8.0/24", "10.9.8.1", err));
	REFUSED(lcx_ipam_subnet_overlaps("10.9.8.0/24", "x", err));
	REFUSED(lcx_ipam_subnet_contains("x", "10.9.8.1", err));
	return 0;
}

const struct row rows_ipam[] = {
	ROW(create_pool, HELD),
	ROW(refuse_pools, HELD),
	ROW(lease_addresses, HELD),
	ROW(tie_leases_to_a_process, HELD),
	ROW(allocate_until_the_pool_is_full, HELD),
	ROW(look_at_pool, HELD),
	ROW(free_pool, RELEASED),
	ROW(open_and_destroy_pools, RELEASED),
	ROW(compare_subnets, RELEASED),
	{0},
};
