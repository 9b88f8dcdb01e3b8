/* SPDX-License-Identifier: MIT */
/*
 * OCI image layouts. One is a stranger's as much as a registry is: documents are limited
 * and believed as far as their digests go.
 */
#include <errno.h>
#include <string.h>

#include "image/document.h"
#include "image/offer.h"
#include "util/str.h"

enum { INDEX_DEPTH_MAX = 3 };

static int check_version(const struct lcx__bundle *b, struct lcx_error **err)
{
	CLEANUP(lcx__doc_putp) struct json_object *object = NULL;
	CLEANUP(freep) char *text = NULL;
	const char *version = NULL;
	size_t length;
	int r;

	r = lcx__bundle_document(b, "oci-layout", &text, &length, err);
	if (r == 0)
		r = lcx__doc_parse(text, length, "oci-layout", &object, err);
	if (r == 0)
		r = lcx__doc_string(object, "imageLayoutVersion", &version, err);
	if (r == 0 && (!version || strncmp(version, "1.", 2) != 0))
		return lcx__fail(err, EBADMSG, "OCI layout '%s': version '%.30s' is not known",
				 lcx__bundle_what(b), version ? version : "");
	return r;
}

static int read_blob(const struct lcx__bundle *b, const struct lcx__digest *digest,
		     uint64_t size_bytes, char **ret, size_t *ret_length, struct lcx_error **err)
{
	char name[LCX__STORE_NAME_SIZE];
	int r;

	lcx__blob_name(digest, name);
	r = lcx__bundle_document(b, name, ret, ret_length, err);
	return r < 0 ? r : lcx__check_document(digest, size_bytes, *ret, *ret_length, err);
}

/* ---- what there is ------------------------------------------------------ */

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* Of items with one name, the index is a choice between platforms. -ENOMEM */
static int is_chosen(const struct lcx__manifest *index, const struct lcx__descriptor *item,
		     const struct lcx__platform *host)
{
	CLEANUP(freep) struct lcx__descriptor *same = calloc(index->n_items, sizeof(*same));
	struct lcx__manifest group = {.is_index = true, .items = same};
	const struct lcx__descriptor *chosen;

	if (!same)
		return -ENOMEM;
	for (size_t i = 0; i < index->n_items; i++)
		if (same_text(index->items[i].ref_name, item->ref_name) &&
		    same_text(index->items[i].image_name, item->image_name))
			same[group.n_items++] = index->items[i];
	return lcx__index_choose(&group, host, NULL, &chosen, NULL) == 0 &&
	       lcx__digest_equal(&chosen->digest, &item->digest);
}

static bool is_offered(const struct lcx__offers *offers, const struct lcx__descriptor *d)
{
	for (size_t i = 0; i < offers->n; i++)
		if (lcx__digest_equal(&offers->items[i].digest, &d->digest) &&
		    same_text(offers->items[i].ref_name, d->ref_name) &&
		    (!d->image_name || (offers->items[i].names && offers->items[i].names[0] &&
					strcmp(offers->items[i].names[0], d->image_name) == 0)))
			return true;
	return false;
}

static int add_offer(struct lcx__offers *offers, const struct lcx__descriptor *d,
		     struct lcx_error **err)
{
	struct lcx__offer *offer = lcx__offers_add(offers);

	if (!offer)
		return lcx__fail_nomem(err);
	offer->media_type = strdup(d->media_type);
	offer->ref_name = d->ref_name ? strdup(d->ref_name) : NULL;
	offer->digest = d->digest;
	offer->size_bytes = d->size;
	if (!offer->media_type || (d->ref_name && !offer->ref_name))
		return lcx__fail_nomem(err);
	if (d->image_name)
		return lcx__offer_add_name(offer, d->image_name, err);
	/* Any text may be a layout's name for an image; not each is a reference. */
	if (d->ref_name && lcx__offer_add_name(offer, d->ref_name, NULL) == -ENOMEM)
		return lcx__fail_nomem(err);
	return 0;
}

static int read_index(const struct lcx__bundle *b, struct lcx__manifest **ret,
		      struct lcx_error **err)
{
	CLEANUP(lcx__manifest_freep) struct lcx__manifest *m = NULL;
	CLEANUP(freep) char *text = NULL;
	size_t length;
	int r;

