/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Shared by registry.c (the session: credentials, tokens, who may run), fetch.c (the
 * life of one GET) and response.c (what its answer says).
 */

#include "image/challenge.h"
#include "image/registry.h"

enum {
	LCX__FETCH_ATTEMPTS_MAX = 5,
	LCX__FETCH_REDIRECTS_MAX = 5,
	LCX__ERROR_BODY_MAX = 4096,     /* kept of an error's body, for its words */
	LCX__ERROR_BODY_READ = 1 << 20, /* read of it at most */
	LCX__TOKEN_BODY_MAX = 128 << 10,
};

struct lcx__registry {
	struct lcx__transport *transport;
	const struct lcx__reference *ref;
	const struct lcx__registry_settings *settings;
	char *origin; /* "https://host:port" */

	char *authorization;             /* header for the registry, NULL before it asked for one */
	unsigned login;                  /* counts the headers there have been */
	struct lcx__challenge challenge; /* that the token is fetched for */
	struct lcx__fetch *token;        /* being fetched */
	bool contacted;                  /* it has answered once */

	struct lcx__fetch *fetches; /* list by ->next, without the token's */
};

enum lcx__fetch_state {
	LCX__FETCH_READY,
	LCX__FETCH_RUNNING,
	LCX__FETCH_WAIT_RETRY,
	LCX__FETCH_WAIT_TOKEN,
	LCX__FETCH_DONE,
	LCX__FETCH_FAILED,
};

/* Of the answer that is being received. */
struct lcx__response {
	struct lcx__challenge challenge;
	char *location, *content_type, *content_range;
	int64_t retry_after_s; /* -1: it doesn't say */
	struct lcx__strbuf error_body;
	size_t error_bytes;
	bool began; /* the body has */
};

struct lcx__fetch {
	struct lcx__registry *registry;
	struct lcx__fetch *next;
	enum lcx__fetch_state state;
	int result;
	struct lcx_error *err;

	char *what;                              /* names it in errors */
	char *url;                               /* as first asked for */
	char *redirected_url;                    /* where it is now, if that is elsewhere */
	char *authorized_origin, *authorization; /* of the token request; else the registry's */
	const char *accept;
	bool is_token, has_sink;
	struct lcx__sink sink;
	size_t limit;
	struct lcx__strbuf body;

	CURL *easy;
	struct curl_slist *headers;
	struct lcx__response response;
	uint64_t offset; /* that was asked for in this attempt */
	unsigned attempts, redirects, logins, login_used;
	int64_t progress_ns, retry_at_ns;
	char curl_error[CURL_ERROR_SIZE];
};

/* fetch.c */
int lcx__fetch_begin(struct lcx__fetch *fetch);                 /* READY -> RUNNING or FAILED */
void lcx__fetch_ended(struct lcx__fetch *fetch, CURLcode code); /* decide what comes next */
void lcx__fetch_fail(struct lcx__fetch *fetch, int code, const char *format, ...) LCX_PRINTF(3, 4);
void lcx__fetch_check_stall(struct lcx__fetch *fetch, int64_t now_ns);
int lcx__fetch_alloc(struct lcx__registry *registry, const char *url, const char *what,
		     struct lcx__fetch **ret);

/* registry.c: the answer was 401. Either the fetch waits for a token, or it is READY or FAILED. */
void lcx__registry_login(struct lcx__registry *registry, struct lcx__fetch *fetch);

/* response.c */
void lcx__response_clear(struct lcx__response *response);
size_t lcx__response_header(char *line, size_t size, size_t n, void *fetch);
size_t lcx__response_body(char *data, size_t size, size_t n, void *fetch);
/* What the registry says about the error, fit for a terminal; "" if nothing. */
void lcx__response_words(const struct lcx__response *response, char *text, size_t size);

/* url.c: "scheme://host:port" in a comparable form; NULL for what is no URL of http(s). */
char *lcx__url_origin(const char *url);
/* Resolve a Location; 0, -EBADMSG, -ENOMEM. */
int lcx__url_resolve(const char *base, const char *location, char **ret);
/* realm?service=...&scope=... */
int lcx__url_token(const char *realm, const char *service, const char *scope, char **ret);
