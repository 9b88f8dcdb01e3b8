/* SPDX-License-Identifier: MIT */
#pragma once

/* What a watch has besides the firewall's events (watch-monitors.c). */

#include "net/net-internal.h"

struct lcx__watched_monitors {
	struct lcx_ctx *ctx;
	int epoll_fd; /* borrowed */
	int timer_fd;
	int *pidfds; /* those that live */
	size_t count;
	int64_t next_ns; /* not before this one is started again */
};

/* The ends of all monitors of @ctx wake @epoll_fd from now on. */
int lcx__watched_monitors_open(struct lcx_ctx *ctx, int epoll_fd, struct lcx__watched_monitors *ret,
			       struct lcx_error **err);
/* After one has started, ended, or may have. 1 when another was started in the place of one. */
int lcx__watched_monitors_look(struct lcx__watched_monitors *watched, struct lcx_error **err);
void lcx__watched_monitors_close(struct lcx__watched_monitors *watched);
