/* SPDX-License-Identifier: MIT */
#ifndef LCX_IPAM_H
#define LCX_IPAM_H

#include <lcx/error.h>

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * struct lcx_ipam_pool - one subnet whose addresses are leased to owners
 *
 * A pool is one file in a directory of the caller's choice; any number of
 * processes and handles may use it at once, and each change is atomic, even if
 * the process is killed in the middle of it. An owner is any name that obeys
 * [A-Za-z0-9][A-Za-z0-9_.-]{0,127}: usually a container's identifier.
 *
 * The network address, the broadcast address and the gateway are never leased.
 * The next address is the lowest that nobody ever had; when there is none, the
 * one that was released longest ago. That order is kept in the file: by whom,
 * and in which process, an address was released makes no difference. An
 * allocation, a release and a look-up touch the same few places of the file,
 * however full it is.
 *
 * One thread at a time per handle, which a forked child may go on using; handles in different
 * threads or processes exclude each other for the few microseconds that a call takes. Every call
 * that touches the file may fail with
 *   -EUCLEAN  the file is damaged, or of a format that this library does not
 *             know: it is left alone and never guessed at.
 *             Rebuild it: lcx_ipam_pool_discard(), create, and allocate again
 *             what is known to be in use;
 *   -ESTALE   the pool was destroyed while this handle was open.
 */
struct lcx_ipam_pool;

/** struct lcx_ipam_cursor - a walk over the leases of a pool */
struct lcx_ipam_cursor;

#define LCX_IPAM_ADDRESS_SIZE 46  /* bytes that hold any address as text, with its NUL */
#define LCX_IPAM_OWNER_SIZE   129 /* bytes that hold any owner, with its NUL */

/* What an entry is. */
#define LCX_IPAM_LEASE       1 /* in use by its owner */
#define LCX_IPAM_RESERVATION 2 /* kept for its owner, who does not use it now */

/**
 * lcx_ipam_pool_create() - make a pool file and open it
 * @dir_fd:  the directory, or AT_FDCWD; borrowed for the call only
 * @name:    name of the pool; obeys the rule for owners
 * @subnet:  "10.88.0.0/16" or "fd00:1::/64"; host bits must be zero. IPv4 from
 *           /8, IPv6 from /16. Of an IPv6 subnet the first 2^24 addresses are
 *           leased on demand, the others when they are asked for
 * @gateway: an address of @subnet, NULL for its first one, "none" for none
 * @ret:     the new handle, owned by the caller; untouched on failure
 * @err:     the failure in words, or NULL
 *
 * Return: 0, or -EEXIST if there is a pool of that name, -EINVAL for a subnet,
 * gateway or name that cannot be, -ENOSPC if the disk is full, else what
 * open(2) or write(2) reported. A call that is killed leaves no half-made file.
 */
int lcx_ipam_pool_create(int dir_fd, const char *name, const char *subnet, const char *gateway,
			 struct lcx_ipam_pool **ret, struct lcx_error **err);

/**
 * lcx_ipam_pool_create_range() - the same, leasing on demand only a part
 * @first: lowest address that lcx_ipam_allocate() chooses itself, or NULL
 * @last:  highest one, or NULL
 *
 * The other addresses of the subnet are given only to those who ask for one of
 * them. At most 2^24 addresses.
 */
int lcx_ipam_pool_create_range(int dir_fd, const char *name, const char *subnet,
			       const char *gateway, const char *first, const char *last,
			       struct lcx_ipam_pool **ret, struct lcx_error **err);

/**
 * lcx_ipam_pool_open() - attach to a pool that exists
 *
 * The first open after a boot checks the whole file, which takes time in
 * proportion to its leases (some 10 ms for 65,000); others check what they
 * touch.
 *
 * Return: 0, -ENOENT if there is no such pool, -EUCLEAN if it is damaged or
 * of a version that this library does not know.
 */
int lcx_ipam_pool_open(int dir_fd, const char *name, struct lcx_ipam_pool **ret,
		       struct lcx_error **err);

/**
 * lcx_ipam_pool_destroy() - remove a pool that has no lease and no reservation
 *
 * Return: 0, -EBUSY with the owners' names (the first few) while there are
 * some, -ENOENT if there is no such pool.
 */
int lcx_ipam_pool_destroy(int dir_fd, const char *name, struct lcx_error **err);

/**
 * lcx_ipam_pool_discard() - remove a pool file, whatever is in it
 *
 * For a damaged file that will be rebuilt. Handles on it get -ESTALE from now
 * on. A missing file is -ENOENT.
 */
