/* SPDX-License-Identifier: MIT */
#ifndef LCX_EVENT_H
#define LCX_EVENT_H

#include <stdint.h>

#include <lcx/ctx.h>
#include <lcx/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * What happens to the containers of a root directory, whoever does it: one stream in
 * the run directory that every process may read, and the loop of a program that owns containers.
 *
 *	fd = lcx_ctx_fd(ctx, &err);
 *	...whenever fd is readable:
 *	lcx_dispatch(ctx, &err);
 *	while (lcx_event_next(ctx, &event, &err) > 0)
 *		if (strcmp(lcx_event_type(event), "exited") == 0)
 *			...lcx_event_container_id(event)...
 *
 * The types of events: "created", "started", "exec" (a process was executed in it), "exited",
 * "oom" (the kernel killed for want of memory; told at its end), "paused", "unpaused", "renamed",
 * "updated", "checkpointed", "removed", "health", "log-rotated" (its log has begun a new file; the
 * detail is how many since its start; told once a second at most), "log-lost" (its log lacks lines:
 * when that begins, and at the end), "warning" (something went wrong that hindered nothing; the
 * detail says what). More may come: skip what is not known.
 */

/** struct lcx_event - one event; it belongs to the context, and is valid until the next one */
struct lcx_event;

/**
 * lcx_ctx_set_events_since() - also hear what happened since @time_ns
 *
 * Nanoseconds since 1970. Must come before lcx_ctx_fd(); the stream goes back to the start of the
 * machine, but keeps no more than 8 MiB. Return: 0, -EBUSY.
 */
int lcx_ctx_set_events_since(struct lcx_ctx *ctx, int64_t time_ns, struct lcx_error **err);

/**
 * lcx_ctx_fd() - borrow the one descriptor of a context that is readable when there is work
 *
 * Made by the first call. Events are told from then on, and containers that are started from then
 * on by lcx_container_start() on a handle of this context are served by lcx_dispatch().
 *
 * Return: a descriptor for poll(2); else a negative errno: -EMFILE without descriptors or inotify
 * instances.
 */
int lcx_ctx_fd(struct lcx_ctx *ctx, struct lcx_error **err);

/**
 * lcx_dispatch() - copy the output of this context's own containers, and finish those that have
 * ended
 *
 * Never waits for a container; to finish one takes the milliseconds of its taking down.
 * Return: 0 or a negative errno; the other containers are served all the same.
 */
int lcx_dispatch(struct lcx_ctx *ctx, struct lcx_error **err);

/**
 * lcx_event_next() - the next event. Return: 1 with *@ret, 0 for none now, a negative errno
 *
 * Never blocks. Before lcx_ctx_fd() there are none.
 */
int lcx_event_next(struct lcx_ctx *ctx, const struct lcx_event **ret, struct lcx_error **err);

const char *lcx_event_type(const struct lcx_event *event);
const char *lcx_event_container_id(const struct lcx_event *event);
/* "" if it has none; of "exited", perhaps the one that it had when it was started */
const char *lcx_event_container_name(const struct lcx_event *event);
const char *lcx_event_image(const struct lcx_event *event); /* "" likewise */
int64_t lcx_event_time_ns(const struct lcx_event *event);   /* since 1970 */

/** lcx_event_exit_status() - of "exited", as lcx_process_wait() has it; else LCX_EXIT_UNKNOWN */
int32_t lcx_event_exit_status(const struct lcx_event *event);

/**
 * lcx_event_detail() - what else there is to say, or ""
 *
 * "exec": the command; "renamed": the old name; "health": the new health; "log-lost": how many
 * lines.
 */
const char *lcx_event_detail(const struct lcx_event *event);

#ifdef __cplusplus
}
#endif

#endif /* LCX_EVENT_H */
