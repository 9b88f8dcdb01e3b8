/* SPDX-License-Identifier: MIT */
/*
 * The image room on the command line, for its system tests:
 *
 *     image-tool ROOT [--plain-http] [--ca FILE] [--cert FILE --key FILE] [--creds USER:PASSWORD]
 *                [--auth FILE] [--registries FILE] [--platform P] [--stall MS] [--timeout MS]
 *                [--cancel MS] [--chunk BYTES] [--in-process] [--limit NUMBER=VALUE]
 *                COMMAND [ARGUMENT...]
 *
 *     push REF [DESTINATION]
 *     pull REF            import LAYOUT REF-IN-IT|- NAME      list        show REF
 *     tag REF NAME        remove REF      gc      verify [REF]
 *     hold OWNER REF      release OWNER
 *
 * A failure is one line "ERRNO-NAME: words" on stderr and the exit status 1.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctx/ctx.h"
#include "image/image.h"
#include "lcx/layer.h"

struct options {
	bool plain_http, in_process;
	char *limit;
	char *ca_file, *cert_file, *key_file, *credentials, *auth_file, *registries, *platform;
	int stall_ms, timeout_ms, cancel_ms, chunk_bytes;
};

static void show(const struct lcx_image *image)
{
	const char *const *names = lcx_image_references(image);

	printf("id %s\nmanifest %s\nsize %" PRIu64 "\n", lcx_image_id(image),
	       lcx_image_manifest_digest(image), lcx_image_size_bytes(image));
	for (size_t i = 0; names[i]; i++)
		printf("name %s\n", names[i]);
	for (size_t i = 0; i < lcx_image_layer_count(image); i++)
		printf("layer %s\n", lcx_image_layer_dir(image, i));
}

/* USER:PASSWORD, cut in two. */
static char *split(char *credentials, const char **ret_user)
{
	char *colon = credentials ? strchr(credentials, ':') : NULL;

	if (!colon)
		return NULL;
	*colon = '\0';
	*ret_user = credentials;
	return colon + 1;
}

static int set_up(struct lcx_pull *pull, const struct options *o, struct lcx_error **err)
{
	const char *user = NULL, *password = split(o->credentials, &user);
	int r = lcx_pull_set_plain_http(pull, o->plain_http, err);

	if (r == 0)
		r = lcx_pull_set_ca_file(pull, o->ca_file, err);
	if (r == 0)
		r = lcx_pull_set_client_cert(pull, o->cert_file, o->key_file, err);
	if (r == 0)
		r = lcx_pull_set_credentials(pull, user, password, err);
	if (r == 0)
		r = lcx_pull_set_auth_file(pull, o->auth_file, err);
	if (r == 0 && o->platform)
		r = lcx_pull_set_platform(pull, o->platform, err);
	if (r == 0 && o->stall_ms)
		r = lcx_pull_set_stall_timeout_ms(pull, o->stall_ms, err);
	return r;
}

struct canceller {
	struct lcx_pull *pull;
	struct lcx_push *push;
	int ms;
};

static void *cancel(void *data)
{
	const struct canceller *c = data;
	const struct timespec pause = {c->ms / 1000, c->ms % 1000 * 1000000L};

	(void)nanosleep(&pause, NULL);
	if (c->pull)
		lcx_pull_cancel(c->pull);
	else
		lcx_push_cancel(c->push);
	return NULL;
}

/* Run one of the two, and have another thread cancel it if that is wanted. */
static int run(const struct options *o, struct canceller *c, struct lcx_error **err)
{
	pthread_t thread;
	int r;

	c->ms = o->cancel_ms;
	if (c->ms && pthread_create(&thread, NULL, cancel, c) != 0)
		return lcx__fail(err, EAGAIN, "no thread");
	r = c->pull ? lcx_pull_run(c->pull, o->timeout_ms, err)
		    : lcx_push_run(c->push, o->timeout_ms, err);
	if (c->ms)
		(void)pthread_join(thread, NULL);
	return r;
}

static int do_pull(struct lcx_ctx *ctx, const struct options *o, char **args,
		   struct lcx_error **err)
{
	CLEANUP(lcx_pull_freep) struct lcx_pull *pull = NULL;
	CLEANUP(lcx_image_freep) struct lcx_image *image = NULL;
	struct canceller c = {0};
	int r;