int lcx_ipam_pool_discard(int dir_fd, const char *name, struct lcx_error **err);

/** lcx_ipam_pool_free() - close the handle; leases stay. NULL is accepted, NULL is returned */
struct lcx_ipam_pool *lcx_ipam_pool_free(struct lcx_ipam_pool *pool);

/*
 * What a pool is; fixed when it is made. Strings live as long as the handle.
 */

/** lcx_ipam_pool_name() - the name it was opened by */
const char *lcx_ipam_pool_name(const struct lcx_ipam_pool *pool);

/** lcx_ipam_pool_subnet() - as "10.88.0.0/16" */
const char *lcx_ipam_pool_subnet(const struct lcx_ipam_pool *pool);

/** lcx_ipam_pool_gateway() - as "10.88.0.1"; "" if the pool has none */
const char *lcx_ipam_pool_gateway(const struct lcx_ipam_pool *pool);

/** lcx_ipam_pool_prefix_length() - bits of the network part */
uint32_t lcx_ipam_pool_prefix_length(const struct lcx_ipam_pool *pool);

/** lcx_ipam_pool_ip_version() - 4 or 6 */
uint32_t lcx_ipam_pool_ip_version(const struct lcx_ipam_pool *pool);

/** lcx_ipam_pool_capacity() - how many addresses lcx_ipam_allocate() can choose from */
uint64_t lcx_ipam_pool_capacity(const struct lcx_ipam_pool *pool);

/** lcx_ipam_pool_used() - how many leases and reservations there are now */
int lcx_ipam_pool_used(struct lcx_ipam_pool *pool, uint64_t *ret, struct lcx_error **err);

/**
 * lcx_ipam_allocate() - lease an address
 * @owner:   who uses it; may hold any number of leases
 * @wanted:  the address to lease, or NULL for the next one: one never given
 *           before, else the one released longest ago. A reservation of
 *           @owner's own becomes a lease: the one @wanted names, or, with NULL,
 *           its latest
 * @address: receives the address as text; untouched on failure
 * @size:    bytes of @address; LCX_IPAM_ADDRESS_SIZE always suffices
 *
 * Return: 0; -ENOSPC if no address is free (or the disk is full, as the words
 * say); -EADDRINUSE, naming the owner, if @wanted is taken, or is the gateway's;
 * -ERANGE if @wanted is outside the subnet, -EINVAL if it is no address or one
 * that is never leased, or @owner is no name; -ENOBUFS if @size is too small.
 */
int lcx_ipam_allocate(struct lcx_ipam_pool *pool, const char *owner, const char *wanted,
		      char *address, size_t size, struct lcx_error **err);

/**
 * lcx_ipam_reserve() - keep an address for an owner who does not use it now
 *
 * A lease of @owner on @address becomes a reservation (the container stops); a
 * free address is reserved; a reservation of @owner's stays one. Nobody else gets it
 * before it is released. Return: as lcx_ipam_allocate().
 */
int lcx_ipam_reserve(struct lcx_ipam_pool *pool, const char *owner, const char *address,
		     struct lcx_error **err);

/**
 * lcx_ipam_release() - give an address back, leased or reserved
 * @owner: only if it is this owner's, or NULL for anyone's
 *
 * Return: 0, -ENOENT if it is not taken, -EPERM (naming the owner) if it is
 * another's.
 */
int lcx_ipam_release(struct lcx_ipam_pool *pool, const char *address, const char *owner,
		     struct lcx_error **err);

/**
 * lcx_ipam_release_owner() - give back all that an owner holds
 * @ret_count: how many that were, or NULL; none is success, so that it can be repeated
 */
int lcx_ipam_release_owner(struct lcx_ipam_pool *pool, const char *owner, uint32_t *ret_count,
			   struct lcx_error **err);

/**
 * lcx_ipam_pool_tie() - leases made by this handle from now on end with a process
 * @pidfd: of it, as pidfd_open(2) gives it; borrowed for the call only; -1: with none, as before
 *
 * The lease is made and tied in one change: whoever is killed at any instruction leaves none that
 * nobody takes back. A process is known by its number, when it started, its PID namespace and the
 * boot; one in another PID namespace counts as living. A reservation ends with nobody.
 *
 * Return: 0; -ESRCH if the process has ended; -EINVAL or -EBADF for what is no pidfd; -EXDEV where
 * /proc is of another PID namespace.
 */
int lcx_ipam_pool_tie(struct lcx_ipam_pool *pool, int pidfd, struct lcx_error **err);

