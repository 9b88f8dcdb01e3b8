/* SPDX-License-Identifier: MIT */
/*
 * The life of one GET. It runs, and at its end the answer decides: done, failed, or
 * once more (a redirect, a login, a retry later). Redirects are followed here and not by
 * curl: each new address is checked, and only the origin that the credentials are for
 * ever sees them.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>

#include "image/registry-internal.h"

enum {
	RETRY_FIRST_MS = 250,
	RETRY_AFTER_MAX_S = 60,
	RECEIVE_BUFFER = 256 << 10,
};

int lcx__fetch_alloc(struct lcx__registry *registry, const char *url, const char *what,
		     struct lcx__fetch **ret)
{
	CLEANUP(lcx__fetch_freep) struct lcx__fetch *fetch = calloc(1, sizeof(*fetch));

	if (!fetch)
		return -ENOMEM;
	fetch->registry = registry;
	fetch->response.retry_after_s = -1;
	fetch->url = strdup(url);
	fetch->what = strdup(what);
	fetch->easy = curl_easy_init();
	if (!fetch->url || !fetch->what || !fetch->easy)
		return -ENOMEM;
	*ret = TAKE_PTR(fetch);
	return 0;
}

int lcx__fetch_new(struct lcx__registry *registry, const char *path, const char *accept,
		   const struct lcx__sink *sink, size_t limit, struct lcx__fetch **ret,
		   struct lcx_error **err)
{
	CLEANUP(freep)
	char *url = lcx__format("%s/v2/%s/%s", registry->origin, registry->ref->path, path);
	CLEANUP(freep)
	char *what =
		lcx__format("%s/%s: %.32s", registry->ref->registry, registry->ref->path, path);
	struct lcx__fetch *fetch = NULL;

	if (!url || !what || lcx__fetch_alloc(registry, url, what, &fetch) < 0)
		return lcx__fail_nomem(err);
	fetch->accept = accept;
	fetch->limit = limit;
	if (sink) {
		fetch->sink = *sink;
		fetch->has_sink = true;
	}
	fetch->next = registry->fetches;
	registry->fetches = fetch;
	*ret = fetch;
	return 0;
}

static void unlink_fetch(struct lcx__fetch *fetch)
{
	struct lcx__fetch **at = &fetch->registry->fetches;

	while (*at && *at != fetch)
		at = &(*at)->next;
	if (*at)
		*at = fetch->next;
}

static void stop(struct lcx__fetch *fetch)
{
	if (fetch->state == LCX__FETCH_RUNNING)
		lcx__transport_remove(fetch->registry->transport, fetch->easy);
	curl_slist_free_all(fetch->headers);
	fetch->headers = NULL;
}

struct lcx__fetch *lcx__fetch_free(struct lcx__fetch *fetch)
{
	if (!fetch)
		return NULL;
	stop(fetch);
	unlink_fetch(fetch);
	curl_easy_cleanup(fetch->easy);
	lcx__response_clear(&fetch->response);
	lcx__strbuf_free(&fetch->body);
	(void)lcx_error_free(fetch->err);
	free(fetch->what);
	free(fetch->url);
	free(fetch->redirected_url);
	free(fetch->authorized_origin);
	free(fetch->authorization);
	free(fetch);
	return NULL;
}

void lcx__fetch_fail(struct lcx__fetch *fetch, int code, const char *format, ...)
{
	CLEANUP(freep) char *words = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&words, format, args) < 0)
		words = NULL;
	va_end(args);
	fetch->state = LCX__FETCH_FAILED;
	fetch->result = words ? lcx__fail(&fetch->err, code, "%s: %s", fetch->what, words)
			      : lcx__fail_nomem(&fetch->err);
}

int lcx__fetch_result(struct lcx__fetch *fetch, struct lcx_error **err)
{
	if (fetch->state == LCX__FETCH_DONE)
		return 0;
	if (fetch->state != LCX__FETCH_FAILED)
		return 1;
	if (err && !*err)
		*err = TAKE_PTR(fetch->err);
	return fetch->result;
}

const char *lcx__fetch_body(const struct lcx__fetch *fetch, size_t *ret_length,
			    const char **ret_type)
{
	*ret_length = fetch->body.length;
	if (ret_type)
		*ret_type = fetch->response.content_type;
	return fetch->body.text ? fetch->body.text : "";
}

static const char *current_url(const struct lcx__fetch *fetch)
{
	return fetch->redirected_url ? fetch->redirected_url : fetch->url;
}

/* Is the present address where the credentials belong? */
static bool at_home(const struct lcx__fetch *fetch)
{
	CLEANUP(freep) char *origin = lcx__url_origin(current_url(fetch));
	const char *home = fetch->is_token ? fetch->authorized_origin : fetch->registry->origin;

	return origin && home && strcmp(origin, home) == 0;
}

