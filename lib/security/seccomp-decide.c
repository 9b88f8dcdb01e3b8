/* SPDX-License-Identifier: MIT */
#include "security/seccomp-decide.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdlib.h>

#include "util/cleanup.h"
#include "util/error.h"

bool lcx__bpf_same_end(struct lcx__bpf_end a, struct lcx__bpf_end b)
{
	return a.is_verdict == b.is_verdict && a.value == b.value;
}

static bool holds(const struct sock_filter *i, uint32_t a)
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

static bool loads(const struct sock_filter *i, size_t offset)
{
	return i->code == (BPF_LD | BPF_W | BPF_ABS) && i->k == offset;
}

bool lcx__bpf_follow(const struct sock_filter *code, size_t n, uint32_t arch, uint32_t number,
		     struct lcx__bpf_end *ret)
{
	uint32_t a = 0;

	for (size_t pc = 0; pc < n; pc++) {
		const struct sock_filter *i = &code[pc];

		switch (i->code) {
		case BPF_ALU | BPF_AND | BPF_K:
			a &= i->k;
			continue;
		case BPF_JMP | BPF_JA:
			pc += i->k;
			continue;
		case BPF_JMP | BPF_JEQ | BPF_K:
		case BPF_JMP | BPF_JGT | BPF_K:
		case BPF_JMP | BPF_JGE | BPF_K:
		case BPF_JMP | BPF_JSET | BPF_K:
			pc += holds(i, a) ? i->jt : i->jf;
			continue;
		case BPF_RET | BPF_K:
			*ret = (struct lcx__bpf_end){true, i->k};
			return true;
		default:
			break;
		}
		if (loads(i, offsetof(struct seccomp_data, nr))) {
			a = number;
		} else if (loads(i, offsetof(struct seccomp_data, arch))) {
			a = arch;
		} else {
			*ret = (struct lcx__bpf_end){false, (uint32_t)pc};
			return true;
		}
	}
	return false;
}

bool lcx__bpf_decide(const struct sock_filter *code, size_t n, uint32_t arch, uint32_t number,
		     uint32_t *verdict)
{
	struct lcx__bpf_end end;

	if (!lcx__bpf_follow(code, n, arch, number, &end) || !end.is_verdict)
		return false;
	*verdict = end.value;
	return true;
}

/* ---- what the two are compared with --------------------------------------------- */

/* What the accumulator holds. At the beginning that is 0. */
enum held { HELD_NOTHING, HELD_ARCH, HELD_NUMBER, N_HELD };

struct walk {
	const struct sock_filter *code;
	size_t n;
	const uint32_t *arch; /* NULL: any */
	bool *seen;           /* n * N_HELD */
	uint32_t *todo;       /* likewise: instruction * N_HELD + held */
	size_t n_todo;
	uint32_t
		*found; /* 2 * n * N_HELD: of the architecture if that is any, else of the number */
	size_t n_found;
	bool is_odd;
};

static void reach(struct walk *w, size_t pc, enum held held)
{
	size_t state = pc * N_HELD + held;

	if (pc >= w->n)
		w->is_odd = true;
	else if (!w->seen[state])
		w->todo[w->n_todo++] = (uint32_t)state;
	if (pc < w->n)
		w->seen[state] = true;
}

/* The numbers where what follows from the comparison may change. */
static void note(struct walk *w, const struct sock_filter *i)
{
	if (BPF_OP(i->code) != BPF_JGT)
		w->found[w->n_found++] = i->k;
	if (BPF_OP(i->code) != BPF_JGE && i->k < UINT32_MAX)
		w->found[w->n_found++] = i->k + 1;
	w->is_odd |= BPF_OP(i->code) == BPF_JSET;
}

