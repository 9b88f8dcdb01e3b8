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
	MONITOR_FD_SOCKETS = 7,  /* the resolver's, and that on ::1 behind them */

	MONITOR_SOCKETS_LIMIT = 17,
	MONITOR_NAME_SIZE = 129,
	MONITOR_TEXT_SIZE = 256,
};

struct monitor_order {
	uint32_t n_sockets;     /* all of them */
	uint32_t port;          /* of the resolver's; 0: there are none */
	uint32_t loopback_port; /* of that on ::1; 0: there is none */
	char network[MONITOR_NAME_SIZE];
};

struct monitor_reply {
	int32_t error; /* a positive errno, or 0: it works */
	char text[MONITOR_TEXT_SIZE];
};
