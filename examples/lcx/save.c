/* SPDX-License-Identifier: MIT */
#include "app.h"
#include "memory.h"
#include "options.h"
#include "stream.h"

struct save_options {
	const char *output;
};

static const struct option_row rows[] = {
	{'o', "output", OPTION_STRING, offsetof(struct save_options, output), "FILE",
	 "write there instead of standard output"},
	{0},
};

static const struct grammar grammar = {
	.operands = "IMAGE...",
	.about = "Write images as one archive: a tar of an OCI layout, which 'docker load' and\n"
		 "'podman load' read, too.",
	.rows = rows,
	.min = 1,
	.max = -1,
};

int cmd_save(struct app *app, int argc, char **argv)
{
	CLEANUP(lcx_save_freep) struct lcx_save *save = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	struct save_options o = {0};
	enum options_result result = options_parse(app, &grammar, &o, &argc, argv);
	int fd, r;

	if (result != OPTIONS_OK)
		return options_exit(result);
	if (!app_open(app))
		return EXIT_COMMAND_FAILED;
	r = lcx_save_new(app->ctx, &save, &err);
	for (int i = 0; r == 0 && i < argc; i++)
		r = lcx_save_add(save, argv[i], &err);
	if (r < 0) {
		app_report(app, &err);
		return EXIT_COMMAND_FAILED;
	}
	fd = stream_create(app, o.output);
	if (fd < 0)
		return EXIT_COMMAND_FAILED;
	r = lcx_save_run(save, fd, &err);
	if (r < 0)
		app_report(app, &err);
	return stream_close(app, fd, o.output, r < 0) && r == 0 ? EXIT_SUCCESS
								: EXIT_COMMAND_FAILED;
}
