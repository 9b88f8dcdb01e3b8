/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A listing, printed as a table for people (columns.h), as a JSON array of objects for programs,
 * or as the user words it.
 */

#include "app.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct table;

struct table_column {
	const char *heading; /* NULL: in JSON only */
	const char *key;     /* of the JSON object, and in templates */
	const char *alias;   /* Docker's word for the same in templates; NULL: none */
};

/* @columns must outlive the table. */
struct table *table_new(const struct table_column *columns, size_t n_columns);

/* Cells are given from left to right, row after row; @text is copied. */
void table_add(struct table *table, const char *text);

/* A cell that people read as @text, and programs as the number itself. */
void table_add_number(struct table *table, const char *text, int64_t number);

/* A cell of members with names, for programs and {{.Key "name"}}; what follows is put into it. */
void table_add_members(struct table *table);
void table_member_text(struct table *table, const char *name, const char *text);
void table_member_number(struct table *table, const char *name, int64_t number);

/*
 * In the format that the user asked for: table, json, or a template, each line of which is filled
 * with one row; "table TEMPLATE" makes columns of what is between its tabs. Return: the exit code;
 * what is wrong with a template is reported.
 */
int table_print(const struct table *table, const struct app *app);
void table_free(struct table *table);

static inline void table_freep(struct table **table)
{
	if (*table)
		table_free(*table);
}
