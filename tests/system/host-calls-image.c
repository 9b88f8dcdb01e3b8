/* SPDX-License-Identifier: MIT */
#include "host-calls.h"

static struct lcx_image *image;

static int import_image(struct world *w, struct lcx_error **err)
{
	return lcx_image_import(w->ctx, w->layout, "latest", "box", &image, err);
}

static int look_at_image(struct world *w, struct lcx_error **err)
{
	static const char *(*const texts[])(const struct lcx_image *) = {lcx_image_id,
									 lcx_image_manifest_digest,
									 lcx_image_os,
									 lcx_image_architecture,
									 lcx_image_variant,
									 lcx_image_config_json,
									 lcx_image_manifest_json,
									 lcx_image_working_dir,
									 lcx_image_user,
									 lcx_image_stop_signal,
									 lcx_image_author};
	static const char *const *(*const lists[])(const struct lcx_image *) = {
		lcx_image_references, lcx_image_entrypoint,    lcx_image_cmd,
		lcx_image_env,        lcx_image_exposed_ports, lcx_image_volumes,
		lcx_image_health_test};
	static uint64_t (*const sizes[])(const struct lcx_image *) = {lcx_image_size_bytes,
								      lcx_image_download_bytes};
	static size_t (*const counts[])(const struct lcx_image *) = {
		lcx_image_layer_count, lcx_image_label_count, lcx_image_history_count};
	static const char *(*const nth[])(const struct lcx_image *, size_t) = {
		lcx_image_layer_dir,         lcx_image_layer_diff_id,  lcx_image_label_name,
		lcx_image_label_value,       lcx_image_history_author, lcx_image_history_comment,
		lcx_image_history_created_by};
	static int64_t (*const nth_number[])(const struct lcx_image *, size_t) = {
		lcx_image_history_created_ns, lcx_image_history_layer};
	char *text = NULL;

	(void)w;
	ALL(texts, image);
	ALL(lists, image);
	ALL(sizes, image);
	ALL(counts, image);
	ALL(nth, image, 0);
	ALL(nth, image, 1000);
	ALL(nth_number, image, 0);
	(void)lcx_image_created_ns(image);
	(void)lcx_image_health_setting(image, LCX_HEALTH_RETRIES);
	(void)lcx_image_layer_size_bytes(image, 0);
	(void)lcx_image_layers_userxattr(image);
	MUST(lcx_image_inspect(image, &text, err));
	lcx_string_free(text);
	return 0;
}

static int free_image(struct world *w, struct lcx_error **err)
{
	(void)w, (void)err;
	image = lcx_image_free(image);
	return 0;
}

static int open_tag_and_resolve_image(struct world *w, struct lcx_error **err)
{
	char *text = NULL;

	MUST(lcx_image_open(w->ctx, "box", &image, err));
	image = lcx_image_free(image);
	MUST(lcx_image_tag(w->ctx, "box", "other:tag", err));
	MUST(lcx_image_resolve(w->ctx, "other:tag", &text, err));
	lcx_string_free(text);
	return lcx_image_remove(w->ctx, "other:tag", err);
}

static int refuse_images(struct world *w, struct lcx_error **err)
{
	char *text = NULL;

	REFUSED(lcx_image_import(w->ctx, w->layout, "none", "x", &image, err));
	REFUSED(lcx_image_import(w->ctx, "/no/such/layout", "latest", "x", &image, err));
	REFUSED(lcx_image_import(w->ctx, w->layout, "latest", "NOT A NAME", &image, err));
	REFUSED(lcx_image_open(w->ctx, "none", &image, err));
	REFUSED(lcx_image_tag(w->ctx, "none", "new", err));
	REFUSED(lcx_image_remove(w->ctx, "none", err));
	REFUSED(lcx_image_verify(w->ctx, "none", err));
	REFUSED(lcx_image_resolve(w->ctx, "none", &text, err));
	return 0;
}

static int list_images(struct world *w, struct lcx_error **err)
{
	struct lcx_image_list *list = NULL;

	MUST(lcx_image_list_new(w->ctx, &list, err));
	for (size_t i = 0; i < lcx_image_list_count(list); i++)
		(void)lcx_image_id(lcx_image_list_get(list, i));
	(void)lcx_image_list_damaged(list);
	lcx_image_list_free(list);
	return 0;
}

static int verify_image(struct world *w, struct lcx_error **err)
{
	return lcx_image_verify(w->ctx, "box", err);
}

static int limit_layers(struct world *w, struct lcx_error **err)
{
	uint64_t before = lcx_layer_limit(w->ctx, LCX_LAYER_LIMIT_ENTRIES);

	MUST(lcx_layer_set_limit(w->ctx, LCX_LAYER_LIMIT_ENTRIES, 5, err));
	REFUSED(lcx_layer_set_limit(w->ctx, (enum lcx_layer_limit)99, 5, err));
	return lcx_layer_set_limit(w->ctx, LCX_LAYER_LIMIT_ENTRIES, before, err);
}

/* Layers are unpacked by a helper process, or, if the caller wants that, by the caller itself. */
static int unpack_in_process(struct world *w, struct lcx_error **err)
{
	bool before = lcx_layer_in_process(w->ctx);
	int r;

	MUST(lcx_image_remove(w->ctx, "box", err));
	MUST(lcx_image_gc(w->ctx, NULL, err));
	lcx_layer_set_in_process(w->ctx, true);
	r = lcx_image_import(w->ctx, w->layout, "latest", "box", &image, err);
	lcx_layer_set_in_process(w->ctx, before);
	image = lcx_image_free(image);
	return r;
}

static int unpack_too_much(struct world *w, struct lcx_error **err)
{
	uint64_t before = lcx_layer_limit(w->ctx, LCX_LAYER_LIMIT_ENTRIES);

	MUST(lcx_image_remove(w->ctx, "box", err));
	MUST(lcx_image_gc(w->ctx, NULL, err));
	MUST(lcx_layer_set_limit(w->ctx, LCX_LAYER_LIMIT_ENTRIES, 2, err));
	REFUSED(lcx_image_import(w->ctx, w->layout, "latest", "box", &image, err));
	MUST(lcx_layer_set_limit(w->ctx, LCX_LAYER_LIMIT_ENTRIES, before, err));
	MUST(lcx_image_import(w->ctx, w->layout, "latest", "box", &image, err));
	image = lcx_image_free(image);
	return 0;
}

static int name_the_files(struct world *w, struct lcx_error **err)
{
	lcx_string_free(lcx_image_default_auth_file());
	EITHER(lcx_image_set_registries_file(w->ctx, "/no/such/file", err));
	return lcx_image_set_registries_file(w->ctx, NULL, err);
}

static int remove_image(struct world *w, struct lcx_error **err)
{
	return lcx_image_remove(w->ctx, "box", err);
}

static int collect_layers(struct world *w, struct lcx_error **err)
{
	uint64_t freed_bytes;

	return lcx_image_gc(w->ctx, &freed_bytes, err);
}

const struct row rows_image[] = {
	ROW(import_image, HELD),          ROW(look_at_image, HELD),
	ROW(free_image, RELEASED),        ROW(open_tag_and_resolve_image, RELEASED),
	ROW(refuse_images, RELEASED),     ROW(list_images, RELEASED),
	ROW(verify_image, RELEASED),      ROW(limit_layers, RELEASED),
	ROW(unpack_in_process, RELEASED), ROW(unpack_too_much, RELEASED),
	ROW(name_the_files, RELEASED),    {0},
};

const struct row rows_image_remove[] = {
	ROW(remove_image, RELEASED),
	ROW(collect_layers, RELEASED),
	{0},
};
