/* SPDX-License-Identifier: MIT */
#include "log/log-internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log/gunzip.h"
#include "log/gzip/header.h"
#include "util/cleanup.h"
#include "util/fs.h"
#include "util/str.h"

/*
 * A rotation renames from the oldest file (or from the first index that is free) to the current
 * one: .2 to .3, .1 to .2, NAME to .1; then NAME is made anew. A file therefore only ever moves
 * up, and it moves before its younger neighbour does. So if an open file had index k both before
 * and after another was opened under k - 1, no rename touched the two between,
 * and the other is its younger neighbour (and the same for k + 1, its older
 * one). If it moved, one looks again; a loop of that kind ends, because a
 * writer must fill a whole file for each turn.
 *
 * A rotated file that was compressed is one of its own, which for an instant stands beside the
 * plain one; that one counts as long as it is there. A reader that holds it open goes on with it,
 * although it is removed: its place among the others is that of the compressed one that tells its
 * inode, its size and its time; or, where another program has compressed it, of the one that begins
 * as it does and is as long. It takes its place before the plain one is removed, and moves up only
 * after that: so who looks upwards, at each index for the plain one first, misses neither.
 *
 * A crash between two renames leaves an index out, which is why a neighbour is not always at
 * k - 1, and why the indices between must be looked at again as well.
 */

enum {
	MAX_ATTEMPTS = 100,
	HEAD_SIZE = 512, /* there is a time in it */
};

struct file_name {
	char text[LCX__LOG_NAME_SIZE + 12];
};

static struct file_name name_of(const struct lcx__log_chain *chain, int index, bool packed)
{
	struct file_name name;

	if (index == 0)
		(void)snprintf(name.text, sizeof(name.text), "%s", chain->name);
	else
		(void)snprintf(name.text, sizeof(name.text), "%s.%d%s", chain->name, index,
			       packed ? LCX__LOG_PACKED_SUFFIX : "");
	return name;
}

/* A container that could put a FIFO or a link here must not get a host's reader to block on, or
 * follow, it. */
