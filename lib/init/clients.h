/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Who is attached to the monitor's container. Output is given out in chunks: the next one is
 * read from the container when all have got this one, so that nobody misses a byte and no memory
 * grows. Whoever does not fetch for a while is left behind, with a count of what was
 * missed: one who sleeps must not stop the container.
 *
 * When all places are taken, who comes gets that of one who does not use it: who has not said
 * HELLO in time, whose input the container does not take while it is gone itself, who was left
 * behind; of several the one who came first. Who fetches what there is keeps its place.
 */

#include <linux/poll.h>

#include "init/attach.h"
#include "init/init.h"

enum {
	CLIENTS_SLOT_LISTEN,
	CLIENTS_SLOT_INPUT,
	CLIENTS_SLOT_FIRST,
	CLIENTS_SLOTS = CLIENTS_SLOT_FIRST + ATTACH_MAX_CLIENTS,
};

struct client {
	int fd;         /* -1: nobody */
	bool is_known;  /* it has said HELLO */
	uint32_t may;   /* enum attach_flags: what it may do */
	bool is_behind; /* it is not waited for */
	bool is_gone;   /* it has hung up, and what it sent before waits for its turn */
	int64_t came;   /* when it was let in */
	uint32_t sent;  /* of the chunk */
	uint64_t lost;  /* bytes that it was not told of yet */
	int64_t since;  /* when it stopped fetching; 0: it does not stand */
};

struct clients {
	int listen_fd;
	int input_fd; /* to the process's standard input; -1: none, or no more */
	bool is_terminal;
	struct client list[ATTACH_MAX_CLIENTS];

	const char *chunk; /* borrowed until clients_wait_for_somebody() is false */
	uint32_t chunk_length, chunk_stream;

	/* One frame of input on its way; until it is written no other is received. */
	uint32_t input_at, input_length;
	struct {
		struct attach_head head;
		char data[ATTACH_DATA_MAX];
	} input;
};

/* @first: somebody who is attached from the start on, or -1. Descriptors are taken over. */
void clients_init(struct clients *c, int listen_fd, int first, int input_fd, bool is_terminal);

/* What to wait for; afterwards, do what there is to do. @slots has CLIENTS_SLOTS members. */
void clients_watch(const struct clients *c, struct pollfd *slots);
void clients_serve(struct clients *c, const struct pollfd *slots);

void clients_give(struct clients *c, uint32_t stream, const char *bytes, uint32_t length);

/* Whether the chunk must stay; then clients_serve() is to be called after @ret_wait at the latest.
 */
bool clients_wait_for_somebody(struct clients *c, struct sys_timespec *ret_wait);

/* Tell everybody that it is over, and hang up. Return: whether somebody could not be told yet. */
bool clients_end(struct clients *c);
