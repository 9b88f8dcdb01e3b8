/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/random.h>
#include <unistd.h>

#include "ipam/ipam-internal.h"
#include "util/str.h"

/* The life of a pool: what it is, making it, opening it, removing it. */

/* Wider IPv4 subnets than /8 are nobody's; the others leave no address or can't be counted. */
static const struct {
	uint32_t bits, least, most;
} prefix_rules[] = {
	{32, 8, 32},
	{128, 16, 128},
};

enum { OWNERS_NAMED = 5 };

bool lcx__ipam_slot(const struct lcx_ipam_pool *pool, lcx__address address, uint32_t *ret_slot)
{
	if (address < pool->range_first || address - pool->range_first >= pool->header.range_count)
		return false;
	*ret_slot = (uint32_t)(address - pool->range_first);
	return true;
}

/*
 * With two addresses or one there is neither network nor broadcast address
 * (RFC 3021, RFC 6164); IPv6 has no broadcast, but an anycast address of the
 * routers where IPv4 has the network's (RFC 4291, 2.6.1).
 */
static bool is_network_or_broadcast(const struct lcx__subnet *subnet, lcx__address address)
{
	if (subnet->bits - subnet->prefix < 2)
		return false;
	return address == subnet->base ||
	       (subnet->bits == 32 && address == lcx__subnet_last(subnet));
}

bool lcx__ipam_is_special(const struct lcx_ipam_pool *pool, lcx__address address)
{
	return is_network_or_broadcast(&pool->subnet, address) ||
	       (pool->header.has_gateway && address == pool->gateway);
}

uint32_t lcx__ipam_special_slots(const struct lcx_ipam_pool *pool,
				 uint32_t slots[static LCX__SPECIALS])
{
	const lcx__address candidates[LCX__SPECIALS] = {
		pool->subnet.base,
		lcx__subnet_last(&pool->subnet),
		pool->gateway,
	};
	uint32_t count = 0;

	for (uint32_t i = 0; i < LCX__SPECIALS; i++) {
		bool seen = false;

		if (!lcx__ipam_is_special(pool, candidates[i]) ||
		    !lcx__ipam_slot(pool, candidates[i], &slots[count]))
			continue;
		for (uint32_t j = 0; j < count; j++)
			seen = seen || slots[j] == slots[count];
		count += !seen;
	}
	return count;
}

static int check_prefix(const char *text, const struct lcx__subnet *subnet, struct lcx_error **err)
{
	for (size_t i = 0; i < ARRAY_SIZE(prefix_rules); i++)
		if (prefix_rules[i].bits == subnet->bits &&
		    (subnet->prefix < prefix_rules[i].least ||
		     subnet->prefix > prefix_rules[i].most))
			return lcx__fail(err, EINVAL,
					 "subnet %s: the prefix length of a pool is %u to %u", text,
					 prefix_rules[i].least, prefix_rules[i].most);
	return 0;
}

/* An address that is to lie in the subnet; @what is it for the message. */
static int parse_member(const struct lcx__subnet *subnet, const char *what, const char *text,
			lcx__address *ret, struct lcx_error **err)
{
	uint32_t bits;

	if (lcx__address_parse(text, &bits, ret) < 0)
		return lcx__fail(err, EINVAL, "%s '%s' is not an IP address", what, text);
	if (bits != subnet->bits || !lcx__subnet_has(subnet, *ret))
		return lcx__fail(err, EINVAL, "%s %s is outside the subnet", what, text);
	return 0;
}

static int choose_gateway(struct lcx_ipam_pool *draft, const char *text, struct lcx_error **err)
{
	const struct lcx__subnet *subnet = &draft->subnet;
	int r;

	draft->header.has_gateway = !text || strcmp(text, "none") != 0;
	if (!text)
		draft->gateway = subnet->base + (subnet->bits - subnet->prefix >= 2);
	if (!text || !draft->header.has_gateway)
		return 0;
	r = parse_member(subnet, "gateway", text, &draft->gateway, err);
	if (r < 0)
		return r;
	if (is_network_or_broadcast(subnet, draft->gateway))
		return lcx__fail(err, EINVAL,
				 "gateway %s is the network's own or the broadcast address", text);
	return 0;
}

