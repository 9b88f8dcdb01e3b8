/* SPDX-License-Identifier: MIT */
#include "container/tree/tree.h"

#include <string.h>

#include "ns/users.h"

LCX_PUBLIC int lcx_container_diff(struct lcx_container *c, struct lcx_overlay_diff **ret,
				  struct lcx_error **err)
{
	return lcx__container_changes(c, ret, err);
}

struct export
{
	struct lcx_container *c;
	int fd;
};

static int write_tree(void *data, struct lcx_error **err)
{
	struct lcx_container *c = ((struct export *)data)->c;
	int fd = ((struct export *)data)->fd;
	CLEANUP(lcx__container_ids_clear) struct lcx__container_ids ids = {0};
	const struct lcx__byte_sink bytes = lcx__byte_sink_fd(&fd);
	const struct lcx__entry_sink entries = lcx__tar_entry_sink(&bytes);
	const struct lcx__pack_options options = {.map = &ids.map};
	CLEANUP(closep) int tree_fd = -1;
	int r = lcx__container_ids(c, LCX__IDS_DISK, &ids, err);

	if (r < 0)
		return r;
	tree_fd = lcx__container_open_tree(c, err);
	if (tree_fd < 0)
		return tree_fd;
	r = lcx__pack(tree_fd, "", "", &options, &entries, err);
	if (r == 0)
		r = lcx__tar_write_end(&bytes, err);
	return lcx__fail_prefix(err, r, "export container '%s'", lcx__container_display(c));
}

LCX_PUBLIC int lcx_container_export(struct lcx_container *c, int fd, struct lcx_error **err)
{
	struct export export = {c, fd};

	if (c->state == LCX_CONTAINER_NEW)
		return lcx__fail(err, EINVAL, "container '%s' has not been created yet",
				 lcx__container_display(c));
	return lcx__users_within(c->ctx, true, write_tree, &export, err);
}
