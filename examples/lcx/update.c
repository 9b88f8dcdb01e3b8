/* SPDX-License-Identifier: MIT */
#include "app.h"
#include "limits.h"
#include "options.h"

struct update_options {
	struct limit_options limits;
};

static const struct option_row rows[] = {
	LIMIT_ROWS(struct update_options, limits),
	{0},
};

static const struct grammar grammar = {
	.operands = "CONTAINER...",
	.about = "Change the limits of containers, whether they run or not.",
	.rows = rows,
	.min = 1,
	.max = -1,
};

static int update_one(struct lcx_container *container, void *data, struct lcx_error **err)
{
	int r = limits_apply(data, lcx_container_spec(container), err);

	return r < 0 ? r : lcx_container_update(container, err);
}

int cmd_update(struct app *app, int argc, char **argv)
{
	struct update_options o = {0};
	enum options_result result = options_parse(app, &grammar, &o, &argc, argv);
	struct limits limits;

	if (result != OPTIONS_OK)
		return options_exit(result);
	if (!limits_parse(app, &o.limits, &limits))
		return EXIT_LIBRARY_FAILED;
	if (!app_open(app))
		return EXIT_COMMAND_FAILED;
	return app_each_container(app, argc, argv, update_one, &limits);
}
