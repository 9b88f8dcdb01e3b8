/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "app.h"
#include "document.h"
#include "memory.h"
#include "options.h"

struct inspect_options {
	const char *type;
	bool security;
};

static const struct option_row rows[] = {
	{'\0', "type", OPTION_STRING, offsetof(struct inspect_options, type), "TYPE",
	 "container or image; default: whichever has the name"},
	{'\0', "security", OPTION_FLAG, offsetof(struct inspect_options, security), NULL,
	 "what a running container really has, as the kernel tells"},
	{0},
};

static const struct grammar grammar = {
	.operands = "NAME...",
	.about = "Print everything about containers or images, as a JSON array.",
	.rows = rows,
	.min = 1,
	.max = -1,
	.takes_template = true,
};

static int inspect_container(struct app *app, const char *name, bool security, char **ret,
			     struct lcx_error **err)
{
	CLEANUP(lcx_container_freep) struct lcx_container *container = NULL;
	int r = lcx_container_open(app->ctx, name, &container, err);

	if (r < 0)
		return r;
	return security ? lcx_container_audit(container, ret, err)
			: lcx_container_inspect(container, ret, err);
}

static int inspect_image(struct app *app, const char *name, char **ret, struct lcx_error **err)
{
	CLEANUP(lcx_image_freep) struct lcx_image *image = NULL;
	int r = lcx_image_open(app->ctx, name, &image, err);

	return r == 0 ? lcx_image_inspect(image, ret, err) : r;
}

static bool is_type(const struct inspect_options *o, const char *type)
{
	return !o->type || strcmp(o->type, type) == 0;
}

static int inspect(struct app *app, const char *name, const struct inspect_options *o, char **ret,
		   struct lcx_error **err)
{
	int r = -ENOENT;

	if (is_type(o, "container"))
		r = inspect_container(app, name, o->security, ret, err);
	/* -EINVAL: what names an image, with a slash for instance, need not be able to name a
	 * container. */
	if ((r == -ENOENT || (r == -EINVAL && !o->type)) && is_type(o, "image")) {
		*err = lcx_error_free(*err);
		r = inspect_image(app, name, ret, err);
	}
	/* Without a type the words would speak of the one that was looked for last. */
	if (r == -ENOENT && !o->type)
		*err = lcx_error_free(*err);
	return r;
}

static int inspect_all(struct app *app, int argc, char **argv, const struct inspect_options *o)
{
	struct documents documents = {app, 0};
	int code = EXIT_SUCCESS;

	if (!app_open(app))
		return EXIT_COMMAND_FAILED;
	documents_begin(&documents);
	for (int i = 0; i < argc; i++) {
		CLEANUP(lcx_string_freep) char *json = NULL;
		struct lcx_error *err = NULL;

		if (inspect(app, argv[i], o, &json, &err) == 0) {
			if (!documents_add(&documents, json))
				code = EXIT_COMMAND_FAILED;
			continue;
		}
		if (err)
			app_report(app, &err);
		else
			app_error(app, "no container or image is called '%s'", argv[i]);
		code = EXIT_COMMAND_FAILED;
	}
	documents_end(&documents);
	return code;
}

int cmd_inspect(struct app *app, int argc, char **argv)
{
	struct inspect_options o = {0};
	enum options_result result = options_parse(app, &grammar, &o, &argc, argv);

	if (result != OPTIONS_OK)
		return options_exit(result);
	if (!is_type(&o, "container") && !is_type(&o, "image"))
		return options_usage_error(
			app, "type '%s' is unknown; there are container and image", o.type);
	/* An image has no process. */
	if (o.security)
		o.type = "container";
	return inspect_all(app, argc, argv, &o);
}

int cmd_image_inspect(struct app *app, int argc, char **argv)
{
	static const struct grammar image_grammar = {
		.operands = "IMAGE...",
		.about = "Print everything about images, as a JSON array.",
		.min = 1,
		.max = -1,
		.takes_template = true,
	};
	const struct inspect_options o = {"image"};
	enum options_result result = options_parse(app, &image_grammar, NULL, &argc, argv);

	return result == OPTIONS_OK ? inspect_all(app, argc, argv, &o) : options_exit(result);
}
