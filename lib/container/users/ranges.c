/* SPDX-License-Identifier: MIT */
#include "container/users/users.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>

#include "util/fs.h"

/*
 * Which ids of the host belong to which container. ROOT/users/ranges has a line for each range:
 *
 *	KIND FIRST COUNT ID
 *
 * with u or g as its kind, whether the range was chosen here or by the caller. The file is replaced
 * as a whole, under the lock of its directory, which creation holds from the choice to the
 * end. So a line whose container is not there, as long as nobody holds the lock, was left by
 * somebody who died, and counts for nothing: it goes when room is short, or by lcx_gc().
 */

enum { FILE_LIMIT = 16 << 20 };

struct held {
	enum lcx_id_kind kind;
	uint32_t first, count;
	const char *id; /* in the text; NULL: no longer */
};

struct record {
	char *text; /* cut into lines and words */
	struct held *items;
	size_t n;
};

static void record_clear(struct record *record)
{
	free(record->text);
	free(record->items);
}

/* ---- the file ------------------------------------------------------------ */

static int lock_users(const struct lcx_ctx *ctx)
{
	CLEANUP(closep) int fd = lcx__make_dirs(ctx->root_fd, "users", 0700);
	int r = fd < 0 ? fd : lcx__lock(fd, LOCK_EX);

	return r < 0 ? r : TAKE_FD(fd);
}

static int parse_line(char *line, struct held *ret)
{
	const char *kind = strsep(&line, " "), *first = strsep(&line, " ");
	const char *count = strsep(&line, " ");
	uint64_t first_id, n;

	if (!line || !lcx__name_is_valid(line) || (strcmp(kind, "u") && strcmp(kind, "g")) ||
	    lcx__parse_u64(first, UINT32_MAX, &first_id) < 0 ||
	    lcx__parse_u64(count, UINT32_MAX, &n) < 0)
		return -EBADMSG;
	*ret = (struct held){kind[0] == 'u' ? LCX_ID_USER : LCX_ID_GROUP, (uint32_t)first_id,
			     (uint32_t)n, line};
	return 0;
}

static int record_load(int users_fd, struct record *ret, struct lcx_error **err)
{
	char *rest, *line;
	size_t lines = 1;
	int r = lcx__read_file(users_fd, "ranges", FILE_LIMIT, &ret->text, NULL);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return lcx__fail_sys(err, -r, "read 'users/ranges'");
	for (const char *at = ret->text; *at; at++)
		lines += *at == '\n';
	ret->items = calloc(lines, sizeof(*ret->items));
	if (!ret->items)
		return lcx__fail_nomem(err);
	rest = ret->text;
	while ((line = strsep(&rest, "\n")) != NULL) {
		if (line[0] == '\0')
			continue;
		if (parse_line(line, &ret->items[ret->n]) < 0)
			return lcx__fail(err, EBADMSG,
					 "'users/ranges': line %zu is not KIND FIRST COUNT ID",
					 ret->n + 1);
		ret->n++;
	}
	return 0;
}

static int record_save(int users_fd, const struct record *record, const struct held *more,
		       size_t n_more, struct lcx_error **err)
{
	CLEANUP(lcx__strbuf_free) struct lcx__strbuf text = STRBUF_EMPTY;
	int r;

	for (size_t i = 0; i < record->n + n_more; i++) {
		const struct held *h = i < record->n ? &record->items[i] : &more[i - record->n];

		if (h->id)
			lcx__strbuf_addf(&text, "%c %u %u %s\n", h->kind == LCX_ID_USER ? 'u' : 'g',
					 h->first, h->count, h->id);
	}
	if (text.failed)
		return lcx__fail_nomem(err);
	r = lcx__replace_file(users_fd, "ranges", text.text ? text.text : "", text.length, 0600,
			      true);
	return r < 0 ? lcx__fail_sys(err, -r, "write 'users/ranges'") : 0;
}

/* ---- who is gone ---------------------------------------------------------- */

