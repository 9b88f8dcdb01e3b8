/* SPDX-License-Identifier: MIT */
#include <limits.h>
#include <signal.h>

#include "app.h"
#include "options.h"
#include "text.h"

/* ---- stop ----------------------------------------------------------------- */

struct stop_options {
	const char *time;
};

static const struct option_row stop_rows[] = {
	{'t', "time", OPTION_STRING, offsetof(struct stop_options, time), "SECONDS",
	 "until it is killed; default: as it was run with, or 10; never: -1"},
	{0},
};

static const struct grammar stop_grammar = {
	.operands = "CONTAINER...",
	.about = "End containers: by their stop signal, and after a while by SIGKILL.",
	.rows = stop_rows,
	.min = 1,
	.max = -1,
};

enum { NOT_GIVEN = -2 };

static int stop_one(struct lcx_container *container, void *data, struct lcx_error **err)
{
	const int64_t *seconds = data;
	int32_t ms = lcx_container_stop_timeout_ms(container);

	if (*seconds != NOT_GIVEN)
		ms = *seconds < 0 ? -1 : (int32_t)(*seconds * 1000);
	return lcx_container_stop(container, ms, err);
}

int cmd_stop(struct app *app, int argc, char **argv)
{
	struct stop_options o = {0};
	enum options_result result = options_parse(app, &stop_grammar, &o, &argc, argv);
	int64_t seconds = NOT_GIVEN;

	if (result != OPTIONS_OK)
		return options_exit(result);
	if (o.time && text_parse_int(o.time, -1, INT32_MAX / 1000, &seconds) < 0)
		return options_usage_error(app, "'%s' is no number of seconds", o.time);
	if (!app_open(app))
		return EXIT_COMMAND_FAILED;
	return app_each_container(app, argc, argv, stop_one, &seconds);
}

/* ---- kill ----------------------------------------------------------------- */

struct kill_options {
	const char *signal;
};

static const struct option_row kill_rows[] = {
	{'s', "signal", OPTION_STRING, offsetof(struct kill_options, signal), "SIGNAL",
	 "name or number; default KILL"},
	{0},
};

static const struct grammar kill_grammar = {
	.operands = "CONTAINER...",
	.about = "Send a signal to the first process of containers.",
	.rows = kill_rows,
	.min = 1,
	.max = -1,
};

static int kill_one(struct lcx_container *container, void *data, struct lcx_error **err)
{
	return lcx_container_kill(container, *(const int32_t *)data, err);
}

int cmd_kill(struct app *app, int argc, char **argv)
{
	struct kill_options o = {0};
	enum options_result result = options_parse(app, &kill_grammar, &o, &argc, argv);
	int32_t signal = SIGKILL;

	if (result != OPTIONS_OK)
		return options_exit(result);
	if (o.signal)
		signal = lcx_signal_parse(o.signal);
	if (signal <= 0)
		return options_usage_error(app, "signal '%s' is unknown; write TERM or 15",
					   o.signal);
	if (!app_open(app))
		return EXIT_COMMAND_FAILED;
	return app_each_container(app, argc, argv, kill_one, &signal);
}
