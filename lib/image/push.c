/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "image/push-internal.h"

enum { CHUNK_BYTES = 64 << 20 };

LCX_PUBLIC struct lcx_push *lcx_push_free(struct lcx_push *push)
{
	if (!push)
		return NULL;
	lcx__push_let_go(push);
	lcx__loop_clear(&push->loop);
	lcx__settings_clear(&push->settings);
	(void)lcx__registries_free(push->conf);
	(void)lcx__reference_free(push->ref);
	free(push->full_name);
	free(push->manifest_json);
	free(push->blobs);
	free(push);
	return NULL;
}

/* By a digest only that image can be pushed. */
static int check_destination(const struct lcx_push *push, struct lcx_error **err)
{
	const struct lcx__digest *digest = &push->ref->digest;

	if (digest->text[0] && !lcx__digest_equal(digest, &push->manifest_digest))
		return lcx__fail(err, EINVAL, "the image is '%s', not '%s'",
				 push->manifest_digest.text, digest->text);
	return 0;
}

static int prepare(struct lcx_push *push, const char *ref, const char *destination,
		   struct lcx_error **err)
{
	bool by_name;
	int r;

	r = lcx__loop_init(&push->loop, err);
	if (r == 0)
		r = lcx__registries_load(push->ctx, &push->conf, err);
	if (r == 0)
		r = lcx__push_find(push, ref, &by_name, err);
	if (r == 0 && !destination && !by_name)
		return lcx__fail(err, EINVAL,
				 "an image that is chosen by its id needs a destination");
	if (r == 0)
		r = lcx__registries_read_name(push->conf, destination ? destination : ref,
					      &push->ref, err);
	return r < 0 ? r : check_destination(push, err);
}

LCX_PUBLIC int lcx_push_new(struct lcx_ctx *ctx, const char *ref, const char *destination,
			    struct lcx_push **ret, struct lcx_error **err)
{
	CLEANUP(lcx_push_freep) struct lcx_push *push = calloc(1, sizeof(*push));
	int r;

	if (!push)
		return lcx__fail_nomem(err);
	push->ctx = ctx;
	push->chunk_bytes = CHUNK_BYTES;
	lcx__settings_init(&push->settings);
	r = prepare(push, ref, destination, err);
	if (r < 0)
		return lcx__fail_prefix(err, r, "push '%s'", ref ? ref : "");
	push->full_name = lcx__reference_format(push->ref);
	if (!push->full_name)
		return lcx__fail_nomem(err);
	*ret = TAKE_PTR(push);
	return 0;
}

/* Setters */

static int check_new(const struct lcx_push *push, struct lcx_error **err)
{
	return push->stage == LCX__PUSH_NEW
		       ? 0
		       : lcx__fail(err, EBUSY, "push '%s': already begun", push->full_name);
}

LCX_PUBLIC int lcx_push_set_plain_http(struct lcx_push *push, bool plain_http,
				       struct lcx_error **err)
{
	int r = check_new(push, err);

	if (r == 0)
		push->settings.plain_http = plain_http;
	return r;
}

LCX_PUBLIC int lcx_push_set_ca_file(struct lcx_push *push, const char *path, struct lcx_error **err)
{
	int r = check_new(push, err);

	return r < 0 ? r : lcx__settings_ca_file(&push->settings, path, err);
}

LCX_PUBLIC int lcx_push_set_client_cert(struct lcx_push *push, const char *cert_file,
					const char *key_file, struct lcx_error **err)
{
	int r = check_new(push, err);

	return r < 0 ? r : lcx__settings_client_cert(&push->settings, cert_file, key_file, err);
}

LCX_PUBLIC int lcx_push_set_credentials(struct lcx_push *push, const char *user,
					const char *password, struct lcx_error **err)
{
	int r = check_new(push, err);

	return r < 0 ? r : lcx__settings_credentials(&push->settings, user, password, err);
}

LCX_PUBLIC int lcx_push_set_auth_file(struct lcx_push *push, const char *path,
				      struct lcx_error **err)
{
	int r = check_new(push, err);

	return r < 0 ? r : lcx__settings_auth_file(&push->settings, path, err);
}

LCX_PUBLIC int lcx_push_set_stall_timeout_ms(struct lcx_push *push, int32_t timeout_ms,
					     struct lcx_error **err)
{
	int r = check_new(push, err);

	return r < 0 ? r : lcx__settings_stall_timeout(&push->settings, timeout_ms, err);
}

LCX_PUBLIC int lcx_push_set_chunk_bytes(struct lcx_push *push, uint64_t bytes,
					struct lcx_error **err)
{
	int r = check_new(push, err);

	if (r == 0)
		push->chunk_bytes = bytes;
	return r;
}

