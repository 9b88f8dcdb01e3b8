/* SPDX-License-Identifier: MIT */
#include "app.h"
#include "options.h"

struct rm_options {
	bool force, volumes;
};

static const struct option_row rows[] = {
	{'f', "force", OPTION_FLAG, offsetof(struct rm_options, force), NULL,
	 "kill it first if it runs; also a pod that has members"},
	{'v', "volumes", OPTION_FLAG, offsetof(struct rm_options, volumes), NULL,
	 "and its anonymous volumes"},
	{0},
};

static const struct grammar grammar = {
	.operands = "CONTAINER...",
	.about = "Remove containers with all that they have written.",
	.rows = rows,
	.min = 1,
	.max = -1,
};

static int remove_one(struct lcx_container *container, void *data, struct lcx_error **err)
{
	const struct rm_options *o = data;

	return o->volumes ? lcx_container_remove_with_volumes(container, o->force, err)
			  : lcx_container_remove(container, o->force, err);
}

int cmd_rm(struct app *app, int argc, char **argv)
{
	struct rm_options o = {0};
	enum options_result result = options_parse(app, &grammar, &o, &argc, argv);

	if (result != OPTIONS_OK)
		return options_exit(result);
	if (!app_open(app))
		return EXIT_COMMAND_FAILED;
	return app_each_container(app, argc, argv, remove_one, &o);
}
