/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "ipam/ipam-internal.h"
#include "unit.h"
#include "util/str.h"
#include "util/sys.h"

static struct unit_dir dir;
static struct lcx_error *err;

static void set_up(void)
{
	unit_dir_make(&dir);
	err = NULL;
}

static void tear_down(void)
{
	unit_dir_remove(&dir);
}

static struct lcx_ipam_pool *make(const char *subnet)
{
	struct lcx_ipam_pool *pool = NULL;
	int r = lcx_ipam_pool_create(dir.fd, "net", subnet, NULL, &pool, &err);

	ck_assert_msg(r == 0, "%s", lcx_error_message(err));
	return pool;
}

static const char *allocate(struct lcx_ipam_pool *pool, const char *owner, const char *wanted)
{
	static char address[LCX_IPAM_ADDRESS_SIZE];
	int r = lcx_ipam_allocate(pool, owner, wanted, address, sizeof(address), &err);

	ck_assert_msg(r == 0, "%s", lcx_error_message(err));
	return address;
}

static uint64_t used(struct lcx_ipam_pool *pool)
{
	uint64_t count = UINT64_MAX;

	ck_assert_ok(lcx_ipam_pool_used(pool, &count, NULL));
	return count;
}

/* All structures agree; as the first open of a boot checks. */
static bool is_sound(struct lcx_ipam_pool *pool)
{
	CLEANUP(lcx__ipam_end) struct lcx__ipam_change change;

	if (lcx__ipam_begin(pool, &change, NULL) < 0)
		return false;
	lcx__ipam_verify(&change);
	return !change.damaged;
}

static const struct {
	const char *subnet, *gateway;
	int code;
	const char *words;
} create_cases[] = {
	{"10.88.0.0", NULL, EINVAL, "not a subnet"},
	{"10.88.0.0/33", NULL, EINVAL, "not a subnet"},
	{"10.88.0.0/-1", NULL, EINVAL, "not a subnet"},
	{"10.88.0.0/", NULL, EINVAL, "not a subnet"},
	{"010.88.0.0/16", NULL, EINVAL, "not a subnet"},
	{"fd00::%lo/64", NULL, EINVAL, "not a subnet"},
	{"10.88.0.1/16", NULL, EINVAL, "the subnet is 10.88.0.0/16"},
	{"10.0.0.0/7", NULL, EINVAL, "8 to 32"},
	{"::/0", NULL, EINVAL, "16 to 128"},
	{"10.88.0.0/16", "10.89.0.1", EINVAL, "outside"},
	{"10.88.0.0/16", "fd00::1", EINVAL, "outside"},
	{"10.88.0.0/16", "10.88.0.0", EINVAL, "network's own"},
	{"10.88.0.0/16", "10.88.255.255", EINVAL, "broadcast"},
	{"10.88.0.0/16", "x", EINVAL, "not an IP address"},
	{"10.88.0.1/32", NULL, EINVAL, "no address is left"},
	{NULL, NULL, EINVAL, "not a subnet"},
};

START_TEST(subnets_that_cannot_be_are_refused)
{
	struct lcx_ipam_pool *pool = NULL;

	ck_assert_fails(lcx_ipam_pool_create(dir.fd, "net", create_cases[_i].subnet,
					     create_cases[_i].gateway, &pool, &err),
			create_cases[_i].code, err, create_cases[_i].words);
	ck_assert_ptr_null(pool);
	ck_assert_fails(lcx_ipam_pool_open(dir.fd, "net", &pool, &err), ENOENT, err, "'net'");
}
END_TEST

/* Every address that may be given, in order; then none. */
static const struct {
	const char *subnet, *gateway, *first, *last;
	uint64_t capacity;
} walk_cases[] = {
	{"10.0.0.0/24", NULL, "10.0.0.2", "10.0.0.254", 253},
	{"10.0.0.0/24", "10.0.0.254", "10.0.0.1", "10.0.0.253", 253},
	{"10.0.0.0/24", "none", "10.0.0.1", "10.0.0.254", 254},
	{"10.0.0.0/30", NULL, "10.0.0.2", "10.0.0.2", 1},
	{"10.0.0.0/31", NULL, "10.0.0.1", "10.0.0.1", 1},
	{"10.0.0.0/31", "none", "10.0.0.0", "10.0.0.1", 2},
	{"10.0.0.7/32", "none", "10.0.0.7", "10.0.0.7", 1},
	{"10.0.0.0/20", NULL, "10.0.0.2", "10.0.15.254", 4093},
	{"fd00::/120", NULL, "fd00::2", "fd00::ff", 254},
	{"fd00::/127", NULL, "fd00::1", "fd00::1", 1},
};

START_TEST(a_pool_gives_every_address_once_and_then_says_full)
{
	struct lcx_ipam_pool *pool = NULL;
	char address[LCX_IPAM_ADDRESS_SIZE], owner[32], who[LCX_IPAM_OWNER_SIZE];

	ck_assert_ok(lcx_ipam_pool_create(dir.fd, "net", walk_cases[_i].subnet,
					  walk_cases[_i].gateway, &pool, &err));
	ck_assert_uint_eq(lcx_ipam_pool_capacity(pool), walk_cases[_i].capacity);
	for (uint64_t n = 0; n < walk_cases[_i].capacity; n++) {
		snprintf(owner, sizeof(owner), "c%ju", (uintmax_t)n);
		strcpy(address, allocate(pool, owner, NULL));
		if (n == 0)
			ck_assert_str_eq(address, walk_cases[_i].first);
		ck_assert_int_eq(lcx_ipam_lookup(pool, address, who, sizeof(who), &err),
				 LCX_IPAM_LEASE);
		ck_assert_str_eq(who, owner);
	}
	ck_assert_str_eq(address, walk_cases[_i].last);
	ck_assert_fails(lcx_ipam_allocate(pool, "late", NULL, address, sizeof(address), &err),
			ENOSPC, err, "full");
	ck_assert_uint_eq(used(pool), walk_cases[_i].capacity);
	ck_assert(is_sound(pool));

	/* The only free one is found wherever it is. */
	ck_assert_ok(lcx_ipam_release(pool, walk_cases[_i].last, NULL, &err));
	ck_assert_str_eq(allocate(pool, "late", NULL), walk_cases[_i].last);
	ck_assert(is_sound(pool));
	lcx_ipam_pool_free(pool);
}
END_TEST

