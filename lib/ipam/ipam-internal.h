/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Shared by the files of lib/ipam and nobody else.
 *
 * Theory of operation
 *
 * A pool file is an array of cells of 256 bytes. Each begins with a checksum
 * over its content, its own number and the pool's random salt, so that a cell
 * that was zeroed, moved, taken from another file or half written is known as
 * damaged when it is read. In this order:
 *
 *   header           what never changes; everything else's place follows from it
 *   state            counts, ends of the queue, sequence number of the last change
 *   journal          the last change: sequence, cells, checksum
 *   bitmap           which addresses were ever given: leaves, then the cells that
 *                    say which leaves are full, up to one root: three levels reach
 *                    2^24 addresses
 *   pages            where the page of an address is, by its number
 *   address buckets  heads of chains of leases, by hash of the address
 *   owner buckets    the same by hash of owner and kind
 *   leases           one cell each, dense: the file grows with use. Some of these
 *                    cells are pages
 *
 * What is given next: the lowest address that nobody ever had; when there is none,
 * the one that was freed longest ago. So a bit is set once and stays, and an address
 * that has a bit, but no lease, stands in the queue of the freed. The queue is a
 * doubly linked list, since anyone may ask for an address in its middle, and its
 * links lie in pages of 30 addresses. A page is made when the first of them is
 * given: a wide subnet costs nothing before it is used, and to free an address needs
 * no room, so that it cannot fail on a full disk.
 *
 * All of it is read through a mapping and written with pwrite(2): a store into
 * a mapping raises SIGBUS when the disk is full, a write returns ENOSPC.
 *
 * A change is collected in memory (struct lcx__ipam_change), written to the
 * journal with the next sequence number, and then applied, the state cell with that number
 * last. Whoever takes the lock (an open-file-description lock, so it also
 * excludes threads) and meets a whole journal that is one ahead of the state,
 * applies it again: a process may die between any two instructions, and what
 * it did is either complete or void. A journal that is not whole was not yet a
 * change.
 *
 * A power failure may keep some pages and lose others, of which each is whole.
 * So the first open after a boot compares all structures with each other.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "ipam/ipam.h"
#include "util/error.h"

DEFINE_CLEANUP(struct lcx_ipam_pool *, lcx_ipam_pool_free)
DEFINE_CLEANUP(struct lcx_ipam_cursor *, lcx_ipam_cursor_free)

/* An address of either version as a number, so that both are counted alike. */
__extension__ typedef unsigned __int128 lcx__address;

struct lcx__subnet {
	lcx__address base;
	uint32_t prefix, bits; /* bits: 32 or 128 */
};

/* subnet.c: text and numbers. Return: 0 or -EINVAL. */
int lcx__address_parse(const char *text, uint32_t *ret_bits, lcx__address *ret);
void lcx__address_format(uint32_t bits, lcx__address address,
			 char text[static LCX_IPAM_ADDRESS_SIZE]);
int lcx__subnet_parse(const char *text, struct lcx__subnet *ret, struct lcx_error **err);
bool lcx__subnet_has(const struct lcx__subnet *subnet, lcx__address address);
lcx__address lcx__subnet_last(const struct lcx__subnet *subnet);

enum {
	LCX__CELL_SIZE = 256,
	LCX__CELL_WORDS = 31,
	LCX__CELL_BITS = LCX__CELL_WORDS * 64,
	LCX__CELL_LINKS = LCX__CELL_WORDS * 2,
	LCX__PAGE_SLOTS = 30,
	LCX__LEVELS = 3,
	LCX__MAX_RANGE = 1 << 24,
	LCX__MAX_BUCKETS = 1 << 19,
	LCX__MAX_LEASES = 1 << 25,
	LCX__BOOT_BYTES = 16,
	/* A change touches at most: state, the lease, two neighbours, two buckets, and either three
	   pages of the queue or, for an address given the first time, three bitmap cells, the
	   new page and where it is. */
	LCX__CHANGE_CELLS = 16,
	LCX__JOURNAL_CELLS = 32,
	LCX__HEADER_CELL = 0,
	LCX__STATE_CELL = 1,
	LCX__JOURNAL_CELL = 2,
	LCX__BITMAP_CELL = LCX__JOURNAL_CELL + LCX__JOURNAL_CELLS,
};

