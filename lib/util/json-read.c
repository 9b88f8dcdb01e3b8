/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include "util/json.h"

/* One function per kind of value; read_value() at the end is their table. */

typedef int read_function(struct lcx__json_reader *reader, const struct lcx__json_field *field,
			  struct json_object *json, void *place);

static int fail_range(struct lcx__json_reader *reader, int64_t min, uint64_t max)
{
	char reason[96];

	(void)snprintf(reason, sizeof(reason), "must be an integer from %" PRId64 " to %" PRIu64,
		       min, max);
	return lcx__json_fail(reader, reason);
}

/* Any integer kind, as 64 bits; @type_min and @type_max bind when the row names no range. */
static int read_integer(struct lcx__json_reader *reader, const struct lcx__json_field *field,
			struct json_object *json, int64_t type_min, uint64_t type_max,
			uint64_t *ret)
{
	bool whole_type = field->min == 0 && field->max == 0;
	int64_t min = whole_type ? type_min : field->min;
	uint64_t max = whole_type ? type_max : field->max;
	bool negative;

	if (!json_object_is_type(json, json_type_int))
		return lcx__json_fail(reader, "must be an integer");
	negative = json_object_get_int64(json) < 0;
	if (negative && json_object_get_int64(json) < min)
		return fail_range(reader, min, max);
	/* A positive @min matters for all values, a negative one for none that isn't negative. */
	if (!negative && (json_object_get_uint64(json) > max ||
			  (min > 0 && json_object_get_uint64(json) < (uint64_t)min)))
		return fail_range(reader, min, max);
	*ret = negative ? (uint64_t)json_object_get_int64(json) : json_object_get_uint64(json);
	return 0;
}

static int read_bool(struct lcx__json_reader *reader, const struct lcx__json_field *field,
		     struct json_object *json, void *place)
{
	(void)field;
	if (!json_object_is_type(json, json_type_boolean))
		return lcx__json_fail(reader, "must be true or false");
	*(struct lcx__opt_bool *)place =
		(struct lcx__opt_bool)LCX__OPT(json_object_get_boolean(json));
	return 0;
}

static int read_int(struct lcx__json_reader *reader, const struct lcx__json_field *field,
		    struct json_object *json, void *place)
{
	uint64_t value;
	int r = read_integer(reader, field, json, INT32_MIN, INT32_MAX, &value);

	if (r == 0)
		*(struct lcx__opt_int *)place = (struct lcx__opt_int)LCX__OPT((int)(int64_t)value);
	return r;
}

static int read_u32(struct lcx__json_reader *reader, const struct lcx__json_field *field,
		    struct json_object *json, void *place)
{
	uint64_t value;
	int r = read_integer(reader, field, json, 0, UINT32_MAX, &value);

	if (r == 0)
		*(struct lcx__opt_u32 *)place = (struct lcx__opt_u32)LCX__OPT((uint32_t)value);
	return r;
}

static int read_i64(struct lcx__json_reader *reader, const struct lcx__json_field *field,
		    struct json_object *json, void *place)
{
	uint64_t value;
	int r = read_integer(reader, field, json, INT64_MIN, INT64_MAX, &value);

	if (r == 0)
		*(struct lcx__opt_i64 *)place = (struct lcx__opt_i64)LCX__OPT((int64_t)value);
	return r;
}

static int read_u64(struct lcx__json_reader *reader, const struct lcx__json_field *field,
		    struct json_object *json, void *place)
{
	uint64_t value;
	int r = read_integer(reader, field, json, 0, UINT64_MAX, &value);

	if (r == 0)
		*(struct lcx__opt_u64 *)place = (struct lcx__opt_u64)LCX__OPT(value);
	return r;
}

static int check_text(struct lcx__json_reader *reader, const struct lcx__json_field *field,
		      const char *text)
{
	int r = field->check ? field->check(text, lcx__json_err(reader)) : 0;

	return lcx__json_prefix(reader, r);
}