static int choose_range(struct lcx_ipam_pool *draft, const char *first, const char *last,
			struct lcx_error **err)
{
	lcx__address low = draft->subnet.base, high = lcx__subnet_last(&draft->subnet);
	uint32_t slots[LCX__SPECIALS];
	int r = 0;

	if (first)
		r = parse_member(&draft->subnet, "first address", first, &low, err);
	if (r == 0 && last)
		r = parse_member(&draft->subnet, "last address", last, &high, err);
	if (r < 0)
		return r;
	if (low > high)
		return lcx__fail(err, EINVAL, "the range's first address %s is behind its last",
				 first);
	if (high - low >= LCX__MAX_RANGE) {
		if (last)
			return lcx__fail(err, EINVAL,
					 "a range has at most %d addresses; choose a nearer last "
					 "address than %s",
					 LCX__MAX_RANGE, last);
		high = low + LCX__MAX_RANGE - 1;
	}
	draft->range_first = low;
	draft->header.range_count = (uint32_t)(high - low) + 1;
	if (lcx__ipam_special_slots(draft, slots) == draft->header.range_count)
		return lcx__fail(
			err, EINVAL,
			"no address is left for containers; choose a larger subnet or range");
	return 0;
}

static int fill_header(struct lcx_ipam_pool *draft, struct lcx_error **err)
{
	struct lcx__ipam_header *header = &draft->header;
	uint32_t buckets = header->range_count / 2;

	if (buckets < LCX__CELL_LINKS)
		buckets = LCX__CELL_LINKS;
	if (buckets > LCX__MAX_BUCKETS)
		buckets = LCX__MAX_BUCKETS;
	header->bucket_count = buckets;
	header->bits = draft->subnet.bits;
	header->prefix = draft->subnet.prefix;
	lcx__address_store(draft->subnet.base, header->base);
	lcx__address_store(draft->gateway, header->gateway);
	lcx__address_store(draft->range_first, header->range_first);
	header->created_ns = lcx__now_ns();
	if (getrandom(&header->salt, sizeof(header->salt), 0) != sizeof(header->salt))
		return lcx__fail(err, EIO, "no random numbers from the system");
	return 0;
}

LCX_PUBLIC int lcx_ipam_pool_create_range(int dir_fd, const char *name, const char *subnet,
					  const char *gateway, const char *first, const char *last,
					  struct lcx_ipam_pool **ret, struct lcx_error **err)
{
	struct lcx_ipam_pool draft = {.fd = -1, .writes_left = -1};
	int r;

	r = lcx__subnet_parse(subnet, &draft.subnet, err);
	if (r == 0)
		r = check_prefix(subnet, &draft.subnet, err);
	if (r == 0)
		r = choose_gateway(&draft, gateway, err);
	if (r == 0)
		r = choose_range(&draft, first, last, err);
	if (r == 0)
		r = fill_header(&draft, err);
	if (r < 0)
		return lcx__fail_prefix(err, r, "address pool '%s'", name ? name : "(null)");
	r = lcx__ipam_file_create(dir_fd, name, &draft, err);
	if (r < 0)
		return r;
	return lcx_ipam_pool_open(dir_fd, name, ret, err);
}

LCX_PUBLIC int lcx_ipam_pool_create(int dir_fd, const char *name, const char *subnet,
				    const char *gateway, struct lcx_ipam_pool **ret,
				    struct lcx_error **err)
{
	return lcx_ipam_pool_create_range(dir_fd, name, subnet, gateway, NULL, NULL, ret, err);
}

