/* SPDX-License-Identifier: MIT */
/*
 * The life of one request. It runs, and at its end the answer decides: done, failed, or
 * once more (a redirect, a login, a retry later). Redirects are followed here and not by
 * curl: each new address is checked, and only the origin that the credentials are for
 * ever sees them.
 */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "image/registry-internal.h"

enum {
	RETRY_FIRST_MS = 250,
	RETRY_AFTER_MAX_S = 60,
	PART_BYTES = 64 << 10, /* of a range: less at a time is no progress */
};

int lcx__request_alloc(struct lcx__registry *registry, const char *url, const char *what,
		       struct lcx__request **ret)
{
	CLEANUP(lcx__request_freep) struct lcx__request *request = calloc(1, sizeof(*request));

	if (!request)
		return -ENOMEM;
	request->registry = registry;
	request->response.retry_after_s = -1;
	request->payload.fd = -1;
	request->retry_at_ns = INT64_MAX;
	request->url = strdup(url);
	request->what = strdup(what);
	request->easy = lcx__transport_easy();
	if (!request->url || !request->what || !request->easy)
		return -ENOMEM;
	*ret = TAKE_PTR(request);
	return 0;
}

/* @target is a path in the repository, or a whole URL. */
static int make(struct lcx__registry *registry, const char *target, struct lcx__request **ret,
		struct lcx_error **err)
{
	bool whole = strncmp(target, "http", 4) == 0 && strstr(target, "://");
	CLEANUP(freep) char *url = NULL, *what = NULL;

	const char *path = registry->path ? registry->path : "", *slash = registry->path ? "/" : "";

	url = whole ? strdup(target)
		    : lcx__format("%s/v2/%s%s%s", registry->origin, path, slash, target);
	what = whole             ? lcx__format("%s/%s: upload", registry->name, path)
	       : !registry->path ? strdup(registry->name)
				 : lcx__format("%s/%s: %.32s", registry->name, path, target);
	if (!url || !what || lcx__request_alloc(registry, url, what, ret) < 0)
		return lcx__fail_nomem(err);
	(*ret)->is_foreign = whole;
	(*ret)->next = registry->requests;
	registry->requests = *ret;
	return 0;
}

int lcx__request_get(struct lcx__registry *registry, const char *path, const char *accept,
		     const struct lcx__sink *sink, size_t limit, struct lcx__request **ret,
		     struct lcx_error **err)
{
	struct lcx__request *request = NULL;
	int r = make(registry, path, &request, err);

	if (r < 0)
		return r;
	request->accept = accept;
	request->limit = limit;
	if (sink) {
		request->sink = *sink;
		request->has_sink = true;
	}
	*ret = request;
	return 0;
}

int lcx__request_send(struct lcx__registry *registry, enum lcx__method method, const char *target,
		      const struct lcx__payload *payload, struct lcx__request **ret,
		      struct lcx_error **err)
{
	struct lcx__request *request = NULL;
	int r = make(registry, target, &request, err);

	if (r < 0)
		return r;
	request->method = method;
	request->takes_any = true;
	request->limit = LCX__ERROR_BODY_MAX;
	if (payload)
		request->payload = *payload;
	*ret = request;
	return 0;
}

static void unlink_request(struct lcx__request *request)
{
	struct lcx__request **at = &request->registry->requests;

	while (*at && *at != request)
		at = &(*at)->next;
	if (*at)
		*at = request->next;
}

static void stop(struct lcx__request *request)
{
	if (request->state == LCX__REQUEST_RUNNING)
		lcx__transport_remove(request->registry->transport, request->easy);
	curl_slist_free_all(request->headers);
	request->headers = NULL;
}

struct lcx__request *lcx__request_free(struct lcx__request *request)
{
	if (!request)
		return NULL;
	stop(request);
	unlink_request(request);
	curl_easy_cleanup(request->easy);
	lcx__response_clear(&request->response);
	if (request->is_token && request->body.text)
		explicit_bzero(request->body.text, request->body.length);
	lcx__strbuf_free(&request->body);
	(void)lcx_error_free(request->err);
	free(request->what);
	free(request->url);
	free(request->redirected_url);
	free(request->authorized_origin);
	(void)lcx__secret_free(request->authorization);
	(void)lcx__secret_free(request->form);
	free(request);
	return NULL;
}

