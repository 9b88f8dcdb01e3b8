/* SPDX-License-Identifier: MIT */

/*
 * Any text as /etc/subuid and /etc/subgid, as a map in words, and as the record of a root
 * directory. Whatever is taken must be a map: an id has one meaning, and a record that is written
 * is read again as the same.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ctx/ctx.h"
#include "ns/ns-internal.h"
#include "ns/users.h"
#include "text.h"
#include "util/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_kind(const struct lcx_idmap *map, enum lcx_id_kind kind)
{
	uint32_t inside, outside, count, found;

	for (size_t i = 0; lcx_idmap_range(map, kind, i, &inside, &outside, &count) == 0; i++) {
		uint32_t last = count - 1;

		if (count == 0 || inside > UINT32_MAX - 1 - last || outside > UINT32_MAX - 1 - last)
			abort();
		if (lcx_idmap_to_host(map, kind, inside + last, &found) < 0 ||
		    found != outside + last)
			abort();
		if (lcx_idmap_from_host(map, kind, outside, &found) < 0 || found != inside)
			abort();
	}
}

static void check(const struct lcx_idmap *map)
{
	check_kind(map, LCX_ID_USER);
	check_kind(map, LCX_ID_GROUP);
	(void)lcx_idmap_text(map, LCX_ID_USER);
}

static void as_files(const char *original)
{
	CLEANUP(lcx_idmap_freep) struct lcx_idmap *map = NULL;
	CLEANUP(freep) char *text = strdup(original);

	if (text && lcx_idmap_new(&map, NULL) == 0 &&
	    lcx__idmap_add_subids_text(map, LCX_ID_USER, "subuid", text, "me", 1000, NULL) >= 0)
		check(map);
}

static void as_words(const char *text)
{
	CLEANUP(lcx_idmap_freep) struct lcx_idmap *map = NULL;

	if (lcx_idmap_new(&map, NULL) == 0 && lcx_idmap_parse(map, LCX_ID_GROUP, text, NULL) == 0)
		check(map);
}

static void as_record(char *text)
{
	CLEANUP(lcx_idmap_freep) struct lcx_idmap *map = NULL, *again = NULL;
	CLEANUP(freep) char *written = NULL, *twice = NULL;
	struct lcx_ctx ctx = {.root_dir = text, .subids = text};

	if (lcx__users_map(&ctx, &map, NULL) < 0)
		return;
	check(map);
	written = ctx.subids = lcx__users_format(map);
	if (!written || lcx__users_map(&ctx, &again, NULL) < 0)
		abort();
	twice = lcx__users_format(again);
	if (!twice || strcmp(written, twice) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(freep) char *text = fuzz_text(data, size);

	if (!text)
		return 0;
	as_files(text);
	as_words(text);
	as_record(text);
	return 0;
}
