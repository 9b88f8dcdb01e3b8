/* SPDX-License-Identifier: MIT */
/* The images of a store as a whole: find, list, name, remove. */
#include <errno.h>
#include <string.h>
#include <sys/file.h>

#include "image/image-internal.h"
#include "image/registries.h"
#include "image/rootset.h"
#include "util/str.h"

enum { ID_PREFIX_MIN = 4 };

static int collect(struct lcx__rootset *set, const struct lcx__store *store,
		   const struct lcx__refs *refs, struct lcx_error **err)
{
	CLEANUP(lcx__holds_freep) struct lcx__holds *holds = NULL;
	int r = lcx__holds_read(store, &holds, err);

	for (size_t i = 0; r == 0 && i < refs->n; i++)
		if (!lcx__rootset_has(set, lcx__digest_hex(&refs->items[i].manifest)) &&
		    lcx__rootset_add(set, &refs->items[i].manifest) < 0)
			r = lcx__fail_nomem(err);
	for (size_t i = 0; r == 0 && i < holds->n; i++) {
		const struct lcx__digest *digest = &holds->items[i].manifest;

		if (digest->text[0] != '\0' && !lcx__rootset_has(set, lcx__digest_hex(digest)) &&
		    lcx__rootset_add(set, digest) < 0)
			r = lcx__fail_nomem(err);
	}
	return r;
}

/* Newest first; the id decides between equals, so that the order is always the same. */
static int compare_images(const void *a, const void *b)
{
	const struct lcx_image *x = *(struct lcx_image *const *)a,
			       *y = *(struct lcx_image *const *)b;

	if (x->config->created_ns != y->config->created_ns)
		return x->config->created_ns < y->config->created_ns ? 1 : -1;
	return strcmp(x->manifest_digest.text, y->manifest_digest.text);
}

static void rootset_clearp(struct lcx__rootset *set)
{
	lcx__rootset_clear(set);
}

static int name_damaged(struct lcx_image_list *list, const struct lcx__refs *refs)
{
	list->damaged = lcx__strv_copy(NULL);
	if (!list->damaged)
		return -ENOMEM;
	for (size_t i = 0; i < refs->n; i++) {
		size_t found = 0;

		while (found < list->n && !lcx__digest_equal(&list->items[found]->manifest_digest,
							     &refs->items[i].manifest))
			found++;
		if (found == list->n && lcx__strv_append(&list->damaged, refs->items[i].name) < 0)
			return -ENOMEM;
	}
	return 0;
}

int lcx__image_list_load(const struct lcx__store *store, const struct lcx__refs *refs,
			 struct lcx_image_list **ret, struct lcx_error **err)
{
	CLEANUP(lcx_image_list_freep) struct lcx_image_list *list = calloc(1, sizeof(*list));
	CLEANUP(rootset_clearp) struct lcx__rootset set = {0};
	int r;

	if (!list)
		return lcx__fail_nomem(err);
	r = collect(&set, store, refs, err);
	if (r < 0)
		return r;
	list->items = calloc(set.n + 1, sizeof(struct lcx_image *));
	if (!list->items)
		return lcx__fail_nomem(err);
	for (size_t i = 0; i < set.n; i++) {
		r = lcx__image_load(store, &set.items[i], refs, &list->items[list->n], NULL);
		if (r == -ENOMEM)
			return lcx__fail_nomem(err);
		if (r == 0)
			list->n++;
	}
	r = name_damaged(list, refs);
	if (r < 0)
		return lcx__fail_nomem(err);
	qsort(list->items, list->n, sizeof(struct lcx_image *), compare_images);
	*ret = TAKE_PTR(list);
	return 0;
}

LCX_PUBLIC int lcx_image_list_new(struct lcx_ctx *ctx, struct lcx_image_list **ret,
				  struct lcx_error **err)
{
	CLEANUP(lcx__lookup_clear) struct lcx__lookup found = {0};
	int r = lcx__lookup_open(ctx, &found, err);

	return r < 0 ? r : lcx__image_list_load(found.store, found.refs, ret, err);
}

LCX_PUBLIC size_t lcx_image_list_count(const struct lcx_image_list *list)
{
	return list->n;
}

