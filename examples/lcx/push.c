/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>

#include "app.h"
#include "memory.h"
#include "options.h"
#include "registry.h"
#include "text.h"

struct push_options {
	struct registry_options registry;
};

static const struct option_row rows[] = {
	REGISTRY_ROWS(struct push_options, registry),
	{0},
};

static const struct grammar grammar = {
	.operands = "IMAGE [DESTINATION]",
	.about =
		"Send an image to the registry that its name, or DESTINATION, says. What is there\n"
		"already is not sent.",
	.rows = rows,
	.min = 1,
	.max = 2,
};

static const char *const state_names[] = {
	[LCX_PUSH_WAITING] = "Waiting",
	[LCX_PUSH_UPLOADING] = "Pushing",
	[LCX_PUSH_PUSHED] = "Pushed",
	[LCX_PUSH_MOUNTED] = "Mounted",
	[LCX_PUSH_EXISTED] = "Layer already exists",
};

/* A line for each layer whose state has changed. */
static void tell(const struct lcx_push *push, enum lcx_push_state *told)
{
	for (size_t i = 0; i < lcx_push_layer_count(push); i++) {
		enum lcx_push_state state = lcx_push_layer_state(push, i);
		char id[80];

		if (state == told[i])
			continue;
		told[i] = state;
		text_short_id(lcx_push_layer_digest(push, i), false, id);
		printf("%s: %s\n", id, state_names[state]);
	}
	fflush(stdout);
}

static int follow(struct lcx_push *push, bool quiet, struct lcx_error **err)
{
	struct pollfd fd = {.fd = lcx_push_fd(push), .events = POLLIN};
	CLEANUP(freep)
	enum lcx_push_state *told = xrealloc(NULL, lcx_push_layer_count(push) + 1, sizeof(*told));
	int r;

	for (size_t i = 0; i < lcx_push_layer_count(push); i++)
		told[i] = LCX_PUSH_WAITING;
	do {
		r = lcx_push_dispatch(push, err);
		if (!quiet)
			tell(push, told);
	} while (r > 0 && (poll(&fd, 1, -1) >= 0 || errno == EINTR));
	return r;
}

int cmd_push(struct app *app, int argc, char **argv)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	CLEANUP(lcx_push_freep) struct lcx_push *push = NULL;
	struct push_options o = {0};
	enum options_result result = options_parse(app, &grammar, &o, &argc, argv);
	int r;

	if (result != OPTIONS_OK)
		return options_exit(result);
	if (!app_open(app))
		return EXIT_COMMAND_FAILED;
	r = lcx_push_new(app->ctx, argv[0], argc > 1 ? argv[1] : NULL, &push, &err);
	if (r == 0)
		r = registry_prepare_push(push, &o.registry, &err);
	if (r == 0 && !app->quiet)
		printf("The push refers to %s\n", lcx_push_reference(push));
	if (r == 0)
		r = follow(push, app->quiet, &err);
	if (r != 0) {
		app_report(app, &err);
		return EXIT_COMMAND_FAILED;
	}
	if (!app->quiet)
		printf("Digest: %s\n", lcx_push_manifest_digest(push));
	puts(lcx_push_reference(push));
	return EXIT_SUCCESS;
}
