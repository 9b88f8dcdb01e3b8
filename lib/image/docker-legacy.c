/* SPDX-License-Identifier: MIT */
/*
 * What `docker save` wrote before version 1.10: `repositories` gives names and tags to layers,
 * and a directory for each layer has `json`, `VERSION` and `layer.tar`. A layer's json names its
 * parent, and has the configuration of the image that ends there. There are no digests at
 * all: what the layers unpack to is found out, and the configuration that later versions have is
 * made of that, as Docker itself converts such images.
 *
 * Identifiers are 64 hexadecimal digits and become names of files of the archive: anything
 * else is refused, and so is a chain that leads to itself or to what is not there.
 */
#include <errno.h>
#include <string.h>

#include "image/change.h"
#include "image/document.h"
#include "image/offer.h"
#include "util/str.h"

enum {
	IMAGES_MAX = 1000,
	ID_DIGITS = 64,
	STEPS_BYTES_MAX = 4 * LCX__DOCUMENT_MAX, /* of what one image's history is made of */
};

static bool is_id(const char *text)
{
	return strlen(text) == ID_DIGITS && strspn(text, "0123456789abcdef") == ID_DIGITS;
}

/* ---- a chain of layers -------------------------------------------------- */

static int check_version(const struct lcx__bundle *b, const char *id, struct lcx_error **err)
{
	CLEANUP(freep) char *name = lcx__format("%s/VERSION", id), *text = NULL;
	size_t length;
	int r;

	if (!name)
		return lcx__fail_nomem(err);
	if (!lcx__bundle_has(b, name))
		return 0;
	r = lcx__bundle_document(b, name, &text, &length, err);
	if (r < 0)
		return r;
	text[strcspn(text, " \r\n")] = '\0';
	return strcmp(text, "1.0") == 0
		       ? 0
		       : lcx__fail(err, EOPNOTSUPP, "'%s': version '%.20s' is not known", name,
				   text);
}

static int read_step(const struct lcx__bundle *b, const char *name, struct json_object **ret,
		     size_t *total, struct lcx_error **err)
{
	static const char *const keys[] = {"id",     "parent",       "created", "container_config",
					   "config", "architecture", "os",      NULL};
	CLEANUP(lcx__doc_putp) struct json_object *object = NULL;
	CLEANUP(freep) char *text = NULL;
	size_t length;
	int r = lcx__bundle_document(b, name, &text, &length, err);

	if (r == 0 && (*total += length) > STEPS_BYTES_MAX)
		r = lcx__fail(err, EBADMSG, "its layers' descriptions are too large together");
	if (r == 0)
		r = lcx__doc_parse(text, length, name, &object, err);
	if (r == 0)
		r = lcx__doc_check_keys(object, keys, err);
	if (r < 0)
		return lcx__fail_prefix(err, r, "'%s'", name);
	*ret = TAKE_PTR(object);
	return 0;
}

/* *@id: the layer, and then its parent, or NULL. *@total: the bytes that were read. */
static int read_parent(const struct lcx__bundle *b, char **id, size_t *total,
		       struct lcx_error **err)
{
	CLEANUP(freep) char *name = lcx__format("%s/json", *id);
	CLEANUP(lcx__doc_putp) struct json_object *object = NULL;
	const char *stated = NULL, *parent = NULL;
	int r = name ? read_step(b, name, &object, total, err) : lcx__fail_nomem(err);

	if (r == 0)
		r = check_version(b, *id, err);
	if (r == 0)
		r = lcx__doc_string(object, "id", &stated, err);
	if (r == 0)
		r = lcx__doc_string(object, "parent", &parent, err);
	if (r < 0)
		return r;
	if (stated && strcmp(stated, *id) != 0)
		return lcx__fail(err, EBADMSG, "'%s' says that it is '%.64s'", name, stated);
	if (parent && parent[0] && !is_id(parent))
		return lcx__fail(err, EBADMSG, "'%s': its parent '%.80s' is no identifier", name,
				 parent);
	free(*id);
	*id = parent && parent[0] ? strdup(parent) : NULL;
	return !parent || !parent[0] || *id ? 0 : lcx__fail_nomem(err);
}

static bool has(char *const *strv, const char *text)
{
	for (; *strv; strv++)
		if (strcmp(*strv, text) == 0)
			return true;
	return false;
}

/* The top layer first. */
static int follow(const struct lcx__bundle *b, const char *top, char ***ids, struct lcx_error **err)
{
	CLEANUP(freep) char *id = strdup(top);
	size_t total = 0;
	int r = id ? 0 : lcx__fail_nomem(err);

	while (r == 0 && id) {
		if (!is_id(id))
			return lcx__fail(err, EBADMSG, "'%.80s' is no identifier of a layer", id);
		if (has(*ids, id))
			return lcx__fail(err, EBADMSG, "the layer '%s' is its own ancestor", id);
		if (lcx__strv_length(*ids) == LCX__LAYERS_MAX)
			return lcx__fail(err, EBADMSG, "more than %d layers", LCX__LAYERS_MAX);
		if (lcx__strv_append(ids, id) < 0)
			return lcx__fail_nomem(err);
		r = read_parent(b, &id, &total, err);
	}
	return r;
}

