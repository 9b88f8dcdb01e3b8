/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * An interface of the host's that is lent to a container: moved into its network namespace, with
 * its addresses, and back when the container ends. A namespace that ends takes the virtual ones of
 * its interfaces with it, so it is kept by a pin until they are out: the caller pins it first.
 */

#include <stdbool.h>

#include "lcx/error.h"

/* The name that the pin has in the run directory. */
#define LCX__LENT_PIN "lent-netns"

/*
 * @dir_fd: where its record is written before it is moved
 * Return: 0; -ENODEV; -EBUSY for one that belongs to a network of ours or to a bridge; -EEXIST
 * when the container has one of that name.
 */
int lcx__interface_lend(int dir_fd, const char *host_name, const char *name, int netns_fd,
			int netlink_fd, struct lcx_error **err);

/* Whether one of those of @dir_fd is not back yet. */
bool lcx__interface_is_out(int dir_fd);

/* What is back already, or never went, is success. -EEXIST when its name was taken meanwhile. */
int lcx__interface_take_back(int dir_fd, const char *host_name, struct lcx_error **err);