static int open_form(const struct lcx__log_chain *chain, int index, bool packed)
{
	CLEANUP(closep) int fd = -1;
	struct file_name name = name_of(chain, index, packed);
	struct stat st;

	fd = openat(chain->dir_fd, name.text,
		    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	return TAKE_FD(fd);
}

/* The form that counts. */
static int open_index(const struct lcx__log_chain *chain, int index, bool *ret_packed)
{
	int fd = open_form(chain, index, false);

	*ret_packed = fd == -ENOENT && index > 0;
	return *ret_packed ? open_form(chain, index, true) : fd;
}

/* The index that stands behind "NAME.", or 0. */
static int index_of_name(const struct lcx__log_chain *chain, const char *entry)
{
	size_t length = strlen(chain->name), digits;
	char number[8] = "";
	uint64_t index;

	if (strncmp(entry, chain->name, length) != 0 || entry[length] != '.' ||
	    entry[length + 1] == '0')
		return 0;
	entry += length + 1;
	digits = strspn(entry, "0123456789");
	if (digits >= sizeof(number) ||
	    (entry[digits] != '\0' && strcmp(entry + digits, LCX__LOG_PACKED_SUFFIX) != 0))
		return 0;
	memcpy(number, entry, digits);
	if (lcx__parse_u64(number, LCX__LOG_MAX_FILES - 1, &index) < 0)
		return 0;
	return (int)index;
}

static int highest_index(const struct lcx__log_chain *chain)
{
	CLEANUP(closedirp) DIR *dir = NULL;
	const struct dirent *entry;
	int r = lcx__read_dir(chain->dir_fd, ".", &dir), highest = 0;

	if (r < 0)
		return r;
	while ((entry = lcx__next_entry(dir))) {
		int index = index_of_name(chain, entry->d_name);

		highest = index > highest ? index : highest;
	}
	return highest;
}

static int open_as(const struct lcx__log_chain *chain, int index, struct lcx__log_file *ret)
{
	bool packed;
	int fd = open_index(chain, index, &packed);

	if (fd < 0)
		return fd;
	*ret = (struct lcx__log_file){.fd = fd, .index = index, .packed = packed};
	return 0;
}

int lcx__log_chain_youngest(const struct lcx__log_chain *chain, struct lcx__log_file *ret)
{
	int highest, r = open_as(chain, 0, ret);

	if (r != -ENOENT)
		return r;
	highest = highest_index(chain);
	for (int index = 1; index <= highest && r == -ENOENT; index++)
		r = open_as(chain, index, ret);
	return r;
}

/* Return: 1 or 0; -ENODATA if it is not one of our writers' making. */
static int tells_origin(int fd, const struct stat *st)
{
	struct {
		unsigned char head[LCX__LOG_GZIP_HEAD];
		struct lcx__log_gzip_extra extra;
	} gzip;
	const struct lcx__log_gzip_extra origin =
		lcx__log_gzip_extra((uint64_t)st->st_ino, (uint64_t)st->st_size, st->st_mtim.tv_sec,
				    (uint32_t)st->st_mtim.tv_nsec);

	if (pread(fd, gzip.head, sizeof(gzip.head), 0) != sizeof(gzip.head) ||
	    pread(fd, &gzip.extra, sizeof(gzip.extra), sizeof(gzip.head)) != sizeof(gzip.extra) ||
	    !(gzip.head[3] & LCX__LOG_GZIP_EXTRA_FLAG) ||
	    memcmp(gzip.extra.id, origin.id, sizeof(origin.id)) != 0 ||
	    gzip.extra.length != origin.length)
		return -ENODATA;
	return memcmp(&gzip.extra, &origin, sizeof(origin)) == 0;
}

/* The last four bytes of a gzip file are the length, modulo 2^32: RFC 1952, 2.3.1. */
static bool has_length(int fd, const struct stat *st)
{
	unsigned char bytes[4];
	off_t end = lseek(fd, 0, SEEK_END);
	uint32_t length;

	if (end < (off_t)sizeof(bytes) ||
	    pread(fd, bytes, sizeof(bytes), end - (off_t)sizeof(bytes)) != sizeof(bytes))
		return false;
	length = (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
		 (uint32_t)bytes[3] << 24;
	return length == (uint32_t)st->st_size;
}

static bool begins_alike(int fd, int plain_fd)
{
	CLEANUP(lcx__gunzip_freep) struct lcx__gunzip *gz = NULL;
	char packed[HEAD_SIZE], plain[HEAD_SIZE];
	ssize_t length = pread(plain_fd, plain, sizeof(plain), 0);
	size_t done = 0;

	if (length <= 0 || lcx__gunzip_new(fd, &gz, NULL) < 0)
		return false;
	while (done < (size_t)length) {
		ssize_t n = lcx__gunzip_read(gz, packed + done, (size_t)length - done);

		if (n <= 0)
			return false;
		done += (size_t)n;
	}
	return memcmp(packed, plain, done) == 0;
}

/* The file at @index is the compressed form of @file, which is open. */
static bool is_form_of(const struct lcx__log_chain *chain, int index,
		       const struct lcx__log_file *file, const struct stat *st)
{
	CLEANUP(closep) int fd = open_form(chain, index, true);
	int r;

	if (fd < 0)
		return false;
	r = tells_origin(fd, st);
	return r == -ENODATA ? has_length(fd, st) && begins_alike(fd, file->fd) : r > 0;
}

static bool is_at(const struct lcx__log_chain *chain, int index, const struct lcx__log_file *file,
		  const struct stat *st)
{
	struct file_name name = name_of(chain, index, file->packed);
	struct stat there;

	if (fstatat(chain->dir_fd, name.text, &there, AT_SYMLINK_NOFOLLOW) == 0)
		return there.st_dev == st->st_dev && there.st_ino == st->st_ino;
	return !file->packed && index > 0 && errno == ENOENT && is_form_of(chain, index, file, st);
}

static bool exists(const struct lcx__log_chain *chain, int index)
{
	for (int packed = 0; packed <= (index > 0); packed++) {
		struct file_name name = name_of(chain, index, packed);
		struct stat st;

		if (fstatat(chain->dir_fd, name.text, &st, AT_SYMLINK_NOFOLLOW) == 0)
			return true;
	}
	return false;
}

/* Files move up only, so one that is looked for upwards is not missed; unless others rename it. */
static int find(const struct lcx__log_chain *chain, struct lcx__log_file *file,
		const struct stat *st)
{
	for (int pass = 0; pass < 2; pass++) {
		for (int index = pass == 0 ? file->index : 0; index < LCX__LOG_MAX_FILES; index++)
			if (is_at(chain, index, file, st)) {
				file->index = index;
				return 0;
			}
		if (st->st_nlink == 0)
			break;
	}
	return -ENOENT;
}

/* Open the first file that exists from @index on in direction @step, to @last. */
static int open_neighbour(const struct lcx__log_chain *chain, const struct lcx__log_file *file,
			  const struct stat *st, int step, int last, struct lcx__log_file *ret)
{
	CLEANUP(closep) int fd = -1;
	int index = file->index, at = index, r = -ENOENT;
	bool packed = false;

	while (r == -ENOENT && at != last) {
		at += step;
		r = open_index(chain, at, &packed);
	}
	if (r < 0 && r != -ENOENT)
		return r;
	fd = r;
	for (int between = index + step; between != at; between += step)
		if (exists(chain, between))
			return -EAGAIN;
	if (!is_at(chain, index, file, st))
		return -EAGAIN;
	if (fd < 0)
		return -ENOENT;
	*ret = (struct lcx__log_file){.fd = TAKE_FD(fd), .index = at, .packed = packed};
	return 0;
}

/*
 * The file has none of the log's names. If rotation removed it, all that is left is younger;
 * if somebody else renamed it, as the kubelet does, the current file follows.
 */
static int open_after_unknown(const struct lcx__log_chain *chain, int fd, struct lcx__log_file *ret,
			      bool *ret_gap)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_nlink > 0)
		return open_as(chain, 0, ret);
	*ret_gap = true;
	return lcx__log_chain_oldest(chain, ret);
}

