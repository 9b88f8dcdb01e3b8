/* SPDX-License-Identifier: MIT */
/*
 * Entries become files in a tree that somebody else may be changing. The parent of each
 * entry is looked up anew below one descriptor, with no link on the way; the file
 * is made in it under a name that must not be there yet, never opened by what the name
 * leads to; and owner, mode and times are set through the descriptor of what was made.
 * Where only a name can be used (links, devices), what is found there must be like what
 * was made before it is touched.
 *
 * A directory that is there already is entered and keeps its content, as with tar and
 * Docker; but a directory never replaces another kind of file, or the other way round.
 */
#include "tar/tar.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "util/fs.h"
#include "util/str.h"
#include "util/sys.h"

enum { COPY_CHUNK = 256 << 10 };

struct dir {
	char *path;
	struct lcx__tar_xattr acls[2]; /* access control lists: what is made in it inherits one */
	dev_t dev;
	ino_t ino;
	mode_t mode;
	struct timespec mtime;
};

struct lcx__place {
	int dir_fd;
	struct lcx__place_options options;
	struct dir *dirs; /* whose mode and time come last */
	size_t n_dirs, size;
};

int lcx__place_new(int dir_fd, const struct lcx__place_options *options, struct lcx__place **ret,
		   struct lcx_error **err)
{
	struct lcx__place *place = calloc(1, sizeof(*place));

	if (!place)
		return lcx__fail_nomem(err);
	place->dir_fd = dir_fd;
	place->options = *options;
	*ret = place;
	return 0;
}

struct lcx__place *lcx__place_free(struct lcx__place *place)
{
	if (!place)
		return NULL;
	for (size_t i = 0; i < place->n_dirs; i++) {
		struct dir *d = &place->dirs[i];

		free(d->path);
		for (size_t a = 0; a < ARRAY_SIZE(d->acls); a++) {
			free(d->acls[a].name);
			free(d->acls[a].value);
		}
	}
	free(place->dirs);
	free(place);
	return NULL;
}

static int open_below(const struct lcx__place *place, const char *path, int flags)
{
	return sys_openat2(
		place->dir_fd, path[0] ? path : ".", (uint64_t)(flags | O_NOFOLLOW | O_CLOEXEC), 0,
		SYS_RESOLVE_BENEATH | SYS_RESOLVE_NO_SYMLINKS | SYS_RESOLVE_NO_MAGICLINKS);
}

/* *@ret_name points into @path. */
static int open_parent(const struct lcx__place *place, const char *path, const char **ret_name,
		       struct lcx_error **err)
{
	const char *slash = strrchr(path, '/');
	CLEANUP(freep) char *parent = strndup(path, slash ? (size_t)(slash - path) : 0);
	int fd;

	if (!parent)
		return lcx__fail_nomem(err);
	*ret_name = slash ? slash + 1 : path;
	fd = open_below(place, parent, O_PATH | O_DIRECTORY);
	/* An archive need not name the directories of its files. */
	if (fd == -ENOENT && parent[0]) {
		const char *name;
		CLEANUP(closep) int above = open_parent(place, parent, &name, err);

		if (above < 0)
			return above;
		if (mkdirat(above, name, 0755) < 0 && errno != EEXIST)
			return lcx__fail_sys(err, errno, "make the directory '%s'", parent);
		fd = open_below(place, parent, O_PATH | O_DIRECTORY);
	}
	return fd < 0 ? lcx__fail_sys(err, -fd, "open the directory of '%s'", path) : fd;
}

/* ---- attributes ---- */

static void owner_of(const struct lcx__place *place, const struct lcx__tar_entry *e, uid_t *uid,
		     gid_t *gid)
{
	const struct lcx__place_options *o = &place->options;

	*uid = lcx__uid_outside(o->map, o->set_owner ? o->uid : e->uid);
	*gid = lcx__gid_outside(o->map, o->set_owner ? o->gid : e->gid);
}

/* A set-id bit is a grant by the file's owner: nobody else's file may inherit it. */
static mode_t mode_of(const struct lcx__place *place, const struct lcx__tar_entry *e)
{
	const struct lcx__place_options *o = &place->options;
	mode_t mode = e->mode & 07777;

	if (o->drop_privileges || (o->set_owner && e->uid != o->uid))
		mode &= ~(mode_t)S_ISUID;
	if ((o->drop_privileges || (o->set_owner && e->gid != o->gid)) && !S_ISDIR(e->mode))
		mode &= ~(mode_t)S_ISGID;
	return mode;
}

