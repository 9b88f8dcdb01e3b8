/* SPDX-License-Identifier: MIT */
#include "table.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "columns.h"
#include "memory.h"
#include "template.h"
#include "text.h"

struct cell {
	char *text;
	int64_t number;
	bool is_number;
	struct json_object *words; /* NULL: none */
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

void table_add_members(struct table *table)
{
	add_cell(table, "")->words = json_object_new_object();
}

static void add_member(struct table *table, const char *name, struct json_object *value)
{
	(void)json_object_object_add(table->cells[table->n_cells - 1].words, name, value);
}

void table_member_text(struct table *table, const char *name, const char *text)
{
	add_member(table, name, json_object_new_string(text));
}

void table_member_number(struct table *table, const char *name, int64_t number)
{
	add_member(table, name, json_object_new_int64(number));
}

static void print_json_cell(const struct cell *cell)
{
	if (cell->is_number)
		printf("%" PRId64, cell->number);
	else if (cell->words)
		fputs(json_object_to_json_string_ext(cell->words,
						     JSON_C_TO_STRING_SPACED |
							     JSON_C_TO_STRING_NOSLASHESCAPE),
		      stdout);
	else
		text_print_json(stdout, cell->text);
}

static void print_json(const struct table *table)
{
	putchar('[');
	for (size_t i = 0; i < table->n_cells; i++) {
		size_t column = i % table->n_columns;

		fputs(column ? ", " : i ? ",\n {" : "\n {", stdout);
		text_print_json(stdout, table->columns[column].key);
		fputs(": ", stdout);
		print_json_cell(&table->cells[i]);
		if (column + 1 == table->n_columns)
			putchar('}');
	}
	puts(table->n_cells ? "\n]" : "]");
}

static void fill(const struct table *table, struct columns *columns)
{
	for (size_t c = 0; c < table->n_columns; c++)
		if (table->columns[c].heading)
			columns_add_heading(columns, table->columns[c].heading);
	for (size_t i = 0; i < table->n_cells; i++) {
		if (i % table->n_columns == 0)
			columns_add_line(columns);
		if (table->columns[i % table->n_columns].heading)
			columns_add_cell(columns, table->cells[i].text);
	}
}

static int print_table(const struct table *table, const struct app *app)
{
	struct columns *columns = columns_new(app);

	if (!columns)
		return EXIT_COMMAND_FAILED;
	fill(table, columns);
	columns_print(columns);
	columns_free(columns);
	return EXIT_SUCCESS;
}

/* ---- as the user words it ------------------------------------------------- */

/* A number is what people read; without such a text, the number. */
static struct json_object *template_value(const struct cell *cell)
{
	if (cell->words)
		return json_object_get(cell->words);
	if (cell->is_number && !cell->text[0])
		return json_object_new_int64(cell->number);
	return json_object_new_string(cell->text);
}

/* As Docker has it where the table for people has no such column: the key in capitals. */
static struct json_object *heading_of(const struct table_column *column)
{
	CLEANUP(freep)
	char *text = xprintf("%s", column->heading ? column->heading : column->key);

	for (char *c = text; *c; c++)
		*c = (char)toupper((unsigned char)*c);
	return json_object_new_string(text);
}

/* One row, or with @row of -1 the headings. */
static struct json_object *template_row(const struct table *table, long row)
{
	struct json_object *object = json_object_new_object();

	for (size_t c = 0; c < table->n_columns; c++) {
		const struct table_column *column = &table->columns[c];
		struct json_object *value;

		if (row < 0)
			value = heading_of(column);
		else
			value = template_value(&table->cells[(size_t)row * table->n_columns + c]);
		if (column->alias)
			(void)json_object_object_add(object, column->alias, json_object_get(value));
		(void)json_object_object_add(object, column->key, value);
	}
	return object;
}

/* Return: the line, which the caller frees; NULL if the template is wrong, which is reported. */
static char *fill_template(const struct table *table, const struct app *app, const char *text,
			   long row)
{
	struct json_object *data = template_row(table, row);
	char *line = NULL, *error;
	size_t size;
	FILE *out = open_memstream(&line, &size);

	if (!out)
		abort();
	error = template_print(out, text, data);
	(void)fclose(out);
	json_object_put(data);
	if (!error)
		return line;
	app_error(app, "format '%s': %s", text, error);
	free(error);
	free(line);
	return NULL;
}

static void add_words(struct columns *columns, char *text,
		      void (*add)(struct columns *columns, const char *text))
{
	for (char *word; (word = strsep(&text, "\t"));)
		add(columns, word);
}

static int fill_columns(const struct table *table, const struct app *app, const char *text,
			struct columns *columns)
{
	CLEANUP(freep) char *heading = fill_template(table, app, text, -1);

	if (!heading)
		return EXIT_COMMAND_FAILED;
	add_words(columns, heading, columns_add_heading);
	for (size_t i = 0; i < table->n_cells / table->n_columns; i++) {
		CLEANUP(freep) char *line = fill_template(table, app, text, (long)i);

		if (!line)
			return EXIT_COMMAND_FAILED;
		columns_add_line(columns);
		add_words(columns, line, columns_add_cell);
	}
	columns_print(columns);
	return EXIT_SUCCESS;
}

static int print_columns(const struct table *table, const struct app *app, const char *text)
{
	struct columns *columns = columns_new(app);
	int code = columns ? fill_columns(table, app, text, columns) : EXIT_COMMAND_FAILED;

	columns_free(columns);
	return code;
}

static int print_lines(const struct table *table, const struct app *app, const char *text)
{
	for (size_t i = 0; i < table->n_cells / table->n_columns; i++) {
		CLEANUP(freep) char *line = fill_template(table, app, text, (long)i);

		if (!line)
			return EXIT_COMMAND_FAILED;
		puts(line);
	}
	return EXIT_SUCCESS;
}

static int print_template(const struct table *table, const struct app *app)
{
	static const char prefix[] = "table ";
	const char *text = app->format;
	CLEANUP(freep) char *heading = NULL;

	if (strncmp(text, prefix, sizeof(prefix) - 1) == 0)
		return print_columns(table, app, text + sizeof(prefix) - 1);
	if (table->n_cells > 0)
		return print_lines(table, app, text);
	/* What is wrong is refused also where there is no row. */
	heading = fill_template(table, app, text, -1);
	return heading ? EXIT_SUCCESS : EXIT_COMMAND_FAILED;
}

int table_print(const struct table *table, const struct app *app)
{
	if (app->format && template_is(app->format))
		return print_template(table, app);
	if (!app_json(app))
		return print_table(table, app);
	print_json(table);
	return EXIT_SUCCESS;
}

void table_free(struct table *table)
{
	for (size_t i = 0; i < table->n_cells; i++) {
		free(table->cells[i].text);
		json_object_put(table->cells[i].words);
	}
	free(table->cells);
	free(table);
}
