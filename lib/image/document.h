/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * JSON from strangers. A key that is absent or null gives NULL and 0; one of the
 * wrong type, or a string with a NUL inside, is -EBADMSG in words. What is found is
 * borrowed from the object.
 */

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "util/error.h"

static inline void lcx__doc_putp(struct json_object **object)
{
	json_object_put(*object);
}

/* Parse a whole document that must be one object; @what names it in errors. */
int lcx__doc_parse(const char *data, size_t length, const char *what, struct json_object **ret,
		   struct lcx_error **err);

/*
 * Refuse a key that some readers take for one of @keys (NULL at the end) because they don't mind
 * upper and lower case, as Go's do: they'd see another document than we.
 */
int lcx__doc_check_keys(struct json_object *object, const char *const *keys,
			struct lcx_error **err);

int lcx__doc_string(struct json_object *object, const char *key, const char **ret,
		    struct lcx_error **err);
int lcx__doc_object(struct json_object *object, const char *key, struct json_object **ret,
		    struct lcx_error **err);
int lcx__doc_array(struct json_object *object, const char *key, struct json_object **ret,
		   struct lcx_error **err);

/* Absent gives false. */
int lcx__doc_bool(struct json_object *object, const char *key, bool *ret, struct lcx_error **err);

/* A number from 0 to INT64_MAX; absent gives 0. */
int lcx__doc_size(struct json_object *object, const char *key, uint64_t *ret,
		  struct lcx_error **err);

/* Copies: a duplicate of a string ("" if absent), a string array, the sorted keys of an object. */
int lcx__doc_dup_string(struct json_object *object, const char *key, char **ret,
			struct lcx_error **err);
int lcx__doc_dup_strv(struct json_object *object, const char *key, char ***ret,
		      struct lcx_error **err);
int lcx__doc_dup_keys(struct json_object *object, const char *key, char ***ret,
		      struct lcx_error **err);
