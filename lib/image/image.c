/* SPDX-License-Identifier: MIT */
#include "image/image-internal.h"

#include <errno.h>
#include <string.h>

#include "util/str.h"

static int load_documents(const struct lcx__store *store, struct lcx_image *image,
			  struct lcx_error **err)
{
	size_t length = 0;
	int r;

	r = lcx__blob_read(store, &image->manifest_digest, &image->manifest_json, &length, err);
	if (r == 0)
		r = lcx__manifest_parse(image->manifest_json, length, NULL, &image->manifest, err);
	if (r < 0)
		return r;
	image->id = image->manifest->config.digest;
	r = lcx__blob_read(store, &image->id, &image->config_json, &length, err);
	if (r == 0)
		r = lcx__config_parse(image->config_json, length, &image->config, err);
	if (r == 0 && image->manifest->n_items != image->config->n_diff_ids)
		r = lcx__fail(err, EUCLEAN, "manifest and configuration differ in their layers");
	return r;
}

static int load_layers(const struct lcx__store *store, struct lcx_image *image,
		       struct lcx_error **err)
{
	image->layer_dirs = lcx__strv_copy(NULL);
	image->layer_sizes_bytes =
		calloc(image->config->n_diff_ids + 1, sizeof(*image->layer_sizes_bytes));
	if (!image->layer_dirs || !image->layer_sizes_bytes)
		return lcx__fail_nomem(err);
	for (size_t i = 0; i < image->config->n_diff_ids; i++) {
		const struct lcx__digest *chain_id = &image->config->chain_ids[i];
		CLEANUP(freep) char *dir = NULL;
		char name[LCX__STORE_NAME_SIZE];
		struct lcx__layer_info info;

		if (lcx__layer_info_read(store, chain_id, &info) < 0)
			return lcx__fail(
				err, EUCLEAN,
				"layer '%s' is not in the image store; pull the image again",
				image->config->diff_ids[i].text);
		image->layer_sizes_bytes[i] = info.size_bytes;
		image->size_bytes += info.size_bytes;
		image->userxattr |= info.userxattr;
		lcx__layer_name(chain_id, name);
		dir = lcx__format("%s/%s/diff", store->path, name);
		if (!dir || lcx__strv_append(&image->layer_dirs, dir) < 0)
			return lcx__fail_nomem(err);
	}
	return 0;
}

static int load_references(const struct lcx__refs *refs, struct lcx_image *image,
			   struct lcx_error **err)
{
	image->references = lcx__strv_copy(NULL);
	if (!image->references)
		return lcx__fail_nomem(err);
	for (size_t i = 0; i < refs->n; i++)
		if (lcx__digest_equal(&refs->items[i].manifest, &image->manifest_digest) &&
		    lcx__strv_append(&image->references, refs->items[i].name) < 0)
			return lcx__fail_nomem(err);
	return 0;
}

int lcx__image_load(const struct lcx__store *store, const struct lcx__digest *manifest,
		    const struct lcx__refs *refs, struct lcx_image **ret, struct lcx_error **err)
{
	CLEANUP(lcx_image_freep) struct lcx_image *image = calloc(1, sizeof(*image));
	int r;

	if (!image)
		return lcx__fail_nomem(err);
	image->manifest_digest = *manifest;
	r = load_documents(store, image, err);
	if (r == 0)
		r = load_layers(store, image, err);
	if (r == 0)
		r = load_references(refs, image, err);
	if (r < 0)
		return lcx__fail_prefix(err, r, "image %.19s", manifest->text);
	*ret = TAKE_PTR(image);
	return 0;
}

LCX_PUBLIC struct lcx_image *lcx_image_free(struct lcx_image *image)
{
	if (!image)
		return NULL;
	free(image->manifest_json);
	free(image->config_json);
	(void)lcx__manifest_free(image->manifest);
	(void)lcx__config_free(image->config);
	(void)lcx__strv_free(image->references);
	(void)lcx__strv_free(image->layer_dirs);
	free(image->layer_sizes_bytes);
	free(image);
	return NULL;
}

LCX_PUBLIC int lcx_image_open(struct lcx_ctx *ctx, const char *ref, struct lcx_image **ret,
			      struct lcx_error **err)
{
	CLEANUP(lcx__lookup_clear) struct lcx__lookup found = {0};
	int r = lcx__image_look_up(ctx, ref, &found, err);

	return r < 0 ? r : lcx__image_load(found.store, &found.manifest, found.refs, ret, err);
}

/* "const char **" is not "const char *const *" to C, hence the casts. */
static const char *const *strings(char **strv)
{
	return (const char *const *)strv;
}

LCX_PUBLIC const char *lcx_image_id(const struct lcx_image *image)
{
	return image->id.text;
}

LCX_PUBLIC const char *lcx_image_manifest_digest(const struct lcx_image *image)
{
	return image->manifest_digest.text;
}

LCX_PUBLIC const char *const *lcx_image_references(const struct lcx_image *image)
{
	return strings(image->references);
}

LCX_PUBLIC int64_t lcx_image_created_ns(const struct lcx_image *image)
{
	return image->config->created_ns;
}

LCX_PUBLIC uint64_t lcx_image_size_bytes(const struct lcx_image *image)
{
	return image->size_bytes;
}

LCX_PUBLIC uint64_t lcx_image_download_bytes(const struct lcx_image *image)
{
	uint64_t total = strlen(image->manifest_json) + image->manifest->config.size;

	/* What the manifest says of sizes may be absurd, until somebody fetches the layers. */
	for (size_t i = 0; i < image->manifest->n_items; i++)
		if (__builtin_add_overflow(total, image->manifest->items[i].size, &total))
			return UINT64_MAX;
	return total;
}

