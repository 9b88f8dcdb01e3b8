/* SPDX-License-Identifier: MIT */
#include "container/container-internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#include "container/cgroups/cgroups.h"
#include "container/life/life.h"
#include "util/fs.h"
#include "util/process.h"
#include "util/sys.h"

/*
 * What runs in a container, and a signal to all of that: the processes of its cgroup, or without
 * one, as ordinary users have it, of its pid namespace.
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

static int find_namespace(struct lcx_container *c, struct stat *ret, struct lcx_error **err)
{
	struct stat own;
	int r = stat_pid_namespace(getpid(), &own);

	if (r == 0)
		r = stat_pid_namespace(c->run.pid.value, ret);
	if (r == 0 && own.st_ino == ret->st_ino)
		return lcx__fail(err, ENODEV,
				 "container '%s' has neither a cgroup nor a pid namespace of its "
				 "own: what runs in it is not known",
				 lcx__container_display(c));
	return r < 0 ? lcx__fail_sys(err, -r, "list the processes of container '%s'",
				     lcx__container_display(c))
		     : 0;
}

static int find_in_namespace(struct lcx_container *c, const struct stat *namespace,
			     struct lcx_cgroup_pids **ret, struct lcx_error **err)
{
	CLEANUP(lcx_cgroup_pids_freep)
	struct lcx_cgroup_pids *pids = lcx__cgroup_pids_new_empty();
	int r = pids ? list_namespace(namespace, pids) : -ENOMEM;

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
	struct stat namespace;
	int r;

	if (pidfd < 0)
		return pidfd;
	if (c->run.cgroup) {
		r = lcx__container_open_cgroup(c, err);
		return r < 0 ? r : lcx_cgroup_pids_new(c->cgroup, ret, err);
	}
	r = find_namespace(c, &namespace, err);
	return r < 0 ? r : find_in_namespace(c, &namespace, ret, err);
}

/* The pidfd holds one process: it is the right one if its number is still one of the namespace's
 * after that. */
static void signal_one(int32_t pid, const struct stat *namespace, int32_t signal)
{
	CLEANUP(closep) int pidfd = lcx__pidfd_open(pid);
	struct stat st;

	if (pidfd >= 0 && stat_pid_namespace(pid, &st) == 0 && st.st_ino == namespace->st_ino &&
	    st.st_dev == namespace->st_dev)
		(void)sys_pidfd_send_signal(pidfd, signal);
}

static int signal_namespace(struct lcx_container *c, int32_t signal, struct lcx_error **err)
{
	CLEANUP(lcx_cgroup_pids_freep) struct lcx_cgroup_pids *pids = NULL;
	struct stat namespace;
	int32_t pid;
	int r = find_namespace(c, &namespace, err);

	if (r == 0)
		r = find_in_namespace(c, &namespace, &pids, err);
	while (r == 0 && (pid = lcx_cgroup_pids_next(pids)) > 0)
		signal_one(pid, &namespace, signal);
	return r;
}

/* What its process has left behind, which no pid namespace took along, in what is its cgroup until
 * that is taken down: the journal tells. */
static int signal_rest(struct lcx_container *c, int32_t signal, struct lcx_error **err)
{
	CLEANUP(lcx_cgroup_pids_freep) struct lcx_cgroup_pids *pids = NULL;
	CLEANUP(lcx__strv_freep) char **entries = NULL;
	CLEANUP(closep) int lock_fd = -1;
	bool made = false;
	int r = lcx__container_lock(c, &lock_fd, err);

	if (r == 0)
		r = lcx__container_load_state(c, err);
	if (r == 0 && c->run_fd >= 0)
		r = lcx__journal_read(c->run_fd, &entries, err);
	for (char **entry = entries; entry && *entry; entry++)
		made = made || strncmp(*entry, "cgroup ", 7) == 0;
	if (r == 0 && made && c->run.cgroup)
		r = lcx__container_open_cgroup(c, err);
	if (r == 0 && made && c->cgroup)
		r = lcx_cgroup_pids_new(c->cgroup, &pids, err);
	if (r < 0)
		return r;
	if (!pids || lcx_cgroup_pids_next(pids) <= 0)
		return lcx__fail(err, ESRCH, "container '%s' is not running",
				 lcx__container_display(c));
	return signal == SIGKILL ? lcx_cgroup_kill(c->cgroup, LCX__KILL_WAIT_MS, err)
				 : lcx_cgroup_signal(c->cgroup, signal, err);
}

LCX_PUBLIC int lcx_container_kill_all(struct lcx_container *c, int32_t signal,
				      struct lcx_error **err)
{
	CLEANUP(closep) int pidfd = -1;
	int r;

	if (signal < 0 || signal > SIGRTMAX)
		return lcx__fail(err, EINVAL, "%d is not a signal", signal);
	pidfd = lcx__container_open_running(c, NULL);
	if (pidfd == -ESRCH)
		return signal_rest(c, signal, err);
	if (pidfd < 0)
		return lcx__container_open_running(c, err);
	lcx__container_note_signal(c, signal);
	if (!c->run.cgroup)
		return signal_namespace(c, signal, err);
	r = lcx__container_open_cgroup(c, err);
	if (r == 0)
		r = lcx_cgroup_signal(c->cgroup, signal, err);
	if (r == 0)
		lcx__thaw_to_end(c, signal);
	return r;
}
