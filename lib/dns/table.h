/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Who is called what: all that a resolver needs to know, in one piece of memory without a pointer
 * in it. One process may make it, and another one, which has no right to read
 * the files that it is made of, use it.
 *
 * Besides, it says which ports are published on ::1: the process that answers leads those on, too.
 *
 * Network number 0 is the resolver's own; the others are those that its containers are in, too.
 */

#include "dns/wire.h"
#include "util/str.h"

enum { DNS_SERVERS_LIMIT = 8, DNS_PLACE_ADDRESSES = 2, DNS_PORT = 53 };

struct dns_server_address {
	struct lcx__inet address;
	uint16_t port;
	uint32_t scope; /* the interface, of a link-local address */
};

struct dns_network {
	uint32_t name;     /* in the text */
	uint32_t internal; /* what is in it is nobody's outside to know */
};

/* A container in a network. */
struct dns_place {
	uint32_t network;
	uint32_t name;         /* the one that its address is turned into; in the text */
	uint32_t owner;        /* in the text */
	uint32_t next_of_same; /* another network's place of the owner, in a ring */
	struct lcx__inet addresses[DNS_PLACE_ADDRESSES]; /* family 0: none */
};

struct dns_name {
	uint32_t network, text, place;
};

struct dns_address {
	struct lcx__inet address;
	uint32_t network, place;
};

struct dns_subnet {
	struct lcx__inet subnet;
	uint32_t network;
};

/* Published on ::1, over TCP. */
struct dns_port {
	struct lcx__inet address; /* the container's */
	uint16_t host_port, container_port, count;
};

/* In front of the arrays, which follow in this order; the text is last. */
struct dns_head {
	uint32_t n_networks, n_places, n_names, n_addresses, n_subnets, n_servers, n_ports,
		text_size;
	uint32_t internal; /* nothing is asked outside */
};

struct lcx__dns_table {
	const struct dns_head *head;
	const struct dns_network *networks;
	const struct dns_place *places;
	const struct dns_name *names;        /* sorted by network and text */
	const struct dns_address *addresses; /* sorted by network and bytes */
	const struct dns_subnet *subnets;
	const struct dns_server_address *servers;
	const struct dns_port *ports;
	const char *text;
};

/* ---- making one ---- */

/* Start with all zero; what finds no memory is remembered until the end. */
struct lcx__dns_builder {
	struct dns_head head;
	struct lcx__strbuf networks, places, names, addresses, subnets, servers, ports, text;
};

/* Return: its number. */
uint32_t lcx__dns_build_network(struct lcx__dns_builder *b, const char *name, bool internal);
/* @name: that its address is turned into, without the network's. Return: its number. */
uint32_t lcx__dns_build_place(struct lcx__dns_builder *b, uint32_t network, const char *owner,
			      const char *name, const struct lcx__inet *addresses, size_t count);
/* One more name; one that cannot stand in DNS, is none. */
void lcx__dns_build_name(struct lcx__dns_builder *b, uint32_t place, const char *name);
void lcx__dns_build_subnet(struct lcx__dns_builder *b, uint32_t network,
			   const struct lcx__inet *subnet);
/* Of more than DNS_SERVERS_LIMIT, the first. */
void lcx__dns_build_server(struct lcx__dns_builder *b, const struct dns_server_address *server);
void lcx__dns_build_port(struct lcx__dns_builder *b, const struct dns_port *port);
/* Hand it out as memory that the caller frees; the builder is empty afterwards. */
int lcx__dns_build_end(struct lcx__dns_builder *b, void **ret, size_t *ret_size);
void lcx__dns_builder_free(struct lcx__dns_builder *b);

/* ---- using it ---- */

/* -EBADMSG if it is not a whole one. @memory is borrowed, and aligned as malloc(3) does. */
int lcx__dns_table_open(const void *memory, size_t size, struct lcx__dns_table *ret);

/* Entries first to *ret_end of that name; none if they are equal. */
uint32_t lcx__dns_table_find(const struct lcx__dns_table *table, uint32_t network, const char *name,
			     uint32_t *ret_end);
/* NULL: nobody has it. */
const struct dns_place *lcx__dns_table_place(const struct lcx__dns_table *table, uint32_t network,
					     const struct lcx__inet *address);
