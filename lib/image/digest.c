/* SPDX-License-Identifier: MIT */
#include "image/digest.h"

#include <errno.h>
#include <string.h>

#include "image/sha256.h"

/* libcrypto is loaded in the time that this much takes without it. */
enum { SHORT_MAX = 256 << 10 };

static const struct algorithm {
	const char *name;
	size_t n_digits;
} algorithms[] = {
	{"sha256", 64},
	{"sha512", 128},
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
	const struct algorithm *algorithm = algorithm_of(digest->text);

	return algorithm ? algorithm->name : NULL;
}

bool lcx__digest_equal(const struct lcx__digest *a, const struct lcx__digest *b)
{
	return strcmp(a->text, b->text) == 0;
}

void lcx__digest_write(const char *algorithm, const unsigned char *sum, size_t length,
		       struct lcx__digest *ret)
{
	static const char hex[] = "0123456789abcdef";
	char *at;

	memset(ret, 0, sizeof(*ret));
	at = stpcpy(ret->text, algorithm);
	*at++ = ':';
	for (size_t i = 0; i < length; i++) {
		*at++ = hex[sum[i] >> 4];
		*at++ = hex[sum[i] & 15];
	}
}

static bool is_sha256(const struct lcx__digest *like)
{
	return !like || strncmp(like->text, "sha256:", 7) == 0;
}

int lcx__digest_of(const struct lcx__digest *like, const void *data, size_t length,
		   struct lcx__digest *ret, struct lcx_error **err)
{
	CLEANUP(lcx__hash_freep) struct lcx__hash *hash = NULL;
	uint8_t sum[LCX__SHA256_SIZE];
	int r;

	if (length <= SHORT_MAX && is_sha256(like) && lcx__sha256(data, length, sum) == 0) {
		lcx__digest_write("sha256", sum, sizeof(sum), ret);
		return 0;
	}
	r = lcx__hash_new(like, &hash, err);
	if (r < 0)
		return r;
	r = lcx__hash_update(hash, data, length);
	if (r == 0)
		r = lcx__hash_finish(hash, ret);
	return r < 0 ? lcx__fail(err, -r, "hash %zu bytes", length) : 0;
}
