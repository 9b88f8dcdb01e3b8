/* SPDX-License-Identifier: MIT */
/*
 * The image room of a library built without the `image` feature: every function
 * is there, so that a program or a binding links, and says why it can't help.
 * No handle can exist, so the getters are never called with one.
 */
#include "image/image.h"

#include <errno.h>

#include "util/str.h"

static int unsupported(struct lcx_error **err)
{
	return lcx__fail(
		err, EOPNOTSUPP,
		"images: this liblcx was built without them; build it with -Dimage=enabled");
}

LCX_PUBLIC int lcx_pull_new(struct lcx_ctx *ctx, const char *ref, struct lcx_pull **ret,
			    struct lcx_error **err)
{
	(void)ctx;
	(void)ref;
	(void)ret;
	return unsupported(err);
}

LCX_PUBLIC int lcx_pull_set_plain_http(struct lcx_pull *pull, bool plain_http,
				       struct lcx_error **err)
{
	(void)pull;
	(void)plain_http;
	return unsupported(err);
}

LCX_PUBLIC int lcx_pull_set_ca_file(struct lcx_pull *pull, const char *path, struct lcx_error **err)
{
	(void)pull;
	(void)path;
	return unsupported(err);
}

LCX_PUBLIC int lcx_pull_set_credentials(struct lcx_pull *pull, const char *user,
					const char *password, struct lcx_error **err)
{
	(void)pull;
	(void)user;
	(void)password;
	return unsupported(err);
}

LCX_PUBLIC int lcx_pull_set_platform(struct lcx_pull *pull, const char *platform,
				     struct lcx_error **err)
{
	(void)pull;
	(void)platform;
	return unsupported(err);
}

LCX_PUBLIC int lcx_pull_set_stall_timeout_ms(struct lcx_pull *pull, int32_t timeout_ms,
					     struct lcx_error **err)
{
	(void)pull;
	(void)timeout_ms;
	return unsupported(err);
}

LCX_PUBLIC int lcx_pull_run(struct lcx_pull *pull, int32_t timeout_ms, struct lcx_error **err)
{
	(void)pull;
	(void)timeout_ms;
	return unsupported(err);
}

LCX_PUBLIC int lcx_pull_fd(const struct lcx_pull *pull)
{
	(void)pull;
	return -EOPNOTSUPP;
}

LCX_PUBLIC int lcx_pull_dispatch(struct lcx_pull *pull, struct lcx_error **err)
{
	(void)pull;
	return unsupported(err);
}

LCX_PUBLIC size_t lcx_pull_layer_count(const struct lcx_pull *pull)
{
	(void)pull;
	return 0;
}

LCX_PUBLIC const char *lcx_pull_layer_digest(const struct lcx_pull *pull, size_t index)
{
	(void)pull;
	(void)index;
	return "";
}

LCX_PUBLIC enum lcx_pull_state lcx_pull_layer_state(const struct lcx_pull *pull, size_t index)
{
	(void)pull;
	(void)index;
	return LCX_PULL_WAITING;
}

LCX_PUBLIC uint64_t lcx_pull_layer_total_bytes(const struct lcx_pull *pull, size_t index)
{
	(void)pull;
	(void)index;
	return 0;
}

LCX_PUBLIC uint64_t lcx_pull_layer_done_bytes(const struct lcx_pull *pull, size_t index)
{
	(void)pull;
	(void)index;
	return 0;
}

LCX_PUBLIC const char *lcx_pull_reference(const struct lcx_pull *pull)
{
	(void)pull;
	return "";
}

LCX_PUBLIC int lcx_pull_image(struct lcx_pull *pull, struct lcx_image **ret, struct lcx_error **err)
{
	(void)pull;
	(void)ret;
	return unsupported(err);
}

LCX_PUBLIC struct lcx_pull *lcx_pull_free(struct lcx_pull *pull)
{
	(void)pull;
	return NULL;
}
