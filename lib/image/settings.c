/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "image/registry.h"

enum { STALL_TIMEOUT_MS = 30000 };

void lcx__settings_init(struct lcx__settings *settings)
{
	*settings = (struct lcx__settings){.stall_timeout_ms = STALL_TIMEOUT_MS};
}

void lcx__settings_clear(struct lcx__settings *settings)
{
	lcx__credentials_clear(&settings->credentials);
	free(settings->ca_file);
	free(settings->client_cert_file);
	free(settings->client_key_file);
	free(settings->auth_file);
	*settings = (struct lcx__settings){0};
}

static int set(char **field, const char *value, struct lcx_error **err)
{
	char *copy = value ? strdup(value) : NULL;

	if (value && !copy)
		return lcx__fail_nomem(err);
	free(*field);
	*field = copy;
	return 0;
}

int lcx__settings_copy(const struct lcx__settings *from, struct lcx__settings *ret)
{
	ret->plain_http = from->plain_http;
	ret->stall_timeout_ms = from->stall_timeout_ms;
	if (set(&ret->ca_file, from->ca_file, NULL) < 0 ||
	    set(&ret->client_cert_file, from->client_cert_file, NULL) < 0 ||
	    set(&ret->client_key_file, from->client_key_file, NULL) < 0 ||
	    set(&ret->auth_file, from->auth_file, NULL) < 0)
		return -ENOMEM;
	return lcx__credentials_copy(&from->credentials, &ret->credentials);
}

int lcx__settings_ca_file(struct lcx__settings *settings, const char *path, struct lcx_error **err)
{
	return set(&settings->ca_file, path, err);
}

int lcx__settings_client_cert(struct lcx__settings *settings, const char *cert_file,
			      const char *key_file, struct lcx_error **err)
{
	int r;

	if (!cert_file != !key_file)
		return lcx__fail(err, EINVAL,
				 "a client's certificate and its key are of use only together");
	r = set(&settings->client_cert_file, cert_file, err);
	return r < 0 ? r : set(&settings->client_key_file, key_file, err);
}

/* Basic authentication sends "user:password", so that a user's name ends at its first colon. */
int lcx__settings_credentials(struct lcx__settings *settings, const char *user,
			      const char *password, struct lcx_error **err)
{
	const struct lcx__credentials given = {.user = (char *)user, .password = (char *)password};

	if (user && (strchr(user, ':') || !password))
		return lcx__fail(err, EINVAL, "credentials: %s",
				 password ? "a user's name can't have a colon"
					  : "there must be a password");
	if (!user) {
		lcx__credentials_clear(&settings->credentials);
		return 0;
	}
	return lcx__credentials_copy(&given, &settings->credentials) < 0 ? lcx__fail_nomem(err) : 0;
}

int lcx__settings_auth_file(struct lcx__settings *settings, const char *path,
			    struct lcx_error **err)
{
	return set(&settings->auth_file, path, err);
}

int lcx__settings_stall_timeout(struct lcx__settings *settings, int32_t timeout_ms,
				struct lcx_error **err)
{
	if (timeout_ms <= 0)
		return lcx__fail(err, EINVAL, "a stall timeout of %d ms is none", timeout_ms);
	settings->stall_timeout_ms = timeout_ms;
	return 0;
}
