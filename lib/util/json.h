/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * JSON <-> C structures by tables. A table has one row for each property: its key,
 * kind and place in the structure. From the same table a document is read
 * and checked, written, and the structure released; a new property is a new row.
 *
 * The structures are made of the types in opt.h, `char *` and NULL-terminated
 * `char **`. Zeroed memory is a valid structure in which everything is absent.
 * An object inside an object is a struct whose first member is `bool set`; an
 * item of a MAP is a struct whose first member is `char *`, the key.
 *
 * What reading takes: strict JSON, whose strings hold no NUL. `null` counts as absent, for Go's
 * libraries write it so. What it refuses: a wrong type, a number that is out of range or no
 * integer, a name that is not in its list, a missing required property, a key twice in one object.
 * Errors name the path: "linux.resources.memory.limit: must be an integer". Unknown keys are
 * collected as warnings.
 */

#include <json-c/json.h>

#include "util/opt.h"
#include "util/str.h"

enum lcx__json_kind {
	LCX__JSON_BOOL,       /* struct lcx__opt_bool */
	LCX__JSON_INT,        /* struct lcx__opt_int */
	LCX__JSON_U32,        /* struct lcx__opt_u32 */
	LCX__JSON_I64,        /* struct lcx__opt_i64 */
	LCX__JSON_U64,        /* struct lcx__opt_u64 */
	LCX__JSON_STRING,     /* char * */
	LCX__JSON_STRINGS,    /* char **, NULL-terminated */
	LCX__JSON_ENUM,       /* struct lcx__opt_int, out of .names */
	LCX__JSON_ENUM_U32,   /* struct lcx__opt_u32, out of .names */
	LCX__JSON_ENUM_U64,   /* struct lcx__opt_u64, out of .names */
	LCX__JSON_FLAGS,      /* struct lcx__opt_u64: a list of .names, or-ed */
	LCX__JSON_U32S,       /* LCX__LIST(uint32_t) */
	LCX__JSON_OBJECT,     /* a struct by .fields */
	LCX__JSON_LIST,       /* LCX__LIST(a struct by .fields) */
	LCX__JSON_MAP,        /* the same, but an object whose keys are the first member */
	LCX__JSON_STRING_MAP, /* LCX__LIST(struct lcx__key_value) */
	LCX__JSON_CUSTOM,     /* whatever .codec knows */
	LCX__JSON_HIDDEN,     /* char *: only released; its key is no key */
};

/* One name of an enumeration; several names may share a value, the first one is written. */
struct lcx__json_name {
	const char *name; /* NULL: the end of the table */
	uint64_t value;
};

struct lcx__json_reader;

/* For values that are read and written by code. @place points to the member. */
struct lcx__json_codec {
	int (*read)(struct lcx__json_reader *reader, struct json_object *json, void *place);
	/* *@ret stays NULL for what is absent. Return: 0 or -ENOMEM. */
	int (*write)(const void *place, const void *context, struct json_object **ret);
	void (*release)(void *place);
};

struct lcx__json_field {
	const char *key; /* NULL: the end of the table */
	enum lcx__json_kind kind;
	bool required;
	size_t offset;
	int64_t min; /* with .max; both 0: whatever the type holds */
	uint64_t max;
	const struct lcx__json_name *names;
	const struct lcx__json_field *fields;
	size_t item_size;
	const struct lcx__json_codec *codec;
	/* More checks; the path is put before their words. */
	int (*check)(const char *text,
		     struct lcx_error **err);                /* each string; or the key of a MAP */
	int (*finish)(void *object, struct lcx_error **err); /* each object, after its fields */
	int (*finish_list)(void *list, struct lcx_error **err); /* the whole list */
};

/* The place of @member, which must be of type @want. */
#define LCX__JSON_AT(kind_, type, member, want)                                                    \
	.kind = LCX__JSON_##kind_,                                                                 \
	.offset = offsetof(type, member) + 0 * sizeof(_Generic(((type *)0)->member, want : 0))

#define LCX__JSON_ITEMS(kind_, type, member)                                                       \
	.kind = LCX__JSON_##kind_, .offset = offsetof(type, member.set),                           \
	.item_size = sizeof(*((type *)0)->member.items)

