/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>

#include "app.h"
#include "memory.h"
#include "options.h"
#include "progress.h"
#include "registry.h"

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

static const struct progress_state states[] = {
	[LCX_PUSH_WAITING] = {"Waiting", false, false},
	[LCX_PUSH_UPLOADING] = {"Pushing", true, false},
	[LCX_PUSH_PUSHED] = {"Pushed", false, true},
	[LCX_PUSH_MOUNTED] = {"Mounted", false, true},
	[LCX_PUSH_EXISTED] = {"Layer already exists", false, true},
};

static size_t count(const void *push)
{
	return lcx_push_layer_count(push);
}

static const char *digest(const void *push, size_t layer)
{
	return lcx_push_layer_digest(push, layer);
}

static size_t state(const void *push, size_t layer)
{
	return (size_t)lcx_push_layer_state(push, layer);
}

static uint64_t done(const void *push, size_t layer)
{
	return lcx_push_layer_done_bytes(push, layer);
}

static uint64_t total(const void *push, size_t layer)
{
	return lcx_push_layer_total_bytes(push, layer);
}

static int follow(struct lcx_push *push, struct progress *progress, struct lcx_error **err)
{
	struct pollfd fd = {.fd = lcx_push_fd(push), .events = POLLIN};
	int r;

	while ((r = lcx_push_dispatch(push, err)) > 0) {
		if (progress)
			progress_update(progress);
		if (poll(&fd, 1, -1) < 0 && errno != EINTR)
			return -errno;
	}
	return r;
}

static int push_image(struct app *app, struct lcx_push *push, struct lcx_error **err)
{
	const struct progress_job job = {
		.data = push,
		.states = states,
		.n_states = sizeof(states) / sizeof(*states),
		.count = count,
		.digest = digest,
		.state = state,
		.done = done,
		.total = total,
	};
	struct progress progress;
	int r;

	if (app->quiet)
		return follow(push, NULL, err);
	printf("The push refers to %s\n", lcx_push_reference(push));
	progress_begin(&progress, &job, stdout);
	r = follow(push, &progress, err);
	progress_end(&progress);
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
	if (r == 0)
		r = push_image(app, push, &err);
	if (r != 0) {
		app_report(app, &err);
		return EXIT_COMMAND_FAILED;
	}
	if (!app->quiet)
		printf("Digest: %s\n", lcx_push_manifest_digest(push));
	puts(lcx_push_reference(push));
	return EXIT_SUCCESS;
}
