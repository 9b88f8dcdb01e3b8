/* SPDX-License-Identifier: MIT */
#include "security/seccomp-decide.h"

#include <linux/filter.h>
#include <linux/seccomp.h>

bool lcx__bpf_holds(const struct sock_filter *i, uint32_t a)
{
	switch (BPF_OP(i->code)) {
	case BPF_JEQ:
		return a == i->k;
	case BPF_JGT:
		return a > i->k;
	case BPF_JGE:
		return a >= i->k;
	default:
		return a & i->k;
	}
}

bool lcx__bpf_decide(const struct sock_filter *code, size_t n, uint32_t arch, uint32_t number,
		     uint32_t *verdict)
{
	uint32_t a = 0;

	for (size_t pc = 0; pc < n; pc++) {
		const struct sock_filter *i = &code[pc];

		switch (i->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			if (i->k != offsetof(struct seccomp_data, nr) &&
			    i->k != offsetof(struct seccomp_data, arch))
				return false;
			a = i->k == offsetof(struct seccomp_data, nr) ? number : arch;
			break;
		case BPF_JMP | BPF_JA:
			pc += i->k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
		case BPF_JMP | BPF_JGT | BPF_K:
		case BPF_JMP | BPF_JGE | BPF_K:
		case BPF_JMP | BPF_JSET | BPF_K:
			pc += lcx__bpf_holds(i, a) ? i->jt : i->jf;
			break;
		case BPF_RET | BPF_K:
			*verdict = i->k;
			return true;
		default:
			return false;
		}
	}
	return false;
}
