/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * libcrypto, for digests and base64. Its twenty thousand relocations would be a third of the time
 * that a program needs to begin, and most programs start containers and look at no image: so it is
 * loaded when something is hashed that is not as short as a document, which sha256.h does. Each
 * user has a copy of the functions' addresses, so that nothing is kept between calls.
 */

#include <openssl/evp.h>

#include "util/error.h"

#define CRYPTO_FUNCTIONS(X)                                                                        \
	X(EVP_MD_CTX_new)                                                                          \
	X(EVP_MD_CTX_free)                                                                         \
	X(EVP_sha256)                                                                              \
	X(EVP_sha512)                                                                              \
	X(EVP_DigestInit_ex)                                                                       \
	X(EVP_DigestUpdate)                                                                        \
	X(EVP_DigestFinal_ex)                                                                      \
	X(EVP_EncodeBlock)                                                                         \
	X(EVP_DecodeBlock)

struct lcx__crypto {
#define MEMBER(name) __typeof__(name) *name;
	CRYPTO_FUNCTIONS(MEMBER)
#undef MEMBER
};

/* -EOPNOTSUPP in words: it is not there. */
int lcx__crypto_load(struct lcx__crypto *ret, struct lcx_error **err);
