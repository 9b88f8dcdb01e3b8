/* SPDX-License-Identifier: MIT */
/*
 * A layer of the old form is known by an identifier that means nothing. Here it is made of
 * what the layer unpacks to, with all below it, and for the last one of the image's configuration,
 * which its json has: so images share what they share, and the same images give the same bytes.
 */
#include "image/save-legacy.h"

#include <string.h>
#include <sys/stat.h>

#include "image/change.h"
#include "image/document.h"
#include "util/str.h"

struct writer {
	const struct lcx__byte_sink *sink;
	char **written; /* identifiers */
};

static int make_id(const struct lcx_image *image, size_t layer, struct lcx__digest *ret,
		   struct lcx_error **err)
{
	bool is_top = layer + 1 == image->manifest->n_items;
	CLEANUP(freep)
	char *text = lcx__format("%s\n%s\n", image->config->chain_ids[layer].text,
				 is_top ? image->id.text : "");

	if (!text)
		return lcx__fail_nomem(err);
	return lcx__digest_of(NULL, text, strlen(text), ret, err);
}

/* ---- files -------------------------------------------------------------- */

static int put(const struct writer *w, const char *path, mode_t mode, const char *text,
	       const char *link, struct lcx_error **err)
{
	const struct lcx__tar_entry e = {.path = (char *)(uintptr_t)path,
					 .link = (char *)(uintptr_t)link,
					 .mode = mode,
					 .size = text ? strlen(text) : 0};
	int r = lcx__tar_write_header(w->sink, &e, err);

	if (r == 0 && text)
		r = w->sink->write(w->sink->data, text, strlen(text), err);
	return r < 0 || !text ? r : lcx__tar_write_padding(w->sink, strlen(text), err);
}

static int put_in(const struct writer *w, const char *dir, const char *name, mode_t mode,
		  const char *text, const char *link, struct lcx_error **err)
{
	CLEANUP(freep) char *path = lcx__format("%s/%s", dir, name);

	return path ? put(w, path, mode, text, link, err) : lcx__fail_nomem(err);
}

/* ---- a layer's json ----------------------------------------------------- */

/* Steps that made no layer are not to be seen in the old form. */
static const struct lcx__history *find_history(const struct lcx_image *image, size_t layer)
{
	const struct lcx__config *c = image->config;

	for (size_t i = 0; i < c->n_history; i++)
		if (!c->history[i].empty_layer && layer-- == 0)
			return &c->history[i];
	return NULL;
}

static int set_if(struct json_object *object, const char *key, const char *text)
{
	return text && text[0] ? lcx__change_set_text(object, key, text) : 0;
}

static int set_history(struct json_object *step, const struct lcx__history *history)
{
	char *command[] = {history ? history->created_by : NULL, NULL};
	struct json_object *config;
	char created[LCX__TIME_SIZE];

	lcx__format_time(history ? history->created_ns : 0, created);
	if (lcx__change_set_text(step, "created", created) < 0)
		return -ENOMEM;
	if (!history)
		return 0;
	json_object_object_del(step, "container_config");
	config = lcx__change_member(step, "container_config");
	if (!config || (command[0][0] && lcx__change_set_strings(config, "Cmd", command) < 0))
		return -ENOMEM;
	return set_if(step, "author", history->author) < 0 ||
			       set_if(step, "comment", history->comment) < 0
		       ? -ENOMEM
		       : 0;
}

/* The last layer's has the image's configuration. */
static int make_step(const struct lcx_image *image, size_t layer, struct json_object **ret,
		     struct lcx_error **err)
{
	CLEANUP(lcx__doc_putp) struct json_object *step = NULL;
	int r = 0;

	if (layer + 1 == image->manifest->n_items)
		r = lcx__doc_parse(image->config_json, strlen(image->config_json),
				   "image configuration", &step, err);
	else
		step = json_object_new_object();
	if (r == 0 && !step)
		r = lcx__fail_nomem(err);
	if (r < 0)
		return r;
	json_object_object_del(step, "rootfs");
	json_object_object_del(step, "history");
	if (set_history(step, find_history(image, layer)) < 0 ||
	    set_if(step, "os", image->config->os) < 0 ||
	    set_if(step, "architecture", image->config->architecture) < 0)
		return lcx__fail_nomem(err);
	*ret = TAKE_PTR(step);
	return 0;
}