void lcx__request_fail(struct lcx__request *request, int code, const char *format, ...)
{
	CLEANUP(freep) char *words = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&words, format, args) < 0)
		words = NULL;
	va_end(args);
	request->state = LCX__REQUEST_FAILED;
	request->result = words ? lcx__fail(&request->err, code, "%s: %s", request->what, words)
				: lcx__fail_nomem(&request->err);
}

int lcx__request_result(struct lcx__request *request, struct lcx_error **err)
{
	if (request->state == LCX__REQUEST_DONE)
		return 0;
	if (request->state != LCX__REQUEST_FAILED)
		return 1;
	if (err && !*err)
		*err = TAKE_PTR(request->err);
	return request->result;
}

const char *lcx__request_body(const struct lcx__request *request, size_t *ret_length,
			      const char **ret_type)
{
	*ret_length = request->body.length;
	if (ret_type)
		*ret_type = request->response.content_type;
	return request->body.text ? request->body.text : "";
}

const char *lcx__request_url(const struct lcx__request *request)
{
	return request->redirected_url ? request->redirected_url : request->url;
}

int lcx__request_begin(struct lcx__request *request)
{
	stop(request);
	lcx__response_clear(&request->response);
	lcx__strbuf_free(&request->body);
	request->result = 0;
	request->curl_error[0] = '\0';
	request->header_bytes = 0;
	request->progress_ns = lcx__monotonic_ns();
	request->login_used = request->registry->login;
	if (!lcx__transfer_prepare(request) ||
	    lcx__transport_add(request->registry->transport, request->easy) < 0) {
		request->state = LCX__REQUEST_FAILED;
		request->local_failure = true;
		request->result = lcx__fail_nomem(&request->err);
		return request->result;
	}
	request->state = LCX__REQUEST_RUNNING;
	return 0;
}

void lcx__request_check_stall(struct lcx__request *request, int64_t now_ns)
{
	int32_t timeout_ms = request->registry->settings->stall_timeout_ms;

	if (request->state != LCX__REQUEST_RUNNING ||
	    now_ns - request->progress_ns < (int64_t)timeout_ms * 1000000)
		return;
	stop(request);
	lcx__request_fail(request, ETIMEDOUT, "no progress for %d seconds", timeout_ms / 1000);
}

/* With a little of chance in it, so that many clients don't come back at the same moment. */
static int64_t pause_ms(const struct lcx__request *request)
{
	int64_t ms = (int64_t)RETRY_FIRST_MS << (request->attempts > 0 ? request->attempts - 1 : 0);

	if (request->response.retry_after_s >= 0)
		ms = request->response.retry_after_s * 1000;
	return ms + ms * (lcx__monotonic_ns() / 1000 % 256) / 1024;
}

static bool has_file(const struct lcx__request *request)
{
	return request->payload.fd >= 0;
}

/*
 * Later, and each time later still; bytes that came meanwhile show that it is worth it. What was
 * sent of a file may have arrived: whoever sends it must ask first, and is told when.
 */
static bool retry(struct lcx__request *request)
{
	if (request->has_sink && request->sink.offset(request->sink.data) > request->offset)
		request->attempts = 0;
	if (++request->attempts >= LCX__REQUEST_ATTEMPTS_MAX ||
	    request->response.retry_after_s > RETRY_AFTER_MAX_S)
		return false;
	request->retry_at_ns = lcx__monotonic_ns() + pause_ms(request) * 1000000;
	if (has_file(request))
		return false;
	/* An address that was handed out may have been for once only. */
	free(TAKE_PTR(request->redirected_url));
	request->redirects = 0;
	request->state = LCX__REQUEST_WAIT_RETRY;
	return true;
}

int64_t lcx__request_retry_at_ns(const struct lcx__request *request)
{
	return request->worth_retrying ? request->retry_at_ns : INT64_MAX;
}

bool lcx__request_blames_source(const struct lcx__request *request)
{
	return request->state == LCX__REQUEST_FAILED && !request->local_failure;
}

long lcx__request_status(const struct lcx__request *request)
{
	return request->status;
}

const char *lcx__request_range(const struct lcx__request *request)
{
	return request->response.range;
}

const char *lcx__request_digest(const struct lcx__request *request)
{
	return request->response.digest;
}

uint64_t lcx__request_chunk_min(const struct lcx__request *request)
{
	return request->response.chunk_min;
}

