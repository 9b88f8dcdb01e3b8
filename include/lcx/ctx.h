/* SPDX-License-Identifier: MIT */
#ifndef LCX_CTX_H
#define LCX_CTX_H

#include <lcx/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * struct lcx_ctx - where containers, images and networks are kept
 *
 * A context stands for one *root directory* (images, containers, networks; it
 * survives a reboot) and one *run directory* (what is alive in this boot; best
 * on a tmpfs). Any number of contexts, in any number of processes, may use the
 * same directories at once. There is no other state: the library has no global
 * variables. One thread at a time per context.
 */
struct lcx_ctx;

/**
 * lcx_ctx_open() - open, and if need be make, the two directories
 * @root_dir: NULL for the default: /var/lib/lcx for the superuser, else
 *            $XDG_DATA_HOME/lcx or $HOME/.local/share/lcx
 * @run_dir:  NULL for the default: /run/lcx for the superuser (else
 *            $XDG_RUNTIME_DIR/lcx) if @root_dir is NULL, and @root_dir/run if not
 * @ret:      the context, owned by the caller; untouched on failure
 * @err:      the failure in words, or NULL if unwanted
 *
 * Both directories are made with mode 0700. One that others may write to, or
 * that belongs to another user, is refused with -EPERM. Whatever a process that
 * died has left half-made in these directories is taken down first, as
 * lcx_gc() does.
 *
 * Return: 0, or a negative errno; -EACCES and -EROFS as mkdir(2) reports them.
 */
int lcx_ctx_open(const char *root_dir, const char *run_dir, struct lcx_ctx **ret,
		 struct lcx_error **err);

/** lcx_ctx_root_dir() - the absolute path of the root directory, valid as long as @ctx */
const char *lcx_ctx_root_dir(const struct lcx_ctx *ctx);

/** lcx_ctx_run_dir() - the absolute path of the run directory, valid as long as @ctx */
const char *lcx_ctx_run_dir(const struct lcx_ctx *ctx);

/**
 * lcx_ctx_use_subids() - have an ordinary user's containers consist of many users
 *
 * Without this, an ordinary user is root in his containers and nobody else exists there; an image's
 * files are all his own. With it, they have the ids that the administrator gave to him in
 * /etc/subuid and /etc/subgid as well: 0 is himself, 1 is the first of these, and so on. The
 * kernel does not let him map those, so two setuid programs are executed, by this call and later
 * ones, also of other programs that open the same root directory: newuidmap(1) and newgidmap(1).
 *
 * The root directory remembers it, and the ranges, for its files belong to these ids from then on;
 * so it must have neither images nor containers yet. It can be called again, and does nothing then
 * if the ranges are the same.
 *
 * Return: 0; -EINVAL for a caller who has CAP_SYS_ADMIN, and no need of it; -ENOENT if a program or
 * the user's line in a file is missing, -EPERM if a program refuses, -EEXIST if there are images or
 * containers.
 */
int lcx_ctx_use_subids(struct lcx_ctx *ctx, struct lcx_error **err);

/** lcx_ctx_uses_subids() - 1 if the root directory has it that way, else 0 */
int32_t lcx_ctx_uses_subids(const struct lcx_ctx *ctx);

/**
 * lcx_ctx_free() - close the context; NULL is accepted, NULL is returned
 *
 * Handles that were made from it must be freed before. Containers that run go
 * on running. Right after a network was detached it may start a process, as that does.
 */
struct lcx_ctx *lcx_ctx_free(struct lcx_ctx *ctx);

#ifdef __cplusplus
}
#endif

#endif /* LCX_CTX_H */
