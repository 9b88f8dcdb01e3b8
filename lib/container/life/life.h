/* SPDX-License-Identifier: MIT */
#pragma once

/* What the files of a container's life share: state.c, wait.c, stop.c, pause.c, remove.c. */

#include "container/container-internal.h"

enum { LCX__KILL_WAIT_MS = 10000 };

struct run_identity lcx__run_identify(const struct lcx_container *c);
/* Whether the state that was loaded is of that run. */
bool lcx__run_is(const struct lcx_container *c, struct run_identity run);

/* How the run that is waited for ended, or that nobody has said so. */
bool lcx__waited_read(const struct lcx_container *c, int32_t *ret_status);

/* To its first process, if it runs; no pause is ended, so that the caller may hold the lock. */
int lcx__container_signal(struct lcx_container *c, int32_t signal, struct lcx_error **err);

/* Somebody ends it on purpose, if it is a signal that does. */
void lcx__container_note_signal(struct lcx_container *c, int32_t signal);

/*
 * The same, afterwards: what is frozen dies only when it is thawed, in cgroups of version 1, and
 * hears no other signal before that in either.
 */
void lcx__thaw_to_end(struct lcx_container *c, int32_t signal);

/* Undo a pause, and keep others from one. Return: what is to be closed afterwards, or negative. */
int lcx__keep_from_pausing(struct lcx_container *c);

/*
 * All processes of this run, and of no later one, whose cgroup has the same name: whoever
 * starts it again holds the lock meanwhile. -ESRCH if the run is over.
 */
int lcx__run_kill_all(struct lcx_container *c, struct run_identity run, struct lcx_error **err);
