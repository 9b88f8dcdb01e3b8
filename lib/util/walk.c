/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/fs.h"
#include "util/str.h"
#include "util/sys.h"
#include "util/walk.h"

/*
 * Depth first, one open descriptor per level: whoever made the tree can neither
 * lead us out of it nor exhaust the stack. One that is deeper than
 * descriptors are allowed is an error (EMFILE).
 */

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int append_name(char ***names, size_t *count, size_t *size, const char *name)
{
	char **bigger = *names;

	if (*count + 2 > *size) {
		*size = *size ? *size * 2 : 16;
		bigger = reallocarray(*names, *size, sizeof(**names));
		if (!bigger)
			return -ENOMEM;
		*names = bigger;
	}
	bigger[*count] = strdup(name);
	if (!bigger[*count])
		return -ENOMEM;
	bigger[++*count] = NULL;
	return 0;
}

static int read_names(int dir_fd, char ***ret)
{
	CLEANUP(lcx__strv_freep) char **names = NULL;
	CLEANUP(closedirp) DIR *dir = NULL;
	size_t count = 0, size = 0;
	struct dirent *entry;
	int r = lcx__read_dir(dir_fd, ".", &dir);

	if (r < 0)
		return r;
	while ((entry = lcx__next_entry(dir))) {
		r = append_name(&names, &count, &size, entry->d_name);
		if (r < 0)
			return r;
	}
	if (errno != 0)
		return -errno;
	if (count > 1)
		qsort(names, count, sizeof(*names), by_bytes);
	*ret = TAKE_PTR(names);
	return 0;
}

static void leave(struct lcx__walk *walk)
{
	struct lcx__walk_dir *dir = &walk->dirs[--walk->depth];

	closep(&dir->fd);
	(void)lcx__strv_free(dir->names);
	free(dir->data);
}

struct lcx__walk_dir *lcx__walk_here(struct lcx__walk *walk)
{
	return &walk->dirs[walk->depth - 1];
}

int lcx__walk_enter(struct lcx__walk *walk, int fd, void *data)
{
	CLEANUP(closep) int owned_fd = fd;
	CLEANUP(freep) void *owned_data = data;
	struct lcx__walk_dir dir = {.path_length = walk->path ? strlen(walk->path) : 0};
	int r;

	if (walk->depth == walk->size) {
		size_t size = walk->size ? walk->size * 2 : 8;
		struct lcx__walk_dir *bigger = reallocarray(walk->dirs, size, sizeof(*bigger));

		if (!bigger)
			return -ENOMEM;
		walk->dirs = bigger;
		walk->size = size;
	}
	r = read_names(fd, &dir.names);
	if (r < 0)
		return r;
	dir.fd = TAKE_FD(owned_fd);
	dir.data = TAKE_PTR(owned_data);
	walk->dirs[walk->depth++] = dir;
	return 0;
}

/* Let the path be that of @name in @dir. */
static int set_path(struct lcx__walk *walk, const struct lcx__walk_dir *dir, const char *name)
{
	size_t needed = dir->path_length + strlen(name) + 2, at = dir->path_length;

	if (needed > walk->path_size) {
		char *bigger = realloc(walk->path, needed * 2);

		if (!bigger)
			return -ENOMEM;
		walk->path = bigger;
		walk->path_size = needed * 2;
	}
	if (at > 0)
		walk->path[at++] = '/';
	strcpy(walk->path + at, name);
	walk->name = walk->path + at;
	return 0;
}

int lcx__walk_next(struct lcx__walk *walk)
{
	while (walk->depth > 0) {
		struct lcx__walk_dir *dir = lcx__walk_here(walk);
		const char *name = dir->names ? dir->names[dir->next] : NULL;
		int r;

		if (!name) {
			leave(walk);
			continue;
		}
		dir->next++;
		r = set_path(walk, dir, name);
		if (r < 0)
			return r;
		if (fstatat(dir->fd, name, &walk->st, AT_SYMLINK_NOFOLLOW) == 0)
			return 1;
		if (errno != ENOENT)
			return -errno;
	}
	return 0;
}

int lcx__walk_open(struct lcx__walk *walk, int flags)
{
	return sys_openat2(
		lcx__walk_here(walk)->fd, walk->name, (uint64_t)(flags | O_NOFOLLOW | O_CLOEXEC), 0,
		SYS_RESOLVE_BENEATH | SYS_RESOLVE_NO_SYMLINKS | SYS_RESOLVE_NO_MAGICLINKS |
			(walk->cross ? 0 : SYS_RESOLVE_NO_XDEV));
}

void lcx__walk_clear(struct lcx__walk *walk)
{
	while (walk->depth > 0)
		leave(walk);
	free(walk->dirs);
	free(walk->path);
	memset(walk, 0, sizeof(*walk));
}
