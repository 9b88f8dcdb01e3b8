/* SPDX-License-Identifier: MIT */
/*
 * Theory of operation. An archive is a list of orders from a stranger. Each is
 * carried out so that it can't reach out of the root, whatever came before it and
 * whatever another process does to the tree meanwhile:
 *
 *  - The parent directory is opened by openat2(2) below the root descriptor, with
 *    every symbolic link resolved as if the root were "/"; magic links are refused.
 *  - The last component is never followed: it is made by mkdirat, symlinkat, linkat,
 *    mknodat or open with O_EXCL in that parent. What stands there already is removed
 *    first, except a directory that meets a directory.
 *  - A hard link's target is looked up by the same two rules; it must be a file that
 *    this layer made.
 *  - Owner before extended attributes before mode: chown(2) clears setuid bits and
 *    capabilities, and until then a file is ours and 0600.
 *  - Directories stay 0700 to the end and get mode and time last, deepest first.
 *
 * Deletions come as files named ".wh.NAME" or ".wh..wh..opq" and become what
 * overlayfs reads: a character device 0:0, and an attribute. They concern lower
 * layers only, so they commute with the entries of this one: a file hides what lies
 * below by itself, a directory has to be opaque for it.
 */
#include "image/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "util/fs.h"
#include "util/str.h"
#include "util/sys.h"

#define WHITEOUT                                                                                   \
	"."                                                                                        \
	"wh."
#define OPAQUE_MARK WHITEOUT WHITEOUT ".opq"

/* Paths of directories are kept to the end: a bound on that memory. */
enum {
	DEFERRED_BYTES_MAX = 64 << 20,
	IMPLIED_MAX = 16384,
	SKIPPED_BYTES_MAX = 64 << 10,
};

struct deferred {
	char *path;
	size_t order;
	mode_t mode;
	struct timespec mtime;
};

struct lcx__tree {
	int root_fd;
	struct lcx__extract_rights rights;
	char *parent_path; /* what parent_fd is; NULL if it has to be opened anew */
	int parent_fd;
	struct deferred *deferred;
	size_t n_deferred, deferred_size, deferred_bytes;
	struct lcx__strbuf implied; /* paths, with a NUL behind each */
	size_t n_implied;
	struct lcx__strbuf skipped; /* of devices, likewise: hard links to them are no fault */
};

int lcx__tree_new(int root_fd, const struct lcx__extract_rights *rights, struct lcx__tree **ret)
{
	struct lcx__tree *tree = calloc(1, sizeof(*tree));

	if (!tree)
		return -ENOMEM;
	tree->root_fd = root_fd;
	tree->rights = *rights;
	tree->parent_fd = -1;
	lcx__strbuf_add(&tree->implied, "", 1); /* the root, until an entry names it */
	if (tree->implied.failed) {
		free(tree);
		return -ENOMEM;
	}
	*ret = tree;
	return 0;
}

static void forget_parent(struct lcx__tree *tree)
{
	free(TAKE_PTR(tree->parent_path));
	closep(&tree->parent_fd);
}

struct lcx__tree *lcx__tree_free(struct lcx__tree *tree)
{
	if (!tree)
		return NULL;
	forget_parent(tree);
	for (size_t i = 0; i < tree->n_deferred; i++)
		free(tree->deferred[i].path);
	free(tree->deferred);
	lcx__strbuf_free(&tree->implied);
	lcx__strbuf_free(&tree->skipped);
	free(tree);
	return NULL;
}

int lcx__tree_path(char *path, struct lcx_error **err)
{
	char *from = path, *to = path;

	while (*from) {
		size_t length = strcspn(from, "/");

		if (length == 2 && memcmp(from, "..", 2) == 0)
			return lcx__fail(err, EBADMSG, "'..' in a path is refused");
		if (length > 0 && !(length == 1 && from[0] == '.')) {
			if (to > path)
				*to++ = '/';
			memmove(to, from, length);
			to += length;
		}
		from += length;
		from += strspn(from, "/");
	}
	*to = '\0';
	return 0;
}

/* Below the root, as a process in it would see it; "" is the root. */
static int open_below(const struct lcx__tree *tree, const char *path, int flags)
{
	return lcx__open_in_root(tree->root_fd, path[0] ? path : ".", flags, 0);
}

