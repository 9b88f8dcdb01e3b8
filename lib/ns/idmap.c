/* SPDX-License-Identifier: MIT */
#include "ns/ns.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ns/ns-internal.h"
#include "util/str.h"

/*
 * Ids are 32 bits, and the last one means "none" to the kernel; so a range may end at 4294967294.
 * All arithmetic on the end of a range is done in 64 bits.
 */

static const uint64_t id_end = UINT32_MAX;

struct lcx_idmap {
	struct id_list {
		struct lcx__id_range ranges[LCX__IDMAP_MAX_RANGES];
		size_t n;
		char *text; /* as lcx_idmap_text() returned it last; NULL when out of date */
	} lists[2];
	bool use_programs;
};

static const char *const kind_words[] = {"user", "group"};

/* NULL for a kind that is none: a binding may pass any number. */
static struct id_list *list_of(struct lcx_idmap *map, enum lcx_id_kind kind)
{
	if (kind != LCX_ID_USER && kind != LCX_ID_GROUP)
		return NULL;
	return &map->lists[kind - LCX_ID_USER];
}

static const struct id_list *list_of_const(const struct lcx_idmap *map, enum lcx_id_kind kind)
{
	return list_of((struct lcx_idmap *)map, kind);
}

LCX_PUBLIC int lcx_idmap_new(struct lcx_idmap **ret, struct lcx_error **err)
{
	struct lcx_idmap *map = calloc(1, sizeof(*map));

	if (!map)
		return lcx__fail_nomem(err);
	*ret = map;
	return 0;
}

LCX_PUBLIC int lcx_idmap_dup(const struct lcx_idmap *map, struct lcx_idmap **ret,
			     struct lcx_error **err)
{
	struct lcx_idmap *copy = malloc(sizeof(*copy));

	if (!copy)
		return lcx__fail_nomem(err);
	*copy = *map;
	copy->lists[0].text = copy->lists[1].text = NULL;
	*ret = copy;
	return 0;
}

LCX_PUBLIC void lcx_idmap_set_programs(struct lcx_idmap *map, int32_t allowed)
{
	map->use_programs = allowed != 0;
}

bool lcx__idmap_may_use_programs(const struct lcx_idmap *map)
{
	return map->use_programs;
}

static bool overlap(uint32_t a, uint32_t b, uint32_t a_count, uint32_t b_count)
{
	return a < (uint64_t)b + b_count && b < (uint64_t)a + a_count;
}

static int check_range(const struct id_list *list, const struct lcx__id_range *range,
		       const char *word, struct lcx_error **err)
{
	if (range->count == 0)
		return lcx__fail(err, EINVAL, "a range of %s ids must have at least one id", word);
	if ((uint64_t)range->container_id + range->count > id_end ||
	    (uint64_t)range->host_id + range->count > id_end)
		return lcx__fail(err, ERANGE, "%s ids %u:%u:%u go beyond the last id, 4294967294",
				 word, range->container_id, range->host_id, range->count);
	if (list->n == LCX__IDMAP_MAX_RANGES)
		return lcx__fail(err, E2BIG, "the kernel takes no more than %d ranges of %s ids",
				 LCX__IDMAP_MAX_RANGES, word);
	for (size_t i = 0; i < list->n; i++) {
		const struct lcx__id_range *other = &list->ranges[i];

		if (overlap(range->container_id, other->container_id, range->count, other->count) ||
		    overlap(range->host_id, other->host_id, range->count, other->count))
			return lcx__fail(
				err, EINVAL,
				"%s ids %u:%u:%u overlap %u:%u:%u, which is in the map already",
				word, range->container_id, range->host_id, range->count,
				other->container_id, other->host_id, other->count);
	}
	return 0;
}

static void append(struct id_list *list, const struct lcx__id_range *range)
{
	list->ranges[list->n++] = *range;
	free(list->text);
	list->text = NULL;
}

void lcx__idmap_truncate(struct lcx_idmap *map, enum lcx_id_kind kind, size_t n)
{
	struct id_list *list = list_of(map, kind);

	list->n = n;
	free(list->text);
	list->text = NULL;
}

static int no_such_kind(enum lcx_id_kind kind, struct lcx_error **err)
{
	return lcx__fail(err, EINVAL, "there is no kind of ids %d", (int)kind);
}

LCX_PUBLIC int lcx_idmap_add(struct lcx_idmap *map, enum lcx_id_kind kind, uint32_t container_id,
			     uint32_t host_id, uint32_t count, struct lcx_error **err)
{
	const struct lcx__id_range range = {container_id, host_id, count};
	struct id_list *list = list_of(map, kind);
	int r;

	if (!list)
		return no_such_kind(kind, err);
	r = check_range(list, &range, kind_words[kind - LCX_ID_USER], err);
	if (r == 0)
		append(list, &range);
	return r;
}

int lcx__idmap_new_of_oneself(struct lcx_idmap **ret, struct lcx_error **err)
{
	CLEANUP(lcx_idmap_freep) struct lcx_idmap *map = NULL;
	int r = lcx_idmap_new(&map, err);

	if (r == 0)
		r = lcx_idmap_add(map, LCX_ID_USER, 0, geteuid(), 1, err);
	if (r == 0)
		r = lcx_idmap_add(map, LCX_ID_GROUP, 0, getegid(), 1, err);
	if (r == 0)
		*ret = TAKE_PTR(map);
	return r;
}

