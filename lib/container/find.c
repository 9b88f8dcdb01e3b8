/* SPDX-License-Identifier: MIT */
#include "container/container-internal.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>

#include "lcx/bundle.h"
#include "util/fs.h"

/* ---- one ---------------------------------------------------------------- */

int lcx__container_open_dirs(struct lcx_container *c, struct lcx_error **err)
{
	CLEANUP(closep) int containers_fd = lcx__open_dir(c->ctx->root_fd, "containers");

	if (containers_fd < 0)
		return lcx__fail_sys(err, -containers_fd, "open the directory of containers");
	closep(&c->dir_fd);
	c->dir_fd = lcx__open_dir(containers_fd, c->d.id);
	return c->dir_fd < 0 ? lcx__fail_sys(err, -c->dir_fd, "open container '%s'",
					     lcx__container_display(c))
			     : 0;
}

int lcx__container_load_spec(struct lcx_container *c, struct lcx_error **err)
{
	CLEANUP(freep) char *text = NULL;
	size_t length;
	int r;

	if (c->spec)
		return 0;
	r = lcx__read_file(c->dir_fd, "config.json", 16 << 20, &text, &length);
	if (r < 0)
		return lcx__fail_sys(err, -r, "read 'config.json' of container '%s'",
				     lcx__container_display(c));
	r = lcx_spec_from_json(text, length, &c->spec, err);
	return lcx__fail_prefix(err, r, "config.json of container '%s'", lcx__container_display(c));
}

int lcx__container_open_id(struct lcx_ctx *ctx, const char *id, struct lcx_container **ret,
			   struct lcx_error **err)
{
	CLEANUP(lcx_container_freep) struct lcx_container *c = lcx__container_alloc(ctx);
	int r;

	if (!c)
		return lcx__fail_nomem(err);
	c->d.id = strdup(id);
	if (!c->d.id)
		return lcx__fail_nomem(err);
	r = lcx__container_open_dirs(c, err);
	if (r < 0)
		return r;
	lcx__description_clear(&c->d);
	r = lcx__description_load(c->dir_fd, &c->d, err);
	if (r == 0 && (!c->d.id || strcmp(c->d.id, id) != 0))
		r = lcx__fail(err, EUCLEAN, "container '%.12s' is described as another one", id);
	if (r == 0)
		r = lcx__container_load_state(c, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(c);
	return 0;
}

/* Identifiers are 64 hexadecimal digits; whatever else stands in the directory is not a container.
 */
static bool is_id(const char *name)
{
	return strlen(name) == LCX__ID_SIZE - 1 &&
	       strspn(name, "0123456789abcdef") == LCX__ID_SIZE - 1;
}

static bool find_name(struct lcx_ctx *ctx, const char *name, char id[static LCX__ID_SIZE])
{
	CLEANUP(closep) int names_fd = lcx__open_dir(ctx->root_fd, "names");
	char target[LCX__ID_SIZE + 1] = "";

	if (names_fd < 0 || readlinkat(names_fd, name, target, sizeof(target) - 1) < 0 ||
	    !is_id(target) || !lcx__name_is_held(ctx, target, name))
		return false;
	memcpy(id, target, LCX__ID_SIZE);
	return true;
}

static int find_prefix(struct lcx_ctx *ctx, const char *prefix, char id[static LCX__ID_SIZE],
		       struct lcx_error **err)
{
	CLEANUP(lcx_container_list_freep) struct lcx_container_list *list = NULL;
	const char *at;
	int found = 0, r = lcx_container_list_new(ctx, &list, err);

	if (r < 0)
		return r;
	for (uint32_t i = 0; (at = lcx_container_list_id(list, i)); i++) {
		if (strncmp(at, prefix, strlen(prefix)) != 0)
			continue;
		memcpy(id, at, LCX__ID_SIZE);
		found++;
	}
	if (found > 1)
		return lcx__fail(err, ENOTUNIQ,
				 "%d containers have an identifier that starts with '%s'", found,
				 prefix);
	return found ? 0 : lcx__fail(err, ENOENT, "no container '%s'", prefix);
}

LCX_PUBLIC int lcx_bundle_open(struct lcx_ctx *ctx, const char *id, struct lcx_container **ret,
			       struct lcx_error **err)
{
	char found[LCX__ID_SIZE];
	int r;