static bool is_link_local(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET) {
		uint32_t host =
			ntohl(((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr);

		return host >> 16 == 0xa9fe; /* 169.254.0.0/16, where clouds keep their secrets */
	}
	if (address->sa_family == AF_INET6) {
		const struct in6_addr *ip6 =
			&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;

		if (IN6_IS_ADDR_V4MAPPED(ip6))
			return ip6->s6_addr[12] == 169 && ip6->s6_addr[13] == 254;
		return IN6_IS_ADDR_LINKLOCAL(ip6) != 0;
	}
	return false;
}

/* Our own sockets: close-on-exec from birth, and none to a link-local address on a stranger's word.
 */
static curl_socket_t open_socket(void *data, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct lcx__fetch *fetch = data;

	(void)purpose;
	if ((fetch->redirected_url || fetch->is_token) && is_link_local(&address->addr))
		return CURL_SOCKET_BAD;
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static bool add_header(struct lcx__fetch *fetch, const char *header)
{
	struct curl_slist *list = curl_slist_append(fetch->headers, header);

	if (list)
		fetch->headers = list;
	return list != NULL;
}

static bool make_headers(struct lcx__fetch *fetch)
{
	const char *authorization =
		fetch->is_token ? fetch->authorization : fetch->registry->authorization;
	char range[64];

	if (fetch->accept) {
		CLEANUP(freep) char *accept = lcx__format("Accept: %s", fetch->accept);

		if (!accept || !add_header(fetch, accept))
			return false;
	}
	if (authorization && at_home(fetch) && !add_header(fetch, authorization))
		return false;
	fetch->offset = fetch->has_sink ? fetch->sink.offset(fetch->sink.data) : 0;
	if (fetch->offset == 0)
		return true;
	(void)snprintf(range, sizeof(range), "Range: bytes=%ju-", (uintmax_t)fetch->offset);
	return add_header(fetch, range);
}

/* Each of these has one type in curl's documentation; a failing one is an allocation's. */
static bool set_options(struct lcx__fetch *fetch)
{
	const struct lcx__registry_settings *s = fetch->registry->settings;
	const char *protocols = s->plain_http ? "http,https" : "https";
	CURL *easy = fetch->easy;

	return curl_easy_setopt(easy, CURLOPT_URL, current_url(fetch)) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, protocols) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, protocols) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_HTTPHEADER, fetch->headers) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_USERAGENT, "liblcx/" LCX_VERSION) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)s->stall_timeout_ms) ==
		       CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)RECEIVE_BUFFER) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, fetch->curl_error) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_PRIVATE, fetch) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, lcx__response_header) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_HEADERDATA, fetch) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, lcx__response_body) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_WRITEDATA, fetch) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, fetch) == CURLE_OK &&
	       (!s->ca_file || curl_easy_setopt(easy, CURLOPT_CAINFO, s->ca_file) == CURLE_OK);
}

int lcx__fetch_begin(struct lcx__fetch *fetch)
{
	stop(fetch);
	lcx__response_clear(&fetch->response);
	lcx__strbuf_free(&fetch->body);
	fetch->result = 0;
	fetch->curl_error[0] = '\0';
	fetch->progress_ns = lcx__monotonic_ns();
	fetch->login_used = fetch->registry->login;
	curl_easy_reset(fetch->easy);
	if (!make_headers(fetch) || !set_options(fetch) ||
	    lcx__transport_add(fetch->registry->transport, fetch->easy) < 0) {
		fetch->state = LCX__FETCH_FAILED;
		fetch->result = lcx__fail_nomem(&fetch->err);
		return fetch->result;
	}
	fetch->state = LCX__FETCH_RUNNING;
	return 0;
}

void lcx__fetch_check_stall(struct lcx__fetch *fetch, int64_t now_ns)
{
	int32_t timeout_ms = fetch->registry->settings->stall_timeout_ms;

	if (fetch->state != LCX__FETCH_RUNNING ||
	    now_ns - fetch->progress_ns < (int64_t)timeout_ms * 1000000)
		return;
	stop(fetch);
	lcx__fetch_fail(fetch, ETIMEDOUT, "no progress for %d seconds", timeout_ms / 1000);
}

