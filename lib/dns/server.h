/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A resolver on sockets that somebody else has made: it answers out of a table, and asks the
 * table's servers what is not in it. One descriptor to poll, and a call that does
 * not block.
 */

#include "dns/table.h"

struct lcx__dns_server;

enum { DNS_LISTENERS_LIMIT = 32 };

/*
 * Called before a question is answered: fill in @table anew if there are news. What it
 * points to must last until the next call. Return: 1 if it is another one, 0, or a negative errno,
 * after which the former one goes on to count.
 */
typedef int (*lcx__dns_refresh)(void *data, struct lcx__dns_table *table);

/*
 * @sockets: bound, of UDP, or of TCP and listening; of IPv4 or IPv6. They are owned by
 *           the server if it is made.
 */
int lcx__dns_server_new(const int *sockets, size_t count, lcx__dns_refresh refresh, void *data,
			struct lcx__dns_server **ret);

/* Readable when there is something to do, be it that a time has come. */
int lcx__dns_server_fd(const struct lcx__dns_server *server);

/* Do what can be done at once. A negative errno is the end of it: its own descriptors fail. */
int lcx__dns_server_dispatch(struct lcx__dns_server *server);

/* Ask for news now: whoever has changed the table by itself, and wants to forget the former one. */
void lcx__dns_server_refresh(struct lcx__dns_server *server);

struct lcx__dns_server *lcx__dns_server_free(struct lcx__dns_server *server);