/* One number of at most ten digits, ended by ':', by ',' or by the end. */
static bool take_id(const char **text, uint32_t *ret)
{
	uint64_t number = 0;
	const char *at = *text;

	for (; *at >= '0' && *at <= '9' && at - *text < 10; at++)
		number = number * 10 + (uint64_t)(*at - '0');
	if (at == *text || number > UINT32_MAX || (*at != ':' && *at != ',' && *at != '\0'))
		return false;
	*text = at;
	*ret = (uint32_t)number;
	return true;
}

static bool take_range(const char **text, struct lcx__id_range *ret)
{
	ret->count = 1;
	if (!take_id(text, &ret->container_id) || *(*text)++ != ':' ||
	    !take_id(text, &ret->host_id))
		return false;
	if (**text == ':') {
		++*text;
		if (!take_id(text, &ret->count) || **text == ':')
			return false;
	}
	return true;
}

LCX_PUBLIC int lcx_idmap_parse(struct lcx_idmap *map, enum lcx_id_kind kind, const char *text,
			       struct lcx_error **err)
{
	struct id_list *list = list_of(map, kind);
	const char *at = text;
	struct lcx__id_range range;
	size_t before;
	int r = 0;

	if (!list)
		return no_such_kind(kind, err);
	before = list->n;
	for (;;) {
		if (!take_range(&at, &range))
			r = lcx__fail(err, EINVAL,
				      "'%s' is no map of ids: write CONTAINER:HOST:COUNT, e.g. "
				      "0:100000:65536",
				      text);
		if (r == 0)
			r = lcx_idmap_add(map, kind, range.container_id, range.host_id, range.count,
					  err);
		if (r < 0) {
			lcx__idmap_truncate(map, kind, before);
			return r;
		}
		if (*at == '\0')
			return 0;
		at++; /* the comma */
	}
}

/* To both lists, or to none. */
LCX_PUBLIC int lcx_idmap_add_identity(struct lcx_idmap *map, uint32_t first_id, uint32_t count,
				      struct lcx_error **err)
{
	int r = lcx_idmap_add(map, LCX_ID_USER, first_id, first_id, count, err);

	if (r < 0)
		return r;
	r = lcx_idmap_add(map, LCX_ID_GROUP, first_id, first_id, count, err);
	if (r < 0)
		lcx__idmap_truncate(map, LCX_ID_USER, map->lists[0].n - 1);
	return r;
}

LCX_PUBLIC size_t lcx_idmap_count(const struct lcx_idmap *map, enum lcx_id_kind kind)
{
	const struct id_list *list = list_of_const(map, kind);

	return list ? list->n : 0;
}

const struct lcx__id_range *lcx__idmap_ranges(const struct lcx_idmap *map, enum lcx_id_kind kind,
					      size_t *ret_n)
{
	const struct id_list *list = list_of_const(map, kind);

	*ret_n = list ? list->n : 0;
	return list ? list->ranges : NULL;
}

LCX_PUBLIC int lcx_idmap_range(const struct lcx_idmap *map, enum lcx_id_kind kind, size_t index,
			       uint32_t *ret_container_id, uint32_t *ret_host_id,
			       uint32_t *ret_count)
{
	const struct id_list *list = list_of_const(map, kind);

	if (!list || index >= list->n)
		return -ERANGE;
	*ret_container_id = list->ranges[index].container_id;
	*ret_host_id = list->ranges[index].host_id;
	*ret_count = list->ranges[index].count;
	return 0;
}

LCX_PUBLIC int lcx_idmap_to_host(const struct lcx_idmap *map, enum lcx_id_kind kind,
				 uint32_t container_id, uint32_t *ret_host_id)
{
	const struct id_list *list = list_of_const(map, kind);

	for (size_t i = 0; list && i < list->n; i++) {
		const struct lcx__id_range *range = &list->ranges[i];

		if (container_id >= range->container_id &&
		    container_id - range->container_id < range->count) {
			*ret_host_id = range->host_id + (container_id - range->container_id);
			return 0;
		}
	}
	return -ENOENT;
}

LCX_PUBLIC int lcx_idmap_from_host(const struct lcx_idmap *map, enum lcx_id_kind kind,
				   uint32_t host_id, uint32_t *ret_container_id)
{
	const struct id_list *list = list_of_const(map, kind);

	for (size_t i = 0; list && i < list->n; i++) {
		const struct lcx__id_range *range = &list->ranges[i];

		if (host_id >= range->host_id && host_id - range->host_id < range->count) {
			*ret_container_id = range->container_id + (host_id - range->host_id);
			return 0;
		}
	}
	return -ENOENT;
}

LCX_PUBLIC const char *lcx_idmap_text(const struct lcx_idmap *map, enum lcx_id_kind kind)
{
	struct id_list *list = list_of((struct lcx_idmap *)map, kind); /* the cached text only */
	struct lcx__strbuf buf = STRBUF_EMPTY;

	if (!list)
		return "";
	if (!list->text) {
		for (size_t i = 0; i < list->n; i++)
			lcx__strbuf_addf(&buf, "%u %u %u\n", list->ranges[i].container_id,
					 list->ranges[i].host_id, list->ranges[i].count);
		list->text = lcx__strbuf_take(&buf);
	}
	return list->text ? list->text : "";
}

LCX_PUBLIC struct lcx_idmap *lcx_idmap_free(struct lcx_idmap *map)
{
	if (map) {
		free(map->lists[0].text);
		free(map->lists[1].text);
		free(map);
	}
	return NULL;
}