struct lcx__ipam_header {
	uint8_t magic[8];
	uint32_t version, byte_order;
	uint64_t salt;
	uint32_t bits, prefix;
	uint32_t range_count, bucket_count;
	uint32_t has_gateway, zero;
	uint8_t base[16], gateway[16], range_first[16]; /* network byte order, right-aligned */
	int64_t created_ns;
};

struct lcx__ipam_state {
	uint64_t sequence;
	uint32_t fresh;      /* all slots below it have been given before */
	uint32_t used;       /* leases and reservations */
	uint32_t used_range; /* those in the range, which have a bit */
	uint32_t lease_top;  /* lease cells that were ever used */
	uint32_t free_head;  /* chain of those that are free; a link */
	uint32_t page_count; /* those that are pages */
	uint32_t freed_head, freed_tail, freed_count; /* the queue: a slot plus one; 0: empty */
	uint8_t checked_boot[LCX__BOOT_BYTES];        /* last boot in which all was compared */
	/* Made again after damage: what it gave before is not known. 0 in files of older libraries. */
	uint32_t is_mended;
};

/* Links are an index of a lease plus one; 0 ends a chain. */
struct lcx__ipam_lease {
	uint8_t kind; /* 0: free, LCX_IPAM_LEASE, LCX_IPAM_RESERVATION, LCX__IPAM_PAGE */
	uint8_t owner_length, zero[2];
	uint32_t address_next;
	uint32_t owner_next, owner_prev; /* owner_next also chains free leases */
	uint8_t address[16];
	int64_t time_ns;
	uint8_t boot[LCX__BOOT_BYTES];
	uint64_t tie_started; /* of the process that it ends with: tie.c */
	char owner[LCX_IPAM_OWNER_SIZE - 1];
	/* Its number, 0: there is none; and where it has that. Zero in files of older libraries. */
	uint32_t tie_pid, tie_pid_ns;
};

/* A process: field 22 of proc_pid_stat(5), its number, and the inode of its PID namespace. */
struct lcx__ipam_tie {
	uint64_t started;
	uint32_t pid, pid_ns;
};

enum { LCX__IPAM_PAGE = 3 };

/* A page of the queue: who was freed before and after. Slots plus one; 0: nobody, or not queued. */
struct lcx__ipam_page {
	uint8_t kind, zero[3]; /* kind and its place are a lease's */
	uint32_t number;       /* of the page: slots from number * LCX__PAGE_SLOTS */
	struct {
		uint32_t next, prev;
	} slots[LCX__PAGE_SLOTS];
};

struct lcx__ipam_cell {
	uint64_t check;
	union {
		uint64_t words[LCX__CELL_WORDS];
		uint32_t links[LCX__CELL_LINKS];
		struct lcx__ipam_header header;
		struct lcx__ipam_state state;
		struct lcx__ipam_lease lease;
		struct lcx__ipam_page page;
	} u;
};
_Static_assert(sizeof(struct lcx__ipam_cell) == LCX__CELL_SIZE, "a cell has another size");

/* Where everything is, in cells; computed from the header. */
struct lcx__ipam_layout {
	uint32_t level_cell[LCX__LEVELS], level_count[LCX__LEVELS], levels;
	uint32_t page_cell, page_count; /* cells that say where pages are; pages there can be */
	uint32_t address_cell, owner_cell, lease_cell;
};

struct lcx_ipam_pool {
	char *name;
	int fd;
	pid_t pid; /* whose the lock is */
	const uint8_t *map;
	size_t mapped; /* bytes */
	struct lcx__ipam_header header;
	struct lcx__ipam_layout layout;
	struct lcx__subnet subnet;
	lcx__address gateway, range_first;
	uint8_t boot[LCX__BOOT_BYTES];
	struct lcx__ipam_tie tie; /* of leases made by this handle */
	bool gave_new;		  /* what it gave last */
	char subnet_text[LCX_IPAM_ADDRESS_SIZE + 4], gateway_text[LCX_IPAM_ADDRESS_SIZE];
	/* For tests: the process "dies" before this many writes more; negative: never. Or that many
	 * are lost then, and it lives. */
	int32_t writes_left, writes_lost;
};

