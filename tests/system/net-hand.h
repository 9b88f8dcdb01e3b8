/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * An attachment made by hand: the messages that a container's interface needs, one behind the other,
 * with everything known beforehand. No lease, no record, no lock, no rule, no undoing; an error ends
 * the program. What it takes is the kernel's, and what the library takes beyond it is the library's.
 */
#include <stdint.h>

int hand_socket(void);

/* A bridge, up, with an address; its index. */
int hand_bridge(int fd, const char *name, uint32_t address);

/*
 * A veth pair: one end on the bridge, marked and up, the other one in the namespace, with MAC
 * address, address, up, and a default route to @gateway.
 * @inside_fd: a socket of that namespace
 */
void hand_attach(int fd, int bridge, const char *name, int netns_fd, int inside_fd,
		 uint32_t address, uint32_t gateway);

void hand_detach(int fd, const char *name);
