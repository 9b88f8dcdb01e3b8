/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Shared by the files of lib/net and nobody else.
 *
 * On disk:   ROOT/networks/NAME.json      what a network is
 *            ROOT/ipam/NAME/N             the address pool of its N-th subnet (lib/ipam)
 *            RUN/net/NAME/OWNER.json      an attachment; written before its first kernel object
 *            RUN/net/NAME/monitor         which process is the network's monitor (monitor.h)
 *            RUN/net/NAME/resolver        likewise, a program that resolves in its own loop
 * Marks:     ifalias of a bridge          lcx:TAG:NETWORK
 *            ifalias of a host interface  lcx:TAG:OWNER
 *            comment of an nft element    TAG:OWNER, or TAG:NETWORK for a bridge
 *            owner of a lease             OWNER
 * The directory RUN/net/NAME is also the network's lock (flock): whoever makes
 * the first attachment or takes down the last one holds it, so that the bridge is
 * there as long as there is a record.
 */

#include <net/if.h>

#include "ipam/ipam.h"
#include "net/net.h"
#include "netlink/inet.h"
#include "netlink/netlink.h"
#include "util/str.h"
#include "util/troubles.h"

DEFINE_CLEANUP(struct lcx_ipam_pool *, lcx_ipam_pool_free)
DEFINE_CLEANUP(struct lcx_ipam_cursor *, lcx_ipam_cursor_free)

enum {
	NET_NAME_SIZE = 129,
	NET_MARK_SIZE = 160, /* "lcx:" TAG ":" NAME */
	NET_MAC_SIZE = 18,
	NET_PORTS_LIMIT = 65535,
	NET_SUBNETS_LIMIT = 8,
	NET_EXCLUSIONS_LIMIT = 64,
	NET_PRIORITY_LIMIT = 10000,
	NET_ALIASES_LIMIT = 32,
	NET_SYSCTLS_LIMIT = 64,
	NET_LEAST_RATE = 8000, /* bits per second */
};

#define NET_MOST_RATE UINT64_C(1000000000000)

/* What is there once for each of the two: addresses, switches, entries of the firewall. */
enum net_family { NET_V4, NET_V6, NET_FAMILIES };

/* A set of families: bits 1 << NET_V4, 1 << NET_V6. */
typedef unsigned int net_families;

struct net_subnet {
	char subnet[LCX__INET_SIZE];
	char gateway[LCX__INET_SIZE]; /* "" before it is chosen */
	char range[LCX__INET_SIZE];   /* addresses given on demand; "": all */
	bool chosen;                  /* by us: may be chosen anew while nobody uses it */
};

enum net_resolver {
	NET_RESOLVER_UNSET,
	NET_RESOLVER_NONE,
	NET_RESOLVER_MONITOR,
	NET_RESOLVER_PROGRAM
};

/* Made when it is first opened. */
#define DEFAULT_NETWORK "bridge"

struct lcx_network {
	char name[NET_NAME_SIZE];
	char driver[16];
	struct net_subnet subnets[NET_SUBNETS_LIMIT]; /* those of IPv4 first */
	uint32_t subnet_count;
	char exclusions[NET_EXCLUSIONS_LIMIT][LCX__INET_SIZE];
	uint32_t exclusion_count;
	/* Said before the creation, in any order: the subnet that holds it gets it. */
	char gateways[NET_SUBNETS_LIMIT][LCX__INET_SIZE], ranges[NET_SUBNETS_LIMIT][LCX__INET_SIZE];
	uint32_t gateway_count, range_count;
	bool without[NET_FAMILIES], with_ipv6;
	char bridge[IFNAMSIZ]; /* "" without one: driver.h */
	char parent[IFNAMSIZ], mode[16], flag[16];
	uint32_t mtu;
	bool internal, hairpin, promiscuous;
	enum net_resolver resolver;
	char created[LCX__TIME_SIZE];
};

