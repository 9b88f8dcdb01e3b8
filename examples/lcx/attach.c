/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "app.h"
#include "memory.h"
#include "options.h"
#include "session.h"

struct attach_options {
	bool no_stdin;
	const char *detach_keys, *sig_proxy;
};

static const struct option_row rows[] = {
	{'\0', "no-stdin", OPTION_FLAG, offsetof(struct attach_options, no_stdin), NULL,
	 "only watch"},
	{'\0', "detach-keys", OPTION_STRING, offsetof(struct attach_options, detach_keys), "KEYS",
	 "leave it running; default ctrl-p,ctrl-q"},
	{'\0', "sig-proxy", OPTION_STRING, offsetof(struct attach_options, sig_proxy), "BOOL",
	 "pass signals on; default true"},
	{0},
};

static const struct grammar grammar = {
	.operands = "CONTAINER",
	.about = "Connect to the input and output of a running container. The exit code is its "
		 "own.",
	.rows = rows,
	.min = 1,
	.max = 1,
};

static bool parse_bool(struct app *app, const char *text, bool *ret)
{
	if (text && strcmp(text, "true") != 0 && strcmp(text, "false") != 0) {
		(void)options_usage_error(app, "--sig-proxy is true or false, not '%s'", text);
		return false;
	}
	*ret = !text || strcmp(text, "true") == 0;
	return true;
}

/* Both commands are one; only the promise differs. */
static bool check_console(struct app *app, struct lcx_container *c)
{
	if (strcmp(app->command, "console") != 0 || lcx_container_has_terminal(c))
		return true;
	app_error(app, "container '%s' has no terminal: lcx attach goes to its streams",
		  lcx_container_name(c));
	return false;
}

static int stay(struct app *app, struct lcx_container *c, const struct attach_options *o,
		bool pass_signals)
{
	struct session session = {
		.app = app,
		.interactive = !o->no_stdin && lcx_container_stdin_open(c),
		.tty = lcx_container_has_terminal(c),
		.detach_keys = o->detach_keys,
		.signal_fd = -1,
	};
	CLEANUP(lcx_attach_freep) struct lcx_attach *attach = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	CLEANUP(lcx_stdio_freep) struct lcx_stdio *stdio = NULL;
	int r, code = EXIT_COMMAND_FAILED;

	if (!session_begin(&session))
		return code;
	stdio = session_stdio(&session, NULL, &err);
	r = stdio ? lcx_container_attach(c, stdio, &attach, &err) : -ENOMEM;
	if (r < 0)
		app_report(app, &err);
	else
		code = session_stay(&session,
				    &(struct session_link){.attach = attach,
							   .container = c,
							   .keep_signals = !pass_signals});
	session_end(&session);
	return code;
}

int cmd_attach(struct app *app, int argc, char **argv)
{
	CLEANUP(lcx_container_freep) struct lcx_container *c = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	struct attach_options o = {0};
	enum options_result result = options_parse(app, &grammar, &o, &argc, argv);
	bool pass_signals;

	if (result != OPTIONS_OK)
		return options_exit(result);
	if (!parse_bool(app, o.sig_proxy, &pass_signals))
		return EXIT_LIBRARY_FAILED;
	if (!app_open(app))
		return EXIT_COMMAND_FAILED;
	if (lcx_container_open(app->ctx, argv[0], &c, &err) < 0) {
		app_report(app, &err);
		return EXIT_COMMAND_FAILED;
	}
	return check_console(app, c) ? stay(app, c, &o, pass_signals) : EXIT_COMMAND_FAILED;
}
