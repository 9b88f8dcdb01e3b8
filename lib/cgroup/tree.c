/* SPDX-License-Identifier: MIT */

/*
 * Directories of one hierarchy. No path is followed through a link: what is made is made
 * component by component, each below the one before, and what is there is opened by
 * openat2(2), which refuses links: lcx__cgroup_dir_open().
 */

#include "cgroup/cgroup-internal.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "util/fs.h"
#include "util/str.h"

static bool is_component(const char *name, size_t length)
{
	if (length == 0 || length > NAME_MAX || (length == 1 && name[0] == '.') ||
	    (length == 2 && name[0] == '.' && name[1] == '.'))
		return false;
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
			return false;
	return true;
}

int lcx__cgroup_path_join(const char *base, const char *path, char **ret)
{
	CLEANUP(freep) char *joined = NULL;
	struct lcx__strbuf buf = STRBUF_EMPTY;

	if (strlen(path) >= PATH_MAX)
		return -EINVAL;
	if (path[0] != '/')
		lcx__strbuf_adds(&buf, base);
	while (*path) {
		size_t length;

		path += strspn(path, "/");
		length = strcspn(path, "/");
		if (length == 0)
			break;
		if (!is_component(path, length)) {
			lcx__strbuf_free(&buf);
			return -EINVAL;
		}
		lcx__strbuf_adds(&buf, "/");
		lcx__strbuf_add(&buf, path, length);
		path += length;
	}
	if (buf.length == 0)
		lcx__strbuf_adds(&buf, "/");
	joined = lcx__strbuf_take(&buf);
	if (!joined)
		return -ENOMEM;
	*ret = TAKE_PTR(joined);
	return 0;
}

/* Copy the component of @path at *@at (behind its slash) and go past it; false at @length. */
static bool next_component(const char *path, size_t length, size_t *at, char name[NAME_MAX + 1])
{
	size_t n;

	while (*at < length && path[*at] == '/')
		(*at)++;
	n = strcspn(path + *at, "/");
	if (*at >= length || n == 0 || n > NAME_MAX)
		return false;
	memcpy(name, path + *at, n);
	name[n] = '\0';
	*at += n;
	return true;
}

/*
 * Version 1 cpusets are born empty and take no process so. Copy what the parent
 * has, as cgroup.clone_children would, which would be somebody else's file to set.
 */
static int seed_cpuset(int parent_fd, int dir_fd)
{
	static const char *const files[] = {"cpuset.cpus", "cpuset.mems"};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		CLEANUP(freep) char *text = NULL;
		CLEANUP(freep) char *now = NULL;
		int r;

		r = lcx__read_file(dir_fd, files[i], 65536, &now, NULL);
		if (r == 0 && now[0] != '\n' && now[0] != '\0')
			continue;
		if (r == 0)
			r = lcx__read_file(parent_fd, files[i], 65536, &text, NULL);
		if (r == 0)
			r = lcx__write_control(dir_fd, files[i], text);
		if (r < 0)
			return r;
	}
	return 0;
}

/* One component: made, unless it is there and may be. Return: its descriptor. */
static int make_one(const struct lcx__hierarchy *h, int parent_fd, const char *name, bool last,
		    bool *ret_made)
{
	CLEANUP(closep) int fd = -1;
	int r = 0;

	*ret_made = mkdirat(parent_fd, name, 0755) == 0;
	if (!*ret_made && (errno != EEXIST || last))
		return -errno;
	fd = lcx__open_dir(parent_fd, name);
	if (fd < 0)
		r = fd;
	else if (!h->unified && h->controllers & 1u << CONTROLLER_CPUSET)
		r = seed_cpuset(parent_fd, fd);
	if (r == 0)
		return TAKE_FD(fd);
	if (*ret_made)
		(void)unlinkat(parent_fd, name, AT_REMOVEDIR);
	return r;
}

/* The parents of @path are there most of the time. Return: the last of them, or the root. */
static int open_parents(const struct lcx__cgroup_layout *layout, int index, const char *path,
			size_t *ret_length)
{
	const char *slash = strrchr(path, '/');
	size_t length = slash ? (size_t)(slash - path) : 0;
	/* Those of cpusets have to be seeded, each. */
	int fd = layout->hierarchies[index].controllers & 1u << CONTROLLER_CPUSET
			 ? -ENOENT
			 : lcx__cgroup_dir_open(layout, index, path, length);

	*ret_length = fd < 0 ? 0 : length;
	return fd < 0 ? lcx__cgroup_root_fd(layout, index) : fd;
}

