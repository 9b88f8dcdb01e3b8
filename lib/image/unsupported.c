/* SPDX-License-Identifier: MIT */
/*
 * The image room of a library built without the `image` feature: every function
 * is there, so that a program or a binding links, and says why it can't help.
 * No handle can exist, so the getters are never called with one.
 */
#include "image/unsupported.h"

#include <errno.h>

#include "util/str.h"

int lcx__image_unsupported(struct lcx_error **err)
{
	return lcx__fail(
		err, EOPNOTSUPP,
		"images: this liblcx was built without them; build it with -Dimage=enabled");
}

static int unsupported(struct lcx_error **err)
{
	return lcx__image_unsupported(err);
}

static const char *const *no_strings(void)
{
	static const char *const none[] = {NULL};

	return none;
}

LCX_PUBLIC int lcx_image_open(struct lcx_ctx *ctx, const char *ref, struct lcx_image **ret,
			      struct lcx_error **err)
{
	(void)ctx;
	(void)ref;
	(void)ret;
	return unsupported(err);
}

LCX_PUBLIC struct lcx_image *lcx_image_free(struct lcx_image *image)
{
	(void)image;
	return NULL;
}

LCX_PUBLIC const char *lcx_image_id(const struct lcx_image *image)
{
	(void)image;
	return "";
}

LCX_PUBLIC const char *lcx_image_manifest_digest(const struct lcx_image *image)
{
	(void)image;
	return "";
}

LCX_PUBLIC const char *const *lcx_image_references(const struct lcx_image *image)
{
	(void)image;
	return no_strings();
}

LCX_PUBLIC int64_t lcx_image_created_ns(const struct lcx_image *image)
{
	(void)image;
	return 0;
}

LCX_PUBLIC uint64_t lcx_image_size_bytes(const struct lcx_image *image)
{
	(void)image;
	return 0;
}

LCX_PUBLIC uint64_t lcx_image_download_bytes(const struct lcx_image *image)
{
	(void)image;
	return 0;
}

LCX_PUBLIC const char *lcx_image_os(const struct lcx_image *image)
{
	(void)image;
	return "";
}

LCX_PUBLIC const char *lcx_image_architecture(const struct lcx_image *image)
{
	(void)image;
	return "";
}

LCX_PUBLIC const char *lcx_image_variant(const struct lcx_image *image)
{
	(void)image;
	return "";
}

LCX_PUBLIC size_t lcx_image_layer_count(const struct lcx_image *image)
{
	(void)image;
	return 0;
}

LCX_PUBLIC const char *lcx_image_layer_dir(const struct lcx_image *image, size_t index)
{
	(void)image;
	(void)index;
	return "";
}

LCX_PUBLIC const char *lcx_image_layer_diff_id(const struct lcx_image *image, size_t index)
{
	(void)image;
	(void)index;
	return "";
}

LCX_PUBLIC bool lcx_image_layers_userxattr(const struct lcx_image *image)
{
	(void)image;
	return false;
}

LCX_PUBLIC uint64_t lcx_image_layer_size_bytes(const struct lcx_image *image, size_t index)
{
	(void)image;
	(void)index;
	return 0;
}

LCX_PUBLIC const char *lcx_image_author(const struct lcx_image *image)
{
	(void)image;
	return "";
}

LCX_PUBLIC size_t lcx_image_history_count(const struct lcx_image *image)
{
	(void)image;
	return 0;
}

LCX_PUBLIC int64_t lcx_image_history_created_ns(const struct lcx_image *image, size_t index)
{
	(void)image;
	(void)index;
	return 0;
}

LCX_PUBLIC const char *lcx_image_history_created_by(const struct lcx_image *image, size_t index)
{
	(void)image;
	(void)index;
	return NULL;
}

LCX_PUBLIC const char *lcx_image_history_author(const struct lcx_image *image, size_t index)
{
	(void)image;
	(void)index;
	return NULL;
}

LCX_PUBLIC const char *lcx_image_history_comment(const struct lcx_image *image, size_t index)
{
	(void)image;
	(void)index;
	return NULL;
}

LCX_PUBLIC int64_t lcx_image_history_layer(const struct lcx_image *image, size_t index)
{
	(void)image;
	(void)index;
	return -1;
}

