/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "ns/users.h"
#include "overlay/overlay-internal.h"
#include "util/fs.h"
#include "util/str.h"
#include "util/sys.h"

/*
 * Theory of operation
 *
 * The upper directory is walked; each entry is looked for in the lowers, as
 * the kernel would: from the top-most down, until a layer has the name, hides
 * it by a whiteout, or belongs to a directory that is opaque. So each
 * directory of the walk carries the set of layers that are merged into it, and
 * the path under which they have it, which is another one if the directory was
 * renamed (a redirect). Lowers are taken to have no redirects of their own: the
 * image room makes none.
 */

enum { MERGED = 1, WHITEOUTS = 2 };

struct merged {
	bool whiteouts;         /* the upper's directory may have whiteouts by attribute */
	char *lower_path;       /* "" for the root; inside this block */
	unsigned char layers[]; /* one per lower: MERGED, WHITEOUTS; then the path */
};

struct lcx_overlay_diff {
	struct lcx__walk walk;
	int *lower_fds;
	size_t lower_count;
	bool user;     /* attributes */
	bool enter;    /* the present entry is a directory to be looked into next */
	char **hidden; /* NULL: nothing */
	struct lcx_ctx *ctx;
	int32_t kind;
	uint32_t mode;
	struct lcx__overlay_marks marks;
};

static struct merged *new_merged(const struct lcx_overlay_diff *diff, const char *dir,
				 const char *name)
{
	size_t size = sizeof(struct merged) + diff->lower_count + strlen(dir) + strlen(name) + 2;
	struct merged *merged = calloc(1, size);

	if (!merged)
		return NULL;
	merged->lower_path = (char *)merged->layers + diff->lower_count;
	(void)snprintf(merged->lower_path, strlen(dir) + strlen(name) + 2, "%s%s%s", dir,
		       dir[0] && name[0] ? "/" : "", name);
	return merged;
}

/* Open @path in a lower, O_PATH; -ENOENT where it is not, whatever stands in the way. */
static int open_lower(const struct lcx_overlay_diff *diff, size_t layer, const char *path)
{
	int fd = sys_openat2(diff->lower_fds[layer], path[0] ? path : ".",
			     O_PATH | O_NOFOLLOW | O_CLOEXEC, 0,
			     SYS_RESOLVE_BENEATH | SYS_RESOLVE_NO_SYMLINKS |
				     SYS_RESOLVE_NO_MAGICLINKS | SYS_RESOLVE_NO_XDEV);

	/* EXDEV: a forged redirect that would lead out of the layer. */
	return fd == -ENOTDIR || fd == -ELOOP || fd == -EXDEV ? -ENOENT : fd;
}

/*
 * Look for @path in the layers of @parent. With @into, note there which layers have it as a
 * directory that is merged. Return: 1 if there is something, 0, or a negative errno.
 */
static int find_lower(const struct lcx_overlay_diff *diff, const struct merged *parent,
		      const char *path, struct merged *into)
{
	int found = 0;

	for (size_t i = 0; i < diff->lower_count; i++) {
		CLEANUP(closep) int fd = -1;
		struct lcx__overlay_marks marks;
		struct stat st;
		int r;

		if (!(parent->layers[i] & MERGED))
			continue;
		fd = open_lower(diff, i, path);
		if (fd == -ENOENT)
			continue;
		if (fd < 0)
			return fd;
		if (fstat(fd, &st) < 0)
			return -errno;
		if (lcx__overlay_is_whiteout(fd, &st, parent->layers[i] & WHITEOUTS, diff->user))
			return found;
		if (!into || !S_ISDIR(st.st_mode))
			return 1;
		r = lcx__overlay_read_marks(fd, diff->user, &marks);
		if (r < 0)
			return r;
		found = 1;
		into->layers[i] = (unsigned char)(MERGED | (marks.whiteouts ? WHITEOUTS : 0));
		if (marks.opaque)
			return 1;
	}
	return found;
}