static int make_path(const struct lcx__cgroup_layout *layout, int index, const char *path,
		     size_t *ret_kept)
{
	size_t at, length = strlen(path), kept, done;
	CLEANUP(closep) int at_fd = open_parents(layout, index, path, &at);
	char name[NAME_MAX + 1];
	bool made_any = false;

	if (at_fd < 0)
		return TAKE_FD(at_fd);
	kept = done = at;
	while (next_component(path, length, &at, name)) {
		bool made;
		int next = make_one(&layout->hierarchies[index], at_fd, name, at == length, &made);

		if (next < 0) {
			if (made_any)
				(void)lcx__cgroup_dir_remove(layout, index, strndupa(path, done),
							     kept, at_fd);
			return next;
		}
		closep(&at_fd);
		at_fd = next;
		made_any |= made;
		done = at;
		if (!made_any)
			kept = at;
	}
	*ret_kept = kept;
	return TAKE_FD(at_fd);
}

int lcx__cgroup_dir_make(const struct lcx__cgroup_layout *layout, int index, const char *path,
			 size_t *ret_kept)
{
	int r = -ENOENT;

	/* A parent may vanish under us: somebody removes the last cgroup beside ours. */
	for (int tries = 0; tries < 16 && (r == -ENOENT || r == -ENODEV); tries++)
		r = make_path(layout, index, path, ret_kept);
	return r;
}

DIR *lcx__cgroup_dir_iterate(int dir_fd)
{
	DIR *dir = NULL;
	int r = lcx__read_dir(dir_fd, ".", &dir);

	if (r < 0)
		errno = -r;
	return dir;
}

struct dirent *lcx__cgroup_next_dir(DIR *dir)
{
	struct dirent *entry;

	while ((entry = lcx__next_entry(dir)))
		if (entry->d_type == DT_DIR && entry->d_name[0] != '\0')
			return entry;
	return NULL;
}

/*
 * Remove the directories in @dir_fd that have nothing below. Return: how many could
 * not be removed, the last of them in @name, or a negative errno.
 */
static int remove_leaves(int dir_fd, char name[NAME_MAX + 1])
{
	CLEANUP(closedirp) DIR *dir = lcx__cgroup_dir_iterate(dir_fd);
	struct dirent *entry;
	int busy = 0;

	if (!dir)
		return -errno;
	while ((entry = lcx__cgroup_next_dir(dir))) {
		if (unlinkat(dir_fd, entry->d_name, AT_REMOVEDIR) == 0 || errno == ENOENT)
			continue;
		if (errno != EBUSY && errno != ENOTEMPTY)
			return -errno;
		busy++;
		memcpy(name, entry->d_name, strlen(entry->d_name) + 1);
	}
	return busy;
}

/* A directory of the kernel's has a link from each one in it (kernfs, since Linux 3.14). */
bool lcx__cgroup_is_leaf(int dir_fd)
{
	struct stat st;

	return fstat(dir_fd, &st) == 0 && st.st_nlink == 2;
}

static bool has_children(int dir_fd)
{
	CLEANUP(closedirp) DIR *dir = lcx__cgroup_dir_iterate(dir_fd);

	return dir && lcx__cgroup_next_dir(dir);
}

/*
 * A container may have nested its cgroups to any depth, so neither the stack nor the
 * table of descriptors may grow with it: go down into what is busy, come up by "..".
 */
int lcx__cgroup_dir_empty(int dir_fd)
{
	CLEANUP(closep) int at = -1;
	char name[NAME_MAX + 1];
	size_t depth = 0;

	if (lcx__cgroup_is_leaf(dir_fd))
		return 0;
	at = fcntl(dir_fd, F_DUPFD_CLOEXEC, 3);
	if (at < 0)
		return -errno;
	for (;;) {
		int busy = remove_leaves(at, name);
		int next;

		if (busy < 0)
			return busy;
		if (busy == 0 && depth == 0)
			return 0;
		next = lcx__open_dir(at, busy ? name : "..");
		if (next == -ENOENT && busy)
			continue;
		if (next < 0)
			return next;
		if (busy && !has_children(next)) {
			/* Busy by itself: a process lives in it, or has only just left. */
			closep(&next);
			if (unlinkat(at, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
				return -EBUSY;
			continue;
		}
		depth += busy ? 1 : (size_t)-1;
		closep(&at);
		at = next;
	}
}

int lcx__cgroup_dir_remove(const struct lcx__cgroup_layout *layout, int index, const char *path,
			   size_t keep, int dir_fd)
{
	CLEANUP(closep) int parent = -1;
	size_t length = strlen(path);
	int below = dir_fd;
	bool is_parent = false;

	while (length > keep && length > 1) {
		char name[NAME_MAX + 1];
		size_t at = length;
		int next;

		while (path[at - 1] != '/')
			at--;
		memcpy(name, path + at, length - at);
		name[length - at] = '\0';
		next = below >= 0 ? lcx__open_dir(below, "..")
				  : lcx__cgroup_dir_open(layout, index, path, at - 1);
		closep(&parent);
		parent = below = next;
		if (parent == -ENOENT && !is_parent)
			; /* gone already, and so is its parent */
		else if (parent < 0)
			return is_parent ? 0 : parent;
		else if (unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
			return is_parent ? 0 : -errno;
		is_parent = true;
		length = at - 1;
	}
	return 0;
}
