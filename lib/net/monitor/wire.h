/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the library and a network's monitor say to each other when it is started: one packet
 * each way on a SOCK_SEQPACKET socket. Both are of one build.
 */

#include <stdint.h>

enum {
	MONITOR_FD_CONTROL = 3,
	MONITOR_FD_FILE = 4,     /* RUN/net/NETWORK/monitor, for reading and writing */
	MONITOR_FD_RUN = 5,      /* RUN/net */
	MONITOR_FD_NETWORKS = 6, /* ROOT/networks */
	MONITOR_FD_SOCKETS = 7,  /* the resolver's */

	MONITOR_SOCKETS_LIMIT = 16,
	MONITOR_NAME_SIZE = 129,
	MONITOR_TEXT_SIZE = 256,
};

struct monitor_order {
	uint32_t n_sockets;
	uint32_t port; /* of all of them */
	char network[MONITOR_NAME_SIZE];
};

struct monitor_reply {
	int32_t error; /* a positive errno, or 0: it works */
	char text[MONITOR_TEXT_SIZE];
};
