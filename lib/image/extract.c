/* SPDX-License-Identifier: MIT */
/*
 * libarchive reads headers and data, and nothing else of it is used: it never sees
 * a file system. What it says goes through the limits here and the rules of tree.c.
 *
 * Names are bytes. libarchive would convert those of pax headers into the locale of
 * the host program (and normalize them); in the "C" locale it can't, and hands out the
 * bytes as they are. So the calling thread, and only it, has that locale during a step.
 */
#include "image/extract.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <locale.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "image/tree.h"
#include "util/str.h"

enum {
	SOURCE_BUFFER = 256 << 10,
	ENTRY_COST = 4096, /* of the budget, for the system calls it takes */
	NAME_SHOWN = 200,  /* bytes of a name in an error */
	TAR_BLOCK = 512,
};

struct lcx__extractor {
	struct lcx__extract_source source;
	struct lcx__extract_limits limits;
	struct lcx__tree *tree;
	struct archive *archive;
	struct lcx_error **err; /* of the step that runs */
	int source_result;      /* of the last read of the source */
	bool opened;
	uint64_t n_source, n_entries, total_bytes;

	/* The entry at hand; a file's data may take several steps. */
	struct lcx__entry entry;
	char *path, *link;
	struct lcx__xattr *xattrs;
	uint64_t size, written_end;
	int file_fd;

	unsigned char buffer[SOURCE_BUFFER];
};

static void clear_entry(struct lcx__extractor *x)
{
	closep(&x->file_fd);
	free(TAKE_PTR(x->path));
	free(TAKE_PTR(x->link));
	free(TAKE_PTR(x->xattrs));
	memset(&x->entry, 0, sizeof(x->entry));
}

/*
 * Some writers (umoci insert) leave out the padding of the last file, which libarchive
 * takes for a cut archive. Zeros up to the next block harm nobody: whether the stream
 * is what its author made is for its digest to say.
 */
static size_t missing_padding(const struct lcx__extractor *x)
{
	return (TAR_BLOCK - x->n_source % TAR_BLOCK) % TAR_BLOCK;
}

static la_ssize_t read_source(struct archive *archive, void *data, const void **ret_buffer)
{
	struct lcx__extractor *x = data;
	ssize_t n = x->source.read(x->source.data, x->buffer, sizeof(x->buffer), x->err);

	if (n < 0) {
		x->source_result = (int)n;
		archive_set_error(archive, (int)-n, "source");
		return ARCHIVE_FATAL;
	}
	if (n == 0) {
		n = (ssize_t)missing_padding(x);
		memset(x->buffer, 0, (size_t)n);
	}
	x->n_source += (uint64_t)n;
	*ret_buffer = x->buffer;
	return n;
}

int lcx__extractor_new(int root_fd, const struct lcx__extract_source *source,
		       const struct lcx__extract_limits *limits,
		       const struct lcx__extract_rights *rights, struct lcx__extractor **ret,
		       struct lcx_error **err)
{
	CLEANUP(lcx__extractor_freep) struct lcx__extractor *x = malloc(sizeof(*x));

	if (!x)
		return lcx__fail_nomem(err);
	memset(x, 0, offsetof(struct lcx__extractor, buffer));
	x->file_fd = -1;
	x->source = *source;
	x->limits = *limits;
	x->archive = archive_read_new();
	if (!x->archive || lcx__tree_new(root_fd, rights, &x->tree) < 0 ||
	    archive_read_support_format_tar(x->archive) != ARCHIVE_OK ||
	    archive_read_support_format_empty(x->archive) != ARCHIVE_OK)
		return lcx__fail_nomem(err);
	*ret = TAKE_PTR(x);
	return 0;
}

struct lcx__extractor *lcx__extractor_free(struct lcx__extractor *x)
{
	if (!x)
		return NULL;
	clear_entry(x);
	(void)archive_read_free(x->archive);
	(void)lcx__tree_free(x->tree);
	free(x);
	return NULL;
}

const struct lcx__strbuf *lcx__extractor_implied(const struct lcx__extractor *x)
{
	return lcx__tree_implied(x->tree);
}

/* A stranger's bytes on somebody's terminal: only what can be printed, and not all of it. */
static void show_name(const char *name, char shown[static NAME_SHOWN + 8])
{
	size_t at = 0;

	for (; *name && at < NAME_SHOWN - 4; name++) {
		unsigned char c = (unsigned char)*name;

		if (c < ' ' || c == 0x7f || (c >= 0x80 && c < 0xa0))
			at += (size_t)snprintf(shown + at, 5, "\\x%02x", c);
		else
			shown[at++] = *name;
	}
	strcpy(shown + at, *name ? "..." : "");
}

