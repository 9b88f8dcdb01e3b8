/* SPDX-License-Identifier: MIT */
#include "container/checkpoint/checkpoint.h"

#include <fcntl.h>
#include <poll.h>
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
 * Meanwhile others may have had the place, and written a checkpoint of theirs into the very same
 * directory. So a dump has a name of its own, a random one, which is in the claim and in the name
 * of a file that is made in the directory before criu writes there, and goes before the claim does:
 * where that file is not, nothing is removed. The directory must belong to the caller, is reached
 * without following a link, and is emptied by descriptor. criu outlives its caller: it holds a lock
 * on the directory, and as long as it does, nothing is removed.
 *
 * What is made is made under a name that has some of the dump's in it, "aside", and gets its own
 * once it has the mark: there an empty directory is the dump's, too.
 *
 * Beside an older checkpoint all is the dump's. An image path is the caller's, and may have got
 * files that are no images: they stay.
 */

#define CLAIM "checkpoint.claim"
/* Before the dump's own name: criu writes here. */
#define UNFINISHED "lcx-unfinished-"
/* It is whole. Both that change places have it, and the one that is aside is not needed. */
#define SPARE "lcx-spare-"

enum { TOKEN_SIZE = 33, ASIDE_LENGTH = 6, DROP_MS = 2000, DROP_STEP_MS = 20 };

struct record {
	char *parent, *name, *token;
	struct lcx__opt_bool made, aside;
	struct lcx__opt_u64 device;      /* that it is on */
	struct lcx__opt_u64 inode, born; /* of what was made, in ns */
};

static const struct lcx__json_field fields[] = {
	{"parent", AS_STRING(struct record, parent), .required = true},
	{"name", AS_STRING(struct record, name), .required = true},
	{"token", AS_STRING(struct record, token), .required = true},
	{"device", AS_U64(struct record, device), .required = true},
	{"made", AS_BOOL(struct record, made)},
	{"aside", AS_BOOL(struct record, aside)},
	{"inode", AS_U64(struct record, inode)},
	{"born", AS_U64(struct record, born)},
	{0},
};

static void record_clear(struct record *record)
{
	lcx__json_release(fields, record);
	*record = (struct record){0};
}

void lcx__claim_clear(struct lcx__claim *claim)
{
	free(TAKE_PTR(claim->parent));
	free(TAKE_PTR(claim->name));
	free(TAKE_PTR(claim->aside));
	free(TAKE_PTR(claim->token));
	closep(&claim->parent_fd);
}

/* ---- which one it is ----------------------------------------------------- */

static bool is_mine(int dir_fd)
{
	struct stat st;

	/* Who else could write there could have put anything into it. */
	return fstat(dir_fd, &st) == 0 && st.st_uid == geteuid() &&
	       !(st.st_mode & (S_IWGRP | S_IWOTH));
}

static void identify(int dir_fd, struct record *ret)
{
	struct statx stx;

	if (statx(dir_fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, &stx) < 0 ||
	    !(stx.stx_mask & STATX_BTIME))
		return;
	ret->inode = (struct lcx__opt_u64)LCX__OPT(stx.stx_ino);
	ret->born = (struct lcx__opt_u64)LCX__OPT((uint64_t)stx.stx_btime.tv_sec * 1000000000u +
						  stx.stx_btime.tv_nsec);
}

/* Without births another's may have the number. */
static bool is_the_one(const struct record *record, int dir_fd)
{
	struct record now = {0};

	identify(dir_fd, &now);
	return now.born.set && record->born.set && now.inode.value == record->inode.value &&
	       now.born.value == record->born.value;
}

static void mark_name(char ret[static 64], const char *prefix, const char *token)
{
	(void)snprintf(ret, 64, "%s%s", prefix, token);
}

