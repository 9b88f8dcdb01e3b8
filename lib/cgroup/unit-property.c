/* SPDX-License-Identifier: MIT */
#include "cgroup/unit-property.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/error.h"
#include "util/str.h"

enum { MOST_VALUES = 256 };

/* GVariant's words for types, and what integers may be of them. */
static const struct {
	const char *word;
	char type;
	int64_t min;
	uint64_t max;
} types[] = {
	{"boolean", 'b', 0, 1},         {"string", 's', 0, 0},
	{"byte", 'y', 0, UINT8_MAX},    {"int16", 'n', INT16_MIN, INT16_MAX},
	{"uint16", 'q', 0, UINT16_MAX}, {"int32", 'i', INT32_MIN, INT32_MAX},
	{"uint32", 'u', 0, UINT32_MAX}, {"int64", 'x', INT64_MIN, INT64_MAX},
	{"uint64", 't', 0, UINT64_MAX}, {"double", 'd', 0, 0},
};

/* They make the container what it is, and its unit known as its own. */
static const char *const settled[] = {"Slice", "PIDs", "Description", "Delegate"};

struct reading {
	const char *at;
	char type; /* '\0': not known yet */
	struct lcx__unit_property *ret;
};

static void skip_spaces(struct reading *r)
{
	r->at += strspn(r->at, " \t\n");
}

static bool take(struct reading *r, const char *word)
{
	size_t length = strlen(word);

	if (strncmp(r->at, word, length) != 0)
		return false;
	r->at += length;
	return true;
}

static bool is_word_end(char c)
{
	return c == '\0' || strchr(" \t\n,]", c);
}

/* ---- values ------------------------------------------------------------------ */

/* Within quotes of either kind, with backslashes. */
static char *read_text(struct reading *r)
{
	static const char escapes[] = "\\\\''\"\"n\nt\t";
	struct lcx__strbuf text = STRBUF_EMPTY;
	char quote = *r->at++;

	for (; *r->at && *r->at != quote; r->at++) {
		const char *known = NULL;

		if (*r->at != '\\') {
			lcx__strbuf_add(&text, r->at, 1);
			continue;
		}
		r->at++;
		for (size_t i = 0; escapes[i]; i += 2)
			if (escapes[i] == *r->at)
				known = &escapes[i + 1];
		if (!known)
			break;
		lcx__strbuf_add(&text, known, 1);
	}
	if (*r->at != quote) {
		lcx__strbuf_free(&text);
		return NULL;
	}
	r->at++;
	lcx__strbuf_adds(&text, "");
	return lcx__strbuf_take(&text);
}

static bool read_integer(struct reading *r, size_t row, union lcx__unit_value *value)
{
	bool negative = *r->at == '-';
	unsigned long long number;
	char *end;

	if (strspn(r->at + negative, "0123456789") == 0)
		return false;
	errno = 0;
	number = strtoull(r->at + negative, &end, 0);
	if (errno != 0 || !is_word_end(*end))
		return false;
	r->at = end;
	if (!negative) {
		value->natural = number;
		return number <= types[row].max;
	}
	if (number > (uint64_t)INT64_MAX + 1)
		return false;
	value->integer = number == (uint64_t)INT64_MAX + 1 ? INT64_MIN : -(int64_t)number;
	return value->integer >= types[row].min;
}

static bool read_real(struct reading *r, union lcx__unit_value *value)
{
	char *end;

	if (strspn(r->at, "+-.0123456789") == 0)
		return false;
	value->real = strtod(r->at, &end);
	if (!is_word_end(*end) || !isfinite(value->real))
		return false;
	r->at = end;
	return true;
}

/* As it looks, where nothing else is said. */
static char guess(const char *text)
{
	size_t length = strcspn(text, " \t\n,]");

	if (*text == '\'' || *text == '"')
		return 's';
	if (strncmp(text, "true", 4) == 0 || strncmp(text, "false", 5) == 0)
		return 'b';
	for (size_t i = 0; i < length; i++)
		if (text[i] == '.' || (text[i] == 'e' && text[1] != 'x'))
			return 'd';
	return 'i';
}

static bool read_value(struct reading *r, union lcx__unit_value *value)
{
	size_t row = 0;

	if (!r->type)
		r->type = guess(r->at);
	while (types[row].type != r->type)
		row++;
	if (r->type == 's') {
		value->text = *r->at == '\'' || *r->at == '"' ? read_text(r) : NULL;
		return value->text;
	}
	if (r->type == 'b') {
		value->natural = take(r, "true");
		return (value->natural || take(r, "false")) && is_word_end(*r->at);
	}
	return r->type == 'd' ? read_real(r, value) : read_integer(r, row, value);
}

static bool add_value(struct reading *r)
{
	struct lcx__unit_property *p = r->ret;
	union lcx__unit_value value = {0}, *bigger;

	if (p->n == MOST_VALUES || !read_value(r, &value))
		return false;
	p->type = r->type;
	bigger = realloc(p->values, (p->n + 1) * sizeof(*bigger));
	if (!bigger) {
		if (p->type == 's')
			free(value.text);
		return false;
	}
	p->values = bigger;
	p->values[p->n++] = value;
	return true;
}

