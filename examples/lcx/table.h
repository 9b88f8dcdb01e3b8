/* SPDX-License-Identifier: MIT */
#pragma once

/* A listing, printed as a table for people (libsmartcols) or as a JSON array of objects for
 * programs. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct table;

struct table_column {
	const char *heading; /* NULL: in JSON only */
	const char *key;     /* of the JSON object */
};

/* @columns must outlive the table. */
struct table *table_new(const struct table_column *columns, size_t n_columns);

/* Cells are given from left to right, row after row; @text is copied. */
void table_add(struct table *table, const char *text);

/* A cell that people read as @text, and programs as the number itself. */
void table_add_number(struct table *table, const char *text, int64_t number);

void table_print(const struct table *table, bool json);
void table_free(struct table *table);

static inline void table_freep(struct table **table)
{
	if (*table)
		table_free(*table);
}
