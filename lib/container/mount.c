/* SPDX-License-Identifier: MIT */
#include "container/container-internal.h"

#include <fcntl.h>
#include <linux/stat.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "container/users/ordinary.h"
#include "init/enter.h"
#include "spec/mount.h"
#include "util/fs.h"
#include "util/sys.h"

/*
 * Volumes that come and go while a container runs.
 *
 * The tree is cloned, and gets its attributes, where the caller is: complete, but attached nowhere.
 * A child that shares no file system state with the host enters the container's mount namespace
 * and attaches it, to a place that the kernel finds in the container's root.
 *
 * The run state remembers each by its number and place, before it is there; what is taken away
 * later must be that very mount. Else a container could swap directories so that it loses what
 * covers its /proc.
 */

struct place {
	int proc_fd, ns_fd;
	int lock_fd, pidfd;
};

static void place_close(struct place *place)
{
	int *fds[] = {&place->ns_fd, &place->proc_fd, &place->pidfd, &place->lock_fd};

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		closep(fds[i]);
}

static int check(const struct lcx_container *c, const char *destination, struct lcx_error **err)
{
	const struct lcx__spec_namespace *ns = lcx__spec_namespace(c->spec, CLONE_NEWNS);

	if (destination[0] != '/')
		return lcx__fail(err, EINVAL, "'%s' is no absolute path in the container",
				 destination);
	if (lcx__is_ordinary_user())
		return lcx__fail(err, EPERM,
				 "a container gets volumes while it runs from root only; give them "
				 "to it when it is made");
	if (!ns || ns->path)
		return lcx__fail(err, EINVAL,
				 "container '%s' has no mount namespace of its own, and so what it "
				 "was made with is all that it has",
				 lcx__container_display(c));
	return 0;
}

/* /proc/PID is one process's for as long as it is open; so if ours lives after that, it is ours. */
static int open_process(const struct lcx_container *c, struct place *place, struct lcx_error **err)
{
	char path[32];

	(void)snprintf(path, sizeof(path), "/proc/%d", (int)c->run.pid.value);
	place->proc_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (place->proc_fd >= 0 && sys_pidfd_send_signal(place->pidfd, 0) == 0)
		return 0;
	return lcx__fail(err, ESRCH, "container '%s' has just ended", lcx__container_display(c));
}

static int place_open(struct lcx_container *c, const char *destination, struct place *ret,
		      struct lcx_error **err)
{
	int r = lcx__container_lock(c, &ret->lock_fd, err);

	if (r < 0)
		return r;
	ret->pidfd = lcx__container_open_running(c, err);
	if (ret->pidfd < 0)
		return ret->pidfd;
	r = lcx__container_load_spec(c, err);
	if (r == 0)
		r = check(c, destination, err);
	if (r < 0)
		return r;
	r = open_process(c, ret, err);
	if (r < 0)
		return r;
	ret->ns_fd = openat(ret->proc_fd, "ns/mnt", O_RDONLY | O_CLOEXEC);
	return ret->ns_fd < 0 ? lcx__fail_sys(err, errno, "enter container '%s'",
					      lcx__container_display(c))
			      : 0;
}

/* ---- the tree ------------------------------------------------------------ */

static int check_options(const struct lcx__mount_options *o, struct lcx_error **err)
{
	if (o->data)
		return lcx__fail(err, EINVAL, "'%s' is no option of a bind mount", o->data);
	if (o->n_propagation > 0 || o->tmpcopyup || o->flags & MS_REMOUNT)
		return lcx__fail(err, EOPNOTSUPP,
				 "a volume of a running container is private: neither propagation, "
				 "tmpcopyup nor remount");
	return 0;
}

static int change(int tree_fd, const struct lcx__mount_options *o, const struct place *place,
		  struct lcx_error **err)
{
	const struct sys_mount_attr deep = {
		.attr_set = o->rattr_set, .attr_clr = o->rattr_clr, .propagation = MS_PRIVATE};
	const struct sys_mount_attr top = {.attr_set = o->attr_set, .attr_clr = o->attr_clr};
	CLEANUP(closep) int users_fd = -1;
	int r = sys_mount_setattr(tree_fd, "", AT_EMPTY_PATH | SYS_AT_RECURSIVE, &deep);

	if (r == 0 && (top.attr_set || top.attr_clr))
		r = sys_mount_setattr(tree_fd, "", AT_EMPTY_PATH, &top);
	if (r < 0)
		return lcx__fail_sys(err, -r, "give a volume its options");
	if (o->idmap == LCX__IDMAP_NONE)
		return 0;
	users_fd = openat(place->proc_fd, "ns/user", O_RDONLY | O_CLOEXEC);
	if (users_fd < 0)
		return lcx__fail_sys(err, errno, "open the container's user namespace");
	return lcx_idmap_mount(tree_fd, users_fd, o->idmap == LCX__IDMAP_RECURSIVE, err);
}

static int clone_tree(const char *source, const char *const *options, const struct place *place,
		      struct lcx_error **err)
{
	CLEANUP(closep) int tree_fd = -1;
	struct lcx__mount_options o;
	int r = lcx__mount_options_parse(options, &o, err);

