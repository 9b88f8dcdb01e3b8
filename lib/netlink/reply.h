/* SPDX-License-Identifier: MIT */
#pragma once

/* Reading the kernel's answers; apart from the socket, so that tests and the fuzzer can play the
 * kernel. */

#include "netlink/netlink.h"

enum { LCX__NL_WORDS_SIZE = 160 };

struct lcx__nl_reply {
	/* set by the caller */
	uint32_t first_seq, portid;
	unsigned int messages; /* how many were sent, numbered from first_seq on */
	lcx__nl_answer answer; /* or NULL */
	void *data;
	char *words; /* LCX__NL_WORDS_SIZE bytes */

	/* found out */
	int result;             /* the first failure */
	unsigned int failed;    /* which message it was */
	unsigned int confirmed; /* ACKs and ends of dumps */
	bool interrupted;       /* a dump that is not of one piece */
};

/* Read one datagram. Return: 0, -EBADMSG for what is no netlink, or the failure of answer(). */
int lcx__nl_reply_read(struct lcx__nl_reply *reply, const void *data, size_t length);
