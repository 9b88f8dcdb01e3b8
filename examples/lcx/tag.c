/* SPDX-License-Identifier: MIT */
#include "app.h"
#include "memory.h"
#include "options.h"

static const struct grammar grammar = {
	.operands = "IMAGE NAME",
	.about = "Give an image one more name. If another image has it, it is taken from there.",
	.min = 2,
	.max = 2,
};

int cmd_tag(struct app *app, int argc, char **argv)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	enum options_result result = options_parse(app, &grammar, NULL, &argc, argv);

	if (result != OPTIONS_OK)
		return options_exit(result);
	if (!app_open(app))
		return EXIT_COMMAND_FAILED;
	if (lcx_image_tag(app->ctx, argv[0], argv[1], &err) < 0) {
		app_report(app, &err);
		return EXIT_COMMAND_FAILED;
	}
	return EXIT_SUCCESS;
}
