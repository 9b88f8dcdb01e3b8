/* SPDX-License-Identifier: MIT */
#include "image/bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "image/decode.h"
#include "image/limits.h"
#include "image/manifest.h"
#include "tar/tar.h"
#include "util/fs.h"
#include "util/str.h"

enum {
	SPOOL_CHUNK = 1 << 20,
	FILES_MAX = 64 << 10,
	LINKS_MAX = 8, /* one after the other */
};

struct file {
	char *name,
		*link; /* a link has its target's name, as it is in the archive, and nothing else */
	uint64_t offset, size_bytes;
};

struct lcx__bundle {
	char *what;
	int fd, owned_fd;
	bool is_dir, ready;
	uint64_t base; /* where the tar begins in its file */
	struct lcx__extract_limits limits;
	struct lcx__decoder *decoder;
	uint64_t produced;
	struct file *files; /* by name */
	size_t n_files, size;
};

static int new_bundle(const char *what, int fd, struct lcx__bundle **ret, struct lcx_error **err)
{
	struct lcx__bundle *b = calloc(1, sizeof(*b));

	if (!b)
		return lcx__fail_nomem(err);
	b->what = strdup(what);
	b->fd = fd;
	b->owned_fd = -1;
	if (!b->what) {
		(void)lcx__bundle_free(b);
		return lcx__fail_nomem(err);
	}
	*ret = b;
	return 0;
}

int lcx__bundle_of_dir(const char *what, int dir_fd, struct lcx__bundle **ret,
		       struct lcx_error **err)
{
	int r = new_bundle(what, dir_fd, ret, err);

	if (r == 0)
		(*ret)->is_dir = (*ret)->ready = true;
	return r;
}

struct lcx__bundle *lcx__bundle_free(struct lcx__bundle *b)
{
	if (!b)
		return NULL;
	for (size_t i = 0; i < b->n_files; i++) {
		free(b->files[i].name);
		free(b->files[i].link);
	}
	free(b->files);
	(void)lcx__decoder_free(b->decoder);
	closep(&b->owned_fd);
	free(b->what);
	free(b);
	return NULL;
}

const char *lcx__bundle_what(const struct lcx__bundle *b)
{
	return b->what;
}

/* ---- from a stream to a file -------------------------------------------- */

/* A plain tar in a file that can be positioned is read where it is. */
static bool is_readable_in_place(int fd, uint64_t *ret_base)
{
	static const unsigned char gzip[] = {0x1f, 0x8b}, zstd[] = {0x28, 0xb5, 0x2f, 0xfd};
	off_t base = lseek(fd, 0, SEEK_CUR);
	unsigned char magic[4] = {0};
	struct stat st;

	if (base < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    pread(fd, magic, sizeof(magic), base) != sizeof(magic))
		return false;
	*ret_base = (uint64_t)base;
	return memcmp(magic, gzip, sizeof(gzip)) != 0 && memcmp(magic, zstd, sizeof(zstd)) != 0;
}

int lcx__bundle_of_tar(const struct lcx_ctx *ctx, const char *what, int fd, int scratch_fd,
		       struct lcx__bundle **ret, struct lcx_error **err)
{
	CLEANUP(lcx__bundle_freep) struct lcx__bundle *b = NULL;
	int r = new_bundle(what, fd, &b, err);

