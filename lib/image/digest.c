/* SPDX-License-Identifier: MIT */
#include "image/digest.h"

#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

static const struct algorithm {
	const char *name;
	size_t n_digits;
	const EVP_MD *(*md)(void);
} algorithms[] = {
	{"sha256", 64, EVP_sha256},
	{"sha512", 128, EVP_sha512},
};

static const struct algorithm *algorithm_of(const char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++) {
		size_t length = strlen(algorithms[i].name);

		if (strncmp(text, algorithms[i].name, length) == 0 && text[length] == ':')
			return &algorithms[i];
	}
	return NULL;
}

int lcx__digest_parse(const char *text, struct lcx__digest *ret)
{
	const struct algorithm *algorithm = text ? algorithm_of(text) : NULL;
	const char *digits;

	if (!algorithm)
		return -EINVAL;
	digits = text + strlen(algorithm->name) + 1;
	if (strspn(digits, "0123456789abcdef") != algorithm->n_digits ||
	    digits[algorithm->n_digits] != '\0')
		return -EINVAL;
	memset(ret, 0, sizeof(*ret));
	memcpy(ret->text, text, strlen(text));
	return 0;
}

const char *lcx__digest_hex(const struct lcx__digest *digest)
{
	return strchr(digest->text, ':') + 1;
}

const char *lcx__digest_algorithm(const struct lcx__digest *digest)
{
	return algorithm_of(digest->text)->name;
}

bool lcx__digest_equal(const struct lcx__digest *a, const struct lcx__digest *b)
{
	return strcmp(a->text, b->text) == 0;
}

struct lcx__hash {
	const struct algorithm *algorithm;
	EVP_MD_CTX *md;
};

int lcx__hash_new(const struct lcx__digest *like, struct lcx__hash **ret)
{
	CLEANUP(lcx__hash_freep) struct lcx__hash *hash = calloc(1, sizeof(*hash));

	if (!hash)
		return -ENOMEM;
	hash->algorithm = like ? algorithm_of(like->text) : &algorithms[0];
	if (!hash->algorithm)
		return -EINVAL;
	hash->md = EVP_MD_CTX_new();
	if (!hash->md)
		return -ENOMEM;
	if (EVP_DigestInit_ex(hash->md, hash->algorithm->md(), NULL) != 1)
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
	static const char hex[] = "0123456789abcdef";
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned int n = 0;
	char *at;

	if (EVP_DigestFinal_ex(hash->md, sum, &n) != 1 || 2 * n != hash->algorithm->n_digits)
		return -EIO;
	memset(ret, 0, sizeof(*ret));
	at = stpcpy(ret->text, hash->algorithm->name);
	*at++ = ':';
	for (unsigned int i = 0; i < n; i++) {
		*at++ = hex[sum[i] >> 4];
		*at++ = hex[sum[i] & 15];
	}
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

int lcx__digest_of(const struct lcx__digest *like, const void *data, size_t length,
		   struct lcx__digest *ret)
{
	CLEANUP(lcx__hash_freep) struct lcx__hash *hash = NULL;
	int r;

	r = lcx__hash_new(like, &hash);
	if (r == 0)
		r = lcx__hash_update(hash, data, length);
	return r == 0 ? lcx__hash_finish(hash, ret) : r;
}