LCX_PUBLIC int lcx_image_inspect(const struct lcx_image *image, char **ret, struct lcx_error **err)
{
	(void)image;
	(void)ret;
	return unsupported(err);
}

LCX_PUBLIC const char *lcx_image_config_json(const struct lcx_image *image)
{
	(void)image;
	return "";
}

LCX_PUBLIC const char *lcx_image_manifest_json(const struct lcx_image *image)
{
	(void)image;
	return "";
}

LCX_PUBLIC const char *const *lcx_image_entrypoint(const struct lcx_image *image)
{
	(void)image;
	return no_strings();
}

LCX_PUBLIC const char *const *lcx_image_cmd(const struct lcx_image *image)
{
	(void)image;
	return no_strings();
}

LCX_PUBLIC const char *const *lcx_image_env(const struct lcx_image *image)
{
	(void)image;
	return no_strings();
}

LCX_PUBLIC const char *lcx_image_working_dir(const struct lcx_image *image)
{
	(void)image;
	return "";
}

LCX_PUBLIC const char *lcx_image_user(const struct lcx_image *image)
{
	(void)image;
	return "";
}

LCX_PUBLIC const char *lcx_image_stop_signal(const struct lcx_image *image)
{
	(void)image;
	return "";
}

LCX_PUBLIC const char *const *lcx_image_exposed_ports(const struct lcx_image *image)
{
	(void)image;
	return no_strings();
}

LCX_PUBLIC const char *const *lcx_image_volumes(const struct lcx_image *image)
{
	(void)image;
	return no_strings();
}

LCX_PUBLIC size_t lcx_image_label_count(const struct lcx_image *image)
{
	(void)image;
	return 0;
}

LCX_PUBLIC const char *lcx_image_label_name(const struct lcx_image *image, size_t index)
{
	(void)image;
	(void)index;
	return "";
}

LCX_PUBLIC const char *lcx_image_label_value(const struct lcx_image *image, size_t index)
{
	(void)image;
	(void)index;
	return "";
}

LCX_PUBLIC int lcx_image_list_new(struct lcx_ctx *ctx, struct lcx_image_list **ret,
				  struct lcx_error **err)
{
	(void)ctx;
	(void)ret;
	return unsupported(err);
}

LCX_PUBLIC size_t lcx_image_list_count(const struct lcx_image_list *list)
{
	(void)list;
	return 0;
}

LCX_PUBLIC const struct lcx_image *lcx_image_list_get(const struct lcx_image_list *list,
						      size_t index)
{
	(void)list;
	(void)index;
	return NULL;
}

LCX_PUBLIC const char *const *lcx_image_list_damaged(const struct lcx_image_list *list)
{
	(void)list;
	return no_strings();
}

LCX_PUBLIC struct lcx_image_list *lcx_image_list_free(struct lcx_image_list *list)
{
	(void)list;
	return NULL;
}

LCX_PUBLIC int lcx_image_tag(struct lcx_ctx *ctx, const char *ref, const char *new_name,
			     struct lcx_error **err)
{
	(void)ctx;
	(void)ref;
	(void)new_name;
	return unsupported(err);
}

LCX_PUBLIC int lcx_image_remove(struct lcx_ctx *ctx, const char *ref, struct lcx_error **err)
{
	(void)ctx;
	(void)ref;
	return unsupported(err);
}

LCX_PUBLIC int lcx_image_gc(struct lcx_ctx *ctx, uint64_t *ret_freed_bytes, struct lcx_error **err)
{
	(void)ctx;
	(void)ret_freed_bytes;
	return unsupported(err);
}

LCX_PUBLIC int lcx_image_resolve(struct lcx_ctx *ctx, const char *ref, char **ret,
				 struct lcx_error **err)
{
	(void)ctx;
	(void)ref;
	(void)ret;
	return unsupported(err);
}

LCX_PUBLIC int lcx_image_verify(struct lcx_ctx *ctx, const char *ref, struct lcx_error **err)
{
	(void)ctx;
	(void)ref;
	return unsupported(err);
}

LCX_PUBLIC int lcx_image_import(struct lcx_ctx *ctx, const char *path, const char *layout_ref,
				const char *new_name, struct lcx_image **ret,
				struct lcx_error **err)
{
	(void)ctx;
	(void)path;
	(void)layout_ref;
	(void)new_name;
	(void)ret;
	return unsupported(err);
}

