/* SPDX-License-Identifier: MIT */

/*
 * Any bytes as a pool file: opening, reading and changing it must end in a
 * result or an error, never in a crash or a loop. The first byte of the input says whether
 * checksums are made good first, which lets the fuzzer past them and to the structures.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ipam/ipam-internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A directory in memory, made at the first input and removed at exit. */
static char path[] = "/dev/shm/lcx-fuzz-XXXXXX";
static int dir_fd = -1;

static void remove_directory(void)
{
	(void)unlinkat(dir_fd, "fuzz.ipam", 0);
	(void)rmdir(path);
}

static int directory(void)
{
	if (dir_fd < 0 && mkdtemp(path)) {
		dir_fd = open(path, O_DIRECTORY | O_CLOEXEC);
		(void)atexit(remove_directory);
	}
	return dir_fd;
}

static void make_good(uint8_t *data, size_t size)
{
	struct lcx__ipam_cell cell;
	uint64_t salt;

	if (size < LCX__CELL_SIZE)
		return;
	memcpy(&cell, data, sizeof(cell));
	salt = cell.u.header.salt;
	for (uint32_t i = 0; ((size_t)i + 1) * LCX__CELL_SIZE <= size; i++) {
		memcpy(&cell, data + (size_t)i * LCX__CELL_SIZE, sizeof(cell));
		cell.check = lcx__cell_check(&cell, i, salt);
		memcpy(data + (size_t)i * LCX__CELL_SIZE, &cell, sizeof(cell));
	}
}

static void use(struct lcx_ipam_pool *pool)
{
	char address[LCX_IPAM_ADDRESS_SIZE], owner[LCX_IPAM_OWNER_SIZE];
	struct lcx_ipam_cursor *cursor = NULL;
	uint64_t used;

	(void)lcx_ipam_pool_used(pool, &used, NULL);
	if (lcx_ipam_cursor_new(pool, &cursor, NULL) == 0)
		while (lcx_ipam_cursor_next(cursor, NULL) > 0)
			(void)lcx_ipam_lookup(pool, lcx_ipam_cursor_address(cursor), owner,
					      sizeof(owner), NULL);
	lcx_ipam_cursor_free(cursor);
	(void)lcx_ipam_allocate(pool, "web", NULL, address, sizeof(address), NULL);
	(void)lcx_ipam_allocate(pool, "web", "10.0.0.9", address, sizeof(address), NULL);
	(void)lcx_ipam_lookup_owner(pool, "web", 1, address, sizeof(address), NULL);
	(void)lcx_ipam_reserve(pool, "web", "10.0.0.9", NULL);
	(void)lcx_ipam_release(pool, "10.0.0.2", NULL, NULL);
	(void)lcx_ipam_release_owner(pool, "web", NULL, NULL);
	(void)lcx_ipam_tie(pool, "db", -1, NULL);
	(void)lcx_ipam_reclaim(pool, NULL, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lcx_ipam_pool *pool = NULL;
	uint8_t *copy;
	int fd;

	if (size < 1 || directory() < 0)
		return 0;
	copy = malloc(size);
	if (!copy)
		return 0;
	memcpy(copy, data + 1, size - 1);
	if (data[0] & 1)
		make_good(copy, size - 1);
	fd = openat(directory(), "fuzz.ipam", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd >= 0 && write(fd, copy, size - 1) == (ssize_t)size - 1 &&
	    (lcx_ipam_pool_open(directory(), "fuzz", &pool, NULL) == 0 ||
	     /* Past the check of all with all, too: what it would find must not hurt. */
	     ((data[0] & 2) && lcx__ipam_file_open(directory(), "fuzz", &pool, NULL) == 0)))
		use(pool);
	lcx_ipam_pool_free(pool);
	if (fd >= 0)
		(void)close(fd);
	free(copy);
	return 0;
}
