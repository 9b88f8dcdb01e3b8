/* SPDX-License-Identifier: MIT */
#include "init/mount.h"

#include <asm/errno.h>
#include <linux/fcntl.h>
#include <linux/magic.h>

/* Places in the container's tree, made if they are missing: never outside of it. */

enum { MAX_LINKS = 20 };

/* Open the directory that holds @path and tell its last component. */
static int open_parent(struct init *init, const char *path, char *parent, size_t size,
		       const char **name)
{
	size_t end = strlen(path), slash;

	while (end > 0 && path[end - 1] == '/')
		end--;
	for (slash = end; slash > 0 && path[slash - 1] != '/'; slash--)
		;
	if (slash + 2 > size)
		return -ENAMETOOLONG;
	parent[0] = '\0';
	memcpy(parent, path, slash);
	parent[slash] = '\0';
	*name = path + slash;
	return sys_openat2(init->root_fd, slash ? parent : ".", O_PATH | O_DIRECTORY | O_CLOEXEC, 0,
			   INIT_IN_ROOT);
}

static int make_directory(struct init *init, const char *path)
{
	char parent[4096];
	const char *name;
	int fd = open_parent(init, path, parent, sizeof(parent), &name), r;

	if (fd < 0)
		return fd;
	r = (int)sys_call3(__NR_mkdirat, fd, name, 0755);
	init_close(fd);
	return r == -EEXIST ? 0 : r;
}

/* Nearly always only the last one is missing. */
int init_make_directories(struct init *init, const char *path)
{
	char prefix[4096];
	size_t length = strlen(path);
	int r = make_directory(init, path);

	if (r != -ENOENT)
		return r;
	if (length >= sizeof(prefix))
		return -ENAMETOOLONG;
	r = 0;
	for (size_t i = 1; i <= length && r == 0; i++) {
		if ((path[i] != '/' && path[i] != '\0') || path[i - 1] == '/')
			continue;
		memcpy(prefix, path, i);
		prefix[i] = '\0';
		r = make_directory(init, prefix);
	}
	return r;
}

/* Return: 0 when it was made, -EEXIST with what stands there in @link if that is a symbolic link.
 */
