/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

#include "image/digest.h"

struct lcx__hash {
	const char *algorithm;
	EVP_MD_CTX *md;
};

int lcx__hash_new(const struct lcx__digest *like, struct lcx__hash **ret)
{
	CLEANUP(lcx__hash_freep) struct lcx__hash *hash = calloc(1, sizeof(*hash));

	if (!hash)
		return -ENOMEM;
	hash->algorithm = like ? lcx__digest_algorithm(like) : "sha256";
	if (!hash->algorithm)
		return -EINVAL;
	hash->md = EVP_MD_CTX_new();
	if (!hash->md)
		return -ENOMEM;
	if (EVP_DigestInit_ex(hash->md,
			      strcmp(hash->algorithm, "sha512") == 0 ? EVP_sha512() : EVP_sha256(),
			      NULL) != 1)
		return -EOPNOTSUPP;
	*ret = TAKE_PTR(hash);
	return 0;
}

int lcx__hash_update(struct lcx__hash *hash, const void *data, size_t length)
{
	return EVP_DigestUpdate(hash->md, data, length) == 1 ? 0 : -EIO;
}

int lcx__hash_finish(struct lcx__hash *hash, struct lcx__digest *ret)
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned int n = 0;

	if (EVP_DigestFinal_ex(hash->md, sum, &n) != 1)
		return -EIO;
	lcx__digest_write(hash->algorithm, sum, n, ret);
	return 0;
}

struct lcx__hash *lcx__hash_free(struct lcx__hash *hash)
{
	if (hash) {
		EVP_MD_CTX_free(hash->md);
		free(hash);
	}
	return NULL;
}
