/* SPDX-License-Identifier: MIT */
#include "net/net-internal.h"

struct lcx_network_list {
	char **names;
	size_t next;
};

LCX_PUBLIC int lcx_network_list_open(struct lcx_ctx *ctx, struct lcx_network_list **ret,
				     struct lcx_error **err)
{
	CLEANUP(lcx_network_list_freep) struct lcx_network_list *list = calloc(1, sizeof(*list));
	CLEANUP(closep) int networks_fd = -1;
	int r;

	if (!list)
		return lcx__fail_nomem(err);
	networks_fd = lcx__net_networks_dir(ctx, err);
	if (networks_fd < 0)
		return networks_fd;
	r = lcx__net_list_names(networks_fd, false, &list->names);
	if (r < 0)
		return lcx__fail_sys(err, -r, "list '%s/networks'", ctx->root_dir);
	*ret = TAKE_PTR(list);
	return 0;
}

LCX_PUBLIC const char *lcx_network_list_next(struct lcx_network_list *list)
{
	return list->names[list->next] ? list->names[list->next++] : NULL;
}

LCX_PUBLIC struct lcx_network_list *lcx_network_list_free(struct lcx_network_list *list)
{
	if (!list)
		return NULL;
	(void)lcx__strv_free(list->names);
	free(list);
	return NULL;
}