LCX_PUBLIC const struct lcx_image *lcx_image_list_get(const struct lcx_image_list *list,
						      size_t index)
{
	return index < list->n ? list->items[index] : NULL;
}

LCX_PUBLIC const char *const *lcx_image_list_damaged(const struct lcx_image_list *list)
{
	return (const char *const *)list->damaged;
}

LCX_PUBLIC struct lcx_image_list *lcx_image_list_free(struct lcx_image_list *list)
{
	if (!list)
		return NULL;
	for (size_t i = 0; i < list->n; i++)
		(void)lcx_image_free(list->items[i]);
	(void)lcx__strv_free(list->damaged);
	free(list->items);
	free(list);
	return NULL;
}

/* "cafe" may be an id's beginning; a name of that kind comes first. */
static bool may_be_id(const char *text)
{
	size_t length = strlen(text);

	return length >= ID_PREFIX_MIN && length <= 64 &&
	       strspn(text, "0123456789abcdef") == length;
}

static int find_by_id(const struct lcx__store *store, const struct lcx__refs *refs,
		      const char *prefix, struct lcx__digest *ret, struct lcx_error **err)
{
	CLEANUP(lcx_image_list_freep) struct lcx_image_list *list = NULL;
	const struct lcx_image *found = NULL;
	size_t length = strlen(prefix);
	int r;

	r = lcx__image_list_load(store, refs, &list, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < list->n; i++) {
		const struct lcx_image *image = list->items[i];

		if (strncmp(lcx__digest_hex(&image->id), prefix, length) != 0 &&
		    strncmp(lcx__digest_hex(&image->manifest_digest), prefix, length) != 0)
			continue;
		if (found && !lcx__digest_equal(&found->id, &image->id))
			return lcx__fail(err, ENOTUNIQ,
					 "several images have ids that begin with '%s'", prefix);
		found = image;
	}
	if (!found)
		return lcx__fail(err, ENOENT, "no image '%s' here; pull it first", prefix);
	*ret = found->manifest_digest;
	return 0;
}

/* A digest in a reference is met by any name of that repository for that very manifest. */
static const struct lcx__ref *find_name(const struct lcx__refs *refs,
					const struct lcx__reference *parsed, const char *full)
{
	CLEANUP(freep) char *repository = lcx__format("%s/%s", parsed->registry, parsed->path);
	size_t length = repository ? strlen(repository) : 0;

	for (size_t i = 0; i < refs->n; i++)
		if (strcmp(refs->items[i].name, full) == 0)
			return &refs->items[i];
	for (size_t i = 0; repository && parsed->digest.text[0] && i < refs->n; i++)
		if (strncmp(refs->items[i].name, repository, length) == 0 &&
		    strchr(":@", refs->items[i].name[length]) &&
		    lcx__digest_equal(&refs->items[i].manifest, &parsed->digest))
			return &refs->items[i];
	return NULL;
}

int lcx__image_find(const struct lcx__store *store, const struct lcx__refs *refs, const char *ref,
		    struct lcx__digest *ret, const char **ret_ref, struct lcx_error **err)
{
	CLEANUP(lcx__reference_freep) struct lcx__reference *parsed = NULL;
	CLEANUP(freep) char *full = NULL;
	const struct lcx__ref *found;
	struct lcx__digest digest;
	int r;

	*ret_ref = NULL;
	if (ref && lcx__digest_parse(ref, &digest) == 0)
		return find_by_id(store, refs, lcx__digest_hex(&digest), ret, err);
	if (ref && strlen(ref) == 64 && may_be_id(ref))
		return find_by_id(store, refs, ref, ret, err);
	r = lcx__reference_read(store->ctx, ref, &parsed, err);
	if (r < 0)
		return r;
	full = lcx__reference_format(parsed);
	if (!full)
		return lcx__fail_nomem(err);
	found = find_name(refs, parsed, full);
	if (found) {
		*ret = found->manifest;
		*ret_ref = found->name;
		return 0;
	}
	if (may_be_id(ref))
		return find_by_id(store, refs, ref, ret, err);
	return lcx__fail(err, ENOENT, "no image '%s' here; pull it first", full);
}

