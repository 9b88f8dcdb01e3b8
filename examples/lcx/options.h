/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Options in Docker's manner, from a table: `-i -t` is `-it`, `-p8080:80` is `-p 8080:80`,
 * `--name web` is `--name=web`, `--rm` is `--rm=true`, `--` ends them. An option may also stand
 * behind the operands, except where the rest is somebody else's command line (run, exec).
 */

#include <stdbool.h>
#include <stddef.h>

#include "app.h"
#include "memory.h"

enum option_type {
	OPTION_FLAG,   /* bool */
	OPTION_STRING, /* const char *; the last one counts */
	OPTION_LIST,   /* struct list; all of them count */
};

struct option_row {
	char letter;      /* '\0': none */
	const char *name; /* NULL ends a table */
	enum option_type type;
	size_t offset;        /* of the value in the command's own structure */
	const char *argument; /* how --help calls the value; NULL for a flag */
	const char *help;     /* NULL: an alias that --help does not show */
};

/* One without a letter, for groups of rows that several commands have: @type is the command's own
 * structure, @member where in it the value is. */
#define LONG_ROW(name, type, option, member, argument, help)                                       \
	{                                                                                          \
		'\0', name, option, offsetof(type, member), argument, help                         \
	}

struct grammar {
	const char *operands; /* "IMAGE [COMMAND [ARGUMENT...]]"; NULL: none */
	const char *about;
	const struct option_row *rows;
	int min, max; /* number of operands; @max of -1: any */
	bool stop_at_operand;
	bool takes_template;      /* --format may be one, too */
	void (*print_help)(void); /* NULL: as the table says */
};

enum options_result {
	OPTIONS_OK,
	OPTIONS_HELP,  /* was asked for and printed: the command is done */
	OPTIONS_WRONG, /* was reported: exit with EXIT_LIBRARY_FAILED */
};

/*
 * Fill @values, a structure of the command's own, and @app from the words of the command line.
 * The operands are left in argv[0...*argc - 1]. Options that all commands have go to @app.
 */
enum options_result options_parse(struct app *app, const struct grammar *grammar, void *values,
				  int *argc, char **argv);

/* The exit code after a result that is not OPTIONS_OK. */
int options_exit(enum options_result result);

/* "lcx: run: MESSAGE" and where to read more. Return: EXIT_LIBRARY_FAILED. */
int options_usage_error(const struct app *app, const char *format, ...)
	__attribute__((__format__(__printf__, 2, 3)));

/* The options that every command has, for the program's own --help. */
void options_print_rows(const struct option_row *rows);
extern const struct option_row options_global[];

/* How many edits make @a out of @b: to name what was probably meant. */
size_t options_distance(const char *a, const char *b);