/* What cannot be found out counts as there. */
static bool may_exist(int containers_fd, const char *id)
{
	return faccessat(containers_fd, id, F_OK, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

static size_t forget_dead(const struct lcx_ctx *ctx, struct record *record)
{
	CLEANUP(closep) int containers_fd = lcx__open_dir(ctx->root_fd, "containers");
	size_t forgotten = 0;

	for (size_t i = 0; containers_fd >= 0 && i < record->n; i++) {
		struct held *h = &record->items[i];

		if (!h->id || may_exist(containers_fd, h->id))
			continue;
		h->id = NULL;
		forgotten++;
	}
	return forgotten;
}

static size_t forget(struct record *record, const char *id)
{
	size_t forgotten = 0;

	for (size_t i = 0; i < record->n; i++) {
		if (!record->items[i].id || strcmp(record->items[i].id, id) != 0)
			continue;
		record->items[i].id = NULL;
		forgotten++;
	}
	return forgotten;
}

/* ---- the choice ----------------------------------------------------------- */

static int compare_held(const void *a, const void *b)
{
	const struct held *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

/* The first that fits; the record is in order. */
static int find_free(const struct record *record, const struct lcx_idmap *pool,
		     enum lcx_id_kind kind, uint32_t count, uint32_t *ret)
{
	uint32_t inside, from, size;

	for (size_t i = 0; lcx_idmap_range(pool, kind, i, &inside, &from, &size) == 0; i++) {
		uint64_t first = from, end = (uint64_t)from + size;

		for (size_t h = 0; h < record->n; h++) {
			const struct held *held = &record->items[h];
			uint64_t held_end = (uint64_t)held->first + held->count;

			if (!held->id || held->kind != kind || held_end <= first)
				continue;
			if (held->first >= first + count)
				break;
			first = held_end;
		}
		if (first + count <= end) {
			*ret = (uint32_t)first;
			return 0;
		}
	}
	return -ENOSPC;
}

static int choose(const struct lcx_ctx *ctx, struct record *record, const struct lcx_idmap *pool,
		  enum lcx_id_kind kind, uint32_t count, uint32_t *ret)
{
	int r = find_free(record, pool, kind, count, ret);

	return r < 0 && forget_dead(ctx, record) > 0 ? find_free(record, pool, kind, count, ret)
						     : r;
}

/* ---- for the others -------------------------------------------------------- */

int lcx__id_ranges_lock(const struct lcx_ctx *ctx, int *ret_fd, struct lcx_error **err)
{
	int fd = lock_users(ctx);

	if (fd < 0)
		return lcx__fail_sys(err, -fd, "lock 'users'");
	*ret_fd = fd;
	return 0;
}

int lcx__id_ranges_choose(const struct lcx_ctx *ctx, int users_fd, const struct lcx_idmap *pool,
			  uint32_t count, uint32_t *ret_uid, uint32_t *ret_gid,
			  struct lcx_error **err)
{
	CLEANUP(record_clear) struct record record = {0};
	int r = record_load(users_fd, &record, err);

	if (r < 0)
		return r;
	if (record.n > 0)
		qsort(record.items, record.n, sizeof(*record.items), compare_held);
	r = choose(ctx, &record, pool, LCX_ID_USER, count, ret_uid);
	if (r == 0)
		r = choose(ctx, &record, pool, LCX_ID_GROUP, count, ret_gid);
	return r < 0 ? lcx__fail(err, ENOSPC,
				 "no range of %u ids is left for a container of its own; remove "
				 "containers, or give root more in /etc/subuid and /etc/subgid",
				 count)
		     : 0;
}

static void add_held(struct held *items, size_t *n, enum lcx_id_kind kind,
		     const struct lcx__spec_id_map *map, const char *id)
{
	items[(*n)++] = (struct held){kind, map->host_id.value, map->size.value, id};
}

int lcx__id_ranges_take(const struct lcx_container *c, int users_fd, struct lcx_error **err)
{
	const struct lcx__spec_linux *l = &c->spec->linux_;
	CLEANUP(record_clear) struct record record = {0};
	CLEANUP(freep) struct held *more = NULL;
	size_t n = 0;
	int r = record_load(users_fd, &record, err);

	if (r < 0)
		return r;
	more = calloc(l->uid_mappings.n + l->gid_mappings.n + 1, sizeof(*more));
	if (!more)
		return lcx__fail_nomem(err);
	for (size_t i = 0; i < l->uid_mappings.n; i++)
		add_held(more, &n, LCX_ID_USER, &l->uid_mappings.items[i], c->d.id);
	for (size_t i = 0; i < l->gid_mappings.n; i++)
		add_held(more, &n, LCX_ID_GROUP, &l->gid_mappings.items[i], c->d.id);
	/* Of a creation that failed later on. */
	(void)forget(&record, c->d.id);
	return record_save(users_fd, &record, more, n, err);
}

int lcx__id_ranges_release(const struct lcx_ctx *ctx, const char *id, struct lcx_error **err)
{
	CLEANUP(record_clear) struct record record = {0};
	CLEANUP(closep) int users_fd = -1;
	int r;

	/* Most have never had a container with users of its own. */
	if (faccessat(ctx->root_fd, "users/ranges", F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	r = lcx__id_ranges_lock(ctx, &users_fd, err);
	if (r == 0)
		r = record_load(users_fd, &record, err);
	return r < 0 || forget(&record, id) == 0 ? r : record_save(users_fd, &record, NULL, 0, err);
}

int lcx__id_ranges_sweep(const struct lcx_ctx *ctx, uint32_t *count, struct lcx_error **err)
{
	CLEANUP(record_clear) struct record record = {0};
	CLEANUP(closep) int users_fd = -1;
	int r;

	if (faccessat(ctx->root_fd, "users", F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	r = lcx__id_ranges_lock(ctx, &users_fd, err);
	/* Of somebody who died while it was written: with the lock nobody writes. */
	if (r == 0)
		(void)lcx__remove_temporaries(users_fd);
	if (r == 0)
		r = record_load(users_fd, &record, err);
	if (r < 0 || forget_dead(ctx, &record) == 0)
		return r;
	++*count;
	return record_save(users_fd, &record, NULL, 0, err);
}
