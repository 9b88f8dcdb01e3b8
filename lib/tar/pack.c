/* SPDX-License-Identifier: MIT */
/*
 * A tree becomes entries. Whoever owns the tree may change it at any moment, so that a
 * name is opened once, as a mere handle (O_PATH) that no link can redirect, and all that
 * is said of the file is read through that handle. Content is opened only of what
 * the handle says is a regular file: a device or a pipe would answer, or block.
 */
#include "tar/tar.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

#include "util/fs.h"
#include "util/str.h"
#include "util/sys.h"
#include "util/walk.h"

#ifndef MQUEUE_MAGIC
#define MQUEUE_MAGIC 0x19800202
#endif

enum { LINK_MAX_BYTES = 4096, PROC_PATH_SIZE = 40, LEASE_PATIENCE_MS = 5000 };

struct pack {
	const struct lcx__pack_options *options;
	const struct lcx__entry_sink *sink;
	struct lcx__links links;
	struct lcx__walk walk;
	const char *as;
};

static void pack_clearp(struct pack *pack)
{
	lcx__links_clear(&pack->links);
	lcx__walk_clear(&pack->walk);
}

static void self_path(int fd, char path[static PROC_PATH_SIZE])
{
	(void)snprintf(path, PROC_PATH_SIZE, "/proc/self/fd/%d", fd);
}

/* ---- one file ---- */

/* What counts for the root of a user namespace is, in there, what every image may say. */
static void capabilities_inside(struct lcx__tar_xattr *x, const struct lcx__id_map *map)
{
	struct vfs_ns_cap_data caps;
	uint32_t magic;

	if (!map || map->n_uids == 0 || strcmp(x->name, "security.capability") != 0 ||
	    x->size != sizeof(caps))
		return;
	memcpy(&caps, x->value, sizeof(caps));
	magic = le32toh(caps.magic_etc);
	if ((magic & VFS_CAP_REVISION_MASK) != VFS_CAP_REVISION_3 ||
	    le32toh(caps.rootid) != lcx__uid_outside(map, 0))
		return;
	caps.magic_etc = htole32((magic & ~(uint32_t)VFS_CAP_REVISION_MASK) | VFS_CAP_REVISION_2);
	memcpy(x->value, &caps, XATTR_CAPS_SZ_2);
	x->size = XATTR_CAPS_SZ_2;
}

static int add_xattr(struct lcx__tar_entry *e, const char *file, const char *name,
		     const struct lcx__id_map *map)
{
	struct lcx__tar_xattr *bigger;
	CLEANUP(freep) char *value = NULL;
	ssize_t size = getxattr(file, name, NULL, 0), n = 0;

	if (size > 0) {
		value = malloc((size_t)size);
		if (!value)
			return -ENOMEM;
		n = getxattr(file, name, value, (size_t)size);
	}
	if (size < 0 || n < 0) /* removed or replaced meanwhile */
		return errno == ENODATA || errno == ERANGE ? 0 : -errno;
	bigger = realloc(e->xattrs, (e->n_xattrs + 1) * sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	e->xattrs = bigger;
	bigger[e->n_xattrs] = (struct lcx__tar_xattr){strdup(name), TAKE_PTR(value), (size_t)n};
	if (lcx__acl_is(name) && n > 0)
		lcx__acl_inside(bigger[e->n_xattrs].value, &bigger[e->n_xattrs].size, map);
	if (bigger[e->n_xattrs].name && n > 0)
		capabilities_inside(&bigger[e->n_xattrs], map);
	return bigger[e->n_xattrs++].name ? 0 : -ENOMEM;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct lcx__tar_xattr *)a)->name,
		      ((const struct lcx__tar_xattr *)b)->name);
}

