/* SPDX-License-Identifier: MIT */
/*
 * POSIX.1-2001 (pax) archives. What a ustar header can't say (long or non-ASCII names,
 * large numbers, fractions of a second, extended attributes) stands in an extended header
 * before it, and only then, so that most entries are plain ustar. Records come in one
 * order; nothing depends on this host or moment. Attributes are "SCHILY.xattr." records, as
 * libarchive, star, GNU tar and all container tools have them. Holes are written as zeros: where
 * they lie is the file system's affair, and the same files are to give the same bytes.
 */
#include "tar/tar.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "util/str.h"

enum { BLOCK = 512, COPY_CHUNK = 256 << 10, USTAR_ID_MAX = 07777777 };
#define USTAR_SIZE_MAX UINT64_C(077777777777)

struct header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100],
		magic[8], user[32], group[32], major[8], minor[8], prefix[155], pad[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a tar header is one block");

/* What does not fit is in the extended header as well, and then this field is not read. */
static void octal(char *field, size_t size, uint64_t value)
{
	uint64_t max = (UINT64_C(1) << (3 * (size - 1))) - 1;

	(void)snprintf(field, size, "%0*" PRIo64, (int)size - 1, value > max ? 0 : value);
}

static bool is_ascii(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text >= 0x80)
			return false;
	return true;
}

/* "LENGTH KEY=VALUE\n", where LENGTH counts itself. */
static void add_record(struct lcx__strbuf *buf, const char *key, const void *value, size_t size)
{
	size_t rest = strlen(key) + size + 3, length = rest + 1, digits;
	char number[24];

	for (digits = 1;; digits++) {
		length = rest + digits;
		if ((size_t)snprintf(number, sizeof(number), "%zu", length) == digits)
			break;
	}
	lcx__strbuf_addf(buf, "%s %s=", number, key);
	lcx__strbuf_add(buf, value, size);
	lcx__strbuf_adds(buf, "\n");
}

static void add_number(struct lcx__strbuf *buf, const char *key, uint64_t value)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%" PRIu64, value);

	add_record(buf, key, text, (size_t)n);
}

static void add_mtime(struct lcx__strbuf *buf, const struct timespec *t)
{
	char text[48];
	int64_t seconds = t->tv_sec;
	long ns = t->tv_nsec;
	int n;

	/* A decimal fraction counts away from zero, the kernel's away from minus infinity. */
	if (seconds < 0 && ns > 0) {
		seconds++;
		ns = 1000000000 - ns;
		n = snprintf(text, sizeof(text), "-%" PRId64 ".%09ld", -seconds, ns);
	} else {
		n = snprintf(text, sizeof(text), "%" PRId64 ".%09ld", seconds, ns);
	}
	add_record(buf, "mtime", text, (size_t)n);
}

static void strbuf_freep(struct lcx__strbuf *buf)
{
	lcx__strbuf_free(buf);
}

/* A key ends at '='; hidden as GNU tar does, and its own sign only where it would be misread. */
static char *xattr_key(const char *name)
{
	struct lcx__strbuf key = STRBUF_EMPTY;

	lcx__strbuf_adds(&key, "SCHILY.xattr.");
	for (; *name; name++)
		if (*name == '=')
			lcx__strbuf_adds(&key, "%3D");
		else if (strncmp(name, "%25", 3) == 0 || strncasecmp(name, "%3d", 3) == 0)
			lcx__strbuf_adds(&key, "%25");
		else
			lcx__strbuf_add(&key, name, 1);
	return lcx__strbuf_take(&key);
}

static void add_xattrs(struct lcx__strbuf *buf, const struct lcx__tar_entry *e)
{
	for (size_t i = 0; i < e->n_xattrs; i++) {
		CLEANUP(freep) char *key = xattr_key(e->xattrs[i].name);

		if (key)
			add_record(buf, key, e->xattrs[i].value, e->xattrs[i].size);
		buf->failed |= !key;
	}
}