/* A locked pool, and the cells that are going to change. */
struct lcx__ipam_change {
	struct lcx_ipam_pool *pool;
	bool locked;
	bool unapplied; /* what was committed could not be written to its place: begin anew */
	bool damaged;   /* a cell did not match its checksum, or contradicts another */
	uint32_t damaged_cell, count;
	uint32_t numbers[LCX__CHANGE_CELLS];
	struct lcx__ipam_cell cells[LCX__CHANGE_CELLS];
};

/* file.c: cells on disk, and the lock. */
enum { LCX__FILE_NAME_SIZE = LCX_IPAM_OWNER_SIZE + 8 };
int lcx__ipam_file_name(const char *name, char text[static LCX__FILE_NAME_SIZE],
			struct lcx_error **err);
void lcx__ipam_sign(struct lcx__ipam_header *header);
/* -EUCLEAN, with the way out. */
int lcx__ipam_damaged(const struct lcx_ipam_pool *pool, const char *why, struct lcx_error **err);
int lcx__ipam_map(struct lcx_ipam_pool *pool, off_t size, struct lcx_error **err);
/* NULL beyond the end. */
const struct lcx__ipam_cell *lcx__ipam_mapped_cell(const struct lcx_ipam_pool *pool,
						   uint32_t number);
bool lcx__ipam_cell_is_whole(const struct lcx_ipam_pool *pool, const struct lcx__ipam_cell *cell,
			     uint32_t number);
int lcx__ipam_write_at(struct lcx_ipam_pool *pool, const void *data, size_t length, off_t offset);
void lcx__ipam_unlock(int fd);
/* make.c. @draft says what the pool will be: header, subnet, gateway, range. */
int lcx__ipam_file_create(int dir_fd, const char *name, struct lcx_ipam_pool *draft,
			  struct lcx_error **err);
int lcx__ipam_file_open(int dir_fd, const char *name, struct lcx_ipam_pool **ret,
			struct lcx_error **err);
/* Wait for the lock; closing the descriptor gives it up. */
int lcx__ipam_lock(int fd);
uint64_t lcx__cell_check(const struct lcx__ipam_cell *cell, uint32_t number, uint64_t salt);
uint64_t lcx__mix(uint64_t seed, const void *data, size_t length);
/* Fills @layout; -EUCLEAN if the header cannot be. */
int lcx__ipam_layout(const struct lcx__ipam_header *header, struct lcx__ipam_layout *layout);

/*
 * change.c: lock the pool and finish what a dead process began. A change lives in a variable with
 * CLEANUP(lcx__ipam_end), which unlocks; without a commit, nothing has happened.
 */
int lcx__ipam_begin(struct lcx_ipam_pool *pool, struct lcx__ipam_change *change,
		    struct lcx_error **err);
int lcx__ipam_commit(struct lcx__ipam_change *change, struct lcx_error **err);
void lcx__ipam_end(struct lcx__ipam_change *change);

/*
 * Read a cell, or get it for writing. Never NULL: instead of a damaged cell an
 * empty one comes, and the change is marked; lcx__ipam_whole() tells, and must be asked before a
 * result is believed.
 */
const struct lcx__ipam_cell *lcx__ipam_read(struct lcx__ipam_change *change, uint32_t number);
struct lcx__ipam_cell *lcx__ipam_write(struct lcx__ipam_change *change, uint32_t number);
struct lcx__ipam_cell *lcx__ipam_fresh(struct lcx__ipam_change *change, uint32_t number);
void lcx__ipam_damage(struct lcx__ipam_change *change, uint32_t number);
int lcx__ipam_whole(const struct lcx__ipam_change *change, struct lcx_error **err);

static inline const struct lcx__ipam_state *lcx__ipam_state(struct lcx__ipam_change *change)
{
	return &lcx__ipam_read(change, LCX__STATE_CELL)->u.state;
}

static inline struct lcx__ipam_state *lcx__ipam_state_write(struct lcx__ipam_change *change)
{
	return &lcx__ipam_write(change, LCX__STATE_CELL)->u.state;
}

