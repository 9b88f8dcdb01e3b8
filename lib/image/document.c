/* SPDX-License-Identifier: MIT */
#include "image/document.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "image/manifest.h"
#include "util/json.h"
#include "util/str.h"

/* What a parser keeps for each value takes much more memory than the "0," that it reads. */
enum { VALUES_MAX = 100000 };

static bool has_too_many_values(const char *data, size_t length)
{
	bool in_string = false;
	size_t n = 0;

	for (size_t i = 0; i < length && n <= VALUES_MAX; i++) {
		if (in_string && data[i] == '\\')
			i++;
		else if (data[i] == '"')
			in_string = !in_string;
		else if (!in_string)
			n += data[i] == ',' || data[i] == '[' || data[i] == '{';
	}
	return n > VALUES_MAX;
}

int lcx__doc_parse(const char *data, size_t length, const char *what, struct json_object **ret,
		   struct lcx_error **err)
{
	CLEANUP(lcx__doc_putp) struct json_object *object = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *reason = NULL;
	int r;

	if (length <= LCX__DOCUMENT_MAX && has_too_many_values(data, length))
		return lcx__fail(err, EBADMSG, "%s: more than %d values", what, VALUES_MAX);
	r = lcx__json_parse(data, length, LCX__DOCUMENT_MAX, &object, &reason);
	if (r == -ENOMEM)
		return lcx__fail_nomem(err);
	/* Whoever sent it, it is the message that is bad and not an argument. */
	if (r < 0)
		return lcx__fail(err, EBADMSG, "%s: %s", what, lcx_error_message(reason));
	if (!json_object_is_type(object, json_type_object))
		return lcx__fail(err, EBADMSG, "%s: not a JSON object", what);
	*ret = TAKE_PTR(object);
	return 0;
}

static int get(struct json_object *object, const char *key, enum json_type type,
	       struct json_object **ret, struct lcx_error **err)
{
	struct json_object *value = NULL;

	if (!json_object_object_get_ex(object, key, &value) || !value) {
		*ret = NULL;
		return 0;
	}
	if (!json_object_is_type(value, type))
		return lcx__fail(err, EBADMSG, "\"%s\" is not %s %s", key,
				 type == json_type_array || type == json_type_object ||
						 type == json_type_int
					 ? "an"
					 : "a",
				 json_type_to_name(type));
	*ret = value;
	return 0;
}

int lcx__doc_check_keys(struct json_object *object, const char *const *keys, struct lcx_error **err)
{
	json_object_object_foreach (object, name, value) {
		(void)value;
		for (size_t i = 0; keys[i]; i++)
			if (strcasecmp(name, keys[i]) == 0 && strcmp(name, keys[i]) != 0)
				return lcx__fail(err, EBADMSG,
						 "\"%.64s\" could be taken for \"%s\"", name,
						 keys[i]);
	}
	return 0;
}

static bool has_nul(struct json_object *string)
{
	return strlen(json_object_get_string(string)) != (size_t)json_object_get_string_len(string);
}

int lcx__doc_string(struct json_object *object, const char *key, const char **ret,
		    struct lcx_error **err)
{
	struct json_object *value = NULL;
	int r = get(object, key, json_type_string, &value, err);

	if (r < 0)
		return r;
	if (value && has_nul(value))
		return lcx__fail(err, EBADMSG, "\"%s\" has a NUL inside", key);
	*ret = value ? json_object_get_string(value) : NULL;
	return 0;
}

int lcx__doc_object(struct json_object *object, const char *key, struct json_object **ret,
		    struct lcx_error **err)
{
	return get(object, key, json_type_object, ret, err);
}

int lcx__doc_array(struct json_object *object, const char *key, struct json_object **ret,
		   struct lcx_error **err)
{
	return get(object, key, json_type_array, ret, err);
}

int lcx__doc_bool(struct json_object *object, const char *key, bool *ret, struct lcx_error **err)
{
	struct json_object *value = NULL;
	int r = get(object, key, json_type_boolean, &value, err);

	if (r == 0)
		*ret = value && json_object_get_boolean(value);
	return r;
}

int lcx__doc_size(struct json_object *object, const char *key, uint64_t *ret,
		  struct lcx_error **err)
{
	struct json_object *value = NULL;
	int64_t number;
	int r = get(object, key, json_type_int, &value, err);

	if (r < 0)
		return r;
	number = value ? json_object_get_int64(value) : 0;
	/* json-c clips what doesn't fit to the limit, which therefore is no number at all. */
	if (number < 0 || number == INT64_MAX)
		return lcx__fail(err, EBADMSG, "\"%s\" is not a size", key);
	*ret = (uint64_t)number;
	return 0;
}

int lcx__doc_dup_string(struct json_object *object, const char *key, char **ret,
			struct lcx_error **err)
{
	const char *text = NULL;
	char *copy;
	int r = lcx__doc_string(object, key, &text, err);

	if (r < 0)
		return r;
	copy = strdup(text ? text : "");
	if (!copy)
		return lcx__fail_nomem(err);
	*ret = copy;
	return 0;
}

int lcx__doc_dup_strv(struct json_object *object, const char *key, char ***ret,
		      struct lcx_error **err)
{
	CLEANUP(lcx__strv_freep) char **strv = NULL;
	struct json_object *array = NULL;
	size_t n;
	int r = lcx__doc_array(object, key, &array, err);

	if (r < 0)
		return r;
	n = array ? json_object_array_length(array) : 0;
	strv = calloc(n + 1, sizeof(*strv));
	if (!strv)
		return lcx__fail_nomem(err);
	for (size_t i = 0; i < n; i++) {
		struct json_object *item = json_object_array_get_idx(array, i);

		if (!json_object_is_type(item, json_type_string) || has_nul(item))
			return lcx__fail(err, EBADMSG, "\"%s\" is not an array of strings", key);
		strv[i] = strdup(json_object_get_string(item));
		if (!strv[i])
			return lcx__fail_nomem(err);
	}
	*ret = TAKE_PTR(strv);
	return 0;
}

static int compare_strings(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int lcx__doc_dup_keys(struct json_object *object, const char *key, char ***ret,
		      struct lcx_error **err)
{
	CLEANUP(lcx__strv_freep) char **strv = NULL;
	struct json_object *map = NULL;
	size_t n = 0;
	int r = lcx__doc_object(object, key, &map, err);

	if (r < 0)
		return r;
	strv = calloc(map ? (size_t)json_object_object_length(map) + 1 : 1, sizeof(*strv));
	if (!strv)
		return lcx__fail_nomem(err);
	if (map) {
		json_object_object_foreach (map, name, value) {
			(void)value;
			strv[n] = strdup(name);
			if (!strv[n++])
				return lcx__fail_nomem(err);
		}
	}
	qsort(strv, n, sizeof(*strv), compare_strings);
	*ret = TAKE_PTR(strv);
	return 0;
}