static void compare(struct walk *w, const struct sock_filter *i, size_t pc, enum held held)
{
	bool known = held == HELD_NOTHING || (held == HELD_ARCH && w->arch);
	bool result = known && holds(i, held == HELD_NOTHING ? 0 : *w->arch);

	if (held == HELD_ARCH && !w->arch) {
		w->found[w->n_found++] = i->k;
		w->is_odd |= BPF_OP(i->code) != BPF_JEQ;
	} else if (held == HELD_NUMBER && w->arch) {
		note(w, i);
	}
	if (!known || result)
		reach(w, pc + 1 + i->jt, held);
	if (!known || !result)
		reach(w, pc + 1 + i->jf, held);
}

static void step(struct walk *w, size_t pc, enum held held)
{
	const struct sock_filter *i = &w->code[pc];

	if (i->code == (BPF_RET | BPF_K))
		return;
	if (i->code == (BPF_JMP | BPF_JA))
		reach(w, pc + 1 + i->k, held);
	else if (BPF_CLASS(i->code) == BPF_JMP && BPF_SRC(i->code) == BPF_K)
		compare(w, i, pc, held);
	else if (loads(i, offsetof(struct seccomp_data, nr)))
		reach(w, pc + 1, HELD_NUMBER);
	else if (loads(i, offsetof(struct seccomp_data, arch)))
		reach(w, pc + 1, HELD_ARCH);
	else if (i->code != (BPF_LD | BPF_W | BPF_ABS))
		w->is_odd = true; /* what came before matters to it */
}

static int ascending(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

size_t lcx__bpf_sort(uint32_t *values, size_t n)
{
	size_t kept = 0;

	qsort(values, n, sizeof(*values), ascending);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || values[kept - 1] != values[i])
			values[kept++] = values[i];
	return kept;
}

static int walk(const struct sock_filter *code, size_t n, const uint32_t *arch, uint32_t **ret,
		size_t *ret_n)
{
	CLEANUP(freep) bool *seen = calloc(n * N_HELD, sizeof(*seen));
	CLEANUP(freep) uint32_t *todo = calloc(n * N_HELD, sizeof(*todo));
	CLEANUP(freep) uint32_t *found = calloc(1 + 2 * n * N_HELD, sizeof(*found));
	struct walk w = {code, n, arch, seen, todo, 0, found, 0, false};

	if (!seen || !todo || !found)
		return -ENOMEM;
	reach(&w, 0, HELD_NOTHING);
	while (w.n_todo > 0) {
		uint32_t state = todo[--w.n_todo];

		step(&w, state / N_HELD, (enum held)(state % N_HELD));
	}
	if (w.is_odd)
		return -EOPNOTSUPP;
	if (arch)
		found[w.n_found++] = 0;
	*ret_n = lcx__bpf_sort(found, w.n_found);
	*ret = TAKE_PTR(found);
	return 0;
}

int lcx__bpf_find_archs(const struct sock_filter *code, size_t n, struct lcx__bpf_archs *ret)
{
	return walk(code, n, NULL, &ret->items, &ret->n);
}

int lcx__bpf_find_runs(const struct sock_filter *code, size_t n, uint32_t arch,
		       struct lcx__bpf_runs *ret)
{
	CLEANUP(freep) uint32_t *firsts = NULL;
	CLEANUP(freep) struct lcx__bpf_run *runs = NULL;
	size_t n_firsts, n_runs = 0;
	int r = walk(code, n, &arch, &firsts, &n_firsts);

	if (r < 0)
		return r;
	runs = calloc(n_firsts, sizeof(*runs));
	if (!runs)
		return -ENOMEM;
	for (size_t i = 0; i < n_firsts; i++) {
		struct lcx__bpf_run *run = &runs[n_runs];

		run->first = firsts[i];
		if (!lcx__bpf_follow(code, n, arch, firsts[i], &run->end))
			return -EOPNOTSUPP;
		if (n_runs == 0 || !lcx__bpf_same_end(run[-1].end, run->end))
			n_runs++;
	}
	ret->n = n_runs;
	ret->items = TAKE_PTR(runs);
	return 0;
}