	r = lcx_pull_new(ctx, args[0], &pull, err);
	c.pull = pull;
	if (r == 0)
		r = set_up(pull, o, err);
	if (r == 0)
		r = run(o, &c, err);
	if (r == 0)
		r = lcx_pull_image(pull, &image, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < lcx_pull_layer_count(pull); i++)
		if (lcx_pull_layer_state(pull, i) != LCX_PULL_DONE ||
		    lcx_pull_layer_done_bytes(pull, i) != lcx_pull_layer_total_bytes(pull, i))
			return lcx__fail(err, EIO, "layer %zu is not reported as done", i);
	show(image);
	return 0;
}

static int set_up_push(struct lcx_push *push, const struct options *o, struct lcx_error **err)
{
	const char *user = NULL, *password = split(o->credentials, &user);
	int r = lcx_push_set_plain_http(push, o->plain_http, err);

	if (r == 0)
		r = lcx_push_set_ca_file(push, o->ca_file, err);
	if (r == 0)
		r = lcx_push_set_client_cert(push, o->cert_file, o->key_file, err);
	if (r == 0)
		r = lcx_push_set_credentials(push, user, password, err);
	if (r == 0)
		r = lcx_push_set_auth_file(push, o->auth_file, err);
	if (r == 0 && o->stall_ms)
		r = lcx_push_set_stall_timeout_ms(push, o->stall_ms, err);
	if (r == 0 && o->chunk_bytes)
		r = lcx_push_set_chunk_bytes(push, (uint64_t)o->chunk_bytes, err);
	return r;
}

static int do_push(struct lcx_ctx *ctx, const struct options *o, char **args,
		   struct lcx_error **err)
{
	static const char *const states[] = {"waiting", "uploading", "pushed", "mounted",
					     "existed"};
	CLEANUP(lcx_push_freep) struct lcx_push *push = NULL;
	struct canceller c = {0};
	int r;

	r = lcx_push_new(ctx, args[0], args[1], &push, err);
	c.push = push;
	if (r == 0)
		r = set_up_push(push, o, err);
	if (r == 0)
		r = run(o, &c, err);
	if (r < 0)
		return r;
	printf("manifest %s\nreference %s\n", lcx_push_manifest_digest(push),
	       lcx_push_reference(push));
	for (size_t i = 0; i < lcx_push_layer_count(push); i++) {
		printf("layer %s %s\n", states[lcx_push_layer_state(push, i)],
		       lcx_push_layer_digest(push, i));
		if (lcx_push_layer_done_bytes(push, i) != lcx_push_layer_total_bytes(push, i))
			return lcx__fail(err, EIO, "layer %zu is not reported as done", i);
	}
	return 0;
}

static int do_import(struct lcx_ctx *ctx, const struct options *o, char **args,
		     struct lcx_error **err)
{
	CLEANUP(lcx_image_freep) struct lcx_image *image = NULL;
	int r;

	(void)o;
	r = lcx_image_import(ctx, args[0], strcmp(args[1], "-") == 0 ? NULL : args[1], args[2],
			     &image, err);
	if (r == 0)
		show(image);
	return r;
}

static int do_list(struct lcx_ctx *ctx, const struct options *o, char **args,
		   struct lcx_error **err)
{
	CLEANUP(lcx_image_list_freep) struct lcx_image_list *list = NULL;
	int r = lcx_image_list_new(ctx, &list, err);

	(void)o;
	(void)args;
	for (size_t i = 0; r == 0 && i < lcx_image_list_count(list); i++)
		show(lcx_image_list_get(list, i));
	return r;
}

static int do_show(struct lcx_ctx *ctx, const struct options *o, char **args,
		   struct lcx_error **err)
{
	CLEANUP(lcx_image_freep) struct lcx_image *image = NULL;
	int r = lcx_image_open(ctx, args[0], &image, err);

	(void)o;
	if (r == 0)
		show(image);
	return r;
}

static int do_tag(struct lcx_ctx *ctx, const struct options *o, char **args, struct lcx_error **err)
{
	(void)o;
	return lcx_image_tag(ctx, args[0], args[1], err);
}

static int do_remove(struct lcx_ctx *ctx, const struct options *o, char **args,
		     struct lcx_error **err)
{
	(void)o;
	return lcx_image_remove(ctx, args[0], err);
}

