/* SPDX-License-Identifier: MIT */
#include "net/json.h"

#include <string.h>

#include "util/fs.h"

/* 65,535 published ports, each as an object of its own, come to some 6 MiB. */
enum { FILE_LIMIT = 16 << 20 };

int lcx__net_json_read(int dir_fd, const char *file, struct json_object **ret,
		       struct lcx_error **err)
{
	CLEANUP(net_json_putp) struct json_object *object = NULL;
	CLEANUP(freep) char *text = NULL;
	int r;

	r = lcx__read_file(dir_fd, file, FILE_LIMIT, &text, NULL);
	if (r == -ENOENT)
		return r;
	if (r < 0)
		return lcx__fail_sys(err, -r, "read '%s'", file);
	object = json_tokener_parse(text);
	if (!json_object_is_type(object, json_type_object))
		return lcx__fail(err, EUCLEAN, "'%s' is damaged: not a JSON object", file);
	*ret = TAKE_PTR(object);
	return 0;
}

int lcx__net_json_write(int dir_fd, const char *file, struct json_object *object, bool durable,
			struct lcx_error **err)
{
	const char *text = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PRETTY);
	int r;

	if (!text)
		return lcx__fail_nomem(err);
	r = lcx__replace_file(dir_fd, file, text, strlen(text), 0600, durable);
	return r < 0 ? lcx__fail_sys(err, -r, "write '%s'", file) : 0;
}

bool lcx__net_json_text(struct json_object *object, const char *key, char *text, size_t size)
{
	struct json_object *value;
	size_t length;

	if (!json_object_object_get_ex(object, key, &value) ||
	    !json_object_is_type(value, json_type_string))
		return false;
	length = (size_t)json_object_get_string_len(value);
	if (length >= size || strlen(json_object_get_string(value)) != length)
		return false;
	memcpy(text, json_object_get_string(value), length + 1);
	return true;
}

bool lcx__net_json_i64(struct json_object *object, const char *key, int64_t min, int64_t max,
		       int64_t *ret)
{
	struct json_object *value;
	int64_t number;

	if (!json_object_object_get_ex(object, key, &value) ||
	    !json_object_is_type(value, json_type_int))
		return false;
	number = json_object_get_int64(value);
	if (number < min || number > max)
		return false;
	*ret = number;
	return true;
}

bool lcx__net_json_u32(struct json_object *object, const char *key, uint32_t max, uint32_t *ret)
{
	int64_t number;

	if (!lcx__net_json_i64(object, key, 0, max, &number))
		return false;
	*ret = (uint32_t)number;
	return true;
}

bool lcx__net_json_bool(struct json_object *object, const char *key, bool *ret)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, key, &value) ||
	    !json_object_is_type(value, json_type_boolean))
		return false;
	*ret = json_object_get_boolean(value);
	return true;
}

bool lcx__net_json_switch(struct json_object *object, const char *key, bool *ret)
{
	*ret = false;
	return !json_object_object_get_ex(object, key, NULL) ||
	       lcx__net_json_bool(object, key, ret);
}

void lcx__net_json_append(struct json_object **array, struct json_object *item)
{
	if (*array && item && json_object_array_add(*array, item) == 0)
		return;
	net_json_putp(&item);
	net_json_putp(array);
	*array = NULL;
}

void lcx__net_json_add(struct json_object *object, const char *key, struct json_object *value,
		       bool *failed)
{
	if (!object || !value || json_object_object_add(object, key, value) < 0) {
		if (value)
			(void)json_object_put(value);
		*failed = true;
	}
}

void lcx__net_json_add_text(struct json_object *object, const char *key, const char *text,
			    bool *failed)
{
	lcx__net_json_add(object, key, json_object_new_string(text), failed);
}
