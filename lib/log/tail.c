/* SPDX-License-Identifier: MIT */
#include "log/log-internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log/gunzip.h"
#include "util/cleanup.h"

/*
 * The last lines, from the end backwards, a block at a time. A record that ends its line
 * (or the very last one, which may be unfinished) is where one line more begins, seen from
 * the end; parts of a long line belong to the end that follows them.
 */
struct search {
	uint64_t wanted;
	bool at_end;      /* no record was seen yet */
	int64_t position; /* where the lines found so far begin */
	char block[LCX__LOG_RECORD_MAX +
		   1]; /* so that the border of the longest record shows, too */
	struct lcx_error **why;
};

static size_t read_block(struct search *search, int fd, int64_t from, int64_t to)
{
	size_t length = (size_t)(to - from), done = 0;

	while (done < length) {
		ssize_t r = pread(fd, search->block + done, length - done, from + (int64_t)done);

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			break;
		done += (size_t)r;
	}
	return done;
}

/* Behind the last newline before @position; 0 if there is none. */
static int64_t border_before(struct search *search, int fd, int64_t position)
{
	while (position > 0) {
		int64_t size = position < (int64_t)sizeof(search->block)
				       ? position
				       : (int64_t)sizeof(search->block);
		size_t length = read_block(search, fd, position - size, position);

		while (length > 0 && search->block[length - 1] != '\n')
			length--;
		if (length > 0)
			return position - size + (int64_t)length;
		position -= size;
	}
	return 0;
}

/* Return: true if one line too many was reached: the wanted ones begin behind this record. */
static bool count_record(struct search *search, char *record, size_t length)
{
	struct lcx__log_record parsed;

	if (lcx__log_parse(record, length, &parsed) < 0)
		return false;
	if (parsed.partial && !search->at_end)
		return false;
	search->at_end = false;
	if (search->wanted == 0)
		return true;
	search->wanted--;
	return false;
}

/*
 * Go through the records of a block, which stands at @from in the file, from the last to the
 * first, but not those that may begin before it. *@ret_end is what is left of it. Return: true
 * when all lines were found.
 */
static bool search_block(struct search *search, int64_t from, size_t length, size_t *ret_end)
{
	size_t end = length;

	while (end > 0) {
		size_t start = end - 1; /* its newline */

		while (start > 0 && search->block[start - 1] != '\n')
			start--;
		if (start == 0 && from > 0)
			break;
		search->position = from + (int64_t)end;
		if (count_record(search, search->block + start, end - start))
			return true;
		end = start;
	}
	*ret_end = end;
	return false;
}

/* Return: true when all lines were found, and where they begin in search->position. */
static bool search_file(struct search *search, int fd, int64_t size)
{
	int64_t end = border_before(search, fd, size);

	if (search->at_end && search->wanted == 0) {
		search->position = end;
		return true;
	}
	while (end > 0) {
		int64_t from = end > (int64_t)sizeof(search->block)
				       ? end - (int64_t)sizeof(search->block)
				       : 0;
		size_t length = read_block(search, fd, from, end), rest;

		if (search_block(search, from, length, &rest))
			return true;
		if (from > 0 && rest == length)
			end = border_before(search, fd,
					    from); /* one longer than the block: damaged */
		else
			end = from + (int64_t)rest;
	}
	search->position = 0;
	return false;
}

/* ---- compressed files ----------------------------------------------------------
 *
 * They are read from the beginning, twice: to count the lines, and to find the place behind those
 * that are too many.
 */

struct count {
	uint64_t lines;        /* that ended */
	int64_t position, end; /* behind the last of them that was wanted, and behind all */
	bool is_open;          /* what follows has no end */
};

static void count_forward(struct count *count, char *record, size_t length, uint64_t wanted)
{
	struct lcx__log_record parsed;

	count->end += (int64_t)length;
	if (lcx__log_parse(record, length, &parsed) < 0)
		return;
	count->is_open = parsed.partial;
	if (parsed.partial || count->lines >= wanted)
		return;
	if (++count->lines == wanted)
		count->position = count->end;
}

/* Go through the file, up to the end of @wanted lines. */
static int read_packed(struct search *search, int fd, uint64_t wanted, struct count *ret)
{
	CLEANUP(lcx__gunzip_freep) struct lcx__gunzip *gz = NULL;
	size_t start = 0, end = 0;
	ssize_t n = 0;
	int r = lcx__gunzip_new(fd, &gz, search->why);

	*ret = (struct count){0};
	while (r == 0 && ret->lines < wanted) {
		char *newline = memchr(search->block + start, '\n', end - start);

		if (newline) {
			size_t length = (size_t)(newline + 1 - search->block) - start;

			count_forward(ret, search->block + start, length, wanted);
			start += length;
			continue;
		}
		if (end - start == sizeof(search->block)) {
			/* One longer than the block: damaged, and its rest will be, too. */
			ret->end += (int64_t)(end - start);
			start = end;
		}
		memmove(search->block, search->block + start, end - start);
		end -= start;
		start = 0;
		n = lcx__gunzip_read(gz, search->block + end, sizeof(search->block) - end);
		if (n <= 0)
			break;
		end += (size_t)n;
	}
	return r < 0 ? r : n < 0 ? (int)n : 0;
}

/* Return: 1 when all lines were found, as search_file(), 0, or a negative errno. */
static int search_packed(struct search *search, int fd)
{
	struct count all, count;
	int r = read_packed(search, fd, UINT64_MAX, &all);
	uint64_t lines;

	if (r < 0)
		return r;
	/* The unfinished line at the very end is one, too. */
	lines = all.lines + (search->at_end && all.is_open);
	search->at_end = search->at_end && all.end == 0;
	search->position = 0;
	if (lines <= search->wanted) {
		search->wanted -= lines;
		return 0;
	}
	r = read_packed(search, fd, lines - search->wanted, &count);
	search->position = count.lines < lines - search->wanted ? all.end : count.position;
	return r < 0 ? r : 1;
}

static int search_chain(struct search *search, const struct lcx__log_chain *chain,
			struct lcx__log_file *file)
{
	struct lcx__log_file older;
	struct stat st;
	int r;

	for (;;) {
		if (fstat(file->fd, &st) < 0)
			return -errno;
		r = file->packed ? search_packed(search, file->fd)
				 : search_file(search, file->fd, st.st_size);
		if (r != 0)
			return r < 0 ? r : 0;
		r = lcx__log_chain_older(chain, file, &older);
		if (r < 0)
			return r == -ENOENT ? 0 : r;
		closep(&file->fd);
		*file = older;
	}
}

int lcx__log_find_tail(const struct lcx__log_chain *chain, uint64_t lines,
		       struct lcx__log_file *ret, int64_t *ret_offset, struct lcx_error **why)
{
	CLEANUP(freep) struct search *search = malloc(sizeof(*search));
	struct lcx__log_file file = {.fd = -1};
	int r;

	if (!search)
		return -ENOMEM;
	search->wanted = lines;
	search->at_end = true;
	search->why = why;
	r = lcx__log_chain_youngest(chain, &file);
	if (r == 0)
		r = search_chain(search, chain, &file);
	if (r < 0) {
		closep(&file.fd);
		return r;
	}
	*ret = file;
	*ret_offset = search->position;
	return 0;
}