static bool has_mark(int dir_fd, const char *prefix, const char *token)
{
	char name[64];

	mark_name(name, prefix, token);
	return faccessat(dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static int remove_mark(int dir_fd, const char *prefix, const char *token)
{
	char name[64];

	mark_name(name, prefix, token);
	return unlinkat(dir_fd, name, 0) == 0 || errno == ENOENT ? 0 : -errno;
}

static bool is_unfinished(const char *name)
{
	return strncmp(name, UNFINISHED, strlen(UNFINISHED)) == 0;
}

bool lcx__claim_is_on(int dir_fd)
{
	CLEANUP(closedirp) DIR *dir = NULL;
	struct dirent *entry;

	if (lcx__read_dir(dir_fd, ".", &dir) < 0)
		return false;
	while ((entry = lcx__next_entry(dir)))
		if (is_unfinished(entry->d_name))
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

/* Of one that is not made yet: its name, and the directory that it will be in. */
static int find_new(const char *path, int *ret_parent_fd, char **ret_name)
{
	CLEANUP(freep) char *copy = strdup(path);
	char *slash;

	if (!copy)
		return -ENOMEM;
	for (size_t n = strlen(copy); n > 1 && copy[n - 1] == '/'; n--)
		copy[n - 1] = '\0';
	slash = strrchr(copy, '/');
	if (slash)
		*slash = '\0';
	*ret_parent_fd = open(!slash          ? "."
			      : slash == copy ? "/"
					      : copy,
			      O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*ret_parent_fd < 0)
		return -errno;
	*ret_name = strdup(slash ? slash + 1 : copy);
	return *ret_name ? 0 : -ENOMEM;
}

static int find_there(int dir_fd, int *ret_parent_fd, char **ret_name)
{
	char whole[4096];
	int r = look_up(dir_fd, whole);

	if (r < 0)
		return r;
	*ret_parent_fd = openat(dir_fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*ret_parent_fd < 0)
		return -errno;
	*ret_name = strdup(strrchr(whole, '/') + 1);
	return *ret_name ? 0 : -ENOMEM;
}

static int give_token(struct lcx__claim *claim)
{
	char random[LCX__ID_SIZE];
	int r = lcx__random_id(random);

	if (r < 0)
		return r;
	claim->token = strndup(random, TOKEN_SIZE - 1);
	claim->aside = lcx__format("%s.%.*s", claim->name, ASIDE_LENGTH, random);
	return claim->token && claim->aside ? 0 : -ENOMEM;
}

int lcx__claim_find(const char *path, int dir_fd, struct lcx__claim *ret, struct lcx_error **err)
{
	char parent[4096];
	struct stat st;
	int r = dir_fd < 0 ? find_new(path, &ret->parent_fd, &ret->name)
			   : find_there(dir_fd, &ret->parent_fd, &ret->name);

	if (r == 0 && fstat(dir_fd < 0 ? ret->parent_fd : dir_fd, &st) < 0)
		r = -errno;
	if (r == 0)
		r = look_up(ret->parent_fd, parent);
	if (r == 0) {
		ret->device = st.st_dev;
		ret->parent = strdup(parent);
		r = ret->parent ? give_token(ret) : -ENOMEM;
	}
	return r < 0 ? lcx__fail_sys(err, -r, "image path '%s'", path) : 0;
}

int lcx__claim_save(const struct lcx_container *c, const struct lcx__claim *claim, int dir_fd,
		    struct lcx_error **err)
{
	struct record record = {
		.parent = claim->parent,
		.name = claim->name,
		.token = claim->token,
		.made = LCX__OPT(claim->is_made),
		.aside = LCX__OPT(claim->is_aside),
		.device = LCX__OPT(claim->device),
	};

	if (dir_fd >= 0)
		identify(dir_fd, &record);
	return lcx__record_save(fields, &record, c->dir_fd, CLAIM, lcx__replace_file, true, err);
}

int lcx__claim_mark(const struct lcx__claim *claim, int dir_fd, struct lcx_error **err)
{
	char name[64];
	int r;

	mark_name(name, UNFINISHED, claim->token);
	r = lcx__new_file(dir_fd, name, "", 0, 0600, true);
	return r < 0 ? lcx__fail_sys(err, -r, "image path '%s': make '%s'", claim->name, name) : 0;
}

int lcx__claim_mark_spare(const struct lcx__claim *claim, int dir_fd, int older_fd,
			  struct lcx_error **err)
{
	char unfinished[64], spare[64];
	int r;

	mark_name(unfinished, UNFINISHED, claim->token);
	mark_name(spare, SPARE, claim->token);
	r = lcx__new_file(older_fd, spare, "", 0, 0600, true);
	if (r == 0 && renameat(dir_fd, unfinished, dir_fd, spare) < 0)
		r = -errno;
	if (r == 0 && fsync(dir_fd) < 0)
		r = -errno;
	return r < 0 ? lcx__fail_sys(err, -r, "image path '%s': make '%s'", claim->name, spare) : 0;
}

void lcx__claim_unmark_spare(const struct lcx__claim *claim, int older_fd)
{
	(void)remove_mark(older_fd, SPARE, claim->token);
}

/* First the mark: with a claim alone nothing is removed. */
int lcx__claim_end(const struct lcx_container *c, const struct lcx__claim *claim, int dir_fd,
		   struct lcx_error **err)
{
	int r = remove_mark(dir_fd, UNFINISHED, claim->token);

	if (r == 0)
		r = remove_mark(dir_fd, SPARE, claim->token);
	/* After a power cut it would be there again, and the images be removed. */
	if (r == 0 && fsync(dir_fd) < 0)
		r = -errno;
	if (r == 0 && unlinkat(c->dir_fd, CLAIM, 0) < 0 && errno != ENOENT)
		r = -errno;
	return r < 0 ? lcx__fail_sys(err, -r, "image path '%s': end the claim", claim->name) : 0;
}

/* ---- removing what was left ---------------------------------------------- */

static bool is_image(const char *name)
{
	static const char *const others[] = {
		"descriptors.json", "lcx-mounts.json", "lcx-networks.json",
		LCX__PAGES_MARK,    "parent",          "dump.log",
		"restore.log",      "stats-dump",      "stats-restore"};
	size_t length = strlen(name);

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (strcmp(others[i], name) == 0)
			return true;
	return lcx__is_temporary_name(name) ||
	       (length > 4 && strcmp(name + length - 4, ".img") == 0);
}

static int remove_one(int dir_fd, const char *name, bool all)
{
	if (all)
		return lcx__remove_tree(dir_fd, name);
	/* A directory is no image, whatever its name. */
	return !is_image(name) || unlinkat(dir_fd, name, 0) == 0 || errno == EISDIR ? 0 : -errno;
}

static int empty_but_marks(int dir_fd, const char *token, bool all)
{
	CLEANUP(closedirp) DIR *dir = NULL;
	char unfinished[64], spare[64];
	struct dirent *entry;
	int r = lcx__read_dir(dir_fd, ".", &dir);

	mark_name(unfinished, UNFINISHED, token);
	mark_name(spare, SPARE, token);
	while (r == 0 && (entry = lcx__next_entry(dir)))
		if (strcmp(entry->d_name, unfinished) != 0 && strcmp(entry->d_name, spare) != 0)
			r = remove_one(dir_fd, entry->d_name, all);
	return r;
}

/* The marks go last: if this is killed, the next one goes on. */
static int empty(int dir_fd, const char *token, bool all)
{
	int r = empty_but_marks(dir_fd, token, all);

	if (r == 0)
		r = remove_mark(dir_fd, SPARE, token);
	return r == 0 ? remove_mark(dir_fd, UNFINISHED, token) : r;
}

int lcx__claim_empty(const struct lcx__claim *claim, int dir_fd)
{
	return empty_but_marks(dir_fd, claim->token, true);
}

/* What else is in there by now is somebody's. */
static int remove_dir(int parent_fd, const char *name)
{
	return unlinkat(parent_fd, name, AT_REMOVEDIR) == 0 || errno == ENOTEMPTY ||
			       errno == EEXIST || errno == ENOENT
		       ? 0
		       : -errno;
}

int lcx__claim_remove_aside(const struct lcx__claim *claim, int aside_fd)
{
	int r = empty(aside_fd, claim->token, true);

	return r == 0 ? remove_dir(claim->parent_fd, claim->aside) : r;
}

/* Return: a descriptor, locked; -ENOENT: there is none of the caller's own; or why not. */
static int open_left(int parent_fd, const char *name)
{
	CLEANUP(closep) int fd = lcx__open_dir(parent_fd, name);

	if (fd == -ENOTDIR || fd == -ELOOP || (fd >= 0 && !is_mine(fd)))
		return -ENOENT;
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
		return -EWOULDBLOCK;
	return TAKE_FD(fd);
}

static int sweep_aside(const struct record *record, int parent_fd, bool *found)
{
	CLEANUP(freep)
	char *name = lcx__format("%s.%.*s", record->name, ASIDE_LENGTH, record->token);
	CLEANUP(closep) int fd = name ? open_left(parent_fd, name) : -ENOMEM;
	int r = 0;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	if (has_mark(fd, UNFINISHED, record->token) || has_mark(fd, SPARE, record->token)) {
		*found = true;
		r = empty(fd, record->token, true);
	}
	return r == 0 ? remove_dir(parent_fd, name) : r;
}

static int sweep_there(const struct record *record, int parent_fd, bool *found)
{
	CLEANUP(closep) int fd = open_left(parent_fd, record->name);
	bool marked;
	int r = 0;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	/* The older one that was not replaced, or the new one that was put there: it stays. */
	if (record->aside.value)
		return remove_mark(fd, SPARE, record->token);
	marked = has_mark(fd, UNFINISHED, record->token);
	if (marked) {
		*found = true;
		r = empty(fd, record->token, false);
	}
	return r == 0 && record->made.value && (marked || is_the_one(record, fd))
		       ? remove_dir(parent_fd, record->name)
		       : r;
}

static bool is_sound(const struct record *record)
{
	return strlen(record->token) == TOKEN_SIZE - 1 && !strchr(record->token, '/') &&
	       record->name[0] && !strchr(record->name, '/') && strcmp(record->name, ".") != 0 &&
	       strcmp(record->name, "..") != 0;
}

/* Else its file system may not be mounted yet, in the directory or above it. */
static bool is_on_its_device(const struct record *record, int parent_fd)
{
	struct stat st;

	return (fstatat(parent_fd, record->name, &st, AT_SYMLINK_NOFOLLOW) == 0 ||
		fstat(parent_fd, &st) == 0) &&
	       st.st_dev == record->device.value;
}

/* Return: 0: there is nothing more to remove, ever. */
static int remove_left(const struct record *record)
{
	CLEANUP(closep)
	int parent_fd = sys_openat2(AT_FDCWD, record->parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0,
				    SYS_RESOLVE_NO_SYMLINKS);
	bool found = false;
	int r = 0;

	if (!is_sound(record) || parent_fd == -ELOOP || parent_fd == -ENOTDIR)
		return 0;
	if (parent_fd < 0)
		return parent_fd;
	if (record->aside.value || record->made.value)
		r = sweep_aside(record, parent_fd, &found);
	if (r == 0)
		r = sweep_there(record, parent_fd, &found);
	return r == 0 && !found && !is_on_its_device(record, parent_fd) ? -ENODEV : r;
}

static int sweep(const struct lcx_container *c)
{
	CLEANUP(record_clear) struct record record = {0};
	int r = lcx__record_load(fields, &record, c->dir_fd, CLAIM, NULL);

	if (r == 0)
		r = remove_left(&record);
	if (r == 0)
		(void)unlinkat(c->dir_fd, CLAIM, 0);
	return r;
}

void lcx__claim_sweep(const struct lcx_container *c)
{
	(void)sweep(c);
}

/* A criu whose caller was killed just now has yet to notice. */
void lcx__claim_drop(const struct lcx_container *c)
{
	for (int waited = 0; sweep(c) == -EWOULDBLOCK && waited < DROP_MS; waited += DROP_STEP_MS)
		(void)poll(NULL, 0, DROP_STEP_MS);
}
