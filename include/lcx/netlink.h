/* SPDX-License-Identifier: MIT */
#ifndef LCX_NETLINK_H
#define LCX_NETLINK_H

#include <stdbool.h>
#include <stdint.h>

#include <lcx/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Interfaces, addresses, routes and neighbours of one network namespace, over
 * rtnetlink(7). Needs CAP_NET_ADMIN in the namespace to change something, and
 * nothing to look. A refusal by the kernel carries the kernel's own words
 * (extended ACK) where it gave some.
 */

/**
 * struct lcx_netlink - a route socket, bound to the network namespace it was made in
 *
 * One thread at a time per handle; any number of handles.
 */
struct lcx_netlink;

/**
 * lcx_netlink_open() - open a socket in the calling thread's network namespace
 * @ret: the handle, owned by the caller; untouched on failure
 * @err: the failure in words, or NULL if unwanted
 *
 * Return: 0, or a negative errno as socket(2) reported it.
 */
int lcx_netlink_open(struct lcx_netlink **ret, struct lcx_error **err);

/**
 * lcx_netlink_open_netns() - open a socket in another network namespace
 * @netns_fd: the namespace: an open /proc/PID/ns/net, or a pinned one; borrowed
 *
 * No thread of the caller's enters the namespace: a short-lived child that shares its
 * memory does, which the caller's wait(2) does not see. Needs CAP_SYS_ADMIN in the
 * namespace's user namespace and in the caller's.
 *
 * Return: 0; -EINVAL when @netns_fd is not a network namespace; -EPERM.
 */
int lcx_netlink_open_netns(int netns_fd, struct lcx_netlink **ret, struct lcx_error **err);

/**
 * lcx_netlink_open_fd() - use a socket that was opened elsewhere
 * @fd: an AF_NETLINK socket of protocol NETLINK_ROUTE; a socket belongs for ever
 *      to the namespace it was created in, so one that was received from a
 *      process inside a container works on the container's interfaces, and no
 *      thread of the caller's ever changes its namespace. Taken over, and made
 *      O_CLOEXEC, on success; still the caller's on failure
 *
 * Return: 0; -EINVAL when @fd is not such a socket.
 */
int lcx_netlink_open_fd(int fd, struct lcx_netlink **ret, struct lcx_error **err);

/** lcx_netlink_fd() - borrow the socket, e.g. to poll it */
int lcx_netlink_fd(const struct lcx_netlink *nl);

/** lcx_netlink_free() - close; NULL is accepted, NULL is returned */
struct lcx_netlink *lcx_netlink_free(struct lcx_netlink *nl);

/* ---- links ---- */

/**
 * struct lcx_link - what an interface was like at the moment of the question
 *
 * A copy: it does not follow the interface. Owned by the caller of
 * lcx_link_open(), or by the list that it was found in.
 */
struct lcx_link;

/**
 * lcx_link_open() - look an interface up by its name
 *
 * Return: 0; -ENODEV when there is none; -EINVAL for a name that no interface can have.
 */
int lcx_link_open(struct lcx_netlink *nl, const char *name, struct lcx_link **ret,
		  struct lcx_error **err);

/** lcx_link_open_index() - look an interface up by its index; -ENODEV when there is none */
int lcx_link_open_index(struct lcx_netlink *nl, uint32_t index, struct lcx_link **ret,
			struct lcx_error **err);

uint32_t lcx_link_index(const struct lcx_link *link);
/** lcx_link_name() - borrowed, as long as @link; likewise the other strings */
const char *lcx_link_name(const struct lcx_link *link);
/** lcx_link_kind() - "veth", "bridge", ...; "" for hardware and the loopback interface */
const char *lcx_link_kind(const struct lcx_link *link);
/** lcx_link_alias() - the ifalias, in which liblcx keeps the owner's mark; "" if none */
const char *lcx_link_alias(const struct lcx_link *link);
/** lcx_link_mac() - "02:42:0a:58:00:02", or "" when the interface has no such address */
const char *lcx_link_mac(const struct lcx_link *link);
uint32_t lcx_link_mtu(const struct lcx_link *link);
/** lcx_link_master() - the index of the bridge (or bond, ...) it belongs to; 0 if none */
uint32_t lcx_link_master(const struct lcx_link *link);
/** lcx_link_flags() - IFF_UP, IFF_RUNNING, ... of netdevice(7) */
uint32_t lcx_link_flags(const struct lcx_link *link);
struct lcx_link *lcx_link_free(struct lcx_link *link);

