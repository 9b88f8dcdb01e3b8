/* SPDX-License-Identifier: MIT */
#include "container/volume/volume.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>

#include "ns/users.h"
#include "util/fs.h"
#include "util/troubles.h"

/*
 * Who has which volume: asked of all containers, while none can be made. What can't be read may
 * have any: nobody's data goes on a guess.
 */

struct use {
	char *volume, *container;
};

struct uses {
	LCX__LIST(struct use) list;
	char *unread; /* a container that can't be read, or NULL */
	const struct lcx_ctx *ctx;
	int containers_fd;
};

static void uses_clear(struct uses *uses)
{
	for (size_t i = 0; i < uses->list.n; i++) {
		free(uses->list.items[i].volume);
		free(uses->list.items[i].container);
	}
	free(uses->list.items);
	free(uses->unread);
	closep(&uses->containers_fd);
}

static int add_uses(struct uses *uses, const struct description *d)
{
	for (size_t i = 0; i < d->volumes.n; i++) {
		struct use *use = lcx__list_grow(&uses->list, sizeof(*use));

		if (!use)
			return -ENOMEM;
		use->volume = strdup(d->volumes.items[i].name ? d->volumes.items[i].name : "");
		use->container = strdup(d->name && d->name[0] ? d->name : d->id ? d->id : "?");
		if (!use->volume || !use->container)
			return -ENOMEM;
	}
	return 0;
}

