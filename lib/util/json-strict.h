/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

#include "util/error.h"

enum { LCX__JSON_DEPTH = 32 };

/*
 * Refuse what json-c lets through: a key that stands twice in one object or holds
 * a NUL, an integer beyond 64 bits. @text is well-formed otherwise.
 */
int lcx__json_check_strict(const char *text, size_t length, struct lcx_error **err);
