/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "overlay/overlay-internal.h"

/* What the upper directory holds on disk. */

/* Inodes with several names that were counted: open addressing, 0 is free. */
struct seen {
	uint64_t *inodes;
	size_t count, size;
};

static void seen_clear(struct seen *seen)
{
	free(seen->inodes);
}

static bool insert(uint64_t *inodes, size_t size, uint64_t inode)
{
	size_t at = (size_t)(inode * UINT64_C(0x9e3779b97f4a7c15) >> 20) % size;

	for (; inodes[at]; at = (at + 1) % size)
		if (inodes[at] == inode)
			return false;
	inodes[at] = inode;
	return true;
}

/* Return: 1 if it is new, 0 if it was there, -ENOMEM. */
static int seen_add(struct seen *seen, uint64_t inode)
{
	if (seen->count * 2 >= seen->size) {
		size_t size = seen->size ? seen->size * 2 : 64;
		uint64_t *bigger = calloc(size, sizeof(*bigger));

		if (!bigger)
			return -ENOMEM;
		for (size_t i = 0; i < seen->size; i++)
			if (seen->inodes[i])
				(void)insert(bigger, size, seen->inodes[i]);
		free(seen->inodes);
		seen->inodes = bigger;
		seen->size = size;
	}
	if (!insert(seen->inodes, seen->size, inode))
		return 0;
	seen->count++;
	return 1;
}

static int count(struct lcx__walk *walk, struct seen *seen, uint64_t *bytes, uint64_t *inodes)
{
	int r, fd;

	while ((r = lcx__walk_next(walk)) > 0) {
		if (!S_ISDIR(walk->st.st_mode) && walk->st.st_nlink > 1) {
			r = seen_add(seen, walk->st.st_ino);
			if (r < 0)
				return r;
			if (r == 0)
				continue;
		}
		*bytes += (uint64_t)walk->st.st_blocks * 512;
		(*inodes)++;
		if (!S_ISDIR(walk->st.st_mode))
			continue;
		fd = lcx__walk_open(walk, O_RDONLY | O_DIRECTORY);
		if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP)
			continue; /* gone meanwhile */
		r = fd < 0 ? fd : lcx__walk_enter(walk, fd, NULL);
		if (r < 0)
			return r;
	}
	return r;
}

LCX_PUBLIC int lcx_overlay_size(const struct lcx_overlay *overlay, uint64_t *ret_bytes,
				uint64_t *ret_inodes, struct lcx_error **err)
{
	CLEANUP(lcx__walk_clear) struct lcx__walk walk = {0};
	CLEANUP(seen_clear) struct seen seen = {0};
	CLEANUP(closep) int fd = -1;
	uint64_t bytes = 0, inodes = 0;
	int r;

	if (!lcx__overlay_has_upper(overlay))
		return lcx__fail(err, EINVAL, "this overlay has no upper directory");
	fd = lcx__overlay_open(&overlay->upper);
	r = fd < 0 ? fd : lcx__walk_enter(&walk, TAKE_FD(fd), NULL);
	if (r == 0)
		r = count(&walk, &seen, &bytes, &inodes);
	if (r < 0)
		return lcx__fail_sys(err, -r, "size of overlay's upper directory: '/%s'",
				     walk.path ? walk.path : "");
	if (ret_bytes)
		*ret_bytes = bytes;
	if (ret_inodes)
		*ret_inodes = inodes;
	return 0;
}
