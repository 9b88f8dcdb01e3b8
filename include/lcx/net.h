/* SPDX-License-Identifier: MIT */
#ifndef LCX_NET_H
#define LCX_NET_H

#include <stdbool.h>
#include <stdint.h>

#include <lcx/ctx.h>
#include <lcx/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Named networks, and containers attached to them. A network is a file below
 * the context's root directory; its kernel objects (a bridge, entries in the
 * nf_tables table "lcx") exist only while a container is attached. The calling
 * thread's network namespace is "the host".
 */

/* ---- networks ---- */

/** struct lcx_network - one network; what it was like when it was opened. One thread at a time. */
struct lcx_network;

/**
 * lcx_network_new() - begin to describe a network that does not exist yet
 * @name: [A-Za-z0-9][A-Za-z0-9_.-]{0,127}; "none", "host" and "pasta" are not networks
 * @ret:  the handle, owned by the caller; nothing is on disk before lcx_network_create()
 */
int lcx_network_new(const char *name, struct lcx_network **ret, struct lcx_error **err);

/**
 * lcx_network_set_driver() - what connects containers with the rest
 * @driver: "bridge", the default: a bridge of the network's own, behind the host's address.
 *          "macvlan" or "ipvlan": each container has a branch of one of the host's interfaces, its
 *          parent, and stands in the network that this one is in. The host itself does not reach
 *          it through the parent, no port is published, no rate limited
 *
 * Forgets the mode. A kernel without the driver refuses when the first container comes.
 *
 * Return: 0; -EOPNOTSUPP for any other name.
 */
int lcx_network_set_driver(struct lcx_network *network, const char *driver, struct lcx_error **err);
/**
 * lcx_network_set_parent() - of macvlan and ipvlan: the host's interface
 * @parent: "eth0"; or "eth0.10", which is made when the first container comes and removed with the
 *          last, if it is not there: number 10 of the VLANs on eth0. If not set: the interface of
 *          the default route, as it is at the creation
 *
 * The network's MTU is the parent's, or a smaller one. Its subnet must be said: it is the one that
 * the parent is in, so give a range, too, of which nobody else takes addresses.
 */
int lcx_network_set_parent(struct lcx_network *network, const char *parent, struct lcx_error **err);
/**
 * lcx_network_set_mode() - of the driver, which must be set before
 * @mode: macvlan: "bridge" (the default), "private", "vepa" or "passthru". ipvlan: "l2" (the
 *        default), "l3" or "l3s"; in the last two the host routes, and there is no gateway
 */
int lcx_network_set_mode(struct lcx_network *network, const char *mode, struct lcx_error **err);
/**
 * lcx_network_set_option() - any of these, in Docker's words and podman's
 * @key: "parent", "mode", "macvlan_mode", "ipvlan_mode", "ipvlan_flag" ("bridge", "private" or
 *       "vepa"), "hairpin", "promiscuous" ("true" or "false"), "mtu",
 *       "com.docker.network.driver.mtu", "com.docker.network.bridge.name"
 *
 * Return: 0; -EINVAL for a key that is unknown or of another driver, or what the function of its
 * own returns.
 */
int lcx_network_set_option(struct lcx_network *network, const char *key, const char *value,
			   struct lcx_error **err);
/**
 * lcx_network_set_subnet() - "10.89.0.0/24" or "fd00:1::/64", in the place of those given before
 *
 * Of IPv4 a free one from 10.88.0.0/16 on is chosen if none is given. IPv4 prefixes are
 * of 8 to 30 bits, IPv6 prefixes of 16 to 126.
 */
int lcx_network_set_subnet(struct lcx_network *network, const char *subnet, struct lcx_error **err);
/**
 * lcx_network_add_subnet() - one more; a container gets one address of each kind
 *
 * When a subnet is full, the next one of its kind is used. Return: 0; -EINVAL when it
 * overlaps one that was given; -E2BIG beyond 8.
 */
