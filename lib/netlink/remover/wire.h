/* SPDX-License-Identifier: MIT */
#pragma once

/* What the remover starts with; further descriptors are only held. */
enum {
	REMOVER_FD_CONTROL, /* SOCK_SEQPACKET, with all messages in it */
	REMOVER_FD_NETLINK, /* what they are sent by */
	REMOVER_FDS,
	REMOVER_MESSAGE_SIZE = 256,
};
