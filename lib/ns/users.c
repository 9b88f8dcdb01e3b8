/* SPDX-License-Identifier: MIT */
#include "ns/users.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "init/within.h"
#include "ns/ns-internal.h"
#include "util/fs.h"
#include "util/privilege.h"
#include "util/str.h"

/* ---- within --------------------------------------------------------------- */

static int make_namespace(const struct lcx_idmap *map, struct lcx_error **err)
{
	CLEANUP(lcx_ns_set_freep) struct lcx_ns_set *set = NULL;
	int r = lcx_ns_create(LCX_NS_USER, map, &set, err), fd;

	if (r < 0)
		return r;
	fd = fcntl(lcx_ns_set_fd(set, LCX_NS_USER), F_DUPFD_CLOEXEC, 3);
	return fd < 0 ? lcx__fail_sys(err, errno, "keep a user namespace") : fd;
}

static bool is_in_use(const struct lcx_ctx *ctx)
{
	return ctx && ctx->subids && !ctx->is_within;
}

int lcx__users_fd(struct lcx_ctx *ctx, int *ret, struct lcx_error **err)
{
	CLEANUP(lcx_idmap_freep) struct lcx_idmap *map = NULL;
	int r = 0;

	*ret = -1;
	if (!is_in_use(ctx))
		return 0;
	if (ctx->users_fd < 0) {
		r = lcx__users_map(ctx, &map, err);
		if (r == 0)
			r = make_namespace(map, err);
		if (r < 0)
			return lcx__fail_prefix(err, r, "the ids of '%s/" LCX__SUBIDS_FILE "'",
						ctx->root_dir);
		ctx->users_fd = r;
	}
	*ret = ctx->users_fd;
	return 0;
}

int lcx__users_within(struct lcx_ctx *ctx, bool mounts,
		      int (*act)(void *data, struct lcx_error **err), void *data,
		      struct lcx_error **err)
{
	int fd, r;

	if (!is_in_use(ctx))
		return act(data, err);
	r = lcx__users_fd(ctx, &fd, err);
	if (r < 0)
		return r;
	ctx->is_within = true;
	r = lcx__within(fd, mounts, act, data, err);
	ctx->is_within = false;
	return r;
}

struct removal {
	int dir_fd;
	const char *name;
};

static int remove_tree(void *data, struct lcx_error **err)
{
	const struct removal *removal = data;

	(void)err;
	return lcx__remove_tree(removal->dir_fd, removal->name);
}

int lcx__users_remove_tree(struct lcx_ctx *ctx, int dir_fd, const char *name)
{
	struct removal removal = {dir_fd, name};
	int r = lcx__remove_tree(dir_fd, name);

	if ((r == -EACCES || r == -EPERM) && is_in_use(ctx))
		return lcx__users_within(ctx, false, remove_tree, &removal, NULL);
	return r;
}

/* ---- the request ---------------------------------------------------------- */

/* As /etc/subuid may have him; what the number alone finds needs no name. */
static char *login_name(uid_t uid)
{
	struct passwd passwd, *found = NULL;
	char words[4096];

	return getpwuid_r(uid, &passwd, words, sizeof(words), &found) == 0 && found
		       ? strdup(found->pw_name)
		       : NULL;
}

static int find_map(struct lcx_idmap **ret, struct lcx_error **err)
{
	CLEANUP(lcx_idmap_freep) struct lcx_idmap *map = NULL;
	CLEANUP(freep) char *name = login_name(getuid());
	int r = lcx__idmap_new_of_oneself(&map, err);

	if (r == 0)
		r = lcx_idmap_add_subids(map, name, getuid(), err);
	if (r < 0)
		return r;
	lcx_idmap_set_programs(map, 1);
	*ret = TAKE_PTR(map);
	return 0;
}

/* What cannot be found out counts as not empty. */
static bool is_empty(int root_fd, const char *name)
{
	CLEANUP(closedirp) DIR *dir = NULL;
	int r = lcx__read_dir(root_fd, name, &dir);

	return r == -ENOENT || (r == 0 && !lcx__next_entry(dir));
}

static int check_empty(const struct lcx_ctx *ctx, struct lcx_error **err)
{
	if (!is_empty(ctx->root_fd, "containers") || !is_empty(ctx->root_fd, "images/layers"))
		return lcx__fail(err, EEXIST,
				 "'%s' has images or containers whose files belong to other ids; "
				 "remove them before, or choose another root directory",
				 ctx->root_dir);
	return 0;
}

static int record(struct lcx_ctx *ctx, char **text, struct lcx_error **err)
{
	int r = lcx__replace_file(ctx->root_fd, LCX__SUBIDS_FILE, *text, strlen(*text), 0600, true);

	if (r < 0)
		return lcx__fail_sys(err, -r, "write '%s/" LCX__SUBIDS_FILE "'", ctx->root_dir);
	free(ctx->subids);
	ctx->subids = TAKE_PTR(*text);
	return 0;
}

LCX_PUBLIC int lcx_ctx_use_subids(struct lcx_ctx *ctx, struct lcx_error **err)
{
	CLEANUP(lcx_idmap_freep) struct lcx_idmap *map = NULL;
	CLEANUP(closep) int fd = -1;
	CLEANUP(freep) char *text = NULL;
	int r;

	if (lcx__has_capability(CAP_SYS_ADMIN))
		return lcx__fail(err, EINVAL,
				 "subordinate ids are for an ordinary user; root gives his "
				 "containers ids by lcx_container_set_userns()");
	r = find_map(&map, err);
	if (r < 0)
		return r;
	text = lcx__users_format(map);
	if (!text)
		return lcx__fail_nomem(err);
	if (ctx->subids && strcmp(ctx->subids, text) == 0)
		return 0;
	r = check_empty(ctx, err);
	/* Tried before it is promised. */
	if (r == 0)
		r = fd = make_namespace(map, err);
	if (r >= 0)
		r = record(ctx, &text, err);
	if (r < 0)
		return r;
	closep(&ctx->users_fd);
	ctx->users_fd = TAKE_FD(fd);
	return 0;
}

LCX_PUBLIC int32_t lcx_ctx_uses_subids(const struct lcx_ctx *ctx)
{
	return ctx->subids != NULL;
}
