/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * zlib and libzstd, as far as layers and logs need them. Most programs start containers and look
 * into no layer: so the library loads them when there is something to compress or to unpack. The
 * extraction helper has them inside (helper/codecs.c). Each user has a copy of the functions'
 * addresses, so that nothing is kept between calls.
 */

#include <zlib.h>
#include <zstd.h>

#include "util/error.h"

#define INFLATE_FUNCTIONS(X) X(inflateInit2_) X(inflate) X(inflateReset) X(inflateEnd)
#define DEFLATE_FUNCTIONS(X) X(deflateInit2_) X(deflate) X(deflateEnd)
#define UNZSTD_FUNCTIONS(X)                                                                        \
	X(ZSTD_createDStream)                                                                      \
	X(ZSTD_freeDStream)                                                                        \
	X(ZSTD_dParam_getBounds)                                                                   \
	X(ZSTD_DCtx_setParameter)                                                                  \
	X(ZSTD_decompressStream)                                                                   \
	X(ZSTD_isError)
#define ZSTD_FUNCTIONS(X)                                                                          \
	X(ZSTD_createCCtx)                                                                         \
	X(ZSTD_freeCCtx)                                                                           \
	X(ZSTD_CCtx_setParameter)                                                                  \
	X(ZSTD_compressStream2)                                                                    \
	X(ZSTD_isError)                                                                            \
	X(ZSTD_getErrorName)

#define MEMBER(name) __typeof__(name) *name;
struct lcx__inflate {
	INFLATE_FUNCTIONS(MEMBER)
};
struct lcx__deflate {
	DEFLATE_FUNCTIONS(MEMBER)
};
struct lcx__unzstd {
	UNZSTD_FUNCTIONS(MEMBER)
};
struct lcx__zstd {
	ZSTD_FUNCTIONS(MEMBER)
};
#undef MEMBER

/* All return 0, or -EOPNOTSUPP in words: it is not there. */
int lcx__inflate_load(struct lcx__inflate *ret, struct lcx_error **err);
int lcx__deflate_load(struct lcx__deflate *ret, struct lcx_error **err);
int lcx__unzstd_load(struct lcx__unzstd *ret, struct lcx_error **err);
int lcx__zstd_load(struct lcx__zstd *ret, struct lcx_error **err);
