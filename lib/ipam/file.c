/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ipam/ipam-internal.h"
#include "util/fs.h"
#include "util/str.h"

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

enum {
	GROW_CELLS = 64, /* lease cells made at once: 16 KiB */
	WRITE_CELLS = 256,
};

static const uint8_t magic[8] = "lcxipam";
static const uint32_t version = 1, byte_order = 0x01020304;

/* A multiplicative hash over words: every bit of input reaches every bit of output. */
uint64_t lcx__mix(uint64_t seed, const void *data, size_t length)
{
	const uint8_t *at = data;
	uint64_t hash = seed ^ (length + 1) * UINT64_C(0x9e3779b97f4a7c15), word;

	for (; length > 0; at += sizeof(word)) {
		size_t n = length < sizeof(word) ? length : sizeof(word);

		word = 0;
		memcpy(&word, at, n);
		length -= n;
		hash = (hash ^ word) * UINT64_C(0xff51afd7ed558ccd);
		hash ^= hash >> 32;
	}
	hash *= UINT64_C(0xc4ceb9fe1a85ec53);
	return hash ^ hash >> 29;
}

uint64_t lcx__cell_check(const struct lcx__ipam_cell *cell, uint32_t number, uint64_t salt)
{
	return lcx__mix(salt + number, &cell->u, LCX__CELL_SIZE - sizeof(cell->check));
}

static uint64_t journal_check(const struct journal *journal, uint64_t salt)
{
	size_t from = offsetof(struct journal, sequence);
	size_t to = offsetof(struct journal, entries) +
		    (size_t)journal->count * sizeof(journal->entries[0]);

	return lcx__mix(~salt, (const uint8_t *)journal + from, to - from);
}

static uint32_t divide_up(uint32_t n, uint32_t by)
{
	return n / by + (n % by != 0);
}

int lcx__ipam_layout(const struct lcx__ipam_header *header, struct lcx__ipam_layout *layout)
{
	uint32_t at = LCX__BITMAP_CELL, count = header->range_count;

	if (header->range_count == 0 || header->range_count > LCX__MAX_RANGE ||
	    header->bucket_count == 0 || header->bucket_count > LCX__MAX_BUCKETS)
		return -EUCLEAN;

	memset(layout, 0, sizeof(*layout));
	do {
		count = divide_up(count, LCX__CELL_BITS);
		layout->level_cell[layout->levels] = at;
		layout->level_count[layout->levels++] = count;
		at += count;
	} while (count > 1);
	layout->address_cell = at;
	layout->owner_cell = at + divide_up(header->bucket_count, LCX__CELL_LINKS);
	layout->lease_cell = layout->owner_cell + divide_up(header->bucket_count, LCX__CELL_LINKS);
	return 0;
}

/*
 * Making the file
 */