static bool is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

static int set_opaque(const struct lcx__tree *tree, int dir_fd, struct lcx_error **err)
{
	const char *name =
		tree->rights.userxattr ? "user.overlay.opaque" : "trusted.overlay.opaque";

	if (fsetxattr(dir_fd, name, "y", 1, 0) < 0)
		return lcx__fail_sys(err, errno, "mark the directory opaque (%s)", name);
	return 0;
}

/*
 * Make one directory that must be new, and return it open. Where this layer has
 * deleted the name before, what lies below must stay hidden.
 */
static int make_dir(const struct lcx__tree *tree, int parent_fd, const char *name, mode_t mode,
		    bool opaque, struct lcx_error **err)
{
	CLEANUP(closep) int fd = -1;
	int r;

	if (mkdirat(parent_fd, name, 0700) < 0)
		return lcx__fail_sys(err, errno, "mkdir");
	fd = lcx__open_dir(parent_fd, name);
	if (fd < 0)
		return lcx__fail_sys(err, -fd, "open the new directory");
	if (fchmod(fd, mode) < 0)
		return lcx__fail_sys(err, errno, "chmod");
	r = opaque ? set_opaque(tree, fd, err) : 0;
	return r < 0 ? r : TAKE_FD(fd);
}

/*
 * One missing component of a parent path: the archive doesn't have to name them all.
 * Return: 1 if a directory of a lower layer may show through, 0 if not.
 */
static int make_component(const struct lcx__tree *tree, int parent_fd, const char *name,
			  struct lcx_error **err)
{
	CLEANUP(closep) int fd = -1;
	struct stat st;
	bool deleted;

	if (fstatat(parent_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno != ENOENT)
			return lcx__fail_sys(err, errno, "stat '%.255s'", name);
		deleted = false;
	} else {
		deleted = is_whiteout(&st);
		if (!deleted)
			return lcx__fail(err, EBADMSG, "'%.255s' is not a directory", name);
		if (unlinkat(parent_fd, name, 0) < 0)
			return lcx__fail_sys(err, errno, "replace the whiteout '%.255s'", name);
	}
	fd = make_dir(tree, parent_fd, name, 0755, deleted, err);
	return fd < 0 ? fd : !deleted;
}

static int note_implied(struct lcx__tree *tree, const char *path, struct lcx_error **err)
{
	if (++tree->n_implied > IMPLIED_MAX ||
	    tree->implied.length + strlen(path) >= LCX__TREE_IMPLIED_BYTES)
		return lcx__fail(err, EBADMSG, "too many directories that no entry names");
	lcx__strbuf_add(&tree->implied, path, strlen(path) + 1);
	return tree->implied.failed ? lcx__fail_nomem(err) : 0;
}

/* Enter @path component by component, always from the root, and make what is missing. */
static int make_parents(struct lcx__tree *tree, char *path, struct lcx_error **err)
{
	char *end = path, *name = path;

	for (;;) {
		CLEANUP(closep) int parent = -1, there = -1;
		char cut;
		int r;

		end += strcspn(end, "/");
		cut = *end;
		*end = '\0';
		there = open_below(tree, path, O_PATH | O_DIRECTORY);
		if (there == -ENOENT || there == -ENOTDIR) {
			if (name > path)
				name[-1] = '\0';
			parent = open_below(tree, name > path ? path : "", O_PATH | O_DIRECTORY);
			if (name > path)
				name[-1] = '/';
			if (parent < 0)
				return lcx__fail_sys(err, -parent, "open its directory");
			r = make_component(tree, parent, name, err);
			if (r > 0)
				r = note_implied(tree, path, err);
			if (r < 0)
				return r;
		} else if (there < 0) {
			return lcx__fail_sys(err, -there, "open its directory");
		}
		*end = cut;
		if (cut == '\0')
			return 0;
		name = ++end;
	}
}

/*
 * The directory of @path and, in *@ret_name, what is to be made in it. The last
 * directory is kept open: archives come in order.
 */