int lcx__lookup_open(struct lcx_ctx *ctx, struct lcx__lookup *ret, struct lcx_error **err)
{
	int r = lcx__store_open(ctx, &ret->store, err);

	return r < 0 ? r : lcx__refs_read(ret->store, &ret->refs, err);
}

int lcx__image_look_up(struct lcx_ctx *ctx, const char *ref, struct lcx__lookup *ret,
		       struct lcx_error **err)
{
	int r = lcx__lookup_open(ctx, ret, err);

	return r < 0 ? r
		     : lcx__image_find(ret->store, ret->refs, ref, &ret->manifest, &ret->name, err);
}

void lcx__lookup_clear(struct lcx__lookup *lookup)
{
	lookup->refs = lcx__refs_free(lookup->refs);
	lookup->store = lcx__store_free(lookup->store);
}

LCX_PUBLIC int lcx_image_tag(struct lcx_ctx *ctx, const char *ref, const char *new_name,
			     struct lcx_error **err)
{
	CLEANUP(lcx__store_freep) struct lcx__store *store = NULL;
	CLEANUP(lcx__refs_freep) struct lcx__refs *refs = NULL;
	CLEANUP(lcx__reference_freep) struct lcx__reference *parsed = NULL;
	CLEANUP(freep) char *full = NULL;
	CLEANUP(closep) int lock = -1;
	struct lcx__digest manifest;
	const char *name;
	int r;

	r = lcx__reference_read(ctx, new_name, &parsed, err);
	if (r < 0)
		return r;
	if (parsed->digest.text[0])
		return lcx__fail(err, EINVAL, "'%s': a name with a digest can't be given",
				 new_name);
	full = lcx__reference_format(parsed);
	if (!full)
		return lcx__fail_nomem(err);
	r = lcx__store_open(ctx, &store, err);
	if (r < 0)
		return r;
	lock = lcx__store_lock(store, LOCK_SH, err); /* no sweep between the look and the name */
	if (lock < 0)
		return lock;
	r = lcx__refs_read(store, &refs, err);
	if (r == 0)
		r = lcx__image_find(store, refs, ref, &manifest, &name, err);
	return r < 0 ? r : lcx__refs_set(store, full, &manifest, err);
}

static size_t count_names(const struct lcx__refs *refs, const struct lcx__digest *manifest)
{
	size_t n = 0;

	for (size_t i = 0; i < refs->n; i++)
		n += lcx__digest_equal(&refs->items[i].manifest, manifest);
	return n;
}

static int refuse_if_held(const struct lcx__store *store, const struct lcx__digest *manifest,
			  const char *ref, struct lcx_error **err)
{
	CLEANUP(lcx__holds_freep) struct lcx__holds *holds = NULL;
	int r = lcx__holds_read(store, &holds, err);

	for (size_t i = 0; r == 0 && i < holds->n; i++)
		if (lcx__digest_equal(&holds->items[i].manifest, manifest))
			return lcx__fail(err, EBUSY,
					 "image '%s' is used by container '%s'; remove that first",
					 ref, holds->items[i].owner);
	return r;
}

static int remove_names(const struct lcx__store *store, const struct lcx__refs *refs,
			const struct lcx__digest *manifest, const char *only,
			struct lcx_error **err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < refs->n; i++)
		if (only ? strcmp(refs->items[i].name, only) == 0
			 : lcx__digest_equal(&refs->items[i].manifest, manifest))
			r = lcx__refs_remove(store, refs->items[i].name, err);
	return r;
}

LCX_PUBLIC int lcx_image_remove(struct lcx_ctx *ctx, const char *ref, struct lcx_error **err)
{
	CLEANUP(lcx__lookup_clear) struct lcx__lookup found = {0};
	int r = lcx__image_look_up(ctx, ref, &found, err);

	if (r == 0 && (!found.name || count_names(found.refs, &found.manifest) <= 1))
		r = refuse_if_held(found.store, &found.manifest, ref, err);
	if (r == 0)
		r = remove_names(found.store, found.refs, &found.manifest, found.name, err);
	return r < 0 ? r : lcx__store_sweep(found.store, NULL, err);
}
