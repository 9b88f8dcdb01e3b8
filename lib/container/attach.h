/* SPDX-License-Identifier: MIT */
#pragma once

#include "lcx/attach.h"
#include "util/error.h"

struct lcx_container;

DEFINE_CLEANUP(struct lcx_attach *, lcx_attach_free)

/* The socket in the run directory, listening; inherited by the monitor. Return: it, or a negative
 * errno. */
int lcx__attach_listen(int run_fd, struct lcx_error **err);

/*
 * An attachment over a pair of sockets: *ret_monitor_fd, which is the caller's, becomes the
 * monitor's. Nothing is read from @stdio before the first dispatch.
 */
int lcx__attach_prepare(const struct lcx_stdio *stdio, const char *display, struct lcx_attach **ret,
			int *ret_monitor_fd, struct lcx_error **err);
