/* SPDX-License-Identifier: MIT */

/*
 * Leases that end with a process. It is known by its number, when it started, and the PID namespace
 * in which it has that number: together with the boot there is no second one. What is not
 * known for sure, because it is of another namespace, or /proc hides it, counts as living: an
 * address that nobody gets back is the smaller evil.
 *
 * Whether it is gone is asked under the pool's lock: who ties a lease to another process needs
 * it, too.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ipam/ipam-internal.h"
#include "util/fs.h"
#include "util/process.h"
#include "util/str.h"

enum { AT_ONCE = 8, SEEN_AT_ONCE = 1024 };

/* 0 when it cannot be told, or numbers in /proc are those of another one. */
static uint32_t own_pid_namespace(void)
{
	char number[16] = "";
	struct stat st;

	if (readlink("/proc/self", number, sizeof(number) - 1) < 0 || atoi(number) != getpid() ||
	    stat("/proc/self/ns/pid", &st) < 0)
		return 0;
	return (uint32_t)st.st_ino;
}

static int read_tie(int pidfd, struct lcx__ipam_tie *ret, struct lcx_error **err)
{
	pid_t pid = lcx__pidfd_pid(pidfd);
	int r = pid < 0 ? pid : 0;
	int64_t started;

	if (r == -EINVAL || r == -EBADF)
		return lcx__fail(err, -r, "descriptor %d is no pidfd", pidfd);
	*ret = (struct lcx__ipam_tie){.pid_ns = own_pid_namespace()};
	if (r == 0 && ret->pid_ns == 0)
		return lcx__fail(err, EXDEV, "/proc shows the processes of another PID namespace");
	if (r == 0)
		r = lcx__read_start_time(pid, &started);
	/* Still there: so all of it was its own. */
	if (r == 0)
		r = lcx__pidfd_ends(pidfd, 0);
	if (r == 1)
		r = -ESRCH;
	if (r < 0)
		return r == -ESRCH ? lcx__fail(err, ESRCH, "the process has ended")
				   : lcx__fail_sys(err, -r, "read of a process");
	ret->pid = (uint32_t)pid;
	ret->started = (uint64_t)started;
	return 0;
}

void lcx__tie_lease(struct lcx__ipam_lease *lease, const struct lcx__ipam_tie *tie)
{
	lease->tie_started = tie->started;
	lease->tie_pid = tie->pid;
	lease->tie_pid_ns = tie->pid_ns;
}

static bool process_is_gone(const struct lcx__ipam_lease *lease)
{
	CLEANUP(closep) int pidfd = lcx__pidfd_open((pid_t)lease->tie_pid);
	int64_t started;

	if (pidfd < 0)
		return pidfd == -ESRCH;
	if (lcx__pidfd_ends(pidfd, 0) == 1)
		return true;
	return lcx__read_start_time((pid_t)lease->tie_pid, &started) == 0 &&
	       !lcx__is_same_start(started, (int64_t)lease->tie_started);
}

/* @pid_ns: own_pid_namespace() */
static bool is_gone(const struct lcx_ipam_pool *pool, const struct lcx__ipam_lease *lease,
		    uint32_t pid_ns)
{
	static const uint8_t unknown[LCX__BOOT_BYTES];

	if (lease->kind != LCX_IPAM_LEASE || lease->tie_pid == 0 || lease->tie_pid > INT32_MAX)
		return false;
	if (memcmp(pool->boot, unknown, sizeof(unknown)) == 0)
		return false;
	if (memcmp(pool->boot, lease->boot, sizeof(lease->boot)) != 0)
		return true;
	return pid_ns != 0 && lease->tie_pid_ns == pid_ns && process_is_gone(lease);
}

bool lcx__tie_is_gone(const struct lcx_ipam_pool *pool, const struct lcx__ipam_lease *lease)
{
	return lease->tie_pid != 0 && is_gone(pool, lease, own_pid_namespace());
}

LCX_PUBLIC int lcx_ipam_pool_tie(struct lcx_ipam_pool *pool, int pidfd, struct lcx_error **err)
{
	struct lcx__ipam_tie tie = {0};
	int r = pidfd >= 0 ? read_tie(pidfd, &tie, err) : 0;

	if (r < 0)
		return lcx__fail_prefix(err, r, "address pool '%s'", pool->name);
	pool->tie = tie;
	return 0;
}

