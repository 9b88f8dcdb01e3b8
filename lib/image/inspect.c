/* SPDX-License-Identifier: MIT */
/* An image as one JSON object, in the terms of `docker image inspect`. */
#include <errno.h>
#include <string.h>

#include "image/document.h"
#include "image/image-internal.h"
#include "util/json.h"
#include "util/str.h"

static int add(struct json_object *object, const char *key, struct json_object *value)
{
	if (!value)
		return -ENOMEM;
	if (json_object_object_add(object, key, value) < 0) {
		(void)json_object_put(value);
		return -ENOMEM;
	}
	return 0;
}

static int append(struct json_object *array, struct json_object *value)
{
	if (!value)
		return -ENOMEM;
	if (json_object_array_add(array, value) < 0) {
		(void)json_object_put(value);
		return -ENOMEM;
	}
	return 0;
}

static struct json_object *time_of(int64_t ns)
{
	char text[LCX__TIME_SIZE];

	lcx__format_time(ns, text);
	return json_object_new_string(ns ? text : "");
}

/* "debian:latest" and not "docker.io/library/debian:latest": what everybody types. */
static const char *familiar(const char *reference)
{
	static const char *const prefixes[] = {"docker.io/library/", "docker.io/"};

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (strncmp(reference, prefixes[i], strlen(prefixes[i])) == 0)
			return reference + strlen(prefixes[i]);
	return reference;
}

/* Where the repository ends in a full reference. */
static int repository_length(const char *reference)
{
	const char *at = strchr(reference, '@'), *slash = strrchr(reference, '/'), *colon;

	if (at)
		return (int)(at - reference);
	colon = strchr(slash ? slash : reference, ':');
	return (int)(colon ? (size_t)(colon - reference) : strlen(reference));
}

static struct json_object *repo_tags(const struct lcx_image *image)
{
	CLEANUP(lcx__json_putp) struct json_object *array = json_object_new_array();

	for (char **reference = image->references; array && *reference; reference++)
		if (!strchr(*reference, '@') &&
		    append(array, json_object_new_string(familiar(*reference))) < 0)
			return NULL;
	return TAKE_PTR(array);
}

/* The same repository stands in a row: references are sorted. */
static struct json_object *repo_digests(const struct lcx_image *image)
{
	CLEANUP(lcx__json_putp) struct json_object *array = json_object_new_array();
	const char *last = "";

	for (char **reference = image->references; array && *reference; reference++) {
		const char *name = familiar(*reference);
		int length = repository_length(name);
		CLEANUP(freep) char *text = NULL;

		if (repository_length(last) == length && strncmp(last, name, (size_t)length) == 0)
			continue;
		last = name;
		text = lcx__format("%.*s@%s", length, name, image->manifest_digest.text);
		if (!text || append(array, json_object_new_string(text)) < 0)
			return NULL;
	}
	return TAKE_PTR(array);
}

static struct json_object *root_fs(const struct lcx_image *image)
{
	CLEANUP(lcx__json_putp) struct json_object *object = json_object_new_object();
	struct json_object *layers = json_object_new_array();

	if (!object || add(object, "Type", json_object_new_string("layers")) < 0 ||
	    add(object, "Layers", layers) < 0)
		return NULL;
	for (size_t i = 0; i < image->config->n_diff_ids; i++)
		if (append(layers, json_object_new_string(image->config->diff_ids[i].text)) < 0)
			return NULL;
	return TAKE_PTR(object);
}

static struct json_object *graph_driver(const struct lcx_image *image)
{
	CLEANUP(lcx__json_putp) struct json_object *object = json_object_new_object();
	struct lcx__strbuf lower = STRBUF_EMPTY;
	struct json_object *data = json_object_new_object();
	CLEANUP(freep) char *text = NULL;