static int make_file(struct init *init, const char *path, char *link, size_t size)
{
	char parent[4096];
	const char *name;
	int dir, fd, n = 0;

	dir = open_parent(init, path, parent, sizeof(parent), &name);
	if (dir == -ENOENT && init_make_directories(init, parent) == 0)
		dir = open_parent(init, path, parent, sizeof(parent), &name);
	if (dir < 0)
		return dir;
	fd = (int)sys_call4(__NR_openat, dir, name,
			    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	link[0] = '\0';
	if (fd == -EEXIST) {
		/* A relative one counts from the directory that it stands in. */
		(void)text_append(link, size, parent);
		n = (int)strlen(link);
		fd = (int)sys_call4(__NR_readlinkat, dir, name, link + n, size - (size_t)n - 1);
		link[fd > 0 ? n + fd : 0] = '\0';
		if (fd > 0 && link[n] == '/')
			memmove(link, link + n, (size_t)fd + 1);
		fd = -EEXIST;
	}
	init_close(dir);
	init_close(fd);
	return fd < 0 ? fd : 0;
}

/* An image may have a link there whose target only another program would make: it is followed,
 * within the tree. */
static int make_linked_file(struct init *init, const char *path)
{
	char links[2][4096];
	int r = make_file(init, path, links[0], sizeof(links[0]));

	for (int i = 0; r == -EEXIST && links[i & 1][0]; i++) {
		if (i == MAX_LINKS)
			return -ELOOP;
		r = make_file(init, links[i & 1], links[~i & 1], sizeof(links[0]));
	}
	return r == -EEXIST ? 0 : r;
}

static int open_target(struct init *init, const char *path, bool make, bool directory,
		       uint64_t resolve)
{
	/* Without a root of its own it is the working directory: ENTER_ROOT. */
	int root = init->root_fd >= 0 ? init->root_fd : AT_FDCWD;
	int flags = O_PATH | O_CLOEXEC, fd, r;

	resolve |= INIT_IN_ROOT;
	fd = sys_openat2(root, path, (uint64_t)flags, 0, resolve);
	if (fd != -ENOENT || !make)
		return fd;
	r = directory ? init_make_directories(init, path) : make_linked_file(init, path);
	return r < 0 ? r : sys_openat2(init->root_fd, path, (uint64_t)flags, 0, resolve);
}

/* ---- places ------------------------------------------------------------- */

/*
 * As it is said most shortly: nobody has normalised what a description has. ".." is the name before
 * it away, whatever link that may be, as other runtimes have it; above the root there is nothing.
 */
static void clean_path(char *path)
{
	size_t n = 0;

	for (const char *from = path; *from;) {
		size_t length = 0;

		while (from[length] && from[length] != '/')
			length++;
		if (length == 2 && from[0] == '.' && from[1] == '.') {
			while (n > 0 && path[--n] != '/')
				;
		} else if (length > 0 && (length > 1 || from[0] != '.')) {
			/* Never ahead of what is read: the slash before it was. */
			if (n > 0)
				path[n++] = '/';
			memmove(path + n, from, length);
			n += length;
		}
		from += length;
		from += *from == '/';
	}
	path[n] = '\0';
}

const char *init_path(struct init *init, const struct plan_op *op, int index)
{
	char *path = init->base + op->str[index];

	clean_path(path);
	return path[0] ? path : ".";
}

/* What of @path is below @place, both clean: "" for itself, NULL if it is not. */
static const char *path_below(const char *path, const char *place)
{
	size_t length = strcmp(place, ".") == 0 ? 0 : strlen(place);

	for (size_t i = 0; i < length; i++)
		if (path[i] != place[i])
			return NULL;
	if (length == 0)
		return path;
	if (path[length] && path[length] != '/')
		return NULL;
	return path[length] ? path + length + 1 : path + length;
}

static bool is_kernels(int tree)
{
	uint64_t fs[16] = {0};

	return sys_call2(__NR_fstatfs, tree, fs) == 0 &&
	       (fs[0] == PROC_SUPER_MAGIC || fs[0] == SYSFS_MAGIC);
}

int init_note_mount(struct init *init, const char *path, int tree)
{
	size_t n = 0;

	/* What it covers is not found any more. */
	for (size_t i = 0; i < init->n_places; i++)
		if (path_below(init->places[i].path, path))
			init_close(init->places[i].fd);
		else
			init->places[n++] = init->places[i];
	init->n_places = n;
	if (!is_kernels(tree) || lcx__is_off(PLACES)) {
		init_close(tree);
		return 0;
	}
	if (n == INIT_MAX_PLACES) {
		(void)text_append(init->detail, sizeof(init->detail),
				  "a container has room for 64 mounts of proc and sysfs");
		init_close(tree);
		return -E2BIG;
	}
	init->places[init->n_places++] = (struct init_place){path, tree};
	return 0;
}

static int open_by_place(struct init *init, const char *path, bool make, bool directory,
			 uint64_t resolve)
{
	const char *rest;
	int root_fd = init->root_fd, fd;

	for (size_t i = init->n_places; i-- > 0;) {
		rest = path_below(path, init->places[i].path);
		if (!rest)
			continue;
		init->root_fd = init->places[i].fd;
		fd = open_target(init, *rest ? rest : ".", make, directory, resolve);
		init->root_fd = root_fd;
		return fd;
	}
	return open_target(init, path, make, directory, resolve);
}

int init_open_target(struct init *init, const char *path, bool make, bool directory)
{
	return open_by_place(init, path, make, directory, 0);
}

int init_open_without_links(struct init *init, const char *path)
{
	int fd = open_by_place(init, path, false, false, SYS_RESOLVE_NO_SYMLINKS);

	if (fd == -ELOOP)
		(void)text_append(init->detail, sizeof(init->detail),
				  "a symbolic link stands on the way there");
	return fd;
}

/*
 * For a mount that somebody else makes. str: path, the directory that the path is in, of the
 * host's, for one in a mount; none: the root. num: whether it is a directory.
 */
int init_op_TARGET(struct init *init, const struct plan_op *op)
{
	int root = init->root_fd, base = -1, fd;

	if (op->str[1]) {
		base = (int)sys_call4(__NR_openat, AT_FDCWD, init_str(init, op, 1),
				      O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
		if (base < 0)
			return base;
		init->root_fd = base;
	}
	fd = open_target(init, init_path(init, op, 0), true, op->num[0] != 0, 0);
	init->root_fd = root;
	init_close(base);
	init_close(fd);
	return fd < 0 ? fd : 0;
}