LCX_PUBLIC int lcx_image_set_registries_file(struct lcx_ctx *ctx, const char *path,
					     struct lcx_error **err)
{
	(void)ctx;
	(void)path;
	return unsupported(err);
}

LCX_PUBLIC char *lcx_image_default_auth_file(void)
{
	return NULL;
}

LCX_PUBLIC int lcx_pull_set_auth_file(struct lcx_pull *pull, const char *path,
				      struct lcx_error **err)
{
	(void)pull;
	(void)path;
	return unsupported(err);
}

LCX_PUBLIC int lcx_pull_set_client_cert(struct lcx_pull *pull, const char *cert_file,
					const char *key_file, struct lcx_error **err)
{
	(void)pull;
	(void)cert_file;
	(void)key_file;
	return unsupported(err);
}

LCX_PUBLIC void lcx_pull_cancel(struct lcx_pull *pull)
{
	(void)pull;
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

int lcx__image_hold(struct lcx_ctx *ctx, const struct lcx_image *image, const char *owner,
		    struct lcx_error **err)
{
	(void)ctx;
	(void)image;
	(void)owner;
	return unsupported(err);
}

/* Nothing is ever held: containers on a plain directory release as others do. */
int lcx__image_release(struct lcx_ctx *ctx, const char *owner, struct lcx_error **err)
{
	(void)ctx;
	(void)owner;
	(void)err;
	return 0;
}

int lcx__image_holders(struct lcx_ctx *ctx, char ***ret, struct lcx_error **err)
{
	(void)ctx;
	*ret = lcx__strv_copy(NULL);
	return *ret ? 0 : lcx__fail_nomem(err);
}

LCX_PUBLIC int lcx_load_new(struct lcx_ctx *ctx, int fd, struct lcx_load **ret,
			    struct lcx_error **err)
{
	(void)ctx;
	(void)fd;
	(void)ret;
	return unsupported(err);
}

LCX_PUBLIC int lcx_load_step(struct lcx_load *load, struct lcx_error **err)
{
	(void)load;
	return unsupported(err);
}

LCX_PUBLIC int lcx_load_run(struct lcx_load *load, struct lcx_error **err)
{
	(void)load;
	return unsupported(err);
}

LCX_PUBLIC uint64_t lcx_load_done_bytes(const struct lcx_load *load)
{
	(void)load;
	return 0;
}

LCX_PUBLIC uint64_t lcx_load_total_bytes(const struct lcx_load *load)
{
	(void)load;
	return 0;
}

LCX_PUBLIC size_t lcx_load_count(const struct lcx_load *load)
{
	(void)load;
	return 0;
}

LCX_PUBLIC const char *lcx_load_name(const struct lcx_load *load, size_t index)
{
	(void)load;
	(void)index;
	return NULL;
}

LCX_PUBLIC const char *lcx_load_id(const struct lcx_load *load, size_t index)
{
	(void)load;
	(void)index;
	return NULL;
}

LCX_PUBLIC struct lcx_load *lcx_load_free(struct lcx_load *load)
{
	(void)load;
	return NULL;
}

LCX_PUBLIC int lcx_save_new(struct lcx_ctx *ctx, struct lcx_save **ret, struct lcx_error **err)
{
	(void)ctx;
	(void)ret;
	return unsupported(err);
}

LCX_PUBLIC int lcx_save_add(struct lcx_save *save, const char *ref, struct lcx_error **err)
{
	(void)save;
	(void)ref;
	return unsupported(err);
}

LCX_PUBLIC int lcx_save_step(struct lcx_save *save, int fd, struct lcx_error **err)
{
	(void)save;
	(void)fd;
	return unsupported(err);
}

LCX_PUBLIC int lcx_save_run(struct lcx_save *save, int fd, struct lcx_error **err)
{
	(void)save;
	(void)fd;
	return unsupported(err);
}

LCX_PUBLIC uint64_t lcx_save_done_bytes(const struct lcx_save *save)
{
	(void)save;
	return 0;
}

LCX_PUBLIC uint64_t lcx_save_total_bytes(const struct lcx_save *save)
{
	(void)save;
	return 0;
}

LCX_PUBLIC struct lcx_save *lcx_save_free(struct lcx_save *save)
{
	(void)save;
	return NULL;
}
