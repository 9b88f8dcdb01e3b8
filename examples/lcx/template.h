/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Output as the user words it, in the part of Go's templates that Docker's users type: fields
 * ({{.ID}}, {{.State.Pid}}), {{json .}}, {{range}}, {{if}}, {{else}}, {{end}}, pipes, and the
 * functions of the table in template.c. What is unknown is refused by its name.
 */

#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>

/* Whether @text is one: else it is the name of a format. */
bool template_is(const char *text);

/*
 * Write @text, filled with @data, to @out. "\t" and "\n" are a tab and a newline. A field is also
 * found in another case: {{.State.Pid}} in {"state": {"pid": 1}}. Return: NULL, or what is wrong
 * with it, which the caller frees; then what was written is of no use.
 */
char *template_print(FILE *out, const char *text, struct json_object *data);
