/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { LCX__SHA256_SIZE = 32 };

/*
 * The sum of a few bytes, as they stand in the documents that each start reads: done long before
 * libcrypto is loaded and has set itself up. It knows the machine's own instructions, and is for
 * all that is long.
 */
void lcx__sha256(const void *data, size_t length, uint8_t ret[static LCX__SHA256_SIZE]);
