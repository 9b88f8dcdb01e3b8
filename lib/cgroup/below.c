/* SPDX-License-Identifier: MIT */

/*
 * A place below a cgroup, where its processes have made some themselves: a container whose first
 * program is an init of its own runs in leaves, and version 2 then lets nobody into the cgroup
 * above them. The names come from outside and lead nowhere but down.
 */

#include "cgroup/cgroup-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "util/fs.h"
#include "util/str.h"
#include "util/sys.h"

/* Return: 1 if the cgroup was there, 0 if not. */
static int descend(struct lcx_cgroup *cg, size_t index, const char *path, struct lcx_error **err)
{
	int fd;

	while (*path == '/')
		path++;
	if (*path == '\0')
		return 1;
	fd = sys_openat2(cg->dir_fd[index], path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0,
			 SYS_RESOLVE_BENEATH | SYS_RESOLVE_NO_SYMLINKS | SYS_RESOLVE_NO_XDEV);
	if (fd == -ENOENT)
		return 0;
	if (fd == -EXDEV)
		return lcx__fail(err, EINVAL, "cgroup '%s' lies outside of '%s'", path, cg->path);
	if (fd < 0)
		return lcx__fail_sys(err, -fd, "open cgroup '%s' below '%s'", path, cg->path);
	closep(&cg->dir_fd[index]);
	cg->dir_fd[index] = fd;
	return 1;
}

/* Where it does not exist the process stays in the cgroup above. */
static int descend_everywhere(struct lcx_cgroup *cg, const char *path, struct lcx_error **err)
{
	int found = 0;

	for (size_t i = 0; i < cg->layout->count; i++) {
		int r = cg->dir_fd[i] < 0 ? 0 : descend(cg, i, path, err);

		if (r < 0)
			return r;
		found |= r;
	}
	return found ? 0
		     : lcx__fail(err, ENOENT, "cgroup '%s' does not exist below '%s'", path,
				 cg->path);
}

static int find_hierarchy(const struct lcx__cgroup_layout *layout, const char *name)
{
	int controller = lcx__controller_find(name, strlen(name));

	if (controller >= 0)
		return layout->controller[controller];
	for (size_t i = 0; i < layout->count; i++)
		if (strcmp(layout->hierarchies[i].name, name) == 0)
			return (int)i;
	return -1;
}

static int descend_in(struct lcx_cgroup *cg, const char *name, const char *path, uint64_t *seen,
		      struct lcx_error **err)
{
	int index = find_hierarchy(cg->layout, name), r;

	if (index < 0)
		return lcx__fail(err, EINVAL, "there is no cgroup hierarchy '%s' here", name);
	if (lcx__cgroup_layout_mode(cg->layout) == LCX_CGROUP_MODE_UNIFIED)
		return lcx__fail(err, EINVAL,
				 "'%s:': there is one hierarchy here, of all controllers; give the "
				 "path alone",
				 name);
	if (cg->dir_fd[index] < 0)
		return lcx__fail(err, ENOENT, "cgroup '%s' does not exist in hierarchy '%s'",
				 cg->path, name);
	/* Controllers that share a hierarchy may both be named, for the same place. */
	if (*seen & UINT64_C(1) << index)
		return lcx__fail(err, EINVAL, "hierarchy '%s' is named twice", name);
	*seen |= UINT64_C(1) << index;
	r = descend(cg, (size_t)index, path, err);
	return r == 0  ? lcx__fail(err, ENOENT, "cgroup '%s' does not exist below '%s' in '%s'",
				   path, cg->path, name)
	       : r < 0 ? r
		       : 0;
}

/* "CONTROLLER[,CONTROLLER...]:PATH" */
static int descend_by_name(struct lcx_cgroup *cg, const char *place, uint64_t *seen,
			   struct lcx_error **err)
{
	CLEANUP(freep) char *copy = strdup(place);
	char *path = copy, *names, *name;
	int r = 0;

	if (!copy)
		return lcx__fail_nomem(err);
	names = strsep(&path, ":");
	if (!path || strchr(path, ':') || !*names)
		return lcx__fail(err, EINVAL, "'%s' is not CONTROLLER:PATH", place);
	while (r == 0 && (name = strsep(&names, ",")))
		r = descend_in(cg, name, path, seen, err);
	return r;
}

int lcx__cgroup_descend(struct lcx_cgroup *cg, const char *const *places, struct lcx_error **err)
{
	uint64_t seen = 0;
	int r = 0;

	if (places[0] && !places[1] && !strchr(places[0], ':'))
		return descend_everywhere(cg, places[0], err);
	for (; r == 0 && *places; places++)
		r = descend_by_name(cg, *places, &seen, err);
	return r;
}

/* "0::PATH" of /proc/PID/cgroup, as a path below @cg; NULL if the process is elsewhere. */
static const char *path_of(const struct lcx_cgroup *cg, char *lines)
{
	const char *root = cg->layout->hierarchies[cg->layout->unified].mount_root;
	size_t root_length = strcmp(root, "/") == 0 ? 0 : strlen(root);
	size_t length = strlen(cg->path);
	char *line;

	while ((line = strsep(&lines, "\n")))
		if (strncmp(line, "0::", 3) == 0 && strncmp(line + 3, root, root_length) == 0 &&
		    strncmp(line + 3 + root_length, cg->path, length) == 0)
			return line + 3 + root_length + length;
	return NULL;
}

bool lcx__cgroup_passes_on(const struct lcx_cgroup *cg)
{
	CLEANUP(freep) char *names = NULL;
	int unified = cg->layout->unified;

	return unified >= 0 && cg->dir_fd[unified] >= 0 &&
	       lcx__read_file(cg->dir_fd[unified], "cgroup.subtree_control", 4096, &names, NULL) ==
		       0 &&
	       names[strspn(names, " \n")] != '\0';
}

int lcx__cgroup_descend_to(struct lcx_cgroup *cg, int32_t pid, struct lcx_error **err)
{
	CLEANUP(freep) char *lines = NULL;
	char file[64];
	const char *path;
	int unified = cg->layout->unified, r;

	(void)snprintf(file, sizeof(file), "/proc/%d/cgroup", pid);
	r = lcx__read_file(AT_FDCWD, file, 65536, &lines, NULL);
	if (r < 0)
		return lcx__fail_sys(err, -r, "read '%s'", file);
	path = path_of(cg, lines);
	if (!path || (*path && *path != '/'))
		return 0;
	r = descend(cg, (size_t)unified, path, err);
	return r < 0 ? r : 0;
}