/* Moving on */

LCX_PUBLIC int lcx_push_fd(const struct lcx_push *push)
{
	return lcx__loop_fd(&push->loop);
}

static int dispatch(struct lcx_push *push, struct lcx_error **err)
{
	int r = lcx__loop_begin(&push->loop, err);

	if (r == 0 && push->registry)
		r = lcx__registry_dispatch(push->registry, err);
	if (r == 0)
		r = lcx__push_advance(push, err);
	if (r < 0 || push->stage == LCX__PUSH_DONE)
		return r;
	return lcx__loop_arm(&push->loop, false, lcx__push_deadline_ns(push), err);
}

/* From now on nothing of it is left but its result; its descriptor stays readable for a late poll.
 */
static int end(struct lcx_push *push, int result, struct lcx_error **err)
{
	push->stage = result < 0 ? LCX__PUSH_FAILED : LCX__PUSH_DONE;
	push->result = result;
	lcx__push_let_go(push);
	lcx__loop_wake(&push->loop);
	if (result == 0)
		return 0;
	result = lcx__fail_prefix(err, result, "push '%s'", push->full_name);
	return lcx__fail_stage(err, result, "image");
}

LCX_PUBLIC int lcx_push_dispatch(struct lcx_push *push, struct lcx_error **err)
{
	int r;

	if (push->stage == LCX__PUSH_DONE)
		return 0;
	if (push->stage == LCX__PUSH_FAILED)
		return lcx__fail(err, -push->result, "push '%s': it has failed before",
				 push->full_name);
	r = dispatch(push, err);
	if (r < 0 || push->stage == LCX__PUSH_DONE)
		return end(push, r, err);
	return 1;
}

static int dispatch_any(void *push, struct lcx_error **err)
{
	return lcx_push_dispatch(push, err);
}

LCX_PUBLIC int lcx_push_run(struct lcx_push *push, int32_t timeout_ms, struct lcx_error **err)
{
	int r = lcx__loop_run(&push->loop, timeout_ms, dispatch_any, push, err);

	if (r == 0 || push->stage == LCX__PUSH_FAILED)
		return r;
	if (r == -ETIMEDOUT)
		(void)lcx__fail(err, ETIMEDOUT, "not done within %d ms", timeout_ms);
	return end(push, lcx__fail_sys(err, -r, "wait"), err);
}

LCX_PUBLIC void lcx_push_cancel(struct lcx_push *push)
{
	lcx__loop_cancel(&push->loop);
}

/* Looking at it */

LCX_PUBLIC const char *lcx_push_reference(const struct lcx_push *push)
{
	return push->full_name;
}

LCX_PUBLIC const char *lcx_push_manifest_digest(const struct lcx_push *push)
{
	return push->manifest_digest.text;
}

LCX_PUBLIC size_t lcx_push_layer_count(const struct lcx_push *push)
{
	return push->n_blobs - 1;
}

static const struct lcx__push_blob *layer(const struct lcx_push *push, size_t index)
{
	return index < push->n_blobs - 1 ? &push->blobs[push->blobs[index].same_as] : NULL;
}

LCX_PUBLIC const char *lcx_push_layer_digest(const struct lcx_push *push, size_t index)
{
	const struct lcx__push_blob *blob = layer(push, index);

	return blob ? blob->digest.text : NULL;
}

LCX_PUBLIC uint64_t lcx_push_layer_total_bytes(const struct lcx_push *push, size_t index)
{
	const struct lcx__push_blob *blob = layer(push, index);

	return blob ? blob->total_bytes : 0;
}

LCX_PUBLIC enum lcx_push_state lcx_push_layer_state(const struct lcx_push *push, size_t index)
{
	static const enum lcx_push_state states[] = {
		[LCX__UPLOAD_SENT] = LCX_PUSH_PUSHED,
		[LCX__UPLOAD_MOUNTED] = LCX_PUSH_MOUNTED,
		[LCX__UPLOAD_EXISTED] = LCX_PUSH_EXISTED,
	};
	const struct lcx__push_blob *blob = layer(push, index);

	if (blob && blob->end != LCX__UPLOAD_RUNS)
		return states[blob->end];
	return blob && blob->upload ? LCX_PUSH_UPLOADING : LCX_PUSH_WAITING;
}

LCX_PUBLIC uint64_t lcx_push_layer_done_bytes(const struct lcx_push *push, size_t index)
{
	const struct lcx__push_blob *blob = layer(push, index);

	if (!blob)
		return 0;
	if (blob->end != LCX__UPLOAD_RUNS)
		return blob->total_bytes;
	return blob->upload ? lcx__upload_done_bytes(blob->upload) : 0;
}
