/* SPDX-License-Identifier: MIT */
#include "util/fs.h"

#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "util/cleanup.h"
#include "util/str.h"
#include "util/sys.h"
#include "util/weaken.h"

int lcx__lock(int fd, int how)
{
	while (flock(fd, how) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

int lcx__open_dir(int dir_fd, const char *name)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int lcx__read_dir(int dir_fd, const char *name, DIR **ret)
{
	CLEANUP(closep) int fd = lcx__open_dir(dir_fd, name);

	if (fd < 0)
		return fd;
	*ret = fdopendir(fd);
	if (!*ret)
		return -errno;
	(void)TAKE_FD(fd);
	return 0;
}

struct dirent *lcx__next_entry(DIR *dir)
{
	struct dirent *entry;

	do {
		errno = 0;
		entry = readdir(dir);
	} while (entry && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0));
	return entry;
}

static int open_following(int dir_fd, const char *name)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* Walk @path, making what is missing. */
static int make_dirs(int start_fd, const char *path, mode_t mode)
{
	CLEANUP(closep) int at = open_following(start_fd, path[0] == '/' ? "/" : ".");
	CLEANUP(freep) char *copy = strdup(path);
	char *rest = copy, *name;

	if (!copy || at < 0)
		return copy ? TAKE_FD(at) : -ENOMEM;
	while ((name = strsep(&rest, "/"))) {
		int next;

		if (name[0] == '\0' || strcmp(name, ".") == 0)
			continue;
		if (mkdirat(at, name, mode) < 0 && errno != EEXIST)
			return -errno;
		next = open_following(at, name);
		if (next < 0)
			return next;
		closep(&at);
		at = next;
	}
	return TAKE_FD(at);
}

int lcx__make_dirs(int dir_fd, const char *path, mode_t mode)
{
	/* It is there most of the time. */
	int fd = open_following(dir_fd, path);

	return fd != -ENOENT ? fd
			     : make_dirs(dir_fd, path, lcx__is_off(PRIVATE) ? mode | 0055 : mode);
}

int lcx__read_fd(int fd, size_t limit, char **ret, size_t *ret_length)
{
	CLEANUP(freep) char *buffer = NULL;
	size_t length = 0, size = 0;

	for (;;) {
		ssize_t n;

		if (size - length < 2) {
			char *bigger;

			size = size ? size * 2 : 4096;
			bigger = realloc(buffer, size);
			if (!bigger)
				return -ENOMEM;
			buffer = bigger;
		}
		n = read(fd, buffer + length, size - length - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		length += (size_t)n;
		if (length > limit)
			return -EFBIG;
	}
	buffer[length] = '\0';
	if (ret_length)
		*ret_length = length;
	*ret = TAKE_PTR(buffer);
	return 0;
}

int lcx__read_file(int dir_fd, const char *name, size_t limit, char **ret, size_t *ret_length)
{
	CLEANUP(closep) int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return lcx__read_fd(fd, limit, ret, ret_length);
}

int lcx__write_all(int fd, const void *data, size_t length)
{
	const char *at = data;

	while (length > 0) {
		ssize_t n = write(fd, at, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		at += n;
		length -= (size_t)n;
	}
	return 0;
}

int lcx__write_control(int dir_fd, const char *name, const char *text)
{
	CLEANUP(closep) int fd = openat(dir_fd, name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		return -errno;
	return 0;
}

static int fill_file(int fd, const void *data, size_t length, mode_t mode, bool durable)
{
	/* The mode is ours to choose, whatever umask the host has. */
	int r = fchmod(fd, mode) < 0 ? -errno : lcx__write_all(fd, data, length);

	return r == 0 && durable && fsync(fd) < 0 ? -errno : r;
}

static int settle_directory(int dir_fd, bool durable)
{
	return durable && fsync(dir_fd) < 0 && errno != EINVAL ? -errno : 0;
}

int lcx__new_file(int dir_fd, const char *name, const void *data, size_t length, mode_t mode,
		  bool durable)
{
	CLEANUP(closep)
	int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	int r = fd < 0 ? -errno : fill_file(fd, data, length, mode, durable);

	return r < 0 ? r : settle_directory(dir_fd, durable);
}

int lcx__replace_file(int dir_fd, const char *name, const void *data, size_t length, mode_t mode,
		      bool durable)
{
	CLEANUP(closep) int fd = -1;
	char temporary[64];
	int r;

	r = lcx__temporary_name(temporary);
	if (r < 0)
		return r;
	fd = openat(dir_fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0)
		return -errno;
	r = fill_file(fd, data, length, mode, durable);
	if (r == 0 && renameat(dir_fd, temporary, dir_fd, name) < 0)
		r = -errno;
	if (r < 0) {
		(void)unlinkat(dir_fd, temporary, 0);
		return r;
	}
	return settle_directory(dir_fd, durable);
}

int lcx__remove_temporaries(int dir_fd)
{
	CLEANUP(closedirp) DIR *dir = NULL;
	struct dirent *entry;
	int r = lcx__read_dir(dir_fd, ".", &dir);

	if (r < 0)
		return r;
	while ((entry = lcx__next_entry(dir)))
		if (lcx__is_temporary_name(entry->d_name))
			(void)unlinkat(dir_fd, entry->d_name, 0);
	return 0;
}

/*
 * A container may nest directories deeper than there are descriptors or stack: from some depth
 * on, a directory that is in the way is moved up, right below the tree's top, and has its turn
 * there. Each is moved once at most, by rename(2).
 */
enum { REMOVED_IN_PLACE = 6 };

/* A file, or a directory that is empty, which is no mount point; tried as what it looks like first.
 * A directory that is removed as a file answers EISDIR (or EPERM, in POSIX). Return: -ENOTEMPTY for
 * any other directory. */
static int remove_one(int dir_fd, const char *name, bool directory)
{
	for (int tries = 0; tries < 2; tries++, directory = !directory) {
		if (unlinkat(dir_fd, name, directory ? AT_REMOVEDIR : 0) == 0 || errno == ENOENT)
			return 0;
		if (directory ? errno != ENOTDIR : errno != EISDIR && errno != EPERM)
			break;
	}
	return errno == EEXIST ? -ENOTEMPTY : -errno;
}

static int remove_entry(DIR *dir, const struct dirent *entry)
{
	return remove_one(dirfd(dir), entry->d_name, entry->d_type == DT_DIR);
}

/*
 * An ordinary user's directory may lack rights for himself, and overlay's own has none at all. By a
 * descriptor, so that it is the directory that was looked at, whoever puts what in its place; the
 * link to it is the only way that takes a descriptor without any rights.
 */
static int grant(int dir_fd, const char *name, dev_t device)
{
	CLEANUP(closep)
	int fd = openat(dir_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	char link[32];
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if ((st.st_mode & 0700) == 0700 || st.st_uid != geteuid())
		return -EACCES;
	if (st.st_dev != device)
		return -EBUSY;
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	return fchmodat(AT_FDCWD, link, 0700, 0) < 0 ? -EACCES : 0;
}

static int move_up(int dir_fd, const char *name, int top_fd, dev_t device)
{
	char moved[64];
	int r = lcx__temporary_name(moved);

	if (r < 0)
		return r;
	if (renameat(dir_fd, name, top_fd, moved) == 0)
		return 0;
	/* A directory that changes its parent is written to. */
	r = errno == EACCES ? grant(dir_fd, name, device) : -errno;
	return r == 0 && renameat(dir_fd, name, top_fd, moved) < 0 ? -errno : r;
}

static int read_level(int top_fd, const char *name, dev_t device, DIR **ret)
{
	struct stat st;
	int r = lcx__read_dir(top_fd, name, ret);

	if (r == -EACCES)
		r = grant(top_fd, name, device);
	if (r == 0 && !*ret)
		r = lcx__read_dir(top_fd, name, ret);
	if (r < 0)
		return r;
	if (fstat(dirfd(*ret), &st) < 0)
		return -errno;
	if (st.st_dev != device)
		return -EBUSY; /* something is mounted here */
	if ((st.st_mode & 0300) != 0300 && st.st_uid == geteuid())
		(void)fchmod(dirfd(*ret), 0700); /* to take things out of it */
	return 0;
}

struct removed_tree {
	int top_fd;
	dev_t device;
};

/* What it has is removed, or moved up, then itself. */
static int remove_level(const struct removed_tree *tree, int parent_fd, const char *name, int depth)
{
	CLEANUP(closedirp) DIR *dir = NULL;
	struct dirent *entry;
	int r = read_level(parent_fd, name, tree->device, &dir), first = 0;

	if (r < 0)
		return r;
	while ((entry = lcx__next_entry(dir))) {
		r = remove_entry(dir, entry);
		if (r == -ENOTEMPTY)
			r = depth < REMOVED_IN_PLACE
				    ? remove_level(tree, dirfd(dir), entry->d_name, depth + 1)
				    : move_up(dirfd(dir), entry->d_name, tree->top_fd,
					      tree->device);
		if (r < 0 && first == 0)
			first = r;
	}
	return first < 0 ? first : remove_one(parent_fd, name, true);
}

/* One pass over the top. Return: how many directories went, or a negative errno. */
static int remove_pass(const struct removed_tree *tree)
{
	CLEANUP(closedirp) DIR *dir = NULL;
	struct dirent *entry;
	int r = lcx__read_dir(tree->top_fd, ".", &dir), first = 0, count = 0;

	if (r < 0)
		return r;
	while ((entry = lcx__next_entry(dir))) {
		r = remove_entry(dir, entry);
		if (r == -ENOTEMPTY) {
			r = remove_level(tree, tree->top_fd, entry->d_name, 1);
			count += r == 0;
		}
		if (r < 0 && first == 0)
			first = r;
	}
	return count > 0 || first == 0 ? count : first;
}

int lcx__remove_tree(int dir_fd, const char *name)
{
	CLEANUP(closedirp) DIR *top = NULL;
	struct removed_tree tree;
	struct stat st;
	int r = remove_one(dir_fd, name, true);

	if (r != -ENOTEMPTY)
		return r;
	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	r = read_level(dir_fd, name, st.st_dev, &top);
	if (r < 0)
		return r;
	tree = (struct removed_tree){dirfd(top), st.st_dev};
	do
		r = remove_pass(&tree);
	while (r > 0);
	return r < 0 ? r : remove_one(dir_fd, name, true);
}

int lcx__open_in_root(int root_fd, const char *path, int flags, mode_t mode)
{
	return sys_openat2(root_fd, path, (uint64_t)(flags | O_CLOEXEC), mode,
			   SYS_RESOLVE_IN_ROOT | SYS_RESOLVE_NO_MAGICLINKS);
}

/* The first try has the kernel ask for it; O_NONBLOCK means nothing to a regular file else. */
int lcx__open_leased(const char *path, int patience_ms)
{
	enum { LOOK_EVERY_MS = 20 };
	const struct timespec pause = {0, LOOK_EVERY_MS * 1000000};
	int64_t end = lcx__monotonic_ns() + (int64_t)patience_ms * 1000000;

	for (;;) {
		int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

		if (fd >= 0 || errno != EWOULDBLOCK)
			return fd < 0 ? -errno : fd;
		if (lcx__monotonic_ns() >= end)
			return -ETIME;
		(void)nanosleep(&pause, NULL);
	}
}

/*
 * A component that is a link is followed inside the root by resolving the path
 * so far; a walk by descriptors alone would let "link/.." escape.
 */
int lcx__make_dirs_in_root(int root_fd, const char *path, mode_t mode)
{
	CLEANUP(freep) char *copy = NULL;
	size_t i, length = strlen(path);
	int fd;

	fd = lcx__open_in_root(root_fd, path, O_PATH | O_DIRECTORY, 0);
	if (fd != -ENOENT)
		return fd;

	copy = strdup(path);
	if (!copy)
		return -ENOMEM;
	for (i = 1; i <= length; i++) {
		CLEANUP(closep) int parent = -1;
		char *name;

		if (copy[i] != '/' && copy[i] != '\0')
			continue;
		copy[i] = '\0';
		name = strrchr(copy, '/');
		if (name)
			*name = '\0';
		parent = lcx__open_in_root(root_fd, name && *copy ? copy : "/",
					   O_PATH | O_DIRECTORY, 0);
		if (parent < 0)
			return parent;
		if (mkdirat(parent, name ? name + 1 : copy, mode) < 0 && errno != EEXIST &&
		    (name ? name[1] : copy[0]) != '\0')
			return -errno;
		memcpy(copy, path, length + 1);
	}
	return lcx__open_in_root(root_fd, path, O_PATH | O_DIRECTORY, 0);
}