int lcx__log_chain_younger(const struct lcx__log_chain *chain, struct lcx__log_file *file,
			   struct lcx__log_file *ret, bool *ret_gap)
{
	struct stat st;
	int r = -EAGAIN;

	if (fstat(file->fd, &st) < 0)
		return -errno;
	*ret_gap = false;
	for (int attempt = 0; attempt < MAX_ATTEMPTS && r == -EAGAIN; attempt++) {
		if (find(chain, file, &st) < 0)
			return open_after_unknown(chain, file->fd, ret, ret_gap);
		r = file->index == 0 ? -ENOENT : open_neighbour(chain, file, &st, -1, 0, ret);
	}
	return r;
}

/*
 * The highest index as seen from a file at @index: a rotation may hide from readdir(3)
 * what it renames meanwhile, but it moves a file by one only.
 */
static int highest_above(const struct lcx__log_chain *chain, int index)
{
	int highest = highest_index(chain);

	for (int at = index + 1; highest >= 0 && at <= index + 2; at++)
		if (at > highest && exists(chain, at))
			highest = at;
	return highest;
}

int lcx__log_chain_older(const struct lcx__log_chain *chain, struct lcx__log_file *file,
			 struct lcx__log_file *ret)
{
	struct stat st;
	int r = -EAGAIN;

	if (fstat(file->fd, &st) < 0)
		return -errno;
	for (int attempt = 0; attempt < MAX_ATTEMPTS && r == -EAGAIN; attempt++) {
		int highest;

		if (find(chain, file, &st) < 0)
			return -ENOENT;
		highest = highest_above(chain, file->index);
		if (highest < 0)
			return highest;
		/* "None" counts only if the file has not moved while that was found out. */
		if (file->index < highest)
			r = open_neighbour(chain, file, &st, 1, highest, ret);
		else
			r = is_at(chain, file->index, file, &st) ? -ENOENT : -EAGAIN;
	}
	return r;
}

/*
 * The log has no file at all. One that was renamed while the directory was read is seen by no
 * readdir(3); but it is at .1, or a whole file was written since and the current one is there.
 */
static bool is_empty(const struct lcx__log_chain *chain)
{
	return !exists(chain, 1) && !exists(chain, 0);
}

static int open_highest(const struct lcx__log_chain *chain, struct lcx__log_file *ret)
{
	int r = -ENOENT;

	for (int attempt = 0; attempt < MAX_ATTEMPTS && r == -ENOENT; attempt++) {
		int index = highest_index(chain);

		if (index < 0)
			return index;
		r = open_as(chain, index, ret);
		if (r == -ENOENT && index == 0 && is_empty(chain))
			return r;
	}
	return r;
}

/* A rotation may have put a younger file in the place that was the oldest one's: go up from there.
 */
int lcx__log_chain_oldest(const struct lcx__log_chain *chain, struct lcx__log_file *ret)
{
	CLEANUP(closep) int fd = -1;
	struct lcx__log_file file, older;
	int r = open_highest(chain, &file);

	if (r < 0)
		return r;
	fd = file.fd;
	while ((r = lcx__log_chain_older(chain, &file, &older)) == 0) {
		closep(&fd);
		file = older;
		fd = file.fd;
	}
	if (r != -ENOENT)
		return r;
	file.fd = TAKE_FD(fd);
	*ret = file;
	return 0;
}