LCX_PUBLIC const char *lcx_image_os(const struct lcx_image *image)
{
	return image->config->os;
}

LCX_PUBLIC const char *lcx_image_architecture(const struct lcx_image *image)
{
	return image->config->architecture;
}

LCX_PUBLIC const char *lcx_image_variant(const struct lcx_image *image)
{
	return image->config->variant;
}

LCX_PUBLIC size_t lcx_image_layer_count(const struct lcx_image *image)
{
	return image->config->n_diff_ids;
}

LCX_PUBLIC const char *lcx_image_layer_dir(const struct lcx_image *image, size_t index)
{
	size_t n = image->config->n_diff_ids;

	return index < n ? image->layer_dirs[n - 1 - index] : NULL;
}

LCX_PUBLIC const char *lcx_image_layer_diff_id(const struct lcx_image *image, size_t index)
{
	size_t n = image->config->n_diff_ids;

	return index < n ? image->config->diff_ids[n - 1 - index].text : NULL;
}

LCX_PUBLIC uint64_t lcx_image_layer_size_bytes(const struct lcx_image *image, size_t index)
{
	size_t n = image->config->n_diff_ids;

	return index < n ? image->layer_sizes_bytes[n - 1 - index] : 0;
}

LCX_PUBLIC bool lcx_image_layers_userxattr(const struct lcx_image *image)
{
	return image->userxattr;
}

LCX_PUBLIC const char *lcx_image_config_json(const struct lcx_image *image)
{
	return image->config_json;
}

LCX_PUBLIC const char *lcx_image_manifest_json(const struct lcx_image *image)
{
	return image->manifest_json;
}

LCX_PUBLIC const char *const *lcx_image_entrypoint(const struct lcx_image *image)
{
	return strings(image->config->entrypoint);
}

LCX_PUBLIC const char *const *lcx_image_cmd(const struct lcx_image *image)
{
	return strings(image->config->cmd);
}

LCX_PUBLIC const char *const *lcx_image_env(const struct lcx_image *image)
{
	return strings(image->config->env);
}

LCX_PUBLIC const char *lcx_image_working_dir(const struct lcx_image *image)
{
	return image->config->working_dir;
}

LCX_PUBLIC const char *lcx_image_user(const struct lcx_image *image)
{
	return image->config->user;
}

LCX_PUBLIC const char *const *lcx_image_health_test(const struct lcx_image *image)
{
	static const char *const none[] = {NULL};

	return image->config->health_test ? (const char *const *)image->config->health_test : none;
}

LCX_PUBLIC int64_t lcx_image_health_setting(const struct lcx_image *image,
					    enum lcx_health_setting setting)
{
	if ((size_t)setting >= ARRAY_SIZE(image->config->health))
		return 0;
	return (int64_t)image->config->health[setting];
}

LCX_PUBLIC const char *lcx_image_stop_signal(const struct lcx_image *image)
{
	return image->config->stop_signal;
}

LCX_PUBLIC const char *const *lcx_image_exposed_ports(const struct lcx_image *image)
{
	return strings(image->config->exposed_ports);
}

LCX_PUBLIC const char *const *lcx_image_volumes(const struct lcx_image *image)
{
	return strings(image->config->volumes);
}

LCX_PUBLIC size_t lcx_image_label_count(const struct lcx_image *image)
{
	return image->config->n_labels;
}

LCX_PUBLIC const char *lcx_image_label_name(const struct lcx_image *image, size_t index)
{
	return index < image->config->n_labels ? image->config->labels[index].name : NULL;
}

LCX_PUBLIC const char *lcx_image_label_value(const struct lcx_image *image, size_t index)
{
	return index < image->config->n_labels ? image->config->labels[index].value : NULL;
}

LCX_PUBLIC const char *lcx_image_author(const struct lcx_image *image)
{
	return image->config->author;
}

LCX_PUBLIC size_t lcx_image_history_count(const struct lcx_image *image)
{
	return image->config->n_history;
}

static const struct lcx__history *step_at(const struct lcx_image *image, size_t index)
{
	size_t n = image->config->n_history;

	return index < n ? &image->config->history[n - 1 - index] : NULL;
}

LCX_PUBLIC int64_t lcx_image_history_created_ns(const struct lcx_image *image, size_t index)
{
	const struct lcx__history *step = step_at(image, index);

	return step ? step->created_ns : 0;
}

LCX_PUBLIC const char *lcx_image_history_created_by(const struct lcx_image *image, size_t index)
{
	const struct lcx__history *step = step_at(image, index);

	return step ? step->created_by : NULL;
}

LCX_PUBLIC const char *lcx_image_history_author(const struct lcx_image *image, size_t index)
{
	const struct lcx__history *step = step_at(image, index);

	return step ? step->author : NULL;
}

LCX_PUBLIC const char *lcx_image_history_comment(const struct lcx_image *image, size_t index)
{
	const struct lcx__history *step = step_at(image, index);

	return step ? step->comment : NULL;
}

LCX_PUBLIC int64_t lcx_image_history_layer(const struct lcx_image *image, size_t index)
{
	const struct lcx__history *step = step_at(image, index);
	size_t layer = 0;

	if (!step || step->empty_layer)
		return -1;
	for (size_t i = 0; i < index; i++)
		layer += !step_at(image, i)->empty_layer;
	return layer < image->config->n_diff_ids ? (int64_t)layer : -1;
}