static int read_text(struct lcx__json_reader *reader, const struct lcx__json_field *field,
		     struct json_object *json, const char **ret)
{
	if (!json_object_is_type(json, json_type_string))
		return lcx__json_fail(reader, "must be a string");
	if (!lcx__json_is_text(json))
		return lcx__json_fail(reader, "must not contain a NUL");
	*ret = json_object_get_string(json);
	return check_text(reader, field, *ret);
}

static int read_string(struct lcx__json_reader *reader, const struct lcx__json_field *field,
		       struct json_object *json, void *place)
{
	char **string = place;
	const char *text;
	int r = read_text(reader, field, json, &text);

	if (r < 0)
		return r;
	*string = strdup(text);
	return *string ? 0 : lcx__json_fail_nomem(reader);
}

/* Go through a list, one item at a time, with the item's path. */
static int read_each(struct lcx__json_reader *reader, const struct lcx__json_field *field,
		     struct json_object *json, void *place, read_function *read_item)
{
	int r = 0;

	if (!json_object_is_type(json, json_type_array))
		return lcx__json_fail(reader, "must be a list");
	for (size_t i = 0; r == 0 && i < json_object_array_length(json); i++) {
		size_t mark = lcx__json_enter_item(reader, i);

		r = read_item(reader, field, json_object_array_get_idx(json, i), place);
		lcx__json_leave(reader, mark);
	}
	return r;
}

struct strings {
	char **items;
	size_t n;
};

static int read_strings_item(struct lcx__json_reader *reader, const struct lcx__json_field *field,
			     struct json_object *json, void *place)
{
	struct strings *strings = place;
	const char *text;
	int r = read_text(reader, field, json, &text);

	if (r < 0)
		return r;
	strings->items[strings->n] = strdup(text);
	return strings->items[strings->n++] ? 0 : lcx__json_fail_nomem(reader);
}

static int read_strings(struct lcx__json_reader *reader, const struct lcx__json_field *field,
			struct json_object *json, void *place)
{
	struct strings strings = {0};

	if (!json_object_is_type(json, json_type_array))
		return lcx__json_fail(reader, "must be a list");
	/* All at once: a growing array would make a hostile list quadratic. */
	strings.items = calloc(json_object_array_length(json) + 1, sizeof(char *));
	if (!strings.items)
		return lcx__json_fail_nomem(reader);
	*(char ***)place = strings.items;
	return read_each(reader, field, json, &strings, read_strings_item);
}

static int read_name(struct lcx__json_reader *reader, const struct lcx__json_field *field,
		     struct json_object *json, uint64_t *ret)
{
	CLEANUP(lcx__strbuf_free) struct lcx__strbuf reason = STRBUF_EMPTY;
	const char *text;
	int r = read_text(reader, field, json, &text);

	if (r < 0)
		return r;
	if (lcx__json_value_of(field->names, text, ret))
		return 0;
	lcx__strbuf_addf(&reason, "'%.64s' is unknown; must be one of", text);
	for (const struct lcx__json_name *name = field->names; name->name; name++)
		lcx__strbuf_addf(&reason, " %s", name->name);
	return lcx__json_fail(reader, reason.text ? reason.text : "unknown name");
}

static int read_enum(struct lcx__json_reader *reader, const struct lcx__json_field *field,
		     struct json_object *json, void *place)
{
	uint64_t value;
	int r = read_name(reader, field, json, &value);

	if (r == 0)
		*(struct lcx__opt_int *)place = (struct lcx__opt_int)LCX__OPT((int)value);
	return r;
}

static int read_enum_u32(struct lcx__json_reader *reader, const struct lcx__json_field *field,
			 struct json_object *json, void *place)
{
	uint64_t value;
	int r = read_name(reader, field, json, &value);

	if (r == 0)
		*(struct lcx__opt_u32 *)place = (struct lcx__opt_u32)LCX__OPT((uint32_t)value);
	return r;
}

static int read_enum_u64(struct lcx__json_reader *reader, const struct lcx__json_field *field,
			 struct json_object *json, void *place)
{
	uint64_t value;
	int r = read_name(reader, field, json, &value);

