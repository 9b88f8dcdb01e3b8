/* SPDX-License-Identifier: MIT */

/*
 * Version 2: a cgroup has a controller only if each ancestor passes it on in its
 * cgroup.subtree_control. We touch only the levels from the base downwards, only
 * with what is missing, and all that is missing in one write.
 */

#include "cgroup/cgroup-internal.h"

#include <errno.h>
#include <string.h>

#include "util/fs.h"
#include "util/str.h"

static int read_mask(int dir_fd, const char *file, uint32_t *ret)
{
	CLEANUP(freep) char *text = NULL;
	int r = lcx__read_file(dir_fd, file, 4096, &text, NULL);

	if (r == 0)
		*ret = lcx__controller_mask(text);
	return r;
}

/* "+memory +pids" */
static char *spell(uint32_t controllers)
{
	struct lcx__strbuf buf = STRBUF_EMPTY;

	for (int c = 0; c < CONTROLLERS; c++)
		if (controllers & 1u << c)
			lcx__strbuf_addf(&buf, "%s+%s", buf.length ? " " : "",
					 lcx__controllers[c].v2_name);
	return lcx__strbuf_take(&buf);
}

static int enable_at(const char *path, size_t length, int dir_fd, uint32_t controllers,
		     struct lcx_error **err)
{
	CLEANUP(freep) char *text = NULL;
	const char *shown = length ? path : "/";
	int shown_length = length ? (int)length : 1;
	uint32_t enabled = 0, available = 0;
	int r;

	r = read_mask(dir_fd, "cgroup.subtree_control", &enabled);
	if (r < 0)
		return lcx__fail_sys(err, -r, "cgroup '%.*s': read cgroup.subtree_control",
				     shown_length, shown);
	controllers &= ~enabled;
	if (controllers == 0)
		return 0;

	text = spell(controllers);
	if (!text)
		return lcx__fail_nomem(err);
	r = lcx__write_control(dir_fd, "cgroup.subtree_control", text);
	if (r == 0)
		return 0;
	if (r == -EBUSY)
		return lcx__fail(err, EBUSY,
				 "cgroup '%.*s' holds processes itself, so version 2 allows no "
				 "controller (%s) below it; move them to a leaf with "
				 "lcx_cgroup_vacate(), or create the cgroup elsewhere",
				 shown_length, shown, text);
	if (read_mask(dir_fd, "cgroup.controllers", &available) == 0 &&
	    (controllers & ~available) != 0)
		return lcx__fail(err, ENODEV,
				 "cgroup '%.*s' has not got all of '%s' to pass on; have them "
				 "delegated by its parent, or do not set their limits",
				 shown_length, shown, text);
	return lcx__fail_sys(err, -r, "cgroup '%.*s': enable '%s' below it", shown_length, shown,
			     text);
}

int lcx__cgroup_enable(struct lcx_cgroup *cg, uint32_t controllers, struct lcx_error **err)
{
	size_t length = strlen(cg->layout->base);
	int index = cg->layout->unified;
	uint32_t have = 0;
	int r;

	r = read_mask(cg->dir_fd[index], "cgroup.controllers", &have);
	if (r < 0)
		return lcx__fail_sys(err, -r, "cgroup '%s': read cgroup.controllers", cg->path);
	controllers &= ~have;
	if (controllers == 0)
		return 0;
	if (length > 0 && strcmp(cg->path, cg->layout->base) == 0)
		return lcx__fail(err, EPERM,
				 "cgroup '%s' was handed over to this program as it is; what it "
				 "may have is for its owner to decide",
				 cg->path);
	if (strncmp(cg->path, cg->layout->base, length) != 0 || cg->path[length] != '/')
		length = 0; /* an absolute path beside the base: from the root */

	for (;;) {
		CLEANUP(closep) int fd = lcx__cgroup_dir_open(cg->layout, index, cg->path, length);
		const char *slash;

		if (fd < 0)
			return lcx__fail_sys(err, -fd, "open the parents of cgroup '%s'", cg->path);
		r = enable_at(cg->path, length, fd, controllers, err);
		if (r < 0)
			return r;
		slash = strchr(cg->path + length + 1, '/');
		if (!slash)
			return 0;
		length = (size_t)(slash - cg->path);
	}
}

void lcx__cgroup_pass_on(int dir_fd)
{
	CLEANUP(freep) char *controllers = NULL;
	char *rest, *name;

	if (lcx__read_file(dir_fd, "cgroup.controllers", 4096, &controllers, NULL) < 0)
		return;
	/* One at a time, also those that this library has no word for: one that is refused is not
	 * the end of the others. */
	for (rest = controllers; (name = strsep(&rest, " \n"));) {
		CLEANUP(freep) char *text = name[0] ? lcx__format("+%s", name) : NULL;

		if (text)
			(void)lcx__write_control(dir_fd, "cgroup.subtree_control", text);
	}
}
