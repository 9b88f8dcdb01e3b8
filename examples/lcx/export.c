/* SPDX-License-Identifier: MIT */
#include "app.h"
#include "memory.h"
#include "options.h"
#include "stream.h"

struct export_options {
	const char *output;
};

static const struct option_row rows[] = {
	{'o', "output", OPTION_STRING, offsetof(struct export_options, output), "FILE",
	 "write there instead of standard output"},
	{0},
};

static const struct grammar grammar = {
	.operands = "CONTAINER",
	.about = "Write all files of a container as a tar archive.",
	.rows = rows,
	.min = 1,
	.max = 1,
};

int cmd_export(struct app *app, int argc, char **argv)
{
	CLEANUP(lcx_container_freep) struct lcx_container *container = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	struct export_options o = {0};
	enum options_result result = options_parse(app, &grammar, &o, &argc, argv);
	int fd, r;

	if (result != OPTIONS_OK)
		return options_exit(result);
	if (!app_open(app))
		return EXIT_COMMAND_FAILED;
	if (lcx_container_open(app->ctx, argv[0], &container, &err) < 0) {
		app_report(app, &err);
		return EXIT_COMMAND_FAILED;
	}
	fd = stream_create(app, o.output);
	if (fd < 0)
		return EXIT_COMMAND_FAILED;
	r = lcx_container_export(container, fd, &err);
	if (r < 0)
		app_report(app, &err);
	return stream_close(app, fd, o.output, r < 0) && r == 0 ? EXIT_SUCCESS
								: EXIT_COMMAND_FAILED;
}
