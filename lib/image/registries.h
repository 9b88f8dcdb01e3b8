/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The administrator's file about registries: which one is meant by a name without one, where else
 * an image may be had, and how each host is to be talked to. See lcx-registries(5).
 */

#include "ctx/ctx.h"
#include "image/reference.h"
#include "image/registry.h"

#define LCX__REGISTRIES_FILE "/etc/lcx/registries.json"

struct lcx__registries;

/* The file that the context names, or the default one, which may be missing. */
int lcx__registries_load(const struct lcx_ctx *ctx, struct lcx__registries **ret,
			 struct lcx_error **err);
int lcx__registries_parse(const char *text, size_t length, struct lcx__registries **ret,
			  struct lcx_error **err);
struct lcx__registries *lcx__registries_free(struct lcx__registries *conf);

DEFINE_CLEANUP(struct lcx__registries *, lcx__registries_free)

/* A name as people write it, which may leave the registry to the file. */
int lcx__registries_read_name(const struct lcx__registries *conf, const char *text,
			      struct lcx__reference **ret, struct lcx_error **err);
int lcx__reference_read(const struct lcx_ctx *ctx, const char *text, struct lcx__reference **ret,
			struct lcx_error **err);

/* The registry that a name without one means. */
const char *lcx__registries_default(const struct lcx__registries *conf);

/* Borrowed; NULL if there are none. */
char *const *lcx__registries_mirrors(const struct lcx__registries *conf, const char *registry);

/* What the file says of this host, as far as @settings says nothing. 0 or -ENOMEM. */
int lcx__registries_apply(const struct lcx__registries *conf, const char *registry,
			  struct lcx__settings *settings);
