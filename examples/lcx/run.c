/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "describe.h"
#include "session.h"

static const struct option_row rows[] = {
	RUN_ROW('d', "detach", OPTION_FLAG, detach, NULL,
		"print the identifier and return at once"),
	RUN_ROW('\0', "detach-keys", OPTION_STRING, detach_keys, "KEYS",
		"leave it running; default ctrl-p,ctrl-q"),
	RUN_ROWS,
	{0},
};

static const struct grammar grammar = {
	.operands = "IMAGE [COMMAND [ARGUMENT...]]",
	.about = "Run a program in a new container. The exit code is the program's, or 125 if lcx\n"
		 "failed, 126 if the program cannot be executed, 127 if it is not there.",
	.rows = rows,
	.max = -1,
	.stop_at_operand = true,
};

static int run_detached(struct app *app, struct lcx_container *c)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	CLEANUP(lcx_stdio_freep) struct lcx_stdio *stdio = NULL;

	if (session_detached_stdio(c, &stdio, &err) < 0 ||
	    lcx_container_start_detached(c, stdio, &err) < 0)
		return fail_start(app, c, &err);
	app_supervise(app, c);
	print_steps(app, c);
	puts(lcx_container_id(c));
	return EXIT_SUCCESS;
}

/*
 * At a terminal one may leave by the detach keys, and come back: so a monitor owns it, as it
 * owns a detached one.
 */
static int run_at_terminal(struct app *app, struct lcx_container *c, const struct run_options *o)
{
	struct session session = {app, o->interactive, o->tty, o->detach_keys, -1};
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	int code;

	if (!session_begin(&session))
		return EXIT_LIBRARY_FAILED;
	if (session_start_attached(&session, c, &code, &err) < 0)
		code = fail_start(app, c, &err);
	else
		print_steps(app, c);
	app_supervise(app, c);
	session_end(&session);
	return code;
}

/* Else 137 is all there is to see. */
static void tell_memory(struct app *app, const struct lcx_container *c)
{
	if (lcx_container_oom_killed(c))
		app_error(app,
			  "the kernel ended a process of the container: its memory limit was reached");
}

/* Otherwise this program owns it, and it ends with it. */
static int run_attached(struct app *app, struct lcx_container *c, const struct run_options *o)
{
	struct session session = {app, o->interactive, o->tty, o->detach_keys, -1};
	struct session_link link = {.container = c};
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	CLEANUP(lcx_stdio_freep) struct lcx_stdio *stdio = NULL;
	int32_t status = LCX_EXIT_UNKNOWN;
	int r;

	if (!session_begin(&session))
		return EXIT_LIBRARY_FAILED;
	stdio = session_stdio(&session, c, &err);
	r = stdio ? lcx_container_start(c, stdio, &err) : -ENOMEM;
	if (r < 0) {
		session_end(&session);
		return fail_start(app, c, &err);
	}
	print_steps(app, c);
	link.process = lcx_container_process(c);
	r = session_run(&session, &link, &status, &err);
	/* Takes down what the container had, and if the loop failed, ends it first. */
	if (r < 0)
		(void)lcx_container_kill(c, SIGKILL, NULL);
	if (lcx_container_wait(c, -1, &status, r < 0 ? NULL : &err) < 0 && r == 0)
		app_report(app, &err);
	session_end(&session);
	tell_memory(app, c);
	if (r < 0) {
		app_report(app, &err);
		return EXIT_LIBRARY_FAILED;
	}
	return session_exit_code(app, status);
}

int cmd_run(struct app *app, int argc, char **argv)
{
	CLEANUP(lcx_container_freep) struct lcx_container *container = NULL;
	CLEANUP(run_options_free) struct run_options o = {0};
	enum options_result result = options_parse(app, &grammar, &o, &argc, argv);

	if (result != OPTIONS_OK)
		return options_exit(result);
	if (o.detach_keys && !o.tty)
		return options_usage_error(app, "detach keys are pressed at a terminal: give -t");
	container = describe_container(app, &o, argc, argv);
	if (!container)
		return EXIT_LIBRARY_FAILED;
	if (o.detach)
		return run_detached(app, container);
	/* Somebody must look after its health, and this program may be left. */
	return o.tty || lcx_container_has_health_check(container)
		       ? run_at_terminal(app, container, &o)
		       : run_attached(app, container, &o);
}
