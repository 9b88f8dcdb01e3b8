/* SPDX-License-Identifier: MIT */
#include "container/checkpoint/checkpoint.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "util/fs.h"
#include "util/json.h"
#include "util/sys.h"

/*
 * Where images are. Those in the container's own directory are "checkpoint", which is whole or not
 * there: criu writes to "checkpoint.new", which is renamed while all processes still stand, before
 * criu lets go of them. So it is with an image path that has an older checkpoint: engines name the
 * same one again.
 */

#define WHOLE   "checkpoint"
#define PARTIAL "checkpoint.new"
#define WORK    "criu" /* its log and its statistics */

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE (1 << 0)
#endif
#ifndef RENAME_EXCHANGE
#define RENAME_EXCHANGE (1 << 1)
#endif

void lcx__checkpoint_place_close(struct lcx__checkpoint_place *place)
{
	closep(&place->images_fd);
	closep(&place->work_fd);
	closep(&place->older_fd);
	lcx__claim_clear(&place->claim);
}

/* Memory of others' processes: for nobody else to read. */
static int make_dir(int dir_fd, const char *path, struct lcx_error **err)
{
	CLEANUP(closep) int fd = -1;

	if (mkdirat(dir_fd, path, 0700) < 0 && errno != EEXIST)
		return lcx__fail_sys(err, errno, "make the directory '%s'", path);
	fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? lcx__fail_sys(err, errno, "open the directory '%s'", path) : TAKE_FD(fd);
}

static int check_is_empty(int dir_fd, const char *path, struct lcx_error **err)
{
	CLEANUP(closedirp) DIR *dir = NULL;
	int r = lcx__read_dir(dir_fd, ".", &dir);

	if (r < 0)
		return lcx__fail_sys(err, -r, "image path '%s'", path);
	return lcx__next_entry(dir)
		       ? lcx__fail(err, ENOTEMPTY,
				   "image path '%s': is not empty; name another directory", path)
		       : 0;
}

static size_t length_of(const char *path)
{
	size_t length = strlen(path);

	while (length > 1 && path[length - 1] == '/')
		length--;
	return length;
}

/* The name itself, not a link's end, nor one that has to stay: ".", "..", "/". */
static bool is_named_by(const struct stat *dir, const char *path)
{
	CLEANUP(freep) char *name = strndup(path, length_of(path));
	const char *slash = name ? strrchr(name, '/') : NULL;
	const char *last = slash ? slash + 1 : name;
	struct stat st;

	return last && last[0] && strcmp(last, ".") != 0 && strcmp(last, "..") != 0 &&
	       lstat(name, &st) == 0 && st.st_dev == dir->st_dev && st.st_ino == dir->st_ino;
}

