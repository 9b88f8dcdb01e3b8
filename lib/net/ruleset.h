/* SPDX-License-Identifier: MIT */
#pragma once

/* The table "lcx": which chains, sets and rules it has. Entries come and go, these do not. */

#include "net/net-internal.h"
#include "netlink/nft.h"

#define LCX_TABLE "lcx"

/* Sets and maps. */
#define SET_PORTS_OF_ADDRESS  "published"     /* address . protocol . port : address . port */
#define SET_PORTS_ANYWHERE    "published_any" /* protocol . port : address . port */
#define SET_PORTS_OF_ADDRESS6 "published6"
#define SET_PORTS_ANYWHERE6   "published6_any"
#define SET_NAMES             "names" /* port 53 of a gateway : where its resolver is */
#define SET_NAMES6            "names6"
#define SET_LOOPBACK6         "published_loopback6" /* protocol . port of ::1 : where the monitor is */
#define SET_BRIDGES           "bridges"             /* names of our bridges */
#define SET_INTERNAL          "internal"            /* those without a way out */
#define SET_SUBNETS           "subnets"             /* subnet . name of its bridge */
#define SET_SUBNETS6          "subnets6"
#define SET_SAME_BRIDGE       "same_bridge" /* name . name: for what leaves where it came in */

/* Present while forwarding was switched on by us: it lets nothing but containers' traffic through.
 */
#define CHAIN_GUARD  "guard"
#define CHAIN_GUARD6 "guard6"
const char *lcx__ruleset_guard(enum net_family family);

/* Everything but the entries, in the middle of a batch: what is there is kept, rules are made anew.
 */
void lcx__ruleset_put(struct lcx__nl_batch *batch, net_families guard);
