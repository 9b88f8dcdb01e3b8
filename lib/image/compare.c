/* SPDX-License-Identifier: MIT */
/*
 * Two trees are walked together, directory by directory. The directories that are still to
 * be visited are a list of paths and not a recursion: a layer may be many thousand
 * directories deep, and two descriptors are all that is open for it.
 */
#include "image/compare.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/fs.h"
#include "util/str.h"

enum { CHUNK = 256 << 10, LIST_SIZE = 64 << 10 };

/* Ends with NULL once there is an item. A directory may have a hundred thousand of them. */
struct names {
	char **items;
	size_t n, size;
};

struct compare {
	int want_fd, have_fd; /* the roots */
	struct names todo;    /* directories, by paths from the root */
	char *buffers[2], *lists[2];
	char *difference;
};

/* One entry of a directory that both trees have. */
struct pair {
	int dirs[2];
	const char *path, *name;
	struct stat st[2];
};

static void names_clear(struct names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->items[i]);
	free(names->items);
}

static int names_add(struct names *names, const char *text)
{
	if (names->n + 1 >= names->size) {
		size_t size = names->size ? names->size * 2 : 32;
		char **bigger = realloc(names->items, size * sizeof(*bigger));

		if (!bigger)
			return -ENOMEM;
		names->items = bigger;
		names->size = size;
	}
	names->items[names->n] = strdup(text);
	if (!names->items[names->n])
		return -ENOMEM;
	names->items[++names->n] = NULL;
	return 0;
}