/* Later, and each time later still; bytes that came meanwhile show that it is worth it. */
static bool retry(struct lcx__fetch *fetch)
{
	int64_t pause_ms;

	if (fetch->has_sink && fetch->sink.offset(fetch->sink.data) > fetch->offset)
		fetch->attempts = 0;
	if (++fetch->attempts >= LCX__FETCH_ATTEMPTS_MAX)
		return false;
	pause_ms = (int64_t)RETRY_FIRST_MS << (fetch->attempts - 1);
	if (fetch->response.retry_after_s >= 0)
		pause_ms = (fetch->response.retry_after_s < RETRY_AFTER_MAX_S
				    ? fetch->response.retry_after_s
				    : RETRY_AFTER_MAX_S) *
			   1000;
	/* An address that was handed out may have been for once only. */
	free(TAKE_PTR(fetch->redirected_url));
	fetch->redirects = 0;
	fetch->retry_at_ns = lcx__monotonic_ns() + pause_ms * 1000000;
	fetch->state = LCX__FETCH_WAIT_RETRY;
	return true;
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

static void network_failed(struct lcx__fetch *fetch, CURLcode code)
{
	const struct failure *f = failures;

	while (f->code != code && f->code != CURLE_OK)
		f++;
	if (f->worth_retrying && fetch->registry->contacted && retry(fetch))
		return;
	lcx__fetch_fail(fetch, f->error, "%s%s",
			fetch->curl_error[0] ? fetch->curl_error : curl_easy_strerror(code),
			f->way_out);
}

/* Never from https to http, never to another scheme; curl's own list of protocols stands behind
 * this. */
static void redirect(struct lcx__fetch *fetch)
{
	CLEANUP(freep) char *url = NULL, *origin = NULL;
	int r;

	if (!fetch->response.location || ++fetch->redirects > LCX__FETCH_REDIRECTS_MAX) {
		lcx__fetch_fail(fetch, EPROTO, "%s",
				fetch->response.location ? "redirected too often"
							 : "redirected to nowhere");
		return;
	}
	r = lcx__url_resolve(current_url(fetch), fetch->response.location, &url);
	origin = r == 0 ? lcx__url_origin(url) : NULL;
	if (!origin ||
	    (strncmp(origin, "http:", 5) == 0 && strncmp(current_url(fetch), "http:", 5) != 0)) {
		lcx__fetch_fail(fetch, EPROTO, "redirected to where we must not go");
		return;
	}
	free(fetch->redirected_url);
	fetch->redirected_url = TAKE_PTR(url);
	fetch->state = LCX__FETCH_READY;
}

/* Nothing there to resume, or a registry that can't: from the beginning, but once only. */
static void range_refused(struct lcx__fetch *fetch)
{
	if (fetch->has_sink && fetch->offset > 0 &&
	    fetch->sink.restart(fetch->sink.data, &fetch->err) == 0)
		fetch->state = LCX__FETCH_READY;
	else
		lcx__fetch_fail(fetch, EPROTO, "the registry refuses the range");
}

static void unauthorized(struct lcx__fetch *fetch)
{
	if (fetch->is_token || !at_home(fetch))
		lcx__fetch_fail(fetch, EACCES, "%s refuses",
				fetch->is_token ? "the token server"
						: "the address it was redirected to");
	else
		lcx__registry_login(fetch->registry, fetch);
}

static void refused(struct lcx__fetch *fetch, long status)
{
	char words[256];

	lcx__response_words(&fetch->response, words, sizeof(words));
	if (status == 404)
		lcx__fetch_fail(fetch, ENOENT, "not found%s%s", words[0] ? ": " : "", words);
	else if (status == 403)
		lcx__fetch_fail(fetch, EACCES, "access denied%s%s", words[0] ? ": " : "", words);
	else
		lcx__fetch_fail(fetch, EPROTO, "HTTP status %ld%s%s", status, words[0] ? ": " : "",
				words);
}

static void answered(struct lcx__fetch *fetch, long status)
{
	fetch->registry->contacted = true;
	switch (status) {
	case 200:
	case 206:
		fetch->state = LCX__FETCH_DONE;
		break;
	case 301:
	case 302:
	case 303:
	case 307:
	case 308:
		redirect(fetch);
		break;
	case 401:
		unauthorized(fetch);
		break;
	case 416:
		range_refused(fetch);
		break;
	case 408:
	case 429:
	case 500:
	case 502:
	case 503:
	case 504:
		if (!retry(fetch))
			refused(fetch, status);
		break;
	default:
		refused(fetch, status);
	}
}

void lcx__fetch_ended(struct lcx__fetch *fetch, CURLcode code)
{
	long status = 0;

	(void)curl_easy_getinfo(fetch->easy, CURLINFO_RESPONSE_CODE, &status);
	stop(fetch);
	fetch->state = LCX__FETCH_READY;
	if (fetch->result < 0) {
		fetch->state = LCX__FETCH_FAILED; /* one of our own callbacks has said why */
		return;
	}
	/* We break off the body of an error ourselves when it doesn't end. */
	if (code != CURLE_OK && !(code == CURLE_WRITE_ERROR && fetch->response.error_bytes > 0))
		network_failed(fetch, code);
	else
		answered(fetch, status);
}