static int open_parent(struct lcx__tree *tree, const char *path, bool make, int *ret_fd,
		       const char **ret_name, struct lcx_error **err)
{
	const char *slash = strrchr(path, '/');
	CLEANUP(freep) char *dir = strndup(path, slash ? (size_t)(slash - path) : 0);
	int fd, r;

	if (!dir)
		return lcx__fail_nomem(err);
	*ret_name = slash ? slash + 1 : path;
	if (tree->parent_path && strcmp(tree->parent_path, dir) == 0) {
		*ret_fd = tree->parent_fd;
		return 0;
	}
	forget_parent(tree);
	fd = open_below(tree, dir, O_PATH | O_DIRECTORY);
	if ((fd == -ENOENT || fd == -ENOTDIR) && make) {
		r = make_parents(tree, dir, err);
		if (r < 0)
			return r;
		fd = open_below(tree, dir, O_PATH | O_DIRECTORY);
	}
	if (fd < 0)
		return lcx__fail_sys(err, fd == -ELOOP ? EBADMSG : -fd,
				     "open the directory of '%.300s'", path);
	tree->parent_path = TAKE_PTR(dir);
	tree->parent_fd = *ret_fd = fd;
	return 0;
}

/* The place where something new goes. */
struct place {
	int dir_fd;
	const char *name;
	bool deleted; /* this layer had something else here: nothing below may show through */
};

/*
 * Extended attributes: what an image may say about its own files is taken; the
 * host's own labels (security.selinux, .ima, ...) are the host's; and nobody but
 * us writes overlayfs's private ones, which redirect to other files.
 */
static const struct xattr_rule {
	const char *prefix;
	enum { XATTR_SET, XATTR_DROP, XATTR_REFUSE } action;
} xattr_rules[] = {
	{"user.overlay.", XATTR_REFUSE},
	{"trusted.overlay.", XATTR_REFUSE},
	{"user.", XATTR_SET},
	{"trusted.", XATTR_SET},
	{"security.capability", XATTR_SET},
	{"system.posix_acl_", XATTR_SET},
	{"", XATTR_DROP},
};

/*
 * Not there on this file system, or not ours to give: then the tree is as good as it can
 * be here, as with other tools. With full rights a refusal is a failure.
 */
static bool xattr_failure_is_fine(const struct lcx__tree *tree, int code)
{
	return code == EOPNOTSUPP || (code == EPERM && !tree->rights.devices);
}

/* What is no directory and no regular file can't be opened, and has its attributes by a path. */
static int set_xattr_at(const struct lcx__tree *tree, const struct place *at,
			const struct lcx__xattr *x)
{
	CLEANUP(freep) char *path = NULL;

	if (tree->rights.enclosed) {
		if (fchdir(at->dir_fd) < 0)
			return -errno;
		return lsetxattr(at->name, x->name, x->value, x->size, 0) < 0 ? -errno : 0;
	}
	path = lcx__format("/proc/self/fd/%d/%s", at->dir_fd, at->name);
	if (!path)
		return -ENOMEM;
	return lsetxattr(path, x->name, x->value, x->size, 0) < 0 ? -errno : 0;
}

static int set_xattr(const struct lcx__tree *tree, const struct place *at, int fd,
		     const struct lcx__xattr *x)
{
	if (fd < 0)
		return set_xattr_at(tree, at, x);
	return fsetxattr(fd, x->name, x->value, x->size, 0) < 0 ? -errno : 0;
}

/* On the open @fd, or if that is -1, on what is at the place. */
static int set_xattrs(const struct lcx__tree *tree, const struct lcx__entry *e,
		      const struct place *at, int fd, struct lcx_error **err)
{
	for (size_t i = 0; i < e->n_xattrs; i++) {
		const struct lcx__xattr *x = &e->xattrs[i];
		const struct xattr_rule *rule = xattr_rules;
		int r = 0;

		while (strncmp(x->name, rule->prefix, strlen(rule->prefix)) != 0)
			rule++;
		if (rule->action == XATTR_REFUSE)
			return lcx__fail(err, EBADMSG, "the attribute '%.100s' is refused",
					 x->name);
		if (rule->action == XATTR_SET)
			r = set_xattr(tree, at, fd, x);
		if (r < 0 && !xattr_failure_is_fine(tree, -r))
			return lcx__fail_sys(err, -r, "set the attribute '%.100s'", x->name);
	}
	return 0;
}

/* Access time is not in the archive; the modification time makes trees reproducible. */
static void both_times(const struct lcx__entry *e, struct timespec times[2])
{
	times[0] = times[1] = e->mtime;
}

