/* SPDX-License-Identifier: MIT */
#include "ctx/ctx.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "util/fs.h"
#include "util/str.h"
#include "util/weaken.h"

#define SYSTEM_ROOT_DIR "/var/lib/lcx"
#define SYSTEM_RUN_DIR  "/run/lcx"

enum { SUBIDS_LIMIT = 64 << 10 };

/* secure_getenv(): a setuid host must not be led elsewhere by its caller's environment. */
static char *user_dir(const char *variable, const char *below_home)
{
	const char *dir = secure_getenv(variable), *home = secure_getenv("HOME");

	if (dir && dir[0] == '/')
		return lcx__format("%s/lcx", dir);
	if (below_home && home && home[0] == '/')
		return lcx__format("%s/%s/lcx", home, below_home);
	return NULL;
}

static int choose_dirs(const char *root_dir, const char *run_dir, char **ret_root, char **ret_run,
		       struct lcx_error **err)
{
	bool privileged = geteuid() == 0;

	if (root_dir)
		*ret_root = lcx__format("%s", root_dir);
	else if (privileged)
		*ret_root = lcx__format(SYSTEM_ROOT_DIR);
	else
		*ret_root = user_dir("XDG_DATA_HOME", ".local/share");
	if (!*ret_root)
		return lcx__fail(
			err, ENOENT,
			"no place for the root directory: name one, or set HOME or XDG_DATA_HOME");

	if (run_dir)
		*ret_run = lcx__format("%s", run_dir);
	else if (root_dir)
		*ret_run = lcx__format("%s/run", root_dir);
	else if (privileged)
		*ret_run = lcx__format(SYSTEM_RUN_DIR);
	else
		*ret_run = user_dir("XDG_RUNTIME_DIR", NULL);
	if (!*ret_run)
		return lcx__fail(
			err, ENOENT,
			"no place for the run directory: name one, or set XDG_RUNTIME_DIR");
	return 0;
}

/*
 * The path is replaced by its canonical form: names in it may be links of the
 * administrator's, but from here on the descriptor decides.
 */
static int open_private_dir(char **path, const char *what, int *ret_fd, struct lcx_error **err)
{
	CLEANUP(closep) int fd = -1;
	char *canonical;
	struct stat st;

	fd = lcx__make_dirs(AT_FDCWD, *path, 0700);
	if (fd < 0)
		return lcx__fail_sys(err, -fd, "%s '%s'", what, *path);
	if (fstat(fd, &st) < 0)
		return lcx__fail_sys(err, errno, "%s '%s'", what, *path);
	if (st.st_uid != geteuid() || (st.st_mode & 022) != 0)
		return lcx__fail(err, EPERM,
				 "%s '%s' belongs to another user or is writable by others; "
				 "choose another, or make it yours with mode 0700",
				 what, *path);
	if ((st.st_mode & 0777) != 0700 && !lcx__is_off(PRIVATE) && fchmod(fd, 0700) < 0)
		return lcx__fail_sys(err, errno, "%s '%s': chmod 0700", what, *path);

	canonical = realpath(*path, NULL);
	if (!canonical)
		return lcx__fail_sys(err, errno, "%s '%s'", what, *path);
	free(*path);
	*path = canonical;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int lcx__ctx_new(const char *root_dir, const char *run_dir, struct lcx_ctx **ret,
		 struct lcx_error **err)
{
	CLEANUP(lcx_ctx_freep) struct lcx_ctx *ctx = calloc(1, sizeof(*ctx));
	int r;

	if (!ctx)
		return lcx__fail_nomem(err);
	ctx->root_fd = ctx->run_fd = ctx->users_fd = -1;

	r = choose_dirs(root_dir, run_dir, &ctx->root_dir, &ctx->run_dir, err);
	if (r < 0)
		return r;
	r = open_private_dir(&ctx->root_dir, "root directory", &ctx->root_fd, err);
	if (r < 0)
		return r;
	r = open_private_dir(&ctx->run_dir, "run directory", &ctx->run_fd, err);
	if (r < 0)
		return r;
	r = lcx__read_file(ctx->root_fd, LCX__SUBIDS_FILE, SUBIDS_LIMIT, &ctx->subids, NULL);
	if (r < 0 && r != -ENOENT)
		return lcx__fail_sys(err, -r, "read '%s/%s'", ctx->root_dir, LCX__SUBIDS_FILE);

	*ret = TAKE_PTR(ctx);
	return 0;
}

/* FNV-1a: any hash that is the same in every process will do. */
void lcx__ctx_tag(const struct lcx_ctx *ctx, char tag[static LCX__CTX_TAG_SIZE])
{
	uint32_t hash = 2166136261u;

	for (const char *c = ctx->root_dir; *c; c++)
		hash = (hash ^ (unsigned char)*c) * 16777619u;
	(void)snprintf(tag, LCX__CTX_TAG_SIZE, "%08x", hash);
}

LCX_PUBLIC const char *lcx_ctx_root_dir(const struct lcx_ctx *ctx)
{
	return ctx->root_dir;
}

LCX_PUBLIC const char *lcx_ctx_run_dir(const struct lcx_ctx *ctx)
{
	return ctx->run_dir;
}

LCX_PUBLIC struct lcx_ctx *lcx_ctx_free(struct lcx_ctx *ctx)
{
	if (!ctx)
		return NULL;
	if (ctx->free_cache)
		ctx->free_cache(ctx->cache);
	if (ctx->free_loop)
		ctx->free_loop(ctx->loop);
	if (ctx->free_firewall)
		ctx->free_firewall(ctx->firewall);
	if (ctx->free_proc)
		ctx->free_proc(ctx->proc);
	closep(&ctx->users_fd);
	closep(&ctx->root_fd);
	closep(&ctx->run_fd);
	free(ctx->subids);
	free(ctx->root_dir);
	free(ctx->run_dir);
	free(ctx->registries_file);
	free(ctx);
	return NULL;
}
