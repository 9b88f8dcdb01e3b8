/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "util/json.h"

/*
 * Each kind makes a JSON value of what stands at its place. "Absent" is true with
 * *@ret left NULL; false is out of memory.
 */
typedef bool write_function(const struct lcx__json_field *field, const void *place,
			    const void *context, struct json_object **ret);

/* Hand @value to @array or let it go. */
static bool append(struct json_object *array, struct json_object *value)
{
	if (!value)
		return false;
	if (json_object_array_add(array, value) == 0)
		return true;
	(void)json_object_put(value);
	return false;
}

static bool add(struct json_object *object, const char *key, struct json_object *value)
{
	if (!value)
		return false;
	if (json_object_object_add(object, key, value) == 0)
		return true;
	(void)json_object_put(value);
	return false;
}

static bool write_bool(const struct lcx__json_field *field, const void *place, const void *context,
		       struct json_object **ret)
{
	const struct lcx__opt_bool *value = place;

	(void)field, (void)context;
	return !value->set || (*ret = json_object_new_boolean(value->value));
}

static bool write_int(const struct lcx__json_field *field, const void *place, const void *context,
		      struct json_object **ret)
{
	const struct lcx__opt_int *value = place;

	(void)field, (void)context;
	return !value->set || (*ret = json_object_new_int(value->value));
}

static bool write_u32(const struct lcx__json_field *field, const void *place, const void *context,
		      struct json_object **ret)
{
	const struct lcx__opt_u32 *value = place;

	(void)field, (void)context;
	return !value->set || (*ret = json_object_new_int64(value->value));
}

static bool write_i64(const struct lcx__json_field *field, const void *place, const void *context,
		      struct json_object **ret)
{
	const struct lcx__opt_i64 *value = place;

	(void)field, (void)context;
	return !value->set || (*ret = json_object_new_int64(value->value));
}

static bool write_u64(const struct lcx__json_field *field, const void *place, const void *context,
		      struct json_object **ret)
{
	const struct lcx__opt_u64 *value = place;

	(void)field, (void)context;
	return !value->set || (*ret = json_object_new_uint64(value->value));
}

static bool write_string(const struct lcx__json_field *field, const void *place,
			 const void *context, struct json_object **ret)
{
	char *const *value = place;

	(void)field, (void)context;
	return !*value || (*ret = json_object_new_string(*value));
}

static bool write_strings(const struct lcx__json_field *field, const void *place,
			  const void *context, struct json_object **ret)
{
	char *const *strv = *(char *const *const *)place;

	(void)field, (void)context;
	if (!strv)
		return true;
	*ret = json_object_new_array();
	for (; *ret && *strv; strv++)
		if (!append(*ret, json_object_new_string(*strv)))
			return false;
	return *ret != NULL;
}

static bool write_name(const struct lcx__json_field *field, bool set, uint64_t value,
		       struct json_object **ret)
{
	const char *name = lcx__json_name_of(field->names, value);

	return !set || !name || (*ret = json_object_new_string(name));
}

static bool write_enum(const struct lcx__json_field *field, const void *place, const void *context,
		       struct json_object **ret)
{
	const struct lcx__opt_int *value = place;

	(void)context;
	return write_name(field, value->set, (uint64_t)value->value, ret);
}

static bool write_enum_u32(const struct lcx__json_field *field, const void *place,
			   const void *context, struct json_object **ret)
{
	const struct lcx__opt_u32 *value = place;

	(void)context;
	return write_name(field, value->set, value->value, ret);
}

static bool write_enum_u64(const struct lcx__json_field *field, const void *place,
			   const void *context, struct json_object **ret)
{
	const struct lcx__opt_u64 *value = place;

	(void)context;
	return write_name(field, value->set, value->value, ret);
}

static bool write_flags(const struct lcx__json_field *field, const void *place, const void *context,
			struct json_object **ret)
{
	const struct lcx__opt_u64 *flags = place;

	(void)context;
	if (!flags->set)
		return true;
	*ret = json_object_new_array();
	for (const struct lcx__json_name *name = field->names; *ret && name->name; name++)
		if ((flags->value & name->value) &&
		    !append(*ret, json_object_new_string(name->name)))
			return false;
	return *ret != NULL;
}

static bool write_u32s(const struct lcx__json_field *field, const void *place, const void *context,
		       struct json_object **ret)
{
	const struct lcx__list *list = place;

	(void)field, (void)context;
	if (!list->set)
		return true;
	*ret = json_object_new_array();
	for (size_t i = 0; *ret && i < list->n; i++)
		if (!append(*ret, json_object_new_int64(((const uint32_t *)list->items)[i])))
			return false;
	return *ret != NULL;
}

static bool write_object(const struct lcx__json_field *field, const void *place,
			 const void *context, struct json_object **ret)
{
	return !*(const bool *)place || (*ret = lcx__json_write(field->fields, place, context));
}

static bool write_list(const struct lcx__json_field *field, const void *place, const void *context,
		       struct json_object **ret)
{
	const struct lcx__list *list = place;

	if (!list->set)
		return true;
	*ret = json_object_new_array();
	for (size_t i = 0; *ret && i < list->n; i++) {
		const void *item = (const char *)list->items + i * field->item_size;

		if (!append(*ret, lcx__json_write(field->fields, item, context)))
			return false;
	}
	return *ret != NULL;
}

