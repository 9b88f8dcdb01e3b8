/* SPDX-License-Identifier: MIT */
#include "process/compile-internal.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>

#include "ns/ns.h"
#include "util/sys.h"

/*
 * What is bound into a container and can't be cloned by its own process: because its root is
 * nobody on the host, whose directories are closed to him, or because owners are to be
 * mapped, which takes power over the file system. The clone is attached nowhere and goes to
 * lcx-init by descriptor.
 */

static int add_ranges(struct lcx_idmap *map, enum lcx_id_kind kind,
		      const struct lcx__spec_id_map *ranges, size_t n, struct lcx_error **err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = lcx_idmap_add(map, kind, ranges[i].container_id.value, ranges[i].host_id.value,
				  ranges[i].size.value, err);
	return r;
}

/* A user namespace with these two lists, whatever their type is called. */
#define MAKE_USERS(lists, ret, err)                                                                \
	make_users((lists)->uid_mappings.items, (lists)->uid_mappings.n,                           \
		   (lists)->gid_mappings.items, (lists)->gid_mappings.n, ret, err)

static int make_users(const struct lcx__spec_id_map *uids, size_t n_uids,
		      const struct lcx__spec_id_map *gids, size_t n_gids, struct lcx_ns_set **ret,
		      struct lcx_error **err)
{
	CLEANUP(lcx_idmap_freep) struct lcx_idmap *map = NULL;
	int r = lcx_idmap_new(&map, err);

	if (r == 0)
		r = add_ranges(map, LCX_ID_USER, uids, n_uids, err);
	if (r == 0)
		r = add_ranges(map, LCX_ID_GROUP, gids, n_gids, err);
	return r < 0 ? r : lcx_ns_create(LCX_NS_USER, map, ret, err);
}

/* The mount's own map, or else the container's; *ret_own is the caller's. */
static int choose_users(struct compiler *c, const struct lcx__spec_mount *m,
			struct lcx_ns_set **ret_own, int *ret_fd, struct lcx_error **err)
{
	const struct lcx__spec_linux *linux_ = &c->spec->linux_;
	int r = 0;

	if (m->uid_mappings.n > 0) {
		r = MAKE_USERS(m, ret_own, err);
		*ret_fd = r < 0 ? -1 : lcx_ns_set_fd(*ret_own, LCX_NS_USER);
		return r;
	}
	if (linux_->uid_mappings.n == 0)
		return lcx__fail(err, EINVAL,
				 "idmap: the container has no map of ids, and the mount has none "
				 "of its own");
	if (!c->users)
		r = MAKE_USERS(linux_, &c->users, err);
	*ret_fd = r < 0 ? -1 : lcx_ns_set_fd(c->users, LCX_NS_USER);
	return r;
}

static int map_owners(struct compiler *c, const struct lcx__spec_mount *m, int tree_fd,
		      struct lcx_error **err)
{
	CLEANUP(lcx_ns_set_freep) struct lcx_ns_set *own = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *why = NULL;
	int users_fd = -1, r;

	if (m->parsed.idmap == LCX__IDMAP_NONE)
		return 0;
	r = choose_users(c, m, &own, &users_fd, err);
	if (r < 0)
		return r;
	r = lcx_idmap_mount(tree_fd, users_fd, m->parsed.idmap == LCX__IDMAP_RECURSIVE, &why);
	if (r == -EINVAL)
		return lcx__fail(err, EOPNOTSUPP,
				 "idmap: the file system of '%s'%s cannot show files with other "
				 "owners on this kernel",
				 m->source,
				 m->parsed.idmap == LCX__IDMAP_RECURSIVE ? ", or one below it,"
									 : "");
	return r < 0 ? lcx__fail(err, -r, "idmap: %s", lcx_error_message(why)) : 0;
}

static int clone_tree(const char *path, bool recursive, uint64_t propagation,
		      struct lcx_error **err)
{
	const struct sys_mount_attr attr = {.propagation = propagation};
	CLEANUP(closep)
	int fd =
		sys_open_tree(AT_FDCWD, path,
			      SYS_OPEN_TREE_CLONE | O_CLOEXEC | (recursive ? SYS_AT_RECURSIVE : 0));
	int r = 0;

	if (fd < 0)
		return lcx__fail_sys(err, -fd, "clone the mount of '%s'", path);
	if (propagation)
		r = sys_mount_setattr(fd, "", AT_EMPTY_PATH | SYS_AT_RECURSIVE, &attr);
	return r < 0 ? lcx__fail_sys(err, -r, "set its propagation") : TAKE_FD(fd);
}

/* As the container's own copy of the mounts, it gets what the host mounts, and gives nothing. */
static uint64_t one_way(const struct lcx_spec *spec)
{
	return spec->linux_.rootfs_propagation.value & MS_PRIVATE ? MS_PRIVATE : MS_SLAVE;
}

int lcx__clone_tree(const struct lcx_spec *spec, const char *path, bool recursive,
		    struct lcx_error **err)
{
	return clone_tree(path, recursive, one_way(spec), err);
}

/*
 * Both say it, the mount and the root, as engines do for what they call bidirectional. What users
 * of another namespace mount never reaches the host: mount_namespaces(7), "Restrictions".
 */
bool lcx__compile_is_both_ways(const struct compiler *c, const struct lcx__spec_mount *m)
{
	bool shared = false;

	for (uint32_t i = 0; i < m->parsed.n_propagation; i++)
		shared |= (m->parsed.propagation[i] & MS_SHARED) != 0;
	return shared && c->spec->linux_.rootfs_propagation.value & MS_SHARED &&
	       !c->in->joins_mount && !lcx__spec_namespace(c->spec, CLONE_NEWUSER);
}

int lcx__compile_source(struct compiler *c, const struct lcx__spec_mount *m, struct lcx_error **err)
{
	CLEANUP(closep)
	int fd = clone_tree(m->source, m->parsed.flags & MS_REC,
			    lcx__compile_is_both_ways(c, m) ? 0 : one_way(c->spec), err);
	int r = fd < 0 ? fd : map_owners(c, m, fd, err);

	if (r < 0) {
		r = lcx__fail_prefix(err, r, "mount on '%s'", m->destination);
		return lcx__fail_stage(err, r, "mount");
	}
	return TAKE_FD(fd);
}