enum port_protocol { PORT_TCP, PORT_UDP, PORT_SCTP };

struct lcx_port {
	char host_address[LCX__INET_SIZE];
	uint16_t host_port, container_port, count;
	uint16_t chosen; /* host_port, as planned, if the choice was ours: others do as well */
	enum port_protocol protocol;
	net_families families; /* both, unless an address was given; of the network, once planned */
};

struct net_address {
	char address[LCX__INET_SIZE], gateway[LCX__INET_SIZE]; /* "": none */
	uint32_t prefix;
	bool is_new; /* just leased, and nobody of this network had it before */
};

struct lcx_attachment {
	char owner[NET_NAME_SIZE], network[NET_NAME_SIZE];
	char interface[IFNAMSIZ], host_interface[IFNAMSIZ], bridge[IFNAMSIZ];
	struct net_address addresses[NET_FAMILIES];
	char mac[NET_MAC_SIZE];
	struct lcx_port *ports;
	size_t port_count;
	char **names;                       /* of the container, the usual one first; NULL: none */
	char **aliases;                     /* NULL: none */
	char **sysctls;                     /* "net.ipv4.conf.IFNAME.NAME=VALUE"; NULL: none */
	uint64_t egress_bits, ingress_bits; /* per second; 0: no limit */
	bool interface_chosen;              /* by us: "eth0", or the first one that is free */
	bool hairpin, promiscuous;
	int32_t gateway_priority;
	/* Of a branch: where its one end is; an index of 0 means that there is none. */
	int32_t netns_number;
	uint32_t inner_index;
	bool standalone; /* of no container: lives until it is detached, or the machine goes down */
	char boot_id[LCX__BOOT_ID_SIZE]; /* of the record it was read from */
};

/* ---- files and locks (store.c, network-file.c, record.c) ---- */

/* An open directory, made if need be. */
int lcx__net_networks_dir(const struct lcx_ctx *ctx, struct lcx_error **err);
int lcx__net_pools_dir(const struct lcx_ctx *ctx, struct lcx_error **err);

enum net_family lcx__inet_net_family(const struct lcx__inet *inet);
/* Of an address or a subnet as text that was checked before. */
enum net_family lcx__net_family_of(const char *text);

/* An open directory, or -ENOENT without words if nothing was ever attached. */
int lcx__net_records_dir(const struct lcx_ctx *ctx, const char *network, struct lcx_error **err);
int lcx__net_run_dir(const struct lcx_ctx *ctx, struct lcx_error **err);

/* Made if need be, with an exclusive lock, which the descriptor's closing releases. */
int lcx__net_networks_lock(const struct lcx_ctx *ctx, struct lcx_error **err);
int lcx__net_records_lock(const struct lcx_ctx *ctx, const char *network, struct lcx_error **err);

/* "NAME.json" in a directory: the names, sorted. With @directories, names of directories instead.
 */
int lcx__net_list_names(int dir_fd, bool directories, char ***ret);
/* 1 if there is one, 0 if not: what is asked when each of a thousand goes. */
int lcx__net_has_names(int dir_fd);

/* ---- address pools (pools.c) ---- */

/* Anew, whatever is there: nobody can hold a lease in them. */
int lcx__pools_make(struct lcx_ctx *ctx, const struct lcx_network *network, struct lcx_error **err);
/* -EBUSY, with names, while somebody holds an address; missing ones are success. */
int lcx__pools_remove(struct lcx_ctx *ctx, const struct lcx_network *network,
		      struct lcx_error **err);
/* Nobody has an address of the network. */
bool lcx__pools_are_unused(struct lcx_ctx *ctx, const struct lcx_network *network);
/* One address of each family, those that are set already or any. */
int lcx__pools_lease(struct lcx_ctx *ctx, const struct lcx_network *network,
		     struct lcx_attachment *attachment, struct lcx_error **err);
int lcx__pools_release(struct lcx_ctx *ctx, const char *network, const char *owner,
		       struct lcx_error **err);
