/* SPDX-License-Identifier: MIT */
#include "image/manifest.h"

#include <errno.h>
#include <string.h>

#include "image/document.h"
#include "util/str.h"

enum kind {
	KIND_MANIFEST,
	KIND_INDEX,
	KIND_CONFIG,
	KIND_LAYER,
	KIND_FOREIGN,
	KIND_EMPTY, /* "{}": an artifact's stand-in for what it doesn't have */
	KIND_SCHEMA1,
};

/* Every media type that can be part of an image; what isn't here is something else. */
static const struct {
	const char *name;
	enum kind kind;
} media_types[] = {
	{"application/vnd.oci.image.index.v1+json", KIND_INDEX},
	{"application/vnd.docker.distribution.manifest.list.v2+json", KIND_INDEX},
	{"application/vnd.oci.image.manifest.v1+json", KIND_MANIFEST},
	{"application/vnd.docker.distribution.manifest.v2+json", KIND_MANIFEST},
	{"application/vnd.oci.image.config.v1+json", KIND_CONFIG},
	{"application/vnd.docker.container.image.v1+json", KIND_CONFIG},
	{"application/vnd.oci.image.layer.v1.tar", KIND_LAYER},
	{"application/vnd.oci.image.layer.v1.tar+gzip", KIND_LAYER},
	{"application/vnd.oci.image.layer.v1.tar+zstd", KIND_LAYER},
	{"application/vnd.docker.image.rootfs.diff.tar", KIND_LAYER},
	{"application/vnd.docker.image.rootfs.diff.tar.gzip", KIND_LAYER},
	{"application/vnd.docker.image.rootfs.diff.tar.zstd", KIND_LAYER},
	{"application/vnd.oci.image.layer.nondistributable.v1.tar", KIND_FOREIGN},
	{"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", KIND_FOREIGN},
	{"application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", KIND_FOREIGN},
	{"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", KIND_FOREIGN},
	{"application/vnd.oci.empty.v1+json", KIND_EMPTY},
	{"application/vnd.docker.distribution.manifest.v1+json", KIND_SCHEMA1},
	{"application/vnd.docker.distribution.manifest.v1+prettyjws", KIND_SCHEMA1},
};

/* Parameters ("; charset=utf-8") don't count. -ENOENT for a type that isn't known. */
static int find_type(const char *media_type)
{
	size_t length = strcspn(media_type, "; \t");

	for (size_t i = 0; i < ARRAY_SIZE(media_types); i++)
		if (strlen(media_types[i].name) == length &&
		    strncmp(media_types[i].name, media_type, length) == 0)
			return (int)i;
	return -ENOENT;
}

static int kind_of(const char *media_type)
{
	int i = find_type(media_type);

	return i < 0 ? i : (int)media_types[i].kind;
}

static int copy_part(struct json_object *object, const char *key, char *part, size_t size,
		     struct lcx_error **err)
{
	const char *text = NULL;
	int r = lcx__doc_string(object, key, &text, err);

	if (r < 0)
		return r;
	/* Too long to be a platform of ours: it only has to compare unequal. */
	(void)snprintf(part, size, "%s", text && strlen(text) < size ? text : text ? "?" : "");
	return 0;
}

static int parse_platform(struct json_object *object, struct lcx__descriptor *d,
			  struct lcx_error **err)
{
	struct lcx__platform *p = &d->platform;
	struct json_object *platform = NULL;
	int r = lcx__doc_object(object, "platform", &platform, err);

	if (r < 0 || !platform)
		return r;
	d->has_platform = true;
	r = copy_part(platform, "os", p->os, sizeof(p->os), err);
	if (r == 0)
		r = copy_part(platform, "architecture", p->architecture, sizeof(p->architecture),
			      err);
	if (r == 0)
		r = copy_part(platform, "variant", p->variant, sizeof(p->variant), err);
	return r;
}

static int parse_ref_name(struct json_object *object, struct lcx__descriptor *d,
			  struct lcx_error **err)
{
	struct json_object *annotations = NULL;
	const char *name = NULL, *full = NULL;
	int r = lcx__doc_object(object, "annotations", &annotations, err);

	if (r == 0 && annotations)
		r = lcx__doc_string(annotations, "org.opencontainers.image.ref.name", &name, err);
	if (r == 0 && annotations)
		r = lcx__doc_string(annotations, "io.containerd.image.name", &full, err);
	if (r < 0)
		return r;
	d->ref_name = name ? strdup(name) : NULL;
	d->image_name = full ? strdup(full) : NULL;
	return (name && !d->ref_name) || (full && !d->image_name) ? lcx__fail_nomem(err) : 0;
}

/* A layer that is to be had from somewhere else would send this host wherever the image likes. */
static int refuse_urls(struct json_object *object, struct lcx_error **err)
{
	struct json_object *urls = NULL;
	int r = lcx__doc_array(object, "urls", &urls, err);

	if (r == 0 && urls && json_object_array_length(urls) > 0)
		return lcx__fail(err, EBADMSG, "foreign content (\"urls\") is refused");
	return r;
}