static int put_layer(struct writer *w, const struct lcx_image *image, size_t layer,
		     const struct lcx__digest *id, const struct lcx__digest *parent,
		     struct lcx_error **err)
{
	CLEANUP(lcx__doc_putp) struct json_object *step = NULL;
	const char *dir = lcx__digest_hex(id), *text;
	char blob[LCX__STORE_NAME_SIZE], link[LCX__STORE_NAME_SIZE + 3];
	int r = make_step(image, layer, &step, err);

	if (r < 0)
		return r;
	json_object_object_del(step, "parent");
	if (lcx__change_set_text(step, "id", dir) < 0 ||
	    (layer > 0 && lcx__change_set_text(step, "parent", lcx__digest_hex(parent)) < 0))
		return lcx__fail_nomem(err);
	text = json_object_to_json_string_ext(step, JSON_C_TO_STRING_PLAIN |
							    JSON_C_TO_STRING_NOSLASHESCAPE);
	if (!text || lcx__strv_append(&w->written, dir) < 0)
		return lcx__fail_nomem(err);
	lcx__blob_name(&image->manifest->items[layer].digest, blob);
	(void)snprintf(link, sizeof(link), "../%s", blob);
	r = put(w, dir, S_IFDIR | 0755, NULL, NULL, err);
	if (r == 0)
		r = put_in(w, dir, "VERSION", S_IFREG | 0644, "1.0", NULL, err);
	if (r == 0)
		r = put_in(w, dir, "json", S_IFREG | 0644, text, NULL, err);
	return r < 0 ? r : put_in(w, dir, "layer.tar", S_IFLNK | 0777, NULL, link, err);
}

static bool is_written(const struct writer *w, const char *id)
{
	for (char **at = w->written; *at; at++)
		if (strcmp(*at, id) == 0)
			return true;
	return false;
}

static int put_layers(struct writer *w, const struct lcx_image *image, struct lcx_error **err)
{
	struct lcx__digest id = {""}, parent = {""};
	int r = 0;

	for (size_t i = 0; r == 0 && i < image->manifest->n_items; i++) {
		parent = id;
		r = make_id(image, i, &id, err);
		if (r == 0 && !is_written(w, lcx__digest_hex(&id)))
			r = put_layer(w, image, i, &id, &parent, err);
	}
	return r;
}

/* ---- names -------------------------------------------------------------- */

/* Of all repositories; a name ends with its tag, and has no character that JSON would mind. */
static int add_name(struct json_object *repositories, const char *name, const char *id)
{
	const char *colon = strrchr(name, ':');
	CLEANUP(freep) char *repository = colon ? strndup(name, (size_t)(colon - name)) : NULL;
	struct json_object *tags = repository ? lcx__change_member(repositories, repository) : NULL;

	return tags ? lcx__change_set_text(tags, colon + 1, id) : -ENOMEM;
}

static int put_repositories(const struct writer *w, const struct lcx__saved *images,
			    size_t n_images, struct lcx_error **err)
{
	CLEANUP(lcx__doc_putp) struct json_object *repositories = json_object_new_object();
	const char *text;

	if (!repositories)
		return lcx__fail_nomem(err);
	for (size_t i = 0; i < n_images; i++) {
		const struct lcx_image *image = images[i].image;
		struct lcx__digest id;
		int r;

		if (image->manifest->n_items == 0)
			continue; /* the old form has no image without a layer */
		r = make_id(image, image->manifest->n_items - 1, &id, err);
		for (char **name = images[i].names; r == 0 && *name; name++)
			if (add_name(repositories, *name, lcx__digest_hex(&id)) < 0)
				r = lcx__fail_nomem(err);
		if (r < 0)
			return r;
	}
	if (json_object_object_length(repositories) == 0)
		return 0;
	text = json_object_to_json_string_ext(repositories, JSON_C_TO_STRING_PLAIN |
								    JSON_C_TO_STRING_NOSLASHESCAPE);
	return text ? put(w, "repositories", S_IFREG | 0644, text, NULL, err)
		    : lcx__fail_nomem(err);
}

int lcx__save_legacy(const struct lcx__byte_sink *sink, const struct lcx__saved *images,
		     size_t n_images, struct lcx_error **err)
{
	CLEANUP(lcx__strv_freep) char **written = lcx__strv_copy(NULL);
	struct writer w = {sink, written};
	int r;

	if (!written)
		return lcx__fail_nomem(err);
	r = put_repositories(&w, images, n_images, err);
	for (size_t i = 0; r == 0 && i < n_images; i++)
		r = put_layers(&w, images[i].image, err);
	written = w.written;
	return r;
}
