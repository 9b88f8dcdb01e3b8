/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Shared by registry.c (the session and who may run), login.c (credentials and tokens),
 * request.c (the life of one request), transfer.c (how curl is told) and response.c (what the
 * answer says).
 */

#include "image/challenge.h"
#include "image/registry.h"

enum {
	LCX__REQUEST_ATTEMPTS_MAX = 5,
	LCX__REQUEST_REDIRECTS_MAX = 5,
	LCX__ERROR_BODY_MAX = 4096,     /* kept of an error's body, for its words */
	LCX__ERROR_BODY_READ = 1 << 20, /* read of it at most */
	LCX__TOKEN_BODY_MAX = 128 << 10,
	LCX__HEADERS_MAX = 256 << 10, /* of one attempt, with what comes before the answer */
};

struct lcx__registry {
	struct lcx__transport *transport;
	const struct lcx__settings *settings;
	char *name, *path;
	char *origin; /* "https://host:port" */

	/* The login. */
	char **scopes;                  /* that a token is fetched for */
	char *authorization;            /* header, NULL before the registry asked for one */
	unsigned login;                 /* counts the headers there have been */
	bool looked_up;                 /* credentials are known, or known to be none */
	struct lcx__credhelper *helper; /* being asked */
	struct lcx__request *token;     /* being fetched */
	struct lcx__credentials credentials;
	struct lcx__challenge challenge; /* that the token is fetched for */

	bool contacted;                /* it has answered once */
	struct lcx__request *requests; /* list by ->next, without the token's */
};

enum lcx__request_state {
	LCX__REQUEST_READY,
	LCX__REQUEST_RUNNING,
	LCX__REQUEST_WAIT_RETRY,
	LCX__REQUEST_WAIT_LOGIN,
	LCX__REQUEST_DONE,
	LCX__REQUEST_FAILED,
};

/* Of the answer that is being received. */
struct lcx__response {
	struct lcx__challenge challenge;
	char *location, *content_type, *content_range, *range, *digest;
	uint64_t chunk_min;
	int64_t retry_after_s; /* -1: it doesn't say */
	struct lcx__strbuf error_body;
	size_t error_bytes;
	bool began; /* the body has */
};

struct lcx__request {
	struct lcx__registry *registry;
	struct lcx__request *next;
	enum lcx__request_state state;
	int result;
	struct lcx_error *err;
	bool local_failure; /* its sink's, or memory: not the registry's fault */

	char *what;                              /* names it in errors */
	char *url;                               /* as first asked for */
	char *redirected_url;                    /* where it is now, if that is elsewhere */
	char *authorized_origin, *authorization; /* of the token request; else the registry's */
	const char *accept;
	enum lcx__method method;
	bool is_token, has_sink, is_foreign /* a stranger named the address */;
	bool takes_any; /* answer, whatever its status */
	struct lcx__sink sink;
	struct lcx__payload payload;
	char *form; /* the token request's payload */
	uint64_t sent_bytes;
	size_t limit;
	struct lcx__strbuf body;

	CURL *easy;
	struct curl_slist *headers;
	struct lcx__response response;
	long status;
	size_t header_bytes;
	uint64_t offset; /* that was asked for in this attempt */
	unsigned attempts, redirects, logins, login_used;
	int64_t progress_ns, retry_at_ns;
	bool worth_retrying; /* although it has failed */
	char curl_error[CURL_ERROR_SIZE];
};

/* request.c */
int lcx__request_begin(struct lcx__request *request); /* READY -> RUNNING or FAILED */
void lcx__request_ended(struct lcx__request *request, CURLcode code); /* what comes next? */
void lcx__request_fail(struct lcx__request *request, int code, const char *format, ...)
	LCX_PRINTF(3, 4);
void lcx__request_check_stall(struct lcx__request *request, int64_t now_ns);
int lcx__request_alloc(struct lcx__registry *registry, const char *url, const char *what,
		       struct lcx__request **ret);
const char *lcx__request_url(const struct lcx__request *request);

/* transfer.c: tell curl everything. false: out of memory. */
bool lcx__transfer_prepare(struct lcx__request *request);

/* login.c: the answer was 401. Either the request waits, or it is READY or FAILED. */
void lcx__registry_login(struct lcx__registry *registry, struct lcx__request *request);
void lcx__login_dispatch(struct lcx__registry *registry, int64_t now_ns);
void lcx__login_clear(struct lcx__registry *registry);

/* registry.c */
void lcx__registry_move_on(struct lcx__request *request, int64_t now_ns);

/* response.c */
void lcx__response_clear(struct lcx__response *response);
size_t lcx__response_header(char *line, size_t size, size_t n, void *request);
size_t lcx__response_body(char *data, size_t size, size_t n, void *request);
/* What the registry says about the error, fit for a terminal; "" if nothing. */
void lcx__response_words(const struct lcx__response *response, char *text, size_t size);

/* url.c: "scheme://host:port" in a comparable form; NULL for what is no URL of http(s). */
char *lcx__url_origin(const char *url);
/* Resolve a Location; 0, -EBADMSG, -ENOMEM. */
int lcx__url_resolve(const char *base, const char *location, char **ret);
/*
 * The same, but only to where a registry may send us: -EPERM for another scheme, from https to
 * http, or to a link-local address.
 */
int lcx__url_follow(const char *base, const char *location, char **ret);
/* realm?service=...&scope=...&scope=... */
int lcx__url_token(const char *realm, const char *service, char *const *scopes, char **ret);
/* URL and "name=value" as one more member of its query. */
int lcx__url_append(const char *url, const char *name, const char *value, char **ret);
