/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>

#include "app.h"
#include "fetch.h"
#include "memory.h"
#include "options.h"

struct verify_options {
	bool repair;
	struct fetch_options fetch;
};

static const struct option_row rows[] = {
	{'\0', "repair", OPTION_FLAG, offsetof(struct verify_options, repair), NULL,
	 "pull again what is damaged"},
	FETCH_ROWS(struct verify_options, fetch),
	{0},
};

static const struct grammar grammar = {
	.operands = "[IMAGE...]",
	.about = "Check images, by default all, down to the last byte. What is damaged is set "
		 "aside.",
	.rows = rows,
	.max = -1,
};

/* By digest: the tag may name another image by now. The name that this gives goes again. */
static bool pull_again(struct app *app, const char *name, const struct verify_options *o)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	CLEANUP(lcx_string_freep) char *reference = NULL;
	CLEANUP(lcx_image_freep) struct lcx_image *image = NULL;
	bool had_name;

	if (lcx_image_resolve(app->ctx, name, &reference, &err) < 0) {
		app_report(app, &err);
		return false;
	}
	had_name = lcx_image_open(app->ctx, reference, &image, NULL) == 0;
	if (!fetch_image(app, reference, &o->fetch, stderr, NULL))
		return false;
	if (!had_name)
		(void)lcx_image_remove(app->ctx, reference, NULL);
	return true;
}

/*
 * Twice: an unpacked layer can be checked, and made anew, only when its archive is
 * good. What is damaged after that stays so.
 */
static int verify_one(struct app *app, const char *name, void *data, struct lcx_error **err)
{
	const struct verify_options *o = data;
	int r = lcx_image_verify(app->ctx, name, err);

	for (int i = 0; i < 2 && r == -EUCLEAN && o->repair; i++) {
		app_report(app, err);
		if (!pull_again(app, name, o))
			return lcx_image_verify(app->ctx, name, err);
		r = lcx_image_verify(app->ctx, name, err);
	}
	return r;
}

static int repair_all(struct app *app, struct verify_options *o)
{
	CLEANUP(lcx_image_list_freep) struct lcx_image_list *images = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	CLEANUP(list_free) struct list names = {0};
	const char *const *damaged;

	if (lcx_image_list_new(app->ctx, &images, &err) < 0) {
		app_report(app, &err);
		return EXIT_COMMAND_FAILED;
	}
	for (size_t i = 0; i < lcx_image_list_count(images); i++) {
		const struct lcx_image *image = lcx_image_list_get(images, i);
		const char *name = lcx_image_references(image)[0];

		list_add(&names, name ? name : lcx_image_manifest_digest(image));
	}
	for (damaged = lcx_image_list_damaged(images); *damaged; damaged++)
		list_add(&names, *damaged);
	return app_each(app, (int)names.count, (char **)names.items, verify_one, o);
}

static int verify_all(struct app *app)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;

	if (lcx_image_verify(app->ctx, NULL, &err) == 0)
		return EXIT_SUCCESS;
	app_report(app, &err);
	return EXIT_COMMAND_FAILED;
}

static void verify_options_free(struct verify_options *o)
{
	fetch_options_free(&o->fetch);
}

int cmd_image_verify(struct app *app, int argc, char **argv)
{
	CLEANUP(verify_options_free) struct verify_options o = {0};
	enum options_result result = options_parse(app, &grammar, &o, &argc, argv);
	int code;

	if (result != OPTIONS_OK)
		return options_exit(result);
	if (!app_open(app))
		return EXIT_COMMAND_FAILED;
	code = layer_limits_set(app, &o.fetch.layer_limits);
	if (code != 0)
		return code;
	if (argc > 0)
		return app_each(app, argc, argv, verify_one, &o);
	return o.repair ? repair_all(app, &o) : verify_all(app);
}
