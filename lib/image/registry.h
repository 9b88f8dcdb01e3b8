/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A registry, as the OCI distribution specification describes it: requests with
 * authentication, redirects, retries and resumption. Everything that comes back is
 * bounded here, and checked by who asked for it.
 */

#include <stdint.h>

#include "image/credentials.h"
#include "image/transport.h"
#include "util/str.h"

/* settings.c: how one host is to be talked to. */
struct lcx__settings {
	bool plain_http;
	char *ca_file, *client_cert_file, *client_key_file;
	struct lcx__credentials credentials;
	char *auth_file; /* where credentials are looked up if there are none here; or NULL */
	int32_t stall_timeout_ms;
};

void lcx__settings_init(struct lcx__settings *settings);
void lcx__settings_clear(struct lcx__settings *settings);
int lcx__settings_copy(const struct lcx__settings *from, struct lcx__settings *ret);

/* Set with a check: -EINVAL in words. NULL takes the setting away. */
int lcx__settings_ca_file(struct lcx__settings *settings, const char *path, struct lcx_error **err);
int lcx__settings_client_cert(struct lcx__settings *settings, const char *cert_file,
			      const char *key_file, struct lcx_error **err);
int lcx__settings_credentials(struct lcx__settings *settings, const char *user,
			      const char *password, struct lcx_error **err);
int lcx__settings_auth_file(struct lcx__settings *settings, const char *path,
			    struct lcx_error **err);
int lcx__settings_stall_timeout(struct lcx__settings *settings, int32_t timeout_ms,
				struct lcx_error **err);

struct lcx__registry;

/*
 * @name:     "docker.io", "host:5000"
 * @path:     the repository there; NULL: it is the registry itself that is talked to
 * @actions:  what is to be done with the repository: "pull", "pull,push"
 * @transport and @settings are borrowed and live longer.
 */
int lcx__registry_new(struct lcx__transport *transport, const char *name, const char *path,
		      const char *actions, const struct lcx__settings *settings,
		      struct lcx__registry **ret, struct lcx_error **err);
struct lcx__registry *lcx__registry_free(struct lcx__registry *registry);

DEFINE_CLEANUP(struct lcx__registry *, lcx__registry_free)

/* One more repository that is to be read, before anything is asked. */
int lcx__registry_also_pull(struct lcx__registry *registry, const char *path);

/*
 * Where a long body goes. @offset tells where to resume, @restart that the registry
 * can't and begins again at 0. Failures are final.
 */
struct lcx__sink {
	void *data;
	uint64_t size_bytes; /* of the whole, as is known from elsewhere */
	uint64_t (*offset)(void *data);
	int (*restart)(void *data, struct lcx_error **err);
	int (*write)(void *data, const void *bytes, size_t length, struct lcx_error **err);
};

/* What is sent: bytes at hand, or those of a file in [from, to). Borrowed, as is the rest. */
struct lcx__payload {
	const char *content_type;
	const void *data;
	int fd; /* -1: data is meant */
	uint64_t from, to;
	bool is_chunk; /* tell by Content-Range which bytes these are */
};

enum lcx__method { LCX__GET, LCX__HEAD, LCX__POST, LCX__PATCH, LCX__PUT };

/* One request in progress. Freeing it cancels it. */
struct lcx__request;

/*
 * GET, until there is an answer that counts as success.
 * @path:  behind /v2/NAME/: "manifests/latest", "blobs/sha256:..."; without a NAME behind /v2/
 * @accept: media types, or NULL
 * @sink:  copied, or NULL to collect at most @limit bytes as a document
 */
int lcx__request_get(struct lcx__registry *registry, const char *path, const char *accept,
		     const struct lcx__sink *sink, size_t limit, struct lcx__request **ret,
		     struct lcx_error **err);

/*
 * Any method, until there is an answer of any kind that isn't handled here (redirects, logins and
 * "later" are): look at the status. With bytes of a file it is not tried again by itself.
 * @target: as the path above, or a whole URL that the registry has named
 * @payload: copied; NULL for none
 */
int lcx__request_send(struct lcx__registry *registry, enum lcx__method method, const char *target,
		      const struct lcx__payload *payload, struct lcx__request **ret,
		      struct lcx_error **err);
struct lcx__request *lcx__request_free(struct lcx__request *request);

DEFINE_CLEANUP(struct lcx__request *, lcx__request_free)

/* 1: under way; 0: done; <0: failed, with words. */
int lcx__request_result(struct lcx__request *request, struct lcx_error **err);

/* Of one that failed: it is worth another attempt, not before this time. Else INT64_MAX. */
int64_t lcx__request_retry_at_ns(const struct lcx__request *request);

/* Of one that failed: by what came from over there, so that another source may do better. */
bool lcx__request_blames_source(const struct lcx__request *request);

/* Of a document that is done; borrowed. @ret_type may give NULL. */
const char *lcx__request_body(const struct lcx__request *request, size_t *ret_length,
			      const char **ret_type);

/* Of an answer. Header values are borrowed, or NULL. */
long lcx__request_status(const struct lcx__request *request);
const char *lcx__request_range(const struct lcx__request *request);
const char *lcx__request_digest(const struct lcx__request *request);
uint64_t lcx__request_chunk_min(const struct lcx__request *request);
uint64_t lcx__request_sent_bytes(const struct lcx__request *request);

/* Where Location leads, checked as a redirect is: 0, or a negative errno with words. */
int lcx__request_location(struct lcx__request *request, char **ret, struct lcx_error **err);

/* The answer as a failure, in the registry's words. */
int lcx__request_refused(struct lcx__request *request, struct lcx_error **err);

/* Move everything on. The transport has been dispatched before. */
int lcx__registry_dispatch(struct lcx__registry *registry, struct lcx_error **err);

/* When dispatch has something to do without being told by the transport; CLOCK_MONOTONIC,
 * INT64_MAX: never. */
int64_t lcx__registry_deadline_ns(const struct lcx__registry *registry);