int lcx_network_add_subnet(struct lcx_network *network, const char *subnet, struct lcx_error **err);
/** lcx_network_set_ipv4() - true if not set; without it only IPv6 subnets are possible */
int lcx_network_set_ipv4(struct lcx_network *network, bool ipv4, struct lcx_error **err);
/** lcx_network_set_ipv6() - choose a random IPv6 subnet (RFC 4193), if none is given */
int lcx_network_set_ipv6(struct lcx_network *network, bool ipv6, struct lcx_error **err);
/**
 * lcx_network_set_gateway() - the host's address in the subnet that has it
 *
 * May be called once for each subnet, before or after that is given. A subnet's
 * first address if not set.
 */
int lcx_network_set_gateway(struct lcx_network *network, const char *gateway,
			    struct lcx_error **err);
/**
 * lcx_network_set_range() - "10.89.0.128/25": only these are given to who asks for none
 *
 * May be called once for each subnet. The other addresses of the subnet are given to
 * who asks for one of them. If not set: all of an IPv4 subnet, the first 65,536 of IPv6.
 */
int lcx_network_set_range(struct lcx_network *network, const char *range, struct lcx_error **err);
/** lcx_network_add_exclusion() - an address that is never given; at most 64 of them */
int lcx_network_add_exclusion(struct lcx_network *network, const char *address,
			      struct lcx_error **err);
/** lcx_network_set_bridge() - the bridge's interface name, up to 15 bytes; made up if not set */
int lcx_network_set_bridge(struct lcx_network *network, const char *bridge, struct lcx_error **err);
/** lcx_network_set_mtu() - 68 to 65535; that of the default route's interface if not set */
int lcx_network_set_mtu(struct lcx_network *network, uint32_t mtu_bytes, struct lcx_error **err);
/**
 * lcx_network_set_hairpin() - of a bridge: a frame may go back through the port that it came by
 *
 * For a container that reaches itself by another's address, as by a balancer that leads back to
 * it. If not set, only the ports of containers that publish ports are like that.
 */
int lcx_network_set_hairpin(struct lcx_network *network, bool hairpin, struct lcx_error **err);
/**
 * lcx_network_set_promiscuous() - of a bridge: the host takes every frame, whomever it is for
 *
 * For programs on the host that watch the network, or answer for MAC addresses that the bridge does
 * not have. Set when the bridge is made, with the first container.
 */
int lcx_network_set_promiscuous(struct lcx_network *network, bool promiscuous,
				struct lcx_error **err);
/** lcx_network_set_internal() - no default route, nothing forwarded into or out of the network */
int lcx_network_set_internal(struct lcx_network *network, bool internal, struct lcx_error **err);

/**
 * lcx_network_set_resolver() - who tells the network's containers each other's names
 * @resolver: "monitor", the default but for the network "bridge": a process that is there while a
 *            container is attached, and outlives its starter; "program": one that calls
 *            lcx_resolver_open(); "none": nobody
 *
 * It answers at port 53 of each gateway, to the network's containers only: names of containers,
 * their aliases, and addresses backwards. Anything else it asks of the host's servers, but for an
 * internal network, whose questions never leave it.
 */
int lcx_network_set_resolver(struct lcx_network *network, const char *resolver,
			     struct lcx_error **err);

/**
 * lcx_network_create() - store a network that was described
 *
 * What was not set is chosen and readable by the getters afterwards. No
 * interface is made yet.
 *
 * Return: 0; -EEXIST when there is one of that name; -EADDRINUSE when the subnet
 * overlaps an address or route of the host, or another network of this context;
 * -ENOSPC when no subnet is free.
 */
int lcx_network_create(struct lcx_ctx *ctx, struct lcx_network *network, struct lcx_error **err);

/**
 * lcx_network_open() - read a network
 *
 * "bridge", the default network, is created if need be.
 *
 * Return: 0; -ENOENT when there is none of that name.
 */
int lcx_network_open(struct lcx_ctx *ctx, const char *name, struct lcx_network **ret,
		     struct lcx_error **err);

