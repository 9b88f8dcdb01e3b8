/* SPDX-License-Identifier: MIT */
#include "table.h"

#include <inttypes.h>
#include <libsmartcols.h>
#include <stdio.h>
#include <string.h>

#include "memory.h"
#include "text.h"

struct cell {
	char *text;
	int64_t number;
	bool is_number;
};

struct table {
	const struct table_column *columns;
	size_t n_columns, n_cells;
	struct cell *cells; /* row by row */
};

struct table *table_new(const struct table_column *columns, size_t n_columns)
{
	struct table *table = xrealloc(NULL, 1, sizeof(*table));

	*table = (struct table){.columns = columns, .n_columns = n_columns};
	return table;
}

static struct cell *add_cell(struct table *table, const char *text)
{
	struct cell *cell;

	table->cells = xrealloc(table->cells, table->n_cells + 1, sizeof(*table->cells));
	cell = &table->cells[table->n_cells++];
	*cell = (struct cell){.text = xprintf("%s", text)};
	return cell;
}

void table_add(struct table *table, const char *text)
{
	(void)add_cell(table, text);
}

void table_add_number(struct table *table, const char *text, int64_t number)
{
	struct cell *cell = add_cell(table, text);

	cell->number = number;
	cell->is_number = true;
}

static void print_json(const struct table *table)
{
	putchar('[');
	for (size_t i = 0; i < table->n_cells; i++) {
		size_t column = i % table->n_columns;

		fputs(column ? ", " : i ? ",\n {" : "\n {", stdout);
		text_print_json(stdout, table->columns[column].key);
		fputs(": ", stdout);
		if (table->cells[i].is_number)
			printf("%" PRId64, table->cells[i].number);
		else
			text_print_json(stdout, table->cells[i].text);
		if (column + 1 == table->n_columns)
			putchar('}');
	}
	puts(table->n_cells ? "\n]" : "]");
}

static void fill(const struct table *table, struct libscols_table *out)
{
	for (size_t c = 0; c < table->n_columns; c++) {
		if (table->columns[c].heading)
			(void)scols_table_new_column(out, table->columns[c].heading, 0, 0);
	}
	for (size_t i = 0; i + table->n_columns <= table->n_cells; i += table->n_columns) {
		struct libscols_line *line = scols_table_new_line(out, NULL);

		for (size_t c = 0, shown = 0; line && c < table->n_columns; c++) {
			if (table->columns[c].heading)
				(void)scols_line_set_data(line, shown++, table->cells[i + c].text);
		}
	}
}

/* Nothing is cut off, not even in a narrow terminal: a name that is incomplete is of no use. */
static void print_table(const struct table *table)
{
	struct libscols_table *out = scols_new_table();
	char *text = NULL;

	if (!out)
		return;
	(void)scols_table_set_termforce(out, SCOLS_TERMFORCE_NEVER);
	(void)scols_table_set_column_separator(out, "   ");
	fill(table, out);
	if (table->n_cells > 0) {
		(void)scols_print_table_to_string(out, &text);
		if (text)
			puts(text);
	} else {
		for (size_t c = 0; c < table->n_columns; c++)
			printf("%s%s", c && table->columns[c].heading ? "   " : "",
			       table->columns[c].heading ? table->columns[c].heading : "");
		putchar('\n');
	}
	free(text);
	scols_unref_table(out);
}

void table_print(const struct table *table, bool json)
{
	if (json)
		print_json(table);
	else
		print_table(table);
}

void table_free(struct table *table)
{
	for (size_t i = 0; i < table->n_cells; i++)
		free(table->cells[i].text);
	free(table->cells);
	free(table);
}