static const char *name_at(const struct names *names, size_t i)
{
	return i < names->n ? names->items[i] : NULL;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void names_sort(struct names *names)
{
	if (names->n > 0)
		qsort(names->items, names->n, sizeof(*names->items), compare_names);
}

static void compare_clear(struct compare *c)
{
	names_clear(&c->todo);
	for (size_t i = 0; i < 2; i++) {
		free(c->buffers[i]);
		free(c->lists[i]);
	}
	free(c->difference);
}

/* Return: 1, or -ENOMEM. */
static int differs(struct compare *c, const char *path, const char *what)
{
	c->difference = lcx__format("'/%s' %s", path, what);
	return c->difference ? 1 : -ENOMEM;
}

static int list(int fd, struct names *names)
{
	CLEANUP(closedirp) DIR *dir = NULL;
	struct dirent *entry;
	int r = lcx__read_dir(fd, ".", &dir);

	if (r < 0)
		return r;
	while ((entry = lcx__next_entry(dir)))
		if (names_add(names, entry->d_name) < 0)
			return -ENOMEM;
	if (errno)
		return -errno;
	names_sort(names);
	return 0;
}

/* Labels are the host's policy; of what the kernel keeps only capabilities are the layer's. */
static bool counts(const char *xattr)
{
	return strncmp(xattr, "security.", 9) != 0 || strcmp(xattr, "security.capability") == 0;
}

/* By a path, since a link or a device has no descriptor to ask; it follows no link at its end. */
static void entry_path(int dir, const char *name, char text[static 320])
{
	(void)snprintf(text, 320, "/proc/self/fd/%d/%s", dir, name);
}

static int list_xattrs(const char *path, char *buffer, struct names *names)
{
	ssize_t n = llistxattr(path, buffer, LIST_SIZE);

	if (n < 0 && errno != ENOTSUP)
		return -errno;
	for (const char *at = buffer; at < buffer + n; at += strlen(at) + 1)
		if (counts(at) && names_add(names, at) < 0)
			return -ENOMEM;
	names_sort(names);
	return 0;
}

static int compare_xattrs(struct compare *c, const struct pair *p)
{
	CLEANUP(names_clear) struct names want = {0}, have = {0};
	char want_path[320], have_path[320];
	int r;

	entry_path(p->dirs[0], p->name, want_path);
	entry_path(p->dirs[1], p->name, have_path);
	r = list_xattrs(want_path, c->lists[0], &want);
	if (r == 0)
		r = list_xattrs(have_path, c->lists[1], &have);
	if (r < 0)
		return r;
	for (size_t i = 0; i < want.n || i < have.n; i++) {
		const char *a = name_at(&want, i), *b = name_at(&have, i);
		ssize_t n, m;

		if (!a || !b || strcmp(a, b) != 0)
			return differs(c, p->path, "has other extended attributes");
		n = lgetxattr(want_path, a, c->buffers[0], CHUNK);
		m = lgetxattr(have_path, b, c->buffers[1], CHUNK);
		if (n < 0 || n != m || memcmp(c->buffers[0], c->buffers[1], (size_t)n) != 0)
			return differs(c, p->path, "has other extended attributes");
	}
	return 0;
}

static ssize_t read_full(int fd, char *buffer)
{
	size_t done = 0;

	while (done < CHUNK) {
		ssize_t n = read(fd, buffer + done, CHUNK - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

static int compare_bytes(struct compare *c, const struct pair *p)
{
	const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	CLEANUP(closep) int want_fd = openat(p->dirs[0], p->name, flags);
	CLEANUP(closep) int have_fd = openat(p->dirs[1], p->name, flags);
	ssize_t n, m;

	if (want_fd < 0)
		return -errno;
	if (have_fd < 0)
		return differs(c, p->path, "can't be opened");
	do {
		n = read_full(want_fd, c->buffers[0]);
		m = read_full(have_fd, c->buffers[1]);
		if (n < 0)
			return (int)n;
		if (m < 0)
			return differs(c, p->path, "can't be read");
		if (n != m || memcmp(c->buffers[0], c->buffers[1], (size_t)n) != 0)
			return differs(c, p->path, "has another content");
	} while (n > 0);
	return 0;
}

static int compare_targets(struct compare *c, const struct pair *p)
{
	ssize_t n = readlinkat(p->dirs[0], p->name, c->buffers[0], CHUNK);
	ssize_t m = readlinkat(p->dirs[1], p->name, c->buffers[1], CHUNK);

	if (n < 0)
		return -errno;
	if (n != m || memcmp(c->buffers[0], c->buffers[1], (size_t)n) != 0)
		return differs(c, p->path, "leads elsewhere");
	return 0;
}

static int compare_stats(struct compare *c, const struct pair *p)
{
	const struct stat *a = &p->st[0], *b = &p->st[1];
	const bool is_dir = S_ISDIR(a->st_mode);
	/* Made for overlayfs, when the layer was unpacked; no archive has it. */
	const bool is_whiteout = S_ISCHR(a->st_mode) && a->st_rdev == 0;
	const struct {
		bool differ;
		const char *what;
	} facts[] = {
		{(a->st_mode & S_IFMT) != (b->st_mode & S_IFMT), "is of another type"},
		{a->st_mode != b->st_mode, "has another mode"},
		{a->st_uid != b->st_uid || a->st_gid != b->st_gid, "has another owner"},
		{!is_dir && a->st_size != b->st_size, "has another size"},
		{!is_dir && a->st_nlink != b->st_nlink, "has another number of names"},
		{a->st_rdev != b->st_rdev, "is another device"},
		{!is_whiteout && (a->st_mtim.tv_sec != b->st_mtim.tv_sec ||
				  a->st_mtim.tv_nsec != b->st_mtim.tv_nsec),
		 "has another time"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(facts); i++)
		if (facts[i].differ)
			return differs(c, p->path, facts[i].what);
	return 0;
}

/* Return: 0, 1 for a difference, a negative errno. */
static int compare_entry(struct compare *c, struct pair *p)
{
	int r;

	if (fstatat(p->dirs[0], p->name, &p->st[0], AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (fstatat(p->dirs[1], p->name, &p->st[1], AT_SYMLINK_NOFOLLOW) < 0)
		return differs(c, p->path, "is missing");
	r = compare_stats(c, p);
	if (r == 0)
		r = compare_xattrs(c, p);
	if (r != 0)
		return r;
	switch (p->st[0].st_mode & S_IFMT) {
	case S_IFREG:
		return compare_bytes(c, p);
	case S_IFLNK:
		return compare_targets(c, p);
	case S_IFDIR:
		return p->name[0] == '.' && p->name[1] == '\0' ? 0 : names_add(&c->todo, p->path);
	default:
		return 0;
	}
}

/* A layer that goes on through links is deeper than a path may be long: then piece by piece. */
static int open_dir(int root_fd, const char *path)
{
	CLEANUP(closep) int at_fd = -1;
	int fd = root_fd;

	while (strlen(path) >= PATH_MAX) {
		const char *slash = memrchr(path, '/', PATH_MAX);
		CLEANUP(freep) char *piece = strndup(path, (size_t)(slash - path));

		if (!piece)
			return -ENOMEM;
		fd = lcx__open_in_root(fd, piece, O_PATH | O_DIRECTORY, 0);
		closep(&at_fd);
		if (fd < 0)
			return fd;
		at_fd = fd;
		path = slash + 1;
	}
	return lcx__open_in_root(fd, path[0] ? path : ".", O_DIRECTORY, 0);
}

static int compare_dir(struct compare *c, const char *dir)
{
	CLEANUP(closep) int want_fd = open_dir(c->want_fd, dir);
	CLEANUP(closep) int have_fd = open_dir(c->have_fd, dir);
	CLEANUP(names_clear) struct names want = {0}, have = {0};
	int r;

	if (want_fd < 0)
		return want_fd;
	r = list(want_fd, &want);
	if (r < 0)
		return r;
	if (have_fd < 0 || list(have_fd, &have) < 0)
		return differs(c, dir, "can't be read");
	for (size_t i = 0; r == 0 && (i < want.n || i < have.n); i++) {
		const char *a = name_at(&want, i), *b = name_at(&have, i);
		bool extra = !a || (b && strcmp(b, a) < 0);
		bool missing = !b || (a && strcmp(a, b) < 0);
		const char *name = extra ? b : a;
		CLEANUP(freep) char *full = lcx__format("%s%s%s", dir, dir[0] ? "/" : "", name);
		struct pair pair = {{want_fd, have_fd}, full, name, {{0}, {0}}};

		if (!full)
			return -ENOMEM;
		r = extra     ? differs(c, full, "shouldn't be there")
		    : missing ? differs(c, full, "is missing")
			      : compare_entry(c, &pair);
	}
	return r;
}

int lcx__tree_compare(int want_fd, int have_fd, char **ret)
{
	CLEANUP(compare_clear) struct compare c = {.want_fd = want_fd, .have_fd = have_fd};
	struct pair root = {{want_fd, have_fd}, "", ".", {{0}, {0}}};
	int r;

	for (size_t i = 0; i < 2; i++) {
		c.buffers[i] = malloc(CHUNK);
		c.lists[i] = malloc(LIST_SIZE);
		if (!c.buffers[i] || !c.lists[i])
			return -ENOMEM;
	}
	r = compare_entry(&c, &root);
	if (r == 0)
		r = compare_dir(&c, "");
	while (r == 0 && c.todo.n > 0) {
		CLEANUP(freep) char *dir = c.todo.items[--c.todo.n];

		r = compare_dir(&c, dir);
	}
	if (r < 0)
		return r;
	*ret = TAKE_PTR(c.difference);
	return 0;
}
