/* SPDX-License-Identifier: MIT */
/*
 * How a session logs in. The first request goes out bare; a 401 says what is wanted. Then:
 *
 *   1. the credentials are looked up, once: those that were set, else what the credentials file
 *      has for this registry, for which it may name a helper, that is asked;
 *   2. for "basic" they are the header; for "bearer" a token is fetched with them from the server
 *      that the challenge names, for the scopes that this session needs, and no others.
 *
 * A token that has expired is replaced in the same way, from the credentials and never from the
 * old token. Requests that got a 401 wait meanwhile; all of them go on, or fail with the same
 * words.
 */
#include <errno.h>
#include <string.h>

#include "image/document.h"
#include "image/registry-internal.h"

enum { LOGINS_MAX = 2 };

/* NULL only without memory. */
static char *basic_header(const struct lcx__credentials *c)
{
	CLEANUP(lcx__secret_freep) char *encoded = lcx__credentials_encode(c);

	if (!encoded)
		return NULL;
	return lcx__format("Authorization: Basic %s", encoded);
}

static void use_authorization(struct lcx__registry *registry, char *header)
{
	(void)lcx__secret_free(registry->authorization);
	registry->authorization = header;
	registry->login++;
}

static void login_basic(struct lcx__registry *registry, struct lcx__request *request)
{
	char *header;

	if (!registry->credentials.user) {
		lcx__request_fail(request, EACCES, "the registry wants a user and a password");
		return;
	}
	if (registry->authorization) {
		lcx__request_fail(request, EACCES,
				  "the registry doesn't accept the password of '%s'",
				  registry->credentials.user);
		return;
	}
	header = basic_header(&registry->credentials);
	if (!header) {
		lcx__request_fail(request, ENOMEM, "out of memory");
		return;
	}
	use_authorization(registry, header);
	request->state = LCX__REQUEST_READY;
}

/* "name=value" in a form, with an "&" before it. */
static bool add_field(struct lcx__strbuf *form, CURL *easy, const char *name, const char *value)
{
	char *escaped = curl_easy_escape(easy, value, 0);

	if (!escaped)
		return false;
	lcx__strbuf_addf(form, "%s%s=%s", form->length ? "&" : "", name, escaped);
	curl_free(escaped);
	return !form->failed;
}

/* OAuth2's refresh grant, as registries understand it: a form, posted. */
static bool make_refresh(const struct lcx__registry *registry, struct lcx__request *token)
{
	struct lcx__strbuf form = STRBUF_EMPTY, scope = STRBUF_EMPTY;
	const char *service = registry->challenge.service;
	bool ok;

	for (char *const *s = registry->scopes; *s; s++)
		lcx__strbuf_addf(&scope, "%s%s", scope.length ? " " : "", *s);
	ok = !scope.failed && add_field(&form, token->easy, "grant_type", "refresh_token") &&
	     add_field(&form, token->easy, "client_id", "liblcx") &&
	     (!service || add_field(&form, token->easy, "service", service)) &&
	     (!scope.length || add_field(&form, token->easy, "scope", scope.text)) &&
	     add_field(&form, token->easy, "refresh_token", registry->credentials.identity_token);
	lcx__strbuf_free(&scope);
	token->form = lcx__strbuf_take(&form);
	if (!ok || !token->form)
		return false;
	token->method = LCX__POST;
	token->payload = (struct lcx__payload){
		.content_type = "application/x-www-form-urlencoded",
		.data = token->form,
		.fd = -1,
		.to = strlen(token->form),
	};
	return true;
}

static bool add_credentials(const struct lcx__registry *registry, struct lcx__request *token)
{
	if (registry->credentials.identity_token)
		return make_refresh(registry, token);
	if (!registry->credentials.user)
		return true;
	token->authorization = basic_header(&registry->credentials);
	return token->authorization != NULL;
}

/* Credentials go to the token server the registry names, but not in the clear unless asked. */
static int begin_token(struct lcx__registry *registry, struct lcx__request *cause)
{
	bool refresh = registry->credentials.identity_token != NULL;
	CLEANUP(freep) char *url = NULL, *origin = NULL;
	struct lcx__request *token = NULL;
	char *const none[] = {NULL};
	int r;

	r = lcx__url_token(registry->challenge.realm, refresh ? NULL : registry->challenge.service,
			   refresh ? none : registry->scopes, &url);
	if (r == -ENOMEM)
		return r;
	origin = url ? lcx__url_origin(url) : NULL;
	if (!origin || (!registry->settings->plain_http && strncmp(origin, "https:", 6) != 0)) {
		lcx__request_fail(cause, EPROTO,
				  "the registry names a token server that is not https");
		return 0;
	}
	r = lcx__request_alloc(registry, url, "token server", &token);
	if (r < 0)
		return r;
	token->is_token = true;
	token->limit = LCX__TOKEN_BODY_MAX;
	token->authorized_origin = TAKE_PTR(origin);
	if (!add_credentials(registry, token)) {
		(void)lcx__request_free(token);
		return -ENOMEM;
	}
	registry->token = token;
	return 0;
}

static void login_bearer(struct lcx__registry *registry, struct lcx__request *request)
{
	request->state = LCX__REQUEST_WAIT_LOGIN;
	if (registry->token)
		return;
	lcx__challenge_clear(&registry->challenge);
	registry->challenge = request->response.challenge;
	request->response.challenge = (struct lcx__challenge){0};
	if (begin_token(registry, request) < 0)
		lcx__request_fail(request, ENOMEM, "out of memory");
}

