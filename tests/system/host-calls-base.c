/* SPDX-License-Identifier: MIT */
#include "host-calls.h"

static int ask_version(struct world *w, struct lcx_error **err)
{
	(void)w, (void)err;
	lcx_has_feature("image");
	lcx_has_feature("no such thing");
	lcx_string_free(NULL);
	return lcx_version() ? 0 : -EINVAL;
}

static int open_ctx_where_there_is_a_file(struct world *w, struct lcx_error **err)
{
	struct lcx_ctx *ctx = NULL;

	(void)w;
	REFUSED(lcx_ctx_open("/dev/null", "/dev/null", &ctx, err));
	REFUSED(lcx_ctx_open("not/absolute", "", &ctx, err));
	return 0;
}

static int look_at_an_error(struct world *w, struct lcx_error **err)
{
	struct lcx_ctx *ctx = NULL;
	int code, r = lcx_ctx_open("/dev/null", "/dev/null", &ctx, err);

	(void)w;
	code = lcx_error_code(*err);
	(void)lcx_error_message(*err);
	(void)lcx_error_stage(*err);
	*err = lcx_error_free(*err);
	return r < 0 && code != 0 ? 0 : -EINVAL;
}

static int open_ctx(struct world *w, struct lcx_error **err)
{
	return lcx_ctx_open(w->root_dir, w->run_dir, &w->ctx, err);
}

static int look_at_ctx(struct world *w, struct lcx_error **err)
{
	REFUSED(lcx_ctx_use_subids(w->ctx, err)); /* root has no need of them */
	return lcx_ctx_root_dir(w->ctx) && lcx_ctx_run_dir(w->ctx) && !lcx_ctx_uses_subids(w->ctx)
		       ? 0
		       : -EINVAL;
}

static int collect_garbage(struct world *w, struct lcx_error **err)
{
	return lcx_gc(w->ctx, NULL, err);
}

static int free_ctx(struct world *w, struct lcx_error **err)
{
	(void)err;
	w->ctx = lcx_ctx_free(w->ctx);
	return 0;
}

const struct row rows_base[] = {
	ROW(ask_version, RELEASED),
	ROW(open_ctx_where_there_is_a_file, RELEASED),
	ROW(look_at_an_error, RELEASED),
	{0},
};

const struct row rows_ctx_open[] = {
	ROW(open_ctx, BASE),
	ROW(look_at_ctx, RELEASED),
	{0},
};

const struct row rows_ctx_free[] = {
	ROW(collect_garbage, RELEASED),
	ROW(free_ctx, ALL_GONE),
	{0},
};