	if (r < 0)
		return r;
	lcx__limits_of(ctx, &b->limits);
	if (!is_readable_in_place(fd, &b->base)) {
		b->owned_fd = openat(scratch_fd, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
		if (b->owned_fd < 0)
			return lcx__fail_sys(err, errno, "make a temporary file in the store");
		r = lcx__decoder_new(
			fd,
			&(const struct lcx__decode_options){.window_bytes = b->limits.window_bytes},
			&b->decoder, err);
	}
	if (r == 0)
		*ret = TAKE_PTR(b);
	return r;
}

static int spool(struct lcx__bundle *b, struct lcx_error **err)
{
	const struct lcx__extract_limits *limits = &b->limits;
	CLEANUP(freep) char *buffer = malloc(SPOOL_CHUNK);
	ssize_t n;
	int r;

	if (!buffer)
		return lcx__fail_nomem(err);
	n = lcx__decoder_read(b->decoder, buffer, SPOOL_CHUNK, err);
	if (n < 0)
		return (int)n;
	b->produced += (uint64_t)n;
	if (b->produced > limits->total_bytes ||
	    (b->produced > limits->ratio_from_bytes &&
	     b->produced / limits->ratio > lcx__decoder_consumed(b->decoder)))
		return lcx__fail(err, EBADMSG, "'%s' looks like a decompression bomb", b->what);
	r = lcx__write_all(b->owned_fd, buffer, (size_t)n);
	if (r < 0)
		return lcx__fail_sys(err, -r, "copy the archive into the store");
	if (n > 0)
		return 1;
	b->decoder = lcx__decoder_free(b->decoder);
	b->fd = b->owned_fd;
	b->base = 0;
	return 0;
}

/* ---- from a file to names ----------------------------------------------- */

struct position {
	int fd;
	uint64_t at;
};

static ssize_t read_at(void *data, void *buffer, size_t size, struct lcx_error **err)
{
	struct position *p = data;
	ssize_t n;

	do
		n = pread(p->fd, buffer, size, (off_t)p->at);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return lcx__fail_sys(err, errno, "read the archive");
	p->at += (uint64_t)n;
	return n;
}

static int skip_at(void *data, uint64_t length, struct lcx_error **err)
{
	struct position *p = data;

	if (length > INT64_MAX - p->at)
		return lcx__fail(err, EBADMSG, "an impossible size");
	p->at += length;
	return 0;
}

/* A link's text, seen from where the link is, as the name of a file of the archive. */
static char *resolve(const char *name, const char *text)
{
	const char *slash = strrchr(name, '/');
	CLEANUP(freep)
	char *path = text[0] == '/' || !slash
			     ? strdup(text)
			     : lcx__format("%.*s/%s", (int)(slash - name), name, text);
	CLEANUP(freep) char *out = path ? calloc(1, strlen(path) + 2) : NULL;
	char *rest = path, *part;

	if (!out)
		return NULL;
	while ((part = strsep(&rest, "/"))) {
		if (strcmp(part, "..") == 0) {
			char *last = strrchr(out, '/');

			*(last ? last : out) = '\0';
		} else if (part[0] && strcmp(part, ".") != 0) {
			if (out[0])
				strcat(out, "/");
			strcat(out, part);
		}
	}
	return TAKE_PTR(out);
}

static int add_file(struct lcx__bundle *b, const struct lcx__tar_entry *e, uint64_t offset)
{
	struct file *f;

	if (b->n_files == b->size) {
		size_t size = b->size ? b->size * 2 : 64;

		f = reallocarray(b->files, size, sizeof(*f));
		if (!f)
			return -ENOMEM;
		b->files = f;
		b->size = size;
	}
	f = &b->files[b->n_files];
	*f = (struct file){.name = strdup(e->path), .offset = offset, .size_bytes = e->size};
	if (e->link)
		f->link = e->hard ? strdup(e->link) : resolve(e->path, e->link);
	if (!f->name || (e->link && !f->link)) {
		free(f->name);
		free(f->link);
		return -ENOMEM;
	}
	b->n_files++;
	return 0;
}

static int compare_files(const void *a, const void *b)
{
	return strcmp(((const struct file *)a)->name, ((const struct file *)b)->name);
}

/* Of two files with one name each reader would take another. */
static int sort_files(struct lcx__bundle *b, struct lcx_error **err)
{
	if (b->n_files > 1)
		qsort(b->files, b->n_files, sizeof(*b->files), compare_files);
	for (size_t i = 1; i < b->n_files; i++)
		if (strcmp(b->files[i - 1].name, b->files[i].name) == 0)
			return lcx__fail(err, EBADMSG, "'%s' has '%.200s' twice", b->what,
					 b->files[i].name);
	return 0;
}

static int read_entries(struct lcx__bundle *b, struct lcx__tar_reader *reader, uint64_t file_size,
			struct lcx_error **err)
{
	int r;