START_TEST(a_pool_tells_what_it_is)
{
	struct lcx_ipam_pool *pool = make("10.88.0.0/16");

	ck_assert_str_eq(lcx_ipam_pool_name(pool), "net");
	ck_assert_str_eq(lcx_ipam_pool_subnet(pool), "10.88.0.0/16");
	ck_assert_str_eq(lcx_ipam_pool_gateway(pool), "10.88.0.1");
	ck_assert_uint_eq(lcx_ipam_pool_prefix_length(pool), 16);
	ck_assert_uint_eq(lcx_ipam_pool_ip_version(pool), 4);
	ck_assert_uint_eq(lcx_ipam_pool_capacity(pool), 65533);
	ck_assert_uint_eq(used(pool), 0);
	lcx_ipam_pool_free(pool);
}
END_TEST

START_TEST(a_second_create_is_refused_and_open_finds_the_first)
{
	struct lcx_ipam_pool *first = make("10.88.0.0/16"), *second = NULL;

	allocate(first, "web", "10.88.7.7");
	ck_assert_fails(lcx_ipam_pool_create(dir.fd, "net", "10.88.0.0/16", NULL, &second, &err),
			EEXIST, err, "exists already");
	ck_assert_ok(lcx_ipam_pool_open(dir.fd, "net", &second, &err));
	ck_assert_fails(lcx_ipam_allocate(second, "db", "10.88.7.7", (char[46]){0}, 46, &err),
			EADDRINUSE, err, "'web'");
	lcx_ipam_pool_free(first);
	lcx_ipam_pool_free(second);
}
END_TEST

START_TEST(names_that_could_be_paths_are_refused)
{
	struct lcx_ipam_pool *pool = NULL;

	ck_assert_fails(lcx_ipam_pool_create(dir.fd, "../net", "10.0.0.0/24", NULL, &pool, &err),
			EINVAL, err, "cannot name");
	ck_assert_fails(lcx_ipam_pool_discard(dir.fd, "a/b", &err), EINVAL, err, "cannot name");
	pool = make("10.0.0.0/24");
	ck_assert_fails(lcx_ipam_allocate(pool, "a b", NULL, (char[46]){0}, 46, &err), EINVAL, err,
			"cannot own");
	ck_assert_fails(lcx_ipam_allocate(pool, NULL, NULL, (char[46]){0}, 46, &err), EINVAL, err,
			"cannot own");
	lcx_ipam_pool_free(pool);
}
END_TEST

static const struct {
	const char *address;
	int code;
	const char *words;
} static_cases[] = {
	{"10.0.0.1", EADDRINUSE, "gateway"},
	{"10.0.0.0", EINVAL, "broadcast"},
	{"10.0.0.255", EINVAL, "broadcast"},
	{"10.0.1.1", ERANGE, "outside"},
	{"fd00::1", ERANGE, "outside"},
	{"10.0.0", EINVAL, "not an IP address"},
	{"10.0.0.9", EADDRINUSE, "leased to 'web'"},
	{"10.0.0.8", EADDRINUSE, "reserved for 'db'"},
};

START_TEST(a_static_address_that_cannot_be_says_why)
{
	struct lcx_ipam_pool *pool = make("10.0.0.0/24");
	char address[LCX_IPAM_ADDRESS_SIZE] = "untouched";

	allocate(pool, "web", "10.0.0.9");
	ck_assert_ok(lcx_ipam_reserve(pool, "db", "10.0.0.8", &err));
	ck_assert_fails(lcx_ipam_allocate(pool, "new", static_cases[_i].address, address,
					  sizeof(address), &err),
			static_cases[_i].code, err, static_cases[_i].words);
	ck_assert_str_eq(address, "untouched");
	ck_assert_uint_eq(used(pool), 2);
	lcx_ipam_pool_free(pool);
}
END_TEST

START_TEST(a_freed_address_rests_while_there_are_others)
{
	struct lcx_ipam_pool *pool = make("10.0.0.0/24");
	char address[LCX_IPAM_ADDRESS_SIZE];

	for (int i = 2; i <= 254; i++) {
		strcpy(address, allocate(pool, "web", NULL));
		ck_assert_int_eq(i, (int)(ntohl(inet_addr(address)) & 0xff));
		ck_assert_ok(lcx_ipam_release(pool, address, "web", &err));
	}
	ck_assert_str_eq(allocate(pool, "web", NULL), "10.0.0.2");
	lcx_ipam_pool_free(pool);
}
END_TEST

/* What the order must be, by the simplest means: who was never given, and who was freed when. */
enum { MODEL_SLOTS = 256 };
struct model {
	bool held[MODEL_SLOTS], given[MODEL_SLOTS];
	int freed[MODEL_SLOTS], freed_count;
};

static int model_next(const struct model *model, int first, int last)
{
	for (int i = first; i <= last; i++)
		if (!model->given[i])
			return i;
	return model->freed_count ? model->freed[0] : -1;
}

static void model_take(struct model *model, int which)
{
	int kept = 0;

	for (int i = 0; i < model->freed_count; i++)
		if (model->freed[i] != which)
			model->freed[kept++] = model->freed[i];
	model->freed_count = kept;
	model->held[which] = model->given[which] = true;
}

static void model_free(struct model *model, int which)
{
	model->held[which] = false;
	model->freed[model->freed_count++] = which;
}

static const struct {
	const char *subnet, *first, *last, *prefix;
	int from, to;
} order_cases[] = {
	{"10.0.0.0/24", NULL, NULL, "10.0.0.", 2, 254},
	{"10.0.0.0/24", "10.0.0.20", "10.0.0.60", "10.0.0.", 20, 60},
	{"10.0.0.0/29", NULL, NULL, "10.0.0.", 2, 6},
	{"fd00:7::/64", "fd00:7::10", "fd00:7::19", "fd00:7::", 10, 19},
};

