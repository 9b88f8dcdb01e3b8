/* SPDX-License-Identifier: MIT */
#ifndef LCX_NS_H
#define LCX_NS_H

#include <lcx/error.h>

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Namespaces as descriptors, and the maps of user and group ids that belong to
 * user namespaces. No function here changes a namespace of the calling thread, or of
 * any thread of the program. A process enters namespaces when it is started: see lcx/spec.h
 * and lcx/container.h, which take the paths of pinned ones.
 */

/** enum lcx_ns_kind - one bit each, so that several make a mask */
enum lcx_ns_kind {
	LCX_NS_CGROUP = 1 << 0,
	LCX_NS_IPC = 1 << 1,
	LCX_NS_MNT = 1 << 2,
	LCX_NS_NET = 1 << 3,
	LCX_NS_PID = 1 << 4,
	LCX_NS_TIME = 1 << 5,
	LCX_NS_USER = 1 << 6,
	LCX_NS_UTS = 1 << 7,
};

/** lcx_ns_name() - the kernel's word, as in /proc/PID/ns ("mnt"); NULL for what is not one kind */
const char *lcx_ns_name(enum lcx_ns_kind kind);

/**
 * lcx_ns_parse() - the kind for a word of the kernel's ("mnt", "net") or of OCI's ("mount",
 * "network")
 *
 * Return: 0, or -EINVAL for an unknown word.
 */
int lcx_ns_parse(const char *name, enum lcx_ns_kind *ret);

/**
 * lcx_ns_open_pid() - a namespace of a process
 * @pid: a number in the caller's pid namespace; 0 for the calling thread itself. A number may be
 *       given to another process at any time: prefer lcx_ns_open_pidfd()
 *
 * Return: a descriptor (O_CLOEXEC), owned by the caller, which keeps the namespace alive; or a
 * negative errno: -ESRCH when there is no such process, -EACCES when it may not be looked into
 * (ptrace(2)), -EINVAL for what is not one kind, -EOPNOTSUPP if the kernel has no such kind.
 */
int lcx_ns_open_pid(int32_t pid, enum lcx_ns_kind kind, struct lcx_error **err);

/** lcx_ns_open_pidfd() - the same for a process behind a pidfd, whatever became of its number */
int lcx_ns_open_pidfd(int pidfd, enum lcx_ns_kind kind, struct lcx_error **err);

/**
 * lcx_ns_open_path() - a namespace by its file: /proc/PID/ns/net, or one that is pinned
 *
 * Return: a descriptor; -EINVAL if @path is no namespace or one of another kind, else
 * what open(2) reported. The path may be a symbolic link; what it leads to is verified.
 */
int lcx_ns_open_path(const char *path, enum lcx_ns_kind kind, struct lcx_error **err);

/** lcx_ns_open_owner() - the user namespace that owns a namespace; -EPERM if it is above the
 * caller's */
int lcx_ns_open_owner(int ns_fd, struct lcx_error **err);

/** lcx_ns_kind_of() - the enum lcx_ns_kind behind a descriptor; -EINVAL if it is no namespace */
int lcx_ns_kind_of(int ns_fd, struct lcx_error **err);

/**
 * lcx_ns_identity() - what tells a namespace from every other that lives now
 *
 * Device and inode number, as namespaces(7) defines it. They may be used again once it is gone.
 */
int lcx_ns_identity(int ns_fd, uint64_t *ret_device, uint64_t *ret_inode, struct lcx_error **err);

/** lcx_ns_is_same() - 1 if both descriptors are the same namespace, 0 if not */
int lcx_ns_is_same(int a_fd, int b_fd, struct lcx_error **err);

/**
 * struct lcx_ns_set - new namespaces, held by descriptors
 *
 * They live as long as a descriptor, a pin or a process holds them. Immutable, so any number of
 * threads may use one at once.
 */
struct lcx_ns_set;

struct lcx_idmap;

/**
 * lcx_ns_create() - make namespaces, without entering them
 * @kinds: a mask of enum lcx_ns_kind. Not LCX_NS_PID: a pid namespace lives and dies
 *         with its first process
 * @map:   the ids of the user namespace; only with LCX_NS_USER, and required then
 * @ret:   the set, owned by the caller; untouched on failure
 *
 * The others are owned by the new user namespace if there is one, else by the caller's. A new mount
 * namespace has a copy of the caller's mounts; a new network namespace has a loopback that is down.
 *
 * Return: 0; -EINVAL for a bad mask or map; -EPERM without CAP_SYS_ADMIN when no
 * LCX_NS_USER is wanted, or when the map is more than an ordinary user may ask for; -ENOSPC at a
 * limit of user.max_*_namespaces, -EOPNOTSUPP for a kind that the kernel lacks.
 */
