/* SPDX-License-Identifier: MIT */

/*
 * Hierarchies into which a cgroup goes that somebody else has made in his own: above it there,
 * too, are cgroups that nobody else will remove.
 */

#include "cgroup/cgroup-internal.h"

#include <errno.h>
#include <string.h>

#include "util/str.h"

int lcx__cgroup_list_absent(const struct lcx_cgroup *cg, char ***ret, struct lcx_error **err)
{
	CLEANUP(lcx__strv_freep) char **list = NULL;

	for (size_t i = 0; i < cg->layout->count; i++) {
		CLEANUP(freep) char *entry = NULL;

		if (cg->dir_fd[i] >= 0)
			continue;
		entry = lcx__format("%s %s", cg->layout->hierarchies[i].name, cg->path);
		if (!entry || lcx__strv_append(&list, entry) < 0)
			return lcx__fail_nomem(err);
	}
	*ret = TAKE_PTR(list);
	return 0;
}

int lcx__cgroup_prune(const char *line, struct lcx_error **err)
{
	CLEANUP(lcx__cgroup_layout_freep) struct lcx__cgroup_layout *layout = NULL;
	const char *blank = strchr(line, ' ');
	CLEANUP(freep) char *parent = blank ? strdup(blank + 1) : NULL;
	int r = lcx__cgroup_layout_read(&layout, err);

	if (r < 0 || !parent || !strrchr(parent, '/'))
		return r < 0 ? r : lcx__fail(err, EINVAL, "'%s' names no cgroup", line);
	*strrchr(parent, '/') = '\0';
	for (size_t i = 0; parent[0] && i < layout->count; i++)
		if (strncmp(layout->hierarchies[i].name, line, (size_t)(blank - line)) == 0 &&
		    layout->hierarchies[i].name[blank - line] == '\0')
			(void)lcx__cgroup_dir_remove(layout, (int)i, parent, 0, -1);
	return 0;
}
