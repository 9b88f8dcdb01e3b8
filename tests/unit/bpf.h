/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the kernel does with a seccomp filter, in miniature: the instructions that filters
 * consist of, run over a struct seccomp_data. Anything else is a broken filter.
 */

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <string.h>

enum { BPF_BROKEN = 0x12345678 };

struct bpf_machine {
	uint32_t a, x, memory[BPF_MEMWORDS];
	size_t pc;
};

static inline bool bpf_condition(uint16_t code, uint32_t a, uint32_t k)
{
	switch (BPF_OP(code)) {
	case BPF_JEQ:
		return a == k;
	case BPF_JGT:
		return a > k;
	case BPF_JGE:
		return a >= k;
	default:
		return (a & k) != 0;
	}
}

static inline bool bpf_step(struct bpf_machine *m, const struct sock_filter *i,
			    const struct seccomp_data *data)
{
	switch (i->code) {
	case BPF_LD | BPF_W | BPF_ABS:
		if (i->k % 4 != 0 || i->k > sizeof(*data) - 4)
			return false;
		memcpy(&m->a, (const char *)data + i->k, 4);
		return true;
	case BPF_ALU | BPF_AND | BPF_K:
		m->a &= i->k;
		return true;
	case BPF_LD | BPF_MEM:
		m->a = m->memory[i->k % BPF_MEMWORDS];
		return true;
	case BPF_ST:
		m->memory[i->k % BPF_MEMWORDS] = m->a;
		return true;
	case BPF_JMP | BPF_JA:
		m->pc += i->k;
		return true;
	case BPF_JMP | BPF_JEQ | BPF_K:
	case BPF_JMP | BPF_JGT | BPF_K:
	case BPF_JMP | BPF_JGE | BPF_K:
	case BPF_JMP | BPF_JSET | BPF_K:
		m->pc += bpf_condition(i->code, m->a, i->k) ? i->jt : i->jf;
		return true;
	default:
		return false;
	}
}

/* The action of the filter, SECCOMP_RET_x with its data. */
static inline uint32_t bpf_run(const void *bpf, size_t size, const struct seccomp_data *data)
{
	const struct sock_filter *code = bpf;
	struct bpf_machine m = {0};
	size_t n = size / sizeof(*code);

	while (m.pc < n) {
		const struct sock_filter *i = &code[m.pc++];

		if (i->code == (BPF_RET | BPF_K))
			return i->k;
		if (!bpf_step(&m, i, data))
			return BPF_BROKEN;
	}
	return BPF_BROKEN;
}
