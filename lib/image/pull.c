/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "image/pull-internal.h"

LCX_PUBLIC struct lcx_pull *lcx_pull_free(struct lcx_pull *pull)
{
	if (!pull)
		return NULL;
	lcx__pull_let_go(pull);
	lcx__loop_clear(&pull->loop);
	lcx__settings_clear(&pull->settings);
	(void)lcx__registries_free(pull->conf);
	(void)lcx__reference_free(pull->ref);
	free(pull->full_name);
	free(pull->layers);
	free(pull);
	return NULL;
}

LCX_PUBLIC int lcx_pull_new(struct lcx_ctx *ctx, const char *ref, struct lcx_pull **ret,
			    struct lcx_error **err)
{
	CLEANUP(lcx_pull_freep) struct lcx_pull *pull = calloc(1, sizeof(*pull));
	int r;

	if (!pull)
		return lcx__fail_nomem(err);
	pull->ctx = ctx;
	lcx__settings_init(&pull->settings);
	lcx__platform_host(&pull->platform);
	r = lcx__loop_init(&pull->loop, err);
	if (r == 0)
		r = lcx__registries_load(ctx, &pull->conf, err);
	if (r == 0)
		r = lcx__registries_read_name(pull->conf, ref, &pull->ref, err);
	if (r < 0)
		return r;
	pull->full_name = lcx__reference_format(pull->ref);
	if (!pull->full_name)
		return lcx__fail_nomem(err);
	*ret = TAKE_PTR(pull);
	return 0;
}

/* Setters */

static int check_new(const struct lcx_pull *pull, struct lcx_error **err)
{
	return pull->stage == LCX__PULL_NEW
		       ? 0
		       : lcx__fail(err, EBUSY, "pull '%s': already begun", pull->full_name);
}

LCX_PUBLIC int lcx_pull_set_plain_http(struct lcx_pull *pull, bool plain_http,
				       struct lcx_error **err)
{
	int r = check_new(pull, err);

	if (r == 0)
		pull->settings.plain_http = plain_http;
	return r;
}

LCX_PUBLIC int lcx_pull_set_ca_file(struct lcx_pull *pull, const char *path, struct lcx_error **err)
{
	int r = check_new(pull, err);

	return r < 0 ? r : lcx__settings_ca_file(&pull->settings, path, err);
}

LCX_PUBLIC int lcx_pull_set_client_cert(struct lcx_pull *pull, const char *cert_file,
					const char *key_file, struct lcx_error **err)
{
	int r = check_new(pull, err);

	return r < 0 ? r : lcx__settings_client_cert(&pull->settings, cert_file, key_file, err);
}

LCX_PUBLIC int lcx_pull_set_credentials(struct lcx_pull *pull, const char *user,
					const char *password, struct lcx_error **err)
{
	int r = check_new(pull, err);

	return r < 0 ? r : lcx__settings_credentials(&pull->settings, user, password, err);
}

LCX_PUBLIC int lcx_pull_set_auth_file(struct lcx_pull *pull, const char *path,
				      struct lcx_error **err)
{
	int r = check_new(pull, err);

	return r < 0 ? r : lcx__settings_auth_file(&pull->settings, path, err);
}

LCX_PUBLIC int lcx_pull_set_platform(struct lcx_pull *pull, const char *platform,
				     struct lcx_error **err)
{
	int r = check_new(pull, err);

	return r < 0 ? r : lcx__platform_parse(platform, &pull->platform, err);
}

LCX_PUBLIC int lcx_pull_set_stall_timeout_ms(struct lcx_pull *pull, int32_t timeout_ms,
					     struct lcx_error **err)
{
	int r = check_new(pull, err);

	return r < 0 ? r : lcx__settings_stall_timeout(&pull->settings, timeout_ms, err);
}

/* Moving on */

LCX_PUBLIC int lcx_pull_fd(const struct lcx_pull *pull)
{
	return lcx__loop_fd(&pull->loop);
}

static int dispatch(struct lcx_pull *pull, struct lcx_error **err)
{
	int64_t deadline_ns;
	bool work;
	int r = lcx__loop_begin(&pull->loop, err);

	if (r == 0 && pull->sources)
		r = lcx__sources_dispatch(pull->sources, err);
	if (r == 0)
		r = lcx__pull_advance(pull, err);
	if (r < 0 || pull->stage == LCX__PULL_DONE)
		return r;
	work = lcx__pull_has_work(pull, &deadline_ns);
	return lcx__loop_arm(&pull->loop, work, deadline_ns, err);
}