const char *lcx_network_name(const struct lcx_network *network);
const char *lcx_network_driver(const struct lcx_network *network);
/** lcx_network_subnet() - the first; those of IPv4 stand before those of IPv6 */
const char *lcx_network_subnet(const struct lcx_network *network);
/** lcx_network_gateway() - of the first subnet */
const char *lcx_network_gateway(const struct lcx_network *network);
uint32_t lcx_network_subnet_count(const struct lcx_network *network);
/** lcx_network_subnet_at() - NULL beyond the last; so are the two below */
const char *lcx_network_subnet_at(const struct lcx_network *network, uint32_t position);
const char *lcx_network_gateway_at(const struct lcx_network *network, uint32_t position);
/** lcx_network_range_at() - "" if none was given */
const char *lcx_network_range_at(const struct lcx_network *network, uint32_t position);
uint32_t lcx_network_exclusion_count(const struct lcx_network *network);
/** lcx_network_exclusion() - NULL beyond the last */
const char *lcx_network_exclusion(const struct lcx_network *network, uint32_t position);
/** lcx_network_bridge() - "" without one; so are the two below */
const char *lcx_network_bridge(const struct lcx_network *network);
const char *lcx_network_parent(const struct lcx_network *network);
const char *lcx_network_mode(const struct lcx_network *network);
/** lcx_network_mtu() - 0: the default route's interface's, looked up when the bridge is made */
uint32_t lcx_network_mtu(const struct lcx_network *network);
bool lcx_network_internal(const struct lcx_network *network);
bool lcx_network_hairpin(const struct lcx_network *network);
bool lcx_network_promiscuous(const struct lcx_network *network);
/** lcx_network_resolver() - "monitor", "program" or "none"; "" before it was created, if not set */
const char *lcx_network_resolver(const struct lcx_network *network);
/** lcx_network_created() - RFC 3339, UTC */
const char *lcx_network_created(const struct lcx_network *network);

/**
 * lcx_network_inspect() - all of it, with the attached containers, as a JSON object
 * @ret: a string, to be released with lcx_string_free()
 */
int lcx_network_inspect(struct lcx_ctx *ctx, const char *name, char **ret, struct lcx_error **err);

/**
 * lcx_network_remove() - forget a network and its address pool
 *
 * Return: 0; -ENOENT; -EBUSY, with a name, while a container is attached.
 */
int lcx_network_remove(struct lcx_ctx *ctx, const char *name, struct lcx_error **err);

/** lcx_network_free() - drop the handle; the network stays. NULL is accepted, NULL is returned */
struct lcx_network *lcx_network_free(struct lcx_network *network);

/** struct lcx_network_list - the names of a context's networks, sorted */
struct lcx_network_list;

int lcx_network_list_open(struct lcx_ctx *ctx, struct lcx_network_list **ret,
			  struct lcx_error **err);
/** lcx_network_list_next() - a name, valid as long as @list; NULL after the last */
const char *lcx_network_list_next(struct lcx_network_list *list);
struct lcx_network_list *lcx_network_list_free(struct lcx_network_list *list);

/* ---- published ports ---- */

/** struct lcx_port - one published port, or a range of them */
struct lcx_port;

/**
 * lcx_port_new() - @container_port over tcp, at a port of every host address that is chosen
 *
 * "Every host address" is every one of the kinds, IPv4 and IPv6, that the container has.
 */
int lcx_port_new(uint16_t container_port, struct lcx_port **ret, struct lcx_error **err);

/**
 * lcx_port_parse() - Docker's words
 * @text: [[HOST_ADDRESS:]HOST_PORT:]CONTAINER_PORT[/PROTOCOL], where a port may be
 *        a range "8000-8010" (as long on both sides), HOST_PORT may be empty, and an
 *        IPv6 address stands in brackets: "[fd00::1]:8080:80"
 */
int lcx_port_parse(const char *text, struct lcx_port **ret, struct lcx_error **err);

/**
 * lcx_port_set_host_address() - an address of this host
 *
 * "0.0.0.0" are all of IPv4, "::" all of IPv6; on ::1 the network's monitor leads connections
 * on, over TCP only. If not set, both.
 */
