/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "ns/ns-internal.h"
#include "ns/users.h"
#include "util/str.h"

/*
 * ROOT/subids has the map, a line "u|g CONTAINER HOST COUNT" for each range. It is the record and
 * not the present /etc/subuid that counts, since files on the disk have these owners; should the
 * administrator have taken them away since, newuidmap(1) refuses.
 */

static const struct {
	enum lcx_id_kind kind;
	char letter;
} letters[] = {{LCX_ID_USER, 'u'}, {LCX_ID_GROUP, 'g'}};

char *lcx__users_format(const struct lcx_idmap *map)
{
	CLEANUP(lcx__strbuf_free) struct lcx__strbuf text = STRBUF_EMPTY;
	char *copy;

	for (size_t i = 0; i < ARRAY_SIZE(letters); i++) {
		size_t n;
		const struct lcx__id_range *r = lcx__idmap_ranges(map, letters[i].kind, &n);

		for (; n > 0; n--, r++)
			lcx__strbuf_addf(&text, "%c %u %u %u\n", letters[i].letter, r->container_id,
					 r->host_id, r->count);
	}
	copy = text.failed || !text.text ? NULL : strdup(text.text);
	return copy;
}

static int add_line(struct lcx_idmap *map, char *line)
{
	const char *letter = strsep(&line, " ");
	uint64_t numbers[3];

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		const char *word = strsep(&line, " ");

		if (!word || lcx__parse_u64(word, UINT32_MAX, &numbers[i]) < 0)
			return -EBADMSG;
	}
	for (size_t i = 0; i < ARRAY_SIZE(letters); i++)
		if (letter[0] == letters[i].letter && !letter[1] && !line)
			return lcx_idmap_add(map, letters[i].kind, (uint32_t)numbers[0],
					     (uint32_t)numbers[1], (uint32_t)numbers[2], NULL);
	return -EBADMSG;
}

int lcx__users_map(const struct lcx_ctx *ctx, struct lcx_idmap **ret, struct lcx_error **err)
{
	CLEANUP(lcx_idmap_freep) struct lcx_idmap *map = NULL;
	CLEANUP(freep) char *text = strdup(ctx->subids ? ctx->subids : "");
	char *rest = text, *line;
	int r = text ? lcx_idmap_new(&map, err) : lcx__fail_nomem(err);

	if (r < 0)
		return r;
	while (r == 0 && (line = strsep(&rest, "\n")))
		r = line[0] ? add_line(map, line) : 0;
	if (r < 0 || lcx_idmap_count(map, LCX_ID_USER) == 0 ||
	    lcx_idmap_count(map, LCX_ID_GROUP) == 0)
		return lcx__fail(err, EBADMSG,
				 "'%s/" LCX__SUBIDS_FILE "' is damaged: its lines are not KIND "
				 "CONTAINER-ID HOST-ID COUNT",
				 ctx->root_dir);
	lcx_idmap_set_programs(map, 1);
	*ret = TAKE_PTR(map);
	return 0;
}
