/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What runs before libseccomp's filter:
 *
 *   for each architecture: is the call one of it?
 *       beyond the highest number that the profile names -> ENOSYS (if asked for)
 *       a call that libseccomp does not know -> its action
 *   everything else -> on to libseccomp's filter
 */

#include "security/seccomp-arch.h"
#include "util/error.h"
#include "util/opt.h"

/* The kernel's BPF_MAXINSNS of 8 bytes each. */
enum { LCX__MAX_BPF_SIZE = 4096 * 8 };

/* All that the specification names, at most. */
enum { LCX__PRELUDE_MAX_ARCHS = 24 };

struct lcx__prelude_call {
	uint32_t number;
	uint32_t action; /* SECCOMP_RET_x with its data */
};

struct lcx__prelude_arch {
	const struct lcx__arch *arch;
	uint32_t highest; /* 0: the profile names none */
	LCX__LIST(struct lcx__prelude_call) calls;
};

struct lcx__prelude {
	struct lcx__prelude_arch archs[LCX__PRELUDE_MAX_ARCHS];
	size_t n_archs;
	bool unknown_is_enosys;
};

/* Fine if it is there already. */
int lcx__prelude_add_arch(struct lcx__prelude *prelude, const struct lcx__arch *arch);

/* @number is known: what is higher than all known ones is not. */
void lcx__prelude_note(struct lcx__prelude_arch *arch, uint32_t number);

/*
 * A system call by name, on every architecture that has it. A NULL @action only notes it. The first
 * action wins. Return: on how many architectures it exists, or -ENOMEM.
 */
int lcx__prelude_add_syscall(struct lcx__prelude *prelude, const char *name,
			     const uint32_t *action);

/* The prelude and @filter as one program in *@ret, owned by the caller. */
int lcx__prelude_join(const struct lcx__prelude *prelude, const void *filter, size_t size,
		      void **ret, size_t *ret_size, struct lcx_error **err);

void lcx__prelude_release(struct lcx__prelude *prelude);