static bool read_list(struct reading *r)
{
	r->ret->is_array = true;
	do {
		skip_spaces(r);
		if (r->ret->n == 0 && *r->at == ']')
			break;
		if (!add_value(r))
			return false;
		skip_spaces(r);
	} while (take(r, ","));
	r->ret->type = r->type;
	/* Of an empty one nobody knows what it is a list of. */
	return take(r, "]") && r->type;
}

/* "uint64 5", "@t 5", "@as []" */
static bool read_type(struct reading *r, bool *is_list)
{
	bool marked = take(r, "@");

	*is_list = marked && take(r, "a");
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		const char letter[] = {types[i].type, '\0'};
		const char *before = r->at;

		if (take(r, marked ? letter : types[i].word) && strchr(" \t", *r->at) && *r->at) {
			r->type = types[i].type;
			return true;
		}
		r->at = before;
	}
	return !marked;
}

static bool read_all(struct reading *r)
{
	bool is_list, good;

	skip_spaces(r);
	if (!read_type(r, &is_list))
		return false;
	skip_spaces(r);
	if (is_list && *r->at != '[')
		return false;
	good = *r->at == '[' && (is_list || !r->type) && take(r, "[") ? read_list(r) : add_value(r);
	skip_spaces(r);
	return good && *r->at == '\0';
}

/* ---- names ------------------------------------------------------------------- */

static bool is_name(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

	return strlen(name) >= 3 && strlen(name) < 64 && *name >= 'A' && *name <= 'Z' &&
	       name[strspn(name, letters)] == '\0';
}

static bool ends_in(const char *name, const char *tail)
{
	size_t length = strlen(name), n = strlen(tail);

	return length > n && strcmp(name + length - n, tail) == 0;
}

/* Seconds, of any type of number, become microseconds. */
static bool to_microseconds(struct lcx__unit_property *p)
{
	double seconds;

	if (p->is_array || strchr("bs", p->type))
		return false;
	seconds = p->type == 'd'           ? p->values->real
		  : strchr("nix", p->type) ? (double)p->values->integer
					   : (double)p->values->natural;
	if (seconds < 0 || seconds > 1e12)
		return false;
	p->values->natural = (uint64_t)(seconds * 1e6);
	p->type = 't';
	return true;
}

static int set_name(struct lcx__unit_property *p, const char *name, struct lcx_error **err)
{
	bool is_time = ends_in(name, "Sec") && !ends_in(name, "USec");

	p->name = is_time ? lcx__format("%.*sUSec", (int)strlen(name) - 3, name) : strdup(name);
	if (!p->name)
		return lcx__fail_nomem(err);
	if (!is_time || to_microseconds(p))
		return 0;
	return lcx__fail(
		err, EINVAL,
		"annotation '" LCX__UNIT_PROPERTY_PREFIX "%s': must be a number of seconds", name);
}

/* ---- the list ---------------------------------------------------------------- */

static void clear(struct lcx__unit_property *p)
{
	for (size_t i = 0; p->type == 's' && i < p->n; i++)
		free(p->values[i].text);
	free(p->values);
	free(p->name);
	*p = (struct lcx__unit_property){0};
}

void lcx__unit_properties_clear(struct lcx__unit_properties *properties)
{
	while (properties->n > 0)
		clear(&properties->items[--properties->n]);
	free(properties->items);
	properties->items = NULL;
}

static int check_name(const char *name, struct lcx_error **err)
{
	if (!is_name(name))
		return lcx__fail(err, EINVAL,
				 "annotation '" LCX__UNIT_PROPERTY_PREFIX
				 "%.64s': no property of a unit has such a name",
				 name);
	for (size_t i = 0; i < ARRAY_SIZE(settled); i++)
		if (strcmp(settled[i], name) == 0)
			return lcx__fail(err, EINVAL,
					 "annotation '" LCX__UNIT_PROPERTY_PREFIX
					 "%s': is settled by the container itself; leave it out",
					 name);
	return 0;
}

int lcx__unit_properties_add(struct lcx__unit_properties *properties, const char *name,
			     const char *text, struct lcx_error **err)
{
	struct lcx__unit_property property = {0}, *bigger;
	struct reading reading = {.at = text, .ret = &property};
	int r = check_name(name, err);

	if (r < 0)
		return r;
	if (!read_all(&reading))
		r = lcx__fail(err, EINVAL,
			      "annotation '" LCX__UNIT_PROPERTY_PREFIX
			      "%s': '%.64s' is no value that is understood; write true, 'text', "
			      "uint64 5 or ['a', 'b']",
			      name, text);
	if (r == 0)
		r = set_name(&property, name, err);
	bigger = r == 0 ? realloc(properties->items, (properties->n + 1) * sizeof(*bigger)) : NULL;
	if (r == 0 && !bigger)
		r = lcx__fail_nomem(err);
	if (r < 0) {
		clear(&property);
		return r;
	}
	properties->items = bigger;
	properties->items[properties->n++] = property;
	return 0;
}
