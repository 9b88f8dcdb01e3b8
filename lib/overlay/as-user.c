/* SPDX-License-Identifier: MIT */

/*
 * An ordinary user may mount an overlay in a user namespace of his own (Linux 5.11). A process
 * there makes it and hands its root directory out; the namespaces end with that process, and the
 * mount lives on as long as the descriptor. Marks of deletion are user.* attributes then.
 */

#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>

#include "init/launch.h"
#include "ns/ns.h"
#include "overlay/overlay-internal.h"
#include "util/privilege.h"
#include "util/str.h"

bool lcx__overlay_needs_namespace(void)
{
	return !lcx__has_capability(CAP_SYS_ADMIN);
}

/* ---- the plan ----------------------------------------------------------- */

/* lcx-init names a directory that it was given by descriptor as the host does. */
static int add_directory(struct lcx__plan *plan, char ***names, const struct lcx__overlay_dir *dir)
{
	CLEANUP(freep)
	char *path = dir->path ? strdup(dir->path)
			       : lcx__format("/proc/self/fd/%d", lcx__plan_fd(plan, dir->fd));

	return path ? lcx__strv_append(names, path) : -ENOMEM;
}

static int add_pair(char ***pairs, const char *key, const char *value)
{
	int r = lcx__strv_append(pairs, key);

	return r < 0 ? r : lcx__strv_append(pairs, value);
}

static int add_upper(struct lcx__plan *plan, char ***pairs, const struct lcx_overlay *overlay)
{
	int r = lcx__strv_append(pairs, "upperdir");

	if (r == 0)
		r = add_directory(plan, pairs, &overlay->upper);
	if (r == 0)
		r = lcx__strv_append(pairs, "workdir");
	return r == 0 ? add_directory(plan, pairs, &overlay->work) : r;
}

static int add_options(struct lcx__plan *plan, char ***pairs, const struct lcx_overlay *overlay)
{
	struct lcx__overlay_option options[LCX__OVERLAY_MAX_OPTIONS];
	size_t n = lcx__overlay_options(overlay, options);
	int r = lcx__overlay_has_upper(overlay) ? add_upper(plan, pairs, overlay) : 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = add_pair(pairs, options[i].key, options[i].value ? options[i].value : "");
	if (r == 0 && !lcx__overlay_is_on(overlay, "userxattr"))
		r = add_pair(pairs, "userxattr", "");
	return r;
}

static int add_mount(struct lcx__plan *plan, const struct lcx_overlay *overlay)
{
	CLEANUP(lcx__strv_freep) char **lowers = NULL, **pairs = NULL;
	uint32_t layers, options, n_lowers, n_pairs, target;
	struct plan_op *op;
	int r = 0;

	for (size_t i = 0; r == 0 && i < overlay->lower_count; i++)
		r = add_directory(plan, &lowers, &overlay->lowers[i]);
	if (r == 0)
		r = add_options(plan, &pairs, overlay);
	if (r < 0)
		return r;
	layers = lcx__plan_vector(plan, (const char *const *)lowers, &n_lowers);
	options = lcx__plan_vector(plan, (const char *const *)pairs, &n_pairs);
	/* Any directory would do, nobody sees it there. */
	target = lcx__plan_string(plan, lowers[0]);
	op = lcx__plan_add(plan, PLAN_ROOT_OVERLAY);
	op->flags = lcx__overlay_has_upper(overlay) ? 0 : PLAN_F_READONLY;
	op->str[0] = target;
	op->str[1] = layers;
	op->str[2] = options;
	op->length = n_lowers;
	op->num[0] = n_pairs;
	op->num[1] = lcx__overlay_attributes(overlay);
	op->num[2] = lcx__overlay_flags(overlay);
	return 0;
}

static int make_plan(const struct lcx_overlay *overlay, struct lcx__plan **ret,
		     struct lcx_error **err)
{
	struct plan_op *op;
	int r = lcx__plan_new(ret, err);

	if (r < 0)
		return r;
	lcx__plan_add(*ret, PLAN_SYNC)->num[0] = PLAN_MESSAGE_MAPS;
	lcx__plan_add(*ret, PLAN_USER)->num[2] = 1; /* setgroups() is denied in there */
	op = lcx__plan_add(*ret, PLAN_PROPAGATION);
	op->num[0] = MS_PRIVATE;
	op->str[0] = lcx__plan_string(*ret, "private");
	r = add_mount(*ret, overlay);
	if (r < 0)
		return lcx__fail_sys(err, -r, "plan the mount of an overlay");
	(void)lcx__plan_add(*ret, PLAN_SEND_ROOT);
	return 0;
}

/* ---- its execution ------------------------------------------------------ */

static int map_oneself(struct lcx__child *child, struct lcx_error **err)
{
	CLEANUP(lcx_idmap_freep) struct lcx_idmap *map = NULL;
	int r = lcx__idmap_new_of_oneself(&map, err);

	if (r == 0)
		r = lcx__idmap_write_child(map, child->pid, child->pidfd, err);
	return r == 0 ? lcx__child_continue(child, err) : r;
}

static int expect(struct lcx__child *child, enum plan_message_type type, int *ret_fd,
		  struct lcx_error **err)
{
	int r = lcx__child_receive(child, ret_fd, err);

	if (r < 0 || r == (int)type)
		return r < 0 ? r : 0;
	return lcx__fail(err, EPROTO, "lcx-init ended while it mounted an overlay");
}

int lcx__overlay_mount_as_user(const struct lcx_overlay *overlay, struct lcx_error **err)
{
	CLEANUP(lcx__child_abandonp) struct lcx__child child = LCX__CHILD_NONE;
	CLEANUP(lcx__plan_freep) struct lcx__plan *plan = NULL;
	CLEANUP(closep) int root_fd = -1;
	struct lcx__launch launch = {
		.clone_flags = CLONE_NEWUSER | CLONE_NEWNS,
		.cgroup_fd = -1,
		.stdio = {-1, -1, -1},
	};
	int r = make_plan(overlay, &plan, err);

	if (r < 0)
		return r;
	launch.plan = plan;
	r = lcx__launch(&launch, &child, err);
	if (r == 0)
		r = expect(&child, PLAN_MESSAGE_MAPS, NULL, err);
	if (r == 0)
		r = map_oneself(&child, err);
	if (r == 0)
		r = expect(&child, PLAN_MESSAGE_ROOT, &root_fd, err);
	return r < 0 ? r : TAKE_FD(root_fd);
}
