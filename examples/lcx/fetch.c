/* SPDX-License-Identifier: MIT */
#include "fetch.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "memory.h"
#include "progress.h"
#include "terminal.h"

static int set_credentials(struct lcx_pull *pull, const char *creds, struct lcx_error **err)
{
	CLEANUP(freep) char *user = xprintf("%s", creds), *asked = NULL;
	char *password = strchr(user, ':');
	int r;

	if (password) {
		*password++ = '\0';
	} else {
		asked = terminal_ask_secret("Password: ");
		password = asked;
	}
	r = lcx_pull_set_credentials(pull, user, password ? password : "", err);
	explicit_bzero(user, strlen(creds));
	if (asked)
		explicit_bzero(asked, strlen(asked));
	return r;
}

static int prepare(struct app *app, const char *reference, const struct fetch_options *options,
		   struct lcx_pull **ret, struct lcx_error **err)
{
	int r = lcx_pull_new(app->ctx, reference, ret, err);

	if (r == 0 && options->plain_http)
		r = lcx_pull_set_plain_http(*ret, true, err);
	if (r == 0 && options->ca_file)
		r = lcx_pull_set_ca_file(*ret, options->ca_file, err);
	if (r == 0 && options->platform)
		r = lcx_pull_set_platform(*ret, options->platform, err);
	if (r == 0 && options->creds)
		r = set_credentials(*ret, options->creds, err);
	return r;
}

static int follow(struct lcx_pull *pull, struct progress *progress, struct lcx_error **err)
{
	struct pollfd fd = {.fd = lcx_pull_fd(pull), .events = POLLIN};
	int r;

	/* The first call begins the work; only then is there something to wait for. */
	while ((r = lcx_pull_dispatch(pull, err)) > 0) {
		if (progress)
			progress_update(progress, pull);
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
	struct progress progress;
	int r;

	r = prepare(app, reference, options, &pull, &err);
	if (r == 0 && app->quiet)
		r = follow(pull, NULL, &err);
	else if (r == 0) {
		fprintf(out, "%s: Pulling\n", lcx_pull_reference(pull));
		progress_begin(&progress, out);
		r = follow(pull, &progress, &err);
		progress_end(&progress, pull);
	}
	if (r == 0 && ret)
		r = lcx_pull_image(pull, ret, &err);
	if (r < 0)
		app_report(app, &err);
	return r == 0;
}
