/* SPDX-License-Identifier: MIT */
/*
 * The session with one registry. The first request goes out bare; a 401 says how to
 * log in. A bearer token is fetched from the server that the challenge names, with the
 * user's credentials if there are any, for pulling this one repository, and again in the
 * same way when it has expired.
 */
#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

#include "image/document.h"
#include "image/registry-internal.h"

enum { LOGINS_MAX = 2 };

int lcx__registry_new(struct lcx__transport *transport, const struct lcx__reference *ref,
		      const struct lcx__registry_settings *settings, struct lcx__registry **ret,
		      struct lcx_error **err)
{
	CLEANUP(lcx__registry_freep) struct lcx__registry *registry = calloc(1, sizeof(*registry));
	CLEANUP(freep) char *url = NULL;

	if (!registry)
		return lcx__fail_nomem(err);
	registry->transport = transport;
	registry->ref = ref;
	registry->settings = settings;
	url = lcx__format("%s://%s", settings->plain_http ? "http" : "https",
			  lcx__reference_host(ref));
	registry->origin = url ? lcx__url_origin(url) : NULL;
	if (!registry->origin)
		return url ? lcx__fail(err, EINVAL, "'%s' can't be the address of a registry", url)
			   : lcx__fail_nomem(err);
	*ret = TAKE_PTR(registry);
	return 0;
}

struct lcx__registry *lcx__registry_free(struct lcx__registry *registry)
{
	if (!registry)
		return NULL;
	while (registry->fetches)
		(void)lcx__fetch_free(registry->fetches);
	(void)lcx__fetch_free(registry->token);
	lcx__challenge_clear(&registry->challenge);
	free(registry->authorization);
	free(registry->origin);
	free(registry);
	return NULL;
}

/* NULL only without memory. */
static char *basic_header(const struct lcx__registry_settings *s)
{
	CLEANUP(freep) char *pair = lcx__format("%s:%s", s->user, s->password);
	CLEANUP(freep) unsigned char *encoded = NULL;
	size_t length = pair ? strlen(pair) : 0;

	encoded = pair ? malloc(length / 3 * 4 + 8) : NULL;
	if (!encoded)
		return NULL;
	(void)EVP_EncodeBlock(encoded, (const unsigned char *)pair, (int)length);
	return lcx__format("Authorization: Basic %s", (const char *)encoded);
}

static void use_authorization(struct lcx__registry *registry, char *header)
{
	free(registry->authorization);
	registry->authorization = header;
	registry->login++;
}

static void login_basic(struct lcx__registry *registry, struct lcx__fetch *fetch)
{
	char *header;

	if (!registry->settings->user) {
		lcx__fetch_fail(fetch, EACCES, "the registry wants a user and a password");
		return;
	}
	if (registry->authorization) {
		lcx__fetch_fail(fetch, EACCES, "the registry doesn't accept the password of '%s'",
				registry->settings->user);
		return;
	}
	header = basic_header(registry->settings);
	if (!header) {
		lcx__fetch_fail(fetch, ENOMEM, "out of memory");
		return;
	}
	use_authorization(registry, header);
	fetch->state = LCX__FETCH_READY;
}

/* Credentials go to the token server the registry names, but not in the clear unless asked. */
static int begin_token(struct lcx__registry *registry, struct lcx__fetch *cause)
{
	CLEANUP(freep) char *scope = lcx__format("repository:%s:pull", registry->ref->path);
	CLEANUP(freep) char *url = NULL, *origin = NULL;
	struct lcx__fetch *token = NULL;
	int r;

	if (!scope)
		return -ENOMEM;
	r = lcx__url_token(registry->challenge.realm, registry->challenge.service, scope, &url);
	if (r == -ENOMEM)
		return r;
	origin = url ? lcx__url_origin(url) : NULL;
	if (!origin || (!registry->settings->plain_http && strncmp(origin, "https:", 6) != 0)) {
		lcx__fetch_fail(cause, EPROTO,
				"the registry names a token server that is not https");
		return 0;
	}
	r = lcx__fetch_alloc(registry, url, "token server", &token);
	if (r < 0)
		return r;
	token->is_token = true;
	token->limit = LCX__TOKEN_BODY_MAX;
	token->authorized_origin = TAKE_PTR(origin);
	if (registry->settings->user) {
		token->authorization = basic_header(registry->settings);
		if (!token->authorization) {
			(void)lcx__fetch_free(token);
			return -ENOMEM;
		}
	}
	registry->token = token;
	return 0;
}

static void login_bearer(struct lcx__registry *registry, struct lcx__fetch *fetch)
{
	fetch->state = LCX__FETCH_WAIT_TOKEN;
	if (registry->token)
		return;
	lcx__challenge_clear(&registry->challenge);
	registry->challenge = fetch->response.challenge;
	fetch->response.challenge = (struct lcx__challenge){0};
	if (begin_token(registry, fetch) < 0)
		lcx__fetch_fail(fetch, ENOMEM, "out of memory");
}