static struct merged *here(struct lcx_overlay_diff *diff)
{
	return lcx__walk_here(&diff->walk)->data;
}

/* Does a lower have something of the present entry's name? */
static int is_in_lower(struct lcx_overlay_diff *diff)
{
	const struct merged *parent = here(diff);
	CLEANUP(freep)
	char *path = lcx__format("%s%s%s", parent->lower_path, parent->lower_path[0] ? "/" : "",
				 diff->walk.name);

	return path ? find_lower(diff, parent, path, NULL) : -ENOMEM;
}

/* Which lower directories are merged with the present entry, a directory of the upper? */
static int merge(struct lcx_overlay_diff *diff, struct merged **ret)
{
	CLEANUP(freep) struct merged *merged = NULL;
	const char *redirect = diff->marks.redirect;
	const struct merged *parent = here(diff);
	int r = 0;

	if (redirect[0] == '/') {
		/* From the root, where all layers are. */
		parent = diff->walk.dirs[0].data;
		merged = new_merged(diff, "", redirect + strspn(redirect, "/"));
	} else {
		merged = new_merged(diff, parent->lower_path,
				    redirect[0] ? redirect : diff->walk.name);
	}
	if (!merged)
		return -ENOMEM;
	merged->whiteouts = diff->marks.whiteouts;
	if (!diff->marks.opaque)
		r = find_lower(diff, parent, merged->lower_path, merged);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(merged);
	return 0;
}

static int enter_present(struct lcx_overlay_diff *diff)
{
	CLEANUP(freep) struct merged *merged = NULL;
	int fd, r;

	diff->enter = false;
	fd = lcx__walk_open(&diff->walk, O_RDONLY | O_DIRECTORY);
	if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP)
		return 0; /* gone meanwhile */
	if (fd < 0)
		return fd;
	r = merge(diff, &merged);
	if (r < 0) {
		(void)close(fd);
		return r;
	}
	return lcx__walk_enter(&diff->walk, fd, TAKE_PTR(merged));
}

/* ---- what is hidden ---- */

static bool is_hidden(const struct lcx_overlay_diff *diff, const char *path)
{
	for (char *const *hidden = diff->hidden; hidden && *hidden; hidden++)
		if (strcmp(*hidden, path) == 0)
			return true;
	return false;
}

static bool is_above_hidden(const struct lcx_overlay_diff *diff, const char *path)
{
	size_t length = strlen(path);

	for (char *const *hidden = diff->hidden; hidden && *hidden; hidden++)
		if (strncmp(*hidden, path, length) == 0 && (*hidden)[length] == '/')
			return true;
	return false;
}

static bool is_empty(int parent_fd, const char *name, const struct stat *st)
{
	CLEANUP(closedirp) DIR *dir = NULL;

	if (S_ISREG(st->st_mode))
		return st->st_size == 0;
	return S_ISDIR(st->st_mode) && lcx__read_dir(parent_fd, name, &dir) == 0 &&
	       !lcx__next_entry(dir) && errno == 0;
}

/* Owner and mode: the time of a directory is that of the last thing made in it. */
static bool is_as_below(const struct lcx_overlay_diff *diff, const char *path,
			const struct stat *st)
{
	for (size_t i = 0; i < diff->lower_count; i++) {
		CLEANUP(closep) int fd = open_lower(diff, i, path);
		struct stat below;

		if (fd >= 0)
			return fstat(fd, &below) == 0 && below.st_mode == st->st_mode &&
			       below.st_uid == st->st_uid && below.st_gid == st->st_gid;
	}
	return false;
}

