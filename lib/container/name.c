/* SPDX-License-Identifier: MIT */
#include "container/container-internal.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>

#include "container/event.h"
#include "net/net.h"
#include "util/fs.h"

/*
 * Names. ROOT/names/NAME is a symbolic link to an identifier, and counts only if the container
 * that it leads to is described by this name: so a rename, which needs two steps, has
 * happened or not, whenever its program dies. Looking at a name and acting upon it are one step
 * under the lock of the directory.
 */

/* Return: the directory, locked as long as it is open, or a negative errno. */
static int lock_names(const struct lcx_ctx *ctx)
{
	CLEANUP(closep) int fd = lcx__make_dirs(ctx->root_fd, "names", 0700);
	int r = fd < 0 ? fd : lcx__lock(fd, LOCK_EX);

	return r < 0 ? r : TAKE_FD(fd);
}

/* What cannot be read, for want of memory, say, counts as held: nobody loses a name by a guess. */
bool lcx__name_is_held(const struct lcx_ctx *ctx, const char *id, const char *name)
{
	CLEANUP(closep) int containers_fd = lcx__open_dir(ctx->root_fd, "containers"), dir_fd = -1;
	struct description d = {0};
	bool held;
	int r;

	if (containers_fd < 0)
		return containers_fd != -ENOENT;
	dir_fd = lcx__open_dir(containers_fd, id);
	if (dir_fd < 0)
		return dir_fd != -ENOENT;
	r = lcx__description_load(dir_fd, &d, NULL);
	held = r == 0 ? d.name && strcmp(d.name, name) == 0 : r != -ENOENT;
	lcx__description_clear(&d);
	return held;
}

static int claim(const struct lcx_container *c, int names_fd, const char *name,
		 struct lcx_error **err)
{
	char id[LCX__ID_SIZE + 1] = "";

	if (symlinkat(c->d.id, names_fd, name) == 0)
		return 0;
	if (errno != EEXIST)
		return lcx__fail_sys(err, errno, "name '%s'", name);
	if (readlinkat(names_fd, name, id, sizeof(id) - 1) > 0 &&
	    !lcx__name_is_held(c->ctx, id, name) && unlinkat(names_fd, name, 0) == 0 &&
	    symlinkat(c->d.id, names_fd, name) == 0)
		return 0;
	return lcx__fail(err, EEXIST,
			 "the name '%s' is in use by container %.12s; remove that one or choose "
			 "another name",
			 name, id);
}

/* Only what leads to this container: the name may have been taken over. */
static void release(const struct lcx_container *c, int names_fd, const char *name)
{
	char id[LCX__ID_SIZE + 1] = "";

	if (name[0] && readlinkat(names_fd, name, id, sizeof(id) - 1) > 0 &&
	    strcmp(id, c->d.id) == 0)
		(void)unlinkat(names_fd, name, 0);
}

int lcx__name_claim(const struct lcx_container *c, int *ret_lock_fd, struct lcx_error **err)
{
	CLEANUP(closep) int names_fd = -1;
	int r;

	if (!c->d.name[0])
		return 0;
	names_fd = lock_names(c->ctx);
	if (names_fd < 0)
		return lcx__fail_sys(err, -names_fd, "name '%s'", c->d.name);
	r = claim(c, names_fd, c->d.name, err);
	if (r == 0)
		*ret_lock_fd = TAKE_FD(names_fd);
	return r;
}

void lcx__name_release(const struct lcx_container *c)
{
	CLEANUP(closep) int names_fd = lock_names(c->ctx);

	if (names_fd >= 0)
		release(c, names_fd, c->d.name);
}

/*
 * The description may have been replaced before the disk failed: then back to the former one. Only
 * a link that does not count is taken away, or nobody would find the container again.
 */
static void give_up(const struct lcx_container *c, int names_fd, const char *name)
{
	if (lcx__name_is_held(c->ctx, c->d.id, name))
		(void)lcx__description_save(&c->d, c->dir_fd, NULL);
	if (!lcx__name_is_held(c->ctx, c->d.id, name))
		release(c, names_fd, name);
}

/* The new link, the description, the old link: the middle one decides. */
static int rename_locked(struct lcx_container *c, char *name, struct lcx_error **err)
{
	CLEANUP(closep) int names_fd = lock_names(c->ctx);
	CLEANUP(freep) char *before = NULL;
	int r;

	if (names_fd < 0)
		return lcx__fail_sys(err, -names_fd, "lock the names");
	r = claim(c, names_fd, name, err);
	if (r < 0)
		return r;
	before = c->d.name;
	c->d.name = name;
	r = lcx__description_save(&c->d, c->dir_fd, err);
	if (r < 0) {
		c->d.name = TAKE_PTR(before);
		give_up(c, names_fd, name);
		return r;
	}
	release(c, names_fd, before);
	/* Where it fails, the name is the former one until the next start. */
	(void)lcx__network_rename(c->ctx, c->d.id, before, name);
	lcx__event_emit(c, "renamed", before);
	return 0;
}

LCX_PUBLIC int lcx_container_rename(struct lcx_container *c, const char *name,
				    struct lcx_error **err)
{
	CLEANUP(closep) int lock_fd = -1;
	CLEANUP(freep) char *copy = NULL;
	int r;

	if (!lcx__name_is_valid(name))
		return lcx__fail(err, EINVAL,
				 "'%s' cannot name a container; use letters, digits, '_', '.', '-'",
				 name);
	copy = strdup(name);
	if (!copy)
		return lcx__fail_nomem(err);
	if (c->state == LCX_CONTAINER_NEW) {
		free(c->d.name);
		c->d.name = TAKE_PTR(copy);
		return 0;
	}
	r = lcx__container_lock(c, &lock_fd, err);
	if (r == 0)
		r = lcx__container_reload(c, err);
	if (r < 0 || strcmp(c->d.name, name) == 0)
		return r;
	r = rename_locked(c, copy, err);
	if (r == 0)
		copy = NULL;
	return r;
}
