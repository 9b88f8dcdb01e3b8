/* SPDX-License-Identifier: MIT */

/*
 * Any bytes as an archive: what the reader makes of it lies within its bounds, and what the writer
 * makes of that, the reader reads as the same.
 */
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "tar/tar.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CONTENT_MAX = 64 << 10, DEVICE_MAX = 07777777 };

struct memory {
	const uint8_t *data;
	size_t left;
};

static ssize_t read_memory(void *data, void *buffer, size_t size, struct lcx_error **err)
{
	struct memory *m = data;
	size_t n = size < 301 ? size : 301; /* as a pipe would */

	(void)err;
	n = n < m->left ? n : m->left;
	memcpy(buffer, m->data, n);
	m->data += n;
	m->left -= n;
	return (ssize_t)n;
}

static int write_memory(void *data, const void *bytes, size_t length, struct lcx_error **err)
{
	(void)err;
	lcx__strbuf_add(data, bytes, length);
	return 0;
}

static void must(bool holds)
{
	if (!holds)
		__builtin_trap();
}

static void check_path(const char *path)
{
	must(path[0] != '/' && !strstr(path, "//") && strcmp(path, "..") != 0 &&
	     strncmp(path, "../", 3) != 0 && !strstr(path, "/../"));
}

static void check_same(const struct lcx__tar_entry *a, const struct lcx__tar_entry *b)
{
	must(strcmp(a->path, b->path) == 0 && a->mode == b->mode && a->hard == b->hard &&
	     a->uid == b->uid && a->gid == b->gid && a->size == b->size &&
	     a->mtime.tv_sec == b->mtime.tv_sec && a->mtime.tv_nsec == b->mtime.tv_nsec &&
	     a->n_xattrs == b->n_xattrs && !a->link == !b->link);
	must(!a->link || strcmp(a->link, b->link) == 0);
	must(a->device == b->device);
	for (size_t i = 0; i < a->n_xattrs; i++)
		must(strcmp(a->xattrs[i].name, b->xattrs[i].name) == 0 &&
		     a->xattrs[i].size == b->xattrs[i].size &&
		     memcmp(a->xattrs[i].value, b->xattrs[i].value, a->xattrs[i].size) == 0);
}

/* By pieces: each behind the one before, and none beyond the end. */
static void read_pieces(struct lcx__tar_reader *reader)
{
	const struct lcx__tar_entry *e = lcx__tar_entry(reader);
	uint64_t offset = 0, end = 0;
	char buffer[1000];
	ssize_t n;

	while ((n = lcx__tar_read(reader, buffer, sizeof(buffer), &offset, NULL)) > 0) {
		must(offset >= end);
		end = offset + (uint64_t)n;
		must(end <= e->size);
	}
}

/* What a header of this kind can't say, or a name that is none for it. */
static bool can_be_written(const struct lcx__tar_entry *e)
{
	return (e->path[0] || S_ISDIR(e->mode)) && strlen(e->path) < PATH_MAX - 2 &&
	       (!e->link || e->link[0]) && major(e->device) <= DEVICE_MAX &&
	       minor(e->device) <= DEVICE_MAX;
}

static void write_again(struct lcx__tar_reader *reader)
{
	const struct lcx__tar_entry *e = lcx__tar_entry(reader);
	CLEANUP(lcx__tar_reader_freep) struct lcx__tar_reader *again = NULL;
	const struct lcx__source content = lcx__tar_content(reader);
	struct lcx__strbuf text = STRBUF_EMPTY;
	const struct lcx__byte_sink sink = {write_memory, &text};
	struct memory memory;
	int r = lcx__tar_write(&sink, e, e->size ? &content : NULL, NULL);

	memory = (struct memory){(const uint8_t *)text.text, text.length};
	if (r == 0) {
		must(lcx__tar_reader_new(&(const struct lcx__source){read_memory, NULL, &memory},
					 &again, NULL) == 0);
		must(lcx__tar_next(again, NULL) == 1);
		check_same(e, lcx__tar_entry(again));
		must(lcx__tar_next(again, NULL) == 0);
	}
	lcx__strbuf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(lcx__tar_reader_freep) struct lcx__tar_reader *reader = NULL;
	struct memory memory = {data, size};
	const struct lcx__source source = {read_memory, NULL, &memory};

	if (lcx__tar_reader_new(&source, &reader, NULL) < 0)
		return 0;
	while (lcx__tar_next(reader, NULL) > 0) {
		const struct lcx__tar_entry *e = lcx__tar_entry(reader);

		check_path(e->path);
		if (e->hard)
			check_path(e->link);
		if (e->size > CONTENT_MAX || !can_be_written(e))
			read_pieces(reader);
		else
			write_again(reader);
	}
	return 0;
}