/* A container that is being removed loses its name first, and only then what it is described by. */
static bool has_name(int containers_fd, const char *id)
{
	return faccessat(containers_fd, id, F_OK, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

static int look_at(struct uses *uses, const char *id)
{
	CLEANUP(closep) int dir_fd = lcx__open_dir(uses->containers_fd, id);
	struct description d = {0};
	int r = dir_fd;

	if (r == -ENOENT)
		return 0;
	if (r >= 0)
		r = lcx__description_load(dir_fd, &d, NULL);
	if (r == 0)
		r = add_uses(uses, &d);
	else if (r != -ENOMEM && (!has_name(uses->containers_fd, id) ||
				  lcx__passing_is_torn(uses->ctx, uses->containers_fd, id)))
		r = 0;
	else if (r != -ENOMEM && !uses->unread)
		r = (uses->unread = strdup(id)) ? 0 : -ENOMEM;
	lcx__description_clear(&d);
	return r;
}

/* The caller holds ret->containers_fd's directory locked. */
static int ask(struct uses *ret, struct lcx_error **err)
{
	CLEANUP(closedirp) DIR *dir = NULL;
	struct dirent *entry;
	int r = lcx__read_dir(ret->containers_fd, ".", &dir);
	while (r == 0 && (entry = lcx__next_entry(dir)))
		if (!lcx__is_temporary_name(entry->d_name))
			r = look_at(ret, entry->d_name);
	return r < 0 ? lcx__fail_sys(err, -r, "ask the containers for their volumes") : 0;
}

/* *@ret keeps containers from being made until it is cleared. */
static int ask_all(struct lcx_ctx *ctx, struct uses *ret, struct lcx_error **err)
{
	int r;

	ret->containers_fd = lcx__containers_dir(ctx);
	if (ret->containers_fd < 0)
		return lcx__fail_sys(err, -ret->containers_fd, "open the directory of containers");
	r = lcx__lock(ret->containers_fd, LOCK_EX);
	return r < 0 ? lcx__fail_sys(err, -r, "lock the directory of containers") : ask(ret, err);
}

static int check_unused(const struct uses *uses, const char *name, struct lcx_error **err)
{
	for (size_t i = 0; i < uses->list.n; i++)
		if (strcmp(uses->list.items[i].volume, name) == 0)
			return lcx__fail(err, EBUSY,
					 "volume '%s' is container '%s''s; remove that one first",
					 name, uses->list.items[i].container);
	if (uses->unread)
		return lcx__fail(err, EBUSY,
				 "volume '%s' may be container %.12s's, whose description can't be "
				 "read; remove that one first",
				 name, uses->unread);
	return 0;
}

/* Under a name that is none, so that nobody meets it half removed. */
static int remove_at(struct lcx_ctx *ctx, int volumes_fd, const char *name, struct lcx_error **err)
{
	char temporary[64];
	int r = lcx__temporary_name(temporary);

	if (r == 0 && renameat(volumes_fd, name, volumes_fd, temporary) < 0)
		r = -errno;
	if (r == 0)
		r = lcx__users_remove_tree(ctx, volumes_fd, temporary);
	return r < 0 ? lcx__fail_sys(err, -r, "remove volume '%s'", name) : 0;
}

static int remove_one(struct lcx_ctx *ctx, const struct uses *uses, const char *name,
		      struct lcx_error **err)
{
	CLEANUP(closep) int volumes_fd = -1;
	int r = check_unused(uses, name, err);

	if (r == 0)
		r = lcx__volumes_lock(ctx, LOCK_EX, &volumes_fd, err);
	return r < 0 ? r : remove_at(ctx, volumes_fd, name, err);
}

static bool is_there(const struct lcx_ctx *ctx, const char *name)
{
	CLEANUP(freep) char *path = lcx__format("volumes/%s", name);

	return path && faccessat(ctx->root_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

LCX_PUBLIC int lcx_volume_remove(struct lcx_ctx *ctx, const char *name, struct lcx_error **err)
{
	CLEANUP(uses_clear) struct uses uses = {.ctx = ctx, .containers_fd = -1};
	CLEANUP(lcx_volume_freep) struct lcx_volume *volume = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *why = NULL;
	int r = ask_all(ctx, &uses, err);

	if (r < 0)
		return r;
	r = lcx_volume_open(ctx, name, &volume, &why);
	/* One whose record can't be read can be removed all the same. */
	if (r < 0 && (!lcx__name_is_valid(name) || !is_there(ctx, name)))
		return lcx__fail(err, -r, "%s", lcx_error_message(why));
	return remove_one(ctx, &uses, name, err);
}

LCX_PUBLIC int lcx_volume_prune(struct lcx_ctx *ctx, int32_t all, struct lcx_volume_list **ret,
				struct lcx_error **err)
{
	CLEANUP(uses_clear) struct uses uses = {.ctx = ctx, .containers_fd = -1};
	CLEANUP(lcx_volume_list_freep) struct lcx_volume_list *list = NULL, *removed = NULL;
	struct lcx__troubles troubles = TROUBLES_NONE;
	int r = ask_all(ctx, &uses, err);

	if (r == 0)
		r = lcx_volume_list_new(ctx, &list, err);
	if (r < 0)
		return r;
	removed = lcx__volume_list_new();
	if (!removed)
		return lcx__fail_nomem(err);
	for (size_t i = 0; i < lcx_volume_list_count(list); i++) {
		const char *name = lcx_volume_name(lcx_volume_list_get(list, i));
		CLEANUP(lcx_volume_freep) struct lcx_volume *volume = NULL;
		struct lcx_error *one = NULL;

		if ((!all && !lcx_volume_is_anonymous(lcx_volume_list_get(list, i))) ||
		    check_unused(&uses, name, NULL) < 0)
			continue;
		r = lcx_volume_open(ctx, name, &volume, &one);
		if (r == 0)
			r = remove_one(ctx, &uses, name, &one);
		if (r == 0 && lcx__volume_list_add(removed, &volume) < 0)
			r = lcx__fail_nomem(&one);
		lcx__troubles_add(&troubles, r, &one);
	}
	if (ret)
		*ret = TAKE_PTR(removed);
	return lcx__troubles_end(&troubles, err);
}

/* ---- with a container ------------------------------------------------------ */

int lcx__container_keep_volumes(const struct lcx_container *c, struct lcx_error **err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->d.volumes.n; i++)
		if (c->d.volumes.items[i].anonymous.value && c->d.volumes.items[i].name)
			r = lcx__volume_keep(c->ctx, c->d.volumes.items[i].name, err);
	return r;
}

static bool has_anonymous(const struct lcx_container *c)
{
	for (size_t i = 0; i < c->d.volumes.n; i++)
		if (c->d.volumes.items[i].anonymous.value && c->d.volumes.items[i].name)
			return true;
	return false;
}

int lcx__container_drop_volumes(const struct lcx_container *c, struct lcx_error **err)
{
	CLEANUP(uses_clear) struct uses uses = {.ctx = c->ctx, .containers_fd = -1};
	struct lcx__troubles troubles = TROUBLES_NONE;
	int r = has_anonymous(c) ? ask_all(c->ctx, &uses, err) : 0;

	for (size_t i = 0; r == 0 && i < c->d.volumes.n; i++) {
		const struct volume_wish *wish = &c->d.volumes.items[i];
		struct lcx_error *one = NULL;

		/* A damaged record must not lead to what is no volume. */
		if (!wish->anonymous.value || !wish->name || !lcx__name_is_valid(wish->name) ||
		    check_unused(&uses, wish->name, NULL) < 0)
			continue;
		r = remove_one(c->ctx, &uses, wish->name, &one);
		lcx__troubles_add(&troubles, r == -ENOENT ? 0 : r, &one);
		lcx_error_free(one);
		r = 0;
	}
	return r < 0 ? r : lcx__troubles_end(&troubles, err);
}

/* ---- after a death --------------------------------------------------------- */

/* Somebody may have mounted it by its name meanwhile. */
static bool is_orphan(struct lcx_ctx *ctx, const struct uses *uses, const char *name)
{
	CLEANUP(lcx_volume_freep) struct lcx_volume *volume = NULL;
	CLEANUP(freep) char *path = NULL;
	const char *owner;

	if (lcx_volume_open(ctx, name, &volume, NULL) < 0 || check_unused(uses, name, NULL) < 0)
		return false;
	owner = lcx__volume_record(volume)->made_for;
	path = owner ? lcx__format("containers/%s", owner) : NULL;
	return path && faccessat(ctx->root_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0 &&
	       errno == ENOENT;
}

int lcx__volumes_sweep(struct lcx_ctx *ctx, uint32_t *count, struct lcx_error **err)
{
	CLEANUP(uses_clear)
	struct uses uses = {.ctx = ctx, .containers_fd = lcx__open_dir(ctx->root_fd, "containers")};
	CLEANUP(closep) int volumes_fd = lcx__open_dir(ctx->root_fd, "volumes");
	struct lcx__troubles troubles = TROUBLES_NONE;
	CLEANUP(closedirp) DIR *dir = NULL;
	struct dirent *entry;
	int r;

	if (volumes_fd < 0)
		return volumes_fd == -ENOENT
			       ? 0
			       : lcx__fail_sys(err, -volumes_fd, "open the directory of volumes");
	if (flock(volumes_fd, LOCK_EX | LOCK_NB) < 0)
		return 0;
	r = uses.containers_fd < 0 ? uses.containers_fd : lcx__read_dir(volumes_fd, ".", &dir);
	if (r < 0)
		return lcx__fail_sys(err, -r, "list the directories of containers and volumes");
	r = ask(&uses, err);
	while (r >= 0 && (entry = lcx__next_entry(dir))) {
		struct lcx_error *one = NULL;

		if (lcx__is_temporary_name(entry->d_name)) {
			r = lcx__users_remove_tree(ctx, volumes_fd, entry->d_name);
			if (r < 0)
				r = lcx__fail_sys(&one, -r, "remove 'volumes/%s'", entry->d_name);
		} else if (is_orphan(ctx, &uses, entry->d_name)) {
			r = remove_at(ctx, volumes_fd, entry->d_name, &one);
		} else {
			continue;
		}
		*count += r == 0;
		lcx__troubles_add(&troubles, r, &one);
		r = 0;
	}
	return r < 0 ? r : lcx__troubles_end(&troubles, err);
}