static int write_at(struct lcx_ipam_pool *pool, const void *data, size_t length, off_t offset)
{
	const uint8_t *at = data;

	if (pool->writes_left == 0)
		return -EIO;
	if (pool->writes_left > 0)
		pool->writes_left--;
	while (length > 0) {
		ssize_t n = pwrite(pool->fd, at, length, offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		at += n;
		length -= (size_t)n;
		offset += n;
	}
	return 0;
}

/* Set the bits of the special addresses; above a leaf, of a last cell that they (all but) fill. */
static void mark_special(const struct lcx_ipam_pool *draft, uint32_t level, uint32_t index,
			 bool last_below_is_full, struct lcx__ipam_cell *cell)
{
	uint32_t bits[LCX__SPECIALS], count = 0;

	if (level == 0) {
		count = lcx__ipam_special_slots(draft, bits);
	} else if (last_below_is_full) {
		bits[0] = draft->layout.level_count[level - 1] - 1;
		count = 1;
	}
	for (uint32_t i = 0; i < count; i++)
		if (bits[i] / LCX__CELL_BITS == index)
			cell->u.words[bits[i] % LCX__CELL_BITS / 64] |= UINT64_C(1)
									<< (bits[i] % 64);
}

/* The content of a cell in a pool without leases. Levels come in order: each looks at the last. */
static void format_cell(const struct lcx_ipam_pool *draft, uint32_t number,
			bool last_is_full[static LCX__LEVELS], struct lcx__ipam_cell *cell)
{
	const struct lcx__ipam_layout *layout = &draft->layout;

	memset(cell, 0, sizeof(*cell));
	if (number == LCX__HEADER_CELL)
		cell->u.header = draft->header;
	for (uint32_t level = 0; level < layout->levels; level++) {
		uint32_t index = number - layout->level_cell[level];

		if (number < layout->level_cell[level] || index >= layout->level_count[level])
			continue;
		lcx__bitmap_format(layout, level, index, draft->header.range_count, cell);
		mark_special(draft, level, index, level > 0 && last_is_full[level - 1], cell);
		last_is_full[level] = lcx__bitmap_is_full(cell);
	}
	cell->check = lcx__cell_check(cell, number, draft->header.salt);
}

static int format_file(int fd, const struct lcx_ipam_pool *draft)
{
	CLEANUP(freep) struct lcx__ipam_cell *cells = calloc(WRITE_CELLS, sizeof(*cells));
	bool last_is_full[LCX__LEVELS] = {false};
	uint32_t number, in_buffer = 0;
	int r = 0;

	if (!cells)
		return -ENOMEM;
	for (number = 0; r == 0 && number < draft->layout.lease_cell; number++) {
		format_cell(draft, number, last_is_full, &cells[in_buffer++]);
		if (in_buffer < WRITE_CELLS && number + 1 < draft->layout.lease_cell)
			continue;
		r = lcx__write_all(fd, cells, in_buffer * sizeof(*cells));
		in_buffer = 0;
	}
	if (r == 0 && fdatasync(fd) < 0)
		r = -errno;
	return r;
}

/*
 * On a file system that copies on write, overwriting may need space that is not there.
 * Where it can be switched off, it is; elsewhere the request fails, which is fine.
 */
static void avoid_copy_on_write(int fd)
{
	int flags = 0;

	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0) {
		flags |= FS_NOCOW_FL;
		(void)ioctl(fd, FS_IOC_SETFLAGS, &flags);
	}
}

/* So that the name outlives a power failure; not every file system can, and then it need not. */
static void sync_dir(int dir_fd)
{
	CLEANUP(closep) int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		(void)fsync(fd);
}

/*
 * link(2) never replaces: of two who create the same pool, one gets EEXIST. An
 * unnamed file is reached through /proc, or, with a privilege, without.
 */
static int give_name(int dir_fd, int fd, const char *temporary, const char *final_name)
{
	char self[32];
	int r;

	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	r = temporary[0] ? linkat(dir_fd, temporary, dir_fd, final_name, 0)
			 : linkat(AT_FDCWD, self, dir_fd, final_name, AT_SYMLINK_FOLLOW);
	if (r < 0 && errno == ENOENT && !temporary[0])
		r = linkat(fd, "", dir_fd, final_name, AT_EMPTY_PATH);
	return r < 0 ? -errno : 0;
}

/* An unnamed file, so that a crash leaves nothing; with a temporary name where that isn't possible.
 */
