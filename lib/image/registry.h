/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A registry, as the OCI distribution specification describes it: GET with
 * authentication, redirects, retries and resumption. Everything that comes back is
 * bounded here, and checked by who asked for it.
 */

#include <stdint.h>

#include "image/reference.h"
#include "image/transport.h"
#include "util/str.h"

struct lcx__registry_settings {
	bool plain_http;
	char *ca_file, *user, *password;
	int32_t stall_timeout_ms;
};

struct lcx__registry;

/* All arguments are borrowed and live longer. */
int lcx__registry_new(struct lcx__transport *transport, const struct lcx__reference *ref,
		      const struct lcx__registry_settings *settings, struct lcx__registry **ret,
		      struct lcx_error **err);
struct lcx__registry *lcx__registry_free(struct lcx__registry *registry);

DEFINE_CLEANUP(struct lcx__registry *, lcx__registry_free)

/*
 * Where a long body goes. @offset tells where to resume, @restart that the registry
 * can't and begins again at 0. Failures are final.
 */
struct lcx__sink {
	void *data;
	uint64_t (*offset)(void *data);
	int (*restart)(void *data, struct lcx_error **err);
	int (*write)(void *data, const void *bytes, size_t length, struct lcx_error **err);
};

/* One GET in progress. Freeing it cancels it. */
struct lcx__fetch;

/*
 * @path:  behind /v2/NAME/: "manifests/latest", "blobs/sha256:..."
 * @accept: media types, or NULL
 * @sink:  copied, or NULL to collect at most @limit bytes as a document
 */
int lcx__fetch_new(struct lcx__registry *registry, const char *path, const char *accept,
		   const struct lcx__sink *sink, size_t limit, struct lcx__fetch **ret,
		   struct lcx_error **err);
struct lcx__fetch *lcx__fetch_free(struct lcx__fetch *fetch);

DEFINE_CLEANUP(struct lcx__fetch *, lcx__fetch_free)

/* 1: under way; 0: done; <0: failed, with words. */
int lcx__fetch_result(struct lcx__fetch *fetch, struct lcx_error **err);

/* Of a document that is done; borrowed. @ret_type may give NULL. */
const char *lcx__fetch_body(const struct lcx__fetch *fetch, size_t *ret_length,
			    const char **ret_type);

/* Move everything on. The transport has been dispatched before. */
int lcx__registry_dispatch(struct lcx__registry *registry, struct lcx_error **err);

/* When dispatch has something to do without being told by the transport; CLOCK_MONOTONIC,
 * INT64_MAX: never. */
int64_t lcx__registry_deadline_ns(const struct lcx__registry *registry);
