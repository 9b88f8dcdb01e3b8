/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Bytes of a layer as they come out of their compression: gzip (any number of
 * members), zstd (any number of frames) or plain, told apart by their first bytes.
 * What comes out is bounded by the reader, who also hashes it.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/error.h"

struct lcx__decoder;

/*
 * The input may be a file that still grows: wait() returns when it has bytes beyond @offset,
 * with the number of all that are there, or with @offset when no more will come.
 */
struct lcx__gate {
	int (*wait)(void *data, uint64_t offset, uint64_t *ret_available, struct lcx_error **err);
	void *data;
};

struct lcx__decode_options {
	struct lcx__gate gate;
	uint64_t window_bytes; /* the largest window of zstd */
};

/*
 * @fd: read from its present position to its end, may be a pipe; with a gate it is a file,
 * and read from its beginning. Borrowed.
 */
int lcx__decoder_new(int fd, const struct lcx__decode_options *options, struct lcx__decoder **ret,
		     struct lcx_error **err);
struct lcx__decoder *lcx__decoder_free(struct lcx__decoder *dec);

DEFINE_CLEANUP(struct lcx__decoder *, lcx__decoder_free)

/* Up to @size bytes, 0 at the end, -EBADMSG for damaged or cut data. */
ssize_t lcx__decoder_read(struct lcx__decoder *dec, void *buffer, size_t size,
			  struct lcx_error **err);

/* Compressed bytes consumed so far. */
uint64_t lcx__decoder_consumed(const struct lcx__decoder *dec);
