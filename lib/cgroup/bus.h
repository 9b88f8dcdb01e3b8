/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A line to systemd, over its own socket: no message bus need run. libsystemd is loaded when there
 * is something to ask, as it is on every machine that has anybody to answer; one line a call, so
 * that nothing is kept between calls.
 */

#include <systemd/sd-bus.h>

#include "util/error.h"

#define BUS_FUNCTIONS(X)                                                                           \
	X(sd_bus_new)                                                                              \
	X(sd_bus_set_address)                                                                      \
	X(sd_bus_start)                                                                            \
	X(sd_bus_set_method_call_timeout)                                                          \
	X(sd_bus_match_signal)                                                                     \
	X(sd_bus_process)                                                                          \
	X(sd_bus_wait)                                                                             \
	X(sd_bus_call)                                                                             \
	X(sd_bus_get_property_string)                                                              \
	X(sd_bus_error_free)                                                                       \
	X(sd_bus_flush_close_unref)                                                                \
	X(sd_bus_message_new_method_call)                                                          \
	X(sd_bus_message_append_basic)                                                             \
	X(sd_bus_message_append_array)                                                             \
	X(sd_bus_message_open_container)                                                           \
	X(sd_bus_message_close_container)                                                          \
	X(sd_bus_message_read_basic)                                                               \
	X(sd_bus_message_unref)

struct lcx__bus {
	sd_bus *bus;
#define MEMBER(name) __typeof__(name) *name;
	BUS_FUNCTIONS(MEMBER)
#undef MEMBER
};

/* -EOPNOTSUPP in words if nobody answers. */
int lcx__bus_open(struct lcx__bus *bus, struct lcx_error **err);
void lcx__bus_close(struct lcx__bus *bus);

/* A call of org.freedesktop.systemd1.Manager; to be unreferenced. */
int lcx__bus_message(struct lcx__bus *bus, const char *member, sd_bus_message **ret,
		     struct lcx_error **err);

/* Send it. A refusal is in systemd's words, behind @what; *@ret_name is the name of its kind. */
int lcx__bus_call(struct lcx__bus *bus, sd_bus_message *message, const char *what,
		  sd_bus_message **ret, struct lcx_error **err);