static int change_owner(const struct lcx__tree *tree, const struct lcx__entry *e, int dir_fd,
			const char *name, struct lcx_error **err)
{
	int flags = AT_SYMLINK_NOFOLLOW | (name[0] == '\0' ? AT_EMPTY_PATH : 0);

	if (!tree->rights.chown || fchownat(dir_fd, name, e->uid, e->gid, flags) == 0)
		return 0;
	if (errno == EINVAL)
		return lcx__fail(
			err, EOVERFLOW,
			"the owner %u:%u has no id here: this user namespace needs a larger "
			"range (subuid(5))",
			e->uid, e->gid);
	return lcx__fail_sys(err, errno, "chown to %u:%u", e->uid, e->gid);
}

static int defer(struct lcx__tree *tree, const struct lcx__entry *e, struct lcx_error **err)
{
	struct deferred *d;

	tree->deferred_bytes += strlen(e->path) + sizeof(*d);
	if (tree->deferred_bytes > DEFERRED_BYTES_MAX)
		return lcx__fail(err, EBADMSG, "too many directories");
	if (tree->n_deferred == tree->deferred_size) {
		size_t size = tree->deferred_size ? tree->deferred_size * 2 : 256;

		d = realloc(tree->deferred, size * sizeof(*d));
		if (!d)
			return lcx__fail_nomem(err);
		tree->deferred = d;
		tree->deferred_size = size;
	}
	d = &tree->deferred[tree->n_deferred];
	d->path = strdup(e->path);
	if (!d->path)
		return lcx__fail_nomem(err);
	d->order = tree->n_deferred++;
	d->mode = e->mode & 07777;
	d->mtime = e->mtime;
	return 0;
}

/* Deeper before shallower, and of two equal paths the later entry first. */
static int compare_deferred(const void *a, const void *b)
{
	const struct deferred *x = a, *y = b;
	int r = strcmp(y->path, x->path);

	return r != 0 ? r : x->order < y->order ? 1 : -1;
}

static int compare_path(const void *path, const void *item)
{
	return strcmp(((const struct deferred *)item)->path, path);
}

/* An entry that came after all has named some of them. */
static int forget_named(struct lcx__tree *tree, struct lcx_error **err)
{
	struct lcx__strbuf kept = STRBUF_EMPTY;
	const char *end = tree->implied.text + tree->implied.length;

	for (const char *path = tree->implied.text; path < end; path += strlen(path) + 1)
		if (tree->n_deferred == 0 || !bsearch(path, tree->deferred, tree->n_deferred,
						      sizeof(*tree->deferred), compare_path))
			lcx__strbuf_add(&kept, path, strlen(path) + 1);
	lcx__strbuf_free(&tree->implied);
	tree->implied = kept;
	return kept.failed ? lcx__fail_nomem(err) : 0;
}

const struct lcx__strbuf *lcx__tree_implied(const struct lcx__tree *tree)
{
	return &tree->implied;
}

int lcx__tree_finish(struct lcx__tree *tree, struct lcx_error **err)
{
	forget_parent(tree);
	if (tree->n_deferred > 0)
		qsort(tree->deferred, tree->n_deferred, sizeof(*tree->deferred), compare_deferred);
	for (size_t i = 0; i < tree->n_deferred; i++) {
		const struct deferred *d = &tree->deferred[i];
		struct timespec times[2] = {d->mtime, d->mtime};
		CLEANUP(closep) int fd = -1;

		if (i > 0 && strcmp(d[-1].path, d->path) == 0)
			continue;
		fd = open_below(tree, d->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
		if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP)
			continue; /* a later entry replaced it */
		if (fd < 0)
			return lcx__fail_sys(err, -fd, "open directory '%.300s'", d->path);
		if (fchmod(fd, d->mode) < 0 || futimens(fd, times) < 0)
			return lcx__fail_sys(err, errno, "mode and time of directory '%.300s'",
					     d->path);
	}
	return forget_named(tree, err);
}

static int add_dir(struct lcx__tree *tree, const struct lcx__entry *e, const struct place *at,
		   struct lcx_error **err)
{
	CLEANUP(closep) int fd = -1;
	int r;