static bool write_map(const struct lcx__json_field *field, const void *place, const void *context,
		      struct json_object **ret)
{
	const struct lcx__list *list = place;

	if (!list->set)
		return true;
	*ret = json_object_new_object();
	for (size_t i = 0; *ret && i < list->n; i++) {
		const void *item = (const char *)list->items + i * field->item_size;

		if (!add(*ret, *(char *const *)item, lcx__json_write(field->fields, item, context)))
			return false;
	}
	return *ret != NULL;
}

static bool write_string_map(const struct lcx__json_field *field, const void *place,
			     const void *context, struct json_object **ret)
{
	const struct lcx__list *list = place;
	const struct lcx__key_value *items = list->items;

	(void)field, (void)context;
	if (!list->set)
		return true;
	*ret = json_object_new_object();
	for (size_t i = 0; *ret && i < list->n; i++)
		if (!add(*ret, items[i].key, json_object_new_string(items[i].value)))
			return false;
	return *ret != NULL;
}

static bool write_custom(const struct lcx__json_field *field, const void *place,
			 const void *context, struct json_object **ret)
{
	return field->codec->write(place, context, ret) == 0;
}

static bool write_nothing(const struct lcx__json_field *field, const void *place,
			  const void *context, struct json_object **ret)
{
	(void)field, (void)place, (void)context, (void)ret;
	return true;
}

static write_function *const writers[] = {
	[LCX__JSON_BOOL] = write_bool,         [LCX__JSON_INT] = write_int,
	[LCX__JSON_U32] = write_u32,           [LCX__JSON_I64] = write_i64,
	[LCX__JSON_U64] = write_u64,           [LCX__JSON_STRING] = write_string,
	[LCX__JSON_STRINGS] = write_strings,   [LCX__JSON_ENUM] = write_enum,
	[LCX__JSON_ENUM_U32] = write_enum_u32, [LCX__JSON_ENUM_U64] = write_enum_u64,
	[LCX__JSON_FLAGS] = write_flags,       [LCX__JSON_U32S] = write_u32s,
	[LCX__JSON_OBJECT] = write_object,     [LCX__JSON_LIST] = write_list,
	[LCX__JSON_MAP] = write_map,           [LCX__JSON_STRING_MAP] = write_string_map,
	[LCX__JSON_CUSTOM] = write_custom,     [LCX__JSON_HIDDEN] = write_nothing,
};

struct json_object *lcx__json_write(const struct lcx__json_field *fields, const void *object,
				    const void *context)
{
	CLEANUP(lcx__json_putp) struct json_object *json = json_object_new_object();

	for (; json && fields->key; fields++) {
		struct json_object *value = NULL;
		const void *place = (const char *)object + fields->offset;

		if (!writers[fields->kind](fields, place, context, &value)) {
			(void)json_object_put(value);
			return NULL;
		}
		if (value && !add(json, fields->key, value))
			return NULL;
	}
	return TAKE_PTR(json);
}

static void release_items(const struct lcx__json_field *field, struct lcx__list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		void *item = (char *)list->items + i * field->item_size;
		/* A map's key is released here, for it is nobody's field. */
		char *key = field->kind == LCX__JSON_MAP ? *(char **)item : NULL;

		lcx__json_release(field->fields, item);
		free(key);
	}
	free(list->items);
}

static void release_string_map(struct lcx__list *list)
{
	struct lcx__key_value *items = list->items;

	for (size_t i = 0; i < list->n; i++) {
		free(items[i].key);
		free(items[i].value);
	}
	free(items);
}

void lcx__json_release(const struct lcx__json_field *fields, void *object)
{
	for (; fields->key; fields++) {
		void *place = (char *)object + fields->offset;

		switch (fields->kind) {
		case LCX__JSON_STRING:
		case LCX__JSON_HIDDEN:
			free(*(char **)place);
			*(char **)place = NULL;
			break;
		case LCX__JSON_STRINGS:
			*(char ***)place = lcx__strv_free(*(char ***)place);
			break;
		case LCX__JSON_OBJECT:
			lcx__json_release(fields->fields, place);
			*(bool *)place = false;
			break;
		case LCX__JSON_LIST:
		case LCX__JSON_MAP:
			release_items(fields, place);
			*(struct lcx__list *)place = (struct lcx__list){0};
			break;
		case LCX__JSON_U32S:
			free(((struct lcx__list *)place)->items);
			*(struct lcx__list *)place = (struct lcx__list){0};
			break;
		case LCX__JSON_STRING_MAP:
			release_string_map(place);
			*(struct lcx__list *)place = (struct lcx__list){0};
			break;
		case LCX__JSON_CUSTOM:
			fields->codec->release(place);
			break;
		case LCX__JSON_BOOL:
		case LCX__JSON_INT:
		case LCX__JSON_U32:
		case LCX__JSON_I64:
		case LCX__JSON_U64:
		case LCX__JSON_ENUM:
		case LCX__JSON_ENUM_U32:
		case LCX__JSON_ENUM_U64:
		case LCX__JSON_FLAGS:
			break; /* own nothing */
		}
	}
}
