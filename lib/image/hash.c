/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "image/crypto.h"
#include "image/digest.h"

struct lcx__hash {
	const char *algorithm;
	struct lcx__crypto crypto;
	EVP_MD_CTX *md;
};

int lcx__hash_new(const struct lcx__digest *like, struct lcx__hash **ret, struct lcx_error **err)
{
	CLEANUP(lcx__hash_freep) struct lcx__hash *hash = calloc(1, sizeof(*hash));

	const struct lcx__crypto *crypto;
	int r;

	if (!hash)
		return lcx__fail_nomem(err);
	hash->algorithm = like ? lcx__digest_algorithm(like) : "sha256";
	if (!hash->algorithm)
		return lcx__fail(err, EINVAL, "'%s' is no digest", like->text);
	r = lcx__crypto_load(&hash->crypto, err);
	if (r < 0)
		return r;
	crypto = &hash->crypto;
	hash->md = crypto->EVP_MD_CTX_new();
	if (!hash->md)
		return lcx__fail_nomem(err);
	if (crypto->EVP_DigestInit_ex(hash->md,
				      strcmp(hash->algorithm, "sha512") == 0 ? crypto->EVP_sha512()
									     : crypto->EVP_sha256(),
				      NULL) != 1)
		return lcx__fail(err, EOPNOTSUPP, "libcrypto has no %s here", hash->algorithm);
	*ret = TAKE_PTR(hash);
	return 0;
}

int lcx__hash_update(struct lcx__hash *hash, const void *data, size_t length)
{
	return hash->crypto.EVP_DigestUpdate(hash->md, data, length) == 1 ? 0 : -EIO;
}

int lcx__hash_finish(struct lcx__hash *hash, struct lcx__digest *ret)
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned int n = 0;

	if (hash->crypto.EVP_DigestFinal_ex(hash->md, sum, &n) != 1)
		return -EIO;
	lcx__digest_write(hash->algorithm, sum, n, ret);
	return 0;
}

struct lcx__hash *lcx__hash_free(struct lcx__hash *hash)
{
	if (hash) {
		if (hash->md)
			hash->crypto.EVP_MD_CTX_free(hash->md);
		free(hash);
	}
	return NULL;
}
