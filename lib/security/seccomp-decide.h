/* SPDX-License-Identifier: MIT */
#pragma once

/* What a seccomp filter answers, as far as that depends on architecture and number alone. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sock_filter;

/* Where calls come to of which nothing else is looked at. */
struct lcx__bpf_end {
	bool is_verdict;
	uint32_t value; /* SECCOMP_RET_x; or which instruction looks at something else */
};

/* Numbers from @first up to the next one's. */
struct lcx__bpf_run {
	uint32_t first;
	struct lcx__bpf_end end;
};

struct lcx__bpf_runs {
	struct lcx__bpf_run *items;
	size_t n;
};

struct lcx__bpf_archs {
	uint32_t *items;
	size_t n;
};

/* Each value once, in ascending order. Return: how many are left. */
size_t lcx__bpf_sort(uint32_t *values, size_t n);

bool lcx__bpf_same_end(struct lcx__bpf_end a, struct lcx__bpf_end b);

/* False: out of the filter's end. Any instruction that is not known here looks at something else.
 */
bool lcx__bpf_follow(const struct sock_filter *code, size_t n, uint32_t arch, uint32_t number,
		     struct lcx__bpf_end *ret);

/* Whether the verdict depends on nothing else. */
bool lcx__bpf_decide(const struct sock_filter *code, size_t n, uint32_t arch, uint32_t number,
		     uint32_t *verdict);

/*
 * The architectures that a filter tells from others; and, of one, all numbers with what they come
 * to, no two neighbours alike. Give what is in @ret to free(). -EOPNOTSUPP: a filter that does
 * more with the two than compare them, or where what looks at something else looks at them, too.
 */
int lcx__bpf_find_archs(const struct sock_filter *code, size_t n, struct lcx__bpf_archs *ret);
int lcx__bpf_find_runs(const struct sock_filter *code, size_t n, uint32_t arch,
		       struct lcx__bpf_runs *ret);
