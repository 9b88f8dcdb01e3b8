/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "app.h"
#include "layer-limits.h"
#include "memory.h"
#include "options.h"

struct commit_options {
	const char *author, *message, *compression;
	struct list changes, layer_limits;
	bool pause;
};

#define ROW(letter, name, type, member, argument, help)                                            \
	{                                                                                          \
		letter, name, type, offsetof(struct commit_options, member), argument, help        \
	}

static const struct option_row rows[] = {
	ROW('a', "author", OPTION_STRING, author, "NAME", "who made it"),
	ROW('m', "message", OPTION_STRING, message, "TEXT", "for the image's history"),
	ROW('c', "change", OPTION_LIST, changes, "INSTRUCTION", "as in a Dockerfile: 'ENV A=b'"),
	ROW('p', "pause", OPTION_FLAG, pause, NULL, "freeze it meanwhile (default: true)"),
	ROW('\0', "compression", OPTION_STRING, compression, "NAME", "gzip (default), zstd, none"),
	LAYER_LIMIT_ROW(struct commit_options, layer_limits),
	{0},
};

static const struct grammar grammar = {
	.operands = "CONTAINER NAME",
	.about = "Make an image out of a container's changes.",
	.rows = rows,
	.min = 2,
	.max = 2,
};

static void commit_options_free(struct commit_options *o)
{
	list_free(&o->changes);
	list_free(&o->layer_limits);
}

static int describe(struct lcx_commit *commit, const struct commit_options *o,
		    struct lcx_error **err)
{
	int r;

	lcx_commit_set_pause(commit, o->pause);
	r = lcx_commit_set_author(commit, o->author, err);
	if (r == 0)
		r = lcx_commit_set_message(commit, o->message, err);
	if (r == 0 && o->compression)
		r = lcx_commit_set_compression(commit, o->compression, err);
	for (size_t i = 0; r == 0 && i < o->changes.count; i++)
		r = lcx_commit_add_change(commit, o->changes.items[i], err);
	return r;
}

int cmd_commit(struct app *app, int argc, char **argv)
{
	CLEANUP(lcx_container_freep) struct lcx_container *container = NULL;
	CLEANUP(lcx_commit_freep) struct lcx_commit *commit = NULL;
	CLEANUP(lcx_image_freep) struct lcx_image *image = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	CLEANUP(commit_options_free) struct commit_options o = {.pause = true};
	enum options_result result = options_parse(app, &grammar, &o, &argc, argv);
	int r;

	if (result != OPTIONS_OK)
		return options_exit(result);
	if (!app_open(app))
		return EXIT_COMMAND_FAILED;
	r = layer_limits_set(app, &o.layer_limits);
	if (r != 0)
		return r;
	r = lcx_container_open(app->ctx, argv[0], &container, &err);
	if (r == 0)
		r = lcx_commit_new(container, &commit, &err);
	if (r == 0)
		r = describe(commit, &o, &err);
	if (r == 0)
		r = lcx_commit_run(commit, argv[1], &image, &err);
	if (r < 0) {
		app_report(app, &err);
		return EXIT_COMMAND_FAILED;
	}
	puts(lcx_image_id(image));
	return EXIT_SUCCESS;
}