static int fail_entry(struct lcx__extractor *x, int result)
{
	char shown[NAME_SHOWN + 8];

	show_name(x->path ? x->path : "", shown);
	return lcx__fail_prefix(x->err, result, "entry '%s'", shown);
}

/* What libarchive couldn't read: the source's own failure, or the archive's. */
static int fail_archive(struct lcx__extractor *x)
{
	const char *text = archive_error_string(x->archive);

	if (x->source_result < 0)
		return x->source_result;
	if (archive_errno(x->archive) == ENOMEM)
		return lcx__fail_nomem(x->err);
	return lcx__fail(x->err, EBADMSG, "damaged archive after entry %ju: %.200s",
			 (uintmax_t)x->n_entries, text ? text : "unknown");
}

static int copy_path(struct lcx__extractor *x, const char *from, char **ret)
{
	size_t length = from ? strlen(from) : 0;

	if (length == 0)
		return lcx__fail(x->err, EBADMSG, "an empty name");
	/* Of one that is too long there is enough for the words of its failure. */
	*ret = strndup(from, x->limits.path_bytes);
	if (!*ret)
		return lcx__fail_nomem(x->err);
	if (length > x->limits.path_bytes)
		return lcx__fail(x->err, EBADMSG, "a name of %zu bytes is too long", length);
	return 0;
}

static int take_names(struct lcx__extractor *x, struct archive_entry *ae)
{
	const char *hard = archive_entry_hardlink(ae), *soft = archive_entry_symlink(ae);
	int r;

	r = copy_path(x, archive_entry_pathname(ae), &x->path);
	if (r == 0)
		r = lcx__tree_path(x->path, x->err);
	if (r < 0)
		return r;
	x->entry.path = x->path;
	x->entry.hard = hard != NULL;
	if (!hard && archive_entry_filetype(ae) != AE_IFLNK)
		return 0;
	r = copy_path(x, hard ? hard : soft, &x->link);
	if (r == 0 && hard)
		r = lcx__tree_path(x->link, x->err);
	x->entry.link = x->link;
	return r;
}

static int take_xattrs(struct lcx__extractor *x, struct archive_entry *ae)
{
	int n = archive_entry_xattr_reset(ae);

	if (n <= 0)
		return 0;
	if ((uint32_t)n > x->limits.xattrs_per_entry)
		return lcx__fail(x->err, EBADMSG, "%d attributes are too many", n);
	x->xattrs = calloc((size_t)n, sizeof(*x->xattrs));
	if (!x->xattrs)
		return lcx__fail_nomem(x->err);
	x->entry.xattrs = x->xattrs;
	for (int i = 0; i < n; i++) {
		struct lcx__xattr *xattr = &x->xattrs[x->entry.n_xattrs];

		/* Names and values stay with the archive's entry, which lives until the next
		 * header. */
		if (archive_entry_xattr_next(ae, &xattr->name, &xattr->value, &xattr->size) !=
		    ARCHIVE_OK)
			break;
		if (xattr->size > x->limits.xattr_bytes)
			return lcx__fail(x->err, EBADMSG, "the attribute '%.100s' has %zu bytes",
					 xattr->name, xattr->size);
		x->entry.n_xattrs++;
	}
	return 0;
}

static int take_numbers(struct lcx__extractor *x, struct archive_entry *ae)
{
	int64_t uid = archive_entry_uid(ae), gid = archive_entry_gid(ae);
	int64_t size = archive_entry_size_is_set(ae) ? archive_entry_size(ae) : 0;
	struct lcx__entry *e = &x->entry;

	/* The largest id is (uid_t)-1, which means "leave as it is" to chown(2). */
	if (uid < 0 || uid >= UINT32_MAX || gid < 0 || gid >= UINT32_MAX)
		return lcx__fail(x->err, EBADMSG, "owner %jd:%jd is out of range", (intmax_t)uid,
				 (intmax_t)gid);
	if (size < 0 || (uint64_t)size > x->limits.total_bytes ||
	    x->total_bytes > x->limits.total_bytes - (uint64_t)size)
		return lcx__fail(x->err, EBADMSG, "the layer has more than %ju bytes of files",
				 (uintmax_t)x->limits.total_bytes);
	e->mode = (archive_entry_filetype(ae) & S_IFMT) | (archive_entry_perm(ae) & 07777);
	e->uid = (uid_t)uid;
	e->gid = (gid_t)gid;
	e->device = makedev((unsigned)archive_entry_rdevmajor(ae),
			    (unsigned)archive_entry_rdevminor(ae));
	e->mtime.tv_sec = archive_entry_mtime(ae);
	e->mtime.tv_nsec = archive_entry_mtime_nsec(ae);
	if (e->mtime.tv_nsec < 0 || e->mtime.tv_nsec > 999999999)
		e->mtime.tv_nsec = 0;
	x->size = S_ISREG(e->mode) && !e->hard ? (uint64_t)size : 0;
	x->written_end = 0;
	x->total_bytes += x->size;
	return 0;
}

