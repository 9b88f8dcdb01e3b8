/* SPDX-License-Identifier: MIT */

/*
 * The life of a handle. A cgroup is first made where its processes are tracked;
 * other hierarchies of version 1 are joined when a limit or a figure of theirs is
 * asked for, since each costs a directory to make, to enter and to remove. The
 * tracker's directory is the first to be made and the last to be removed: whatever
 * an interruption leaves can be found there.
 */

#include "cgroup/cgroup-internal.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "util/fs.h"
#include "util/str.h"

int lcx__keyed_value(const char *text, const char *key, int64_t *ret)
{
	size_t length = strlen(key);

	while (text && *text) {
		if (strncmp(text, key, length) == 0 && text[length] == ' ') {
			char *end;
			long long value;

			errno = 0;
			value = strtoll(text + length + 1, &end, 10);
			if (errno || end == text + length + 1)
				return -ENODATA;
			*ret = value;
			return 0;
		}
		text = strchr(text, '\n');
		if (text)
			text++;
	}
	return -ENODATA;
}

int lcx__cgroup_remaining_ms(int64_t deadline_ns)
{
	int64_t left_ns = deadline_ns - lcx__monotonic_ns();
	int64_t left_ms = left_ns / 1000000 + (left_ns % 1000000 > 0);

	return left_ns <= 0 ? 0 : left_ms > INT_MAX ? INT_MAX : (int)left_ms;
}

/* --- this machine --- */

LCX_PUBLIC int lcx_cgroup_mode(struct lcx_error **err)
{
	CLEANUP(lcx__cgroup_layout_freep) struct lcx__cgroup_layout *layout = NULL;
	int r = lcx__cgroup_layout_read(&layout, err);

	if (r == -ENODEV)
		return LCX_CGROUP_MODE_NONE;
	return r < 0 ? r : (int)lcx__cgroup_layout_mode(layout);
}

LCX_PUBLIC int lcx_cgroup_has_controller(const char *controller, struct lcx_error **err)
{
	CLEANUP(lcx__cgroup_layout_freep) struct lcx__cgroup_layout *layout = NULL;
	int r, c = lcx__controller_find(controller, strlen(controller));

	if (c < 0)
		return lcx__fail(err, EINVAL, "'%s' is not a cgroup controller", controller);
	r = lcx__cgroup_layout_read(&layout, err);
	return r < 0 ? r : layout->controller[c] >= 0;
}

/* --- making and opening --- */

static int cgroup_new(struct lcx__cgroup_layout *layout, const char *path, struct lcx_cgroup **ret,
		      struct lcx_error **err)
{
	CLEANUP(lcx_cgroup_freep) struct lcx_cgroup *cg = NULL;
	const char *slash;
	int r;

	if (layout->tracker < 0)
		return lcx__fail(err, ENODEV,
				 "no cgroup file system is mounted here; mount cgroup2 "
				 "on /sys/fs/cgroup");
	cg = calloc(1, sizeof(*cg));
	if (!cg)
		return lcx__fail_nomem(err);
	for (int i = 0; i < HIERARCHIES_MAX; i++)
		cg->dir_fd[i] = -1;
	cg->layout = lcx__cgroup_layout_ref(layout);
	cg->tracker = layout->tracker;

	r = lcx__cgroup_path_join(layout->base, path, &cg->path);
	if (r == -EINVAL)
		return lcx__fail(err, EINVAL, "'%s' cannot be the path of a cgroup", path);
	if (r < 0)
		return lcx__fail_nomem(err);
	slash = strrchr(cg->path, '/');
	cg->base_length = path[0] == '/' ? (size_t)(slash - cg->path) : strlen(layout->base);
	*ret = TAKE_PTR(cg);
	return 0;
}

int lcx__cgroup_create_in(struct lcx__cgroup_layout *layout, const char *path,
			  struct lcx_cgroup **ret, struct lcx_error **err)
{
	CLEANUP(lcx_cgroup_freep) struct lcx_cgroup *cg = NULL;
	int r;

