/* SPDX-License-Identifier: MIT */
#pragma once

/* What the remover starts with. */
enum {
	REMOVER_FD_CONTROL, /* SOCK_SEQPACKET, with all messages in it */
	REMOVER_FD_NETLINK, /* what they are sent by; without any, what is held until the control
			       socket's end */
	REMOVER_FDS,
	REMOVER_MESSAGE_SIZE = 256,
};