int lcx_port_set_host_address(struct lcx_port *port, const char *address, struct lcx_error **err);
/** lcx_port_set_host_port() - 0 lets the system choose */
int lcx_port_set_host_port(struct lcx_port *port, uint16_t host_port, struct lcx_error **err);
/** lcx_port_set_protocol() - "tcp", "udp" or "sctp" */
int lcx_port_set_protocol(struct lcx_port *port, const char *protocol, struct lcx_error **err);
/** lcx_port_set_count() - a range of @count ports from the given one on; 1 is the default */
int lcx_port_set_count(struct lcx_port *port, uint16_t count, struct lcx_error **err);

/** lcx_port_host_address() - "0.0.0.0" for both kinds, too */
const char *lcx_port_host_address(const struct lcx_port *port);
/** lcx_port_host_port() - after an attach the one that was chosen */
uint16_t lcx_port_host_port(const struct lcx_port *port);
uint16_t lcx_port_container_port(const struct lcx_port *port);
const char *lcx_port_protocol(const struct lcx_port *port);
uint16_t lcx_port_count(const struct lcx_port *port);
struct lcx_port *lcx_port_free(struct lcx_port *port);

/* ---- attachments ---- */

/** struct lcx_attachment - a container's place in a network. One thread at a time. */
struct lcx_attachment;

/**
 * lcx_attachment_new() - begin to describe one
 * @owner: the container's id, by the rule of lcx_network_new(); the mark on every kernel object
 */
int lcx_attachment_new(const char *owner, struct lcx_attachment **ret, struct lcx_error **err);

/** lcx_attachment_set_interface() - its name inside the container; if not set, the first of "eth0",
 * "eth1" ... that is free there */
int lcx_attachment_set_interface(struct lcx_attachment *attachment, const char *name,
				 struct lcx_error **err);
/** lcx_attachment_set_address() - of IPv4, or of IPv6, or by two calls both; the next free one if
 * not set */
int lcx_attachment_set_address(struct lcx_attachment *attachment, const char *address,
			       struct lcx_error **err);
/** lcx_attachment_set_mac() - made of the address if not set: neighbour caches stay true */
int lcx_attachment_set_mac(struct lcx_attachment *attachment, const char *mac,
			   struct lcx_error **err);
/**
 * lcx_attachment_set_gateway_priority() - which network gives the default route
 * @priority: -10000 to 10000; 0 if not set. The highest of the container's networks; among
 *            equal ones the first that was attached. When that one is detached, the next
 */
int lcx_attachment_set_gateway_priority(struct lcx_attachment *attachment, int32_t priority,
					struct lcx_error **err);
/**
 * lcx_attachment_add_alias() - one more name under which the network's containers find it
 * @alias: as "db": by the rule of lcx_network_new(); at most 32 of them
 *
 * Return: 0; -EINVAL; -E2BIG. The same name twice is one.
 */
int lcx_attachment_add_alias(struct lcx_attachment *attachment, const char *alias,
			     struct lcx_error **err);
/**
 * lcx_attachment_set_rates() - how much may pass, in bits per second; 0: no limit
 * @egress_bits:  what the container sends
 * @ingress_bits: what it receives
 *
 * Enforced on the host's side of the cable, where the container cannot take it away; so not in a
 * network without one (macvlan, ipvlan). From 8,000 on. Needs sch_tbf and, for @egress_bits, ifb,
 * sch_ingress, cls_u32 and act_mirred in the kernel.
 */
int lcx_attachment_set_rates(struct lcx_attachment *attachment, uint64_t egress_bits,
			     uint64_t ingress_bits, struct lcx_error **err);
/**
 * lcx_attachment_set_hairpin() - as lcx_network_set_hairpin(), for this container alone
 *
 * False, the default, takes nothing away. Not in a network without a cable (macvlan, ipvlan).
 */
int lcx_attachment_set_hairpin(struct lcx_attachment *attachment, bool hairpin,
			       struct lcx_error **err);
/**
 * lcx_attachment_set_promiscuous() - its interface takes frames for any MAC address
 *
 * For a container that has others inside, with MAC addresses of their own. The bridge sends it
 * those that it cannot place otherwise; not what is for its neighbours. Not with macvlan and
 * ipvlan.
 */
int lcx_attachment_set_promiscuous(struct lcx_attachment *attachment, bool promiscuous,
				   struct lcx_error **err);
