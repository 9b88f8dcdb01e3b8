/* SPDX-License-Identifier: MIT */
#include "image/unsupported.h"

#include <errno.h>

LCX_PUBLIC int lcx_push_new(struct lcx_ctx *ctx, const char *ref, const char *destination,
			    struct lcx_push **ret, struct lcx_error **err)
{
	(void)ctx;
	(void)ref;
	(void)destination;
	(void)ret;
	return lcx__image_unsupported(err);
}

LCX_PUBLIC int lcx_push_set_plain_http(struct lcx_push *push, bool plain_http,
				       struct lcx_error **err)
{
	(void)push;
	(void)plain_http;
	return lcx__image_unsupported(err);
}

LCX_PUBLIC int lcx_push_set_ca_file(struct lcx_push *push, const char *path, struct lcx_error **err)
{
	(void)push;
	(void)path;
	return lcx__image_unsupported(err);
}

LCX_PUBLIC int lcx_push_set_client_cert(struct lcx_push *push, const char *cert_file,
					const char *key_file, struct lcx_error **err)
{
	(void)push;
	(void)cert_file;
	(void)key_file;
	return lcx__image_unsupported(err);
}

LCX_PUBLIC int lcx_push_set_credentials(struct lcx_push *push, const char *user,
					const char *password, struct lcx_error **err)
{
	(void)push;
	(void)user;
	(void)password;
	return lcx__image_unsupported(err);
}

LCX_PUBLIC int lcx_push_set_auth_file(struct lcx_push *push, const char *path,
				      struct lcx_error **err)
{
	(void)push;
	(void)path;
	return lcx__image_unsupported(err);
}

LCX_PUBLIC int lcx_push_set_stall_timeout_ms(struct lcx_push *push, int32_t timeout_ms,
					     struct lcx_error **err)
{
	(void)push;
	(void)timeout_ms;
	return lcx__image_unsupported(err);
}

LCX_PUBLIC int lcx_push_set_chunk_bytes(struct lcx_push *push, uint64_t bytes,
					struct lcx_error **err)
{
	(void)push;
	(void)bytes;
	return lcx__image_unsupported(err);
}

LCX_PUBLIC int lcx_push_run(struct lcx_push *push, int32_t timeout_ms, struct lcx_error **err)
{
	(void)push;
	(void)timeout_ms;
	return lcx__image_unsupported(err);
}

LCX_PUBLIC int lcx_push_fd(const struct lcx_push *push)
{
	(void)push;
	return -EOPNOTSUPP;
}

LCX_PUBLIC int lcx_push_dispatch(struct lcx_push *push, struct lcx_error **err)
{
	(void)push;
	return lcx__image_unsupported(err);
}

LCX_PUBLIC void lcx_push_cancel(struct lcx_push *push)
{
	(void)push;
}

LCX_PUBLIC size_t lcx_push_layer_count(const struct lcx_push *push)
{
	(void)push;
	return 0;
}

LCX_PUBLIC const char *lcx_push_layer_digest(const struct lcx_push *push, size_t index)
{
	(void)push;
	(void)index;
	return "";
}

LCX_PUBLIC enum lcx_push_state lcx_push_layer_state(const struct lcx_push *push, size_t index)
{
	(void)push;
	(void)index;
	return LCX_PUSH_WAITING;
}

LCX_PUBLIC uint64_t lcx_push_layer_total_bytes(const struct lcx_push *push, size_t index)
{
	(void)push;
	(void)index;
	return 0;
}

LCX_PUBLIC uint64_t lcx_push_layer_done_bytes(const struct lcx_push *push, size_t index)
{
	(void)push;
	(void)index;
	return 0;
}

LCX_PUBLIC const char *lcx_push_reference(const struct lcx_push *push)
{
	(void)push;
	return "";
}

LCX_PUBLIC const char *lcx_push_manifest_digest(const struct lcx_push *push)
{
	(void)push;
	return "";
}

LCX_PUBLIC struct lcx_push *lcx_push_free(struct lcx_push *push)
{
	(void)push;
	return NULL;
}