static int make_file(int dir_fd, const struct lcx_ipam_pool *draft, const char *final_name)
{
	CLEANUP(closep) int fd = -1;
	char temporary[64] = "";
	int r;

	fd = openat(dir_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0) {
		r = lcx__temporary_name(temporary);
		if (r < 0)
			return r;
		fd = openat(dir_fd, temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	}
	if (fd < 0)
		return -errno;

	avoid_copy_on_write(fd);
	/* The mode is ours to choose, whatever umask the host has. */
	r = fchmod(fd, 0600) < 0 ? -errno : format_file(fd, draft);
	if (r == 0)
		r = give_name(dir_fd, fd, temporary, final_name);
	if (temporary[0])
		(void)unlinkat(dir_fd, temporary, 0);
	if (r == 0)
		sync_dir(dir_fd);
	return r;
}

int lcx__ipam_file_name(const char *name, char text[static LCX__FILE_NAME_SIZE],
			struct lcx_error **err)
{
	if (!name || !lcx__name_is_valid(name))
		return lcx__fail(err, EINVAL,
				 "'%s' cannot name an address pool; use letters, digits, '_', '.' "
				 "and '-', at most 128",
				 name ? name : "(null)");
	(void)snprintf(text, LCX__FILE_NAME_SIZE, "%s.ipam", name);
	return 0;
}

int lcx__ipam_file_create(int dir_fd, const char *name, struct lcx_ipam_pool *draft,
			  struct lcx_error **err)
{
	struct lcx__ipam_header *header = &draft->header;
	char file[LCX__FILE_NAME_SIZE];
	int r;

	r = lcx__ipam_file_name(name, file, err);
	if (r < 0)
		return r;
	memcpy(header->magic, magic, sizeof(magic));
	header->version = version;
	header->byte_order = byte_order;
	r = lcx__ipam_layout(header, &draft->layout);
	if (r == 0)
		r = make_file(dir_fd, draft, file);
	if (r == -EEXIST)
		return lcx__fail(
			err, EEXIST,
			"address pool '%s' exists already; open it, or choose another name", name);
	if (r < 0)
		return lcx__fail_sys(err, -r, "create address pool '%s'", name);
	return 0;
}

/*
 * Opening
 */

static int damaged(const struct lcx_ipam_pool *pool, const char *why, struct lcx_error **err)
{
	return lcx__fail(err, EUCLEAN,
			 "address pool '%s' is damaged: %s; nothing was changed; discard the file "
			 "'%s.ipam' and allocate again what is in use",
			 pool->name, why, pool->name);
}

/* Follow the file as it grows. Less than before would be SIGBUS at the next look: refuse it. */
static int map_file(struct lcx_ipam_pool *pool, off_t size, struct lcx_error **err)
{
	void *map;

	if (size < (off_t)pool->mapped)
		return damaged(pool, "it was cut off", err);
	if (size == (off_t)pool->mapped)
		return 0;
	if (size / LCX__CELL_SIZE > (off_t)2 * LCX__MAX_LEASES)
		return damaged(pool, "it is too long", err);
	map = pool->map ? mremap((void *)(uintptr_t)pool->map, pool->mapped, (size_t)size,
				 MREMAP_MAYMOVE)
			: mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, pool->fd, 0);
	if (map == MAP_FAILED)
		return lcx__fail_sys(err, errno, "map address pool '%s'", pool->name);
	pool->map = map;
	pool->mapped = (size_t)size;
	return 0;
}

static const struct lcx__ipam_cell *mapped_cell(const struct lcx_ipam_pool *pool, uint32_t number)
{
	if (((uint64_t)number + 1) * LCX__CELL_SIZE > pool->mapped)
		return NULL;
	return (const struct lcx__ipam_cell *)(const void *)(pool->map +
							     (size_t)number * LCX__CELL_SIZE);
}

static bool is_whole(const struct lcx_ipam_pool *pool, const struct lcx__ipam_cell *cell,
		     uint32_t number)
{
	return cell && cell->check == lcx__cell_check(cell, number, pool->header.salt);
}

/* The header says what the rest means, so nothing in it is believed unseen. */
static int read_header(struct lcx_ipam_pool *pool, struct lcx_error **err)
{
	const struct lcx__ipam_cell *cell = mapped_cell(pool, LCX__HEADER_CELL);
	struct lcx__ipam_header *header = &pool->header;

	if (!cell || memcmp(cell->u.header.magic, magic, sizeof(magic)) != 0)
		return damaged(pool, "it is no pool file", err);
	*header = cell->u.header;
	if (header->version != version || header->byte_order != byte_order)
		return lcx__fail(err, EUCLEAN,
				 "address pool '%s' has format %u, this library knows %u of this "
				 "machine's byte order",
				 pool->name, header->version, version);
	if (!is_whole(pool, cell, LCX__HEADER_CELL))
		return damaged(pool, "the header does not match its checksum", err);

	pool->subnet.bits = header->bits;
	pool->subnet.prefix = header->prefix;
	pool->subnet.base = lcx__address_load(header->base);
	pool->gateway = lcx__address_load(header->gateway);
	pool->range_first = lcx__address_load(header->range_first);
	if ((header->bits != 32 && header->bits != 128) || header->prefix > header->bits ||
	    lcx__ipam_layout(header, &pool->layout) < 0 ||
	    !lcx__subnet_has(&pool->subnet, pool->range_first) ||
	    lcx__subnet_last(&pool->subnet) - pool->range_first < header->range_count - 1)
		return damaged(pool, "the header contradicts itself", err);
	if ((uint64_t)pool->layout.lease_cell * LCX__CELL_SIZE > pool->mapped)
		return damaged(pool, "it was cut off", err);
	return 0;
}

