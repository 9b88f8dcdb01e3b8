/* SPDX-License-Identifier: MIT */
#pragma once

/* Processes by their number, which is given to another one some day. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * When it started: field 22 of proc_pid_stat(5), as it is in the time namespace that the machine
 * began with, whatever the caller's is: others compare it with what they read in theirs.
 * -ESRCH: there is none.
 */
int lcx__read_start_time(pid_t pid, int64_t *ret);

/* Whether two start times are one: between time namespaces a part of a tick may get lost. */
bool lcx__is_same_start(int64_t a, int64_t b);

/* A pidfd for what is process @pid now; -ESRCH if there is none, also where a thread of another one
 * has that number. */
int lcx__pidfd_open(pid_t pid);

/* A pidfd for process @pid, if it lives and is still the one that started at @start_time; -ESRCH if
 * it isn't; any other errno if that can't be told. */
int lcx__open_process(int64_t pid, int64_t start_time);

/*
 * Whether there is something to be read from @fd, or its other end is gone, within @timeout_ms,
 * whatever signals this thread gets meanwhile. Return: 1 or 0, or a negative errno.
 */
int lcx__poll_in(int fd, int timeout_ms);

/*
 * Whether the process of @pidfd ends within @timeout_ms, 0: has ended, as a zombie has.
 * Return: 1 or 0, or a negative errno if that can't be told: then nobody is taken for dead.
 */
int lcx__pidfd_ends(int pidfd, int timeout_ms);

/*
 * Kill process @pid, if it still is the one that started at @start_time, and wait for its end.
 * Return: 0, also if it had ended; -ETIMEDOUT, or another negative errno if that can't be told.
 */
int lcx__end_process(int64_t pid, int64_t start_time, int timeout_ms);

/* The process of a pidfd, by its number here: "Pid:" of proc_pid_fdinfo(5). -ESRCH: it was reaped,
 * or has no number here; -EINVAL, -EBADF: what is no pidfd. */
pid_t lcx__pidfd_pid(int pidfd);

/* Whether a signal has stopped the process of @pidfd: 'T' of proc_pid_stat(5). */
bool lcx__pidfd_is_stopped(int pidfd);

/*
 * How the child of @pidfd ended, in a wait status, also when the host program has taken the status
 * away: it ignores SIGCHLD, or waits for any child in another thread. @options: WNOHANG or 0.
 * Return: 1 with the status, 0 while it runs, -ECHILD if nobody can tell (somebody else's child;
 * a kernel before 6.15).
 */
int lcx__pidfd_wait(int pidfd, int options, int *ret_status);