	r = check_version(b, err);
	if (r == 0)
		r = lcx__bundle_document(b, "index.json", &text, &length, err);
	if (r == 0)
		r = lcx__manifest_parse(text, length, NULL, &m, err);
	if (r == 0 && !m->is_index)
		r = lcx__fail(err, EBADMSG, "OCI layout '%s': index.json is not an index",
			      lcx__bundle_what(b));
	if (r == 0)
		*ret = TAKE_PTR(m);
	return r;
}

int lcx__layout_offers(const struct lcx__bundle *b, struct lcx__offers *ret, struct lcx_error **err)
{
	CLEANUP(lcx__offers_clear) struct lcx__offers offers = {0};
	CLEANUP(lcx__manifest_freep) struct lcx__manifest *m = NULL;
	const struct lcx__descriptor *none;
	struct lcx__platform host;
	int r = read_index(b, &m, err);

	if (r < 0)
		return r;
	lcx__platform_host(&host);
	for (size_t i = 0; r == 0 && i < m->n_items; i++) {
		r = is_chosen(m, &m->items[i], &host);
		if (r > 0)
			r = is_offered(&offers, &m->items[i])
				    ? 0
				    : add_offer(&offers, &m->items[i], err);
	}
	if (r == -ENOMEM)
		return lcx__fail_nomem(err);
	if (r == 0 && offers.n == 0) /* which tells what there is instead */
		r = lcx__fail_prefix(err, lcx__index_choose(m, &host, NULL, &none, err),
				     "OCI layout '%s'", lcx__bundle_what(b));
	if (r < 0)
		return r;
	*ret = TAKE(offers, (struct lcx__offers){0});
	return 0;
}

/* ---- one of them -------------------------------------------------------- */

static int name_layers(const struct lcx__manifest *m, char ***ret, struct lcx_error **err)
{
	CLEANUP(lcx__strv_freep) char **names = lcx__strv_copy(NULL);

	for (size_t i = 0; i < m->n_items; i++) {
		char name[LCX__STORE_NAME_SIZE];

		lcx__blob_name(&m->items[i].digest, name);
		if (!names || lcx__strv_append(&names, name) < 0)
			return lcx__fail_nomem(err);
	}
	*ret = TAKE_PTR(names);
	return *ret ? 0 : lcx__fail_nomem(err);
}

/* From the offer's document, which may be an index, down to the manifest for this machine. */
static int find_manifest(const struct lcx__bundle *b, const struct lcx__offer *offer,
			 struct lcx__install *install, struct lcx_error **err)
{
	CLEANUP(lcx__manifest_freep) struct lcx__manifest *m = NULL;
	struct lcx__descriptor at = {offer->media_type, offer->digest, offer->size_bytes};
	CLEANUP(freep) char *text = NULL;
	struct lcx__platform host;
	size_t length = 0;
	int r = 0;

	lcx__platform_host(&host);
	for (int depth = 0; r == 0 && (!m || m->is_index); depth++) {
		CLEANUP(lcx__manifest_freep) struct lcx__manifest *next = NULL;
		const struct lcx__descriptor *d = &at;

		if (depth == INDEX_DEPTH_MAX)
			return lcx__fail(err, EBADMSG, "OCI layout '%s': nested too deeply",
					 lcx__bundle_what(b));
		if (m)
			r = lcx__index_choose(m, &host, NULL, &d, err);
		if (r < 0)
			return lcx__fail_prefix(err, r, "OCI layout '%s'", lcx__bundle_what(b));
		free(TAKE_PTR(text));
		r = read_blob(b, &d->digest, d->size, &text, &length, err);
		if (r == 0)
			r = lcx__manifest_parse(text, length, d->media_type, &next, err);
		if (r == 0) {
			at.digest = d->digest;
			(void)lcx__manifest_free(m);
			m = TAKE_PTR(next);
		}
	}
	return r < 0 ? r
		     : lcx__install_manifest(install, &at.digest, text, length, TAKE_PTR(m), err);
}

int lcx__layout_begin(const struct lcx__bundle *b, const struct lcx__offer *offer,
		      struct lcx__install *install, char ***ret_layers, struct lcx_error **err)
{
	const struct lcx__descriptor *config;
	CLEANUP(freep) char *text = NULL;
	size_t length;
	int r;

	r = find_manifest(b, offer, install, err);
	if (r < 0)
		return r;
	config = &install->manifest->config;
	r = read_blob(b, &config->digest, config->size, &text, &length, err);
	if (r == 0)
		r = lcx__install_config(install, text, length, err);
	return r < 0 ? r : name_layers(install->manifest, ret_layers, err);
}
