/* SPDX-License-Identifier: MIT */
#include "app.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "memory.h"
#include "options.h"
#include "text.h"

const struct command *app_find_command(struct app *app, const struct command *table,
				       const char *name)
{
	size_t distance = strlen(name) / 2 + 1;
	const char *best = NULL;

	for (const struct command *c = table; c->name; c++) {
		size_t d = options_distance(name, c->name);

		if (d == 0)
			return c;
		if (d < distance) {
			distance = d;
			best = c->name;
		}
	}
	if (best)
		(void)options_usage_error(app, "unknown command '%s'; did you mean '%s'?", name,
					  best);
	else
		(void)options_usage_error(app, "unknown command '%s'", name);
	return NULL;
}

/* Who has ranges gets them with his root directory, unless it has files of his own id already. */
static int take_subids(const struct app *app, struct lcx_error **err)
{
	const char *when = app->subids ? app->subids : "auto";

	if (strcmp(when, "on") == 0)
		return lcx_ctx_use_subids(app->ctx, err);
	if (strcmp(when, "auto") != 0 && strcmp(when, "off") != 0) {
		app_error(app, "--subids=%s: must be auto, on or off", when);
		return -EINVAL;
	}
	if (when[0] == 'a' && geteuid() != 0 && !lcx_ctx_uses_subids(app->ctx))
		(void)lcx_ctx_use_subids(app->ctx, NULL);
	return 0;
}

static int print_group(const struct command_group *group)
{
	printf("Usage: lcx %s COMMAND\n\nCommands:\n", group->name);
	for (const struct command *c = group->commands; c->name; c++)
		printf("  %-10s %s\n", c->name, c->help);
	printf("\n'lcx %s COMMAND --help' tells more.\n", group->name);
	return EXIT_SUCCESS;
}

int app_group(struct app *app, const struct command_group *group, int argc, char **argv)
{
	CLEANUP(freep) char *full_name = NULL;
	const struct command *command;
	int code;

	if (argc == 0)
		return options_usage_error(app, "%s", group->none);
	if (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0)
		return print_group(group);
	command = app_find_command(app, group->commands, argv[0]);
	if (!command)
		return EXIT_LIBRARY_FAILED;
	full_name = xprintf("%s %s", group->name, command->name);
	app->command = full_name;
	code = command->run(app, argc - 1, argv + 1);
	app->command = group->name;
	return code;
}

bool app_open(struct app *app)
{
	struct lcx_error *err = NULL;

	if (lcx_ctx_open(app->root_dir, app->run_dir, &app->ctx, &err) == 0 &&
	    take_subids(app, &err) == 0 &&
	    (!app->registries ||
	     lcx_image_set_registries_file(app->ctx, app->registries, &err) == 0))
		return true;
	if (err)
		app_report(app, &err);
	return false;
}

bool app_begin(struct app *app, const struct grammar *grammar, void *values, int *argc, char **argv,
	       int *code)
{
	enum options_result result = options_parse(app, grammar, values, argc, argv);

	*code = result == OPTIONS_OK ? EXIT_COMMAND_FAILED : options_exit(result);
	return result == OPTIONS_OK && app_open(app);
}

bool app_json(const struct app *app)
{
	return app->format && strcmp(app->format, "json") == 0;
}

void app_error(const struct app *app, const char *format, ...)
{
	char *text;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);

	fputs("lcx: ", stderr);
	if (app->command[0])
		fprintf(stderr, "%s: ", app->command);
	text_print_safe(stderr, text ? text : "out of memory");
	fputc('\n', stderr);
	free(text);
}

void app_report(const struct app *app, struct lcx_error **err)
{
	const char *stage = lcx_error_stage(*err);

	app_error(app, "%s", lcx_error_message(*err));
	if (app->debug)
		app_error(app, "step '%s', errno %d (%s)", stage[0] ? stage : "-",
			  lcx_error_code(*err), strerrorname_np(lcx_error_code(*err)));
	*err = lcx_error_free(*err);
}

int app_exec_failure(const struct lcx_error *err)
{
	if (strcmp(lcx_error_stage(err), "exec") != 0)
		return EXIT_LIBRARY_FAILED;
	switch (lcx_error_code(err)) {
	case ENOENT:
	case ENOTDIR:
		return EXIT_NOT_FOUND;
	case EACCES:
	case ENOEXEC:
	case EISDIR:
	case EPERM:
		return EXIT_NOT_EXECUTABLE;
	default:
		return EXIT_LIBRARY_FAILED;
	}
}

int app_each(struct app *app, int argc, char **argv, app_each_fn *fn, void *data)
{
	int code = EXIT_SUCCESS;

	for (int i = 0; i < argc; i++) {
		struct lcx_error *err = NULL;

		if (fn(app, argv[i], data, &err) < 0) {
			app_report(app, &err);
			code = EXIT_COMMAND_FAILED;
		} else {
			puts(argv[i]);
		}
	}
	return code;
}

struct container_call {
	app_container_fn *fn;
	void *data;
};

static int call_container(struct app *app, const char *name, void *data, struct lcx_error **err)
{
	CLEANUP(lcx_container_freep) struct lcx_container *container = NULL;
	struct container_call *call = data;
	int r = lcx_container_open(app->ctx, name, &container, err);

	return r < 0 ? r : call->fn(container, call->data, err);
}

int app_one_container(struct app *app, const char *name, app_container_fn *fn, void *data)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	struct container_call call = {fn, data};

	if (!app_open(app))
		return EXIT_COMMAND_FAILED;
	if (call_container(app, name, &call, &err) == 0)
		return EXIT_SUCCESS;
	app_report(app, &err);
	return EXIT_COMMAND_FAILED;
}

int app_each_container(struct app *app, int argc, char **argv, app_container_fn *fn, void *data)
{
	struct container_call call = {fn, data};

	return app_each(app, argc, argv, call_container, &call);
}
