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

#ifndef RENAME_EXCHANGE
#define RENAME_EXCHANGE (1 << 1)
#endif

void lcx__checkpoint_place_close(struct lcx__checkpoint_place *place)
{
	closep(&place->images_fd);
	closep(&place->work_fd);
	free(TAKE_PTR(place->aside));
}

/* Memory of others' processes: for nobody else to read. */
static int make_dir(int dir_fd, const char *path, bool *ret_made, struct lcx_error **err)
{
	CLEANUP(closep) int fd = -1;

	*ret_made = mkdirat(dir_fd, path, 0700) == 0;
	if (!*ret_made && errno != EEXIST)
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
 * What a dump that went well has left, all of it its user's. Never for one with steps before it:
 * the directory may be one of them; nor for one whose memory goes elsewhere: a page server may
 * write there, and who fetches it may never come.
 */
static bool is_replaceable(const struct lcx_checkpoint *o, int dir_fd)
{
	return !o->pre_dump && !o->parent_path && !o->lazy_pages && !o->page_server.address &&
	       is_exchangeable(dir_fd, o->image_path) &&
	       faccessat(dir_fd, "inventory.img", F_OK, AT_SYMLINK_NOFOLLOW) == 0 &&
	       faccessat(dir_fd, "descriptors.json", F_OK, AT_SYMLINK_NOFOLLOW) == 0 &&
	       lcx__checkpoint_check_images(dir_fd, o->image_path, NULL) == 0;
}

/* A new directory beside it, which changes places with it in the end. */
static int make_aside(const struct lcx_container *c, const char *path, int older_fd, char **ret,
		      struct lcx_error **err)
{
	for (int tries = 0; tries < 100; tries++) {
		CLEANUP(freep) char *aside = NULL;
		char random[LCX__ID_SIZE];
		int r = lcx__random_id(random);

		if (r < 0)
			return lcx__fail_sys(err, -r, "find a name");
		aside = lcx__format("%.*s.%.6s", (int)length_of(path), path, random);
		if (!aside)
			return lcx__fail_nomem(err);
		r = lcx__claim_make(c, aside, (struct lcx__claim_of){-1, older_fd, true}, err);
		if (r < 0)
			return r;
		if (mkdir(aside, 0700) == 0) {
			*ret = TAKE_PTR(aside);
			return 0;
		}
		if (errno != EEXIST)
			break;
	}
	return lcx__fail_sys(err, errno, "make a directory beside image path '%s'", path);
}

static int open_aside(const struct lcx_container *c, const char *path,
		      struct lcx__checkpoint_place *place, struct lcx_error **err)
{
	CLEANUP(closep) int older_fd = TAKE_FD(place->images_fd);
	int r = make_aside(c, path, older_fd, &place->aside, err);

	if (r < 0)
		return r;
	place->made = true;
	place->images_fd = lcx__open_dir(AT_FDCWD, place->aside);
	if (place->images_fd < 0)
		return lcx__fail_sys(err, -place->images_fd, "open the directory '%s'",
				     place->aside);
	return lcx__claim_make(c, path, (struct lcx__claim_of){place->images_fd, older_fd, true},
			       err);
}

/* An empty one, or one that is replaced; steps before the last one are never replaced. */
static int settle_images(const struct lcx_container *c, const struct lcx_checkpoint *o,
			 struct lcx__checkpoint_place *place, struct lcx_error **err)
{
	int r;

	if (is_replaceable(o, place->images_fd))
		return open_aside(c, o->image_path, place, err);
	r = check_is_empty(place->images_fd, o->image_path, err);
	if (r == 0)
		r = lcx__checkpoint_check_images(place->images_fd, o->image_path, err);
	return r < 0 ? r
		     : lcx__claim_make(c, o->image_path,
				       (struct lcx__claim_of){place->images_fd, -1, place->made},
				       err);
}

static int open_images(const struct lcx_container *c, const struct lcx_checkpoint *o,
		       struct lcx__checkpoint_place *place, struct lcx_error **err)
{
	int r = 0;

	if (place->own) {
		place->images_fd = make_dir(c->dir_fd, PARTIAL, &place->made, err);
		return place->images_fd < 0 ? place->images_fd : 0;
	}
	if (faccessat(AT_FDCWD, o->image_path, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		r = lcx__claim_make(c, o->image_path, (struct lcx__claim_of){-1, -1, true}, err);
	if (r < 0)
		return r;
	place->images_fd = make_dir(AT_FDCWD, o->image_path, &place->made, err);
	return place->images_fd < 0 ? place->images_fd : settle_images(c, o, place, err);
}

/* Where it has its images until they are whole. */
static const char *path_of(const struct lcx_checkpoint *o,
			   const struct lcx__checkpoint_place *place)
{
	return place->own ? PARTIAL : place->aside ? place->aside : o->image_path;
}

/* @images_fd: by default there; -1: by default the container's own. */
static int open_work(struct lcx_container *c, const struct lcx_checkpoint *o, int images_fd,
		     struct lcx_error **err)
{
	CLEANUP(closep) int fd = -1;
	bool made;
	int r;

	fd = o->work_path     ? make_dir(AT_FDCWD, o->work_path, &made, err)
	     : images_fd >= 0 ? fcntl(images_fd, F_DUPFD_CLOEXEC, 3)
			      : make_dir(c->dir_fd, WORK, &made, err);
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
		if (place.made)
			(void)unlinkat(place.own ? c->dir_fd : AT_FDCWD, path_of(o, &place),
				       AT_REMOVEDIR);
		unclaim(c, &place);
		return r;
	}
	*ret = place;
	place = LCX__CHECKPOINT_NOWHERE;
	return 0;
}

static int replace(const struct lcx_container *c, const struct lcx_checkpoint *o,
		   const struct lcx__checkpoint_place *place, struct lcx_error **err)
{
	int r;

	/* The older one is deleted only when a power cut can't take the new one any more. */
	if (syncfs(place->images_fd) < 0)
		return lcx__fail_sys(err, errno, "write the checkpoint to the disk");
	r = sys_renameat2(AT_FDCWD, place->aside, AT_FDCWD, o->image_path, RENAME_EXCHANGE);
	if (r < 0)
		return lcx__fail_sys(err, -r, "replace the older checkpoint in '%s'",
				     o->image_path);
	/* Else it is removed later. */
	if (lcx__remove_tree(AT_FDCWD, place->aside) == 0)
		(void)lcx__claim_end(c, NULL);
	return 0;
}

int lcx__checkpoint_commit(struct lcx_container *c, const struct lcx_checkpoint *o,
			   struct lcx__checkpoint_place *place, struct lcx_error **err)
{
	int r;

	if (!place->own)
		return place->aside ? replace(c, o, place, err) : lcx__claim_end(c, err);
	if (syncfs(place->images_fd) < 0)
		return lcx__fail_sys(err, errno, "write the checkpoint to the disk");
	r = sys_renameat2(c->dir_fd, PARTIAL, c->dir_fd, WHOLE, RENAME_EXCHANGE);
	if (r == 0)
		lcx__checkpoint_sweep(c);
	else if (r == -ENOENT && renameat(c->dir_fd, PARTIAL, c->dir_fd, WHOLE) == 0)
		r = 0;
	return r < 0 ? lcx__fail_sys(err, -r, "keep the checkpoint") : 0;
}

static void empty(int dir_fd)
{
	CLEANUP(closedirp) DIR *dir = NULL;
	struct dirent *entry;

	if (lcx__read_dir(dir_fd, ".", &dir) < 0)
		return;
	while ((entry = lcx__next_entry(dir)))
		(void)lcx__remove_tree(dir_fd, entry->d_name);
}

void lcx__checkpoint_discard(struct lcx_container *c, const struct lcx_checkpoint *o,
			     struct lcx__checkpoint_place *place)
{
	if (place->images_fd < 0)
		return;
	if (place->own) {
		lcx__checkpoint_sweep(c);
		return;
	}
	/* It was empty: all that is in there now is criu's. */
	empty(place->images_fd);
	if (place->made)
		(void)unlinkat(AT_FDCWD, path_of(o, place), AT_REMOVEDIR);
	unclaim(c, place);
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
	r = lcx__checkpoint_check_images(place.images_fd, place.own ? WHOLE : o->image_path, err);
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
