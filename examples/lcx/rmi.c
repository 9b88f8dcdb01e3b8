/* SPDX-License-Identifier: MIT */
#include "app.h"
#include "options.h"

static const struct grammar grammar = {
	.operands = "IMAGE...",
	.about = "Remove images: a name, and with the last name the image; an identifier, with all "
		 "its names.",
	.min = 1,
	.max = -1,
};

static int remove_one(struct app *app, const char *name, void *data, struct lcx_error **err)
{
	(void)data;
	return lcx_image_remove(app->ctx, name, err);
}

int cmd_rmi(struct app *app, int argc, char **argv)
{
	enum options_result result = options_parse(app, &grammar, NULL, &argc, argv);

	if (result != OPTIONS_OK)
		return options_exit(result);
	if (!app_open(app))
		return EXIT_COMMAND_FAILED;
	return app_each(app, argc, argv, remove_one, NULL);
}