/** struct lcx_link_list - a snapshot of all interfaces, to be walked once */
struct lcx_link_list;

/** lcx_link_list_open() - all interfaces; those of one bridge only if @master is not 0 */
int lcx_link_list_open(struct lcx_netlink *nl, uint32_t master, struct lcx_link_list **ret,
		       struct lcx_error **err);
/** lcx_link_list_next() - the next interface, valid as long as @list; NULL after the last */
const struct lcx_link *lcx_link_list_next(struct lcx_link_list *list);
struct lcx_link_list *lcx_link_list_free(struct lcx_link_list *list);

/**
 * struct lcx_link_config - what an interface shall be like when it is made
 *
 * A value that was not set is left to the kernel. The setters return -EINVAL,
 * with words, for a value that no interface can have.
 */
struct lcx_link_config;

int lcx_link_config_new(struct lcx_link_config **ret, struct lcx_error **err);
int lcx_link_config_set_mtu(struct lcx_link_config *config, uint32_t mtu_bytes,
			    struct lcx_error **err);
/** lcx_link_config_set_mac() - "02:42:0a:58:00:02" */
int lcx_link_config_set_mac(struct lcx_link_config *config, const char *mac,
			    struct lcx_error **err);
/** lcx_link_config_set_alias() - up to 255 bytes */
int lcx_link_config_set_alias(struct lcx_link_config *config, const char *alias,
			      struct lcx_error **err);
/** lcx_link_config_set_master() - the index of a bridge to join */
int lcx_link_config_set_master(struct lcx_link_config *config, uint32_t master,
			       struct lcx_error **err);
/** lcx_link_config_set_up() - set it up at once; not possible for a veth's peer */
int lcx_link_config_set_up(struct lcx_link_config *config, bool up, struct lcx_error **err);
/**
 * lcx_link_config_set_netns_fd() - make it in another network namespace
 * @netns_fd: an open /proc/PID/ns/net; borrowed until the configuration is freed
 */
int lcx_link_config_set_netns_fd(struct lcx_link_config *config, int netns_fd,
				 struct lcx_error **err);
struct lcx_link_config *lcx_link_config_free(struct lcx_link_config *config);

/**
 * lcx_bridge_create() - make a bridge
 * @name:   up to 15 bytes, no '/', no blank
 * @config: NULL for the kernel's defaults
 *
 * Spanning tree and multicast snooping are off: containers have no loops, and a
 * new port forwards at once.
 *
 * Return: 0; -EEXIST when the name is taken.
 */
int lcx_bridge_create(struct lcx_netlink *nl, const char *name,
		      const struct lcx_link_config *config, struct lcx_error **err);

/**
 * lcx_veth_create() - make a pair of connected interfaces
 * @config:      of the near end, or NULL
 * @peer_config: of the far end, or NULL; with a netns_fd the far end is born in that
 *               namespace, with its final name, and is never seen in this one
 *
 * Return: 0; -EEXIST when a name is taken.
 */
int lcx_veth_create(struct lcx_netlink *nl, const char *name, const struct lcx_link_config *config,
		    const char *peer_name, const struct lcx_link_config *peer_config,
		    struct lcx_error **err);

int lcx_link_set_up(struct lcx_netlink *nl, uint32_t index, bool up, struct lcx_error **err);
/** lcx_link_set_master() - join a bridge, or leave it with @master 0 */
int lcx_link_set_master(struct lcx_netlink *nl, uint32_t index, uint32_t master,
			struct lcx_error **err);
int lcx_link_set_mtu(struct lcx_netlink *nl, uint32_t index, uint32_t mtu_bytes,
		     struct lcx_error **err);
