/* SPDX-License-Identifier: MIT */
#include "init/mount.h"

#include <asm/errno.h>
#include <linux/fcntl.h>

/*
 * tmpcopyup: what the image has where a tmpfs is mounted is copied into it before. Whoever shares
 * the image's files may swap them meanwhile, so each is opened once, without following a link, and
 * what the descriptor says counts. A device or a FIFO is never opened: only what O_PATH has shown
 * to be a file is opened again, by its descriptor.
 *
 * Owners, modes and times are kept; hard links become files of their own. Extended attributes
 * are not copied, so a program loses its capabilities: that is the safe side. Sockets have no
 * meaning without who listens, and are left out.
 */

enum {
	MAX_DEPTH = 64,
	FILE_TYPE = 0170000,
	DIRECTORY = 0040000,
	REGULAR = 0100000,
	LINK = 0120000,
	SOCKET = 0140000,
};

/* What getdents64(2) gives. */
struct entry {
	uint64_t inode;
	int64_t offset;
	uint16_t length;
	uint8_t type;
	char name[];
};

static int copy_directory(struct init *init, int from, int to, int depth);

static int copy_times(int dir, const char *name, const struct statx *st)
{
	struct {
		int64_t seconds, ns;
	} times[2] = {
		{st->stx_atime.tv_sec, st->stx_atime.tv_nsec},
		{st->stx_mtime.tv_sec, st->stx_mtime.tv_nsec},
	};

	return (int)sys_call4(__NR_utimensat, dir, name, times, AT_SYMLINK_NOFOLLOW);
}

/* The mode last: chown(2) takes the set-user-ID bit away. @name is no link. */
static int copy_owner(int dir, const char *name, const struct statx *st)
{
	int r = (int)sys_call5(__NR_fchownat, dir, name, st->stx_uid, st->stx_gid,
			       AT_SYMLINK_NOFOLLOW);

	if (r == 0 && (st->stx_mode & FILE_TYPE) != LINK)
		r = (int)sys_call3(__NR_fchmodat, dir, name, st->stx_mode & 07777);
	return r;
}

static int copy_bytes(int from, int to)
{
	enum { AT_ONCE = 1 << 30 };
	long n;

	do
		n = sys_call4(__NR_sendfile, to, from, 0, AT_ONCE);
	while (n > 0);
	return (int)n;
}

static int copy_file(int source, int to, const char *name)
{
	char path[32] = "/proc/self/fd/";
	int from, file, r;

	(void)text_append_number(path, sizeof(path), (uint64_t)source);
	from = (int)sys_call4(__NR_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	if (from < 0)
		return from;
	file = (int)sys_call4(__NR_openat, to, name,
			      O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	r = file < 0 ? file : copy_bytes(from, file);
	init_close(from);
	init_close(file);
	return r;
}

static int copy_link(int source, int to, const char *name)
{
	char target[4096];
	int n = (int)sys_call4(__NR_readlinkat, source, "", target, sizeof(target) - 1);

	if (n < 0)
		return n;
	target[n] = '\0';
	return (int)sys_call3(__NR_symlinkat, target, to, name);
}

static int copy_subdirectory(struct init *init, int source, int to, const char *name, int depth)
{
	int from, made, r = (int)sys_call3(__NR_mkdirat, to, name, 0700);

	if (r < 0)
		return r;
	from = (int)sys_call4(__NR_openat, source, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	made = (int)sys_call4(__NR_openat, to, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
			      0);
	r = from < 0 ? from : made < 0 ? made : copy_directory(init, from, made, depth + 1);
	init_close(from);
	init_close(made);
	return r;
}

/* new_encode_dev() in linux/kdev_t.h */
static uint64_t device_of(const struct statx *st)
{
	return (st->stx_rdev_minor & 0xff) | (uint64_t)st->stx_rdev_major << 8 |
	       (uint64_t)(st->stx_rdev_minor & ~0xffu) << 12;
}

static int copy_one(struct init *init, int source, const struct statx *st, int to, const char *name,
		    int depth)
{
	switch (st->stx_mode & FILE_TYPE) {
	case DIRECTORY:
		return copy_subdirectory(init, source, to, name, depth);
	case REGULAR:
		return copy_file(source, to, name);
	case LINK:
		return copy_link(source, to, name);
	default:
		return (int)sys_call4(__NR_mknodat, to, name, st->stx_mode & FILE_TYPE,
				      device_of(st));
	}
}

static int copy_entry(struct init *init, int from, int to, const char *name, int depth)
{
	struct statx st = {0};
	int source, r;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return 0;
	source = (int)sys_call4(__NR_openat, from, name,
				O_PATH | O_CLOEXEC | (lcx__is_off(COPY_UP) ? 0 : O_NOFOLLOW), 0);
	if (source < 0)
		return source == -ENOENT ? 0 : source;
	r = init_stat(source, &st);
	if (r == 0 && (st.stx_mode & FILE_TYPE) != SOCKET) {
		r = copy_one(init, source, &st, to, name, depth);
		if (r == 0)
			r = copy_owner(to, name, &st);
		if (r == 0)
			r = copy_times(to, name, &st);
		if (r < 0 && !init->detail[0]) {
			(void)text_append(init->detail, sizeof(init->detail), "copying ");
			(void)text_append(init->detail, sizeof(init->detail), name);
		}
	}
	init_close(source);
	return r;
}

static int copy_directory(struct init *init, int from, int to, int depth)
{
	char buffer[2048] __attribute__((__aligned__(8)));
	long n;

	if (depth == MAX_DEPTH)
		return -ELOOP;
	while ((n = sys_call3(__NR_getdents64, from, buffer, sizeof(buffer))) > 0) {
		for (long at = 0; at < n;) {
			const struct entry *entry = (const void *)(buffer + at);
			int r = copy_entry(init, from, to, entry->name, depth);

			if (r < 0)
				return r;
			at += entry->length;
		}
	}
	return (int)n;
}

static bool has_option(const char *options, const char *key)
{
	size_t length = strlen(key);

	for (; options && *options; options = strchr(options, ',') ? strchr(options, ',') + 1 : "")
		if (strlen(options) >= length && memcmp(options, key, length) == 0)
			return true;
	return false;
}

/* The root of the new file system is like the directory, but for what was said about it. */
static int copy_root(int from, int to, const char *options)
{
	struct statx st = {0};
	uint32_t uid, gid;
	int r = init_stat(from, &st);

	uid = has_option(options, "uid=") ? ~0u : st.stx_uid;
	gid = has_option(options, "gid=") ? ~0u : st.stx_gid;
	if (r == 0)
		r = (int)sys_call5(__NR_fchownat, to, "", uid, gid, AT_EMPTY_PATH);
	if (r == 0 && !has_option(options, "mode="))
		r = (int)sys_call3(__NR_fchmodat, to, ".", st.stx_mode & 07777);
	return r;
}

int init_copy_up(struct init *init, int from, int to, const char *options)
{
	int source = (int)sys_call4(__NR_openat, from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	int r = source < 0 ? source : copy_directory(init, source, to, 0);

	if (r == 0)
		r = copy_root(from, to, options);
	init_close(source);
	return r;
}
