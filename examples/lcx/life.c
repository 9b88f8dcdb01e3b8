/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "app.h"
#include "options.h"
#include "text.h"

/* restart, pause, unpause, rename, wait: each a call of the library for one name or several. */

struct life_options {
	const char *time;
};

static const struct option_row no_rows[] = {{0}},
			       restart_rows[] = {
				       {'t', "time", OPTION_STRING,
					offsetof(struct life_options, time), "SECONDS",
					"until it is killed; default 10, never: -1"},
				       {0},
};

struct restart {
	struct app *app;
	int64_t seconds;
};

static int restart_one(struct lcx_container *container, void *data, struct lcx_error **err)
{
	const struct restart *restart = data;
	int r = lcx_container_restart(
		container, restart->seconds < 0 ? -1 : (int32_t)(restart->seconds * 1000), err);

	if (r == 0)
		app_supervise(restart->app, container);
	return r;
}

int cmd_restart(struct app *app, int argc, char **argv)
{
	static const struct grammar grammar = {
		.operands = "CONTAINER...",
		.about = "Stop containers, and start them again.",
		.rows = restart_rows,
		.min = 1,
		.max = -1,
	};
	struct life_options o = {0};
	enum options_result result = options_parse(app, &grammar, &o, &argc, argv);
	struct restart restart = {app, 10};

	if (result != OPTIONS_OK)
		return options_exit(result);
	if (o.time && text_parse_int(o.time, -1, INT32_MAX / 1000, &restart.seconds) < 0)
		return options_usage_error(app, "'%s' is no number of seconds", o.time);
	if (!app_open(app))
		return EXIT_COMMAND_FAILED;
	return app_each_container(app, argc, argv, restart_one, &restart);
}

static int pause_one(struct lcx_container *container, void *data, struct lcx_error **err)
{
	(void)data;
	return lcx_container_pause(container, err);
}

static int unpause_one(struct lcx_container *container, void *data, struct lcx_error **err)
{
	(void)data;
	return lcx_container_unpause(container, err);
}

static int do_each(struct app *app, int argc, char **argv, const char *about, app_container_fn *fn)
{
	struct grammar grammar = {
		.operands = "CONTAINER...",
		.about = about,
		.rows = no_rows,
		.min = 1,
		.max = -1,
	};
	struct life_options o = {0};
	enum options_result result = options_parse(app, &grammar, &o, &argc, argv);

	if (result != OPTIONS_OK)
		return options_exit(result);
	return app_open(app) ? app_each_container(app, argc, argv, fn, NULL) : EXIT_COMMAND_FAILED;
}

int cmd_pause(struct app *app, int argc, char **argv)
{
	return do_each(app, argc, argv, "Stop all processes of containers where they are.",
		       pause_one);
}

int cmd_unpause(struct app *app, int argc, char **argv)
{
	return do_each(app, argc, argv, "Let the processes of paused containers go on.",
		       unpause_one);
}

static int rename_one(struct lcx_container *container, void *data, struct lcx_error **err)
{
	return lcx_container_rename(container, data, err);
}

int cmd_rename(struct app *app, int argc, char **argv)
{
	static const struct grammar grammar = {
		.operands = "CONTAINER NAME",
		.about = "Give a container another name.",
		.rows = no_rows,
		.min = 2,
		.max = 2,
	};
	struct life_options o = {0};
	enum options_result result = options_parse(app, &grammar, &o, &argc, argv);

	return result == OPTIONS_OK ? app_one_container(app, argv[0], rename_one, argv[1])
				    : options_exit(result);
}

/* As Docker: the exit codes, one a line, in the order of the names. */
int cmd_wait(struct app *app, int argc, char **argv)
{
	static const struct grammar grammar = {
		.operands = "CONTAINER...",
		.about = "Wait until containers have ended, and print their exit codes.",
		.rows = no_rows,
		.min = 1,
		.max = -1,
	};
	struct life_options o = {0};
	enum options_result result = options_parse(app, &grammar, &o, &argc, argv);
	int code = EXIT_SUCCESS;

	if (result != OPTIONS_OK)
		return options_exit(result);
	if (!app_open(app))
		return EXIT_COMMAND_FAILED;
	for (int i = 0; i < argc; i++) {
		CLEANUP(lcx_container_freep) struct lcx_container *c = NULL;
		CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
		int32_t status = LCX_EXIT_UNKNOWN;
		int r = lcx_container_open(app->ctx, argv[i], &c, &err);

		if (r == 0)
			r = lcx_container_wait(c, -1, &status, &err);
		if (r < 0) {
			app_report(app, &err);
			code = EXIT_COMMAND_FAILED;
		} else if (status == LCX_EXIT_UNKNOWN) {
			puts("unknown");
		} else {
			printf("%" PRId32 "\n", status);
		}
		fflush(stdout);
	}
	return code;
}