/**
 * lcx_ipam_tie() - what an owner has leased ends with a process from now on
 * @pidfd: as for lcx_ipam_pool_tie(); -1: with none
 *
 * To hand a lease on: made by the one who prepares a container, tied to himself; then tied to the
 * container's process. Return: as lcx_ipam_pool_tie(); -ENOENT if @owner has no lease.
 */
int lcx_ipam_tie(struct lcx_ipam_pool *pool, const char *owner, int pidfd, struct lcx_error **err);

/**
 * lcx_ipam_reclaim() - take back what processes had that are gone
 * @ret_count: how many leases that were, or NULL; none is success
 *
 * lcx_ipam_allocate() does it by itself before it says that a pool is full, and for the one address
 * that is @wanted.
 */
int lcx_ipam_reclaim(struct lcx_ipam_pool *pool, uint32_t *ret_count, struct lcx_error **err);

/**
 * lcx_ipam_lookup() - who has this address?
 * @owner: receives the name; LCX_IPAM_OWNER_SIZE bytes always suffice
 *
 * Return: LCX_IPAM_LEASE or LCX_IPAM_RESERVATION; -ENOENT if nobody has it.
 */
int lcx_ipam_lookup(struct lcx_ipam_pool *pool, const char *address, char *owner, size_t size,
		    struct lcx_error **err);

/**
 * lcx_ipam_lookup_owner() - which address does this owner have?
 * @index: 0 for the latest, 1 for the one before, ...
 *
 * Return: LCX_IPAM_LEASE or LCX_IPAM_RESERVATION; -ENOENT if there are not so many.
 */
int lcx_ipam_lookup_owner(struct lcx_ipam_pool *pool, const char *owner, uint32_t index,
			  char *address, size_t size, struct lcx_error **err);

/**
 * lcx_ipam_cursor_new() - begin a walk over all leases and reservations
 * @pool: must outlive the cursor
 *
 * No lock is held between two steps. Entries that come or go meanwhile may be
 * seen or not; all others are seen exactly once. In no particular order.
 */
int lcx_ipam_cursor_new(struct lcx_ipam_pool *pool, struct lcx_ipam_cursor **ret,
			struct lcx_error **err);

/** lcx_ipam_cursor_next() - step. Return: 1 if there is an entry, 0 at the end, a negative errno */
int lcx_ipam_cursor_next(struct lcx_ipam_cursor *cursor, struct lcx_error **err);

/* The present entry; valid until the next step. "" or 0 before the first and after the last. */

/** lcx_ipam_cursor_address() - as text, without prefix length */
const char *lcx_ipam_cursor_address(const struct lcx_ipam_cursor *cursor);

/** lcx_ipam_cursor_owner() - whose it is */
const char *lcx_ipam_cursor_owner(const struct lcx_ipam_cursor *cursor);

/** lcx_ipam_cursor_time_ns() - when it was leased or reserved: CLOCK_REALTIME in nanoseconds */
int64_t lcx_ipam_cursor_time_ns(const struct lcx_ipam_cursor *cursor);

/** lcx_ipam_cursor_kind() - LCX_IPAM_LEASE or LCX_IPAM_RESERVATION */
int32_t lcx_ipam_cursor_kind(const struct lcx_ipam_cursor *cursor);

/** lcx_ipam_cursor_this_boot() - 1 if the entry was made since the system booted, else 0 */
int32_t lcx_ipam_cursor_this_boot(const struct lcx_ipam_cursor *cursor);

/** lcx_ipam_cursor_pid() - the process that it ends with, in its PID namespace; 0: there is none */
int64_t lcx_ipam_cursor_pid(const struct lcx_ipam_cursor *cursor);

/** lcx_ipam_cursor_free() - release; NULL is accepted, NULL is returned */
struct lcx_ipam_cursor *lcx_ipam_cursor_free(struct lcx_ipam_cursor *cursor);

/**
 * lcx_ipam_subnet_overlaps() - do two subnets share an address?
 *
 * Return: 1 or 0; -EINVAL if one of them is no subnet. Different IP versions
 * never overlap.
 */
int lcx_ipam_subnet_overlaps(const char *a, const char *b, struct lcx_error **err);

/**
 * lcx_ipam_subnet_contains() - is this address part of that subnet?
 *
 * Return: 1 or 0; -EINVAL if one of them is none.
 */
int lcx_ipam_subnet_contains(const char *subnet, const char *address, struct lcx_error **err);

#ifdef __cplusplus
}
#endif

#endif /* LCX_IPAM_H */
