/* SPDX-License-Identifier: MIT */
#include "container/start/start.h"

#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>

#include "container/users/users.h"
#include "init/launch.h"
#include "lcx/ns.h"
#include "process/compile.h"
#include "util/fs.h"
#include "util/sys.h"

/*
 * A container in a mount namespace that others use: "path" of linux.namespaces. Its root is mounted
 * on top of theirs, so that nothing of theirs changes, and unmounted again at the end, by a process
 * that joins once more. The namespace is known by its number, as its path may come to lead to
 * another one; the mount by its own. One container at a time is in it, for what is on top is
 * unmounted: a link "joined/NUMBER" in the run directory leads to its identifier.
 */

static bool is_same(int fd, const char *path)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && stat(path, &b) == 0 && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

/* In the host's the container is as if the description had none; the caller's it is in already. */
int lcx__start_open_mounts(struct start *s, struct lcx_error **err)
{
	const struct lcx__spec_namespace *mount = lcx__spec_namespace(s->c->spec, CLONE_NEWNS);

	if (!mount || !mount->path)
		return 0;
	s->mntns_fd = lcx_ns_open_path(mount->path, LCX_NS_MNT, err);
	if (s->mntns_fd < 0)
		return lcx__fail_prefix(err, s->mntns_fd, "linux.namespaces");
	if (is_same(s->mntns_fd, "/proc/self/ns/mnt")) {
		s->shares_mount = true;
		closep(&s->mntns_fd);
	}
	s->shares_mount |= s->mntns_fd >= 0 && is_same(s->mntns_fd, "/proc/1/ns/mnt");
	return s->shares_mount ? lcx__spec_check_shared_mounts(s->c->spec, err) : 0;
}

static void link_name(unsigned long long number, char name[static 32])
{
	(void)snprintf(name, 32, "%llu", number);
}

static int claim(const struct lcx_container *c, ino_t number, const char *path,
		 struct lcx_error **err)
{
	CLEANUP(closep) int dir_fd = lcx__make_dirs(c->ctx->run_fd, "joined", 0700);
	char name[32];

	link_name(number, name);
	if (dir_fd < 0)
		return lcx__fail_sys(err, -dir_fd, "open the directory of joined namespaces");
	if (symlinkat(c->d.id, dir_fd, name) == 0)
		return 0;
	return errno == EEXIST ? lcx__fail(err, EBUSY,
					   "linux.namespaces: another container is in the mount "
					   "namespace '%s'",
					   path)
			       : lcx__fail_sys(err, errno, "record the mount namespace");
}

static void unclaim(const struct lcx_container *c, unsigned long long number)
{
	CLEANUP(closep) int dir_fd = lcx__open_dir(c->ctx->run_fd, "joined");
	char name[32], id[256];
	ssize_t n;

	link_name(number, name);
	n = dir_fd < 0 ? -1 : readlinkat(dir_fd, name, id, sizeof(id) - 1);
	if (n < 0)
		return;
	id[n] = '\0';
	if (strcmp(id, c->d.id) == 0)
		(void)unlinkat(dir_fd, name, 0);
}

bool lcx__start_is_joined(const struct start *s)
{
	const struct lcx__spec_namespace *mount = lcx__spec_namespace(s->c->spec, CLONE_NEWNS);

	return mount && mount->path && !s->shares_mount && s->c->d.rootfs &&
	       !lcx__container_has_users(s->c);
}

int lcx__start_joined_root(struct start *s, struct lcx_error **err)
{
	const char *path = lcx__spec_namespace(s->c->spec, CLONE_NEWNS)->path;
	CLEANUP(freep) char *object = NULL;
	struct sys_statx st = {0};
	struct stat ns;
	int r;

	if (fstat(s->mntns_fd, &ns) < 0)
		return lcx__fail_sys(err, errno, "linux.namespaces: mount namespace '%s'", path);
	s->root_fd = lcx__clone_tree(s->c->spec, s->c->d.rootfs, true, err);
	if (s->root_fd < 0)
		return s->root_fd;
	r = sys_statx(s->root_fd, "", AT_EMPTY_PATH, &st);
	if (r < 0)
		return lcx__fail_sys(err, -r, "look at the root file system");
	object = lcx__format("%llu %llu %s", (unsigned long long)ns.st_ino,
			     (unsigned long long)st.mnt_id, path);
	r = object ? lcx__journal_add(s->c->run_fd, "root", object, err) : lcx__fail_nomem(err);
	return r < 0 ? r : claim(s->c, ns.st_ino, path, err);
}

static int unmount(int ns_fd, uint64_t mount_id, struct lcx_error **err)
{
	CLEANUP(lcx__plan_freep) struct lcx__plan *plan = NULL;
	struct lcx__launch launch = {.cgroup_fd = -1, .stdio = {-1, -1, -1}};
	struct lcx__child child = LCX__CHILD_NONE;
	struct plan_op *op;
	int r = lcx__plan_new(&plan, err);

	if (r < 0)
		return r;
	(void)lcx__plan_add(plan, PLAN_NONDUMPABLE);
	op = lcx__plan_add(plan, PLAN_SETNS);
	op->fd = lcx__plan_fd(plan, ns_fd);
	op->str[0] = lcx__plan_string(plan, "mount");
	op->num[0] = CLONE_NEWNS;
	lcx__plan_add(plan, PLAN_UNMOUNT_ROOT)->num[0] = mount_id;
	launch.plan = plan;
	r = lcx__launch(&launch, &child, err);
	if (r == 0)
		r = lcx__child_receive(&child, NULL, err);
	lcx__child_reap(&child);
	return r;
}

static int unmount_from(const char *path, unsigned long long number, uint64_t mount_id,
			struct lcx_error **err)
{
	CLEANUP(closep) int fd = lcx_ns_open_path(path, LCX_NS_MNT, NULL);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_ino != number)
		return 0;
	return unmount(fd, mount_id, err);
}

/* "NUMBER MOUNT PATH". A namespace that is gone has taken its mounts along. */
int lcx__container_undo_root(struct lcx_container *c, const char *object, struct lcx_error **err)
{
	unsigned long long number, mount_id;
	int at = 0, r;

	if (sscanf(object, "%llu %llu %n", &number, &mount_id, &at) != 2 || at == 0)
		return 0;
	r = unmount_from(object + at, number, mount_id, err);
	if (r == 0)
		unclaim(c, number);
	return r;
}