static int parse_descriptor(struct json_object *object, struct lcx__descriptor *d,
			    struct lcx_error **err)
{
	static const char *const keys[] = {"mediaType", "digest", "size", "urls", "platform", NULL};
	const char *digest = NULL, *media_type = NULL, *artifact_type = NULL;
	int r;

	if (!json_object_is_type(object, json_type_object))
		return lcx__fail(err, EBADMSG, "a descriptor is not an object");
	r = lcx__doc_check_keys(object, keys, err);
	if (r == 0)
		r = lcx__doc_string(object, "digest", &digest, err);
	if (r == 0)
		r = lcx__doc_string(object, "mediaType", &media_type, err);
	if (r == 0)
		r = lcx__doc_string(object, "artifactType", &artifact_type, err);
	if (r == 0)
		r = lcx__doc_size(object, "size", &d->size, err);
	if (r == 0)
		r = refuse_urls(object, err);
	if (r < 0)
		return r;
	if (!json_object_object_get_ex(object, "size", NULL))
		return lcx__fail(err, EBADMSG, "a descriptor lacks its \"size\"");
	d->is_artifact = artifact_type && artifact_type[0] != '\0';
	if (lcx__digest_parse(digest, &d->digest) < 0)
		return lcx__fail(err, EBADMSG, "'%.150s' is not a digest", digest ? digest : "");
	d->media_type = strdup(media_type ? media_type : "");
	if (!d->media_type)
		return lcx__fail_nomem(err);
	r = parse_platform(object, d, err);
	return r < 0 ? r : parse_ref_name(object, d, err);
}

static int parse_items(struct json_object *array, struct lcx__manifest *m, struct lcx_error **err)
{
	const size_t n = json_object_array_length(array);
	const int max = m->is_index ? LCX__MANIFESTS_MAX : LCX__LAYERS_MAX;

	if (n > (size_t)max)
		return lcx__fail(err, EBADMSG, "%zu %s are more than %d", n,
				 m->is_index ? "manifests" : "layers", max);
	m->items = calloc(n + 1, sizeof(*m->items));
	if (!m->items)
		return lcx__fail_nomem(err);
	for (size_t i = 0; i < n; i++) {
		int r = parse_descriptor(json_object_array_get_idx(array, i), &m->items[i], err);

		m->n_items = i + 1;
		if (r < 0)
			return r;
	}
	return 0;
}

static int check_image_types(const struct lcx__manifest *m, const char *artifact_type,
			     struct lcx_error **err)
{
	if (kind_of(m->config.media_type) != KIND_CONFIG)
		return lcx__fail(err, EBADMSG, "an artifact of type '%.100s', not an image",
				 artifact_type && artifact_type[0] ? artifact_type
								   : m->config.media_type);
	if (m->config.size > LCX__DOCUMENT_MAX)
		return lcx__fail(err, EBADMSG, "a configuration of %ju bytes is too large",
				 (uintmax_t)m->config.size);
	for (size_t i = 0; i < m->n_items; i++) {
		int kind = kind_of(m->items[i].media_type);

		if (kind == KIND_FOREIGN)
			return lcx__fail(err, EBADMSG,
					 "layer %zu is foreign ('%s'), which is refused", i,
					 m->items[i].media_type);
		if (kind == KIND_EMPTY)
			return lcx__fail(err, EBADMSG,
					 "layer %zu is an empty descriptor: an artifact, not an "
					 "image",
					 i);
		if (kind != KIND_LAYER)
			return lcx__fail(err, EBADMSG, "layer %zu is of unknown type '%.100s'", i,
					 m->items[i].media_type);
	}
	return 0;
}

/*
 * CVE-2021-41190: a document that is an index to one reader and a manifest to
 * another. The announced type, the type it states and the members must agree.
 */
static int decide_kind(struct json_object *object, const char *content_type,
		       struct lcx__manifest *m, struct lcx_error **err)
{
	static const char *const keys[] = {"schemaVersion", "mediaType", "config",   "layers",
					   "manifests",     "subject",   "fsLayers", NULL};
	struct json_object *layers = NULL, *config = NULL, *manifests = NULL;
	const char *stated = NULL;
	bool is_index;
	int r, kind;

	r = lcx__doc_check_keys(object, keys, err);
	if (r == 0)
		r = lcx__doc_string(object, "mediaType", &stated, err);
	if (r == 0)
		r = lcx__doc_array(object, "layers", &layers, err);
	if (r == 0)
		r = lcx__doc_object(object, "config", &config, err);
	if (r == 0)
		r = lcx__doc_array(object, "manifests", &manifests, err);
	if (r < 0)
		return r;
	if (json_object_object_get_ex(object, "fsLayers", NULL) ||
	    (manifests && (layers || config)) || (!manifests && (!layers || !config)))
		return lcx__fail(err, EBADMSG,
				 "neither clearly an index nor clearly an image manifest");

