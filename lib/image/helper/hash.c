/* SPDX-License-Identifier: MIT */
/*
 * The same sums without libcrypto's providers: linked statically, EVP would bring five
 * megabytes along. These functions have the processor's own instructions, too.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <errno.h>
#include <openssl/sha.h>
#include <string.h>

#include "image/digest.h"

struct lcx__hash {
	bool is_512;
	union {
		SHA256_CTX sha256;
		SHA512_CTX sha512;
	};
};

int lcx__hash_new(const struct lcx__digest *like, struct lcx__hash **ret, struct lcx_error **err)
{
	CLEANUP(lcx__hash_freep) struct lcx__hash *hash = calloc(1, sizeof(*hash));
	const char *algorithm = like ? lcx__digest_algorithm(like) : "sha256";

	if (!hash)
		return lcx__fail_nomem(err);
	if (!algorithm)
		return lcx__fail(err, EINVAL, "'%s' is no digest", like->text);
	hash->is_512 = strcmp(algorithm, "sha512") == 0;
	if ((hash->is_512 ? SHA512_Init(&hash->sha512) : SHA256_Init(&hash->sha256)) != 1)
		return lcx__fail(err, EOPNOTSUPP, "libcrypto has no %s here", algorithm);
	*ret = TAKE_PTR(hash);
	return 0;
}

int lcx__hash_update(struct lcx__hash *hash, const void *data, size_t length)
{
	int done = hash->is_512 ? SHA512_Update(&hash->sha512, data, length)
				: SHA256_Update(&hash->sha256, data, length);

	return done == 1 ? 0 : -EIO;
}

int lcx__hash_finish(struct lcx__hash *hash, struct lcx__digest *ret)
{
	unsigned char sum[SHA512_DIGEST_LENGTH];
	int done =
		hash->is_512 ? SHA512_Final(sum, &hash->sha512) : SHA256_Final(sum, &hash->sha256);

	if (done != 1)
		return -EIO;
	lcx__digest_write(hash->is_512 ? "sha512" : "sha256", sum,
			  hash->is_512 ? SHA512_DIGEST_LENGTH : SHA256_DIGEST_LENGTH, ret);
	return 0;
}

struct lcx__hash *lcx__hash_free(struct lcx__hash *hash)
{
	free(hash);
	return NULL;
}
