/* SPDX-License-Identifier: MIT */
#include "log/log-internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "util/cleanup.h"
#include "util/fs.h"
#include "util/str.h"

/*
 * A rotation renames from the oldest file to the current one: .2 to .3, .1 to .2,
 * NAME to .1; then NAME is made anew. A file therefore only ever moves up, and
 * it moves before its younger neighbour does. So if an open file had index k both before
 * and after another was opened under k - 1, no rename touched the two between,
 * and the other is its younger neighbour (and the same for k + 1, its older
 * one). If it moved, one looks again; a loop of that kind ends, because a
 * writer must fill a whole file for each turn.
 *
 * A crash between two renames leaves an index out, which is why a neighbour is not always at
 * k - 1, and why the indices between must be looked at again as well.
 */

enum { MAX_ATTEMPTS = 100 };

struct file_name {
	char text[LCX__LOG_NAME_SIZE + 12];
};

static struct file_name name_of(const struct lcx__log_chain *chain, int index)
{
	struct file_name name;

	if (index == 0)
		(void)snprintf(name.text, sizeof(name.text), "%s", chain->name);
	else
		(void)snprintf(name.text, sizeof(name.text), "%s.%d", chain->name, index);
	return name;
}

/* A container that could put a FIFO or a link here must not get a host's reader to block on, or
 * follow, it. */
static int open_index(const struct lcx__log_chain *chain, int index)
{
	CLEANUP(closep) int fd = -1;
	struct file_name name = name_of(chain, index);
	struct stat st;

	fd = openat(chain->dir_fd, name.text,
		    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	return TAKE_FD(fd);
}

/* The index that stands behind "NAME.", or 0. */
static int index_of_name(const struct lcx__log_chain *chain, const char *entry)
{
	size_t length = strlen(chain->name);
	uint64_t index;

	if (strncmp(entry, chain->name, length) != 0 || entry[length] != '.' ||
	    entry[length + 1] == '0' ||
	    lcx__parse_u64(entry + length + 1, LCX__LOG_MAX_FILES - 1, &index) < 0)
		return 0;
	return (int)index;
}

static int highest_index(const struct lcx__log_chain *chain)
{
	CLEANUP(closedirp) DIR *dir = NULL;
	const struct dirent *entry;
	int fd, highest = 0;

	fd = openat(chain->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (!dir) {
		closep(&fd);
		return -ENOMEM;
	}
	while ((entry = readdir(dir)) != NULL) {
		int index = index_of_name(chain, entry->d_name);

		highest = index > highest ? index : highest;
	}
	return highest;
}

int lcx__log_chain_oldest(const struct lcx__log_chain *chain)
{
	int fd = -ENOENT;

	for (int attempt = 0; attempt < MAX_ATTEMPTS && fd == -ENOENT; attempt++) {
		int index = highest_index(chain);

		if (index < 0)
			return index;
		fd = open_index(chain, index);
		if (fd == -ENOENT && index == 0)
			return fd;
	}
	return fd;
}

int lcx__log_chain_youngest(const struct lcx__log_chain *chain)
{
	int highest, fd = open_index(chain, 0);

	if (fd != -ENOENT)
		return fd;
	highest = highest_index(chain);
	for (int index = 1; index <= highest && fd == -ENOENT; index++)
		fd = open_index(chain, index);
	return fd;
}

static bool is_at(const struct lcx__log_chain *chain, int index, const struct stat *file)
{
	struct file_name name = name_of(chain, index);
	struct stat st;

	return fstatat(chain->dir_fd, name.text, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       st.st_dev == file->st_dev && st.st_ino == file->st_ino;
}

static bool exists(const struct lcx__log_chain *chain, int index)
{
	struct file_name name = name_of(chain, index);
	struct stat st;

	return fstatat(chain->dir_fd, name.text, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Files move up only, so one that is looked for upwards is not missed. */
static int index_of_file(const struct lcx__log_chain *chain, const struct stat *file)
{
	for (int index = 0; index < LCX__LOG_MAX_FILES; index++)
		if (is_at(chain, index, file))
			return index;
	return -ENOENT;
}

/* Open the first file that exists from @index on in direction @step, to @last. */
static int open_neighbour(const struct lcx__log_chain *chain, const struct stat *file, int index,
			  int step, int last)
{
	CLEANUP(closep) int fd = -1;
	int at = index, r = -ENOENT;

	while (r == -ENOENT && at != last) {
		at += step;
		r = open_index(chain, at);
	}
	if (r < 0 && r != -ENOENT)
		return r;
	fd = r;
	for (int between = index + step; between != at; between += step)
		if (exists(chain, between))
			return -EAGAIN;
	if (!is_at(chain, index, file))
		return -EAGAIN;
	return fd < 0 ? -ENOENT : TAKE_FD(fd);
}

/*
 * The file has none of the log's names. If rotation removed it, all that is left is younger;
 * if somebody else renamed it, as the kubelet does, the current file follows.
 */
static int open_after_unknown(const struct lcx__log_chain *chain, int fd, bool *ret_gap)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_nlink > 0)
		return open_index(chain, 0);
	*ret_gap = true;
	return lcx__log_chain_oldest(chain);
}

int lcx__log_chain_younger(const struct lcx__log_chain *chain, int fd, bool *ret_gap)
{
	struct stat file;
	int r = -EAGAIN;

	if (fstat(fd, &file) < 0)
		return -errno;
	*ret_gap = false;
	for (int attempt = 0; attempt < MAX_ATTEMPTS && r == -EAGAIN; attempt++) {
		int index = index_of_file(chain, &file);

		if (index == -ENOENT)
			return open_after_unknown(chain, fd, ret_gap);
		r = index == 0 ? -ENOENT : open_neighbour(chain, &file, index, -1, 0);
	}
	return r;
}

int lcx__log_chain_older(const struct lcx__log_chain *chain, int fd)
{
	struct stat file;
	int r = -EAGAIN;

	if (fstat(fd, &file) < 0)
		return -errno;
	for (int attempt = 0; attempt < MAX_ATTEMPTS && r == -EAGAIN; attempt++) {
		int index = index_of_file(chain, &file), highest = highest_index(chain);

		if (index < 0 || highest < 0)
			return index < 0 ? index : highest;
		r = index >= highest ? -ENOENT : open_neighbour(chain, &file, index, 1, highest);
	}
	return r;
}
