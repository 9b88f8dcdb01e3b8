/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The files of an archive of images, by name: those of a directory, or those of a tar
 * file, which is read in place and never unpacked: a name in it is a key to look for, and
 * not a path anywhere.
 */

#include "image/store.h"

struct lcx__bundle;

struct lcx__bundle_file {
	int fd, owned_fd;
	uint64_t offset, size_bytes;
};

/* @what names it in errors; copied. @dir_fd is borrowed. */
int lcx__bundle_of_dir(const char *what, int dir_fd, struct lcx__bundle **ret,
		       struct lcx_error **err);

/*
 * A tar file, from the present position of @fd (borrowed) to its end. One that is compressed
 * or can't be positioned is first copied, in steps, to an unnamed file in @scratch_fd.
 */
int lcx__bundle_of_tar(const struct lcx_ctx *ctx, const char *what, int fd, int scratch_fd,
		       struct lcx__bundle **ret, struct lcx_error **err);

/* Take in a bounded piece. 1: there is more; 0: files can be looked for. */
int lcx__bundle_step(struct lcx__bundle *bundle, struct lcx_error **err);

struct lcx__bundle *lcx__bundle_free(struct lcx__bundle *bundle);

DEFINE_CLEANUP(struct lcx__bundle *, lcx__bundle_free)

/* What was given as @what. */
const char *lcx__bundle_what(const struct lcx__bundle *bundle);

bool lcx__bundle_has(const struct lcx__bundle *bundle, const char *name);

/* A regular file; in a tar, links within it are followed. -ENOENT in words. */
int lcx__bundle_open(const struct lcx__bundle *bundle, const char *name,
		     struct lcx__bundle_file *ret, struct lcx_error **err);
void lcx__bundle_close(struct lcx__bundle_file *file);

/* Up to @size bytes from @at on; 0 at the end; a negative errno. */
ssize_t lcx__bundle_read(const struct lcx__bundle_file *file, uint64_t at, void *buffer,
			 size_t size);

/* A whole file of at most LCX__DOCUMENT_MAX bytes, with a NUL behind. */
int lcx__bundle_document(const struct lcx__bundle *bundle, const char *name, char **ret,
			 size_t *ret_length, struct lcx_error **err);
