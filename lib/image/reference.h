/* SPDX-License-Identifier: MIT */
#pragma once

/* The names of images, in Docker's grammar and with its defaults. */

#include "image/digest.h"

struct lcx__reference {
	char *registry; /* "docker.io", "host:5000", "[::1]:5000" */
	char *path;     /* "library/debian" */
	char *tag;      /* NULL if there is a digest and no tag was written */
	struct lcx__digest digest;
};

/* -EINVAL says in words what is wrong with it. */
int lcx__reference_parse(const char *text, struct lcx__reference **ret, struct lcx_error **err);

/* The same, for a name as people write it: where it has no registry, @registry is meant; NULL:
 * docker.io. */
int lcx__reference_parse_in(const char *text, const char *registry, struct lcx__reference **ret,
			    struct lcx_error **err);

/* "host", "host:5000", "[::1]:5000" */
bool lcx__registry_name_is_valid(const char *name);
struct lcx__reference *lcx__reference_free(struct lcx__reference *ref);

DEFINE_CLEANUP(struct lcx__reference *, lcx__reference_free)

/*
 * "docker.io/library/debian:latest" or, with a digest, "...@sha256:...": a tag
 * beside a digest says nothing, as with Docker. NULL when out of memory.
 */
char *lcx__reference_format(const struct lcx__reference *ref);

/* What stands behind /manifests/ in a URL. */
const char *lcx__reference_target(const struct lcx__reference *ref);