/*
 * Tar programs know access control lists as words, and engines for containers only as the
 * attributes that they are to the kernel: so they are written twice.
 */
static void add_acls(struct lcx__strbuf *buf, const struct lcx__tar_entry *e)
{
	for (size_t i = 0; i < e->n_xattrs; i++) {
		const struct lcx__tar_xattr *x = &e->xattrs[i];
		CLEANUP(strbuf_freep) struct lcx__strbuf words = STRBUF_EMPTY;
		const char *key = strcmp(x->name, "system.posix_acl_access") == 0
					  ? "SCHILY.acl.access"
					  : "SCHILY.acl.default";

		if (!lcx__acl_is(x->name) || !lcx__acl_format(x->value, x->size, &words))
			continue;
		add_record(buf, key, words.text, words.length);
		buf->failed |= words.failed;
	}
}

static bool has_fraction(const struct timespec *t)
{
	return t->tv_nsec != 0 || t->tv_sec < 0 || (uint64_t)t->tv_sec > USTAR_SIZE_MAX;
}

static void add_extensions(struct lcx__strbuf *buf, const struct lcx__tar_entry *e,
			   const char *path, uint64_t size)
{
	if (strlen(path) > sizeof(((struct header *)0)->name) || !is_ascii(path))
		add_record(buf, "path", path, strlen(path));
	if (e->link && (strlen(e->link) > sizeof(((struct header *)0)->link) || !is_ascii(e->link)))
		add_record(buf, "linkpath", e->link, strlen(e->link));
	if (size > USTAR_SIZE_MAX)
		add_number(buf, "size", size);
	if (e->uid > USTAR_ID_MAX)
		add_number(buf, "uid", e->uid);
	if (e->gid > USTAR_ID_MAX)
		add_number(buf, "gid", e->gid);
	if (has_fraction(&e->mtime))
		add_mtime(buf, &e->mtime);
	add_acls(buf, e);
	add_xattrs(buf, e);
}

static char type_of(const struct lcx__tar_entry *e)
{
	if (e->hard)
		return '1';
	switch (e->mode & S_IFMT) {
	case S_IFREG:
		return '0';
	case S_IFLNK:
		return '2';
	case S_IFCHR:
		return '3';
	case S_IFBLK:
		return '4';
	case S_IFDIR:
		return '5';
	case S_IFIFO:
		return '6';
	default:
		return '\0';
	}
}

static int write_block(const struct lcx__byte_sink *sink, struct header *h, struct lcx_error **err)
{
	unsigned int sum = 0;

	memcpy(h->magic, "ustar\00000", 8);
	memset(h->checksum, ' ', sizeof(h->checksum));
	for (size_t i = 0; i < sizeof(*h); i++)
		sum += ((unsigned char *)h)[i];
	(void)snprintf(h->checksum, sizeof(h->checksum), "%06o", sum & 0777777);
	return sink->write(sink->data, h, sizeof(*h), err);
}

/* Names may fill their fields, without a NUL. */
static void copy_name(char *field, size_t size, const char *name)
{
	size_t length = strlen(name);

	memcpy(field, name, length < size ? length : size);
}

static int write_extended(const struct lcx__byte_sink *sink, const struct lcx__strbuf *records,
			  struct lcx_error **err)
{
	struct header h = {.type = 'x'};
	int r;

	copy_name(h.name, sizeof(h.name), "././@PaxHeader");
	octal(h.mode, sizeof(h.mode), 0644);
	octal(h.uid, sizeof(h.uid), 0);
	octal(h.gid, sizeof(h.gid), 0);
	octal(h.size, sizeof(h.size), records->length);
	octal(h.mtime, sizeof(h.mtime), 0);
	r = write_block(sink, &h, err);
	if (r == 0)
		r = sink->write(sink->data, records->text, records->length, err);
	return r < 0 ? r : lcx__tar_write_padding(sink, records->length, err);
}

