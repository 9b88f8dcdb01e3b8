/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What rooms below may use of the networks beyond lcx/net.h: attaching in two
 * steps, so that names are known (and can be journalled) before the objects are,
 * and taking down by name or by mark what a dead process has left.
 */

#include "ctx/ctx.h"
#include "lcx/net.h"

DEFINE_CLEANUP(struct lcx_network *, lcx_network_free)
DEFINE_CLEANUP(struct lcx_network_list *, lcx_network_list_free)
DEFINE_CLEANUP(struct lcx_port *, lcx_port_free)
DEFINE_CLEANUP(struct lcx_attachment *, lcx_attachment_free)

/*
 * Choose what has to be chosen: the host interface's name and system-chosen
 * ports, and refuse ports that are taken. Makes nothing. The address is leased by
 * lcx__network_apply() under the owner's name, which is enough to find it.
 */
int lcx__network_plan(struct lcx_ctx *ctx, struct lcx_network *network,
		      struct lcx_attachment *attachment, struct lcx_error **err);

/*
 * Make what was planned. Writes its own record (run directory, net/NETWORK/OWNER)
 * before the first object: after a crash lcx_network_detach(network, owner) finds
 * everything, and needs no journal of the caller's beyond these two names.
 */
int lcx__network_apply(struct lcx_ctx *ctx, struct lcx_network *network,
		       struct lcx_attachment *attachment, int netns_fd, int netlink_fd,
		       struct lcx_error **err);

/*
 * The same in two halves: up to the interface in the namespace, for which it takes no socket of
 * that; and what is done there. The name that the first one chooses is that of a namespace which
 * has no such interface. After a failure of either nothing is left.
 */
int lcx__network_connect(struct lcx_ctx *ctx, struct lcx_network *network,
			 struct lcx_attachment *attachment, int netns_fd, struct lcx_error **err);
int lcx__network_finish(struct lcx_ctx *ctx, struct lcx_network *network,
			struct lcx_attachment *attachment, int netns_fd, int netlink_fd,
			struct lcx_error **err);

/* The name that was asked for, not one that was chosen; "" if none was. */
const char *lcx__attachment_asked_interface(const struct lcx_attachment *attachment);

/* A name of the container's own: the first one is what its address is turned into. */
int lcx__attachment_add_name(struct lcx_attachment *attachment, const char *name,
			     struct lcx_error **err);

/* In all attachments of @owner, @after takes the place of the name @before. */
int lcx__network_rename(struct lcx_ctx *ctx, const char *owner, const char *before,
			const char *after);

/* Where the container is to ask for names; NULL: whom the host asks. */
const char *lcx__network_name_server(const struct lcx_network *network,
				     const struct lcx_attachment *attachment);

/* The networks that @owner is attached to now, by their records: names, sorted. */
int lcx__network_list_of(struct lcx_ctx *ctx, const char *owner, char ***ret);

struct json_object;
/* An attachment as lcx_network_inspect() shows it; NULL when out of memory. */
struct json_object *lcx__record_to_json(const struct lcx_attachment *attachment);

/*
 * What of a detachment takes the kernel long is asked for, and nothing waited for: lcx_network_detach()
 * comes a little later, and finds it done. Without it, it does so itself.
 */
void lcx__network_begin_detach(struct lcx_ctx *ctx, const char *network, const char *owner);

/* The single undo steps, by name and owner; what is not there is success. */
int lcx__network_undo_link(struct lcx_ctx *ctx, const char *host_interface, const char *owner,
			   struct lcx_error **err);
int lcx__network_undo_ports(struct lcx_ctx *ctx, const char *owner, struct lcx_error **err);
int lcx__network_undo_lease(struct lcx_ctx *ctx, const char *network, const char *owner,
			    struct lcx_error **err);

/*
 * Find by record and by mark (ifalias, nft comment, lease) everything of this
 * context whose owner @is_alive() denies, and remove it: right after the denial, which must
 * hold until the next question. *ret_count (may be NULL)
 * is the number of owners that something was removed of. Goes on after errors.
 */
int lcx__network_sweep(struct lcx_ctx *ctx, bool (*is_alive)(const char *owner, void *data),
		       void *data, uint32_t *ret_count, struct lcx_error **err);
