/* SPDX-License-Identifier: MIT */
#include "image/rootset.h"

#include <errno.h>
#include <string.h>

#include "image/manifest.h"

int lcx__rootset_add(struct lcx__rootset *set, const struct lcx__digest *digest)
{
	if (set->n == set->size) {
		size_t size = set->size ? set->size * 2 : 64;
		struct lcx__digest *bigger = realloc(set->items, size * sizeof(*bigger));

		if (!bigger)
			return -ENOMEM;
		set->items = bigger;
		set->size = size;
	}
	set->items[set->n++] = *digest;
	set->sorted = false;
	return 0;
}

static int compare(const void *a, const void *b)
{
	return strcmp(lcx__digest_hex(a), lcx__digest_hex(b));
}

static int compare_key(const void *key, const void *item)
{
	return strcmp(key, lcx__digest_hex(item));
}

bool lcx__rootset_has(struct lcx__rootset *set, const char *hex)
{
	if (set->n == 0)
		return false;
	if (!set->sorted)
		qsort(set->items, set->n, sizeof(*set->items), compare);
	set->sorted = true;
	return bsearch(hex, set->items, set->n, sizeof(*set->items), compare_key) != NULL;
}

void lcx__rootset_clear(struct lcx__rootset *set)
{
	free(set->items);
	*set = (struct lcx__rootset){0};
}

void lcx__roots_clear(struct lcx__roots *roots)
{
	lcx__rootset_clear(&roots->blobs);
	lcx__rootset_clear(&roots->layers);
}

int lcx__roots_parse(struct lcx__roots *roots, char *text)
{
	char *rest = text, *line;
	int r = 0;

	while (r == 0 && (line = strsep(&rest, "\n"))) {
		char *digest = strchr(line, ' ');
		struct lcx__digest parsed;

		if (!digest || lcx__digest_parse(digest + 1, &parsed) < 0)
			continue;
		*digest = '\0';
		if (strcmp(line, "blob") == 0)
			r = lcx__rootset_add(&roots->blobs, &parsed);
		else if (strcmp(line, "layer") == 0)
			r = lcx__rootset_add(&roots->layers, &parsed);
	}
	return r;
}

int lcx__roots_add_image(struct lcx__roots *roots, const struct lcx__store *store,
			 const struct lcx__digest *digest, struct lcx_error **err)
{
	CLEANUP(lcx__manifest_freep) struct lcx__manifest *manifest = NULL;
	CLEANUP(lcx__config_freep) struct lcx__config *config = NULL;
	CLEANUP(freep) char *text = NULL, *config_text = NULL;
	size_t length;
	int r;

	if (lcx__rootset_add(&roots->blobs, digest) < 0)
		return lcx__fail_nomem(err);
	r = lcx__blob_read(store, digest, &text, &length, err);
	if (r == 0)
		r = lcx__manifest_parse(text, length, NULL, &manifest, err);
	if (r < 0)
		return r;
	if (lcx__rootset_add(&roots->blobs, &manifest->config.digest) < 0)
		return lcx__fail_nomem(err);
	for (size_t i = 0; i < manifest->n_items; i++)
		if (lcx__rootset_add(&roots->blobs, &manifest->items[i].digest) < 0)
			return lcx__fail_nomem(err);
	r = lcx__blob_read(store, &manifest->config.digest, &config_text, &length, err);
	if (r == 0)
		r = lcx__config_parse(config_text, length, &config, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < config->n_diff_ids; i++)
		if (lcx__rootset_add(&roots->layers, &config->chain_ids[i]) < 0)
			return lcx__fail_nomem(err);
	return 0;
}