	while ((r = lcx__tar_next(reader, err)) > 0) {
		const struct lcx__tar_entry *e = lcx__tar_entry(reader);
		uint64_t offset = b->base + lcx__tar_offset(reader);

		if (!S_ISREG(e->mode) && !e->link)
			continue;
		if (e->sparse)
			return lcx__fail(err, EOPNOTSUPP,
					 "'%.200s' is sparse; archive it without holes", e->path);
		if (b->n_files == FILES_MAX)
			return lcx__fail(err, EBADMSG, "more than %d files", FILES_MAX);
		if (offset > file_size || e->size > file_size - offset)
			return lcx__fail(err, EBADMSG, "'%.200s' is cut off", e->path);
		if (add_file(b, e, offset) < 0)
			return lcx__fail_nomem(err);
	}
	return r;
}

static int index_tar(struct lcx__bundle *b, struct lcx_error **err)
{
	CLEANUP(lcx__tar_reader_freep) struct lcx__tar_reader *reader = NULL;
	struct position position = {b->fd, b->base};
	const struct lcx__source source = {read_at, skip_at, &position};
	struct stat st;
	int r;

	if (fstat(b->fd, &st) < 0)
		return lcx__fail_sys(err, errno, "'%s'", b->what);
	r = lcx__tar_reader_new(&source, &reader, err);
	if (r == 0)
		r = read_entries(b, reader, (uint64_t)st.st_size, err);
	return r < 0 ? lcx__fail_prefix(err, r, "'%s'", b->what) : sort_files(b, err);
}

int lcx__bundle_step(struct lcx__bundle *b, struct lcx_error **err)
{
	int r;

	if (b->ready)
		return 0;
	if (b->decoder) {
		r = spool(b, err);
		return r < 0 ? r : 1;
	}
	r = index_tar(b, err);
	b->ready = r == 0;
	return r;
}

/* ---- files -------------------------------------------------------------- */

static const struct file *find(const struct lcx__bundle *b, const char *name)
{
	for (int hops = 0; b->n_files > 0 && hops <= LINKS_MAX; hops++) {
		const struct file key = {.name = (char *)(uintptr_t)name};
		const struct file *f =
			bsearch(&key, b->files, b->n_files, sizeof(*b->files), compare_files);

		if (!f || !f->link)
			return f;
		name = f->link;
	}
	return NULL;
}

bool lcx__bundle_has(const struct lcx__bundle *b, const char *name)
{
	struct lcx__bundle_file file;
	int r = lcx__bundle_open(b, name, &file, NULL);

	if (r == 0)
		lcx__bundle_close(&file);
	return r != -ENOENT;
}

static int open_in_dir(const struct lcx__bundle *b, const char *name, struct lcx__bundle_file *ret,
		       struct lcx_error **err)
{
	CLEANUP(closep) int fd = lcx__open_in_root(b->fd, name, O_RDONLY | O_NONBLOCK, 0);
	struct stat st;

	if (fd < 0)
		return lcx__fail_sys(err, -fd, "'%s': open '%s'", b->what, name);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return lcx__fail(err, EBADMSG, "'%s': '%s' is not a file", b->what, name);
	ret->offset = 0;
	ret->size_bytes = (uint64_t)st.st_size;
	ret->fd = ret->owned_fd = TAKE_FD(fd);
	return 0;
}

int lcx__bundle_open(const struct lcx__bundle *b, const char *name, struct lcx__bundle_file *ret,
		     struct lcx_error **err)
{
	const struct file *f;

	*ret = (struct lcx__bundle_file){-1, -1, 0, 0};
	if (b->is_dir)
		return open_in_dir(b, name, ret, err);
	f = find(b, name);
	if (!f)
		return lcx__fail(err, ENOENT, "'%s': there is no '%.200s' in it", b->what, name);
	*ret = (struct lcx__bundle_file){b->fd, -1, f->offset, f->size_bytes};
	return 0;
}

void lcx__bundle_close(struct lcx__bundle_file *file)
{
	closep(&file->owned_fd);
	file->fd = -1;
}

ssize_t lcx__bundle_read(const struct lcx__bundle_file *file, uint64_t at, void *buffer,
			 size_t size)
{
	ssize_t n;

	if (at >= file->size_bytes)
		return 0;
	if (size > file->size_bytes - at)
		size = (size_t)(file->size_bytes - at);
	do
		n = pread(file->fd, buffer, size, (off_t)(file->offset + at));
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

int lcx__bundle_document(const struct lcx__bundle *b, const char *name, char **ret,
			 size_t *ret_length, struct lcx_error **err)
{
	CLEANUP(lcx__bundle_close) struct lcx__bundle_file file = {-1, -1, 0, 0};
	CLEANUP(freep) char *text = NULL;
	size_t done = 0;
	ssize_t n;
	int r = lcx__bundle_open(b, name, &file, err);

	if (r < 0)
		return r;
	if (file.size_bytes > LCX__DOCUMENT_MAX)
		return lcx__fail(err, EFBIG, "'%s': '%s' is larger than a document may be", b->what,
				 name);
	text = malloc((size_t)file.size_bytes + 1);
	if (!text)
		return lcx__fail_nomem(err);
	while ((n = lcx__bundle_read(&file, done, text + done, (size_t)file.size_bytes - done)) > 0)
		done += (size_t)n;
	if (n < 0)
		return lcx__fail_sys(err, (int)-n, "'%s': read '%s'", b->what, name);
	text[done] = '\0';
	*ret = TAKE_PTR(text);
	*ret_length = done;
	return 0;
}
