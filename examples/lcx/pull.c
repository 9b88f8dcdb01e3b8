/* SPDX-License-Identifier: MIT */
#include "app.h"
#include "fetch.h"
#include "memory.h"
#include "options.h"

struct pull_options {
	struct fetch_options fetch;
};

static const struct option_row rows[] = {
	FETCH_ROWS(struct pull_options, fetch),
	{0},
};

static const struct grammar grammar = {
	.operands = "IMAGE",
	.about = "Fetch an image from a registry. What was downloaded before is not fetched again.",
	.rows = rows,
	.min = 1,
	.max = 1,
};

static void pull_options_free(struct pull_options *o)
{
	fetch_options_free(&o->fetch);
}

int cmd_pull(struct app *app, int argc, char **argv)
{
	CLEANUP(lcx_image_freep) struct lcx_image *image = NULL;
	CLEANUP(pull_options_free) struct pull_options o = {0};
	enum options_result result = options_parse(app, &grammar, &o, &argc, argv);
	int code;

	if (result != OPTIONS_OK)
		return options_exit(result);
	if (!app_open(app))
		return EXIT_COMMAND_FAILED;
	code = layer_limits_set(app, &o.fetch.layer_limits);
	if (code != 0)
		return code;
	if (!fetch_image(app, argv[0], &o.fetch, stdout, &image))
		return EXIT_COMMAND_FAILED;
	if (!app->quiet)
		printf("Digest: %s\n", lcx_image_manifest_digest(image));
	puts(argv[0]);
	return EXIT_SUCCESS;
}