int lcx__ipam_file_open(int dir_fd, const char *name, struct lcx_ipam_pool **ret,
			struct lcx_error **err)
{
	CLEANUP(lcx_ipam_pool_freep) struct lcx_ipam_pool *pool = calloc(1, sizeof(*pool));
	char file[LCX__FILE_NAME_SIZE];
	struct stat st;
	int r;

	if (!pool)
		return lcx__fail_nomem(err);
	pool->fd = -1;
	pool->pid = getpid();
	pool->writes_left = -1;
	r = lcx__ipam_file_name(name, file, err);
	if (r < 0)
		return r;
	pool->name = strdup(name);
	if (!pool->name)
		return lcx__fail_nomem(err);

	pool->fd = openat(dir_fd, file, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (pool->fd < 0 && errno == ENOENT)
		return lcx__fail(err, ENOENT, "there is no address pool '%s'; create it", name);
	if (pool->fd < 0 || fstat(pool->fd, &st) < 0)
		return lcx__fail_sys(err, errno, "open address pool '%s'", name);
	if (!S_ISREG(st.st_mode))
		return damaged(pool, "it is no regular file", err);
	r = map_file(pool, st.st_size, err);
	if (r == 0)
		r = read_header(pool, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(pool);
	return 0;
}

/*
 * Lock and journal
 */

static int set_lock(int fd, short type)
{
	struct flock whole = {.l_type = type, .l_whence = SEEK_SET};
	int r;

	do
		r = fcntl(fd, type == F_UNLCK ? F_OFD_SETLK : F_OFD_SETLKW, &whole);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : 0;
}

int lcx__ipam_lock(int fd)
{
	return set_lock(fd, F_WRLCK);
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
		r = write_at(pool, &journal->entries[i].cell, LCX__CELL_SIZE,
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
		if (!is_whole(pool, &journal->entries[i].cell, (uint32_t)number))
			return false;
	}
	return journal->entries[0].cell.u.state.sequence == journal->sequence;
}

/* Finish what a process that died had begun. */
static int recover(struct lcx_ipam_pool *pool, struct lcx_error **err)
{
	const struct lcx__ipam_cell *state = mapped_cell(pool, LCX__STATE_CELL);
	const struct journal *journal =
		(const void *)(pool->map + LCX__JOURNAL_CELL * LCX__CELL_SIZE);
	bool state_is_whole = is_whole(pool, state, LCX__STATE_CELL);
	struct journal copy;
	int r;

	if (state_is_whole && journal->sequence != state->u.state.sequence + 1)
		return 0;
	copy = *journal;
	if (!journal_is_whole(pool, &copy))
		return state_is_whole ? 0 : damaged(pool, "its state is unreadable", err);
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
	change->locked = change->damaged = false;
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
	r = map_file(pool, st.st_size, err);
	return r < 0 ? r : recover(pool, err);
}

void lcx__ipam_end(struct lcx__ipam_change *change)
{
	if (change->locked)
		(void)set_lock(change->pool->fd, F_UNLCK);
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
	return damaged(change->pool, why, err);
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
	cell = mapped_cell(change->pool, number);
	if (is_whole(change->pool, cell, number))
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
	r = write_at(pool, zeros, sizeof(zeros), (off_t)(needed - LCX__CELL_SIZE));
	if (r < 0)
		return lcx__fail_sys(err, -r, "address pool '%s': grow the file", pool->name);
	return map_file(pool, (off_t)(needed - LCX__CELL_SIZE + sizeof(zeros)), err);
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
	r = write_at(pool, &journal, from + change->count * sizeof(journal.entries[0]),
		     (off_t)LCX__JOURNAL_CELL * LCX__CELL_SIZE);
	if (r < 0)
		return lcx__fail_sys(err, -r, "address pool '%s': write the journal", pool->name);

	/* From here on the change has happened: should this fail, whoever comes next repeats it. */
	(void)apply(pool, &journal);
	change->count = 0;
	return 0;
}
