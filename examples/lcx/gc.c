/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>

#include "app.h"
#include "memory.h"
#include "options.h"
#include "text.h"

static const struct grammar grammar = {
	.about = "Take down what has no living owner: containers whose program died, kernel\n"
		 "objects that they left, layers that no image needs.",
};

int cmd_gc(struct app *app, int argc, char **argv)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	enum options_result result = options_parse(app, &grammar, NULL, &argc, argv);
	char size[TEXT_SIZE];
	uint64_t freed = 0;
	uint32_t count = 0;
	int code = EXIT_SUCCESS;

	if (result != OPTIONS_OK)
		return options_exit(result);
	if (!app_open(app))
		return EXIT_COMMAND_FAILED;
	if (lcx_gc(app->ctx, &count, &err) < 0) {
		app_report(app, &err);
		code = EXIT_COMMAND_FAILED;
	}
	if (lcx_has_feature("image") && lcx_image_gc(app->ctx, &freed, &err) < 0) {
		app_report(app, &err);
		code = EXIT_COMMAND_FAILED;
	}
	text_decimal_size((double)freed, size);
	if (app_json(app))
		printf("{\"Removed\": %" PRIu32 ", \"FreedBytes\": %" PRIu64 "}\n", count, freed);
	else if (!app->quiet)
		printf("%" PRIu32 " object%s removed, %s freed\n", count, count == 1 ? "" : "s",
		       size);
	return code;
}
