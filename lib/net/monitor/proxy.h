/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Published ports on ::1. The kernel lets nothing that comes from ::1 leave the host, whatever
 * its address is made into: so the table "lcx" leads a connection to a port there to a socket of
 * the monitor's, which asks where it was meant to go, connects to the container, and copies.
 */

#include "dns/table.h"

struct proxy;

/* @listen_fd: on ::1. Its table is the one that *@table is at the time. */
int proxy_new(int listen_fd, struct proxy **ret);

/* Readable when there is something to do. */
int proxy_fd(const struct proxy *proxy);

/* Does not block. @look: called before a connection is led on; the table as it is now, or NULL. */
int proxy_dispatch(struct proxy *proxy, const struct lcx__dns_table *(*look)(void *data),
		   void *data);
