/* SPDX-License-Identifier: MIT */
#pragma once

/* Internet addresses and subnets as bytes: parsed strictly, compared by their bits. */

#include <stdbool.h>
#include <stdint.h>
#include <netinet/in.h>

struct lcx__inet {
	uint8_t family; /* AF_INET or AF_INET6 */
	uint8_t prefix; /* bits; all of them for a lone address */
	uint8_t bytes[16];
};

enum { LCX__INET_SIZE = INET6_ADDRSTRLEN + 4 };

/* "10.88.0.1" or "fd00::1"; nothing else. */
int lcx__inet_parse_address(const char *text, struct lcx__inet *ret);

/* "10.88.0.1/16": host bits may be set. */
int lcx__inet_parse(const char *text, struct lcx__inet *ret);

/* With "/prefix" or without. */
void lcx__inet_format(const struct lcx__inet *inet, char text[static LCX__INET_SIZE]);
void lcx__inet_format_address(const struct lcx__inet *inet, char text[static LCX__INET_SIZE]);

static inline size_t lcx__inet_length(const struct lcx__inet *inet)
{
	return inet->family == AF_INET ? 4 : 16;
}

/* The subnet that an address with a prefix is part of: host bits cleared. */
struct lcx__inet lcx__inet_network(const struct lcx__inet *inet);

/* True when the first @bits bits are the same, and the family is. */
bool lcx__inet_same(const struct lcx__inet *a, const struct lcx__inet *b, unsigned int bits);

/* True when two subnets share an address. */
bool lcx__inet_overlap(const struct lcx__inet *a, const struct lcx__inet *b);
