/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdarg.h>

#include "lcx/error.h"
#include "util/cleanup.h"

/* Marks a function that lib/liblcx.sym exports. */
#define LCX_PUBLIC            __attribute__((__visibility__("default")))
#define LCX_PRINTF(fmt, args) __attribute__((__format__(__printf__, fmt, args)))

DEFINE_CLEANUP(struct lcx_error *, lcx_error_free)

/*
 * Describe a failure, where the names are known, and return -@code. A
 * description that is already there is kept: the first failure is the cause,
 * what follows it is only its consequence. Works without memory, too.
 */
int lcx__fail(struct lcx_error **err, int code, const char *format, ...) LCX_PRINTF(3, 4);

/* The same, with the system's text for @code behind the message: "open 'x': No such file". */
int lcx__fail_sys(struct lcx_error **err, int code, const char *format, ...) LCX_PRINTF(3, 4);

/* Out of memory; needs none. */
int lcx__fail_nomem(struct lcx_error **err);

/*
 * Put "PREFIX: " before the message, at most once on the way up, and return
 * @result unchanged, so that it can stand in a return statement.
 */
int lcx__fail_prefix(struct lcx_error **err, int result, const char *format, ...) LCX_PRINTF(3, 4);

/* Name the stage of an error that has none yet; @stage must be a literal. */
int lcx__fail_stage(struct lcx_error **err, int result, const char *stage);
