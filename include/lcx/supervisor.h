/* SPDX-License-Identifier: MIT */
#ifndef LCX_SUPERVISOR_H
#define LCX_SUPERVISOR_H

#include <stdint.h>

#include <lcx/ctx.h>
#include <lcx/error.h>
#include <lcx/image.h>

#ifdef __cplusplus
extern "C" {
#endif

struct lcx_container; /* lcx/container.h */

/*
 * Who starts a container again. To start one is a transaction, with a network, a cgroup and a file
 * system, that only a process with this library can carry out; a monitor, which is tiny and
 * knows nothing of these, cannot. So a restart policy is carried out by a supervisor: a handle in
 * any program of the host's, one for a root directory at a time. Without one, policies wait. `lcx
 * supervise` is such a program; `lcx run --restart` sees to it that it runs.
 */

/**
 * lcx_container_set_restart_policy() - when a supervisor starts it again
 * @policy: "no", "always", "unless-stopped", "on-failure", or "on-failure:N" for at most N times
 *
 * Before lcx_container_create(), or on one that is there, followed by lcx_container_update(). It
 * is carried out for containers that were started detached, and have been started at all.
 *
 * A container that was stopped or killed by lcx_container_stop() or lcx_container_kill() (with
 * SIGKILL or its stop signal) is left alone until somebody starts it; with "always" also until the
 * machine was started anew. An exit that nobody knows is a failure. From one restart to the next
 * passes twice the time, 100 ms first and a minute at most; after ten seconds of running it begins
 * anew.
 *
 * A whole system that reboots (lcx_container_set_system()) is started again whatever its policy, and
 * that is no failure.
 *
 * Return: 0 or -EINVAL.
 */
int lcx_container_set_restart_policy(struct lcx_container *c, const char *policy,
				     struct lcx_error **err);

/** lcx_container_restart_policy() - as it was set; "no" if it was not. Valid until @c changes */
const char *lcx_container_restart_policy(const struct lcx_container *c);

/** lcx_container_restart_count() - how often a supervisor started it since somebody else did */
uint32_t lcx_container_restart_count(const struct lcx_container *c);

/**
 * lcx_container_set_health_test() - how to find out whether it is well
 * @test: {"CMD", PROGRAM, ARGUMENT..., NULL}; {"CMD-SHELL", LINE, NULL} for its /bin/sh; or
 * {"NONE", NULL}, instead of what the image says. Copied
 *
 * Executed in the container now and then: it is well if that succeeds. Of a detached container the
 * supervisor does so, of one that a program owns its lcx_dispatch(). Before
 * lcx_container_create(). Return: 0, -EINVAL.
 */
int lcx_container_set_health_test(struct lcx_container *c, const char *const *test,
				  struct lcx_error **err);

/** lcx_container_set_health_setting() - instead of the image's. Return: 0, -EINVAL */
int lcx_container_set_health_setting(struct lcx_container *c, enum lcx_health_setting setting,
				     int64_t value, struct lcx_error **err);

/** lcx_container_has_health_check() - 1 if it has one, its image's, too; else 0 */
int32_t lcx_container_has_health_check(const struct lcx_container *c);

/**
 * lcx_container_health() - "starting", "healthy", "unhealthy"; "" without a check
 *
 * As it is now, or was at the end. lcx_container_inspect() has the latest checks and what they
 * said; an event "health" tells of changes.
 */
const char *lcx_container_health(const struct lcx_container *c);

/**
 * struct lcx_supervisor - carries out restart policies and health checks of a root directory
 *
 * And takes down, or removes if that was asked for, what detached containers leave. One thread at a
 * time; the context must outlive it.
 */
struct lcx_supervisor;

/**
 * lcx_supervisor_new() - begin to supervise, containers that are there and those to come
 *
 * Return: 0, -EBUSY if another one does (the kernel notices when that one dies).
 */
int lcx_supervisor_new(struct lcx_ctx *ctx, struct lcx_supervisor **ret, struct lcx_error **err);

/** lcx_supervisor_fd() - borrow a descriptor that is readable when there is work for
 * lcx_supervisor_dispatch() */
int lcx_supervisor_fd(const struct lcx_supervisor *supervisor);

/**
 * lcx_supervisor_dispatch() - do what is due
 *
 * Takes the milliseconds of a start for each container that is due; it never waits for one to end.
 * Return: 0, or the first failure; the others are served all the same, and what failed is tried
 * again as its policy says.
 */
int lcx_supervisor_dispatch(struct lcx_supervisor *supervisor, struct lcx_error **err);

/** lcx_supervisor_count() - how many containers it looks after */
uint32_t lcx_supervisor_count(const struct lcx_supervisor *supervisor);

/** lcx_supervisor_free() - end supervising; NULL is accepted, NULL is returned */
struct lcx_supervisor *lcx_supervisor_free(struct lcx_supervisor *supervisor);

#ifdef __cplusplus
}
#endif

#endif /* LCX_SUPERVISOR_H */
