/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "template.h"

const struct option_row options_global[] = {
	{'\0', "root", OPTION_STRING, offsetof(struct app, root_dir), "DIR",
	 "where images, containers and networks are kept"},
	{'\0', "run-dir", OPTION_STRING, offsetof(struct app, run_dir), "DIR",
	 "where the state of this boot is kept"},
	{'\0', "registries", OPTION_STRING, offsetof(struct app, registries), "FILE",
	 "read this instead of /etc/lcx/registries.json"},
	{'\0', "subids", OPTION_STRING, offsetof(struct app, subids), "WHEN",
	 "an ordinary user's ranges of ids: auto, on or off"},
	{'\0', "format", OPTION_STRING, offsetof(struct app, format), "FORMAT",
	 "of a listing: table, json or a template"},
	{'q', "quiet", OPTION_FLAG, offsetof(struct app, quiet), NULL,
	 "print identifiers only, no progress"},
	{'\0', "debug", OPTION_FLAG, offsetof(struct app, debug), NULL,
	 "print each step with its time, and details of a failure"},
	{0},
};

/* One word of the command line that is being looked at, and where its value goes. */
struct parser {
	struct app *app;
	const struct grammar *grammar;
	void *values;
	int argc, next;
	char **argv;
};

static size_t min(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Optimal string alignment, three rows at a time: an edit is a letter more, less, another, or a
 * swap. */
size_t options_distance(const char *a, const char *b)
{
	enum { LONGEST = 31 };
	size_t rows[3][LONGEST + 1], n = strlen(a), m = strlen(b);

	if (n > LONGEST || m > LONGEST)
		return LONGEST;
	for (size_t j = 0; j <= m; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= n; i++) {
		size_t *row = rows[i % 3], *above = rows[(i - 1) % 3], *above2 = rows[(i + 1) % 3];

		row[0] = i;
		for (size_t j = 1; j <= m; j++) {
			row[j] = min(above[j - 1] + (a[i - 1] != b[j - 1]),
				     min(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = min(row[j], above2[j - 2] + 1);
		}
	}
	return rows[n % 3][m];
}

int options_usage_error(const struct app *app, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	app_error(app, "%s", text);
	fprintf(stderr, "See 'lcx %s%s--help'\n", app->command, app->command[0] ? " " : "");
	return EXIT_LIBRARY_FAILED;
}

int options_exit(enum options_result result)
{
	return result == OPTIONS_HELP ? EXIT_SUCCESS : EXIT_LIBRARY_FAILED;
}

void options_print_rows(const struct option_row *rows)
{
	for (; rows->name; rows++) {
		char letter[8] = "    ", name[48];

		if (!rows->help)
			continue;
		if (rows->letter)
			(void)snprintf(letter, sizeof(letter), "-%c, ", rows->letter);
		(void)snprintf(name, sizeof(name), "--%s%s%s", rows->name,
			       rows->argument ? " " : "", rows->argument ? rows->argument : "");
		printf("  %s%-26s %s\n", letter, name, rows->help);
	}
}

static void print_help(const struct parser *p)
{
	const struct grammar *g = p->grammar;

	if (g->print_help) {
		g->print_help();
		return;
	}
	printf("Usage: lcx %s%s%s%s\n\n%s\n", p->app->command, g->rows ? " [OPTION...]" : "",
	       g->operands ? " " : "", g->operands ? g->operands : "", g->about);
	if (g->rows) {
		puts("\nOptions:");
		options_print_rows(g->rows);
	}
	puts("\nOptions of every command:");
	options_print_rows(options_global);
}

static const struct option_row *find_letter(const struct option_row *rows, char letter)
{
	for (; rows && rows->name; rows++) {
		if (rows->letter == letter)
			return rows;
	}
	return NULL;
}

static const struct option_row *find_name(const struct option_row *rows, const char *name,
					  size_t length)
{
	for (; rows && rows->name; rows++) {
		if (strlen(rows->name) == length && memcmp(rows->name, name, length) == 0)
			return rows;
	}
	return NULL;
}

static void find_nearest(const struct option_row *rows, const char *name, const char **best,
			 size_t *distance)
{
	for (; rows && rows->name; rows++) {
		size_t d = options_distance(name, rows->name);

		if (rows->help && d < *distance) {
			*distance = d;
			*best = rows->name;
		}
	}
}

static enum options_result unknown_name(const struct parser *p, const char *name, size_t length)
{
	CLEANUP(freep) char *word = xprintf("%.*s", (int)length, name);
	size_t distance = length / 3 + 2;
	const char *best = NULL;

	find_nearest(p->grammar->rows, word, &best, &distance);
	find_nearest(options_global, word, &best, &distance);
	if (best)
		(void)options_usage_error(p->app, "unknown option '--%s'; did you mean '--%s'?",
					  word, best);
	else
		(void)options_usage_error(p->app, "unknown option '--%s'", word);
	return OPTIONS_WRONG;
}

/* Which structure a row speaks of: the command's own, or the one that all share. */
static void *value_of(const struct parser *p, const struct option_row *row)
{
	bool global = row >= options_global &&
		      row < options_global + sizeof(options_global) / sizeof(*options_global);

	return (char *)(global ? p->app : p->values) + row->offset;
}

static enum options_result store_flag(const struct parser *p, const struct option_row *row,
				      const char *value)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = {{"true", true},   {"1", true},  {"yes", true},
		     {"false", false}, {"0", false}, {"no", false}};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (strcmp(value, words[i].word) == 0) {
			*(bool *)value_of(p, row) = words[i].value;
			return OPTIONS_OK;
		}
	}
	(void)options_usage_error(p->app, "option '--%s' is true or false, not '%s'", row->name,
				  value);
	return OPTIONS_WRONG;
}

static enum options_result store(const struct parser *p, const struct option_row *row,
				 const char *value)
{
	if (row->type == OPTION_FLAG)
		return store_flag(p, row, value ? value : "true");
	if (!value) {
		(void)options_usage_error(p->app, "option '--%s' needs a value: --%s %s", row->name,
					  row->name, row->argument);
		return OPTIONS_WRONG;
	}
	if (row->type == OPTION_STRING)
		*(const char **)value_of(p, row) = value;
	else
		list_add(value_of(p, row), value);
	return OPTIONS_OK;
}

/* The next word, as the value of an option that has none attached. */
static const char *take_word(struct parser *p)
{
	return p->next < p->argc ? p->argv[p->next++] : NULL;
}

static enum options_result parse_name(struct parser *p, const char *word)
{
	const char *equals = strchr(word, '=');
	size_t length = equals ? (size_t)(equals - word) : strlen(word);
	const struct option_row *row = find_name(p->grammar->rows, word, length);
	const char *value = equals ? equals + 1 : NULL;

	if (!row)
		row = find_name(options_global, word, length);
	if (!row && strcmp(word, "help") == 0) {
		print_help(p);
		return OPTIONS_HELP;
	}
	if (!row)
		return unknown_name(p, word, length);
	if (!value && row->type != OPTION_FLAG)
		value = take_word(p);
	return store(p, row, value);
}

/* One letter of "-itp8080:80"; @rest is what follows it. Sets *@rest to "" when that was its value.
 */
static enum options_result parse_letter(struct parser *p, char letter, const char **rest)
{
	const struct option_row *row = find_letter(p->grammar->rows, letter);
	const char *value = NULL;

	if (!row)
		row = find_letter(options_global, letter);
	if (!row && letter == 'h') {
		print_help(p);
		return OPTIONS_HELP;
	}
	if (!row) {
		(void)options_usage_error(p->app, "unknown option '-%c'", letter);
		return OPTIONS_WRONG;
	}
	if (row->type != OPTION_FLAG || (*rest)[0] == '=') {
		if ((*rest)[0])
			value = *rest + ((*rest)[0] == '=');
		else
			value = take_word(p);
		*rest = "";
	}
	return store(p, row, value);
}

static enum options_result parse_letters(struct parser *p, const char *letters)
{
	while (*letters) {
		char letter = *letters++;
		enum options_result result = parse_letter(p, letter, &letters);

		if (result != OPTIONS_OK)
			return result;
	}
	return OPTIONS_OK;
}

static enum options_result check_count(const struct parser *p, int count)
{
	const struct grammar *g = p->grammar;

	if (count >= g->min && (g->max < 0 || count <= g->max))
		return OPTIONS_OK;
	if (g->max == 0)
		(void)options_usage_error(p->app, "takes no arguments, but '%s' was given",
					  p->argv[0]);
	else if (count < g->min)
		(void)options_usage_error(p->app, "%s is missing: lcx %s %s",
					  count == 0 ? "an argument" : "one more argument",
					  p->app->command, g->operands);
	else
		(void)options_usage_error(p->app, "'%s' is one argument too many: lcx %s %s",
					  p->argv[g->max], p->app->command, g->operands);
	return OPTIONS_WRONG;
}

static enum options_result check_format(const struct app *app, const struct grammar *grammar)
{
	if (!app->format || strcmp(app->format, "table") == 0 || strcmp(app->format, "json") == 0 ||
	    (grammar->takes_template && template_is(app->format)))
		return OPTIONS_OK;
	(void)options_usage_error(app, "format '%s' is unknown; there are table%s json%s",
				  app->format, grammar->takes_template ? "," : " and",
				  grammar->takes_template ? ", and templates as '{{.ID}}'" : "");
	return OPTIONS_WRONG;
}

enum options_result options_parse(struct app *app, const struct grammar *grammar, void *values,
				  int *argc, char **argv)
{
	struct parser p = {app, grammar, values, *argc, 0, argv};
	enum options_result result = OPTIONS_OK;
	bool only_operands = false;
	int count = 0;

	while (result == OPTIONS_OK && p.next < p.argc) {
		char *word = argv[p.next++];

		if (only_operands || word[0] != '-' || word[1] == '\0') {
			argv[count++] = word;
			only_operands = only_operands || grammar->stop_at_operand;
		} else if (strcmp(word, "--") == 0) {
			only_operands = true;
		} else if (word[1] == '-') {
			result = parse_name(&p, word + 2);
		} else {
			result = parse_letters(&p, word + 1);
		}
	}
	if (result == OPTIONS_OK)
		result = check_format(app, grammar);
	if (result == OPTIONS_OK)
		result = check_count(&p, count);
	*argc = count;
	return result;
}
