/* SPDX-License-Identifier: MIT */
#include "util/json.h"

#include <inttypes.h>
#include <string.h>

#include "util/json-strict.h"

/* The path grows at its end; a hostile document with long keys only makes it less readable. */
struct lcx__json_reader {
	char path[512];
	size_t length;
	char ***warnings;
	struct lcx_error **err;
};

enum { MAX_WARNINGS = 64 };

size_t lcx__json_enter(struct lcx__json_reader *reader, const char *key)
{
	size_t mark = reader->length;

	(void)snprintf(reader->path + mark, sizeof(reader->path) - mark, "%s%.64s", mark ? "." : "",
		       key);
	reader->length = mark + strlen(reader->path + mark);
	return mark;
}

size_t lcx__json_enter_item(struct lcx__json_reader *reader, size_t index)
{
	size_t mark = reader->length;

	(void)snprintf(reader->path + mark, sizeof(reader->path) - mark, "[%zu]", index);
	reader->length = mark + strlen(reader->path + mark);
	return mark;
}

void lcx__json_leave(struct lcx__json_reader *reader, size_t mark)
{
	reader->path[mark] = '\0';
	reader->length = mark;
}

static const char *path_of(const struct lcx__json_reader *reader)
{
	return reader->length ? reader->path : "(top)";
}

int lcx__json_fail(struct lcx__json_reader *reader, const char *reason)
{
	return lcx__fail(reader->err, EINVAL, "%s: %s", path_of(reader), reason);
}

int lcx__json_fail_nomem(struct lcx__json_reader *reader)
{
	return lcx__fail_nomem(reader->err);
}

struct lcx_error **lcx__json_err(struct lcx__json_reader *reader)
{
	return reader->err;
}

int lcx__json_prefix(struct lcx__json_reader *reader, int result)
{
	return lcx__fail_prefix(reader->err, result, "%s", path_of(reader));
}

int lcx__json_warn(struct lcx__json_reader *reader, const char *format, ...)
{
	CLEANUP(freep) char *text = NULL, *sentence = NULL;
	va_list args;
	int length;

	if (!reader->warnings || lcx__strv_length(*reader->warnings) >= MAX_WARNINGS)
		return 0;
	va_start(args, format);
	length = vasprintf(&text, format, args);
	va_end(args);
	if (length < 0) {
		text = NULL;
		return lcx__json_fail_nomem(reader);
	}
	sentence = lcx__format("%s: %s", path_of(reader), text);
	if (!sentence || lcx__strv_append(reader->warnings, sentence) < 0)
		return lcx__json_fail_nomem(reader);
	return 0;
}

bool lcx__json_is_text(struct json_object *json)
{
	if (!json_object_is_type(json, json_type_string))
		return false;
	return strlen(json_object_get_string(json)) == (size_t)json_object_get_string_len(json);
}

bool lcx__json_value_of(const struct lcx__json_name *names, const char *name, uint64_t *ret)
{
	for (; names->name; names++) {
		if (strcmp(names->name, name) != 0)
			continue;
		*ret = names->value;
		return true;
	}
	return false;
}

const char *lcx__json_name_of(const struct lcx__json_name *names, uint64_t value)
{
	for (; names->name; names++)
		if (names->value == value)
			return names->name;
	return NULL;
}

static int parse(const char *text, size_t length, size_t limit, int flags, struct json_object **ret,
		 struct lcx_error **err)
{
	CLEANUP(lcx__json_putp) struct json_object *json = NULL;
	CLEANUP(freep) char *copy = NULL;
	struct json_tokener *tokener;
	enum json_tokener_error failure;
	size_t at;
	int r;

	if (length > limit || length >= INT32_MAX)
		return lcx__fail(err, E2BIG, "the document has %zu bytes; at most %zu are read",
				 length, limit);
	/* The final NUL tells json-c that a number at the end is complete. */
	copy = malloc(length + 1);
	if (!copy)
		return lcx__fail_nomem(err);
	memcpy(copy, text, length);
	copy[length] = '\0';
	if (strlen(copy) != length)
		return lcx__fail(err, EINVAL, "the document contains a NUL at byte %zu",
				 strlen(copy));

	tokener = json_tokener_new_ex(LCX__JSON_DEPTH);
	if (!tokener)
		return lcx__fail_nomem(err);
	json_tokener_set_flags(tokener, flags);
	json = json_tokener_parse_ex(tokener, copy, (int)length + 1);
	failure = json_tokener_get_error(tokener);
	at = json_tokener_get_parse_end(tokener);
	json_tokener_free(tokener);
	if (failure == json_tokener_error_parse_utf8_string)
		return lcx__fail(err, EINVAL, "not UTF-8 at byte %zu", at);
	if (failure != json_tokener_success)
		return lcx__fail(err, EINVAL, "not JSON: %s at byte %zu",
				 json_tokener_error_desc(failure), at);

	r = lcx__json_check_strict(copy, length, json, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(json);
	return 0;
}

int lcx__json_parse(const char *text, size_t length, size_t limit, struct json_object **ret,
		    struct lcx_error **err)
{
	return parse(text, length, limit, JSON_TOKENER_STRICT, ret, err);
}

int lcx__json_parse_utf8(const char *text, size_t length, size_t limit, struct json_object **ret,
			 struct lcx_error **err)
{
	return parse(text, length, limit, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8, ret,
		     err);
}

char *lcx__json_print(struct json_object *json)
{
	const char *text = json_object_to_json_string_ext(
		json,
		JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE);

	return text ? strdup(text) : NULL;
}

char *lcx__json_print_short(struct json_object *json)
{
	const char *text = json_object_to_json_string_ext(
		json, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);

	return text ? strdup(text) : NULL;
}

int lcx__json_read(const struct lcx__json_field *fields, struct json_object *json, void *object,
		   char ***warnings, struct lcx_error **err)
{
	struct lcx__json_reader reader = {.warnings = warnings, .err = err};

	return lcx__json_read_object(&reader, fields, json, object);
}
