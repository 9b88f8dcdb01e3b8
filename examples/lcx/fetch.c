/* SPDX-License-Identifier: MIT */
#include "fetch.h"

#include <errno.h>
#include <poll.h>

#include "memory.h"
#include "progress.h"

void fetch_options_free(struct fetch_options *options)
{
	list_free(&options->layer_limits);
}

static const struct progress_state states[] = {
	[LCX_PULL_WAITING] = {"Waiting", false, false},
	[LCX_PULL_DOWNLOADING] = {"Downloading", true, false},
	[LCX_PULL_UNPACKING] = {"Extracting", true, false},
	[LCX_PULL_DONE] = {"Pull complete", false, true},
};

static size_t count(const void *pull)
{
	return lcx_pull_layer_count(pull);
}

static const char *digest(const void *pull, size_t layer)
{
	return lcx_pull_layer_digest(pull, layer);
}

static size_t state(const void *pull, size_t layer)
{
	return (size_t)lcx_pull_layer_state(pull, layer);
}

static uint64_t done(const void *pull, size_t layer)
{
	return lcx_pull_layer_done_bytes(pull, layer);
}

static uint64_t total(const void *pull, size_t layer)
{
	return lcx_pull_layer_total_bytes(pull, layer);
}

static int prepare(struct app *app, const char *reference, const struct fetch_options *options,
		   struct lcx_pull **ret, struct lcx_error **err)
{
	int r = lcx_pull_new(app->ctx, reference, ret, err);

	if (r == 0)
		r = registry_prepare_pull(*ret, &options->registry, err);
	if (r == 0 && options->platform)
		r = lcx_pull_set_platform(*ret, options->platform, err);
	return r;
}

static int follow(struct lcx_pull *pull, struct progress *progress, struct lcx_error **err)
{
	struct pollfd fd = {.fd = lcx_pull_fd(pull), .events = POLLIN};
	int r;

	/* The first call begins the work; only then is there something to wait for. */
	while ((r = lcx_pull_dispatch(pull, err)) > 0) {
		if (progress)
			progress_update(progress);
		if (poll(&fd, 1, -1) < 0 && errno != EINTR)
			return -errno;
	}
	return r;
}

bool fetch_image(struct app *app, const char *reference, const struct fetch_options *options,
		 FILE *out, struct lcx_image **ret)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	CLEANUP(lcx_pull_freep) struct lcx_pull *pull = NULL;
	struct progress_job job = {
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

	r = prepare(app, reference, options, &pull, &err);
	if (r == 0 && app->quiet)
		r = follow(pull, NULL, &err);
	else if (r == 0) {
		job.data = pull;
		fprintf(out, "%s: Pulling\n", lcx_pull_reference(pull));
		progress_begin(&progress, &job, out);
		r = follow(pull, &progress, &err);
		progress_end(&progress);
	}
	if (r == 0 && ret)
		r = lcx_pull_image(pull, ret, &err);
	if (r < 0)
		app_report(app, &err);
	return r == 0;
}