/* Ask for any, ask for one, give back, in no order, and reopen in between. */
START_TEST(the_address_freed_longest_ago_is_given_next)
{
	int from = order_cases[_i].from, to = order_cases[_i].to, full = 0, again = 0;
	char expected[LCX_IPAM_ADDRESS_SIZE], got[LCX_IPAM_ADDRESS_SIZE];
	struct lcx_ipam_pool *pool = NULL;
	struct model model = {.freed_count = 0};
	uint64_t random = 88172645463325252u + (uint64_t)_i;

	ck_assert_ok(lcx_ipam_pool_create_range(dir.fd, "net", order_cases[_i].subnet, NULL,
						order_cases[_i].first, order_cases[_i].last, &pool,
						&err));
	for (int round = 0; round < 3000; round++) {
		bool had_been_given;
		int which;

		random ^= random << 13, random ^= random >> 7, random ^= random << 17;
		which = from + (int)(random / 8 % (uint64_t)(to - from + 1));
		(void)snprintf(got, sizeof(got), "%s%d", order_cases[_i].prefix, which);
		if (round % 500 == 499) {
			lcx_ipam_pool_free(pool);
			ck_assert_ok(lcx_ipam_pool_open(dir.fd, "net", &pool, &err));
			ck_assert(is_sound(pool));
		}
		if (model.held[which] && random % 8 < 6) {
			ck_assert_ok(lcx_ipam_release(pool, got, "web", &err));
			model_free(&model, which);
		} else if (!model.held[which] && random % 8 == 7) {
			allocate(pool, "web", got);
			model_take(&model, which);
		} else if (model_next(&model, from, to) < 0) {
			ck_assert_fails(
				lcx_ipam_allocate(pool, "web", NULL, got, sizeof(got), &err),
				ENOSPC, err, "full");
			full++;
		} else {
			which = model_next(&model, from, to);
			had_been_given = model.given[which];
			again += had_been_given;
			model_take(&model, which);
			(void)snprintf(expected, sizeof(expected), "%s%d", order_cases[_i].prefix,
				       which);
			ck_assert_str_eq(allocate(pool, "web", NULL), expected);
			ck_assert_int_eq(lcx__ipam_gave_new(pool), !had_been_given);
		}
	}
	ck_assert_int_gt(again, 300);
	ck_assert(to - from >= 10 || full > 0);
	ck_assert(is_sound(pool));
	lcx_ipam_pool_free(pool);
}
END_TEST

START_TEST(one_that_was_made_again_knows_nothing_of_before)
{
	struct lcx_ipam_pool *pool = NULL;

	ck_assert_ok(lcx_ipam_pool_create(dir.fd, "net", "10.1.0.0/24", NULL, &pool, &err));
	(void)allocate(pool, "web", NULL);
	ck_assert(lcx__ipam_gave_new(pool));
	ck_assert_ok(lcx__ipam_note_mended(pool, &err));
	lcx_ipam_pool_free(pool);
	ck_assert_ok(lcx_ipam_pool_open(dir.fd, "net", &pool, &err));
	(void)allocate(pool, "db", NULL);
	ck_assert(!lcx__ipam_gave_new(pool));
	ck_assert(is_sound(pool));
	lcx_ipam_pool_free(pool);
}
END_TEST

/* A wide pool that is used up by one container after another grows by some bytes for each. */
START_TEST(what_a_freed_address_costs_is_little)
{
	struct lcx_ipam_pool *pool = make("fd00:1::/64");
	char address[LCX_IPAM_ADDRESS_SIZE];
	struct stat before, after;

	ck_assert_int_eq(fstatat(dir.fd, "net.ipam", &before, 0), 0);
	for (int i = 0; i < 5000; i++) {
		strcpy(address, allocate(pool, "web", NULL));
		ck_assert_ok(lcx_ipam_release(pool, address, "web", &err));
	}
	ck_assert_str_eq(address, "fd00:1::1389");
	ck_assert_int_eq(fstatat(dir.fd, "net.ipam", &after, 0), 0);
	ck_assert_int_lt(after.st_size - before.st_size, 5000 * 9 + 64 * LCX__CELL_SIZE);
	lcx_ipam_pool_free(pool);
}
END_TEST

/* To free an address never needs room, so that a full disk can't keep it. */
START_TEST(a_release_does_not_grow_the_file)
{
	struct lcx_ipam_pool *pool = make("10.0.0.0/22");
	char address[LCX_IPAM_ADDRESS_SIZE];
	struct stat before, after;

	for (int i = 0; i < 1000; i++)
		allocate(pool, "web", NULL);
	ck_assert_int_eq(fstatat(dir.fd, "net.ipam", &before, 0), 0);
	while (lcx_ipam_lookup_owner(pool, "web", 0, address, sizeof(address), NULL) > 0)
		ck_assert_ok(lcx_ipam_release(pool, address, "web", &err));
	ck_assert_int_eq(fstatat(dir.fd, "net.ipam", &after, 0), 0);
	ck_assert_int_eq(after.st_size, before.st_size);
	ck_assert(is_sound(pool));
	lcx_ipam_pool_free(pool);
}
END_TEST

/* A file of another version is not guessed at: who knows what is in use makes it anew. */
START_TEST(another_format_says_what_to_do)
{
	struct lcx_ipam_pool *pool = make("10.0.0.0/24"), *again = NULL;
	CLEANUP(closep) int fd = openat(dir.fd, "net.ipam", O_RDWR | O_CLOEXEC);
	struct lcx__ipam_cell cell;

	ck_assert_int_eq(pread(fd, &cell, sizeof(cell), 0), sizeof(cell));
	cell.u.header.version--;
	cell.check = lcx__cell_check(&cell, LCX__HEADER_CELL, pool->header.salt);
	ck_assert_int_eq(pwrite(fd, &cell, sizeof(cell), 0), sizeof(cell));
	ck_assert_fails(lcx_ipam_pool_open(dir.fd, "net", &again, &err), EUCLEAN, err,
			"has format 1");
	ck_assert_fails(lcx_ipam_pool_open(dir.fd, "net", &again, &err), EUCLEAN, err,
			"discard the file");
	ck_assert_ok(lcx_ipam_pool_discard(dir.fd, "net", &err));
	lcx_ipam_pool_free(pool);
}
END_TEST

START_TEST(too_small_a_buffer_leases_nothing)
{
	struct lcx_ipam_pool *pool = make("10.0.0.0/24");
	char address[8] = "old";

	ck_assert_fails(lcx_ipam_allocate(pool, "web", NULL, address, sizeof(address), &err),
			ENOBUFS, err, "too few");
	ck_assert_str_eq(address, "old");
	ck_assert_uint_eq(used(pool), 0);
	lcx_ipam_pool_free(pool);
}
END_TEST

START_TEST(release_asks_whose_it_is)
{
	struct lcx_ipam_pool *pool = make("10.0.0.0/24");
	char owner[LCX_IPAM_OWNER_SIZE];

	allocate(pool, "web", "10.0.0.9");
	ck_assert_fails(lcx_ipam_release(pool, "10.0.0.9", "db", &err), EPERM, err, "'web'");
	ck_assert_fails(lcx_ipam_release(pool, "10.0.0.10", NULL, &err), ENOENT, err, "10.0.0.10");
	ck_assert_ok(lcx_ipam_release(pool, "10.0.0.9", "web", &err));
	ck_assert_fails(lcx_ipam_release(pool, "10.0.0.9", "web", &err), ENOENT, err, "not in use");
	ck_assert_fails(lcx_ipam_lookup(pool, "10.0.0.9", owner, sizeof(owner), &err), ENOENT, err,
			"not in use");
	lcx_ipam_pool_free(pool);
}
END_TEST