/* Call @visit for each lease of each pool. */
int lcx__pools_list(struct lcx_ctx *ctx, const char *network,
		    int (*visit)(const char *owner, void *data), void *data,
		    struct lcx_error **err);
/* The owner of what is excluded; nobody else may have a name like it. */
#define NET_EXCLUDED "excluded-address"

net_families lcx__network_families(const struct lcx_network *network);
/* Choose what was not said, and see that all of it fits together. */
int lcx__network_settle_subnets(int networks_fd, struct lcx_network *network,
				struct lcx_error **err);
void lcx__network_choose_gateway(struct net_subnet *subnet);

int lcx__network_write(int dir_fd, const struct lcx_network *network, struct lcx_error **err);
int lcx__network_read(int dir_fd, const char *name, struct lcx_network **ret,
		      struct lcx_error **err);

/* Its subnets, and whether it is internal: for the monitor, which knows no drivers. */
int lcx__network_read_addresses(int dir_fd, const char *name, struct lcx_network **ret,
				struct lcx_error **err);

/* Who resolves its names, if nobody has said it; -EOPNOTSUPP where that cannot be. */
int lcx__resolver_settle(struct lcx_network *network, struct lcx_error **err);

int lcx__record_write(int dir_fd, const struct lcx_attachment *attachment, struct lcx_error **err);
int lcx__record_read(int dir_fd, const char *owner, struct lcx_attachment **ret,
		     struct lcx_error **err); /* -ENOENT without words when there is none */
int lcx__record_remove(int dir_fd, const char *owner, struct lcx_error **err);

struct json_object;
struct json_object *lcx__network_to_json(const struct lcx_network *network);

/* ---- marks ---- */

void lcx__net_mark(const struct lcx_ctx *ctx, const char *name, char mark[static NET_MARK_SIZE]);
/* Without "lcx:": for nft comments, which stand in our own table. */
void lcx__net_comment(const struct lcx_ctx *ctx, const char *name, char mark[static NET_MARK_SIZE]);
uint32_t lcx__net_hash(const struct lcx_ctx *ctx, const char *a, const char *b);

/* ---- subnets ---- */

/*
 * The first subnet that nothing on this host uses (a random one of IPv6, as RFC 4193
 * wants it); or check one.
 * @networks_fd: the other networks of this context
 */
int lcx__subnet_choose(int networks_fd, const struct lcx_network *network, enum net_family family,
		       char subnet[static LCX__INET_SIZE], struct lcx_error **err);
int lcx__subnet_check(int networks_fd, const struct lcx_network *network, const char *subnet,
		      struct lcx_error **err);

/* ---- bridges ---- */

/* What containers hang on: a bridge, or a parent interface. */
struct lcx__bridge {
	uint32_t index, mtu;
};

/* The interface of the default route: -ENOENT, without words, when there is none. */
int lcx__default_route_link(struct lcx_netlink *nl, struct lcx_link **ret);

/* Make the bridge what the network says; the network's lock is held. */
int lcx__bridge_ensure(struct lcx_ctx *ctx, struct lcx_netlink *nl,
		       const struct lcx_network *network, struct lcx__bridge *ret,
		       struct lcx_error **err);
/* Take the bridge and its nft entries down; the network's lock is held and it has no record. */
int lcx__bridge_remove(struct lcx_ctx *ctx, struct lcx_netlink *nl, struct lcx_netlink **nft,
		       const struct lcx_network *network, struct lcx_error **err);
/* 1 when it is there and ours, 0 when it is not there; -EEXIST when it is another's. */
int lcx__bridge_find(struct lcx_ctx *ctx, struct lcx_netlink *nl, const struct lcx_network *network,
		     struct lcx_link **ret, struct lcx_error **err);