	r = cgroup_new(layout, path, &cg, err);
	if (r < 0)
		return r;
	if (strcmp(cg->path, layout->base) == 0 || strcmp(cg->path, "/") == 0)
		return lcx__fail(err, EINVAL, "a cgroup needs a name of its own, '%s' has none",
				 path);
	cg->created = true;
	r = lcx__cgroup_dir_make(layout, cg->tracker, cg->path, &cg->kept[cg->tracker]);
	if (r == -EEXIST)
		return lcx__fail(
			err, EEXIST,
			"cgroup '%s' exists already; remove it first, or take another name",
			cg->path);
	if (r < 0)
		return lcx__fail_sys(err, -r, "create cgroup '%s' in %s", cg->path,
				     layout->hierarchies[cg->tracker].mount_point);
	cg->dir_fd[cg->tracker] = r;
	*ret = TAKE_PTR(cg);
	return 0;
}

/* Return: 1 if @cg exists in that hierarchy, and is open, 0 if it does not. */
static int open_in(struct lcx_cgroup *cg, int index, struct lcx_error **err)
{
	int fd;

	if (cg->dir_fd[index] >= 0)
		return 1;
	fd = lcx__cgroup_dir_open(cg->layout, index, cg->path, strlen(cg->path));
	cg->kept[index] = cg->base_length;
	if (fd == -ENOENT || fd == -ENODEV)
		return 0;
	if (fd < 0)
		return lcx__fail_sys(err, -fd, "open cgroup '%s' in %s", cg->path,
				     cg->layout->hierarchies[index].mount_point);
	cg->dir_fd[index] = fd;
	return 1;
}

int lcx__cgroup_look_around(struct lcx_cgroup *cg, struct lcx_error **err)
{
	int r = 0;

	if (lcx__cgroup_is_gone(cg) ||
	    faccessat(lcx__cgroup_tracker_fd(cg), "cgroup.procs", F_OK, 0) < 0)
		return 0;
	for (size_t i = 0; r >= 0 && i < cg->layout->count; i++)
		r = open_in(cg, (int)i, err);
	return r < 0 ? r : 1;
}

/* Where @cg exists. The tracker moves to version 1 if it is unknown to the unified hierarchy. */
static int open_all(struct lcx_cgroup *cg, struct lcx_error **err)
{
	const struct lcx__cgroup_layout *layout = cg->layout;
	bool found = false;

	for (size_t i = 0; i < layout->count; i++) {
		int r = open_in(cg, (int)i, err);

		if (r < 0)
			return r;
		if (r > 0 && !found)
			cg->tracker = (int)i;
		found = found || r > 0;
	}
	if (!found)
		return lcx__fail(err, ENOENT, "cgroup '%s' does not exist", cg->path);
	if (cg->dir_fd[layout->tracker] >= 0)
		cg->tracker = layout->tracker;
	else if (layout->controller[CONTROLLER_FREEZER] >= 0 &&
		 cg->dir_fd[layout->controller[CONTROLLER_FREEZER]] >= 0)
		cg->tracker = layout->controller[CONTROLLER_FREEZER];
	return 0;
}

int lcx__cgroup_open_in(struct lcx__cgroup_layout *layout, const char *path,
			struct lcx_cgroup **ret, struct lcx_error **err)
{
	CLEANUP(lcx_cgroup_freep) struct lcx_cgroup *cg = NULL;
	int r;

