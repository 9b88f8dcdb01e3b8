/* SPDX-License-Identifier: MIT */
/*
 * The reader of lib/tar tells what the archive says, and looks at no file system. What it
 * says goes through the limits here and the rules of tree.c.
 */
#include "image/extract.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "image/tree.h"
#include "util/str.h"

/* Of the budget: for the system calls of an entry, and for the block that even one byte takes. */
enum { ENTRY_COST = 4096, BLOCK_COST = 4096 };

struct lcx__extractor {
	struct lcx__extract_source source;
	struct lcx__extract_limits limits;
	struct lcx__tree *tree;
	struct lcx__tar_reader *reader;
	int source_result; /* of the last read of the source */
	uint64_t n_entries, total_bytes;

	/* The file at hand; its data may take several steps. */
	uint64_t written_end;
	int file_fd;

	const unsigned char *ahead; /* of the source, lent by it */
	size_t n_ahead;
};

/* Have something of the source at hand: how much, 0 at its end. */
static ssize_t look_ahead(struct lcx__extractor *x, struct lcx_error **err)
{
	ssize_t n;

	if (x->n_ahead > 0)
		return (ssize_t)x->n_ahead;
	n = x->source.next(x->source.data, &x->ahead, err);
	x->source_result = n < 0 ? (int)n : 0;
	x->n_ahead = n < 0 ? 0 : (size_t)n;
	return n;
}

static void take_ahead(struct lcx__extractor *x, size_t n)
{
	x->ahead += n;
	x->n_ahead -= n;
}

/* For headers, which are small. Files are written from where they are. */
static ssize_t read_source(void *data, void *buffer, size_t size, struct lcx_error **err)
{
	struct lcx__extractor *x = data;
	ssize_t n = look_ahead(x, err);

	if (n <= 0)
		return n;
	if (size > x->n_ahead)
		size = x->n_ahead;
	memcpy(buffer, x->ahead, size);
	take_ahead(x, size);
	return (ssize_t)size;
}

int lcx__extractor_new(int root_fd, const struct lcx__extract_source *source,
		       const struct lcx__extract_limits *limits,
		       const struct lcx__extract_rights *rights, struct lcx__extractor **ret,
		       struct lcx_error **err)
{
	CLEANUP(lcx__extractor_freep) struct lcx__extractor *x = calloc(1, sizeof(*x));
	struct lcx__source input = {read_source, NULL, x, NULL};

	if (!x)
		return lcx__fail_nomem(err);
	x->file_fd = -1;
	x->source = *source;
	x->limits = *limits;
	if (lcx__tree_new(root_fd, rights, &x->tree) < 0 ||
	    lcx__tar_reader_new(&input, &x->reader, NULL) < 0)
		return lcx__fail_nomem(err);
	*ret = TAKE_PTR(x);
	return 0;
}

struct lcx__extractor *lcx__extractor_free(struct lcx__extractor *x)
{
	if (!x)
		return NULL;
	closep(&x->file_fd);
	(void)lcx__tar_reader_free(x->reader);
	(void)lcx__tree_free(x->tree);
	free(x);
	return NULL;
}

const struct lcx__strbuf *lcx__extractor_implied(const struct lcx__extractor *x)
{
	return lcx__tree_implied(x->tree);
}

static int fail_entry(const struct lcx__extractor *x, int result, struct lcx_error **err)
{
	char shown[LCX__TAR_SHOWN];

	lcx__tar_show(lcx__tar_entry(x->reader)->path, shown);
	return lcx__fail_prefix(err, result, "entry '%s'", shown);
}

/* The source's own failure, or the archive's; the reader names the entry where there is one. */
static int fail_archive(const struct lcx__extractor *x, int result, struct lcx_error **err)
{
	if (x->source_result < 0 || result == -ENOMEM || lcx__tar_entry(x->reader)->path)
		return result;
	return lcx__fail_prefix(err, result, "damaged archive after entry %ju",
				(uintmax_t)x->n_entries);
}

static int check_name(const struct lcx__extractor *x, const char *name, struct lcx_error **err)
{
	size_t length = name ? strlen(name) : 0;

	if (length > x->limits.path_bytes)
		return lcx__fail(err, EBADMSG, "a name of %zu bytes is too long", length);
	return 0;
}

static int check_xattrs(const struct lcx__extractor *x, const struct lcx__tar_entry *e,
			struct lcx_error **err)
{
	if (e->n_xattrs > x->limits.xattrs_per_entry)
		return lcx__fail(err, EBADMSG, "%zu attributes are too many", e->n_xattrs);
	for (size_t i = 0; i < e->n_xattrs; i++)
		if (e->xattrs[i].size > x->limits.xattr_bytes)
			return lcx__fail(err, EBADMSG, "the attribute '%.100s' has %zu bytes",
					 e->xattrs[i].name, e->xattrs[i].size);
	return 0;
}