int lcx__tar_write_header(const struct lcx__byte_sink *sink, const struct lcx__tar_entry *e,
			  struct lcx_error **err)
{
	CLEANUP(strbuf_freep) struct lcx__strbuf records = STRBUF_EMPTY;
	CLEANUP(freep) char *path = NULL;
	uint64_t size = S_ISREG(e->mode) && !e->hard ? e->size : 0;
	struct header h = {.type = type_of(e)};
	int r = 0;

	if (!h.type)
		return lcx__fail(err, EINVAL, "'%s': files of type %o can't be archived", e->path,
				 e->mode & S_IFMT);
	path = h.type == '5' ? lcx__format("%s/", e->path[0] ? e->path : ".") : strdup(e->path);
	if (!path)
		return lcx__fail_nomem(err);
	add_extensions(&records, e, path, size);
	if (records.failed)
		return lcx__fail_nomem(err);
	if (records.length > 0)
		r = write_extended(sink, &records, err);
	if (r < 0)
		return r;

	copy_name(h.name, sizeof(h.name), path);
	copy_name(h.link, sizeof(h.link), e->link ? e->link : "");
	octal(h.mode, sizeof(h.mode), e->mode & 07777);
	octal(h.uid, sizeof(h.uid), e->uid);
	octal(h.gid, sizeof(h.gid), e->gid);
	octal(h.size, sizeof(h.size), size);
	octal(h.mtime, sizeof(h.mtime), e->mtime.tv_sec < 0 ? 0 : (uint64_t)e->mtime.tv_sec);
	if (h.type == '3' || h.type == '4') {
		octal(h.major, sizeof(h.major), major(e->device));
		octal(h.minor, sizeof(h.minor), minor(e->device));
	}
	return write_block(sink, &h, err);
}

int lcx__tar_write_padding(const struct lcx__byte_sink *sink, uint64_t size, struct lcx_error **err)
{
	static const char zeros[BLOCK];
	size_t over = (size_t)(size % BLOCK);

	return over ? sink->write(sink->data, zeros, BLOCK - over, err) : 0;
}

static int write_content(const struct lcx__byte_sink *sink, const struct lcx__source *content,
			 uint64_t size, struct lcx_error **err)
{
	CLEANUP(freep) char *buffer = malloc(COPY_CHUNK);
	bool ended = false;

	if (!buffer)
		return lcx__fail_nomem(err);
	for (uint64_t left = size; left > 0;) {
		size_t wanted = left < COPY_CHUNK ? (size_t)left : COPY_CHUNK;
		ssize_t n = ended ? 0 : content->read(content->data, buffer, wanted, err);
		int r;

		if (n < 0)
			return (int)n;
		if (n == 0) {
			ended = true;
			memset(buffer, 0, wanted);
			n = (ssize_t)wanted;
		}
		r = sink->write(sink->data, buffer, (size_t)n, err);
		if (r < 0)
			return r;
		left -= (uint64_t)n;
	}
	return lcx__tar_write_padding(sink, size, err);
}

int lcx__tar_write(const struct lcx__byte_sink *sink, const struct lcx__tar_entry *entry,
		   const struct lcx__source *content, struct lcx_error **err)
{
	int r = lcx__tar_write_header(sink, entry, err);

	return r < 0 || !content ? r : write_content(sink, content, entry->size, err);
}

int lcx__tar_write_end(const struct lcx__byte_sink *sink, struct lcx_error **err)
{
	static const char zeros[2 * BLOCK];

	return sink->write(sink->data, zeros, sizeof(zeros), err);
}

static int add(void *data, const struct lcx__tar_entry *entry, const struct lcx__source *content,
	       struct lcx_error **err)
{
	return lcx__tar_write(data, entry, content, err);
}

struct lcx__entry_sink lcx__tar_entry_sink(const struct lcx__byte_sink *sink)
{
	return (struct lcx__entry_sink){add, (void *)(uintptr_t)sink};
}