static int read_xattrs(int path_fd, struct lcx__tar_entry *e, const struct lcx__id_map *map)
{
	char file[PROC_PATH_SIZE];
	CLEANUP(freep) char *names = NULL;
	ssize_t size;
	int r = 0;

	self_path(path_fd, file);
	size = listxattr(file, NULL, 0);
	if (size <= 0)
		return size == 0 || errno == EOPNOTSUPP ? 0 : -errno;
	names = malloc((size_t)size);
	if (!names)
		return -ENOMEM;
	size = listxattr(file, names, (size_t)size);
	if (size < 0)
		return errno == ERANGE ? 0 : -errno;
	for (const char *name = names; r == 0 && name < names + size; name += strlen(name) + 1)
		if (lcx__tar_xattr_travels(name))
			r = add_xattr(e, file, name, map);
	if (e->n_xattrs > 1)
		qsort(e->xattrs, e->n_xattrs, sizeof(*e->xattrs), by_name);
	return r;
}

static int read_link(int path_fd, struct lcx__tar_entry *e)
{
	char text[LINK_MAX_BYTES];
	ssize_t n = readlinkat(path_fd, "", text, sizeof(text));

	if (n < 0)
		return -errno;
	e->link = strndup(text, (size_t)n);
	return e->link ? 0 : -ENOMEM;
}

static int describe(int path_fd, const struct stat *st, const char *path,
		    const struct lcx__id_map *map, struct lcx__tar_entry *e)
{
	int r = 0;

	*e = (struct lcx__tar_entry){
		.path = strdup(path),
		.mode = st->st_mode,
		.uid = lcx__uid_inside(map, st->st_uid),
		.gid = lcx__gid_inside(map, st->st_gid),
		.device = st->st_rdev,
		.size = S_ISREG(st->st_mode) ? (uint64_t)st->st_size : 0,
		.mtime = st->st_mtim,
	};
	if (!e->path)
		return -ENOMEM;
	if (S_ISLNK(st->st_mode))
		r = read_link(path_fd, e);
	return r < 0 ? r : read_xattrs(path_fd, e, map);
}

static int hand_on(int path_fd, const struct lcx__tar_entry *e, const struct lcx__entry_sink *sink,
		   struct lcx_error **err)
{
	CLEANUP(closep) int fd = -1;
	struct lcx__source content;
	char file[PROC_PATH_SIZE];

	if (!S_ISREG(e->mode) || e->hard)
		return sink->add(sink->data, e, NULL, err);
	self_path(path_fd, file);
	fd = lcx__open_leased(file, LEASE_PATIENCE_MS);
	if (fd == -ETIME)
		return lcx__fail(err, ETIME,
				 "open '%s': a process holds a lease on it, fcntl(2), and does not "
				 "give it back",
				 e->path);
	if (fd < 0)
		return lcx__fail_sys(err, -fd, "open '%s'", e->path);
	content = lcx__source_fd(&fd);
	return sink->add(sink->data, e, &content, err);
}

/* A link has nothing of its own to say but where to. */
static int make_hard(struct lcx__tar_entry *e, const char *first)
{
	free(e->link);
	e->link = strdup(first);
	e->hard = true;
	for (size_t i = 0; i < e->n_xattrs; i++) {
		free(e->xattrs[i].name);
		free(e->xattrs[i].value);
	}
	e->n_xattrs = 0;
	return e->link ? 0 : -ENOMEM;
}

static int pack_entry(int path_fd, const struct stat *st, const char *path,
		      const struct lcx__id_map *map, struct lcx__links *links,
		      const struct lcx__entry_sink *sink, struct lcx_error **err)
{
	CLEANUP(lcx__tar_entry_clear) struct lcx__tar_entry e = {0};
	const char *first = NULL;
	int r;

	if (S_ISSOCK(st->st_mode))
		return 0; /* it means nothing without the process behind it */
	r = describe(path_fd, st, path, map, &e);
	if (r == 0 && links && st->st_nlink > 1 && !S_ISDIR(st->st_mode))
		r = lcx__links_see(links, st->st_dev, st->st_ino, path, &first);
	if (r == 0 && first)
		r = make_hard(&e, first);
	if (r < 0)
		return lcx__fail_sys(err, -r, "read '%s'", path);
	return hand_on(path_fd, &e, sink, err);
}

int lcx__pack_file(int path_fd, const char *path, const struct lcx__id_map *map,
		   struct lcx__links *links, const struct lcx__entry_sink *sink,
		   struct lcx_error **err)
{
	struct stat st;

