/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the library and its extraction helper say to each other: packets on a
 * SOCK_SEQPACKET socket. Both are of one build. The helper believes what it is told; the
 * library takes what comes back for the words of a stranger.
 *
 *   library -> helper   one job; then, while the input grows, feeds
 *   helper -> library   progress, any number and any of them may be lost; then either an
 *                       error, or all implied directories in pieces, and done
 */

#include "image/engine.h"

enum {
	WIRE_FD_CONTROL = 3,
	WIRE_FD_INPUT = 4,
	WIRE_FD_ROOT = 5,

	WIRE_TEXT_SIZE = 16 << 10, /* of one packet; an error is cut to it */
};

struct wire_job {
	struct lcx__digest diff_id;
	struct lcx__extract_limits limits;
	uint32_t grows;
};

struct wire_feed {
	uint64_t available_bytes;
	uint32_t complete; /* no more will come */
	uint32_t pad;
};

enum wire_type {
	WIRE_PROGRESS,
	WIRE_HUNGRY,  /* has taken all feeds, and waits; may be lost, too */
	WIRE_IMPLIED, /* with a piece of lcx__tree_implied() */
	WIRE_DONE,
	WIRE_ERROR, /* with its words */
};

/* The text follows in the same packet. */
struct wire_reply {
	uint32_t type;
	int32_t error; /* a positive errno */
	uint64_t consumed_bytes, produced_bytes;
	uint32_t userxattr; /* no bool: what comes may be any bits */
	uint32_t pad;
};
