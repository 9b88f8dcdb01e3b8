/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The network of an ordinary user's container by passt's pasta(1): it makes an interface in the
 * container's network namespace, and is on this side a program as any other, with sockets for what
 * goes out and for the ports that are published. It is the only program that the library executes,
 * and only when asked to.
 */

#include <stdint.h>
#include <sys/types.h>

#include "lcx/net.h"

/*
 * Is it installed? Are the ports free? Those that the system is to choose are chosen. Makes
 * nothing. -EOPNOTSUPP when pasta is not there, or for what it cannot do.
 */
int lcx__pasta_plan(struct lcx_attachment *attachment, struct lcx_error **err);

/*
 * Start it for the container's process @pidfd, in whose network namespace @netlink_fd was opened;
 * both are borrowed. Returns when the interface is up and the ports are open. It ends with that
 * process; whoever started it may be gone by then. Return: pasta's process, or a negative errno.
 */
int lcx__pasta_start(const struct lcx_attachment *attachment, int netlink_fd, int pidfd,
		     struct lcx_error **err);

/* End it, and wait until its ports are free; if it has ended, that is fine. */
int lcx__pasta_end(int64_t pid, int64_t start_time, struct lcx_error **err);

/* Where the container is to ask for names: pasta hands it on to the host's first server. */
const char *lcx__pasta_name_server(void);