uint64_t lcx__request_sent_bytes(const struct lcx__request *request)
{
	return request->state == LCX__REQUEST_RUNNING ? request->sent_bytes : 0;
}

int lcx__request_location(struct lcx__request *request, char **ret, struct lcx_error **err)
{
	const char *location = request->response.location;
	int r = location ? lcx__url_follow(lcx__request_url(request), location, ret) : -EBADMSG;

	if (r == -ENOMEM)
		return lcx__fail_nomem(err);
	return r < 0 ? lcx__fail(err, EPROTO, "%s: %s", request->what,
				 location ? "sent to where we must not go" : "sent to nowhere")
		     : 0;
}

/* What the network can do to us: which errno it is, and what to do about it. */
static const struct failure {
	CURLcode code;
	bool worth_retrying;
	int error;
	const char *way_out;
} failures[] = {
	{CURLE_COULDNT_RESOLVE_HOST, false, EHOSTUNREACH, "; is the name right, and DNS up?"},
	{CURLE_COULDNT_RESOLVE_PROXY, false, EHOSTUNREACH, "; look at https_proxy"},
	{CURLE_COULDNT_CONNECT, true, ECONNREFUSED, ""},
	{CURLE_OPERATION_TIMEDOUT, true, ETIMEDOUT, ""},
	{CURLE_PEER_FAILED_VERIFICATION, false, EPROTO,
	 "; name the registry's certificate as CA file if you trust it"},
	{CURLE_SSL_CERTPROBLEM, false, EINVAL, "; look at the client certificate and its key"},
	{CURLE_SSL_CACERT_BADFILE, false, ENOENT, "; look at the CA file"},
	{CURLE_SSL_CONNECT_ERROR, false, EPROTO,
	 "; does it speak HTTPS? (plain HTTP only if asked for)"},
	{CURLE_UNSUPPORTED_PROTOCOL, false, EPROTO, ""},
	{CURLE_PARTIAL_FILE, true, ECONNRESET, ""},
	{CURLE_RECV_ERROR, true, ECONNRESET, ""},
	{CURLE_SEND_ERROR, true, ECONNRESET, ""},
	{CURLE_GOT_NOTHING, true, ECONNRESET, ""},
	{CURLE_HTTP2, true, ECONNRESET, ""},
	{CURLE_HTTP2_STREAM, true, ECONNRESET, ""},
	{CURLE_OUT_OF_MEMORY, false, ENOMEM, ""},
	{CURLE_OK, false, EPROTO, ""}, /* any other */
};

static void network_failed(struct lcx__request *request, CURLcode code)
{
	const struct failure *f = failures;

	while (f->code != code && f->code != CURLE_OK)
		f++;
	if (f->worth_retrying && request->registry->contacted) {
		if (retry(request))
			return;
		request->worth_retrying = has_file(request);
	}
	lcx__request_fail(request, f->error, "%s%s",
			  request->curl_error[0] ? request->curl_error : curl_easy_strerror(code),
			  f->way_out);
}

/* Never from https to http, never to another scheme; curl's own list of protocols stands behind
 * this. Only what is read may be had elsewhere. */
static void redirect(struct lcx__request *request)
{
	CLEANUP(freep) char *url = NULL;
	int r;

	if (!request->response.location || ++request->redirects > LCX__REQUEST_REDIRECTS_MAX ||
	    (request->method != LCX__GET && request->method != LCX__HEAD)) {
		lcx__request_fail(request, EPROTO, "%s",
				  !request->response.location ? "redirected to nowhere"
				  : request->redirects > LCX__REQUEST_REDIRECTS_MAX
					  ? "redirected too often"
					  : "redirected while something is sent");
		return;
	}
	r = lcx__url_follow(lcx__request_url(request), request->response.location, &url);
	if (r < 0) {
		lcx__request_fail(request, r == -ENOMEM ? ENOMEM : EPROTO,
				  "redirected to where we must not go");
		return;
	}
	free(request->redirected_url);
	request->redirected_url = TAKE_PTR(url);
	request->state = LCX__REQUEST_READY;
}

/* Nothing there to resume, or a registry that can't: from the beginning, but once only. */
static void range_refused(struct lcx__request *request)
{
	if (request->has_sink && request->offset > 0 &&
	    request->sink.restart(request->sink.data, &request->err) == 0)
		request->state = LCX__REQUEST_READY;
	else
		lcx__request_fail(request, EPROTO, "the registry refuses the range");
}

