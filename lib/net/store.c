/* SPDX-License-Identifier: MIT */

/* Directories, locks and marks: where and by which names a context's networks are found. */
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "net/net-internal.h"
#include "util/fs.h"

static int open_dir(int parent_fd, const char *parent, const char *name, struct lcx_error **err)
{
	int fd = lcx__open_dir(parent_fd, name);

	if (fd == -ENOENT)
		fd = lcx__make_dirs(parent_fd, name, 0700);
	return fd < 0 ? lcx__fail_sys(err, -fd, "open directory '%s/%s'", parent, name) : fd;
}

int lcx__net_networks_dir(const struct lcx_ctx *ctx, struct lcx_error **err)
{
	return open_dir(ctx->root_fd, ctx->root_dir, "networks", err);
}

int lcx__net_pools_dir(const struct lcx_ctx *ctx, struct lcx_error **err)
{
	return open_dir(ctx->root_fd, ctx->root_dir, "ipam", err);
}

static int open_run_dir(const struct lcx_ctx *ctx, const char *path, struct lcx_error **err)
{
	int fd = lcx__open_dir(ctx->run_fd, path);

	if (fd >= 0 || fd == -ENOENT)
		return fd;
	return lcx__fail_sys(err, -fd, "open directory '%s/%s'", ctx->run_dir, path);
}

int lcx__net_run_dir(const struct lcx_ctx *ctx, struct lcx_error **err)
{
	return open_run_dir(ctx, "net", err);
}

/* Below the run directory. */
static void records_path(const char *network, char path[static 4 + NET_NAME_SIZE])
{
	(void)snprintf(path, 4 + NET_NAME_SIZE, "net/%s", network);
}

int lcx__net_records_dir(const struct lcx_ctx *ctx, const char *network, struct lcx_error **err)
{
	char path[4 + NET_NAME_SIZE];

	records_path(network, path);
	return open_run_dir(ctx, path, err);
}

int lcx__net_networks_lock(const struct lcx_ctx *ctx, struct lcx_error **err)
{
	CLEANUP(closep) int fd = lcx__net_networks_dir(ctx, err);
	int r;

	if (fd < 0)
		return fd;
	r = lcx__lock(fd, LOCK_EX);
	return r < 0 ? lcx__fail_sys(err, -r, "lock '%s/networks'", ctx->root_dir) : TAKE_FD(fd);
}

int lcx__net_records_lock(const struct lcx_ctx *ctx, const char *network, struct lcx_error **err)
{
	char path[4 + NET_NAME_SIZE];

	records_path(network, path);
	for (;;) {
		CLEANUP(closep) int fd = open_dir(ctx->run_fd, ctx->run_dir, path, err);
		struct stat st;
		int r;

		if (fd < 0)
			return fd;
		r = lcx__lock(fd, LOCK_EX);
		if (r == 0 && fstat(fd, &st) < 0)
			r = -errno;
		if (r < 0)
			return lcx__fail_sys(err, -r, "lock '%s/net/%s'", ctx->run_dir, network);
		/* The network was removed, with its directory, while we waited. */
		if (st.st_nlink > 0)
			return TAKE_FD(fd);
	}
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The name in "NAME.json"; false for any other file. */
static bool name_of_file(const char *file, char name[static NET_NAME_SIZE])
{
	size_t length = strlen(file);

	if (length <= 5 || length - 5 >= NET_NAME_SIZE || strcmp(file + length - 5, ".json") != 0)
		return false;
	memcpy(name, file, length - 5);
	name[length - 5] = '\0';
	return lcx__name_is_valid(name);
}

int lcx__net_has_names(int dir_fd)
{
	CLEANUP(closedirp) DIR *dir = NULL;
	char name[NET_NAME_SIZE];
	struct dirent *entry;
	int r = lcx__read_dir(dir_fd, ".", &dir);

	if (r < 0)
		return r;
	while ((entry = lcx__next_entry(dir)))
		if (name_of_file(entry->d_name, name))
			return 1;
	return -errno;
}

int lcx__net_list_names(int dir_fd, bool directories, char ***ret)
{
	CLEANUP(lcx__strv_freep) char **names = NULL;
	CLEANUP(closedirp) DIR *dir = NULL;
	char name[NET_NAME_SIZE];
	struct dirent *entry;
	int r = lcx__read_dir(dir_fd, ".", &dir);

	if (r < 0)
		return r;
	names = lcx__strv_copy(NULL);
	if (!names)
		return -ENOMEM;
	while ((entry = lcx__next_entry(dir))) {
		if (directories && lcx__name_is_valid(entry->d_name))
			r = lcx__strv_append(&names, entry->d_name);
		else if (!directories && name_of_file(entry->d_name, name))
			r = lcx__strv_append(&names, name);
		if (r < 0)
			return r;
	}
	if (errno != 0)
		return -errno;
	if (lcx__strv_length(names) > 1)
		qsort(names, lcx__strv_length(names), sizeof(*names), compare);
	*ret = TAKE_PTR(names);
	return 0;
}

void lcx__net_comment(const struct lcx_ctx *ctx, const char *name, char mark[static NET_MARK_SIZE])
{
	char tag[LCX__CTX_TAG_SIZE];

	lcx__ctx_tag(ctx, tag);
	(void)snprintf(mark, NET_MARK_SIZE, "%s:%s", tag, name);
}

void lcx__net_mark(const struct lcx_ctx *ctx, const char *name, char mark[static NET_MARK_SIZE])
{
	char comment[NET_MARK_SIZE];

	lcx__net_comment(ctx, name, comment);
	(void)snprintf(mark, NET_MARK_SIZE, "lcx:%.*s", NET_MARK_SIZE - 5, comment);
}

static uint32_t hash_text(uint32_t hash, const char *text)
{
	/* The NUL is hashed, too: ("a", "bc") is not ("ab", "c"). */
	do
		hash = (hash ^ (unsigned char)*text) * 16777619u;
	while (*text++);
	return hash;
}

uint32_t lcx__net_hash(const struct lcx_ctx *ctx, const char *a, const char *b)
{
	char tag[LCX__CTX_TAG_SIZE];

	lcx__ctx_tag(ctx, tag);
	return hash_text(hash_text(hash_text(2166136261u, tag), a), b);
}
