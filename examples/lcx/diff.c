/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "app.h"
#include "memory.h"
#include "options.h"
#include "text.h"

static const struct grammar grammar = {
	.operands = "CONTAINER",
	.about = "Print what a container has changed, compared with its image: A for a path that\n"
		 "was added, C for one that was changed, D for one that was deleted.",
	.min = 1,
	.max = 1,
};

static void print_change(const struct lcx_overlay_diff *diff)
{
	static const char letters[] = {
		[LCX_OVERLAY_ADDED] = 'A',
		[LCX_OVERLAY_CHANGED] = 'C',
		[LCX_OVERLAY_DELETED] = 'D',
	};

	printf("%c /", letters[lcx_overlay_diff_kind(diff)]);
	text_print_safe(stdout, lcx_overlay_diff_path(diff));
	putchar('\n');
}

int cmd_diff(struct app *app, int argc, char **argv)
{
	CLEANUP(lcx_overlay_diff_freep) struct lcx_overlay_diff *diff = NULL;
	CLEANUP(lcx_container_freep) struct lcx_container *container = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	enum options_result result = options_parse(app, &grammar, NULL, &argc, argv);
	int r;

	if (result != OPTIONS_OK)
		return options_exit(result);
	if (!app_open(app))
		return EXIT_COMMAND_FAILED;
	r = lcx_container_open(app->ctx, argv[0], &container, &err);
	if (r == 0)
		r = lcx_container_diff(container, &diff, &err);
	while (r == 0 && (r = lcx_overlay_diff_next(diff, &err)) > 0) {
		print_change(diff);
		r = 0;
	}
	if (r < 0)
		app_report(app, &err);
	return r < 0 ? EXIT_COMMAND_FAILED : EXIT_SUCCESS;
}
