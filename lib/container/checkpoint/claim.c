/* SPDX-License-Identifier: MIT */
#include "container/checkpoint/checkpoint.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "util/fs.h"
#include "util/json.h"
#include "util/sys.h"

/*
 * Where a dump writes to that is not the container's own. It is written down before anything is
 * made there, so that whoever comes after a caller that was killed can remove it; and struck out
 * before the processes are let go, so that nobody removes what is whole.
 *
 * Meanwhile others may have had the place. So a directory is known by its number, its birth and its
 * owner, is reached without following a link, and is emptied by descriptor; a name alone is enough
 * only to remove a directory that is empty. criu outlives its caller: it holds a lock on the
 * directory, and as long as it does, nothing is removed.
 *
 * Beside an older checkpoint all is the dump's. An image path is the caller's, and may have got
 * files that are no images: they stay.
 */

#define CLAIM "checkpoint.claim"

struct directory {
	struct lcx__opt_u64 inode, born; /* nanoseconds; 0: not known */
};

struct claim {
	char *parent, *name;
	struct lcx__opt_bool made, aside;
	LCX__LIST(struct directory) directories; /* any of them */
};

static const struct lcx__json_field directory_fields[] = {
	{"inode", AS_U64(struct directory, inode), .required = true},
	{"born", AS_U64(struct directory, born), .required = true},
	{0},
};

static const struct lcx__json_field fields[] = {
	{"parent", AS_STRING(struct claim, parent), .required = true},
	{"name", AS_STRING(struct claim, name), .required = true},
	{"made", AS_BOOL(struct claim, made)},
	{"aside", AS_BOOL(struct claim, aside)},
	{"directories", AS_LIST(struct claim, directories), .fields = directory_fields},
	{0},
};

static void claim_clear(struct claim *claim)
{
	lcx__json_release(fields, claim);
	*claim = (struct claim){0};
}

/* ---- which one it is ----------------------------------------------------- */

static int identify(int dir_fd, struct directory *ret)
{
	struct statx stx;

	if (statx(dir_fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, &stx) < 0)
		return -errno;
	/* Who else could write there could have put anything into it. */
	if (stx.stx_uid != geteuid() || stx.stx_mode & (S_IWGRP | S_IWOTH))
		return -EPERM;
	ret->inode = (struct lcx__opt_u64)LCX__OPT(stx.stx_ino);
	ret->born = (struct lcx__opt_u64)LCX__OPT(
		stx.stx_mask & STATX_BTIME
			? (uint64_t)stx.stx_btime.tv_sec * 1000000000u + stx.stx_btime.tv_nsec
			: 0);
	return 0;
}

static bool is_one_of(const struct claim *claim, int dir_fd)
{
	struct directory now;

	if (identify(dir_fd, &now) < 0)
		return false;
	for (size_t i = 0; i < claim->directories.n; i++)
		if (claim->directories.items[i].inode.value == now.inode.value &&
		    claim->directories.items[i].born.value == now.born.value)
			return true;
	return false;
}

/* ---- writing it down ----------------------------------------------------- */

/* Where a directory is now, without links. */
static int look_up(int dir_fd, char path[static 4096])
{
	char link[64];
	ssize_t n;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", dir_fd);
	n = readlink(link, path, 4096);
	if (n < 0 || n == 4096)
		return n < 0 ? -errno : -ENAMETOOLONG;
	path[n] = '\0';
	return 0;
}

static int split(const char *path, struct claim *claim)
{
	const char *slash = strrchr(path, '/');

	claim->parent = strndup(path, slash == path ? 1 : (size_t)(slash - path));
	claim->name = strdup(slash + 1);
	return claim->parent && claim->name ? 0 : -ENOMEM;
}

/* Of one that is not made yet: where it is going to be. */
static int place_new(const char *path, struct claim *claim)
{
	CLEANUP(freep) char *copy = strdup(path), *whole = NULL;
	CLEANUP(closep) int parent_fd = -1;
	char parent[4096], *slash;
	int r;

	if (!copy)
		return -ENOMEM;
	for (size_t n = strlen(copy); n > 1 && copy[n - 1] == '/'; n--)
		copy[n - 1] = '\0';
	slash = strrchr(copy, '/');
	if (slash)
		*slash = '\0';
	parent_fd = open(!slash          ? "."
			 : slash == copy ? "/"
					 : copy,
			 O_PATH | O_DIRECTORY | O_CLOEXEC);
	r = parent_fd < 0 ? -errno : look_up(parent_fd, parent);
	if (r < 0)
		return r;
	whole = lcx__format("%s/%s", parent, slash ? slash + 1 : copy);
	return whole ? split(whole, claim) : -ENOMEM;
}

static int place(const char *path, int dir_fd, struct claim *claim)
{
	char whole[4096];
	int r;

	if (dir_fd < 0)
		return place_new(path, claim);
	r = look_up(dir_fd, whole);
	if (r == 0)
		r = split(whole, claim);
	return r;
}