/* From now on nothing of it is left but its result; its descriptor stays readable for a late poll.
 */
static int end(struct lcx_pull *pull, int result, struct lcx_error **err)
{
	pull->stage = result < 0 ? LCX__PULL_FAILED : LCX__PULL_DONE;
	pull->result = result;
	lcx__pull_let_go(pull);
	lcx__loop_wake(&pull->loop);
	if (result == 0)
		return 0;
	result = lcx__fail_prefix(err, result, "pull '%s'", pull->full_name);
	return lcx__fail_stage(err, result, "image");
}

LCX_PUBLIC int lcx_pull_dispatch(struct lcx_pull *pull, struct lcx_error **err)
{
	int r;

	if (pull->stage == LCX__PULL_DONE)
		return 0;
	if (pull->stage == LCX__PULL_FAILED)
		return lcx__fail(err, -pull->result, "pull '%s': it has failed before",
				 pull->full_name);
	r = dispatch(pull, err);
	if (r < 0 || pull->stage == LCX__PULL_DONE)
		return end(pull, r, err);
	return 1;
}

static int dispatch_any(void *pull, struct lcx_error **err)
{
	return lcx_pull_dispatch(pull, err);
}

LCX_PUBLIC int lcx_pull_run(struct lcx_pull *pull, int32_t timeout_ms, struct lcx_error **err)
{
	int r = lcx__loop_run(&pull->loop, timeout_ms, dispatch_any, pull, err);

	if (r == 0 || pull->stage == LCX__PULL_FAILED)
		return r;
	if (r == -ETIMEDOUT)
		(void)lcx__fail(err, ETIMEDOUT,
				"not done within %d ms; what is here will be resumed", timeout_ms);
	return end(pull, lcx__fail_sys(err, -r, "wait"), err);
}

LCX_PUBLIC void lcx_pull_cancel(struct lcx_pull *pull)
{
	lcx__loop_cancel(&pull->loop);
}

/* Looking at it */

LCX_PUBLIC const char *lcx_pull_reference(const struct lcx_pull *pull)
{
	return pull->full_name;
}

LCX_PUBLIC size_t lcx_pull_layer_count(const struct lcx_pull *pull)
{
	return pull->n_layers;
}

LCX_PUBLIC const char *lcx_pull_layer_digest(const struct lcx_pull *pull, size_t index)
{
	return index < pull->n_layers ? pull->layers[index].digest.text : NULL;
}

LCX_PUBLIC uint64_t lcx_pull_layer_total_bytes(const struct lcx_pull *pull, size_t index)
{
	return index < pull->n_layers ? pull->layers[index].total_bytes : 0;
}

LCX_PUBLIC enum lcx_pull_state lcx_pull_layer_state(const struct lcx_pull *pull, size_t index)
{
	if (index >= pull->n_layers)
		return LCX_PULL_WAITING;
	if (!pull->install)
		return pull->stage == LCX__PULL_DONE ? LCX_PULL_DONE : LCX_PULL_WAITING;
	switch (pull->install->layers[index].stage) {
	case LCX__LAYER_LOCK:
		return LCX_PULL_WAITING;
	case LCX__LAYER_REHASH:
	case LCX__LAYER_FETCH:
		return LCX_PULL_DOWNLOADING;
	case LCX__LAYER_UNPACK:
	case LCX__LAYER_SETTLE:
		return LCX_PULL_UNPACKING;
	case LCX__LAYER_DONE:
		break;
	}
	return LCX_PULL_DONE;
}

LCX_PUBLIC uint64_t lcx_pull_layer_done_bytes(const struct lcx_pull *pull, size_t index)
{
	switch (lcx_pull_layer_state(pull, index)) {
	case LCX_PULL_DOWNLOADING:
		return pull->install->layers[index].have_bytes;
	case LCX_PULL_UNPACKING:
		return pull->install->layers[index].progress.consumed_bytes;
	case LCX_PULL_DONE:
		return pull->layers[index].total_bytes;
	default:
		return 0;
	}
}

LCX_PUBLIC int lcx_pull_image(struct lcx_pull *pull, struct lcx_image **ret, struct lcx_error **err)
{
	if (pull->stage != LCX__PULL_DONE)
		return lcx__fail(err, EAGAIN, "pull '%s': not done", pull->full_name);
	return lcx_image_open(pull->ctx, pull->full_name, ret, err);
}
