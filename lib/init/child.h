/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

/*
 * The moment between clone and exec, in a child that shares the host's memory.
 * child.c is compiled without sanitizers and without the stack protector: in
 * there only registers, its own stack and @error may be written.
 */
struct lcx__child_start {
	const char *name;   /* of the program, for its argv[0] */
	const int *sources; /* descriptors that become 0, 1, 2, ... in the child */
	int n_sources;
	int program_fd; /* what is executed */
	int new_user;   /* it starts in a new user namespace */
	int users_fd;   /* it enters this user namespace; -1: none */
	int error;      /* negative errno if that failed */
};

enum { LCX__CHILD_STACK_SIZE = 32 * 1024, LCX__CHILD_MAX_FDS = 512 };

/*
 * Clone with CLONE_VM | CLONE_VFORK | CLONE_PIDFD and @flags and execute. The
 * calling thread waits meanwhile, with all its signals blocked by the caller.
 * Return: the child's number, or a negative errno.
 */
int lcx__child_clone(uint64_t flags, int cgroup_fd, void *stack, struct lcx__child_start *start,
		     int *ret_pidfd);
