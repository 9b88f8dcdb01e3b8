/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "app.h"
#include "layer-limits.h"
#include "memory.h"
#include "options.h"
#include "stream.h"

struct load_options {
	const char *input;
	struct list layer_limits;
};

static const struct option_row rows[] = {
	{'i', "input", OPTION_STRING, offsetof(struct load_options, input), "FILE",
	 "read that instead of standard input"},
	LAYER_LIMIT_ROW(struct load_options, layer_limits),
	{0},
};

static const struct grammar grammar = {
	.about =
		"Take all images out of an archive: what 'lcx save' and 'docker save' write, or a\n"
		"tar of an OCI layout; compressed or not.",
	.rows = rows,
};

static void load_options_free(struct load_options *o)
{
	list_free(&o->layer_limits);
}

int cmd_load(struct app *app, int argc, char **argv)
{
	CLEANUP(lcx_load_freep) struct lcx_load *load = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	CLEANUP(load_options_free) struct load_options o = {0};
	enum options_result result = options_parse(app, &grammar, &o, &argc, argv);
	int fd, r;

	if (result != OPTIONS_OK)
		return options_exit(result);
	if (!app_open(app))
		return EXIT_COMMAND_FAILED;
	r = layer_limits_set(app, &o.layer_limits);
	if (r != 0)
		return r;
	fd = stream_open(app, o.input);
	if (fd < 0)
		return EXIT_COMMAND_FAILED;
	r = lcx_load_new(app->ctx, fd, &load, &err);
	if (r == 0)
		r = lcx_load_run(load, &err);
	for (size_t i = 0; load && i < lcx_load_count(load); i++)
		printf("%s%s\n", app->quiet ? "" : "Loaded image: ", lcx_load_name(load, i));
	if (r < 0)
		app_report(app, &err);
	(void)stream_close(app, fd, o.input, false);
	return r < 0 ? EXIT_COMMAND_FAILED : EXIT_SUCCESS;
}
