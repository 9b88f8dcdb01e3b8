/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ipam/ipam-internal.h"

/* A change of a pool: under the lock, by way of the journal. */

/* The journal: all of one change. Longer than the cells it holds, so it is no cell itself. */
struct journal {
	uint64_t check, sequence, count;
	struct {
		uint64_t number;
		struct lcx__ipam_cell cell;
	} entries[LCX__CHANGE_CELLS];
};
_Static_assert(sizeof(struct journal) <= LCX__JOURNAL_CELLS * LCX__CELL_SIZE,
	       "a change outgrew the journal");

enum { GROW_CELLS = 64 }; /* lease cells made at once: 16 KiB */

static uint64_t journal_check(const struct journal *journal, uint64_t salt)
{
	size_t from = offsetof(struct journal, sequence);
	size_t to = offsetof(struct journal, entries) +
		    (size_t)journal->count * sizeof(journal->entries[0]);

	return lcx__mix(~salt, (const uint8_t *)journal + from, to - from);
}

/*
 * The lock belongs to the open file, which a forked child shares with its
 * parent: they would not exclude each other. So a handle that finds itself in
 * another process opens the file anew.
 */
static int follow_fork(struct lcx_ipam_pool *pool, struct lcx_error **err)
{
	char path[32];
	int fd;

	if (pool->pid == getpid())
		return 0;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", pool->fd);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return lcx__fail_sys(err, errno, "address pool '%s': open it again after a fork",
				     pool->name);
	(void)close(pool->fd);
	pool->fd = fd;
	pool->pid = getpid();
	return 0;
}

static int apply(struct lcx_ipam_pool *pool, const struct journal *journal)
{
	int r = 0;

	/* The state is the first entry and is written last: its number says that the rest is done.
	 */
	for (uint64_t i = journal->count; r == 0 && i-- > 0;)
		r = lcx__ipam_write_at(pool, &journal->entries[i].cell, LCX__CELL_SIZE,
				       (off_t)journal->entries[i].number * LCX__CELL_SIZE);
	return r;
}

/* Is this the whole record of a change to this pool? */
static bool journal_is_whole(const struct lcx_ipam_pool *pool, const struct journal *journal)
{
	if (journal->count == 0 || journal->count > LCX__CHANGE_CELLS ||
	    journal->check != journal_check(journal, pool->header.salt) ||
	    journal->entries[0].number != LCX__STATE_CELL)
		return false;
	for (uint64_t i = 0; i < journal->count; i++) {
		uint64_t number = journal->entries[i].number;

		if (i > 0 &&
		    (number < LCX__BITMAP_CELL || (number + 1) * LCX__CELL_SIZE > pool->mapped))
			return false;
		if (!lcx__ipam_cell_is_whole(pool, &journal->entries[i].cell, (uint32_t)number))
			return false;
	}
	return journal->entries[0].cell.u.state.sequence == journal->sequence;
}

/* Finish what a process that died had begun. */
static int recover(struct lcx_ipam_pool *pool, struct lcx_error **err)
{
	const struct lcx__ipam_cell *state = lcx__ipam_mapped_cell(pool, LCX__STATE_CELL);
	const struct journal *journal =
		(const void *)(pool->map + LCX__JOURNAL_CELL * LCX__CELL_SIZE);
	bool state_is_whole = lcx__ipam_cell_is_whole(pool, state, LCX__STATE_CELL);
	struct journal copy;
	int r;

	if (state_is_whole && journal->sequence != state->u.state.sequence + 1)
		return 0;
	copy = *journal;
	if (!journal_is_whole(pool, &copy))
		return state_is_whole ? 0 : lcx__ipam_damaged(pool, "its state is unreadable", err);
	r = apply(pool, &copy);
	if (r < 0)
		return lcx__fail_sys(err, -r, "address pool '%s': finish the last change",
				     pool->name);
	return 0;
}

int lcx__ipam_begin(struct lcx_ipam_pool *pool, struct lcx__ipam_change *change,
		    struct lcx_error **err)
{
	struct stat st;
	int r;

	change->pool = pool;
	change->locked = change->damaged = change->unapplied = false;
	change->count = 0;

	r = follow_fork(pool, err);
	if (r < 0)
		return r;
	r = lcx__ipam_lock(pool->fd);
	if (r < 0)
		return lcx__fail_sys(err, -r, "lock address pool '%s'", pool->name);
	change->locked = true;
	if (fstat(pool->fd, &st) < 0)
		return lcx__fail_sys(err, errno, "address pool '%s'", pool->name);
	if (st.st_nlink == 0)
		return lcx__fail(err, ESTALE, "address pool '%s' was destroyed; open it again",
				 pool->name);
	r = lcx__ipam_map(pool, st.st_size, err);
	return r < 0 ? r : recover(pool, err);
}

