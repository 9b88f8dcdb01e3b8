/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a pull and a push are moved on by: one epoll descriptor, readable whenever there is
 * something to do. Four things make it so: curl's sockets, curl's timer, our own timer (retries,
 * stalls, another process's lock), and an eventfd that is full as long as there is work that needs
 * no waiting, or once somebody has cancelled.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "image/transport.h"

struct lcx__loop {
	struct lcx__transport *transport;
	int work_fd, tick_fd;
	atomic_bool cancelled; /* set by any thread */
};

int lcx__loop_init(struct lcx__loop *loop, struct lcx_error **err);
void lcx__loop_clear(struct lcx__loop *loop);
int lcx__loop_fd(const struct lcx__loop *loop);

/* The beginning of a dispatch: -ECANCELED if that was asked for. */
int lcx__loop_begin(struct lcx__loop *loop, struct lcx_error **err);

/* Its end: be woken at once if there is @work, and at the @deadline_ns. */
int lcx__loop_arm(struct lcx__loop *loop, bool work, int64_t deadline_ns, struct lcx_error **err);

/* Make the descriptor readable, from any thread. */
void lcx__loop_wake(struct lcx__loop *loop);
void lcx__loop_cancel(struct lcx__loop *loop);

/* Call @dispatch until it doesn't return 1; -ETIMEDOUT without words after @timeout_ms >= 0. */
int lcx__loop_run(struct lcx__loop *loop, int32_t timeout_ms,
		  int (*dispatch)(void *data, struct lcx_error **err), void *data,
		  struct lcx_error **err);
