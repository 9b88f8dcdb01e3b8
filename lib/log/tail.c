/* SPDX-License-Identifier: MIT */
#include "log/log-internal.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

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

static int search_chain(struct search *search, const struct lcx__log_chain *chain,
			struct lcx__log_file *file)
{
	struct lcx__log_file older;
	struct stat st;
	int r;

	for (;;) {
		if (fstat(file->fd, &st) < 0)
			return -errno;
		if (search_file(search, file->fd, st.st_size))
			return 0;
		r = lcx__log_chain_older(chain, file, &older);
		if (r < 0)
			return r == -ENOENT ? 0 : r;
		closep(&file->fd);
		*file = older;
	}
}

int lcx__log_find_tail(const struct lcx__log_chain *chain, uint64_t lines,
		       struct lcx__log_file *ret, int64_t *ret_offset)
{
	CLEANUP(freep) struct search *search = malloc(sizeof(*search));
	struct lcx__log_file file = {.fd = -1};
	int r;

	if (!search)
		return -ENOMEM;
	search->wanted = lines;
	search->at_end = true;
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
