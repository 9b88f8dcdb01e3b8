/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "app.h"
#include "limits.h"
#include "options.h"

struct update_options {
	struct limit_options limits;
	const char *restart;
};

static const struct option_row rows[] = {
	LIMIT_ROWS(struct update_options, limits),
	{'\0', "restart", OPTION_STRING, offsetof(struct update_options, restart), "POLICY",
	 "no, always, unless-stopped, on-failure[:N]"},
	{0},
};

static const struct grammar grammar = {
	.operands = "CONTAINER...",
	.about = "Change the limits of containers, whether they run or not.",
	.rows = rows,
	.min = 1,
	.max = -1,
};

struct update {
	struct app *app;
	struct limits limits;
	const char *restart;
};

static int update_one(struct lcx_container *container, void *data, struct lcx_error **err)
{
	const struct update *update = data;
	int r = limits_apply(&update->limits, lcx_container_spec(container), err);

	if (r == 0 && update->restart)
		r = lcx_container_set_restart_policy(container, update->restart, err);
	if (r == 0)
		r = lcx_container_update(container, err);
	if (r == 0)
		app_supervise(update->app, container);
	return r;
}

int cmd_update(struct app *app, int argc, char **argv)
{
	struct update_options o = {0};
	enum options_result result = options_parse(app, &grammar, &o, &argc, argv);
	struct update update = {.app = app};

	if (result != OPTIONS_OK)
		return options_exit(result);
	if (memcmp(&o, &(struct update_options){0}, sizeof(o)) == 0) {
		(void)options_usage_error(app, "nothing is to be changed: an option is missing");
		return EXIT_LIBRARY_FAILED;
	}
	if (!limits_parse(app, &o.limits, &update.limits))
		return EXIT_LIBRARY_FAILED;
	if (!app_open(app))
		return EXIT_COMMAND_FAILED;
	update.restart = o.restart;
	return app_each_container(app, argc, argv, update_one, &update);
}
