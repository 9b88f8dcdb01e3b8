/* SPDX-License-Identifier: MIT */
#include "template-internal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>

#include "memory.h"
#include "text.h"

void template_fail(struct template_run *r, const char *format, ...)
{
	va_list args;

	if (r->error)
		return;
	va_start(args, format);
	if (vasprintf(&r->error, format, args) < 0)
		r->error = xprintf("out of memory");
	va_end(args);
}

/* ---- values --------------------------------------------------------------- */

static template_value text_value(const char *text)
{
	return json_object_new_string(text);
}

/* Labels and names may come from anywhere: what a terminal would obey is not passed on. */
static void print_text(FILE *out, const char *text)
{
	while (*text) {
		CLEANUP(freep) char *line = xprintf("%.*s", (int)strcspn(text, "\n\t"), text);

		text_print_safe(out, line);
		text += strlen(line);
		if (*text)
			fputc(*text++, out);
	}
}

/* As Go prints them: [a b], map[k:v]. */
void template_print_value(FILE *out, struct json_object *v)
{
	const char *between = "";

	switch (json_object_get_type(v)) {
	case json_type_null:
		fputs("<no value>", out);
		break;
	case json_type_array:
		fputc('[', out);
		for (size_t i = 0; i < json_object_array_length(v); i++) {
			fputs(i ? " " : "", out);
			template_print_value(out, json_object_array_get_idx(v, i));
		}
		fputc(']', out);
		break;
	case json_type_object:
		fputs("map[", out);
		json_object_object_foreach (v, key, member) {
			fprintf(out, "%s%s:", between, key);
			template_print_value(out, member);
			between = " ";
		}
		fputc(']', out);
		break;
	default:
		print_text(out, json_object_get_string(v));
		break;
	}
}

static char *spell_value(struct json_object *v)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		abort();
	template_print_value(out, v);
	if (fclose(out) != 0)
		abort();
	return text;
}

bool template_is_true(struct json_object *v)
{
	switch (json_object_get_type(v)) {
	case json_type_null:
		return false;
	case json_type_boolean:
		return json_object_get_boolean(v);
	case json_type_int:
		return json_object_get_int64(v) != 0;
	case json_type_double:
		return json_object_get_double(v) != 0;
	case json_type_string:
		return json_object_get_string_len(v) > 0;
	case json_type_array:
		return json_object_array_length(v) > 0;
	case json_type_object:
		return json_object_object_length(v) > 0;
	}
	return false;
}

/* The member of an object, in any case if there is none in this one; borrowed. */
static bool find_member(struct json_object *v, const char *name, struct json_object **ret)
{
	if (json_object_object_get_ex(v, name, ret))
		return true;
	json_object_object_foreach (v, key, member) {
		if (strcasecmp(key, name) == 0) {
			*ret = member;
			return true;
		}
	}
	return false;
}

static void fail_member(struct template_run *r, struct json_object *v, const char *name)
{
	CLEANUP(freep) char *there = xprintf("%s", "");

	if (json_object_get_type(v) != json_type_object) {
		template_fail(r, "there is no field '.%s' in what is no object", name);
		return;
	}
	json_object_object_foreach (v, key, member) {
		char *longer = xprintf("%s%s.%s", there, there[0] ? ", " : "", key);

		(void)member;
		free(there);
		there = longer;
	}
	template_fail(r, "there is no field '.%s'; there are %s", name, there[0] ? there : "none");
}

template_value template_member(struct template_run *r, struct json_object *v, const char *name)
{
	struct json_object *member = NULL;

	if (r->skip || r->error)
		return NULL;
	if (json_object_get_type(v) != json_type_object || !find_member(v, name, &member)) {
		fail_member(r, v, name);
		return NULL;
	}
	return json_object_get(member);
}

/* An element of an array, or a member of an object that need not be there. */
static template_value get_index(struct template_run *r, struct json_object *v,
				struct json_object *index)
{
	struct json_object *found = NULL;

	if (json_object_get_type(v) == json_type_array) {
		int64_t i = json_object_get_int64(index);

		if (i < 0 || (uint64_t)i >= json_object_array_length(v))
			template_fail(r, "there is no element %" PRId64, i);
		else
			found = json_object_array_get_idx(v, (size_t)i);
	} else if (json_object_get_type(v) == json_type_object) {
		if (!json_object_object_get_ex(v, json_object_get_string(index), &found))
			return text_value("");
	} else {
		template_fail(r, "only lists and objects have elements");
	}
	return json_object_get(found);
}

