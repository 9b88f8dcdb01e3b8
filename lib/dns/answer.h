/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What is answered out of the table, and what is asked of others:
 *
 *   name of a container in one of the asker's networks   its addresses; of another type: none
 *   NAME.NETWORK                                         likewise
 *   address in one of these networks, backwards          NAME.NETWORK, or "no such name"
 *   address of one label that nobody has                 "no such name": outside it is nobody's,
 *                                                        and who is looked for is nobody's business
 *   anything else                                        others; in an internal network: "no such
 * name"
 */

#include "dns/table.h"

/* Seconds: containers come and go, and to ask again costs nothing. */
enum { DNS_TTL_S = 5 };

/* Return: true, and the reply is complete but for its end; false: others have to be asked. */
bool lcx__dns_answer(const struct lcx__dns_table *table, const struct lcx__inet *asker,
		     uint32_t turn, struct lcx__dns_reply *reply);
