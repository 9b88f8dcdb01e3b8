/* SPDX-License-Identifier: MIT */
#ifndef LCX_OVERLAY_H
#define LCX_OVERLAY_H

#include <lcx/error.h>
#include <lcx/ns.h>

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * struct lcx_overlay - a union mount in the making
 *
 * Read-only directories (lowers), the top-most first, and at most one writable
 * directory over them (the upper, with its work directory on the same file
 * system). Describes a mount; owns none: freeing it unmounts nothing. One thread
 * at a time per handle.
 *
 * Mounting needs CAP_SYS_ADMIN in the user namespace that owns the mount
 * namespace, and the overlay file system in the kernel. Nothing else of the
 * process is touched: no current directory, no umask.
 */
struct lcx_overlay;

/** struct lcx_overlay_diff - a walk over what the upper directory changes */
struct lcx_overlay_diff;

/** lcx_overlay_new() - an overlay without directories */
int lcx_overlay_new(struct lcx_overlay **ret, struct lcx_error **err);

/** lcx_overlay_free() - forget; NULL is accepted, NULL is returned */
struct lcx_overlay *lcx_overlay_free(struct lcx_overlay *overlay);

/**
 * lcx_overlay_add_lower() - put a read-only directory below those added before
 * @path: copied; looked up when it is mounted. Any characters may be in it
 *
 * The kernel takes 500 layers; before Linux 6.8 about 200, or, where they are given by descriptor
 * and the mount is attached nowhere, a dozen. -E2BIG beyond 500.
 */
int lcx_overlay_add_lower(struct lcx_overlay *overlay, const char *path, struct lcx_error **err);

/** lcx_overlay_add_lower_fd() - the same by descriptor (O_PATH suffices), which is duplicated */
int lcx_overlay_add_lower_fd(struct lcx_overlay *overlay, int dir_fd, struct lcx_error **err);

/**
 * lcx_overlay_set_upper() - choose the writable directory
 * @upper: receives all changes; not in use by another overlay
 * @work:  an empty directory of the same file system, for the kernel's use
 *
 * Without an upper the mount is read-only, and two lowers are needed.
 */
int lcx_overlay_set_upper(struct lcx_overlay *overlay, const char *upper, const char *work,
			  struct lcx_error **err);

/** lcx_overlay_set_upper_fd() - the same by descriptors, which are duplicated */
int lcx_overlay_set_upper_fd(struct lcx_overlay *overlay, int upper_fd, int work_fd,
			     struct lcx_error **err);

/**
 * lcx_overlay_set_option() - choose a mount option by its kernel name
 * @key:   "volatile", "userxattr" ("on", "off": default); "metacopy", "index", "nfs_export"
 *         ("on", "off": default); "redirect_dir" ("on", "follow", "nofollow": default);
 *         "xino" ("on", "auto", "off"); all are explained in the
 * kernel's Documentation/filesystems/overlayfs.rst
 * @value: as above; NULL for the default
 *
 * What has a default above is always told to the kernel, so that its build
 * configuration does not matter. "userxattr" keeps overlay's marks in user.*
 * attributes: needed in a user namespace. "volatile" never waits for the disk:
 * for containers whose changes need not survive a power failure; the kernel then refuses the work
 * directory for a second mount. Return: 0, -EINVAL for an unknown key or value.
 */
int lcx_overlay_set_option(struct lcx_overlay *overlay, const char *key, const char *value,
			   struct lcx_error **err);

/**
 * lcx_overlay_set_flag() - choose a flag of the mount itself
 * @flag: "ro", "nosuid", "nodev", "noexec", "noatime", "nosymfollow"
 * @on:   1 or 0 (default)
 */
int lcx_overlay_set_flag(struct lcx_overlay *overlay, const char *flag, int32_t on,
			 struct lcx_error **err);

/**
 * lcx_overlay_set_idmap() - show the owners of files through a map of ids
 * @map: what is a container id on the disk is the host id beside it in the mount, and the other
 *       way for what is made there; copied. NULL: owners are as they stand (default)
 *
 * So the layers serve any number of user namespaces and stay what they are; nothing is copied.
 * Upper and work are given by path then, as two directories of one. Whoever mounts keeps the right
 * to write there even if the map leaves his id out: what he makes belongs to the last id that the
 * map does not have, 4294967294 for most, until he gives it away.
 *
 * Mounting needs Linux 5.19, CAP_SYS_ADMIN in the first user namespace, and file systems that can
 * map owners: ext4, xfs, btrfs and others, tmpfs since Linux 6.3, overlay never. -EINVAL or
 * -EOPNOTSUPP in words otherwise. lcx_overlay_diff_new() and lcx_overlay_size() read the
 * directories as they stand, without the map. Return: 0 or -ENOMEM.
 */
int lcx_overlay_set_idmap(struct lcx_overlay *overlay, const struct lcx_idmap *map,
			  struct lcx_error **err);

