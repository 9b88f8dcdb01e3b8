/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "describe.h"

static const struct option_row rows[] = {
	RUN_ROWS,
	{0},
};

static const struct grammar grammar = {
	.operands = "IMAGE [COMMAND [ARGUMENT...]]",
	.about = "Describe a new container, and print its identifier. 'lcx start' runs it.",
	.rows = rows,
	.max = -1,
	.stop_at_operand = true,
};

int cmd_create(struct app *app, int argc, char **argv)
{
	CLEANUP(lcx_container_freep) struct lcx_container *container = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	CLEANUP(run_options_free) struct run_options o = {0};
	enum options_result result = options_parse(app, &grammar, &o, &argc, argv);

	if (result != OPTIONS_OK)
		return options_exit(result);
	container = describe_container(app, &o, argc, argv);
	if (!container)
		return EXIT_COMMAND_FAILED;
	if (lcx_container_create(container, &err) < 0) {
		app_report(app, &err);
		return EXIT_COMMAND_FAILED;
	}
	puts(lcx_container_id(container));
	return EXIT_SUCCESS;
}
