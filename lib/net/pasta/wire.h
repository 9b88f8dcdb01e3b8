/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the library and the keeper of a pasta say to each other when it is started: one packet each
 * way on a SOCK_SEQPACKET socket. Both are of one build.
 */

#include <stdint.h>

enum {
	PASTA_FD_CONTROL = 3,
	PASTA_FD_PROCESS = 4, /* the container's process, a pidfd */
	PASTA_FD_USERNS = 5,  /* its namespaces */
	PASTA_FD_NETNS = 6,

	PASTA_ARGUMENTS_LIMIT = 8192,
	PASTA_TEXT_SIZE = 96 * 1024,
	PASTA_WORDS_SIZE = 512,
};

struct pasta_order {
	uint32_t n_arguments; /* the program's path is the first */
	uint32_t length;
	char text[PASTA_TEXT_SIZE]; /* each with its NUL; the keeper adds the namespaces */
};

struct pasta_reply {
	int32_t error; /* a positive errno, or 0: it works */
	int32_t pid;   /* of pasta */
	char words[PASTA_WORDS_SIZE];
};