/* Rows: { "uid", AS_U32(struct user, uid), .max = MAX_ID } */
#define AS_BOOL(type, member)       LCX__JSON_AT(BOOL, type, member, struct lcx__opt_bool)
#define AS_INT(type, member)        LCX__JSON_AT(INT, type, member, struct lcx__opt_int)
#define AS_U32(type, member)        LCX__JSON_AT(U32, type, member, struct lcx__opt_u32)
#define AS_I64(type, member)        LCX__JSON_AT(I64, type, member, struct lcx__opt_i64)
#define AS_U64(type, member)        LCX__JSON_AT(U64, type, member, struct lcx__opt_u64)
#define AS_STRING(type, member)     LCX__JSON_AT(STRING, type, member, char *)
#define AS_STRINGS(type, member)    LCX__JSON_AT(STRINGS, type, member, char **)
#define AS_ENUM(type, member)       LCX__JSON_AT(ENUM, type, member, struct lcx__opt_int)
#define AS_ENUM_U32(type, member)   LCX__JSON_AT(ENUM_U32, type, member, struct lcx__opt_u32)
#define AS_ENUM_U64(type, member)   LCX__JSON_AT(ENUM_U64, type, member, struct lcx__opt_u64)
#define AS_FLAGS(type, member)      LCX__JSON_AT(FLAGS, type, member, struct lcx__opt_u64)
#define AS_HIDDEN(type, member)     LCX__JSON_AT(HIDDEN, type, member, char *)
#define AS_OBJECT(type, member)     .kind = LCX__JSON_OBJECT, .offset = offsetof(type, member.set)
#define AS_LIST(type, member)       LCX__JSON_ITEMS(LIST, type, member)
#define AS_MAP(type, member)        LCX__JSON_ITEMS(MAP, type, member)
#define AS_U32S(type, member)       LCX__JSON_ITEMS(U32S, type, member)
#define AS_STRING_MAP(type, member) LCX__JSON_ITEMS(STRING_MAP, type, member)
#define AS_CUSTOM(type, member)     .kind = LCX__JSON_CUSTOM, .offset = offsetof(type, member)

/*
 * Parse a document of at most @limit bytes, no deeper than 32. The result is
 * released with json_object_put(). Return: 0, -E2BIG, -EINVAL, -ENOMEM.
 */
int lcx__json_parse(const char *text, size_t length, size_t limit, struct json_object **ret,
		    struct lcx_error **err);

/*
 * What others read on must be UTF-8, as RFC 8259 (8.1) has it; lcx__json_parse() takes any bytes,
 * for names of files and arguments are such.
 */
int lcx__json_parse_utf8(const char *text, size_t length, size_t limit, struct json_object **ret,
			 struct lcx_error **err);

/*
 * Fill @object, which is zeroed before, by @fields. On failure it is half
 * filled, to be released all the same. @warnings (a NULL-terminated array) may be
 * NULL if they aren't wanted.
 */
int lcx__json_read(const struct lcx__json_field *fields, struct json_object *json, void *object,
		   char ***warnings, struct lcx_error **err);

/* A new JSON object of what is set; @context is handed to codecs. NULL: out of memory. */
struct json_object *lcx__json_write(const struct lcx__json_field *fields, const void *object,
				    const void *context);

/* The text of a JSON value, owned by the caller. NULL: out of memory. */
char *lcx__json_print(struct json_object *json);

/* Without a blank or a new line, for what only programs read again. */
char *lcx__json_print_short(struct json_object *json);

/* Release everything that @object owns. Numbers stay as they are: zero it to use it again. */
void lcx__json_release(const struct lcx__json_field *fields, void *object);

/* For codecs. @reason follows the path: "must be ...". Returns -EINVAL. */
int lcx__json_fail(struct lcx__json_reader *reader, const char *reason);
int lcx__json_fail_nomem(struct lcx__json_reader *reader);

/* For checks that know nothing of JSON: where their words go, and then the path before them. */
struct lcx_error **lcx__json_err(struct lcx__json_reader *reader);
int lcx__json_prefix(struct lcx__json_reader *reader, int result);

int lcx__json_warn(struct lcx__json_reader *reader, const char *format, ...) LCX_PRINTF(2, 3);
bool lcx__json_is_text(struct json_object *json); /* a string without a NUL */

/* Descend into a member or an item while codecs read it, so that errors have its path. */
size_t lcx__json_enter(struct lcx__json_reader *reader, const char *key);
size_t lcx__json_enter_item(struct lcx__json_reader *reader, size_t index);
void lcx__json_leave(struct lcx__json_reader *reader, size_t mark);
int lcx__json_read_object(struct lcx__json_reader *reader, const struct lcx__json_field *fields,
			  struct json_object *json, void *object);

/* The value of a name, and the (first) name of a value: false and NULL if there is none. */
bool lcx__json_value_of(const struct lcx__json_name *names, const char *name, uint64_t *ret);
const char *lcx__json_name_of(const struct lcx__json_name *names, uint64_t value);

static inline void lcx__json_putp(struct json_object **json)
{
	if (*json)
		(void)json_object_put(*json);
}
