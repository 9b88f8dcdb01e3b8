/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One direction of copying: from a descriptor into a buffer, out of it into
 * another descriptor, and on the way to a tap (the log). Nothing here blocks,
 * although the destination may be the caller's descriptor, whose flags are not
 * ours to change.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LCX__FLOW_SIZE = 64 * 1024 };

/* Receives every byte once, in order; a NULL @data tells the end of the stream. */
typedef void lcx__flow_tap_fn(void *data, const void *bytes, size_t length);

/* Both descriptors are owned; those of the caller's are duplicates. */
struct lcx__flow {
	int from;     /* -1: ended */
	int to;       /* -1: nobody listens (any more) */
	int epoll_fd; /* borrowed */
	bool is_held; /* the tap can't take more now: nothing is fetched */
	bool is_fed;  /* instead of a source, somebody calls lcx__flow_feed() */
	/* What is delivered last: a terminal has no end, but takes a character for it. 0: nothing.
	 */
	char farewell;
	uint32_t watched_from, watched_to; /* what it waits for */
	lcx__flow_tap_fn *tap;
	void *tap_data;
	size_t start, length; /* what waits in the buffer */
	char *buffer;         /* LCX__FLOW_SIZE bytes, made at first need */
};

#define LCX__FLOW_NONE ((struct lcx__flow){.from = -1, .to = -1, .epoll_fd = -1})

/*
 * Copy what can be copied now, and let the epoll set wait for the rest. The destination is
 * closed when the last byte was delivered, so that its reader sees the end.
 * Return: 0 or -ENOMEM.
 */
int lcx__flow_run(struct lcx__flow *flow);

/*
 * Have @length bytes, at most LCX__FLOW_SIZE, delivered, if nothing waits any more (else -EAGAIN):
 * only of a flow without a source, as long as @is_fed.
 */
int lcx__flow_feed(struct lcx__flow *flow, const void *data, size_t length);

/* Nothing will come any more, and nothing waits. */
bool lcx__flow_is_done(const struct lcx__flow *flow);

void lcx__flow_close(struct lcx__flow *flow);
