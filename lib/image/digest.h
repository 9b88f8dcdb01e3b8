/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Digests as the OCI writes them. A digest becomes part of paths and URLs, so
 * nothing is one before lcx__digest_parse() has said so.
 */

#include <stdbool.h>
#include <stddef.h>

#include "util/error.h"

enum { LCX__DIGEST_SIZE = 7 + 128 + 1 }; /* "sha512:", the digits, NUL */

struct lcx__digest {
	char text[LCX__DIGEST_SIZE]; /* "" stands for none */
};

/* sha256 or sha512, a colon, and exactly that many lower-case hexadecimal digits; else -EINVAL. */
int lcx__digest_parse(const char *text, struct lcx__digest *ret);

/* The digits alone, and the algorithm ("sha256") as a literal (NULL if invalid). */
const char *lcx__digest_hex(const struct lcx__digest *digest);
const char *lcx__digest_algorithm(const struct lcx__digest *digest);
bool lcx__digest_equal(const struct lcx__digest *a, const struct lcx__digest *b);

/* The digest that @sum is, by an algorithm as lcx__digest_algorithm() names it. */
void lcx__digest_write(const char *algorithm, const unsigned char *sum, size_t length,
		       struct lcx__digest *ret);

/* A running sum by the algorithm of @like; of sha256 if that is NULL. */
struct lcx__hash;
int lcx__hash_new(const struct lcx__digest *like, struct lcx__hash **ret, struct lcx_error **err);
int lcx__hash_update(struct lcx__hash *hash, const void *data, size_t length);
int lcx__hash_finish(struct lcx__hash *hash, struct lcx__digest *ret);
struct lcx__hash *lcx__hash_free(struct lcx__hash *hash);

DEFINE_CLEANUP(struct lcx__hash *, lcx__hash_free)

/* The sum of bytes at hand: sha256, or by the algorithm of @like if that isn't NULL. */
int lcx__digest_of(const struct lcx__digest *like, const void *data, size_t length,
		   struct lcx__digest *ret, struct lcx_error **err);