/* An ordinary user can't give files away: all of them are his, as with other tools. */
static int change_owner(const struct lcx__place *place, const struct lcx__tar_entry *e, int fd)
{
	struct stat st;
	uid_t uid;
	gid_t gid;

	owner_of(place, e, &uid, &gid);
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_uid == uid && st.st_gid == gid)
		return 0;
	if (fchownat(fd, "", uid, gid, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) < 0)
		return errno == EPERM && geteuid() != 0 ? 0 : -errno;
	return 0;
}

static int set_xattr(int fd, const struct lcx__tar_xattr *x)
{
	if (fsetxattr(fd, x->name, x->value, x->size, 0) < 0 && errno != EOPNOTSUPP &&
	    errno != EPERM)
		return -errno;
	return 0;
}

static bool is_taken(const struct lcx__place *place, const struct lcx__tar_xattr *x)
{
	return lcx__tar_xattr_travels(x->name) &&
	       (!place->options.drop_privileges || strncmp(x->name, "user.", 5) == 0);
}

/* With the ids of this side; the caller owns it. */
static int copy_acl(const struct lcx__place *place, const struct lcx__tar_xattr *x,
		    struct lcx__tar_xattr *ret)
{
	*ret = (struct lcx__tar_xattr){strdup(x->name), malloc(x->size + 1), x->size};
	if (!ret->name || !ret->value)
		return -ENOMEM;
	memcpy(ret->value, x->value, x->size);
	lcx__acl_outside(ret->value, &ret->size, place->options.map);
	return 0;
}

static int set_acl(const struct lcx__place *place, int fd, const struct lcx__tar_xattr *x)
{
	struct lcx__tar_xattr acl;
	int r = copy_acl(place, x, &acl);

	if (r == 0)
		r = set_xattr(fd, &acl);
	free(acl.name);
	free(acl.value);
	return r;
}

static int set_xattrs(const struct lcx__place *place, const struct lcx__tar_entry *e, int fd)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < e->n_xattrs; i++) {
		const struct lcx__tar_xattr *x = &e->xattrs[i];

		if (!is_taken(place, x))
			continue;
		if (!lcx__acl_is(x->name))
			r = set_xattr(fd, x);
		else if (!S_ISDIR(e->mode)) /* those of directories come last */
			r = set_acl(place, fd, x);
	}
	return r;
}

static int finish_file(const struct lcx__place *place, const struct lcx__tar_entry *e, int fd)
{
	const struct timespec times[2] = {e->mtime, e->mtime};
	int r = change_owner(place, e, fd);

	if (r == 0)
		r = set_xattrs(place, e, fd);
	if (r == 0 && (fchmod(fd, mode_of(place, e)) < 0 || futimens(fd, times) < 0))
		r = -errno;
	return r;
}

/* ---- kinds ---- */

/* @wanted bytes of data; fewer if there are no more. Return: how many, or <0 with words. */
static int64_t copy_data(const struct lcx__source *content, int fd, char *buffer, uint64_t wanted,
			 struct lcx_error **err)
{
	uint64_t done = 0;

	while (done < wanted) {
		size_t size = wanted - done < COPY_CHUNK ? (size_t)(wanted - done) : COPY_CHUNK;
		ssize_t n = content->read(content->data, buffer, size, err);
		int r;

		if (n <= 0)
			return n < 0 ? n : (int64_t)done;
		r = lcx__write_all(fd, buffer, (size_t)n);
		if (r < 0)
			return lcx__fail_sys(err, -r, "write");
		done += (uint64_t)n;
	}
	return (int64_t)done;
}

/* Holes stay holes: they may be larger than any disk. */
static int copy_extents(const struct lcx__source *content, int fd, char *buffer, uint64_t size,
			struct lcx_error **err)
{
	uint64_t at = 0, hole, data;

	while (at < size) {
		int64_t n;
		int r = content->extent(content->data, &hole, &data, err);

		if (r < 0)
			return r;
		if (hole > size - at)
			hole = size - at;
		if (data > size - at - hole)
			data = size - at - hole;
		if (hole > 0 && lseek(fd, (off_t)hole, SEEK_CUR) < 0)
			return lcx__fail_sys(err, errno, "seek");
		at += hole;
		n = copy_data(content, fd, buffer, data, err);
		if (n < 0)
			return (int)n;
		at += (uint64_t)n;
		/* It became shorter meanwhile, or it ends. */
		if ((uint64_t)n < data || hole + data == 0)
			break;
	}
	return ftruncate(fd, (off_t)at) < 0 ? lcx__fail_sys(err, errno, "set its size") : 0;
}