	for (size_t i = image->config->n_diff_ids; i-- > 0;)
		lcx__strbuf_addf(&lower, "%s%s", image->layer_dirs[i], i ? ":" : "");
	lcx__strbuf_adds(&lower, "");
	text = lcx__strbuf_take(&lower);
	if (!object || add(object, "Name", json_object_new_string("overlay")) < 0 ||
	    add(object, "Data", data) < 0 ||
	    add(data, "LowerDir", json_object_new_string(text ? text : "")) < 0)
		return NULL;
	return TAKE_PTR(object);
}

static struct json_object *step_of(const struct lcx__history *step)
{
	CLEANUP(lcx__json_putp) struct json_object *object = json_object_new_object();

	if (!object || add(object, "created", time_of(step->created_ns)) < 0 ||
	    add(object, "created_by", json_object_new_string(step->created_by)) < 0 ||
	    (step->author[0] && add(object, "author", json_object_new_string(step->author)) < 0) ||
	    (step->comment[0] &&
	     add(object, "comment", json_object_new_string(step->comment)) < 0) ||
	    (step->empty_layer && add(object, "empty_layer", json_object_new_boolean(1)) < 0))
		return NULL;
	return TAKE_PTR(object);
}

static struct json_object *history(const struct lcx_image *image)
{
	CLEANUP(lcx__json_putp) struct json_object *array = json_object_new_array();

	for (size_t i = 0; array && i < image->config->n_history; i++)
		if (append(array, step_of(&image->config->history[i])) < 0)
			return NULL;
	return TAKE_PTR(array);
}

/* What the image says of the containers that it wants, all of it: Docker's words are the image's.
 */
static struct json_object *config_section(const struct lcx_image *image)
{
	CLEANUP(lcx__doc_putp) struct json_object *document = NULL;
	struct json_object *section = NULL;

	if (lcx__doc_parse(image->config_json, strlen(image->config_json), "image configuration",
			   &document, NULL) < 0)
		return NULL;
	return json_object_object_get_ex(document, "config", &section) && section
		       ? json_object_get(section)
		       : json_object_new_object();
}

static struct json_object *comment(const struct lcx_image *image)
{
	size_t n = image->config->n_history;

	return json_object_new_string(n ? image->config->history[n - 1].comment : "");
}

static struct json_object *size(const struct lcx_image *image)
{
	return json_object_new_uint64(lcx_image_size_bytes(image));
}

static struct json_object *download_size(const struct lcx_image *image)
{
	return json_object_new_uint64(lcx_image_download_bytes(image));
}

static struct json_object *created(const struct lcx_image *image)
{
	return time_of(image->config->created_ns);
}

/* One row a member: a string that there is already, or a function that makes the value. */
static const struct member {
	const char *key;
	const char *(*text)(const struct lcx_image *image);
	struct json_object *(*make)(const struct lcx_image *image);
} members[] = {
	{"Id", lcx_image_id, NULL},
	{"RepoTags", NULL, repo_tags},
	{"RepoDigests", NULL, repo_digests},
	{"Digest", lcx_image_manifest_digest, NULL},
	{"Comment", NULL, comment},
	{"Created", NULL, created},
	{"Author", lcx_image_author, NULL},
	{"Architecture", lcx_image_architecture, NULL},
	{"Variant", lcx_image_variant, NULL},
	{"Os", lcx_image_os, NULL},
	{"Size", NULL, size},
	{"DownloadSize", NULL, download_size},
	{"Config", NULL, config_section},
	{"GraphDriver", NULL, graph_driver},
	{"RootFS", NULL, root_fs},
	{"History", NULL, history},
};

LCX_PUBLIC int lcx_image_inspect(const struct lcx_image *image, char **ret, struct lcx_error **err)
{
	CLEANUP(lcx__json_putp) struct json_object *object = json_object_new_object();
	char *text;
	int r = object ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(members); i++) {
		const struct member *m = &members[i];

		r = add(object, m->key,
			m->text ? json_object_new_string(m->text(image)) : m->make(image));
	}
	text = r == 0 ? lcx__json_print(object) : NULL;
	if (!text)
		return lcx__fail_nomem(err);
	*ret = text;
	return 0;
}