void lcx__ipam_end(struct lcx__ipam_change *change)
{
	if (change->locked)
		(void)lcx__ipam_unlock(change->pool->fd);
	change->locked = false;
}

void lcx__ipam_damage(struct lcx__ipam_change *change, uint32_t number)
{
	if (!change->damaged)
		change->damaged_cell = number;
	change->damaged = true;
}

int lcx__ipam_whole(const struct lcx__ipam_change *change, struct lcx_error **err)
{
	char why[64];

	if (!change->damaged)
		return 0;
	(void)snprintf(why, sizeof(why), "cell %u is not what was written", change->damaged_cell);
	return lcx__ipam_damaged(change->pool, why, err);
}

static struct lcx__ipam_cell *find_changed(struct lcx__ipam_change *change, uint32_t number)
{
	for (uint32_t i = 0; i < change->count; i++)
		if (change->numbers[i] == number)
			return &change->cells[i];
	return NULL;
}

const struct lcx__ipam_cell *lcx__ipam_read(struct lcx__ipam_change *change, uint32_t number)
{
	static const struct lcx__ipam_cell empty;
	const struct lcx__ipam_cell *cell = find_changed(change, number);

	if (cell)
		return cell;
	cell = lcx__ipam_mapped_cell(change->pool, number);
	if (lcx__ipam_cell_is_whole(change->pool, cell, number))
		return cell;
	lcx__ipam_damage(change, number);
	return &empty;
}

struct lcx__ipam_cell *lcx__ipam_fresh(struct lcx__ipam_change *change, uint32_t number)
{
	struct lcx__ipam_cell *cell = find_changed(change, number);

	if (!cell) {
		/* Can't happen with the structures of this version; a lost cell is worse than a
		 * refusal. */
		if (change->count == LCX__CHANGE_CELLS) {
			lcx__ipam_damage(change, number);
			change->count--;
		}
		change->numbers[change->count] = number;
		cell = &change->cells[change->count++];
	}
	memset(cell, 0, sizeof(*cell));
	return cell;
}

struct lcx__ipam_cell *lcx__ipam_write(struct lcx__ipam_change *change, uint32_t number)
{
	const struct lcx__ipam_cell *old = lcx__ipam_read(change, number);
	struct lcx__ipam_cell *cell = find_changed(change, number);

	if (cell)
		return cell;
	cell = lcx__ipam_fresh(change, number);
	*cell = *old;
	return cell;
}

/* Cells that are merely made have no checksum: nobody looks at them before they are written. */
int lcx__ipam_grow(struct lcx__ipam_change *change, uint32_t top, struct lcx_error **err)
{
	static const uint8_t zeros[GROW_CELLS * LCX__CELL_SIZE];
	struct lcx_ipam_pool *pool = change->pool;
	uint64_t needed = ((uint64_t)pool->layout.lease_cell + top) * LCX__CELL_SIZE;
	int r;

	if (needed <= pool->mapped)
		return 0;
	r = lcx__ipam_write_at(pool, zeros, sizeof(zeros), (off_t)(needed - LCX__CELL_SIZE));
	if (r < 0)
		return lcx__fail_sys(err, -r, "address pool '%s': grow the file", pool->name);
	return lcx__ipam_map(pool, (off_t)(needed - LCX__CELL_SIZE + sizeof(zeros)), err);
}

int lcx__ipam_commit(struct lcx__ipam_change *change, struct lcx_error **err)
{
	struct lcx_ipam_pool *pool = change->pool;
	struct lcx__ipam_state *state = lcx__ipam_state_write(change);
	struct journal journal;
	uint32_t i, from, at = 1;
	int r;

	journal.sequence = ++state->sequence;
	journal.count = change->count;
	for (i = 0; i < change->count; i++) {
		uint32_t to = change->numbers[i] == LCX__STATE_CELL ? 0 : at++;

		change->cells[i].check =
			lcx__cell_check(&change->cells[i], change->numbers[i], pool->header.salt);
		journal.entries[to].number = change->numbers[i];
		journal.entries[to].cell = change->cells[i];
	}
	/* Asked last: every look above may have found damage. */
	r = lcx__ipam_whole(change, err);
	if (r < 0)
		return r;
	journal.check = journal_check(&journal, pool->header.salt);

	from = (uint32_t)offsetof(struct journal, entries);
	r = lcx__ipam_write_at(pool, &journal, from + change->count * sizeof(journal.entries[0]),
			       (off_t)LCX__JOURNAL_CELL * LCX__CELL_SIZE);
	if (r < 0)
		return lcx__fail_sys(err, -r, "address pool '%s': write the journal", pool->name);

	/* From here on the change has happened: should this fail, whoever comes next repeats it. */
	change->unapplied = apply(pool, &journal) < 0;
	change->count = 0;
	return 0;
}
