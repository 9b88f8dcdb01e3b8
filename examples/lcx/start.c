/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>

#include "app.h"
#include "memory.h"
#include "options.h"
#include "session.h"

struct start_options {
	bool attach, interactive;
	const char *detach_keys;
};

static const struct option_row rows[] = {
	{'a', "attach", OPTION_FLAG, offsetof(struct start_options, attach), NULL,
	 "stay with it, and end with its exit code"},
	{'i', "interactive", OPTION_FLAG, offsetof(struct start_options, interactive), NULL,
	 "and pass standard input on"},
	{'\0', "detach-keys", OPTION_STRING, offsetof(struct start_options, detach_keys), "KEYS",
	 "leave it running; default ctrl-p,ctrl-q"},
	{0},
};

static const struct grammar grammar = {
	.operands = "CONTAINER...",
	.about = "Start containers that were created, or have ended.",
	.rows = rows,
	.min = 1,
	.max = -1,
};

static int start_one(struct lcx_container *container, void *data, struct lcx_error **err)
{
	CLEANUP(lcx_stdio_freep) struct lcx_stdio *stdio = NULL;
	int r = session_detached_stdio(container, &stdio, err);

	if (r == 0)
		r = lcx_container_start_detached(container, stdio, err);
	if (r == 0 || r == -EALREADY)
		app_supervise(data, container);
	/* As Docker: to start what runs is no failure. */
	if (r == -EALREADY)
		*err = lcx_error_free(*err);
	return r == -EALREADY ? 0 : r;
}

static int start_and_stay(struct app *app, const char *name, const struct start_options *o)
{
	CLEANUP(lcx_container_freep) struct lcx_container *c = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	struct session session = {app, o->interactive, false, o->detach_keys, -1};
	int code = EXIT_COMMAND_FAILED, r = lcx_container_open(app->ctx, name, &c, &err);

	if (r < 0) {
		app_report(app, &err);
		return code;
	}
	session.tty = lcx_container_has_terminal(c);
	if (!session_begin(&session))
		return code;
	if (session_start_attached(&session, c, &code, &err) < 0) {
		code = app_exec_failure(err);
		app_report(app, &err);
	}
	session_end(&session);
	return code;
}

int cmd_start(struct app *app, int argc, char **argv)
{
	struct start_options o = {0};
	enum options_result result = options_parse(app, &grammar, &o, &argc, argv);

	if (result != OPTIONS_OK)
		return options_exit(result);
	if ((o.attach || o.interactive) && argc > 1)
		return options_usage_error(app, "one can stay with one container only");
	if (!app_open(app))
		return EXIT_COMMAND_FAILED;
	if (o.attach || o.interactive)
		return start_and_stay(app, argv[0], &o);
	return app_each_container(app, argc, argv, start_one, app);
}