/*
 * That a name isn't in the locale's charset: none of ours is. And about access control lists
 * in words, which nobody reads. What else it only warns of is a header that others may read
 * differently, or not at all.
 */
static bool warning_is_fine(const struct lcx__extractor *x)
{
	const char *text = archive_error_string(x->archive);

	return !text || strstr(text, "can't be converted") || strstr(text, "SCHILY.acl");
}

/* 1 with an entry made, 0 at the end of the archive. */
static int next_entry(struct lcx__extractor *x)
{
	struct archive_entry *ae = NULL;
	int r;

	clear_entry(x);
	r = archive_read_next_header(x->archive, &ae);
	if (r == ARCHIVE_EOF)
		return 0;
	if (r != ARCHIVE_OK && !(r == ARCHIVE_WARN && warning_is_fine(x)))
		return fail_archive(x);
	if (++x->n_entries > x->limits.entries)
		return lcx__fail(x->err, EBADMSG, "the layer has more than %ju entries",
				 (uintmax_t)x->limits.entries);

	r = take_names(x, ae);
	if (r == 0)
		r = take_numbers(x, ae);
	if (r == 0)
		r = take_xattrs(x, ae);
	if (r == 0)
		r = lcx__tree_add(x->tree, &x->entry, &x->file_fd, x->err);
	return r < 0 ? fail_entry(x, r) : 1;
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

/* Holes come as jumps of the offset. *@spent grows by what was written. */
static int copy_block(struct lcx__extractor *x, size_t *spent)
{
	const void *data = NULL;
	size_t length = 0;
	int64_t offset = 0;
	int r;

	r = archive_read_data_block(x->archive, &data, &length, &offset);
	if (r == ARCHIVE_EOF)
		return 0;
	if (r != ARCHIVE_OK && r != ARCHIVE_WARN)
		return fail_archive(x);
	if (offset < 0 || length > x->size || (uint64_t)offset > x->size - length)
		return lcx__fail(x->err, EBADMSG, "more data than its header says");
	r = write_at(x->file_fd, data, length, offset);
	if (r < 0)
		return lcx__fail_sys(x->err, -r, "write");
	x->written_end = (uint64_t)offset + length;
	*spent += length;
	return 1;
}

static int seal_file(struct lcx__extractor *x)
{
	int r;

	/* The length, for a file that ends in a hole; libarchive reports a cut archive itself. */
	if (x->written_end < x->size && ftruncate(x->file_fd, (off_t)x->size) < 0)
		return lcx__fail_sys(x->err, errno, "set its size");
	r = lcx__tree_seal(x->tree, &x->entry, x->file_fd, x->err);
	closep(&x->file_fd);
	return r;
}

static int open_archive(struct lcx__extractor *x)
{
	if (archive_read_open(x->archive, x, NULL, read_source, NULL) != ARCHIVE_OK)
		return fail_archive(x);
	x->opened = true;
	return 0;
}

static int step(struct lcx__extractor *x, size_t budget_bytes)
{
	size_t spent = 0;
	int r = x->opened ? 0 : open_archive(x);

	while (r >= 0 && spent < budget_bytes) {
		if (x->file_fd < 0) {
			spent += ENTRY_COST;
			r = next_entry(x);
			if (r == 0)
				return lcx__tree_finish(x->tree, x->err);
			continue;
		}
		r = copy_block(x, &spent);
		if (r == 0)
			r = seal_file(x);
		if (r < 0)
			return fail_entry(x, r);
	}
	return r < 0 ? r : 1;
}

int lcx__extractor_step(struct lcx__extractor *x, size_t budget_bytes, struct lcx_error **err)
{
	locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0), hosts;
	int r;

	if (plain == (locale_t)0)
		return lcx__fail_nomem(err);
	hosts = uselocale(plain);
	x->err = err;
	r = step(x, budget_bytes);
	x->err = NULL;
	(void)uselocale(hosts);
	freelocale(plain);
	return r;
}