static int append_file(char ***strv, const char *id, const char *file)
{
	CLEANUP(freep) char *name = lcx__format("%s/%s", id, file);

	return name ? lcx__strv_append(strv, name) : -ENOMEM;
}

/* Base first, as elsewhere. */
static int list_files(struct lcx__offer *offer, char *const *ids)
{
	offer->layers = lcx__strv_copy(NULL);
	offer->steps = lcx__strv_copy(NULL);
	if (!offer->layers || !offer->steps)
		return -ENOMEM;
	for (size_t i = lcx__strv_length(ids); i-- > 0;)
		if (append_file(&offer->layers, ids[i], "layer.tar") < 0 ||
		    append_file(&offer->steps, ids[i], "json") < 0)
			return -ENOMEM;
	return 0;
}

/* ---- names -------------------------------------------------------------- */

/* The offer of a layer, which may have several names. */
static struct lcx__offer *find_offer(const struct lcx__offers *offers, const char *id)
{
	for (size_t i = 0; i < offers->n; i++) {
		char *const *steps = offers->items[i].steps;

		if (strncmp(steps[lcx__strv_length(steps) - 1], id, ID_DIGITS) == 0)
			return &offers->items[i];
	}
	return NULL;
}

static int add_offer(const struct lcx__bundle *b, const char *id, struct lcx__offers *offers,
		     struct lcx__offer **ret, struct lcx_error **err)
{
	CLEANUP(lcx__strv_freep) char **ids = lcx__strv_copy(NULL);
	struct lcx__offer offer = {0};
	int r;

	if (!ids)
		return lcx__fail_nomem(err);
	if (offers->n == IMAGES_MAX)
		return lcx__fail(err, EBADMSG, "more than %d images", IMAGES_MAX);
	r = follow(b, id, &ids, err);
	if (r < 0)
		return r;
	*ret = lcx__offers_add(offers);
	if (!*ret)
		return lcx__fail_nomem(err);
	if (list_files(&offer, ids) < 0) {
		(void)lcx__strv_free(offer.layers);
		(void)lcx__strv_free(offer.steps);
		offers->n--;
		return lcx__fail_nomem(err);
	}
	**ret = offer;
	return 0;
}

static int add_tag(const struct lcx__bundle *b, const char *repository, const char *tag,
		   const char *id, struct lcx__offers *offers, struct lcx_error **err)
{
	CLEANUP(freep) char *name = lcx__format("%s:%s", repository, tag);
	struct lcx__offer *offer;
	int r = 0;

	if (!name)
		return lcx__fail_nomem(err);
	if (!id || !is_id(id))
		return lcx__fail(err, EBADMSG, "'%.200s': '%.80s' is no identifier of a layer",
				 name, id ? id : "");
	offer = find_offer(offers, id);
	if (!offer)
		r = add_offer(b, id, offers, &offer, err);
	if (r == 0)
		r = lcx__offer_add_name(offer, name, err);
	return lcx__fail_prefix(err, r, "'%.200s'", name);
}

static int add_repository(const struct lcx__bundle *b, struct json_object *repositories,
			  const char *name, struct lcx__offers *offers, struct lcx_error **err)
{
	CLEANUP(lcx__strv_freep) char **tags = NULL;
	struct json_object *object = NULL;
	int r = lcx__doc_dup_keys(repositories, name, &tags, err);

	if (r == 0)
		r = lcx__doc_object(repositories, name, &object, err);
	for (size_t i = 0; r == 0 && tags[i]; i++) {
		const char *id = NULL;

		r = lcx__doc_string(object, tags[i], &id, err);
		if (r == 0)
			r = add_tag(b, name, tags[i], id, offers, err);
	}
	return r;
}

int lcx__legacy_offers(const struct lcx__bundle *b, struct lcx__offers *ret, struct lcx_error **err)
{
	CLEANUP(lcx__doc_putp) struct json_object *object = NULL;
	CLEANUP(lcx__offers_clear) struct lcx__offers offers = {0};
	CLEANUP(freep) char *text = NULL;
	size_t length;
	int r = lcx__bundle_document(b, "repositories", &text, &length, err);

	if (r == 0)
		r = lcx__doc_parse(text, length, "repositories", &object, err);
	if (r == 0) {
		json_object_object_foreach (object, name, value) {
			(void)value;
			if (r == 0)
				r = add_repository(b, object, name, &offers, err);
		}
	}
	if (r == 0 && offers.n == 0)
		r = lcx__fail(err, ENOENT, "there is no image in it");
	if (r < 0)
		return lcx__fail_prefix(err, r, "'%s': repositories", lcx__bundle_what(b));
	*ret = TAKE(offers, (struct lcx__offers){0});
	return 0;
}