	r = cgroup_new(layout, path, &cg, err);
	if (r == 0)
		r = open_all(cg, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(cg);
	return 0;
}

LCX_PUBLIC int lcx_cgroup_create(const char *path, struct lcx_cgroup **ret, struct lcx_error **err)
{
	CLEANUP(lcx__cgroup_layout_freep) struct lcx__cgroup_layout *layout = NULL;
	int r = lcx__cgroup_layout_read(&layout, err);

	return r < 0 ? r : lcx__cgroup_create_in(layout, path, ret, err);
}

LCX_PUBLIC int lcx_cgroup_open(const char *path, struct lcx_cgroup **ret, struct lcx_error **err)
{
	CLEANUP(lcx__cgroup_layout_freep) struct lcx__cgroup_layout *layout = NULL;
	int r = lcx__cgroup_layout_read(&layout, err);

	return r < 0 ? r : lcx__cgroup_open_in(layout, path, ret, err);
}

LCX_PUBLIC struct lcx_cgroup *lcx_cgroup_free(struct lcx_cgroup *cg)
{
	if (!cg)
		return NULL;
	for (int i = 0; i < HIERARCHIES_MAX; i++)
		closep(&cg->dir_fd[i]);
	free(cg->rules);
	free(cg->path);
	(void)lcx__cgroup_layout_free(cg->layout);
	free(cg);
	return NULL;
}

LCX_PUBLIC const char *lcx_cgroup_path(const struct lcx_cgroup *cg)
{
	return cg->path;
}

bool lcx__cgroup_is_at(const struct lcx_cgroup *cg, const char *path)
{
	CLEANUP(freep) char *joined = NULL;

	return lcx__cgroup_path_join(cg->layout->base, path, &joined) == 0 &&
	       strcmp(joined, cg->path) == 0;
}

bool lcx__cgroup_is_gone(const struct lcx_cgroup *cg)
{
	return lcx__cgroup_tracker_fd(cg) < 0;
}

/* --- which hierarchies are in use --- */

static int join_hierarchy(struct lcx_cgroup *cg, int index, struct lcx_error **err)
{
	const struct lcx__hierarchy *h = &cg->layout->hierarchies[index];
	int r;

	r = lcx__cgroup_dir_make(cg->layout, index, cg->path, &cg->kept[index]);
	if (r == -EEXIST && !cg->created) {
		r = lcx__cgroup_dir_open(cg->layout, index, cg->path, strlen(cg->path));
		cg->kept[index] = cg->base_length;
	}
	if (r == -EEXIST)
		return lcx__fail(err, EEXIST,
				 "cgroup '%s' is there already in hierarchy %s, left by another "
				 "owner; open and destroy it first",
				 cg->path, h->name);
	if (r < 0)
		return lcx__fail_sys(err, -r, "create cgroup '%s' in %s", cg->path, h->mount_point);
	cg->dir_fd[index] = r;

	r = lcx__cgroup_migrate(cg, cg->dir_fd[index]);
	if (r == 0)
		return index;
	(void)lcx__cgroup_dir_remove(cg->layout, index, cg->path, cg->kept[index],
				     cg->dir_fd[index]);
	closep(&cg->dir_fd[index]);
	return lcx__fail_sys(err, -r, "move the processes of cgroup '%s' in hierarchy %s", cg->path,
			     h->name);
}

int lcx__cgroup_use(struct lcx_cgroup *cg, enum controller controller, struct lcx_error **err)
{
	const struct lcx__controller *c = &lcx__controllers[controller];
	int index = cg->layout->controller[controller];
	int r;

	if (index < 0)
		return lcx__fail(err, ENODEV,
				 "cgroup controller '%s' is not available (%s); boot a kernel with "
				 "it, mount or delegate it, or leave its limits unset",
				 c->v2_name ? c->v2_name : c->v1_name,
				 c->v2_name || c->implicit ? "no hierarchy here has it"
							   : "it exists on version 1 only");
	if (cg->dir_fd[index] < 0) {
		r = join_hierarchy(cg, index, err);
		if (r < 0)
			return r;
	}
	if (lcx__cgroup_is_v2(cg, index) && !c->implicit) {
		r = lcx__cgroup_enable(cg, 1u << controller, err);
		if (r < 0)
			return r;
	}
	return index;
}

LCX_PUBLIC int lcx_cgroup_use(struct lcx_cgroup *cg, const char *controller, struct lcx_error **err)
{
	int r, c = lcx__controller_find(controller, strlen(controller));

	if (c < 0)
		return lcx__fail(err, EINVAL, "'%s' is not a cgroup controller", controller);
	r = lcx__cgroup_use(cg, (enum controller)c, err);
	return r < 0 ? r : 0;
}

/* --- entering --- */

LCX_PUBLIC int lcx_cgroup_add_pid(struct lcx_cgroup *cg, int32_t pid, struct lcx_error **err)
{
	char text[16];

	if (pid < 0)
		return lcx__fail(err, EINVAL, "%d is not a process id", pid);
	(void)snprintf(text, sizeof(text), "%d", pid);
	for (size_t i = 0; i < cg->layout->count; i++) {
		int r;

		if (cg->dir_fd[i] < 0)
			continue;
		r = lcx__write_control(cg->dir_fd[i], "cgroup.procs", text);
		if (r == -EBUSY || r == -EOPNOTSUPP)
			return lcx__fail(
				err, -r,
				"cgroup '%s' passes controllers on to cgroups below it, so "
				"it can hold no process itself; add process %d to one of those",
				cg->path, pid);
		if (r < 0)
			return lcx__fail_sys(err, -r, "add process %d to cgroup '%s' in %s", pid,
					     cg->path, cg->layout->hierarchies[i].mount_point);
	}
	return 0;
}

int lcx__cgroup_into_fd(const struct lcx_cgroup *cg)
{
	return cg->layout->unified >= 0 ? cg->dir_fd[cg->layout->unified] : -1;
}

int lcx__cgroup_join_fds(const struct lcx_cgroup *cg, int *fds, size_t max)
{
	size_t count = 0;
	int r = 0;

	for (size_t i = 0; i < cg->layout->count && r == 0; i++) {
		if (cg->dir_fd[i] < 0 || cg->layout->hierarchies[i].unified)
			continue;
		if (count == max) {
			r = -E2BIG;
			break;
		}
		fds[count] = openat(cg->dir_fd[i], "tasks", O_WRONLY | O_CLOEXEC);
		if (fds[count] < 0)
			r = -errno;
		else
			count++;
	}
	if (r == 0)
		return (int)count;
	while (count > 0)
		closep(&fds[--count]);
	return r;
}

/* --- removing --- */

static int remove_in(struct lcx_cgroup *cg, int index)
{
	int r;

	if (cg->dir_fd[index] < 0)
		return 0;
	r = lcx__cgroup_dir_empty(cg->dir_fd[index]);
	if (r == 0)
		r = lcx__cgroup_dir_remove(cg->layout, index, cg->path,
					   cg->kept[index] < cg->base_length ? cg->kept[index]
									     : cg->base_length,
					   cg->dir_fd[index]);
	/* Somebody else removed it: what we wanted. */
	return r == -ENOENT || r == -ENODEV ? 0 : r;
}

static int remove_everywhere(struct lcx_cgroup *cg, int *ret_where)
{
	int first = 0;

	for (size_t i = 0; i < cg->layout->count; i++) {
		int r = (int)i == cg->tracker ? 0 : remove_in(cg, (int)i);

		if (r < 0 && first == 0) {
			first = r;
			*ret_where = (int)i;
		}
	}
	if (first < 0)
		return first;
	*ret_where = cg->tracker;
	return remove_in(cg, cg->tracker);
}

size_t lcx__cgroup_keep(const struct lcx_cgroup *cg)
{
	size_t keep = 0;

	for (size_t i = 0; i < cg->layout->count; i++)
		if (cg->dir_fd[i] >= 0 && cg->kept[i] > keep)
			keep = cg->kept[i];
	return keep < cg->base_length ? keep : cg->base_length;
}

void lcx__cgroup_set_keep(struct lcx_cgroup *cg, size_t keep)
{
	if (keep < cg->base_length)
		cg->base_length = keep;
}

LCX_PUBLIC int lcx_cgroup_destroy(struct lcx_cgroup *cg, uint32_t timeout_ms,
				  struct lcx_error **err)
{
	int64_t deadline = lcx__monotonic_ns() + (int64_t)timeout_ms * 1000000;
	int r, where = cg->tracker;

