/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ipam/ipam-internal.h"
#include "util/fs.h"
#include "util/str.h"

/* Making a pool's file: whole, or not at all. */

enum { WRITE_CELLS = 256 };

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

int lcx__ipam_file_create(int dir_fd, const char *name, struct lcx_ipam_pool *draft,
			  struct lcx_error **err)
{
	struct lcx__ipam_header *header = &draft->header;
	char file[LCX__FILE_NAME_SIZE];
	int r;

	r = lcx__ipam_file_name(name, file, err);
	if (r < 0)
		return r;
	lcx__ipam_sign(header);
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