static int do_gc(struct lcx_ctx *ctx, const struct options *o, char **args, struct lcx_error **err)
{
	(void)o;
	(void)args;
	return lcx_image_gc(ctx, NULL, err);
}

static int do_verify(struct lcx_ctx *ctx, const struct options *o, char **args,
		     struct lcx_error **err)
{
	(void)o;
	return lcx_image_verify(ctx, args[0], err);
}

static int do_hold(struct lcx_ctx *ctx, const struct options *o, char **args,
		   struct lcx_error **err)
{
	CLEANUP(lcx_image_freep) struct lcx_image *image = NULL;
	int r = lcx_image_open(ctx, args[1], &image, err);

	(void)o;
	return r < 0 ? r : lcx__image_hold(ctx, image, args[0], err);
}

static int do_release(struct lcx_ctx *ctx, const struct options *o, char **args,
		      struct lcx_error **err)
{
	(void)o;
	return lcx__image_release(ctx, args[0], err);
}

static const struct command {
	const char *name;
	int least;
	int (*run)(struct lcx_ctx *, const struct options *, char **, struct lcx_error **);
} commands[] = {
	{"push", 1, do_push},     {"pull", 1, do_pull},       {"import", 3, do_import},
	{"list", 0, do_list},     {"show", 1, do_show},       {"tag", 2, do_tag},
	{"remove", 1, do_remove}, {"gc", 0, do_gc},           {"verify", 0, do_verify},
	{"hold", 2, do_hold},     {"release", 1, do_release},
};

static bool take_option(struct options *o, char ***args)
{
	const struct {
		const char *name;
		char **text;
		int *number;
	} known[] = {
		{"--ca", &o->ca_file, NULL},
		{"--creds", &o->credentials, NULL},
		{"--platform", &o->platform, NULL},
		{"--stall", NULL, &o->stall_ms},
		{"--timeout", NULL, &o->timeout_ms},
		{"--cert", &o->cert_file, NULL},
		{"--key", &o->key_file, NULL},
		{"--auth", &o->auth_file, NULL},
		{"--registries", &o->registries, NULL},
		{"--cancel", NULL, &o->cancel_ms},
		{"--chunk", NULL, &o->chunk_bytes},
		{"--limit", &o->limit, NULL},
	};

	if (!**args || strncmp(**args, "--", 2) != 0)
		return false;
	if (strcmp(**args, "--in-process") == 0) {
		o->in_process = true;
		(*args)++;
		return true;
	}
	if (strcmp(**args, "--plain-http") == 0) {
		o->plain_http = true;
		(*args)++;
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (strcmp(**args, known[i].name) != 0 || !(*args)[1])
			continue;
		if (known[i].text)
			*known[i].text = (*args)[1];
		else
			*known[i].number = atoi((*args)[1]);
		*args += 2;
		return true;
	}
	return false;
}

static int set_up_layers(struct lcx_ctx *ctx, const struct options *o, struct lcx_error **err)
{
	char *end = o->limit;
	unsigned long limit = end ? strtoul(end, &end, 10) : 0;

	lcx_layer_set_in_process(ctx, o->in_process);
	return o->limit ? lcx_layer_set_limit(ctx, (enum lcx_layer_limit)limit,
					      strtoull(end + 1, NULL, 10), err)
			: 0;
}

int main(int argc, char **argv)
{
	CLEANUP(lcx_ctx_freep) struct lcx_ctx *ctx = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	struct options options = {.timeout_ms = -1};
	char **args = argv + 2;
	int r = -EINVAL;

	if (argc < 3)
		return 2;
	while (take_option(&options, &args))
		continue;
	r = lcx__ctx_new(argv[1], NULL, &ctx, &err);
	if (r == 0)
		r = set_up_layers(ctx, &options, &err);
	if (r == 0 && options.registries)
		r = lcx_image_set_registries_file(ctx, options.registries, &err);
	for (size_t i = 0; r == 0 && *args && i < ARRAY_SIZE(commands); i++)
		if (strcmp(commands[i].name, args[0]) == 0 &&
		    argv + argc - args > commands[i].least) {
			r = commands[i].run(ctx, &options, args + 1, &err);
			if (r == 0)
				return 0;
		}
	fprintf(stderr, "%s: %s\n", r < 0 ? strerrorname_np(-r) : "usage", lcx_error_message(err));
	return 1;
}