int lcx_ns_create(uint32_t kinds, const struct lcx_idmap *map, struct lcx_ns_set **ret,
		  struct lcx_error **err);

/**
 * lcx_ns_create_time() - make a time namespace whose clocks are shifted
 * @monotonic_ns: added to CLOCK_MONOTONIC, in nanoseconds; may be negative
 * @boottime_ns:  added to CLOCK_BOOTTIME
 *
 * Return: a descriptor, owned by the caller; -ERANGE if a clock would become negative or too
 * large, else as lcx_ns_create().
 */
int lcx_ns_create_time(int64_t monotonic_ns, int64_t boottime_ns, struct lcx_error **err);

/** lcx_ns_set_kinds() - the mask of the namespaces that are in the set */
uint32_t lcx_ns_set_kinds(const struct lcx_ns_set *set);

/** lcx_ns_set_fd() - borrow the descriptor of one; -1 if it is not in the set */
int lcx_ns_set_fd(const struct lcx_ns_set *set, enum lcx_ns_kind kind);

/** lcx_ns_set_free() - close all descriptors; NULL is accepted, NULL is returned */
struct lcx_ns_set *lcx_ns_set_free(struct lcx_ns_set *set);

/**
 * lcx_ns_pin() - keep a namespace under a path, until lcx_ns_unpin() or a reboot
 * @path: must not exist yet; its directory must, and be writable by the caller only
 *
 * As `ip netns add` does in /run/netns. Return: 0; -EEXIST, -EPERM without CAP_SYS_ADMIN, -EINVAL
 * if
 * @ns_fd is no namespace or cannot be held by the caller's mount namespace (mount_namespaces(7)).
 */
int lcx_ns_pin(int ns_fd, const char *path, struct lcx_error **err);

/**
 * lcx_ns_unpin() - let go what lcx_ns_pin() has pinned; a half-made pin, too
 *
 * Return: 0; -ENOENT, -EINVAL if there is something else at @path, which is left alone then.
 */
int lcx_ns_unpin(const char *path, struct lcx_error **err);

/** enum lcx_id_kind - user ids and group ids are mapped apart */
enum lcx_id_kind {
	LCX_ID_USER = 1,
	LCX_ID_GROUP = 2,
};

/**
 * struct lcx_idmap - which ids inside a user namespace are which outside
 *
 * Two lists of ranges, for users and groups, of at most 340 ranges each (the kernel's
 * limit). Any range that would overlap another on either side, or reach the id 4294967295, which
 * the kernel reserves, is refused when it is added. One thread at a time per handle.
 */

/** lcx_idmap_new() - an empty map; 0 or -ENOMEM */
int lcx_idmap_new(struct lcx_idmap **ret, struct lcx_error **err);

/** lcx_idmap_dup() - a copy, owned by the caller; 0 or -ENOMEM */
int lcx_idmap_dup(const struct lcx_idmap *map, struct lcx_idmap **ret, struct lcx_error **err);

/**
 * lcx_idmap_add() - @count ids from @container_id on are those from @host_id on
 *
 * "Host" is whatever is outside: the caller's user namespace. Return: 0; -EINVAL for an empty or
 * overlapping range, -ERANGE for one that goes beyond 4294967294, -E2BIG for too many.
 */
int lcx_idmap_add(struct lcx_idmap *map, enum lcx_id_kind kind, uint32_t container_id,
		  uint32_t host_id, uint32_t count, struct lcx_error **err);

/**
 * lcx_idmap_parse() - add ranges in words: "0:100000:65536", several separated by commas
 *
 * CONTAINER:HOST:COUNT, as `podman --uidmap` takes them; the count may be left out and is 1 then.
 * Nothing is added if one of them is bad. Return: as lcx_idmap_add().
 */
int lcx_idmap_parse(struct lcx_idmap *map, enum lcx_id_kind kind, const char *text,
		    struct lcx_error **err);