/* The boot as bytes; zeros, which are never equal to a boot, where /proc does not tell. */
static void read_boot(uint8_t boot[static LCX__BOOT_BYTES])
{
	char text[LCX__BOOT_ID_SIZE];
	size_t digits = 0;

	memset(boot, 0, LCX__BOOT_BYTES);
	if (lcx__boot_id(text) < 0)
		return;
	for (const char *c = text; *c && digits < 2 * LCX__BOOT_BYTES; c++) {
		const char *all = "0123456789abcdef", *digit = strchr(all, *c);

		if (!digit)
			continue;
		boot[digits / 2] = (uint8_t)(boot[digits / 2] << 4 | (digit - all));
		digits++;
	}
}

/* Once in each boot, all is compared with all. */
static int check_once(struct lcx_ipam_pool *pool, struct lcx_error **err)
{
	static const uint8_t unknown[LCX__BOOT_BYTES];
	CLEANUP(lcx__ipam_end) struct lcx__ipam_change change;
	int r;

	r = lcx__ipam_begin(pool, &change, err);
	if (r < 0)
		return r;
	if (memcmp(pool->boot, unknown, sizeof(unknown)) != 0 &&
	    memcmp(lcx__ipam_state(&change)->checked_boot, pool->boot, sizeof(pool->boot)) == 0)
		return lcx__ipam_whole(&change, err);
	lcx__ipam_verify(&change);
	memcpy(lcx__ipam_state_write(&change)->checked_boot, pool->boot, sizeof(pool->boot));
	return lcx__ipam_commit(&change, err);
}

LCX_PUBLIC int lcx_ipam_pool_open(int dir_fd, const char *name, struct lcx_ipam_pool **ret,
				  struct lcx_error **err)
{
	CLEANUP(lcx_ipam_pool_freep) struct lcx_ipam_pool *pool = NULL;
	char base[LCX_IPAM_ADDRESS_SIZE];
	int r;

