/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "app.h"
#include "layer-limits.h"
#include "memory.h"
#include "options.h"

struct import_options {
	const char *reference;
	struct list layer_limits;
};

static const struct option_row rows[] = {
	{'\0', "ref", OPTION_STRING, offsetof(struct import_options, reference), "NAME",
	 "which image, if there are several"},
	LAYER_LIMIT_ROW(struct import_options, layer_limits),
	{0},
};

static const struct grammar grammar = {
	.operands = "DIR|FILE [NAME]",
	.about = "Take an image out of an OCI layout, which is a directory with an 'oci-layout' "
		 "file\n"
		 "or a tar of one, or out of what 'docker save' writes. Its name here is NAME, or "
		 "the\n"
		 "one that it has there.",
	.rows = rows,
	.min = 1,
	.max = 2,
};

static void import_options_free(struct import_options *o)
{
	list_free(&o->layer_limits);
}

int cmd_import(struct app *app, int argc, char **argv)
{
	CLEANUP(lcx_image_freep) struct lcx_image *image = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	CLEANUP(import_options_free) struct import_options o = {0};
	enum options_result result = options_parse(app, &grammar, &o, &argc, argv);
	int code;

	if (result != OPTIONS_OK)
		return options_exit(result);
	if (!app_open(app))
		return EXIT_COMMAND_FAILED;
	code = layer_limits_set(app, &o.layer_limits);
	if (code != 0)
		return code;
	if (lcx_image_import(app->ctx, argv[0], o.reference, argc > 1 ? argv[1] : NULL, &image,
			     &err) < 0) {
		app_report(app, &err);
		return EXIT_COMMAND_FAILED;
	}
	puts(lcx_image_id(image));
	return EXIT_SUCCESS;
}