static int add(struct claim *claim, int dir_fd)
{
	struct directory *directory;

	if (dir_fd < 0)
		return 0;
	directory = lcx__list_grow(&claim->directories, sizeof(*directory));
	return directory ? identify(dir_fd, directory) : -ENOMEM;
}

int lcx__claim_make(const struct lcx_container *c, const char *path, struct lcx__claim_of of,
		    struct lcx_error **err)
{
	CLEANUP(claim_clear)
	struct claim claim = {
		.made = LCX__OPT(of.made),
		.aside = LCX__OPT(of.older_fd >= 0),
	};
	int r = place(path, of.dir_fd, &claim);

	if (r == 0)
		r = add(&claim, of.dir_fd);
	/* The two change places in the end. */
	if (r == 0)
		r = add(&claim, of.dir_fd >= 0 ? of.older_fd : -1);
	/* Where births aren't known, another's may have the number: it is not touched. */
	if (r == 0 && claim.directories.n == 1 && !claim.directories.items[0].born.value)
		return lcx__claim_end(c, err);
	if (r == 0 && of.dir_fd >= 0 && flock(of.dir_fd, LOCK_EX | LOCK_NB) < 0 &&
	    errno == EWOULDBLOCK)
		return lcx__fail(err, EBUSY, "image path '%s': another checkpoint is written there",
				 path);
	if (r < 0)
		return lcx__fail_sys(err, -r, "image path '%s'", path);
	return lcx__record_save(fields, &claim, c->dir_fd, CLAIM, lcx__replace_file, true, err);
}

int lcx__claim_end(const struct lcx_container *c, struct lcx_error **err)
{
	if (unlinkat(c->dir_fd, CLAIM, 0) < 0)
		return errno == ENOENT ? 0 : lcx__fail_sys(err, errno, "remove '" CLAIM "'");
	/* After a power cut it would be there again, and the images be removed. */
	return fsync(c->dir_fd) < 0 ? lcx__fail_sys(err, errno, "write '" CLAIM "' to the disk")
				    : 0;
}

/* ---- removing what was left ---------------------------------------------- */

static bool is_image(const char *name)
{
	static const char *const others[] = {"descriptors.json", "lcx-mounts.json",
					     "lcx-networks.json", LCX__PAGES_MARK, "parent"};
	size_t length = strlen(name);

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (strcmp(others[i], name) == 0)
			return true;
	return lcx__is_temporary_name(name) ||
	       (length > 4 && strcmp(name + length - 4, ".img") == 0);
}

static int empty(int dir_fd, bool all)
{
	CLEANUP(closedirp) DIR *dir = NULL;
	struct dirent *entry;
	int r = lcx__read_dir(dir_fd, ".", &dir);

	while (r == 0 && (entry = lcx__next_entry(dir)))
		if (all)
			r = lcx__remove_tree(dir_fd, entry->d_name);
		else if (is_image(entry->d_name) && unlinkat(dir_fd, entry->d_name, 0) < 0)
			r = -errno;
	return r;
}

/* Return: a descriptor; -ENOENT: what has the name now is none of the dump's; or why not. */
static int open_left(const struct claim *claim, int *ret_parent_fd)
{
	CLEANUP(closep)
	int parent_fd = sys_openat2(AT_FDCWD, claim->parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0,
				    SYS_RESOLVE_NO_SYMLINKS);
	CLEANUP(closep) int fd = -1;
	struct directory unused;
	int r;

	if (parent_fd < 0)
		return parent_fd;
	if (strchr(claim->name, '/'))
		return -ENOENT;
	fd = openat(parent_fd, claim->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	r = fd < 0 ? -errno : identify(fd, &unused);
	if (r < 0)
		return r;
	if (claim->directories.n > 0 && !is_one_of(claim, fd))
		return -ENOENT;
	*ret_parent_fd = TAKE_FD(parent_fd);
	return TAKE_FD(fd);
}

static int remove_left(const struct claim *claim)
{
	CLEANUP(closep) int parent_fd = -1;
	CLEANUP(closep) int fd = open_left(claim, &parent_fd);
	int r = 0;

	if (fd < 0)
		return fd;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
		return -EWOULDBLOCK;
	if (claim->directories.n > 0)
		r = empty(fd, claim->aside.value);
	if (r < 0 || !claim->made.value)
		return r;
	/* What else is in there by now is somebody's. */
	return unlinkat(parent_fd, claim->name, AT_REMOVEDIR) == 0 || errno == ENOTEMPTY ? 0
											 : -errno;
}

/* A directory that is another's, or not there, won't be ours later. */
static bool is_over(int r)
{
	return r == 0 || r == -ENOENT || r == -ENOTDIR || r == -ELOOP || r == -EPERM ||
	       r == -EACCES;
}

void lcx__claim_sweep(const struct lcx_container *c)
{
	CLEANUP(claim_clear) struct claim claim = {0};

	if (lcx__record_load(fields, &claim, c->dir_fd, CLAIM, NULL) == 0 &&
	    is_over(remove_left(&claim)))
		(void)lcx__claim_end(c, NULL);
}
