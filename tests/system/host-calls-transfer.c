/* SPDX-License-Identifier: MIT */
#include <poll.h>
#include <stdio.h>

#include "host-calls.h"

static struct lcx_pull *pull;
static struct lcx_push *push;

static const char *in_registry(const struct world *w, const char *name)
{
	static char reference[256];

	snprintf(reference, sizeof(reference), "%s/%s", w->registry, name);
	return reference;
}

static int prepare_pull(struct world *w, struct lcx_error **err)
{
	struct lcx_pull *none = NULL;

	MUST(lcx_pull_new(w->ctx, in_registry(w, "public/busybox:latest"), &pull, err));
	MUST(lcx_pull_set_plain_http(pull, true, err));
	MUST(lcx_pull_set_credentials(pull, "user", "secret", err));
	MUST(lcx_pull_set_credentials(pull, NULL, NULL, err));
	MUST(lcx_pull_set_stall_timeout_ms(pull, 5000, err));
	MUST(lcx_pull_set_platform(pull, "linux/amd64", err));
	EITHER(lcx_pull_set_ca_file(pull, "/no/such/file", err));
	MUST(lcx_pull_set_ca_file(pull, NULL, err));
	EITHER(lcx_pull_set_client_cert(pull, "/no/such/cert", "/no/such/key", err));
	MUST(lcx_pull_set_client_cert(pull, NULL, NULL, err));
	EITHER(lcx_pull_set_auth_file(pull, "/no/such/file", err));
	MUST(lcx_pull_set_auth_file(pull, NULL, err));
	REFUSED(lcx_pull_set_platform(pull, "//", err));
	REFUSED(lcx_pull_new(w->ctx, "NOT A NAME", &none, err));
	return 0;
}

static int run_pull(struct world *w, struct lcx_error **err)
{
	(void)w;
	return lcx_pull_run(pull, 30000, err);
}

static int look_at_pull(struct world *w, struct lcx_error **err)
{
	struct lcx_image *image = NULL;

	(void)w;
	for (size_t i = 0; i < lcx_pull_layer_count(pull); i++) {
		(void)lcx_pull_layer_digest(pull, i), (void)lcx_pull_layer_state(pull, i);
		(void)lcx_pull_layer_total_bytes(pull, i), (void)lcx_pull_layer_done_bytes(pull, i);
	}
	(void)lcx_pull_reference(pull);
	MUST(lcx_pull_image(pull, &image, err));
	lcx_image_free(image);
	return 0;
}

static int free_pull(struct world *w, struct lcx_error **err)
{
	(void)w, (void)err;
	pull = lcx_pull_free(pull);
	return 0;
}

/* Dropped in the midst of it: nothing of it, neither thread nor helper, is left. */
static int cancel_pull(struct world *w, struct lcx_error **err)
{
	MUST(lcx_pull_new(w->ctx, in_registry(w, "public/busybox:layers"), &pull, err));
	MUST(lcx_pull_set_plain_http(pull, true, err));
	for (int i = 0, r = 1; i < 3 && r > 0; i++) {
		struct pollfd fd = {.fd = lcx_pull_fd(pull), .events = POLLIN};

		MUST(r = lcx_pull_dispatch(pull, err));
		poll(&fd, 1, 1000);
	}
	lcx_pull_cancel(pull);
	EITHER(lcx_pull_run(pull, 1000, err));
	pull = lcx_pull_free(pull);
	return 0;
}

static int pull_from_nowhere(struct world *w, struct lcx_error **err)
{
	MUST(lcx_pull_new(w->ctx, "127.0.0.1:1/none:none", &pull, err));
	REFUSED(lcx_pull_run(pull, 5000, err));
	pull = lcx_pull_free(pull);
	return 0;
}

static int pull_what_is_not_there(struct world *w, struct lcx_error **err)
{
	MUST(lcx_pull_new(w->ctx, in_registry(w, "no/such:image"), &pull, err));
	MUST(lcx_pull_set_plain_http(pull, true, err));
	REFUSED(lcx_pull_run(pull, 5000, err));
	pull = lcx_pull_free(pull);
	return 0;
}

static int prepare_push(struct world *w, struct lcx_error **err)
{
	struct lcx_push *none = NULL;

	MUST(lcx_push_new(w->ctx, "box", in_registry(w, "pushed/box:new"), &push, err));
	MUST(lcx_push_set_plain_http(push, true, err));
	MUST(lcx_push_set_credentials(push, "user", "secret", err));
	MUST(lcx_push_set_credentials(push, NULL, NULL, err));
	MUST(lcx_push_set_stall_timeout_ms(push, 5000, err));
	MUST(lcx_push_set_chunk_bytes(push, 1 << 20, err));
	EITHER(lcx_push_set_ca_file(push, "/no/such/file", err));
	MUST(lcx_push_set_ca_file(push, NULL, err));
	EITHER(lcx_push_set_client_cert(push, "/no/such/cert", "/no/such/key", err));
	MUST(lcx_push_set_client_cert(push, NULL, NULL, err));
	EITHER(lcx_push_set_auth_file(push, "/no/such/file", err));
	MUST(lcx_push_set_auth_file(push, NULL, err));
	REFUSED(lcx_push_new(w->ctx, "none", NULL, &none, err));
	REFUSED(lcx_push_new(w->ctx, "box", "NOT A NAME", &none, err));
	return 0;
}

static int run_push(struct world *w, struct lcx_error **err)
{
	(void)w;
	return lcx_push_run(push, 30000, err);
}

static int look_at_push(struct world *w, struct lcx_error **err)
{
	(void)w, (void)err;
	for (size_t i = 0; i < lcx_push_layer_count(push); i++) {
		(void)lcx_push_layer_digest(push, i), (void)lcx_push_layer_state(push, i);
		(void)lcx_push_layer_total_bytes(push, i), (void)lcx_push_layer_done_bytes(push, i);
	}
	(void)lcx_push_reference(push), (void)lcx_push_manifest_digest(push);
	push = lcx_push_free(push);
	return 0;
}

static int cancel_push(struct world *w, struct lcx_error **err)
{
	MUST(lcx_push_new(w->ctx, "box", in_registry(w, "pushed/box:never"), &push, err));
	MUST(lcx_push_set_plain_http(push, true, err));
	MUST(lcx_push_dispatch(push, err));
	(void)lcx_push_fd(push);
	lcx_push_cancel(push);
	EITHER(lcx_push_run(push, 1000, err));
	push = lcx_push_free(push);
	return 0;
}

static int push_to_nowhere(struct world *w, struct lcx_error **err)
{
	MUST(lcx_push_new(w->ctx, "box", "127.0.0.1:1/none:none", &push, err));
	REFUSED(lcx_push_run(push, 5000, err));
	push = lcx_push_free(push);
	return 0;
}

const struct row rows_transfer[] = {
	ROW(prepare_pull, HELD),
	ROW(run_pull, HELD),
	ROW(look_at_pull, HELD),
	ROW(free_pull, RELEASED),
	ROW(cancel_pull, RELEASED),
	ROW(pull_from_nowhere, RELEASED),
	ROW(pull_what_is_not_there, RELEASED),
	ROW(prepare_push, HELD),
	ROW(run_push, HELD),
	ROW(look_at_push, RELEASED),
	ROW(cancel_push, RELEASED),
	ROW(push_to_nowhere, RELEASED),
	{0},
};
