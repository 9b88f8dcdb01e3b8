/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The stream of events: RUN/events/log, a log in the CRI format whose lines are JSON
 * objects, with "log.1" before it. Any process appends, the monitors too, each line by one
 * write(2) while it holds RUN/events/lock shared; whoever rotates holds it exclusively.
 */

#include "lcx/event.h"
#include "lcx/log.h"
#include "util/error.h"

struct lcx_container;

#define LCX__EVENT_DIR "events"

struct lcx_event {
	char *type, *id, *name, *image, *detail;
	int64_t time_ns;
	int32_t exit_status;
};

/* Tell everybody. What cannot be told, on a full disk, say, is not: nothing else depends on it. */
void lcx__event_emit(const struct lcx_container *c, const char *type, const char *detail);
void lcx__event_emit_exit(const struct lcx_container *c, int32_t status);

/* The line, without its time. Return: NULL without memory. */
char *lcx__event_text(const struct lcx_container *c, const char *type, const char *detail);

/* "exited" up to its number, for the monitor, which appends that and "}\n". Return: NULL without
 * memory. */
char *lcx__event_exit_head(const struct lcx_container *c);

/* Likewise, up to its detail, behind which come that and "\"}". */
char *lcx__event_detail_head(const struct lcx_container *c, const char *type);

/* The directory, made if need be, or a negative errno. */
int lcx__event_dir(const struct lcx_ctx *ctx);

/* A reader of what comes from now on, or since @since_ns unless it is INT64_MIN. */
int lcx__event_reader(const struct lcx_ctx *ctx, int64_t since_ns, struct lcx_log_reader **ret,
		      struct lcx_error **err);

/* Take the current line apart. Return: 0, -EBADMSG, -ENOMEM. */
int lcx__event_parse(const struct lcx_log_reader *reader, struct lcx_event *ret);
void lcx__event_clear(struct lcx_event *event);