/**
 * lcx_attachment_add_sysctl() - a switch of its interface, before that is up
 * @name:  "net.ipv4.conf.IFNAME.log_martians"; also of net.ipv4.neigh, net.ipv6.conf,
 *         net.ipv6.neigh and net.mpls.conf. IFNAME stands for itself
 * @value: up to 64 bytes
 *
 * Return: 0; -EINVAL; -EEXIST for one that is set already; -E2BIG beyond 64.
 */
int lcx_attachment_add_sysctl(struct lcx_attachment *attachment, const char *name,
			      const char *value, struct lcx_error **err);
/**
 * lcx_attachment_set_option() - any of these, in Docker's words
 * @key: "ip", "ip6", "mac-address", "alias" (may be said again), "interface-name",
 *       "gw-priority", "egress-rate" and "ingress-rate" ("500k", "10m": bits per second),
 *       "hairpin" and "promiscuous" ("true" or "false"),
 *       "driver-opt" ("com.docker.network.endpoint.sysctls=NAME=VALUE,NAME=VALUE...")
 *
 * Return: 0; -EINVAL for a key that is unknown, or what the function of its own returns.
 */
int lcx_attachment_set_option(struct lcx_attachment *attachment, const char *key, const char *value,
			      struct lcx_error **err);
/** lcx_attachment_add_port() - publish a port; @port is copied */
int lcx_attachment_add_port(struct lcx_attachment *attachment, const struct lcx_port *port,
			    struct lcx_error **err);

/**
 * lcx_network_attach() - give a network namespace an interface in a network
 * @attachment: completed with what was chosen
 * @netns_fd:   the container's network namespace, an open /proc/PID/ns/net; borrowed
 * @netlink_fd: a NETLINK_ROUTE socket that was opened inside that namespace; borrowed
 *
 * Afterwards "lo" and the new interface are up and have their addresses, the
 * default route is set (with a metric, and not by an internal network),
 * and the ports are published. An owner may be attached to several networks. On failure nothing is
 * left. The attachment lives until lcx_network_detach(), or until the machine goes down.
 *
 * Return: 0; -EADDRINUSE for a port or an address that is taken; -ENOSPC when the
 * pool is empty or the bridge has the kernel's 1023 ports; -EEXIST when the
 * owner is attached already, or a foreign bridge has the network's bridge's name.
 */
int lcx_network_attach(struct lcx_ctx *ctx, struct lcx_network *network,
		       struct lcx_attachment *attachment, int netns_fd, int netlink_fd,
		       struct lcx_error **err);

/** lcx_attachment_open() - what another call or process attached; -ENOENT if nothing */
int lcx_attachment_open(struct lcx_ctx *ctx, const char *network, const char *owner,
			struct lcx_attachment **ret, struct lcx_error **err);

/**
 * lcx_network_detach() - take an attachment down
 * @network: its name
 * @owner:   the container's id
 *
 * Needs neither the namespace nor the process that attached. Goes on after an
 * error; the first is returned and the message names all. Nothing to take down
 * is success. The last container's going takes the bridge, the nf_tables
 * entries and changed sysctls with it.
 *
 * The interface is removed whether its namespace ends, lives on, or is held by somebody; at the
 * return it is gone, a cable from both sides: name, address, place in the bridge. One on a parent
 * may end with its namespace, some milliseconds later. The kernel itself waits for what nobody sees
 * any more, some 15 ms; a small process does that in the caller's place, lcx-remover. The caller
 * gets SIGCHLD for its start, which is waited for; what waits is nobody's child, and ends by
 * itself. A caller who is process 1 or a subreaper, and would have it to reap, waits himself.
 *
 * From here, or the first attachment on, @ctx keeps a netlink socket open, since the kernel lets
 * who closes one wait for what was removed; lcx_ctx_free() closes it, or leaves that to such a
 * process if something was removed just before.
 */
int lcx_network_detach(struct lcx_ctx *ctx, const char *network, const char *owner,
		       struct lcx_error **err);