static uint64_t xattr_bytes(const struct lcx__tar_entry *e)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < e->n_xattrs; i++)
		sum += e->xattrs[i].size;
	return sum;
}

/* Attributes, too: said once for all, they would cost an archive nothing. */
static int count_bytes(struct lcx__extractor *x, uint64_t size, struct lcx_error **err)
{
	if (size > x->limits.total_bytes || x->total_bytes > x->limits.total_bytes - size)
		return lcx__fail(err, EBADMSG, "the layer has more than %ju bytes of files",
				 (uintmax_t)x->limits.total_bytes);
	x->total_bytes += size;
	return 0;
}

static int check_limits(struct lcx__extractor *x, const struct lcx__tar_entry *e,
			struct lcx_error **err)
{
	int r = check_name(x, e->path, err);

	if (r == 0)
		r = check_name(x, e->link, err);
	if (r == 0)
		r = check_xattrs(x, e, err);
	if (r < 0)
		return r;
	r = count_bytes(x, e->size, err);
	return r < 0 ? r : count_bytes(x, xattr_bytes(e), err);
}

/* 1 with an entry made, 0 at the end of the archive. *@spent grows by what it took. */
static int next_entry(struct lcx__extractor *x, size_t *spent, struct lcx_error **err)
{
	const struct lcx__tar_entry *e = lcx__tar_entry(x->reader);
	int r = lcx__tar_next(x->reader, err);

	if (r <= 0)
		return r < 0 ? fail_archive(x, r, err) : 0;
	if (++x->n_entries > x->limits.entries)
		return lcx__fail(err, EBADMSG, "the layer has more than %ju entries",
				 (uintmax_t)x->limits.entries);
	x->written_end = 0;
	*spent += ENTRY_COST + xattr_bytes(e);
	r = check_limits(x, e, err);
	if (r == 0)
		r = lcx__tree_add(x->tree, e, &x->file_fd, err);
	return r < 0 ? fail_entry(x, r, err) : 1;
}

static int write_at(int fd, const char *data, size_t length, int64_t offset)
{
	while (length > 0) {
		ssize_t n = pwrite(fd, data, length, offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		offset += n;
		length -= (size_t)n;
	}
	return 0;
}

/* Holes come as jumps of the offset. *@spent grows by what was written, in blocks. */
static int copy_piece(struct lcx__extractor *x, size_t *spent, struct lcx_error **err)
{
	uint64_t offset = 0, room = lcx__tar_room(x->reader, &offset);
	ssize_t n = room > 0 ? look_ahead(x, err) : 0;
	int r;

	if (room > 0 && n == 0)
		return lcx__fail(err, EBADMSG, "the archive is cut off");
	if (n <= 0)
		return (int)n;
	if ((uint64_t)n > room)
		n = (ssize_t)room;
	r = write_at(x->file_fd, (const char *)x->ahead, (size_t)n, (int64_t)offset);
	if (r < 0)
		return lcx__fail_sys(err, -r, "write");
	take_ahead(x, (size_t)n);
	lcx__tar_took(x->reader, (uint64_t)n);
	x->written_end = offset + (uint64_t)n;
	*spent += n < BLOCK_COST ? BLOCK_COST : (size_t)n;
	return 1;
}

static int seal_file(struct lcx__extractor *x, struct lcx_error **err)
{
	const struct lcx__tar_entry *e = lcx__tar_entry(x->reader);
	int r;

	/* The length, for a file that ends in a hole. */
	if (x->written_end < e->size && ftruncate(x->file_fd, (off_t)e->size) < 0)
		return lcx__fail_sys(err, errno, "set its size");
	r = lcx__tree_seal(x->tree, e, x->file_fd, err);
	closep(&x->file_fd);
	return r;
}

int lcx__extractor_step(struct lcx__extractor *x, size_t budget_bytes, struct lcx_error **err)
{
	size_t spent = 0;
	int r = 1;

	while (r > 0 && spent < budget_bytes) {
		if (x->file_fd < 0) {
			r = next_entry(x, &spent, err);
			if (r == 0)
				return lcx__tree_finish(x->tree, err);
			continue;
		}
		r = copy_piece(x, &spent, err);
		if (r == 0) {
			r = seal_file(x, err);
			r = r == 0 ? 1 : r;
		}
		if (r < 0)
			return fail_entry(x, r, err);
	}
	return r;
}
