/* SPDX-License-Identifier: MIT */

/*
 * Any bytes as a seccomp profile. What is taken is resolved and, unless it is large,
 * compiled; each filter must come to a decision about a few calls, and the tree that is made of it
 * to the same one.
 */
#include <linux/audit.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "../unit/bpf.h"
#include "security/seccomp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FEW_RULES = 16 };

static uint32_t decide(const struct lcx__seccomp_filter *filter, const struct seccomp_data *call)
{
	uint32_t verdict = bpf_run(filter->bpf, filter->size, call);

	if (verdict == BPF_BROKEN)
		abort();
	return verdict;
}

/* Arguments that the profile may compare with: its own numbers, and their neighbours. */
static void fill(struct seccomp_data *call, const struct lcx_seccomp *profile, size_t turn)
{
	uint64_t value = turn;

	if (profile->rules.n > 0) {
		const struct lcx__seccomp_rule *rule =
			&profile->rules.items[turn % profile->rules.n];

		if (rule->args.n > 0)
			value = rule->args.items[turn / 3 % rule->args.n].value.value + turn % 3 -
				1;
	}
	for (size_t i = 0; i < ARRAY_SIZE(call->args); i++)
		call->args[i] = value;
}

static void compare(const struct lcx_seccomp *profile, const struct lcx__seccomp_filter *list,
		    const struct lcx__seccomp_filter *tree)
{
	static const uint32_t archs[] = {AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, AUDIT_ARCH_AARCH64};
	static const int firsts[] = {-1, 550, 0x40000000 - 1, 0x40000000 + 550, 0x7ffffff0};
	size_t turn = 0;

	for (size_t i = 0; i < ARRAY_SIZE(archs); i++)
		for (size_t first = 0; first < ARRAY_SIZE(firsts); first++)
			for (unsigned int n = 0; n < 500; n += 3, turn++) {
				struct seccomp_data call = {
					.nr = (int)((unsigned int)firsts[first] + n),
					.arch = archs[i],
				};

				fill(&call, profile, turn);
				if (decide(list, &call) != decide(tree, &call))
					abort();
			}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(lcx_seccomp_freep) struct lcx_seccomp *profile = NULL, *copy = NULL;
	CLEANUP(lcx__seccomp_release_resolved) struct lcx_seccomp resolved = {0};
	struct lcx__seccomp_filter list = {0}, tree = {0};

	if (lcx_seccomp_from_json((const char *)data, size, &profile, NULL) < 0)
		return 0;
	if (lcx_seccomp_dup(profile, &copy, NULL) < 0 ||
	    lcx__seccomp_resolve(copy, size, &resolved, NULL) < 0)
		abort();
	if (resolved.rules.n <= FEW_RULES &&
	    lcx__seccomp_compile_list(&resolved, &list, NULL) == 0 &&
	    lcx__seccomp_compile_resolved(&resolved, &tree, NULL) == 0)
		compare(&resolved, &list, &tree);
	free(tree.bpf);
	free(list.bpf);
	return 0;
}