START_TEST(an_owner_is_found_and_released_with_all_it_has)
{
	struct lcx_ipam_pool *pool = make("10.0.0.0/16");
	char address[LCX_IPAM_ADDRESS_SIZE], owner[32];
	uint32_t count = 0;

	/* Many owners, so that they share buckets with this one. */
	for (int i = 0; i < 3000; i++) {
		snprintf(owner, sizeof(owner), "c%d", i);
		allocate(pool, i % 3 ? owner : "web", NULL);
	}
	ck_assert_ok(lcx_ipam_reserve(pool, "web", "10.0.200.1", &err));
	ck_assert_int_eq(lcx_ipam_lookup_owner(pool, "web", 0, address, sizeof(address), &err),
			 LCX_IPAM_LEASE);
	ck_assert_str_eq(address, "10.0.11.183");
	ck_assert_int_eq(lcx_ipam_lookup_owner(pool, "web", 1000, address, sizeof(address), &err),
			 LCX_IPAM_RESERVATION);
	ck_assert_str_eq(address, "10.0.200.1");
	ck_assert_fails(lcx_ipam_lookup_owner(pool, "web", 1001, address, sizeof(address), &err),
			ENOENT, err, "'web'");
	ck_assert(is_sound(pool));

	ck_assert_ok(lcx_ipam_release_owner(pool, "web", &count, &err));
	ck_assert_uint_eq(count, 1001);
	ck_assert_uint_eq(used(pool), 2000);
	ck_assert_ok(lcx_ipam_release_owner(pool, "web", &count, &err));
	ck_assert_uint_eq(count, 0);
	ck_assert(is_sound(pool));
	lcx_ipam_pool_free(pool);
}
END_TEST

START_TEST(a_reservation_waits_for_its_owner)
{
	struct lcx_ipam_pool *pool = make("10.0.0.0/29");
	char address[LCX_IPAM_ADDRESS_SIZE], owner[LCX_IPAM_OWNER_SIZE];

	strcpy(address, allocate(pool, "web", NULL));
	ck_assert_ok(lcx_ipam_reserve(pool, "web", address, &err));
	ck_assert_int_eq(lcx_ipam_lookup(pool, address, owner, sizeof(owner), &err),
			 LCX_IPAM_RESERVATION);
	for (int i = 0; i < 4; i++)
		ck_assert_str_ne(allocate(pool, "other", NULL), address);
	ck_assert_fails(lcx_ipam_allocate(pool, "other", NULL, owner, sizeof(owner), &err), ENOSPC,
			err, "full");
	ck_assert_str_eq(allocate(pool, "web", NULL), address);
	ck_assert_int_eq(lcx_ipam_lookup(pool, address, owner, sizeof(owner), &err),
			 LCX_IPAM_LEASE);
	ck_assert_fails(lcx_ipam_reserve(pool, "other", address, &err), EADDRINUSE, err, "'web'");
	ck_assert(is_sound(pool));
	lcx_ipam_pool_free(pool);
}
END_TEST

START_TEST(a_cursor_sees_each_entry_once)
{
	struct lcx_ipam_pool *pool = make("10.0.0.0/24");
	CLEANUP(lcx_ipam_cursor_freep) struct lcx_ipam_cursor *cursor = NULL;
	bool seen[256] = {false};
	int count = 0, r;

	for (int i = 0; i < 20; i++)
		allocate(pool, "web", NULL);
	ck_assert_ok(lcx_ipam_release(pool, "10.0.0.5", NULL, &err));
	ck_assert_ok(lcx_ipam_cursor_new(pool, &cursor, &err));
	ck_assert_str_eq(lcx_ipam_cursor_address(cursor), "");
	while ((r = lcx_ipam_cursor_next(cursor, &err)) == 1) {
		unsigned int last = ntohl(inet_addr(lcx_ipam_cursor_address(cursor))) & 0xff;

		ck_assert_str_eq(lcx_ipam_cursor_owner(cursor), "web");
		ck_assert_int_gt(lcx_ipam_cursor_time_ns(cursor), 0);
		ck_assert_int_eq(lcx_ipam_cursor_kind(cursor), LCX_IPAM_LEASE);
		ck_assert_int_eq(lcx_ipam_cursor_this_boot(cursor), 1);
		ck_assert(!seen[last]);
		seen[last] = true;
		count++;
	}
	ck_assert_int_eq(r, 0);
	ck_assert_int_eq(count, 19);
	ck_assert_int_eq(lcx_ipam_cursor_next(cursor, &err), 0);
	ck_assert_str_eq(lcx_ipam_cursor_owner(cursor), "");
	lcx_ipam_pool_free(pool);
}
END_TEST

START_TEST(destroy_names_the_owners_and_then_works)
{
	struct lcx_ipam_pool *pool = make("10.0.0.0/24");
	struct stat st;

	allocate(pool, "web", NULL);
	ck_assert_fails(lcx_ipam_pool_destroy(dir.fd, "net", &err), EBUSY, err, "'web'");
	ck_assert_ok(lcx_ipam_release_owner(pool, "web", NULL, &err));
	ck_assert_ok(lcx_ipam_pool_destroy(dir.fd, "net", &err));
	ck_assert_int_eq(fstatat(dir.fd, "net.ipam", &st, 0), -1);
	ck_assert_fails(lcx_ipam_allocate(pool, "web", NULL, (char[46]){0}, 46, &err), ESTALE, err,
			"destroyed");
	ck_assert_fails(lcx_ipam_pool_destroy(dir.fd, "net", &err), ENOENT, err, "'net'");
	lcx_ipam_pool_free(pool);
}
END_TEST

