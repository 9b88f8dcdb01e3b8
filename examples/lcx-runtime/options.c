/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "runtime.h"

static const struct option *find(const struct option *options, const char *word, size_t length)
{
	for (; options && options->name; options++)
		if (length == 1 ? options->letter == word[0]
				: strlen(options->name) == length &&
					  strncmp(options->name, word, length) == 0)
			return options;
	return NULL;
}

static int store_number(const struct runtime *rt, const struct option *option, int *place,
			const char *value)
{
	char *end;
	long number = strtol(value, &end, 10);

	if (*value == '\0' || *end != '\0' || number < 0 || number > 1 << 20)
		return report(rt, "--%s: '%s' is not a number", option->name, value);
	*place = (int)number;
	return 0;
}

static int store(const struct runtime *rt, const struct option *option, void *values,
		 const char *value)
{
	void *place = (char *)values + option->offset;
	struct texts *texts = place;

	switch (option->kind) {
	case OPTION_FLAG:
		if (value && strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
			return report(rt, "--%s: '%s' is neither true nor false", option->name,
				      value);
		*(bool *)place = !value || strcmp(value, "true") == 0;
		return 0;
	case OPTION_NUMBER:
		return store_number(rt, option, place, value);
	case OPTION_TEXT:
		*(const char **)place = value;
		return 0;
	case OPTION_TEXTS:
		texts->items = realloc(texts->items, (texts->n + 2) * sizeof(*texts->items));
		if (!texts->items)
			return report(rt, "out of memory");
		texts->items[texts->n++] = value;
		texts->items[texts->n] = NULL;
		return 0;
	}
	return 0;
}

/* "-9" is an operand: no option is a number. */
static bool is_option(const char *word)
{
	return word[0] == '-' && word[1] != '\0' && (word[1] < '0' || word[1] > '9');
}

/* The one at @argv[0]. Return: how many words it takes, or -1 when what is wrong was reported. */
static int parse_one(const struct runtime *rt, const struct option *options, void *values, int argc,
		     char **argv)
{
	/* One dash or two, as engines' libraries write them. */
	const char *word = argv[0] + (argv[0][1] == '-' ? 2 : 1), *value = NULL;
	size_t length = strcspn(word, "=");
	const struct option *option = find(options, word, length);
	int used = 1;

	if (!option)
		return report(rt, "no option '%s'; see --help", argv[0]), -1;
	if (word[length] == '=')
		value = word + length + 1;
	else if (option->kind != OPTION_FLAG && argc > 1)
		value = argv[used++];
	if (!value && option->kind != OPTION_FLAG)
		return report(rt, "--%s: needs a value", option->name), -1;
	return store(rt, option, values, value) == 0 ? used : -1;
}

int options_parse(struct runtime *rt, const struct option *options, bool in_order, void *values,
		  int argc, char **argv)
{
	int n = 0, i = 0;

	while (i < argc) {
		if (strcmp(argv[i], "--") == 0) {
			i++;
			break;
		}
		if (is_option(argv[i])) {
			int used = parse_one(rt, options, values, argc - i, argv + i);

			if (used < 0)
				return -1;
			i += used;
			continue;
		}
		if (in_order)
			break;
		argv[n++] = argv[i++];
	}
	while (i < argc)
		argv[n++] = argv[i++];
	argv[n] = NULL;
	return n;
}

void options_free(const struct option *options, void *values)
{
	for (; options && options->name; options++)
		if (options->kind == OPTION_TEXTS)
			free(((struct texts *)(void *)((char *)values + options->offset))->items);
}

static void print_option(const struct option *option)
{
	printf("  %c%c%c --%-22s %s\n", option->letter ? '-' : ' ',
	       option->letter ? option->letter : ' ', option->letter ? ',' : ' ', option->name,
	       option->help ? option->help : "accepted; changes nothing here");
}

void options_print(const struct option *options)
{
	for (; options && options->name; options++)
		if (!options->help || *options->help)
			print_option(options);
}

/* As crun prints it: "[-d] [--detach] [--bundle=VALUE]". */
void options_print_usage(const char *command, const struct option *options, const char *operands)
{
	enum { WIDTH = 78 };
	char word[64];
	int column = printf("Usage: lcx-runtime%s%s", *command ? " " : "", command), n;

	for (; options && options->name; options++) {
		n = snprintf(word, sizeof(word), " [--%s%s]", options->name,
			     options->kind == OPTION_FLAG ? "" : "=VALUE");
		if (options->help && !*options->help)
			continue;
		if (column + n > WIDTH)
			column = printf("\n           ");
		column += printf("%s", word);
	}
	printf("%s%s%s\n", column + (int)strlen(operands) + 1 > WIDTH ? "\n           " : "",
	       *operands ? " " : "", operands);
}
