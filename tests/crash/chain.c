/* SPDX-License-Identifier: MIT */
#include "crash.h"

#include <execinfo.h>
#include <inttypes.h>
#include <libunwind-ptrace.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * By which calls of functions the host program comes to a place. What fails on the same way as
 * another time is answered by the same lines of code, so that a loop needs only to be tried where
 * it begins and where it ends. All programs of a sweep are copies of one process: an address means
 * the same in each.
 */

enum { CACHED = 4096 };

static uint64_t hash_of(const struct way *way, uint64_t hash)
{
	for (uint32_t i = 0; i < way->n; i++)
		hash = (hash ^ way->addresses[i]) * UINT64_C(0x100000001b3);
	return hash | 2; /* neither none nor anywhere */
}

/* Return: whether there is more to know */
static bool add(struct way *way, uint64_t address)
{
	if (address == way->top || way->n == DEPTH)
		return false;
	way->addresses[way->n++] = address;
	return true;
}

uint64_t chain_here(struct way *way)
{
	void *addresses[DEPTH];
	int n = backtrace(addresses, DEPTH);

	way->n = 0;
	for (int i = 0; i < n && add(way, (uint64_t)(uintptr_t)addresses[i]); i++)
		;
	return hash_of(way, 0);
}

static unw_addr_space_t make_space(void)
{
	unw_addr_space_t space = unw_create_addr_space(&_UPT_accessors, 0);

	if (!space)
		abort();
	(void)unw_set_caching_policy(space, UNW_CACHE_GLOBAL);
	(void)unw_set_cache_size(space, CACHED, 0);
	return space;
}

uint64_t chain_of(int pid, const struct call *call, struct way *way)
{
	static unw_addr_space_t space;
	unw_cursor_t cursor;
	unw_word_t address;
	void *memory = _UPT_create(pid);

	if (!space)
		space = make_space();
	if (!memory || unw_init_remote(&cursor, space, memory) < 0)
		abort();
	way->n = 0;
	while (unw_get_reg(&cursor, UNW_REG_IP, &address) == 0 && add(way, address) &&
	       unw_step(&cursor) > 0)
		;
	_UPT_destroy(memory);
	return hash_of(way, (uint64_t)call->number);
}

void chain_tell(const struct way *way)
{
	extern const char __executable_start[], etext[];
	uint64_t begin = (uint64_t)(uintptr_t)__executable_start;
	uint64_t end = (uint64_t)(uintptr_t)etext;

	printf("#   addr2line -pfe tests/crash");
	for (uint32_t i = 0; i < way->n; i++)
		if (way->addresses[i] > begin && way->addresses[i] < end)
			printf(" %#" PRIx64, way->addresses[i] - begin - 1);
	printf("\n");
}

uint32_t chain_pass(struct passed *passed, uint64_t hash, const struct call *call)
{
	for (size_t i = 0; i < CHAINS; i++) {
		struct chain *chain = &passed->chains[(hash + i) % CHAINS];
		uint64_t there = 0;

		if (atomic_compare_exchange_strong(&chain->hash, &there, hash)) {
			chain->call = call;
			chain->rank = atomic_fetch_add(&passed->n, 1);
		}
		if (there == 0 || there == hash)
			return atomic_fetch_add(&chain->times, 1) + 1;
	}
	fprintf(stderr, "crash: more than %d chains of calls\n", CHAINS);
	abort();
}