/* Have room for lease cells below @top; before the journal is written, since it may fail. */
int lcx__ipam_grow(struct lcx__ipam_change *change, uint32_t top, struct lcx_error **err);

/* bitmap.c: which slots of the range were ever given. */
void lcx__bitmap_format(const struct lcx__ipam_layout *layout, uint32_t level, uint32_t index,
			uint32_t count, struct lcx__ipam_cell *cell);
bool lcx__bitmap_find(struct lcx__ipam_change *change, uint32_t from, uint32_t *ret_slot);
bool lcx__bitmap_test(struct lcx__ipam_change *change, uint32_t slot);
void lcx__bitmap_set(struct lcx__ipam_change *change, uint32_t slot);
bool lcx__bitmap_is_full(const struct lcx__ipam_cell *cell);

/*
 * freed.c: the queue of the slots that were given and came back. A slot is announced before it is
 * given the first time, which makes its page; only that needs room.
 */
int lcx__freed_announce(struct lcx__ipam_change *change, uint32_t slot, struct lcx_error **err);
/* The one that has waited longest; false if nobody does. */
bool lcx__freed_first(struct lcx__ipam_change *change, uint32_t *ret_slot);
void lcx__freed_enter(struct lcx__ipam_change *change, uint32_t slot);
void lcx__freed_leave(struct lcx__ipam_change *change, uint32_t slot);
/* Pages, their places and the queue agree with each other, the bitmap and the leases. */
void lcx__freed_verify(struct lcx__ipam_change *change);

/* lease.c: leases and the two indexes of them. Functions that search return a link. */
const struct lcx__ipam_lease *lcx__lease_read(struct lcx__ipam_change *change, uint32_t link);
struct lcx__ipam_lease *lcx__lease_write(struct lcx__ipam_change *change, uint32_t link);
bool lcx__lease_is_held(const struct lcx__ipam_lease *lease);
/* A cell that is none: one that was given back, else a new one, for which the file may grow. */
int lcx__lease_take_cell(struct lcx__ipam_change *change, uint32_t *ret_link,
			 struct lcx_error **err);
uint32_t lcx__lease_by_address(struct lcx__ipam_change *change, lcx__address address);
uint32_t lcx__lease_by_owner(struct lcx__ipam_change *change, const char *owner, uint8_t kind,
			     uint32_t *index);
int lcx__lease_add(struct lcx__ipam_change *change, lcx__address address, const char *owner,
		   uint8_t kind, struct lcx_error **err);
void lcx__lease_remove(struct lcx__ipam_change *change, uint32_t link);
void lcx__lease_turn(struct lcx__ipam_change *change, uint32_t link, uint8_t kind);
bool lcx__lease_is_of(const struct lcx__ipam_lease *lease, const char *owner);
lcx__address lcx__lease_address(const struct lcx__ipam_lease *lease);

/* tie.c: leases that end with a process. */
void lcx__tie_lease(struct lcx__ipam_lease *lease, const struct lcx__ipam_tie *tie);
/* It ends with a process that has ended. */
bool lcx__tie_is_gone(const struct lcx_ipam_pool *pool, const struct lcx__ipam_lease *lease);

/* The slot of an address in the range; false if it is outside. */
bool lcx__ipam_slot(const struct lcx_ipam_pool *pool, lcx__address address, uint32_t *ret_slot);
/* Addresses that are never leased: network, broadcast, gateway. */
bool lcx__ipam_is_special(const struct lcx_ipam_pool *pool, lcx__address address);
/* Which of those have a slot. Return: how many. */
enum { LCX__SPECIALS = 3 };
uint32_t lcx__ipam_special_slots(const struct lcx_ipam_pool *pool,
				 uint32_t slots[static LCX__SPECIALS]);

/* verify.c: does everything agree with everything? Marks the change damaged if not. */
void lcx__ipam_verify(struct lcx__ipam_change *change);

/* Numbers in files are in network byte order, 16 bytes, right-aligned. */
void lcx__address_store(lcx__address address, uint8_t bytes[static 16]);
lcx__address lcx__address_load(const uint8_t bytes[static 16]);
