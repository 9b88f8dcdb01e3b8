/* SPDX-License-Identifier: MIT */
#pragma once

/* What a seccomp filter answers, as far as that depends on architecture and number alone. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sock_filter;

/* Whether a jump's comparison holds for @value. */
bool lcx__bpf_holds(const struct sock_filter *jump, uint32_t value);

/* Whether the verdict depends on nothing else. An instruction that is not known here may. */
bool lcx__bpf_decide(const struct sock_filter *code, size_t n, uint32_t arch, uint32_t number,
		     uint32_t *verdict);