	r = lcx__ipam_file_open(dir_fd, name, &pool, err);
	if (r < 0)
		return r;
	lcx__address_format(pool->subnet.bits, pool->subnet.base, base);
	(void)snprintf(pool->subnet_text, sizeof(pool->subnet_text), "%s/%u", base,
		       pool->subnet.prefix);
	if (pool->header.has_gateway)
		lcx__address_format(pool->subnet.bits, pool->gateway, pool->gateway_text);
	read_boot(pool->boot);
	r = check_once(pool, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(pool);
	return 0;
}

LCX_PUBLIC struct lcx_ipam_pool *lcx_ipam_pool_free(struct lcx_ipam_pool *pool)
{
	if (!pool)
		return NULL;
	if (pool->map)
		(void)munmap((void *)(uintptr_t)pool->map, pool->mapped);
	closep(&pool->fd);
	free(pool->name);
	free(pool);
	return NULL;
}

/* "'a', 'b', ... (7 in all)" */
static void name_owners(struct lcx__ipam_change *change, struct lcx__strbuf *text)
{
	uint32_t used = lcx__ipam_state(change)->used, named = 0;
	uint32_t top = lcx__ipam_state(change)->lease_top;

	for (uint32_t link = 1; link <= top && named < OWNERS_NAMED && !change->damaged; link++) {
		const struct lcx__ipam_lease *lease = lcx__lease_read(change, link);

		if (!lcx__lease_is_held(lease))
			continue;
		lcx__strbuf_addf(text, "%s'%.*s'", named++ ? ", " : "", (int)lease->owner_length,
				 lease->owner);
	}
	if (used > named)
		lcx__strbuf_addf(text, ", ... (%u in all)", used);
}

static int check_empty(struct lcx__ipam_change *change, struct lcx_error **err)
{
	struct lcx__strbuf owners = STRBUF_EMPTY;
	int r;

	if (lcx__ipam_state(change)->used == 0)
		return lcx__ipam_whole(change, err);
	name_owners(change, &owners);
	r = lcx__ipam_whole(change, err);
	if (r == 0)
		r = lcx__fail(err, EBUSY,
			      "address pool '%s' is in use by %s; release their addresses first",
			      change->pool->name, owners.text ? owners.text : "some owner");
	lcx__strbuf_free(&owners);
	return r;
}

static int remove_file(int dir_fd, const char *name, struct lcx_error **err)
{
	char file[LCX__FILE_NAME_SIZE];
	int r;

	r = lcx__ipam_file_name(name, file, err);
	if (r < 0)
		return r;
	if (unlinkat(dir_fd, file, 0) < 0)
		return errno == ENOENT
			       ? lcx__fail(err, ENOENT, "there is no address pool '%s'", name)
			       : lcx__fail_sys(err, errno, "remove address pool '%s'", name);
	return 0;
}

LCX_PUBLIC int lcx_ipam_pool_destroy(int dir_fd, const char *name, struct lcx_error **err)
{
	CLEANUP(lcx_ipam_pool_freep) struct lcx_ipam_pool *pool = NULL;
	CLEANUP(lcx__ipam_end) struct lcx__ipam_change change = {.locked = false};
	int r;

	r = lcx_ipam_pool_open(dir_fd, name, &pool, err);
	if (r == 0)
		r = lcx__ipam_begin(pool, &change, err);
	if (r == 0)
		r = check_empty(&change, err);
	/* Still locked: nobody can get a lease between the look and the removal. */
	return r < 0 ? r : remove_file(dir_fd, name, err);
}

/* Locked, so that nobody is given an address of a pool that is gone by then. */
LCX_PUBLIC int lcx_ipam_pool_discard(int dir_fd, const char *name, struct lcx_error **err)
{
	CLEANUP(closep) int fd = -1;
	char file[LCX__FILE_NAME_SIZE];
	struct stat st;
	int r;

	r = lcx__ipam_file_name(name, file, err);
	if (r < 0)
		return r;
	/* What is no pool file at all is not worth a lock. */
	fd = openat(dir_fd, file, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0)
		(void)lcx__ipam_lock(fd);
	/* Others have discarded it meanwhile; what has the name now is another one. */
	if (fd >= 0 && fstat(fd, &st) == 0 && st.st_nlink == 0)
		return 0;
	return remove_file(dir_fd, name, err);
}

LCX_PUBLIC const char *lcx_ipam_pool_name(const struct lcx_ipam_pool *pool)
{
	return pool->name;
}

LCX_PUBLIC const char *lcx_ipam_pool_subnet(const struct lcx_ipam_pool *pool)
{
	return pool->subnet_text;
}

LCX_PUBLIC const char *lcx_ipam_pool_gateway(const struct lcx_ipam_pool *pool)
{
	return pool->gateway_text;
}

LCX_PUBLIC uint32_t lcx_ipam_pool_prefix_length(const struct lcx_ipam_pool *pool)
{
	return pool->subnet.prefix;
}

LCX_PUBLIC uint32_t lcx_ipam_pool_ip_version(const struct lcx_ipam_pool *pool)
{
	return pool->subnet.bits == 32 ? 4 : 6;
}

LCX_PUBLIC uint64_t lcx_ipam_pool_capacity(const struct lcx_ipam_pool *pool)
{
	uint32_t slots[LCX__SPECIALS];

	return pool->header.range_count - lcx__ipam_special_slots(pool, slots);
}

LCX_PUBLIC int lcx_ipam_pool_used(struct lcx_ipam_pool *pool, uint64_t *ret, struct lcx_error **err)
{
	CLEANUP(lcx__ipam_end) struct lcx__ipam_change change;
	uint64_t used;
	int r;

	r = lcx__ipam_begin(pool, &change, err);
	if (r < 0)
		return r;
	used = lcx__ipam_state(&change)->used;
	r = lcx__ipam_whole(&change, err);
	if (r == 0)
		*ret = used;
	return r;
}