/* Is this directory here for nothing but what is hidden in it? As deep as hidden paths are. */
static bool holds_only_hidden(const struct lcx_overlay_diff *diff, int dir_fd, const char *path)
{
	CLEANUP(closedirp) DIR *dir = NULL;
	struct dirent *entry;
	struct stat st;
	int fd;

	if (lcx__read_dir(dir_fd, ".", &dir) < 0)
		return false;
	fd = dirfd(dir);
	if (fstat(fd, &st) < 0 || !is_as_below(diff, path, &st))
		return false;
	while ((entry = lcx__next_entry(dir))) {
		CLEANUP(freep) char *inner = lcx__format("%s/%s", path, entry->d_name);
		CLEANUP(closep) int inner_fd = -1;

		if (!inner || fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return false;
		if (is_hidden(diff, inner) && is_empty(fd, entry->d_name, &st))
			continue;
		if (!S_ISDIR(st.st_mode) || !is_above_hidden(diff, inner))
			return false;
		inner_fd = lcx__open_dir(fd, entry->d_name);
		if (inner_fd < 0 || !holds_only_hidden(diff, inner_fd, inner))
			return false;
	}
	return true;
}

static bool is_to_hide(struct lcx_overlay_diff *diff, int path_fd)
{
	const char *path = diff->walk.path;

	if (diff->kind == LCX_OVERLAY_ADDED)
		return is_hidden(diff, path) &&
		       is_empty(lcx__walk_here(&diff->walk)->fd, diff->walk.name, &diff->walk.st);
	return diff->kind == LCX_OVERLAY_CHANGED && diff->enter && !diff->marks.opaque &&
	       is_above_hidden(diff, path) && holds_only_hidden(diff, path_fd, path);
}

void lcx__overlay_diff_set_ctx(struct lcx_overlay_diff *diff, struct lcx_ctx *ctx)
{
	diff->ctx = ctx;
}

void lcx__overlay_diff_hide(struct lcx_overlay_diff *diff, char **paths)
{
	(void)lcx__strv_free(diff->hidden);
	diff->hidden = paths;
}

int lcx__overlay_diff_open(struct lcx_overlay_diff *diff)
{
	return lcx__walk_open(&diff->walk, O_PATH);
}

/* What has become of the present entry? Return: 1 for a change, 0 for nothing, or a negative errno.
 */
static int judge(struct lcx_overlay_diff *diff)
{
	const struct stat *st = &diff->walk.st;
	CLEANUP(closep) int fd = lcx__walk_open(&diff->walk, O_PATH);
	bool whiteout;
	int r, in_lower;

	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return fd;
	whiteout = lcx__overlay_is_whiteout(fd, st, here(diff)->whiteouts, diff->user);
	in_lower = is_in_lower(diff);
	if (in_lower < 0)
		return in_lower;
	if (whiteout) {
		diff->kind = LCX_OVERLAY_DELETED;
		return in_lower; /* of nothing: it was left over */
	}
	if (S_ISDIR(st->st_mode) || S_ISREG(st->st_mode)) {
		r = lcx__overlay_read_marks(fd, diff->user, &diff->marks);
		if (r < 0)
			return r;
	}
	diff->kind = in_lower ? LCX_OVERLAY_CHANGED : LCX_OVERLAY_ADDED;
	diff->mode = st->st_mode;
	diff->enter = S_ISDIR(st->st_mode);
	if (diff->hidden && is_to_hide(diff, fd)) {
		diff->enter = false;
		return 0;
	}
	return 1;
}

static int step(struct lcx_overlay_diff *diff)
{
	int r = 0;

	if (diff->enter)
		r = enter_present(diff);
	diff->kind = 0;
	diff->mode = 0;
	memset(&diff->marks, 0, sizeof(diff->marks));
	while (r == 0 && (r = lcx__walk_next(&diff->walk)) > 0) {
		r = judge(diff);
		if (r != 0)
			return r;
	}
	return r;
}

static int open_lowers(struct lcx_overlay_diff *diff, const struct lcx_overlay *overlay,
		       struct lcx_error **err)
{
	diff->lower_fds = calloc(overlay->lower_count + 1, sizeof(*diff->lower_fds));
	if (!diff->lower_fds)
		return lcx__fail_nomem(err);
	for (size_t i = 0; i < overlay->lower_count; i++) {
		int fd = lcx__overlay_open(&overlay->lowers[i]);

		if (fd < 0)
			return lcx__fail_sys(err, -fd, "open overlay's lower directory %zu", i);
		diff->lower_fds[diff->lower_count++] = fd;
	}
	return 0;
}

/* The root: all layers are merged into it, down to one that is opaque. */
static int enter_root(struct lcx_overlay_diff *diff, const struct lcx_overlay *overlay)
{
	CLEANUP(freep) struct merged *all = new_merged(diff, "", ""), *root = NULL;
	CLEANUP(closep) int fd = -1;
	int r;

	root = new_merged(diff, "", "");
	if (!all || !root)
		return -ENOMEM;
	memset(all->layers, MERGED, diff->lower_count);
	fd = lcx__overlay_open(&overlay->upper);
	if (fd < 0)
		return fd;
	r = lcx__overlay_read_marks(fd, diff->user, &diff->marks);
	if (r == 0)
		r = find_lower(diff, all, "", root);
	if (r < 0)
		return r;
	root->whiteouts = diff->marks.whiteouts;
	return lcx__walk_enter(&diff->walk, TAKE_FD(fd), TAKE_PTR(root));
}

LCX_PUBLIC int lcx_overlay_diff_new(const struct lcx_overlay *overlay,
				    struct lcx_overlay_diff **ret, struct lcx_error **err)
{
	CLEANUP(lcx_overlay_diff_freep) struct lcx_overlay_diff *diff = calloc(1, sizeof(*diff));
	int r;

	if (!diff)
		return lcx__fail_nomem(err);
	if (!lcx__overlay_has_upper(overlay))
		return lcx__fail(err, EINVAL,
				 "this overlay has no upper directory, so nothing can change");
	diff->user = lcx__overlay_is_on(overlay, "userxattr");
	r = open_lowers(diff, overlay, err);
	if (r < 0)
		return r;
	r = enter_root(diff, overlay);
	if (r < 0)
		return lcx__fail_sys(err, -r, "read overlay's upper directory");
	*ret = TAKE_PTR(diff);
	return 0;
}

static int step_within(void *data, struct lcx_error **err)
{
	(void)err;
	return step(data);
}

LCX_PUBLIC int lcx_overlay_diff_next(struct lcx_overlay_diff *diff, struct lcx_error **err)
{
	int r = lcx__users_within(diff->ctx, false, step_within, diff, err);

	if (r < 0)
		r = lcx__fail_sys(err, -r, "compare '/%s' with the layers below",
				  diff->walk.path ? diff->walk.path : "");
	if (r <= 0)
		lcx__walk_clear(&diff->walk);
	return r;
}

LCX_PUBLIC const char *lcx_overlay_diff_path(const struct lcx_overlay_diff *diff)
{
	return diff->kind ? diff->walk.path : "";
}

LCX_PUBLIC int32_t lcx_overlay_diff_kind(const struct lcx_overlay_diff *diff)
{
	return diff->kind;
}

LCX_PUBLIC uint32_t lcx_overlay_diff_mode(const struct lcx_overlay_diff *diff)
{
	return diff->mode;
}

LCX_PUBLIC int32_t lcx_overlay_diff_is_opaque(const struct lcx_overlay_diff *diff)
{
	return S_ISDIR(diff->mode) && diff->marks.opaque;
}

LCX_PUBLIC int32_t lcx_overlay_diff_is_metacopy(const struct lcx_overlay_diff *diff)
{
	return S_ISREG(diff->mode) && diff->marks.metacopy;
}

LCX_PUBLIC const char *lcx_overlay_diff_redirect(const struct lcx_overlay_diff *diff)
{
	return diff->marks.redirect;
}

LCX_PUBLIC struct lcx_overlay_diff *lcx_overlay_diff_free(struct lcx_overlay_diff *diff)
{
	if (!diff)
		return NULL;
	lcx__walk_clear(&diff->walk);
	for (size_t i = 0; i < diff->lower_count; i++)
		closep(&diff->lower_fds[i]);
	free(diff->lower_fds);
	(void)lcx__strv_free(diff->hidden);
	free(diff);
	return NULL;
}
