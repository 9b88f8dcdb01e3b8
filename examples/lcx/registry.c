/* SPDX-License-Identifier: MIT */
#include "registry.h"

#include <string.h>

#include "memory.h"
#include "terminal.h"

/* What the options come to; wiped afterwards. */
struct identity {
	char *user, *password; /* one piece of memory, or the password was asked for */
	char *asked, *auth_file;
	size_t length;
};

static void identity_clear(struct identity *identity)
{
	if (identity->user)
		explicit_bzero(identity->user, identity->length);
	if (identity->asked)
		explicit_bzero(identity->asked, strlen(identity->asked));
	free(identity->user);
	free(identity->asked);
	free(identity->auth_file);
}

/* Docker's own file is used if it is there; one that is named has to be. */
static void find_identity(const struct registry_options *options, struct identity *identity)
{
	if (options->creds) {
		identity->user = xprintf("%s", options->creds);
		identity->length = strlen(options->creds);
		identity->password = strchr(identity->user, ':');
		if (identity->password)
			*identity->password++ = '\0';
		else
			identity->password = identity->asked = terminal_ask_secret("Password: ");
		return;
	}
	if (options->auth_file) {
		identity->auth_file = xprintf("%s", options->auth_file);
		return;
	}
	identity->auth_file = lcx_image_default_auth_file();
	if (identity->auth_file && access(identity->auth_file, R_OK) < 0) {
		free(identity->auth_file);
		identity->auth_file = NULL;
	}
}

int registry_prepare_pull(struct lcx_pull *pull, const struct registry_options *o,
			  struct lcx_error **err)
{
	CLEANUP(identity_clear) struct identity identity = {0};
	int r = lcx_pull_set_plain_http(pull, o->plain_http, err);

	find_identity(o, &identity);
	if (r == 0)
		r = lcx_pull_set_ca_file(pull, o->ca_file, err);
	if (r == 0)
		r = lcx_pull_set_client_cert(pull, o->client_cert, o->client_key, err);
	if (r == 0)
		r = lcx_pull_set_credentials(pull, identity.user,
					     identity.password ? identity.password : "", err);
	return r < 0 ? r : lcx_pull_set_auth_file(pull, identity.auth_file, err);
}

int registry_prepare_push(struct lcx_push *push, const struct registry_options *o,
			  struct lcx_error **err)
{
	CLEANUP(identity_clear) struct identity identity = {0};
	int r = lcx_push_set_plain_http(push, o->plain_http, err);

	find_identity(o, &identity);
	if (r == 0)
		r = lcx_push_set_ca_file(push, o->ca_file, err);
	if (r == 0)
		r = lcx_push_set_client_cert(push, o->client_cert, o->client_key, err);
	if (r == 0)
		r = lcx_push_set_credentials(push, identity.user,
					     identity.password ? identity.password : "", err);
	return r < 0 ? r : lcx_push_set_auth_file(push, identity.auth_file, err);
}