/* Which forwarding did this context switch on? As its run directory remembers. */
net_families lcx__forwarding_was_off(const struct lcx_ctx *ctx);
/* Remembered before it is done, so that it can be undone after a crash. */
int lcx__forwarding_ensure(const struct lcx_ctx *ctx, net_families families,
			   struct lcx_error **err);
/* What the context remembers is put back, and forgotten. */
void lcx__forwarding_forget(const struct lcx_ctx *ctx, net_families families);

/* ---- firewall ---- */

/*
 * Who removes entries does it by a socket of his caller's, @nft: declared empty, opened by the
 * first who needs it, and freed when everything else is done, too. For the kernel lets close(2)
 * wait until what was removed is out of use everywhere, some ten milliseconds, unless that has
 * come to pass already: an interface that is removed in between takes longer.
 *
 * So a context keeps it: it is taken from there, NULL if there is none, and given back, unless
 * there is one again.
 */
struct lcx_netlink *lcx__firewall_take(struct lcx_ctx *ctx);
void lcx__firewall_keep(struct lcx_ctx *ctx, struct lcx_netlink **nft, bool has_removed);

/*
 * Let a bridge's traffic through; the table is made if need be. @guard: for
 * which forwarding was off before, so that nothing but containers' traffic shall be forwarded.
 */
int lcx__firewall_add_network(const char *comment, const struct lcx_network *network,
			      net_families guard, struct lcx_error **err);
int lcx__firewall_remove_network(struct lcx_netlink **nft, const struct lcx_network *network,
				 struct lcx_error **err);
/*
 * Remove the table when no bridge of any context is left; if it, or @was_off,
 * remembers that forwarding was off, that is switched off first.
 */
int lcx__firewall_remove_unused(struct lcx_netlink **nft, struct lcx_netlink *route,
				net_families was_off, bool *ret_unused, struct lcx_error **err);
/* Bridges of all contexts, by their marks. */
int lcx__firewall_count_bridges(struct lcx_netlink *route, unsigned int *ret,
				struct lcx_error **err);
/* lcx_net_reload() without the monitors: for whoever holds a network's lock. */
int lcx__net_reload_table(struct lcx_ctx *ctx, struct lcx_error **err);
/* Make the table anew around its entries. */
int lcx__firewall_set_up(net_families guard, struct lcx_error **err);

/*
 * -ENOENT, with words, when the table is not there; -EADDRINUSE when a port is taken.
 * @loopback_port: where the monitor leads on what is published on ::1; 0: nowhere
 */
int lcx__firewall_add_ports(struct lcx_ctx *ctx, const char *comment,
			    const struct lcx_attachment *attachment, uint16_t loopback_port,
			    bool exclusive, struct lcx_error **err);
/* What was led to one port of ::1 is led to another one. */
int lcx__firewall_move_loopback(uint16_t from, uint16_t to, struct lcx_error **err);
/* With @ports NULL all entries of the mark, found by reading the whole table. */
int lcx__firewall_remove_ports(struct lcx_netlink **nft, const char *comment,
			       const struct lcx_port *ports, size_t count, struct lcx_error **err);
/* 1, the number and the holder's mark, when an entry has one of these ports, else 0. */
int lcx__firewall_find_port(struct lcx_netlink **nft, const struct lcx_port *port,
			    uint16_t *ret_number, char holder[static NET_MARK_SIZE],
			    struct lcx_error **err);
/* What stands behind @prefix in the comments of port entries, each once. */
int lcx__firewall_list_owners(const char *prefix, char ***ret, struct lcx_error **err);

/* Port 53 of the gateways leads to @port there, for containers, from now on, in the place of
 * another. */
int lcx__firewall_add_names(const char *comment, const struct lcx_network *network, uint16_t port,
			    struct lcx_error **err);
int lcx__firewall_remove_names(struct lcx_netlink **nft, const struct lcx_network *network,
			       struct lcx_error **err);

/* ---- sysctls ---- */

