/* SPDX-License-Identifier: MIT */
#include "util/json-strict.h"

#include <string.h>

#include "util/json.h"

/*
 * json-c keeps the last of several equal keys and tells nobody, and another
 * program that reads the same file may keep the first: what one has checked isn't what the
 * other runs. It also turns 2^64 into 2^64-1 without a word. So the text is walked
 * once more, after json-c has found it well-formed; the walk can rely on
 * that. Each open object has a set of the keys that it has shown so far.
 *
 * Nearly all documents are spared the walk, for the sets take as long as json-c did: where the text
 * has as many keys as the objects have members, none stood twice.
 */

struct level {
	struct json_object *seen; /* the keys of an object; NULL for an array */
	char *key;                /* the last one */
	size_t index;             /* of the item, in an array */
};

struct walk {
	const char *at, *end;
	struct level levels[LCX__JSON_DEPTH + 1];
	size_t depth;
	bool key_next; /* the next string is a key */
};

static void walk_free(struct walk *walk)
{
	for (size_t i = 0; i < walk->depth; i++) {
		if (walk->levels[i].seen)
			(void)json_object_put(walk->levels[i].seen);
		free(walk->levels[i].key);
	}
}

static int fail_at(const struct walk *walk, struct lcx_error **err, const char *reason)
{
	struct lcx__strbuf path = STRBUF_EMPTY;
	CLEANUP(freep) char *text = NULL;

	for (size_t i = 0; i < walk->depth; i++) {
		const struct level *level = &walk->levels[i];

		if (!level->seen)
			lcx__strbuf_addf(&path, "[%zu]", level->index);
		else if (level->key)
			lcx__strbuf_addf(&path, "%s%.64s", path.length ? "." : "", level->key);
	}
	text = lcx__strbuf_take(&path);
	return lcx__fail(err, EINVAL, "%s: %s", text ? text : "(out of memory)", reason);
}

/* The string at the cursor with its quotation marks; the cursor goes behind it. */
static void skip_string(struct walk *walk, const char **ret, size_t *ret_length)
{
	*ret = walk->at++;
	while (walk->at < walk->end && *walk->at != '"')
		walk->at += *walk->at == '\\' ? 2 : 1;
	if (walk->at < walk->end)
		walk->at++;
	*ret_length = (size_t)(walk->at - *ret);
}

/* A key as it is meant: json-c itself resolves the escapes, if there are any. */
static char *key_text(const char *quoted, size_t length, bool *has_nul)
{
	CLEANUP(freep) char *raw = strndup(quoted, length);
	CLEANUP(lcx__json_putp) struct json_object *json = NULL;

	*has_nul = false;
	if (!raw || length < 2)
		return NULL;
	if (!memchr(raw, '\\', length))
		return strndup(raw + 1, length - 2);
	json = json_tokener_parse(raw);
	if (!json)
		return NULL;
	*has_nul = !lcx__json_is_text(json);
	return strdup(json_object_get_string(json));
}

static int take_key(struct walk *walk, struct lcx_error **err)
{
	struct level *level = &walk->levels[walk->depth - 1];
	const char *quoted;
	bool has_nul;
	size_t length;

	skip_string(walk, &quoted, &length);
	free(level->key);
	level->key = key_text(quoted, length, &has_nul);
	walk->key_next = false;
	if (!level->key)
		return lcx__fail_nomem(err);
	if (has_nul)
		return fail_at(walk, err, "the key contains a NUL");
	if (json_object_object_get_ex(level->seen, level->key, NULL))
		return fail_at(walk, err, "stands twice in one object; remove one");
	return json_object_object_add(level->seen, level->key, NULL) < 0 ? lcx__fail_nomem(err) : 0;
}