/* A rename at the end would fail, with everything written: this is known before. */
static bool is_exchangeable(int dir_fd, const char *path)
{
	struct stat dir, above;
	struct statx stx;

	return fstat(dir_fd, &dir) == 0 && is_named_by(&dir, path) &&
	       fstatat(dir_fd, "..", &above, 0) == 0 && above.st_dev == dir.st_dev &&
	       statx(dir_fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &stx) == 0 &&
	       !(stx.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

/*
 * What a dump that went well has left, all of it its user's. A pre-dump has no tree of processes,
 * and other images may lead to it. Never for one with steps before it: the directory may be one of
 * them; nor for one whose memory goes elsewhere: a page server may write there, and who fetches it
 * may never come.
 */
static bool is_replaceable(const struct lcx_checkpoint *o, int dir_fd)
{
	return !o->pre_dump && !o->parent_path && !o->lazy_pages && !o->page_server.address &&
	       is_exchangeable(dir_fd, o->image_path) &&
	       faccessat(dir_fd, "inventory.img", F_OK, AT_SYMLINK_NOFOLLOW) == 0 &&
	       faccessat(dir_fd, "pstree.img", F_OK, AT_SYMLINK_NOFOLLOW) == 0 &&
	       faccessat(dir_fd, "descriptors.json", F_OK, AT_SYMLINK_NOFOLLOW) == 0 &&
	       !lcx__claim_is_on(dir_fd) &&
	       lcx__checkpoint_check_images(dir_fd, o->image_path, NULL) == 0;
}

/*
 * A new directory beside it, under a name of the dump's own: killed anywhere in here it leaves
 * nothing that could be another's.
 */
static int make_aside(const struct lcx_container *c, const char *path, int dir_fd,
		      struct lcx__checkpoint_place *place, struct lcx_error **err)
{
	bool is_aside = dir_fd >= 0;

	for (int tries = 0; tries < 100; tries++) {
		struct lcx__claim *claim = &place->claim;
		int r;

		lcx__claim_clear(claim);
		*claim = (struct lcx__claim){
			.parent_fd = -1, .is_made = !is_aside, .is_aside = is_aside};
		r = lcx__claim_find(path, dir_fd, claim, err);
		if (r == 0)
			r = lcx__claim_save(c, claim, -1, err);
		if (r < 0)
			return r;
		r = mkdirat(claim->parent_fd, claim->aside, 0700) < 0 ? -errno : 0;
		if (r == -EEXIST)
			continue;
		if (r == 0)
			r = place->images_fd = lcx__open_dir(claim->parent_fd, claim->aside);
		if (r < 0)
			return lcx__fail_sys(err, -r, "make a directory beside image path '%s'",
					     path);
		(void)flock(place->images_fd, LOCK_EX | LOCK_NB);
		return lcx__claim_mark(claim, place->images_fd, err);
	}
	return lcx__fail_sys(err, EEXIST, "make a directory beside image path '%s'", path);
}

static int open_new(const struct lcx_container *c, const char *path,
		    struct lcx__checkpoint_place *place, struct lcx_error **err)
{
	const struct lcx__claim *claim = &place->claim;
	int r = make_aside(c, path, -1, place, err);

	if (r == 0)
		r = lcx__claim_save(c, claim, place->images_fd, err);
	if (r < 0)
		return r;
	r = sys_renameat2(claim->parent_fd, claim->aside, claim->parent_fd, claim->name,
			  RENAME_NOREPLACE);
	/* A file system that can't: only an empty directory can be in its place. */
	if (r == -EINVAL || r == -ENOSYS)
		r = renameat(claim->parent_fd, claim->aside, claim->parent_fd, claim->name) < 0
			    ? -errno
			    : 0;
	return r < 0 ? lcx__fail_sys(err, -r, "make the directory '%s'", path)
		     : lcx__checkpoint_check_images(place->images_fd, path, err);
}

/* criu has it, too, and keeps it when its caller is killed. */
static int lock_images(int dir_fd, int how, const char *path, struct lcx_error **err)
{
	if (flock(dir_fd, how | LOCK_NB) == 0 || errno != EWOULDBLOCK)
		return 0;
	return lcx__fail(err, EBUSY, "image path '%s': %s", path,
			 how == LOCK_SH ? "a checkpoint is written there"
					: "another checkpoint is written there, or restored");
}

/* An empty one, or one that is replaced; steps before the last one are never replaced. */
static int open_there(const struct lcx_container *c, const struct lcx_checkpoint *o,
		      struct lcx__checkpoint_place *place, struct lcx_error **err)
{
	CLEANUP(closep) int fd = open(o->image_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return lcx__fail_sys(err, errno, "open the directory '%s'", o->image_path);
	r = lock_images(fd, LOCK_EX, o->image_path, err);
	if (r < 0)
		return r;
	if (is_replaceable(o, fd)) {
		place->older_fd = TAKE_FD(fd);
		return make_aside(c, o->image_path, place->older_fd, place, err);
	}
	r = check_is_empty(fd, o->image_path, err);
	if (r == 0)
		r = lcx__checkpoint_check_images(fd, o->image_path, err);
	if (r == 0)
		r = lcx__claim_find(o->image_path, fd, &place->claim, err);
	if (r == 0)
		r = lcx__claim_save(c, &place->claim, -1, err);
	if (r < 0)
		return r;
	place->images_fd = TAKE_FD(fd);
	return lcx__claim_mark(&place->claim, place->images_fd, err);
}

static int open_images(const struct lcx_container *c, const struct lcx_checkpoint *o,
		       struct lcx__checkpoint_place *place, struct lcx_error **err)
{
	if (place->own) {
		place->images_fd = make_dir(c->dir_fd, PARTIAL, err);
		return place->images_fd < 0 ? place->images_fd : 0;
	}
	return faccessat(AT_FDCWD, o->image_path, F_OK, AT_SYMLINK_NOFOLLOW) < 0
		       ? open_new(c, o->image_path, place, err)
		       : open_there(c, o, place, err);
}

/* @images_fd: by default there; -1: by default the container's own. */
static int open_work(struct lcx_container *c, const struct lcx_checkpoint *o, int images_fd,
		     struct lcx_error **err)
{
	CLEANUP(closep) int fd = -1;
	int r;

	fd = o->work_path     ? make_dir(AT_FDCWD, o->work_path, err)
	     : images_fd >= 0 ? fcntl(images_fd, F_DUPFD_CLOEXEC, 3)
			      : make_dir(c->dir_fd, WORK, err);
	if (fd < 0)
		return fd;
	r = lcx__checkpoint_check_work(fd,
				       o->work_path     ? o->work_path
				       : images_fd >= 0 ? o->image_path
							: WORK,
				       err);
	return r < 0 ? r : TAKE_FD(fd);
}

/* What could not be removed now is removed later. */
static void unclaim(const struct lcx_container *c, const struct lcx__checkpoint_place *place)
{
	if (place->images_fd >= 0)
		(void)flock(place->images_fd, LOCK_UN);
	if (place->older_fd >= 0)
		(void)flock(place->older_fd, LOCK_UN);
	lcx__claim_sweep(c);
}

int lcx__checkpoint_make_place(struct lcx_container *c, const struct lcx_checkpoint *o,
			       struct lcx__checkpoint_place *ret, struct lcx_error **err)
{
	CLEANUP(lcx__checkpoint_place_close)
	struct lcx__checkpoint_place place = LCX__CHECKPOINT_NOWHERE;
	int r;

	place.own = !o->image_path;
	if (place.own && (o->pre_dump || o->parent_path))
		return lcx__fail(
			err, EINVAL,
			"checkpoint in several steps: each needs an image path of its own");
	lcx__checkpoint_sweep(c);
	r = open_images(c, o, &place, err);
	if (r == 0)
		r = place.work_fd = open_work(c, o, -1, err);
	if (r < 0) {
		if (place.own)
			lcx__checkpoint_sweep(c);
		else
			unclaim(c, &place);
		return r;
	}
	*ret = place;
	place = LCX__CHECKPOINT_NOWHERE;
	return 0;
}

static bool is_at(int dir_fd, int parent_fd, const char *name)
{
	struct stat one, other;

	return fstat(dir_fd, &one) == 0 &&
	       fstatat(parent_fd, name, &other, AT_SYMLINK_NOFOLLOW) == 0 &&
	       one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

/* What somebody has put there meanwhile is not what was looked at: it is put back. */
static int exchange(const struct lcx__claim *claim, int older_fd, const char *path,
		    struct lcx_error **err)
{
	int r = sys_renameat2(claim->parent_fd, claim->aside, claim->parent_fd, claim->name,
			      RENAME_EXCHANGE);

	if (r < 0)
		return lcx__fail_sys(err, -r, "replace the older checkpoint in '%s'", path);
	if (is_at(older_fd, claim->parent_fd, claim->aside))
		return 0;
	(void)sys_renameat2(claim->parent_fd, claim->aside, claim->parent_fd, claim->name,
			    RENAME_EXCHANGE);
	return lcx__fail(err, ESTALE,
			 "image path '%s' is another one than when the checkpoint began; it was "
			 "not replaced",
			 path);
}

static int replace(const struct lcx_container *c, const struct lcx_checkpoint *o,
		   const struct lcx__checkpoint_place *place, struct lcx_error **err)
{
	int r;

	/* The older one is deleted only when a power cut can't take the new one any more. */
	if (syncfs(place->images_fd) < 0)
		return lcx__fail_sys(err, errno, "write the checkpoint to the disk");
	r = lcx__claim_mark_spare(&place->claim, place->images_fd, place->older_fd, err);
	if (r == 0)
		r = exchange(&place->claim, place->older_fd, o->image_path, err);
	if (r < 0) {
		lcx__claim_unmark_spare(&place->claim, place->older_fd);
		return r;
	}
	/* Else it is removed later. */
	if (lcx__claim_remove_aside(&place->claim, place->older_fd) == 0)
		(void)lcx__claim_end(c, &place->claim, place->images_fd, NULL);
	return 0;
}

int lcx__checkpoint_commit(struct lcx_container *c, const struct lcx_checkpoint *o,
			   struct lcx__checkpoint_place *place, struct lcx_error **err)
{
	int r;

	if (!place->own && o->lazy_pages)
		return 0;
	if (!place->own)
		return place->older_fd >= 0 ? replace(c, o, place, err)
					    : lcx__checkpoint_settle(c, place, err);
	if (syncfs(place->images_fd) < 0)
		return lcx__fail_sys(err, errno, "write the checkpoint to the disk");
	r = sys_renameat2(c->dir_fd, PARTIAL, c->dir_fd, WHOLE, RENAME_EXCHANGE);
	if (r == 0)
		lcx__checkpoint_sweep(c);
	else if (r == -ENOENT && renameat(c->dir_fd, PARTIAL, c->dir_fd, WHOLE) == 0)
		r = 0;
	return r < 0 ? lcx__fail_sys(err, -r, "keep the checkpoint") : 0;
}

int lcx__checkpoint_settle(struct lcx_container *c, struct lcx__checkpoint_place *place,
			   struct lcx_error **err)
{
	int r = lcx__claim_end(c, &place->claim, place->images_fd, err);

	/* Who restores has a lock on it, and the caller may wait for that. */
	if (r == 0)
		(void)flock(place->images_fd, LOCK_UN);
	return r;
}

void lcx__checkpoint_discard(struct lcx_container *c, struct lcx__checkpoint_place *place)
{
	const struct lcx__claim *claim = &place->claim;

	if (place->images_fd < 0)
		return;
	if (place->own) {
		lcx__checkpoint_sweep(c);
		return;
	}
	/* It was empty: all that is in there now is criu's. */
	(void)lcx__claim_empty(claim, place->images_fd);
	unclaim(c, place);
	/* Of one that was settled there is no claim any more. */
	if (claim->is_made && is_at(place->images_fd, claim->parent_fd, claim->name))
		(void)unlinkat(claim->parent_fd, claim->name, AT_REMOVEDIR);
}

void lcx__checkpoint_sweep(const struct lcx_container *c)
{
	(void)lcx__remove_tree(c->dir_fd, PARTIAL);
	lcx__claim_sweep(c);
}

void lcx__checkpoint_forget(const struct lcx_container *c)
{
	(void)lcx__remove_tree(c->dir_fd, WHOLE);
}

/* Nobody replaces it while it is read. */
static int open_whole(int dir_fd, const char *path, struct lcx_error **err)
{
	int r = lcx__checkpoint_check_images(dir_fd, path, err);

	if (r == 0)
		r = lock_images(dir_fd, LOCK_SH, path, err);
	if (r == 0 && lcx__claim_is_on(dir_fd))
		r = lcx__fail(err, ENOENT,
			      "image path '%s' has no whole checkpoint: the one that was written "
			      "there came to no end",
			      path);
	return r;
}

int lcx__checkpoint_open_place(struct lcx_container *c, const struct lcx_checkpoint *o,
			       struct lcx__checkpoint_place *ret, struct lcx_error **err)
{
	CLEANUP(lcx__checkpoint_place_close)
	struct lcx__checkpoint_place place = LCX__CHECKPOINT_NOWHERE;
	int r;

	place.own = !o->image_path;
	place.images_fd =
		openat(place.own ? c->dir_fd : AT_FDCWD, place.own ? WHOLE : o->image_path,
		       O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (place.images_fd < 0 && errno == ENOENT && place.own)
		return lcx__fail(err, ENOENT,
				 "container '%s' has no checkpoint; make one while it runs, or "
				 "name an image path",
				 lcx__container_display(c));
	if (place.images_fd < 0)
		return lcx__fail_sys(err, errno, "image path '%s'",
				     place.own ? WHOLE : o->image_path);
	r = open_whole(place.images_fd, place.own ? WHOLE : o->image_path, err);
	if (r == 0)
		/* Who has the memory listens there, as for criu itself. */
		r = place.work_fd = open_work(c, o, o->lazy_pages ? place.images_fd : -1, err);
	if (r < 0)
		return r;
	*ret = place;
	place = LCX__CHECKPOINT_NOWHERE;
	return 0;
}

LCX_PUBLIC int32_t lcx_container_has_checkpoint(const struct lcx_container *c)
{
	return c->dir_fd >= 0 && faccessat(c->dir_fd, WHOLE, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}
