/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * DNS messages (RFC 1035, RFC 6891) as far as a small resolver reads and writes them: of
 * what comes in, the header, the one question and the EDNS record. Nothing else is
 * read, so there is no compressed name to follow: what a server answers is compared, and handed on
 * as it is.
 *
 * No library is behind it. c-ares (1.18) writes questions and reads answers; a server needs the
 * reverse. ldns (1.8) has both, and brings libcrypto along, for DNSSEC: the monitor, a static program
 * that is part of this library, would have 4.7 MB instead of 0.9, and allocate 38 times for a
 * question that somebody in a container asked and its answer of one record. What is here
 * allocates nothing, and the fuzzer has it whole.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "netlink/inet.h"

enum {
	DNS_HEADER_SIZE = 12,
	DNS_NAME_SIZE = 256,         /* as text, with its end */
	DNS_QUESTION_SIZE = 255 + 4, /* as bytes, with type and class */
	DNS_QUERY_SIZE = DNS_HEADER_SIZE + DNS_QUESTION_SIZE + 11,
	DNS_MESSAGE_SIZE = 65535,
	DNS_UDP_LEAST = 512, /* what everybody takes */
	DNS_UDP_MOST = 1232, /* what no network cuts into pieces */
};

enum lcx__dns_type {
	DNS_TYPE_A = 1,
	DNS_TYPE_PTR = 12,
	DNS_TYPE_AAAA = 28,
	DNS_TYPE_OPT = 41,
	DNS_TYPE_IXFR = 251,
	DNS_TYPE_AXFR = 252,
	DNS_TYPE_ANY = 255,
};

enum { DNS_CLASS_IN = 1 };

enum lcx__dns_rcode {
	DNS_NOERROR = 0,
	DNS_FORMERR = 1,
	DNS_SERVFAIL = 2,
	DNS_NXDOMAIN = 3,
	DNS_NOTIMP = 4,
	DNS_REFUSED = 5,
	DNS_BADVERS = 16,
};

struct lcx__dns_query {
	uint16_t id, flags, type, class;
	uint16_t udp_size; /* of an answer over UDP */
	bool has_edns, dnssec_ok;
	bool is_plain;                       /* the name could be a host's */
	char name[DNS_NAME_SIZE];            /* in lower case, without the last dot; "": the root */
	uint8_t question[DNS_QUESTION_SIZE]; /* as it was asked */
	size_t question_length;              /* 0: could not be read */
};

/*
 * Read a query. Return: 0; an rcode with which to answer it; -EBADMSG for what is no query at all
 * and gets no answer.
 */
int lcx__dns_read_query(const uint8_t *bytes, size_t length, struct lcx__dns_query *ret);

/* The same question, asked anew under another number. Return: its length. */
size_t lcx__dns_write_query(const struct lcx__dns_query *query, uint16_t id,
			    uint8_t bytes[static DNS_QUERY_SIZE]);

/*
 * Is it the answer to the query that was asked under number @id? Return: its rcode, or
 * -EBADMSG; then it may be anybody's.
 */
int lcx__dns_check_answer(const struct lcx__dns_query *query, uint16_t id, const uint8_t *bytes,
			  size_t length);

/* Make it the answer to the query as it came to us. */
void lcx__dns_adopt_answer(const struct lcx__dns_query *query, uint8_t *bytes);

/* An answer in the making; records are added until one finds no room. */
struct lcx__dns_reply {
	const struct lcx__dns_query *query;
	uint8_t *bytes;
	size_t size, length;
	uint16_t count;
	enum lcx__dns_rcode rcode;
	bool is_truncated, is_authoritative, can_recurse;
};

/* @size: of @bytes, at least DNS_UDP_LEAST. */
void lcx__dns_reply_begin(struct lcx__dns_reply *reply, const struct lcx__dns_query *query,
			  uint8_t *bytes, size_t size);
void lcx__dns_reply_add_address(struct lcx__dns_reply *reply, const struct lcx__inet *address,
				uint32_t ttl_s);
void lcx__dns_reply_add_name(struct lcx__dns_reply *reply, const char *name, uint32_t ttl_s);
/* Return: the answer's length. */
size_t lcx__dns_reply_end(struct lcx__dns_reply *reply);

/* Can it stand in a DNS message: labels of 1 to 63 bytes, 253 in all? */
bool lcx__dns_name_is_valid(const char *name);

/* "4.3.2.1.in-addr.arpa", or the nibbles of ip6.arpa. */
bool lcx__dns_parse_reverse(const char *name, struct lcx__inet *ret);