/* ---- the configuration -------------------------------------------------- */

/* What was run to make a layer, as one text. */
static int join_command(struct json_object *step, char **ret, struct lcx_error **err)
{
	CLEANUP(lcx__strv_freep) char **words = NULL;
	struct lcx__strbuf text = STRBUF_EMPTY;
	struct json_object *config = NULL;
	int r = lcx__doc_object(step, "container_config", &config, err);

	if (r == 0 && config)
		r = lcx__doc_dup_strv(config, "Cmd", &words, err);
	if (r < 0)
		return r;
	lcx__strbuf_adds(&text, "");
	for (size_t i = 0; words && words[i]; i++)
		lcx__strbuf_addf(&text, "%s%s", i ? " " : "", words[i]);
	*ret = lcx__strbuf_take(&text);
	return *ret ? 0 : lcx__fail_nomem(err);
}

static int copy_text(struct json_object *from, const char *key, struct json_object *to,
		     struct lcx_error **err)
{
	const char *text = NULL;
	int r = lcx__doc_string(from, key, &text, err);

	if (r == 0 && text && text[0] && lcx__change_set_text(to, key, text) < 0)
		return lcx__fail_nomem(err);
	return r;
}

static int add_history(struct json_object *history, struct json_object *step,
		       struct lcx_error **err)
{
	struct json_object *entry = json_object_new_object();
	CLEANUP(freep) char *command = NULL;
	int r;

	if (!entry || json_object_array_add(history, entry) < 0) {
		(void)json_object_put(entry);
		return lcx__fail_nomem(err);
	}
	r = join_command(step, &command, err);
	if (r == 0 && command[0] && lcx__change_set_text(entry, "created_by", command) < 0)
		r = lcx__fail_nomem(err);
	if (r == 0)
		r = copy_text(step, "created", entry, err);
	if (r == 0)
		r = copy_text(step, "author", entry, err);
	return r < 0 ? r : copy_text(step, "comment", entry, err);
}

static int add_rootfs(struct json_object *config, const struct lcx__digest *diff_ids, size_t n)
{
	struct json_object *rootfs = lcx__change_member(config, "rootfs");
	struct json_object *ids = json_object_new_array();

	if (!rootfs || lcx__change_set_text(rootfs, "type", "layers") < 0 ||
	    json_object_object_add(rootfs, "diff_ids", ids) < 0) {
		(void)json_object_put(ids);
		return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++) {
		struct json_object *id = json_object_new_string(diff_ids[i].text);

		if (!id || json_object_array_add(ids, id) < 0) {
			(void)json_object_put(id);
			return -ENOMEM;
		}
	}
	return 0;
}

/* @history is taken over. */
static int finish(struct json_object *config, struct json_object *history,
		  const struct lcx__digest *diff_ids, size_t n, char **ret, struct lcx_error **err)
{
	/* Of the old form alone, or to be made here. */
	static const char *const dropped[] = {"id",       "parent",    "Size",   "parent_id",
					      "layer_id", "throwaway", "rootfs", "history"};
	const char *text;

	for (size_t i = 0; i < ARRAY_SIZE(dropped); i++)
		json_object_object_del(config, dropped[i]);
	if (json_object_object_add(config, "history", history) < 0) {
		(void)json_object_put(history);
		return lcx__fail_nomem(err);
	}
	if (add_rootfs(config, diff_ids, n) < 0)
		return lcx__fail_nomem(err);
	text = json_object_to_json_string_ext(config, JSON_C_TO_STRING_PLAIN |
							      JSON_C_TO_STRING_NOSLASHESCAPE);
	*ret = text ? strdup(text) : NULL;
	return *ret ? 0 : lcx__fail_nomem(err);
}

int lcx__legacy_config(const struct lcx__bundle *b, const struct lcx__offer *offer,
		       const struct lcx__digest *diff_ids, char **ret, struct lcx_error **err)
{
	CLEANUP(lcx__doc_putp) struct json_object *config = NULL;
	CLEANUP(lcx__doc_putp) struct json_object *history = json_object_new_array();
	size_t n = lcx__strv_length(offer->steps), total = 0;

	if (!history)
		return lcx__fail_nomem(err);
	for (size_t i = 0; i < n; i++) {
		int r;

		json_object_put(TAKE_PTR(config));
		r = read_step(b, offer->steps[i], &config, &total, err);
		if (r == 0)
			r = add_history(history, config, err);
		if (r < 0)
			return lcx__fail_prefix(err, r, "'%s'", offer->steps[i]);
	}
	return finish(config, TAKE_PTR(history), diff_ids, n, ret, err);
}
