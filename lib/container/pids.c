/* SPDX-License-Identifier: MIT */
#include "container/container-internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "container/cgroups/cgroups.h"
#include "util/fs.h"

/*
 * What runs in a container: the processes of its cgroup, or without one, as ordinary users have it,
 * of its pid namespace.
 */

static int stat_pid_namespace(int64_t pid, struct stat *ret)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%lld/ns/pid", (long long)pid);
	return stat(path, ret) < 0 ? -errno : 0;
}

/* One that has ended since, or is not for us to see, is none of the container's. */
static int add_if_inside(const char *name, const struct stat *namespace,
			 struct lcx_cgroup_pids *pids)
{
	struct stat st;
	uint64_t pid;

	if (lcx__parse_u64(name, INT32_MAX, &pid) < 0 ||
	    stat_pid_namespace((int64_t)pid, &st) < 0 || st.st_ino != namespace->st_ino ||
	    st.st_dev != namespace->st_dev)
		return 0;
	return lcx__cgroup_pids_add(pids, (int32_t)pid);
}

static int list_namespace(const struct stat *namespace, struct lcx_cgroup_pids *pids)
{
	CLEANUP(closedirp) DIR *proc = opendir("/proc");
	struct dirent *entry;
	int r = proc ? 0 : -errno;

	while (r == 0 && (entry = readdir(proc)))
		r = add_if_inside(entry->d_name, namespace, pids);
	return r;
}

static int find_in_namespace(struct lcx_container *c, struct lcx_cgroup_pids **ret,
			     struct lcx_error **err)
{
	CLEANUP(lcx_cgroup_pids_freep) struct lcx_cgroup_pids *pids = NULL;
	struct stat own, namespace;
	int r = stat_pid_namespace(getpid(), &own);

	if (r == 0)
		r = stat_pid_namespace(c->run.pid.value, &namespace);
	if (r == 0 && own.st_ino == namespace.st_ino)
		return lcx__fail(err, ENODEV,
				 "container '%s' has neither a cgroup nor a pid namespace of its "
				 "own: what runs in it is not known",
				 lcx__container_display(c));
	if (r == 0) {
		pids = lcx__cgroup_pids_new_empty();
		r = pids ? list_namespace(&namespace, pids) : -ENOMEM;
	}
	if (r < 0)
		return lcx__fail_sys(err, -r, "list the processes of container '%s'",
				     lcx__container_display(c));
	*ret = TAKE_PTR(pids);
	return 0;
}

LCX_PUBLIC int lcx_container_pids(struct lcx_container *c, struct lcx_cgroup_pids **ret,
				  struct lcx_error **err)
{
	CLEANUP(closep) int pidfd = lcx__container_open_running(c, err);
	int r;

	if (pidfd < 0)
		return pidfd;
	if (!c->run.cgroup)
		return find_in_namespace(c, ret, err);
	r = lcx__container_open_cgroup(c, err);
	return r < 0 ? r : lcx_cgroup_pids_new(c->cgroup, ret, err);
}