static void unauthorized(struct lcx__request *request)
{
	CLEANUP(freep) char *origin = lcx__url_origin(lcx__request_url(request));

	if (request->is_token || !origin || strcmp(origin, request->registry->origin) != 0)
		lcx__request_fail(request, EACCES, "%s refuses",
				  request->is_token ? "the token server"
						    : "the address it was redirected to");
	else
		lcx__registry_login(request->registry, request);
}

/* Every status that isn't here is EPROTO. */
static const struct {
	long status;
	int error;
	const char *words;
} refusals[] = {
	{403, EACCES, "access denied"},
	{404, ENOENT, "not found"},
	{413, EFBIG, "too large for the registry"},
	{416, EPROTO, "the registry refuses the range"},
};

static void refused(struct lcx__request *request, long status)
{
	CLEANUP(freep) char *number = lcx__format("HTTP status %ld", status);
	const char *summary = number ? number : "refused";
	int error = EPROTO;
	char words[256], later[64] = "";

	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++)
		if (refusals[i].status == status) {
			error = refusals[i].error;
			summary = refusals[i].words;
		}
	if (request->response.retry_after_s > RETRY_AFTER_MAX_S)
		(void)snprintf(later, sizeof(later), "; it asks to come back in %jd seconds",
			       (intmax_t)request->response.retry_after_s);
	lcx__response_words(&request->response, words, sizeof(words));
	lcx__request_fail(request, error, "%s%s%s%s", summary, words[0] ? ": " : "", words, later);
}

int lcx__request_refused(struct lcx__request *request, struct lcx_error **err)
{
	refused(request, request->status);
	return lcx__request_result(request, err);
}

static bool has_more(const struct lcx__request *request)
{
	uint64_t offset = request->has_sink ? request->sink.offset(request->sink.data) : 0;

	return request->has_sink && offset > request->offset && offset < request->sink.size_bytes;
}

/* A server may send less than it was asked for: then the next part. But not byte by byte. */
static void ask_for_rest(struct lcx__request *request)
{
	uint64_t bytes = request->sink.offset(request->sink.data) - request->offset;

	request->state = LCX__REQUEST_READY;
	if (bytes >= PART_BYTES) {
		request->attempts = 0;
		return;
	}
	if (++request->attempts >= LCX__REQUEST_ATTEMPTS_MAX) {
		lcx__request_fail(request, EPROTO,
				  "it comes in parts that are too small: %ju bytes",
				  (uintmax_t)bytes);
		return;
	}
	request->retry_at_ns = lcx__monotonic_ns() + pause_ms(request) * 1000000;
	request->state = LCX__REQUEST_WAIT_RETRY;
}

static void answered(struct lcx__request *request, long status)
{
	request->registry->contacted = true;
	request->status = status;
	switch (status) {
	case 200:
		request->state = LCX__REQUEST_DONE;
		break;
	case 206:
		request->state = LCX__REQUEST_DONE;
		if (has_more(request))
			ask_for_rest(request);
		break;
	case 301:
	case 302:
	case 303:
	case 307:
	case 308:
		redirect(request);
		break;
	case 401:
		unauthorized(request);
		break;
	case 408:
	case 429:
	case 500:
	case 502:
	case 503:
	case 504:
		if (retry(request))
			break;
		refused(request, status);
		request->worth_retrying =
			has_file(request) && request->response.retry_after_s <= RETRY_AFTER_MAX_S;
		break;
	default:
		if (request->takes_any)
			request->state = LCX__REQUEST_DONE;
		else if (status == 416)
			range_refused(request);
		else
			refused(request, status);
	}
}

void lcx__request_ended(struct lcx__request *request, CURLcode code)
{
	long status = 0;

	(void)curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &status);
	stop(request);
	request->state = LCX__REQUEST_READY;
	if (request->result < 0) {
		request->state = LCX__REQUEST_FAILED; /* one of our own callbacks has said why */
		return;
	}
	/* We break off the body of an error ourselves when it doesn't end. */
	if (code != CURLE_OK && !(code == CURLE_WRITE_ERROR && request->response.error_bytes > 0))
		network_failed(request, code);
	else
		answered(request, status);
}
