/* SPDX-License-Identifier: MIT */

/* lcx mount, lcx unmount: volumes of a container that runs. */
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "options.h"

struct mount_options {
	char nothing; /* no option but those of every command */
};

static const struct option_row no_rows[] = {{0}};

enum { MOST_OPTIONS = 32 };

/* "SOURCE:DIR[:OPTION,...]", cut up; without options all of the source, as lcx run -v does. */
static bool parse(char *text, char **source, char **dir, const char *options[MOST_OPTIONS + 1])
{
	size_t n = 0;
	char *rest, *word;

	*source = strtok_r(text, ":", &rest);
	*dir = strtok_r(NULL, ":", &rest);
	options[n++] = "rbind";
	while ((word = strtok_r(NULL, ",", &rest))) {
		if (n == MOST_OPTIONS)
			return false;
		options[n++] = word;
	}
	options[n] = NULL;
	return *source && *dir;
}

int cmd_mount(struct app *app, int argc, char **argv)
{
	static const struct grammar grammar = {
		.operands = "CONTAINER SOURCE:DIR[:OPTION,...]",
		.about = "Show a directory or file of the host to a running container.",
		.rows = no_rows,
		.min = 2,
		.max = 2,
	};
	CLEANUP(lcx_container_freep) struct lcx_container *c = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	const char *options[MOST_OPTIONS + 1];
	char *source, *dir;
	struct mount_options o = {0};
	enum options_result result = options_parse(app, &grammar, &o, &argc, argv);
	int r;

	if (result != OPTIONS_OK)
		return options_exit(result);
	if (!parse(argv[1], &source, &dir, options))
		return options_usage_error(app, "a volume is SOURCE:DIR[:OPTION,...]");
	if (!app_open(app))
		return EXIT_COMMAND_FAILED;
	r = lcx_container_open(app->ctx, argv[0], &c, &err);
	if (r == 0)
		r = lcx_container_mount(c, source, dir, options, &err);
	if (r < 0)
		app_report(app, &err);
	return r < 0 ? EXIT_COMMAND_FAILED : EXIT_SUCCESS;
}

int cmd_unmount(struct app *app, int argc, char **argv)
{
	static const struct grammar grammar = {
		.operands = "CONTAINER DIR",
		.about = "Take away what 'lcx mount' has shown.",
		.rows = no_rows,
		.min = 2,
		.max = 2,
	};
	CLEANUP(lcx_container_freep) struct lcx_container *c = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	struct mount_options o = {0};
	enum options_result result = options_parse(app, &grammar, &o, &argc, argv);
	int r;

	if (result != OPTIONS_OK)
		return options_exit(result);
	if (!app_open(app))
		return EXIT_COMMAND_FAILED;
	r = lcx_container_open(app->ctx, argv[0], &c, &err);
	if (r == 0)
		r = lcx_container_unmount(c, argv[1], &err);
	if (r < 0)
		app_report(app, &err);
	return r < 0 ? EXIT_COMMAND_FAILED : EXIT_SUCCESS;
}