	if (!lcx__name_is_valid(id))
		return lcx__fail(err, EINVAL, "'%s' cannot name a container", id);
	if (!find_name(ctx, id, found))
		return lcx__fail(err, ENOENT, "container '%s' does not exist", id);
	r = lcx__container_open_id(ctx, found, ret, NULL);
	if (r == -ENOENT)
		return lcx__fail(err, ENOENT, "container '%s' does not exist", id);
	return r < 0 ? lcx__container_open_id(ctx, found, ret, err) : 0;
}

LCX_PUBLIC int lcx_container_open(struct lcx_ctx *ctx, const char *name, struct lcx_container **ret,
				  struct lcx_error **err)
{
	char id[LCX__ID_SIZE];
	int r;

	if (!lcx__name_is_valid(name))
		return lcx__fail(err, EINVAL, "'%s' cannot name a container", name);
	if (!find_name(ctx, name, id)) {
		r = find_prefix(ctx, name, id, err);
		if (r < 0)
			return r;
	}
	r = lcx__container_open_id(ctx, id, ret, NULL);
	if (r == -ENOENT)
		return lcx__fail(err, ENOENT, "no container '%s'", name);
	return r < 0 ? lcx__container_open_id(ctx, id, ret, err) : 0;
}

/* ---- all ---------------------------------------------------------------- */

struct entry {
	char id[LCX__ID_SIZE];
	int64_t created_ns;
};

struct lcx_container_list {
	struct entry *entries;
	uint32_t n;
};

static int64_t creation_time(int containers_fd, const char *id)
{
	CLEANUP(closep) int dir_fd = lcx__open_dir(containers_fd, id);
	struct description d = {0};
	int64_t created = 0;

	if (dir_fd >= 0 && lcx__description_load(dir_fd, &d, NULL) == 0)
		created = d.created_ns.value;
	lcx__description_clear(&d);
	return created;
}

static int by_age(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return x->created_ns < y->created_ns ? -1 : x->created_ns > y->created_ns;
}

static int list_add(struct lcx_container_list *list, const char *id, int64_t created_ns)
{
	struct entry *bigger = realloc(list->entries, (list->n + 1) * sizeof(*bigger));

	if (!bigger)
		return -ENOMEM;
	list->entries = bigger;
	memcpy(bigger[list->n].id, id, LCX__ID_SIZE);
	bigger[list->n++].created_ns = created_ns;
	return 0;
}

LCX_PUBLIC int lcx_container_list_new(struct lcx_ctx *ctx, struct lcx_container_list **ret,
				      struct lcx_error **err)
{
	CLEANUP(lcx_container_list_freep)
	struct lcx_container_list *list = calloc(1, sizeof(*list));
	CLEANUP(closep) int containers_fd = lcx__open_dir(ctx->root_fd, "containers");
	CLEANUP(closedirp) DIR *dir = NULL;
	struct dirent *entry;
	int r = containers_fd;

	if (!list)
		return lcx__fail_nomem(err);
	if (containers_fd >= 0)
		r = lcx__read_dir(containers_fd, ".", &dir);
	if (r < 0 && r != -ENOENT)
		return lcx__fail_sys(err, -r, "list the directory of containers");
	errno = 0;
	while (dir && (entry = lcx__next_entry(dir)))
		if (is_id(entry->d_name) &&
		    list_add(list, entry->d_name, creation_time(containers_fd, entry->d_name)) < 0)
			return lcx__fail_nomem(err);
	if (errno)
		return lcx__fail_sys(err, errno, "list the directory of containers");
	if (list->n > 1)
		qsort(list->entries, list->n, sizeof(*list->entries), by_age);
	*ret = TAKE_PTR(list);
	return 0;
}

LCX_PUBLIC uint32_t lcx_container_list_count(const struct lcx_container_list *list)
{
	return list->n;
}

LCX_PUBLIC const char *lcx_container_list_id(const struct lcx_container_list *list, uint32_t index)
{
	return index < list->n ? list->entries[index].id : NULL;
}

LCX_PUBLIC struct lcx_container_list *lcx_container_list_free(struct lcx_container_list *list)
{
	if (list)
		free(list->entries);
	free(list);
	return NULL;
}