	if (fstat(path_fd, &st) < 0)
		return lcx__fail_sys(err, errno, "stat '%s'", path);
	return pack_entry(path_fd, &st, path, map, links, sink, err);
}

/* ---- a tree ---- */

/* Files that the kernel makes up are nobody's content. */
static bool is_kernels(int fd)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return true;
	switch ((unsigned long)fs.f_type) {
	case PROC_SUPER_MAGIC:
	case SYSFS_MAGIC:
	case CGROUP_SUPER_MAGIC:
	case CGROUP2_SUPER_MAGIC:
	case DEVPTS_SUPER_MAGIC:
	case DEBUGFS_MAGIC:
	case TRACEFS_MAGIC:
	case SECURITYFS_MAGIC:
	case BPF_FS_MAGIC:
	case MQUEUE_MAGIC:
		return true;
	default:
		return false;
	}
}

static char *present_path(const struct pack *pack)
{
	return lcx__format("%s%s%s", pack->as, pack->as[0] ? "/" : "", pack->walk.path);
}

static int enter(struct pack *pack, int path_fd, dev_t parent_dev, const struct stat *st)
{
	int fd;

	if (pack->options->empty_dir && pack->walk.path &&
	    strcmp(pack->walk.path, pack->options->empty_dir) == 0)
		return 0;
	if (st->st_dev != parent_dev && is_kernels(path_fd))
		return 0;
	fd = openat(path_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	return lcx__walk_enter(&pack->walk, fd, NULL);
}

static int pack_present(struct pack *pack, struct lcx_error **err)
{
	CLEANUP(closep) int fd = lcx__walk_open(&pack->walk, O_PATH);
	CLEANUP(freep) char *path = present_path(pack);
	struct stat st, dir;
	int r;

	if (!path)
		return lcx__fail_nomem(err);
	/* Without crossing, what is mounted here (EXDEV) is not the tree's. */
	if (fd == -ENOENT || fd == -EXDEV)
		return 0;
	if (fd < 0)
		return lcx__fail_sys(err, -fd, "open '%s'", path);
	if (fstat(fd, &st) < 0 || fstat(lcx__walk_here(&pack->walk)->fd, &dir) < 0)
		return lcx__fail_sys(err, errno, "stat '%s'", path);
	/* A file of /proc that is mounted somewhere else: its size means nothing. */
	if (S_ISREG(st.st_mode) && st.st_dev != dir.st_dev && is_kernels(fd))
		return 0;
	r = pack_entry(fd, &st, path, pack->options->map, &pack->links, pack->sink, err);
	if (r < 0 || !S_ISDIR(st.st_mode))
		return r;
	r = enter(pack, fd, dir.st_dev, &st);
	return r < 0 ? lcx__fail_sys(err, -r, "read the directory '%s'", path) : 0;
}

int lcx__pack(int dir_fd, const char *name, const char *as, const struct lcx__pack_options *options,
	      const struct lcx__entry_sink *sink, struct lcx_error **err)
{
	CLEANUP(pack_clearp) struct pack pack = {.options = options, .sink = sink, .as = as};
	CLEANUP(closep) int top = -1;
	struct stat st;
	int r = 0;

	pack.walk.cross = options->cross;
	top = openat(dir_fd, name[0] ? name : ".", O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (top < 0 || fstat(top, &st) < 0)
		return lcx__fail_sys(err, errno, "open '%s'", name[0] ? name : as);
	if (as[0])
		r = pack_entry(top, &st, as, options->map, &pack.links, sink, err);
	if (r < 0 || !S_ISDIR(st.st_mode))
		return r;
	r = enter(&pack, top, st.st_dev, &st);
	if (r < 0)
		return lcx__fail_sys(err, -r, "read the directory '%s'", as);
	while ((r = lcx__walk_next(&pack.walk)) > 0) {
		r = pack_present(&pack, err);
		if (r < 0)
			return r;
	}
	return r < 0 ? lcx__fail_sys(err, -r, "read the directory '%s'", as) : 0;
}
