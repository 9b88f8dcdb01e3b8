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

/*
 * One that is told its work: 0, 1 and 2 are /dev/null, 3 is a SOCK_SEQPACKET socket, whose other
 * end comes back, and @fds follow. @users_fd as above. Return: as above.
 */
int lcx__program_start_told(const struct lcx__program *program, const int *fds, size_t n_fds,
			    int users_fd, int *ret_control_fd, int *ret_pidfd,
			    struct lcx_error **err);

/* What it answers, of exactly this size. -ETIMEDOUT; -EPROTO: it says something else, or has ended.
 */
int lcx__program_answer(int control_fd, int timeout_ms, void *reply, size_t size);

/* Nobody can change a memfd, of which there is no writable mapping, any more. */
int lcx__seal(int fd);

/* A memfd with these bytes that nobody can change any more, or a negative errno. */
int lcx__sealed_memfd(const char *name, const void *data, size_t size, bool executable);
