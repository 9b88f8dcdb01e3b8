/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A seccomp filter that lets a list of system calls through, written as BPF by hand: a few
 * conditions, for which libseccomp would be larger than the programs that use it. For programs of
 * our own, which know what they need; containers have lib/security.
 */

#include <stddef.h>
#include <stdint.h>

struct lcx__filter {
	const uint32_t *allowed;
	size_t n_allowed;
	/* Those whose third argument is a protection, without PROT_EXEC: nothing new becomes code.
	 */
	const uint32_t *without_exec;
	size_t n_without_exec;
	/* socket(2), if its first argument is one of these. */
	const uint32_t *domains;
	size_t n_domains;
};

/*
 * For all threads of the process, whatever else they call is its end by SIGSYS; there are no new
 * privileges either. Return: 0 or a negative errno.
 */
int lcx__filter_install(const struct lcx__filter *filter);