int lcx__forwarding_switch(enum net_family family, bool on, struct lcx_error **err);
/* Those of @families whose forwarding is off. */
net_families lcx__forwarding_off(net_families families);
/* Of the container's interface, by the names that an attachment has them by. */
int lcx__sysctl_inside(struct lcx_ctx *ctx, int netns_fd, const char *interface,
		       const char *assignment, struct lcx_error **err);
/* The root of a procfs to write in a namespace by, or -1: /proc will do. The context's. */
int lcx__own_proc(struct lcx_ctx *ctx);
int lcx__sysctl_interface(const char *family, const char *interface, const char *name,
			  const char *value, struct lcx_error **err);
/* Interfaces that hear router advertisements as hosts only, go on to hear them as routers. */
int lcx__accept_ra_list(char ***ret);
void lcx__accept_ra_change(char *const *interfaces, const char *from, const char *to);
bool lcx__ipv6_is_there(void);

/* ---- ports ---- */

const char *lcx__protocol_name(enum port_protocol protocol);
int lcx__protocol_number(enum port_protocol protocol); /* IPPROTO_ */
int lcx__protocol_parse(const char *text, enum port_protocol *ret);
/* On ::1, where a monitor leads it on: over TCP only. */
bool lcx__port_is_on_loopback6(const struct lcx_port *port);
/* On all addresses of its families. */
bool lcx__port_is_anywhere(const struct lcx_port *port);
int lcx__port_check(const struct lcx_port *port, struct lcx_error **err);
/*
 * Choose what the system shall choose, and see that all are free. @in_table: our own table will
 * publish them; else sockets will, of a program without rights of its own.
 */
int lcx__ports_claim(struct lcx_ctx *ctx, struct lcx_attachment *attachment, bool in_table,
		     struct lcx_error **err);
/* Once more: in the place of those that were chosen, others are. */
int lcx__ports_claim_others(struct lcx_ctx *ctx, struct lcx_attachment *attachment,
			    struct lcx_error **err);
/* "'web' (0123...)": who has what bears this mark; the name where his record tells one. */
char *lcx__net_describe_holder(struct lcx_ctx *ctx, const char *comment);

/* ---- cables (cable.c) ---- */

/* A veth pair, one end on the bridge, the other in the namespace. */
int lcx__cable_connect(struct lcx_ctx *ctx, struct lcx_netlink *nl,
		       const struct lcx_network *network, struct lcx_attachment *attachment,
		       const struct lcx__bridge *bridge, int netns_fd, struct lcx_error **err);

/* ---- rates (shape.c) ---- */

/* The device by which what the container sends makes its detour. */
void lcx__shape_device(const struct lcx_attachment *attachment, char name[static IFNAMSIZ]);
/* It, marked and up, if it is needed: in the batch that makes the cable. */
void lcx__shape_put_device(struct lcx__nl_batch *batch, const struct lcx_attachment *attachment,
			   uint32_t mtu_bytes, const char *mark);
/* The limits, when cable and device are there. */
int lcx__shape(struct lcx_netlink *nl, const struct lcx_attachment *attachment,
	       struct lcx_error **err);

/* ---- frames (frames.c) ---- */

/* "true", "1", "" or "false", "0" */
int lcx__net_parse_switch(const char *text, bool *ret, struct lcx_error **err);
/* What a network, or an attachment, wants that cannot be without a bridge. */
int lcx__frames_settle(const struct lcx_network *network, struct lcx_error **err);
int lcx__frames_check(const struct lcx_network *network, const struct lcx_attachment *attachment,
		      struct lcx_error **err);

/* ---- attachments ---- */

int lcx__attachment_copy_port(struct lcx_attachment *attachment, const struct lcx_port *port);
void lcx__attachment_derive_mac(const struct lcx__inet *address, char mac[static NET_MAC_SIZE]);
/* That of its first address, unless somebody chose another; "" before it has an address. */
void lcx__attachment_usual_mac(const struct lcx_attachment *attachment,
			       char mac[static NET_MAC_SIZE]);