START_TEST(a_range_limits_what_is_chosen_but_not_what_is_asked_for)
{
	struct lcx_ipam_pool *pool = NULL;

	ck_assert_ok(lcx_ipam_pool_create_range(dir.fd, "net", "10.0.0.0/24", NULL, "10.0.0.100",
						"10.0.0.101", &pool, &err));
	ck_assert_uint_eq(lcx_ipam_pool_capacity(pool), 2);
	ck_assert_str_eq(allocate(pool, "a", NULL), "10.0.0.100");
	ck_assert_str_eq(allocate(pool, "a", "10.0.0.7"), "10.0.0.7");
	ck_assert_str_eq(allocate(pool, "a", NULL), "10.0.0.101");
	ck_assert_fails(lcx_ipam_allocate(pool, "a", NULL, (char[46]){0}, 46, &err), ENOSPC, err,
			"full");
	ck_assert_fails(lcx_ipam_allocate(pool, "b", "10.0.0.7", (char[46]){0}, 46, &err),
			EADDRINUSE, err, "'a'");
	ck_assert(is_sound(pool));
	ck_assert_ok(lcx_ipam_release(pool, "10.0.0.7", "a", &err));
	ck_assert(is_sound(pool));
	lcx_ipam_pool_free(pool);
}
END_TEST

static const struct {
	const char *subnet, *first, *wanted;
} wide_cases[] = {
	{"10.0.0.0/8", "10.0.0.2", "10.255.255.254"},
	{"fd00:1::/64", "fd00:1::2", "fd00:1::ffff:ffff:ffff:ffff"},
	{"fd00::/16", "fd00::2", "fd00:ffff::"},
};

START_TEST(a_wide_subnet_takes_neither_space_nor_time)
{
	struct lcx_ipam_pool *pool = make(wide_cases[_i].subnet);
	struct stat st;

	ck_assert_str_eq(allocate(pool, "a", NULL), wide_cases[_i].first);
	ck_assert_str_eq(allocate(pool, "a", wide_cases[_i].wanted), wide_cases[_i].wanted);
	ck_assert(is_sound(pool));
	ck_assert_int_eq(fstatat(dir.fd, "net.ipam", &st, 0), 0);
	ck_assert_int_lt(st.st_size, 16 << 20);
	lcx_ipam_pool_free(pool);
}
END_TEST

static const struct {
	const char *a, *b;
	int overlaps;
} overlap_cases[] = {
	{"10.88.0.0/16", "10.88.3.0/24", 1},
	{"10.88.3.0/24", "10.88.0.0/16", 1},
	{"10.88.0.0/16", "10.89.0.0/16", 0},
	{"0.0.0.0/0", "10.0.0.0/8", 1},
	{"::/0", "10.0.0.0/8", 0},
	{"fd00::/64", "fd00::/48", 1},
	{"fd00::/64", "fd00:0:0:1::/64", 0},
	{"10.0.0.1/32", "10.0.0.1/32", 1},
	{"10.0.0.1/24", "10.0.0.1/32", -EINVAL},
};

START_TEST(overlap_is_symmetric_and_knows_versions)
{
	ck_assert_int_eq(lcx_ipam_subnet_overlaps(overlap_cases[_i].a, overlap_cases[_i].b, NULL),
			 overlap_cases[_i].overlaps);
	ck_assert_int_eq(lcx_ipam_subnet_overlaps(overlap_cases[_i].b, overlap_cases[_i].a, NULL),
			 overlap_cases[_i].overlaps);
}
END_TEST

START_TEST(a_subnet_contains_its_addresses_only)
{
	ck_assert_int_eq(lcx_ipam_subnet_contains("10.88.0.0/16", "10.88.9.9", NULL), 1);
	ck_assert_int_eq(lcx_ipam_subnet_contains("10.88.0.0/16", "10.89.0.0", NULL), 0);
	ck_assert_int_eq(lcx_ipam_subnet_contains("10.88.0.0/16", "::", NULL), 0);
	ck_assert_fails(lcx_ipam_subnet_contains("10.88.0.0/16", NULL, &err), EINVAL, err,
			"not an IP address");
}
END_TEST

/* A hand at one byte of every cell is seen, at the latest by a full check. */
START_TEST(damage_is_refused_and_the_file_left_alone)
{
	struct lcx_ipam_pool *pool = make("10.0.0.0/22"), *again = NULL;
	CLEANUP(closep) int fd = openat(dir.fd, "net.ipam", O_RDWR | O_CLOEXEC);
	struct stat st;
	uint8_t byte;

	for (int i = 0; i < 100; i++)
		allocate(pool, i % 2 ? "web" : "db", NULL);
	for (int i = 50; i < 55; i++) {
		char address[LCX_IPAM_ADDRESS_SIZE];

		snprintf(address, sizeof(address), "10.0.0.%d", i);
		ck_assert_ok(lcx_ipam_release(pool, address, NULL, &err));
	}
	ck_assert_int_eq(fstat(fd, &st), 0);
	for (off_t at = 0; at < st.st_size; at += 61) {
		bool in_journal = at / 256 >= LCX__JOURNAL_CELL && at / 256 < LCX__BITMAP_CELL;
		/* 100 leases, and the pages of 2 to 101. */
		bool beyond = at / 256 >= pool->layout.lease_cell + 100 + 4;

		if (in_journal || beyond)
			continue; /* nothing depends on a journal that is done */
		ck_assert_int_eq(pread(fd, &byte, 1, at), 1);
		byte ^= 0x10;
		ck_assert_int_eq(pwrite(fd, &byte, 1, at), 1);
		if (at / 256 == LCX__HEADER_CELL)
			ck_assert_fails(lcx_ipam_pool_open(dir.fd, "net", &again, &err), EUCLEAN,
					err, "'net'");
		else if (at / 256 == LCX__STATE_CELL)
			ck_assert_msg(is_sound(pool), "the journal brings the state back");
		else
			ck_assert_msg(!is_sound(pool), "byte %jd", (intmax_t)at);
		byte ^= 0x10;
		if (at / 256 != LCX__STATE_CELL)
			ck_assert_int_eq(pwrite(fd, &byte, 1, at), 1);
	}
	ck_assert(is_sound(pool));
	lcx_ipam_pool_free(pool);
}
END_TEST

START_TEST(a_damaged_bitmap_never_gives_an_address_twice)
{
	struct lcx_ipam_pool *pool = make("10.0.0.0/24");
	CLEANUP(closep) int fd = openat(dir.fd, "net.ipam", O_RDWR | O_CLOEXEC);
	struct lcx__ipam_cell cell = {0};

	allocate(pool, "web", "10.0.0.2");
	/* Even with a good checksum: the address index contradicts. */
	cell.check = lcx__cell_check(&cell, LCX__BITMAP_CELL, pool->header.salt);
	ck_assert_int_eq(pwrite(fd, &cell, sizeof(cell), LCX__BITMAP_CELL * LCX__CELL_SIZE),
			 sizeof(cell));
	pool->range_first += 2; /* begin at the leased one */
	ck_assert_fails(lcx_ipam_allocate(pool, "db", NULL, (char[46]){0}, 46, &err), EUCLEAN, err,
			"damaged");
	lcx_ipam_pool_free(pool);
}
END_TEST