/**
 * lcx_overlay_set_size_limit() - limit how much the upper directory may hold
 * @size_bytes: of upper and work directory together, as the file system counts; 0 takes the limit
 *              away
 *
 * Acts upon the directories at once, and lasts: the limit is the file system's, by a project
 * quota of a random number, and what is made in the directories counts. They should be empty when
 * it is first set. A writer meets -EDQUOT or -ENOSPC; statfs(2) in the mount tells the
 * limit as the size. Take the limit away before the directories are removed, as the file system
 * would remember the number. Whoever owns a file, and isn't in a user namespace, can take it out of
 * the quota by FS_IOC_FSSETXATTR.
 *
 * Return: 0, -EOPNOTSUPP naming the file system if it enforces no project quotas (xfs and ext4 do,
 * mounted with prjquota; Linux 5.14), -EPERM without CAP_SYS_ADMIN in the first user
 * namespace, or another negative errno.
 */
int lcx_overlay_set_size_limit(const struct lcx_overlay *overlay, uint64_t size_bytes,
			       struct lcx_error **err);

/** lcx_overlay_get_size_limit() - the limit that is set; 0 for none */
int lcx_overlay_get_size_limit(const struct lcx_overlay *overlay, uint64_t *ret_bytes,
			       struct lcx_error **err);

/**
 * lcx_overlay_mount_fd() - make the mount, attached nowhere
 *
 * Return: a descriptor of its root directory (O_CLOEXEC, owned by the caller),
 * for openat(2), move_mount(2) and friends; closing it while the mount is attached
 * nowhere unmounts. Or a negative errno: -EINVAL if directories are missing or do
 * not go together, -E2BIG if there are more layers than this kernel takes, -ENODEV if it has no
 * overlay, -EPERM without the privilege, else what open(2), fsconfig(2) or mount(2) reported, with
 * the kernel's words where it has some.
 */
int lcx_overlay_mount_fd(const struct lcx_overlay *overlay, struct lcx_error **err);

/**
 * lcx_overlay_mount() - make the mount and attach it in the caller's mount namespace
 * @target: an existing directory; a final symbolic link is not followed
 */
int lcx_overlay_mount(const struct lcx_overlay *overlay, const char *target,
		      struct lcx_error **err);

/**
 * lcx_overlay_unmount() - detach the overlay mounted at @target
 *
 * Not following a final symbolic link; lazily, so that an open file does not
 * keep it: the file system ends with its last user. Return: 0, -EINVAL if
 * @target is not the root of an overlay mount.
 */
int lcx_overlay_unmount(const char *target, struct lcx_error **err);

/* What happened to a path. */
#define LCX_OVERLAY_ADDED 1 /* in the upper only */
#define LCX_OVERLAY_CHANGED                                                                        \
	2 /* in the upper and in a lower; of a directory: perhaps only of something in it */
#define LCX_OVERLAY_DELETED 3 /* in a lower, hidden by a whiteout */

/**
 * lcx_overlay_diff_new() - begin a walk over the changes
 * @overlay: with an upper; not needed any more afterwards
 *
 * Reads the directories, mounted or not, by descriptors and without following a
 * link: the content may be hostile. Keeps a descriptor per layer open. A tree that changes
 * meanwhile is reported partly as it was and partly as it is. A directory comes before what is in
 * it; entries of one directory in byte order of their names.
 */
int lcx_overlay_diff_new(const struct lcx_overlay *overlay, struct lcx_overlay_diff **ret,
			 struct lcx_error **err);

/** lcx_overlay_diff_next() - step. Return: 1 if there is a change, 0 at the end, a negative errno
 */
int lcx_overlay_diff_next(struct lcx_overlay_diff *diff, struct lcx_error **err);

/* The present change; strings are valid until the next step. */

/** lcx_overlay_diff_path() - relative to the root, without "/" in front: "etc/passwd" */
const char *lcx_overlay_diff_path(const struct lcx_overlay_diff *diff);

/** lcx_overlay_diff_kind() - LCX_OVERLAY_ADDED, LCX_OVERLAY_CHANGED or LCX_OVERLAY_DELETED */
int32_t lcx_overlay_diff_kind(const struct lcx_overlay_diff *diff);

/** lcx_overlay_diff_mode() - st_mode in the upper (type and permissions); 0 if deleted */
uint32_t lcx_overlay_diff_mode(const struct lcx_overlay_diff *diff);

/** lcx_overlay_diff_is_opaque() - 1 for a directory that hides all of the one below it */
int32_t lcx_overlay_diff_is_opaque(const struct lcx_overlay_diff *diff);

/** lcx_overlay_diff_is_metacopy() - 1 for a file whose content is still the lower's */
int32_t lcx_overlay_diff_is_metacopy(const struct lcx_overlay_diff *diff);

/** lcx_overlay_diff_redirect() - the path it was renamed from, as the kernel keeps it, or "" */
const char *lcx_overlay_diff_redirect(const struct lcx_overlay_diff *diff);

/** lcx_overlay_diff_free() - release; NULL is accepted, NULL is returned */
struct lcx_overlay_diff *lcx_overlay_diff_free(struct lcx_overlay_diff *diff);

/**
 * lcx_overlay_size() - how much the upper directory holds
 * @ret_bytes:  allocated on disk, or NULL
 * @ret_inodes: files of all types, without the upper directory itself, or NULL
 *
 * A file with several names is counted once. Walks the tree by descriptors.
 */
int lcx_overlay_size(const struct lcx_overlay *overlay, uint64_t *ret_bytes, uint64_t *ret_inodes,
		     struct lcx_error **err);

#ifdef __cplusplus
}
#endif

#endif /* LCX_OVERLAY_H */