	fd = lcx__open_dir(at->dir_fd, at->name);
	if (fd == -ENOENT)
		fd = make_dir(tree, at->dir_fd, at->name, 0700, at->deleted, err);
	if (fd < 0)
		return lcx__fail_sys(err, -fd, "open the directory");
	/* An implied directory is 0755 so far; entries to come need it writable. */
	if (fchmod(fd, 0700) < 0)
		return lcx__fail_sys(err, errno, "chmod");
	r = change_owner(tree, e, fd, "", err);
	if (r == 0)
		r = set_xattrs(tree, e, NULL, fd, err);
	return r < 0 ? r : defer(tree, e, err);
}

static int add_root(struct lcx__tree *tree, const struct lcx__entry *e, struct lcx_error **err)
{
	CLEANUP(closep) int fd = open_below(tree, "", O_RDONLY | O_DIRECTORY);
	int r;

	if (fd < 0)
		return lcx__fail_sys(err, -fd, "open the root");
	if (!S_ISDIR(e->mode))
		return lcx__fail(err, EBADMSG, "the root must be a directory");
	r = change_owner(tree, e, fd, "", err);
	if (r == 0)
		r = set_xattrs(tree, e, NULL, fd, err);
	return r < 0 ? r : defer(tree, e, err);
}

static int add_symlink(struct lcx__tree *tree, const struct lcx__entry *e, const struct place *at,
		       struct lcx_error **err)
{
	struct timespec times[2];
	int r;

