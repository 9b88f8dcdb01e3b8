/* SPDX-License-Identifier: MIT */
#include "image/codecs.h"

#include "util/cleanup.h"
#include "util/library.h"

#define ZLIB    "libz.so.1"
#define LIBZSTD "libzstd.so.1"

#define ROW(name) {#name, offsetof(struct TABLE, name)},
#define LOAD(library_name, list)                                                                   \
	static const struct lcx__library_function functions[] = {list(ROW)};                       \
	static const struct lcx__library library = {                                               \
		.soname = (library_name),                                                          \
		.use = "compressed layers and logs need",                                          \
		.functions = functions,                                                            \
		.n = ARRAY_SIZE(functions),                                                        \
	};                                                                                         \
	return lcx__library_load(&library, ret, err)

int lcx__inflate_load(struct lcx__inflate *ret, struct lcx_error **err)
{
#define TABLE lcx__inflate
	LOAD(ZLIB, INFLATE_FUNCTIONS);
#undef TABLE
}

int lcx__deflate_load(struct lcx__deflate *ret, struct lcx_error **err)
{
#define TABLE lcx__deflate
	LOAD(ZLIB, DEFLATE_FUNCTIONS);
#undef TABLE
}

int lcx__unzstd_load(struct lcx__unzstd *ret, struct lcx_error **err)
{
#define TABLE lcx__unzstd
	LOAD(LIBZSTD, UNZSTD_FUNCTIONS);
#undef TABLE
}

int lcx__zstd_load(struct lcx__zstd *ret, struct lcx_error **err)
{
#define TABLE lcx__zstd
	LOAD(LIBZSTD, ZSTD_FUNCTIONS);
#undef TABLE
}
