/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "given.h"
#include "options.h"

enum { FILE_MAX_BYTES = 1 << 20 };

int add_variable(const struct environment *to, const char *text, struct lcx_error **err)
{
	const char *value = getenv(text);
	CLEANUP(freep) char *assignment = NULL;

	if (*text && !strchr(text, '=')) {
		if (!value)
			return 0;
		text = assignment = xprintf("%s=%s", text, value);
	}
	return to->spec ? lcx_spec_add_env(to->spec, text, err)
			: lcx_container_add_env(to->container, text, err);
}

static bool wrong_line(const struct app *app, const char *path, int number, const char *what)
{
	(void)options_usage_error(app, "environment file '%s', line %d: %s", path, number, what);
	return false;
}

static bool apply_line(struct app *app, const struct environment *to, const char *path, int number,
		       char *line)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;

	line += strspn(line, " \t");
	if (*line == '\0' || *line == '#')
		return true;
	if (*line == '=')
		return wrong_line(app, path, number, "a variable without a name");
	if (strcspn(line, " \t") < strcspn(line, "="))
		return wrong_line(app, path, number, "a blank in the name of a variable");
	if (add_variable(to, line, &err) == 0)
		return true;
	app_report(app, &err);
	return false;
}

/* Return: 0, or the errno. */
static int read_whole(const char *path, char *text, size_t size, size_t *ret_length)
{
	FILE *file = fopen(path, "re");
	int code = 0;

	if (!file)
		return errno;
	*ret_length = fread(text, 1, size, file);
	if (ferror(file))
		code = errno ? errno : EIO;
	(void)fclose(file);
	return code;
}

/* The whole file, as a string that the caller frees. NULL after saying what is wrong. */
static char *read_env_file(struct app *app, const char *path)
{
	char *text = xrealloc(NULL, FILE_MAX_BYTES + 1, 1);
	size_t length = 0;
	int code = read_whole(path, text, FILE_MAX_BYTES + 1, &length);
	const char *what = code ? strerror(code) : NULL;

	if (!what && length > FILE_MAX_BYTES)
		what = "larger than a mebibyte";
	if (!what && memchr(text, '\0', length))
		what = "a NUL byte in it";
	if (what) {
		(void)options_usage_error(app, "environment file '%s': %s", path, what);
		free(text);
		return NULL;
	}
	text[length] = '\0';
	return text;
}

static bool apply_file(struct app *app, const struct environment *to, const char *path)
{
	CLEANUP(freep) char *text = read_env_file(app, path);
	/* What some editors begin a file with. */
	char *line = text && strncmp(text, "\xef\xbb\xbf", 3) == 0 ? text + 3 : text;

	for (int number = 1; line && *line; number++) {
		size_t length = strcspn(line, "\n");
		bool last = line[length] == '\0';

		line[length] = '\0';
		if (length > 0 && line[length - 1] == '\r')
			line[length - 1] = '\0';
		if (!apply_line(app, to, path, number, line))
			return false;
		line += length + !last;
	}
	return text != NULL;
}

bool apply_env_files(struct app *app, const struct environment *to, const struct list *paths)
{
	for (size_t i = 0; i < paths->count; i++)
		if (!apply_file(app, to, paths->items[i]))
			return false;
	return true;
}
