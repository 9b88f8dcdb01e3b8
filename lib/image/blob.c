/* SPDX-License-Identifier: MIT */
#include "image/store.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "image/manifest.h"
#include "util/fs.h"

int lcx__blob_size(const struct lcx__store *store, const struct lcx__digest *digest, uint64_t *ret)
{
	char name[LCX__STORE_NAME_SIZE];
	struct stat st;

	lcx__blob_name(digest, name);
	if (fstatat(store->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EUCLEAN;
	*ret = (uint64_t)st.st_size;
	return 0;
}

int lcx__blob_read(const struct lcx__store *store, const struct lcx__digest *digest, char **ret,
		   size_t *ret_length, struct lcx_error **err)
{
	CLEANUP(freep) char *data = NULL;
	char name[LCX__STORE_NAME_SIZE];
	struct lcx__digest found;
	size_t length;
	int r;

	lcx__blob_name(digest, name);
	r = lcx__read_file(store->fd, name, LCX__DOCUMENT_MAX, &data, &length);
	if (r < 0)
		return lcx__fail_sys(err, r == -ENOENT ? EUCLEAN : -r,
				     "'%s' is not in the image store; pull the image again",
				     digest->text);
	r = lcx__digest_of(digest, data, length, &found, err);
	if (r < 0)
		return r;
	if (!lcx__digest_equal(&found, digest))
		return lcx__fail(err, EUCLEAN,
				 "'%s' is damaged in the image store; pull the image again",
				 digest->text);
	*ret = TAKE_PTR(data);
	if (ret_length)
		*ret_length = length;
	return 0;
}

int lcx__blob_write(const struct lcx__store *store, const struct lcx__digest *digest,
		    const void *data, size_t length, struct lcx_error **err)
{
	CLEANUP(closep) int lock = lcx__store_lock(store, LOCK_SH, err);
	CLEANUP(closep) int dir_fd = -1;
	char name[LCX__STORE_NAME_SIZE];
	int r;

	if (lock < 0)
		return lock;
	lcx__blob_name(digest, name);
	*strrchr(name, '/') = '\0';
	dir_fd = lcx__open_dir(store->fd, name);
	r = dir_fd < 0
		    ? dir_fd
		    : lcx__replace_file(dir_fd, lcx__digest_hex(digest), data, length, 0600, true);
	return r < 0 ? lcx__fail_sys(err, -r, "write '%s' to the image store", digest->text) : 0;
}

static int hash_file(int fd, struct lcx__hash *hash)
{
	enum { CHUNK = 1 << 20 };
	CLEANUP(freep) char *buffer = malloc(CHUNK);

	if (!buffer)
		return -ENOMEM;
	for (;;) {
		ssize_t n = read(fd, buffer, CHUNK);
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		r = lcx__hash_update(hash, buffer, (size_t)n);
		if (r < 0)
			return r;
	}
}

/* Unless somebody has replaced it by a good one since it was opened. */
static void drop_if_same(const struct lcx__store *store, const char *name, int fd)
{
	struct stat mine, now;

	if (fstat(fd, &mine) == 0 && fstatat(store->fd, name, &now, AT_SYMLINK_NOFOLLOW) == 0 &&
	    mine.st_ino == now.st_ino)
		(void)unlinkat(store->fd, name, 0);
}

int lcx__blob_verify(const struct lcx__store *store, const struct lcx__digest *digest,
		     struct lcx_error **err)
{
	CLEANUP(lcx__hash_freep) struct lcx__hash *hash = NULL;
	CLEANUP(closep) int fd = -1;
	char name[LCX__STORE_NAME_SIZE];
	struct lcx__digest found;
	int r;

	lcx__blob_name(digest, name);
	fd = openat(store->fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? lcx__fail(err, ENOENT, "'%s' is missing", digest->text)
				       : lcx__fail_sys(err, errno, "'%s'", digest->text);
	r = lcx__hash_new(digest, &hash, err);
	if (r < 0)
		return r;
	r = hash_file(fd, hash);
	if (r == 0)
		r = lcx__hash_finish(hash, &found);
	if (r < 0)
		return lcx__fail_sys(err, -r, "read '%s'", digest->text);
	if (lcx__digest_equal(&found, digest))
		return 0;
	drop_if_same(store, name, fd);
	return lcx__fail(err, EUCLEAN, "'%s' is damaged", digest->text);
}