const char *lcx_attachment_owner(const struct lcx_attachment *attachment);
const char *lcx_attachment_network(const struct lcx_attachment *attachment);
const char *lcx_attachment_interface(const struct lcx_attachment *attachment);
/** lcx_attachment_address() - "10.88.0.2", without the prefix length, that of IPv6 if there is no
 * other; "" before the attach */
const char *lcx_attachment_address(const struct lcx_attachment *attachment);
uint32_t lcx_attachment_prefix(const struct lcx_attachment *attachment);
/** lcx_attachment_gateway() - "" in an internal network */
const char *lcx_attachment_gateway(const struct lcx_attachment *attachment);
/** lcx_attachment_address6() - "" in a network without IPv6 */
const char *lcx_attachment_address6(const struct lcx_attachment *attachment);
uint32_t lcx_attachment_prefix6(const struct lcx_attachment *attachment);
const char *lcx_attachment_gateway6(const struct lcx_attachment *attachment);
uint32_t lcx_attachment_alias_count(const struct lcx_attachment *attachment);
/** lcx_attachment_alias() - NULL beyond the last */
const char *lcx_attachment_alias(const struct lcx_attachment *attachment, uint32_t position);
uint32_t lcx_attachment_sysctl_count(const struct lcx_attachment *attachment);
/** lcx_attachment_sysctl() - "NAME=VALUE"; NULL beyond the last */
const char *lcx_attachment_sysctl(const struct lcx_attachment *attachment, uint32_t position);
int32_t lcx_attachment_gateway_priority(const struct lcx_attachment *attachment);
uint64_t lcx_attachment_egress_bits(const struct lcx_attachment *attachment);
uint64_t lcx_attachment_ingress_bits(const struct lcx_attachment *attachment);
bool lcx_attachment_hairpin(const struct lcx_attachment *attachment);
bool lcx_attachment_promiscuous(const struct lcx_attachment *attachment);
const char *lcx_attachment_mac(const struct lcx_attachment *attachment);
/** lcx_attachment_host_interface() - the host's end of the cable; "" without one */
const char *lcx_attachment_host_interface(const struct lcx_attachment *attachment);
const char *lcx_attachment_bridge(const struct lcx_attachment *attachment);
uint32_t lcx_attachment_port_count(const struct lcx_attachment *attachment);
/** lcx_attachment_port() - borrowed, as long as @attachment; NULL beyond the last */
const struct lcx_port *lcx_attachment_port(const struct lcx_attachment *attachment,
					   uint32_t position);
struct lcx_attachment *lcx_attachment_free(struct lcx_attachment *attachment);

/**
 * lcx_net_reload() - put the nf_tables table back, after somebody flushed the rule set
 *
 * A network's monitor that was killed is started again, too: its names and ports on ::1 would not
 * answer before the next attachment.
 * From the networks and live attachments of @ctx; entries of other contexts
 * that are there stay as they are.
 */
int lcx_net_reload(struct lcx_ctx *ctx, struct lcx_error **err);

/**
 * struct lcx_net_watch - puts back what somebody took away: the table, when he flushed the rule
 * set; a network's monitor, when he killed it
 *
 * For a program's own loop: poll the descriptor, and dispatch when it is readable. One thread at a
 * time. Contexts of other directories need a watch of their own.
 */
struct lcx_net_watch;

/* What a dispatch put back. */
#define LCX_NET_WATCH_TABLE   1 /* the table, and all monitors with it */
#define LCX_NET_WATCH_MONITOR 2 /* a monitor, or several */

/** lcx_net_watch_open() - from here on; @ctx must outlive it. Needs CAP_NET_ADMIN */
int lcx_net_watch_open(struct lcx_ctx *ctx, struct lcx_net_watch **ret, struct lcx_error **err);
/** lcx_net_watch_fd() - borrowed; readable when something in the firewall changed, or a monitor
 * ended */
int lcx_net_watch_fd(const struct lcx_net_watch *watch);
/**
 * lcx_net_watch_dispatch() - read what happened, call lcx_net_reload() if the table is gone, and
 * start monitors again that died without being ended
 *
 * Waits for nobody but those who hold a network's lock. Changes inside the table are left as they
 * are. Monitors that die again and again are started once a second; one that cannot be started, the
 * error of which is returned, is tried again after ten.
 *
 * Return: what was put back, of LCX_NET_WATCH_TABLE and LCX_NET_WATCH_MONITOR; 0 when there was no
 * need, or what lcx_net_reload() returns.
 */