/* ---- functions ------------------------------------------------------------ */

static template_value do_json(struct template_run *r, struct template_call *call)
{
	(void)r;
	return text_value(json_object_to_json_string_ext(
		call->arguments[0], JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
}

static template_value change_case(struct template_call *call, char from, char to)
{
	CLEANUP(freep) char *text = spell_value(call->arguments[0]);

	for (char *c = text; *c; c++)
		if (*c >= from && *c <= from + 25)
			*c = (char)(*c - from + to);
	return text_value(text);
}

static template_value do_lower(struct template_run *r, struct template_call *call)
{
	(void)r;
	return change_case(call, 'A', 'a');
}

static template_value do_upper(struct template_run *r, struct template_call *call)
{
	(void)r;
	return change_case(call, 'a', 'A');
}

static template_value do_len(struct template_run *r, struct template_call *call)
{
	struct json_object *v = call->arguments[0];

	switch (json_object_get_type(v)) {
	case json_type_array:
		return json_object_new_int64((int64_t)json_object_array_length(v));
	case json_type_object:
		return json_object_new_int64(json_object_object_length(v));
	case json_type_string:
		return json_object_new_int64(json_object_get_string_len(v));
	default:
		template_fail(r, "only texts, lists and objects have a length");
		return NULL;
	}
}

static template_value do_join(struct template_run *r, struct template_call *call)
{
	CLEANUP(freep) char *separator = spell_value(call->arguments[1]);
	CLEANUP(freep) char *text = xprintf("%s", "");

	if (json_object_get_type(call->arguments[0]) != json_type_array) {
		template_fail(r, "only lists can be joined");
		return NULL;
	}
	for (size_t i = 0; i < json_object_array_length(call->arguments[0]); i++) {
		CLEANUP(freep)
		char *item = spell_value(json_object_array_get_idx(call->arguments[0], i));
		char *longer = xprintf("%s%s%s", text, i ? separator : "", item);

		free(text);
		text = longer;
	}
	return text_value(text);
}

template_value template_index(struct template_run *r, struct template_call *call)
{
	template_value v = json_object_get(call->arguments[0]);

	for (int i = 1; i < call->n && !r->error; i++) {
		template_value inner = get_index(r, v, call->arguments[i]);

		json_object_put(v);
		v = inner;
	}
	return v;
}

static template_value do_println(struct template_run *r, struct template_call *call)
{
	CLEANUP(freep) char *text = xprintf("%s", ""), *line = NULL;

	(void)r;
	for (int i = 0; i < call->n; i++) {
		CLEANUP(freep) char *item = spell_value(call->arguments[i]);
		char *longer = xprintf("%s%s%s", text, i ? " " : "", item);

		free(text);
		text = longer;
	}
	line = xprintf("%s\n", text);
	return text_value(line);
}

static template_value do_eq(struct template_run *r, struct template_call *call)
{
	CLEANUP(freep) char *a = spell_value(call->arguments[0]);
	CLEANUP(freep) char *b = spell_value(call->arguments[1]);

	(void)r;
	return json_object_new_boolean(strcmp(a, b) == 0);
}

static template_value do_ne(struct template_run *r, struct template_call *call)
{
	template_value equal = do_eq(r, call);
	bool is_equal = json_object_get_boolean(equal);

	json_object_put(equal);
	return json_object_new_boolean(!is_equal);
}

static template_value do_not(struct template_run *r, struct template_call *call)
{
	(void)r;
	return json_object_new_boolean(!template_is_true(call->arguments[0]));
}

static const struct template_function functions[] = {
	{"json", 1, 1, do_json},   {"len", 1, 1, do_len},
	{"lower", 1, 1, do_lower}, {"upper", 1, 1, do_upper},
	{"join", 2, 2, do_join},   {"index", 1, TEMPLATE_ARGUMENTS, template_index},
	{"eq", 2, 2, do_eq},       {"ne", 2, 2, do_ne},
	{"not", 1, 1, do_not},     {"println", 0, TEMPLATE_ARGUMENTS, do_println},
};

const struct template_function *template_find_function(const char *name, size_t length)
{
	for (size_t i = 0; i < sizeof(functions) / sizeof(*functions); i++)
		if (strlen(functions[i].name) == length &&
		    memcmp(functions[i].name, name, length) == 0)
			return &functions[i];
	return NULL;
}
