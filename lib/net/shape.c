/* SPDX-License-Identifier: MIT */

/*
 * Limits on what passes an attachment's cable, all on the host's side. What the container receives
 * leaves the host's end, through a bucket there. What it sends comes in there, and makes a detour
 * by a device of its own (ifb), which it leaves through a bucket.
 */
#include <string.h>

#include "net/net-internal.h"
#include "netlink/tc.h"

void lcx__shape_device(const struct lcx_attachment *attachment, char name[static IFNAMSIZ])
{
	(void)snprintf(name, IFNAMSIZ, "lci%.12s", attachment->host_interface + 3);
}

void lcx__shape_put_device(struct lcx__nl_batch *batch, const struct lcx_attachment *attachment,
			   uint32_t mtu_bytes, const char *mark)
{
	struct lcx__link_change change = {
		.alias = mark,
		.up = true,
		.no_ipv6_address = lcx__ipv6_is_there(),
	};
	char name[IFNAMSIZ];

	if (attachment->egress_bits == 0)
		return;
	lcx__shape_device(attachment, name);
	lcx__link_put_ifb(batch, name, mtu_bytes);
	lcx__link_put_change(batch, name, 0, &change);
}

static int index_of(struct lcx_netlink *nl, const char *name, uint32_t *ret, struct lcx_error **err)
{
	CLEANUP(lcx_link_freep) struct lcx_link *link = NULL;
	int r = lcx_link_open(nl, name, &link, err);

	if (r == 0)
		*ret = lcx_link_index(link);
	return r;
}

int lcx__shape(struct lcx_netlink *nl, const struct lcx_attachment *attachment,
	       struct lcx_error **err)
{
	CLEANUP(lcx__nl_batch_free) struct lcx__nl_batch batch = NL_BATCH_EMPTY;
	uint32_t host = 0, device = 0;
	char name[IFNAMSIZ];
	int r;

	if (attachment->egress_bits == 0 && attachment->ingress_bits == 0)
		return 0;
	lcx__shape_device(attachment, name);
	r = index_of(nl, attachment->host_interface, &host, err);
	if (r == 0 && attachment->egress_bits != 0)
		r = index_of(nl, name, &device, err);
	if (r < 0)
		return r;
	if (attachment->ingress_bits != 0)
		lcx__tc_put_bucket(&batch, host, attachment->ingress_bits);
	if (attachment->egress_bits != 0) {
		lcx__tc_put_bucket(&batch, device, attachment->egress_bits);
		lcx__tc_put_detour(&batch, host, device);
	}
	r = lcx__nl_exchange(nl, &batch, NULL, NULL, NULL);
	if (r == -ENOENT || r == -EOPNOTSUPP)
		return lcx__nl_fail(nl, err, -r,
				    "limit the rate of '%s': this kernel lacks a part of it; load "
				    "sch_tbf, sch_ingress, cls_u32, act_mirred and ifb",
				    attachment->interface);
	return r < 0 ? lcx__nl_fail(nl, err, -r, "limit the rate of '%s'", attachment->interface)
		     : 0;
}
