/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The floor: what a container costs when a program makes the system calls that
 * it needs one after the other, with everything known beforehand: no library, no
 * checks, no journal, no log, no errors but abort(). Whatever liblcx takes
 * beyond it is liblcx's.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct floor {
	const char *lower, *upper, *work; /* overlay; the mount point is @staging */
	const char *staging;
	bool network; /* a bridge, veth, address and default route; and a memory limit */
	int bridge_index;
	unsigned int host_number; /* of the address: 10.99.x.y */
	const void *seccomp;
	size_t seccomp_size;
	const char *const *cgroups; /* directories to make and join, NULL-terminated */
};

struct floor_process {
	pid_t pid;
	int pidfd;
};

/* Start /bin/true, or with @wait a program that waits for input on @wait_fd. */
struct floor_process floor_start(const struct floor *floor, const char *const *argv, int stdin_fd);

/* Execute /bin/true in the namespaces of a running process. */
struct floor_process floor_exec(const struct floor *floor, int container_pidfd,
				const char *const *argv);

/* Wait for it. Return: its exit status. */
int floor_wait(struct floor_process *process);

/* Remove the cgroups that a start made. */
void floor_clean(const struct floor *floor);

int floor_make_bridge(const char *name);
void floor_remove_bridge(int index);
