/* SPDX-License-Identifier: MIT */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * A write into a pipe or connection that nobody reads any more raises SIGPIPE, which ends a host
 * that never heard of pipes. Sockets have a flag against it; for pipes, and for libraries that
 * write by themselves, the calling thread blocks that one signal for a while. Other threads, and
 * the host's handler, are left alone.
 */
struct lcx__sigpipe {
	sigset_t before;
	bool was_pending;
};

void lcx__sigpipe_hold(struct lcx__sigpipe *held);

/* @may_be_raised: take back what was raised meanwhile. */
void lcx__sigpipe_release(const struct lcx__sigpipe *held, bool may_be_raised);

/* lcx__write_all() to a descriptor of the host's: without a reader -EPIPE, and no signal. */
int lcx__write_to_host(int fd, const void *data, size_t length);
