/* SPDX-License-Identifier: MIT */

/*
 * lib/image on its own: pull an image, with a line per layer as it goes, and print
 * where its layers are, the top-most first.
 *
 *     image ROOT-DIR REFERENCE [--plain-http | CA-FILE]
 *     image ROOT-DIR import LAYOUT NAME-IN-IT NEW-NAME
 *
 * The result can be given to mount(8):  mount -t overlay -o lowerdir=A:B:C none /mnt
 */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lcx/ctx.h>
#include <lcx/error.h>
#include <lcx/image.h>

static const char *const state_names[] = {
	[LCX_PULL_WAITING] = "waiting",
	[LCX_PULL_DOWNLOADING] = "downloading",
	[LCX_PULL_UNPACKING] = "unpacking",
	[LCX_PULL_DONE] = "done",
};

/* One line whenever a layer has reached another state. */
static void show_progress(const struct lcx_pull *pull, enum lcx_pull_state **seen)
{
	size_t n = lcx_pull_layer_count(pull);

	if (n > 0 && !*seen)
		*seen = calloc(n, sizeof(**seen));
	for (size_t i = 0; *seen && i < n; i++) {
		enum lcx_pull_state state = lcx_pull_layer_state(pull, i);

		if (state == (*seen)[i])
			continue;
		(*seen)[i] = state;
		fprintf(stderr, "%.19s %s (%" PRIu64 " bytes)\n", lcx_pull_layer_digest(pull, i),
			state_names[state], lcx_pull_layer_total_bytes(pull, i));
	}
}

static int follow(struct lcx_pull *pull, struct lcx_error **err)
{
	struct pollfd poller = {.fd = lcx_pull_fd(pull), .events = POLLIN};
	enum lcx_pull_state *seen = NULL;
	int r;

	while ((r = lcx_pull_dispatch(pull, err)) == 1) {
		show_progress(pull, &seen);
		(void)poll(&poller, 1, -1);
	}
	if (r == 0)
		show_progress(pull, &seen);
	free(seen);
	return r;
}

static int pull_image(struct lcx_ctx *ctx, char **args, struct lcx_image **ret,
		      struct lcx_error **err)
{
	struct lcx_pull *pull = NULL;
	int r = lcx_pull_new(ctx, args[0], &pull, err);

	if (r == 0 && args[1])
		r = strcmp(args[1], "--plain-http") == 0 ? lcx_pull_set_plain_http(pull, true, err)
							 : lcx_pull_set_ca_file(pull, args[1], err);
	if (r == 0)
		r = follow(pull, err);
	if (r == 0)
		r = lcx_pull_image(pull, ret, err);
	lcx_pull_free(pull);
	return r;
}

int main(int argc, char **argv)
{
	struct lcx_ctx *ctx = NULL;
	struct lcx_image *image = NULL;
	struct lcx_error *err = NULL;
	int r;

	if (argc < 3 || argc > 6) {
		fprintf(stderr, "usage: image ROOT-DIR REFERENCE [--plain-http | CA-FILE]\n"
				"       image ROOT-DIR import LAYOUT NAME-IN-IT NEW-NAME\n");
		return 2;
	}
	r = lcx_ctx_open(argv[1], NULL, &ctx, &err);
	if (r == 0 && argc == 6)
		r = lcx_image_import(ctx, argv[3], argv[4], argv[5], &image, &err);
	else if (r == 0)
		r = pull_image(ctx, argv + 2, &image, &err);
	for (size_t i = 0; r == 0 && i < lcx_image_layer_count(image); i++)
		puts(lcx_image_layer_dir(image, i));
	if (r < 0)
		fprintf(stderr, "image: %s\n", lcx_error_message(err));
	lcx_image_free(image);
	lcx_ctx_free(ctx);
	lcx_error_free(err);
	return r < 0 ? 1 : 0;
}