START_TEST(files_that_are_no_pools_are_refused)
{
	struct lcx_ipam_pool *pool = make("10.0.0.0/24"), *again = NULL;

	ck_assert_ok(lcx__replace_file(dir.fd, "junk.ipam", "hello", 5, 0600, false));
	ck_assert_fails(lcx_ipam_pool_open(dir.fd, "junk", &again, &err), EUCLEAN, err, "no pool");
	ck_assert_ok(lcx__replace_file(dir.fd, "empty.ipam", "", 0, 0600, false));
	ck_assert_fails(lcx_ipam_pool_open(dir.fd, "empty", &again, &err), EUCLEAN, err, "no pool");
	ck_assert_ok(mkfifoat(dir.fd, "fifo.ipam", 0600));
	ck_assert_fails(lcx_ipam_pool_open(dir.fd, "fifo", &again, &err), EUCLEAN, err, "regular");
	ck_assert_ok(symlinkat("net.ipam", dir.fd, "link.ipam"));
	ck_assert_fails(lcx_ipam_pool_open(dir.fd, "link", &again, &err), ELOOP, err, "'link'");

	/* Cut off under an open handle: an error, not SIGBUS. */
	ck_assert_ok(ftruncate(pool->fd, 4096));
	ck_assert_fails(lcx_ipam_allocate(pool, "web", NULL, (char[46]){0}, 46, &err), EUCLEAN, err,
			"cut off");
	ck_assert_fails(lcx_ipam_pool_open(dir.fd, "net", &again, &err), EUCLEAN, err, "cut off");
	ck_assert_ok(lcx_ipam_pool_discard(dir.fd, "net", &err));
	lcx_ipam_pool_free(pool);
}
END_TEST

/* What a process does before it "dies" after so many writes. */
static int one_of_each(struct lcx_ipam_pool *pool, int step)
{
	char address[LCX_IPAM_ADDRESS_SIZE];

	switch (step) {
	case 0:
		return lcx_ipam_allocate(pool, "new", NULL, address, sizeof(address), NULL);
	case 1:
		return lcx_ipam_allocate(pool, "web", "10.0.0.200", address, sizeof(address), NULL);
	case 2:
		return lcx_ipam_release(pool, "10.0.0.5", "web", NULL);
	case 3:
		return lcx_ipam_reserve(pool, "web", "10.0.0.6", NULL);
	case 4:
		return lcx_ipam_release_owner(pool, "web", NULL, NULL);
	case 5: /* a new page of the queue */
		return lcx_ipam_allocate(pool, "new", "10.0.0.100", address, sizeof(address), NULL);
	case 6: /* out of the queue, in the middle */
		return lcx_ipam_allocate(pool, "new", "10.0.0.8", address, sizeof(address), NULL);
	default: /* its head */
		return lcx_ipam_allocate(pool, "new", "10.0.0.4", address, sizeof(address), NULL);
	}
}

START_TEST(death_between_any_two_writes_is_repaired)
{
	for (int32_t writes = 0; writes < 60; writes++) {
		struct lcx_ipam_pool *dying = make("10.0.0.0/24"), *next = NULL;
		uint64_t before, after;
		int r;

		for (int i = 0; i < 8; i++)
			allocate(dying, i % 2 ? "db" : "web", NULL);
		ck_assert_ok(lcx_ipam_release(dying, "10.0.0.4", NULL, &err));
		ck_assert_ok(lcx_ipam_release(dying, "10.0.0.8", NULL, &err));
		ck_assert_ok(lcx_ipam_release(dying, "10.0.0.7", NULL, &err));
		allocate(dying, "web", NULL);
		before = used(dying);
		dying->writes_left = writes;
		r = one_of_each(dying, _i);
		lcx_ipam_pool_free(dying);

		ck_assert_ok(lcx_ipam_pool_open(dir.fd, "net", &next, &err));
		ck_assert_msg(is_sound(next), "step %d, writes %d", _i, writes);
		after = used(next);
		if (_i < 2 || _i > 4)
			ck_assert_uint_eq(after, before + (r == 0));
		allocate(next, "survivor", NULL);
		ck_assert(is_sound(next));
		lcx_ipam_pool_free(next);
		ck_assert_ok(lcx_ipam_pool_discard(dir.fd, "net", &err));
	}
}
END_TEST

/* A write that is itself torn: the journal's, then each cell's. */
START_TEST(a_torn_journal_is_no_change)
{
	struct lcx_ipam_pool *pool = make("10.0.0.0/24");
	CLEANUP(closep) int fd = openat(dir.fd, "net.ipam", O_RDWR | O_CLOEXEC);
	uint8_t old[LCX__JOURNAL_CELLS * LCX__CELL_SIZE], new[sizeof(old)];
	off_t at = LCX__JOURNAL_CELL * LCX__CELL_SIZE;

	allocate(pool, "web", NULL);
	ck_assert_int_eq(pread(fd, old, sizeof(old), at), sizeof(old));
	pool->writes_left = 1; /* the journal and nothing else */
	allocate(pool, "db", NULL);
	pool->writes_left = -1;
	ck_assert_int_eq(pread(fd, new, sizeof(new), at), sizeof(new));
	/* Until the two are the same from there on. */
	for (size_t half = 0; memcmp(old + half, new + half, sizeof(old) - half) != 0; half += 97) {
		ck_assert_int_eq(pwrite(fd, new, half, at), half);
		ck_assert_int_eq(pwrite(fd, old + half, sizeof(old) - half, at + (off_t)half),
				 sizeof(old) - half);
		ck_assert_uint_eq(used(pool), 1);
		ck_assert(is_sound(pool));
	}
	ck_assert_int_eq(pwrite(fd, new, sizeof(new), at), sizeof(new));
	ck_assert_uint_eq(used(pool), 2);
	ck_assert(is_sound(pool));
	lcx_ipam_pool_free(pool);
}
END_TEST

/* One that is written down but can't be put in its place is put there before the next. */
START_TEST(a_write_that_fails_once_loses_nothing)
{
	struct lcx_ipam_pool *pool = make("10.0.0.0/24");
	uint32_t count = 0;

	for (int i = 0; i < 5; i++)
		allocate(pool, "web", NULL);
	allocate(pool, "db", NULL);
	pool->writes_left = 1; /* the journal's */
	pool->writes_lost = 1;
	ck_assert_int_eq(lcx_ipam_release_owner(pool, "web", &count, NULL), 0);
	ck_assert_uint_eq(count, 5);
	ck_assert_uint_eq(used(pool), 1);
	ck_assert(is_sound(pool));
	lcx_ipam_pool_free(pool);
}
END_TEST

