/* SPDX-License-Identifier: MIT */
#include "image/credentials.h"

#include <errno.h>
#include <string.h>

#include "image/crypto.h"
#include "util/str.h"

char *lcx__secret_free(char *secret)
{
	if (secret)
		explicit_bzero(secret, strlen(secret));
	free(secret);
	return NULL;
}

bool lcx__credentials_any(const struct lcx__credentials *c)
{
	return c->user || c->identity_token;
}

void lcx__credentials_clear(struct lcx__credentials *c)
{
	c->user = lcx__secret_free(c->user);
	c->password = lcx__secret_free(c->password);
	c->identity_token = lcx__secret_free(c->identity_token);
}

char *lcx__credentials_encode(const struct lcx__credentials *c)
{
	CLEANUP(lcx__secret_freep) char *pair = lcx__format("%s:%s", c->user, c->password);
	size_t length = pair ? strlen(pair) : 0;
	char *encoded = pair ? malloc(length / 3 * 4 + 8) : NULL;

	struct lcx__crypto crypto;

	if (!encoded || lcx__crypto_load(&crypto, NULL) < 0) {
		free(encoded);
		return NULL;
	}
	(void)crypto.EVP_EncodeBlock((unsigned char *)encoded, (const unsigned char *)pair,
				     (int)length);
	return encoded;
}

static void clearp(struct lcx__credentials *c)
{
	lcx__credentials_clear(c);
}

static bool copy(const char *from, char **to)
{
	*to = from ? strdup(from) : NULL;
	return !from || *to;
}

int lcx__credentials_copy(const struct lcx__credentials *from, struct lcx__credentials *ret)
{
	CLEANUP(clearp) struct lcx__credentials c = {0};

	if (!copy(from->user, &c.user) || !copy(from->password, &c.password) ||
	    !copy(from->identity_token, &c.identity_token))
		return -ENOMEM;
	lcx__credentials_clear(ret);
	*ret = c;
	c = (struct lcx__credentials){0};
	return 0;
}