static void log_in(struct lcx__registry *registry, struct lcx__request *request)
{
	bool known = lcx__credentials_any(&registry->credentials);
	char words[256];

	/* Another request has logged in since this one was sent. */
	if (request->login_used != registry->login) {
		request->state = LCX__REQUEST_READY;
		return;
	}
	lcx__response_words(&request->response, words, sizeof(words));
	if (++request->logins > LOGINS_MAX)
		lcx__request_fail(request, EACCES, "access denied%s%s: %sit takes %s",
				  words[0] ? ": " : "", words,
				  request->method == LCX__GET && registry->path
					  ? "there is no such image, or "
					  : "",
				  known ? "other credentials" : "credentials");
	else if (request->response.challenge.scheme == LCX__CHALLENGE_BEARER)
		login_bearer(registry, request);
	else if (request->response.challenge.scheme == LCX__CHALLENGE_BASIC)
		login_basic(registry, request);
	else
		lcx__request_fail(request, EACCES,
				  "access denied, and no way to log in that we know");
}

/* Looking up */

static int find_in_file(struct lcx__registry *registry, const struct lcx__authfile *file,
			struct lcx_error **err)
{
	return lcx__authfile_find(file, registry->name, registry->path, &registry->credentials,
				  err);
}

/* 1: a helper is being asked; 0: all is known that will be. */
static int look_up(struct lcx__registry *registry, struct lcx_error **err)
{
	CLEANUP(lcx__authfile_freep) struct lcx__authfile *file = NULL;
	const char *path = registry->settings->auth_file, *helper;
	int r;

	if (lcx__credentials_any(&registry->settings->credentials))
		return lcx__credentials_copy(&registry->settings->credentials,
					     &registry->credentials) < 0
			       ? lcx__fail_nomem(err)
			       : 0;
	if (!path)
		return 0;
	r = lcx__authfile_load(path, &file, err);
	if (r < 0)
		return r;
	helper = lcx__authfile_helper(file, registry->name);
	if (!helper)
		return find_in_file(registry, file, err);
	r = lcx__credhelper_start(helper, lcx__authfile_key(registry->name), &registry->helper,
				  err);
	if (r < 0)
		return r;
	r = lcx__transport_watch(registry->transport, lcx__credhelper_fd(registry->helper));
	return r < 0 ? lcx__fail_sys(err, -r, "wait for the credential helper") : 1;
}

/* The helper knows nothing, but Docker's older versions wrote into the file itself. */
static int fall_back(struct lcx__registry *registry, struct lcx_error **err)
{
	CLEANUP(lcx__authfile_freep) struct lcx__authfile *file = NULL;
	int r = lcx__authfile_load(registry->settings->auth_file, &file, err);

	return r < 0 ? r : find_in_file(registry, file, err);
}

static void tell_waiting(struct lcx__registry *registry, int result, const struct lcx_error *err,
			 void (*go_on)(struct lcx__registry *, struct lcx__request *))
{
	for (struct lcx__request *r = registry->requests; r; r = r->next) {
		if (r->state != LCX__REQUEST_WAIT_LOGIN)
			continue;
		if (result < 0)
			lcx__request_fail(r, -result, "%s", lcx_error_message(err));
		else if (go_on)
			go_on(registry, r);
		else
			r->state = LCX__REQUEST_READY;
	}
}

static void continue_helper(struct lcx__registry *registry)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	int r = lcx__credhelper_step(registry->helper, &registry->credentials, &err);

	if (r > 0)
		return;
	registry->helper = lcx__credhelper_free(registry->helper);
	if (r == 0 && !lcx__credentials_any(&registry->credentials))
		r = fall_back(registry, &err);
	registry->looked_up = r == 0;
	tell_waiting(registry, r, err, log_in);
}

static void begin_look_up(struct lcx__registry *registry, struct lcx__request *request)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	int r = look_up(registry, &err);

	if (r < 0) {
		registry->helper = lcx__credhelper_free(registry->helper);
		lcx__request_fail(request, -r, "%s", lcx_error_message(err));
	} else if (r == 0) {
		registry->looked_up = true;
		log_in(registry, request);
	}
}

void lcx__registry_login(struct lcx__registry *registry, struct lcx__request *request)
{
	if (registry->looked_up) {
		log_in(registry, request);
		return;
	}
	request->state = LCX__REQUEST_WAIT_LOGIN;
	if (!registry->helper)
		begin_look_up(registry, request);
}

/* Tokens */

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

	body = lcx__request_body(registry->token, &length, NULL);
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

static void continue_token(struct lcx__registry *registry)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	int r = lcx__request_result(registry->token, &err);

	if (r > 0)
		return;
	if (r == 0)
		r = take_token(registry, &err);
	registry->token = lcx__request_free(registry->token);
	tell_waiting(registry, r, err, NULL);
}

void lcx__login_dispatch(struct lcx__registry *registry, int64_t now_ns)
{
	if (registry->helper)
		continue_helper(registry);
	if (!registry->token)
		return;
	lcx__registry_move_on(registry->token, now_ns);
	continue_token(registry);
}

void lcx__login_clear(struct lcx__registry *registry)
{
	(void)lcx__request_free(registry->token);
	(void)lcx__credhelper_free(registry->helper);
	lcx__challenge_clear(&registry->challenge);
	lcx__credentials_clear(&registry->credentials);
	(void)lcx__secret_free(registry->authorization);
	(void)lcx__strv_free(registry->scopes);
}
