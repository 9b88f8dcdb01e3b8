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

int options_parse(struct runtime *rt, const struct option *options, void *values, int argc,
		  char **argv)
{
	int i = 0;

	while (i < argc && argv[i][0] == '-' && argv[i][1] != '\0') {
		/* One dash or two, as engines' libraries write them. */
		const char *word = argv[i] + (argv[i][1] == '-' ? 2 : 1), *value = NULL;
		size_t length = strcspn(word, "=");
		const struct option *option;

		i++;
		if (length == 0)
			return i; /* "--" */
		option = find(options, word, length);
		if (!option)
			return report(rt, "no option '%s'; see --help", argv[i - 1]), -1;
		if (word[length] == '=')
			value = word + length + 1;
		else if (option->kind != OPTION_FLAG)
			value = i < argc ? argv[i++] : NULL;
		if (!value && option->kind != OPTION_FLAG)
			return report(rt, "--%s: needs a value", option->name), -1;
		if (store(rt, option, values, value) != 0)
			return -1;
	}
	return i;
}

void options_free(const struct option *options, void *values)
{
	for (; options && options->name; options++)
		if (options->kind == OPTION_TEXTS)
			free(((struct texts *)(void *)((char *)values + options->offset))->items);
}

void options_print(const struct option *options)
{
	for (; options && options->name; options++)
		printf("  --%-22s %s\n", options->name,
		       options->help ? options->help : "accepted; changes nothing here");
}
