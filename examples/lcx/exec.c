/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "app.h"
#include "given.h"
#include "memory.h"
#include "options.h"
#include "security.h"
#include "session.h"

struct exec_options {
	bool interactive, tty, detach, privileged;
	const char *user, *workdir;
	struct list env, env_files, cap_add, cap_drop;
};

#define ROW(letter, name, type, member, argument, help)                                            \
	{                                                                                          \
		letter, name, type, offsetof(struct exec_options, member), argument, help          \
	}

static const struct option_row rows[] = {
	ROW('i', "interactive", OPTION_FLAG, interactive, NULL, "pass standard input on"),
	ROW('t', "tty", OPTION_FLAG, tty, NULL, "give it a terminal"),
	ROW('d', "detach", OPTION_FLAG, detach, NULL, "return at once"),
	ROW('e', "env", OPTION_LIST, env, "NAME[=VALUE]", "set a variable; without value: as here"),
	ROW('\0', "env-file", OPTION_LIST, env_files, "FILE",
	    "variables, a line each; -e comes after them"),
	ROW('w', "workdir", OPTION_STRING, workdir, "DIR", "working directory"),
	ROW('u', "user", OPTION_STRING, user, "USER[:GROUP]", "names of the container, or numbers"),
	ROW('\0', "cap-add", OPTION_LIST, cap_add, "CAPABILITY", "give a capability, or ALL"),
	ROW('\0', "cap-drop", OPTION_LIST, cap_drop, "CAPABILITY", "take a capability, or ALL"),
	ROW('\0', "privileged", OPTION_FLAG, privileged, NULL, "give it all capabilities"),
	{0},
};

static const struct grammar grammar = {
	.operands = "CONTAINER COMMAND [ARGUMENT...]",
	.about = "Run a program in a running container. The exit code is the program's, or 125 if\n"
		 "lcx failed, 126 if the program cannot be executed, 127 if it is not there.",
	.rows = rows,
	.min = 2,
	.max = -1,
	.stop_at_operand = true,
};

static void exec_options_free(struct exec_options *o)
{
	list_free(&o->env);
	list_free(&o->env_files);
	list_free(&o->cap_add);
	list_free(&o->cap_drop);
}

static int set_env(struct app *app, struct lcx_spec *spec, const struct exec_options *o,
		   struct lcx_error **err)
{
	const struct environment to = {.spec = spec};
	int r = 0;

	if (o->tty)
		r = lcx_spec_set_env(spec, "TERM", "xterm", err);
	if (r == 0 && !apply_env_files(app, &to, &o->env_files))
		return -EINVAL;
	for (size_t i = 0; r == 0 && i < o->env.count; i++)
		r = add_variable(&to, o->env.items[i], err);
	return r;
}

/* Docker's order: what is dropped first may be given back by name. */
static int set_capabilities(struct lcx_spec *spec, const struct exec_options *o,
			    struct lcx_error **err)
{
	int r = o->privileged ? lcx_spec_add_capability(spec, "ALL", err) : 0;

	for (size_t i = 0; r == 0 && i < o->cap_drop.count; i++)
		r = lcx_spec_drop_capability(spec, o->cap_drop.items[i], err);
	for (size_t i = 0; r == 0 && i < o->cap_add.count; i++)
		r = lcx_spec_add_capability(spec, o->cap_add.items[i], err);
	return r;
}

static int describe(struct app *app, struct lcx_container *c, const struct exec_options *o,
		    char **argv, struct lcx_spec **ret, struct lcx_error **err)
{
	int r = lcx_container_exec_spec(c, ret, err);

	if (r == 0)
		r = lcx_spec_set_args(*ret, (const char *const *)argv, err);
	if (r == 0)
		r = lcx_spec_set_terminal(*ret, o->tty, err);
	if (r == 0 && o->user)
		r = apply_user(*ret, c, o->user, err);
	if (r == 0 && o->workdir)
		r = lcx_spec_set_cwd(*ret, o->workdir, err);
	if (r == 0)
		r = set_capabilities(*ret, o, err);
	return r == 0 ? set_env(app, *ret, o, err) : r;
}

static int exec_detached(struct app *app, struct lcx_container *c, const struct lcx_spec *spec)
{
	CLEANUP(lcx_process_freep) struct lcx_process *process = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	CLEANUP(lcx_stdio_freep) struct lcx_stdio *stdio = NULL;
	int r = lcx_stdio_new(&stdio, &err), code;

	if (r == 0) {
		lcx_stdio_set_passthrough(stdio, -1, -1, -1);
		r = lcx_container_exec(c, spec, stdio, &process, &err);
	}
	if (r == 0)
		return EXIT_SUCCESS;
	code = app_exec_failure(err);
	app_report(app, &err);
	return code;
}

static int exec_attached(struct app *app, struct lcx_container *c, const struct lcx_spec *spec,
			 const struct exec_options *o)
{
	struct session session = {app, o->interactive, o->tty, NULL, -1};
	CLEANUP(lcx_process_freep) struct lcx_process *process = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	CLEANUP(lcx_stdio_freep) struct lcx_stdio *stdio = NULL;
	int32_t status = LCX_EXIT_UNKNOWN;
	int r, code = EXIT_LIBRARY_FAILED;

	if (!session_begin(&session))
		return code;
	stdio = session_stdio(&session, NULL, &err);
	r = stdio ? lcx_container_exec(c, spec, stdio, &process, &err) : -ENOMEM;
	if (r < 0)
		code = app_exec_failure(err);
	else
		r = session_run(&session, &(struct session_link){.process = process}, &status,
				&err);
	session_end(&session);
	if (r < 0) {
		app_report(app, &err);
		return code;
	}
	return session_exit_code(app, status);
}

int cmd_exec(struct app *app, int argc, char **argv)
{
	CLEANUP(lcx_container_freep) struct lcx_container *c = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	CLEANUP(lcx_spec_freep) struct lcx_spec *spec = NULL;
	CLEANUP(exec_options_free) struct exec_options o = {0};
	enum options_result result = options_parse(app, &grammar, &o, &argc, argv);
	int r;

	if (result != OPTIONS_OK)
		return options_exit(result);
	if (!app_open(app))
		return EXIT_LIBRARY_FAILED;
	argv[argc] = NULL;
	r = lcx_container_open(app->ctx, argv[0], &c, &err);
	if (r == 0)
		r = describe(app, c, &o, argv + 1, &spec, &err);
	if (r < 0) {
		if (err) /* else it was said */
			app_report(app, &err);
		return EXIT_LIBRARY_FAILED;
	}
	return o.detach ? exec_detached(app, c, spec) : exec_attached(app, c, spec, &o);
}
