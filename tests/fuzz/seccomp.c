/* SPDX-License-Identifier: MIT */

/*
 * Any bytes as a seccomp profile. What is taken is resolved and, unless it is large,
 * compiled; each filter must come to a decision about a few calls.
 */
#include <linux/audit.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "../unit/bpf.h"
#include "security/seccomp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FEW_RULES = 16 };

static void run(const struct lcx__seccomp_filter *filter)
{
	static const uint32_t archs[] = {AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, AUDIT_ARCH_AARCH64};

	for (size_t i = 0; i < ARRAY_SIZE(archs); i++)
		for (int number = -1; number < 500; number += 7) {
			struct seccomp_data call = {.nr = number, .arch = archs[i]};

			if (bpf_run(filter->bpf, filter->size, &call) == BPF_BROKEN)
				abort();
		}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(lcx_seccomp_freep) struct lcx_seccomp *profile = NULL, *copy = NULL;
	CLEANUP(lcx__seccomp_release_resolved) struct lcx_seccomp resolved = {0};
	struct lcx__seccomp_filter filter = {0};

	if (lcx_seccomp_from_json((const char *)data, size, &profile, NULL) < 0)
		return 0;
	if (lcx_seccomp_dup(profile, &copy, NULL) < 0 ||
	    lcx__seccomp_resolve(copy, size, &resolved, NULL) < 0)
		abort();
	if (resolved.rules.n <= FEW_RULES &&
	    lcx__seccomp_compile_resolved(&resolved, &filter, NULL) == 0)
		run(&filter);
	free(filter.bpf);
	return 0;
}