enum { THREADS = 8, ROUNDS = 300 };

static void *allocate_and_release(void *data)
{
	struct lcx_ipam_pool *pool = NULL;
	char address[LCX_IPAM_ADDRESS_SIZE], owner[32], who[LCX_IPAM_OWNER_SIZE];
	intptr_t wrong = 0;

	snprintf(owner, sizeof(owner), "thread%d", *(int *)data);
	if (lcx_ipam_pool_open(dir.fd, "net", &pool, NULL) < 0)
		return (void *)(intptr_t)1;
	for (int i = 0; i < ROUNDS; i++) {
		wrong += lcx_ipam_allocate(pool, owner, NULL, address, sizeof(address), NULL) < 0;
		wrong += lcx_ipam_lookup(pool, address, who, sizeof(who), NULL) != LCX_IPAM_LEASE ||
			 strcmp(who, owner) != 0;
		if (i % 2)
			wrong += lcx_ipam_release(pool, address, owner, NULL) < 0;
	}
	lcx_ipam_pool_free(pool);
	return (void *)wrong;
}

START_TEST(threads_exclude_each_other)
{
	struct lcx_ipam_pool *pool = make("10.0.0.0/16");
	pthread_t threads[THREADS];
	int numbers[THREADS];

	for (int i = 0; i < THREADS; i++) {
		numbers[i] = i;
		ck_assert_int_eq(
			pthread_create(&threads[i], NULL, allocate_and_release, &numbers[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		void *wrong = NULL;

		ck_assert_int_eq(pthread_join(threads[i], &wrong), 0);
		ck_assert_ptr_null(wrong);
	}
	ck_assert_uint_eq(used(pool), THREADS * ROUNDS / 2);
	ck_assert(is_sound(pool));
	lcx_ipam_pool_free(pool);
}
END_TEST

/* Each child goes on with the parent's handle. */
START_TEST(forked_children_exclude_each_other)
{
	struct lcx_ipam_pool *pool = make("10.0.0.0/16");
	char owner[32], address[LCX_IPAM_ADDRESS_SIZE];

	for (int i = 0; i < THREADS; i++) {
		if (fork() != 0)
			continue;
		snprintf(owner, sizeof(owner), "child%d", i);
		for (int j = 0; j < ROUNDS; j++)
			if (lcx_ipam_allocate(pool, owner, NULL, address, sizeof(address), NULL) <
			    0)
				_exit(1);
		_exit(0);
	}
	for (int i = 0; i < THREADS; i++) {
		int status = 1;

		ck_assert_int_gt(wait(&status), 0);
		ck_assert_int_eq(status, 0);
	}
	ck_assert_uint_eq(used(pool), THREADS * ROUNDS);
	ck_assert(is_sound(pool));
	lcx_ipam_pool_free(pool);
}
END_TEST

/* ---- leases that end with a process ---- */

/* A process that waits to be killed. */
static pid_t start_process(int *ret_pidfd)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		(void)pause();
		_exit(0);
	}
	*ret_pidfd = sys_pidfd_open(pid, 0);
	ck_assert_int_ge(*ret_pidfd, 0);
	return pid;
}

static void end_process(pid_t pid, bool reap)
{
	siginfo_t info;

	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | (reap ? 0 : WNOWAIT)), 0);
}

static uint32_t reclaim(struct lcx_ipam_pool *pool)
{
	uint32_t count = UINT32_MAX;

	ck_assert_ok(lcx_ipam_reclaim(pool, &count, &err));
	return count;
}

/* _i: its parent has asked how it ended, or has not yet */
START_TEST(a_lease_ends_with_its_process)
{
	struct lcx_ipam_pool *pool = make("10.0.0.0/24");
	int pidfd;
	pid_t pid = start_process(&pidfd);

	(void)allocate(pool, "untied", NULL);
	ck_assert_ok(lcx_ipam_pool_tie(pool, pidfd, &err));
	for (int i = 0; i < 20; i++)
		(void)allocate(pool, "tied", NULL);
	ck_assert_ok(lcx_ipam_reserve(pool, "waits", "10.0.0.200", &err));
	ck_assert_ok(lcx_ipam_pool_tie(pool, -1, &err));
	ck_assert_uint_eq(reclaim(pool), 0);
	end_process(pid, _i == 0);
	ck_assert_uint_eq(reclaim(pool), 20);
	ck_assert_uint_eq(used(pool), 2);
	ck_assert_uint_eq(reclaim(pool), 0);
	ck_assert(is_sound(pool));
	if (_i != 0)
		(void)waitpid(pid, NULL, 0);
	(void)close(pidfd);
	lcx_ipam_pool_free(pool);
}
END_TEST

START_TEST(what_the_dead_have_is_given_before_a_pool_is_full)
{
	struct lcx_ipam_pool *pool = make("10.0.0.0/29");
	char address[LCX_IPAM_ADDRESS_SIZE];
	int pidfd;
	pid_t pid = start_process(&pidfd);

	ck_assert_ok(lcx_ipam_pool_tie(pool, pidfd, &err));
	for (int i = 0; i < 5; i++)
		(void)allocate(pool, "dead", NULL);
	ck_assert_ok(lcx_ipam_pool_tie(pool, -1, &err));
	ck_assert_int_eq(lcx_ipam_allocate(pool, "new", NULL, address, sizeof(address), &err),
			 -ENOSPC);
	err = lcx_error_free(err);
	ck_assert_int_eq(lcx_ipam_allocate(pool, "new", "10.0.0.4", address, sizeof(address), &err),
			 -EADDRINUSE);
	err = lcx_error_free(err);
	end_process(pid, true);
	/* The one that is asked for, and no other; then all of them. */
	ck_assert_str_eq(allocate(pool, "new", "10.0.0.4"), "10.0.0.4");
	ck_assert_uint_eq(used(pool), 5);
	ck_assert_str_eq(allocate(pool, "new", NULL), "10.0.0.2");
	ck_assert_uint_eq(used(pool), 2);
	ck_assert(is_sound(pool));
	(void)close(pidfd);
	lcx_ipam_pool_free(pool);
}
END_TEST