	if (strcmp(cg->path, "/") == 0)
		return lcx__fail(err, EINVAL, "the root cgroup cannot be removed");
	if (lcx__cgroup_is_gone(cg))
		return 0; /* by an earlier call */

	/* Look before anything is removed: a refusal leaves all as it was. */
	r = lcx__cgroup_track(cg)->wait_empty(cg, deadline);
	if (r == -ETIMEDOUT)
		return lcx__fail(err, EBUSY,
				 "processes live in cgroup '%s'; end them first, or call "
				 "lcx_cgroup_kill()",
				 cg->path);
	if (r < 0)
		return lcx__fail_sys(err, -r, "look for processes in cgroup '%s'", cg->path);
	r = remove_everywhere(cg, &where);
	/*
	 * Nobody is tracked, and still busy: a thread that is just leaving, on a kernel
	 * that tells no one when it has. There is nothing to be notified by.
	 */
	while (r == -EBUSY && lcx__cgroup_remaining_ms(deadline) > 0) {
		(void)poll(NULL, 0, 1);
		r = remove_everywhere(cg, &where);
	}
	if (r == -EBUSY)
		return lcx__fail(err, EBUSY,
				 "cgroup '%s' is still busy in hierarchy %s: a process was put "
				 "there alone; end it first",
				 cg->path, cg->layout->hierarchies[where].name);
	if (r < 0)
		return lcx__fail_sys(err, -r, "remove cgroup '%s' from %s", cg->path,
				     cg->layout->hierarchies[where].mount_point);
	for (int i = 0; i < HIERARCHIES_MAX; i++)
		closep(&cg->dir_fd[i]);
	return 0;
}

/* --- what is left of others --- */

static int list_one(const struct lcx__cgroup_layout *layout, int index, const char *path,
		    char ***names)
{
	CLEANUP(closep) int fd = lcx__cgroup_dir_open(layout, index, path, strlen(path));
	CLEANUP(closedirp) DIR *dir = NULL;
	struct dirent *entry;

	if (fd == -ENOENT || fd == -ENODEV)
		return 0;
	dir = fd < 0 ? NULL : lcx__cgroup_dir_iterate(fd);
	if (!dir)
		return fd < 0 ? fd : -errno;
	while ((entry = lcx__cgroup_next_dir(dir))) {
		bool known = false;
		int r;

		for (char **name = *names; name && *name && !known; name++)
			known = strcmp(*name, entry->d_name) == 0;
		r = known ? 0 : lcx__strv_append(names, entry->d_name);
		if (r < 0)
			return r;
	}
	return 0;
}

int lcx__cgroup_list(const char *path, char ***ret, struct lcx_error **err)
{
	CLEANUP(lcx__cgroup_layout_freep) struct lcx__cgroup_layout *layout = NULL;
	CLEANUP(lcx__strv_freep) char **names = NULL;
	CLEANUP(freep) char *joined = NULL;
	int r;

	r = lcx__cgroup_layout_read(&layout, err);
	if (r < 0)
		return r;
	r = lcx__cgroup_path_join(layout->base, path, &joined);
	if (r < 0)
		return lcx__fail(err, -r, "'%s' cannot be the path of a cgroup", path);
	names = lcx__strv_copy(NULL);
	if (!names)
		return lcx__fail_nomem(err);
	for (size_t i = 0; i < layout->count; i++) {
		r = list_one(layout, (int)i, joined, &names);
		if (r < 0)
			return lcx__fail_sys(err, -r, "list the cgroups below '%s'", joined);
	}
	*ret = TAKE_PTR(names);
	return 0;
}
