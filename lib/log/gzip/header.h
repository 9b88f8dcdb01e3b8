/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What stands in the extra field of a compressed file's header (RFC 1952, 2.3.1.1): which file it
 * was. A reader that holds that one open, and finds it removed, so knows its place among the
 * others.
 */

#include <stdint.h>

struct lcx__log_gzip_extra {
	char id[2];
	uint16_t length; /* of what follows; all numbers are little-endian, as are the machines */
	uint32_t mtime_ns;
	uint64_t ino, size;
	int64_t mtime;
};

_Static_assert(sizeof(struct lcx__log_gzip_extra) == 32, "it has no gaps");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the header is written as it stands");

static inline struct lcx__log_gzip_extra lcx__log_gzip_extra(uint64_t ino, uint64_t size,
							     int64_t mtime, uint32_t mtime_ns)
{
	return (struct lcx__log_gzip_extra){
		{'L', 'X'}, sizeof(struct lcx__log_gzip_extra) - 4, mtime_ns, ino, size, mtime};
}

/* In front of it: the header up to the length of the extra field, of which it is the first. */
enum { LCX__LOG_GZIP_HEAD = 12, LCX__LOG_GZIP_EXTRA_FLAG = 4 };