int lcx_net_watch_dispatch(struct lcx_net_watch *watch, struct lcx_error **err);
struct lcx_net_watch *lcx_net_watch_free(struct lcx_net_watch *watch);

/* ---- diagnosis ---- */

/**
 * lcx_net_trace() - the path of an owner's packets, out of the kernel, as one JSON object
 * @netns_fd: the network namespace with its interfaces, or -1: what is inside is left out
 * @ret:      a string that the caller releases with lcx_string_free()
 *
 * Members: networks, each with the interface inside, its end on this host, and the bridge or
 * parent, with their addresses ("present": false, where the path is broken); routes, those
 * inside; published, the entries of its ports; chains, the rules of the table "lcx" in the order
 * in which a packet meets them, with the packets and bytes, of all containers, that each has
 * decided since the rules were made; host: whether it forwards, and its routes.
 *
 * Return: 0, also for an owner of nothing, whose networks are none.
 */
int lcx_net_trace(struct lcx_ctx *ctx, const char *owner, int netns_fd, char **ret,
		  struct lcx_error **err);

/* ---- names ---- */

/** struct lcx_resolver - a network's resolver, in the loop of a program. One thread at a time. */
struct lcx_resolver;

/**
 * lcx_resolver_open() - begin to answer a network's containers
 * @network: one with the resolver "program"
 *
 * Until lcx_resolver_free(), or the end of the process. Watches files by inotify, and has up to
 * some 300 descriptors open while containers ask.
 *
 * Return: 0; -EINVAL for a network with another resolver; -ENODEV while no container is attached;
 * -EBUSY when somebody answers already.
 */
int lcx_resolver_open(struct lcx_ctx *ctx, const char *network, struct lcx_resolver **ret,
		      struct lcx_error **err);

/** lcx_resolver_fd() - readable when lcx_resolver_dispatch() has something to do; borrowed */
int lcx_resolver_fd(const struct lcx_resolver *resolver);

/**
 * lcx_resolver_dispatch() - answer what was asked; does not block
 *
 * Return: 1; 0 when the last container is gone, and with it the place to be asked at: free it,
 * and open another one after the next attachment.
 */
int lcx_resolver_dispatch(struct lcx_resolver *resolver, struct lcx_error **err);

struct lcx_resolver *lcx_resolver_free(struct lcx_resolver *resolver);

/* ---- files for a container; every *ret is released with lcx_string_free() ---- */

/**
 * lcx_net_hosts_file() - the text of /etc/hosts
 * @hostname: may be "web" or "web.example.org", in which case both names are listed
 * @address:  the container's, or NULL: the name then stands for 127.0.1.1
 */
int lcx_net_hosts_file(const char *hostname, const char *address, char **ret,
		       struct lcx_error **err);

/** lcx_net_hostname_file() - the text of /etc/hostname; -EINVAL for what cannot be a host name */
int lcx_net_hostname_file(const char *hostname, char **ret, struct lcx_error **err);

/**
 * lcx_net_resolv_conf() - the text of /etc/resolv.conf
 * @host_text:     the host's, or NULL to read /etc/resolv.conf
 * @servers:       NULL-terminated; instead of the host's; NULL or empty: the host's
 * @search:        likewise; a single "." means: no search list at all
 * @options:       likewise
 * @keep_loopback: the container shares the host's network: 127.0.0.53 is right for it
 *
 * Otherwise the host's servers on a loopback address are dropped. If none
 * remains, those of /run/systemd/resolve/resolv.conf are taken (when @host_text
 * is NULL), and if there is none either, 8.8.8.8 and 8.8.4.4, as Docker does.
 */
int lcx_net_resolv_conf(const char *host_text, const char *const *servers,
			const char *const *search, const char *const *options, bool keep_loopback,
			char **ret, struct lcx_error **err);

#ifdef __cplusplus
}
#endif

#endif /* LCX_NET_H */