	if (r == 0)
		*(struct lcx__opt_u64 *)place = (struct lcx__opt_u64)LCX__OPT(value);
	return r;
}

static int read_flag(struct lcx__json_reader *reader, const struct lcx__json_field *field,
		     struct json_object *json, void *place)
{
	struct lcx__opt_u64 *flags = place;
	uint64_t value;
	int r = read_name(reader, field, json, &value);

	if (r == 0)
		flags->value |= value;
	return r;
}

static int read_flags(struct lcx__json_reader *reader, const struct lcx__json_field *field,
		      struct json_object *json, void *place)
{
	((struct lcx__opt_u64 *)place)->set = true;
	return read_each(reader, field, json, place, read_flag);
}

static int read_u32s_item(struct lcx__json_reader *reader, const struct lcx__json_field *field,
			  struct json_object *json, void *place)
{
	uint32_t *item;
	uint64_t value;
	int r = read_integer(reader, field, json, 0, UINT32_MAX, &value);

	if (r < 0)
		return r;
	item = lcx__list_grow(place, sizeof(*item));
	if (!item)
		return lcx__json_fail_nomem(reader);
	*item = (uint32_t)value;
	return 0;
}

static int read_u32s(struct lcx__json_reader *reader, const struct lcx__json_field *field,
		     struct json_object *json, void *place)
{
	((struct lcx__list *)place)->set = true;
	return read_each(reader, field, json, place, read_u32s_item);
}

static int finish_object(struct lcx__json_reader *reader, const struct lcx__json_field *field,
			 void *object)
{
	int r = field->finish ? field->finish(object, lcx__json_err(reader)) : 0;

	return lcx__json_prefix(reader, r);
}

static int read_object(struct lcx__json_reader *reader, const struct lcx__json_field *field,
		       struct json_object *json, void *place)
{
	int r = lcx__json_read_object(reader, field->fields, json, place);

	*(bool *)place = true;
	return r < 0 ? r : finish_object(reader, field, place);
}

static int read_list_item(struct lcx__json_reader *reader, const struct lcx__json_field *field,
			  struct json_object *json, void *place)
{
	void *item = lcx__list_grow(place, field->item_size);
	int r;

	if (!item)
		return lcx__json_fail_nomem(reader);
	r = lcx__json_read_object(reader, field->fields, json, item);
	return r < 0 ? r : finish_object(reader, field, item);
}

static int read_list(struct lcx__json_reader *reader, const struct lcx__json_field *field,
		     struct json_object *json, void *place)
{
	int r;

	((struct lcx__list *)place)->set = true;
	r = read_each(reader, field, json, place, read_list_item);
	if (r < 0 || !field->finish_list)
		return r;
	return lcx__json_prefix(reader, field->finish_list(place, lcx__json_err(reader)));
}

static int read_map_item(struct lcx__json_reader *reader, const struct lcx__json_field *field,
			 const char *key, struct json_object *json, void *list)
{
	void *item = lcx__list_grow(list, field->item_size);
	int r;

	if (!item)
		return lcx__json_fail_nomem(reader);
	*(char **)item = strdup(key);
	if (!*(char **)item)
		return lcx__json_fail_nomem(reader);
	r = check_text(reader, field, key);
	if (r < 0)
		return r;
	r = lcx__json_read_object(reader, field->fields, json, item);
	return r < 0 ? r : finish_object(reader, field, item);
}

