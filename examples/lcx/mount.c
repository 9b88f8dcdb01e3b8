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

struct volume {
	char *source, *dir;
	const char *options[MOST_OPTIONS + 1];
};

/* "SOURCE:DIR[:OPTION,...]", cut up; without options all of the source, as lcx run -v does. */
static bool parse(char *text, struct volume *volume)
{
	size_t n = 0;
	char *rest, *word;

	volume->source = strtok_r(text, ":", &rest);
	volume->dir = strtok_r(NULL, ":", &rest);
	volume->options[n++] = "rbind";
	while ((word = strtok_r(NULL, ",", &rest))) {
		if (n == MOST_OPTIONS)
			return false;
		volume->options[n++] = word;
	}
	volume->options[n] = NULL;
	return volume->source && volume->dir;
}

static int mount_one(struct lcx_container *container, void *data, struct lcx_error **err)
{
	const struct volume *volume = data;

	return lcx_container_mount(container, volume->source, volume->dir, volume->options, err);
}

static int unmount_one(struct lcx_container *container, void *data, struct lcx_error **err)
{
	return lcx_container_unmount(container, data, err);
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
	struct mount_options o = {0};
	enum options_result result = options_parse(app, &grammar, &o, &argc, argv);
	struct volume volume;

	if (result != OPTIONS_OK)
		return options_exit(result);
	if (!parse(argv[1], &volume))
		return options_usage_error(app, "a volume is SOURCE:DIR[:OPTION,...]");
	return app_one_container(app, argv[0], mount_one, &volume);
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
	struct mount_options o = {0};
	enum options_result result = options_parse(app, &grammar, &o, &argc, argv);

	return result == OPTIONS_OK ? app_one_container(app, argv[0], unmount_one, argv[1])
				    : options_exit(result);
}