static int copy_content(const struct lcx__source *content, int fd, uint64_t size,
			struct lcx_error **err)
{
	CLEANUP(freep) char *buffer = malloc(COPY_CHUNK);
	int64_t n;

	if (!buffer)
		return lcx__fail_nomem(err);
	if (content->extent)
		return copy_extents(content, fd, buffer, size, err);
	n = copy_data(content, fd, buffer, size, err);
	return n < 0 ? (int)n : 0;
}

static int add_file(const struct lcx__place *place, const struct lcx__tar_entry *e, int parent,
		    const char *name, const struct lcx__source *content, struct lcx_error **err)
{
	CLEANUP(closep)
	int fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r;

	if (fd < 0)
		return lcx__fail_sys(err, errno, "create");
	r = copy_content(content, fd, e->size, err);
	if (r < 0)
		return r;
	r = finish_file(place, e, fd);
	return r < 0 ? lcx__fail_sys(err, -r, "write") : 0;
}

static int keep_acls(const struct lcx__place *place, const struct lcx__tar_entry *e, struct dir *d)
{
	size_t n = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < e->n_xattrs && n < ARRAY_SIZE(d->acls); i++)
		if (lcx__acl_is(e->xattrs[i].name) && is_taken(place, &e->xattrs[i]))
			r = copy_acl(place, &e->xattrs[i], &d->acls[n++]);
	return r;
}

static int remember_dir(struct lcx__place *place, const struct lcx__tar_entry *e, int fd)
{
	struct stat st;
	struct dir *d;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (place->n_dirs == place->size) {
		size_t size = place->size ? place->size * 2 : 64;

		d = reallocarray(place->dirs, size, sizeof(*d));
		if (!d)
			return -ENOMEM;
		place->dirs = d;
		place->size = size;
	}
	d = &place->dirs[place->n_dirs];
	*d = (struct dir){.path = strdup(e->path),
			  .dev = st.st_dev,
			  .ino = st.st_ino,
			  .mode = mode_of(place, e),
			  .mtime = e->mtime};
	if (!d->path)
		return -ENOMEM;
	place->n_dirs++;
	return keep_acls(place, e, d);
}

static int add_dir(struct lcx__place *place, const struct lcx__tar_entry *e, int parent,
		   const char *name, struct lcx_error **err)
{
	CLEANUP(closep) int fd = -1;
	int r;

	if (mkdirat(parent, name, 0700) < 0 && errno != EEXIST)
		return lcx__fail_sys(err, errno, "make the directory");
	fd = lcx__open_dir(parent, name);
	if (fd < 0)
		return lcx__fail_sys(err, -fd, "open the directory");
	r = change_owner(place, e, fd);
	if (r == 0)
		r = set_xattrs(place, e, fd);
	if (r == 0)
		r = remember_dir(place, e, fd);
	return r < 0 ? lcx__fail_sys(err, -r, "make the directory") : 0;
}

/* What is at @name now must be of the kind that was made there, and have no other name. */
static int open_made(int parent, const char *name, mode_t kind)
{
	CLEANUP(closep) int fd = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	return (st.st_mode & S_IFMT) == kind && st.st_nlink == 1 ? TAKE_FD(fd) : -ESTALE;
}

