/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

#include <json-c/json.h>

#include "util/error.h"

enum { LCX__JSON_DEPTH = 32 };

/*
 * Refuse what json-c lets through: a key that stands twice in one object or holds
 * a NUL, an integer beyond 64 bits. @text is well-formed otherwise, ends with a NUL, and is what
 * @json was read from.
 */
int lcx__json_check_strict(const char *text, size_t length, struct json_object *json,
			   struct lcx_error **err);
