/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Where an image may be had: the mirrors of its registry, in the order of the configuration, and
 * the registry itself at last. Each is a session of its own, with its own credentials; what was set
 * for the registry is never seen by a mirror.
 */

#include "image/reference.h"
#include "image/registries.h"
#include "image/registry.h"

struct lcx__sources;

/* @settings: as set for the registry; copied. The transport is borrowed. */
int lcx__sources_new(struct lcx__transport *transport, const struct lcx__registries *conf,
		     const struct lcx__reference *ref, const struct lcx__settings *settings,
		     struct lcx__sources **ret, struct lcx_error **err);
struct lcx__sources *lcx__sources_free(struct lcx__sources *sources);

DEFINE_CLEANUP(struct lcx__sources *, lcx__sources_free)

int lcx__sources_dispatch(struct lcx__sources *sources, struct lcx_error **err);
int64_t lcx__sources_deadline_ns(const struct lcx__sources *sources);

/* Begin with the source of this from now on: it is the one that knows the image. */
struct lcx__get;
void lcx__sources_prefer(struct lcx__sources *sources, const struct lcx__get *get);

/* lcx__request_get() from one source after the other, until one gives it. */
int lcx__get_new(struct lcx__sources *sources, const char *path, const char *accept,
		 const struct lcx__sink *sink, size_t limit, struct lcx__get **ret,
		 struct lcx_error **err);
struct lcx__get *lcx__get_free(struct lcx__get *get);

DEFINE_CLEANUP(struct lcx__get *, lcx__get_free)

/* As lcx__request_result(), of the last source. */
int lcx__get_result(struct lcx__get *get, struct lcx_error **err);
const char *lcx__get_body(const struct lcx__get *get, size_t *ret_length, const char **ret_type);

/*
 * What came is not what it should be. Return: 1 if another source is asked now, and *@err is
 * forgotten; else @result, unchanged.
 */
int lcx__get_reject(struct lcx__get *get, int result, struct lcx_error **err);