	is_index = manifests != NULL;
	kind = stated ? kind_of(stated) : is_index ? KIND_INDEX : KIND_MANIFEST;
	if (kind != (is_index ? KIND_INDEX : KIND_MANIFEST))
		return lcx__fail(err, EBADMSG, "it calls itself '%.100s', which it is not", stated);
	kind = content_type ? kind_of(content_type) : kind;
	if (kind >= 0 && kind != (is_index ? KIND_INDEX : KIND_MANIFEST))
		return lcx__fail(err, EBADMSG, "announced as '%.100s', which it is not",
				 content_type);
	m->is_index = is_index;
	/* Without a word it is the OCI's, for Docker's has to say so. A parameter is a stranger's
	 * text, which would come to stand in a header. */
	m->media_type = stated     ? media_types[find_type(stated)].name
			: is_index ? "application/vnd.oci.image.index.v1+json"
				   : "application/vnd.oci.image.manifest.v1+json";
	return 0;
}

static int check_version(struct json_object *object, struct lcx_error **err)
{
	uint64_t version = 0;
	int r = lcx__doc_size(object, "schemaVersion", &version, err);

	if (r == 0 && version == 1)
		return lcx__fail(err, EBADMSG,
				 "schema version 1, Docker's format before 2016, which proves "
				 "nothing of what it names and isn't read; push the image again");
	if (r == 0 && version != 2)
		return lcx__fail(err, EBADMSG, "schema version %ju is not supported, only 2",
				 (uintmax_t)version);
	return r;
}

int lcx__manifest_parse(const char *data, size_t length, const char *content_type,
			struct lcx__manifest **ret, struct lcx_error **err)
{
	CLEANUP(lcx__manifest_freep) struct lcx__manifest *m = calloc(1, sizeof(*m));
	CLEANUP(lcx__doc_putp) struct json_object *object = NULL;
	struct json_object *items = NULL, *config = NULL;
	const char *artifact_type = NULL;
	int r;

	if (!m)
		return lcx__fail_nomem(err);
	r = lcx__doc_parse(data, length, "manifest", &object, err);
	if (r < 0)
		return r;
	r = check_version(object, err);
	if (r == 0)
		r = decide_kind(object, content_type, m, err);
	if (r == 0)
		r = lcx__doc_array(object, m->is_index ? "manifests" : "layers", &items, err);
	if (r == 0)
		r = parse_items(items, m, err);
	if (r == 0 && !m->is_index) {
		r = lcx__doc_object(object, "config", &config, err);
		if (r == 0)
			r = parse_descriptor(config, &m->config, err);
		if (r == 0)
			r = lcx__doc_string(object, "artifactType", &artifact_type, err);
		if (r == 0)
			r = check_image_types(m, artifact_type, err);
	}
	if (r < 0)
		return lcx__fail_prefix(err, r, "manifest");
	*ret = TAKE_PTR(m);
	return 0;
}

static void descriptor_clear(struct lcx__descriptor *d)
{
	free(d->media_type);
	free(d->ref_name);
	free(d->image_name);
}

struct lcx__manifest *lcx__manifest_free(struct lcx__manifest *m)
{
	if (!m)
		return NULL;
	descriptor_clear(&m->config);
	for (size_t i = 0; i < m->n_items; i++)
		descriptor_clear(&m->items[i]);
	free(m->items);
	free(m);
	return NULL;
}

/* 0 doesn't run here; more is better. */
static int platform_rank(const struct lcx__descriptor *d, const struct lcx__platform *want)
{
	if (d->is_artifact)
		return 0;
	return d->has_platform ? lcx__platform_rank(&d->platform, want) : 1;
}

static char *list_platforms(const struct lcx__manifest *index)
{
	struct lcx__strbuf text = STRBUF_EMPTY;

	for (size_t i = 0; i < index->n_items && i < 20; i++) {
		const struct lcx__platform *p = &index->items[i].platform;

		lcx__strbuf_addf(&text, "%s%s/%s%s%s", i ? ", " : "", p->os, p->architecture,
				 p->variant[0] ? "/" : "", p->variant);
	}
	return lcx__strbuf_take(&text);
}

int lcx__index_choose(const struct lcx__manifest *index, const struct lcx__platform *platform,
		      const char *ref_name, const struct lcx__descriptor **ret,
		      struct lcx_error **err)
{
	CLEANUP(freep) char *available = NULL;
	const struct lcx__descriptor *best = NULL;
	int best_rank = 0;

	for (size_t i = 0; i < index->n_items; i++) {
		const struct lcx__descriptor *d = &index->items[i];
		int kind = kind_of(d->media_type), rank = platform_rank(d, platform);

		if (kind != KIND_MANIFEST && kind != KIND_INDEX)
			continue;
		if (ref_name && (!d->ref_name || strcmp(d->ref_name, ref_name) != 0))
			continue;
		if (rank > best_rank) {
			best = d;
			best_rank = rank;
		}
	}
	if (best) {
		*ret = best;
		return 0;
	}
	if (ref_name)
		return lcx__fail(err, ENOENT, "no image named '%s' for %s/%s", ref_name,
				 platform->os, platform->architecture);
	available = list_platforms(index);
	return lcx__fail(err, ENOENT, "no image for %s/%s%s%s; there are: %s", platform->os,
			 platform->architecture, platform->variant[0] ? "/" : "", platform->variant,
			 available ? available : "");
}