void lcx__registry_login(struct lcx__registry *registry, struct lcx__fetch *fetch)
{
	char words[256];

	/* Another request has logged in since this one was sent. */
	if (fetch->login_used != registry->login) {
		fetch->state = LCX__FETCH_READY;
		return;
	}
	lcx__response_words(&fetch->response, words, sizeof(words));
	if (++fetch->logins > LOGINS_MAX)
		lcx__fetch_fail(fetch, EACCES,
				"access denied%s%s: there is no such image, or it takes %s",
				words[0] ? ": " : "", words,
				registry->settings->user ? "other credentials" : "credentials");
	else if (fetch->response.challenge.scheme == LCX__CHALLENGE_BEARER)
		login_bearer(registry, fetch);
	else if (fetch->response.challenge.scheme == LCX__CHALLENGE_BASIC)
		login_basic(registry, fetch);
	else
		lcx__fetch_fail(fetch, EACCES, "access denied, and no way to log in that we know");
}

/* RFC 6750: visible characters without the ones that end a header. */
static bool token_is_valid(const char *token)
{
	size_t length = strspn(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789-._~+/=:");

	return length > 0 && token[length] == '\0';
}

static int take_token(struct lcx__registry *registry, struct lcx_error **err)
{
	CLEANUP(lcx__doc_putp) struct json_object *object = NULL;
	const char *token = NULL, *body;
	char *header;
	size_t length;
	int r;

	body = lcx__fetch_body(registry->token, &length, NULL);
	r = lcx__doc_parse(body, length, "answer of the token server", &object, err);
	if (r == 0)
		r = lcx__doc_string(object, "token", &token, err);
	if (r == 0 && !token)
		r = lcx__doc_string(object, "access_token", &token, err);
	if (r < 0)
		return r;
	if (!token || !token_is_valid(token))
		return lcx__fail(err, EPROTO, "the token server gave no token");
	header = lcx__format("Authorization: Bearer %s", token);
	if (!header)
		return lcx__fail_nomem(err);
	use_authorization(registry, header);
	return 0;
}

/* All who wait go on, or fail with the same words. */
static void finish_token(struct lcx__registry *registry)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	int r = lcx__fetch_result(registry->token, &err);

	if (r > 0)
		return;
	if (r == 0)
		r = take_token(registry, &err);
	registry->token = lcx__fetch_free(registry->token);
	for (struct lcx__fetch *f = registry->fetches; f; f = f->next) {
		if (f->state != LCX__FETCH_WAIT_TOKEN)
			continue;
		if (r == 0)
			f->state = LCX__FETCH_READY;
		else
			lcx__fetch_fail(f, -r, "%s", lcx_error_message(err));
	}
}

static void move_on(struct lcx__fetch *fetch, int64_t now_ns)
{
	if (fetch->state == LCX__FETCH_WAIT_RETRY && fetch->retry_at_ns <= now_ns)
		fetch->state = LCX__FETCH_READY;
	if (fetch->state == LCX__FETCH_READY)
		(void)lcx__fetch_begin(fetch);
	else
		lcx__fetch_check_stall(fetch, now_ns);
}

int lcx__registry_dispatch(struct lcx__registry *registry, struct lcx_error **err)
{
	int64_t now_ns = lcx__monotonic_ns();
	CURLcode code;
	CURL *easy;

	while (lcx__transport_next(registry->transport, &easy, &code)) {
		struct lcx__fetch *fetch = NULL;

		if (curl_easy_getinfo(easy, CURLINFO_PRIVATE, &fetch) != CURLE_OK || !fetch)
			return lcx__fail(err, EIO, "curl lost a transfer");
		lcx__fetch_ended(fetch, code);
	}
	if (registry->token) {
		move_on(registry->token, now_ns);
		finish_token(registry);
	}
	for (struct lcx__fetch *f = registry->fetches; f; f = f->next)
		move_on(f, now_ns);
	if (registry->token && registry->token->state == LCX__FETCH_READY)
		move_on(registry->token, now_ns);
	return 0;
}

static int64_t deadline_of(const struct lcx__fetch *fetch)
{
	switch (fetch->state) {
	case LCX__FETCH_READY:
		return 0;
	case LCX__FETCH_RUNNING:
		return fetch->progress_ns +
		       (int64_t)fetch->registry->settings->stall_timeout_ms * 1000000;
	case LCX__FETCH_WAIT_RETRY:
		return fetch->retry_at_ns;
	case LCX__FETCH_WAIT_TOKEN:
	case LCX__FETCH_DONE:
	case LCX__FETCH_FAILED:
		break;
	}
	return INT64_MAX;
}

int64_t lcx__registry_deadline_ns(const struct lcx__registry *registry)
{
	int64_t first = registry->token ? deadline_of(registry->token) : INT64_MAX;

	for (const struct lcx__fetch *f = registry->fetches; f; f = f->next)
		first = deadline_of(f) < first ? deadline_of(f) : first;
	return first;
}