static int push(struct walk *walk, bool is_object, struct lcx_error **err)
{
	struct level *level = &walk->levels[walk->depth];

	if (walk->depth == LCX__JSON_DEPTH)
		return fail_at(walk, err, "nested too deeply");
	*level = (struct level){.seen = is_object ? json_object_new_object() : NULL};
	if (is_object && !level->seen)
		return lcx__fail_nomem(err);
	walk->depth++;
	walk->key_next = is_object;
	walk->at++;
	return 0;
}

static void pop(struct walk *walk)
{
	struct level *level = &walk->levels[--walk->depth];

	if (level->seen)
		(void)json_object_put(level->seen);
	free(level->key);
	walk->key_next = false;
	walk->at++;
}

static void next_member(struct walk *walk)
{
	struct level *level = &walk->levels[walk->depth - 1];

	level->index++;
	walk->key_next = level->seen != NULL;
	walk->at++;
}

/* A number without fraction and exponent must be what json-c says it is. */
static int take_number(struct walk *walk, struct lcx_error **err)
{
	size_t length = strspn(walk->at, "+-.0123456789eE");
	bool is_integer = strspn(walk->at, "-0123456789") == length;

	errno = 0;
	if (is_integer && *walk->at == '-')
		(void)strtoll(walk->at, NULL, 10);
	else if (is_integer)
		(void)strtoull(walk->at, NULL, 10);
	if (errno == ERANGE)
		return fail_at(walk, err, "the number is out of range");
	walk->at += length;
	return 0;
}

static int step(struct walk *walk, struct lcx_error **err)
{
	const char *quoted;
	size_t length;

	switch (*walk->at) {
	case '{':
	case '[':
		return push(walk, *walk->at == '{', err);
	case '}':
	case ']':
		if (walk->depth > 0)
			pop(walk);
		else
			walk->at++;
		return 0;
	case ',':
		if (walk->depth > 0)
			next_member(walk);
		else
			walk->at++;
		return 0;
	case '"':
		if (walk->key_next)
			return take_key(walk, err);
		skip_string(walk, &quoted, &length);
		return 0;
	default:
		if (strchr("-0123456789", *walk->at))
			return take_number(walk, err);
		walk->at++;
		return 0;
	}
}

/* In all objects of it together. */
static size_t count_members(struct json_object *json)
{
	size_t n = 0;

	if (json_object_is_type(json, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(json); i++)
			n += count_members(json_object_array_get_idx(json, i));
	} else if (json_object_is_type(json, json_type_object)) {
		json_object_object_foreach (json, key, value) {
			(void)key;
			n += 1 + count_members(value);
		}
	}
	return n;
}

static const char *behind_string(const char *at, bool *ret_has_escapes)
{
	*ret_has_escapes = false;
	for (at++; *at && *at != '"'; at++)
		if (*at == '\\' && at[1]) {
			*ret_has_escapes = true;
			at++;
		}
	return at + (*at == '"');
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Whether that can be told without the walk: numbers are short, and no key has an escape. */
static bool is_plain(const char *text, struct json_object *json)
{
	enum { SHORT_NUMBER = 18 };
	size_t keys = 0, n_digits = 0;

	for (const char *at = text; *at;) {
		bool has_escapes;

		if (*at != '"') {
			n_digits = *at >= '0' && *at <= '9' ? n_digits + 1 : 0;
			if (n_digits > SHORT_NUMBER)
				return false;
			at++;
			continue;
		}
		at = behind_string(at, &has_escapes);
		while (is_blank(*at))
			at++;
		if (*at == ':' && has_escapes)
			return false;
		keys += *at == ':';
	}
	return keys == count_members(json);
}

int lcx__json_check_strict(const char *text, size_t length, struct json_object *json,
			   struct lcx_error **err)
{
	CLEANUP(walk_free) struct walk walk = {.at = text, .end = text + length};
	int r;

	if (is_plain(text, json))
		return 0;
	while (walk.at < walk.end) {
		r = step(&walk, err);
		if (r < 0)
			return r;
	}
	return 0;
}
