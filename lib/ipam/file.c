/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ipam/ipam-internal.h"
#include "util/str.h"

/* A pool's file: where everything is in it, its cells as they are mapped, its lock. */

static const uint8_t magic[8] = "lcxipam";
static const uint32_t version = 2, byte_order = 0x01020304;

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
	layout->page_count = divide_up(header->range_count, LCX__PAGE_SLOTS);
	layout->page_cell = at;
	at += divide_up(layout->page_count, LCX__CELL_LINKS);
	layout->address_cell = at;
	layout->owner_cell = at + divide_up(header->bucket_count, LCX__CELL_LINKS);
	layout->lease_cell = layout->owner_cell + divide_up(header->bucket_count, LCX__CELL_LINKS);
	return 0;
}

void lcx__ipam_sign(struct lcx__ipam_header *header)
{
	memcpy(header->magic, magic, sizeof(magic));
	header->version = version;
	header->byte_order = byte_order;
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

int lcx__ipam_write_at(struct lcx_ipam_pool *pool, const void *data, size_t length, off_t offset)
{
	const uint8_t *at = data;

	if (pool->writes_left == 0) {
		if (pool->writes_lost > 0 && --pool->writes_lost == 0)
			pool->writes_left = -1;
		return -EIO;
	}
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

int lcx__ipam_damaged(const struct lcx_ipam_pool *pool, const char *why, struct lcx_error **err)
{
	return lcx__fail(err, EUCLEAN,
			 "address pool '%s' is damaged: %s; nothing was changed; discard the file "
			 "'%s.ipam' and allocate again what is in use",
			 pool->name, why, pool->name);
}

/* Follow the file as it grows. Less than before would be SIGBUS at the next look: refuse it. */
int lcx__ipam_map(struct lcx_ipam_pool *pool, off_t size, struct lcx_error **err)
{
	void *map;

	if (size < (off_t)pool->mapped)
		return lcx__ipam_damaged(pool, "it was cut off", err);
	if (size == (off_t)pool->mapped)
		return 0;
	if (size / LCX__CELL_SIZE > (off_t)2 * LCX__MAX_LEASES)
		return lcx__ipam_damaged(pool, "it is too long", err);
	map = pool->map ? mremap((void *)(uintptr_t)pool->map, pool->mapped, (size_t)size,
				 MREMAP_MAYMOVE)
			: mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, pool->fd, 0);
	if (map == MAP_FAILED)
		return lcx__fail_sys(err, errno, "map address pool '%s'", pool->name);
	pool->map = map;
	pool->mapped = (size_t)size;
	return 0;
}

const struct lcx__ipam_cell *lcx__ipam_mapped_cell(const struct lcx_ipam_pool *pool,
						   uint32_t number)
{
	if (((uint64_t)number + 1) * LCX__CELL_SIZE > pool->mapped)
		return NULL;
	return (const struct lcx__ipam_cell *)(const void *)(pool->map +
							     (size_t)number * LCX__CELL_SIZE);
}

bool lcx__ipam_cell_is_whole(const struct lcx_ipam_pool *pool, const struct lcx__ipam_cell *cell,
			     uint32_t number)
{
	return cell && cell->check == lcx__cell_check(cell, number, pool->header.salt);
}

/* The header says what the rest means, so nothing in it is believed unseen. */
static int read_header(struct lcx_ipam_pool *pool, struct lcx_error **err)
{
	const struct lcx__ipam_cell *cell = lcx__ipam_mapped_cell(pool, LCX__HEADER_CELL);
	struct lcx__ipam_header *header = &pool->header;

	if (!cell || memcmp(cell->u.header.magic, magic, sizeof(magic)) != 0)
		return lcx__ipam_damaged(pool, "it is no pool file", err);
	*header = cell->u.header;
	if (header->version != version || header->byte_order != byte_order)
		return lcx__fail(err, EUCLEAN,
				 "address pool '%s' has format %u, this library knows %u of this "
				 "machine's byte order; discard the file '%s.ipam' and allocate "
				 "again what is in use",
				 pool->name, header->version, version, pool->name);
	if (!lcx__ipam_cell_is_whole(pool, cell, LCX__HEADER_CELL))
		return lcx__ipam_damaged(pool, "the header does not match its checksum", err);

	pool->subnet.bits = header->bits;
	pool->subnet.prefix = header->prefix;
	pool->subnet.base = lcx__address_load(header->base);
	pool->gateway = lcx__address_load(header->gateway);
	pool->range_first = lcx__address_load(header->range_first);
	if ((header->bits != 32 && header->bits != 128) || header->prefix > header->bits ||
	    lcx__ipam_layout(header, &pool->layout) < 0 ||
	    !lcx__subnet_has(&pool->subnet, pool->range_first) ||
	    lcx__subnet_last(&pool->subnet) - pool->range_first < header->range_count - 1)
		return lcx__ipam_damaged(pool, "the header contradicts itself", err);
	if ((uint64_t)pool->layout.lease_cell * LCX__CELL_SIZE > pool->mapped)
		return lcx__ipam_damaged(pool, "it was cut off", err);
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
		return lcx__ipam_damaged(pool, "it is no regular file", err);
	r = lcx__ipam_map(pool, st.st_size, err);
	if (r == 0)
		r = read_header(pool, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(pool);
	return 0;
}

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

void lcx__ipam_unlock(int fd)
{
	(void)set_lock(fd, F_UNLCK);
}
