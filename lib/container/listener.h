/* SPDX-License-Identifier: MIT */
#pragma once

#include <sys/types.h>

#include "util/error.h"

struct lcx_container;

/*
 * Hand the listener of a process's filter to whoever answers: by the path of the description, by
 * the socket that the host has given, or both. @status is the container's.
 */
int lcx__container_send_listener(struct lcx_container *c, const char *status, pid_t pid,
				 int listener_fd, struct lcx_error **err);
