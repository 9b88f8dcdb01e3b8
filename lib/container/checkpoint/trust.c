/* SPDX-License-Identifier: MIT */
#include "container/checkpoint/checkpoint.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "util/fs.h"
#include "util/weaken.h"

/*
 * Where images may come from. Whoever can write to them can have any process made, with any rights,
 * outside of all namespaces; so they are their user's alone. That is not enough: they often come
 * out of an archive that root has unpacked, and criu follows links. One in the place of a file of
 * memory would show the container a file of the host's, and one in the place of criu's log would
 * overwrite it. So images are plain files with one name, and an old log is taken away before a new
 * one is made.
 *
 * One link is criu's own: "parent", to the images of the step before.
 */

enum { MAX_STEPS = 64 };

#define PARENT "parent"
/* Of criu lazy-pages, which has the memory; it is no image. */
#define LAZY_SOCKET "lazy-pages.socket"

static bool is_mine(const struct stat *st)
{
	return st->st_uid == geteuid() && (st->st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

static int check_dir(int dir_fd, const char *what, const char *path, struct lcx_error **err)
{
	struct stat st;

	if (fstat(dir_fd, &st) < 0)
		return lcx__fail_sys(err, errno, "%s '%s'", what, path);
	return is_mine(&st)
		       ? 0
		       : lcx__fail(err, EPERM,
				   "%s '%s': others than its user may write to it, and what is "
				   "restored from it would have all rights; take a directory of "
				   "your own, with mode 0700",
				   what, path);
}

/* ---- one image ------------------------------------------------------------- */

static int check_file(int dir_fd, const char *name, const char *path, struct lcx_error **err)
{
	struct stat st;
	const char *why = NULL;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return lcx__fail_sys(err, errno, "image path '%s': '%s'", path, name);
	if (S_ISSOCK(st.st_mode) && strcmp(name, LAZY_SOCKET) == 0 && is_mine(&st))
		return 0;
	if (!S_ISREG(st.st_mode))
		why = "is no plain file";
	else if (!is_mine(&st))
		why = "is not its user's alone";
	else if (st.st_nlink != 1)
		why = "has other names, hard links; copy it";
	return why ? lcx__fail(err, EPERM, "image path '%s': '%s' %s", path, name, why) : 0;
}

/* ---- the step before ------------------------------------------------------- */

/* Nobody else can put another directory in the place of one that is in it. */
static bool keeps_names(int dir_fd)
{
	struct stat st;

	return fstat(dir_fd, &st) == 0 && (st.st_uid == 0 || st.st_uid == geteuid()) &&
	       ((st.st_mode & (S_IWGRP | S_IWOTH)) == 0 || st.st_mode & S_ISVTX);
}

/* Each directory on the way, so that criu, who takes the same way later, comes to the same end. */
static int walk(int dir_fd, char *text)
{
	CLEANUP(closep)
	int at_fd = text[0] == '/' ? open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)
				   : fcntl(dir_fd, F_DUPFD_CLOEXEC, 3);
	char *name;

	while (at_fd >= 0 && (name = strsep(&text, "/"))) {
		int next_fd;

		if (!*name)
			continue;
		if (!keeps_names(at_fd))
			return -EPERM;
		next_fd = openat(at_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		close(at_fd);
		at_fd = next_fd;
	}
	return at_fd < 0 ? -errno : TAKE_FD(at_fd);
}

static int open_parent(int dir_fd, const char *path, struct lcx_error **err)
{
	char text[4096];
	ssize_t length = readlinkat(dir_fd, PARENT, text, sizeof(text));
	int r;

	if (length < 0 && errno == ENOENT)
		return -ENOENT;
	if (length < 0 || (size_t)length == sizeof(text))
		return lcx__fail(err, EPERM,
				 "image path '%s': '" PARENT "' is no link that criu made", path);
	text[length] = '\0';
	r = walk(dir_fd, text);
	return r < 0 ? lcx__fail_sys(err, r == -ENOENT ? ESTALE : -r,
				     "image path '%s': '" PARENT
				     "', the images of the step before, "
				     "must be reached by directories that others can't change",
				     path)
		     : r;
}

static int check_step(int dir_fd, const char *path, struct lcx_error **err)
{
	CLEANUP(closedirp) DIR *dir = NULL;
	struct dirent *entry;
	int r = check_dir(dir_fd, "image path", path, err);

	if (r < 0)
		return r;
	r = lcx__read_dir(dir_fd, ".", &dir);
	if (r < 0)
		return lcx__fail_sys(err, -r, "image path '%s'", path);
	while (r == 0 && (entry = lcx__next_entry(dir)))
		if (strcmp(entry->d_name, PARENT) != 0)
			r = check_file(dir_fd, entry->d_name, path, err);
	return r;
}

int lcx__checkpoint_check_images(int images_fd, const char *path, struct lcx_error **err)
{
	CLEANUP(closep) int fd = fcntl(images_fd, F_DUPFD_CLOEXEC, 3);

	if (fd < 0)
		return lcx__fail_sys(err, errno, "image path '%s'", path);
	if (lcx__is_off(IMAGES))
		return 0;
	for (int i = 0; i < MAX_STEPS; i++) {
		int r = check_step(fd, path, err);

		if (r < 0)
			return r;
		r = open_parent(fd, path, err);
		if (r < 0)
			return r == -ENOENT ? 0 : r;
		close(fd);
		fd = r;
	}
	return lcx__fail(err, ELOOP, "image path '%s': more than %d steps", path, MAX_STEPS);
}

/* ---- where its log goes ---------------------------------------------------- */

int lcx__checkpoint_check_work(int work_fd, const char *path, struct lcx_error **err)
{
	static const char *const made[] = {"dump.log", "restore.log", "stats-dump",
					   "stats-restore"};
	int r;

	if (lcx__is_off(IMAGES))
		return 0;
	r = check_dir(work_fd, "work path", path, err);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(made); i++)
		if (unlinkat(work_fd, made[i], 0) < 0 && errno != ENOENT)
			r = lcx__fail_sys(err, errno, "work path '%s': remove the old '%s'", path,
					  made[i]);
	return r;
}