	if (symlinkat(e->link, at->dir_fd, at->name) < 0)
		return lcx__fail_sys(err, errno, "symlink");
	r = change_owner(tree, e, at->dir_fd, at->name, err);
	if (r == 0)
		r = set_xattrs(tree, e, at, -1, err);
	if (r < 0)
		return r;
	both_times(e, times);
	if (utimensat(at->dir_fd, at->name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return lcx__fail_sys(err, errno, "set the time");
	return 0;
}

/*
 * The host's umask may have taken bits, and chown(2) the special ones. fchmod(2) takes no
 * O_PATH: newer kernels have a call that does, else it takes /proc, which an enclosed process
 * hasn't; but that one may follow its paths.
 */
static int restore_mode(const struct lcx__tree *tree, const struct place *at, int path_fd,
			mode_t mode, struct lcx_error **err)
{
	struct stat st;
	char self[64];
	int r;

	if (fstat(path_fd, &st) < 0)
		return lcx__fail_sys(err, errno, "stat");
	if ((st.st_mode & 07777) == mode)
		return 0;
	r = sys_fchmodat2(path_fd, "", mode, AT_EMPTY_PATH);
	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", path_fd);
	if (r == -ENOSYS && tree->rights.enclosed)
		r = fchmodat(at->dir_fd, at->name, mode, 0) < 0 ? -errno : 0;
	else if (r == -ENOSYS)
		r = fchmodat(AT_FDCWD, self, mode, 0) < 0 ? -errno : 0;
	return r < 0 ? lcx__fail_sys(err, -r, "chmod") : 0;
}

/* The specification lets who may not make them leave them out. */
static int skip_device(struct lcx__tree *tree, const struct lcx__entry *e, struct lcx_error **err)
{
	if (tree->skipped.length + strlen(e->path) >= SKIPPED_BYTES_MAX)
		return lcx__fail(err, EBADMSG, "too many devices");
	lcx__strbuf_add(&tree->skipped, e->path, strlen(e->path) + 1);
	return tree->skipped.failed ? lcx__fail_nomem(err) : 0;
}

static bool was_skipped(const struct lcx__tree *tree, const char *path)
{
	const char *skipped = tree->skipped.text;
	size_t at = 0;

	while (at < tree->skipped.length && strcmp(skipped + at, path) != 0)
		at += strlen(skipped + at) + 1;
	return at < tree->skipped.length;
}

/* A device or a pipe is never opened for more than its inode: it would answer. */
static int add_node(struct lcx__tree *tree, const struct lcx__entry *e, const struct place *at,
		    struct lcx_error **err)
{
	CLEANUP(closep) int fd = -1;
	struct timespec times[2];
	int r;

	if (S_ISCHR(e->mode) && e->device == makedev(0, 0))
		return lcx__fail(err, EBADMSG,
				 "a device 0:0 is refused: overlayfs reads it as a deletion");
	if (!S_ISFIFO(e->mode) && !tree->rights.devices)
		return skip_device(tree, e, err);
	if (mknodat(at->dir_fd, at->name, e->mode, e->device) < 0)
		return lcx__fail_sys(err, errno, "mknod");
	fd = openat(at->dir_fd, at->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return lcx__fail_sys(err, errno, "open the node");
	r = change_owner(tree, e, fd, "", err);
	if (r == 0)
		r = restore_mode(tree, at, fd, e->mode & 07777, err);
	if (r == 0)
		r = set_xattrs(tree, e, at, -1, err);
	if (r < 0)
		return r;
	both_times(e, times);
	if (utimensat(at->dir_fd, at->name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return lcx__fail_sys(err, errno, "set the time");
	return 0;
}

static int add_file(const struct place *at, int *ret_fd, struct lcx_error **err)
{
	int fd = openat(at->dir_fd, at->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			0600);

	if (fd < 0)
		return lcx__fail_sys(err, errno, "create");
	*ret_fd = fd;
	return 0;
}

int lcx__tree_seal(struct lcx__tree *tree, const struct lcx__entry *e, int fd,
		   struct lcx_error **err)
{
	struct timespec times[2];
	int r;

	r = change_owner(tree, e, fd, "", err);
	if (r == 0)
		r = set_xattrs(tree, e, NULL, fd, err);
	if (r < 0)
		return r;
	if (fchmod(fd, e->mode & 07777) < 0)
		return lcx__fail_sys(err, errno, "chmod");
	both_times(e, times);
	if (futimens(fd, times) < 0)
		return lcx__fail_sys(err, errno, "set the time");
	return 0;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Make room for a new @name. A directory stays if a directory comes. */
static int clear_place(struct place *at, bool dir_comes, struct lcx_error **err)
{
	struct stat st;
	int r;

	if (fstatat(at->dir_fd, at->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : lcx__fail_sys(err, errno, "stat");
	if (dir_comes && S_ISDIR(st.st_mode))
		return 0;
	at->deleted = true; /* as a file or by a whiteout, what was below it is gone */
	r = lcx__remove_tree(at->dir_fd, at->name);
	if (r < 0)
		return lcx__fail_sys(err, -r, "replace what is there");
	return 0;
}

static bool starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/*
 * The target is found before the place is cleared: a link to itself is nothing to
 * do. The parents' descriptors differ, so the kept one is duplicated.
 */
static int add_hard_link(struct lcx__tree *tree, const struct lcx__entry *e, struct lcx_error **err)
{
	CLEANUP(closep) int target_dir = -1;
	const char *target_name;
	struct stat target, st;
	struct place at = {-1, NULL, false};
	int fd, r;

	if (was_skipped(tree, e->link))
		return skip_device(tree, e, err);
	r = open_parent(tree, e->link, false, &fd, &target_name, NULL);
	if (r < 0)
		return lcx__fail(err, EBADMSG, "hard link to '%.300s', which is not in this layer",
				 e->link);
	target_dir = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (target_dir < 0)
		return lcx__fail_sys(err, errno, "dup");
	if (e->link[0] == '\0' || starts_with(target_name, WHITEOUT) ||
	    fstatat(target_dir, target_name, &target, AT_SYMLINK_NOFOLLOW) < 0 ||
	    S_ISDIR(target.st_mode) || is_whiteout(&target))
		return lcx__fail(err, EBADMSG,
				 "hard link to '%.300s', which is not a file of this layer",
				 e->link);

	r = open_parent(tree, e->path, true, &at.dir_fd, &at.name, err);
	if (r < 0)
		return r;
	if (fstatat(at.dir_fd, at.name, &st, AT_SYMLINK_NOFOLLOW) == 0 && same_file(&st, &target))
		return 0;
	r = clear_place(&at, false, err);
	if (r < 0)
		return r;
	if (linkat(target_dir, target_name, at.dir_fd, at.name, 0) < 0)
		return lcx__fail_sys(err, errno == ENOENT ? EBADMSG : errno,
				     "hard link to '%.300s'", e->link);
	return 0;
}

static int add_opaque(struct lcx__tree *tree, const struct place *at, struct lcx_error **err)
{
	CLEANUP(closep) int fd = openat(at->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return lcx__fail_sys(err, errno, "open the opaque directory");
	return set_opaque(tree, fd, err);
}

/* What this layer has under the deleted name wins; a directory must hide what is below. */
static int add_whiteout(struct lcx__tree *tree, const struct place *at, struct lcx_error **err)
{
	const char *name = at->name + strlen(WHITEOUT);
	CLEANUP(closep) int fd = -1;
	struct stat st;

	if (strcmp(at->name, OPAQUE_MARK) == 0)
		return add_opaque(tree, at, err);
	if (starts_with(name, WHITEOUT))
		return 0; /* aufs kept its own files under such names */
	if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return lcx__fail(err, EBADMSG, "a deletion of '%s' is refused", name);

	if (fstatat(at->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		if (!S_ISDIR(st.st_mode))
			return 0;
		fd = lcx__open_dir(at->dir_fd, name);
		return fd < 0 ? lcx__fail_sys(err, -fd, "open the directory")
			      : set_opaque(tree, fd, err);
	}
	if (errno != ENOENT)
		return lcx__fail_sys(err, errno, "stat");
	if (mknodat(at->dir_fd, name, S_IFCHR | 0000, makedev(0, 0)) < 0)
		return lcx__fail_sys(err, errno, "make the whiteout");
	return 0;
}

/* ".wh." in front of a directory's name would make files that no tool can delete again. */
static int check_reserved(const char *path, struct lcx_error **err)
{
	for (const char *slash = strchr(path, '/'); slash; slash = strchr(path, '/')) {
		if (starts_with(path, WHITEOUT))
			return lcx__fail(err, EBADMSG,
					 "a directory name that begins with %s is refused",
					 WHITEOUT);
		path = slash + 1;
	}
	return 0;
}

int lcx__tree_add(struct lcx__tree *tree, const struct lcx__entry *e, int *ret_fd,
		  struct lcx_error **err)
{
	struct place at = {-1, NULL, false};
	int r;

	*ret_fd = -1;
	r = check_reserved(e->path, err);
	if (r < 0)
		return r;
	if (e->path[0] == '\0' && !e->hard)
		return add_root(tree, e, err);
	if (e->path[0] == '\0')
		return lcx__fail(err, EBADMSG, "the root must be a directory");
	r = open_parent(tree, e->path, true, &at.dir_fd, &at.name, err);
	if (r < 0)
		return r;
	if (starts_with(at.name, WHITEOUT))
		return add_whiteout(tree, &at, err);
	if (e->hard)
		return add_hard_link(tree, e, err);
	r = clear_place(&at, S_ISDIR(e->mode), err);
	if (r < 0)
		return r;

	switch (e->mode & S_IFMT) {
	case S_IFREG:
		return add_file(&at, ret_fd, err);
	case S_IFDIR:
		return add_dir(tree, e, &at, err);
	case S_IFLNK:
		return add_symlink(tree, e, &at, err);
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
		return add_node(tree, e, &at, err);
	default:
		return lcx__fail(err, EBADMSG, "an entry of type %o is refused", e->mode & S_IFMT);
	}
}

/* Which of these an ordinary user, or the superuser of a user namespace, may do, only trying tells.
 */
int lcx__extract_rights_probe(int dir_fd, struct lcx__extract_rights *ret, struct lcx_error **err)
{
	static const char name[] = ".lcx-probe", attribute[] = "trusted.lcx.probe";
	struct lcx__extract_rights rights = {0};

	if (mknodat(dir_fd, name, S_IFREG | 0600, 0) < 0)
		return lcx__fail_sys(err, errno, "create a file in the layer's directory");
	rights.chown = fchownat(dir_fd, name, 1, 1, AT_SYMLINK_NOFOLLOW) == 0;
	(void)unlinkat(dir_fd, name, 0);

	rights.devices = mknodat(dir_fd, name, S_IFCHR | 0600, makedev(1, 3)) == 0;
	(void)unlinkat(dir_fd, name, 0);

	rights.userxattr = fsetxattr(dir_fd, attribute, "", 0, 0) < 0;
	if (!rights.userxattr)
		(void)fremovexattr(dir_fd, attribute);
	*ret = rights;
	return 0;
}