static int add_symlink(const struct lcx__place *place, const struct lcx__tar_entry *e, int parent,
		       const char *name, struct lcx_error **err)
{
	const struct timespec times[2] = {e->mtime, e->mtime};
	CLEANUP(closep) int fd = -1;
	int r;

	if (symlinkat(e->link, parent, name) < 0)
		return lcx__fail_sys(err, errno, "make the symbolic link");
	fd = open_made(parent, name, S_IFLNK);
	r = fd < 0 ? fd : change_owner(place, e, fd);
	/* Of links the time can be set by name only; it is just a time. */
	if (r == 0 && utimensat(parent, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		r = -errno;
	return r < 0 ? lcx__fail_sys(err, -r, "make the symbolic link") : 0;
}

static int add_node(const struct lcx__place *place, const struct lcx__tar_entry *e, int parent,
		    const char *name, struct lcx_error **err)
{
	const struct timespec times[2] = {e->mtime, e->mtime};
	CLEANUP(closep) int fd = -1;
	char self[40];
	int r;

	if (!S_ISFIFO(e->mode) && !place->options.devices)
		return lcx__fail(err, EPERM, "device nodes are not taken out of a container");
	if (mknodat(parent, name, (e->mode & S_IFMT) | 0600, e->device) < 0)
		return lcx__fail_sys(err, errno, "make the node");
	fd = open_made(parent, name, e->mode & S_IFMT);
	r = fd < 0 ? fd : change_owner(place, e, fd);
	/* fchmod(2) and futimens(2) take no O_PATH; here a name leads to the node itself. */
	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	if (r == 0 &&
	    (chmod(self, mode_of(place, e)) < 0 || utimensat(AT_FDCWD, self, times, 0) < 0))
		r = -errno;
	return r < 0 ? lcx__fail_sys(err, -r, "make the node") : 0;
}

static int add_hard_link(const struct lcx__place *place, const struct lcx__tar_entry *e, int parent,
			 const char *name, struct lcx_error **err)
{
	CLEANUP(closep) int target_dir = -1;
	const char *target;
	struct stat st;

	target_dir = open_parent(place, e->link, &target, err);
	if (target_dir < 0)
		return target_dir;
	if (!target[0] || fstatat(target_dir, target, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    S_ISDIR(st.st_mode))
		return lcx__fail(err, EBADMSG, "hard link to '%s', which is not a file here",
				 e->link);
	if (linkat(target_dir, target, parent, name, 0) < 0)
		return lcx__fail_sys(err, errno, "hard link to '%s'", e->link);
	return 0;
}

/* ---- an entry ---- */

static int clear(const struct lcx__tar_entry *e, int parent, const char *name,
		 struct lcx_error **err)
{
	bool dir_comes = S_ISDIR(e->mode) && !e->hard;
	struct stat st;

	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : lcx__fail_sys(err, errno, "stat");
	if (S_ISDIR(st.st_mode) && !dir_comes)
		return lcx__fail(err, EISDIR, "a directory can't be overwritten by a file");
	if (!S_ISDIR(st.st_mode) && dir_comes)
		return lcx__fail(err, ENOTDIR, "a file can't be overwritten by a directory");
	if (!dir_comes && unlinkat(parent, name, 0) < 0 && errno != ENOENT)
		return lcx__fail_sys(err, errno, "replace what is there");
	return 0;
}

static int add_kind(struct lcx__place *place, const struct lcx__tar_entry *e, int parent,
		    const char *name, const struct lcx__source *content, struct lcx_error **err)
{
	if (e->hard)
		return add_hard_link(place, e, parent, name, err);
	switch (e->mode & S_IFMT) {
	case S_IFREG:
		return add_file(place, e, parent, name, content, err);
	case S_IFDIR:
		return add_dir(place, e, parent, name, err);
	case S_IFLNK:
		return add_symlink(place, e, parent, name, err);
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
		return add_node(place, e, parent, name, err);
	default:
		return lcx__fail(err, EBADMSG, "an entry of type %o is refused", e->mode & S_IFMT);
	}
}

static bool is_itself(const struct lcx__tar_entry *e)
{
	return e->hard && strcmp(e->path, e->link) == 0;
}

static int add(void *data, const struct lcx__tar_entry *e, const struct lcx__source *content,
	       struct lcx_error **err)
{
	struct lcx__place *place = data;
	CLEANUP(closep) int parent = -1;
	const char *name;
	int r;

	if (!e->path[0] || is_itself(e)) /* the tree's top stays as it is */
		return 0;
	parent = open_parent(place, e->path, &name, err);
	r = parent < 0 ? parent : clear(e, parent, name, err);
	if (r == 0)
		r = add_kind(place, e, parent, name, content, err);
	return r < 0 ? lcx__fail_prefix(err, r, "'%.500s'", e->path) : 0;
}

struct lcx__entry_sink lcx__place_sink(struct lcx__place *place)
{
	return (struct lcx__entry_sink){add, place};
}

int lcx__place_finish(struct lcx__place *place, struct lcx_error **err)
{
	/* The last first: a directory comes after the one it is in. */
	for (size_t i = place->n_dirs; i-- > 0;) {
		const struct dir *d = &place->dirs[i];
		const struct timespec times[2] = {d->mtime, d->mtime};
		CLEANUP(closep) int fd = open_below(place, d->path, O_RDONLY | O_DIRECTORY);
		struct stat st;
		int r = 0;

		if (fd < 0 || fstat(fd, &st) < 0 || st.st_dev != d->dev || st.st_ino != d->ino)
			continue; /* whoever took it away has its own ideas */
		for (size_t a = 0; r == 0 && a < ARRAY_SIZE(d->acls) && d->acls[a].value; a++)
			r = set_xattr(fd, &d->acls[a]);
		if (r < 0)
			return lcx__fail_sys(err, -r, "access control list of directory '%s'",
					     d->path);
		if (fchmod(fd, d->mode) < 0 || futimens(fd, times) < 0)
			return lcx__fail_sys(err, errno, "mode and time of directory '%s'",
					     d->path);
	}
	return 0;
}
