/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Start a program that the library carries along, from a sealed memfd of its own, in a
 * process without any of the host's memory or other descriptors: launch.c tells how.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

struct lcx__program {
	const char *name; /* a literal */
	const unsigned char *bytes;
	size_t size;
};

struct lcx__program_start {
	const int *sources; /* descriptors that become 0, 1, 2, ...; borrowed */
	int n_sources;
	uint64_t clone_flags; /* CLONE_NEW* */
	int cgroup_fd;        /* for CLONE_INTO_CGROUP, or -1 */
	int users_fd;         /* a user namespace that it enters, in which it is root; or -1 */
};

/* Return: the process's number, once the program is executed, with an empty environment. */
int lcx__program_start(const struct lcx__program *program, const struct lcx__program_start *start,
		       int *ret_pidfd, struct lcx_error **err);

/* A memfd with these bytes that nobody can change any more, or a negative errno. */
int lcx__sealed_memfd(const char *name, const void *data, size_t size, bool executable);
