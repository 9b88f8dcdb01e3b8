/* SPDX-License-Identifier: MIT */
/*
 * usage: container-hooks ROOT RUN ROOTFS NAME SCRIPT [-d] [KIND PATH TIMEOUT [ARGUMENT]]...
 *
 * Starts SCRIPT in a container that has these hooks, and waits for its end. Prints what went
 * wrong, then the warnings that were told meanwhile.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lcx/lcx.h>

static int add_hooks(struct lcx_spec *spec, char **words, struct lcx_error **err)
{
	static const char *const env[] = {"HOOK=yes", NULL};
	int r = 0;

	while (r == 0 && words[0]) {
		const char *args[] = {"hook", words[0], words[3], NULL};

		r = lcx_spec_add_hook(spec, words[0], words[1], args, env, (uint32_t)atoi(words[2]),
				      err);
		words += 4;
	}
	return r;
}

static void print_warnings(struct lcx_ctx *ctx)
{
	const struct lcx_event *event;

	(void)lcx_dispatch(ctx, NULL);
	while (lcx_event_next(ctx, &event, NULL) > 0)
		if (strcmp(lcx_event_type(event), "warning") == 0)
			printf("warning %s\n", lcx_event_detail(event));
}

static int describe(struct lcx_ctx *ctx, char **argv, struct lcx_container **c,
		    struct lcx_error **err)
{
	const char *const command[] = {"sh", "-c", argv[5], NULL};
	int is_detached = argv[6] && strcmp(argv[6], "-d") == 0;
	int r = lcx_ctx_fd(ctx, err);

	r = r < 0 ? r : lcx_container_new(ctx, argv[4], c, err);
	if (r == 0)
		r = lcx_container_set_rootfs(*c, argv[3], err);
	if (r == 0)
		r = lcx_container_set_network(*c, "none", err);
	if (r == 0)
		r = lcx_container_set_command(*c, command, err);
	if (r == 0)
		r = add_hooks(lcx_container_spec(*c), argv + 6 + is_detached, err);
	return r < 0 ? r
		     : lcx_spec_set_annotation(lcx_container_spec(*c), "org.example.key",
					       "a \"value\"", err);
}

static int run(struct lcx_container *c, int is_detached, int32_t *status, struct lcx_error **err)
{
	struct lcx_stdio *stdio = NULL;
	int r = lcx_stdio_new(&stdio, err);

	if (r == 0)
		lcx_stdio_set_attach(stdio, -1, 1, 2);
	if (r == 0)
		r = is_detached ? lcx_container_start_detached(c, NULL, err)
				: lcx_container_start(c, stdio, err);
	lcx_stdio_free(stdio);
	return r < 0 ? r : lcx_container_wait(c, 20000, status, err);
}

int main(int argc, char **argv)
{
	int detached = argc > 6 && strcmp(argv[6], "-d") == 0;
	struct lcx_container *c = NULL;
	struct lcx_error *err = NULL;
	struct lcx_ctx *ctx = NULL;
	int32_t status = -1;
	int r = 0;

	r = lcx_ctx_open(argv[1], argv[2], &ctx, &err);
	if (r == 0)
		r = describe(ctx, argv, &c, &err);
	if (r == 0)
		r = run(c, detached, &status, &err);
	if (r < 0)
		printf("error %s\n", lcx_error_message(err));
	else
		printf("status %d\n", status);
	lcx_error_free(err);
	print_warnings(ctx);
	lcx_container_free(c);
	lcx_ctx_free(ctx);
	return r != 0;
}
