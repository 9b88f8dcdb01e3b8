/* SPDX-License-Identifier: MIT */
/*
 * An archive may have "tmp/x" and say nothing of "tmp". Unpacked onto the layers below,
 * as the specification describes it, x joins the directory that is there. In an overlay
 * it lies in a directory of its own layer, whose mode, owner and time are what is seen:
 * without help /tmp would be 0755 and of today. So these are taken from the top-most lower
 * layer that has the directory. Unpacked layers hence depend on what lies below, and are
 * known by chain ids.
 */
#include "image/implied.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "util/sys.h"

int lcx__implied_new(int root_fd, const struct lcx__strbuf *text, struct lcx__implied *ret)
{
	const char *path = text->text, *end = path + text->length;
	size_t n = 0;

	for (size_t i = 0; i < text->length; i++)
		n += text->text[i] == '\0';
	*ret = (struct lcx__implied){.root_fd = root_fd};
	ret->paths = calloc(n + 1, sizeof(*ret->paths));
	if (!ret->paths)
		return -ENOMEM;
	for (; path < end; path += strlen(path) + 1)
		ret->paths[ret->n++] = path;
	return 0;
}

void lcx__implied_clear(struct lcx__implied *implied)
{
	free(implied->paths);
	*implied = (struct lcx__implied){.root_fd = -1};
}

/* No link on the way: where one layer has a link and another a directory, they are not the same. */
static int open_dir(int root_fd, const char *path, uint64_t flags)
{
	return sys_openat2(root_fd, path[0] ? path : ".",
			   flags | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0,
			   SYS_RESOLVE_IN_ROOT | SYS_RESOLVE_NO_SYMLINKS);
}

/* What is not for this user to change stays as it is: the layer is no worse than before. */
static bool is_forbidden(int error)
{
	return error == EPERM || error == EINVAL;
}

/* The layer itself has put something else in the directory's place since: then there is nothing to
 * do. */
static bool is_replaced(int error)
{
	return error == -ENOENT || error == -ENOTDIR || error == -ELOOP;
}

static int copy_attributes(int root_fd, const char *path, const struct stat *from)
{
	const struct timespec times[2] = {from->st_mtim, from->st_mtim};
	CLEANUP(closep) int fd = open_dir(root_fd, path, O_RDONLY);

	if (fd < 0)
		return is_replaced(fd) ? 0 : fd;
	if ((fchown(fd, from->st_uid, from->st_gid) < 0 && !is_forbidden(errno)) ||
	    (fchmod(fd, from->st_mode & 07777) < 0 && !is_forbidden(errno)) ||
	    (futimens(fd, times) < 0 && !is_forbidden(errno)))
		return -errno;
	return 0;
}

/* 1: the layer below decides; 0: it says nothing of the directory. */
static int inherit(const struct lcx__implied *implied, const char *path, int lower_fd)
{
	CLEANUP(closep) int fd = open_dir(lower_fd, path, O_PATH);
	struct stat st;
	int r;

	if (fd == -ENOENT || fd == -ELOOP)
		return 0;
	/* Something else, or a deletion, hides what lies deeper. */
	if (fd == -ENOTDIR)
		return 1;
	if (fd < 0)
		return fd;
	r = fstat(fd, &st) < 0 ? -errno : copy_attributes(implied->root_fd, path, &st);
	return r < 0 ? r : 1;
}

int lcx__implied_inherit(struct lcx__implied *implied, int lower_fd)
{
	for (size_t i = 0; i < implied->n; i++) {
		int r = implied->paths[i] ? inherit(implied, implied->paths[i], lower_fd) : 0;

		if (r < 0)
			return r;
		if (r > 0)
			implied->paths[i] = NULL;
	}
	return 0;
}

int lcx__implied_finish(struct lcx__implied *implied)
{
	static const struct timespec never[2];

	for (size_t i = 0; i < implied->n; i++) {
		CLEANUP(closep) int fd = -1;

		if (!implied->paths[i])
			continue;
		fd = open_dir(implied->root_fd, implied->paths[i], O_RDONLY);
		if (is_replaced(fd))
			continue;
		if (fd < 0)
			return fd;
		if (futimens(fd, never) < 0 && !is_forbidden(errno))
			return -errno;
	}
	return 0;
}