static int read_map(struct lcx__json_reader *reader, const struct lcx__json_field *field,
		    struct json_object *json, void *place)
{
	if (!json_object_is_type(json, json_type_object))
		return lcx__json_fail(reader, "must be an object");
	((struct lcx__list *)place)->set = true;
	json_object_object_foreach (json, key, value) {
		size_t mark = lcx__json_enter(reader, key);
		int r = read_map_item(reader, field, key, value, place);

		lcx__json_leave(reader, mark);
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_string_map_item(struct lcx__json_reader *reader,
				const struct lcx__json_field *field, const char *key,
				struct json_object *json, void *list)
{
	struct lcx__key_value *item;
	int r = check_text(reader, field, key);

	if (r < 0)
		return r;
	if (!lcx__json_is_text(json))
		return lcx__json_fail(reader, "must be a string without a NUL");
	item = lcx__list_grow(list, sizeof(*item));
	if (!item)
		return lcx__json_fail_nomem(reader);
	item->key = strdup(key);
	item->value = strdup(json_object_get_string(json));
	if (!item->key || !item->value)
		return lcx__json_fail_nomem(reader);
	r = field->finish ? field->finish(item, lcx__json_err(reader)) : 0;
	return lcx__json_prefix(reader, r);
}

static int read_string_map(struct lcx__json_reader *reader, const struct lcx__json_field *field,
			   struct json_object *json, void *place)
{
	if (!json_object_is_type(json, json_type_object))
		return lcx__json_fail(reader, "must be an object");
	((struct lcx__list *)place)->set = true;
	json_object_object_foreach (json, key, value) {
		size_t mark = lcx__json_enter(reader, key);
		int r = read_string_map_item(reader, field, key, value, place);

		lcx__json_leave(reader, mark);
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_custom(struct lcx__json_reader *reader, const struct lcx__json_field *field,
		       struct json_object *json, void *place)
{
	return field->codec->read(reader, json, place);
}

static read_function *const readers[] = {
	[LCX__JSON_BOOL] = read_bool,         [LCX__JSON_INT] = read_int,
	[LCX__JSON_U32] = read_u32,           [LCX__JSON_I64] = read_i64,
	[LCX__JSON_U64] = read_u64,           [LCX__JSON_STRING] = read_string,
	[LCX__JSON_STRINGS] = read_strings,   [LCX__JSON_ENUM] = read_enum,
	[LCX__JSON_ENUM_U32] = read_enum_u32, [LCX__JSON_ENUM_U64] = read_enum_u64,
	[LCX__JSON_FLAGS] = read_flags,       [LCX__JSON_U32S] = read_u32s,
	[LCX__JSON_OBJECT] = read_object,     [LCX__JSON_LIST] = read_list,
	[LCX__JSON_MAP] = read_map,           [LCX__JSON_STRING_MAP] = read_string_map,
	[LCX__JSON_CUSTOM] = read_custom,
};

static const struct lcx__json_field *find_field(const struct lcx__json_field *fields,
						const char *key)
{
	for (; fields->key; fields++)
		if (fields->kind != LCX__JSON_HIDDEN && strcmp(fields->key, key) == 0)
			return fields;
	return NULL;
}

static int read_member(struct lcx__json_reader *reader, const struct lcx__json_field *fields,
		       const char *key, struct json_object *json, void *object)
{
	const struct lcx__json_field *field = find_field(fields, key);

	if (!field)
		return lcx__json_warn(reader, "unknown property, ignored");
	if (!json)
		return 0;
	return readers[field->kind](reader, field, json, (char *)object + field->offset);
}

static int check_required(struct lcx__json_reader *reader, const struct lcx__json_field *fields,
			  struct json_object *json)
{
	for (; fields->key; fields++) {
		struct json_object *value = NULL;

		if (!fields->required)
			continue;
		if (!json_object_object_get_ex(json, fields->key, &value) || !value) {
			(void)lcx__json_enter(reader, fields->key);
			return lcx__json_fail(reader, "must be there");
		}
	}
	return 0;
}

int lcx__json_read_object(struct lcx__json_reader *reader, const struct lcx__json_field *fields,
			  struct json_object *json, void *object)
{
	if (!json_object_is_type(json, json_type_object))
		return lcx__json_fail(reader, "must be an object");
	json_object_object_foreach (json, key, value) {
		size_t mark = lcx__json_enter(reader, key);
		int r = read_member(reader, fields, key, value, object);

		lcx__json_leave(reader, mark);
		if (r < 0)
			return r;
	}
	return check_required(reader, fields, json);
}
