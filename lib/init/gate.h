/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include "init/launch.h"

/*
 * The gate: where an lcx-init that has set everything up waits for somebody, perhaps another
 * program and much later, to have it execute its program. Two FIFOs in a directory that only its
 * owner may enter: "gate", a byte of which opens, and "failure", which tells what went wrong then.
 * Nobody but lcx-init keeps them open, so that the kernel knows whether it still waits. Plain
 * reading and writing is all it takes, which no seccomp filter can do without.
 */

/* Make both. *ret_fds, owned by the caller, go to lcx-init: its WAIT operation. */
int lcx__gate_make(int dir_fd, int ret_fds[2], struct lcx_error **err);

/* Whether somebody waits behind it. */
bool lcx__gate_is_closed(int dir_fd);

/*
 * Open it, and wait until the program was executed by the process of @pidfd. Return: 0; -ESRCH if
 * nobody waits; -ECANCELED if somebody has stopped it, which ends it; a negative errno, in words
 * that name @program, as the execution reported it.
 */
int lcx__gate_open(int dir_fd, int pidfd, const char *program, struct lcx_error **err);
