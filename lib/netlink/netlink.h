/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What rooms below may use of lib/netlink beyond lcx/netlink.h: exchanges of
 * whole batches, and the steps that a public function makes one at a time as
 * messages of one batch.
 */

#include <linux/netlink.h>
#include <stdbool.h>

#include "lcx/netlink.h"
#include "netlink/message.h"
#include "util/error.h"

DEFINE_CLEANUP(struct lcx_netlink *, lcx_netlink_free)
DEFINE_CLEANUP(struct lcx_link *, lcx_link_free)
DEFINE_CLEANUP(struct lcx_link_list *, lcx_link_list_free)
DEFINE_CLEANUP(struct lcx_link_config *, lcx_link_config_free)
DEFINE_CLEANUP(struct lcx_address_list *, lcx_address_list_free)
DEFINE_CLEANUP(struct lcx_route_list *, lcx_route_list_free)

/* A socket of another netlink protocol: NETLINK_NETFILTER. */
int lcx__netlink_open(int protocol, struct lcx_netlink **ret, struct lcx_error **err);

/* A second handle on a socket that stays the caller's. */
int lcx__netlink_borrow(int fd, struct lcx_netlink **ret, struct lcx_error **err);

/*
 * Called for each message of an answer; with NULL when the answer begins anew, since
 * the kernel's list changed while it was read. A negative result ends the exchange.
 */
typedef int (*lcx__nl_answer)(const struct nlmsghdr *nlh, void *data);

/*
 * Send all messages at once and read all answers. Netlink works inside the
 * sender's sendmsg(2): when that returns, all answers are waiting, and an empty
 * queue is the end. A message without NLM_F_ACK is not confirmed, but its
 * failure is reported all the same.
 *
 * Return: 0, or the first failure, a negative errno; *ret_failed (may be NULL) is
 * then the position of the message that failed, and the kernel's words are kept
 * for lcx__nl_fail(). The batch is emptied in any case.
 */
int lcx__nl_exchange(struct lcx_netlink *nl, struct lcx__nl_batch *batch, lcx__nl_answer answer,
		     void *data, unsigned int *ret_failed);

/* As lcx__fail_sys(), with the kernel's words about the last exchange in it, if it had any. */
int lcx__nl_fail(const struct lcx_netlink *nl, struct lcx_error **err, int code, const char *format,
		 ...) LCX_PRINTF(4, 5);

/* Messages for a batch. The interface is the one of @index or, if that is 0, of @name. */
void lcx__link_put_bridge(struct lcx__nl_batch *batch, const char *name,
			  const struct lcx_link_config *config);
void lcx__link_put_veth(struct lcx__nl_batch *batch, const char *name,
			const struct lcx_link_config *config, const char *peer_name,
			const struct lcx_link_config *peer_config);

struct lcx__link_change {
	const char *alias;    /* NULL: as it is */
	bool up;              /* set up; false: as it is */
	/* A link-local address when it comes up, or none; both need IPv6 in the kernel. What comes up
	 * by this change comes up as it was before. */
	bool ipv6_address, no_ipv6_address;
	bool promiscuous;     /* take frames for any MAC address; false: as it is */
	bool hairpin;         /* of a bridge's port: frames may go back where they came from */
};

void lcx__link_put_change(struct lcx__nl_batch *batch, const char *name, uint32_t index,
			  const struct lcx__link_change *change);

/* Both in one exchange; the name is a valid one. */
int lcx__link_change_and_open(struct lcx_netlink *nl, const char *name,
			      const struct lcx__link_change *change, struct lcx_link **ret,
			      struct lcx_error **err);

struct lcx__inet;
void lcx__address_put(struct lcx__nl_batch *batch, uint16_t type, uint16_t flags, uint32_t index,
		      const struct lcx__inet *address);
void lcx__route_put(struct lcx__nl_batch *batch, uint16_t type, uint16_t flags,
		    const struct lcx__inet *destination, const struct lcx__inet *gateway,
		    uint32_t index, uint32_t metric); /* 0: the kernel's default */

/* True for what can name an interface: 1 to 15 bytes, no '/', ':', '%', blank or control byte, no
 * dots only. */
bool lcx__link_name_is_valid(const char *name);

/* Remove by name: only for one that the caller has just made himself. */
int lcx__link_destroy_name(struct lcx_netlink *nl, const char *name);

/* A link's name for an index, for messages; "?" when it is gone. */
void lcx__link_describe(struct lcx_netlink *nl, uint32_t index, char name[static 16]);
