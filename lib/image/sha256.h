/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { LCX__SHA256_SIZE = 32 };

/*
 * The sum of a few bytes, as they stand in the documents that each start reads, by libmd: a small
 * library that is loaded in a twentieth of the time in which libcrypto is loaded and has set
 * itself up. That one knows the machine's own instructions, and is for all that is long.
 * -EOPNOTSUPP: it is not there, and libcrypto has to do.
 */
int lcx__sha256(const void *data, size_t length, uint8_t ret[static LCX__SHA256_SIZE]);
