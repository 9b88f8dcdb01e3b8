/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What is said on the socket between a monitor and those who attach to its container. Both sides
 * share this header; it uses no C library.
 *
 * The socket is SOCK_SEQPACKET, so each frame is one packet: a head, and at most
 * ATTACH_DATA_MAX bytes behind it. Whoever sends a frame that is longer, shorter or unknown is
 * disconnected. Whoever attaches first says HELLO, is WELCOME or REFUSED, and then gets
 * each byte that the container writes from that moment on. To hang up is to detach.
 */

#include <stdint.h>

#define ATTACH_SOCKET "attach" /* in the container's run directory, which is its owner's alone */

enum {
	ATTACH_DATA_MAX = 32 * 1024,
	ATTACH_MAX_CLIENTS = 16,
};

enum attach_type {
	/* to the monitor */
	ATTACH_HELLO = 1, /* @flags: what is wanted */
	ATTACH_INPUT,     /* bytes for its standard input */
	ATTACH_INPUT_END, /* and no more of them, from anybody */
	ATTACH_RESIZE,    /* @a rows, @b columns */

	/* from the monitor */
	ATTACH_WELCOME, /* @flags: what there is */
	ATTACH_REFUSED, /* @a: a positive errno */
	ATTACH_OUTPUT,  /* bytes of stream @a: 1 or 2 */
	ATTACH_GAP,     /* @size: so many bytes were not sent, for they were not fetched in time */
	ATTACH_END,     /* the container's output has ended, and its exit is recorded */
};

enum attach_flags {
	ATTACH_F_INPUT = 1 << 0,    /* wanted: to write to it, too; there is: somebody reads it */
	ATTACH_F_TERMINAL = 1 << 1, /* wanted: to tell its size; there is: a terminal */
};

struct attach_head {
	uint32_t type;
	uint32_t flags;
	uint32_t a, b;
	uint64_t size;
};