/** lcx_idmap_add_identity() - users and groups of a range are the same on both sides */
int lcx_idmap_add_identity(struct lcx_idmap *map, uint32_t first_id, uint32_t count,
			   struct lcx_error **err);

/**
 * lcx_idmap_add_subids() - the ranges that the administrator gave to a user
 * @user: the login name to look for in /etc/subuid and /etc/subgid, or NULL
 * @uid:  the user's number, which may stand there instead of the name
 *
 * They are put one after the other behind the highest container id that is mapped already; so after
 * lcx_idmap_add(0, own id, 1) they begin at 1. Return: 0; -ENOENT when there are none for users or
 * for groups, -EINVAL when a file cannot be understood.
 */
int lcx_idmap_add_subids(struct lcx_idmap *map, const char *user, uint32_t uid,
			 struct lcx_error **err);

/**
 * lcx_idmap_set_programs() - may newuidmap(1) and newgidmap(1) be executed?
 * @allowed: not 0: where the kernel lets the caller not write the map himself, these two setuid programs
 *           of the administrator's do it, for the ranges that /etc/subuid and /etc/subgid give him
 *
 * Without this call, nothing is executed. They are looked for in /usr/bin, /bin, /usr/local/bin and
 * /run/wrappers/bin, and get an empty environment.
 */
void lcx_idmap_set_programs(struct lcx_idmap *map, int32_t allowed);

/** lcx_idmap_count() - how many ranges there are */
size_t lcx_idmap_count(const struct lcx_idmap *map, enum lcx_id_kind kind);

/** lcx_idmap_range() - one range, in the order they were added; -ERANGE beyond the last */
int lcx_idmap_range(const struct lcx_idmap *map, enum lcx_id_kind kind, size_t index,
		    uint32_t *ret_container_id, uint32_t *ret_host_id, uint32_t *ret_count);

/** lcx_idmap_to_host() - the host's id for a container's; -ENOENT if it is not mapped */
int lcx_idmap_to_host(const struct lcx_idmap *map, enum lcx_id_kind kind, uint32_t container_id,
		      uint32_t *ret_host_id);

/** lcx_idmap_from_host() - the container's id for a host's; -ENOENT if it is not mapped */
int lcx_idmap_from_host(const struct lcx_idmap *map, enum lcx_id_kind kind, uint32_t host_id,
			uint32_t *ret_container_id);

/**
 * lcx_idmap_text() - the map as the kernel reads it: "0 100000 65536\n", a line per range
 *
 * Valid until the map is changed or freed; "" if there is no range.
 */
const char *lcx_idmap_text(const struct lcx_idmap *map, enum lcx_id_kind kind);

/**
 * lcx_idmap_write() - give a user namespace its map
 * @proc_dir_fd: the directory /proc/PID of a process that is in the new namespace
 *
 * A namespace takes a map once only. A caller without CAP_SETGID can map just its own group, and
 * the process loses setgroups(2) then; that is done here as user_namespaces(7) demands it.
 *
 * Return: 0; -EPERM with the reason in words: mapped before, or more than the caller may map; -ENOENT
 * if lcx_idmap_set_programs() allows the programs and they are missing.
 */
int lcx_idmap_write(const struct lcx_idmap *map, int proc_dir_fd, struct lcx_error **err);

/**
 * lcx_idmap_mount() - show a mount's files with other owners, without changing them
 * @mount_fd:  a mount that is not attached yet: open_tree(2) with OPEN_TREE_CLONE, or fsmount(2)
 * @userns_fd: a user namespace; its map decides. For a map of one's own: lcx_ns_create(LCX_NS_USER,
 * map)
 * @recursive: not 0: the mounts below it as well
 *
 * A file of the id that is a container id in the map appears with the host id beside it; and a
 * process with that host id creates files of the container id. Needs CAP_SYS_ADMIN over the file
 * system.
 *
 * Return: 0; -EINVAL for a file system that cannot do it, or a mount that is attached; -EPERM
 * without privilege or for a mount that is mapped already, -EOPNOTSUPP before Linux 5.12.
 */
int lcx_idmap_mount(int mount_fd, int userns_fd, int recursive, struct lcx_error **err);

/** lcx_idmap_free() - NULL is accepted, NULL is returned */
struct lcx_idmap *lcx_idmap_free(struct lcx_idmap *map);

#ifdef __cplusplus
}
#endif

#endif /* LCX_NS_H */
