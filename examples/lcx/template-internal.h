/* SPDX-License-Identifier: MIT */
#pragma once

/* Shared by the two files of templates: the pass over the text, and what values are and do. */

#include "template.h"

enum { TEMPLATE_ARGUMENTS = 8 };

struct template_run {
	FILE *out;
	const char *at;
	struct json_object *root, *dot;
	int skip;  /* > 0: nothing is printed or looked up */
	int depth; /* of blocks and parentheses */
	char *error;
};

typedef struct json_object *template_value; /* owned by whoever holds it */

struct template_call {
	template_value arguments[TEMPLATE_ARGUMENTS];
	int n;
};

struct template_function {
	const char *name;
	int min, max;
	template_value (*run)(struct template_run *r, struct template_call *call);
};

/* The first failure counts. */
void template_fail(struct template_run *r, const char *format, ...)
	__attribute__((__format__(__printf__, 2, 3)));

const struct template_function *template_find_function(const char *name, size_t length);

/* The first argument, or the element of it that the others lead to. */
template_value template_index(struct template_run *r, struct template_call *call);

template_value template_member(struct template_run *r, struct json_object *v, const char *name);
bool template_is_true(struct json_object *v);
void template_print_value(FILE *out, struct json_object *v);