int lcx_link_set_alias(struct lcx_netlink *nl, uint32_t index, const char *alias,
		       struct lcx_error **err);
/** lcx_link_set_name() - rename; the interface must be down on kernels before 6.2 */
int lcx_link_set_name(struct lcx_netlink *nl, uint32_t index, const char *name,
		      struct lcx_error **err);

/**
 * lcx_link_destroy() - remove an interface; a veth's peer goes with it
 *
 * Blocks for the kernel's grace period (tens of milliseconds). Interfaces of a
 * namespace that ends are removed without anybody waiting.
 *
 * Return: 0; -ENODEV when it is gone already.
 */
int lcx_link_destroy(struct lcx_netlink *nl, uint32_t index, struct lcx_error **err);

/* ---- addresses ---- */

/**
 * lcx_address_add() - give an interface an address
 * @index:   of the interface
 * @address: "10.88.0.1/16" or "fd00::1/64"
 *
 * An IPv6 address is usable at once: duplicate address detection is skipped.
 *
 * Return: 0; -EEXIST when the interface has it.
 */
int lcx_address_add(struct lcx_netlink *nl, uint32_t index, const char *address,
		    struct lcx_error **err);
/** lcx_address_remove() - -EADDRNOTAVAIL when the interface does not have it */
int lcx_address_remove(struct lcx_netlink *nl, uint32_t index, const char *address,
		       struct lcx_error **err);

/** struct lcx_address_list - a snapshot of addresses, a cursor over it */
struct lcx_address_list;

/** lcx_address_list_open() - IPv4 and IPv6 addresses; of one interface only if @index is not 0 */
int lcx_address_list_open(struct lcx_netlink *nl, uint32_t index, struct lcx_address_list **ret,
			  struct lcx_error **err);
/** lcx_address_list_next() - step to the next address, the first at first; false after the last */
bool lcx_address_list_next(struct lcx_address_list *list);
/** lcx_address_list_text() - "10.88.0.1/16" at the cursor, valid until the next step */
const char *lcx_address_list_text(const struct lcx_address_list *list);
uint32_t lcx_address_list_index(const struct lcx_address_list *list);
struct lcx_address_list *lcx_address_list_free(struct lcx_address_list *list);

/* ---- routes (of the main table) ---- */

/**
 * lcx_route_add() - add a route
 * @destination: "10.1.0.0/16", "fd01::/64"; "default" or "default6"
 * @gateway:     an address, or NULL for a directly connected network
 * @index:       the interface, or 0 to let the kernel find it by the gateway
 *
 * Return: 0; -EEXIST when there is one already.
 */
int lcx_route_add(struct lcx_netlink *nl, const char *destination, const char *gateway,
		  uint32_t index, struct lcx_error **err);
/** lcx_route_replace() - as lcx_route_add(), in the place of the one that is there, if any */
int lcx_route_replace(struct lcx_netlink *nl, const char *destination, const char *gateway,
		      uint32_t index, struct lcx_error **err);
/** lcx_route_remove() - -ESRCH when there is none */
int lcx_route_remove(struct lcx_netlink *nl, const char *destination, const char *gateway,
		     uint32_t index, struct lcx_error **err);

/** struct lcx_route_list - a snapshot of the routes of the main table, a cursor over it */
struct lcx_route_list;

int lcx_route_list_open(struct lcx_netlink *nl, struct lcx_route_list **ret,
			struct lcx_error **err);
bool lcx_route_list_next(struct lcx_route_list *list);
/** lcx_route_list_destination() - "10.1.0.0/16"; "0.0.0.0/0" and "::/0" for default routes */
const char *lcx_route_list_destination(const struct lcx_route_list *list);
/** lcx_route_list_gateway() - "" for a directly connected network */
const char *lcx_route_list_gateway(const struct lcx_route_list *list);
/** lcx_route_list_index() - the interface; 0 for a route without one (unreachable, multipath) */
uint32_t lcx_route_list_index(const struct lcx_route_list *list);
struct lcx_route_list *lcx_route_list_free(struct lcx_route_list *list);

#ifdef __cplusplus
}
#endif

#endif /* LCX_NETLINK_H */