START_TEST(a_lease_is_handed_on_to_another_process)
{
	struct lcx_ipam_pool *pool = make("10.0.0.0/24");
	int first_fd, second_fd;
	pid_t first = start_process(&first_fd), second = start_process(&second_fd);

	ck_assert_ok(lcx_ipam_pool_tie(pool, first_fd, &err));
	for (int i = 0; i < 20; i++)
		(void)allocate(pool, "web", NULL);
	(void)allocate(pool, "other", NULL);
	ck_assert_ok(lcx_ipam_tie(pool, "web", second_fd, &err));
	end_process(first, true);
	ck_assert_uint_eq(reclaim(pool), 1);
	ck_assert_uint_eq(used(pool), 20);
	ck_assert_int_eq(lcx_ipam_tie(pool, "web", first_fd, &err), -ESRCH);
	err = lcx_error_free(err);
	ck_assert_int_eq(lcx_ipam_tie(pool, "other", second_fd, &err), -ENOENT);
	err = lcx_error_free(err);
	ck_assert_int_eq(lcx_ipam_tie(pool, "web", dir.fd, &err), -EINVAL);
	err = lcx_error_free(err);
	ck_assert_ok(lcx_ipam_tie(pool, "web", -1, &err));
	end_process(second, true);
	ck_assert_uint_eq(reclaim(pool), 0);
	(void)close(first_fd);
	(void)close(second_fd);
	lcx_ipam_pool_free(pool);
}
END_TEST

/* A change of the tie or the boot, and whether that one is taken back. */
static const struct {
	uint64_t later;
	uint32_t elsewhere;
	uint8_t boot;
	uint32_t reclaimed;
} tie_cases[] = {
	{0, 0, 0, 0}, {2, 0, 0, 1}, /* the number was given to another process */
	{0, 1, 0, 0},               /* a number of another PID namespace tells nothing */
	{2, 1, 0, 0}, {0, 0, 1, 1}, /* no process outlives its boot */
	{0, 1, 1, 1},
};

START_TEST(a_process_is_known_by_more_than_its_number)
{
	struct lcx_ipam_pool *pool = make("10.0.0.0/24");
	int pidfd;
	pid_t pid = start_process(&pidfd);

	ck_assert_ok(lcx_ipam_pool_tie(pool, pidfd, &err));
	pool->tie.started += tie_cases[_i].later;
	pool->tie.pid_ns += tie_cases[_i].elsewhere;
	pool->boot[0] ^= tie_cases[_i].boot;
	(void)allocate(pool, "web", NULL);
	pool->boot[0] ^= tie_cases[_i].boot;
	ck_assert_uint_eq(reclaim(pool), tie_cases[_i].reclaimed);
	end_process(pid, true);
	(void)close(pidfd);
	lcx_ipam_pool_free(pool);
}
END_TEST

START_TEST(a_reservation_ends_with_nobody)
{
	struct lcx_ipam_pool *pool = make("10.0.0.0/24");
	int pidfd;
	pid_t pid = start_process(&pidfd);

	ck_assert_ok(lcx_ipam_pool_tie(pool, pidfd, &err));
	(void)allocate(pool, "web", "10.0.0.9");
	ck_assert_ok(lcx_ipam_reserve(pool, "web", "10.0.0.9", &err));
	end_process(pid, true);
	ck_assert_uint_eq(reclaim(pool), 0);
	ck_assert_uint_eq(used(pool), 1);
	(void)close(pidfd);
	lcx_ipam_pool_free(pool);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ipam");
	TCase *tc = tcase_create("ipam");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, subnets_that_cannot_be_are_refused, 0, ARRAY_SIZE(create_cases));
	tcase_add_loop_test(tc, a_pool_gives_every_address_once_and_then_says_full, 0,
			    ARRAY_SIZE(walk_cases));
	tcase_add_test(tc, a_pool_tells_what_it_is);
	tcase_add_test(tc, a_second_create_is_refused_and_open_finds_the_first);
	tcase_add_test(tc, names_that_could_be_paths_are_refused);
	tcase_add_loop_test(tc, a_static_address_that_cannot_be_says_why, 0,
			    ARRAY_SIZE(static_cases));
	tcase_add_test(tc, a_freed_address_rests_while_there_are_others);
	tcase_add_test(tc, one_that_was_made_again_knows_nothing_of_before);
	tcase_add_loop_test(tc, the_address_freed_longest_ago_is_given_next, 0,
			    ARRAY_SIZE(order_cases));
	tcase_add_test(tc, what_a_freed_address_costs_is_little);
	tcase_add_test(tc, a_release_does_not_grow_the_file);
	tcase_add_test(tc, another_format_says_what_to_do);
	tcase_add_test(tc, too_small_a_buffer_leases_nothing);
	tcase_add_test(tc, release_asks_whose_it_is);
	tcase_add_test(tc, an_owner_is_found_and_released_with_all_it_has);
	tcase_add_test(tc, a_reservation_waits_for_its_owner);
	tcase_add_test(tc, a_cursor_sees_each_entry_once);
	tcase_add_test(tc, destroy_names_the_owners_and_then_works);
	tcase_add_test(tc, a_range_limits_what_is_chosen_but_not_what_is_asked_for);
	tcase_add_loop_test(tc, a_wide_subnet_takes_neither_space_nor_time, 0,
			    ARRAY_SIZE(wide_cases));
	tcase_add_loop_test(tc, overlap_is_symmetric_and_knows_versions, 0,
			    ARRAY_SIZE(overlap_cases));
	tcase_add_test(tc, a_subnet_contains_its_addresses_only);
	tcase_add_test(tc, damage_is_refused_and_the_file_left_alone);
	tcase_add_test(tc, a_damaged_bitmap_never_gives_an_address_twice);
	tcase_add_test(tc, files_that_are_no_pools_are_refused);
	tcase_add_loop_test(tc, death_between_any_two_writes_is_repaired, 0, 8);
	tcase_add_test(tc, a_torn_journal_is_no_change);
	tcase_add_test(tc, a_write_that_fails_once_loses_nothing);
	tcase_add_test(tc, threads_exclude_each_other);
	tcase_add_test(tc, forked_children_exclude_each_other);
	tcase_add_loop_test(tc, a_lease_ends_with_its_process, 0, 2);
	tcase_add_test(tc, what_the_dead_have_is_given_before_a_pool_is_full);
	tcase_add_test(tc, a_lease_is_handed_on_to_another_process);
	tcase_add_loop_test(tc, a_process_is_known_by_more_than_its_number, 0,
			    ARRAY_SIZE(tie_cases));
	tcase_add_test(tc, a_reservation_ends_with_nobody);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
