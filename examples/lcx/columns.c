/* SPDX-License-Identifier: MIT */
#include "columns.h"

#include <dlfcn.h>
#include <libsmartcols.h>
#include <locale.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "memory.h"

/*
 * libsmartcols is loaded when there is a table, and so is what the locale says of how wide a
 * character is: most commands print none, and a container that runs `true` takes not much longer
 * than the loading of a library does.
 */

#define LIBRARY   "libsmartcols.so.1"
#define SEPARATOR "   "

#define FUNCTIONS(X)                                                                               \
	X(scols_new_table)                                                                         \
	X(scols_unref_table)                                                                       \
	X(scols_table_set_termforce)                                                               \
	X(scols_table_set_column_separator)                                                        \
	X(scols_table_new_column)                                                                  \
	X(scols_table_new_line)                                                                    \
	X(scols_line_set_data)                                                                     \
	X(scols_print_table_to_string)

struct smartcols {
#define MEMBER(name) __typeof__(name) *name;
	FUNCTIONS(MEMBER)
#undef MEMBER
};

struct columns {
	void *library;
	struct smartcols lib;
	struct libscols_table *table;
	char *headings; /* with their separators, for a table without a line */
	size_t n_headings, n_cells;
	struct libscols_line *line;
};

static const struct {
	const char *name;
	size_t offset;
} functions[] = {
#define ROW(name) {#name, offsetof(struct smartcols, name)},
	FUNCTIONS(ROW)
#undef ROW
};

static const char *load(struct columns *columns)
{
	columns->library = dlopen(LIBRARY, RTLD_LAZY | RTLD_LOCAL);
	if (!columns->library)
		return dlerror();
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		void *found = dlsym(columns->library, functions[i].name);

		if (!found)
			return dlerror();
		memcpy((char *)&columns->lib + functions[i].offset, &found, sizeof(found));
	}
	return NULL;
}

struct columns *columns_new(const struct app *app)
{
	struct columns *columns = xrealloc(NULL, 1, sizeof(*columns));
	const char *why;

	*columns = (struct columns){.headings = xprintf("%s", "")};
	why = load(columns);
	if (why) {
		app_error(app, "tables need " LIBRARY ": %s; --format json does without", why);
		columns_free(columns);
		return NULL;
	}
	/* How wide a character is; numbers stay as programs read them. */
	(void)setlocale(LC_CTYPE, "");
	columns->table = columns->lib.scols_new_table();
	if (!columns->table)
		abort();
	(void)columns->lib.scols_table_set_termforce(columns->table, SCOLS_TERMFORCE_NEVER);
	(void)columns->lib.scols_table_set_column_separator(columns->table, SEPARATOR);
	return columns;
}

void columns_free(struct columns *columns)
{
	if (!columns)
		return;
	if (columns->table)
		columns->lib.scols_unref_table(columns->table);
	if (columns->library)
		(void)dlclose(columns->library);
	free(columns->headings);
	free(columns);
}

void columns_add_heading(struct columns *columns, const char *heading)
{
	char *longer =
		xprintf("%s%s%s", columns->headings, columns->n_headings ? SEPARATOR : "", heading);

	free(columns->headings);
	columns->headings = longer;
	columns->n_headings++;
	(void)columns->lib.scols_table_new_column(columns->table, heading, 0, 0);
}

void columns_add_line(struct columns *columns)
{
	columns->line = columns->lib.scols_table_new_line(columns->table, NULL);
	columns->n_cells = 0;
}

void columns_add_cell(struct columns *columns, const char *text)
{
	if (columns->line && columns->n_cells < columns->n_headings)
		(void)columns->lib.scols_line_set_data(columns->line, columns->n_cells++, text);
}

void columns_print(const struct columns *columns)
{
	char *text = NULL;

	if (!columns->line)
		puts(columns->headings);
	else if (columns->lib.scols_print_table_to_string(columns->table, &text) == 0)
		puts(text);
	free(text);
}