	if (r < 0)
		return r;
	r = check_options(&o, err);
	free(o.data);
	if (r < 0)
		return r;
	tree_fd = sys_open_tree(AT_FDCWD, source,
				SYS_OPEN_TREE_CLONE | O_CLOEXEC |
					(o.flags & MS_REC ? SYS_AT_RECURSIVE : 0u));
	if (tree_fd < 0)
		return lcx__fail_sys(err, -tree_fd, "volume '%s'", source);
	r = change(tree_fd, &o, place, err);
	return r < 0 ? r : TAKE_FD(tree_fd);
}

static int number_of(int fd, uint64_t *ret)
{
	struct statx st;
	long r = sys_call5(__NR_statx, fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &st);

	if (r == 0 && !(st.stx_mask & STATX_MNT_ID))
		r = -EOPNOTSUPP; /* before Linux 5.8 */
	if (r == 0)
		*ret = st.stx_mnt_id;
	return (int)r;
}

/* ---- what the run state knows --------------------------------------------- */

/* Return: its place in the list, or -1. */
static int find(const struct run_state *run, const char *destination)
{
	for (int i = 0; run->volumes && run->volumes[i]; i++) {
		const char *colon = strchr(run->volumes[i], ':');

		if (colon && strcmp(colon + 1, destination) == 0)
			return i;
	}
	return -1;
}

static int remember(struct lcx_container *c, uint64_t number, const char *destination,
		    struct lcx_error **err)
{
	CLEANUP(freep)
	char *line = lcx__format("%llu:%s", (unsigned long long)number, destination);

	if (!line || lcx__strv_append(&c->run.volumes, line) < 0)
		return lcx__fail_nomem(err);
	return lcx__run_state_save(&c->run, c->run_fd, err);
}

static int forget(struct lcx_container *c, int index, struct lcx_error **err)
{
	free(c->run.volumes[index]);
	for (; c->run.volumes[index]; index++)
		c->run.volumes[index] = c->run.volumes[index + 1];
	return lcx__run_state_save(&c->run, c->run_fd, err);
}

/* ---- both ways ------------------------------------------------------------ */

static int attach(struct lcx_container *c, int tree_fd, const char *destination,
		  const struct place *place, struct lcx_error **err)
{
	CLEANUP(closep) int place_fd = lcx__find_in_mounts(place->ns_fd, destination);
	uint64_t number;
	int r;

	if (place_fd < 0)
		return lcx__fail_sys(err, -place_fd, "volume on '%s' of a running container%s",
				     destination,
				     place_fd == -ENOENT ? ": make it there first" : "");
	r = number_of(tree_fd, &number);
	if (r < 0)
		return lcx__fail_sys(err, -r, "learn the number of a mount");
	r = remember(c, number, destination, err);
	if (r < 0)
		return r;
	r = lcx__attach_in_mounts(place->ns_fd, tree_fd, place_fd);
	if (r < 0) {
		(void)forget(c, find(&c->run, destination), NULL);
		return lcx__fail_sys(err, -r, "mount on '%s' of container '%s'", destination,
				     lcx__container_display(c));
	}
	return 0;
}

LCX_PUBLIC int lcx_container_mount(struct lcx_container *c, const char *source,
				   const char *destination, const char *const *options,
				   struct lcx_error **err)
{
	CLEANUP(place_close) struct place place = {-1, -1, -1, -1};
	CLEANUP(closep) int tree_fd = -1;
	int r = place_open(c, destination, &place, err);

	if (r < 0)
		return r;
	if (source[0] != '/')
		return lcx__fail(err, EINVAL, "'%s' is no absolute path of the host", source);
	if (find(&c->run, destination) >= 0)
		return lcx__fail(err, EEXIST, "there is a volume on '%s' already", destination);
	tree_fd = clone_tree(source, options, &place, err);
	return tree_fd < 0 ? tree_fd : attach(c, tree_fd, destination, &place, err);
}

LCX_PUBLIC int lcx_container_unmount(struct lcx_container *c, const char *destination,
				     struct lcx_error **err)
{
	CLEANUP(place_close) struct place place = {-1, -1, -1, -1};
	CLEANUP(closep) int place_fd = -1;
	uint64_t number = 0;
	int r = place_open(c, destination, &place, err), index;

	if (r < 0)
		return r;
	index = find(&c->run, destination);
	if (index < 0)
		return lcx__fail(
			err, ENOENT,
			"no volume came to '%s' while the container ran; those that it was "
			"made with stay",
			destination);
	place_fd = lcx__find_in_mounts(place.ns_fd, destination);
	r = place_fd < 0 ? place_fd : number_of(place_fd, &number);
	if (r < 0 || number != strtoull(c->run.volumes[index], NULL, 10))
		return lcx__fail(err, EBUSY,
				 "what is on '%s' now is not that volume: the container has moved "
				 "or covered it",
				 destination);
	r = lcx__detach_in_mounts(place.ns_fd, place_fd);
	if (r < 0)
		return lcx__fail_sys(err, -r, "unmount '%s' of container '%s'", destination,
				     lcx__container_display(c));
	return forget(c, index, err);
}