static bool is_tied_so(const struct lcx__ipam_lease *lease, const struct lcx__ipam_tie *tie)
{
	return lease->tie_started == tie->started && lease->tie_pid == tie->pid &&
	       lease->tie_pid_ns == tie->pid_ns;
}

/* Some of the owner's leases, as many as one change holds. Return: how many were not tied so. */
static uint32_t tie_some(struct lcx__ipam_change *change, const char *owner,
			 const struct lcx__ipam_tie *tie, uint32_t *ret_held)
{
	uint32_t link = lcx__lease_by_owner(change, owner, LCX_IPAM_LEASE, &(uint32_t){0});
	uint32_t steps = lcx__ipam_state(change)->used, tied = 0;

	for (*ret_held = 0; link && steps-- > 0 && tied < AT_ONCE && !change->damaged;) {
		const struct lcx__ipam_lease *lease = lcx__lease_read(change, link);
		uint32_t next = lease->owner_next;

		/* Others are in the same chain. */
		if (lease->kind == LCX_IPAM_LEASE && lcx__lease_is_of(lease, owner)) {
			(*ret_held)++;
			if (!is_tied_so(lease, tie)) {
				lcx__tie_lease(lcx__lease_write(change, link), tie);
				tied++;
			}
		}
		link = next;
	}
	return tied;
}

LCX_PUBLIC int lcx_ipam_tie(struct lcx_ipam_pool *pool, const char *owner, int pidfd,
			    struct lcx_error **err)
{
	struct lcx__ipam_tie tie = {0};
	uint32_t held = 0, tied;
	int r = pidfd >= 0 ? read_tie(pidfd, &tie, err) : 0;

	if (r < 0)
		return lcx__fail_prefix(err, r, "address pool '%s'", pool->name);
	if (!owner || !lcx__name_is_valid(owner))
		return lcx__fail(err, EINVAL, "'%s' cannot own an address",
				 owner ? owner : "(null)");
	do {
		CLEANUP(lcx__ipam_end) struct lcx__ipam_change change = {.locked = false};

		r = lcx__ipam_begin(pool, &change, err);
		if (r < 0)
			return r;
		tied = tie_some(&change, owner, &tie, &held);
		r = tied > 0 ? lcx__ipam_commit(&change, err) : lcx__ipam_whole(&change, err);
	} while (r == 0 && tied == AT_ONCE);
	if (r == 0 && held == 0)
		return lcx__fail(err, ENOENT, "'%s' has no lease in address pool '%s'", owner,
				 pool->name);
	return r;
}

/* The next lease of a dead process from *@link on, taken back: 1; 0 when some were seen for
 * nothing; -ENODATA after the last. */
static int reclaim_next(struct lcx_ipam_pool *pool, uint32_t pid_ns, uint32_t *link,
			struct lcx_error **err)
{
	CLEANUP(lcx__ipam_end) struct lcx__ipam_change change = {.locked = false};
	struct lcx__ipam_lease known = {0}; /* the last one that was found to live */
	uint32_t top, seen = 0;
	int r = lcx__ipam_begin(pool, &change, err);

	if (r < 0)
		return r;
	for (top = lcx__ipam_state(&change)->lease_top;
	     *link < top && seen < SEEN_AT_ONCE && !change.damaged; seen++) {
		const struct lcx__ipam_lease *lease = lcx__lease_read(&change, ++*link);
		struct lcx__ipam_tie tie = {known.tie_started, known.tie_pid, known.tie_pid_ns};

		if (lease->kind != LCX_IPAM_LEASE || lease->tie_pid == 0 ||
		    (is_tied_so(lease, &tie) &&
		     memcmp(lease->boot, known.boot, sizeof(known.boot)) == 0))
			continue;
		if (is_gone(pool, lease, pid_ns)) {
			lcx__lease_remove(&change, *link);
			r = lcx__ipam_commit(&change, err);
			return r < 0 ? r : 1;
		}
		known = *lease;
	}
	r = lcx__ipam_whole(&change, err);
	return r < 0 ? r : *link < top ? 0 : -ENODATA;
}

LCX_PUBLIC int lcx_ipam_reclaim(struct lcx_ipam_pool *pool, uint32_t *ret_count,
				struct lcx_error **err)
{
	uint32_t pid_ns = own_pid_namespace(), link = 0, count = 0;
	int r;

	while ((r = reclaim_next(pool, pid_ns, &link, err)) >= 0)
		count += (uint32_t)r;
	if (r != -ENODATA)
		return r;
	if (ret_count)
		*ret_count = count;
	return 0;
}
