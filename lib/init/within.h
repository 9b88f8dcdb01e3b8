/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include "util/error.h"

/*
 * Work on files as root of a user namespace. A thread can't enter one in a program that has
 * several; so a process does it that shares this one's memory and descriptors: all that @act reads,
 * writes, allocates and opens is this process's own. It is cloned by a thread made for that, which
 * lends it its stack and waits; the caller's thread goes on to take its signals. Neither
 * outlives the call.
 *
 * @act must not start processes that outlive it, and has no other thread's help.
 */
struct lcx__within {
	int users_fd; /* the user namespace */
	bool mounts;  /* in a mount namespace of its own, too, in which it may mount */
	int (*act)(void *data, struct lcx_error **err);
	void *data;
	struct lcx_error **err;
	int host_pid;
	bool has_entered, has_ended;
	int result;
};

/* Return: what @act has returned, or a negative errno in words if it could not be called. */
int lcx__within(int users_fd, bool mounts, int (*act)(void *data, struct lcx_error **err),
		void *data, struct lcx_error **err);

/* What the process does; compiled without sanitizers, as child.c is. */
int lcx__within_child(void *data);
