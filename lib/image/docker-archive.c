/* SPDX-License-Identifier: MIT */
/*
 * What `docker save` writes: manifest.json lists images, each with the name of its
 * configuration, its tags, and the names of its layers' archives. There are no manifests
 * and no digests but those in the configurations: a manifest is made here, of what the
 * layers turn out to be, and the configuration's diff ids decide.
 */
#include <errno.h>
#include <string.h>

#include "image/document.h"
#include "image/offer.h"
#include "tar/tar.h"
#include "util/str.h"

enum { IMAGES_MAX = 1000 };

static int dup_path(const char *text, char **ret, struct lcx_error **err)
{
	CLEANUP(freep) char *path = strdup(text);
	int r;

	if (!path)
		return lcx__fail_nomem(err);
	r = lcx__tar_path(path, err);
	if (r == 0 && !path[0])
		r = lcx__fail(err, EBADMSG, "the name of a file is empty");
	if (r == 0)
		*ret = TAKE_PTR(path);
	return r;
}

static int read_layers(struct json_object *image, struct lcx__offer *offer, struct lcx_error **err)
{
	CLEANUP(lcx__strv_freep) char **layers = NULL;
	int r = lcx__doc_dup_strv(image, "Layers", &layers, err);

	if (r == 0 && lcx__strv_length(layers) > LCX__LAYERS_MAX)
		r = lcx__fail(err, EBADMSG, "more than %d layers", LCX__LAYERS_MAX);
	offer->layers = lcx__strv_copy(NULL);
	if (r == 0 && !offer->layers)
		r = lcx__fail_nomem(err);
	for (size_t i = 0; r == 0 && layers[i]; i++) {
		CLEANUP(freep) char *path = NULL;

		r = dup_path(layers[i], &path, err);
		if (r == 0 && lcx__strv_append(&offer->layers, path) < 0)
			r = lcx__fail_nomem(err);
	}
	return r;
}

static int read_image(struct json_object *image, struct lcx__offers *offers, struct lcx_error **err)
{
	struct lcx__offer *offer = lcx__offers_add(offers);
	CLEANUP(lcx__strv_freep) char **tags = NULL;
	const char *config = NULL;
	int r;

	if (!offer)
		return lcx__fail_nomem(err);
	if (!json_object_is_type(image, json_type_object))
		return lcx__fail(err, EBADMSG, "an image is not an object");
	r = lcx__doc_string(image, "Config", &config, err);
	if (r == 0)
		r = dup_path(config ? config : "", &offer->config, err);
	if (r == 0)
		r = lcx__doc_dup_strv(image, "RepoTags", &tags, err);
	for (size_t i = 0; r == 0 && tags[i]; i++)
		r = lcx__offer_add_name(offer, tags[i], err);
	return r < 0 ? r : read_layers(image, offer, err);
}

/* Documents are objects elsewhere, and checked as such: make one around the list. */
static int read_list(const struct lcx__bundle *b, struct json_object **ret, struct lcx_error **err)
{
	CLEANUP(freep) char *text = NULL, *object = NULL;
	size_t length;
	int r = lcx__bundle_document(b, "manifest.json", &text, &length, err);

	if (r < 0)
		return r;
	if (strlen(text) != length)
		return lcx__fail(err, EBADMSG, "manifest.json is not a text");
	object = lcx__format("{\"images\":%s}", text);
	if (!object)
		return lcx__fail_nomem(err);
	return lcx__doc_parse(object, strlen(object), "manifest.json", ret, err);
}

int lcx__docker_offers(const struct lcx__bundle *b, struct lcx__offers *ret, struct lcx_error **err)
{
	CLEANUP(lcx__doc_putp) struct json_object *object = NULL;
	CLEANUP(lcx__offers_clear) struct lcx__offers offers = {0};
	struct json_object *images = NULL;
	int r = read_list(b, &object, err);

	if (r == 0)
		r = lcx__doc_array(object, "images", &images, err);
	if (r == 0 && (!images || json_object_array_length(images) == 0))
		r = lcx__fail(err, ENOENT, "there is no image in it");
	if (r == 0 && json_object_array_length(images) > IMAGES_MAX)
		r = lcx__fail(err, EBADMSG, "more than %d images", IMAGES_MAX);
	for (size_t i = 0; r == 0 && i < json_object_array_length(images); i++)
		r = read_image(json_object_array_get_idx(images, i), &offers, err);
	if (r < 0)
		return lcx__fail_prefix(err, r, "'%s': manifest.json", lcx__bundle_what(b));
	*ret = TAKE(offers, (struct lcx__offers){0});
	return 0;
}

static char *write_manifest(const struct lcx__digest *config, size_t config_size,
			    const struct lcx__blob *layers, size_t n_layers)
{
	struct lcx__strbuf text = STRBUF_EMPTY;

	lcx__strbuf_addf(&text,
			 "{\"schemaVersion\":2,\"mediaType\":"
			 "\"application/vnd.oci.image.manifest.v1+json\",\"config\":{\"mediaType\":"
			 "\"application/vnd.oci.image.config.v1+json\",\"digest\":\"%s\","
			 "\"size\":%zu},\"layers\":[",
			 config->text, config_size);
	for (size_t i = 0; i < n_layers; i++)
		lcx__strbuf_addf(&text, "%s{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%ju}",
				 i ? "," : "", layers[i].media_type, layers[i].digest.text,
				 (uintmax_t)layers[i].size_bytes);
	lcx__strbuf_adds(&text, "]}");
	return lcx__strbuf_take(&text);
}

int lcx__install_parts(struct lcx__install *install, const char *config, size_t config_size,
		       const struct lcx__blob *layers, size_t n_layers, struct lcx_error **err)
{
	CLEANUP(lcx__manifest_freep) struct lcx__manifest *m = NULL;
	struct lcx__digest config_digest, digest;
	CLEANUP(freep) char *text = NULL;
	int r;

	r = lcx__digest_of(NULL, config, config_size, &config_digest, err);
	if (r < 0)
		return r;
	text = write_manifest(&config_digest, config_size, layers, n_layers);
	if (!text)
		return lcx__fail_nomem(err);
	r = lcx__digest_of(NULL, text, strlen(text), &digest, err);
	if (r == 0)
		r = lcx__manifest_parse(text, strlen(text), NULL, &m, err);
	if (r == 0)
		r = lcx__install_manifest(install, &digest, text, strlen(text), TAKE_PTR(m), err);
	return r < 0 ? r : lcx__install_config(install, config, config_size, err);
}

int lcx__docker_begin(const struct lcx__bundle *b, const struct lcx__offer *offer,
		      struct lcx__install *install, const struct lcx__blob *layers,
		      const struct lcx__digest *diff_ids, size_t n_layers, struct lcx_error **err)
{
	CLEANUP(freep) char *config = NULL;
	size_t length = 0;
	int r;

	if (offer->steps) {
		r = lcx__legacy_config(b, offer, diff_ids, &config, err);
		length = r == 0 ? strlen(config) : 0;
	} else {
		r = lcx__bundle_document(b, offer->config, &config, &length, err);
	}

	return r < 0 ? r : lcx__install_parts(install, config, length, layers, n_layers, err);
}
